"""The package's own errors: each says where, what was found, what was expected and how to mend it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ConfigError", "InputError", "RefusedError", "StressaxisError"]


class StressaxisError(Exception):
    """Root of all errors that stressaxis raises on purpose.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    file
        The file concerned.
    where
        The place in it: line, row, column, well or frame, in words (``"row 12, column NPX"``).
    found, expected
        What stands there and what should.
    remedy
        What the reader of the message can do.

    Examples
    --------
    >>> print(StressaxisError("NPX is not a number", file="a.csv", where="row 3", found="'high'",
    ...                       expected="a number", remedy="correct the cell"))
    a.csv, row 3: NPX is not a number; found 'high', expected a number. Remedy: correct the cell.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        where: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = None if file is None else str(file)
        self.where = where
        self.found = found
        self.expected = expected
        self.remedy = remedy

    # The default pickling of exceptions drops keyword arguments, and errors cross process borders here.
    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.__dict__)

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.file, self.where) if part)
        facts = []
        if self.found is not None:
            facts.append(f"found {self.found}")
        if self.expected is not None:
            facts.append(f"expected {self.expected}")
        text = f"{place}: {self.message}" if place else self.message
        if facts:
            text = f"{text}; {', '.join(facts)}"
        if self.remedy:
            end = "" if self.remedy.endswith("?") else "."
            text = f"{text.rstrip('.')}. Remedy: {self.remedy.rstrip('.')}{end}"
        return text


def _rebuild(kind: type[StressaxisError], message: str, state: dict[str, object]) -> StressaxisError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class InputError(StressaxisError):
    """A file or table that was given cannot be used as it is."""


class ConfigError(InputError):
    """The experiment file, or one of the tables it names, is wrong."""


class RefusedError(StressaxisError):
    """A result is refused because a stated rule is not met (too few members, group equal to plate)."""
