"""The one way a file finds its reader: by content, through an explicit table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError

__all__ = ["HEAD_BYTES", "Reader", "find_reader", "read_head", "register"]

#: How much of a file a reader may see to recognise it.
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Reader:
    """One format: how it is recognised, how it is read, what a user must know of it.

    Parameters
    ----------
    name
        Short name (``"olink-long"``).
    description
        One line for the list of formats.
    matches
        ``matches(head) -> bool`` on the first :data:`HEAD_BYTES` bytes.
    read
        ``read(path, **options) -> Dataset``.
    reference
        Where the format is described.
    """

    name: str
    description: str
    matches: Callable[[bytes], bool]
    read: Callable[..., Any]
    reference: str = ""


def register(table: list[Reader], reader: Reader) -> Reader:
    """Add a reader to a table; a name taken twice is an error."""
    if any(known.name == reader.name for known in table):
        raise ValueError(f"reader {reader.name!r} is registered twice")
    table.append(reader)
    return reader


def read_head(path: str | Path) -> bytes:
    """The first bytes of a file, or an error that says why there are none.

    Raises
    ------
    InputError
        If the file is missing, a folder, not readable or empty.
    """
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            head = stream.read(HEAD_BYTES)
    except FileNotFoundError:
        raise InputError("file not found", file=path, remedy="check the path and its spelling") from None
    except IsADirectoryError:
        raise InputError("this is a folder", file=path, expected="a file") from None
    except OSError as error:
        raise InputError(f"file cannot be read ({error.strerror})", file=path) from error
    if not head:
        raise InputError("file is empty", file=path, found="0 bytes", remedy="export or copy it again")
    return head


def find_reader(path: str | Path, readers: Sequence[Reader]) -> Reader:
    """The first reader of the table that recognises the file.

    Raises
    ------
    InputError
        If the file cannot be read, or no reader knows it; the message lists those there are.
    """
    head = read_head(path)
    for reader in readers:
        if reader.matches(head):
            return reader
    known = "; ".join(f"{reader.name} ({reader.description})" for reader in readers)
    raise InputError("format not recognised", file=path, expected=f"one of: {known}")
