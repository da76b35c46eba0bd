"""Reason codes: why a value of a table is missing, or needs care, in the table's ``note`` column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["REASONS", "Notes", "parse_note"]

#: Every reason code of the behaviour tables and what it means.
REASONS: dict[str, str] = {
    "trial_missing": "the trial was not recorded or not listed",
    "trial_refused": "less than 80 % of the window was recorded",
    "never_seen": "the animal is not seen in the window",
    "mostly_unseen": "the animal is seen in less than half of the recorded time",
    "unseen_in_part": "the animal is not seen in this part of the window",
    "not_measured": "the trials table has no such column or value",
    "zero_without_target": "the value without target is 0; a ratio to it is not defined",
    "zero_with_target": "the value with target is 0",
    "zero_in_both": "both values are 0",
    "no_entry": "the animal never entered the zone",
    "no_nose": "the nose is not known",
    "no_movement": "the animal did not move",
    "no_corner_zones": "a round floor has no corners",
    "too_few_frames": "too few frames in a row to tell movement",
    "few_controls": "fewer than three controls to estimate from",
    "controls_do_not_vary": "all controls have the same time without target",
    "low_rate": "fewer than 4 frames a second: movement from raw positions",
    "release_not_found": "no release was found; scored from the first frame",
    "short_trial": "less than 98 % of the window was recorded; times are scaled",
    "filled_gaps": "positions over short gaps are interpolated",
    "lost_frames": "the animal is not seen in more of the time than the limit",
}


class Notes:
    """Collects reasons for one row of a table and writes them as text.

    Examples
    --------
    >>> notes = Notes()
    >>> notes.add("zero_without_target", "si_ratio", "log_si")
    >>> notes.add("low_rate")
    >>> str(notes)
    'si_ratio, log_si: zero_without_target; low_rate'
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[str]] = {}

    def add(self, reason: str, *columns: str) -> None:
        """A reason for the named columns; without columns, a remark on the whole row."""
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}; known: {', '.join(sorted(REASONS))}")
        listed = self._columns.setdefault(reason, [])
        listed.extend(column for column in columns if column not in listed)

    def __str__(self) -> str:
        parts = [f"{', '.join(columns)}: {reason}" if columns else reason for reason, columns in self._columns.items()]
        return "; ".join(parts)


def parse_note(note: str) -> Mapping[str, tuple[str, ...]]:
    """Reasons of a note and the columns that each explains.

    Examples
    --------
    >>> parse_note("si_ratio, log_si: zero_without_target; low_rate")
    {'zero_without_target': ('si_ratio', 'log_si'), 'low_rate': ()}
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (piece.strip() for piece in note.split(";"))):
        columns, _, reason = part.rpartition(":")
        found[reason.strip()] = tuple(_names(columns.split(",")))
    return found


def _names(pieces: Iterable[str]) -> list[str]:
    return [piece.strip() for piece in pieces if piece.strip()]
