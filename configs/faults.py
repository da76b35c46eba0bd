"""Mistakes in an experiment file or its tables: each with its place, all of them in one error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from core.errors import ConfigError

__all__ = ["ExperimentError", "Fault", "did_you_mean", "fail", "listed", "raise_faults", "suggestion"]

#: More mistakes than this are counted, not printed.
MAX_PRINTED = 30


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One mistake.

    Parameters
    ----------
    message
        What is wrong, in a few words.
    file
        File in which it stands.
    line
        Its line in that file, counted from 1; None where a whole file is meant.
    key
        Key in the experiment file (``behavior.scoring.window_s``) or column of the table.
    unit
        What ``line`` counts: lines, or rows of a spreadsheet.
    found, expected
        What stands there and what may stand there.
    remedy
        What to do.
    """

    message: str
    file: str = ""
    line: int | None = None
    key: str = ""
    unit: str = "line"
    found: str | None = None
    expected: str | None = None
    remedy: str | None = None

    @property
    def where(self) -> str:
        """Line and key in words.

        Examples
        --------
        >>> Fault(message="unknown key", line=3, key="sed").where
        'line 3, sed'
        """
        return ", ".join(part for part in (f"{self.unit} {self.line}" if self.line else "", self.key) if part)

    def text(self, *, with_file: bool = True) -> str:
        """The whole mistake as one line."""
        error = ConfigError(
            self.message,
            file=self.file if with_file else None,
            where=self.where or None,
            found=self.found,
            expected=self.expected,
            remedy=self.remedy,
        )
        return str(error)


class ExperimentError(ConfigError):
    """All mistakes of an experiment file or of a table, each with its line; they stand in ``faults`` too."""

    faults: tuple[Fault, ...] = ()


def raise_faults(faults: Sequence[Fault], *, file: str) -> None:
    """Raise one :class:`ExperimentError` that tells all ``faults``; nothing happens when there are none."""
    if faults:
        fail(*faults, file=file)


def fail(*faults: Fault, file: str) -> NoReturn:
    """Raise one :class:`ExperimentError` that tells all ``faults``, of which there is at least one."""
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.file != file, fault.file, fault.line or 0))
    if len(ordered) == 1:
        only = ordered[0]
        error = ExperimentError(
            only.message,
            file=only.file or file,
            where=only.where or None,
            found=only.found,
            expected=only.expected,
            remedy=only.remedy,
        )
    else:
        lines = [f"  {fault.text(with_file=fault.file != file)}" for fault in ordered[:MAX_PRINTED]]
        if len(ordered) > MAX_PRINTED:
            lines.append(f"  and {len(ordered) - MAX_PRINTED} more")
        error = ExperimentError("\n".join([f"{len(ordered)} mistakes", *lines]), file=file)
    error.faults = tuple(ordered)
    raise error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word nearest to a misspelt one, or an empty text.

    Examples
    --------
    >>> did_you_mean("Tracking", ["tracking", "scoring"]), did_you_mean("xyz", ["tracking"])
    ('tracking', '')
    """
    by_folded = {_folded(name): name for name in known}
    near = difflib.get_close_matches(_folded(word), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else ""


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A remedy for a misspelt word, if a known one is near.

    Examples
    --------
    >>> suggestion("scorng", ["tracking", "scoring"])
    "did you mean 'scoring'?"
    """
    near = did_you_mean(word, known)
    return f"did you mean {near!r}?" if near else None


def _folded(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def listed(names: Iterable[str], *, limit: int = 40) -> str:
    """Names as a readable list.

    Examples
    --------
    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    every = list(names)
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"
