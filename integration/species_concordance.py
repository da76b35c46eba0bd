"""A mouse signature beside a human one, protein by protein, through the curated orthologues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem
from integration.pingouin_results import correlation
from integration.signatures import Signature

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Concordance", "species_concordance"]


@dataclass(frozen=True, kw_only=True)
class Concordance:
    """Result of :func:`species_concordance`.

    Parameters
    ----------
    pairs
        ``mouse_symbol, human_symbol, logfc_mouse, logfc_human, same_sign``, one row per pair measured in both.
    n
        Pairs.
    same_sign
        Share of pairs that move the same way.
    sign_p
        Two-sided sign test; NaN with fewer than ``min_pairs`` pairs.
    spearman, ci_low, ci_high
        NaN with fewer than ``min_pairs`` pairs.
    note
        What to mind.
    problems
        Proteins of the mouse panel without a usable partner.
    """

    pairs: pd.DataFrame
    n: int
    same_sign: float
    sign_p: float
    spearman: float
    ci_low: float
    ci_high: float
    note: str
    problems: list[Problem]


def species_concordance(mouse: Signature, human: Signature, *, min_pairs: int = 10) -> Concordance:
    """Whether orthologous proteins move the same way in mouse (SUS - RES) and human (MDD - HC).

    Partners come from the curated table of :mod:`proteomics.orthologues`, never from equal letters. With fewer than
    ``min_pairs`` pairs they are listed and not tested. The sign test takes proteins for independent; they move
    together, so its p is too small, and the note says so.

    Parameters
    ----------
    mouse, human
        Signatures of the two species.
    min_pairs
        Least pairs for a test.

    Raises
    ------
    ValueError
        If the signatures are not of these species.
    """
    import pandas as pd
    from scipy import stats

    from proteomics.orthologues import human_orthologue

    if (mouse.species, human.species) != ("mouse", "human"):
        raise ValueError(f"species are {mouse.species!r} and {human.species!r}; expected 'mouse' and 'human'")
    rows, problems = [], []
    human_logfc = human.table["logfc"].to_dict()
    for symbol, change in mouse.table["logfc"].items():
        partner = human_orthologue(str(symbol))
        if partner.symbol and partner.symbol in human_logfc:
            rows.append((symbol, partner.symbol, float(change), float(human_logfc[partner.symbol])))
            continue
        reason = partner.reason or f"{partner.symbol} is not in {human.name}"
        problems.append(Problem(code="not_analysed", where=f"{mouse.name}, {symbol}", message=f"{symbol}: {reason}",
                                action="left out of the concordance"))  # fmt: skip
    pairs = pd.DataFrame(rows, columns=["mouse_symbol", "human_symbol", "logfc_mouse", "logfc_human"])
    pairs["same_sign"] = np.sign(pairs["logfc_mouse"]) == np.sign(pairs["logfc_human"])
    n, same = len(pairs), int(pairs["same_sign"].sum())
    share = same / n if n else float("nan")
    if n < min_pairs:
        nothing = dict.fromkeys(("sign_p", "spearman", "ci_low", "ci_high"), float("nan"))
        note = f"refused: {n} pairs, at least {min_pairs} needed for a test; they are listed"
        return Concordance(pairs=pairs, n=n, same_sign=share, note=note, problems=problems, **nothing)
    rank = correlation(pairs["logfc_mouse"], pairs["logfc_human"], method="spearman")
    return Concordance(
        pairs=pairs, n=n, same_sign=share, sign_p=float(stats.binomtest(same, n).pvalue), spearman=rank.estimate,
        ci_low=rank.ci_low, ci_high=rank.ci_high, problems=problems,
        note="sign test over proteins, which move together: its p is too small",
    )  # fmt: skip
