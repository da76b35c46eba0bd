"""The human half of a study: profiles against healthy people, the Th2 skew they share, drugs that move one back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, RefusedError
from core.problems import Problem
from integration.drug_pairs import disease_groups, drug_pairs
from integration.enrichment import reversal_enrichment
from integration.model_terms import model_terms
from integration.pingouin_results import Estimate, linear_slope
from integration.reversal import ReversalOptions, drug_reversal
from integration.reversal_data import disease_data, drug_data
from integration.signature_intervals import axis_intervals, with_intervals
from integration.signatures import Signature, axis_logfc, build_signature, signature_quadrants
from integration.similarity import SimilarityOptions, group_similarity, similarity_difference
from integration.symbol_levels import symbol_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr

__all__ = ["SKEW_COLUMNS", "PeopleOptions", "PeopleResult", "analyse_people"]

SKEW_COLUMNS = (
    "disease", "reference", "axis", "n", "n_1", "n_0", "estimate", "se", "ci_low", "ci_high", "statistic", "df", "p",
    "effect", "effect_name", "method", "model", "note",
)  # fmt: skip

#: Scores compared between each disease and the healthy.
_SKEW_AXES = ("Th2", "Th1", "Th17_Th22", "th2_skew")


@dataclass(frozen=True, kw_only=True)
class PeopleOptions:
    """What is asked of people's serum, fixed before results are seen.

    Parameters
    ----------
    reference
        Group of healthy people.
    diseases
        Groups of patients, the one that the study is about first.
    covariates
        Columns of the table of samples in every model (age, sex, bmi, plate).
    reversed_diseases
        Diseases whose profile drugs are set against; by default the first.
    il4r_drugs
        Drugs that block IL-4R alpha: shown also without IL4, IL13, IL4R.
    score
        The reversal score whose p counts; the others are shown beside it.
    max_q
        q below which a protein has a quadrant.
    n_permutations, n_splits, n_bootstrap
        Of similarity and reversal.
    """

    reference: str
    diseases: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    reversed_diseases: tuple[str, ...] = ()
    il4r_drugs: tuple[str, ...] = ()
    score: str = "spearman"
    max_q: float = 0.05
    n_permutations: int = 1000
    n_splits: int = 100
    n_bootstrap: int = 200

    def __post_init__(self) -> None:
        if not self.diseases:
            raise ValueError("diseases is empty; name at least one group of patients")
        if self.reference in self.diseases:
            raise ValueError(f"reference {self.reference!r} is one of the diseases")
        if unknown := [name for name in self.reversed_diseases if name not in self.diseases]:
            raise ValueError(f"reversed_diseases {unknown[0]!r} is not one of the diseases")
        if self.score not in ReversalOptions().scores:
            raise ValueError(f"score {self.score!r}: {', '.join(ReversalOptions().scores)}")
        if not 0 < self.max_q <= 1:
            raise ValueError(f"max_q is {self.max_q}; it lies above 0, up to 1")
        self.similarity()
        self.reversal()

    def similarity(self) -> SimilarityOptions:
        """Options of the similarity of profiles."""
        return SimilarityOptions(n_permutations=self.n_permutations, n_splits=self.n_splits)

    def reversal(self, pre_analytical: tuple[str, ...] = ()) -> ReversalOptions:
        """Options of the reversal by drugs."""
        without = (("without pre-analytical proteins", pre_analytical),) if pre_analytical else ()
        return ReversalOptions(
            without=without, il4r_drugs=self.il4r_drugs, n_permutations=self.n_permutations, n_splits=self.n_splits,
            n_bootstrap=self.n_bootstrap,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PeopleResult:
    """``tables`` by name, in the order of reading, and ``problems``."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def analyse_people(
    ds: xr.Dataset, samples: pd.DataFrame, *, options: PeopleOptions, seed: int, file: str = ""
) -> PeopleResult:
    """Every table of the human half that the data allow; parts that are refused are problems, the others go on.

    Parameters
    ----------
    ds
        Abundance Dataset of people's serum.
    samples
        Index = sample; ``group, subject, drug, time`` as text (blank where it does not apply) and the covariates.
    options
        Groups, covariates, resamplings.
    seed
        Of all resampling.
    file
        The table of samples, for errors.

    Returns
    -------
    PeopleResult
        Tables ``people_groups, people_axis_scores, people_skew, people_signatures, people_axes, people_similarity,
        people_similarity_difference, people_quadrants, people_reversal, people_ranking, people_reversal_proteins,
        people_enrichment``.

    Raises
    ------
    InputError
        If a group or covariate does not exist, or samples do not make pairs.
    """
    work = _Work(ds, samples, options, seed, file)
    work.all()
    return PeopleResult(tables=work.tables, problems=work.problems)


class _Work:
    """The parts of the analysis, one after the other."""

    def __init__(self, ds: xr.Dataset, samples: pd.DataFrame, options: PeopleOptions, seed: int, file: str) -> None:
        self.options, self.file = options, file
        self.rng = np.random.default_rng([seed, 4107])
        self.levels, self.problems = symbol_levels(ds)
        self.ds = ds
        self.samples = self._matched(samples)
        self.groups = disease_groups(self.samples, (options.reference, *options.diseases), file=file)
        self.signatures: dict[str, Signature] = {}
        self.tables: dict[str, pd.DataFrame] = {}
        self._check()

    def _matched(self, samples: pd.DataFrame) -> pd.DataFrame:
        """Samples on both sides; those on one side only are listed."""
        measured = self.levels.index
        for code, lost, text in (
            ("missing_sample", samples.index.difference(measured), "is not among the samples of the serum file"),
            ("unknown_sample", measured.difference(samples.index), "of the serum file is not in the samples table"),
        ):
            self.problems += [
                Problem(code=code, where=f"sample {name}", message=f"sample {name!r} {text}", action="left out")
                for name in lost
            ]
        return samples[samples.index.isin(measured)]

    def _check(self) -> None:
        for name in (self.options.reference, *self.options.diseases):
            if not (self.groups == name).any():
                known = ", ".join(sorted(set(self.samples["group"]) - {""}))
                raise InputError(f"no sample is in group {name}", file=self.file or None, expected=f"one of {known}")
        for name in self.options.covariates:
            if name not in self.samples:
                raise InputError(f"no column {name}", file=self.file or None,
                                 found=", ".join(map(str, self.samples.columns)))  # fmt: skip
        complete = self._covariate_cells().notna().all(axis=1)
        for sample in self.groups.index[~complete]:
            self.problems.append(
                Problem(code="not_analysed", where=f"sample {sample}", message="a covariate has no value",
                        action="left out of the profiles")
            )  # fmt: skip
        self.groups = self.groups[complete]

    def _covariate_cells(self) -> pd.DataFrame:
        """Covariates of the groups' samples, blanks as missing."""
        cells = self.samples.loc[self.groups.index, list(self.options.covariates)]
        return cells.replace("", np.nan)

    def _columns(self, chosen: pd.Index) -> pd.DataFrame | None:
        if not self.options.covariates:
            return None
        built = model_terms(self.samples.loc[chosen], list(self.options.covariates)).columns
        return built if built.shape[1] else None

    def all(self) -> None:
        self.tables["people_groups"] = self._counts()
        for what, part in (
            ("Th2 skew of people", self._skew), ("profiles of people", self._profiles),
            ("similarity of profiles", self._similarity), ("closer to which profile", self._differences),
            ("reversal by drugs", self._reversal),
        ):  # fmt: skip
            self._attempt(what, part)

    def _attempt(self, what: str, part: Callable[[], None]) -> None:
        try:
            part()
        except RefusedError as error:
            self.problems.append(Problem(code="test_refused", where=what, message=str(error), action="left out"))

    def _counts(self) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for name in (self.options.reference, *self.options.diseases):
            own = self.groups.index[self.groups == name]
            drugs = self.samples.loc[own, "drug"]
            treated = ", ".join(f"{drug} {n}" for drug, n in drugs[drugs != ""].value_counts().sort_index().items())
            rows.append({"group": name, "n": len(own), "treated_later": treated})
        return pd.DataFrame(rows)

    def _skew(self) -> None:
        import pandas as pd

        from proteomics.axes import axis_scores

        chosen = self.ds.isel(sample=np.isin(self.ds["sample"].values.astype(str), self.groups.index.astype(str)))
        reference = self.groups.index[self.groups == self.options.reference].tolist()
        scores = axis_scores(chosen, species="human", reference=reference)
        self.problems += scores.problems
        table = scores.table
        table.insert(1, "subject", self.samples.loc[table["sample"], "subject"].to_numpy())
        table.insert(2, "group", self.groups.loc[table["sample"]].to_numpy())
        self.tables["people_axis_scores"] = table
        wide = table.pivot(index="sample", columns="axis", values="score")
        rows = [self._skew_row(wide, disease, axis) for disease in self.options.diseases for axis in _SKEW_AXES]
        self.tables["people_skew"] = pd.DataFrame(rows, columns=list(SKEW_COLUMNS))

    def _skew_row(self, wide: pd.DataFrame, disease: str, axis: str) -> dict[str, Any]:
        """Difference of one score between a disease and the healthy, covariates held constant."""
        pair = self.groups[self.groups.isin([disease, self.options.reference])]
        values = wide.loc[pair.index, axis].dropna()
        pair = pair[values.index]
        case = (pair == disease).to_numpy()
        head: dict[str, Any] = {
            "disease": disease, "reference": self.options.reference, "axis": axis, "n_1": int(case.sum()),
            "n_0": int((~case).sum()), "note": "",
        }  # fmt: skip
        if min(head["n_1"], head["n_0"]) < 4:
            return head | {
                "n": len(pair),
                "note": f"refused: {head['n_1']} and {head['n_0']} people, at least 4 needed",
            }
        columns = self._columns(pair.index)
        terms = _no_terms(pair.index) if columns is None else columns
        fit: Estimate = linear_slope(values.to_numpy(), case.astype(np.float64), terms)
        numbers = {name: value for name, value in fit.__dict__.items() if name in SKEW_COLUMNS}
        return head | numbers | {"model": " + ".join([f"{axis} ~ group", *self.options.covariates])}

    def _profiles(self) -> None:
        import pandas as pd

        from proteomics.abundance import from_frame
        from proteomics.differential import two_group

        ds = from_frame(self.levels, platform="", species="human", unit="log2")
        tables, axes = [], []
        for disease in self.options.diseases:
            part = self.groups[self.groups.isin([disease, self.options.reference])]
            fitted = two_group(ds, group=part, case=disease, reference=self.options.reference,
                               covariates=self._columns(part.index))  # fmt: skip
            signature = build_signature(
                fitted.table, name=f"{disease} - {self.options.reference}", samples_1=part.index[part == disease],
                samples_0=part.index[part == self.options.reference], material="serum protein",
            )  # fmt: skip
            self.signatures[disease] = signature
            tables.append(fitted.table.assign(contrast=signature.name))
            terms = self._columns(part.index)
            axes.append(axis_intervals(
                axis_logfc(signature), self.levels.loc[part.index], is_case=(part == disease).to_numpy(),
                columns=_no_terms(part.index) if terms is None else terms,
            ))  # fmt: skip
        whole = pd.concat(tables, ignore_index=True)
        whole = with_intervals(whole)
        self.tables["people_signatures"] = whole[["contrast", *(name for name in whole if name != "contrast")]]
        self.tables["people_axes"] = pd.concat(axes, ignore_index=True)
        first = self.signatures[self.options.diseases[0]]
        quadrants = [
            signature_quadrants(first, other, max_q=self.options.max_q).assign(
                contrast_a=first.name, contrast_b=other.name
            )
            for name, other in self.signatures.items()
            if name != self.options.diseases[0]
        ]
        if quadrants:
            self.tables["people_quadrants"] = pd.concat(quadrants, ignore_index=True)

    def _similarity(self) -> None:
        import pandas as pd

        healthy = self.options.reference
        found = [
            group_similarity(
                self.levels, group=self.groups, contrast_a=(a, healthy), contrast_b=(b, healthy),
                covariates=self._columns(self.groups.index[self.groups.isin([a, b, healthy])]),
                options=self.options.similarity(), seed=self.rng,
            )
            for a, b in combinations(self.options.diseases, 2)
        ]  # fmt: skip
        if found:
            self.tables["people_similarity"] = pd.concat([each.table for each in found], ignore_index=True)
            self.problems += found[0].problems

    def _differences(self) -> None:
        """Whether the first disease's profile is closer to one than to another of the others."""
        import pandas as pd

        first, healthy = self.options.diseases[0], self.options.reference
        tables = []
        for a, b in combinations(self.options.diseases[1:], 2):
            chosen = self.groups.index[self.groups.isin([first, a, b, healthy])]
            table = similarity_difference(
                self.levels, group=self.groups, contrast=(first, healthy), first=(a, healthy), second=(b, healthy),
                covariates=self._columns(chosen), options=self.options.similarity(), seed=self.rng,
            )  # fmt: skip
            tables.append(table.assign(disease=first, closer_to=a, than_to=b))
        if tables:
            self.tables["people_similarity_difference"] = pd.concat(tables, ignore_index=True)

    def _reversal(self) -> None:
        import pandas as pd

        from proteomics.axes import axis_members

        if not (self.samples["drug"] != "").any():
            return
        pairs, problems = drug_pairs(self.samples, file=self.file)
        self.problems += problems
        handling = tuple(
            sorted({each.symbol for each in axis_members("human") if each.axis.startswith("preanalytical")})
        )
        drugs = []
        for name, each in pairs.items():
            try:
                drugs.append(drug_data(self.levels, name=name, pairs=each))
            except RefusedError as error:
                self.problems.append(
                    Problem(code="test_refused", where=f"drug {name}", message=str(error), action="not scored")
                )
        if not drugs:
            counts = ", ".join(f"{name} {len(each)}" for name, each in pairs.items())
            raise RefusedError("no drug has enough patients before and after", found=counts or "no pair",
                               expected="4 pairs of one drug")  # fmt: skip
        found: dict[str, list[pd.DataFrame]] = {}
        for disease in self.options.reversed_diseases or self.options.diseases[:1]:
            pair = self.groups[self.groups.isin([disease, self.options.reference])]
            side = disease_data(self.levels, group=pair, case=disease, reference=self.options.reference,
                                covariates=self._columns(pair.index))  # fmt: skip
            result = drug_reversal(side, drugs, options=self.options.reversal(handling), seed=self.rng)
            self.problems += result.problems
            for name, table in (
                ("people_reversal", result.table), ("people_ranking", result.ranking),
                ("people_reversal_proteins", result.proteins), ("people_enrichment", reversal_enrichment(result)),
            ):  # fmt: skip
                found.setdefault(name, []).append(table.assign(disease=disease))
        for name, parts in found.items():
            whole = pd.concat(parts, ignore_index=True)
            self.tables[name] = whole[["disease", *(column for column in whole if column != "disease")]]


def _no_terms(index: pd.Index) -> pd.DataFrame:
    """A model with an intercept alone."""
    import pandas as pd

    return pd.DataFrame(index=index)
