"""What a section of the report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from stressaxis.figures.figure import Figure
from stressaxis.figures.trajectories import MousePaths, Outline
from stressaxis.report.tables import TableView

__all__ = ["Block", "Facts", "FigureRow", "MouseGrid", "Paragraph", "Section", "TableBlock"]


@dataclass(frozen=True)
class Paragraph:
    """Plain text; ``kind`` is ``""``, ``note`` (something is absent or needs care) or ``paste`` (ready to copy)."""

    type: ClassVar[str] = "paragraph"
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Facts:
    """Terms with their values."""

    type: ClassVar[str] = "facts"
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class FigureRow:
    """Figures beside each other where the page is wide enough."""

    type: ClassVar[str] = "figures"
    figures: list[Figure]


@dataclass(frozen=True)
class MouseGrid:
    """Paths of all mice, grouped; sheets are the same as files."""

    type: ClassVar[str] = "mice"
    groups: list[tuple[str, list[MousePaths]]]
    outlines: Sequence[Outline]
    caption: str
    folded: bool
    sheets: list[Figure]


@dataclass(frozen=True)
class TableBlock:
    """A table."""

    type: ClassVar[str] = "table"
    view: TableView


Block = Paragraph | Facts | FigureRow | MouseGrid | TableBlock


@dataclass(frozen=True)
class Section:
    """A section with its anchor, title and blocks."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        """All figures of the section, in order, for the figures folder."""
        found: list[Figure] = []
        for block in self.blocks:
            if isinstance(block, FigureRow):
                found.extend(block.figures)
            elif isinstance(block, MouseGrid):
                found.extend(block.sheets)
        return found


def figure_row(*figures: Figure | None) -> list[Block]:
    """A row of the figures that could be drawn; nothing where none could.

    Examples
    --------
    >>> figure_row(None, None)
    []
    """
    drawn = [figure for figure in figures if figure is not None]
    return [FigureRow(drawn)] if drawn else []
