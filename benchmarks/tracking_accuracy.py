"""Write docs/validation/tracking.md: the tracker against hand labels, another program's log and exact truth.

    python benchmarks/tracking_accuracy.py SHARED/data/video docs/validation/tracking.md

No setting is picked on these recordings: all are tracked with the defaults; stills with ``independent_frames``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from behavior.region import Region
from behavior.release import find_release
from behavior.track_options import TrackOptions
from behavior.tracker import track
from behavior.tracks import tracks_table

SESSIONS = ("1_D1", "2_D1", "3_D1", "5_D3", "7_D1", "8_D1")
#: Where along nose to tail base the labels put the middle of head and tail base.
EARS_LABELLED, HEAD_LABELLED = 0.53, 0.61


def wilson(hits: int, n: int) -> str:
    """Share with its 95 % Wilson interval, in per cent."""
    z, share = 1.96, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{100 * share:.1f} % ({100 * (middle - half):.1f} to {100 * (middle + half):.1f})"


def distance(table: pd.DataFrame, prefix: str, x: pd.Series, y: pd.Series) -> pd.Series:
    return pd.Series(np.hypot(table[f"{prefix}x_px"] - x, table[f"{prefix}y_px"] - y))


def against_labels(path: Path, labels: pd.DataFrame, share: float) -> pd.DataFrame:
    """Errors per labelled still: centre, axis, nose, tail base in px, head side."""
    table = tracks_table(track(path, options=TrackOptions(independent_frames=True))).set_index("frame")
    table = table.reindex(labels.index)
    middle = [(labels[f"head_{a}_px"] + labels[f"tail_base_{a}_px"]) / 2 for a in "xy"]
    axis = [(1 - share) * table[f"nose_{a}_px"] + share * table[f"tail_base_{a}_px"] for a in "xy"]
    to_nose = distance(table, "nose_", labels.nose_x_px, labels.nose_y_px)
    to_base = distance(table, "nose_", labels.tail_base_x_px, labels.tail_base_y_px)
    both = labels.nose_x_px.notna() & labels.tail_base_x_px.notna() & table.nose_x_px.notna()
    body = np.nanmedian(np.hypot(labels.nose_x_px - labels.tail_base_x_px, labels.nose_y_px - labels.tail_base_y_px))
    return pd.DataFrame(
        {
            "centre": distance(table, "", *middle),
            "axis": np.hypot(axis[0] - middle[0], axis[1] - middle[1]),
            "nose": to_nose,
            "tail_base": distance(table, "tail_base_", labels.tail_base_x_px, labels.tail_base_y_px),
            "head_right": (to_nose < to_base).where(both),
            "missing": table.x_px.isna(),
            "body": body,
        }
    )


def labels_of_open_field(folder: Path) -> pd.DataFrame:
    given = pd.read_csv(folder / "CollectedData_even.csv", header=[1, 2], index_col=[0, 1]).droplevel(1)
    parts = {
        "nose": given["snout"],
        "head": (given["leftear"] + given["rightear"]) / 2,
        "tail_base": given["tailbase"],
    }
    return pd.DataFrame({f"{part}_{a}_px": points[a] for part, points in parts.items() for a in "xy"})


def label_rows(video: Path) -> list[str]:
    folder = video / "dlc_openfield"
    errors = against_labels(folder / "m4s1_labelled_frames_ffv1.avi", labels_of_open_field(folder), EARS_LABELLED)
    rows = [
        "## Hand labels",
        "",
        "Unconnected stills. Centre: distance of the body's centroid to the middle of head and tail base; axis: the "
        "same for the point of the track's own axis where the labels put that middle. Errors in px for dlc_openfield, "
        "in body lengths for the others.",
        "",
        "| stills | n | missing | centre median | max | axis median | p95 | nose median | tail base median "
        "| head side right |",
        "|---|---|---|---|---|---|---|---|---|---|",
        label_row("dlc_openfield m4s1", errors),
    ]
    labels = pd.read_csv(video / "open_field_stills" / "labels.csv")
    stills = []
    for session in SESSIONS:
        own = labels[labels.session == session].set_index("frame")
        path = video / "open_field_stills" / f"open_field_{session}_ffv1.avi"
        errors = against_labels(path, own, HEAD_LABELLED)
        for name in ("centre", "axis", "nose", "tail_base"):
            errors[name] /= errors.body
        stills.append(errors)
        rows.append(label_row(f"open field {session}", errors))
    return [*rows, label_row("all six sessions", pd.concat(stills))]


def label_row(name: str, errors: pd.DataFrame) -> str:
    e = errors[["centre", "axis", "nose", "tail_base"]]
    head = errors.head_right.dropna().astype(bool)
    numbers = [
        f"{e.centre.median():.3f}",
        f"{e.centre.max():.2f}",
        f"{e.axis.median():.3f}",
        f"{e.axis.quantile(0.95):.3f}",
        f"{e.nose.median():.3f}",
        f"{e.tail_base.median():.3f}",
    ]
    side = wilson(int(head.sum()), len(head))
    return f"| {name} | {len(e)} | {int(errors.missing.sum())} | {' | '.join(numbers)} | {side} |"


def panel_rows(video: Path) -> list[str]:
    folder = video / "box_with_panel"
    lines = (folder / "DK_745_TEST_1_activity.txt").read_text(errors="replace").splitlines()
    log = np.array([line.split("\t")[:3] for line in lines if line[:1].isdigit()], dtype=float)
    table = tracks_table(track(folder / "DK_745_TEST_1.mp4"))
    at = table.iloc[np.round(log[:, 0] * 15).astype(int)]
    off = pd.Series(np.hypot(at.x_px - log[:, 1] * 5.9283, at.y_px - log[:, 2] * 5.9283))
    return [
        "",
        "## Another program's log (box_with_panel)",
        "",
        f"{len(off)} logged places: median {off.median():.2f} px, 95th percentile {off.quantile(0.95):.2f} px; "
        f"{int(table.x_px.isna().sum())} of {len(table)} frames without a position.",
    ]


def composited_rows(video: Path) -> list[str]:
    folder = video / "composited_si"
    arena = pd.read_csv(folder / "arena.csv").set_index("trial")
    rows = [
        "",
        "## Exact truth (composited_si)",
        "",
        "| trial | scored frames | not seen | centre median px | p95 | max | release found − true, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for trial, corner in arena.iterrows():
        polygons = [
            np.array([(corner[f"{w}_x{k}"], corner[f"{w}_y{k}"]) for k in range(4)], float) for w in ("floor", "box")
        ]
        truth = pd.read_csv(folder / f"{trial}.csv.gz")
        tracks = track(folder / f"{trial}.mp4", Region(*polygons))
        scored = truth.scored.to_numpy() > 0
        off = distance(tracks_table(tracks), "", truth.x_px, truth.y_px)[scored]
        late = find_release(tracks).time_s - truth.time_s[scored].iloc[0]
        rows.append(
            f"| {trial} | {len(off)} | {int(off.isna().sum())} | {off.median():.2f} | {off.quantile(0.95):.2f} | "
            f"{off.max():.2f} | {late:+.3f} |"
        )
    return rows


def followed_rows(video: Path) -> list[str]:
    rows = ["", "## Followed throughout", "", "| recording | frames | without a position |", "|---|---|---|"]
    for name in (
        "dlc_openfield/m3v1mp4.mp4",
        "white_on_dark/MouseVideo.mp4",
        "deepof_single/testDLC_video_circular_arena.mp4",
    ):
        table = tracks_table(track(video / name))
        rows.append(f"| {name} | {len(table)} | {int(table.x_px.isna().sum())} |")
    return rows


def main(video: Path, target: Path) -> None:
    rows = [
        "# Tracking: measured",
        "",
        "Written by `python benchmarks/tracking_accuracy.py`, defaults throughout. While the tracker was written, ways "
        "of measuring (centre of the core or of the whole body, tail base at the end of the body or where the tail "
        "begins, widths of the filters) were compared on these recordings too, so the figures on hand labels are not "
        "those of unseen recordings; the exact truth of the composited recordings and of the simulator agreed with "
        "the choices.",
        "",
        *label_rows(video),
        *panel_rows(video),
        *composited_rows(video),
        *followed_rows(video),
    ]
    target.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
