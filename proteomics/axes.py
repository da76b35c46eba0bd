"""Immune axis scores: which proteins of a panel carry Th2, Th1 ..., and the mean z of those that are detected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from proteomics.abundance import detected_share, has_lod, subject_samples
from proteomics.orthologues import data_rows, name_key, resolve_name

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
]

#: Per sample: mean z of Th2 minus mean z of Th1.
SKEW = "th2_skew"

#: Further scores: an axis without some of its members, and why they are left out.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    # Platelets and late spinning release these as well.
    "vascular_without_preanalytical": ("vascular", ("PECAM1", "SELP", "VWF", "SIRT2", "STAMBP")),
    # An antibody against IL-4R alpha raises circulating IL-4 and IL-13 and masks soluble IL4R.
    "Th2_without_il4ra_targets": ("Th2", ("IL4", "IL13", "IL4R")),
}

#: Heterodimers are read as the subunit that no other cytokine shares.
_DIMERS = {
    frozenset({"IL12A", "IL12B"}): "IL12A",
    frozenset({"IL23A", "IL12B"}): "IL23A",
    frozenset({"EBI3", "IL27"}): "EBI3",
}
_MIN_SHARE = 0.5
#: Fewest detected core members of a score.
MIN_MEMBERS = 3


@dataclass(frozen=True)
class AxisMember:
    """A protein of an axis, in one species.

    Parameters
    ----------
    axis, role
        ``"core"`` members make the score; ``"extended"`` ones are listed.
    human_symbol
        Names the member in both species.
    symbol, uniprot
        In the species asked for; blank where there is no usable orthologue or no reviewed entry.
    direction
        +1 or -1: the sign with which it enters.
    note
        What to mind.
    """

    axis: str
    role: str
    human_symbol: str
    symbol: str
    uniprot: str
    direction: int
    note: str


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
    """

    table: pd.DataFrame
    members: pd.DataFrame
    problems: list[Problem]


@cache
def axis_members(species: str) -> tuple[AxisMember, ...]:
    """All members of all axes in the species' own symbols.

    Examples
    --------
    >>> [m.symbol for m in axis_members("mouse") if m.axis == "Th2" and m.role == "core"][:3]
    ['Il13', 'Ccl11', '']
    """
    if species not in ("mouse", "human"):
        raise ValueError(f"species is {species!r}; expected 'mouse' or 'human'")
    return tuple(
        AxisMember(
            row["axis"],
            row["role"],
            row["human_symbol"],
            row[f"{species}_symbol"],
            row[f"{species}_uniprot"],
            int(row["direction"]),
            row["note"],
        )
        for row in data_rows("axes.tsv")
    )


def axis_names() -> list[str]:
    """Axes in the order of the table, without variants."""
    return list(dict.fromkeys(member.axis for member in axis_members("human")))


@dataclass(frozen=True)
class _Assay:
    """What identifies one assay of a panel."""

    index: int
    uniprots: frozenset[str]
    symbol: str


def _assays(ds: xr.Dataset, species: str) -> list[_Assay]:
    found = []
    columns = zip(ds["protein"].values, ds["symbol"].values, ds["uniprot"].values, strict=True)
    for index, (protein, symbol, uniprot) in enumerate(columns):
        ids = frozenset(part.split("-")[0] for part in _id_parts(uniprot))
        found.append(_Assay(index, ids, _symbol(str(symbol) or str(protein), species)))
    return found


def _id_parts(text: str) -> list[str]:
    return [part for part in str(text).replace(",", " ").replace(";", " ").replace("_", " ").split() if part]


def _symbol(name: str, species: str) -> str:
    # A name that may mean two proteins stays marked; one that the table does not know stays as it is.
    resolved = resolve_name(name, species)
    if resolved.symbol:
        return resolved.symbol
    return name if "not in the table" in resolved.reason else f"? {resolved.reason}"


def _find(member: AxisMember, assays: Sequence[_Assay], species: str) -> tuple[list[int], str]:
    """Assays that measure the member, or why none does."""
    if not member.symbol:
        return [], "no orthologue"
    if member.uniprot:
        by_id = [assay.index for assay in assays if _id_of(assay.uniprots, species) == member.uniprot]
        if by_id:
            return by_id, ""
    by_name = [assay for assay in assays if assay.symbol == member.symbol]
    without_id = [assay.index for assay in by_name if not assay.uniprots or not member.uniprot]
    if without_id:
        return without_id, ""
    if by_name:
        ids = ", ".join(sorted(by_name[0].uniprots))
        return [], f"ambiguous: the symbol fits, but its UniProt id {ids} is not {member.uniprot}"
    refused = [assay.symbol[2:] for assay in assays if assay.symbol.startswith("? ") and _may_be(assay.symbol, member)]
    return [], f"ambiguous: {refused[0]}" if refused else "not on panel"


def _id_of(uniprots: frozenset[str], species: str) -> str:
    if len(uniprots) == 1:
        return next(iter(uniprots))
    return _dimer_ids(species).get(uniprots, "")


@cache
def _dimer_ids(species: str) -> dict[frozenset[str], str]:
    ids = {member.human_symbol: member.uniprot for member in axis_members(species)}
    # IL-27's own subunit is in no axis.
    ids["IL27"] = {"human": "Q8NEV9", "mouse": "Q8K3I6"}[species]
    return {frozenset(ids[each] for each in dimer): ids[read_as] for dimer, read_as in _DIMERS.items()}


def _may_be(refusal: str, member: AxisMember) -> bool:
    name = refusal.split("'")[1] if "'" in refusal else ""
    key, own = name_key(name), name_key(member.symbol)
    return bool(key) and (
        own.startswith(key) or f"may be {member.symbol}" in refusal or f"or {member.symbol}" in refusal
    )


def panel_coverage(panel: xr.Dataset | Iterable[str], species: str) -> pd.DataFrame:
    """Which members of each axis a panel can measure.

    Parameters
    ----------
    panel
        An abundance Dataset, or names of assays.
    species
        ``"mouse"`` or ``"human"``.

    Returns
    -------
    DataFrame
        ``axis, role, symbol, protein, status, note``; status ``on panel``, ``not on panel``, ``no orthologue`` or
        ``ambiguous``.

    Examples
    --------
    >>> table = panel_coverage(["IL-4", "IL-5", "KC", "Eotaxin"], "mouse")
    >>> table.query("axis == 'Th2' and status == 'on panel'").symbol.tolist()
    ['Ccl11', 'Il4', 'Il5']
    """
    import pandas as pd
    import xarray as xr

    if isinstance(panel, xr.Dataset):
        names = [str(name) for name in panel["protein"].values]
        assays = _assays(panel, species)
    else:
        names = [str(name) for name in panel]
        assays = [_Assay(at, frozenset(), _symbol(name, species)) for at, name in enumerate(names)]
    rows = []
    for member in axis_members(species):
        found, why = _find(member, assays, species)
        protein = ", ".join(names[at] for at in found)
        status, _, detail = (why or "on panel").partition(": ")
        rows.append(
            (member.axis, member.role, member.symbol or member.human_symbol, protein, status, detail or member.note)
        )
    return pd.DataFrame(rows, columns=["axis", "role", "symbol", "protein", "status", "note"])


def axis_scores(
    ds: xr.Dataset,
    *,
    species: str,
    reference: ArrayLike | Sequence[str],
    axes: Sequence[str] | None = None,
    min_members: int = MIN_MEMBERS,
    min_share: float = _MIN_SHARE,
) -> AxisScores:
    """Mean z of the detected core members of each axis, for each subject's sample.

    A member is detected when it lies above LOD in at least half of the subjects' samples, all groups pooled; in a
    table without LOD all measured values count. Each member is centred and scaled by mean and SD (n - 1) of the
    reference samples, taken with its direction, and averaged. A missing value leaves its member out of that sample.
    Fewer than ``min_members`` give NaN with the reason. Where several assays measure a member, the one detected most
    often is used, the first of equals. ``th2_skew`` is Th2 minus Th1 on the same reference samples.

    Parameters
    ----------
    ds
        An abundance Dataset; rows that are no subjects' samples are left out.
    species
        ``"mouse"`` or ``"human"``.
    reference
        Sample ids of the reference group (controls), or a bool for each sample of ``ds``.
    axes
        Names of axes, of :data:`VARIANTS`, or :data:`SKEW`; default all.
    min_members, min_share
        Least number of detected members, and the share of samples that makes a member detected.

    Raises
    ------
    RefusedError
        If fewer than two reference samples are in the table.
    ValueError
        If an axis is unknown.

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

    names = _requested(axes)
    inside = _reference_mask(ds, reference)
    keep = ds["sample_type"].values == "sample"
    inside, ds = inside[keep], subject_samples(ds)
    if int(inside.sum()) < 2:
        raise RefusedError(
            "axis scores need a reference group",
            found=f"{int(inside.sum())} reference samples in the table",
            expected="at least 2",
        )
    z, spread = _z_scores(ds["abundance"].values, inside)
    share = detected_share(ds)
    assays = _assays(ds, species)
    problems = _lod_problem(ds)
    rows: list[tuple[str, str, float, int, str]] = []
    member_rows: list[tuple[str, ...]] = []
    done: dict[str, tuple[NDArray[np.float64], NDArray[np.int64], str]] = {}
    for name in names:
        if name == SKEW:
            continue
        members = _members_of(name, species)
        used, table = _choose(name, members, assays, ds, share, spread, min_share, species)
        member_rows += table
        done[name] = _mean_z(z, used, min_members, name, table)
        if len(used) < min_members:
            problems.append(
                Problem(code="axis_refused", where=f"axis {name}", message=done[name][2], action="score is NaN")
            )
    if SKEW in names:
        done[SKEW] = _skew(done)
    for name in names:
        score, count, note = done[name]
        for at, sample in enumerate(ds["sample"].values):
            why = note or (
                "" if np.isfinite(score[at]) else f"fewer than {min_members} members measured in this sample"
            )
            rows.append((str(sample), name, float(score[at]), int(count[at]), why))
    return AxisScores(
        pd.DataFrame(rows, columns=["sample", "axis", "score", "n_members", "note"]),
        pd.DataFrame(
            member_rows, columns=["axis", "role", "symbol", "protein", "status", "detected_share", "note"]
        ).astype({"detected_share": float}),
        problems,
    )


def _requested(axes: Sequence[str] | None) -> list[str]:
    known = [*axis_names(), *VARIANTS, SKEW]
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


def _reference_mask(ds: xr.Dataset, reference: ArrayLike | Sequence[str]) -> NDArray[np.bool_]:
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


def _z_scores(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
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


def _members_of(name: str, species: str) -> list[AxisMember]:
    axis, without = VARIANTS.get(name, (name, ()))
    return [each for each in axis_members(species) if each.axis == axis and each.human_symbol not in without]


def _choose(
    axis: str,
    members: Sequence[AxisMember],
    assays: Sequence[_Assay],
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
        found, why = _find(member, assays, species)
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


def _mean_z(
    z: NDArray[np.float64],
    used: Sequence[tuple[int, int]],
    min_members: int,
    axis: str,
    rows: Sequence[tuple[str, ...]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], str]:
    columns = z[:, [at for at, _ in used]] * np.array([sign for _, sign in used], dtype=float)
    count = np.isfinite(columns).sum(axis=1)
    total = np.nansum(columns, axis=1)
    score = np.where(count >= max(min_members, 1), total / np.maximum(count, 1), np.nan)
    if len(used) >= min_members:
        return score, count, ""
    carried = ", ".join(row[2] for row in rows if row[4] == "used") or "none"
    missing = "; ".join(
        f"{row[2]} {row[4]}" for row in rows if row[1] == "core" and row[4] not in ("used", "other assay")
    )
    note = f"{len(used)} detected member(s) of {axis} ({carried}), at least {min_members} needed; {missing}"
    return np.full(len(score), np.nan), count, note


def _skew(
    done: dict[str, tuple[NDArray[np.float64], NDArray[np.int64], str]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], str]:
    (th2, n_th2, why2), (th1, n_th1, why1) = done["Th2"], done["Th1"]
    return th2 - th1, n_th2 + n_th1, "; ".join(why for why in (why2, why1) if why)
