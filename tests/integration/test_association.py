from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from core.errors import RefusedError
from integration.association import ASSOCIATION_COLUMNS, AssociationOptions, associate
from integration.censored_marker import censored_slopes
from integration.cohort import join_cohort
from proteomics.abundance import from_frame

TARGET_ONLY = AssociationOptions(outcomes=("target_time",))


def study():
    """56 mice, three cohorts crossed with two plates; the same numbers were given to R."""
    rng = np.random.default_rng(20261125)
    n = 56
    role = np.array(["defeated"] * 40 + ["control"] * 16)
    cohort = np.array(["c1", "c2", "c3"])[np.arange(n) % 3]
    plate = np.array(["p1", "p2"])[(np.arange(n) // 3) % 2]
    stress = rng.normal(size=n)
    base = 60 + 10 * rng.normal(size=n) + 5 * (cohort == "c2")
    target = 70 - 18 * stress - 15 * (role == "defeated") + 0.3 * base + 8 * rng.normal(size=n)
    marker = 3 + 0.5 * stress + 0.6 * (plate == "p2") + 0.4 * rng.normal(size=n)
    drop = 1 + 0.4 * stress + rng.normal(size=n)
    return pd.DataFrame(
        {"subject": [f"m{i:02d}" for i in range(n)], "role": role, "cohort": cohort, "plate": plate,
         "iz_no_target_s": base, "iz_target_s": target, "velocity_drop_cm_s": drop, "Il4": marker}
    ).assign(si_ratio=lambda d: d["iz_target_s"] / d["iz_no_target_s"])  # fmt: skip


def joined(table, markers=("Il4",), below=None, **more):
    measures = ["iz_no_target_s", "iz_target_s", "velocity_drop_cm_s", "si_ratio"]
    rest = [name for name in table if name not in (*measures, *markers, "plate")]
    indexed = table.set_index("subject")
    abundance = from_frame(
        indexed[list(markers)], platform="beads", species="mouse", unit="log2 pg/mL", below_lod=below,
        samples=indexed[["plate"]],
    )  # fmt: skip
    return join_cohort(
        subjects=table[rest], animals=table[["subject", *measures]], abundance=abundance, **more
    )  # fmt: skip


def row(result, **where):
    table = result.table
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1, table
    return table.iloc[0]


@pytest.fixture(scope="module")
def planted():
    return associate(joined(study()), options=AssociationOptions(declared_set=("IL4",)))


def test_columns_are_the_public_ones(planted):
    assert planted.table.columns.tolist() == list(ASSOCIATION_COLUMNS)
    assert planted.table["subset"].drop_duplicates().tolist() == ["defeated", "all"]
    assert planted.table["outcome"].drop_duplicates().tolist() == ["target_time", "si_ratio", "velocity_drop"]


# R 4.2: d$z <- scale(d$Il4) over all 56 mice; e <- subset(d, role == "defeated")
R_MODELS = {
    # summary(lm(iz_target_s ~ z + iz_no_target_s + cohort + plate, e)); df 34
    ("defeated", "target_time", "ancova"): (-8.93450282453761, 2.57457597956587, -3.47028127949992, 0.00143321676019),
    # lm(si ~ z + cohort + plate, e)
    ("defeated", "si_ratio", "linear_model"): (-0.2027246092029, 0.0680986269577, -2.9769265293532, 0.0052545817263),
    # lm(velocity_drop_cm_s ~ z + cohort + plate, e)
    ("defeated", "velocity_drop", "linear_model"): (
        0.4280267372786, 0.1670688578622, 2.5619779937189, 0.0148708202602,
    ),
    # lm(iz_target_s ~ z + iz_no_target_s + cohort + plate + role, d)
    ("all", "target_time", "ancova"): (-11.3082019616, 2.31134435127, -4.89247824775, 1.11747782936e-05),
    # lm(iz_target_s ~ z + iz_no_target_s + cohort + plate) in each role; difference of slopes, Satterthwaite df 14.516
    ("all", "target_time", "interaction"): (5.317553852795, 6.145961087748, 0.865211116191, 0.400996032328),
}  # fmt: skip


@pytest.mark.parametrize("key", R_MODELS, ids="-".join)
def test_models_equal_r(key):
    with_group = joined(study().assign(group=lambda d: d["role"]))
    result = associate(with_group)
    found = row(result, **dict(zip(("subset", "outcome", "method"), key, strict=True)))
    assert found[["estimate", "se", "statistic", "p"]].tolist() == pytest.approx(R_MODELS[key], rel=1e-9)


def test_an_interaction_with_too_few_controls_is_refused_with_the_number():
    table = pd.concat([study().query("role == 'defeated'"), study().query("role == 'control'").head(7)])
    found = row(associate(joined(table), options=TARGET_ONLY), subset="all", method="interaction")
    assert found["note"] == "refused: control mice: 1 residual degrees of freedom, at least 3 needed"
    assert np.isnan(found["p"])


def test_the_interval_and_partial_r_equal_r(planted):
    found = row(planted, subset="defeated", outcome="target_time", method="ancova")
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((-14.16667072283, -3.70233492624), rel=1e-9)
    assert (found["n"], found["df"]) == (40, 34)
    partial = row(planted, subset="defeated", outcome="target_time", method="partial_pearson")
    assert found["effect"] == pytest.approx(partial["estimate"], rel=1e-9)
    assert found["p"] == pytest.approx(partial["p"], rel=1e-9)
    assert partial["ci_low"] < partial["estimate"] < partial["ci_high"]


def test_correlations_equal_r(planted):
    def numbers(method):
        return row(planted, subset="defeated", outcome="target_time", method=method)[["estimate", "p"]].tolist()

    # cor.test(e$z, e$iz_target_s, method = "spearman", exact = FALSE); cor.test(e$z, e$iz_target_s)
    assert numbers("spearman") == pytest.approx([-0.409943714822, 0.00861207676], rel=1e-8)
    assert numbers("pearson") == pytest.approx([-0.41513463092, 0.00772904816], rel=1e-8)
    # residuals of ranks on rank(iz_no_target_s) + cohort + plate, t on 34 df
    assert numbers("partial_spearman") == pytest.approx([-0.48869542791405, 0.00249273369243], rel=1e-8)
    pearson = row(planted, subset="defeated", outcome="target_time", method="pearson")
    assert (pearson["ci_low"], pearson["ci_high"]) == pytest.approx((-0.643435927602, -0.119016265253), rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_ancova_equals_statsmodels(seed):
    rng = np.random.default_rng(seed)
    table = study()
    table["Il4"] = rng.normal(2, 3, len(table))
    table["mass_g"] = rng.normal(25, 2, len(table))
    options = AssociationOptions(outcomes=("target_time",), covariates=("mass_g",))
    found = row(associate(joined(table), options=options), subset="defeated", method="ancova")
    table["z"] = (table["Il4"] - table["Il4"].mean()) / table["Il4"].std()
    part = table[table["role"] == "defeated"]
    fit = smf.ols("iz_target_s ~ z + iz_no_target_s + mass_g + C(cohort) + C(plate)", part).fit()
    expected = [fit.params["z"], fit.bse["z"], fit.tvalues["z"], fit.pvalues["z"], *fit.conf_int().loc["z"]]
    names = ["estimate", "se", "statistic", "p", "ci_low", "ci_high"]
    assert found[names].tolist() == pytest.approx(expected, rel=1e-6)


def test_unit_of_the_marker_and_labels_change_nothing_but_names(planted):
    table = study()
    table["Il4"] = 7 + 2 * table["Il4"]
    table["cohort"] = table["cohort"].map({"c1": "z", "c2": "y", "c3": "x"})
    shuffled = associate(joined(table.sample(frac=1, random_state=3)))
    numbers = ["n", "estimate", "se", "p", "effect", "df"]
    pd.testing.assert_frame_equal(shuffled.table[numbers], planted.table[numbers], rtol=1e-9)


def test_the_global_options_of_pingouin_are_as_before(planted):
    assert pingouin.options["round.column.CI95"] == 2
    value = row(planted, subset="defeated", outcome="target_time", method="pearson")["ci_low"]
    assert value != round(value, 2)


def test_q_values_are_those_of_their_family():
    rng = np.random.default_rng(5)
    table = study()
    names = ["Il4", "Il5", "Il13", "Cxcl1", "Ccl2", "Tnf"]
    for name in names[1:]:
        table[name] = rng.normal(size=len(table))
    scores = pd.DataFrame(
        {"sample": table["subject"], "axis": "Th2", "score": table[["Il4", "Il5", "Il13"]].mean(axis=1)}
    )
    cohort = joined(table, markers=names, axis_scores=scores)
    result = associate(
        cohort, options=AssociationOptions(outcomes=("target_time",), declared_set=("il4", "Il5", "Il13"))
    )
    part = result.table.query("subset == 'defeated' and method == 'ancova'")
    proteins, axes = part[part["kind"] == "protein"], part[part["kind"] == "axis"]
    assert proteins["q_panel"].tolist() == pytest.approx(stats.false_discovery_control(proteins["p"]).tolist())
    members = proteins[proteins["in_set"]]
    assert members["symbol"].tolist() == ["Il4", "Il5", "Il13"]
    assert members["q_set"].tolist() == pytest.approx(stats.false_discovery_control(members["p"]).tolist())
    assert proteins.loc[~proteins["in_set"], "q_set"].isna().all()
    assert axes["q_panel"].tolist() == axes["p"].tolist()
    assert not axes["in_set"].any()


def test_markers_below_detection_are_dropped_and_listed():
    table = study().assign(Il5=1.0, Il13=np.linspace(0, 1, 56), Ccl11=2.0)
    below = np.zeros((56, 4), dtype=bool)
    below[:30, 2] = True
    cohort = joined(table, markers=["Il4", "Il5", "Il13", "Ccl11"], below=below)
    result = associate(
        cohort, options=AssociationOptions(outcomes=("target_time",), declared_set=("Il13", "Il9", "Il4"))
    )
    assert set(result.table["symbol"]) == {"Il4"}
    messages = {(p.code, p.where): p.message for p in result.problems}
    assert (
        messages["few_detected", "marker Il13"] == "Il13: detected in 46% of 56 analysed samples, at least 50% needed"
    )
    assert ("constant_marker", "marker Il5") in messages
    assert messages["set_member_missing", "declared set, Il13"] == "Il13 is not detected often enough"
    assert messages["set_member_missing", "declared set, Il9"] == "Il9 is not on this panel"


def test_missing_values_are_counted_not_hidden():
    table = study()
    table.loc[[0, 1], "Il4"] = np.nan
    table.loc[2, "iz_no_target_s"] = np.nan
    table.loc[3, "cohort"] = ""
    result = associate(joined(table), options=TARGET_ONLY)
    found = row(result, subset="defeated", method="ancova")
    assert found["n"] == 36
    assert "2 of 38 subjects have no value" in found["note"]
    left_out = {p.subject: p.message for p in result.problems if p.code == "not_analysed"}
    assert left_out == {"m02": "no value of iz_no_target_s", "m03": "no value of cohort"}


def test_excluded_mice_are_not_analysed():
    table = study()
    table["exclude"] = ["bite wound"] + [""] * 55
    result = associate(joined(table), options=TARGET_ONLY)
    assert "m00" not in result.analysed["defeated", "target_time"]
    assert row(result, subset="defeated", method="ancova")["n"] == 39


def test_plate_and_cohort_as_one_partition_leave_one_and_say_so():
    table = study()
    table["plate"] = table["cohort"].map({"c1": "p7", "c2": "p8", "c3": "p9"})
    result = associate(joined(table), options=TARGET_ONLY)
    found = row(result, subset="defeated", method="ancova")
    assert "plate and cohort are the same partition; cohort stays" in found["note"]
    assert found["model"] == "iz_target_s ~ marker + iz_no_target_s + cohort"
    assert [p.code for p in result.problems] == ["cohort_is_plate", "cohort_is_plate"]
    assert found["p"] == pytest.approx(row(associate(joined(table.assign(plate="p1")), options=TARGET_ONLY),
                                           subset="defeated", method="ancova")["p"])  # fmt: skip


@pytest.mark.parametrize("nuisance", ["plate", "cohort"])
def test_group_and_nuisance_that_coincide_stop_the_pooled_analysis_only(nuisance):
    table = study()
    table[nuisance] = np.where(table["role"] == "control", "x", table[nuisance])
    result = associate(joined(table), options=TARGET_ONLY)
    assert f"group_is_{nuisance}" in {p.code for p in result.problems}
    refused = row(result, subset="all")
    assert refused["note"].startswith("refused: each of the")
    assert f"group and {nuisance} cannot be told apart" in refused["note"]
    assert np.isnan(refused["p"])
    assert row(result, subset="defeated", method="ancova")["p"] < 0.05


def test_pooled_correlations_name_what_they_leave_out():
    """Defeat moves marker and behavior; within groups nothing is there."""
    rng = np.random.default_rng(11)
    table = study()
    control = table["role"] == "control"
    table["iz_target_s"] = 40 + 60 * control + rng.normal(0, 5, 56)
    table["Il4"] = 3 - 2 * control + rng.normal(0, 0.5, 56)
    result = associate(joined(table.assign(group=table["role"])), options=TARGET_ONLY)
    pooled = row(result, subset="all", method="spearman")
    assert pooled["p"] < 1e-4
    assert (
        "not adjusted for iz_no_target_s, cohort, plate, group; it goes with group: given group alone" in pooled["note"]
    )
    assert row(result, subset="all", method="ancova")["p"] > 0.05


@pytest.mark.parametrize(
    ("keep", "match"),
    [(5, "refused: 5 subjects, at least 6 needed"), (8, "refused: 2 residual degrees of freedom, at least 3 needed")],
)
def test_too_few_mice_give_no_test_but_a_reason(keep, match):
    table = pd.concat([study().query("role == 'defeated'").head(keep), study().query("role == 'control'")])
    found = row(associate(joined(table), options=TARGET_ONLY), subset="defeated")
    assert found["note"] == match
    assert np.isnan(found[["estimate", "p", "effect"]].astype(float)).all()


def test_unknown_outcomes_and_covariates_are_refused_by_name():
    cohort = joined(study())
    with pytest.raises(RefusedError, match="outcome sucrose needs column sucrose"):
        associate(cohort, options=AssociationOptions(outcomes=("sucrose",)))
    with pytest.raises(RefusedError, match="covariate wounds is in no table"):
        associate(cohort, options=AssociationOptions(covariates=("wounds",)))
    with pytest.raises(RefusedError, match=r"is not numeric.*found 56 of 56 values are no numbers, the first"):
        associate(cohort, options=AssociationOptions(outcomes=("cohort",)))


def test_nobody_in_common_is_refused():
    animals = study()[["subject", "iz_target_s", "iz_no_target_s"]]
    values = pd.DataFrame({"Il4": [1.0]}, index=["other"])
    ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL")
    cohort = join_cohort(subjects=study()[["subject"]], animals=animals, abundance=ds)
    with pytest.raises(RefusedError, match=r"no subject has a serum value.*56 subjects"):
        associate(cohort, options=TARGET_ONLY)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"outcomes": ()}, "outcomes is empty"), ({"min_detected": 2}, "min_detected is 2"),
     ({"min_subjects": 2}, "min_subjects"), ({"power": 1}, "power is 1")],
)  # fmt: skip
def test_options_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        AssociationOptions(**options)


def test_a_second_assay_of_a_symbol_stays_out_of_the_set():
    table = study().assign(Il4b=lambda d: d["Il4"] + np.random.default_rng(1).normal(size=56))
    indexed = table.set_index("subject")
    ds = from_frame(
        indexed[["Il4", "Il4b"]], platform="x", species="mouse", unit="log2", samples=indexed[["plate"]],
        proteins=pd.DataFrame({"symbol": ["Il4", "Il4"]}, index=["Il4", "Il4b"]),
        below_lod=np.column_stack([np.arange(56) < 5, np.zeros(56)]),
    )  # fmt: skip
    cohort = join_cohort(subjects=table[["subject", "role", "cohort"]], abundance=ds,
                         animals=table[["subject", "iz_target_s", "iz_no_target_s"]])  # fmt: skip
    result = associate(cohort, options=AssociationOptions(outcomes=("target_time",), declared_set=("Il4",)))
    part = result.table.query("subset == 'defeated' and method == 'ancova'").set_index("marker")
    assert part["in_set"].to_dict() == {"Il4": False, "Il4b": True}
    assert "further assay of Il4; Il4b is the set's member" in part.loc["Il4", "note"]


def censored_study(*, limit):
    """The study with values of Il4 below ``limit`` written as the limit, as a plate reader's table does."""
    table = study()
    indexed = table.set_index("subject")
    values = indexed[["Il4"]].assign(Tnf=np.sin(np.arange(len(table))) + 5)
    below = values < [limit, -np.inf]
    values = values.clip(lower=[limit, -np.inf], axis=1)
    abundance = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL", lod=[limit, np.nan],
                           below_lod=below, samples=indexed[["plate"]])  # fmt: skip
    measures = ["iz_no_target_s", "iz_target_s"]
    return table, join_cohort(subjects=table[["subject", "role", "cohort"]], animals=table[["subject", *measures]],
                              abundance=abundance)  # fmt: skip


def test_markers_below_lod_have_a_censored_row_beside_the_model():
    """Likelihood of the censored normal model maximised here by scipy; only the marker with such values has the row."""
    from scipy.optimize import minimize

    table, cohort = censored_study(limit=2.6)
    result = associate(cohort, options=replace(TARGET_ONLY, declared_set=("Il4",), terms=("plate",)))
    rows = result.table[result.table["method"] == "censored_model"]
    assert set(rows["marker"]) == {"Il4"} and rows["subset"].tolist() == ["defeated", "all"]
    found = rows.iloc[0]
    part = table[table["role"] == "defeated"]
    y = part["Il4"].clip(lower=2.6).to_numpy()
    low = (part["Il4"] < 2.6).to_numpy()
    assert 3 <= low.sum() <= 15
    design = np.column_stack([np.ones(40), part["iz_target_s"], part["iz_no_target_s"], part["plate"] == "p2"])
    design = design.astype(float)
    scale = design.std(axis=0)
    scale[0] = 1

    def loss(p):
        mean, sd = (design / scale) @ p[:-1], np.exp(p[-1])
        return -np.where(low, stats.norm.logcdf(y, mean, sd), stats.norm.logpdf(y, mean, sd)).sum()

    best = minimize(loss, [y.mean(), 0, 0, 0, 0], method="BFGS", options={"gtol": 1e-8})
    sd = result.markers.info.loc["Il4", "sd"]
    assert found["estimate"] == pytest.approx(best.x[1] / scale[1] / sd, rel=1e-4)
    assert found["n"] == 40 and f"{low.sum()} of 40 values beyond a limit" in found["note"]
    assert found["ci_low"] < found["estimate"] < found["ci_high"] < 0 and found["effect"] < 0
    assert found["model"] == "marker ~ iz_target_s + iz_no_target_s + plate"
    assert found["q_set"] == pytest.approx(found["p"])
    assert result.table.iloc[0]["method"] == "ancova"


def test_without_a_censored_value_the_censored_model_has_the_models_t():
    result = associate(joined(study()), options=replace(TARGET_ONLY, terms=("plate",)))
    part = study().query("role == 'defeated'")
    columns = pd.DataFrame({"base": part["iz_no_target_s"], "plate": (part["plate"] == "p2").astype(float)})
    values = part[["Il4"]]
    found = censored_slopes(values, (values < 0).astype(int), part["iz_target_s"], columns).loc["Il4"]
    model = row(result, subset="defeated", method="ancova")
    assert found["statistic"] == pytest.approx(model["statistic"], rel=1e-5)
    assert found["effect"] == pytest.approx(model["effect"], rel=1e-5)
    assert "censored_model" not in set(result.table["method"])


def test_too_few_detected_values_are_refused_with_their_number():
    _, cohort = censored_study(limit=3.0)
    result = associate(cohort, options=replace(TARGET_ONLY, min_detected=0.2, terms=("cohort",)))
    found = row(result, subset="defeated", method="censored_model")
    detected = int((study().query("role == 'defeated'")["Il4"] >= 3.0).sum())
    assert detected < 40 and np.isnan(found["estimate"])
    assert f"refused: {detected} detected values, at least 40 needed" in found["note"]
