"""The one constructor of serum tables: defaults, checks, and what counts as detected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from proteomics.abundance import (
    FLAGS,
    abundance_frame,
    detected_share,
    from_frame,
    has_lod,
    set_samples,
    subject_samples,
    validate_abundance,
)

KIND = {"platform": "beads", "species": "mouse", "unit": "log2 pg/mL"}


def table(rows: int = 3) -> pd.DataFrame:
    return pd.DataFrame(
        {"Il4": np.arange(rows, dtype=float), "Il5": 2.0 * np.arange(rows)}, index=[f"m{k:03d}" for k in range(rows)]
    )


def test_values_below_lod_stay_as_measured_and_are_marked() -> None:
    ds = from_frame(table(), lod=[1.0, 2.0], **KIND)
    assert ds["abundance"].values.tolist() == [[0, 0], [1, 2], [2, 4]]
    assert ds["below_lod"].values.tolist() == [[True, True], [False, False], [False, False]]


def test_ids_stay_text() -> None:
    frame = table(2).set_axis(["007", "08"])
    assert from_frame(frame, **KIND)["sample"].values.tolist() == ["007", "08"]


def test_all_faults_are_told_at_once() -> None:
    frame = pd.DataFrame([[np.inf, 1.0], [1.0, 2.0]], index=["m1", "m1"], columns=["Il4", ""])
    samples = pd.DataFrame({"sample_type": ["sample", "ctrl"]})
    with pytest.raises(InputError) as error:
        from_frame(frame, samples=samples, platform="beads", species="rat", unit="log2")
    for part in ("sample id 'm1' occurs more than once", "a protein id is blank", "infinite", "ctrl", "'rat'"):
        assert part in str(error.value)


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match=r"lod does not fit.*\(3,\).*\(3, 2\)"):
        from_frame(table(), lod=[1.0, 2.0, 3.0], **KIND)


def test_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match="the table is empty"):
        from_frame(table(0), **KIND)


def test_a_dataset_without_the_parts_is_refused() -> None:
    ds = from_frame(table(), **KIND)
    with pytest.raises(InputError, match="no variable below_lod"):
        validate_abundance(ds.drop_vars("below_lod"))
    with pytest.raises(InputError, match="below_lod has dims"):
        validate_abundance(ds.assign(below_lod=ds["below_lod"].T))


def test_missing_counts_as_not_detected_and_controls_do_not_count() -> None:
    frame = pd.DataFrame({"Il4": [np.nan, 0.5, 5.0, 9.0]}, index=["a", "b", "c", "IPC"])
    samples = pd.DataFrame({"sample_type": ["sample"] * 3 + ["calibrator"]})
    ds = from_frame(frame, lod=[1.0], samples=samples, **KIND)
    assert detected_share(ds).tolist() == [pytest.approx(1 / 3)]
    assert subject_samples(ds)["sample"].values.tolist() == ["a", "b", "c"]
    assert abundance_frame(ds, subjects_only=False).shape == (4, 1)


def test_censored_without_a_limit_is_known_as_such() -> None:
    frame = pd.DataFrame({"Il4": [np.nan, 3.0], "Il5": [1.0, 2.0]}, index=["a", "b"])
    ds = from_frame(frame, below_lod=[[True, False], [False, False]], **KIND)
    assert has_lod(ds).tolist() == [True, False]


def test_sample_columns_are_added_by_id_not_by_order() -> None:
    ds = set_samples(from_frame(table(), **KIND), pd.DataFrame({"group": ["b", "a"]}, index=["m002", "m000"]))
    assert ds["group"].values.tolist() == ["a", "", "b"]
    with pytest.raises(InputError, match="twice"):
        set_samples(ds, pd.DataFrame({"group": ["b", "a"]}, index=["m1", "m1"]))


def test_netcdf_keeps_everything(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import xarray as xr

    ds = from_frame(table(), lod=[1.0, np.nan], quality=np.full((3, 2), FLAGS["qc_warning"]), **KIND)
    ds.to_netcdf(tmp_path / "serum.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "serum.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back.load(), ds)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_below_lod_is_exactly_value_under_limit(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, limits = rng.normal(size=(rows, columns)), rng.normal(size=columns)
    limits[rng.random(columns) < 0.3] = np.nan
    frame = pd.DataFrame(values, index=[f"s{k}" for k in range(rows)], columns=[f"p{k}" for k in range(columns)])
    ds = from_frame(frame, lod=limits, **KIND)
    for i in range(rows):
        for j in range(columns):
            assert bool(ds["below_lod"].values[i, j]) == (not np.isnan(limits[j]) and values[i, j] < limits[j])
