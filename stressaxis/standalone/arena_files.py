"""The arena of a single recording, from an experiment file or from a table of corners."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from stressaxis.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from behavior.arena import Arena, ArenaOptions
    from behavior.lens import Lens
    from behavior.score_options import ScoreOptions
    from behavior.track_options import TrackOptions

__all__ = ["CORNERS", "GivenArena", "read_arena", "write_corners"]

#: The floor's corners in the order of the table.
CORNERS = ("top left", "top right", "bottom right", "bottom left")
_SIZES = ("width_cm", "height_cm", "enclosure_width_cm", "enclosure_depth_cm", "enclosure_centre_cm")
_COLUMNS = ("corner", "x_px", "y_px", "shape", "enclosure_wall", *_SIZES)


@dataclass(frozen=True, kw_only=True)
class GivenArena:
    """Sizes and place of an arena, and what an experiment says of tracking and scoring in it.

    Parameters
    ----------
    options
        Sizes.
    corners_px
        The four floor corners in px.
    tracking, scoring
        The experiment's settings; None where there is none.
    lens
        Distortion of the picture; None = none.
    """

    options: ArenaOptions
    corners_px: tuple[tuple[float, float], ...]
    tracking: TrackOptions | None = None
    scoring: ScoreOptions | None = None
    lens: Lens | None = None

    @property
    def arena(self) -> Arena:
        """Zones in cm, tied to the picture."""
        from behavior.arena import build_arena

        return build_arena(self.options, corners_px=self.corners_px, lens=self.lens)


def write_corners(path: Path, options: ArenaOptions, corners_px: Sequence[Sequence[float]]) -> None:
    """Write corners and sizes as a table of four rows that :func:`read_arena` reads."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    known = {name: getattr(options, name) for name in _COLUMNS[3:]}
    for name, (x, y) in zip(CORNERS, corners_px, strict=True):
        writer.writerow({"corner": name, "x_px": f"{x:.2f}", "y_px": f"{y:.2f}", **known})
    write_text(path, text.getvalue())


def read_arena(path: Path, *, name: str | None = None) -> GivenArena:
    """The arena of an experiment file, or of a table of corners as ``stressaxis arena`` writes it.

    Parameters
    ----------
    path
        Experiment file, or CSV with a column ``corner`` (top left, top right, bottom right, bottom left) and ``x_px``,
        ``y_px``; the sizes in further columns, where they are not the usual ones.
    name
        Which of an experiment's arenas.

    Raises
    ------
    InputError
        If the file holds no such arena.
    ConfigError
        If the experiment file is wrong.
    """
    from core.readers import read_head

    head = read_head(path).decode("utf-8", "replace").lstrip("\ufeff")
    first = head.splitlines()[0] if head.strip() else ""
    if "corner" in first and "x_px" in first:
        return _from_table(path)
    return _from_experiment(path, name)


def _from_table(path: Path) -> GivenArena:
    from behavior.arena import ArenaOptions
    from behavior.calibration import calibrate

    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    places = {row["corner"].strip(): row for row in rows if row.get("corner")}
    missing = [name for name in CORNERS if name not in places]
    if missing or len(rows) != len(CORNERS):
        raise InputError(
            "the table does not hold the four corners of a floor",
            file=path,
            found=", ".join(row.get("corner") or "?" for row in rows) or "no rows",
            expected=", ".join(CORNERS),
        )
    corners = tuple((_number(path, places[name], "x_px"), _number(path, places[name], "y_px")) for name in CORNERS)
    row = places[CORNERS[0]]
    stated: dict[str, Any] = {name: _number(path, row, name) for name in _SIZES if row.get(name)}
    stated |= {name: row[name] for name in ("shape", "enclosure_wall") if row.get(name)}
    try:
        options = replace(ArenaOptions(), **stated)
    except ValueError as error:
        raise InputError(str(error), file=path) from None
    calibrate(corners, width_cm=options.width_cm, height_cm=options.height_cm)
    return GivenArena(options=options, corners_px=corners)


def _number(path: Path, row: dict[str, str], column: str) -> float:
    try:
        return float(row.get(column) or "")
    except ValueError:
        raise InputError(
            "not a number", file=path, where=f"{row.get('corner')}, column {column}", found=repr(row.get(column))
        ) from None


def _from_experiment(path: Path, name: str | None) -> GivenArena:
    import configs

    behavior = configs.load(path).behavior
    if behavior is None:
        raise InputError("the experiment has no arenas", file=path, expected="a section `behavior` with `arenas`")
    known = list(behavior.arenas)
    if name is None and len(known) > 1:
        raise InputError("the experiment has several arenas", file=path, expected=f"--arena-name {' or '.join(known)}")
    name = known[0] if name is None else name
    if name not in behavior.arenas:
        raise InputError(f"no arena is called {name!r}", file=path, expected=f"one of {', '.join(known)}")
    return GivenArena(
        options=behavior.arena_options(name),
        corners_px=behavior.arenas[name].floor_corners_px,
        tracking=behavior.tracking,
        scoring=behavior.scoring,
        lens=behavior.arenas[name].lens,
    )
