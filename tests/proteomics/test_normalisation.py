"""Normalisation, batch adjustment and imputation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import RefusedError
from proteomics.imputation import MinProbOptions, impute_low
from proteomics.normalisation import (
    adjust_batches,
    bridge_normalise,
    median_normalise,
    quantile_normalise,
    reference_normalise,
)


@pytest.fixture
def table() -> pd.DataFrame:
    """12 samples x 30 proteins with gaps."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.3, (12, 30)) + rng.uniform(2, 12, 30)
    values[rng.random(values.shape) < 0.05] = np.nan
    return pd.DataFrame(values, index=[f"s{i}" for i in range(12)], columns=[f"P{i}" for i in range(30)])


def test_median_removes_sample_shifts_whatever_is_missing(table: pd.DataFrame) -> None:
    """Known shifts come back, also where a sample lacks its low proteins."""
    shift = pd.Series(np.linspace(-2, 2, 12), index=table.index)
    moved = table.add(shift, axis=0)
    moved.iloc[3, table.mean().to_numpy() < 6] = np.nan
    result = median_normalise(moved)
    expected = median_normalise(table).shifts["shift"] - shift
    difference = result.shifts["shift"] - expected
    assert np.abs(difference - difference.median()).max() < 0.3
    assert result.values.isna().equals(moved.isna())
    with pytest.raises(RefusedError, match="s3"):
        median_normalise(moved.assign(**{name: np.where(moved.index == "s3", np.nan, moved[name]) for name in moved}))


def test_quantile_gives_all_samples_one_distribution(table: pd.DataFrame) -> None:
    full = table.fillna(table.mean())
    result = quantile_normalise(full).values
    ordered = np.sort(result.to_numpy(), axis=1)
    np.testing.assert_allclose(ordered, np.broadcast_to(ordered[0], ordered.shape), atol=1e-9)
    np.testing.assert_array_equal(result.rank(axis=1), full.rank(axis=1))
    gaps = quantile_normalise(table).values
    assert gaps.isna().equals(table.isna())


def test_plates_are_brought_together_by_their_references(table: pd.DataFrame) -> None:
    plate = pd.Series(np.repeat(["1", "2", "3"], 4), index=table.index)
    offset = pd.DataFrame(np.random.default_rng(2).normal(size=(3, 30)), index=["1", "2", "3"], columns=table.columns)
    moved = table + offset.loc[plate].to_numpy()
    reference = ["s0", "s1", "s4", "s5", "s8", "s9"]
    result = reference_normalise(moved, plate=plate, reference=reference)
    level = result.values.loc[reference].groupby(plate).median()
    assert (level.max() - level.min()).max() < 1e-9
    with pytest.raises(RefusedError, match="plates without a reference sample; found 1 of 3 plates: 3"):
        reference_normalise(moved, plate=plate, reference=reference[:4])
    moved.loc[["s8", "s9"], "P0"] = np.nan
    partly = reference_normalise(moved, plate=plate, reference=reference)
    assert partly.notes == ("P0 cannot be brought to the other plates on 3",)
    assert partly.values.loc["s10":, "P0"].isna().all()


def test_bridge_keeps_one_plate_and_moves_the_other(table: pd.DataFrame) -> None:
    full = table.fillna(table.mean())
    again = full.iloc[:4].set_axis([f"b{i}" for i in range(4)]) + 1.5
    both = pd.concat([full, again])
    plate = pd.Series(["1"] * 12 + ["2"] * 4, index=both.index)
    subject = pd.Series([f"m{i}" for i in range(12)] + [f"m{i}" for i in range(4)], index=both.index)
    result = bridge_normalise(both, plate=plate, subject=subject, to="1")
    np.testing.assert_allclose(result.values.loc[again.index], full.iloc[:4])
    pd.testing.assert_frame_equal(result.values.loc[full.index], full)
    with pytest.raises(RefusedError, match="shares too few samples with 1; found 2"):
        bridge_normalise(both.drop(index=["b2", "b3"]), plate=plate, subject=subject, to="1")
    with pytest.raises(RefusedError, match="no sample on plate '9'"):
        bridge_normalise(both, plate=plate, subject=subject, to="9")


def test_batches_are_removed_and_the_design_is_kept(table: pd.DataFrame) -> None:
    """Unbalanced batches: the group difference of the joint model survives, the batch difference does not."""
    batch = pd.Series(["1"] * 5 + ["2"] * 7, index=table.index)
    group = np.array([0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1.0])
    full = table.fillna(table.mean()).add(2.0 * (batch == "2"), axis=0)
    design = pd.DataFrame({"Intercept": 1.0, "group": group}, index=table.index)
    joint = np.column_stack([design, (batch == "2").astype(float)])
    before = np.linalg.lstsq(joint, full.to_numpy(), rcond=None)[0]
    after = np.linalg.lstsq(joint, adjust_batches(full, batch=batch, design=design).values.to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(after[1], before[1], atol=1e-9)
    np.testing.assert_allclose(after[2], 0, atol=1e-9)
    np.testing.assert_allclose(
        adjust_batches(full, batch=batch).values.mean(), full.groupby(batch).mean().mean(), atol=0.6
    )
    with pytest.raises(RefusedError, match="batch 1 follows from"):
        adjust_batches(full, batch=batch, design=design.assign(group=(batch == "2") * 1.0))


def test_batches_as_limma_removes_them() -> None:
    """removeBatchEffect(x, batch = c("p","p","q","q","r","r"), design = cbind(1, c(0,1,0,1,0,1))), limma 3.54.1."""
    x = pd.DataFrame({"a": [1.0, 2, 4, 5, 9, 7], "b": [3.0, 1, 4, 1, 5, np.nan]}, index=list("uvwxyz"))
    batch = pd.Series(list("ppqqrr"), index=x.index)
    design = pd.DataFrame({"Intercept": 1.0, "group": [0.0, 1, 0, 1, 0, 1]}, index=x.index)
    found = adjust_batches(x, batch=batch, design=design).values
    np.testing.assert_allclose(found["a"], np.array([25, 31, 25, 31, 34, 22]) / 6, rtol=1e-12)
    np.testing.assert_allclose(found["b"], [3.75, 1.75, 4.25, 1.25, 4.0, np.nan], rtol=1e-12)


def test_protein_in_one_batch_only_is_left_and_named(table: pd.DataFrame) -> None:
    batch = pd.Series(["1"] * 6 + ["2"] * 6, index=table.index)
    values = table.fillna(table.mean())
    values.iloc[:6, 0] = np.nan
    result = adjust_batches(values, batch=batch)
    assert result.notes == ("not measured in every batch, adjusted in part: P0",)
    pd.testing.assert_series_equal(result.values["P0"], values["P0"])


def test_imputed_values_are_low_marked_and_reproducible(table: pd.DataFrame) -> None:
    filled, made_up = impute_low(table, seed=3)
    assert made_up.equals(table.isna())
    pd.testing.assert_frame_equal(filled.where(~made_up), table)
    low = table.quantile(0.01, axis=1)
    drawn = filled.where(made_up).sub(low, axis=0).stack()
    assert abs(drawn.mean()) < 0.3
    assert impute_low(table, seed=3)[0].equals(filled)
    one = table.copy()
    one.iloc[0, 0] = np.nan
    again = impute_low(one, seed=3)[0]
    other = made_up & (np.arange(12)[:, None] > 0)
    np.testing.assert_allclose(
        again.where(other), filled.where(other), atol=0.02
    )  # the same draws, the width re-estimated
    with pytest.raises(ValueError, match="between 0 and 1"):
        MinProbOptions(quantile=2)
    with pytest.raises(RefusedError, match="without any value; found 1 of 12: s1"):
        impute_low(table.assign(**{name: np.where(table.index == "s1", np.nan, table[name]) for name in table}), seed=1)
