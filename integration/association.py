"""Markers against behavior: the adjusted model first, correlations beside it, within defeated mice first, then all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from integration.censored_marker import CENSORED_METHOD, censored_slopes
from integration.markers import Markers, select_markers
from integration.model_terms import ModelTerms, coincide, complete_rows, model_terms
from integration.multiplicity import add_q_values
from integration.outcomes import Outcome, outcome_named
from integration.pingouin_results import Estimate, correlation, linear_slope, partial_correlation
from integration.power import smallest_detectable_correlation
from integration.slope_difference import slope_difference

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

    Column = NDArray[np.float64]

__all__ = ["ASSOCIATION_COLUMNS", "Association", "AssociationOptions", "associate"]

ASSOCIATION_COLUMNS = (
    "subset", "outcome", "marker", "symbol", "kind", "method", "n", "estimate", "se", "ci_low", "ci_high",
    "statistic", "df", "p", "q_set", "q_panel", "effect", "effect_name", "smallest_detectable", "in_set",
    "model", "note",
)  # fmt: skip

_FAMILY = ("subset", "outcome", "method", "kind")


@dataclass(frozen=True, kw_only=True)
class AssociationOptions:
    """What is asked, fixed before results are seen.

    Parameters
    ----------
    outcomes
        Outcomes, the primary one first: ``target_time``, ``si_ratio``, ``velocity_drop`` or columns of the outcomes
        table.
    declared_set
        Symbols of the set in which ``q_set`` is computed.
    terms
        Columns that enter every model where the study has them and they vary.
    covariates
        Further columns (``time_since_defeat_h``, ``body_mass_g``); subjects without a value are not analysed. Scores of
        serum handling (``platelet_z``, ``haemolysis_z``, ``delay_z``) need no column: they come from the serum itself.
    min_detected
        Least share of analysed samples in which a protein is above its LOD.
    min_subjects, min_df
        Below these numbers of subjects or residual degrees of freedom there is no test.
    power
        Power to which the smallest detectable effect refers.
    """

    outcomes: tuple[str, ...] = ("target_time", "si_ratio", "velocity_drop")
    declared_set: tuple[str, ...] = ()
    terms: tuple[str, ...] = ("cohort", "plate", "sex", "strain", "treatment", "group")
    covariates: tuple[str, ...] = ()
    min_detected: float = 0.5
    min_subjects: int = 6
    min_df: int = 3
    power: float = 0.8

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError("outcomes is empty; name at least the primary one")
        if not 0 <= self.min_detected <= 1:
            raise ValueError(f"min_detected is {self.min_detected}; it is a share between 0 and 1")
        if self.min_subjects < 4 or self.min_df < 1:
            raise ValueError("min_subjects must be 4 or more and min_df 1 or more")
        if not 0 < self.power < 1:
            raise ValueError(f"power is {self.power}; it lies between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Association:
    """Result of :func:`associate`.

    Parameters
    ----------
    table
        Columns :data:`ASSOCIATION_COLUMNS`.
    analysed
        Subjects by (subset, outcome).
    markers
        The markers with the mean and SD by which they were standardised.
    problems
        Markers dropped, subjects not analysed, subsets refused.
    """

    table: pd.DataFrame
    analysed: dict[tuple[str, str], tuple[str, ...]]
    markers: Markers
    problems: list[Problem]


def associate(cohort: Cohort, *, options: AssociationOptions = AssociationOptions()) -> Association:
    """Every marker against every outcome.

    For each subset (``defeated`` first, then ``all``), outcome and marker the table has one row per method:

    - ``ancova`` (target time: ``iz_target_s ~ marker + iz_no_target_s + cohort + plate + ...``) or ``linear_model``
      (other outcomes, without that baseline): slope in outcome units per SD of the log2 marker; effect = partial r;
    - ``interaction`` (subset ``all``): slope in defeated minus slope in control mice, each from its own model with its
      own residual variance (Satterthwaite's degrees of freedom): defeated mice differ more from one another than
      controls, and one common variance makes this test miss its level;
    - ``partial_pearson``, ``partial_spearman``: given the same terms;
    - ``pearson``, ``spearman``: given nothing; a note names what they leave out;
    - ``censored_model``, beside the others for proteins with a value below LOD or above the range: the marker on the
      outcome and the same terms, such values entering as censored (:mod:`integration.censored_marker`). Slope in SD of
      the marker per unit of the outcome; effect = partial r, to be read beside that of the model.

    Subset ``all`` has the group in the model, for a pooled correlation mostly shows that defeat moves both. Where
    group and plate, or group and cohort, coincide, that subset is refused.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    options
        Outcomes, declared set, terms and limits.

    Raises
    ------
    RefusedError
        If an outcome or covariate does not exist, or no subject has both a marker and an outcome.
    """
    import pandas as pd

    outcomes = [outcome_named(name, cohort.table) for name in options.outcomes]
    terms = _terms_at_hand(cohort.table, options)
    eligible, problems = _eligible(cohort.table, outcomes, terms)
    anyone = sorted(set().union(*eligible.values()))
    if not anyone:
        raise RefusedError(
            "no subject has a serum value and an outcome",
            found=f"0 of {len(cohort.table)} subjects in the subjects table", expected="1 or more",
            remedy="compare the ids of the tables; problems.csv lists those found on one side only",
        )  # fmt: skip
    markers = select_markers(cohort, anyone, declared_set=options.declared_set, min_detected=options.min_detected)
    rows: list[dict[str, Any]] = []
    analysed: dict[tuple[str, str], tuple[str, ...]] = {}
    for subset, members in _subsets(cohort.table):
        for outcome in outcomes:
            chosen = [subject for subject in members if subject in eligible[outcome.name]]
            analysed[subset, outcome.name] = tuple(chosen)
            part = _Part(cohort.table.loc[chosen], subset, outcome, terms, options)
            rows += part.rows(markers)
            rows += part.censored(markers, cohort)
            problems += part.problems()
    table = pd.DataFrame(rows, columns=[name for name in ASSOCIATION_COLUMNS if not name.startswith("q_")])
    table = add_q_values(table, family=_FAMILY)[list(ASSOCIATION_COLUMNS)]
    return Association(table=table, analysed=analysed, markers=markers, problems=problems + markers.problems)


def _terms_at_hand(table: pd.DataFrame, options: AssociationOptions) -> tuple[str, ...]:
    if missing := [name for name in options.covariates if name not in table]:
        raise RefusedError(
            f"covariate {missing[0]} is in no table",
            found=f"0 of {table.shape[1]} columns",
            expected=f"one of {', '.join(map(str, table.columns))}",
        )
    return tuple(dict.fromkeys([*options.covariates, *(name for name in options.terms if name in table)]))


def _eligible(
    table: pd.DataFrame, outcomes: Sequence[Outcome], terms: Sequence[str]
) -> tuple[dict[str, set[str]], list[Problem]]:
    """Subjects that can be analysed for each outcome, and why others with serum cannot."""
    eligible: dict[str, set[str]] = {}
    problems = []
    usable = table[table["has_serum"] & (table["excluded"] == "")]
    for outcome in outcomes:
        needed = [outcome.column, *outcome.baseline, *terms]
        given = {name: complete_rows(usable, [name]) for name in dict.fromkeys(needed)}
        complete = complete_rows(usable, needed)
        eligible[outcome.name] = set(usable.index[complete])
        for subject in usable.index[~complete]:
            lacking = [name for name, column in given.items() if not column[subject]]
            problems.append(
                Problem(
                    code="not_analysed",
                    subject=subject,
                    where=f"outcome {outcome.name}",
                    message=f"no value of {', '.join(lacking)}",
                    action="left out of this outcome's models",
                )
            )
    return eligible, problems


def _subsets(table: pd.DataFrame) -> Iterator[tuple[str, pd.Index]]:
    """Defeated mice, then both roles together; without roles all subjects are one subset."""
    if not (table["role"] != "").any():
        yield "all", table.index
        return
    defeated, control = table["role"] == "defeated", table["role"] == "control"
    if defeated.any():
        yield "defeated", table.index[defeated]
    if control.any():
        yield "all", table.index[defeated | control]


@dataclass
class _Part:
    """One subset and outcome: its models share subjects and terms."""

    table: pd.DataFrame
    subset: str
    outcome: Outcome
    terms: tuple[str, ...]
    options: AssociationOptions
    _made: dict[str, ModelTerms] = field(default_factory=dict)

    def rows(self, markers: Markers) -> list[dict[str, Any]]:
        _, refusal = self.refusal()
        rows = []
        for marker, info in markers.info.iterrows():
            head = {"subset": self.subset, "outcome": self.outcome.name, "marker": marker} | {
                name: info[name] for name in ("symbol", "kind", "in_set")
            }
            values = markers.z[marker].reindex(self.table.index)
            for estimate in self._refused(values, refusal) if refusal else self._estimates(values):
                note = "; ".join(part for part in (info["note"], estimate.pop("note")) if part)
                rows.append(head | estimate | {"note": note})
        return rows

    def censored(self, markers: Markers, cohort: Cohort) -> Iterator[dict[str, Any]]:
        """Rows of the censored model, for proteins that need it."""
        if self.refusal()[1] or cohort.limits is None or cohort.sides is None:
            return
        sides = cohort.sides.loc[self.table.index]
        needed = [name for name in markers.info.index if name in sides and (sides[name] != 0).any()]
        y: Column = np.array(self.table[self.outcome.column], dtype=np.float64)
        if not needed or np.ptp(y) == 0:
            return
        info = markers.info.loc[needed]
        z = (cohort.limits.loc[self.table.index, needed] - info["mean"]) / info["sd"]
        found = censored_slopes(z, sides[needed], y, self._whole.columns)
        for marker, row in found.to_dict("index").items():
            told = {str(name): value for name, value in row.items() if name not in ("n_censored", "note")}
            estimate = Estimate(method=CENSORED_METHOD, effect_name="partial_r", **told)
            count = f"{row['n_censored']} of {row['n']} values beyond a limit, entered as censored"
            note = "; ".join(part for part in (str(info.at[marker, "note"]), count, row["note"]) if part)
            formula = " + ".join([f"marker ~ {self.outcome.column}", *self._whole.terms])
            head = {"subset": self.subset, "outcome": self.outcome.name, "marker": marker}
            head |= {name: info.at[marker, name] for name in ("symbol", "kind", "in_set")}
            yield head | self._row(estimate, self._whole.columns.shape[1], formula, note)

    def refusal(self) -> tuple[str, str]:
        """Problem code and reason why this subset cannot be analysed at all; blank if it can."""
        n, least = len(self.table), self.options.min_subjects
        if n < least:
            return "test_refused", f"refused: {n} subjects, at least {least} needed"
        if self.subset != "all" or self.table["role"].nunique() < 2:
            return "", ""
        for nuisance in ("plate", "cohort"):
            if nuisance in self.terms and coincide(list(self.table["role"]), list(self.table[nuisance])):
                levels = self.table[nuisance].nunique()
                reason = f"refused: each of the {levels} levels of {nuisance} holds one group only"
                return f"group_is_{nuisance}", f"{reason}; group and {nuisance} cannot be told apart"
        return "", ""

    def problems(self) -> list[Problem]:
        place = f"subset {self.subset}, outcome {self.outcome.name}"
        code, reason = self.refusal()
        if code:
            return [Problem(code=code, where=place, message=reason, action="no test")]
        notes = self._whole.notes
        return [
            Problem(
                code="cohort_is_plate" if note.startswith("plate and cohort are") else "redundant_term",
                where=place,
                message=note,
                action="the model has one of them",
            )
            for note in notes
        ]

    @property
    def _whole(self) -> ModelTerms:
        """The model of markers that have a value in every subject."""
        return self._model(self.table)

    def _model(self, table: pd.DataFrame, role: str = "") -> ModelTerms:
        """The model of the subjects of a table, or of those of one role; made once for all of them."""
        whole = len(table) == len(self.table)
        if whole and role in self._made:
            return self._made[role]
        part = table[table["role"] == role] if role else table
        model = model_terms(part, [*self.outcome.baseline, *self.terms])
        if whole:
            self._made[role] = model
        return model

    def _refused(self, values: pd.Series[float], refusal: str) -> list[dict[str, Any]]:
        empty = Estimate(method=self.outcome.method, n=int(values.notna().sum()))
        return [self._row(empty, 0, "", refusal)]

    def _estimates(self, values: pd.Series[float]) -> list[dict[str, Any]]:
        table = self.table[values.notna()]
        x: Column = np.array(values[values.notna()], dtype=np.float64)
        y: Column = np.array(table[self.outcome.column], dtype=np.float64)
        model = self._model(table)
        k, n = model.columns.shape[1], len(table)
        refusal = self._too_small(n, k, x, y)
        if refusal:
            return self._refused(values, refusal)
        lost = len(self.table) - n
        notes = "; ".join([f"{lost} of {len(self.table)} subjects have no value"] * (lost > 0) + list(model.notes))
        formula = " + ".join([f"{self.outcome.column} ~ marker", *model.terms])
        rows = [self._row(linear_slope(y, x, model.columns, method=self.outcome.method), k, formula, notes)]
        if self.subset == "all" and table["role"].nunique() == 2:
            rows.append(self._interaction(y, x, table))
        for method in ("pearson", "spearman"):
            partial = partial_correlation(x, y, model.columns, method=method)
            rows.append(self._row(partial, k, f"{self.outcome.column}, marker | {' + '.join(model.terms)}", notes))
        for method in ("pearson", "spearman"):
            plain = correlation(x, y, method=method)
            note = "; ".join(part for part in (self._left_out(x, y, plain, model), notes) if part)
            rows.append(self._row(plain, 0, f"{self.outcome.column}, marker", note))
        return rows

    def _left_out(self, x: Column, y: Column, plain: Estimate, model: ModelTerms) -> str:
        """What a plain correlation does not adjust for, and the term that takes most of it away."""
        if not model.terms:
            return ""
        note = f"not adjusted for {', '.join(model.terms)}"
        if not plain.p < 0.05:
            return note
        given = {term: partial_correlation(x, y, model.of(term), method=plain.method) for term in model.terms}
        term, least = min(given.items(), key=lambda item: abs(item[1].estimate))
        if least.p >= 0.05:
            note += f"; it goes with {term}: given {term} alone r = {least.estimate:.2f} (p = {least.p:.2g})"
        return note

    def _too_small(self, n: int, k: int, x: Column, y: Column) -> str:
        if n < self.options.min_subjects:
            return f"refused: {n} subjects with a value, at least {self.options.min_subjects} needed"
        if n - k - 2 < self.options.min_df:
            return f"refused: {n - k - 2} residual degrees of freedom, at least {self.options.min_df} needed"
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            return f"refused: the {'marker' if np.ptp(x) == 0 else 'outcome'} has one value in all {n} subjects"
        return ""

    def _interaction(self, y: Column, x: Column, table: pd.DataFrame) -> dict[str, Any]:
        """Slope in defeated minus slope in control mice, each from its own model."""
        fits: list[Estimate] = []
        formula = f"{self.outcome.column} ~ marker + {' + '.join([*self.outcome.baseline, *self.terms])}, by role"
        for role in ("defeated", "control"):
            own = (table["role"] == role).to_numpy()
            model = self._model(table, role)
            if refusal := self._too_small(int(own.sum()), model.columns.shape[1], x[own], y[own]):
                note = refusal.replace("refused:", f"refused: {role} mice:")
                return self._row(Estimate(method="interaction", n=len(y)), 0, formula, note)
            fits.append(linear_slope(y[own], x[own], model.columns))
        estimate = slope_difference(fits[0], fits[1], method="interaction")
        return self._row(estimate, round(estimate.n - 2 - estimate.df), formula, "")

    def _row(self, estimate: Estimate, k: int, model: str, note: str) -> dict[str, Any]:
        numbers = {name: value for name, value in asdict(estimate).items() if not name.startswith("effect_ci")}
        detectable = smallest_detectable_correlation(estimate.n, n_covariates=k, power=self.options.power)
        return numbers | {"smallest_detectable": detectable, "model": model, "note": note}
