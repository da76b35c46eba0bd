"""How sure one mouse's SI ratio is, as 150 s hold only a few visits: interval, probability of being susceptible."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.reasons import Notes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BootstrapOptions", "ratio_draws", "ratio_uncertainty"]

Floats = NDArray[np.float64]

# A share of 0 or 1 has no logit; it is taken to lie this much time away from it, and none is drawn nearer to it.
LEAST_S = 0.25


@dataclass(frozen=True, kw_only=True)
class BootstrapOptions:
    """Settings of the block bootstrap.

    Parameters
    ----------
    block_s
        Length of the stretches drawn; longer than a visit to the zone.
    draws
        Number of redrawn pairs of trials.
    level
        Probability that the interval is meant to have.
    """

    block_s: float = 30.0
    draws: int = 2000
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.block_s > 0 or not 0 < self.level < 1 or self.draws < 100:
            raise ValueError("block_s must be above 0, level between 0 and 1, draws at least 100")


def ratio_uncertainty(
    bins: pd.DataFrame, *, seed: int, cut: float = 1.0, options: BootstrapOptions | None = None
) -> pd.DataFrame:
    """Interval of each mouse's SI ratio and its probability of being susceptible.

    Both trials are redrawn in blocks of neighbouring bins (circular block bootstrap; Politis and Romano 1992). A trial
    has so few blocks that the bare percentiles would be far too narrow, so each trial's log odds of being in the zone
    are spread about their estimate by ``sqrt(k / (k - 1)) * t(k - 1) / z`` with k = trial length / block length: the
    variance of k blocks and Student's quantile in place of the normal one. The interval tells how far another 150 s of
    the same mouse in the same state might lie; it says nothing of day-to-day change. In simulated mice whose stays and
    absences follow a renewal process it held the long-run ratio in 92 to 97 % (tests/behavior/test_uncertainty.py).

    Parameters
    ----------
    bins
        Time courses of both trials: ``subject, trial, bin, start_s, observed_s, iz_raw_s``.
    seed
        Seed of the experiment; each mouse has its own stream, so that another mouse changes nothing.
    cut
        SI ratio below which a mouse is susceptible.
    options
        Settings.

    Returns
    -------
    DataFrame
        ``subject, si_ci_low, si_ci_high, p_susceptible, note``, sorted by subject; for mice with both trials.

    Examples
    --------
    >>> import pandas as pd
    >>> bins = pd.DataFrame([{"subject": "a", "trial": t, "bin": b + 1, "start_s": 10.0 * b, "observed_s": 10.0,
    ...                       "iz_raw_s": s} for t, s in (("no_target", 4.0), ("target", 2.0)) for b in range(15)])
    >>> ratio_uncertainty(bins, seed=1)[["si_ci_low", "si_ci_high", "p_susceptible"]].round(6).to_numpy().tolist()
    [[0.5, 0.5, 1.0]]
    """
    import pandas as pd

    options = options or BootstrapOptions()
    rows = []
    for subject, trials in sorted(_courses(bins).items()):
        if {"no_target", "target"} <= set(trials):
            words = np.frombuffer(hashlib.sha256(subject.encode()).digest(), dtype="<u4")
            rng = np.random.default_rng([seed, *words.tolist()])
            rows.append({"subject": subject, **_one(trials, rng, cut, options)})
    return pd.DataFrame(rows, columns=["subject", "si_ci_low", "si_ci_high", "p_susceptible", "note"])


@dataclass(frozen=True)
class _Course:
    """One trial in the order of its bins."""

    start_s: Floats
    inside_s: Floats
    observed_s: Floats

    @property
    def bin_s(self) -> float:
        """Length of a bin."""
        return float(np.median(np.diff(self.start_s))) if len(self.start_s) > 1 else math.inf


def _courses(bins: pd.DataFrame) -> dict[str, dict[str, _Course]]:
    """Subject and trial to the time course."""
    ordered = bins.sort_values("bin", kind="stable")
    columns = [ordered[name].to_numpy(dtype=float) for name in ("start_s", "iz_raw_s", "observed_s")]
    found: dict[str, dict[str, _Course]] = {}
    places: Any = ordered.groupby(["subject", "trial"]).indices
    for (subject, trial), rows in places.items():
        found.setdefault(str(subject), {})[str(trial)] = _Course(*(column[rows] for column in columns))
    return found


def _one(
    trials: dict[str, _Course], rng: np.random.Generator, cut: float, options: BootstrapOptions
) -> dict[str, object]:
    notes = Notes()
    empty: dict[str, object] = {"si_ci_low": math.nan, "si_ci_high": math.nan, "p_susceptible": math.nan}
    columns = tuple(empty)
    seconds = {name: (np.nansum(trial.inside_s), np.nansum(trial.observed_s)) for name, trial in trials.items()}
    if min(seen for _, seen in seconds.values()) <= 0:
        notes.add("never_seen", *columns)
        return empty | {"note": str(notes)}
    if seconds["no_target"][0] == 0:
        notes.add("zero_without_target", *columns)
        return empty | {"note": str(notes)}
    without, target = (
        ratio_draws(trial.inside_s, trial.observed_s, bin_s=trial.bin_s, rng=rng, options=options)
        for trial in (trials["no_target"], trials["target"])
    )
    ratios = target / without
    found: dict[str, object] = {"p_susceptible": float(np.mean(ratios < cut))}
    if seconds["target"][0] == 0:
        notes.add("zero_with_target", "si_ci_low", "si_ci_high")
        return empty | found | {"note": str(notes)}
    tail = (1 - options.level) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return {"si_ci_low": float(low), "si_ci_high": float(high)} | found | {"note": ""}


def ratio_draws(
    inside_s: Floats, observed_s: Floats, *, bin_s: float, rng: np.random.Generator, options: BootstrapOptions
) -> Floats:
    """Redrawn shares of one trial's observed time in the zone, widened for the small number of blocks.

    Parameters
    ----------
    inside_s, observed_s
        (K,) seconds in the zone and seconds observed, by bin.
    bin_s
        Length of a bin.

    Returns
    -------
    (draws,) ndarray
    """
    from scipy.special import ndtri, stdtrit

    seen = observed_s > 0
    inside, observed = inside_s[seen], observed_s[seen]
    size = len(inside)
    length = int(min(max(1, round(options.block_s / bin_s)), max(1, size // 2)))
    blocks = max(size / length, 2.0)
    starts = rng.integers(0, size, (options.draws, math.ceil(size / length)))
    inside_drawn, observed_drawn = (_drawn_sums(values, starts, length) for values in (inside, observed))
    total = float(observed.sum())
    estimate = _logit(np.array([inside.sum() / total]), total)
    redrawn = _logit(inside_drawn / observed_drawn, total)
    tail = 1 - (1 - options.level) / 2
    # Student's and the normal quantile.
    widening = math.sqrt(blocks / (blocks - 1)) * float(stdtrit(blocks - 1, tail) / ndtri(tail))
    shares: Floats = 1 / (1 + np.exp(-(estimate + widening * (redrawn - estimate))))
    least = _least_share(total)
    return np.clip(shares, least, 1 - least)


def _drawn_sums(values: Floats, starts: NDArray[np.int64], length: int) -> Floats:
    """(draws,) sums of as many values as there are, by blocks from the drawn starts round the end; the last is cut."""
    last = len(values) - (starts.shape[1] - 1) * length
    whole, cut = (_block_sums(values, count) for count in (length, last))
    sums: Floats = whole[starts[:, :-1]].sum(axis=1) + cut[starts[:, -1]]
    return sums


def _block_sums(values: Floats, length: int) -> Floats:
    """(K,) sum of a block from each value on, round the end."""
    around = np.concatenate([values, values[: length - 1]])
    sums: Floats = np.lib.stride_tricks.sliding_window_view(around, length).sum(axis=1)
    return sums


def _logit(share: Floats, total_s: float) -> Floats:
    least = _least_share(total_s)
    inner = np.clip(share, least, 1 - least)
    logit: Floats = np.log(inner / (1 - inner))
    return logit


def _least_share(total_s: float) -> float:
    return min(LEAST_S / total_s, 0.25)
