"""Competitive set test by rotation: are a set's proteins ranked higher than rotations of the data would rank them?

References
----------
.. [1] Majewski et al., 2010, doi:10.1182/blood-2009-12-260760.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import stats

from proteomics.roast import rotated_deviates
from proteomics.set_effects import SetEffects, set_members, t_as_normal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["romer"]

Array = npt.NDArray[np.float64]


def romer(
    effects: SetEffects,
    sets: Mapping[str, Sequence[str]],
    *,
    seed: int | np.random.Generator,
    rotations: int = 9999,
) -> pd.DataFrame:
    """Rotation test of mean ranks.

    Parameters
    ----------
    effects
        From :func:`proteomics.set_effects.set_effects`.
    sets
        Set name -> protein ids.
    seed
        Seed or generator.
    rotations
        Their number.

    Returns
    -------
    DataFrame
        ``set, n_proteins, p_up, p_down, p_mixed`` (one-sided, the last for either direction).

    Notes
    -----
    Agrees with limma's ``romer`` (mean ranks, shrunk effects) within Monte-Carlo error. Proteins that clearly differ
    would add their difference to the rotated residuals; each effect is therefore shrunk by its share of noise first.

    Examples
    --------
    >>> from proteomics.set_effects import set_effects
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(40, 12))
    >>> y[:8, 6:] += 1.5
    >>> names = [f"p{row}" for row in range(40)]
    >>> effects = set_effects(y, np.column_stack([np.ones(12), np.repeat([0, 1], 6)]), 1, proteins=names)
    >>> bool(romer(effects, {"first": names[:8]}, seed=1, rotations=199)["p_up"][0] < 0.05)
    True
    """
    import pandas as pd

    members = set_members(effects, sets)
    indicator = np.zeros((len(members), len(effects.along)))
    for row, places in enumerate(members.values()):
        indicator[row, places] = 1 / len(places)
    observed = _mean_ranks(t_as_normal(effects.t, effects.df_total)[:, None], indicator)
    counts = np.zeros((3, len(members)))
    shrunk = effects.along * effects.noise_share()
    for z in rotated_deviates(effects, np.random.default_rng(seed), rotations, along=shrunk):
        counts += (_mean_ranks(z, indicator) >= observed).sum(axis=2)
    p = (counts + 1) / (rotations + 1)
    sizes = [len(places) for places in members.values()]
    return pd.DataFrame({"set": list(members), "n_proteins": sizes, "p_up": p[0], "p_down": p[1], "p_mixed": p[2]})


def _mean_ranks(z: Array, indicator: Array) -> Array:
    """(3, sets, R) mean ranks of the members by z, by -z and by |z|."""
    up = stats.rankdata(z, axis=0)
    return np.stack([indicator @ ranks for ranks in (up, len(z) + 1 - up, stats.rankdata(np.abs(z), axis=0))])
