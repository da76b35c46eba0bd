from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from integration.people import PeopleOptions, analyse_people
from proteomics.abundance import from_frame

TH2 = ["IL13", "CCL11", "CCL13", "CCL17", "IL4", "IL5"]
TH1 = ["IFNG", "CXCL9", "CXCL10", "CXCL11", "TNF"]
SYMBOLS = [*TH2, *TH1, *(f"P{i}" for i in range(40))]
QUICK = PeopleOptions(
    reference="HC", diseases=("MDD", "AD"), covariates=("age",), il4r_drugs=("dupi",), n_permutations=99, n_splits=10,
    n_bootstrap=20,
)  # fmt: skip


def people(seed=1, *, mdd=0.9, ad=1.2, undone=0.9, sizes=(20, 16, 18)):
    """Th2 proteins and P0 to P9 higher in both diseases; 8 AD patients on dupi, 8 on placebo."""
    rng = np.random.default_rng(seed)
    effect = np.array([1.0 if name in TH2 or name in SYMBOLS[11:21] else 0.0 for name in SYMBOLS])
    levels, rows = {}, []
    for group, size, shift in zip(("HC", "MDD", "AD"), sizes, (0, mdd, ad), strict=True):
        for k in range(size):
            name = f"{group}{k}"
            lasting = 0.8 * rng.normal(size=len(SYMBOLS))
            drug = "" if group != "AD" or k >= 16 else "dupi" if k < 8 else "placebo"
            levels[name] = lasting + 0.6 * rng.normal(size=len(SYMBOLS)) + shift * effect
            rows.append((name, name, group, drug, "before" if drug else "", 30 + k))
            if drug:
                change = undone * shift if drug == "dupi" else 0.0
                levels[f"{name}x"] = lasting + 0.6 * rng.normal(size=len(SYMBOLS)) + (shift - change) * effect
                rows.append((f"{name}x", name, "", drug, "after", 30 + k))
    ds = from_frame(
        pd.DataFrame.from_dict(levels, orient="index", columns=SYMBOLS), platform="x", species="human", unit="NPX"
    )
    table = pd.DataFrame(rows, columns=["sample", "subject", "group", "drug", "time", "age"]).set_index("sample")
    return ds, table


@pytest.fixture(scope="module")
def planted():
    return analyse_people(*people(), options=QUICK, seed=3).tables


def test_the_skew_is_above_the_healthy_in_both_diseases(planted):
    skew = planted["people_skew"].query("axis == 'th2_skew'").set_index("disease")
    assert (skew["ci_low"] > 0).all()
    assert skew.loc["MDD", "n_1"] == 16 and skew.loc["MDD", "n_0"] == 20
    assert skew["model"].eq("th2_skew ~ group + age").all()


def test_the_skew_is_that_of_a_linear_model(planted):
    """Mean z against the healthy, then least squares by hand."""
    ds, table = people()
    frame = pd.DataFrame(ds["abundance"].values, ds["sample"].values, ds["protein"].values)
    healthy = frame.loc[[name for name in frame.index if name.startswith("HC")]]
    z = (frame - healthy.mean()) / healthy.std(ddof=1)
    score = z[TH2].mean(axis=1) - z[TH1].mean(axis=1)
    pair = table[table["group"].isin(["HC", "MDD"])]
    design = np.column_stack([np.ones(len(pair)), pair["group"] == "MDD", pair["age"]]).astype(float)
    expected = np.linalg.lstsq(design, score[pair.index].to_numpy(), rcond=None)[0][1]
    found = planted["people_skew"].query("axis == 'th2_skew' and disease == 'MDD'")["estimate"].iloc[0]
    assert found == pytest.approx(expected, abs=1e-9)


def test_every_table_of_estimates_has_numbers_intervals_and_method(planted):
    axes = planted["people_axes"].dropna(subset=["axis_logfc"])
    assert set(axes["axis"]) >= {"Th2", "Th1", "Th2 - Th1"}
    assert ((axes["ci_low"] < axes["axis_logfc"]) & (axes["axis_logfc"] < axes["ci_high"])).all()
    mdd = axes[axes["contrast"] == "MDD - HC"]
    assert (mdd["n_1"] == 16).all() and (mdd["n_0"] == 20).all()
    assert (axes["method"] == "linear model of the members' mean").all()
    ranking = planted["people_ranking"]
    assert ranking[["n_pairs", "n_case", "n_control"]].drop_duplicates().to_numpy().tolist() == [[8, 16, 20]]
    proteins = planted["people_reversal_proteins"]
    for name in ("disease", "drug"):
        low, high = proteins[f"{name}_ci_low"], proteins[f"{name}_ci_high"]
        np.testing.assert_allclose((low + high) / 2, proteins[f"{name}_logfc"], atol=1e-12)
    clear = (proteins["disease_ci_low"] > 0) | (proteins["disease_ci_high"] < 0)
    assert clear.equals(proteins["disease_t"].abs() > 2.0345) and proteins["method"].ne("").all()
    sets = planted["people_enrichment"]
    assert sets["n_pairs"].eq(8).all() and sets["note"].str.contains("no p").all() and sets["method"].ne("").all()
    both = planted["people_quadrants"]
    assert both["n_a"].eq(36).all() and both["n_b"].eq(38).all()
    assert (both["ci_low_a"] < both["logfc_a"]).all() and both["method"].eq("q < 0.05 in both").all()


def test_the_interval_of_an_axis_is_that_of_its_mean(planted):
    """Mean of the members in each person, then statsmodels."""
    import statsmodels.api as sm

    ds, table = people()
    frame = pd.DataFrame(ds["abundance"].values, ds["sample"].values, ds["protein"].values)
    pair = table[table["group"].isin(["HC", "MDD"])]
    rows = planted["people_axes"].query("contrast == 'MDD - HC'").set_index("axis")
    score = {name: frame.loc[pair.index, rows.loc[name, "members"].split(", ")].mean(axis=1) for name in ("Th2", "Th1")}
    design = sm.add_constant(np.column_stack([pair["group"] == "MDD", pair["age"]]).astype(float))
    for name, values in {**score, "Th2 - Th1": score["Th2"] - score["Th1"]}.items():
        fit = sm.OLS(values.to_numpy(), design).fit()
        found = rows.loc[name]
        assert fit.params[1] == pytest.approx(found["axis_logfc"], abs=1e-9)
        np.testing.assert_allclose(fit.conf_int()[1], [found["ci_low"], found["ci_high"]], atol=1e-9)


def test_an_axis_with_a_member_that_is_not_everywhere_has_no_interval():
    ds, table = people()
    ds["abundance"].values[3, SYMBOLS.index("IL4")] = np.nan
    rows = analyse_people(ds, table, options=QUICK, seed=3).tables["people_axes"].set_index(["contrast", "axis"])
    assert rows.loc[("MDD - HC", "Th2"), "note"] == "no interval: 1 samples lack a member"
    assert np.isnan(rows.loc[("MDD - HC", "Th2"), "ci_low"]) and rows.loc[("MDD - HC", "Th2"), "axis_logfc"] > 0.5
    assert np.isfinite(rows.loc[("MDD - HC", "Th1"), "ci_low"])


def test_samples_after_treatment_are_in_no_profile(planted):
    groups = planted["people_groups"].set_index("group")
    assert groups["n"].to_dict() == {"HC": 20, "MDD": 16, "AD": 18}
    assert groups.loc["AD", "treated_later"] == "dupi 8, placebo 8"
    assert set(planted["people_axis_scores"]["sample"]) == {f"{g}{k}" for g, n in groups["n"].items() for k in range(n)}


def test_similarity_and_quadrants(planted):
    row = planted["people_similarity"].query("score == 'spearman'").iloc[0]
    assert (row["contrast_a"], row["contrast_b"]) == ("MDD - HC", "AD - HC")
    assert row["p"] < 0.05
    assert (planted["people_quadrants"]["quadrant"] == "shared up").sum() >= 5
    assert "people_similarity_difference" not in planted, "two diseases leave nothing to be closer to"


def test_the_drug_that_undoes_the_disease_is_found(planted):
    rows = planted["people_reversal"].query("score == 'spearman' and variant == 'all proteins'").set_index("drug")
    assert rows["disease"].unique().tolist() == ["MDD"]
    assert rows.loc["dupi", "p_max"] < 0.05 and rows.loc["dupi", "estimate"] < 0
    assert "without IL4, IL13, IL4R" in set(planted["people_reversal"]["variant"])
    assert planted["people_ranking"].iloc[0]["drug"] == "dupi"


def test_shared_patients_are_told_for_the_disease_they_come_from():
    options = replace(QUICK, reversed_diseases=("MDD", "AD"))
    result = analyse_people(*people(), options=options, seed=3)
    shared = result.tables["people_reversal"].groupby("disease")["n_shared"].max()
    assert shared.to_dict() == {"AD": 8, "MDD": 0}
    assert {p.where for p in result.problems if p.code == "shared_patients"} == {"drug dupi", "drug placebo"}


def test_samples_on_one_side_only_are_listed():
    ds, table = people()
    ds = ds.isel(sample=slice(1, None))
    result = analyse_people(ds, table.drop("MDD3"), options=QUICK, seed=3)
    assert {(p.code, p.where) for p in result.problems} >= {
        ("missing_sample", "sample HC0"), ("unknown_sample", "sample MDD3"),
    }  # fmt: skip
    assert result.tables["people_groups"]["n"].tolist() == [19, 15, 18]


def test_a_person_without_a_covariate_is_left_out_and_told():
    ds, table = people()
    table["age"] = table["age"].astype(float)
    table.loc["MDD3", "age"] = np.nan
    result = analyse_people(ds, table, options=QUICK, seed=3)
    assert result.tables["people_groups"]["n"].tolist() == [20, 15, 18]
    assert [p.where for p in result.problems if "covariate" in p.message] == ["sample MDD3"]


def test_parts_that_are_refused_leave_the_others():
    result = analyse_people(*people(sizes=(20, 3, 18)), options=QUICK, seed=3)
    refused = {p.where for p in result.problems if p.code == "test_refused"}
    assert {"similarity of profiles", "reversal by drugs"} <= refused
    skew = result.tables["people_skew"].query("axis == 'Th2'").set_index("disease")
    assert skew.loc["MDD", "note"] == "refused: 3 and 20 people, at least 4 needed"
    assert skew.loc["AD", "p"] < 0.05


def test_mistakes_name_what_is_missing():
    ds, table = people()
    with pytest.raises(InputError, match="no sample is in group PSO"):
        analyse_people(ds, table, options=replace(QUICK, diseases=("PSO",)), seed=3)
    with pytest.raises(InputError, match="no column bmi"):
        analyse_people(ds, table, options=replace(QUICK, covariates=("bmi",)), seed=3)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"diseases": ()}, "diseases is empty"),
        ({"diseases": ("HC",)}, "is one of the diseases"),
        ({"reversed_diseases": ("PSO",)}, "not one of the diseases"),
        ({"score": "gsea"}, "score 'gsea'"),
        ({"n_permutations": 10}, "n_permutations must be 99"),
    ],
)
def test_options_are_checked(more, match):
    with pytest.raises(ValueError, match=match):
        replace(QUICK, **more)
