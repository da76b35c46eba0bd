"""A DeepLabCut table, whatever it came in: columns of x, y, likelihood by animal and body part, made into poses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from behavior.readers.points import split_prefixes
from behavior.readers.poses import Poses
from behavior.readers.trackfile import ReadOptions
from core.errors import InputError
from core.problems import Problem

__all__ = ["Column", "poses_of"]

Array = NDArray[Any]

#: Animal (empty where there is one), body part, coordinate.
Column = tuple[str, str, str]


def poses_of(
    columns: Sequence[Column],
    values: Array,
    frame: Array,
    options: ReadOptions,
    *,
    path: str | Path,
    header: dict[str, str],
) -> tuple[Poses, list[Problem]]:
    """Poses of a table; positions below the likelihood limit, or at exactly 0, 0, are missing.

    Animals are told apart by the table's own row of names, or by a prefix of the body parts' names.

    Parameters
    ----------
    columns
        What each column of ``values`` holds.
    values
        (frames, columns), NaN where blank.
    frame
        (frames,) frame numbers.

    Raises
    ------
    InputError
        If a body part lacks x or y, a column occurs twice, or a likelihood is not from 0 to 1.
    """
    columns = _by_prefix(columns)
    place = {column: number for number, column in enumerate(columns)}
    if len(place) < len(columns):
        twice = next(column for column in columns if list(columns).count(column) > 1)
        raise InputError("a column occurs twice", file=path, found=" ".join(twice))
    animals = list(dict.fromkeys(animal for animal, _, _ in columns))
    points = list(dict.fromkeys(part for _, part, _ in columns))
    shape = (len(values), len(points), len(animals))
    xy, likelihood = np.full((len(values), 2, *shape[1:]), np.nan), np.full(shape, np.nan)
    for a, animal in enumerate(animals):
        for p, part in enumerate(points):
            present = [axis for axis in ("x", "y") if (animal, part, axis) in place]
            if len(present) == 1:
                raise InputError("a body part has only one coordinate", file=path, found=f"{animal} {part}".strip())
            for number, axis in enumerate(present):
                xy[:, number, p, a] = values[:, place[animal, part, axis]]
            if (animal, part, "likelihood") in place:
                likelihood[:, p, a] = values[:, place[animal, part, "likelihood"]]
            elif present:
                likelihood[:, p, a] = 1.0
    problems = _mask(xy, likelihood, options, path)
    poses = Poses(
        position=xy,
        points=points,
        frame=frame,
        confidence=np.nan_to_num(likelihood),
        header=header,
        individuals=[animal or "subject" for animal in animals],
    )
    return poses, problems


def _by_prefix(columns: Sequence[Column]) -> list[Column]:
    if any(animal for animal, _, _ in columns):
        return list(columns)
    parts = list(dict.fromkeys(part for _, part, _ in columns))
    if split_prefixes(parts) is None:
        return list(columns)
    split = {part: part.partition("_")[::2] for part in parts}
    return [(*split[part], axis) for _, part, axis in columns]


def _mask(xy: Array, likelihood: Array, options: ReadOptions, path: str | Path) -> list[Problem]:
    outside = (likelihood < -1e-6) | (likelihood > 1 + 1e-6)
    if outside.any():
        row = int(np.argwhere(outside)[0][0])
        raise InputError(
            "likelihood is not from 0 to 1", file=path, where=f"frame {row}", found=f"{likelihood[outside][0]:g}"
        )
    given = np.isfinite(xy).all(axis=1)
    zero = (xy == 0).all(axis=1)
    # A blank likelihood is below any limit.
    unsure = given & ~(likelihood >= options.min_likelihood)
    drop = given & (zero | unsure)
    xy[np.broadcast_to(drop[:, None], xy.shape)] = np.nan
    if not drop.any():
        return []
    message = (
        f"{int(drop.sum())} of {int(given.sum())} positions: {int(unsure.sum())} with likelihood below "
        f"{options.min_likelihood:g}, {int((zero & ~unsure).sum())} more at exactly 0, 0"
    )
    return [Problem(code="low_likelihood", file=Path(path).name, message=message, action="counted as missing")]
