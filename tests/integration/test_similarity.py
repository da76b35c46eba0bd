from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from core.errors import RefusedError
from integration.contrast_maps import contrast_map, noise_correlation, permuted_rows, shared_null_correlation
from integration.signature_scores import SCORES
from integration.similarity import SimilarityOptions, group_similarity, similarity_difference

QUICK = SimilarityOptions(n_permutations=199, n_splits=20)


def people(seed=1, shared=0.0, own=0.0, sizes=(25, 30, 32), proteins=120):
    rng = np.random.default_rng(seed)
    group = np.repeat(["MDD", "AD", "HC"], sizes)
    values = rng.normal(size=(len(group), proteins))
    common, other = rng.normal(size=(2, proteins))
    values[group == "MDD"] += shared * common
    values[group == "AD"] += shared * common + own * other
    names = [f"s{i}" for i in range(len(group))]
    return pd.DataFrame(values, names, [f"P{i}" for i in range(proteins)]), pd.Series(group, names)


def compare(values, group, **more):
    given = {"contrast_a": ("MDD", "HC"), "contrast_b": ("AD", "HC"), "options": QUICK, "seed": 3} | more
    return group_similarity(values, group=group, **given)


def test_null_line_is_the_published_formula_and_what_simulation_gives():
    assert shared_null_correlation(25, 30, 32) == pytest.approx(0.461, abs=0.0005)
    assert shared_null_correlation(6, 28, 38) == pytest.approx(0.24, abs=0.005)
    assert shared_null_correlation(27, 28, 38) == pytest.approx(0.42, abs=0.005)
    rng = np.random.default_rng(0)
    means = [rng.normal(0, 1 / np.sqrt(n), 200_000) for n in (25, 30, 32)]
    assert np.corrcoef(means[0] - means[2], means[1] - means[2])[0, 1] == pytest.approx(0.461, abs=0.01)
    assert shared_null_correlation(25, 30, 16, n_0_second=16, shared=0) == 0
    with pytest.raises(ValueError, match="do not fit"):
        shared_null_correlation(25, 30, 32, shared=40)


def test_weights_of_the_model_give_the_same_line():
    labels = ["a"] * 25 + ["b"] * 30 + ["c"] * 32
    assert noise_correlation(contrast_map(labels, [("a", "c"), ("b", "c")]).weights) == pytest.approx(
        shared_null_correlation(25, 30, 32)
    )


def test_contrasts_with_covariates_equal_statsmodels():
    values, group = people()
    age = np.random.default_rng(2).normal(40, 9, len(group)) + 5 * (group == "AD").to_numpy()
    built = contrast_map(group.to_numpy(), [("MDD", "HC"), ("AD", "HC")], age[:, None])
    data = pd.DataFrame({"y": values["P0"].to_numpy(), "g": group.to_numpy(), "age": age})
    fit = smf.ols("y ~ C(g, Treatment('HC')) + age", data).fit().params
    found = built.weights @ values["P0"].to_numpy()
    assert found.tolist() == pytest.approx([fit.iloc[2], fit.iloc[1]])


def test_shared_controls_alone_make_no_similarity():
    values, group = people(seed=8)
    spearman = compare(values, group).table.iloc[0]
    assert spearman["observed"] > 0.3
    assert abs(spearman["observed"] - spearman["null_line"]) < 0.25
    assert abs(spearman["estimate"]) < 0.25
    assert spearman["ci_low"] < 0 < spearman["ci_high"]
    assert spearman["p"] > 0.05
    assert spearman["null_mean"] == pytest.approx(0.46, abs=0.06)


def test_a_true_shared_signature_is_found():
    values, group = people(seed=4, shared=0.8)
    result = compare(values, group)
    pearson = result.table.set_index("score").loc["pearson"]
    assert pearson["p"] < 0.02
    assert pearson["ci_low"] > 0.5
    assert pearson["joint"] == pytest.approx(1, abs=0.1), "noise taken off, the true effects are the same"
    assert result.signatures.columns.tolist() == ["protein", "logfc_a", "logfc_b"]


def test_opposite_signatures_are_found_as_opposite():
    values, group = people(seed=5, shared=0.8)
    values[group == "AD"] -= 2 * (values[group == "AD"].mean() - values[group == "HC"].mean())
    pearson = compare(values, group).table.set_index("score").loc["pearson"]
    assert pearson["estimate"] < -0.4
    assert pearson["p"] < 0.02


def test_leaving_one_out_by_leverage_equals_fitting_again():
    values, group = people(sizes=(6, 7, 8), proteins=5)
    age = np.random.default_rng(2).normal(size=(21, 1))
    pairs = [("MDD", "HC"), ("AD", "HC")]
    built = contrast_map(group.to_numpy(), pairs, age)
    changed = built.weights @ values.to_numpy() + built.left_out_changes(values.to_numpy())
    keep = np.arange(21) != 4
    again = contrast_map(group.to_numpy()[keep], pairs, age[keep]).weights @ values.to_numpy()[keep]
    np.testing.assert_allclose(changed[4], again, rtol=1e-10)


def test_the_interval_is_as_wide_as_studies_differ():
    estimates, widths = [], []
    options = SimilarityOptions(scores=("pearson",), n_permutations=99, n_splits=6)
    for study in range(60):
        values, group = people(seed=study, shared=0.5, own=0.5)
        row = compare(values, group, options=options).table.iloc[0]
        estimates.append(np.arctanh(row["estimate"]))
        widths.append((np.arctanh(row["ci_high"]) - np.arctanh(row["ci_low"])) / (2 * stats.t.ppf(0.975, 86)))
    # proteins' true effects are drawn anew each time too, so studies differ a little more than the standard error
    assert 0.6 < np.mean(widths) / np.std(estimates, ddof=1) < 1.3


def test_strata_are_permuted_within():
    order = permuted_rows(6, 200, np.random.default_rng(1), strata=list("aabbbb"))
    assert (np.sort(order[:, :2], axis=1) == [0, 1]).all()
    assert len(np.unique(order[:, 2])) == 4


def test_permutation_keeps_what_covariates_explain():
    """A plate effect that is unevenly spread over groups neither makes nor hides similarity."""
    values, group = people(seed=9)
    plate = ((np.arange(len(group)) % 3 == 0) | (group == "HC").to_numpy()).astype(float)
    values = values + 3 * plate[:, None] * np.random.default_rng(3).normal(size=values.shape[1])
    naive = compare(values, group).table.iloc[0]
    adjusted = compare(values, group, covariates=pd.DataFrame({"plate": plate}, index=group.index)).table.iloc[0]
    assert naive["estimate"] > 0.7
    assert abs(adjusted["estimate"]) < 0.3
    assert adjusted["p"] > 0.05


def test_closer_to_one_disease_than_to_another():
    rng = np.random.default_rng(6)
    values, group = people(seed=6, shared=0.7)
    third = pd.DataFrame(rng.normal(size=(21, 120)), [f"q{i}" for i in range(21)], values.columns)
    values, group = pd.concat([values, third]), pd.concat([group, pd.Series("PSO", third.index)])
    found = similarity_difference(
        values, group=group, contrast=("MDD", "HC"), first=("AD", "HC"), second=("PSO", "HC"), options=QUICK
    ).set_index("score")
    assert found.loc["pearson", "ci_low"] > 0
    assert found.loc["pearson", "first"] > 0.5 > abs(found.loc["pearson", "second"])
    swapped = similarity_difference(
        values, group=group, contrast=("MDD", "HC"), first=("PSO", "HC"), second=("AD", "HC"), options=QUICK
    ).set_index("score")
    assert swapped.loc["pearson", "estimate"] == pytest.approx(-found.loc["pearson", "estimate"], abs=0.05)


def test_same_seed_same_numbers():
    values, group = people(seed=2, sizes=(8, 9, 10), proteins=20)
    first, second = (compare(values, group).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("name", SCORES)
def test_every_score_equals_an_independent_one(name):
    a, b = np.random.default_rng(0).normal(size=(2, 3, 40))
    independent = {
        "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
        "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
        "cosine": lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y),
        "sign_concordance": lambda x, y: np.mean(x * y > 0),
    }[name]
    assert SCORES[name].compute(a, b).tolist() == pytest.approx([independent(x, y) for x, y in zip(a, b, strict=True)])


def test_refusals_name_the_number():
    values, group = people(sizes=(3, 8, 8), proteins=20)
    with pytest.raises(RefusedError, match=r"too few samples in group MDD; found 3, expected at least 4"):
        compare(values, group)
    values, group = people(sizes=(8, 8, 8), proteins=8)
    with pytest.raises(RefusedError, match=r"too few proteins.*found 8"):
        compare(values, group)
    with pytest.raises(RefusedError, match="cannot be told apart"):
        contrast_map(list("aabbcc"), [("a", "b")], np.array([[0], [0], [1], [1], [1], [1]]))
    with pytest.raises(RefusedError, match="no sample of group z"):
        contrast_map(list("aabb"), [("a", "z")])


def test_incomplete_proteins_are_listed():
    values, group = people(sizes=(8, 8, 8), proteins=20)
    values.iloc[0, 3] = np.nan
    result = compare(values, group)
    assert [(p.code, p.where) for p in result.problems] == [("not_analysed", "protein P3")]
    assert (result.table["n_proteins"] == 19).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"scores": ("kendall",)}, "unknown score 'kendall'"),
        ({"n_permutations": 5}, "99"),
        ({"min_group": 2}, "halved"),
    ],
)
def test_options_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        SimilarityOptions(**options)
