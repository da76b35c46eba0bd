"""Reversal where only tables of fold changes exist: it describes, ranks with a stated limit, and mostly has no p.

Without the samples nothing can be permuted: proteins move together, so they are no independent observations. What can
be said is the score of each drug, how far its rank hangs on which proteins were measured (random halves of them), and,
where levels of reference people are given, how often a drug that moves proteins at random along their own correlations
scores as far from zero. That last p knows nothing of the noise of the two tables; its name says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from integration.reversal import RANKING_COLUMNS, REVERSAL_COLUMNS, Reversal
from integration.reversal_scores import REVERSAL_SCORES, ReversalQuestions, percent_reversal
from integration.signatures import Signature

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["TableReversalOptions", "random_drugs", "table_reversal"]


@dataclass(frozen=True, kw_only=True)
class TableReversalOptions(ReversalQuestions):
    """How reversal is computed from tables.

    Parameters
    ----------
    scores, without, il4r_drugs, min_proteins
        As in :class:`integration.reversal_scores.ReversalQuestions`; proteins have to be in all tables, for scores and
        ranks.
    n_halves
        Random halves of the proteins over which ranks are shown.
    n_random
        Random drugs, where levels of reference people are given.
    min_drugs
        Least drugs for a ranking.
    """

    n_halves: int = 200
    n_random: int = 2000
    min_drugs: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_drugs < 2:
            raise ValueError("min_drugs must be 2 or more: fewer are no ranking")
        if self.n_halves < 0 or self.n_random < 99:
            raise ValueError("n_halves must be 0 or more, n_random 99 or more")


def table_reversal(
    disease: Signature,
    drugs: Sequence[Signature],
    *,
    reference: pd.DataFrame | None = None,
    options: TableReversalOptions = TableReversalOptions(),
    seed: int | np.random.Generator = 0,
) -> Reversal:
    """Score and, if there is enough, rank drugs against a disease from tables of log2 fold changes.

    Parameters
    ----------
    disease
        Disease minus healthy.
    drugs
        After minus before treatment; the drug's name is the signature's.
    reference
        Levels of reference people (rows) by symbol: for random drugs that move proteins together as they do.
    options
        Scores, variants, limits.
    seed
        Of halves and random drugs.

    Returns
    -------
    Reversal
        As from :func:`integration.reversal.drug_reversal`. Intervals are NaN; ``p_disease`` is NaN; ``p_drug`` (and
        ``p``) stay NaN without ``reference``. In ``ranking`` the interval is that over halves of the proteins. Where
        there are too few proteins or drugs, rows have no score or the ranking is empty, and ``problems`` says so.

    Raises
    ------
    RefusedError
        If there is no drug, two have one name, species differ, or no protein is in all tables.

    Examples
    --------
    >>> import pandas as pd
    >>> from integration.signatures import build_signature
    >>> up = pd.DataFrame({"symbol": [f"P{i}" for i in range(12)], "logfc": np.linspace(-1, 1, 12)})
    >>> ill = build_signature(up, name="AD - HC")
    >>> drugs = [build_signature(up.assign(logfc=k * up["logfc"]), name=f"drug {k}") for k in (-1, 1)]
    >>> table_reversal(ill, drugs).ranking["drug"].tolist()
    ['drug -1', 'drug 1']
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    _check(disease, drugs)
    names = [symbol for symbol in disease.table.index if all(symbol in drug.table.index for drug in drugs)]
    if not names:
        raise RefusedError("no protein is in the disease's and all drugs' tables", found=f"0 in all; "
                           f"{_counts(disease, drugs)}", expected="1 or more")  # fmt: skip
    problems = _problems(disease, drugs, len(names), options)
    tables, rankings = [], []
    for variant, kept in options.variants(names, [drug.name for drug in drugs]):
        shown = [drug for drug in drugs if not variant.startswith("without IL4,") or drug.name in options.il4r_drugs]
        part = _Part(disease, shown, kept, variant, options)
        tables.append(part.table(reference, rng))
        if len(kept) >= options.min_proteins and len(shown) >= options.min_drugs:
            rankings.append(part.ranking(rng))
    proteins = [_protein_rows(disease, drug, names) for drug in drugs]
    return Reversal(
        table=pd.concat(tables, ignore_index=True),
        ranking=pd.concat(rankings, ignore_index=True) if rankings else pd.DataFrame(columns=list(RANKING_COLUMNS)),
        proteins=pd.concat(proteins, ignore_index=True), problems=problems,
    )  # fmt: skip


def _check(disease: Signature, drugs: Sequence[Signature]) -> None:
    if not drugs:
        raise RefusedError("no drug was given", found="0", expected="1 or more")
    if len({drug.name for drug in drugs}) < len(drugs):
        raise RefusedError("two drugs have one name", found=f"{len(drugs)} drugs, {len({drug.name for drug in drugs})} "
                           f"names: {', '.join(drug.name for drug in drugs)}")  # fmt: skip
    for drug in drugs:
        if drug.species != disease.species:
            raise RefusedError(f"{disease.name} is {disease.species}, {drug.name} is {drug.species}",
                               found="2 species", expected="1",
                               remedy="map one to the other by the curated orthologues first")  # fmt: skip


def _counts(disease: Signature, drugs: Sequence[Signature]) -> str:
    return ", ".join(f"{each.name} {len(each.table)}" for each in (disease, *drugs))


def _problems(
    disease: Signature, drugs: Sequence[Signature], n_proteins: int, options: TableReversalOptions
) -> list[Problem]:
    problems = [problem for each in (disease, *drugs) for problem in each.problems]
    if lost := len(disease.table) - n_proteins:
        message = f"{lost} of {len(disease.table)} proteins of {disease.name} are not in all drugs' tables"
        problems.append(Problem(code="not_analysed", where="reversal", message=message, action="left out"))
    reasons = []
    if n_proteins < options.min_proteins:
        reasons.append(f"{n_proteins} proteins or modules in all tables, at least {options.min_proteins} needed")
    if len(drugs) < options.min_drugs:
        reasons.append(f"{len(drugs)} drug, at least {options.min_drugs} needed")
    if reasons:
        message = f"too few for a ranking: {'; '.join(reasons)}"
        problems.append(Problem(code="test_refused", where="ranking of drugs", message=message, action="not ranked"))
    for drug in drugs:
        if disease.samples_1 is not None and drug.samples_0 is not None:
            shared = len(disease.samples_1 & drug.samples_0)
            if shared:
                problems.append(_shared(drug, shared))
    return problems


def _shared(drug: Signature, shared: int) -> Problem:
    return Problem(
        code="shared_patients", where=f"drug {drug.name}",
        message=f"{shared} of its samples before treatment are also cases of the disease signature; the scores are "
        "biased toward reversal",
        action="not corrected: that needs the samples behind the tables",
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Disease and drugs on one set of proteins."""

    disease: Signature
    drugs: Sequence[Signature]
    names: list[str]
    variant: str
    options: TableReversalOptions

    def _logfc(self, signature: Signature) -> Matrix:
        found: Matrix = signature.table.loc[self.names, "logfc"].to_numpy(dtype=np.float64)
        return found

    def table(self, reference: pd.DataFrame | None, rng: np.random.Generator) -> pd.DataFrame:
        import pandas as pd

        a = self._logfc(self.disease)
        b = np.array([self._logfc(drug) for drug in self.drugs])
        enough = len(self.names) >= self.options.min_proteins
        random = None
        if enough and reference is not None and set(self.names) <= set(reference.columns):
            random = random_drugs(reference[self.names], self.options.n_random, rng)
        rows: list[dict[str, Any]] = []
        for name in self.options.scores:
            score = REVERSAL_SCORES[name].compute
            whole = np.broadcast_to(a, b.shape)
            observed = score(whole, b) if enough else np.full(len(b), np.nan)
            null = None if random is None else score(np.broadcast_to(a, random.shape), random)
            rank = observed.argsort(kind="stable").argsort() + 1
            for k, drug in enumerate(self.drugs):
                rows.append(self._row(drug, name, float(observed[k]), rank[k] if enough else np.nan, null))
        return pd.DataFrame(rows, columns=list(REVERSAL_COLUMNS))

    def _row(self, drug: Signature, score: str, observed: float, rank: float, null: Matrix | None) -> dict[str, Any]:
        note = "tables only: no interval and no p from samples"
        p = np.nan
        if len(self.names) < self.options.min_proteins:
            note = f"refused: {len(self.names)} proteins or modules, at least {self.options.min_proteins} needed"
        elif null is not None:
            p = float(((np.abs(null) >= abs(observed) - 1e-12).sum() + 1) / (len(null) + 1))
            note = "p: random drugs along the correlations of reference people; the tables' own noise is not in it"
        return {
            "drug": drug.name, "variant": self.variant, "score": score, "n_proteins": len(self.names),
            "n_pairs": drug.n_1, "n_case": self.disease.n_1, "n_control": self.disease.n_0, "observed": observed,
            "null_mean": np.nan if null is None else float(null.mean()), "estimate": observed, "p": p, "p_drug": p,
            "rank": rank, "method": "tables only", "note": note,
        }  # fmt: skip

    def ranking(self, rng: np.random.Generator) -> pd.DataFrame:
        """Mean rank over the scores, with its range over random halves of the proteins."""
        import pandas as pd

        a = self._logfc(self.disease)
        b = np.array([self._logfc(drug) for drug in self.drugs])
        ranks = self._mean_ranks(a, b)
        half = max(self.options.min_proteins // 2, len(self.names) // 2)
        parts = [rng.permutation(len(self.names))[:half] for _ in range(self.options.n_halves)]
        again = np.array([self._mean_ranks(a[part], b[:, part]) for part in parts] or [ranks])
        rows = [
            {
                "variant": self.variant, "drug": drug.name, "n_pairs": drug.n_1, "n_case": self.disease.n_1,
                "n_control": self.disease.n_0, "mean_rank": ranks[k],
                "ci_low": np.quantile(again[:, k], 0.025), "ci_high": np.quantile(again[:, k], 0.975),
                "share_first": (again[:, k] <= again.min(axis=1)).mean(), "n_scores": len(self.options.scores),
                "n_bootstrap": self.options.n_halves, "method": "range over random halves of the proteins",
            }
            for k, drug in enumerate(self.drugs)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(RANKING_COLUMNS)).sort_values(
            "mean_rank", kind="stable", ignore_index=True
        )

    def _mean_ranks(self, a: Matrix, b: Matrix) -> Matrix:
        whole = np.broadcast_to(a, b.shape)
        scores = np.array([REVERSAL_SCORES[name].compute(whole, b) for name in self.options.scores])
        ranks: Matrix = (scores.argsort(axis=1, kind="stable").argsort(axis=1) + 1).mean(axis=0)
        return ranks


def random_drugs(reference: pd.DataFrame, count: int, rng: np.random.Generator) -> Matrix:
    """(count, proteins) random changes whose proteins move together as they do between reference people.

    Each is a sum of the people's deviations from their mean, weighted by independent normal numbers: its covariance is
    theirs.

    Raises
    ------
    RefusedError
        If there are fewer than ten people with a value of every protein.
    """
    levels = reference.dropna(axis=0).to_numpy(dtype=np.float64)
    if len(levels) < 10:
        raise RefusedError("too few reference people with a value of every protein", found=str(len(levels)),
                           expected="at least 10")  # fmt: skip
    deviations = levels - levels.mean(axis=0)
    drawn: Matrix = rng.standard_normal((count, len(levels))) @ deviations / np.sqrt(len(levels) - 1)
    return drawn


def _protein_rows(disease: Signature, drug: Signature, names: list[str]) -> pd.DataFrame:
    """Both changes of every protein and what it adds to the cosine; directions only where both tables have t."""
    import pandas as pd

    from integration.signature_intervals import half_width

    first, second = disease.table.loc[names], drug.table.loc[names]
    a, b = (each["logfc"].to_numpy(dtype=np.float64) for each in (first, second))
    t_disease, t_drug = (each["t"].to_numpy(dtype=np.float64) for each in (first, second))
    se = first["se"].to_numpy(dtype=np.float64)
    percent, _, _, _ = percent_reversal(a, b, np.where(np.isfinite(se), se, np.inf))
    clear = (np.abs(t_disease) >= 3) & (np.abs(t_drug) >= 3)
    length = float(np.sqrt((a @ a) * (b @ b)))
    half, drug_half = half_width(first), half_width(second)
    return pd.DataFrame(
        {
            "drug": drug.name, "protein": names, "n_case": disease.n_1, "n_control": disease.n_0, "n_pairs": drug.n_1,
            "disease_logfc": a, "disease_ci_low": a - half, "disease_ci_high": a + half, "disease_t": t_disease,
            "drug_logfc": b, "drug_ci_low": b - drug_half, "drug_ci_high": b + drug_half, "drug_t": t_drug,
            "contribution": a * b / length if length else np.nan, "percent_reversal": percent,
            "direction": np.where(~clear, "", np.where(a * b < 0, "reversed", "worsened")), "method": "tables only",
        }
    )  # fmt: skip
