"""The one way a file finds its reader: by content, through an explicit table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError

__all__ = ["HEAD_BYTES", "Reader", "find_reader", "load_readers", "read_head", "register"]

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


def load_readers(package: str, places: Sequence[str]) -> list[Reader]:
    """The table of readers of a package, from the places where its modules hold them.

    Parameters
    ----------
    package
        Name of the package of readers.
    places
        ``"module.NAME"`` in the order in which readers are asked; NAME is a reader or a tuple of them.
    """
    table: list[Reader] = []
    for place in places:
        module, name = place.split(".")
        found = getattr(importlib.import_module(f"{package}.{module}"), name)
        for reader in found if isinstance(found, tuple) else (found,):
            register(table, reader)
    return table


def find_reader(
    path: str | Path,
    readers: Sequence[Reader],
    *,
    format: str = "auto",
    head: Callable[[str | Path], bytes] = read_head,
    unasked: Sequence[Reader] = (),
    remedy: str | None = None,
) -> Reader:
    """The reader of a file: the one named, or the first of the table that recognises the content.

    Parameters
    ----------
    path
        The file.
    readers
        The table.
    format
        Name of a reader, or ``"auto"``.
    head
        Gives what a reader may see of the file to recognise it.
    unasked
        Readers that are used only when named.
    remedy
        What to do where no reader knows the file.

    Raises
    ------
    InputError
        If the file cannot be read, no reader has that name, or none knows the file; the message lists those there are.
    """
    if format != "auto":
        named = [reader for reader in (*readers, *unasked) if reader.name == format]
        if not named:
            known = ", ".join(reader.name for reader in (*readers, *unasked))
            raise InputError(f"no reader is called {format!r}", expected=known)
        return named[0]
    begin = head(path)
    for reader in readers:
        if reader.matches(begin):
            return reader
    # A reader that only refuses is no format to aim at.
    known = "; ".join(f"{each.name} ({each.description})" for each in readers if not each.name.startswith("refused"))
    raise InputError("format not recognised", file=path, expected=f"one of: {known}", remedy=remedy)
