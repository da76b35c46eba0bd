"""The interval of the Th2 skew: by hand, what it must not depend on, and where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from proteomics.abundance import from_frame
from proteomics.axes import AxisScores, axis_scores
from proteomics.skew_interval import group_skew, sample_skew
from tests.proteomics.skew_coverage import Case, covered

TH2 = ["Il4", "Il5", "Il13"]
TH1 = ["Ifng", "Cxcl9", "Tnf", "Cxcl10"]
CONTROLS = [f"m{k}" for k in range(8)]
GROUP = pd.Series(["CON"] * 8 + ["RES"] * 6 + ["SUS"] * 6, index=[f"m{k}" for k in range(20)])


def table(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(6, 1, (20, 7)), index=GROUP.index, columns=TH2 + TH1)
    frame.loc[GROUP == "SUS", TH2] += 1.5
    return frame


def scored(frame: pd.DataFrame) -> tuple[xr.Dataset, AxisScores]:
    ds = from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL")
    return ds, axis_scores(ds, species="mouse", reference=CONTROLS, axes=["th2_skew"])


def by_group(frame: pd.DataFrame, group: pd.Series = GROUP) -> pd.DataFrame:
    ds, scores = scored(frame)
    return group_skew(ds, scores, species="mouse", reference=CONTROLS, group=group).set_index("group")


def test_by_hand() -> None:
    """Spread in the group, mean of the reference and SDs of the reference, each worked out member by member."""
    frame = table()
    row = by_group(frame).loc["SUS"]
    reference, group = frame.loc[CONTROLS], frame[GROUP == "SUS"]
    z = (frame - reference.mean()) / reference.std(ddof=1)
    skew = z[TH2].mean(axis=1) - z[TH1].mean(axis=1)
    assert row["th2_skew"] == pytest.approx(skew[group.index].mean())
    weights = dict.fromkeys(TH2, 1 / 3) | dict.fromkeys(TH1, -1 / 4)
    of_sds = sum(
        weights[i] * z.loc[group.index, i].mean() * weights[j] * z.loc[group.index, j].mean()
        * reference[i].corr(reference[j]) ** 2 / (2 * 7)
        for i in weights for j in weights
    )  # fmt: skip
    terms = np.array([skew[group.index].var() / 6, skew[CONTROLS].var() / 8, of_sds])
    df = terms.sum() ** 2 / (terms**2 / [5, 7, 7]).sum()
    half = stats.t.ppf(0.975, df) * np.sqrt(terms.sum())
    assert (row["low"], row["high"]) == pytest.approx((row["th2_skew"] - half, row["th2_skew"] + half))


def test_reference_group_is_not_listed_and_counts_stand() -> None:
    result = by_group(table())
    assert result.index.tolist() == ["RES", "SUS"]
    assert result["n"].tolist() == [6, 6] and result["n_reference"].tolist() == [8, 8]
    assert result.loc["SUS", "low"] < 1.5 < result.loc["SUS", "high"]
    assert result.loc["RES", "low"] < 0 < result.loc["RES", "high"]


def test_units_of_the_proteins_do_not_matter() -> None:
    frame = table()
    changed = frame * np.linspace(0.5, 4, 7) + np.arange(7)
    pd.testing.assert_frame_equal(by_group(frame), by_group(changed))


def test_sample_interval_holds_only_the_reference_s_uncertainty() -> None:
    ds, scores = scored(table())
    single = sample_skew(ds, scores, species="mouse", reference=CONTROLS).set_index("sample")
    assert (single["low"] < single["th2_skew"]).all() and (single["th2_skew"] < single["high"]).all()
    at_zero = single.loc[single["th2_skew"].abs().idxmin()]
    far = single.loc[single["th2_skew"].abs().idxmax()]
    assert far["high"] - far["low"] > at_zero["high"] - at_zero["low"]


def test_missing_member_gives_its_weight_to_the_others() -> None:
    frame = table()
    frame.loc["m15", "Tnf"] = np.nan
    ds, scores = scored(frame)
    single = sample_skew(ds, scores, species="mouse", reference=CONTROLS).set_index("sample")
    reference = frame.loc[CONTROLS]
    z = (frame - reference.mean()) / reference.std(ddof=1)
    skew = z[TH2].mean(axis=1) - z[TH1].mean(axis=1)
    left = [name for name in TH1 if name != "Tnf"]
    a = pd.concat([z.loc["m15", TH2] / 3, -z.loc["m15", left] / 3])
    terms = np.array([skew[CONTROLS].var() / 8, a @ reference[a.index].corr() ** 2 @ a / 14])
    half = stats.t.ppf(0.975, terms.sum() ** 2 / (terms**2 / 7).sum()) * np.sqrt(terms.sum())
    assert tuple(single.loc["m15", ["low", "high"]]) == pytest.approx((skew["m15"] - half, skew["m15"] + half))
    frame.loc["m15", ["Il4"]] = np.nan
    ds, scores = scored(frame)
    single = sample_skew(ds, scores, species="mouse", reference=CONTROLS).set_index("sample")
    assert single.loc["m15"].isna().all()
    assert by_group(frame).loc["SUS", "n"] == 5


def test_no_interval_without_an_axis_or_a_group() -> None:
    refused = by_group(table()[["Il4", *TH1]])
    assert refused["th2_skew"].isna().all() and refused["note"].str.contains("1 detected member").all()
    lonely = GROUP.where(GROUP != "SUS", other=None)
    lonely["m14"] = "SUS"
    row = by_group(table(), lonely).loc["SUS"]
    assert np.isnan(row["low"]) and row["note"] == "1 samples with a skew, at least 2 needed"
    ds = from_frame(table(), platform="beads", species="mouse", unit="log2")
    with pytest.raises(ValueError, match="hold no th2_skew"):
        group_skew(ds, axis_scores(ds, species="mouse", reference=CONTROLS, axes=["Th2"]), species="mouse",
                   reference=CONTROLS, group=GROUP)  # fmt: skip


@pytest.mark.slow
def test_interval_holds_the_truth() -> None:
    """95 % of 300 simulated tables, give or take chance (2.5 SE)."""
    rng = np.random.default_rng(41)
    found = np.array([covered(Case(10, 10, 1.0), rng)[:2] for _ in range(300)])
    assert (abs(found.mean(axis=0) - 0.95) < 0.032).all()
