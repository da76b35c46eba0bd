"""How alike samples of one block are (bleeds of one animal, wells of one sample), all proteins together.

Each protein is a linear model with a random block effect; the share rho of the variance between blocks is found by
residual maximum likelihood. The consensus is the trimmed mean of the proteins' rho on the atanh scale.

References
----------
.. [1] Smyth, Michaud, Scott, 2005, doi:10.1093/bioinformatics/bti270.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import RefusedError
from proteomics.linear_model import dependent_columns, fit_linear
from proteomics.sample_covariance import membership

__all__ = ["BlockCorrelation", "block_correlation"]

Array = npt.NDArray[np.float64]

#: Share of proteins trimmed at either end of the consensus.
TRIM = 0.15
#: Nothing is taken as more alike than this.
HIGHEST = 0.99
_GRID = 21
_SECTIONS = 28
# A second peak of the grid this much lower (in twice the log likelihood) may still be the higher one.
_NEAR = 4.0
_CHUNK_VALUES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class BlockCorrelation:
    """Correlation within blocks.

    Parameters
    ----------
    consensus
        The one to fit with.
    atanh_each
        (G,) atanh of each protein's own; NaN where a protein cannot tell.
    """

    consensus: float
    atanh_each: Array


def block_correlation(
    matrix: npt.ArrayLike, design: npt.ArrayLike, block: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> BlockCorrelation:
    """Consensus correlation of samples within blocks.

    Parameters
    ----------
    matrix
        (G, N) proteins x samples; NaN = not measured.
    design
        (N, K) of full column rank.
    block
        (N,) labels.
    weights
        (N,) sample weights or (G, N) weights of single values.

    Raises
    ------
    RefusedError
        If there are no blocks of several samples, or no protein can tell.

    Notes
    -----
    The maximum itself, also where the likelihood has two; within 0.005 of limma's ``duplicateCorrelation``, which
    stops its iterations before they converge (docs/validation). Negative correlations down to -1/(m - 1) for blocks
    of m are found as such. Where the design itself holds the blocks, nothing is left between them and rho is 0.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> animal = np.repeat(np.arange(20), 2)
    >>> y = rng.normal(size=(300, 20))[:, animal] + rng.normal(size=(300, 40))
    >>> round(block_correlation(y, np.ones((40, 1)), animal).consensus, 1)
    0.5
    """
    values = np.asarray(matrix, dtype=np.float64)
    columns = np.asarray(design, dtype=np.float64)
    numbers = np.unique(np.asarray(block).astype(str), return_inverse=True)[1]
    fit_linear(values[:1], columns)  # refuses a design that is no design
    largest = int(np.bincount(numbers).max())
    if largest < 2 or numbers.max() < 1:
        raise RefusedError(
            "there is no correlation within blocks",
            found=f"{int(numbers.max()) + 1} blocks, the largest of {largest}",
            expected="at least two blocks, one of several samples",
        )
    root = np.ones(columns.shape[0]) if weights is None else np.sqrt(np.asarray(weights, dtype=np.float64))
    member = membership(numbers)
    if np.linalg.matrix_rank(np.column_stack([columns, member])) == np.linalg.matrix_rank(columns):
        return BlockCorrelation(consensus=0.0, atanh_each=np.zeros(len(values)))
    span = (1 / (1 - largest) + 0.01, HIGHEST)
    each = np.full(len(values), np.nan)
    step = max(1, _CHUNK_VALUES // values.shape[1])
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        own = root if root.ndim == 1 else root[rows]
        each[rows] = _correlations(values[rows], columns, own, member, span)
    known = np.sort(each[np.isfinite(each)])
    if not known.size:
        raise RefusedError("no protein is measured in enough samples to tell the correlation within blocks",
                           found=f"0 of {len(values)}", expected="1 or more")  # fmt: skip
    cut = int(np.floor(TRIM * known.size))
    consensus = float(np.tanh(known[cut : known.size - cut].mean()))
    return BlockCorrelation(consensus=consensus, atanh_each=each)


def _correlations(values: Array, columns: Array, root: Array, member: Array, span: tuple[float, float]) -> Array:
    """atanh of the maximising rho of each row; NaN where the row cannot tell."""
    measured = np.isfinite(values) & np.isfinite(root) & (root > 0)
    used = measured.sum(axis=1)
    blocks = ((measured @ member) > 0).sum(axis=1)
    can_tell = (used > columns.shape[1] + 2) & (blocks > 1) & (blocks < used - 1)
    result = np.full(len(values), np.nan)
    rows = np.flatnonzero(can_tell)
    if rows.size:
        own = np.broadcast_to(root, values.shape)[rows]
        likelihood = _Likelihood.build(values[rows], columns, own, measured[rows], member)
        result[rows] = _maximise(likelihood, np.arctanh(span[0]), np.arctanh(span[1]))
    return result


@dataclass(frozen=True, kw_only=True)
class _Likelihood:
    """What the likelihood of each row needs: products of [X y] over samples, and over the sums of blocks.

    Within a block of m, the inverse covariance is (I - c 11') / (1 - rho) with c = rho / (1 - rho + m rho); so blocks
    of one size enter only through the products of their sums, added up. ``size`` and ``count`` tell the size and the
    number of blocks in each of S such bins.
    """

    total: Array  # (G, K+1, K+1)
    sums: Array  # (G, S, K+1, K+1)
    size: Array  # (G, S)
    count: Array  # (G, S)
    free: Array  # (G,) residual degrees of freedom

    @classmethod
    def build(
        cls, values: Array, columns: Array, root: Array, measured: npt.NDArray[np.bool_], member: Array
    ) -> _Likelihood:
        scale = np.where(measured, root, 0.0)
        y = np.where(measured, values, 0.0)
        y = (y - (y.sum(axis=1) / measured.sum(axis=1))[:, None]) * scale
        kept = _independent(columns, scale)
        x = np.einsum("gn,nk,gk->gkn", scale, columns, kept)
        both = np.concatenate([x, y[:, None, :]], axis=1)
        total = both @ both.transpose(0, 2, 1)
        # A column set aside has zeros everywhere; a one on its diagonal leaves determinant and residual as they are.
        k = np.arange(columns.shape[1])
        total[:, k, k] += ~kept
        sizes = np.round(measured @ member)
        block_sums = both @ member
        bins = _bins(sizes)
        size = np.stack([np.where(mask, sizes, 0).max(axis=1) for mask in bins], axis=1)
        count = np.stack([mask.sum(axis=1) for mask in bins], axis=1).astype(np.float64)
        sums = np.stack(
            [(block_sums * mask[:, None, :]) @ block_sums.transpose(0, 2, 1) for mask in bins],
            axis=1,
        )
        return cls(total=total, sums=sums, size=size, count=count, free=measured.sum(axis=1) - kept.sum(axis=1))

    def __call__(self, rho: Array) -> Array:
        """(G,) twice the profile residual log likelihood at the rho of each row."""
        apart = 1 - rho
        joint = apart[:, None] + self.size * rho[:, None]
        inner = self.total - np.einsum("gs,gsij->gij", rho[:, None] / joint, self.sums)
        lower = np.linalg.cholesky(inner / apart[:, None, None])
        diagonal = np.log(np.diagonal(lower, axis1=1, axis2=2))
        log_v = (self.count * ((self.size - 1) * np.log(apart)[:, None] + np.log(joint))).sum(axis=1)
        return np.asarray(-log_v - 2 * diagonal[:, :-1].sum(axis=1) - 2 * self.free * diagonal[:, -1])

    def rows(self, chosen: npt.NDArray[np.intp]) -> _Likelihood:
        """The same for some of the rows."""
        return _Likelihood(
            total=self.total[chosen],
            sums=self.sums[chosen],
            size=self.size[chosen],
            count=self.count[chosen],
            free=self.free[chosen],
        )


def _independent(columns: Array, scale: Array) -> npt.NDArray[np.bool_]:
    """(G, K) columns of the design that each row's samples can tell apart; later ones give way."""
    pairs = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
    gram = ((scale * scale) @ pairs).reshape(-1, columns.shape[1], columns.shape[1])
    eigen = np.linalg.eigvalsh(gram)
    kept = np.ones((len(scale), columns.shape[1]), dtype=bool)
    for row in np.flatnonzero(eigen[:, 0] < 1e-8 * eigen[:, -1]):
        kept[row] = ~dependent_columns(columns * scale[row][:, None])
    return kept


def _bins(sizes: Array) -> list[npt.NDArray[np.bool_]]:
    """Blocks that may be added up: those of one size, or every block by itself where sizes are many."""
    different = np.unique(sizes[sizes > 0])
    if len(different) <= sizes.shape[1]:
        return [sizes == size for size in different]
    single = np.eye(sizes.shape[1], dtype=bool)
    return [np.broadcast_to(mask, sizes.shape) & (sizes > 0) for mask in single]


def _maximise(likelihood: _Likelihood, low: float, high: float) -> Array:
    """atanh(rho) of the highest point of each row; the two best peaks of a grid are climbed, for there may be two."""
    grid = np.linspace(low, high, _GRID)
    rows = np.arange(len(likelihood.free))
    heights = np.stack([likelihood(np.full(len(rows), np.tanh(at))) for at in grid])
    best = heights.argmax(axis=0)
    found = _climb(likelihood, grid, best)
    walled = np.pad(heights, ((1, 1), (0, 0)), constant_values=-np.inf)
    peaks = np.where((heights >= walled[:-2]) & (heights >= walled[2:]), heights, -np.inf)
    peaks[best, rows] = -np.inf
    second = np.flatnonzero(peaks.max(axis=0) > heights[best, rows] - _NEAR)
    if second.size:
        part = likelihood.rows(second)
        other = _climb(part, grid, peaks[:, second].argmax(axis=0))
        higher = part(np.tanh(other)) > part(np.tanh(found[second]))
        found[second] = np.where(higher, other, found[second])
    return found


def _climb(likelihood: _Likelihood, grid: Array, start: npt.NDArray[np.intp]) -> Array:
    """Golden sections between the neighbours of a grid point."""
    last = len(grid) - 1
    left, right = grid[np.maximum(start - 1, 0)], grid[np.minimum(start + 1, last)]
    golden = (np.sqrt(5) - 1) / 2
    inner, outer = right - golden * (right - left), left + golden * (right - left)
    at_inner, at_outer = likelihood(np.tanh(inner)), likelihood(np.tanh(outer))
    for _ in range(_SECTIONS):
        keep_left = at_inner > at_outer
        left, right = np.where(keep_left, left, inner), np.where(keep_left, outer, right)
        new = np.where(keep_left, right - golden * (right - left), left + golden * (right - left))
        at_new = likelihood(np.tanh(new))
        inner, outer, at_inner, at_outer = (
            np.where(keep_left, new, outer),
            np.where(keep_left, inner, new),
            np.where(keep_left, at_new, at_outer),
            np.where(keep_left, at_inner, at_new),
        )
    found = (left + right) / 2
    # A maximum at the end of the range is that end.
    for end, index in ((grid[0], 0), (grid[-1], last)):
        found = np.where((start == index) & (np.abs(found - end) < 1e-4), end, found)
    return np.asarray(found)
