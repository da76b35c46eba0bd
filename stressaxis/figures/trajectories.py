"""Paths of every mouse in both trials: the arena, the enclosure, the interaction zone, the way of the body centre.

The pictures are compact SVG paths in units of 1 mm (or of 1 px where there is no calibration), so that many mice fit
in one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import numpy as np

from stressaxis.figures.figure import Figure
from stressaxis.figures.style import COLOURS, FONT, INK

__all__ = [
    "MousePaths",
    "Outline",
    "TrialPath",
    "cell_size",
    "frame_around",
    "mouse_cell",
    "outline_defs",
    "outlines_of",
    "points_per_path",
    "sheet",
    "thinned",
]

ZONE_STYLE = {
    "floor": 'fill="#fafafa" stroke="#999999"',
    "interaction": 'fill="#eef3f7" stroke="#7d93a5" stroke-dasharray="8 6"',
    "corner": 'fill="none" stroke="#cccccc" stroke-dasharray="3 6"',
    "enclosure": 'fill="#d5d5d5" stroke="#666666"',
}
PANEL_PX = 117
GAP_PX = 6
CAPTION_PX = 34
#: All paths of a report together are drawn with at most so many points; each with at most 750 (5 a second for 150 s).
ALL_POINTS = 750_000


@dataclass(frozen=True)
class Outline:
    """Arena as drawn: its key, its zones in drawing units, its frame ``x, y, width, height``."""

    key: str
    zones: Mapping[str, np.ndarray]
    frame: tuple[int, int, int, int]


@dataclass(frozen=True)
class TrialPath:
    """Positions of the scored window in drawing units, NaN where the mouse was not seen; ``seconds`` in the zone."""

    xy: np.ndarray
    outline: Outline
    seconds: float = float("nan")


@dataclass(frozen=True)
class MousePaths:
    """The two trials of one mouse, and what stands over them."""

    subject: str
    kind: str
    label: str
    si_ratio: float = float("nan")
    trials: Mapping[str, TrialPath] = field(default_factory=dict)


def points_per_path(n_paths: int) -> int:
    """How many points each path is drawn with: 750, fewer where there are more than 1000 paths.

    Examples
    --------
    >>> points_per_path(64), points_per_path(3000)
    (750, 250)
    """
    return max(100, min(750, ALL_POINTS // max(1, n_paths)))


def thinned(xy: np.ndarray, n_points: int) -> np.ndarray:
    """Every k-th position, so that at most ``n_points`` remain; gaps of one frame or more stay gaps.

    Parameters
    ----------
    xy
        (n, 2) positions, NaN where not seen.
    n_points
        Largest number of positions kept.

    Examples
    --------
    >>> thinned(np.array([[0, 0], [1, 1], [np.nan, np.nan], [3, 3]], float), 2).tolist()
    [[0.0, 0.0], [nan, nan]]
    """
    step = max(1, -(-len(xy) // n_points))
    if step == 1:
        return xy
    lost = np.isnan(xy).any(axis=1)
    starts = np.arange(0, len(xy), step)
    any_lost = np.add.reduceat(lost, starts) > 0
    kept = xy[starts].copy()
    kept[any_lost] = np.nan
    return kept


def outlines_of(arenas: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Outline]:
    """Outlines in units of 1 mm from zones in cm, keyed by arena; the frame is the floor with a small margin."""
    found = {}
    for place, (name, zones) in enumerate(arenas.items()):
        scaled = {zone: np.rint(np.asarray(corners, dtype=float) * 10).astype(int) for zone, corners in zones.items()}
        corners = scaled.get("floor", np.vstack(list(scaled.values())))
        found[name] = Outline(f"arena{place}", scaled, frame_around(corners))
    return found


def frame_around(corners: np.ndarray) -> tuple[int, int, int, int]:
    """Square box around points, with 2 % of margin: ``x, y, width, height``."""
    low, high = np.nanmin(corners, axis=0), np.nanmax(corners, axis=0)
    side = float(max(1.0, *(high - low))) * 1.04
    x, y = (low + high) / 2 - side / 2
    return int(np.floor(x)), int(np.floor(y)), int(np.ceil(side)), int(np.ceil(side))


def outline_defs(outlines: Sequence[Outline]) -> str:
    """Shared ``<defs>`` content: one drawing and one zone clip for each arena."""
    parts = []
    for outline in outlines:
        shapes = [
            f'<polygon points="{_points(outline.zones[zone])}" {style} stroke-width="3"/>'
            for kind, style in ZONE_STYLE.items()
            for zone in outline.zones
            if zone == kind or (kind == "corner" and zone.removeprefix("corner_").isdigit())
        ]
        parts.append(f'<g id="{outline.key}">{"".join(shapes)}</g>')
        if "interaction" in outline.zones:
            zone_points = _points(outline.zones["interaction"])
            parts.append(f'<clipPath id="{outline.key}-zone"><polygon points="{zone_points}"/></clipPath>')
    return "".join(parts)


def _points(corners: np.ndarray) -> str:
    return " ".join(f"{round(x)},{round(y)}" for x, y in corners)


def _path(xy: np.ndarray) -> str:
    """SVG path of whole numbers in relative steps; standing still costs nothing, a gap lifts the pen."""
    seen = ~np.isnan(xy).any(axis=1)
    whole = np.rint(np.where(seen[:, None], xy, 0)).astype(int)
    parts: list[str] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], seen, [False])).astype(int)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        run = whole[start:end]
        steps = np.diff(run, axis=0)
        steps = steps[(steps != 0).any(axis=1)]
        parts.append(f"M{run[0, 0]} {run[0, 1]}l" + (" ".join(f"{dx} {dy}" for dx, dy in steps.tolist()) or "0 0"))
    return "".join(parts).replace(" -", "-")


def _trial(path: TrialPath | None, name: str, key: str, colour: str, x: int) -> str:
    words = name.replace("_", " ")
    if path is not None and np.isfinite(path.seconds):
        words += f" {path.seconds:.1f} s"
    header = f'<text x="{x}" y="{CAPTION_PX - 5}" font-size="10.5" fill="#555555">{escape(words)}</text>'
    if path is None or not np.isfinite(path.xy).all(axis=1).any():
        return header + _empty_panel(x)
    stroke = 'fill="none" stroke-linejoin="round"'
    grey = f'<use xlink:href="#{key}" {stroke} stroke="#b3b3b3" stroke-width="0.9%"/>'
    inside = ""
    if "interaction" in path.outline.zones:
        use = f'<use xlink:href="#{key}" {stroke} stroke="{colour}" stroke-width="1.2%"/>'
        inside = f'<g clip-path="url(#{path.outline.key}-zone)">{use}</g>'
    x0, y0, width, height = path.outline.frame
    first = path.xy[np.flatnonzero(np.isfinite(path.xy).all(axis=1))[0]]
    ring = 'r="1.8%" fill="#ffffff" stroke="#111111" stroke-width="0.8%"'
    start = f'<circle cx="{first[0]:.0f}" cy="{first[1]:.0f}" {ring}/>'
    return (
        f'{header}<svg x="{x}" y="{CAPTION_PX}" width="{PANEL_PX}" height="{PANEL_PX}" '
        f'overflow="visible" viewBox="{x0} {y0} {width} {height}"><defs><path id="{key}" d="{_path(path.xy)}"/></defs>'
        f'<use xlink:href="#{path.outline.key}"/>{grey}{inside}{start}</svg>'
    )


def _empty_panel(x: int) -> str:
    middle = PANEL_PX / 2
    return (
        f'<g transform="translate({x} {CAPTION_PX})">'
        f'<rect width="{PANEL_PX}" height="{PANEL_PX}" fill="none" stroke="#bbbbbb" stroke-dasharray="4 4"/>'
        f'<text x="{middle}" y="{middle}" text-anchor="middle" font-size="10.5" fill="#777777">no track</text></g>'
    )


def mouse_cell(mouse: MousePaths, key: str) -> str:
    """Drawing of one mouse, both trials side by side; ``key`` makes its ids unique on the page."""
    shown = mouse.subject if len(mouse.subject) <= 16 else mouse.subject[:15] + "…"
    ratio = f", SI {mouse.si_ratio:.2f}" if np.isfinite(mouse.si_ratio) else ""
    colour = COLOURS[mouse.kind]
    width = 2 * PANEL_PX + GAP_PX
    panels = "".join(
        _trial(mouse.trials.get(trial), trial, f"{key}-{place}", colour, place * (PANEL_PX + GAP_PX))
        for place, trial in enumerate(("no_target", "target"))
    )
    return (
        f'<text x="0" y="12" font-size="12.5" font-weight="bold" fill="{INK}">{escape(shown)}</text>'
        f'<circle cx="{width - 4}" cy="8" r="4" fill="{colour}"/>'
        f'<text x="{width - 12}" y="12" text-anchor="end" font-size="11.5" fill="{INK}">'
        f"{escape(mouse.label + ratio)}</text>{panels}"
    )


def cell_size() -> tuple[int, int]:
    """Width and height of one mouse's drawing in px."""
    return 2 * PANEL_PX + GAP_PX, CAPTION_PX + PANEL_PX


def sheet(
    mice: Sequence[MousePaths], outlines: Sequence[Outline], *, name: str, caption: str, columns: int = 4
) -> Figure:
    """All mice as one stand-alone picture, row by row in the order given."""
    width, height = cell_size()
    step_x, step_y = width + 22, height + 16
    rows = -(-len(mice) // columns)
    full_width, full_height = columns * step_x - 10, rows * step_y + 4
    cells = "".join(
        f'<g transform="translate({6 + place % columns * step_x} {6 + place // columns * step_y})">'
        f"{mouse_cell(mouse, f'{name}-{place}')}</g>"
        for place, mouse in enumerate(mice)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
        f'width="{full_width}" height="{full_height}" viewBox="0 0 {full_width} {full_height}" font-family="{FONT}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/><defs>{outline_defs(outlines)}</defs>{cells}</svg>'
    )
    return Figure(name=name, caption=caption, svg=svg, table="trials.csv")
