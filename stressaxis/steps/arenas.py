"""Step: the arenas that are to be found in their recordings, each once for all recordings made in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.problems import Problem, from_error
from stressaxis.stepfiles import write_facts, write_problems, write_table

if TYPE_CHECKING:
    import numpy as np

    from behavior.arena import ArenaOptions
    from behavior.arena_finding import ArenaFound, EmptyScene

    Scene = np.ndarray[Any, np.dtype[np.uint8]]

__all__ = ["FOUND", "TABLE", "find_arenas"]

FOUND = "arenas.json"
TABLE = "arenas_found.csv"

#: Recordings whose pictures make the joint one: more add memory, not sharpness.
_JOINT = 24
#: A recording whose picture is displaced by this much was made with the camera elsewhere.
_ELSEWHERE_CM = 0.3
_UNSURE = 0.7


@dataclass(frozen=True)
class _Looked:
    """The recordings of one arena."""

    joint: Scene
    used: int
    within_px: dict[str, float]
    between_px: dict[str, float]


def find_arenas(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    arenas: Mapping[str, ArenaOptions],
    recordings: Mapping[str, Sequence[tuple[str, str]]],
) -> None:
    """Find each arena in the median of the empty scenes of its recordings; write places, table and problems.

    Parameters
    ----------
    arenas
        Name to sizes.
    recordings
        Name to the recordings made in the arena, (name in the trials table, path) each.
    """
    from behavior.arena_finding import find_arena

    places: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for name, options in sorted(arenas.items()):
        looked, failed = _look(recordings[name])
        problems += failed
        if looked is None:
            problems.append(_not_found(name, "none of its recordings could be looked at"))
            continue
        usual_px = sorted(looked.within_px.values())[len(looked.within_px) // 2]
        found = find_arena(looked.joint, options, shift_px=usual_px)
        rows.append(_row(name, found, looked))
        if found.corners_px is None:
            problems.append(_not_found(name, "; ".join(found.notes)))
            continue
        places[name] = {"corners_px": found.corners_px.round(3).tolist()}
        problems += _cares(name, found, options, looked)
    write_facts(places, output / FOUND)
    _write_rows(rows, output / TABLE)
    write_problems(problems, output)


def _look(files: Sequence[tuple[str, str]]) -> tuple[_Looked | None, list[Problem]]:
    """The scenes of an arena's recordings brought together, and the recordings that could not be looked at."""
    from behavior.arena_finding import camera_shift_px, empty_scene, joint_scene
    from behavior.video import open_video

    first: EmptyScene | None = None
    kept: list[Scene] = []
    within: dict[str, float] = {}
    between: dict[str, float] = {}
    problems: list[Problem] = []
    step = -(-len(files) // _JOINT)
    for number, (name, path) in enumerate(sorted(files)):
        try:
            scene = empty_scene(open_video(path, threads=1))
            if first is not None and scene.picture.shape != first.picture.shape:
                joint_scene([first.picture, scene.picture])  # says what is wrong
        except InputError as error:
            problems.append(from_error(error, file=name, action="not used to find the arena"))
            continue
        first = first or scene
        within[name] = scene.shift_px
        between[name] = camera_shift_px(first.picture, scene.picture)
        if number % step == 0 or not kept:
            kept.append(scene.picture)
    if first is None:
        return None, problems
    return _Looked(joint_scene(kept), len(kept), within, between), problems


def _row(name: str, found: ArenaFound, looked: _Looked) -> dict[str, Any]:
    box = found.enclosure
    row: dict[str, Any] = {
        "arena": name,
        "recordings": len(looked.within_px),
        "recordings_in_picture": looked.used,
        "found": found.corners_px is not None,
        "confidence": found.confidence,
        "misfit_cm": found.misfit_cm,
        "camera_shift_px": max(looked.between_px.values()),
        "enclosure_wall": "" if box is None or box.wall is None else box.wall,
        "enclosure_centre_cm": float("nan") if box is None else box.centre_cm,
        "enclosure_confidence": float("nan") if box is None else box.confidence,
    }
    for number in range(4):
        x, y = (float("nan"),) * 2 if found.corners_px is None else found.corners_px[number].round(3).tolist()
        row |= {f"corner_{number + 1}_x_px": x, f"corner_{number + 1}_y_px": y}
    return row | {"note": "; ".join(found.notes)}


def _write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pandas as pd

    if rows:
        write_table(pd.DataFrame(list(rows)), path)


def _not_found(name: str, why: str) -> Problem:
    return Problem(
        code="arena_not_found",
        where=f"arena {name}",
        message=f"the floor of arena {name!r} was not found in its recordings: {why}",
        action="its trials are not tracked; give its corners_px in the experiment file instead of find",
    )


def _cares(name: str, found: ArenaFound, options: ArenaOptions, looked: _Looked) -> list[Problem]:
    """What to look at, of an arena that was found."""
    import numpy as np

    problems = []
    where = f"arena {name}"
    if found.confidence < _UNSURE or found.misfit_cm > 0.5:
        told = "; ".join(found.notes) or "see the picture with `stressaxis arena`"
        message = f"found with confidence {found.confidence:.2f} and a misfit of {found.misfit_cm:.1f} cm: {told}"
        problems.append(Problem(code="arena_unsure", where=where, message=message, action="used; check its corners"))
    box = found.enclosure
    if box is not None and box.wall is not None and box.wall != options.enclosure_wall and box.confidence > 0.5:
        message = f"the enclosure is seen at the {box.wall} wall, the experiment file says {options.enclosure_wall}"
        action = "zones lie as the file says; correct enclosure_wall there"
        problems.append(Problem(code="enclosure_elsewhere", where=where, message=message, action=action))
    assert found.corners_px is not None
    sides = np.hypot(*(found.corners_px - np.roll(found.corners_px, 1, axis=0)).T)
    px_per_cm = float(sides.mean() / np.sqrt(options.width_cm * options.height_cm))
    first = next(iter(looked.between_px))
    for file, shift in looked.between_px.items():
        if shift > _ELSEWHERE_CM * px_per_cm:
            message = f"its picture is displaced by {shift / px_per_cm:.1f} cm against that of {first}"
            action = f"scored with the corners common to arena {name!r}; give it an arena of its own"
            problems.append(Problem(code="camera_elsewhere", file=file, where=where, message=message, action=action))
    return problems
