"""Two steps from the animals table and the serum: cohort, axis scores and group differences; associations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import RefusedError
from core.problems import Problem
from stressaxis.stepfiles import read_table, write_problems, write_table
from stressaxis.steps.animals import ANIMALS, RELIABILITY
from stressaxis.steps.serum import read_abundance

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from integration.association import AssociationOptions
    from integration.cohort import Cohort, CohortOptions
    from integration.treatment import TreatmentOptions
    from proteomics.axes import AxisScores
    from proteomics.differential import ModerationOptions
    from proteomics.serum_handling import HandlingReport

__all__ = ["LIBRARIES", "StatisticsPlan", "analyse_cohort"]

#: What takes long to load.
LIBRARIES = (
    "pingouin",
    "statsmodels.api",
    "formulaic",
    "integration.association_details",
    "integration.explorations",
    "proteomics.axes",
)


@dataclass(frozen=True, kw_only=True)
class StatisticsPlan:
    """What is asked.

    Parameters
    ----------
    roles
        Groups by role.
    species
        Of the serum; blank without serum.
    joining
        How tables are joined.
    association
        Outcomes, declared set and models.
    moderation
        How variances are moderated over the panel.
    treatment
        Treatments beside defeat; None: none are compared.
    seed
        Of permutations.
    class_cut
        SI ratio below which a defeated mouse was classed susceptible.
    """

    roles: Mapping[str, Sequence[str]]
    species: str
    joining: CohortOptions
    association: AssociationOptions
    moderation: ModerationOptions
    treatment: TreatmentOptions | None = None
    seed: int = 0
    class_cut: float = 1.0


def analyse_cohort(
    output: Path,
    *,
    part: Literal["groups", "associations"],
    needs: Mapping[str, Path | None],
    plan: StatisticsPlan,
    subjects: Sequence[Mapping[str, Any]],
    samples: Sequence[Mapping[str, Any]] | None,
    outcomes: Sequence[Mapping[str, Any]] | None,
) -> None:
    """Write one part of the statistics, as far as the data allow; both parts can be worked on at once.

    Parameters
    ----------
    part
        ``groups``: cohort, axis scores, markers and the differences between groups; ``associations``: of markers with
        behavior, what goes with them, and who was analysed in each.
    needs
        ``animals`` and ``serum`` where the experiment has them.
    plan
        What is asked.
    subjects, samples, outcomes
        Rows of the user's tables; None where there is none.
    """
    import pandas as pd

    animals_folder, serum_folder = needs.get("animals"), needs.get("serum")
    animals = None if animals_folder is None else read_table(animals_folder / ANIMALS)
    abundance = None if serum_folder is None else read_abundance(serum_folder)
    frames = [None if rows is None else pd.DataFrame(list(rows)) for rows in (samples, outcomes)]
    work = _Work(output, plan, animals, abundance, pd.DataFrame(list(subjects)), *frames)
    if animals_folder is not None and (animals_folder / RELIABILITY).is_file():
        work.reliability = read_table(animals_folder / RELIABILITY)
    if part == "groups":
        work.groups()
    else:
        work.associations()
    write_problems(work.problems, output)


class _Work:
    """The parts of the statistics; each part that is refused is a Problem, and the others go on."""

    def __init__(
        self,
        output: Path,
        plan: StatisticsPlan,
        animals: pd.DataFrame | None,
        abundance: xr.Dataset | None,
        subjects: pd.DataFrame,
        samples: pd.DataFrame | None,
        outcomes: pd.DataFrame | None,
    ) -> None:
        self.output, self.plan, self.abundance = output, plan, abundance
        self.subjects, self.animals, self.samples, self.outcomes = subjects, animals, samples, outcomes
        self.reliability: pd.DataFrame | None = None
        self.problems: list[Problem] = []
        self._handling: HandlingReport | None = None
        self.cohort = self._join(None)

    def _join(self, scores: pd.DataFrame | None) -> Cohort:
        from integration.cohort import join_cohort

        cohort = join_cohort(
            subjects=self.subjects,
            animals=self.animals,
            samples=self.samples,
            abundance=self.abundance,
            axis_scores=scores,
            outcomes=self.outcomes,
            roles=self.plan.roles,
            options=self.plan.joining,
        )
        return self._with_handling(_with_time_to_bleed(cohort))

    def _with_handling(self, cohort: Cohort) -> Cohort:
        """Scores of serum handling as columns, those that the models ask for and no table of the user gives."""
        from proteomics.serum_handling import HANDLING, handling_report

        models = self.plan.association
        asked = [name for name in HANDLING if name in (*models.covariates, *models.terms) and name not in cohort.table]
        if not asked or self.abundance is None:
            return cohort
        found = self._handling = self._handling or handling_report(self.abundance, species=self.plan.species)
        scores = found.scores.set_index("sample").reindex(cohort.table["sample"])
        added = {name: scores[name].to_numpy() for name in asked if name not in found.refused}
        refused = [
            Problem(code="axis_refused", where=f"covariate {name}", message=found.refused[name], action="in no model")
            for name in asked
            if name in found.refused
        ]
        return replace(cohort, table=cohort.table.assign(**added), problems=[*cohort.problems, *refused])

    @property
    def serum(self) -> xr.Dataset:
        """The abundance Dataset of an experiment that has one."""
        assert self.abundance is not None
        return self.abundance

    def groups(self) -> None:
        if self.abundance is not None and "sex" in self.cohort.table:
            self.problems += self._sexes()
        if scores := self._axes():
            self._write_axes(scores)
        if self.abundance is not None and len(self._analysed()):
            self._differential()
        self.problems += self.cohort.problems
        self._attempt("group comparisons", self._comparisons)
        if self.plan.treatment is not None:
            self._attempt("treatment", self._treatment)
        write_table(self.cohort.table.reset_index(), self.output / "cohort.csv")
        if self.cohort.markers.shape[1]:
            write_table(self.cohort.markers.reset_index(), self.output / "markers.csv")

    def associations(self) -> None:
        from integration.counts import group_counts

        self._axes()
        # What is wrong with the axes is told beside their scores.
        self.problems.clear()
        analysed = self._attempt("association", self._association)
        write_table(group_counts(self.cohort, analysed=analysed), self.output / "group_counts.csv")

    def _attempt(self, what: str, part: Callable[[], Any]) -> Any:
        try:
            return part()
        except RefusedError as error:
            self.problems.append(Problem(code="test_refused", where=what, message=str(error), action="left out"))
            return None

    def _sexes(self) -> list[Problem]:
        """Samples whose sex-linked proteins contradict the subject's sex."""
        from proteomics.sample_swaps import sex_problems

        with_serum = self.cohort.table[self.cohort.table["has_serum"]]
        sexes = dict(zip(with_serum["sample"], with_serum["sex"].astype(str), strict=True))
        return sex_problems(self.serum, sexes, species=self.plan.species)

    def _axes(self) -> AxisScores | None:
        """Axis scores, which join the cohort as markers; None where there are none."""
        from proteomics.serum_handling import HANDLING

        if self.abundance is None or not len(self._analysed()):
            return None
        scores: AxisScores | None = self._attempt("axis scores", self._score_axes)
        if scores is None:
            return None
        self.problems += scores.problems
        # Refused axes are listed with their reasons; as markers they would be told again as never detected. A score
        # that is a covariate is no marker of the same models.
        adjusted = [axis for name, axis in HANDLING.items() if name in self.cohort.table]
        told = scores.table["score"].notna() & ~scores.table["axis"].isin(adjusted)
        self.cohort = self._join(scores.table[told])
        return scores

    def _score_axes(self) -> AxisScores:
        from proteomics.abundance import set_samples
        from proteomics.axes import axis_scores

        table = self._analysed()
        chosen = self.serum.isel(sample=self.serum["sample"].isin(table["sample"].tolist()).values)
        by_sample = table.reset_index().set_index("sample")
        chosen = set_samples(chosen, by_sample[["subject"]])
        reference = table.loc[table["role"] == "control", "sample"].tolist()
        return axis_scores(chosen, species=self.plan.species, reference=reference)

    def _write_axes(self, scores: AxisScores) -> None:
        subjects = self._analysed().reset_index().set_index("sample")["subject"]
        result = scores.table.copy()
        result.insert(1, "subject", subjects.reindex(result["sample"]).to_numpy())
        write_table(result, self.output / "axis_scores.csv")
        write_table(scores.members, self.output / "axis_members.csv")

    def _analysed(self) -> pd.DataFrame:
        """Subjects with a serum sample that are not excluded."""
        table = self.cohort.table
        return table[table["has_serum"] & (table["excluded"] == "")]

    def _differential(self) -> None:
        from integration.signature_intervals import with_intervals

        table = self._analysed()
        wanted: list[tuple[str, Callable[[], Any]]] = []
        if (table["role"] == "control").any():
            wanted.append(("defeated_vs_control", lambda: self._two_group(table["role"], "defeated", "control")))
        if "class" in table and table["class"].isin(["SUS", "RES"]).any():
            wanted.append(("SUS_vs_RES", lambda: self._two_group(table["class"], "SUS", "RES")))
        if {"iz_target_s", "iz_no_target_s"} <= set(table.columns):
            wanted.append(("per_target_s", self._slope))
        for name, work in wanted:
            result = self._attempt(f"differential {name}", work)
            if result is not None:
                write_table(with_intervals(result.table), self.output / f"differential_{name}.csv")

    def _two_group(self, labels: pd.Series[Any], case: str, reference: str) -> Any:
        """One group against another; what defines the groups (``role``: group and treatment) is no covariate."""
        from proteomics.differential import two_group

        table = self._analysed()
        part = table[labels.reindex(table.index).isin([case, reference])]
        return two_group(
            self.serum,
            group=labels[part.index].set_axis(part["sample"]),
            case=case,
            reference=reference,
            covariates=self._terms(part, without=("group", "treatment") if case == "defeated" else ("group",)),
            options=self.plan.moderation,
        )

    def _slope(self) -> Any:
        """The primary question turned round and asked of every protein: marker per second of target time."""
        from proteomics.differential import slope

        table = self._analysed()
        measured = table[["iz_target_s", "iz_no_target_s"]].notna().all(axis=1)
        part = table[(table["role"] == "defeated") & measured]
        least = self.plan.association.min_subjects
        if len(part) < least:
            raise RefusedError("too few defeated subjects with both trials and serum", found=str(len(part)),
                               expected=f"at least {least}")  # fmt: skip
        return slope(
            self.serum,
            covariate=part["iz_target_s"].set_axis(part["sample"]),
            adjust=self._terms(part, first=("iz_no_target_s",)),
            options=self.plan.moderation,
        )

    def _terms(
        self, part: pd.DataFrame, *, first: tuple[str, ...] = (), without: tuple[str, ...] = ("group",)
    ) -> pd.DataFrame | None:
        """Cohort, plate and the other declared terms as model columns, without what one of them repeats."""
        from integration.model_terms import model_terms

        terms = self.plan.association.terms
        names = [*first, *(name for name in terms if name in part and name not in without)]
        columns = model_terms(part, names).columns
        return columns.set_axis(part["sample"]) if columns.shape[1] else None

    def _association(self) -> Any:
        from integration.association import associate
        from integration.association_details import association_details
        from integration.explorations import explorations

        if not self.cohort.marker_info.size:
            return None
        result = associate(self.cohort, options=self.plan.association)
        self.problems += result.problems
        write_table(result.table, self.output / "association.csv")
        details = association_details(
            self.cohort, result, options=self.plan.association, reliability=self.reliability, seed=self.plan.seed
        )
        if len(details):
            write_table(details, self.output / "association_details.csv")
        for name, table in explorations(
            self.cohort, result, options=self.plan.association, class_cut=self.plan.class_cut, seed=self.plan.seed
        ).items():
            write_table(table, self.output / f"{name}.csv")
        return result.analysed

    def _comparisons(self) -> None:
        from integration.contrasts import compare_groups

        result = compare_groups(self.cohort)
        self.problems += result.problems
        if len(result.table):
            write_table(result.table, self.output / "group_comparisons.csv")

    def _treatment(self) -> None:
        from integration.treatment import treatment_effects

        assert self.plan.treatment is not None
        result = treatment_effects(self.cohort, options=self.plan.treatment)
        self.problems += result.problems
        write_table(result.table, self.output / "treatment.csv")


def _with_time_to_bleed(cohort: Cohort) -> Cohort:
    """Days from the last defeat session to the bleed that was chosen, where both are dated."""
    from behavior.record_sums import days_between

    table = cohort.table
    if "last_defeat" not in table:
        return cohort
    names = [str(subject) for subject in table.index]
    bled = dict(zip(names, table["bleed"], strict=True)) if "bleed" in table else {}
    days = days_between(dict(zip(names, table["last_defeat"], strict=True)), bled)
    return replace(cohort, table=table.assign(defeat_to_bleed_days=[days[name] for name in names]))
