"""From the store to the results folder: files are copied when they differ, and outdated ones are taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stressaxis.atomic import write_bytes, write_text

__all__ = ["publish"]


def publish(files: Mapping[str, Path], results: Path, *, listing: Path) -> list[str]:
    """Bring the results folder up to date with the store.

    Parameters
    ----------
    files
        Place in the results folder (``"tables/trials.csv"``) to the file in the store.
    results
        The results folder.
    listing
        File that remembers what was published. Files listed there that are no longer among ``files`` are removed;
        whatever else people keep in the folder is left alone.

    Returns
    -------
    list of str
        Places that were written or removed, sorted.
    """
    changed = []
    for place, source in files.items():
        target = results / place
        content = source.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            write_bytes(target, content)
            changed.append(place)
    for place in _published_before(listing) - set(files):
        target = results / place
        if target.is_file():
            target.unlink()
            changed.append(place)
    write_text(listing, json.dumps(sorted(files), indent=0))
    return sorted(changed)


def _published_before(listing: Path) -> set[str]:
    try:
        places = json.loads(listing.read_text("utf-8"))
    except (OSError, ValueError):
        return set()
    # The listing is a file that anyone may edit: nothing outside the results folder is ever removed by it.
    return {place for place in places if isinstance(place, str) and ".." not in Path(place).parts and place[:1] != "/"}
