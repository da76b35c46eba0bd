"""Beside the primary association: cohort by cohort and pooled, through the marker, and all markers together.

For the axis scores and the declared set, on the primary outcome. What a study is too small for stands in its table with
the number that failed and no estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from integration.association import Association, AssociationOptions
from integration.mediation import mediate
from integration.meta_analysis import cohort_estimates, random_effects
from integration.mixed_model import mixed_slope
from integration.outcomes import outcome_named
from integration.prediction import Prediction, PredictionOptions, predict_from_serum

if TYPE_CHECKING:
    import pandas as pd

    from integration.cohort import Cohort

__all__ = ["explorations"]

COHORT_COLUMNS = (
    "outcome", "marker", "symbol", "kind", "cohort", "method", "n", "estimate", "se", "ci_low", "ci_high", "p",
    "effect", "effect_name", "weight", "new_cohort_low", "new_cohort_high", "tau2", "heterogeneity_p", "note",
)  # fmt: skip
MEDIATION_COLUMNS = (
    "outcome", "marker", "symbol", "kind", "method", "n", "estimate", "ci_low", "ci_high", "p", "effect", "effect_name",
    "a", "a_p", "b", "b_p", "direct", "total", "sensitivity", "note",
)  # fmt: skip
WEIGHT_COLUMNS = (
    "outcome", "marker", "symbol", "method", "n", "n_cohorts", "mean_weight", "lowest", "highest", "with_weight",
    "among_largest", "training_sets", "same_sign",
)  # fmt: skip
PREDICTION_COLUMNS = (
    "outcome", "method", "n", "n_cohorts", "n_markers", "estimate", "ci_low", "ci_high", "p", "effect", "effect_name",
    "n_susceptible", "n_resilient", "n_pairs", "slope", "n_permutations", "tuning", "note",
)  # fmt: skip


def explorations(
    cohort: Cohort,
    association: Association,
    *,
    options: AssociationOptions | None = None,
    n_bootstrap: int = 1000,
    class_cut: float = 1.0,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Tables of what is exploratory; empty where no defeated mouse was analysed.

    Parameters
    ----------
    cohort, association, options
        What was analysed by :func:`integration.association.associate`, and its result.
    n_bootstrap
        Bootstraps of each mediation.
    class_cut
        SI ratio below which a mouse was classed susceptible.
    seed
        Of bootstraps and permutations.

    Returns
    -------
    dict
        ``association_by_cohort``: the slope in each cohort with its ``weight`` in the pooled one, pooled by random
        effects (``new_cohort_low, new_cohort_high``: 95 % of the slopes in new cohorts; ``heterogeneity_p``: Cochran's
        Q), and with the cohort as a random term (five cohorts or more). ``mediation``: defeat, marker, outcome;
        ``estimate`` is the indirect effect, ``effect`` its share of the total. ``prediction``: ``estimate`` is r2 in
        unseen cohorts, beyond the baseline, and in three more rows the AUC by which these predictions separate
        susceptible from resilient mice (pairs within cohort): with serum and baseline, with the baseline alone, and the
        gain. ``prediction_weights``: each protein's weight over the training sets, in
        how many of them it has any, and is among the ten largest; empty where the prediction was refused.
    """
    import pandas as pd

    options = options or AssociationOptions()
    outcome = outcome_named(options.outcomes[0], cohort.table).name
    if not association.analysed.get(("defeated", outcome)):
        return {}
    names = [name for name in options.terms if name in cohort.table and name not in ("cohort", "group")]
    terms = (*options.covariates, *names)
    info, z = association.markers.info, association.markers.z
    by_cohort: list[dict[str, Any]] = []
    through: list[dict[str, Any]] = []
    for number, (marker, facts) in enumerate(info[info["in_set"] | (info["kind"] == "axis")].iterrows()):
        head = {"outcome": outcome, "marker": marker, "symbol": facts["symbol"], "kind": facts["kind"]}
        if "cohort" in cohort.table:
            by_cohort += [head | row for row in _by_cohort(cohort, z[marker], outcome, terms)]
        through.append(head | _mediation(cohort, z[marker], outcome, terms, n_bootstrap, [seed, 31, number]))
    tables = {"mediation": pd.DataFrame(through, columns=list(MEDIATION_COLUMNS))}
    if "cohort" in cohort.table:
        tables["association_by_cohort"] = pd.DataFrame(by_cohort, columns=list(COHORT_COLUMNS))
        proteins = z[[name for name in info.index[info["kind"] != "axis"] if name in z]]
        told, weights = _prediction(cohort, proteins, outcome, class_cut, seed)
        prediction = pd.DataFrame(told, columns=list(PREDICTION_COLUMNS))
        counts = ["n_susceptible", "n_resilient", "n_pairs", "n_permutations"]
        tables["prediction"] = prediction.astype(dict.fromkeys(counts, "Int64"))
        weights = weights.assign(symbol=info["symbol"].reindex(weights["marker"]).to_numpy())
        tables["prediction_weights"] = weights.reindex(columns=list(WEIGHT_COLUMNS))
    return tables


def _by_cohort(
    cohort: Cohort, marker: pd.Series[float], outcome: str, terms: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    found = cohort_estimates(cohort, marker=marker, outcome=outcome, covariates=terms)
    usable = found["se"] > 0
    pooled: dict[str, Any] = {"cohort": "all", "method": "random effects (REML, Hartung-Knapp)"}
    pooled["n"] = int(found.loc[usable, "n"].sum())
    try:
        meta = random_effects(found.loc[usable, "estimate"], found.loc[usable, "se"])
        found.loc[usable, "weight"] = meta.weights
        pooled |= {name: getattr(meta, name) for name in ("estimate", "se", "ci_low", "ci_high", "p", "tau2")}
        pooled |= {
            "effect": meta.i2, "effect_name": "I2 (%)", "weight": 1.0, "new_cohort_low": meta.prediction_low,
            "new_cohort_high": meta.prediction_high, "heterogeneity_p": meta.q_p, "note": "",
        }  # fmt: skip
    except RefusedError as error:
        pooled["note"] = _refused(error)
    for row in found.to_dict("records"):
        yield {str(name): value for name, value in row.items()} | {"method": "linear_model within the cohort"}
    yield pooled
    mixed: dict[str, Any] = {"cohort": "all", "method": "mixed_model, cohort random", "n": int(found["n"].sum())}
    try:
        estimate, note = mixed_slope(cohort, marker=marker, outcome=outcome, covariates=terms)
        kept = ("n", "estimate", "se", "ci_low", "ci_high", "p", "effect", "effect_name")
        mixed |= {name: getattr(estimate, name) for name in kept} | {"note": note}
    except RefusedError as error:
        mixed["note"] = _refused(error)
    yield mixed


def _mediation(
    cohort: Cohort, marker: pd.Series[float], outcome: str, terms: tuple[str, ...], count: int, seed: list[int]
) -> dict[str, Any]:
    head = {"method": "mediation, bootstrap interval"}
    # Treatment may be given to one role only; who was treated is no part of this question.
    covariates = ("cohort", *(name for name in terms if name != "treatment"))
    try:
        found = mediate(
            cohort, marker=marker, outcome=outcome, covariates=covariates, n_bootstrap=count,
            seed=np.random.default_rng(seed),
        )  # fmt: skip
    except RefusedError as error:
        return head | {"note": _refused(error)}
    numbers = asdict(found)
    kept = {name: numbers[name] for name in ("n", "ci_low", "ci_high", "p", "a", "a_p", "b", "b_p", "direct", "total",
                                             "sensitivity")}  # fmt: skip
    return head | kept | {
        "estimate": found.indirect, "effect": found.share, "effect_name": "share of the total effect",
        "note": "exploratory: the order of cause and effect is assumed",
    }  # fmt: skip


def _prediction(
    cohort: Cohort, markers: pd.DataFrame, outcome: str, class_cut: float, seed: int
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """The rows of the prediction, and the weights behind it."""
    import pandas as pd

    head = {"outcome": outcome, "method": "elastic net, cohorts left out in turn"}
    options = PredictionOptions(outcome=outcome, class_cut=class_cut)
    try:
        found = predict_from_serum(cohort, markers=markers, options=options, seed=seed)
    except RefusedError as error:
        return [head | {"note": _refused(error)}], pd.DataFrame(columns=["marker"])
    row = head | {
        "n": found.n, "n_cohorts": found.n_cohorts, "n_markers": found.n_markers, "estimate": found.r2,
        "ci_low": found.r2_low, "ci_high": found.r2_high, "p": found.p, "effect": found.r2,
        "effect_name": "r2 beyond the baseline", "slope": found.slope, "n_permutations": found.n_permutations,
        "tuning": "; ".join(_chosen(each) for each in found.tuning.to_dict("records")),
        "note": "exploratory; interval: mice drawn anew within cohort, each with its prediction from the others; p: by "
        "permutation within cohort",
    }  # fmt: skip
    rows = [row, *({"outcome": outcome, **each} for each in _separation(found))]
    return rows, found.weights.assign(**head, n=found.n, n_cohorts=found.n_cohorts)


def _separation(found: Prediction) -> Iterator[dict[str, Any]]:
    """Rows on susceptible against resilient mice."""
    head = {"method": "Mann-Whitney AUC of the elastic net's predictions, pairs within cohort",
            "n_markers": found.n_markers}  # fmt: skip
    told = found.separation
    if told is None:
        yield head | {"n": found.n, "n_cohorts": found.n_cohorts, "effect_name": "AUC, susceptible or resilient",
                      "note": f"refused: {found.separation_refused}"}  # fmt: skip
        return
    head |= {"n": told.n_susceptible + told.n_resilient, "n_cohorts": told.n_cohorts, "n_pairs": told.n_pairs,
             "n_susceptible": told.n_susceptible, "n_resilient": told.n_resilient}  # fmt: skip
    note = "exploratory; interval: mice drawn anew within cohort (percentile bootstrap), predictions as they are"
    if told.n_unpaired:
        note += f"; {told.n_unpaired} mice of cohorts with one class are in no pair"
    permuted = {"p": told.p, "n_permutations": found.n_permutations}
    for name, part, more, words in (
        ("AUC, serum and baseline", (told.auc, told.auc_low, told.auc_high), {}, ""),
        ("AUC, baseline alone", (told.baseline_auc, told.baseline_low, told.baseline_high), {},
         "; above 0.5 by construction where no-target time is the baseline: the classes are made from it"),
        ("AUC gained by serum", (told.gain, told.gain_low, told.gain_high), permuted,
         "; p: the permutations of r2, by which serum is exchanged within cohort: does it tell anything, where the "
         "interval says how much"),
    ):  # fmt: skip
        numbers = dict(zip(("estimate", "ci_low", "ci_high"), part, strict=True))
        yield head | numbers | more | {"effect": part[0], "effect_name": name, "note": note + words}


def _chosen(row: dict[Any, Any]) -> str:
    """What one training set chose, in words.

    Examples
    --------
    >>> _chosen({"left_out": "c1", "mixing": 0.5, "strength": 0.25, "with_weight": 7})
    'without c1: mixing 0.5, strength 0.25, 7 markers'
    """
    count = f"{row['with_weight']} marker" + "s" * (row["with_weight"] != 1)
    return f"without {row['left_out']}: mixing {row['mixing']:g}, strength {row['strength']:g}, {count}"


def _refused(error: RefusedError) -> str:
    return f"refused: {error}"
