"""How far the primary association hangs on the model: permutation, single mice, cohorts, sexes, measurement error.

For the axis scores and the declared set, on the primary outcome only: these are the results that a reader weighs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from integration.association import Association, AssociationOptions
from integration.contrast_maps import permuted_rows
from integration.model_terms import model_terms
from integration.outcomes import Outcome, outcome_named
from integration.pingouin_results import Estimate, correlation, linear_slope, partial_correlation

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

    Column = NDArray[np.float64]

__all__ = ["DETAIL_COLUMNS", "association_details", "leave_one_out", "permutation_p"]

DETAIL_COLUMNS = (
    "subset", "outcome", "marker", "symbol", "kind", "check", "level", "method", "n", "estimate", "ci_low", "ci_high",
    "p", "effect", "effect_name", "note",
)  # fmt: skip

#: Worst wound of a mouse over its defeat sessions.
WOUNDS = "wound_grade_max"

#: Score of the split-half table that stands for an outcome.
_RELIABILITY_OF = {"target_time": "iz_share_target", "si_ratio": "si_ratio", "velocity_drop": "velocity_drop_cm_s"}


def association_details(
    cohort: Cohort,
    association: Association,
    *,
    options: AssociationOptions | None = None,
    reliability: pd.DataFrame | None = None,
    n_permutations: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Checks of every axis score and declared protein against the primary outcome.

    Per marker, in defeated mice where there are any, else in all: ``permutation`` (p of the adjusted slope by permuting
    residuals within cohort), ``without one mouse`` (range of the slope, the mouse that moves it most), ``without one
    cohort`` and ``within one sex`` (the slope again), ``with wound score`` where wounds are on record (the slope again;
    a wound is a path from defeat to avoidance as well as a confounder, so the primary result is without it, and where
    the model was declared with it the row is ``without wound score``), ``biweight`` (a correlation of the residuals
    that outliers do not drive) and ``measurement error`` (the partial correlation divided by the square root of the
    outcome's split-half reliability: what it would be if avoidance were measured without error).

    Parameters
    ----------
    cohort, association, options
        What was analysed by :func:`integration.association.associate`, and its result.
    reliability
        ``score, subset`` (``all``, ``role defeated``) and ``reliability`` of
        :func:`behavior.reliability.split_half`; None: no such rows.
    n_permutations, seed
        Of the permutation.

    Returns
    -------
    DataFrame
        Columns :data:`DETAIL_COLUMNS`; rows that are refused have NaN and the reason in ``note``.
    """
    import pandas as pd

    options = options or AssociationOptions()
    outcome = outcome_named(options.outcomes[0], cohort.table)
    subsets = [key[0] for key, chosen in association.analysed.items() if key[1] == outcome.name and chosen]
    if not subsets:
        return pd.DataFrame(columns=list(DETAIL_COLUMNS))
    subset = "defeated" if "defeated" in subsets else subsets[0]
    table = cohort.table.loc[list(association.analysed[subset, outcome.name])]
    names = [name for name in options.terms if name in table]
    terms = list(dict.fromkeys([*outcome.baseline, *options.covariates, *names]))
    rng = np.random.default_rng([seed, 911])
    rows: list[dict[str, Any]] = []
    info = association.markers.info
    for marker, facts in info[info["in_set"] | (info["kind"] == "axis")].iterrows():
        values = association.markers.z[marker].reindex(table.index)
        part = _Part(table[values.notna()], np.asarray(values.dropna(), dtype=np.float64), outcome, terms, options)
        head = {"subset": subset, "outcome": outcome.name, "marker": marker, "symbol": facts["symbol"],
                "kind": facts["kind"]}  # fmt: skip
        rows += [head | row for row in part.rows(_reliability(reliability, outcome, subset), n_permutations, rng)]
    return pd.DataFrame(rows, columns=list(DETAIL_COLUMNS))


def _reliability(table: pd.DataFrame | None, outcome: Outcome, subset: str) -> float | None:
    """Reliability of the outcome in the subset; None where the study has no time courses to split."""
    if table is None or outcome.name not in _RELIABILITY_OF:
        return None
    wanted = subset if subset == "all" else f"role {subset}"
    rows = table[(table["score"] == _RELIABILITY_OF[outcome.name]) & (table["subset"] == wanted)]
    return float(rows["reliability"].iloc[0]) if len(rows) else None


@dataclass
class _Part:
    """One marker in one subset."""

    table: pd.DataFrame
    x: Column
    outcome: Outcome
    terms: list[str]
    options: AssociationOptions

    @property
    def y(self) -> Column:
        return np.asarray(self.table[self.outcome.column], dtype=np.float64)

    def rows(self, reliability: float | None, count: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
        whole = np.ones(len(self.x), dtype=bool)
        columns = self._columns(whole)
        if refusal := self._refusal(whole, columns):
            yield {
                "check": "permutation",
                "level": "",
                "method": self.outcome.method,
                "n": len(self.x),
                "note": refusal,
            }
            return
        slope = linear_slope(self.y, self.x, columns, method=self.outcome.method)
        strata = list(self.table["cohort"]) if "cohort" in self.table else None
        p = permutation_p(self.y, self.x, columns, count=count, rng=rng, strata=strata)
        within = "within cohort" if strata else "over all mice"
        yield {
            **self._row("permutation", "", slope), "p": p, "method": f"residuals permuted {within}",
            "note": f"{count} permutations",
        }  # fmt: skip
        yield self._single(columns, slope)
        yield from self._levels("cohort", "without one cohort", leave_out=True)
        yield from self._levels("sex", "within one sex", leave_out=False)
        yield from self._wounds()
        yield self._biweight(columns)
        if reliability is not None:
            yield self._disattenuated(columns, reliability)

    def _columns(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        return model_terms(self.table[chosen], self.terms).columns

    def _refusal(self, chosen: NDArray[np.bool_], columns: pd.DataFrame) -> str:
        n = int(chosen.sum())
        if n < self.options.min_subjects:
            return f"refused: {n} subjects, at least {self.options.min_subjects} needed"
        if n - columns.shape[1] - 2 < self.options.min_df:
            df = n - columns.shape[1] - 2
            return f"refused: {df} residual degrees of freedom, at least {self.options.min_df} needed"
        if np.ptp(self.x[chosen]) == 0 or np.ptp(self.y[chosen]) == 0:
            return f"refused: marker or outcome has 1 value in all {n}, at least 2 needed"
        return ""

    def _row(self, check: str, level: str, found: Estimate) -> dict[str, Any]:
        return {
            "check": check, "level": level, "method": found.method, "n": found.n, "estimate": found.estimate,
            "ci_low": found.ci_low, "ci_high": found.ci_high, "p": found.p, "effect": found.effect,
            "effect_name": found.effect_name, "note": "",
        }  # fmt: skip

    def _single(self, columns: pd.DataFrame, slope: Estimate) -> dict[str, Any]:
        """Range of the slope over all ways to leave out one mouse."""
        slopes = leave_one_out(self.y, self.x, columns)
        if np.isnan(slopes).any():
            alone = self.table.index[np.isnan(slopes)]
            note = f"without {', '.join(map(str, alone[:5]))} a term of the model has no mouse left"
        else:
            most = int(np.abs(slopes - slope.estimate).argmax())
            note = f"{self.table.index[most]} moves it most, to {slopes[most]:.4g}"
        known = slopes[np.isfinite(slopes)]
        return {
            "check": "without one mouse", "level": "", "method": slope.method, "n": slope.n - 1,
            "estimate": float(np.median(known)), "ci_low": float(known.min()), "ci_high": float(known.max()),
            "note": f"range, no interval; {note}",
        }  # fmt: skip

    def _levels(self, column: str, check: str, *, leave_out: bool) -> Iterator[dict[str, Any]]:
        """The slope without, or within, each level of a factor that has several."""
        if column not in self.table:
            return
        labels = self.table[column].fillna("").astype(str)
        levels = sorted(set(labels) - {""})
        if len(levels) < 2:
            return
        for level in levels:
            chosen = np.asarray((labels != level) if leave_out else (labels == level), dtype=bool)
            columns = self._columns(chosen)
            if refusal := self._refusal(chosen, columns):
                yield {"check": check, "level": level, "method": self.outcome.method, "n": int(chosen.sum()),
                       "note": refusal}  # fmt: skip
                continue
            found = linear_slope(self.y[chosen], self.x[chosen], columns, method=self.outcome.method)
            yield self._row(check, level, found)

    def _wounds(self) -> Iterator[dict[str, Any]]:
        """The slope with the worst wound in the model, in the mice whose wounds are on record."""
        if WOUNDS not in self.table or not self.table[WOUNDS].notna().any():
            return
        declared = WOUNDS in self.terms
        check = "without wound score" if declared else "with wound score"
        terms = [name for name in self.terms if name != WOUNDS] if declared else [*self.terms, WOUNDS]
        known = self.table[WOUNDS].notna().to_numpy()
        part = _Part(self.table[known], self.x[known], self.outcome, terms, self.options)
        everyone = np.ones(len(part.x), dtype=bool)
        columns = part._columns(everyone)
        if refusal := part._refusal(everyone, columns):
            yield {"check": check, "level": WOUNDS, "method": self.outcome.method, "n": len(part.x), "note": refusal}
            return
        found = linear_slope(part.y, part.x, columns, method=self.outcome.method)
        yield {**self._row(check, WOUNDS, found), "note": "a wound is a path as well as a confounder"}

    def _biweight(self, columns: pd.DataFrame) -> dict[str, Any]:
        """Biweight correlation of what the model's other columns leave of marker and outcome; they cost it df."""
        from scipy import stats

        head = {"check": "biweight", "level": "", "method": "bicor of residuals", "n": len(self.x)}
        basis = _basis(columns)
        try:
            found = correlation(_residual(self.x, basis), _residual(self.y, basis), method="bicor")
        except ValueError as error:
            return head | {"note": f"refused: {error}"}
        r, k = found.estimate, columns.shape[1]
        if not np.isfinite(r) or abs(r) >= 1:
            return head | {"note": "refused: too many values are alike to weigh outliers by their spread"}
        df = len(self.x) - k - 2
        half = float(stats.norm.ppf(0.975)) / np.sqrt(max(df - 1, 1))
        t = r * np.sqrt(df / (1 - r**2))
        return head | {
            "estimate": r, "ci_low": float(np.tanh(np.arctanh(r) - half)),
            "ci_high": float(np.tanh(np.arctanh(r) + half)),
            "p": float(2 * stats.t.sf(abs(t), df)), "effect": r, "effect_name": "r", "note": "",
        }  # fmt: skip

    def _disattenuated(self, columns: pd.DataFrame, reliability: float) -> dict[str, Any]:
        """Partial correlation as if the outcome had been measured without error; the reliability counts as known."""
        found = partial_correlation(self.x, self.y, columns)
        row = self._row("measurement error", "", found)
        row |= {"method": "partial r / sqrt(reliability of the outcome)", "effect_name": "disattenuated_r"}
        if not reliability > 0.1:
            return row | dict.fromkeys(("estimate", "ci_low", "ci_high", "p", "effect"), np.nan) | {
                "note": f"refused: the reliability is {reliability:.2f}, above 0.1 needed"
            }  # fmt: skip
        scale = 1 / np.sqrt(reliability)
        row |= {name: float(np.clip(row[name] * scale, -1, 1)) for name in ("estimate", "ci_low", "ci_high", "effect")}
        return row | {"note": f"split-half reliability {reliability:.2f}, taken as known; p is that of the partial r"}


def _residual(values: Column, basis: NDArray[np.float64]) -> Column:
    rest: Column = values - (values @ basis) @ basis.T
    return rest


def _basis(columns: pd.DataFrame) -> NDArray[np.float64]:
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(columns)), columns.to_numpy(dtype=np.float64)]))
    return basis


def permutation_p(
    y: Column,
    x: Column,
    columns: pd.DataFrame,
    *,
    count: int,
    rng: np.random.Generator,
    strata: list[object] | None = None,
) -> float:
    """Two-sided p of the slope of y on x given columns, by permuting residuals within strata.

    Residuals of y on the columns are permuted and fitted anew (Freedman & Lane 1983,
    doi:10.1080/07350015.1983.10509354); the partial correlation is the statistic.

    Examples
    --------
    >>> import pandas as pd
    >>> y = np.array([1.0, 2, 3, 4, 5, 6, 7, 8.5])
    >>> permutation_p(y, y**2, pd.DataFrame(index=range(8)), count=999, rng=np.random.default_rng(1)) < 0.01
    True
    """
    basis = _basis(columns)
    rest_x, rest_y = _residual(x, basis), _residual(y, basis)
    order = permuted_rows(len(y), count, rng, strata=strata)
    moved = _residual(rest_y[order], basis)
    whole = np.vstack([rest_y[None], moved])
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.abs(whole @ rest_x) / np.linalg.norm(whole, axis=1)
    return float((r[1:] >= r[0] - 1e-12).sum() + 1) / (count + 1)


def leave_one_out(y: Column, x: Column, columns: pd.DataFrame) -> Column:
    """(n,) slope of y on x given columns with each subject left out; NaN where a column then has nobody.

    By the leverage formula of least squares; the tests compare it with fitting n times.
    """
    basis = _basis(columns)
    rest = _residual(x, basis)
    length = float(rest @ rest)
    slope = float(rest @ y) / length
    residual = _residual(y, basis) - slope * rest
    leverage = (basis**2).sum(axis=1) + rest**2 / length
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.where(leverage < 1 - 1e-9, rest * residual / length / (1 - leverage), np.nan)
    found: Column = slope - change
    return found
