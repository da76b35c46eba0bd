"""Real mice with plasma cytokines and activity: the adjusted answer, and the pooled one named for what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from integration.association import AssociationOptions, associate
from integration.cohort import join_cohort
from integration.counts import group_counts
from proteomics.abundance import from_frame


@pytest.fixture(scope="module")
def cohort(shared):
    folder = shared / "integration" / "rewilded_mice_plasma_cytokines"
    plasma = pd.read_csv(folder / "2021.plasma.cyt.csv", dtype={"Mouse": str, "Block": str})
    activity = pd.read_csv(folder / "activity_per_mouse.csv", dtype={"mouse": str})
    values = np.log2(plasma.set_index("Mouse").iloc[:, 4:])
    values.columns = ["Ifng", "Il5", "Tnf", "Il6", "Il17a", "Il22"]
    names = {"Mouse": "subject", "Genotype": "strain", "InfectionStatus": "infection", "Block": "block"}
    return join_cohort(
        subjects=plasma[list(names)].rename(columns=names),
        outcomes=activity.rename(columns={"mouse": "subject"}).drop(columns="block"),
        abundance=from_frame(values, platform="plasma panel", species="mouse", unit="log2 pg/mL"),
    )


@pytest.fixture(scope="module")
def result(cohort):
    options = AssociationOptions(
        outcomes=("check_ins_per_night",), covariates=("infection", "block"), declared_set=("Il5",)
    )
    return associate(cohort, options=options)


def test_the_adjusted_slope_is_that_of_r(result):
    # R: summary(lm(check_ins_per_night ~ scale(log2(IL5)) + strain + infection + block))
    found = result.table.query("symbol == 'Il5'").set_index("method")
    adjusted = found.loc["linear_model"]
    assert result.table.iloc[0]["method"] == "linear_model", "the adjusted model leads"
    assert adjusted["n"] == 65
    assert adjusted["estimate"] == pytest.approx(0.82, abs=0.005)
    assert adjusted["statistic"] == pytest.approx(0.125, abs=0.0005)
    assert adjusted["p"] == pytest.approx(0.90, abs=0.005)
    assert set(adjusted["model"].split(" ~ ")[1].split(" + ")) == {"marker", "strain", "infection", "block"}


def test_the_pooled_correlation_is_named_as_the_strains(result):
    pooled = result.table.query("symbol == 'Il5' and method == 'spearman'").iloc[0]
    assert pooled["estimate"] == pytest.approx(-0.549, abs=0.0005)
    assert "not adjusted for infection, block, strain; it goes with strain" in pooled["note"]


def test_near_ids_are_kept_apart_and_the_unmatched_listed(cohort):
    assert "304b" not in cohort.table.index
    assert np.isnan(cohort.table.loc["304", "check_ins_per_night"])
    found = [(p.code, p.subject) for p in cohort.problems]
    assert ("serum_without_outcome", "304") in found
    unmatched = [subject for code, subject in found if code == "unknown_subject"]
    assert len(unmatched) == 24
    assert "304b" in unmatched


def test_counts_lead_from_66_mice_to_65(cohort, result):
    counts = group_counts(cohort, analysed=result.analysed).set_index("stage")
    assert counts["n"].to_dict() == {
        "listed": 66, "outcomes": 65, "not excluded": 65, "serum": 65,
        "analysed: check_ins_per_night (all)": 65,
    }  # fmt: skip
    assert "304" in counts.loc["outcomes", "reason"]


def test_no_word_of_stress(result, cohort):
    words = " ".join(map(str, [*result.table.to_numpy().ravel(), *cohort.problems]))
    assert not any(word in words.casefold() for word in ("suscept", "defeat", "stress", "resilien"))
