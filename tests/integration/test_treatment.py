from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from core.errors import RefusedError
from integration.cohort import join_cohort
from integration.treatment import TREATMENT_COLUMNS, TreatmentOptions, treatment_effects

VEHICLE = TreatmentOptions(reference="vehicle")


def mice(seed=1, *, rescue=0.0, sizes=(10, 10, 10, 10)):
    rng = np.random.default_rng(seed)
    cells = [("control", "vehicle"), ("control", "anti-IL4Ra"), ("defeated", "vehicle"), ("defeated", "anti-IL4Ra")]
    rows = [cell for cell, n in zip(cells, sizes, strict=True) for _ in range(n)]
    table = pd.DataFrame(rows, columns=["role", "treatment"])
    n = len(table)
    defeated, treated = table["role"] == "defeated", table["treatment"] == "anti-IL4Ra"
    table["subject"] = [f"m{i:02d}" for i in range(n)]
    table["cohort"] = np.where(np.arange(n) % 2, "a", "b")
    table["iz_no_target_s"] = rng.normal(60, 8, n)
    table["iz_target_s"] = 90 - 40 * defeated + rescue * (defeated & treated) + rng.normal(0, 10, n)
    table["si_ratio"] = table["iz_target_s"] / table["iz_no_target_s"]
    table["velocity_drop_cm_s"] = rng.normal(1, 1, n)
    table["velocity_no_target_cm_s"] = rng.normal(6, 1, n)
    return table


def effects(table, options=VEHICLE):
    who = ["subject", "cohort", "treatment", "role"]
    cohort = join_cohort(subjects=table[who], animals=table.drop(columns=who[1:]))
    return treatment_effects(cohort, options=options)


def row(result, **where):
    table = result.table
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_the_interaction_equals_statsmodels_and_leads():
    table = mice(rescue=25)
    result = effects(table)
    assert result.table.columns.tolist() == list(TREATMENT_COLUMNS)
    assert result.table.iloc[0][["outcome", "term"]].tolist() == ["target_time", "interaction"]
    formula = "iz_target_s ~ C(treatment, Treatment('vehicle')) + iz_no_target_s + C(cohort)"
    fits = [smf.ols(formula, table[table["role"] == role]).fit() for role in ("defeated", "control")]
    name = fits[0].params.index[1]
    difference = fits[0].params[name] - fits[1].params[name]
    error = np.hypot(fits[0].bse[name], fits[1].bse[name])
    found = row(result, outcome="target_time", term="interaction")
    assert found[["estimate", "se"]].tolist() == pytest.approx([difference, error])
    assert min(fit.df_resid for fit in fits) < found["df"] <= sum(fit.df_resid for fit in fits)
    assert found["n_cells"] == (
        "defeated anti-IL4Ra 10, defeated vehicle 10, control anti-IL4Ra 10, control vehicle 10"
    )
    assert found["estimate"] > 0
    assert row(result, outcome="target_time", term="in defeated")["p"] < 0.01
    assert row(result, outcome="target_time", term="in control")["p"] > 0.05


def test_locomotion_is_shown_as_the_control_outcome():
    found = row(effects(mice()), outcome="velocity_no_target_cm_s", term="in defeated")
    assert found["kind"] == "locomotion"


def test_untreated_controls_leave_no_interaction():
    result = effects(mice(sizes=(10, 0, 10, 10)))
    found = row(result, outcome="target_time", term="interaction")
    assert found["note"] == "refused: 0 control mice with anti-IL4Ra, at least 3 needed"
    assert row(result, outcome="target_time", term="in defeated")["p"] > 0
    assert "test_refused" in {p.code for p in result.problems}


def test_refusals_name_what_is_missing():
    with pytest.raises(RefusedError, match=r"found 2 given: anti-IL4Ra, vehicle, expected saline"):
        effects(mice(), TreatmentOptions(reference="saline"))
    with pytest.raises(RefusedError, match="no column treatment"):
        cohort = join_cohort(subjects=mice()[["subject", "role"]])
        treatment_effects(cohort, options=VEHICLE)
    with pytest.raises(ValueError, match="reference is blank"):
        TreatmentOptions(reference=" ")
    with pytest.raises(ValueError, match="min_cell"):
        TreatmentOptions(reference="v", min_cell=1)


def test_a_study_without_treatments_is_refused_with_numbers():
    table = pd.DataFrame({"subject": ["a", "b"], "role": "defeated", "iz_target_s": [1.0, 2.0]})
    cohort = join_cohort(subjects=table[["subject", "role"]], animals=table[["subject", "iz_target_s"]])
    with pytest.raises(RefusedError, match=r"no column treatment; found 0 of \d+ columns, expected 1"):
        treatment_effects(cohort, options=TreatmentOptions(reference="vehicle"))
    cohort.table["treatment"] = "vehicle"
    with pytest.raises(RefusedError, match="found 1 given: vehicle, expected vehicle and at least 1 other"):
        treatment_effects(cohort, options=TreatmentOptions(reference="vehicle"))
