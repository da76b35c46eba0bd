"""Each class rule at its very border, and what it does where something is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from behavior.classes import CLASS_RULES, ClassOptions, classify


def mouse(**values: object) -> pd.DataFrame:
    row = {
        "role": "defeated", "excluded": "", "si_ratio": 1.2, "iz_target_s": 80.0, "velocity_drop_cm_s": 3.0,
        "control_cut": 1.1, "distance_ratio": 0.8,
    }  # fmt: skip
    return pd.DataFrame([row | values])


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ("ratio", {"si_ratio": 1.0}, "RES"),
        ("ratio", {"si_ratio": np.nextafter(1.0, 0)}, "SUS"),
        ("target_60s", {"iz_target_s": 60.0}, "RES"),
        ("target_60s", {"iz_target_s": 59.99}, "unclassified"),
        ("target_60s", {"iz_target_s": 90.0, "si_ratio": 0.99}, "SUS"),
        ("velocity", {"velocity_drop_cm_s": 1.5}, "RES"),
        ("velocity", {"velocity_drop_cm_s": 1.49}, "SUS"),
        ("velocity", {"velocity_drop_cm_s": 5.0, "si_ratio": 0.9}, "SUS"),
        ("control_cut", {"si_ratio": 1.1}, "RES"),
        ("control_cut", {"si_ratio": 1.09}, "SUS"),
        ("band", {"si_ratio": 0.9}, "indeterminate"),
        ("band", {"si_ratio": 1.1}, "indeterminate"),
        ("band", {"si_ratio": 0.899}, "SUS"),
        ("band", {"si_ratio": 1.101}, "RES"),
        ("distance", {"distance_ratio": 1.0}, "SUS"),
        ("distance", {"distance_ratio": 0.99}, "RES"),
    ],
)
def test_borders(rule: str, values: dict[str, float], expected: str) -> None:
    assert classify(mouse(**values), rule).tolist() == [expected]


@pytest.mark.parametrize("rule", CLASS_RULES)
def test_no_class_for_controls_excluded_mice_and_missing_values(rule: str) -> None:
    for values in (
        {"role": "control"},
        {"role": ""},
        {"excluded": "bite wound"},
        {CLASS_RULES[rule].needs[-1]: np.nan},
    ):
        assert classify(mouse(**values), rule).tolist() == [""]


def test_cuts_are_settings() -> None:
    options = ClassOptions(cut=1.3, resilient_min_s=90, velocity_drop_cm_s=4, indeterminate_high=1.25)
    expected = {"ratio": "SUS", "target_60s": "SUS", "velocity": "SUS", "band": "indeterminate"}
    assert {rule: classify(mouse(), rule, options=options)[0] for rule in expected} == expected
