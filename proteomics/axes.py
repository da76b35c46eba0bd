"""Immune axis scores: one number for Th2, Th1 ... in each sample, from the members that are detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from proteomics.abundance import detected_share, has_lod, subject_samples
from proteomics.axis_panel import Assay, assays_of, find_member, panel_coverage
from proteomics.axis_table import SKEW, VARIANTS, AxisMember, axis_members, axis_names, members_of
from proteomics.set_scores import METHODS, Levels, SetScore

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MIN_MEMBERS",
    "SKEW",
    "VARIANTS",
    "AxisMember",
    "AxisScores",
    "axis_members",
    "axis_names",
    "axis_scores",
    "panel_coverage",
    "z_scores",
]

_MIN_SHARE = 0.5
#: Fewest detected core members of a score.
MIN_MEMBERS = 3


@dataclass(frozen=True)
class AxisScores:
    """Scores and what carried them.

    Parameters
    ----------
    table
        ``sample, axis, score, n_members, note``; score NaN with the reason in ``note``.
    members
        ``axis, role, symbol, protein, status, detected_share, note``; status is ``used``, ``not on panel``,
        ``not detected``, ``no orthologue``, ``ambiguous``, ``no spread``, ``extended`` or ``other assay``.
    problems
        Refused axes and what else needs care.
    variance_share
        Axis to share of its members' variance in the first principal component; of method ``pc1`` only.
    """

    table: pd.DataFrame
    members: pd.DataFrame
    problems: list[Problem]
    variance_share: Mapping[str, float] = field(default_factory=dict)


def axis_scores(
    ds: xr.Dataset,
    *,
    species: str,
    reference: ArrayLike | Sequence[str] | None,
    axes: Sequence[str] | None = None,
    method: str = "mean-z",
    min_members: int = MIN_MEMBERS,
    min_share: float = _MIN_SHARE,
) -> AxisScores:
    """Score of the detected core members of each axis, for each subject's sample.

    A member is detected when it lies above LOD in at least half of the subjects' samples, all groups pooled; in a
    table without LOD all measured values count. For mean z each member is centred and scaled by mean and SD (n - 1) of
    the reference samples, taken with its direction, and averaged; the other methods are described in
    :mod:`proteomics.set_scores`. A missing value leaves its member out of that sample. Fewer than ``min_members`` give
    NaN with the reason, whatever the method. Where several assays measure a member, the one detected most often is
    used, the first of equals. ``th2_skew`` is mean z of Th2 minus mean z of Th1 on the same reference samples.

    Parameters
    ----------
    ds
        An abundance Dataset; rows that are no subjects' samples are left out.
    species
        ``"mouse"`` or ``"human"``.
    reference
        Sample ids of the reference group (controls), or a bool for each sample of ``ds``; None: all samples.
    axes
        Names of axes, of :data:`VARIANTS`, or :data:`SKEW`; default all.
    method
        One of :data:`proteomics.set_scores.METHODS`.
    min_members, min_share
        Least number of detected members, and the share of samples that makes a member detected.

    Raises
    ------
    RefusedError
        If fewer than two reference samples are in the table.
    ValueError
        If an axis or the method is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> table = pd.DataFrame({"Il4": [0., 2, 3], "Il5": [0., 2, 3], "Il13": [0., 2, 3]}, index=["c1", "c2", "d1"])
    >>> ds = from_frame(table, platform="beads", species="mouse", unit="log2 pg/mL")
    >>> scores = axis_scores(ds, species="mouse", reference=["c1", "c2"], axes=["Th2"])
    >>> scores.table["score"].round(3).tolist()
    [-0.707, 0.707, 1.414]
    """
    import pandas as pd

    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    names = _requested(axes, method)
    inside = _reference_mask(ds, reference)
    keep = ds["sample_type"].values == "sample"
    inside, ds = inside[keep], subject_samples(ds)
    if int(inside.sum()) < 2:
        raise RefusedError(
            "axis scores need a reference group",
            found=f"{int(inside.sum())} reference samples in the table",
            expected="at least 2",
        )
    values = ds["abundance"].values
    z, spread = z_scores(values, inside)
    levels = Levels(values=values, z=z)
    share = detected_share(ds)
    assays = assays_of(ds, species)
    problems = _lod_problem(ds)
    member_rows: list[tuple[str, ...]] = []
    done: dict[str, _Scored] = {}
    for name in (each for each in names if each != SKEW):
        used, rows = _choose(name, members_of(name, species), assays, ds, share, spread, min_share, species)
        member_rows += rows
        done[name] = _scored(levels, used, method, min_members, name, rows)
        if done[name].refused:
            problems.append(
                Problem(code="axis_refused", where=f"axis {name}", message=done[name].refused, action="score is NaN")
            )
    if SKEW in names:
        done[SKEW] = _skew(done["Th2"], done["Th1"])
    table = pd.DataFrame(
        [row for name in names for row in done[name].rows(name, ds["sample"].values, min_members)],
        columns=["sample", "axis", "score", "n_members", "note"],
    )
    members = pd.DataFrame(
        member_rows, columns=["axis", "role", "symbol", "protein", "status", "detected_share", "note"]
    ).astype({"detected_share": float})
    shares = {name: each.variance_share for name, each in done.items() if np.isfinite(each.variance_share)}
    return AxisScores(table, members, problems, shares)


def _requested(axes: Sequence[str] | None, method: str) -> list[str]:
    skew = METHODS[method].skew
    known = [*axis_names(), *VARIANTS, *([SKEW] if skew else [])]
    if axes is not None and SKEW in axes and not skew:
        raise ValueError(f"{SKEW} is defined by mean z, not by {method}")
    if axes is None:
        return known
    unknown = [name for name in axes if name not in known]
    if unknown:
        raise ValueError(f"unknown axis {', '.join(unknown)}; known: {', '.join(known)}")
    names = list(dict.fromkeys(axes))
    if SKEW in names:
        # The skew is made of these two; they are scored and shown with it.
        at = names.index(SKEW)
        names[at:at] = [name for name in ("Th2", "Th1") if name not in names]
    return names


def _reference_mask(ds: xr.Dataset, reference: ArrayLike | Sequence[str] | None) -> NDArray[np.bool_]:
    if reference is None:
        return np.ones(ds.sizes["sample"], dtype=bool)
    given = np.asarray(reference)
    if given.dtype == bool:
        if given.shape != (ds.sizes["sample"],):
            raise ValueError(f"reference has {given.size} entries for {ds.sizes['sample']} samples")
        return given
    wanted = [str(name) for name in given.ravel()]
    samples = ds["sample"].values.astype(str)
    missing = sorted(set(wanted) - set(samples))
    if missing:
        raise ValueError(f"reference samples that are not in the table: {', '.join(missing[:5])}")
    mask: NDArray[np.bool_] = np.isin(samples, wanted)
    return mask


def _lod_problem(ds: xr.Dataset) -> list[Problem]:
    unknown = ~has_lod(ds)
    if not unknown.any():
        return []
    what = "the table has no LOD" if unknown.all() else f"{int(unknown.sum())} of {unknown.size} proteins have no LOD"
    file = str(ds.attrs.get("source_file", ""))
    return [Problem(code="lod_unknown", file=file, message=what, action="their measured values all count as detected")]


def z_scores(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """z of every cell against the reference samples, and which proteins have a spread there."""
    reference = values[inside]
    count = np.isfinite(reference).sum(axis=0)
    enough = count >= 2
    mean = np.where(enough, np.nansum(reference, axis=0) / np.maximum(count, 1), np.nan)
    ss = np.nansum((reference - mean) ** 2, axis=0)
    sd = np.where(enough, np.sqrt(ss / np.maximum(count - 1, 1)), np.nan)
    # A spread of rounding errors only is none.
    spread = enough & (sd > 1e-9 * np.maximum(1.0, np.abs(np.where(enough, mean, 0.0))))
    return (values - mean) / np.where(spread, sd, np.nan), spread


def _choose(
    axis: str,
    members: Sequence[AxisMember],
    assays: Sequence[Assay],
    ds: xr.Dataset,
    share: NDArray[np.float64],
    spread: NDArray[np.bool_],
    min_share: float,
    species: str,
) -> tuple[list[tuple[int, int]], list[tuple[str, ...]]]:
    """(assay, direction) of the members that carry the axis, and the rows of the members table."""
    used: list[tuple[int, int]] = []
    rows: list[tuple[str, ...]] = []
    names = ds["protein"].values
    for member in members:
        found, why = find_member(member, assays, species)
        label = member.symbol or member.human_symbol
        if not found:
            status, _, detail = why.partition(": ")
            rows.append((axis, member.role, label, "", status, "nan", detail or member.note))
            continue
        best = max(found, key=lambda at: (share[at], -at))
        for at in found:
            if at != best:
                status, detail = "other assay", "another assay of the same protein is detected at least as often"
            elif member.role != "core":
                status, detail = "extended", "listed, not part of the default score"
            elif not share[at] >= min_share:
                status, detail = (
                    "not detected",
                    f"above LOD in {share[at]:.0%} of the samples, at least {min_share:.0%} needed",
                )
            elif not spread[at]:
                status, detail = "no spread", "all reference samples have the same value, or fewer than two have one"
            else:
                status, detail = "used", member.note
                used.append((at, member.direction))
            rows.append((axis, member.role, label, str(names[at]), status, str(share[at]), detail))
    return used, rows


@dataclass(frozen=True)
class _Scored:
    """Scores of one axis; ``refused`` says why it has none in any sample."""

    score: NDArray[np.float64]
    count: NDArray[np.int64]
    refused: str
    reason: str = ""
    variance_share: float = float("nan")

    def rows(self, name: str, samples: NDArray[np.object_], min_members: int) -> list[tuple[str, str, float, int, str]]:
        found = []
        for sample, score, count in zip(samples, self.score, self.count, strict=True):
            few = "" if self.reason and count >= min_members else f"fewer than {min_members} members measured"
            why = self.refused or ("" if np.isfinite(score) else f"{few} in this sample" if few else self.reason)
            found.append((str(sample), name, float(score), int(count), why))
        return found


def _scored(
    levels: Levels,
    used: Sequence[tuple[int, int]],
    method: str,
    min_members: int,
    axis: str,
    rows: Sequence[tuple[str, ...]],
) -> _Scored:
    columns = np.array([at for at, _ in used], dtype=np.intp)
    count = np.isfinite(levels.z[:, columns]).sum(axis=1)
    if len(used) < min_members or not len(used):
        carried = ", ".join(row[2] for row in rows if row[4] == "used") or "none"
        missing = "; ".join(
            f"{row[2]} {row[4]}" for row in rows if row[1] == "core" and row[4] not in ("used", "other assay")
        )
        note = f"{len(used)} detected member(s) of {axis} ({carried}), at least {min_members} needed; {missing}"
        return _Scored(np.full(len(count), np.nan), count, note)
    signs = np.array([sign for _, sign in used], dtype=float)
    found: SetScore = METHODS[method].score(levels, columns, signs)
    score = np.where(found.count >= max(min_members, 1), found.score, np.nan)
    return _Scored(score, found.count, "", found.reason, found.variance_share)


def _skew(th2: _Scored, th1: _Scored) -> _Scored:
    refused = "; ".join(why for why in (th2.refused, th1.refused) if why)
    return _Scored(th2.score - th1.score, th2.count + th1.count, refused)
