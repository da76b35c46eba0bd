"""A simulated 23-plex mouse bead panel in pg/mL, and the plain table that a laboratory gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from proteomics.simulation.factor_model import Analyte, SerumSimulation, simulate_levels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BEAD_PANEL", "BeadPanelOptions", "simulate_bead_panel", "write_bead_table"]

Array = NDArray[np.float64]

# Levels and shares below detection as such panels give them in mouse serum; log2 of pg/mL.
BEAD_PANEL = (
    Analyte("Il1a", "P01582", 3.9, 0.8, 0.02, "inflammation"),
    Analyte("Il1b", "P10749", 4.2, 1.0, 0.20, "inflammation"),
    Analyte("Il2", "P04351", 3.0, 1.1, 0.30, "t_cell"),
    Analyte("Il3", "P01586", 2.2, 0.9, 0.25, "t_cell"),
    Analyte("Il4", "P07750", 2.9, 0.9, 0.15, "t_cell", 0.40),
    Analyte("Il5", "P04401", 2.6, 0.9, 0.12, "t_cell", 0.40),
    Analyte("Il6", "P08505", 4.4, 1.2, 0.04, "inflammation", 0.65),
    Analyte("Il9", "P15247", 4.3, 1.1, 0.22),
    Analyte("Il10", "P18893", 4.0, 1.1, 0.10, "t_cell"),
    Analyte("Il12b", "P43432", 5.0, 1.0, 0.02, "inflammation"),
    Analyte("Il12p70", "P43431;P43432", 5.4, 0.9, 0.10, "t_cell"),
    Analyte("Il13", "P20109", 4.7, 0.9, 0.10, "t_cell", 0.40),
    Analyte("Il17a", "Q62386", 2.6, 1.0, 0.14),
    Analyte("Ccl11", "P48298", 8.6, 0.7, 0.01, "chemokine", 0.40),
    Analyte("Csf3", "P09920", 5.6, 1.1, 0.04, "inflammation", 0.60),
    Analyte("Csf2", "P01587", 6.6, 0.8, 0.10, "inflammation"),
    Analyte("Ifng", "P01580", 3.4, 1.0, 0.10, "t_cell"),
    Analyte("Cxcl1", "P12850", 5.6, 1.0, 0.01, "chemokine", 0.60),
    Analyte("Ccl2", "P10148", 7.0, 0.9, 0.05, "chemokine", 0.65),
    Analyte("Ccl3", "P10855", 6.9, 0.8, 0.00, "chemokine", 0.65),
    Analyte("Ccl4", "P14097", 7.6, 0.8, 0.00, "chemokine", 0.65),
    Analyte("Ccl5", "P30882", 7.8, 0.7, 0.00, "chemokine"),
    Analyte("Tnf", "P06804", 8.6, 0.8, 0.04, "inflammation", 0.60),
)

# What ten days of defeat do to all defeated mice, in SD; unrelated to how susceptible they are.
_DEFEAT = {"Il6": 0.8, "Cxcl1": 0.6, "Csf3": 0.5, "Il1b": 0.4}


@dataclass(frozen=True, kw_only=True)
class BeadPanelOptions:
    """What is planted in the panel.

    Attributes
    ----------
    correlation
        Correlation of each planted protein with the latent value within the group.
    planted
        Proteins that carry it.
    defeat_shift
        Shift of the defeated group by protein, in SD, unrelated to the latent value.
    noise_log2, plate_sd_log2
        SD of the assay's noise and of the plate effects.
    """

    correlation: float = 0.7
    planted: tuple[str, ...] = ("Il4", "Il5", "Il13", "Ccl11")
    defeat_shift: dict[str, float] = field(default_factory=lambda: dict(_DEFEAT))
    noise_log2: float = 0.15
    plate_sd_log2: float = 0.25

    def __post_init__(self) -> None:
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation must lie between -1 and 1, not {self.correlation}")
        if unknown := sorted({*self.planted, *self.defeat_shift} - {analyte.symbol for analyte in BEAD_PANEL}):
            raise ValueError(f"not on the panel: {', '.join(unknown)}")


def simulate_bead_panel(
    *,
    samples: Sequence[str],
    latent: Array,
    group: Sequence[str],
    plate: Sequence[str],
    options: BeadPanelOptions | None = None,
    seed: int | Sequence[int],
) -> SerumSimulation:
    """Serum of defeated and control mice on the 23-plex panel.

    Parameters
    ----------
    samples, latent, group, plate
        One entry per sample. Groups named "defeated" get the shift of defeat; a NaN latent value stands for a mouse
        without one (a control).
    options
        What is planted.
    seed
        Seed of the draw.

    Examples
    --------
    >>> made = simulate_bead_panel(samples=["s1", "s2"], latent=np.array([0.4, np.nan]), group=["defeated", "control"],
    ...                            plate=["P1", "P1"], seed=1)
    >>> made.measured.shape, int((~made.truth["null"]).sum())
    ((2, 23), 4)
    """
    options = options or BeadPanelOptions()
    return simulate_levels(
        BEAD_PANEL,
        samples=samples,
        latent=latent,
        group=group,
        plate=plate,
        rng=np.random.default_rng(seed),
        correlation=dict.fromkeys(options.planted, options.correlation),
        shifts={"defeated": options.defeat_shift},
        noise_log2=options.noise_log2,
        plate_sd_log2=options.plate_sd_log2,
    )


def write_bead_table(
    simulation: SerumSimulation,
    path: str | PathLike[str],
    *,
    below_lod: Literal["number", "text", "limit"] = "number",
    pooled_per_plate: int = 1,
) -> pd.DataFrame:
    """Write the panel as a plain matrix: pg/mL, one row per sample, limits in the row ``LOD``.

    Parameters
    ----------
    simulation
        What :func:`simulate_bead_panel` gave.
    path
        CSV file.
    below_lod
        Values below the limit as measured numbers, as the text ``<LOD``, or as ``<`` and the limit.
    pooled_per_plate
        Wells with a pool of all samples per plate, ids ``Pool 1 P1`` ..., type ``control``.

    Returns
    -------
    DataFrame
        The cells as written (text), for checks.
    """
    import pandas as pd

    if below_lod not in ("number", "text", "limit"):
        raise ValueError(f"below_lod must be number, text or limit, not {below_lod!r}")
    levels: pd.DataFrame = 2.0**simulation.measured
    limits = {str(symbol): 2.0 ** float(value) for symbol, value in simulation.lod.items()}
    text = levels.map(lambda value: f"{value:.4g}")
    if below_lod != "number":
        for symbol in limits:
            mark = "<LOD" if below_lod == "text" else f"<{limits[symbol]:.4g}"
            text.loc[levels[symbol] < limits[symbol], symbol] = mark
    text.insert(0, "plate", simulation.plate)
    text.insert(1, "type", "sample")
    pools = []
    for name in sorted(set(simulation.plate)):
        pool = 2.0 ** simulation.measured[simulation.plate == name].median()
        for number in range(1, pooled_per_plate + 1):
            cells = {symbol: f"{value:.4g}" for symbol, value in pool.items()}
            pools.append(pd.Series({"plate": name, "type": "control", **cells}, name=f"Pool {number} {name}"))
    lod_row = pd.Series(
        {"plate": "", "type": "", **{symbol: f"{value:.4g}" for symbol, value in limits.items()}}, name="LOD"
    )
    table: pd.DataFrame = pd.concat([lod_row.to_frame().T, text, *(pool.to_frame().T for pool in pools)])
    table.index.name = "sample"
    head = "# unit: pg/mL\n# species: mouse\n# platform: simulated 23-plex bead panel\n"
    Path(path).write_text(head + table.to_csv(lineterminator="\n"), encoding="utf-8")
    return table
