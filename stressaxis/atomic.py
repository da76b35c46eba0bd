"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["read_object", "sync_folder", "write_bytes", "write_text"]


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that a kill at any instant leaves the old one or the new one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "a.txt", b"whole")
    ...     (Path(folder) / "a.txt").read_bytes()
    b'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; results are meant to be read by the lab.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text(path: str | Path, text: str) -> None:
    """:func:`write_bytes` for text, as UTF-8 with ``\\n`` line ends."""
    write_bytes(path, text.encode("utf-8"))


def read_object(path: str | Path) -> dict[str, Any]:
    """The JSON object that a file holds; empty where the file is missing or damaged, for what can be worked out again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.json", '{"a": 1}')
    ...     write_text(Path(folder) / "cut.json", '{"a": ')
    ...     [read_object(Path(folder) / name) for name in ("a.json", "cut.json", "none.json")]
    [{'a': 1}, {}, {}]
    """
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable, where the system lets folders be opened (not on Windows)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
