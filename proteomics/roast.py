"""Self-contained set tests by rotation: does a set move at all, its correlations kept?

References
----------
.. [1] Wu et al., 2010, doi:10.1093/bioinformatics/btq401 (roast).
.. [2] Langsrud, 2005, doi:10.1007/s11222-005-4789-5 (rotation tests).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import special

from proteomics.moderated import posterior_variance
from proteomics.set_effects import SetEffects, set_members, t_as_normal
from proteomics.signature import false_discovery_q
from proteomics.tails import t_two_sided

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fry", "roast", "rotated_deviates"]

Array = npt.NDArray[np.float64]

_ROTATIONS_AT_ONCE = 500


def fry(effects: SetEffects, sets: Mapping[str, Sequence[str]], *, standardize: bool = True) -> pd.DataFrame:
    """Rotation test without rotating: the p value that infinitely many rotations would give.

    Parameters
    ----------
    effects
        From :func:`proteomics.set_effects.set_effects`.
    sets
        Set name -> protein ids.
    standardize
        Divide each protein's effects by its posterior standard deviation, so that variable proteins do not lead.

    Returns
    -------
    DataFrame
        ``set, n_proteins, direction, p, q`` for a common direction (exact given the standardisation), ``p_mixed,
        q_mixed`` for changes of any direction (a beta distribution with the right mean and variance).

    Notes
    -----
    Equal to limma's ``fry`` to 1e-6.

    Examples
    --------
    >>> from proteomics.set_effects import set_effects
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(40, 12))
    >>> y[:8, 6:] += 1.5
    >>> names = [f"p{row}" for row in range(40)]
    >>> effects = set_effects(y, np.column_stack([np.ones(12), np.repeat([0, 1], 6)]), 1, proteins=names)
    >>> bool(fry(effects, {"first": names[:8]})["p"][0] < 0.001)
    True
    """
    import pandas as pd

    whole = np.column_stack([effects.along, effects.residual])
    if standardize:
        whole = whole / np.sqrt(_standard_variance(whole, effects))[:, None]
    df = effects.residual.shape[1]
    rows = []
    for name, members in set_members(effects, sets).items():
        mean = whole[members].mean(axis=0)
        t = mean[0] / np.sqrt(np.mean(mean[1:] ** 2))
        p = float(t_two_sided(t, float(df)))
        mixed = p if len(members) == 1 else _mixed_p(whole[members])
        rows.append((name, len(members), "up" if t > 0 else "down", p, mixed))
    table = pd.DataFrame(rows, columns=["set", "n_proteins", "direction", "p", "p_mixed"])
    table.insert(4, "q", false_discovery_q(table["p"].to_numpy()))
    table["q_mixed"] = false_discovery_q(table["p_mixed"].to_numpy())
    return table


def _standard_variance(whole: Array, effects: SetEffects) -> Array:
    """Variance of each protein from all its effects but the largest, squeezed towards the prior.

    The largest may be the contrast itself. What is left is divided by its expectation for normal effects, and counts
    as 0.92 of the residual degrees of freedom.
    """
    df = effects.residual.shape[1]
    position, weight = np.polynomial.legendre.leggauss(128)
    position, weight = (position + 1) / 2, weight / 2
    largest = (df + 1) * float((weight * position**df) @ special.chdtri(1, 1 - position))
    squares = whole**2
    variance = (squares.sum(axis=1) - squares.max(axis=1)) / (df + 1 - largest)
    return posterior_variance(variance, np.full(len(variance), 0.92 * df), effects.prior)


def _mixed_p(whole: Array) -> float:
    """Sum of squared effects along a random direction: a weighted mean of the squared singular values.

    The weights of a random direction are Dirichlet(1/2, ..., 1/2); the statistic, scaled to (0, 1), gets a beta
    distribution of the same mean and variance. For sets smaller than the residual degrees of freedom limma leaves the
    axes without variance out, which makes the test conservative; it is left so.
    """
    squares = np.linalg.svd(whole, compute_uv=False) ** 2
    dimensions = len(squares)
    low, high = squares[-1], squares[0]
    if high - low <= 1e-12 * high:
        return 1.0
    scaled = (squares - low) / (high - low)
    mean = scaled.mean()
    variance = (np.mean(scaled**2) - mean**2) / (dimensions / 2 + 1)
    total = mean * (1 - mean) / variance - 1
    observed = ((whole[:, 0] ** 2).sum() - low) / (high - low)
    return float(special.betaincc(total * mean, total * (1 - mean), np.clip(observed, 0, 1)))


def roast(
    effects: SetEffects,
    sets: Mapping[str, Sequence[str]],
    *,
    seed: int | np.random.Generator,
    rotations: int = 9999,
    statistic: str = "mean",
) -> pd.DataFrame:
    """Rotation test of each set with moderated t in every rotation.

    Parameters
    ----------
    effects, sets
        As in :func:`fry`.
    seed
        Seed or generator.
    rotations
        Their number; the smallest possible p is 1 / (rotations + 1).
    statistic
        ``"mean"``: mean of the normal deviates, for sets that move together; ``"msq"``: mean of their squares on
        one side, for sets in which some members move.

    Returns
    -------
    DataFrame
        ``set, n_proteins, share_down, share_up`` (members beyond sqrt 2), ``direction, p, q, p_mixed, q_mixed``,
        ``p`` being two-sided for a common direction and ``p_mixed`` for changes of any direction.

    Notes
    -----
    Agrees with limma's ``mroast`` within Monte-Carlo error.

    Examples
    --------
    >>> from proteomics.set_effects import set_effects
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(40, 12))
    >>> y[:8, 6:] += 1.5
    >>> names = [f"p{row}" for row in range(40)]
    >>> effects = set_effects(y, np.column_stack([np.ones(12), np.repeat([0, 1], 6)]), 1, proteins=names)
    >>> float(roast(effects, {"first": names[:8]}, seed=1, rotations=99)["p"][0])
    0.01
    """
    import pandas as pd

    if statistic not in ("mean", "msq"):
        raise ValueError(f"statistic {statistic!r}: 'mean' or 'msq'")
    members = set_members(effects, sets)
    observed_z = t_as_normal(effects.t, effects.df_total)
    observed = {name: _statistics(observed_z[rows][:, None], statistic)[:, 0] for name, rows in members.items()}
    counts = {name: np.zeros(2) for name in members}
    for z in rotated_deviates(effects, np.random.default_rng(seed), rotations):
        for name, rows in members.items():
            down, up, mixed = _statistics(z[rows], statistic)
            most = max(observed[name][0], observed[name][1])
            counts[name] += [(np.maximum(down, up) >= most).sum(), (mixed >= observed[name][2]).sum()]
    table = pd.DataFrame(
        [
            (
                name,
                len(rows),
                float((observed_z[rows] < -np.sqrt(2)).mean()),
                float((observed_z[rows] > np.sqrt(2)).mean()),
                "up" if observed[name][1] >= observed[name][0] else "down",
                *((counts[name] + 1) / (rotations + 1)),
            )
            for name, rows in members.items()
        ],
        columns=["set", "n_proteins", "share_down", "share_up", "direction", "p", "p_mixed"],
    )
    table.insert(6, "q", false_discovery_q(table["p"].to_numpy()))
    table["q_mixed"] = false_discovery_q(table["p_mixed"].to_numpy())
    return table


def _statistics(z: Array, statistic: str) -> Array:
    """(3, R) statistics down, up, mixed of (members, R) normal deviates."""
    if statistic == "mean":
        mean = z.mean(axis=0)
        return np.stack([-mean, mean, np.abs(z).mean(axis=0)])
    down, up = np.minimum(z, 0.0) ** 2, np.maximum(z, 0.0) ** 2
    return np.stack([down.mean(axis=0), up.mean(axis=0), (z**2).mean(axis=0)])


def rotated_deviates(
    effects: SetEffects, rng: np.random.Generator, rotations: int, *, along: Array | None = None
) -> Iterator[Array]:
    """(G, R) normal deviates of moderated t after random rotations of the contrast into the residual space.

    ``along`` replaces the effects that are rotated; the sum of squares left for the variance stays the data's own.
    """
    squares = effects.along**2 + (effects.residual**2).sum(axis=1)
    whole = np.column_stack([effects.along if along is None else along, effects.residual])
    df = effects.residual.shape[1]
    prior_df, scale = effects.prior.df[:, None], effects.prior.scale[:, None]
    certain = np.isinf(prior_df)
    for start in range(0, rotations, _ROTATIONS_AT_ONCE):
        axis = rng.normal(size=(whole.shape[1], min(_ROTATIONS_AT_ONCE, rotations - start)))
        turned = whole @ (axis / np.sqrt((axis**2).sum(axis=0)))
        rest = squares[:, None] - turned**2
        with np.errstate(invalid="ignore"):
            variance = np.where(certain, scale, (rest + prior_df * scale) / (df + prior_df))
        yield t_as_normal(turned / np.sqrt(variance), effects.df_total)
