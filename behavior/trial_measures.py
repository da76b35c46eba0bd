"""What is measured in one trial of the social interaction test, from the samples of its scored window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from behavior.arena import Arena
from behavior.kinematics import Movement, immobile_frames, measure_movement, smooth_positions
from behavior.polygons import contains, nearest_point
from behavior.reasons import Notes
from behavior.samples import Samples
from behavior.score_options import ScoreOptions
from behavior.zones import dwell, find_stays, first_stay

__all__ = ["MEASURES", "in_zone", "measure_trial", "movement_measures", "trial_movements"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

EARLY_S = 120.0

#: Measures of a trial, in the order of the trials table.
MEASURES = (
    "iz_raw_s",
    "iz_s",
    "iz_share",
    "corner_raw_s",
    "corner_s",
    "iz_entries",
    "corner_entries",
    "iz_latency_s",
    "iz_latency_censored",
    "iz_mean_bout_s",
    "iz_longest_bout_s",
    "distance_cm",
    "distance_raw_cm",
    "velocity_cm_s",
    "immobile_s",
    "immobile_percent",
    "enclosure_distance_cm",
    "enclosure_percent",
    "box_wall_distance_cm",
    "box_wall_distance_share",
    "iz_narrow_s",
    "iz_wide_s",
    "iz_first_120_s",
    "iz_nose_s",
    "box_heading_deg",
)


def in_zone(samples: Samples, arena: Arena, *names: str, reach_cm: float = 0.0) -> Bools:
    """Whether the point that counts, or any of them, is in any of the named zones; False where it is not seen.

    Points up to ``reach_cm`` beyond a zone's border count as inside.
    """
    inside = np.zeros(len(samples.time_s), dtype=bool)
    for name in names:
        for points in samples.zone_points_cm:
            inside |= contains(arena.zones[name], points)
            if reach_cm > 0:
                _, distance = nearest_point(arena.zones[name], points)
                inside |= np.nan_to_num(distance, nan=np.inf) <= reach_cm
    return inside & samples.observed


def measure_trial(
    samples: Samples, arena: Arena, *, options: ScoreOptions, notes: Notes
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All measures of a trial, and the same in bins.

    Times in zones are shares of the observed time, scaled to the window (``iz_s``), beside the seconds as summed
    (``iz_raw_s``). Distance is the length of the smoothed path, velocity that over the observed time.

    Parameters
    ----------
    samples
        The scored window, with at least one frame in which the animal is seen.
    arena
        Zones of a social interaction arena.
    options
        Scoring options.
    notes
        Receives the reason of each value that is NaN.

    Returns
    -------
    measures
        By the names of `MEASURES`.
    bins
        One row per bin: ``bin, start_s, scored_s, observed_s, iz_raw_s, corner_raw_s, distance_cm, immobile_raw_s,
        enclosure_distance_cm``.
    """
    interaction = in_zone(samples, arena, "interaction", reach_cm=options.reach_cm)
    corner = in_zone(samples, arena, *arena.corner_zones)
    smooth, raw = trial_movements(samples, options=options, notes=notes)
    immobile = immobile_frames(
        smooth.speed_cm_s,
        samples.duration_s,
        samples.run,
        below_cm_s=options.immobile_speed_cm_s,
        min_s=options.immobile_min_s,
    )
    measures = _zone_measures(samples, arena, interaction, corner, options, notes)
    measures |= movement_measures(samples, smooth, raw, immobile, options=options, notes=notes)
    measures |= _distance_measures(samples, arena)
    measures |= _nose_measures(samples, arena, options, notes)
    bins = _bins(samples, arena, interaction, corner, smooth, immobile, options)
    return {name: measures[name] for name in MEASURES}, bins


def trial_movements(samples: Samples, *, options: ScoreOptions, notes: Notes) -> tuple[Movement, Movement]:
    """Movement of the centre on the smoothed and on the raw path; at a low frame rate both are raw, which is noted."""
    raw = measure_movement(samples.centre_cm, samples.time_s, samples.run)
    if not samples.rate_hz >= options.low_rate_hz:
        notes.add("low_rate")
        return raw, raw
    path = smooth_positions(samples.centre_cm, samples.time_s, samples.run, window_s=options.smooth_s)
    return measure_movement(path, samples.time_s, samples.run), raw


def _scaled(inside: Bools, samples: Samples, window_s: float) -> float:
    return dwell(inside, samples.duration_s) / samples.observed_s * window_s


def _zone_measures(
    samples: Samples, arena: Arena, interaction: Bools, corner: Bools, options: ScoreOptions, notes: Notes
) -> dict[str, Any]:
    window, reach, nan = options.window_s, options.reach_cm, float("nan")
    visits = {
        "min_stay_s": options.min_stay_s,
        "min_absence_s": options.min_absence_s,
        "bridge_s": options.bridge_s,
    }
    stays = find_stays(interaction, samples.observed, samples.time_s, samples.duration_s, **visits)
    latency, censored = first_stay(stays, scored_s=samples.scored_s)
    found: dict[str, Any] = {
        "iz_raw_s": dwell(interaction, samples.duration_s),
        "iz_s": _scaled(interaction, samples, window),
        "iz_share": dwell(interaction, samples.duration_s) / samples.observed_s,
        "iz_narrow_s": _scaled(in_zone(samples, arena, "interaction_narrow", reach_cm=reach), samples, window),
        "iz_wide_s": _scaled(in_zone(samples, arena, "interaction_wide", reach_cm=reach), samples, window),
        "enclosure_percent": _scaled(in_zone(samples, arena, "enclosure"), samples, 100.0),
        "iz_entries": len(stays),
        "iz_latency_s": latency,
        "iz_latency_censored": censored,
        "iz_mean_bout_s": float(stays.duration_s.mean()) if len(stays) else nan,
        "iz_longest_bout_s": float(stays.duration_s.max()) if len(stays) else nan,
    }
    if len(stays) == 0:
        notes.add("no_entry", "iz_mean_bout_s", "iz_longest_bout_s")
    early = samples.time_s < EARLY_S - 1e-6
    early_seen = float(samples.duration_s[samples.observed & early].sum())
    found["iz_first_120_s"] = nan
    if early_seen > 0:
        found["iz_first_120_s"] = dwell(interaction & early, samples.duration_s) / early_seen * min(EARLY_S, window)
    else:
        notes.add("unseen_in_part", "iz_first_120_s")
    if not arena.corner_zones:
        notes.add("no_corner_zones", "corner_raw_s", "corner_s", "corner_entries")
        return found | {"corner_raw_s": nan, "corner_s": nan, "corner_entries": nan}
    visited = find_stays(corner, samples.observed, samples.time_s, samples.duration_s, **visits)
    return found | {
        "corner_raw_s": dwell(corner, samples.duration_s),
        "corner_s": _scaled(corner, samples, window),
        "corner_entries": len(visited),
    }


def movement_measures(
    samples: Samples, smooth: Movement, raw: Movement, immobile: Bools, *, options: ScoreOptions, notes: Notes
) -> dict[str, float]:
    """Distance, velocity and immobility of a trial, by the column names of the trials table."""
    moving_known = np.isfinite(smooth.speed_cm_s)
    known_s = float(samples.duration_s[moving_known].sum())
    if known_s == 0:
        names = ("distance_cm", "distance_raw_cm", "velocity_cm_s", "immobile_s", "immobile_percent")
        notes.add("too_few_frames", *names)
        return dict.fromkeys(names, float("nan"))
    seen_s = float(samples.duration_s[samples.run >= 0].sum())
    share = float(samples.duration_s[immobile].sum()) / known_s
    return {
        "distance_cm": smooth.distance_cm,
        "distance_raw_cm": raw.distance_cm,
        "velocity_cm_s": smooth.distance_cm / seen_s,
        "immobile_s": share * options.window_s,
        "immobile_percent": share * 100,
    }


def _box_distance(centre_cm: Floats, arena: Arena) -> Floats:
    """Distance from the centre to the box; 0 inside it."""
    box = arena.zones["enclosure"]
    _, distance = nearest_point(box, centre_cm)
    distance[contains(box, centre_cm)] = 0.0
    return distance


def _distance_measures(samples: Samples, arena: Arena) -> dict[str, float]:
    seen = samples.run >= 0
    if not seen.any():
        return dict.fromkeys(("enclosure_distance_cm", "box_wall_distance_cm", "box_wall_distance_share"), float("nan"))
    centre, weight = samples.centre_cm[seen], samples.duration_s[seen]
    wall = np.array(arena.points["box_wall"])
    mean = float(np.average(np.hypot(*(centre - wall).T), weights=weight))
    largest = float(np.hypot(*(arena.zones["floor"] - wall).T).max())
    return {
        "enclosure_distance_cm": float(np.average(_box_distance(centre, arena), weights=weight)),
        "box_wall_distance_cm": mean,
        "box_wall_distance_share": mean / largest,
    }


def _nose_measures(samples: Samples, arena: Arena, options: ScoreOptions, notes: Notes) -> dict[str, float]:
    """Time of the nose in the interaction zone, and the mean angle between the way it points and the way to the box."""
    nose = samples.extra_cm.get("nose", np.full_like(samples.centre_cm, np.nan))
    on_floor = arena.on_floor(nose, tolerance_cm=options.wall_tolerance_cm)
    seen = np.isfinite(on_floor.sum(axis=1))
    found = {"iz_nose_s": float("nan"), "box_heading_deg": float("nan")}
    seconds = float(samples.duration_s[seen].sum())
    if seconds > 0:
        inside = contains(arena.zones["interaction"], on_floor)
        found["iz_nose_s"] = dwell(inside, samples.duration_s) / seconds * options.window_s
    else:
        notes.add("no_nose", "iz_nose_s")
    box, _ = nearest_point(arena.zones["enclosure"], samples.centre_cm)
    axis, way = nose - samples.centre_cm, box - samples.centre_cm
    turn = np.arctan2(axis[:, 0] * way[:, 1] - axis[:, 1] * way[:, 0], np.sum(axis * way, axis=1))
    known = np.isfinite(turn) & (np.hypot(*way.T) > 0) & (np.hypot(*axis.T) > 0)
    if known.any():
        angle = np.degrees(np.abs(turn[known]))
        found["box_heading_deg"] = float(np.average(angle, weights=samples.duration_s[known]))
    else:
        notes.add("no_nose", "box_heading_deg")
    return found


def _bins(
    samples: Samples,
    arena: Arena,
    interaction: Bools,
    corner: Bools,
    smooth: Movement,
    immobile: Bools,
    options: ScoreOptions,
) -> list[dict[str, Any]]:
    """Each frame counts for the bin in which it begins."""
    number = np.floor((samples.time_s + 1e-6) / options.bin_s).astype(int)
    size = int(np.ceil(options.window_s / options.bin_s - 1e-9))
    duration, seen = samples.duration_s, samples.run >= 0

    def total(values: Floats) -> Floats:
        summed: Floats = np.bincount(number, weights=values, minlength=size).astype(float)
        return summed

    distance = np.zeros(len(duration))
    distance[seen] = _box_distance(samples.centre_cm[seen], arena)
    seen_s = total(duration * seen)
    with np.errstate(invalid="ignore"):
        mean_distance = total(distance * duration) / seen_s
    columns = {
        "scored_s": total(duration),
        "observed_s": total(duration * samples.observed),
        "iz_raw_s": total(duration * interaction),
        "corner_raw_s": total(duration * corner),
        "distance_cm": total(smooth.step_cm),
        "immobile_raw_s": total(duration * immobile),
        "enclosure_distance_cm": mean_distance,
    }
    return [
        {"bin": index + 1, "start_s": index * options.bin_s} | {name: float(v[index]) for name, v in columns.items()}
        for index in range(size)
    ]
