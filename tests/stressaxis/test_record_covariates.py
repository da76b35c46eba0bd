"""Columns made of hand-kept records as covariates of an experiment's models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from integration.association import AssociationOptions
from integration.cohort import CohortOptions
from proteomics.abundance import from_frame
from proteomics.differential import ModerationOptions
from stressaxis.steps.serum import ABUNDANCE
from stressaxis.steps.statistics import StatisticsPlan, analyse_cohort

MICE = [f"m{number:02d}" for number in range(24)]
#: Hours from the last attack to the bleed: acute inflammation fades, and so does the fear of the other mouse.
HOURS = np.tile([12.0, 36.0, 60.0], 8)


@pytest.fixture
def needs(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(5)
    columns = {"Il6": 10 - HOURS / 12 + rng.normal(0, 0.3, 24)}
    columns |= {f"P{number}": rng.normal(8, 1, 24) for number in range(6)}
    folder = tmp_path / "serum"
    folder.mkdir()
    ds = from_frame(pd.DataFrame(columns, index=MICE), platform="ms", species="mouse", unit="log2")
    ds.to_netcdf(folder / ABUNDANCE, engine="h5netcdf")
    return {"serum": folder}


def il6(needs: dict[str, Path], output: Path, covariates: tuple[str, ...], **changes: Any) -> pd.Series:
    output.mkdir()
    plan = StatisticsPlan(
        roles={"control": [], "defeated": ["SD"]}, species="mouse", joining=CohortOptions(),
        association=AssociationOptions(outcomes=("sucrose",), covariates=covariates, terms=()),
        moderation=ModerationOptions(),
    )  # fmt: skip
    rng = np.random.default_rng(6)
    bleed = pd.Timestamp("2026-11-06 18:00")
    subjects = [
        {
            "subject": name,
            "group": "SD",
            "exclude": "",
            "wound_grade_max": float(at % 4),
            "last_defeat": (bleed - pd.Timedelta(hours=HOURS[at])).isoformat(sep=" ", timespec="minutes"),
            "defeat_to_test_days": 1.0,
            **changes,
        }
        for at, name in enumerate(MICE)
    ]
    samples = [{"sample": name, "subject": name, "bleed": "2026-11-06 18:00"} for name in MICE]
    outcomes = [{"subject": name, "sucrose": 50 + HOURS[at] / 2 + rng.normal(0, 4)} for at, name in enumerate(MICE)]
    tables = {"subjects": subjects, "samples": samples, "outcomes": outcomes}
    analyse_cohort(output, part="groups", needs=needs, plan=plan, **tables)
    analyse_cohort(output, part="associations", needs=needs, plan=plan, **tables)
    table = pd.read_csv(output / "association.csv", keep_default_na=False, na_values=[""])
    rows = table[(table["marker"] == "Il6") & (table["method"] == "linear_model") & (table["subset"] == "defeated")]
    assert len(rows) == 1
    return rows.iloc[0]


def test_time_since_the_last_attack_takes_its_share_out(needs: dict[str, Path], tmp_path: Path) -> None:
    without = il6(needs, tmp_path / "without", ())
    assert without["p"] < 1e-6
    adjusted = il6(needs, tmp_path / "adjusted", ("defeat_to_bleed_days",))
    assert adjusted["p"] > 0.05
    assert "defeat_to_bleed_days" in adjusted["model"]
    cohort = pd.read_csv(tmp_path / "adjusted" / "cohort.csv")
    assert cohort["defeat_to_bleed_days"].tolist() == pytest.approx((HOURS / 24).tolist())
    assert cohort["wound_grade_max"].tolist() == [at % 4 for at in range(24)]


def test_wounds_are_in_no_model_unless_asked_for(needs: dict[str, Path], tmp_path: Path) -> None:
    assert "wound" not in il6(needs, tmp_path / "default", ())["model"]
    assert "wound_grade_max" in il6(needs, tmp_path / "asked", ("wound_grade_max",))["model"]


def test_without_dates_the_time_to_the_bleed_is_not_known(needs: dict[str, Path], tmp_path: Path) -> None:
    il6(needs, tmp_path / "undated", (), last_defeat="")
    assert pd.read_csv(tmp_path / "undated" / "cohort.csv")["defeat_to_bleed_days"].isna().all()
