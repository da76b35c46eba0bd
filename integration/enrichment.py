"""Enrichment of a set in a ranked list, and the sets that a drug's or a disease's signature makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from integration.reversal import Reversal
    from integration.signatures import Signature

__all__ = ["DrugSets", "Enrichment", "drug_sets", "enrichment", "reversal_enrichment", "set_reversal"]

#: Sets with fewer measured members make scores that jump with each of them.
MIN_MEMBERS = 5

_DESCRIBES = "describes: proteins move together, so no p by permuting them; p of the reversal permutes samples"

_ENDINGS = {"up": ("_up", " up", "-up"), "down": ("_down", "_dn", " down", " dn", "-down", "-dn")}


@dataclass(frozen=True)
class Enrichment:
    """One set in one ranked list: ``score`` (-1 to 1), its ``members`` in the list, the ``leading_edge``."""

    score: float
    members: tuple[str, ...]
    leading_edge: tuple[str, ...]


def enrichment(values: pd.Series[float], members: Collection[str], *, weight: float = 1.0) -> Enrichment:
    """Running-sum enrichment score of preranked GSEA.

    Going down the list from the highest value, the sum rises at a member by its |value|^weight as a share of all
    members', and falls elsewhere by equal steps; the score is its largest deviation from zero. The leading edge are
    the members up to that point (for a negative score, from it on). Equal values keep the order of the list.

    Parameters
    ----------
    values
        By symbol; missing ones are left out.
    members
        The set.
    weight
        Exponent; 0 is the Kolmogorov-Smirnov statistic.

    Returns
    -------
    Enrichment
        Score NaN if no member, or every protein, is in the list.

    Notes
    -----
    Subramanian 2005, doi:10.1073/pnas.0506580102. No p by permuted proteins: they move together.

    Examples
    --------
    >>> import pandas as pd
    >>> found = enrichment(pd.Series({"A": 3.0, "B": 2.0, "C": 0.5, "D": -1.0}), {"A", "B"})
    >>> found.score, found.leading_edge
    (1.0, ('A', 'B'))
    """
    ranked = values.dropna().sort_values(ascending=False, kind="stable")
    wanted = set(members)
    inside = np.array([symbol in wanted for symbol in ranked.index], dtype=bool)
    names = [str(symbol) for symbol in ranked.index[inside]]
    size = np.abs(ranked.to_numpy(dtype=np.float64)) ** weight * inside
    if not inside.any() or inside.all() or size.sum() == 0:
        return Enrichment(float("nan"), tuple(names), ())
    walk = np.cumsum(size / size.sum() - ~inside / (~inside).sum())
    high, low = int(walk.argmax()), int(walk.argmin())
    peak = high if walk[high] >= -walk[low] else low
    score = float(walk[peak])
    edge = ranked.index[: peak + 1][inside[: peak + 1]] if score >= 0 else ranked.index[peak + 1 :][inside[peak + 1 :]]
    return Enrichment(score, tuple(names), tuple(str(symbol) for symbol in edge))


@dataclass(frozen=True)
class DrugSets:
    """A drug of which only the proteins that go up and down are known."""

    name: str
    up: tuple[str, ...]
    down: tuple[str, ...]


def drug_sets(sets: Mapping[str, tuple[str, ...]], *, file: str = "") -> list[DrugSets]:
    """Drugs from named sets: ``NAME_up`` and ``NAME_down`` (or ``_dn``), at least one of the two.

    Raises
    ------
    InputError
        If a set's name does not say its direction, or a symbol is in both.

    Examples
    --------
    >>> drug_sets({"dupilumab_down": ("CCL17", "CCL26"), "dupilumab_up": ("FLG",)})
    [DrugSets(name='dupilumab', up=('FLG',), down=('CCL17', 'CCL26'))]
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, members in sets.items():
        ends = [(way, mark) for way, marks in _ENDINGS.items() for mark in marks if name.casefold().endswith(mark)]
        if not ends:
            raise InputError("the set's name does not say whether the drug moves it up or down", file=file or None,
                             where=f"set {name}", expected="NAME_up or NAME_down")  # fmt: skip
        way, mark = ends[0]
        found.setdefault(name[: -len(mark)], {})[way] = members
    drugs = [DrugSets(name, each.get("up", ()), each.get("down", ())) for name, each in found.items()]
    for drug in drugs:
        if both := sorted(set(drug.up) & set(drug.down)):
            raise InputError("a symbol goes up and down under one drug", file=file or None, where=f"drug {drug.name}",
                             found=", ".join(both[:5]))  # fmt: skip
    return drugs


def set_reversal(disease: Signature, drugs: Collection[DrugSets], *, min_members: int = MIN_MEMBERS) -> pd.DataFrame:
    """Drugs known only as sets against the ranked disease: weighted connectivity, negative = reversal.

    Returns
    -------
    DataFrame
        ``drug, n_proteins, n_up, n_down, es_up, es_down, wtcs, leading_edge, method, note``. ``wtcs`` is half of
        es_up minus es_down, 0 where both lie on the same side; with one set alone, that set's score with its sign.
    """
    import pandas as pd

    logfc = disease.table["logfc"]
    rows: list[dict[str, Any]] = []
    for drug in drugs:
        up, down = enrichment(logfc, drug.up), enrichment(logfc, drug.down)
        sides = [(each, sign) for each, sign in ((up, 1), (down, -1)) if len(each.members) >= min_members]
        score, note = float("nan"), "tables only, so no p"
        if not sides:
            note = f"refused: {len(up.members)} up and {len(down.members)} down measured, at least {min_members} needed"
        elif len(sides) == 1:
            score = sides[0][1] * sides[0][0].score
            note += "; one of its two sets is large enough"
        else:
            score = 0.0 if np.sign(up.score) == np.sign(down.score) else (up.score - down.score) / 2
        edge = [*up.leading_edge, *down.leading_edge]
        rows.append(
            {"drug": drug.name, "n_proteins": int(logfc.notna().sum()), "n_up": len(up.members),
             "n_down": len(down.members), "es_up": up.score,
             "es_down": down.score, "wtcs": score, "leading_edge": ", ".join(edge), "method": "weighted connectivity",
             "note": note}
        )  # fmt: skip
    columns = ["drug", "n_proteins", "n_up", "n_down", "es_up", "es_down", "wtcs", "leading_edge", "method", "note"]
    return pd.DataFrame(rows, columns=columns)


def reversal_enrichment(reversal: Reversal, *, share: float = 0.25) -> pd.DataFrame:
    """Preranked enrichment of the disease's up and down set in each drug's changes, with leading edges.

    Parameters
    ----------
    reversal
        Its table of proteins holds both changes.
    share
        Share of the proteins that each set has at most; only those that go that way.

    Returns
    -------
    DataFrame
        ``drug, disease_set, n_pairs, n_case, n_control, n_members, n_proteins, es, leading_edge, method, note``; for a
        drug that reverses, the up set has a negative and the down set a positive score. It describes: there is no
        interval and no p, for the sets come from the same people, and proteins move together.
    """
    import pandas as pd

    rows = []
    numbers = ("n_pairs", "n_case", "n_control")
    sizes = reversal.table.drop_duplicates("drug").set_index("drug")[list(numbers)]
    for drug, part in reversal.proteins.groupby("drug", sort=False):
        disease = part.set_index("protein")["disease_logfc"].sort_values()
        size = max(1, round(share * len(disease)))
        for name, members in (("up", disease.index[-size:]), ("down", disease.index[:size])):
            sign = 1 if name == "up" else -1
            chosen = [symbol for symbol in members if sign * disease[symbol] > 0]
            found = enrichment(part.set_index("protein")["drug_logfc"], chosen)
            rows.append(
                {"drug": drug, "disease_set": name, **sizes.loc[drug].to_dict(),
                 "n_members": len(found.members), "n_proteins": len(part),
                 "es": found.score, "leading_edge": ", ".join(found.leading_edge),
                 "method": "preranked running sum", "note": _DESCRIBES}
            )  # fmt: skip
    columns = ["drug", "disease_set", *numbers, "n_members", "n_proteins", "es", "leading_edge", "method", "note"]
    return pd.DataFrame(rows, columns=columns)
