from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from integration.cohort import CohortOptions, join_cohort
from integration.counts import group_counts
from proteomics.abundance import from_frame

ROLES = {"control": ["CON"], "defeated": ["CSDS"]}


def serum(ids, types=None, proteins=("Il4", "Il5")):
    values = pd.DataFrame(np.arange(len(ids) * len(proteins), dtype=float).reshape(len(ids), -1), ids, list(proteins))
    samples = pd.DataFrame({"sample_type": types or ["sample"] * len(ids), "plate": "P1"}, index=ids)
    return from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL", samples=samples)


@pytest.fixture
def subjects():
    return pd.DataFrame(
        {"subject": ["007", "m1", "m2", "m3", "M2"], "group": ["CON", "CSDS", "CSDS", "CSDS", "CSDS"], "cohort": "c1"}
    )


def codes(cohort):
    return {(p.code, p.subject) for p in cohort.problems}


def test_what_is_found_on_one_side_only_is_listed_both_ways(subjects):
    animals = pd.DataFrame({"subject": ["m1", "007", "m9"], "si_ratio": [0.5, 1.5, 1.0]})
    samples = pd.DataFrame(
        {
            "sample": ["s1", "s2", "s3", "s8", "s7", "q"],
            "subject": ["007", "m2", "m3", "mX", "", ""],
            "type": ["sample", "", "sample", "sample", "sample", "control"],
        }
    )
    cohort = join_cohort(
        subjects=subjects, animals=animals, samples=samples, roles=ROLES,
        abundance=serum(["s1", "s2", "s9", "q"], ["sample", "sample", "sample", "control"]),
    )  # fmt: skip
    assert codes(cohort) == {
        ("similar_ids", ""),
        ("unknown_subject", "m9"),
        ("unknown_subject", "mX"),
        ("unknown_subject", ""),
        ("missing_sample", "m3"),
        ("missing_sample", "mX"),
        ("missing_sample", ""),
        ("unknown_sample", ""),
        ("recording_without_serum", "m1"),
        ("serum_without_recording", "m2"),
        ("subject_without_data", "m3"),
        ("subject_without_data", "M2"),
    }
    assert cohort.table.loc["007", ["sample", "si_ratio", "role"]].tolist() == ["s1", 1.5, "control"]
    assert cohort.markers.loc["m2", "Il5"] == 3.0
    assert cohort.markers.loc["m1"].isna().all()


def test_a_misspelt_subject_is_answered_with_the_likely_one(subjects):
    cohort = join_cohort(subjects=subjects, animals=pd.DataFrame({"subject": ["7"], "si_ratio": [1.0]}))
    (problem,) = [p for p in cohort.problems if p.code == "unknown_subject"]
    assert "is it '007'?" in problem.message


def test_ids_are_compared_as_text(subjects):
    subjects = pd.DataFrame({"subject": ["304", "304b"], "group": "CSDS"})
    cohort = join_cohort(subjects=subjects, abundance=serum(["304b", "304"]))
    assert cohort.markers["Il4"].to_dict() == {"304": 2.0, "304b": 0.0}
    assert not cohort.problems


@pytest.mark.parametrize("table", ["subjects", "animals", "outcomes", "samples"])
def test_an_id_twice_is_an_error_that_names_table_and_rows(subjects, table):
    keyed = {"samples": pd.DataFrame({"sample": ["x", "y", "x"], "subject": ["m1", "m2", "m3"]})}
    given = {"subjects": subjects, "abundance": serum(["x", "y"])}
    given[table] = keyed.get(table, pd.DataFrame({"subject": ["m1", "m2", "m1"], "a": 1.0}))
    what = {"samples": "serum samples table"}.get(table, f"{table} table")
    with pytest.raises(InputError, match=rf"{what}, rows 1, 3: .* stands more than once"):
        join_cohort(**given)


def test_blank_and_missing_keys_are_errors(subjects):
    with pytest.raises(InputError, match="row 2: subject is blank"):
        join_cohort(subjects=pd.DataFrame({"subject": ["a", None]}))
    with pytest.raises(InputError, match="no column subject"):
        join_cohort(subjects=subjects, animals=pd.DataFrame({"mouse": ["m1"]}))


def test_two_tables_that_disagree_on_a_column_are_an_error(subjects):
    animals = pd.DataFrame({"subject": ["m1"], "score": [1.0]})
    with pytest.raises(InputError, match="'score' has another content"):
        join_cohort(subjects=subjects, animals=animals, outcomes=animals.assign(score=2.0))


def test_one_bleed_per_subject_by_the_declared_rule(subjects):
    samples = pd.DataFrame({"sample": ["s1", "s2"], "subject": "m1", "bleed": ["2026-01-01", "2026-02-01"]})
    given = {"subjects": subjects, "samples": samples, "abundance": serum(["s1", "s2"])}
    with pytest.raises(InputError, match="no rule says which one counts"):
        join_cohort(**given)
    cohort = join_cohort(**given, options=CohortOptions(bleed_rule="first"))
    assert cohort.table.loc["m1", "sample"] == "s1"
    assert ("unused_bleed", "m1") in codes(cohort)


def test_a_second_sample_that_was_not_measured_needs_no_rule(subjects):
    samples = pd.DataFrame({"sample": ["s1", "s2"], "subject": "m1"})
    cohort = join_cohort(subjects=subjects, samples=samples, abundance=serum(["s2"]))
    assert cohort.table.loc["m1", "sample"] == "s2"


def test_axis_scores_become_markers_of_their_own_kind(subjects):
    scores = pd.DataFrame({"sample": ["m1", "m2"], "axis": "Th2", "score": [0.3, np.nan]})
    cohort = join_cohort(subjects=subjects, abundance=serum(["m1", "m2"]), axis_scores=scores)
    assert cohort.marker_info["kind"].to_dict() == {"Il4": "protein", "Il5": "protein", "Th2": "axis"}
    assert cohort.markers.loc["m1", "Th2"] == 0.3
    with pytest.raises(InputError, match="name of a protein"):
        join_cohort(subjects=subjects, abundance=serum(["m1", "m2"]), axis_scores=scores.assign(axis="Il4"))


def test_options_refuse_unknown_rules():
    with pytest.raises(ValueError, match="bleed_rule 'newest'"):
        CohortOptions(bleed_rule="newest")
    with pytest.raises(ValueError, match="bleed_timing"):
        CohortOptions(bleed_timing="during")


def test_bleeds_on_the_undeclared_side_of_the_test_are_reported(subjects):
    samples = pd.DataFrame({"sample": ["m1"], "subject": ["m1"], "bleed": ["2026-01-01"]})
    cohort = join_cohort(
        subjects=subjects.assign(si_date=pd.Timestamp("2026-01-05")), samples=samples, abundance=serum(["m1"]),
        options=CohortOptions(bleed_timing="after_test"),
    )  # fmt: skip
    assert ("bleed_timing", "m1") in codes(cohort)


def test_counts_go_down_with_named_reasons(subjects):
    animals = pd.DataFrame(
        {"subject": ["m1", "m2", "m3"], "si_ratio": [0.5, 0.8, 1.2], "class": ["SUS", "SUS", "RES"],
         "excluded": ["", "bite wound", ""]}
    )  # fmt: skip
    cohort = join_cohort(subjects=subjects, animals=animals, abundance=serum(["m1", "m2", "007"]), roles=ROLES)
    counts = group_counts(cohort, analysed={("defeated", "si_ratio"): ["m1"]})
    defeated = counts[counts["group"] == "CSDS"].set_index("stage")
    assert defeated["n"].to_dict() == {
        "listed": 4, "recorded": 3, "not excluded": 2, "serum": 1, "analysed: si_ratio (defeated)": 1,
    }  # fmt: skip
    assert defeated["reason"].tolist() == [
        "", "1 without scored recordings: M2", "1 bite wound: m2", "1 without a measured bleed: m3", "",
    ]  # fmt: skip
    classes = counts[(counts["stage"] == "serum")].set_index("group")["n"].to_dict()
    assert classes == {"CON": 0, "CSDS": 1, "RES": 0, "SUS": 1}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_matter(subjects, seed):
    animals = pd.DataFrame({"subject": ["m1", "m2", "m3"], "si_ratio": [0.5, 0.8, 1.2]})
    ds = serum(["m1", "m2", "007"])
    first = join_cohort(subjects=subjects, animals=animals, abundance=ds, roles=ROLES)
    order = np.random.default_rng(seed).permutation(3)
    second = join_cohort(
        subjects=subjects.sample(frac=1, random_state=seed), animals=animals.iloc[order],
        abundance=ds.isel(sample=order), roles=ROLES,
    )  # fmt: skip
    pd.testing.assert_frame_equal(first.table, second.table)
    pd.testing.assert_frame_equal(first.markers, second.markers)
    assert set(first.problems) == set(second.problems)
