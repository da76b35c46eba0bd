from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from integration.association import AssociationOptions, associate
from integration.association_details import association_details, leave_one_out, permutation_p
from integration.cohort import join_cohort
from proteomics.abundance import from_frame

OPTIONS = AssociationOptions(declared_set=("Il5",), outcomes=("target_time",))


def study(seed=1, *, n=36, effect=-12.0, sexes=("male", "female"), cohorts=("a", "b", "c")):
    rng = np.random.default_rng(seed)
    names = [f"m{i:02d}" for i in range(n)]
    cohort = np.array(cohorts)[np.arange(n) % len(cohorts)]
    il5, tnf = rng.normal(size=(2, n))
    empty = 60 + 15 * rng.normal(size=n)
    target = 55 + 0.4 * empty + effect * il5 + 15 * rng.normal(size=n) + 10 * (cohort == "b")
    subjects = pd.DataFrame(
        {"subject": names, "group": "CSDS", "cohort": cohort, "sex": np.array(sexes)[np.arange(n) // 3 % len(sexes)]}
    )
    animals = pd.DataFrame({"subject": names, "iz_target_s": target, "iz_no_target_s": empty})
    values = pd.DataFrame({"Il5": il5, "Tnf": tnf}, index=names)
    return join_cohort(
        subjects=subjects, animals=animals, roles={"defeated": ["CSDS"]},
        abundance=from_frame(values, platform="x", species="mouse", unit="log2"),
    )  # fmt: skip


def details(cohort, **more):
    return association_details(cohort, associate(cohort, options=OPTIONS), options=OPTIONS, seed=2, **more)


def test_rows_are_of_the_declared_set_in_defeated_mice():
    found = details(study())
    assert set(found["symbol"]) == {"Il5"} and set(found["subset"]) == {"defeated"}
    assert found["check"].tolist() == [
        "permutation", "without one mouse", *["without one cohort"] * 3, *["within one sex"] * 2, "biweight",
    ]  # fmt: skip


def test_slopes_without_a_cohort_and_within_a_sex_are_those_of_statsmodels():
    cohort = study()
    found = details(cohort)
    table = cohort.table.assign(z=stats.zscore(cohort.markers["Il5"], ddof=1))
    for check, level, part in (
        ("without one cohort", "b", table[table["cohort"] != "b"]),
        ("within one sex", "female", table[table["sex"] == "female"]),
    ):
        sex = " + sex" if check == "without one cohort" else ""
        fit = smf.ols(f"iz_target_s ~ z + iz_no_target_s + cohort{sex}", part).fit()
        row = found[(found["check"] == check) & (found["level"] == level)].iloc[0]
        assert row["estimate"] == pytest.approx(fit.params["z"], abs=1e-8)
        assert row["p"] == pytest.approx(fit.pvalues["z"], abs=1e-8)
        assert row["n"] == len(part)


def test_leaving_out_one_mouse_equals_fitting_again():
    rng = np.random.default_rng(3)
    columns = pd.DataFrame(rng.normal(size=(20, 2)))
    x, y = rng.normal(size=(2, 20))
    found = leave_one_out(y, x, columns)
    design = np.column_stack([x, np.ones(20), columns])
    for k in range(20):
        kept = np.arange(20) != k
        assert found[k] == pytest.approx(np.linalg.lstsq(design[kept], y[kept], rcond=None)[0][0], abs=1e-10)


def test_a_mouse_that_alone_carries_a_term_has_no_slope_without_it():
    rng = np.random.default_rng(3)
    alone = pd.DataFrame({"cohort": np.eye(12)[0]})
    found = leave_one_out(rng.normal(size=12), rng.normal(size=12), alone)
    assert np.isnan(found[0]) and np.isfinite(found[1:]).all()


def test_an_outlying_mouse_is_named():
    cohort = study(effect=0.0)
    cohort.table.loc["m07", "iz_target_s"] += 150
    row = details(cohort).query("check == 'without one mouse'").iloc[0]
    assert "m07 moves it most" in row["note"]
    assert row["ci_low"] < row["estimate"] < row["ci_high"]


def test_permutation_within_cohort_keeps_its_level_where_cohorts_differ():
    rng = np.random.default_rng(4)
    p = []
    for _ in range(400):
        cohort = np.repeat([0, 1], 10)
        x, y = rng.normal(size=(2, 20)) + 3 * cohort
        p.append(permutation_p(y, x, pd.DataFrame({"c": cohort.astype(float)}), count=99, rng=rng, strata=list(cohort)))
    low, high = stats.binom.ppf([0.0005, 0.9995], 400, 0.05) / 400
    assert low <= np.mean(np.array(p) <= 0.05) <= high


def test_permutation_p_agrees_with_t_and_finds_the_effect():
    row = details(study(effect=-40.0)).query("check == 'permutation'").iloc[0]
    assert row["p"] == pytest.approx(1 / 2001)
    assert row["method"] == "residuals permuted within cohort"
    null = details(study(effect=0.0)).query("check == 'permutation'").iloc[0]
    t = associate(study(effect=0.0), options=OPTIONS).table.query("symbol == 'Il5' and method == 'ancova'")["p"].iloc[0]
    assert null["p"] == pytest.approx(t, abs=0.05)


def test_measurement_error_divides_by_the_root_of_the_reliability():
    cohort = study()
    table = pd.DataFrame({"score": ["iz_share_target"], "subset": ["role defeated"], "reliability": [0.64]})
    row = details(cohort, reliability=table).query("check == 'measurement error'").iloc[0]
    plain = associate(cohort, options=OPTIONS).table.query("symbol == 'Il5' and method == 'partial_pearson'").iloc[0]
    assert row["estimate"] == pytest.approx(plain["estimate"] / 0.8)
    assert row["ci_low"] == pytest.approx(max(-1, plain["ci_low"] / 0.8))
    assert "split-half reliability 0.64" in row["note"]
    refused = details(cohort, reliability=table.assign(reliability=-0.1)).query("check == 'measurement error'").iloc[0]
    assert np.isnan(refused["estimate"]) and "refused: the reliability is -0.10" in refused["note"]


def test_too_few_of_one_sex_are_refused():
    cohort = study(sexes=("male",) * 11 + ("female",))
    row = details(cohort).query("check == 'within one sex' and level == 'female'").iloc[0]
    assert np.isnan(row["estimate"]) and row["note"] == "refused: 3 subjects, at least 6 needed"


def test_biweight_is_that_of_the_definition():
    cohort = study()
    dummies = pd.get_dummies(cohort.table[["cohort", "sex"]], drop_first=True).astype(float)
    others = np.column_stack([np.ones(36), cohort.table["iz_no_target_s"], dummies])

    def residuals(values):
        return values - others @ np.linalg.lstsq(others, values, rcond=None)[0]

    x, y = residuals(cohort.markers["Il5"].to_numpy()), residuals(cohort.table["iz_target_s"].to_numpy())

    def weighted(values):
        centred = values - np.median(values)
        u = centred / (9 * np.median(np.abs(centred)))
        kept = centred * (1 - u**2) ** 2 * (np.abs(u) < 1)
        return kept / np.sqrt((kept**2).sum())

    row = details(cohort).query("check == 'biweight'").iloc[0]
    r = float(weighted(x) @ weighted(y))
    assert row["estimate"] == pytest.approx(r, abs=1e-8)
    df = 36 - others.shape[1] - 1
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(r) * np.sqrt(df / (1 - r**2)), df), rel=1e-8)


def test_wounds_are_shown_with_and_without_and_the_primary_result_is_without():
    cohort = study()
    plain = details(cohort)
    assert not plain["check"].str.contains("wound").any()
    wounds = np.random.default_rng(5).integers(0, 4, len(cohort.table)).astype(float)
    wounds[[3, 8]] = np.nan
    cohort.table["wound_grade_max"] = wounds
    found = details(cohort)
    row = found[found["check"] == "with wound score"].iloc[0]
    table = cohort.table.assign(z=stats.zscore(cohort.markers["Il5"], ddof=1)).dropna(subset="wound_grade_max")
    fit = smf.ols("iz_target_s ~ z + iz_no_target_s + cohort + sex + wound_grade_max", table).fit()
    assert (row["estimate"], row["p"]) == pytest.approx((fit.params["z"], fit.pvalues["z"]), abs=1e-8)
    assert row["n"] == 34
    rest = found[found["check"] != "with wound score"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, plain)
