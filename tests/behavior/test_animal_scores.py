"""Pairing of trials, ratios, exclusions, classes: against published tables and by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behavior.animal_scores import score_animals
from behavior.classes import ClassOptions, classify
from behavior.reasons import parse_note
from behavior.score_options import ExclusionOptions
from core.errors import InputError

ROLES = {"control": ["control"], "defeated": ["defeated"]}


def trials_table(times: dict[str, tuple[float, float]], **columns: tuple[float, float]) -> pd.DataFrame:
    """Two rows per subject from (without, with target); further columns are the same for all subjects."""
    rows = [
        {"subject": subject, "trial": trial, "iz_s": pair[place]}
        | {name: value[place] for name, value in columns.items()}
        for subject, pair in times.items()
        for place, trial in enumerate(("no_target", "target"))
    ]
    return pd.DataFrame(rows)


def subjects_table(groups: dict[str, str], **columns: str) -> pd.DataFrame:
    return pd.DataFrame({"subject": list(groups), "group": list(groups.values()), "sex": "M", "cohort": "A"} | columns)


def score(times: dict[str, tuple[float, float]], groups: dict[str, str] | None = None, **options):
    groups = groups or dict.fromkeys(times, "defeated")
    return score_animals(trials_table(times), subjects=subjects_table(groups), roles=ROLES, **options)


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    """Our scores of the 761 published mice, by id, beside the published ones (suffix ``_theirs``)."""
    folder = shared / "behavior" / "FemaleStressPhenotype"
    raw = pd.read_csv(folder / "SIT_raw_primary.csv", dtype={"id_full": str, "cohort": str})
    trials = pd.DataFrame(
        {
            "subject": raw["id_full"],
            "trial": raw["Trial_type"].map({"No Target": "no_target", "Target": "target"}),
            "iz_s": raw["IZ_time"],
            "corner_s": raw["Corner_time"],
            "velocity_cm_s": raw["Velocity"],
            "distance_cm": raw["Total_distance"],
            "iz_entries": raw["IZ_entries"],
        }
    )
    mice = raw.drop_duplicates("id_full")
    subjects = pd.DataFrame(
        {
            "subject": mice["id_full"],
            "sex": mice["Sex"],
            "cohort": mice["cohort"],
            "group": mice["Condition"],
        }
    )
    classes = ClassOptions(cohort_controls=None)
    table = score_animals(
        trials, subjects=subjects, roles={"control": ["Ctl"], "defeated": ["Stress"]}, classes=classes
    ).table.set_index("subject")
    theirs = pd.read_csv(folder / "SIT_diff_primary.csv").set_index("id_full")
    return table.join(theirs.add_suffix("_theirs"))


def test_published_ratios_and_differences_are_reproduced(published: pd.DataFrame) -> None:
    assert len(published) == 761
    pairs = {
        "si_ratio": "IZ_time_theirs",  # a ratio in spite of its name
        "corner_ratio": "Corner_time_theirs",
        "velocity_drop_cm_s": "Velocity_theirs",
    }
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(published[ours], published[theirs], rtol=1e-9, atol=1e-9)
    drop = published["distance_no_target_cm"] - published["distance_target_cm"]
    np.testing.assert_allclose(drop, published["Total_distance_theirs"], rtol=1e-9, atol=1e-9)
    entries = published["iz_entries_no_target"] - published["iz_entries_target"]
    np.testing.assert_array_equal(entries, published["IZ_entries_theirs"])


def test_secondary_published_table_with_missing_columns_and_zeros(shared: Path) -> None:
    """679 mice of other laboratories, many without corner time or velocity; theirs leaves 21 of them out unsaid."""
    folder = shared / "behavior" / "FemaleStressPhenotype"
    raw = pd.read_csv(folder / "SIT_raw_secondary.csv", dtype={"applied_id": str, "cohort_id": str})
    trials = pd.DataFrame(
        {
            "subject": raw["cohort_id"] + "_" + raw["applied_id"],
            "trial": raw["Trial_type"].map({"No Target": "no_target", "Target": "target"}),
            "iz_s": raw["IZ_time"],
            "corner_s": raw["Corner_time"],
            "velocity_cm_s": raw["Velocity"],
        }
    )
    subjects = pd.DataFrame(
        {"subject": trials["subject"], "group": raw["Condition"], "sex": raw["Sex"]}
    ).drop_duplicates("subject")
    roles = {"control": ["Control"], "defeated": ["Stress"]}
    scores = score_animals(trials, subjects=subjects, roles=roles)
    ours = scores.table.set_index("subject")
    theirs = pd.read_csv(folder / "SIT_diff_secondary.csv").set_index("id_full")
    assert (len(ours), len(theirs)) == (679, 658)
    both = ours.loc[theirs.index]
    np.testing.assert_allclose(both["si_ratio"], theirs["IZ_time"], rtol=1e-9)
    # Their corner ratio is empty exactly where ours is: where the laboratory gave no corner times.
    np.testing.assert_allclose(both["corner_ratio"], theirs["Corner_time"], rtol=1e-9)
    zero = ours.loc["S14_WM12"]
    assert math.isnan(zero["si_ratio"])
    assert zero["class"] == ""
    assert "si_ratio" in parse_note(zero["note"])["zero_without_target"]
    assert ours.loc["S11_SF30", "si_ratio"] == 0
    codes = {(problem.code, problem.subject) for problem in scores.problems}
    assert {("no_target_time_zero", "S14_WM12"), ("target_time_zero", "S11_SF30")} <= codes
    for row in ours.to_dict("records"):
        assert_reasons(row)


def test_published_class_counts_are_reproduced(published: pd.DataFrame) -> None:
    """The counts stand in the project's notes, where they were made by other code."""
    males = published[(published["sex"] == "Male") & (published["role"] == "defeated")]
    females = published[(published["sex"] == "Female") & (published["role"] == "defeated")]
    assert (len(males), len(females)) == (216, 230)
    assert (males["class"] == "RES").sum() == 93
    assert (males["class_target_60s"] == "RES").sum() == 82
    assert (males["class_target_60s"] == "unclassified").sum() == 93 - 82
    assert (males["class_velocity"] == "SUS").sum() == 134
    assert (females["class_velocity"] == "SUS").sum() == 107
    assert (females["class"] == "SUS").sum() == 51
    assert (males["class_band"] == "indeterminate").sum() == 29
    assert (females["class_band"] == "indeterminate").sum() == 39
    assert males["control_cut"].unique().round(2).tolist() == [1.10]
    assert round((males["class_control_cut"] == "SUS").mean(), 2) == 0.63


def test_published_group_summaries_are_reproduced(published: pd.DataFrame) -> None:
    expected = {
        ("Male", "control"): (141, 1.62, 1.49, 0.52, 0.085),
        ("Male", "defeated"): (216, 0.94, 0.90, 0.56, 0.569),
        ("Female", "control"): (174, 1.55, 1.42, 0.52, 0.063),
        ("Female", "defeated"): (230, 1.31, 1.26, 0.39, 0.222),
    }
    for (sex, role), (n, mean, median, sd, below) in expected.items():
        ratio = published.loc[(published["sex"] == sex) & (published["role"] == role), "si_ratio"]
        found = (ratio.mean(), ratio.median(), ratio.std(), (ratio < 1).mean())
        assert len(ratio) == n
        np.testing.assert_allclose(found, (mean, median, sd, below), atol=0.0051)


def test_controls_are_never_classed_and_defeated_mice_always(published: pd.DataFrame) -> None:
    names = [name for name in published if name == "class" or name.startswith("class_")]
    controls, defeated = published["role"] == "control", published["role"] == "defeated"
    for name in names:
        assert (published.loc[controls, name] == "").all()
        if name != "class_distance":  # the table has no distances to the box
            assert (published.loc[defeated, name] != "").all()


def test_target_residual_is_the_residual_of_an_independent_fit(published: pd.DataFrame) -> None:
    from scipy.stats import linregress

    for sex in ("Male", "Female"):
        mice = published[published["sex"] == sex]
        controls = mice[mice["role"] == "control"]
        line = linregress(controls["iz_no_target_s"], controls["iz_target_s"])
        expected = mice["iz_target_s"] - line.intercept - line.slope * mice["iz_no_target_s"]
        np.testing.assert_allclose(mice["target_residual_s"], expected, atol=1e-9)


def test_every_empty_number_has_a_reason(published: pd.DataFrame) -> None:
    for row in published.to_dict("records"):
        assert_reasons(row)


def assert_reasons(row: Mapping[Any, Any]) -> None:
    explained = {name for columns in parse_note(row["note"]).values() for name in columns}
    ours = [name for name in row if not name.endswith("_theirs")]
    empty = {name for name in ours if isinstance(row[name], float) and math.isnan(row[name])}
    assert empty <= explained


def test_published_tracks_give_the_ratios_of_the_notes(shared: Path) -> None:
    """Zone flags of five defeated and six control mice at 2 frames a second (TimeOFCR2)."""
    times: dict[str, tuple[float, float]] = {}
    groups = {}
    for folder, group in (("SD", "defeated"), ("control", "control")):
        for file in sorted((shared / "behavior" / "SocialDefeatStressProtocol" / folder).glob("*_SI_XY.txt")):
            subject = file.name.removesuffix("_SI_XY.txt")
            pair = [zone_seconds(file.with_name(f"{subject}_{trial}_XY.txt")) for trial in ("object", "SI")]
            times[subject], groups[subject] = (pair[0], pair[1]), group
    table = score(times, groups).table.set_index("subject")
    quoted = {"MD11": 2.16, "MD2": 0.71, "MD3": 2.24, "MD4": 0.78, "MD9": 1.64}
    assert table.loc[list(quoted), "si_ratio"].round(2).to_dict() == quoted
    assert table.loc[list(quoted), "class"].tolist() == ["RES", "SUS", "RES", "SUS", "RES"]
    controls = table.loc[table["role"] == "control", "si_ratio"].round(2)
    assert (len(controls), controls.min(), controls.max()) == (6, 0.67, 1.58)


def zone_seconds(file: Path) -> float:
    lines = file.read_text(encoding="latin-1").splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("Slice"))
    place = lines[head].split("\t").index("SubROI1")
    return 0.5 * sum(line.split("\t")[place] == "1" for line in lines[head + 1 :] if line.strip())


def test_zero_without_target_is_nan_with_its_reason_and_unclassed() -> None:
    scores = score({"a": (0.0, 40.0)})
    row = scores.table.iloc[0]
    assert math.isnan(row["si_ratio"])
    assert math.isnan(row["log_si"])
    assert row["class"] == ""
    assert "si_ratio" in parse_note(row["note"])["zero_without_target"]
    assert row["si_difference_s"] == 40.0
    assert row["si_index"] == 1.0
    assert "no_target_time_zero" in {problem.code for problem in scores.problems}


def test_zero_with_target_is_zero_and_flagged() -> None:
    scores = score({"a": (40.0, 0.0)})
    row = scores.table.iloc[0]
    assert (row["si_ratio"], row["class"]) == (0.0, "SUS")
    assert "log_si" in parse_note(row["note"])["zero_with_target"]
    assert "target_time_zero" in {problem.code for problem in scores.problems}


def test_zero_in_both_has_no_index() -> None:
    row = score({"a": (0.0, 0.0)}).table.iloc[0]
    assert math.isnan(row["si_index"])
    assert parse_note(row["note"])["zero_in_both"] == ("si_index", "si_target_share", "engagement_index")


def test_missing_trial_leaves_numbers_empty_with_that_reason() -> None:
    trials = trials_table({"a": (30.0, 60.0), "b": (30.0, 60.0)}).drop(index=3)
    scores = score_animals(trials, subjects=subjects_table({"a": "defeated", "b": "defeated"}), roles=ROLES)
    row = scores.table.set_index("subject").loc["b"]
    assert row["iz_no_target_s"] == 30.0
    assert {"iz_target_s", "si_ratio"} <= set(parse_note(row["note"])["trial_missing"])
    assert [(p.code, p.subject) for p in scores.problems if p.code == "trial_missing"] == [("trial_missing", "b")]
    assert_reasons(row.to_dict())


def test_a_refused_trial_hands_its_reason_on() -> None:
    trials = trials_table({"a": (30.0, math.nan)}).assign(note=["", "iz_s, corner_s: trial_refused"])
    row = score_animals(trials, subjects=subjects_table({"a": "defeated"}), roles=ROLES).table.iloc[0]
    assert {"iz_target_s", "si_ratio"} <= set(parse_note(row["note"])["trial_refused"])
    assert "velocity_target_cm_s" in parse_note(row["note"])["not_measured"]


def test_ratio_goes_by_shares_where_the_windows_differ() -> None:
    trials = trials_table({"a": (50.0, 50.0)}, window_s=(100.0, 200.0))
    row = score_animals(trials, subjects=subjects_table({"a": "defeated"}), roles=ROLES).table.iloc[0]
    assert row["si_ratio"] == pytest.approx(0.5)


def test_ratio_goes_by_the_share_of_the_observed_time_where_it_is_given() -> None:
    trials = trials_table({"a": (50.0, 50.0)}, iz_share=(0.4, 0.2))
    row = score_animals(trials, subjects=subjects_table({"a": "defeated"}), roles=ROLES).table.iloc[0]
    assert row["si_ratio"] == pytest.approx(0.5)


def test_engagement_index_by_hand() -> None:
    trials = trials_table({"a": (50.0, 75.0), "b": (0.0, 75.0)}, box_wall_distance_cm=(20.0, 10.0))
    table = score_animals(trials, subjects=subjects_table({"a": "defeated", "b": "defeated"}), roles=ROLES).table
    assert table["distance_ratio"].tolist() == [0.5, 0.5]
    assert table["engagement_index"].tolist() == pytest.approx([0.6 / (1 / 3), 1.0 / (1 / 3)])
    assert table["class_distance"].tolist() == ["RES", "RES"]
    assert "engagement_index" in parse_note(table["note"][1])["zero_without_target"]


def test_exclusions_are_off_unless_asked_for_and_each_is_logged() -> None:
    times = {"low": (40.0, 0.0), "high": (20.0, 90.0), "fine": (50.0, 40.0), "hurt": (50.0, 40.0)}
    assert (score(times).table["excluded"] == "").all()
    rules = ExclusionOptions(zero_zone_time=True, ratio_from=4.0)
    scores = score(times, exclude=rules, excluded={"hurt": "bite wound"})
    table = scores.table.set_index("subject")
    assert table["excluded"].to_dict() == {
        "fine": "", "high": "ratio_above_limit", "hurt": "bite wound", "low": "zero_zone_time"
    }  # fmt: skip
    assert table["class"].to_dict() == {"fine": "SUS", "high": "", "hurt": "", "low": ""}
    assert table.loc["high", "si_ratio"] == 4.5
    codes = {(problem.subject, problem.code) for problem in scores.problems}
    assert {("low", "zero_zone_time"), ("high", "ratio_above_limit"), ("hurt", "subject_excluded")} <= codes


def test_exclusion_by_lost_frames() -> None:
    trials = trials_table({"a": (50.0, 40.0), "b": (50.0, 40.0)}).assign(lost_percent=[0.0, 1.0, 30.0, 0.0])
    rules = ExclusionOptions(lost_above_percent=20.0)
    subjects = subjects_table({"a": "defeated", "b": "defeated"})
    scores = score_animals(trials, subjects=subjects, roles=ROLES, exclude=rules)
    assert scores.table["excluded"].tolist() == ["", "lost_excluded"]


def test_excluded_controls_do_not_set_cut_offs() -> None:
    times = {"c0": (40.0, 48.0), "c1": (50.0, 60.0), "c2": (60.0, 84.0), "c3": (50.0, 150.0), "d": (50.0, 60.0)}
    groups = {name: "control" if name.startswith("c") else "defeated" for name in times}
    table = score(times, groups, excluded={"c3": "jumped out"}).table.set_index("subject")
    ratios = [1.2, 1.2, 1.4]
    assert table.loc["d", "control_cut"] == pytest.approx(np.mean(ratios) - np.std(ratios, ddof=1))
    assert table.loc["d", "target_residual_s"] == pytest.approx(60 - 64)


def test_few_controls_leave_cut_and_residual_empty_with_reason() -> None:
    scores = score(
        {"c0": (50.0, 60.0), "c1": (60.0, 70.0), "d": (50.0, 60.0)}, {"c0": "control", "c1": "control", "d": "defeated"}
    )
    row = scores.table.set_index("subject").loc["d"]
    assert parse_note(row["note"])["few_controls"] == ("target_residual_s", "control_cut")
    assert row["class_control_cut"] == ""
    assert [problem.code for problem in scores.problems].count("few_controls") == 2


def test_a_cohort_with_enough_controls_has_its_own_cut() -> None:
    rng = np.random.default_rng(1)
    groups, cohort, times = {}, {}, {}
    for name, n in (("A", 8), ("B", 4)):
        for i in range(n):
            groups[f"{name}{i}"], cohort[f"{name}{i}"] = "control", name
            times[f"{name}{i}"] = (50.0, float(rng.uniform(50, 120)))
        groups[f"{name}d"], cohort[f"{name}d"], times[f"{name}d"] = "defeated", name, (50.0, 60.0)
    subjects = subjects_table(groups).assign(cohort=[cohort[name] for name in groups])
    table = score_animals(trials_table(times), subjects=subjects, roles=ROLES).table.set_index("subject")
    ratios = {name: pair[1] / pair[0] for name, pair in times.items() if groups[name] == "control"}
    own = [ratio for name, ratio in ratios.items() if name.startswith("A")]
    assert table.loc["Ad", "control_cut"] == pytest.approx(np.mean(own) - np.std(own, ddof=1))
    pooled = list(ratios.values())
    assert table.loc["Bd", "control_cut"] == pytest.approx(np.mean(pooled) - np.std(pooled, ddof=1))


def test_ids_stay_text_and_unknown_subjects_are_kept_and_reported() -> None:
    scores = score_animals(
        trials_table({"007": (50.0, 40.0), "x": (50.0, 40.0)}),
        subjects=subjects_table({"007": "defeated"}),
        roles=ROLES,
    )
    assert scores.table["subject"].tolist() == ["007", "x"]
    assert scores.table["role"].tolist() == ["defeated", ""]
    assert ("unknown_subject", "x") in {(problem.code, problem.subject) for problem in scores.problems}


def test_no_trials_at_all() -> None:
    empty = pd.DataFrame(columns=["subject", "trial", "iz_s", "note"])
    table = score_animals(empty, subjects=subjects_table({"a": "defeated"}), roles=ROLES).table
    assert table["subject"].tolist() == ["a"]
    assert_reasons(table.iloc[0].to_dict())


def test_subject_without_trials_keeps_its_row() -> None:
    scores = score({"a": (50.0, 40.0)}, {"a": "defeated", "b": "defeated"})
    row = scores.table.set_index("subject").loc["b"]
    assert row["class"] == ""
    assert_reasons(row.to_dict())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.assign(trial="habituation"), "unknown trial.*habituation"),
        (lambda t: pd.concat([t, t]), "a trial has two scores.*'a', no_target"),
        (lambda t: t.assign(iz_s=-1.0), "subject 'a': iz_s is below 0"),
        (lambda t: t.assign(iz_s="many"), "column iz_s: a value is not a number"),
        (lambda t: t.assign(iz_s=math.inf), "column iz_s: a value is infinite"),
    ],
)
def test_bad_trials_tables_are_refused(change, match: str) -> None:
    with pytest.raises(InputError, match=match):
        score_animals(
            change(trials_table({"a": (50.0, 40.0)})), subjects=subjects_table({"a": "defeated"}), roles=ROLES
        )


def test_subject_twice_and_group_with_two_roles_are_refused() -> None:
    trials, subjects = trials_table({"a": (50.0, 40.0)}), subjects_table({"a": "defeated"})
    with pytest.raises(InputError, match=r"listed twice.*'a'"):
        score_animals(trials, subjects=pd.concat([subjects, subjects]), roles=ROLES)
    with pytest.raises(ValueError, match="'defeated' has two roles"):
        score_animals(trials, subjects=subjects, roles={"control": ["defeated"], "defeated": ["defeated"]})


def test_unknown_rule_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="target_60s"):
        classify(score({"a": (50.0, 40.0)}).table, "phase_of_the_moon")


@pytest.mark.parametrize(
    "options",
    [{"cut": 0}, {"indeterminate_low": 1.2}, {"cohort_controls": 1}, {"control_sd": -1}, {"resilient_min_s": -1}],
)
def test_class_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        ClassOptions(**options)


seconds = st.floats(0, 150).map(lambda value: round(value, 3))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing_and_reasons_are_complete(pairs, random) -> None:
    times = {f"m{i}": pair for i, pair in enumerate(pairs)}
    groups = {name: "control" if i % 2 else "defeated" for i, name in enumerate(times)}
    trials, subjects = trials_table(times), subjects_table(groups)
    scores = score_animals(trials, subjects=subjects, roles=ROLES)
    order = list(range(len(trials)))
    random.shuffle(order)
    again = score_animals(trials.iloc[order], subjects=subjects.iloc[::-1], roles=ROLES)
    pd.testing.assert_frame_equal(scores.table, again.table)
    for row in scores.table.to_dict("records"):
        assert_reasons(row)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.1, 150), st.floats(0.1, 150), st.floats(0.5, 5))
def test_unit_of_time_does_not_change_ratios(without: float, target: float, scale: float) -> None:
    one = score({"a": (without, target)}).table.iloc[0]
    other = score({"a": (without * scale, target * scale)}).table.iloc[0]
    for name in ("si_ratio", "si_index", "si_target_share", "log_si"):
        assert other[name] == pytest.approx(one[name], rel=1e-9, abs=1e-12)
