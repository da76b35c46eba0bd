"""Track and event files of other programs from the command line: what they are, and converted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from behavior.readers import TrackFile

__all__ = ["convert_file", "describe_file", "show_file"]


def show_file(path: Path, *, out: Path | None = None, format: str = "auto", **options: Any) -> str:
    """Read a file, write it anew if asked to, and say in words what it is.

    Parameters
    ----------
    path
        The file of tracks or events.
    out
        ``.nc`` (netCDF) or ``.csv`` to write; events beside tracks go to ``NAME.events.csv``.
    format
        Name of a reader, or ``auto``.
    **options
        Fields of :class:`behavior.readers.trackfile.ReadOptions`.

    Raises
    ------
    InputError
        If the file or an option cannot be used.
    """
    from behavior.readers import read_tracks_file

    try:
        result = read_tracks_file(path, format=format, **options)
    except ValueError as error:
        raise InputError(str(error), file=path) from None
    said = describe_file(result)
    return said if out is None else f"{said}\n{convert_file(result, out)}"


def describe_file(result: TrackFile) -> str:
    """What a file holds: format, duration, units, lost frames, zones, events, and what to know about it."""
    lines = [f"{result.file}: {result.description}"]
    for name, tracks in result.tracks.items():
        lines += [f"track {name}".rstrip() + f": {_extent(tracks)}"]
        lines += [f"  {line}" for line in _contents(tracks)]
    if len(result.events) or not result.tracks:
        lines += _events(result.events)
    for problem in result.problems:
        place = f" ({problem.where})" if problem.where else ""
        lines.append(f"{problem.severity}: {problem.message}{place}; {problem.action}")
    return "\n".join(lines)


def _extent(tracks: xr.Dataset) -> str:
    from behavior.tracks import frame_durations

    n = tracks.sizes["time"]
    if tracks.attrs.get("time_unit", "seconds") != "seconds":
        return f"{n} frames; duration not known, since the file holds no frame rate (give --fps)"
    time = tracks["time"].to_numpy()
    rate = tracks.attrs["fps"]
    start = f", from {time[0]:g} s" if time[0] else ""
    return f"{n} frames, {np.nansum(frame_durations(time)):.3f} s at {rate:.4g} frames/s{start}"


def _contents(tracks: xr.Dataset) -> list[str]:
    from behavior.events import program_dwell

    unit, origin = tracks.attrs["space_unit"], tracks.attrs.get("origin", "")
    where = "x right, y down" + (f", zero point {origin}" if origin else ", zero point top left of the picture")
    lines = [f"positions in {unit}: {where}", f"points: {', '.join(map(str, tracks['keypoint'].to_numpy()))}"]
    missing = np.isnan(tracks["position"].isel(keypoint=0, space=0).transpose("time", "individual").to_numpy())
    first = tracks["keypoint"].to_numpy()[0]
    for place, animal in enumerate(tracks["individual"].to_numpy()):
        lost = int(missing[:, place].sum())
        lines.append(f"{animal}: {first} lost in {lost} of {len(missing)} frames ({lost / len(missing):.1%})")
    if "in_zone" in tracks and tracks.attrs.get("time_unit", "seconds") == "seconds":
        dwell = program_dwell(tracks)
        listed = ", ".join(
            f"{zone} {seconds:.2f} s" for zone, seconds in zip(dwell["zone"], dwell["dwell_s"], strict=True)
        )
        lines.append(f"in the program's own zones: {listed}")
    if "behaviors_scored" in tracks.attrs:
        lines.append(f"behaviours marked frame by frame: {', '.join(json.loads(tracks.attrs['behaviors_scored']))}")
    if tracks.attrs.get("damage"):
        lines.append(f"damaged: {tracks.attrs['damage']}")
    return lines


def _events(events: pd.DataFrame) -> list[str]:
    from behavior.events import sum_behaviors

    known = events["stop_s"].dropna()
    last = f", the last ends at {known.max():g} s" if len(known) else ""
    lines = [f"events: {len(events)}{last}"]
    for row in sum_behaviors(events, by=()).itertuples(index=False):
        seconds = f", {row.total_s:.2f} s" if row.kind == "state" else ""
        lines.append(f"  {row.behavior} ({row.kind}): {row.count}{seconds}")
    for column in ("observation", "subject", "observer"):
        names = sorted(set(events[column]) - {""})
        if names:
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            lines.append(f"  {column}s: {', '.join(names[:8])}{more}")
    return lines


def convert_file(result: TrackFile, out: Path) -> str:
    """Write tracks as netCDF or csv and events as csv, and say what was written.

    Raises
    ------
    InputError
        If the name's ending is unknown, or the file holds several tracks or animals where one is needed.
    """
    from behavior.tracks import write_tracks
    from behavior.writers import plain_table

    kind = out.suffix.lower()
    if kind not in (".csv", ".nc"):
        raise InputError("unknown kind of file to write", file=out, found=kind or "no ending", expected=".nc or .csv")
    if not result.tracks:
        if kind != ".csv":
            raise InputError("events are written as .csv", file=out, found=kind)
        return _write_events(result.events, out)
    written = []
    if kind == ".nc":
        out.parent.mkdir(parents=True, exist_ok=True)
        write_tracks(result.dataset, out)
        written.append(f"{out}: written (netCDF)")
    else:
        tracks = result.dataset
        write_text(out, plain_table(tracks).to_csv(index=False, lineterminator="\n"))
        left = [str(name) for name in tracks["keypoint"].to_numpy() if name not in ("centre", "nose", "tail_base")]
        note = f"; the csv has no place for {len(left)} other points, the netCDF has" if left else ""
        written.append(f"{out}: written{note}")
    if len(result.events):
        written.append(_write_events(result.events, out.with_suffix(".events.csv")))
    return "\n".join(written)


def _write_events(events: pd.DataFrame, out: Path) -> str:
    write_text(out, events.to_csv(index=False, lineterminator="\n"))
    return f"{out}: {len(events)} events written"
