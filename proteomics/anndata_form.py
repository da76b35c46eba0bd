"""The abundance Dataset as AnnData and back, without loss (needs the extra ``interop``)."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from proteomics.abundance import validate_abundance

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["from_anndata", "to_anndata"]

_LAYERS = ("below_lod", "lod", "quality")
_KEY = "stressaxis"


def to_anndata(ds: xr.Dataset) -> Any:
    """An AnnData with ``X`` = log2 abundance, one layer for each further variable, coordinates in ``obs`` and ``var``.

    Attributes, names and dtypes travel in ``uns["stressaxis"]`` as text, so that a file written by AnnData gives the
    same Dataset back.

    Raises
    ------
    InputError
        If the ``anndata`` package is not installed.
    """
    anndata = _package()
    import pandas as pd

    validate_abundance(ds)
    tables = []
    for dim in ("sample", "protein"):
        names = [str(name) for name in ds[dim].coords if name != dim]
        index = pd.Index(ds[dim].values.astype(str), name=dim)
        tables.append(pd.DataFrame({name: ds[name].values for name in names}, index=index))
    others = [str(name) for name in ds.data_vars if name != "abundance"]
    about = {
        "attrs": ds.attrs,
        "variables": {name: {"dtype": str(ds[name].dtype), "attrs": ds[name].attrs} for name in ["abundance", *others]},
        "dtypes": {str(name): str(ds[name].dtype) for name in ds.coords},
    }
    return anndata.AnnData(
        X=ds["abundance"].values.copy(),
        obs=tables[0],
        var=tables[1],
        layers={name: ds[name].values.copy() for name in others},
        uns={_KEY: json.dumps(about, default=_plain)},
    )


def from_anndata(adata: Any) -> xr.Dataset:
    """The abundance Dataset of an AnnData that :func:`to_anndata` made.

    Raises
    ------
    InputError
        If it was made by something else, or a layer is missing.
    """
    import xarray as xr

    if _KEY not in adata.uns:
        raise InputError("this AnnData was not made by to_anndata", found="no uns['stressaxis']")
    about = json.loads(str(adata.uns[_KEY]))
    missing = [name for name in about["variables"] if name != "abundance" and name not in adata.layers]
    if missing:
        raise InputError(f"the AnnData lacks layer {missing[0]}", found=", ".join(adata.layers))
    variables = {}
    for name, told in about["variables"].items():
        matrix = adata.X if name == "abundance" else adata.layers[name]
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else matrix
        variables[name] = (("sample", "protein"), np.asarray(matrix).astype(told["dtype"]), told["attrs"])
    coords: dict[str, Any] = {}
    for dim, table in (("sample", adata.obs), ("protein", adata.var)):
        coords[dim] = (dim, np.array(table.index.astype(str), dtype=object))
        for name in table.columns:
            coords[name] = (dim, _column(table[name], about["dtypes"].get(name, "object")))
    return validate_abundance(xr.Dataset(variables, coords=coords, attrs=about["attrs"]))


def _package() -> Any:
    try:
        return importlib.import_module("anndata")
    except ModuleNotFoundError:
        raise InputError("the package anndata is not installed", remedy="pip install 'stressaxis[interop]'") from None


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as text")


def _column(column: pd.Series[Any], dtype: str) -> Any:
    # AnnData turns repeated text into categories when it writes.
    return np.array(column.astype(str), dtype=object) if dtype == "object" else np.asarray(column).astype(dtype)
