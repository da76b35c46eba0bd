"""Task results on disk, keyed by what they were made from, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stressaxis.atomic import sync_folder

__all__ = ["Store"]

_MANIFEST = "manifest.json"

#: Start of the names of folders that are being taken away.
_SWEPT = "swept-"


class Store:
    """A folder of results; a result is a folder of files under its key, with their checksums in a manifest.

    Parameters
    ----------
    folder
        Where the results are kept; made when the first one is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     with store.writing("ab12") as place:
    ...         _ = (place / "a.txt").write_text("42")
    ...     store.has("ab12"), (store.path("ab12") / "a.txt").read_text()
    (True, '42')
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """The folder of a result, whether it is there or not."""
        return self.folder.joinpath(key[:2], key)

    def has(self, key: str) -> bool:
        """Whether a result is there and its files are what was written; a damaged one is removed."""
        return self.look(key) == "whole"

    def look(self, key: str) -> str:
        """``whole``, ``none``, or ``damaged``: its files were not what was written, and it was removed."""
        place = self.path(key)
        if self._intact(place):
            return "whole"
        if not place.is_dir():
            return "none"
        shutil.rmtree(place, ignore_errors=True)
        return "damaged"

    def holds(self, key: str) -> bool:
        """Whether a result is there, without reading it."""
        return (self.path(key) / _MANIFEST).is_file()

    def intact(self, key: str) -> bool:
        """Whether a result is there and its files are what was written; nothing is removed."""
        return self._intact(self.path(key))

    def all_keys(self) -> list[str]:
        """Keys of all results, damaged ones among them, sorted."""
        return sorted(
            path.name for path in self.folder.glob("??/*") if path.is_dir() and path.name[:2] == path.parent.name
        )

    def size(self, key: str) -> int:
        """Bytes that a result takes."""
        return sum(path.stat().st_size for path in self.path(key).rglob("*") if path.is_file())

    def remove(self, key: str) -> None:
        """Remove a result."""
        shutil.rmtree(self.path(key))

    def _intact(self, place: Path) -> bool:
        folder = os.fspath(place)
        try:
            return bool(json.loads(_content(f"{folder}/{_MANIFEST}")) == _checksums(folder))
        except (OSError, ValueError):
            return False

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A temporary folder that becomes the result when the block ends without an error.

        Raises
        ------
        OSError
            With ESTALE if somebody took the folder away meanwhile, so that the work is to be done again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=self.folder, prefix=f"tmp-{os.getpid()}-"))
        try:
            yield temporary
            self._commit(temporary, key)
        except Exception as error:
            if temporary.is_dir():
                raise
            # A second run sweeps what it takes for leftovers, on drives that know no locks.
            raise OSError(errno.ESTALE, "what was being written was taken away", str(temporary)) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _commit(self, temporary: Path, key: str) -> None:
        (temporary / _MANIFEST).write_text(json.dumps(_checksums(os.fspath(temporary)), sort_keys=True), "utf-8")
        for file in temporary.rglob("*"):
            if file.is_file():
                with open(file, "rb+") as stream:
                    os.fsync(stream.fileno())
        sync_folder(temporary)
        place = self.path(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o755)
        try:
            temporary.rename(place)
        except OSError:
            # Another process has finished the same task first: same key, same content.
            if not self.has(key):
                raise
        sync_folder(place.parent)

    def sweep(self) -> None:
        """Remove what killed runs left half-written. Call it only while no other run works on the folder."""
        for leftover in self.folder.glob("tmp-*"):
            # Whoever may still write there must not make a result of a folder that is half emptied: once it has another
            # name, it cannot be committed any more.
            with suppress(OSError):
                leftover.rename(leftover.with_name(f"{_SWEPT}{leftover.name}"))
        for leftover in self.folder.glob(f"{_SWEPT}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _checksums(place: str, inside: str = "") -> dict[str, str]:
    """Place of each file in a result's folder to the checksum of its content."""
    found: dict[str, str] = {}
    # By plain text, and files read at one go: a run that has nothing to do spends most of its time here.
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found |= _checksums(entry.path, f"{inside}{entry.name}/")
            elif inside or entry.name != _MANIFEST:
                found[inside + entry.name] = hashlib.blake2b(_content(entry.path), digest_size=20).hexdigest()
    return found


def _content(path: str) -> bytes:
    with open(path, "rb", buffering=0) as stream:
        return stream.readall()
