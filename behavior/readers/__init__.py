"""Tracks and events of other programs: one table of readers, one way in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.lazy import lazy_front
from core.readers import Reader, find_reader, load_readers, read_head

if TYPE_CHECKING:
    from behavior.readers.trackfile import ReadOptions, TrackFile

__all__ = ["READERS", "ReadOptions", "TrackFile", "read_tracks_file"]

#: Where the readers stand, in the order in which they are asked whether they know a file.
_READERS = (
    "stressaxis_files.NETCDF",
    "deeplabcut_h5.READER",
    "sleap.ANALYSIS",
    "sleap.PROJECT",
    "arrays.READER",
    "ethovision.READER",
    "timeofcr2.READER",
    "deeplabcut_csv.READER",
    "anymaze.READER",
    "eztrack.READER",
    "stressaxis_files.TABLE",
    "boris.PROJECT",
    "boris.TABULAR",
    "boris.AGGREGATED",
    "boris.NO_HEADER",
    "boris.LIST",
    "dlcanalyzer_labels.READER",
)


__getattr__, __dir__, _ = lazy_front(
    __name__, {"trackfile": ("ReadOptions", "TrackFile")}, made={"READERS": lambda: load_readers(__name__, _READERS)}
)


def read_tracks_file(path: str | Path, *, format: str = "auto", **options: Any) -> TrackFile:
    """Read a file of tracks or events of any known program.

    Parameters
    ----------
    path
        The file; recognised by its content, not its name.
    format
        Name of a reader (``"ethovision"``), or ``"auto"``. With ``columns=...`` it is ``"declared"``.
    **options
        Fields of :class:`behavior.readers.trackfile.ReadOptions`: fps, individual, points, min_likelihood, origin,
        sheet, columns, time_unit, space_unit, y_up, keypoints.

    Returns
    -------
    TrackFile
        ``tracks`` (``dataset`` if it is one), ``events``, ``header``, ``problems``, ``reader``.

    Raises
    ------
    InputError
        If no reader knows the file, or what is in it cannot be right; the place is named.
    ValueError
        If an option is out of range.
    """
    from behavior.readers.declared import READER as DECLARED
    from behavior.readers.hdf5 import HDF5
    from behavior.readers.hdf5_trial import try_file
    from behavior.readers.heads import track_head
    from behavior.readers.trackfile import ReadOptions

    chosen = ReadOptions(**options)
    if format == "auto" and chosen.columns is not None:
        format = "declared"
    if read_head(path).startswith(HDF5):
        try_file(path)
    remedy = "declare its columns (columns=...) if it is a table of positions"
    readers: list[Reader] = __getattr__("READERS")
    reader = find_reader(path, readers, format=format, head=track_head, unasked=[DECLARED], remedy=remedy)
    result: TrackFile = reader.read(path, chosen)
    return result
