"""Each class rule at its very border, and what it does where something is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from behavior.classes import CLASS_RULES, ClassOptions, classify, control_cuts


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


def controls(cohort: str, sex: str, ratios: list[float], **changes: object) -> list[dict[str, object]]:
    row = {"role": "control", "excluded": "", "cohort": cohort, "sex": sex}
    return [row | {"si_ratio": ratio} | changes for ratio in ratios]


def cut(rows: list[dict[str, object]], cohort: str, sex: str, **options: object) -> float:
    """The cut of a defeated mouse of this cohort and sex."""
    mouse = {"role": "defeated", "excluded": "", "cohort": cohort, "sex": sex, "si_ratio": 0.5}
    return float(control_cuts(pd.DataFrame([*rows, mouse]), options=ClassOptions(**options))[-1])


def expected(*ratios: float, sd: float = 1.0) -> object:
    return pytest.approx(np.mean(ratios) - sd * np.std(ratios, ddof=1))


SEVEN = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 1.3]
EIGHT = [*SEVEN, 1.7]
FEMALES = [0.6, 0.8, 1.0, 1.1]


def test_control_cuts_are_per_sex() -> None:
    rows = [*controls("A", "M", SEVEN), *controls("A", "F", FEMALES)]
    assert cut(rows, "A", "M") == expected(*SEVEN)
    assert cut(rows, "A", "F") == expected(*FEMALES)
    assert cut(rows, "A", "M", control_sd=2.0) == expected(*SEVEN, sd=2.0)


def test_control_cuts_are_pooled_over_cohorts_up_to_seven_controls_and_own_from_eight() -> None:
    others = [2.2, 2.4, 2.6, 2.8]
    rows = [*controls("A", "M", SEVEN), *controls("B", "M", others)]
    assert cut(rows, "A", "M") == cut(rows, "B", "M") == expected(*SEVEN, *others)
    rows = [*controls("A", "M", EIGHT), *controls("B", "M", others)]
    assert cut(rows, "A", "M") == expected(*EIGHT)
    # The others still rest on all controls of their sex.
    assert cut(rows, "B", "M") == cut(rows, "C", "M") == expected(*EIGHT, *others)
    assert cut(rows, "A", "M", cohort_controls=None) == expected(*EIGHT, *others)


def test_eight_controls_of_both_sexes_together_are_not_eight_of_one() -> None:
    rows = [*controls("A", "M", SEVEN[:4]), *controls("A", "F", FEMALES), *controls("B", "M", [2.2, 2.4])]
    assert cut(rows, "A", "M") == expected(*SEVEN[:4], 2.2, 2.4)


def test_excluded_controls_and_those_without_ratio_do_not_make_eight() -> None:
    rows = [*controls("A", "M", SEVEN), *controls("A", "M", [9.0], excluded="bite wound")]
    rows += [*controls("A", "M", [np.nan]), *controls("B", "M", [2.2])]
    assert cut(rows, "A", "M") == expected(*SEVEN, 2.2)
    assert np.isnan(cut(controls("A", "M", SEVEN[:2]), "A", "M"))


@pytest.mark.parametrize("target_s", [0.0, 30.0, 59.9])
def test_animals_that_a_rule_leaves_over_are_called_unclassified(target_s: float) -> None:
    over = classify(mouse(iz_target_s=target_s, si_ratio=1.3), "target_60s").tolist()
    assert over == ["unclassified"]
    # Not left over, but below the cut or without the number that the rule needs.
    assert classify(mouse(iz_target_s=target_s, si_ratio=0.7), "target_60s").tolist() == ["SUS"]
    assert classify(mouse(iz_target_s=np.nan, si_ratio=1.3), "target_60s").tolist() == [""]
