"""Which drug reverses a disease signature: scores with an honest null, corrected for shared patients, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from integration.reversal_data import DiseaseData, DrugData
from integration.reversal_null import disease_side_null, drug_side_null, permutations_of
from integration.reversal_scores import REVERSAL_SCORES, ReversalQuestions, percent_reversal
from integration.signature_scores import Score

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["RANKING_COLUMNS", "REVERSAL_COLUMNS", "Reversal", "ReversalOptions", "drug_reversal"]

REVERSAL_COLUMNS = (
    "drug", "variant", "score", "n_proteins", "n_pairs", "n_case", "n_control", "n_shared", "observed", "null_mean",
    "estimate", "ci_low", "ci_high", "p", "p_drug", "p_disease", "p_max", "rank", "method", "note",
)  # fmt: skip

RANKING_COLUMNS = (
    "variant", "drug", "n_pairs", "n_case", "n_control", "mean_rank", "ci_low", "ci_high", "share_first", "n_scores",
    "n_bootstrap", "method",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReversalOptions(ReversalQuestions):
    """How reversal is computed from samples.

    Parameters
    ----------
    scores, without, il4r_drugs, min_proteins
        As in :class:`integration.reversal_scores.ReversalQuestions`; proteins have to be measured in all samples of the
        disease and of every drug.
    n_permutations, n_splits, n_bootstrap
        Resamplings for p, for the estimate with shared patients, and for the uncertainty of ranks.
    """

    n_permutations: int = 1000
    n_splits: int = 100
    n_bootstrap: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_permutations < 99 or self.n_splits < 1 or self.n_bootstrap < 0:
            raise ValueError("n_permutations must be 99 or more, n_splits 1 or more, n_bootstrap 0 or more")


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """Result of :func:`drug_reversal`.

    Parameters
    ----------
    table
        One row per drug, variant and score: ``observed``, its mean under the null, ``estimate`` with 95 % interval
        (patients parted between both sides where they are shared), p two-sided; negative = reversal.
    ranking
        Consensus of the scores per variant: mean rank, its bootstrap interval, share of bootstraps in which the drug
        is first. What shared patients give a score on average is taken off before drugs are ranked, here and in
        ``rank`` of the table.
    proteins
        Per drug and protein: both changes, the protein's share of the cosine, percent reversal, direction.
    problems
        Shared patients found, proteins left out.
    """

    table: pd.DataFrame
    ranking: pd.DataFrame
    proteins: pd.DataFrame
    problems: list[Problem]


def drug_reversal(
    disease: DiseaseData,
    drugs: Sequence[DrugData],
    *,
    options: ReversalOptions = ReversalOptions(),
    seed: int | np.random.Generator = 0,
) -> Reversal:
    """Score and rank drugs against one disease signature, on the proteins that all of them measure.

    Parameters
    ----------
    disease
        From :func:`integration.reversal_data.disease_data`.
    drugs
        From :func:`integration.reversal_data.drug_data`; sample ids tell which patients are also the disease's cases.
    options
        Scores, variants, resamplings.
    seed
        Of all resampling.

    Raises
    ------
    RefusedError
        If too few proteins are complete in all tables, or two drugs have one name.

    Notes
    -----
    ``p`` is the larger of ``p_drug`` and ``p_disease`` (:mod:`integration.reversal_null`): both signatures must be
    there. ``p_max`` is the same for the largest standardised score over all drugs. Nothing is permuted over proteins.
    """
    import pandas as pd

    if len({drug.name for drug in drugs}) < len(drugs):
        raise RefusedError("two drugs have one name", found=f"{len(drugs)} drugs, {len({drug.name for drug in drugs})} "
                           f"names: {', '.join(drug.name for drug in drugs)}")  # fmt: skip
    rng = np.random.default_rng(seed)
    names, problems = _common_proteins(disease, drugs, options)
    problems += _sharing(disease, drugs)
    tables, rankings, proteins = [], [], []
    for variant, kept in options.variants(names, [drug.name for drug in drugs]):
        side = disease.part(np.arange(len(disease.samples)), _columns(disease.proteins, kept))
        others = [drug.part(np.arange(len(drug.before)), _columns(drug.proteins, kept)) for drug in drugs]
        if variant.startswith("without IL4,"):
            others = [drug for drug in others if drug.name in options.il4r_drugs]
        study = _Study(side, others, variant, options)
        tables.append(study.table(rng))
        if variant == "all proteins":
            proteins += [_protein_rows(side, drug) for drug in others]
        if options.n_bootstrap and len(others) > 1:
            rankings.append(study.ranking(rng))
    ranking = pd.concat(rankings, ignore_index=True) if rankings else pd.DataFrame(columns=list(RANKING_COLUMNS))
    return Reversal(
        table=pd.concat(tables, ignore_index=True), ranking=ranking,
        proteins=pd.concat(proteins, ignore_index=True), problems=problems,
    )  # fmt: skip


def _columns(proteins: Sequence[str], kept: Sequence[str]) -> NDArray[np.int64]:
    place = {name: column for column, name in enumerate(proteins)}
    return np.array([place[name] for name in kept], dtype=np.int64)


def _common_proteins(
    disease: DiseaseData, drugs: Sequence[DrugData], options: ReversalOptions
) -> tuple[list[str], list[Problem]]:
    complete = [set(np.array(disease.proteins)[np.isfinite(disease.values).all(axis=0)].tolist())]
    for drug in drugs:
        finite = np.isfinite(drug.before).all(axis=0) & np.isfinite(drug.after).all(axis=0)
        complete.append(set(np.array(drug.proteins)[finite].tolist()))
    names = [name for name in disease.proteins if all(name in each for each in complete)]
    if len(names) < options.min_proteins:
        raise RefusedError("too few proteins with a value in every sample of the disease and of every drug",
                           found=str(len(names)), expected=f"at least {options.min_proteins}")  # fmt: skip
    lost = [name for name in disease.proteins if name not in set(names)]
    message = f"{len(lost)} of {len(disease.proteins)} proteins are not complete in all tables: {', '.join(lost[:20])}"
    return names, [Problem(code="not_analysed", where="reversal", message=message, action="left out")] if lost else []


def _sharing(disease: DiseaseData, drugs: Sequence[DrugData]) -> list[Problem]:
    return [
        Problem(
            code="shared_patients",
            where=f"drug {drug.name}",
            message=f"{shared} of {len(drug.before)} patients before treatment are also cases of the disease signature",
            action="p keeps the sharing; the estimate parts the patients between both sides",
        )
        for drug in drugs
        if (shared := int((drug.shared_rows(disease) >= 0).sum()))
    ]


@dataclass(frozen=True)
class _Study:
    """One set of proteins: the disease and all drugs on it."""

    disease: DiseaseData
    drugs: Sequence[DrugData]
    variant: str
    options: ReversalOptions
    #: Score to what each drug's is expected to be by its shared patients alone; 0 for drugs without.
    biases: dict[str, Matrix] = field(default_factory=dict)

    def table(self, rng: np.random.Generator) -> pd.DataFrame:
        import pandas as pd

        count = self.options.n_permutations
        order = permutations_of(self.disease, count, rng)
        null = {
            "p_drug": [drug_side_null(self.disease, drug, count, rng) for drug in self.drugs],
            "p_disease": [disease_side_null(self.disease, drug, order, rng) for drug in self.drugs],
        }
        estimates = [_Estimate(self.disease, drug, self.options.n_splits, rng) for drug in self.drugs]
        rows: list[dict[str, Any]] = []
        for name in self.options.scores:
            rows += self._score_rows(REVERSAL_SCORES[name], null, estimates)
        return pd.DataFrame(rows, columns=list(REVERSAL_COLUMNS))

    def _score_rows(
        self, score: Score, null: dict[str, list[tuple[Matrix, Matrix]]], estimates: Sequence[_Estimate]
    ) -> list[dict[str, Any]]:
        signature = self.disease.signature[None]
        observed = np.array([score.compute(signature, drug.signature[None])[0] for drug in self.drugs])
        p: dict[str, Matrix] = {}
        p_max = np.zeros(len(self.drugs))
        for side, pairs in null.items():
            moved = 1 if side == "p_drug" else 0
            raw = [score.compute(*pair) for pair in pairs]
            scores = np.array([score.sized(values, pair[moved]) for values, pair in zip(raw, pairs, strict=True)])
            own = [drug.signature[None] if moved else signature for drug in self.drugs]
            found = np.array([score.sized(observed[k : k + 1], each)[0] for k, each in enumerate(own)])
            centre = (scores.sum(axis=1, keepdims=True) + found[:, None]) / (scores.shape[1] + 1)
            spread = scores.std(axis=1, keepdims=True) + 1e-300
            far, null_far = np.abs(found[:, None] - centre) / spread, np.abs(scores - centre) / spread
            count = scores.shape[1] + 1
            p[side] = ((null_far >= far - 1e-12).sum(axis=1) + 1) / count
            p_max = np.maximum(p_max, ((null_far.max(axis=0) >= far - 1e-12).sum(axis=1) + 1) / count)
            p[f"{side} centre"] = np.array([values.mean() for values in raw])
        shared = np.array([each.n_shared > 0 for each in estimates])
        self.biases[score.name] = np.where(shared, p["p_drug centre"], 0.0)
        rank = (observed - self.biases[score.name]).argsort().argsort() + 1
        rows = []
        for k, (drug, each) in enumerate(zip(self.drugs, estimates, strict=True)):
            estimate, low, high = each.of(score)
            rows.append(
                {
                    "drug": drug.name, "variant": self.variant, "score": score.name,
                    "n_proteins": len(self.disease.proteins), "n_pairs": len(drug.before),
                    "n_case": int(self.disease.is_case.sum()), "n_control": int((~self.disease.is_case).sum()),
                    "n_shared": each.n_shared, "observed": observed[k], "null_mean": p["p_drug centre"][k],
                    "estimate": estimate, "ci_low": low, "ci_high": high,
                    "p": max(p["p_drug"][k], p["p_disease"][k]), "p_drug": p["p_drug"][k],
                    "p_disease": p["p_disease"][k], "p_max": p_max[k], "rank": rank[k], "method": each.method,
                    "note": each.note,
                }
            )  # fmt: skip
        return rows

    def ranking(self, rng: np.random.Generator) -> pd.DataFrame:
        """Mean rank over the scores, over bootstraps of patients and controls (a patient stays one person).

        Shared patients draw a score toward reversal; scores are ranked without what they give on average when before
        and after are exchanged at random.
        """
        import pandas as pd

        ranks = self._mean_ranks(self.disease, self.drugs)
        again = np.array([self._mean_ranks(*self._bootstrap(rng)) for _ in range(self.options.n_bootstrap)])
        rows = [
            {
                "variant": self.variant, "drug": drug.name, "n_pairs": len(drug.before),
                "n_case": int(self.disease.is_case.sum()), "n_control": int((~self.disease.is_case).sum()),
                "mean_rank": ranks[k],
                "ci_low": np.quantile(again[:, k], 0.025), "ci_high": np.quantile(again[:, k], 0.975),
                "share_first": (again[:, k] <= again.min(axis=1)).mean(), "n_scores": len(self.options.scores),
                "n_bootstrap": self.options.n_bootstrap, "method": "bootstrap of patients and controls",
            }
            for k, drug in enumerate(self.drugs)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(RANKING_COLUMNS)).sort_values(
            "mean_rank", kind="stable", ignore_index=True
        )

    def _mean_ranks(self, disease: DiseaseData, drugs: Sequence[DrugData]) -> Matrix:
        scores = np.array(
            [
                [REVERSAL_SCORES[name].compute(disease.signature[None], drug.signature[None])[0] for drug in drugs]
                for name in self.options.scores
            ]
        )
        scores = scores - np.array([self.biases.get(name, np.zeros(len(drugs))) for name in self.options.scores])
        ranks: Matrix = (scores.argsort(axis=1).argsort(axis=1) + 1).mean(axis=0)
        return ranks

    def _bootstrap(self, rng: np.random.Generator) -> tuple[DiseaseData, list[DrugData]]:
        sides = [np.flatnonzero(self.disease.is_case == side) for side in (True, False)]
        rows = np.concatenate([rng.choice(side, len(side)) for side in sides])
        drugs = []
        for drug in self.drugs:
            shared = drug.shared_rows(self.disease)
            place = {int(row): patient for patient, row in enumerate(shared) if row >= 0}
            drawn = [place[row] for row in rows.tolist() if row in place]
            alone = np.flatnonzero(shared < 0)
            patients = np.array([*drawn, *rng.choice(alone, len(alone))], dtype=np.int64)
            # A bootstrap without a shared patient of this drug says nothing of it: draw its own.
            enough = patients if len(patients) > 1 else rng.choice(len(shared), len(shared))
            drugs.append(drug.part(enough))
        return self.disease.part(rows), drugs


class _Estimate:
    """Score of one drug without shared samples, and how it changes when one sample is left out."""

    def __init__(self, disease: DiseaseData, drug: DrugData, n_splits: int, rng: np.random.Generator) -> None:
        shared = drug.shared_rows(disease)
        self.n_shared = int((shared >= 0).sum())
        self.pairs = [(disease, drug)]
        self.method, self.note = "p: labels permuted on either side; interval: jackknife", ""
        if self.n_shared:
            self.pairs = [_parted(disease, drug, shared, rng) for _ in range(n_splits)]
            self.method = "p: before and after exchanged, residual signs flipped; estimate: patients parted; jackknife"
            self.note = f"{self.n_shared} patients are in both signatures; observed is biased toward reversal"

    def of(self, score: Score) -> tuple[float, float, float]:
        """Median over splits, and its 95 % interval."""
        from scipy import stats

        values = [score.compute(a.signature[None], b.signature[None])[0] for a, b in self.pairs]
        estimate = float(np.median(values))
        change = (lambda r: np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))) if score.is_correlation else np.asarray
        total: dict[tuple[str, str], float] = {}
        used = self.pairs[:20]
        for disease, drug in used:
            for unit, value in _left_out(score, disease, drug, change).items():
                total[unit] = total.get(unit, 0.0) + value / len(used)
        variance = 0.0
        for kind in {unit[0] for unit in total}:
            part = np.array([value for unit, value in total.items() if unit[0] == kind])
            variance += (len(part) - 1) / len(part) * float(((part - part.mean()) ** 2).sum())
        half = float(stats.t.ppf(0.975, max(len(total) - 1, 1))) * np.sqrt(variance)
        centre = float(change(np.array(estimate)))
        low, high = centre - half, centre + half
        if score.is_correlation:
            return estimate, float(np.tanh(low)), float(np.tanh(high))
        return estimate, max(low, -1.0), min(high, 1.0)


def _parted(
    disease: DiseaseData, drug: DrugData, shared: NDArray[np.int64], rng: np.random.Generator
) -> tuple[DiseaseData, DrugData]:
    """Half of the shared patients for the drug, the other half for the disease."""
    both = rng.permutation(np.flatnonzero(shared >= 0))
    for_drug = both[: len(both) // 2]
    for_disease = both[len(both) // 2 :]
    rows = np.setdiff1d(np.arange(len(disease.samples)), shared[for_drug])
    patients = np.setdiff1d(np.arange(len(shared)), for_disease)
    return disease.part(rows), drug.part(patients)


def _left_out(score: Score, disease: DiseaseData, drug: DrugData, change: Any) -> dict[tuple[str, str], float]:
    """Change of the (transformed) score when each sample or patient is left out."""
    a, b = disease.signature, drug.signature
    whole = float(change(score.compute(a[None], b[None]))[0])
    diseases = a + disease.map.left_out_changes(disease.values)[:, 0]
    n = len(drug.before)
    drugs = (n * b - drug.differences) / (n - 1)
    without = change(score.compute(diseases, np.broadcast_to(b, diseases.shape))) - whole
    without_patient = change(score.compute(np.broadcast_to(a, drugs.shape), drugs)) - whole
    kinds = np.where(disease.is_case, "case", "control")
    found = {(kind, name): float(v) for kind, name, v in zip(kinds, disease.samples, without, strict=True)}
    for name, value in zip(drug.before_samples, without_patient, strict=True):
        key = ("case", name) if ("case", name) in found else ("patient", name)
        found[key] = found.get(key, 0.0) + float(value)
    return found


def _protein_rows(disease: DiseaseData, drug: DrugData) -> pd.DataFrame:
    """Both changes of every protein, what it adds to the cosine, and whether the drug moves it back."""
    import pandas as pd
    from scipy import stats

    a, b, se = disease.signature, drug.signature, disease.standard_error
    n, pairs = len(disease.samples), len(drug.before)
    drug_se = drug.differences.std(axis=0, ddof=1) / np.sqrt(pairs)
    t_disease, t_drug = a / se, b / drug_se
    half = stats.t.ppf(0.975, n - disease.map.basis.shape[1]) * se
    drug_half = stats.t.ppf(0.975, pairs - 1) * drug_se
    percent, _, _, _ = percent_reversal(a, b, se)
    clear = (np.abs(t_disease) >= 3) & (np.abs(t_drug) >= 3)
    direction = np.where(~clear, "", np.where(a * b < 0, "reversed", "worsened"))
    return pd.DataFrame(
        {
            "drug": drug.name, "protein": disease.proteins, "n_case": int(disease.is_case.sum()),
            "n_control": int((~disease.is_case).sum()), "n_pairs": pairs, "disease_logfc": a,
            "disease_ci_low": a - half, "disease_ci_high": a + half, "disease_t": t_disease, "drug_logfc": b,
            "drug_ci_low": b - drug_half, "drug_ci_high": b + drug_half, "drug_t": t_drug,
            "contribution": a * b / np.sqrt((a @ a) * (b @ b)),
            "percent_reversal": percent, "direction": direction, "method": "linear model; mean of after - before",
        }
    )  # fmt: skip
