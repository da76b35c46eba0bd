from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from integration.cohort import join_cohort
from integration.contrasts import COMPARISON_COLUMNS, ComparisonOptions, compare_groups


@pytest.fixture
def animals():
    rng = np.random.default_rng(8)
    role = np.repeat(["control", "defeated"], [10, 24])
    base = rng.normal(60, 10, 34)
    target = np.where(role == "control", 90, 55) + rng.normal(0, 20, 34)
    ratio = target / base
    label = np.where(role == "control", "", np.where(ratio < 1, "SUS", "RES"))
    return pd.DataFrame(
        {"subject": [f"m{i:02d}" for i in range(34)], "role": role, "cohort": np.tile(["a", "b"], 17), "class": label,
         "iz_target_s": target, "iz_no_target_s": base, "si_ratio": ratio,
         "velocity_drop_cm_s": rng.normal(1, 1, 34)}
    )  # fmt: skip


def compared(animals, **options):
    cohort = join_cohort(
        subjects=animals[["subject", "cohort"]], animals=animals.drop(columns="cohort")
    )  # fmt: skip
    return compare_groups(cohort, options=ComparisonOptions(**options))


def row(result, **where):
    table = result.table
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def test_columns_are_the_public_ones(animals):
    assert compared(animals).table.columns.tolist() == list(COMPARISON_COLUMNS)


def test_welch_and_hedges_equal_their_formulas(animals):
    animals = animals.drop(animals.index[[0, 1, 2]])
    found = row(compared(animals), measure="velocity_drop_cm_s", comparison="defeat")
    a, b = (animals.loc[animals["role"] == name, "velocity_drop_cm_s"] for name in ("defeated", "control"))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found[["statistic", "df", "p"]].tolist() == pytest.approx([expected.statistic, expected.df, expected.pvalue])
    interval = expected.confidence_interval()
    assert found[["ci_low", "ci_high"]].tolist() == pytest.approx([interval.low, interval.high], rel=1e-9)
    n1, n0 = len(a), len(b)
    pooled = np.sqrt(((n1 - 1) * a.var() + (n0 - 1) * b.var()) / (n1 + n0 - 2))
    g = (a.mean() - b.mean()) / pooled * (1 - 3 / (4 * (n1 + n0) - 9))
    assert found["effect"] == pytest.approx(g)
    assert found["effect_ci_low"] < g < found["effect_ci_high"]
    assert found["se"] == pytest.approx(np.sqrt(a.var() / n1 + b.var() / n0))


def test_equal_sizes_are_still_welch(animals):
    part = pd.concat([animals[animals["role"] == "control"], animals[animals["role"] == "defeated"].head(10)])
    part.loc[part["role"] == "control", "velocity_drop_cm_s"] *= 5
    found = row(compared(part), measure="velocity_drop_cm_s", comparison="defeat")
    assert found["df"] < 17


def test_adjusted_difference_equals_statsmodels(animals):
    found = row(compared(animals), measure="iz_target_s", comparison="defeat", method="ancova")
    fit = smf.ols("iz_target_s ~ C(role) + iz_no_target_s + C(cohort)", animals).fit()
    name = "C(role)[T.defeated]"
    assert found[["estimate", "se", "p"]].tolist() == pytest.approx(
        [fit.params[name], fit.bse[name], fit.pvalues[name]]
    )
    assert found["effect"] == pytest.approx(fit.params[name] / np.sqrt(fit.scale))


def test_classes_are_not_tested_on_what_made_them(animals):
    result = compared(animals)
    circular = row(result, measure="si_ratio", group_1="SUS", group_0="RES")
    assert "made from this measure" in circular["note"]
    assert np.isnan(circular["p"])
    assert circular["effect"] < 0
    assert row(result, measure="velocity_drop_cm_s", group_1="SUS", group_0="RES")["p"] > 0


def test_three_groups_together(animals):
    found = row(compared(animals), measure="velocity_drop_cm_s", method="welch_anova")
    labels = animals["class"].where(animals["role"] == "defeated", "control")
    groups = [animals.loc[labels == name, "velocity_drop_cm_s"] for name in sorted(set(labels))]
    expected = smf.ols("velocity_drop_cm_s ~ C(labels)", animals.assign(labels=labels)).fit()
    assert found["group_1"] == "RES / SUS / control"
    assert found["n"] == sum(map(len, groups))
    assert found["effect"] == pytest.approx(expected.rsquared, abs=0.05)


def test_adjusted_f_test_of_three_groups_equals_model_comparison(animals):
    animals = animals.assign(other_s=np.random.default_rng(3).normal(50, 9, 34))
    result = compared(animals, measures=("other_s",), adjusted=(("other_s", ("iz_no_target_s",)),))
    found = row(result, group_1="RES / SUS / control", method="ancova")
    labels = animals["class"].where(animals["role"] == "defeated", "control")
    data = animals.assign(labels=labels)
    small = smf.ols("other_s ~ iz_no_target_s + C(cohort)", data).fit()
    large = smf.ols("other_s ~ iz_no_target_s + C(cohort) + C(labels)", data).fit()
    f, p, _ = large.compare_f_test(small)
    assert (found["statistic"], found["p"]) == pytest.approx((f, p))


def test_small_and_constant_groups_are_refused_with_the_number(animals):
    few = pd.concat([animals[animals["role"] == "control"].head(2), animals[animals["role"] == "defeated"]])
    result = compared(few)
    assert row(result, measure="velocity_drop_cm_s", comparison="defeat")["note"] == (
        "refused: 2 subjects in control, at least 3 needed"
    )
    assert {p.code for p in result.problems} == {"test_refused"}
    flat = animals.assign(velocity_drop_cm_s=np.where(animals["role"] == "control", 0.0, animals["velocity_drop_cm_s"]))
    assert (
        "all 10 subjects of control have one value"
        in row(compared(flat), measure="velocity_drop_cm_s", comparison="defeat")["note"]
    )


def test_cohort_that_is_the_group_is_refused_in_the_adjusted_row_only(animals):
    result = compared(animals.assign(cohort=animals["role"]))
    assert "span" in row(result, measure="iz_target_s", comparison="defeat", method="ancova")["note"]
    assert row(result, measure="iz_target_s", comparison="defeat", method="welch_t")["p"] < 0.05


def test_excluded_mice_are_left_out(animals):
    animals["excluded"] = [""] * 33 + ["jumped out"]
    assert row(compared(animals), measure="velocity_drop_cm_s", comparison="defeat")["n_1"] == 23


def test_options_are_checked():
    with pytest.raises(ValueError, match="no spread"):
        ComparisonOptions(min_subjects=1)
