from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from integration.association import AssociationOptions, associate
from integration.cohort import join_cohort
from integration.explorations import explorations
from integration.mediation import mediate
from proteomics.abundance import from_frame

OPTIONS = AssociationOptions(declared_set=("Il5",), outcomes=("target_time",))


def study(*, cohorts=5, each=12, seed=3):
    rng = np.random.default_rng(seed)
    n = cohorts * each
    names = [f"m{i:02d}" for i in range(n)]
    cohort, defeated = np.arange(n) % cohorts, np.arange(n) // cohorts % 6 > 0
    il5 = rng.normal(size=n) + 1.2 * defeated
    empty = rng.normal(60, 10, n)
    target = 70 - 8 * il5 + 0.3 * empty + 6 * cohort + rng.normal(0, 8, n)
    subjects = pd.DataFrame({"subject": names, "group": np.where(defeated, "CSDS", "CON"),
                             "cohort": [f"c{k}" for k in cohort]})  # fmt: skip
    animals = pd.DataFrame({"subject": names, "iz_target_s": target, "iz_no_target_s": empty})
    values = pd.DataFrame({"Il5": il5, "Tnf": rng.normal(size=n)}, index=names)
    return join_cohort(
        subjects=subjects, animals=animals, roles={"defeated": ["CSDS"], "control": ["CON"]},
        abundance=from_frame(values, platform="x", species="mouse", unit="log2"),
    )  # fmt: skip


def made(cohort):
    return explorations(cohort, associate(cohort, options=OPTIONS), options=OPTIONS, n_bootstrap=200, seed=1)


def test_a_true_effect_is_pooled_passes_through_and_predicts():
    cohort = study()
    tables = made(cohort)
    by_cohort = tables["association_by_cohort"]
    true = -8 * cohort.markers["Il5"].std()
    assert len(by_cohort) == 7 and (by_cohort["note"].str.startswith("refused")).sum() == 0
    for method in ("random effects (REML, Hartung-Knapp)", "mixed_model, cohort random"):
        row = by_cohort[by_cohort["method"] == method].iloc[0]
        assert row["ci_low"] < true < row["ci_high"] < 0
    through = tables["mediation"].iloc[0]
    z = (cohort.markers["Il5"] - cohort.markers["Il5"].mean()) / cohort.markers["Il5"].std()
    direct = mediate(cohort, marker=z, covariates=("cohort",), n_bootstrap=10)
    assert through["estimate"] == pytest.approx(direct.indirect, rel=1e-9)
    assert through["ci_high"] < 0 and through["p"] < 0.05
    told = tables["prediction"].iloc[0]
    assert told["estimate"] > 0.2 and told["p"] < 0.05 and told["n_markers"] == 2
    assert 0 < told["ci_low"] < told["estimate"] < told["ci_high"] < 1
    assert told["tuning"].count("without c") == 5
    weights = tables["prediction_weights"].set_index("symbol")
    assert weights.index[0] == "Il5" and weights.loc["Il5", "with_weight"] == weights.loc["Il5", "training_sets"] == 5
    assert weights.loc["Il5", "highest"] < 0 and (weights["n"] == 50).all()


def test_small_studies_are_refused_in_the_table_with_their_numbers():
    tables = made(study(cohorts=2, each=12))
    notes = tables["association_by_cohort"].set_index("method")["note"]
    assert "too few cohorts for a random effect; found 2, expected at least 5" in notes["mixed_model, cohort random"]
    prediction = tables["prediction"].iloc[0]
    assert "20 mice of 2 cohorts, expected 40 mice of 3 cohorts" in prediction["note"]
    assert np.isnan(prediction["estimate"])
    assert tables["prediction_weights"].empty


def test_the_prediction_says_how_well_it_separates_the_classes_of_the_studys_cut():
    cohort = study()
    ratio = cohort.table["iz_target_s"] / cohort.table["iz_no_target_s"]
    defeated = cohort.table["role"] == "defeated"
    assert (made(cohort)["prediction"]["note"].iloc[1]).startswith("refused: too few mice of a class")
    cohort.table["class"] = np.where(ratio < 1.5, "SUS", "RES")
    cohort.table.loc[~defeated, "class"] = ""
    association = associate(cohort, options=OPTIONS)
    by_cut = [
        explorations(cohort, association, options=OPTIONS, n_bootstrap=200, class_cut=cut, seed=1)["prediction"]
        for cut in (1.5, 0.5)
    ]
    assert by_cut[0]["effect_name"].tolist()[1:] == [
        "AUC, serum and baseline", "AUC, baseline alone", "AUC gained by serum",
    ]  # fmt: skip
    at_cut, below = (table.iloc[1] for table in by_cut)
    assert at_cut["n_susceptible"] == (cohort.table["class"] == "SUS").sum() and at_cut["n"] == 50
    counts = by_cut[0][["n_susceptible", "n_resilient", "n_pairs", "n_permutations"]]
    assert (counts.dtypes == "Int64").all() and counts.iloc[0, :3].isna().all()
    assert at_cut["estimate"] > below["estimate"] > 0.5
    assert by_cut[0].iloc[3]["p"] < 0.05 and by_cut[0].iloc[0]["estimate"] == by_cut[1].iloc[0]["estimate"]
