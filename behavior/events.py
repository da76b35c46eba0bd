"""What an animal does, as a table of bouts: one row per state (start, stop) or point event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.tracks import frame_durations

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = [
    "EVENT_COLUMNS",
    "BehaviorEvent",
    "OpenState",
    "bouts_from_flags",
    "make_events",
    "pair_states",
    "program_dwell",
    "sum_behaviors",
    "validate_events",
]

#: Columns of every events table. ``kind`` is ``state`` or ``point``; a point event stops when it starts; times in s
#: of the recording; ``stop_s`` or ``start_s`` is NaN where a state has no end or no beginning.
EVENT_COLUMNS = (
    "observation",
    "subject",
    "observer",
    "behavior",
    "kind",
    "start_s",
    "stop_s",
    "modifiers",
    "category",
    "comment",
    "media",
)
_TEXT = tuple(name for name in EVENT_COLUMNS if not name.endswith("_s"))


@dataclass(frozen=True, kw_only=True)
class BehaviorEvent:
    """One row of the events table.

    Parameters
    ----------
    behavior
        What is done.
    start_s, stop_s
        From when to when, in s; equal for a point event.
    kind
        ``state`` or ``point``.
    observation, subject, observer
        In which session, by which animal, seen by whom.
    modifiers, category, comment, media
        As the program gives them; empty where it does not.
    """

    behavior: str
    start_s: float
    stop_s: float
    kind: str = "state"
    observation: str = ""
    subject: str = ""
    observer: str = ""
    modifiers: str = ""
    category: str = ""
    comment: str = ""
    media: str = ""


@dataclass(frozen=True)
class OpenState:
    """A state whose start or stop is missing.

    Parameters
    ----------
    event
        The event; the missing time is NaN.
    missing
        ``start`` or ``stop``.
    """

    event: BehaviorEvent
    missing: str


def make_events(events: Iterable[BehaviorEvent]) -> pd.DataFrame:
    """Events as a table, in order of observation, subject, start.

    Raises
    ------
    ValueError
        See :func:`validate_events`.

    Examples
    --------
    >>> make_events([BehaviorEvent(behavior="rear", start_s=1.0, stop_s=2.5)])[["behavior", "stop_s"]].values.tolist()
    [['rear', 2.5]]
    """
    import pandas as pd

    rows = [[getattr(event, name) for name in EVENT_COLUMNS] for event in events]
    table = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    table = table.astype(dict.fromkeys(_TEXT, str) | {"start_s": float, "stop_s": float})
    order = ["observation", "subject", "observer", "start_s", "behavior", "modifiers", "stop_s"]
    table = table.sort_values(order, kind="stable", ignore_index=True)
    validate_events(table)
    return table


def validate_events(table: pd.DataFrame) -> None:
    """Check that a table is an events table.

    Raises
    ------
    ValueError
        With all faults in one message.

    Examples
    --------
    >>> validate_events(make_events([]))
    """
    missing = [name for name in EVENT_COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f"not an events table: no column {', '.join(missing)}")
    faults = []
    start, stop = table["start_s"].to_numpy(float), table["stop_s"].to_numpy(float)
    if np.isinf(start).any() or np.isinf(stop).any():
        faults.append("infinite times")
    if (stop < start).any():
        faults.append(f"row {int(np.flatnonzero(stop < start)[0])} stops before it starts")
    kinds = sorted(set(table["kind"]) - {"state", "point"})
    if kinds:
        faults.append(f"kind is {', '.join(kinds)}, not state or point")
    point = (table["kind"] == "point").to_numpy()
    if (point & ~(start == stop)).any():
        faults.append("a point event with a duration")
    if (table["behavior"] == "").any():
        faults.append("a row without behavior")
    if faults:
        raise ValueError(f"not an events table: {'; '.join(faults)}")


def pair_states(marks: Iterable[BehaviorEvent]) -> tuple[list[BehaviorEvent], list[OpenState]]:
    """States from marks that alternately begin and end them, in order of time; point events pass through.

    Marks belong together when observation, subject, observer, behaviour and modifiers agree, as the programs for
    scoring by hand have it.

    Parameters
    ----------
    marks
        Each with its time in ``start_s``.

    Returns
    -------
    events, open_states
        All events, those with a missing stop included; and those apart.

    Examples
    --------
    >>> marks = [BehaviorEvent(behavior="groom", start_s=t, stop_s=t) for t in (1.0, 4.0, 6.0)]
    >>> events, still_open = pair_states(marks)
    >>> [(event.start_s, event.stop_s) for event in events], still_open[0].missing
    ([(1.0, 4.0), (6.0, nan)], 'stop')
    """
    from dataclasses import replace

    events: list[BehaviorEvent] = []
    begun: dict[tuple[str, ...], BehaviorEvent] = {}
    for mark in sorted(marks, key=lambda event: event.start_s):
        if mark.kind == "point":
            events.append(replace(mark, stop_s=mark.start_s))
            continue
        key = (mark.observation, mark.subject, mark.observer, mark.behavior, mark.modifiers)
        first = begun.pop(key, None)
        if first is None:
            begun[key] = mark
        else:
            comment = "; ".join(text for text in (first.comment, mark.comment) if text)
            events.append(replace(first, stop_s=mark.start_s, comment=comment))
    left = [OpenState(replace(mark, stop_s=np.nan), "stop") for mark in begun.values()]
    return events + [state.event for state in left], left


def bouts_from_flags(flags: NDArray[np.bool_], time_s: NDArray[np.float64], **labels: str) -> list[BehaviorEvent]:
    """Bouts of a behaviour that is marked frame by frame; each ends with its last frame's own duration.

    Parameters
    ----------
    flags
        (n,) whether it is done in each frame.
    time_s
        (n,) rising times.
    **labels
        Fields of :class:`BehaviorEvent`: behavior, subject, ...

    Examples
    --------
    >>> bouts = bouts_from_flags(np.array([0, 1, 1, 0], bool), np.arange(4) / 2, behavior="rear")
    >>> [(bout.start_s, bout.stop_s) for bout in bouts]
    [(0.5, 1.5)]
    """
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    first, after = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    end = time_s + np.nan_to_num(frame_durations(time_s))
    return [
        BehaviorEvent(start_s=float(time_s[begin]), stop_s=float(end[stop - 1]), **labels)
        for begin, stop in zip(first, after, strict=True)
    ]


def sum_behaviors(
    events: pd.DataFrame, *, start_s: float = -np.inf, end_s: float = np.inf, by: tuple[str, ...] = ("subject",)
) -> pd.DataFrame:
    """How often and how long each behaviour was seen in a window.

    States are cut at the window; one that has begun before it counts its seconds but not as an event of the window.
    States without start or stop are counted in ``open`` and give no seconds.

    Parameters
    ----------
    events
        An events table.
    start_s, end_s
        The window ``[start, end)`` in s.
    by
        Columns to keep apart, besides ``behavior`` and ``kind``.

    Returns
    -------
    DataFrame
        ``by``, ``behavior, kind, count, total_s, latency_s, open``; ``total_s`` is 0 for point events.

    Examples
    --------
    >>> table = make_events([BehaviorEvent(behavior="rear", start_s=t, stop_s=t + 2) for t in (1.0, 9.0)])
    >>> sum_behaviors(table, end_s=10.0)[["count", "total_s", "latency_s"]].values.tolist()
    [[2.0, 3.0, 1.0]]
    """
    import pandas as pd

    validate_events(events)
    keys = [*by, "behavior", "kind"]
    table = events.copy()
    unfinished = table["start_s"].isna() | table["stop_s"].isna()
    known = table["start_s"].fillna(table["stop_s"])
    table["open"] = unfinished & (known >= start_s) & (known < end_s)
    begins = (table["start_s"] >= start_s) & (table["start_s"] < end_s)
    table["count"] = begins
    overlap = table["stop_s"].clip(upper=end_s) - table["start_s"].clip(lower=start_s)
    table["total_s"] = overlap.clip(lower=0).fillna(0.0)
    table["latency_s"] = (table["start_s"] - (start_s if np.isfinite(start_s) else 0.0)).where(begins)
    sums: Mapping[str, Any] = {"count": "sum", "total_s": "sum", "latency_s": "min", "open": "sum"}
    if table.empty:
        return pd.DataFrame(columns=[*keys, *sums])
    return table.groupby(keys, as_index=False, sort=True).agg(dict(sums))


def program_dwell(tracks: xr.Dataset, *, start_s: float = -np.inf, end_s: float = np.inf) -> pd.DataFrame:
    """Seconds in each zone as the tracking program itself marked them frame by frame, to set beside our own.

    Parameters
    ----------
    tracks
        Tracks whose reader found zone columns: ``in_zone(time, zone)`` 1 inside, 0 outside, -1 not stated.
    start_s, end_s
        The window ``[start, end)`` in s.

    Returns
    -------
    DataFrame
        ``zone, dwell_s, stated_s``: sums of true frame durations; ``stated_s`` those frames with 0 or 1.

    Raises
    ------
    ValueError
        If the tracks have no zones, or times that are not seconds.
    """
    import pandas as pd

    if "in_zone" not in tracks:
        raise ValueError("these tracks hold no zones of the tracking program")
    if tracks.attrs.get("time_unit", "seconds") != "seconds":
        raise ValueError("the times of these tracks are frame numbers: read the file again with its frame rate (fps)")
    time = tracks["time"].to_numpy()
    duration = np.nan_to_num(frame_durations(time))
    duration = np.clip(np.minimum(time + duration, end_s) - np.maximum(time, start_s), 0.0, None)
    flags = tracks["in_zone"].transpose("time", "zone").to_numpy()
    return pd.DataFrame(
        {
            "zone": [str(name) for name in tracks["zone"].to_numpy()],
            "dwell_s": ((flags == 1) * duration[:, None]).sum(axis=0),
            "stated_s": ((flags >= 0) * duration[:, None]).sum(axis=0),
        }
    )
