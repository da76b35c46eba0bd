"""Signatures: a contrast's log2 fold changes with what is needed to compare them, from whichever table holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, RefusedError
from core.problems import Problem
from integration.contrast_maps import shared_null_correlation
from integration.signature_scores import SCORES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Signature", "axis_logfc", "build_signature", "signature_overlap", "signature_quadrants", "table_similarity"]

_COLUMNS = ("protein", "symbol", "uniprot", "logfc", "se", "t", "df", "p", "q", "average")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One contrast.

    Parameters
    ----------
    name
        What was compared (``"MDD - HC"``).
    table
        Index = symbol, each once; columns ``protein, uniprot, logfc, se, t, df, p, q, average``, NaN where the source
        does not give them.
    n_1, n_0
        Samples on either side; None = not known.
    samples_1, samples_0
        Their ids, where known, so that shared controls and patients are found.
    material
        What was measured, printed beside every result (``"skin RNA"``, ``"serum protein"``).
    species
        ``"human"`` or ``"mouse"``.
    problems
        Rows set aside.
    """

    name: str
    table: pd.DataFrame
    n_1: int | None = None
    n_0: int | None = None
    samples_1: frozenset[str] | None = None
    samples_0: frozenset[str] | None = None
    material: str = ""
    species: str = "human"
    problems: list[Problem] = field(default_factory=list)


def build_signature(
    table: pd.DataFrame,
    *,
    name: str,
    n_1: int | None = None,
    n_0: int | None = None,
    samples_1: Iterable[str] | None = None,
    samples_0: Iterable[str] | None = None,
    material: str = "",
    species: str = "human",
    file: str = "",
) -> Signature:
    """The one constructor of a signature.

    Rows without a log2 fold change are left out; of several rows with one symbol the one with the highest average
    stays (equal or unknown: the first). Both are counted in ``problems``.

    Parameters
    ----------
    table
        At least ``symbol`` and ``logfc``; any of the other columns of :class:`Signature`.
    name, n_1, n_0, samples_1, samples_0, material, species
        As in :class:`Signature`; numbers default to those of the ids, then to the largest in columns ``n_1``, ``n_0``.
    file
        Named in errors and problems.

    Raises
    ------
    InputError
        If there is no ``symbol`` or ``logfc``, or no row is left.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"symbol": ["IL4", "IL5"], "logfc": [1.0, -0.5]})
    >>> build_signature(table, name="MDD - HC").table["logfc"].to_dict()
    {'IL4': 1.0, 'IL5': -0.5}
    """
    for column in ("symbol", "logfc"):
        if column not in table:
            raise InputError(f"no column {column}", file=file or None, found=", ".join(map(str, table.columns)))
    full = table.reindex(columns=list(_COLUMNS))
    if "protein" not in table:
        full["protein"] = full["symbol"]
    ids = {"n_1": samples_1, "n_0": samples_0}
    sides = {key: None if given is None else frozenset(map(str, given)) for key, given in ids.items()}
    numbers = {"n_1": n_1, "n_0": n_0}
    for key, side in sides.items():
        if numbers[key] is None:
            numbers[key] = len(side) if side is not None else _largest(table, key)
    known = full["logfc"].notna() & full["symbol"].notna() & (full["symbol"].astype(str).str.strip() != "")
    kept = full[known].sort_values("average", ascending=False, kind="stable", na_position="last")
    once = kept[~kept["symbol"].duplicated()].sort_index()
    problems = [
        Problem(code=code, file=file, where=f"signature {name}", message=f"{count} rows {what}", action=action)
        for code, count, what, action in (
            ("no_result", int((~known).sum()), "have no symbol or no log2 fold change", "left out"),
            ("duplicate_sample", len(kept) - len(once), "repeat a symbol", "the row with the highest average stays"),
        )
        if count
    ]
    if once.empty:
        raise InputError("no row has a symbol and a log2 fold change", file=file or None, where=f"signature {name}")
    return Signature(
        name=name, table=once.set_index("symbol"), n_1=numbers["n_1"], n_0=numbers["n_0"],
        samples_1=sides["n_1"], samples_0=sides["n_0"], material=material, species=species, problems=problems,
    )  # fmt: skip


def _largest(table: pd.DataFrame, column: str) -> int | None:
    if column not in table or table[column].isna().all():
        return None
    return int(table[column].max())


def table_similarity(
    a: Signature, b: Signature, *, shared_controls: int | None = None, min_proteins: int = 10
) -> pd.DataFrame:
    """Similarity of two signatures of which only tables exist: it describes, and has no p.

    Parameters
    ----------
    a, b
        Signatures of one species.
    shared_controls
        Controls that are in both; by default counted from the sample ids. Where neither is known, there is no null
        line, and the note says so.
    min_proteins
        Least number of shared proteins.

    Returns
    -------
    DataFrame
        ``contrast_a, contrast_b, score, n_proteins, n_a, n_b, n_0, n_shared, observed, null_line, p, method, note``;
        ``p`` is NaN throughout: proteins move together, so they are no independent observations.

    Raises
    ------
    RefusedError
        If species differ or too few proteins are shared.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"symbol": [f"P{i}" for i in range(12)], "logfc": range(12)})
    >>> a = build_signature(one, name="AD - HC", n_1=30, n_0=32)
    >>> b = build_signature(one, name="MDD - HC", n_1=25, n_0=32)
    >>> table_similarity(a, b, shared_controls=32)[["observed", "null_line"]].round(2).values.tolist()[0]
    [1.0, 0.46]
    """
    import pandas as pd

    common = _common(a, b, min_proteins)
    first, second = (each.table.loc[common, "logfc"].to_numpy(dtype=np.float64)[None] for each in (a, b))
    if shared_controls is None and a.samples_0 is not None and b.samples_0 is not None:
        shared_controls = len(a.samples_0 & b.samples_0)
    line, note = _null_line(a, b, shared_controls)
    rows = []
    for score in SCORES.values():
        on_scale = line if score.is_correlation else 0.5 + np.arcsin(line) / np.pi
        rows.append({"score": score.name, "observed": float(score.compute(first, second)[0]), "null_line": on_scale})
    head = {
        "contrast_a": a.name, "contrast_b": b.name, "n_proteins": len(common), "n_a": a.n_1, "n_b": b.n_1,
        "n_0": a.n_0, "n_shared": shared_controls, "p": np.nan, "method": "tables only", "note": note,
    }  # fmt: skip
    columns = ["contrast_a", "contrast_b", "score", "n_proteins", "n_a", "n_b", "n_0", "n_shared", "observed",
               "null_line", "p", "method", "note"]  # fmt: skip
    return pd.DataFrame([head | row for row in rows], columns=columns)


def _common(a: Signature, b: Signature, least: int) -> list[str]:
    if a.species != b.species:
        raise RefusedError(f"{a.name} is {a.species}, {b.name} is {b.species}", found="2 species", expected="1",
                           remedy="map one to the other by the curated orthologues first")  # fmt: skip
    known = set(b.table.index)
    common = [symbol for symbol in a.table.index if symbol in known]
    if len(common) < least:
        raise RefusedError(f"too few proteins in both {a.name} and {b.name}", found=str(len(common)),
                           expected=f"at least {least}")  # fmt: skip
    return common


def _null_line(a: Signature, b: Signature, shared: int | None) -> tuple[float, str]:
    materials = sorted({each.material for each in (a, b)} - {""})
    note = [f"measured in {' and '.join(materials)}"] if materials else []
    sizes = (a.n_1, b.n_1, a.n_0, b.n_0)
    if shared is None or any(size is None for size in sizes):
        note.append("numbers of samples or of shared controls are not known: no null line, no p")
        return float("nan"), "; ".join(note)
    line = shared_null_correlation(int(sizes[0] or 0), int(sizes[1] or 0), int(sizes[2] or 0),
                                   n_0_second=sizes[3], shared=shared)  # fmt: skip
    note.append(f"{shared} shared controls alone give a correlation of {line:.2f}; tables only, so no p")
    return line, "; ".join(note)


def signature_overlap(a: Signature, b: Signature, *, max_q: float = 0.05, min_fold: float = 1.5) -> pd.DataFrame:
    """Overlap of the two lists of changed proteins among those measured in both, up and down.

    Parameters
    ----------
    a, b
        Signatures with q values.
    max_q, min_fold
        A protein is on the list with q below the one and a fold change above the other.

    Returns
    -------
    DataFrame
        ``direction, n_proteins, n_a, n_b, n_both, odds_ratio, method, note``; the odds ratio with 0.5 added to each
        cell. No p: proteins are not independent.
    """
    import pandas as pd

    common = _common(a, b, 1)
    rows = []
    for direction, sign in (("up", 1), ("down", -1)):
        lists = []
        for each in (a, b):
            part = each.table.loc[common]
            lists.append(((part["q"] < max_q) & (sign * part["logfc"] > np.log2(min_fold))).to_numpy())
        both = int((lists[0] & lists[1]).sum())
        only = [int(each.sum()) - both for each in lists]
        neither = len(common) - both - sum(only)
        odds = (both + 0.5) * (neither + 0.5) / ((only[0] + 0.5) * (only[1] + 0.5))
        rows.append({"direction": direction, "n_proteins": len(common), "n_a": both + only[0], "n_b": both + only[1],
                     "n_both": both, "odds_ratio": odds, "method": "overlap of lists",
                     "note": "describes: proteins move together, so no interval and no p"})  # fmt: skip
    return pd.DataFrame(rows)


def signature_quadrants(a: Signature, b: Signature, *, max_q: float = 0.05) -> pd.DataFrame:
    """Every protein of both signatures with its quadrant: ``shared up``, ``shared down``, ``opposite`` or ``""``.

    A protein has a quadrant when q is below ``max_q`` in both signatures.

    Returns
    -------
    DataFrame
        ``symbol, n_a, n_b`` (samples of both sides), ``logfc_a, ci_low_a, ci_high_a, q_a, logfc_b, ci_low_b,
        ci_high_b, q_b, quadrant, method``; intervals where the tables give a standard error.
    """
    import pandas as pd

    from integration.signature_intervals import half_width

    common = _common(a, b, 1)
    first, second = a.table.loc[common], b.table.loc[common]
    result = pd.DataFrame(
        {"symbol": common, "n_a": _samples(a), "n_b": _samples(b)}
        | {
            f"{name}_{side}": values
            for side, table in (("a", first), ("b", second))
            for name, values in _with_limits(table, half_width(table)).items()
        }
    )
    signs = np.sign(result["logfc_a"]) + np.sign(result["logfc_b"])
    named = np.select([signs > 0, signs < 0], ["shared up", "shared down"], "opposite")
    listed = (result["q_a"] < max_q) & (result["q_b"] < max_q)
    return result.assign(quadrant=np.where(listed, named, ""), method=f"q < {max_q:g} in both")


def _samples(signature: Signature) -> float:
    """Samples of both sides; NaN where a number is not known."""
    sizes = (signature.n_1, signature.n_0)
    return float("nan") if None in sizes else float(sum(size or 0 for size in sizes))


def _with_limits(table: pd.DataFrame, half: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    logfc = table["logfc"].to_numpy(dtype=np.float64)
    return {"logfc": logfc, "ci_low": logfc - half, "ci_high": logfc + half, "q": table["q"].to_numpy(dtype=np.float64)}


def axis_logfc(signature: Signature, *, roles: Sequence[str] = ("core",), min_members: int = 3) -> pd.DataFrame:
    """Mean log2 fold change over the members of each axis, each with its direction, and Th2 minus Th1.

    Compare an axis between signatures, not axes within one: members differ in how far they can move.

    Parameters
    ----------
    signature
        Any signature.
    roles
        ``("core",)``, or ``("core", "extended")`` for all members.
    min_members
        Axes with fewer measured members are NaN, with the number in ``note``.

    Returns
    -------
    DataFrame
        ``contrast, axis, roles, n_members, n_listed, n_1, n_0, axis_logfc, se, ci_low, ci_high, method, members,
        missing, note``; a table alone gives no interval, for members move together
        (:func:`integration.signature_intervals.axis_intervals` fills it in from samples).
    """
    import pandas as pd

    from proteomics.axes import axis_members, axis_names

    rows: list[dict[str, Any]] = []
    logfc = signature.table["logfc"].to_dict()
    for axis in axis_names():
        listed = [each for each in axis_members(signature.species) if each.axis == axis and each.role in roles]
        used = [each for each in listed if each.symbol and each.symbol in logfc]
        values = [each.direction * float(logfc[each.symbol]) for each in used]
        enough = len(used) >= min_members
        note = "" if enough else f"refused: {len(used)} members measured, at least {min_members} needed"
        missing = [each.symbol or f"{each.human_symbol} (no orthologue)" for each in listed if each not in used]
        rows.append(
            {"axis": axis, "n_members": len(used), "n_listed": len(listed),
             "axis_logfc": float(np.mean(values)) if enough else np.nan,
             "members": ", ".join(each.symbol for each in used), "missing": ", ".join(missing), "note": note}
        )  # fmt: skip
    by_axis = {row["axis"]: row for row in rows}
    th2, th1 = by_axis["Th2"], by_axis["Th1"]
    rows.append(
        {"axis": "Th2 - Th1", "n_members": th2["n_members"] + th1["n_members"],
         "n_listed": th2["n_listed"] + th1["n_listed"], "axis_logfc": th2["axis_logfc"] - th1["axis_logfc"],
         "members": "", "missing": "", "note": th2["note"] or th1["note"]}
    )  # fmt: skip
    columns = ["contrast", "axis", "roles", "n_members", "n_listed", "n_1", "n_0", "axis_logfc", "se", "ci_low",
               "ci_high", "method", "members", "missing", "note"]  # fmt: skip
    head = {"contrast": signature.name, "roles": " + ".join(roles), "n_1": signature.n_1, "n_0": signature.n_0,
            "se": np.nan, "ci_low": np.nan, "ci_high": np.nan,
            "method": "mean over members; no interval from tables"}  # fmt: skip
    return pd.DataFrame([head | row for row in rows], columns=columns)
