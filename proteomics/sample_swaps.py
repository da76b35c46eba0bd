"""Samples that look exchanged: profiles that repeat another's, sex-linked proteins that contradict the stated sex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem
from proteomics.abundance import subject_samples
from proteomics.quality import robust_z

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["SEX_LINKED", "repeated_profiles", "sex_mismatches", "sex_problems", "swap_problems"]

#: Serum or plasma proteins that differ between the sexes in most animals: symbol to +1 (higher in males) or -1.
SEX_LINKED: dict[str, dict[str, int]] = {
    # Prostate-specific antigen; pregnancy zone protein and FSH are higher in women, FSH above all after menopause.
    "human": {"KLK3": 1, "PZP": -1, "FSHB": -1},
    # Major urinary proteins are made by the male's liver and circulate.
    "mouse": {"Mup1": 1, "Mup3": 1, "Mup20": 1, "Serpina1e": 1},
}
_MANY_PAIRS = 10
_MALE, _FEMALE = {"m", "male"}, {"f", "female", "w"}


def repeated_profiles(ds: xr.Dataset, *, limit_z: float = 5.0) -> pd.DataFrame:
    """Pairs of subjects' samples whose profiles agree far better than those of the other pairs.

    Each protein is scaled by its median and MAD over the samples; the correlation of two samples over the proteins
    that both have above LOD is put on Fisher's z, and a pair is listed when it lies more than ``limit_z`` robust SDs
    above the other pairs and above r = 0.9. Needs 10 common proteins.

    Returns
    -------
    DataFrame
        ``sample_1, sample_2, n_proteins, r, z``; the highest first. Repeated bleeds of one subject may well appear.
    """
    import pandas as pd

    ds = subject_samples(ds)
    values = np.where(ds["below_lod"].values, np.nan, ds["abundance"].values)
    scaled = np.column_stack([robust_z(column) for column in values.T]) if values.size else values
    scaled = np.where(np.isfinite(scaled), np.clip(scaled, -8, 8), np.nan)
    names = ds["sample"].values
    r, common = _correlations(scaled)
    upper = np.triu_indices(len(names), k=1)
    usable = (common[upper] >= 10) & np.isfinite(r[upper])
    fisher = np.arctanh(np.clip(r[upper], -0.9999999, 0.9999999))
    z = np.full(fisher.shape, np.nan)
    z[usable] = robust_z(fisher[usable])
    found = np.flatnonzero(usable & (z > limit_z) & (r[upper] > 0.9))
    rows = [
        (names[upper[0][k]], names[upper[1][k]], int(common[upper][k]), float(r[upper][k]), float(z[k])) for k in found
    ]
    table = pd.DataFrame(rows, columns=["sample_1", "sample_2", "n_proteins", "r", "z"])
    return table.sort_values(["r", "sample_1"], ascending=[False, True], ignore_index=True)


def _correlations(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Correlation over the proteins that both samples have, and their number."""
    have = np.isfinite(values).astype(float)
    filled = np.where(have > 0, values, 0.0)
    n = have @ have.T
    sum_x = filled @ have.T
    sum_xx = (filled**2) @ have.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = filled @ filled.T - sum_x * sum_x.T / n
        variance = sum_xx - sum_x**2 / n
        r = covariance / np.sqrt(variance * variance.T)
    return r, n.astype(np.int64)


def sex_mismatches(ds: xr.Dataset, sex: Mapping[str, str], *, species: str, limit: float = 0.75) -> pd.DataFrame:
    """Samples whose sex-linked proteins lie with the other sex.

    The score is the mean of the robustly scaled sex-linked proteins, with the sign that points to males. A sample is
    listed when its score lies beyond ``limit`` of the way from its own sex's median to the other's. Where the medians
    are not at least two robust SDs (of the scores within sexes) apart, the panel cannot tell and nothing is listed.

    Parameters
    ----------
    ds
        An abundance Dataset.
    sex
        Sample id to ``M``/``F`` (or male/female).
    species
        ``"mouse"`` or ``"human"``.

    Returns
    -------
    DataFrame
        ``sample, sex, score, own_median, other_median``.
    """
    import pandas as pd

    columns = ["sample", "sex", "score", "own_median", "other_median"]
    ds = subject_samples(ds)
    signs = [SEX_LINKED[species].get(str(symbol), 0) for symbol in ds["symbol"].values]
    linked = [at for at, sign in enumerate(signs) if sign]
    words = [str(sex.get(str(name), "")).strip().casefold() for name in ds["sample"].values]
    male = np.array([word in _MALE for word in words])
    female = np.array([word in _FEMALE for word in words])
    if not linked or male.sum() < 3 or female.sum() < 3:
        return pd.DataFrame(columns=columns)
    z = np.column_stack([signs[at] * robust_z(ds["abundance"].values[:, at]) for at in linked])
    z = np.where(np.isfinite(z), np.clip(z, -8, 8), np.nan)
    count = np.isfinite(z).sum(axis=1)
    score = np.where(count, np.nansum(z, axis=1) / np.maximum(count, 1), np.nan)
    centre = {True: float(np.nanmedian(score[male])), False: float(np.nanmedian(score[female]))}
    within = np.concatenate([score[male] - centre[True], score[female] - centre[False]])
    spread = 1.4826 * float(np.nanmedian(np.abs(within)))
    distance = centre[True] - centre[False]
    if not distance > 2 * spread:
        return pd.DataFrame(columns=columns)
    rows = []
    for at in np.flatnonzero(male | female):
        own, other = centre[bool(male[at])], centre[not male[at]]
        if (score[at] - own) / (other - own) > limit:
            rows.append((str(ds["sample"].values[at]), words[at], float(score[at]), own, other))
    return pd.DataFrame(rows, columns=columns)


def swap_problems(ds: xr.Dataset, *, species: str = "", sex: Mapping[str, str] | None = None) -> list[Problem]:
    """A Problem for every suspicious pair or sample; pairs of one ``subject`` or ``name`` are expected to agree."""
    file = str(ds.attrs.get("source_file", ""))
    problems = _pair_problems(_of_different_origin(repeated_profiles(ds), ds), file)
    return problems + (sex_problems(ds, sex, species=species) if sex and species else [])


def sex_problems(ds: xr.Dataset, sex: Mapping[str, str], *, species: str) -> list[Problem]:
    """A Problem for every sample of :func:`sex_mismatches`."""
    return [
        Problem(
            code="swap_suspect",
            file=str(ds.attrs.get("source_file", "")),
            where=f"sample {row.sample}",
            message=f"sex-linked proteins lie with the other sex (score {row.score:.1f}, own {row.own_median:.1f})",
            action="kept; check the label",
        )
        for row in sex_mismatches(ds, sex, species=species).itertuples()
    ]


def _of_different_origin(pairs: pd.DataFrame, ds: xr.Dataset) -> pd.DataFrame:
    """The pairs without those whose two samples are stated to be one subject's or one tube's."""
    for column in ("subject", "name"):
        if column not in ds.coords or ds[column].dims != ("sample",):
            continue
        owner = dict(zip(ds["sample"].values.astype(str), ds[column].values.astype(str), strict=True))
        same = [owner[a] == owner[b] != "" for a, b in zip(pairs["sample_1"], pairs["sample_2"], strict=True)]
        pairs = pairs[~np.array(same, dtype=bool)]
    return pairs


def _pair_problems(pairs: pd.DataFrame, file: str) -> list[Problem]:
    if len(pairs) > _MANY_PAIRS:
        # So many agree only where few common causes rule the whole panel; single pairs mean nothing then.
        message = f"{len(pairs)} pairs of samples agree as repeats do, more than can be repeats"
        return [Problem(code="swap_suspect", file=file, message=message, action="not listed one by one")]
    return [
        Problem(
            code="swap_suspect",
            file=file,
            where=f"samples {row.sample_1} and {row.sample_2}",
            message=f"profiles agree as repeats do (r = {row.r:.3f} over {row.n_proteins} proteins)",
            action="kept; check that they are two bleeds, not one measured twice",
        )
        for row in pairs.itertuples()
    ]
