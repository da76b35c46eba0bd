"""The abundance model: log2 values of samples x proteins with what is known about each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.labels import duplicated

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FLAGS",
    "FORMAT_VERSION",
    "SAMPLE_TYPES",
    "abundance_frame",
    "detected_share",
    "from_frame",
    "has_lod",
    "set_samples",
    "subject_samples",
    "validate_abundance",
]

FORMAT_VERSION = 1

#: Bits of ``quality``: what is known of one cell beyond its number.
FLAGS: dict[str, int] = {
    "qc_warning": 1,
    "qc_fail": 2,
    "above_range": 4,
    "extrapolated": 8,
    "few_beads": 16,
    "no_result": 32,
    "imputed": 64,
    "assay_warning": 128,
    "replicates_averaged": 256,
}

#: What a row may be. Only ``sample`` rows enter an analysis.
SAMPLE_TYPES = ("sample", "control", "calibrator", "standard", "blank")

_DIMS = ("sample", "protein")
_PROTEIN_TEXT = ("uniprot", "symbol", "panel")


def from_frame(
    values: pd.DataFrame,
    *,
    platform: str,
    species: str,
    unit: str,
    below_lod: ArrayLike | None = None,
    lod: ArrayLike | None = None,
    quality: ArrayLike | None = None,
    samples: pd.DataFrame | None = None,
    proteins: pd.DataFrame | None = None,
    source_file: str = "",
    source_software: str = "",
) -> xr.Dataset:
    """Build the abundance Dataset; every reader ends here.

    Parameters
    ----------
    values
        log2 values, rows = samples (index = sample ids), columns = proteins (assay ids). NaN = not measured.
    platform, species, unit
        ``"Olink NPX"``, ``"mouse"``/``"human"``/``""`` (not known), ``"log2 pg/mL"``.
    below_lod
        (n_samples, n_proteins) bool: censored. By default, value below ``lod`` where that is known.
    lod
        log2 limit of detection, one a protein or one a cell; NaN where it is not known.
    quality
        (n_samples, n_proteins) int: sums of :data:`FLAGS`.
    samples
        Further columns about the samples, in the order of the rows; ``sample_type`` defaults to ``"sample"`` and
        ``plate`` to ``""``.
    proteins
        ``uniprot``, ``symbol``, ``panel`` and further columns, in the order of the columns; symbol defaults to the
        assay id.
    source_file, source_software
        File name without folder, and what wrote it.

    Returns
    -------
    Dataset
        ``abundance(sample, protein)`` float64, ``below_lod`` bool, ``lod`` float64, ``quality`` uint16. Below LOD is
        censored, not missing: the value stays as measured, or stands at the limit when only that is known. A cell
        that is ``below_lod`` and NaN is censored at a limit that nobody stated.

    Raises
    ------
    InputError
        If ids repeat, shapes differ, values are infinite ... all faults in one message.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Il4": [1.0, 3.0], "Il5": [2.0, 2.5]}, index=["m1", "m2"])
    >>> ds = from_frame(table, platform="beads", species="mouse", unit="log2 pg/mL", lod=[2.0, 1.0])
    >>> ds["below_lod"].values.tolist()
    [[True, False], [False, False]]
    """
    import pandas as pd
    import xarray as xr

    shape = values.shape
    matrix = np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")
    limits = np.full(shape, np.nan) if lod is None else _spread(lod, shape, "lod", source_file)
    if below_lod is None:
        with np.errstate(invalid="ignore"):
            censored = matrix < limits
    else:
        censored = _spread(below_lod, shape, "below_lod", source_file).astype(bool)
    flags = np.zeros(shape, np.uint16) if quality is None else _spread(quality, shape, "quality", source_file)
    ds = xr.Dataset(
        {
            "abundance": (_DIMS, matrix, {"unit": unit}),
            "below_lod": (_DIMS, censored),
            "lod": (_DIMS, limits, {"unit": unit}),
            "quality": (
                _DIMS,
                flags.astype(np.uint16),
                {"flag_masks": list(FLAGS.values()), "flag_meanings": " ".join(FLAGS)},
            ),
        },
        coords={"sample": _text(values.index), "protein": _text(values.columns)},
        attrs={
            "platform": platform,
            "species": species,
            "unit": unit,
            "source_file": source_file,
            "source_software": source_software,
            "format_version": FORMAT_VERSION,
        },
    )
    samples = pd.DataFrame(index=values.index) if samples is None else samples
    proteins = pd.DataFrame(index=values.columns) if proteins is None else proteins
    ds = _add_coords(ds, "sample", samples, {"sample_type": "sample", "plate": ""})
    ds = _add_coords(ds, "protein", proteins, {"uniprot": "", "symbol": ds["protein"].values, "panel": ""})
    return validate_abundance(ds)


def _text(labels: Any) -> NDArray[np.object_]:
    return np.array([str(label) for label in labels], dtype=object)


def _spread(values: ArrayLike, shape: tuple[int, ...], what: str, file: str) -> NDArray[Any]:
    array = np.asarray(values)
    try:
        return np.array(np.broadcast_to(array, shape))
    except ValueError:
        raise InputError(
            f"{what} does not fit the table", file=file or None, found=f"shape {array.shape}", expected=f"{shape}"
        ) from None


def _add_coords(ds: xr.Dataset, dim: str, table: pd.DataFrame, defaults: dict[str, Any]) -> xr.Dataset:
    columns: dict[str, Any] = {}
    for name, default in defaults.items():
        given = table.get(name, default)
        columns[name] = (dim, _text_column(given, ds.sizes[dim]))
    for name in table.columns:
        if name in defaults or name == dim:
            continue
        column = table[name]
        numeric = column.dtype.kind in "fiub"
        columns[str(name)] = (dim, column.to_numpy() if numeric else _text_column(column, ds.sizes[dim]))
    return ds.assign_coords(columns)


def _text_column(values: Any, size: int) -> NDArray[np.object_]:
    if isinstance(values, str):
        values = [values] * size
    # Missing text reads back from netCDF as ''; so it is '' from the start.
    return np.array(["" if value is None or value != value else str(value) for value in values], dtype=object)


def validate_abundance(ds: xr.Dataset) -> xr.Dataset:
    """Check the layout, and hand the Dataset back.

    Raises
    ------
    InputError
        With all faults in one message.

    Examples
    --------
    >>> import xarray as xr
    >>> validate_abundance(xr.Dataset())
    Traceback (most recent call last):
    core.errors.InputError: not an abundance table: no variable abundance; no variable below_lod; ...
    """
    variables = ("abundance", "below_lod", "lod", "quality")
    coords = ("sample", "protein", "sample_type", *_PROTEIN_TEXT)
    faults = [f"no variable {name}" for name in variables if name not in ds]
    faults += [f"no coordinate {name}" for name in coords if name not in ds.coords]
    faults += [f"no attribute {name}" for name in ("platform", "species", "unit") if name not in ds.attrs]
    if not faults:
        faults = _value_faults(ds)
    if faults:
        file = ds.attrs.get("source_file") or None
        raise InputError("not an abundance table: " + "; ".join(faults), file=file)
    return ds


def _value_faults(ds: xr.Dataset) -> list[str]:
    faults = [
        f"{name} has dims {ds[name].dims}, not {_DIMS}"
        for name in ("abundance", "below_lod", "lod", "quality")
        if ds[name].dims != _DIMS
    ]
    if ds["abundance"].dtype != np.float64 or ds["below_lod"].dtype != bool:
        faults.append("abundance must be float64 and below_lod bool")
    if faults:
        return faults
    if 0 in ds.sizes.values():
        faults.append(f"the table is empty ({ds.sizes['sample']} samples, {ds.sizes['protein']} proteins)")
    for dim in _DIMS:
        labels = ds[dim].values.tolist()
        if twice := duplicated(labels):
            faults.append(f"{dim} id {', '.join(map(repr, twice[:5]))} occurs more than once")
        if any(not str(label).strip() for label in labels):
            faults.append(f"a {dim} id is blank")
    for name in ("abundance", "lod"):
        bad = np.isinf(ds[name].values)
        if bad.any():
            row, column = (int(index) for index in np.argwhere(bad)[0])
            place = f"sample {ds['sample'].values[row]}, protein {ds['protein'].values[column]}"
            faults.append(f"{name} is infinite ({int(bad.sum())} cells, first: {place})")
    unknown = sorted(set(ds["sample_type"].values.tolist()) - set(SAMPLE_TYPES))
    if unknown:
        faults.append(f"sample_type {', '.join(unknown)} is none of {', '.join(SAMPLE_TYPES)}")
    if ds.attrs["species"] not in ("mouse", "human", ""):
        faults.append(f"species {ds.attrs['species']!r} is neither 'mouse' nor 'human' nor '' (not known)")
    return faults


def abundance_frame(ds: xr.Dataset, *, subjects_only: bool = True) -> pd.DataFrame:
    """log2 values as a table, rows = samples, columns = proteins.

    Parameters
    ----------
    ds
        An abundance Dataset.
    subjects_only
        Leave out controls, calibrators, standards and blanks.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Il4": [1.0, 3.0]}, index=["m1", "IPC"])
    >>> ds = from_frame(table, platform="beads", species="mouse", unit="log2 pg/mL",
    ...                 samples=pd.DataFrame({"sample_type": ["sample", "control"]}))
    >>> abundance_frame(ds).index.tolist()
    ['m1']
    """
    import pandas as pd

    if subjects_only:
        ds = subject_samples(ds)
    index = pd.Index(ds["sample"].values, name="sample")
    columns = pd.Index(ds["protein"].values, name="protein")
    return pd.DataFrame(ds["abundance"].values.copy(), index=index, columns=columns)


def subject_samples(ds: xr.Dataset) -> xr.Dataset:
    """The rows that are samples of subjects, without controls, calibrators, standards and blanks."""
    return ds.isel(sample=np.flatnonzero(ds["sample_type"].values == "sample"))


def has_lod(ds: xr.Dataset) -> NDArray[np.bool_]:
    """(n_proteins,) bool: a limit or a censored value is known for this protein."""
    known: NDArray[np.bool_] = np.isfinite(ds["lod"].values).any(axis=0) | ds["below_lod"].values.any(axis=0)
    return known


def detected_share(ds: xr.Dataset) -> NDArray[np.float64]:
    """(n_proteins,) share of the subjects' samples with a measured value that is not below LOD.

    A missing value does not count as detected. Where no limit is known, every measured value counts.
    """
    ds = subject_samples(ds)
    if not ds.sizes["sample"]:
        return np.full(ds.sizes["protein"], np.nan)
    above = np.isfinite(ds["abundance"].values) & ~ds["below_lod"].values
    share: NDArray[np.float64] = above.mean(axis=0)
    return share


def set_samples(ds: xr.Dataset, table: pd.DataFrame) -> xr.Dataset:
    """Add columns about samples (subject, group, plate ...) by sample id.

    Parameters
    ----------
    ds
        An abundance Dataset.
    table
        Index = sample ids; samples that it does not list get blank text or NaN.

    Raises
    ------
    InputError
        If the index of the table holds an id twice.
    """
    if twice := duplicated(table.index.astype(str).tolist()):
        raise InputError("a sample stands twice in the table of samples", found=", ".join(twice[:5]))
    table = table.set_axis(table.index.astype(str)).reindex(ds["sample"].values)
    return validate_abundance(_add_coords(ds, "sample", table, {}))
