"""The labelled side: designs by formula, sides, counts, what is refused and what is set aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from core.errors import InputError, RefusedError
from proteomics.abundance import from_frame
from proteomics.design_matrix import build_design, coefficient_name
from proteomics.differential import ModerationOptions, moderated_test, slope, two_group
from proteomics.signature import SIGNATURE_COLUMNS, false_discovery_q


@pytest.fixture
def serum() -> tuple[xr.Dataset, pd.DataFrame]:
    """60 proteins, 4 mice in each of three groups, sex, an SI ratio, and one plate control."""
    rng = np.random.default_rng(8)
    samples = [f"s{number:02d}" for number in range(12)]
    table = pd.DataFrame(
        {
            "group": np.repeat(["CON", "RES", "SUS"], 4),
            "sex": np.tile(["F", "M"], 6),
            "si_ratio": rng.uniform(0.2, 2, 12),
        },
        index=samples,
    )
    values = pd.DataFrame(
        rng.normal(6, 1, (13, 60)), index=[*samples, "IPC"], columns=[f"P{number:02d}" for number in range(60)]
    )
    values.iloc[4:8, 0] = np.nan
    values.iloc[8, 1] = np.nan
    ds = from_frame(
        values,
        platform="beads",
        species="mouse",
        unit="log2 pg/mL",
        lod=np.full(60, 4.5),
        samples=pd.DataFrame({"sample_type": ["sample"] * 12 + ["control"]}),
    )
    return ds, table


def test_columns_counts_and_sides(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    result = two_group(ds, group=table["group"], case="SUS", reference="RES")
    assert tuple(result.table.columns) == SIGNATURE_COLUMNS
    assert result.table["protein"].tolist() == ds["protein"].values.tolist()
    assert result.table.loc[1, ["n_1", "n_0"]].tolist() == [3, 4]
    sides = result.sides.set_index("sample")["side"]
    assert sides[sides == "1"].index.tolist() == table.index[8:].tolist()
    assert sides[sides == "0"].index.tolist() == table.index[4:8].tolist()


def test_protein_without_one_group_has_a_reason_and_no_number(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    row = two_group(ds, group=table["group"], case="SUS", reference="RES").table.iloc[0]
    assert row[["logfc", "se", "t", "p", "q", "B"]].isna().all()
    assert row["n_0"] == 0
    assert "not measured" in row["note"]


def test_formula_and_plain_design_agree(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    by_formula = moderated_test(ds, design="~ group + sex", samples=table, coefficient="group[T.SUS]")
    matrix = pd.DataFrame(
        {
            "one": 1.0,
            "res": (table["group"] == "RES") * 1.0,
            "sus": (table["group"] == "SUS") * 1.0,
            "male": (table["sex"] == "M") * 1.0,
        }
    )
    plain = moderated_test(ds, design=matrix, coefficient="sus")
    np.testing.assert_allclose(by_formula.table["t"], plain.table["t"], rtol=1e-12)
    assert by_formula.table.loc[1, ["n_1", "n_0"]].tolist() == [3, 4]  # against CON, the reference, not CON and RES
    assert set(by_formula.sides.loc[by_formula.sides["side"] == ""]["sample"]) == set(table.index[4:8])


def test_two_group_with_covariates_is_the_ordinary_model_squeezed(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    """logfc is the coefficient of an ordinary regression with the covariates."""
    ds, table = serum
    result = two_group(ds, group=table["group"], case="SUS", reference="CON", covariates=table[["sex", "si_ratio"]])
    chosen = table[table["group"] != "RES"]
    x = np.column_stack([np.ones(8), chosen["group"] == "SUS", chosen["sex"] == "M", chosen["si_ratio"]]).astype(float)
    y = ds["abundance"].sel(sample=chosen.index.to_numpy(), protein="P05").values
    assert result.table["logfc"][5] == pytest.approx(np.linalg.lstsq(x, y, rcond=None)[0][1], rel=1e-10)


def test_slope_is_the_regression_slope(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    si = table["si_ratio"].copy()
    si.iloc[0] = np.nan
    result = slope(ds, covariate=si)
    y = ds["abundance"].sel(sample=table.index.to_numpy()[1:], protein="P07").values
    assert result.table["logfc"][7] == pytest.approx(stats.linregress(si.iloc[1:], y).slope, rel=1e-10)
    assert result.table.loc[7, ["n_1", "n_0"]].tolist() == [11, 0]
    assert [problem.subject for problem in result.problems] == ["s00"]
    assert set(result.sides["side"]) == {"both"}


def test_below_limit_values_are_kept_unless_asked(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    kept = two_group(ds, group=table["group"], case="SUS", reference="RES").table
    left = two_group(
        ds, group=table["group"], case="SUS", reference="RES", options=ModerationOptions(below_lod="missing")
    ).table
    below = ds["below_lod"].sel(sample=table.index.to_numpy()[4:]).values.sum(axis=0)
    np.testing.assert_array_equal((kept["n_1"] + kept["n_0"]) - (left["n_1"] + left["n_0"]), below)
    with pytest.raises(ValueError, match="as_measured"):
        ModerationOptions(below_lod="lod/2")


def test_group_equal_to_plate_is_refused_by_name(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    plate = table["group"].map({"CON": "1", "RES": "2", "SUS": "3"}).to_frame("plate")
    with pytest.raises(RefusedError, match=r"plate\[T\.3\] follows from SUS_vs_RES"):
        two_group(ds, group=table["group"], case="SUS", reference="RES", covariates=plate)


def test_too_small_or_unknown_groups_are_refused(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    with pytest.raises(RefusedError, match=r"group XYZ.*known groups: CON, RES, SUS"):
        two_group(ds, group=table["group"], case="XYZ", reference="RES")
    with pytest.raises(RefusedError, match="too few different values among the samples; there is no slope; found 1 in"):
        slope(ds, covariate=pd.Series(1.0, index=table.index, name="si_ratio"))


def test_ids_that_do_not_meet_are_an_error(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    ds, table = serum
    other = table.set_axis([f"x{name}" for name in table.index])
    with pytest.raises(InputError, match="no sample of the design is in the serum table"):
        moderated_test(ds, design="~ group", samples=other, coefficient="group[T.SUS]")
    partly = pd.concat([table, table.iloc[[0]].set_axis(["absent"])])
    result = moderated_test(ds, design="~ group", samples=partly, coefficient="group[T.SUS]")
    assert [(problem.code, problem.subject) for problem in result.problems] == [("missing_sample", "absent")]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("~ grup", r"grup.*did you mean group"),
        ("~ group +", "cannot be read"),
        ("y ~ group", "left side"),
        ("~ log(group)", "does not fit"),
    ],
)
def test_wrong_formulas_say_what_is_wrong(formula: str, message: str, serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    with pytest.raises(InputError, match=message):
        build_design(serum[1], formula)


def test_coefficients_are_asked_for_by_column_or_term(serum: tuple[xr.Dataset, pd.DataFrame]) -> None:
    design = build_design(serum[1], "~ group + sex")
    assert coefficient_name(design, "sex") == "sex[T.M]"
    with pytest.raises(InputError, match=r"several coefficients.*group\[T.RES\], group\[T.SUS\]"):
        coefficient_name(design, "group")
    with pytest.raises(InputError, match="no coefficient 'age'"):
        coefficient_name(design, "age")


def test_q_counts_only_p_values_that_exist() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(false_discovery_q(p), [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(false_discovery_q([np.nan])).all()


def test_signature_equals_limma_from_labels_to_q(shared: Path) -> None:
    """The labelled way to a stored limma case: mouse Olink with day as covariate."""
    folder = shared / "proteomics/olink_mouse_dbs_t1d/reference"
    matrix = pd.read_csv(folder / "matrix.csv", index_col=0)
    samples = pd.read_csv(folder / "samples.csv", index_col="sample", dtype={"sample": str})
    ds = from_frame(matrix.T, platform="Olink NPX", species="mouse", unit="NPX")
    expected = pd.read_csv(folder / "06_covariate/result.csv")
    found = two_group(
        ds, group=samples["status"], case="infected", reference="not_infected", covariates=samples[["day"]]
    ).table
    for ours, theirs in {"logfc": "logFC", "t": "t", "p": "P.Value", "q": "adj.P.Val", "B": "B"}.items():
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=1e-9)
    np.testing.assert_allclose(found["se"], expected["logFC"] / expected["t"], rtol=1e-9)
