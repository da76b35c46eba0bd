"""Where the time goes: occupancy maps over the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from behavior.arena import Arena
from behavior.samples import Samples

__all__ = ["OccupancyMap", "map_occupancy"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OccupancyMap:
    """Seconds in each cell of a square grid over the floor.

    Parameters
    ----------
    seconds
        (rows, columns) observed seconds; row 0 is at the top as seen.
    x_cm, y_cm
        (columns + 1,) and (rows + 1,) edges of the cells.
    """

    seconds: Floats
    x_cm: Floats
    y_cm: Floats

    @property
    def share(self) -> Floats:
        """(rows, columns) share of the observed time; NaN if nothing was observed."""
        total = float(self.seconds.sum())
        return self.seconds / total if total > 0 else np.full_like(self.seconds, np.nan)


def map_occupancy(samples: Samples, arena: Arena, *, cell_cm: float = 1.0, smooth_cm: float = 0.0) -> OccupancyMap:
    """Time of the centre in each cell of the floor.

    Parameters
    ----------
    samples
        Scored window; positions a little beyond the floor's edge count in the cell at the edge.
    arena
        Its floor gives the extent.
    cell_cm
        Side of a cell.
    smooth_cm
        Standard deviation of a Gaussian that blurs the map; the total stays the same. 0 = none.

    Raises
    ------
    ValueError
        If the cell is not larger than 0 or the blur is below 0.

    Examples
    --------
    >>> from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
    >>> from behavior.samples import Samples
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> xy = np.array([[10.0, 10.0], [30.0, 10.0]])
    >>> two = np.ones(2, dtype=bool)
    >>> samples = Samples(time_s=np.array([0.0, 1.0]), duration_s=np.array([1.0, 3.0]), centre_cm=xy,
    ...                   zone_points_cm=(xy,), observed=two, run=np.zeros(2, dtype=int), outside=~two,
    ...                   rate_hz=1.0, gap_s=0.0, filled=~two)
    >>> map_occupancy(samples, arena, cell_cm=21.0).seconds.tolist()
    [[1.0, 3.0], [0.0, 0.0]]
    """
    if not cell_cm > 0 or not smooth_cm >= 0:
        raise ValueError(f"cell_cm must be above 0 and smooth_cm 0 or more; found {cell_cm} and {smooth_cm}")
    low, high = arena.zones["floor"].min(axis=0), arena.zones["floor"].max(axis=0)
    count = np.ceil((high - low) / cell_cm - 1e-9).astype(int)
    x_edges, y_edges = (low[axis] + cell_cm * np.arange(count[axis] + 1) for axis in (0, 1))
    seen = samples.run >= 0
    place = np.floor((samples.centre_cm[seen] - low) / cell_cm).astype(int).clip(0, count - 1)
    seconds = np.zeros((count[1], count[0]))
    np.add.at(seconds, (place[:, 1], place[:, 0]), samples.duration_s[seen])
    if smooth_cm > 0:
        from scipy.ndimage import gaussian_filter

        # Reflection at the walls keeps the time on the floor.
        seconds = gaussian_filter(seconds, smooth_cm / cell_cm, mode="reflect")
    return OccupancyMap(seconds, x_edges, y_edges)
