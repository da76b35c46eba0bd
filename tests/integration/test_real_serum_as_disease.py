"""A real serum study as the disease side: signature, axes, reversal against simulated drugs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from integration.contrast_maps import contrast_map
from integration.reversal import ReversalOptions, drug_reversal
from integration.reversal_data import disease_data, drug_data
from integration.signatures import axis_logfc, build_signature
from proteomics.abundance import abundance_frame
from proteomics.differential import two_group
from proteomics.readers import read_serum


@pytest.fixture(scope="module")
def covid(shared):
    folder = shared / "proteomics" / "olink_target96_covid_serum"
    ds = read_serum(folder / "serum_npx_level.csv").dataset
    people = pd.read_csv(folder / "serum_sample_level.csv", dtype=str).drop_duplicates("Individual_ID")
    group = people.set_index(next(name for name in people if "sample" in name.casefold()))["Case_Control"]
    return ds, group


def test_signature_and_axes_of_real_serum(covid):
    ds, group = covid
    result = two_group(ds, group=group, case="POSITIVE", reference="NEGATIVE")
    signature = build_signature(result.table, name="COVID-19 - negative", material="serum protein")
    assert (signature.n_1, signature.n_0) == (int((group == "POSITIVE").sum()), int((group == "NEGATIVE").sum()))
    axes = axis_logfc(signature).set_index("axis")
    assert axes.loc["Th1", "axis_logfc"] > 0.5, "interferon-gamma and its chemokines are high in COVID-19"
    assert axes.loc["Th2", "n_members"] >= 3


def test_a_simulated_drug_that_undoes_real_disease_ranks_first(covid):
    ds, group = covid
    values = abundance_frame(ds)
    disease = disease_data(values, group=group, case="POSITIVE", reference="NEGATIVE")
    rng = np.random.default_rng(12)
    complete = values.dropna(axis=1)
    cases = complete.loc[[name for name in group.index[group == "POSITIVE"] if name in complete.index]]
    spread = (cases - cases.mean()).to_numpy()
    effect = complete.loc[disease.samples, :].to_numpy()
    effect = contrast_map(list(np.where(disease.is_case, "a", "b")), [("a", "b")]).weights[0] @ effect
    drugs = []
    for name, undone in (("undoes half", 0.5), ("does nothing", 0.0), ("adds to it", -0.5)):
        before = cases.mean().to_numpy() + spread[rng.integers(0, len(spread), 12)]
        after = before - undone * effect + 0.4 * rng.normal(size=before.shape)
        ids = [f"{name}-{when}-{i}" for when in ("before", "after") for i in range(12)]
        frame = pd.DataFrame(np.vstack([before, after]), ids, complete.columns)
        drugs.append(drug_data(frame, name=name, pairs=list(zip(ids[:12], ids[12:], strict=True))))
    options = ReversalOptions(n_permutations=199, n_splits=1, n_bootstrap=20)
    result = drug_reversal(disease, drugs, options=options, seed=1)
    assert result.ranking["drug"].tolist() == ["undoes half", "does nothing", "adds to it"]
    table = result.table.set_index(["drug", "score"])
    assert table.loc[("undoes half", "spearman"), "p"] < 0.05
    assert abs(table.loc[("does nothing", "spearman"), "observed"]) < 0.2
    assert table.loc[("adds to it", "spearman"), "observed"] > 0
    assert "proteins are not complete in all tables" in result.problems[0].message
    percent = result.proteins.query("drug == 'undoes half'")["percent_reversal"]
    assert percent.median() == pytest.approx(50, abs=12)
