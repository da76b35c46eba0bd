"""Protein levels of simulated samples: correlated proteins, planted effects, plates, limits of detection.

Level of protein j in sample i, log2::

    base_j + shift_j(group_i) + sd_j (r_j z_i + sqrt(1 - r_j²) (l_j f_i + sqrt(1 - l_j²) e_ij)) + plate_j(i) + noise_ij

z is the latent value of the subject (stress, severity), r_j its planted correlation with the protein within a group,
f_i one of several factors that make proteins of a family move together, l_j the loading on it, e the protein's own
variation, all with SD 1 and independent; the noise is the assay's. Proteins with r_j = 0 are truly null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Analyte", "SerumSimulation", "simulate_levels"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Analyte:
    """One protein of a panel.

    Attributes
    ----------
    symbol, uniprot
        Gene symbol in the species' own spelling, accession.
    base_log2, sd_log2
        Mean and SD between subjects, log2 of the panel's unit.
    below_lod
        Share of samples of unshifted groups expected below the limit of detection.
    family
        Factor that it shares with others; empty for none.
    loading
        Correlation with that factor.
    """

    symbol: str
    uniprot: str
    base_log2: float
    sd_log2: float = 0.8
    below_lod: float = 0.02
    family: str = ""
    loading: float = 0.55


@dataclass(frozen=True, eq=False)
class SerumSimulation:
    """A simulated serum table, log2, with its truth.

    Attributes
    ----------
    measured
        Samples x proteins as the assay reads them, log2; values below the limit stay as read.
    biological
        The same without plates and noise of the assay.
    lod
        Limit per protein, log2.
    plate
        Plate of each sample.
    truth
        One row per protein: ``protein, uniprot, correlation`` (planted, with the latent value), ``slope_log2`` (log2
        per SD of the latent value), ``null``, one ``shift_GROUP_log2`` per shifted group, ``lod_log2, below_lod``
        (share of measured values below it).
    """

    measured: pd.DataFrame
    biological: pd.DataFrame
    lod: pd.Series
    plate: pd.Series
    truth: pd.DataFrame


def simulate_levels(
    analytes: Sequence[Analyte],
    *,
    samples: Sequence[str],
    latent: Array,
    group: Sequence[str],
    plate: Sequence[str],
    rng: np.random.Generator,
    correlation: Mapping[str, float] | None = None,
    shifts: Mapping[str, Mapping[str, float]] | None = None,
    noise_log2: float = 0.15,
    plate_sd_log2: float = 0.25,
) -> SerumSimulation:
    """Draw the levels of a panel.

    Parameters
    ----------
    analytes
        The panel.
    samples, latent, group, plate
        One entry per sample; a NaN latent value stands for a subject whose value is unrelated to the latent trait.
    rng
        Source of all random numbers.
    correlation
        Planted correlation with the latent value by symbol; all others are null.
    shifts
        Group to symbol to shift of the mean, in SD of that protein.
    noise_log2, plate_sd_log2
        SD of the assay's noise and of the plate effects, the latter drawn per protein and plate with a part common to
        the plate.

    Raises
    ------
    ValueError
        Entries of different number, a symbol that is not on the panel, a correlation beyond -1 to 1.

    Examples
    --------
    >>> panel = [Analyte("Il4", "P07750", 4.0), Analyte("Il6", "P08505", 5.0)]
    >>> made = simulate_levels(panel, samples=["a", "b"], latent=np.array([1.0, -1.0]), group=["x", "x"],
    ...                        plate=["P1", "P1"], rng=np.random.default_rng(0), correlation={"Il4": 0.7})
    >>> made.truth[["protein", "null"]].values.tolist()
    [['Il4', False], ['Il6', True]]
    """
    import pandas as pd

    correlation, shifts = dict(correlation or {}), {k: dict(v) for k, v in (shifts or {}).items()}
    symbols = [analyte.symbol for analyte in analytes]
    _check(symbols, samples, latent, group, plate, correlation, shifts)
    n, p = len(samples), len(symbols)
    r = np.array([correlation.get(symbol, 0.0) for symbol in symbols])
    sd = np.array([analyte.sd_log2 for analyte in analytes])
    base = np.array([analyte.base_log2 for analyte in analytes])
    z = np.where(np.isnan(latent), rng.standard_normal(n), latent)
    own = _shared_variation(analytes, n, rng)
    moved = np.zeros((n, p))
    for name, by_symbol in shifts.items():
        rows = np.array([value == name for value in group])
        moved[rows] += np.array([by_symbol.get(symbol, 0.0) for symbol in symbols])
    biological = base + sd * (moved + r * z[:, None] + np.sqrt(1 - r**2) * own)
    measured = biological + noise_log2 * rng.standard_normal((n, p)) + _plate_effects(plate, p, plate_sd_log2, rng)
    lod = base + np.sqrt(sd**2 + noise_log2**2) * _normal_quantile(np.array([a.below_lod for a in analytes]))
    truth = pd.DataFrame(
        {
            "protein": symbols,
            "uniprot": [analyte.uniprot for analyte in analytes],
            "correlation": r,
            "slope_log2": r * sd,
            "null": r == 0,
            **{
                f"shift_{name}_log2": sd * np.array([by.get(symbol, 0.0) for symbol in symbols])
                for name, by in shifts.items()
            },
            "lod_log2": lod,
            "below_lod": (measured < lod).mean(axis=0),
        }
    )
    index = pd.Index(list(samples), name="sample")
    return SerumSimulation(
        measured=pd.DataFrame(measured, index=index, columns=symbols),
        biological=pd.DataFrame(biological, index=index, columns=symbols),
        lod=pd.Series(lod, index=symbols, name="lod_log2"),
        plate=pd.Series(list(plate), index=index, name="plate"),
        truth=truth,
    )


def _check(
    symbols: list[str],
    samples: Sequence[str],
    latent: Array,
    group: Sequence[str],
    plate: Sequence[str],
    correlation: Mapping[str, float],
    shifts: Mapping[str, Mapping[str, float]],
) -> None:
    sizes = {"samples": len(samples), "latent": len(latent), "group": len(group), "plate": len(plate)}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"one entry per sample is needed, got {sizes}")
    named = {*correlation, *(symbol for by_symbol in shifts.values() for symbol in by_symbol)}
    if unknown := sorted(named - set(symbols)):
        raise ValueError(f"not on the panel: {', '.join(unknown)}; it has {', '.join(symbols)}")
    if wrong := {symbol: value for symbol, value in correlation.items() if not -1 <= value <= 1}:
        raise ValueError(f"a correlation lies between -1 and 1: {wrong}")


def _shared_variation(analytes: Sequence[Analyte], n: int, rng: np.random.Generator) -> Array:
    """(n, p) variation with SD 1, correlated within families."""
    families = sorted({analyte.family for analyte in analytes if analyte.family})
    factors = rng.standard_normal((n, len(families) + 1))
    own = rng.standard_normal((n, len(analytes)))
    for j, analyte in enumerate(analytes):
        if analyte.family:
            factor = factors[:, families.index(analyte.family)]
            own[:, j] = analyte.loading * factor + np.sqrt(1 - analyte.loading**2) * own[:, j]
    return own


def _plate_effects(plate: Sequence[str], p: int, sd: float, rng: np.random.Generator) -> Array:
    """(n, p) shift of each sample's plate: half of the variance is common to all proteins of a plate."""
    names = sorted(set(plate))
    effects = sd * np.sqrt(0.5) * (rng.standard_normal((len(names), 1)) + rng.standard_normal((len(names), p)))
    return np.asarray(effects[[names.index(name) for name in plate]])


def _normal_quantile(share: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(share, 1e-6, 1 - 1e-6)), dtype=float)
