"""Abundance to AnnData and back, in memory and through a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from proteomics.abundance import from_frame
from proteomics.anndata_form import from_anndata, to_anndata


def dataset():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(6, 3)), index=[f"{k:03d}" for k in range(6)], columns=["Il4", "Il5", "Cd4"])
    frame.iloc[0, 0] = np.nan
    samples = pd.DataFrame(
        {
            "sample_type": ["sample"] * 5 + ["control"],
            "plate": list("AABBBA"),
            "age": [9.5, 8, 7, 9, 8, np.nan],
            "group": [*"xxyyy", ""],
        }
    )
    return from_frame(
        frame, lod=[0.0, np.nan, 0.1], quality=rng.integers(0, 64, (6, 3)), samples=samples,
        platform="beads", species="mouse", unit="log2 pg/mL", source_file="a.csv",
    )  # fmt: skip


def test_without_the_package_the_error_says_what_to_install() -> None:
    try:
        import anndata  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(InputError, match="anndata is not installed"):
            to_anndata(dataset())
    else:
        pytest.skip("anndata is installed here")


def test_round_trip_in_memory() -> None:
    pytest.importorskip("anndata")
    ds = dataset()
    assert from_anndata(to_anndata(ds)).identical(ds)


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    ds = dataset()
    to_anndata(ds).write_h5ad(tmp_path / "a.h5ad")
    back = from_anndata(anndata.read_h5ad(tmp_path / "a.h5ad"))
    assert back.identical(ds)


def test_a_real_table_comes_back(shared: Path, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    from proteomics.readers import read_serum

    for name in ("olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv", "luminex_xponent_plates/pone.0187901.s001.csv"):
        ds = read_serum(shared / "proteomics" / name).dataset
        to_anndata(ds).write_h5ad(tmp_path / "b.h5ad")
        assert from_anndata(anndata.read_h5ad(tmp_path / "b.h5ad")).identical(ds)


def test_foreign_anndata_is_refused() -> None:
    anndata = pytest.importorskip("anndata")
    with pytest.raises(InputError, match="not made by to_anndata"):
        from_anndata(anndata.AnnData(X=np.zeros((2, 2))))
