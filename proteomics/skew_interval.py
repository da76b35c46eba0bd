"""Th2 skew with its 95 % interval: of each sample, and of each group, against the population of the reference group.

The skew is mean z of Th2 minus mean z of Th1; z is taken against the mean and SD of the reference samples, which are
themselves estimates. The interval counts all that is uncertain: the spread of the skew within the group, the mean of
the reference, and its SDs, whose error grows with the skew itself.

For group g, with n_g samples, member weights w (1/k of each Th2 member, -1/k of each Th1 member, times its direction)
and group means d of the members' z::

    variance = s_g^2 / n_g + s_0^2 / n_0 + a' (R * R) a / (2 (n_0 - 1)),   a = w * d

s are SDs of the skew in group and reference, R the correlation of the members in the reference: cov(log SD_i, log SD_j)
is R_ij^2 / (2 (n_0 - 1)) for normal values. The interval is t with Satterthwaite's degrees of freedom. A single sample
has no first term: its interval is that of where this sample lies, not of where its next bleed would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proteomics.axes import AxisScores, z_scores
from proteomics.axis_table import SKEW, axis_members

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["group_skew", "sample_skew"]

_SIDES = {"Th2": 1.0, "Th1": -1.0}


def group_skew(
    ds: xr.Dataset, scores: AxisScores, *, species: str, reference: Sequence[str], group: pd.Series[Any]
) -> pd.DataFrame:
    """Mean skew of each group with its interval.

    Parameters
    ----------
    ds
        The abundance Dataset that was scored.
    scores
        From :func:`proteomics.axes.axis_scores` by mean z, with Th2, Th1 and th2_skew.
    species
        As for the scores.
    reference
        Sample ids of the reference group.
    group
        Labels by sample id; samples without a label are in no group.

    Returns
    -------
    DataFrame
        ``group, n, n_reference, th2_skew, low, high, note``; NaN with the reason where a group has fewer than two
        samples with a skew, or the axes were refused. The reference group itself is 0 by definition and not listed.

    Notes
    -----
    Coverage is simulated in docs/validation/axis-skew.md.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> from proteomics.axes import axis_scores
    >>> rng = np.random.default_rng(1)
    >>> names = ["Il4", "Il5", "Il13", "Ifng", "Cxcl9", "Tnf"]
    >>> table = pd.DataFrame(rng.normal(size=(20, 6)), columns=names, index=[f"m{k}" for k in range(20)])
    >>> table.iloc[10:, :3] += 2
    >>> ds = from_frame(table, platform="beads", species="mouse", unit="log2 pg/mL")
    >>> controls = table.index[:10].tolist()
    >>> scores = axis_scores(ds, species="mouse", reference=controls, axes=["th2_skew"])
    >>> group = pd.Series(["CON"] * 10 + ["SUS"] * 10, index=table.index)
    >>> row = group_skew(ds, scores, species="mouse", reference=controls, group=group).iloc[0]
    >>> row["group"], bool(row["low"] < 2 < row["high"]), bool(row["low"] > 0)
    ('SUS', True, True)
    """
    import pandas as pd

    parts = _Parts(ds, scores, species, reference)
    group = group.set_axis(group.index.astype(str)).reindex(parts.samples).astype(object)
    labels = [str(label) for label in pd.unique(group) if label == label and str(label).strip()]
    inside = set(map(str, reference))
    rows = []
    for label in labels:
        chosen = (group == label).to_numpy()
        if set(np.array(parts.samples)[chosen]) <= inside:
            continue
        known = chosen & np.isfinite(parts.skew)
        n, note = int(known.sum()), parts.refused
        if not note and n < 2:
            note = f"{n} samples with a skew, at least 2 needed"
        estimate = low = high = np.nan
        if not note:
            estimate = float(parts.skew[known].mean())
            own = float(parts.skew[known].var(ddof=1)) / n
            low, high = parts.interval(estimate, _known_mean(parts.z[known]), own=own, own_df=n - 1)
        rows.append((label, n, parts.n_reference, estimate, low, high, note))
    return pd.DataFrame(rows, columns=["group", "n", "n_reference", "th2_skew", "low", "high", "note"])


def sample_skew(ds: xr.Dataset, scores: AxisScores, *, species: str, reference: Sequence[str]) -> pd.DataFrame:
    """Skew of each sample with the interval that the uncertain reference gives it.

    Parameters
    ----------
    ds, scores, species, reference
        As in :func:`group_skew`.

    Returns
    -------
    DataFrame
        ``sample, th2_skew, low, high``. A sample of the reference group is part of what it is compared with; its
        interval does not allow for that.
    """
    import pandas as pd

    parts = _Parts(ds, scores, species, reference)
    known = np.isfinite(parts.skew) & (not parts.refused)
    bounds = np.full((len(known), 2), np.nan)
    for row in np.flatnonzero(known):
        bounds[row] = parts.interval(float(parts.skew[row]), parts.z[row], own=0.0, own_df=1)
    return pd.DataFrame({"sample": parts.samples, "th2_skew": parts.skew, "low": bounds[:, 0], "high": bounds[:, 1]})


def _known_mean(z: NDArray[np.float64]) -> NDArray[np.float64]:
    count = np.isfinite(z).sum(axis=0)
    return np.asarray(np.where(count > 0, np.nansum(z, axis=0) / np.maximum(count, 1), np.nan))


class _Parts:
    """The members that carry the skew, their z and weights, and how the reference samples vary."""

    def __init__(self, ds: xr.Dataset, scores: AxisScores, species: str, reference: Sequence[str]) -> None:
        table = scores.table[scores.table["axis"] == SKEW]
        if table.empty:
            raise ValueError(f"the scores hold no {SKEW}")
        self.samples = table["sample"].tolist()
        self.skew = table["score"].to_numpy(dtype=float)
        notes = scores.table[scores.table["axis"].isin(_SIDES) & scores.table["note"].str.contains("detected member")]
        self.refused = "; ".join(dict.fromkeys(notes["note"]))
        used = scores.members[(scores.members["status"] == "used") & scores.members["axis"].isin(_SIDES)]
        directions = {(each.axis, each.symbol): each.direction for each in axis_members(species)}
        counts = used["axis"].value_counts()
        self.weight = np.array([
            _SIDES[axis] * directions[axis, symbol] / counts[axis]
            for axis, symbol in zip(used["axis"], used["symbol"], strict=True)
        ])  # fmt: skip
        part = ds.sel(sample=np.array(self.samples, dtype=object), protein=used["protein"].to_numpy(dtype=object))
        inside = np.isin(np.array(self.samples, dtype=str), np.array(list(reference), dtype=str))
        self.z, _ = z_scores(part["abundance"].values, inside)
        known = self.skew[inside & np.isfinite(self.skew)]
        self.n_reference = int(known.size)
        if not self.refused and known.size < 3:
            self.refused = f"{known.size} reference samples with a skew, at least 3 needed for an interval"
        self.reference_variance = float(known.var(ddof=1)) / known.size if known.size > 1 else np.nan
        self.squared = np.zeros((0, 0)) if self.refused else _correlation(self.z[inside]) ** 2

    def interval(self, skew: float, z: NDArray[np.float64], *, own: float, own_df: int) -> tuple[float, float]:
        """Ends of the interval around a skew whose members have these z."""
        from scipy.stats import t as student

        n = self.n_reference
        # A member that is not measured carries no weight here, the others of its axis more.
        weight = self.weight.copy()
        for sign in (1.0, -1.0):
            side, measured = np.sign(self.weight) == sign, np.isfinite(z)
            weight[side & ~measured] = 0.0
            weight[side & measured] *= side.sum() / max(int((side & measured).sum()), 1)
        a = weight * np.nan_to_num(z)
        terms = np.array([own, self.reference_variance, max(float(a @ self.squared @ a), 0.0) / (2 * (n - 1))])
        total = float(terms.sum())
        if total == 0:
            return skew, skew
        df = total**2 / float((terms**2 / np.array([own_df, n - 1, n - 1])).sum())
        half = float(student.ppf(0.975, df)) * np.sqrt(total)
        return skew - half, skew + half


def _correlation(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of the members, each pair over the samples that have both; 0 where that cannot be told."""
    import pandas as pd

    found: NDArray[np.float64] = np.nan_to_num(pd.DataFrame(z).corr(min_periods=3).to_numpy(copy=True))
    np.fill_diagonal(found, 1.0)
    return found
