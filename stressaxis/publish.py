"""From the store to the results folder: files are copied when they differ, and outdated ones are taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path
from typing import Any

from core.errors import InputError
from stressaxis.atomic import read_object, write_bytes, write_text
from stressaxis.fingerprint import FileMark

__all__ = ["publish"]

#: Files written at once: each waits for the disk, not for the processor.
_WRITERS = 8


def publish(files: Mapping[str, Path], results: Path, *, listing: Path, reread: bool = False) -> list[str]:
    """Bring the results folder up to date with the store.

    Parameters
    ----------
    files
        Place in the results folder (``"tables/trials.csv"``) to the file in the store.
    results
        The results folder.
    listing
        File that remembers what was published, from where, and how both files looked. Files listed there that are no
        longer among ``files`` are removed; whatever else people keep in the folder is left alone.
    reread
        Compare contents even where neither file was touched since.

    Returns
    -------
    list of str
        Places that were written or removed, sorted.
    """
    before = _published_before(listing)
    rows: dict[str, list[Any]] = {}

    def bring(place: str) -> bool:
        source, target = files[place], results / place
        seen = _seen(source, target)
        if not reread and seen is not None and seen == before.get(place):
            rows[place] = seen
            return False
        content = source.read_bytes()
        written = not target.is_file() or target.read_bytes() != content
        if written:
            write_bytes(target, content)
        rows[place] = _seen(source, target) or []
        return written

    places = list(files)
    # A share each, not one by one: handing over costs more than a look at a file that is as it was.
    shares = [places[first::_WRITERS] for first in range(_WRITERS)]
    with ThreadPoolExecutor(_WRITERS) as writers:
        brought = writers.map(lambda share: [place for place in share if bring(place)], shares)
        changed = [place for share in brought for place in share]
    for place in before.keys() - files.keys():
        target = results / place
        if target.is_file():
            target.unlink()
            changed.append(place)
    if rows != before:
        write_text(listing, json.dumps(rows, indent=0, sort_keys=True))
    return sorted(changed)


def _seen(source: Path, target: Path) -> list[Any] | None:
    """What tells that neither file was touched: where the content is from, and the marks of both."""
    try:
        return [str(source), *astuple(FileMark.of(source)), *astuple(FileMark.of(target))]
    except InputError:
        return None


def _published_before(listing: Path) -> dict[str, Any]:
    rows = read_object(listing)
    # The listing is a file that anyone may edit: nothing outside the results folder is ever removed by it.
    return {place: row for place, row in rows.items() if ".." not in Path(place).parts and place[:1] != "/"}
