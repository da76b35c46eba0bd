"""Simulated serum: what is planted is there, what is null is null, tables say what the truth says."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, pearsonr, t

from proteomics.readers import read_serum
from proteomics.simulation import (
    Analyte,
    BeadPanelOptions,
    OlinkOptions,
    olink_long,
    simulate_bead_panel,
    simulate_levels,
    simulate_olink,
    write_bead_table,
    write_olink_long,
)

MANY = 6000


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    defeated = np.arange(MANY) % 4 > 0
    latent = np.where(defeated, rng.standard_normal(MANY), np.nan)
    made = simulate_bead_panel(
        samples=[f"s{n}" for n in range(MANY)],
        latent=latent,
        group=np.where(defeated, "defeated", "control").tolist(),
        plate=[f"P{n % 3}" for n in range(MANY)],
        options=BeadPanelOptions(correlation=0.6),
        seed=1,
    )
    return latent, defeated, made


def test_planted_correlation_and_nulls(many):
    """Within defeated animals: planted proteins correlate .6 with the latent value, the others within chance of 0."""
    latent, defeated, made = many
    levels = made.biological[defeated]
    for symbol, planted in made.truth.set_index("protein")["correlation"].items():
        found = pearsonr(levels[symbol], latent[defeated]).statistic
        assert found == pytest.approx(planted, abs=0.04), symbol
    assert made.truth.loc[~made.truth["null"], "protein"].tolist() == ["Il4", "Il5", "Il13", "Ccl11"]
    slope = np.polyfit(latent[defeated], levels["Il13"], 1)[0]
    assert slope == pytest.approx(made.truth.set_index("protein").loc["Il13", "slope_log2"], abs=0.03)


def test_controls_have_the_same_spread(many):
    _, defeated, made = many
    spread = made.biological[~defeated].std() / made.biological[defeated].std()
    assert spread.between(0.93, 1.07).all()


def test_shift_of_defeat(many):
    _, defeated, made = many
    shift = made.biological[defeated].mean() - made.biological[~defeated].mean()
    truth = made.truth.set_index("protein")["shift_defeated_log2"]
    np.testing.assert_allclose(shift[truth.index], truth, atol=0.11)
    assert truth["Il6"] > 0.8


def test_families_move_together(many):
    _, defeated, made = many
    levels = made.biological[~defeated]
    assert levels["Ccl2"].corr(levels["Ccl3"]) == pytest.approx(0.65 * 0.65, abs=0.07)
    assert abs(levels["Ccl2"].corr(levels["Il2"])) < 0.07


def test_share_below_the_limit_is_that_of_the_panel():
    """Without plates and shifts the share below LOD is the analyte's own."""
    panel = [Analyte("A", "P1", 3.0, 0.8, 0.25), Analyte("B", "P2", 5.0, 1.2, 0.02)]
    made = simulate_levels(
        panel,
        samples=[str(n) for n in range(MANY)],
        latent=np.full(MANY, np.nan),
        group=["x"] * MANY,
        plate=["P"] * MANY,
        rng=np.random.default_rng(2),
        plate_sd_log2=0.0,
    )
    assert made.truth["below_lod"].tolist() == pytest.approx([0.25, 0.02], abs=0.015)


def test_plates_shift_whole_plates(many):
    _, _, made = many
    residual = made.measured - made.biological
    by_plate = residual.groupby(made.plate).mean()
    np.testing.assert_allclose(residual.groupby(made.plate).std(), 0.15, atol=0.02)
    assert by_plate.std().mean() > 0.08


def test_false_discoveries_of_plain_regression_stay_within_the_level():
    """200 seeds, 24 defeated mice, ordinary regression on the latent value, plate in the model, BH at .05."""
    false_share, found_planted = [], []
    for seed in range(200):
        latent = np.random.default_rng([seed, 5]).standard_normal(24)
        made = simulate_bead_panel(
            samples=[str(n) for n in range(24)],
            latent=latent,
            group=["defeated"] * 24,
            plate=["P1", "P2"] * 12,
            seed=seed,
        )
        design = np.column_stack([np.ones(24), np.arange(24) % 2, latent])
        y = made.measured.to_numpy()
        beta, residue, *_ = np.linalg.lstsq(design, y, rcond=None)
        se = np.sqrt(residue / 21 * np.linalg.inv(design.T @ design)[2, 2])
        hit = false_discovery_control(2 * t.sf(np.abs(beta[2] / se), 21)) < 0.05
        null = made.truth["null"].to_numpy()
        false_share.append((hit & null).sum() / max(hit.sum(), 1))
        found_planted.append(hit[~null].mean())
    limit = 0.05 + 2 * np.std(false_share) / np.sqrt(200)
    assert np.mean(false_share) <= limit
    assert np.mean(found_planted) > 0.6


@pytest.mark.parametrize("below_lod", ["number", "text", "limit"])
def test_bead_table_as_a_laboratory_has_it(tmp_path, below_lod):
    """Read by plain csv: units stated, limits in their row, every level and every mark where the truth has it."""
    made = simulate_bead_panel(
        samples=["S1", "S2", "S3", "S4"],
        latent=np.array([0.5, -1, 2, np.nan]),
        group=["defeated"] * 3 + ["control"],
        plate=["P1", "P2", "P1", "P2"],
        seed=4,
    )
    write_bead_table(made, tmp_path / "serum.csv", below_lod=below_lod)
    lines = (tmp_path / "serum.csv").read_text("utf-8").splitlines()
    assert lines[0] == "# unit: pg/mL"
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [row["sample"] for row in rows] == ["LOD", "S1", "S2", "S3", "S4", "Pool 1 P1", "Pool 1 P2"]
    assert {row["type"] for row in rows[-2:]} == {"control"}
    below = 0
    for row in rows[1:5]:
        for symbol in made.measured:
            level = made.measured.loc[row["sample"], symbol]
            if level < made.lod[symbol]:
                below += 1
                if below_lod != "number":
                    assert row[symbol] == ("<LOD" if below_lod == "text" else "<" + rows[0][symbol])
                    continue
            assert float(row[symbol]) == pytest.approx(2**level, rel=1e-3)
    dataset = read_serum(tmp_path / "serum.csv").dataset
    kept = dataset.sel(sample=["S1", "S2", "S3", "S4"])
    assert int(kept["below_lod"].sum()) == below > 0


def test_olink_table(tmp_path):
    """One row per sample and assay, controls of each plate, limits, missing frequencies, warnings."""
    n = 60
    options = OlinkOptions(warned=0.2)
    made = simulate_olink(
        samples=[f"P{k:02d}" for k in range(n)],
        latent=np.full(n, np.nan),
        group=["MDD", "HC"] * (n // 2),
        plate=["Plate1"] * 30 + ["Plate2"] * 30,
        options=options,
        seed=5,
    )
    write_olink_long(olink_long(made, options=options, seed=6), tmp_path / "npx.csv")
    table = pd.read_csv(tmp_path / "npx.csv", sep=";")
    assert list(table.columns) == [
        "SampleID", "Index", "OlinkID", "UniProt", "Assay", "MissingFreq", "Panel", "PlateID", "QC_Warning", "LOD",
        "NPX", "Normalization",
    ]  # fmt: skip
    people = table[~table["SampleID"].str.startswith("CONTROL")]
    assert len(people) == n * 36
    assert len(table) - len(people) == 4 * 36
    share = people.assign(below=people["NPX"] < people["LOD"]).groupby("Assay")
    np.testing.assert_allclose(share["below"].mean(), share["MissingFreq"].first(), atol=1e-4)
    warned = people.groupby("SampleID")["QC_Warning"].first().eq("Warning").mean()
    assert 0.05 < warned < 0.4
    wide = people.pivot(index="SampleID", columns="Assay", values="NPX")
    shift = wide[::2].mean() - wide[1::2].mean()
    assert shift["CCL11"] > 0.1
    dataset = read_serum(tmp_path / "npx.csv").dataset
    assert dataset.sizes["protein"] == 36


def test_same_seed_same_values():
    arguments = {"samples": ["a", "b"], "latent": np.zeros(2), "group": ["x", "x"], "plate": ["P", "P"]}
    first, again, other = (simulate_bead_panel(**arguments, seed=seed).measured for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BeadPanelOptions(correlation=1.5), "correlation must lie between -1 and 1"),
        (lambda: BeadPanelOptions(planted=("Il99",)), "not on the panel: Il99"),
        (lambda: OlinkOptions(warned=2.0), "warned must lie between 0 and 1"),
        (
            lambda: simulate_bead_panel(samples=["a"], latent=np.zeros(2), group=["x"], plate=["P"], seed=1),
            "one entry per sample is needed",
        ),
        (
            lambda: simulate_levels(
                [Analyte("A", "P", 1.0)],
                samples=["a"],
                latent=np.zeros(1),
                group=["x"],
                plate=["P"],
                rng=np.random.default_rng(0),
                correlation={"B": 0.5},
            ),
            "not on the panel: B; it has A",
        ),
    ],
)
def test_impossible_requests(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_way_of_writing_below_the_limit(tmp_path):
    made = simulate_bead_panel(samples=["a"], latent=np.zeros(1), group=["x"], plate=["P"], seed=1)
    with pytest.raises(ValueError, match="below_lod must be number, text or limit, not 'zero'"):
        write_bead_table(made, tmp_path / "a.csv", below_lod="zero")
