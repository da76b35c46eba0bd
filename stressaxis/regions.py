"""Where floor and enclosure lie in the picture of each arena, remembered from run to run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.problems import Problem
from stressaxis.atomic import read_object, write_text
from stressaxis.fingerprint import code_fingerprint, digest

if TYPE_CHECKING:
    from behavior.region import Region
    from configs.schema import Behavior

__all__ = ["RegionMemory"]


class RegionMemory:
    """Regions by arena and size of the picture; what was worked out once is not worked out again.

    Fitting an arena loads libraries that a run with nothing to do does not need otherwise.

    Parameters
    ----------
    behavior
        The experiment's section, which holds the arenas.
    file
        JSON file that keeps them; a missing or damaged one is an empty memory. None: kept in memory only.
    """

    def __init__(self, behavior: Behavior, file: Path | None = None) -> None:
        self._behavior = behavior
        self._file = file
        self._stored = {} if file is None else read_object(file)
        self._rows: dict[str, Any] = {}
        self._known: dict[tuple[str, int, int], tuple[Region, str, list[Problem]]] = {}

    def region(self, arena: str, facts: Mapping[str, Any], file: str) -> tuple[Region, str, list[Problem]]:
        """The region, its mark in the name of a task, and what is wrong with it in any recording.

        Parameters
        ----------
        arena
            Name of the arena.
        facts
            What the recording says about itself: ``width`` and ``height``.
        file
            The recording, for messages.

        Raises
        ------
        InputError
            If too much of a zone lies outside the picture.
        """
        place = (arena, int(facts["width"]), int(facts["height"]))
        if place not in self._known:
            self._known[place] = self._recall(*place, file)
        return self._known[place]

    def _recall(self, name: str, width: int, height: int, file: str) -> tuple[Region, str, list[Problem]]:
        behavior = self._behavior
        drawn = behavior.arenas[name]
        made_from = [behavior.arena_options(name), drawn.floor_corners_px, drawn.middles_px, drawn.lens, width, height]
        key = digest([name, made_from, code_fingerprint(__name__, ("behavior",))])
        known = _as_found(self._stored.get(key))
        region, problems = known or _work_out(behavior, name, width, height, file)
        mark = digest(asdict(region))
        polygons = {part: None if outline is None else outline.tolist() for part, outline in asdict(region).items()}
        self._rows[key] = {"region": polygons, "mark": mark, "problems": [vars(problem) for problem in problems]}
        return region, mark[:6], problems

    def save(self) -> None:
        """Write what this run used to the file, if it is not what stands there."""
        if self._file is not None and self._rows != self._stored:
            write_text(self._file, json.dumps(self._rows, sort_keys=True, indent=0))


def _as_found(row: Any) -> tuple[Region, list[Problem]] | None:
    """Region and problems of a stored row; None if there is none, or it is not as it was written."""
    from behavior.region import Region

    try:
        region = Region(**row["region"])
        problems = [Problem(**problem) for problem in row["problems"]]
        return (region, problems) if digest(asdict(region)) == row["mark"] else None
    except (KeyError, TypeError, ValueError):
        return None


def _work_out(behavior: Behavior, name: str, width: int, height: int, file: str) -> tuple[Region, list[Problem]]:
    from behavior.arena import check_arena
    from behavior.arena_fit import check_middles
    from behavior.region import Region

    arena, middles = behavior.arena(name), behavior.arenas[name].middles_px
    problems = check_arena(arena, width, height, file=file)
    if middles is not None:
        problems += check_middles(arena, middles, where=f"arena {name}")[1]
    return Region(floor_px=arena.floor_px, enclosure_px=arena.enclosure_px), problems
