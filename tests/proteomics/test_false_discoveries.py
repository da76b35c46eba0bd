"""Over many simulated serum tables the share of false hits stays at what q promises, and the planted proteins lead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from proteomics.abundance import from_frame
from proteomics.differential import slope, two_group
from proteomics.simulation.bead_panel import simulate_bead_panel

SEED = 4711
N_TABLES = 200
N_DEFEATED, N_CONTROL = 24, 8


def false_share(table: pd.DataFrame, null: pd.Series) -> float:
    """Share of false hits among the hits at q < 0.05; 0 without hits."""
    hits = table.loc[table["q"] < 0.05, "protein"]
    return float(null[hits].mean()) if len(hits) else 0.0


@pytest.mark.slow
def test_false_discovery_proportion_of_slope_and_groups() -> None:
    """Slope on stress within defeated mice, and defeated against control, each over the same 200 tables."""
    shares: dict[str, list[float]] = {"slope": [], "groups": []}
    leading = 0
    names = [f"m{i:02d}" for i in range(N_DEFEATED + N_CONTROL)]
    group = pd.Series(["defeated"] * N_DEFEATED + ["control"] * N_CONTROL, index=names)
    plate = ["P1", "P2"] * (len(names) // 2)
    adjust = pd.DataFrame({"plate": [float(name == "P1") for name in plate]}, index=names)
    for number in range(N_TABLES):
        stress = np.random.default_rng([SEED, number]).standard_normal(len(names))
        stress[N_DEFEATED:] = np.nan
        made = simulate_bead_panel(samples=names, latent=stress, group=list(group), plate=plate, seed=[SEED, number, 1])
        ds = from_frame(made.measured, platform="beads", species="mouse", unit="log2 pg/mL", lod=made.lod.to_numpy())
        truth = made.truth.set_index("protein")
        table = slope(ds, covariate=pd.Series(stress, index=names).iloc[:N_DEFEATED], adjust=adjust).table
        shares["slope"].append(false_share(table, truth["null"]))
        leading += bool((~truth["null"])[table.sort_values("p")["protein"].iloc[0]])
        table = two_group(ds, group=group, case="defeated", reference="control", covariates=adjust).table
        # In the contrast of groups a protein is null when defeat shifts it not, whatever it has to do with stress.
        shares["groups"].append(false_share(table, truth["shift_defeated_log2"] == 0))
    for what, found in shares.items():
        error = np.std(found, ddof=1) / np.sqrt(N_TABLES)
        assert np.mean(found) <= 0.05 + 2 * error, what
    assert leading >= 0.95 * N_TABLES
