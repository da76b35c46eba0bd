"""A simulated Olink table in long form: NPX of people with and without illness, plates, limits, control samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proteomics.simulation.factor_model import Analyte, SerumSimulation, simulate_levels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OLINK_PANEL", "OlinkOptions", "olink_long", "simulate_olink", "write_olink_long"]

Array = NDArray[np.float64]

PANEL_NAME = "Olink Target 96 Inflammation"

# NPX has no unit; levels are of the size that the panel gives in serum.
OLINK_PANEL = (
    Analyte("IL13", "P35225", 0.6, 0.6, 0.35, "th2", 0.40),
    Analyte("CCL11", "P51671", 7.6, 0.5, 0.00, "th2", 0.40),
    Analyte("IL4", "P05112", 0.4, 0.5, 0.55, "th2", 0.40),
    Analyte("IL5", "P05113", 1.4, 0.8, 0.25, "th2", 0.40),
    Analyte("IL33", "O95760", 0.8, 0.5, 0.45, "th2", 0.30),
    Analyte("TSLP", "Q969D9", 1.0, 0.5, 0.40, "th2", 0.30),
    Analyte("IFNG", "P01579", 6.2, 1.0, 0.05, "th1"),
    Analyte("CXCL9", "Q07325", 6.8, 0.9, 0.00, "th1", 0.70),
    Analyte("CXCL10", "P02778", 8.4, 0.9, 0.00, "th1", 0.75),
    Analyte("CXCL11", "O14625", 7.6, 0.9, 0.00, "th1", 0.70),
    Analyte("LTA", "P01374", 3.2, 0.5, 0.02, "th1", 0.40),
    Analyte("TNF", "P01375", 2.4, 0.5, 0.05, "th1", 0.40),
    Analyte("IL18", "Q14116", 8.6, 0.6, 0.00, "th1", 0.35),
    Analyte("IL2", "P60568", 0.5, 0.4, 0.60, "th1", 0.30),
    Analyte("CCL20", "P78556", 5.4, 1.1, 0.01, "th17"),
    Analyte("IL12B", "P29460", 5.2, 0.7, 0.00, "th17"),
    Analyte("CXCL1", "P09341", 8.4, 0.9, 0.00, "neutrophil", 0.70),
    Analyte("S100A12", "P80511", 2.2, 0.9, 0.02, "neutrophil", 0.60),
    Analyte("IL17A", "Q16552", 1.2, 0.7, 0.25, "th17"),
    Analyte("IL17C", "Q9P0M4", 2.4, 0.7, 0.08, "th17"),
    Analyte("IL10", "P22301", 3.0, 0.6, 0.03, "inflammation"),
    Analyte("TGFB1", "P01137", 7.2, 0.4, 0.00, "platelet", 0.60),
    Analyte("IL6", "P05231", 3.6, 1.0, 0.04, "inflammation", 0.65),
    Analyte("CXCL8", "P10145", 6.4, 0.9, 0.00, "neutrophil", 0.70),
    Analyte("CCL2", "P13500", 10.4, 0.5, 0.00, "inflammation", 0.50),
    Analyte("CCL3", "P10147", 5.4, 0.7, 0.00, "inflammation", 0.60),
    Analyte("CCL4", "P13236", 6.6, 0.6, 0.00, "inflammation", 0.55),
    Analyte("IL1A", "P01583", 0.3, 0.4, 0.70, "inflammation", 0.30),
    Analyte("OSM", "P13725", 4.2, 0.9, 0.01, "neutrophil", 0.60),
    Analyte("CCL23", "P55773", 9.4, 0.5, 0.00, "inflammation", 0.40),
    Analyte("SIRT2", "Q8IXJ6", 4.0, 1.0, 0.01, "platelet", 0.80),
    Analyte("STAMBP", "O95630", 4.4, 0.8, 0.00, "platelet", 0.80),
    Analyte("CX3CL1", "P78423", 5.8, 0.5, 0.00, "vascular", 0.50),
    Analyte("CSF1", "P09603", 8.6, 0.3, 0.00, "vascular", 0.55),
    Analyte("HGF", "P14210", 8.0, 0.6, 0.00, "vascular", 0.55),
    Analyte("VEGFA", "P15692", 10.6, 0.5, 0.00, "vascular", 0.55),
)


@dataclass(frozen=True, kw_only=True)
class OlinkOptions:
    """What is planted in the table.

    Attributes
    ----------
    correlation
        Symbol to correlation with the latent value within groups.
    shifts
        Group to symbol to shift of the mean in SD.
    noise_npx, plate_sd_npx
        SD of the assay's noise and of the plate effects.
    warned
        Share of samples with a QC warning.
    controls_per_plate
        Control samples on each plate.
    """

    correlation: Mapping[str, float] = field(default_factory=lambda: {"IL13": 0.6, "CCL11": 0.6, "IL5": 0.6})
    shifts: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {"MDD": {"CCL11": 0.7, "IL13": 0.6, "IL5": 0.5, "VEGFA": 0.6, "CSF1": 0.5}}
    )
    noise_npx: float = 0.12
    plate_sd_npx: float = 0.15
    warned: float = 0.04
    controls_per_plate: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.warned <= 1 or self.controls_per_plate < 0:
            raise ValueError("warned must lie between 0 and 1, controls_per_plate must not be below 0")


def simulate_olink(
    *,
    samples: Sequence[str],
    latent: Array,
    group: Sequence[str],
    plate: Sequence[str],
    options: OlinkOptions | None = None,
    seed: int | Sequence[int],
) -> SerumSimulation:
    """NPX of people; entries one per sample, NaN for a person without a latent value.

    Examples
    --------
    >>> made = simulate_olink(samples=["A1", "A2"], latent=np.array([1.0, np.nan]), group=["MDD", "HC"],
    ...                       plate=["P1", "P1"], seed=3)
    >>> made.measured.shape
    (2, 36)
    """
    options = options or OlinkOptions()
    return simulate_levels(
        OLINK_PANEL,
        samples=samples,
        latent=latent,
        group=group,
        plate=plate,
        rng=np.random.default_rng(seed),
        correlation=options.correlation,
        shifts=options.shifts,
        noise_log2=options.noise_npx,
        plate_sd_log2=options.plate_sd_npx,
    )


def olink_long(
    simulation: SerumSimulation, *, options: OlinkOptions | None = None, seed: int | Sequence[int]
) -> pd.DataFrame:
    """The table in Olink's long form, one row per sample and assay, with control samples.

    Columns: ``SampleID; Index; OlinkID; UniProt; Assay; MissingFreq; Panel; PlateID; QC_Warning; LOD; NPX;
    Normalization``. ``MissingFreq`` is the share of the samples (controls not counted) below the limit.
    """
    import pandas as pd

    options = options or OlinkOptions()
    rng = np.random.default_rng(seed)
    levels = simulation.measured
    warned = pd.Series(rng.uniform(size=len(levels)) < options.warned, index=levels.index)
    missing = (levels < simulation.lod).mean()
    plates = simulation.plate
    names = [f"CONTROL_SAMPLE_AS {n + 1}" for n in range(options.controls_per_plate)]
    rows = [(sample, plates[sample], levels.loc[sample], bool(warned[sample])) for sample in levels.index]
    for plate in sorted(set(plates)):
        pool = levels[plates == plate].mean()
        rows += [(name, plate, pool + 0.05 * rng.standard_normal(len(pool)), False) for name in names]
    identifier = {symbol: f"OID{number:05d}" for number, symbol in enumerate(levels.columns, start=471)}
    uniprot = simulation.truth.set_index("protein")["uniprot"]

    def assay(symbol: str) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "SampleID": [row[0] for row in rows],
                "Index": np.arange(1, len(rows) + 1),
                "OlinkID": identifier[symbol],
                "UniProt": uniprot[symbol],
                "Assay": symbol,
                "MissingFreq": round(float(missing[symbol]), 5),
                "Panel": PANEL_NAME,
                "PlateID": [row[1] for row in rows],
                "QC_Warning": ["Warning" if row[3] else "Pass" for row in rows],
                "LOD": round(float(simulation.lod[symbol]), 5),
                "NPX": [round(float(row[2][symbol]), 5) for row in rows],
                "Normalization": "Plate control",
            }
        )

    return pd.concat([assay(symbol) for symbol in levels.columns], ignore_index=True)


def write_olink_long(table: pd.DataFrame, path: str | PathLike[str], *, separator: str = ";") -> None:
    """Write the long form as Olink's programs do: semicolon text."""
    Path(path).write_text(table.to_csv(index=False, sep=separator, lineterminator="\n"), encoding="utf-8")
