"""A serum table written anew: a tidy table, or AnnData."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["ENDINGS", "convert_serum", "tidy_table"]

#: Kinds of file that are written.
ENDINGS = (".csv", ".h5ad")


def tidy_table(ds: xr.Dataset) -> pd.DataFrame:
    """One row a sample and protein.

    Returns
    -------
    DataFrame
        ``sample``, the columns about samples, ``protein, uniprot, symbol, panel`` and other columns about proteins,
        ``abundance`` (log2, NaN = not measured), ``unit``, ``below_lod``, ``lod``, ``quality`` (names of flags).

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> ds = from_frame(pd.DataFrame({"Il4": [1.0, 3.0]}, index=["m1", "m2"]), platform="beads", species="mouse",
    ...                 unit="log2 pg/mL", lod=[2.0])
    >>> tidy_table(ds)[["sample", "protein", "abundance", "below_lod"]].values.tolist()
    [['m1', 'Il4', 1.0, True], ['m2', 'Il4', 3.0, False]]
    """
    import pandas as pd

    from proteomics.abundance import FLAGS

    n_samples, n_proteins = ds.sizes["sample"], ds.sizes["protein"]
    columns: dict[str, Any] = {}
    spread = {
        "sample": np.repeat(np.arange(n_samples), n_proteins),
        "protein": np.tile(np.arange(n_proteins), n_samples),
    }
    for dim, rows in spread.items():
        names = [dim, *(str(name) for name, column in ds.coords.items() if column.dims == (dim,) and name != dim)]
        for name in names:
            # The same word may describe samples and proteins in a vendor's table.
            columns[name if name not in columns else f"{dim}_{name}"] = ds[name].values[rows]
    quality = ds["quality"].values.ravel()
    words = {int(code): ";".join(name for name, bit in FLAGS.items() if code & bit) for code in np.unique(quality)}
    return pd.DataFrame(
        {
            **columns,
            "abundance": ds["abundance"].values.ravel(),
            "unit": ds.attrs["unit"],
            "below_lod": ds["below_lod"].values.ravel(),
            "lod": ds["lod"].values.ravel(),
            "quality": [words[int(code)] for code in quality],
        }
    )


def convert_serum(ds: xr.Dataset, out: Path) -> str:
    """Write a tidy csv or an AnnData h5ad, and say what was written.

    Raises
    ------
    InputError
        If the name's ending is unknown, or AnnData is asked for and not installed.
    """
    kind = out.suffix.lower()
    if kind == ".csv":
        write_text(out, tidy_table(ds).to_csv(index=False, lineterminator="\n"))
        return f"{out}: {ds['abundance'].size} rows written, one a sample and protein, controls included"
    if kind != ".h5ad":
        raise InputError("unknown kind of file to write", file=out, found=kind or "no ending",
                         expected=" or ".join(ENDINGS))  # fmt: skip
    from proteomics.anndata_form import to_anndata

    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "table.h5ad"
        to_anndata(ds).write_h5ad(whole)
        write_bytes(out, whole.read_bytes())
    return f"{out}: written (AnnData: {ds.sizes['sample']} samples x {ds.sizes['protein']} proteins)"
