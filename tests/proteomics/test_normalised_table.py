"""Whole tables normalised, bridged and filled in: limits move along, controls stay, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RefusedError
from proteomics.abundance import FLAGS, from_frame, subject_samples
from proteomics.normalised_table import bridge_tables, impute_table, normalise_table
from proteomics.readers import read_serum


def plates(kinds: list[str]):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    level = rng.normal(6, 1, 30)
    noise = rng.normal(0, 0.3, (12, 30))
    shift = np.repeat([0.0, 1.5], 6)
    names = [f"s{k}" for k in range(12)]
    frame = pd.DataFrame(level + noise + shift[:, None], index=names, columns=[f"p{k}" for k in range(30)])
    about = pd.DataFrame({"sample_type": kinds, "plate": ["A"] * 6 + ["B"] * 6}, index=names)
    return from_frame(frame, platform="beads", species="mouse", unit="log2", samples=about, lod=level - 0.2)


def test_bridge_is_the_median_difference_of_the_shared_samples(shared: Path) -> None:
    """The vendor's own example: 16 bridge samples, 184 assays, recomputed from the csv files by pandas alone."""
    folder = shared / "proteomics/olink_explore_example"
    first, second = (read_serum(folder / f"npx_data{k}.csv").dataset for k in (1, 2))
    joined, problems = bridge_tables(first, second, names=("one", "two"))
    raw = [pd.read_csv(folder / f"npx_data{k}.csv") for k in (1, 2)]
    wide = [part.pivot_table(index="SampleID", columns="OlinkID", values="NPX") for part in raw]
    both = [name for name in wide[0].index.intersection(wide[1].index) if "CONTROL" not in name]
    assert len(both) == 16
    adjustment = (wide[0].loc[both] - wide[1].loc[both]).median()
    moved = joined.sel(sample=[name for name in wide[1].index if name not in wide[0].index])
    expected = wide[1].loc[moved["sample"].values, moved["protein"].values] + adjustment[moved["protein"].values]
    np.testing.assert_allclose(moved["abundance"].values, expected.to_numpy(), rtol=1e-12)
    assert joined.sizes["sample"] == first.sizes["sample"] + second.sizes["sample"]
    kept = joined.sel(sample=first["sample"].values)
    np.testing.assert_array_equal(kept["abundance"].values, first["abundance"].values)
    assert subject_samples(joined).sizes["sample"] == 156 + 172 - 16
    assert any("16 bridge samples tie two to one" in problem.message for problem in problems)
    below = joined["below_lod"].values.sum()
    assert below == first["below_lod"].values.sum() + second["below_lod"].values.sum()
    assert (joined["abundance"].values < joined["lod"].values).sum() == below


def test_bridging_refusals(shared: Path) -> None:
    folder = shared / "proteomics/olink_explore_example"
    first, second = (read_serum(folder / f"npx_data{k}.csv").dataset for k in (1, 2))
    with pytest.raises(RefusedError, match="shares too few samples with one; found 0"):
        bridge_tables(first, second.assign_coords(sample=[f"x{k}" for k in range(176)]), names=("one", "two"))
    with pytest.raises(InputError, match="the tables differ in unit"):
        bridge_tables(first, second.assign_attrs(unit="log2 pg/mL"), names=("one", "two"))


def test_reference_wells_bring_plates_together_and_limits_go_along() -> None:
    ds = plates((["control"] * 2 + ["sample"] * 4) * 2)
    done, problems = normalise_table(ds, method="reference")
    gap = done["abundance"].values[[0, 1]].mean() - done["abundance"].values[[6, 7]].mean()
    assert abs(gap) < 1e-9 and not problems
    np.testing.assert_allclose(
        done["abundance"].values - done["lod"].values, ds["abundance"].values - ds["lod"].values, atol=1e-12
    )
    assert done["below_lod"].equals(ds["below_lod"])
    named, _ = normalise_table(plates(["sample"] * 12), method="reference", reference=["s0", "s1", "s6", "s7"])
    np.testing.assert_allclose(named["abundance"].values, done["abundance"].values)
    with pytest.raises(RefusedError, match="plates without a reference sample; found 2 of 2 plates: A, B"):
        normalise_table(plates(["sample"] * 12), method="reference")


@pytest.mark.parametrize("method", ["median", "quantile", "variance"])
def test_samples_are_brought_together_and_controls_stay(method: str) -> None:
    ds = plates(["control"] + ["sample"] * 11)
    done, _ = normalise_table(ds, method=method)
    np.testing.assert_array_equal(done["abundance"].values[0], ds["abundance"].values[0])
    before, after = (np.nanmedian(each["abundance"].values[1:], axis=1).std() for each in (ds, done))
    assert after < before / 4
    assert np.isfinite(done["lod"].values[1:]).all() == (method == "median")
    assert done["below_lod"].equals(ds["below_lod"])


def test_imputed_values_are_low_and_flagged_and_controls_stay() -> None:
    ds = plates(["control"] + ["sample"] * 11)
    ds["abundance"].values[:, 3] = np.nan
    done, problems = impute_table(ds, seed=3)
    assert np.isnan(done["abundance"].values[0, 3]) and np.isfinite(done["abundance"].values[1:]).all()
    made = (done["quality"].values & FLAGS["imputed"]) > 0
    assert made.sum() == 11 and made[1:, 3].all()
    assert done["abundance"].values[1:, 3].mean() < np.quantile(ds["abundance"].values[1:, :3], 0.2)
    assert problems[0].message.startswith("11 values")


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(InputError, match="unknown normalisation; found total, expected median"):
        normalise_table(plates(["sample"] * 12), method="total")
