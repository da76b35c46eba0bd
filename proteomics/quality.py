"""Quality of a serum table: detection, outlying samples, vendor warnings, floors, plate and run-order effects.

Everything here flags; nothing is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from proteomics.abundance import FLAGS, detected_share, has_lod, subject_samples

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "QualityOptions",
    "floor_share",
    "order_effects",
    "plate_detection",
    "plate_effects",
    "protein_quality",
    "robust_z",
    "sample_quality",
]


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """Limits beyond which something is flagged.

    Parameters
    ----------
    outlier_z
        Modified z of a sample's median, spread or first two principal components [1]_.
    min_detected
        Share of samples above LOD below which a protein is flagged.
    floor_share
        Share of a protein's values at its lowest value from which on that value is taken for a floor.
    plate_share
        Share of proteins with a plate (or run-order) effect at q < 0.05 above which the plates are flagged.

    References
    ----------
    .. [1] Iglewicz and Hoaglin, How to detect and handle outliers, ASQC Quality Press 1993: 3.5.
    """

    outlier_z: float = 3.5
    min_detected: float = 0.5
    floor_share: float = 0.05
    plate_share: float = 0.1

    def __post_init__(self) -> None:
        if not self.outlier_z > 0:
            raise ValueError(f"outlier_z is {self.outlier_z}; it must be above 0")
        for name in ("min_detected", "floor_share", "plate_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0 and at most 1")


def robust_z(values: ArrayLike) -> NDArray[np.float64]:
    """Modified z: distance from the median in units of 1.4826 MAD; 0 where all values agree.

    Examples
    --------
    >>> robust_z([1.0, 2.0, 3.0, 50.0]).round(2).tolist()
    [-1.01, -0.34, 0.34, 32.04]
    """
    array = np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    if not finite.size:
        return np.full(array.shape, np.nan)
    centre = np.median(finite)
    scale = 1.4826 * np.median(np.abs(finite - centre))
    if scale == 0:
        away = np.where(array > centre, np.inf, np.where(array < centre, -np.inf, 0.0))
        return np.where(np.isfinite(array), away, np.nan)
    z: NDArray[np.float64] = (array - centre) / scale
    return z


def sample_quality(ds: xr.Dataset, *, options: QualityOptions | None = None) -> pd.DataFrame:
    """Level and spread of every subject's sample against the others.

    Each protein is centred on its own median over the samples, so that proteins of high and low level count alike;
    a sample's ``median`` and ``iqr`` are those of its centred values. ``pc1, pc2`` come from the proteins that are
    measured in all samples and vary, each scaled to SD 1.

    Returns
    -------
    DataFrame
        ``sample, plate, n_measured, detected_share, median, iqr, median_z, iqr_z, pc1, pc2, pc_z, qc_warnings,
        outlier``; ``qc_warnings`` counts the vendor's marked cells.
    """
    import pandas as pd

    options = options or QualityOptions()
    ds = subject_samples(ds)
    values = ds["abundance"].values
    centred = values - pd.DataFrame(values).median(axis=0).to_numpy()
    quartiles = np.array([_quartiles(row) for row in centred]).reshape(-1, 3)
    median, iqr = quartiles[:, 1], quartiles[:, 2] - quartiles[:, 0]
    scores = _principal_components(values)
    pc_z = np.abs(np.column_stack([robust_z(scores[:, k]) for k in range(2)])).max(axis=1, initial=0.0)
    median_z = robust_z(median)
    with np.errstate(divide="ignore"):
        iqr_z = robust_z(np.log2(iqr))
    measured = np.isfinite(values)
    table = pd.DataFrame(
        {
            "sample": ds["sample"].values,
            "plate": ds["plate"].values,
            "n_measured": measured.sum(axis=1),
            "detected_share": (measured & ~ds["below_lod"].values).mean(axis=1),
            "median": median,
            "iqr": iqr,
            "median_z": median_z,
            "iqr_z": iqr_z,
            "pc1": scores[:, 0],
            "pc2": scores[:, 1],
            "pc_z": pc_z,
            "qc_warnings": (ds["quality"].values & (FLAGS["qc_warning"] | FLAGS["qc_fail"]) > 0).sum(axis=1),
        }
    )
    far = {"median": np.abs(median_z), "iqr": np.abs(iqr_z), "pc": pc_z}
    table["outlier"] = [
        ", ".join(name for name, z in far.items() if z[at] > options.outlier_z) for at in range(len(table))
    ]
    return table


def _quartiles(row: NDArray[np.float64]) -> tuple[float, float, float]:
    row = row[np.isfinite(row)]
    if not row.size:
        return np.nan, np.nan, np.nan
    low, middle, high = np.percentile(row, [25, 50, 75])
    return float(low), float(middle), float(high)


def _principal_components(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_samples, 2) scores; NaN where fewer than 2 proteins or 3 samples allow none."""
    complete = np.isfinite(values).all(axis=0)
    matrix = values[:, complete]
    if matrix.shape[0] >= 3:
        matrix = matrix[:, matrix.std(axis=0) > 1e-12]
    if matrix.shape[0] < 3 or matrix.shape[1] < 2:
        return np.full((values.shape[0], 2), np.nan)
    scaled = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0, ddof=1)
    left, size, right = np.linalg.svd(scaled, full_matrices=False)
    # The sign of a component is arbitrary; the largest loading is made positive so that runs agree.
    sign = np.sign(right[np.arange(2), np.abs(right[:2]).argmax(axis=1)])
    scores: NDArray[np.float64] = left[:, :2] * size[:2] * sign
    return scores


def floor_share(ds: xr.Dataset) -> NDArray[np.float64]:
    """(n_proteins,) share of the subjects' values that equal the protein's lowest value and are not marked below LOD.

    A value that occurs once or twice is no floor: the share is then 0.
    """
    ds = subject_samples(ds)
    values = np.where(ds["below_lod"].values, np.nan, ds["abundance"].values)
    share = np.zeros(values.shape[1])
    for at, column in enumerate(values.T):
        finite = column[np.isfinite(column)]
        low = int((finite == finite.min()).sum()) if finite.size else 0
        share[at] = low / finite.size if low >= 3 else 0.0
    return share


def protein_quality(ds: xr.Dataset, *, options: QualityOptions | None = None) -> pd.DataFrame:
    """Detection, floor and flags of every protein.

    Returns
    -------
    DataFrame
        ``protein, symbol, panel, n_measured, n_below_lod, detected_share, lod_known, floor_share, n_flagged,
        few_detected, floor``.
    """
    import pandas as pd

    options = options or QualityOptions()
    known = has_lod(ds)
    ds = subject_samples(ds)
    share, floors = detected_share(ds), floor_share(ds)
    return pd.DataFrame(
        {
            "protein": ds["protein"].values,
            "symbol": ds["symbol"].values,
            "panel": ds["panel"].values,
            "n_measured": np.isfinite(ds["abundance"].values).sum(axis=0),
            "n_below_lod": ds["below_lod"].values.sum(axis=0),
            "detected_share": share,
            "lod_known": known,
            "floor_share": floors,
            "n_flagged": (ds["quality"].values > 0).sum(axis=0),
            "few_detected": share < options.min_detected,
            "floor": floors >= options.floor_share,
        }
    )


def plate_detection(ds: xr.Dataset) -> pd.DataFrame:
    """Share of subjects' samples above LOD for each protein and plate: ``protein, plate, n, detected_share``."""
    import pandas as pd

    ds = subject_samples(ds)
    above = np.isfinite(ds["abundance"].values) & ~ds["below_lod"].values
    plates = ds["plate"].values.astype(str)
    tables = [
        pd.DataFrame(
            {
                "protein": ds["protein"].values,
                "plate": plate,
                "n": int((plates == plate).sum()),
                "detected_share": above[plates == plate].mean(axis=0),
            }
        )
        for plate in sorted(set(plates))
    ]
    columns = ["protein", "plate", "n", "detected_share"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def plate_effects(ds: xr.Dataset) -> pd.DataFrame:
    """One-way analysis of variance of every protein over plates.

    Returns
    -------
    DataFrame
        ``protein, n, n_plates, eta2, f, p, q``: share of variance between plates, F test, Benjamini-Hochberg q. Empty
        where fewer than two plates have two samples.
    """
    import pandas as pd
    from scipy import stats

    ds = subject_samples(ds)
    plates = ds["plate"].values.astype(str)
    rows = []
    for name, column in zip(ds["protein"].values, ds["abundance"].values.T, strict=True):
        groups = [column[(plates == plate) & np.isfinite(column)] for plate in sorted(set(plates))]
        groups = [group for group in groups if group.size >= 2]
        if len(groups) < 2 or all(np.ptp(group) == 0 for group in groups):
            continue
        joined = np.concatenate(groups)
        between = sum(group.size * (group.mean() - joined.mean()) ** 2 for group in groups)
        total = ((joined - joined.mean()) ** 2).sum()
        df1, df2 = len(groups) - 1, joined.size - len(groups)
        f = (between / df1) / max((total - between) / df2, np.finfo(float).tiny)
        rows.append((name, joined.size, len(groups), between / total, f, float(stats.f.sf(f, df1, df2))))
    return _with_q(pd.DataFrame(rows, columns=["protein", "n", "n_plates", "eta2", "f", "p"]))


def order_effects(ds: xr.Dataset, order: ArrayLike) -> pd.DataFrame:
    """Spearman correlation of every protein with the order in which the samples were run.

    Parameters
    ----------
    ds
        An abundance Dataset.
    order
        Position of each row of ``ds`` in the run; NaN where it is not known.

    Returns
    -------
    DataFrame
        ``protein, n, rho, p, q``.
    """
    import pandas as pd
    from scipy import stats

    keep = ds["sample_type"].values == "sample"
    position = np.asarray(order, dtype=float)[keep]
    rows = []
    for name, column in zip(ds["protein"].values, ds["abundance"].values[keep].T, strict=True):
        both = np.isfinite(column) & np.isfinite(position)
        if both.sum() < 4 or np.ptp(column[both]) == 0 or np.ptp(position[both]) == 0:
            continue
        rho, p = stats.spearmanr(column[both], position[both])
        rows.append((name, int(both.sum()), float(rho), float(p)))
    return _with_q(pd.DataFrame(rows, columns=["protein", "n", "rho", "p"]))


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    from scipy import stats

    q = stats.false_discovery_control(table["p"]) if len(table) else []
    return table.assign(q=q)
