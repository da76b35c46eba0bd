"""Small files of every format, made from one known walk, so that what a reader gives can be compared with the truth."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

FPS = 12.5
N = 40
SEEN_FROM = 2


def walk(n: int = N) -> np.ndarray:
    """(n, 2) centre in px, y down; the first frames are not seen."""
    angle = np.linspace(0, 3, n)
    xy = np.stack([200 + 80 * np.cos(angle), 150 + 60 * np.sin(angle)], axis=1).round(3)
    xy[:SEEN_FROM] = np.nan
    return xy


def in_zone(n: int = N) -> np.ndarray:
    return (np.arange(n) // 7 % 2 == 1).astype(int)


def _cell(value: float, decimal: str = ".", missing: str = "-") -> str:
    return missing if np.isnan(value) else f"{value:.4f}".replace(".", decimal)


def ethovision_rows(*, decimal: str = ".", unit: str = "cm", trial: str = "Trial     1", n: int = N) -> list[list[str]]:
    """Centre origin, y upward: cm are (px - 200) / 10."""
    xy = walk(n)
    x, y = (xy[:, 0] - 200) / 10, -(xy[:, 1] - 150) / 10
    factor = {"cm": 1, "mm": 10, "m": 0.01, "pixels": 1}[unit]
    head = [
        ["Number of header lines:", "9"],
        ["Experiment", "social"],
        ["Trial name", trial],
        ["Subject name", "m 7"],
        ["Trial duration", "+ 00:00:03.200"],
        ["Größe", "µ"],
        [" "],
    ]
    names = [
        "Trial time",
        "Recording time",
        "X center",
        "Y center",
        "Area",
        "Direction",
        "In zone(IZ / center-point)",
        "Rearing",
        "Result 1",
    ]
    units = ["s", "s", unit, unit, "cm²", "deg", "", "", ""]
    rows = [
        [
            f"{i / FPS:.3f}".replace(".", decimal),
            f"{i / FPS:.3f}".replace(".", decimal),
            _cell(x[i] * factor, decimal),
            _cell(y[i] * factor, decimal),
            f"25{decimal}5",
            f"90{decimal}0",
            str(in_zone(n)[i]),
            str(int(10 <= i < 15)),
            "1",
        ]
        for i in range(n)
    ]
    return [*head, names, units, *rows]


def text(rows: list[list[str]], delimiter: str = ";", *, quoted: bool = False) -> str:
    quote = (lambda cell: f'"{cell}"') if quoted else str
    return "".join(delimiter.join(quote(cell) for cell in row) + "\r\n" for row in rows)


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_number_or_text(cell) for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _number_or_text(cell: Any) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def anymaze(n: int = N) -> bytes:
    xy = walk(n)
    lines = ["Time,Centre position X,Centre position Y,In Centre,In Corner 1,Freezing"]
    for i in range(n):
        x, y = ("", "") if np.isnan(xy[i, 0]) else (f"{xy[i, 0]:.0f}", f"{xy[i, 1]:.0f}")
        lines.append(f"0:00:{i / FPS:06.3f},{x},{y},{in_zone(n)[i]},{1 - in_zone(n)[i]},{int(5 <= i < 8)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def timeofcr2(n: int = N) -> bytes:
    xy = np.nan_to_num(walk(n))
    head = ["TimeOFCR2", "Animal ID\tm7_SI", "rate(frame/sec): \t2", f"duration(sec): \t{n // 2}", "CD Writing \tOFF"]
    names = "Slice\tX\tY\tAREA\tDistance\tImmobile(0 or1)\tCenter(0 or 1)\tDistance\tSubROI1"
    rows = [
        f"{i + 1}\t{xy[i, 0]:.0f}\t{xy[i, 1]:.0f}\t700\t0.5\t{int(i > 30)}\t0\t1.0\t{in_zone(n)[i]}" for i in range(n)
    ]
    return (
        "\r\n".join([line + "\t\t\t" for line in head] + [names + "\t"] + [row + "\t" for row in rows])
        .encode("latin-1")
        .replace(b"CD Writing", b"CD\x81@Writing")
    )


def dlc_values(points: int, n: int = N) -> np.ndarray:
    """(n, points, 3) x, y, likelihood; unseen frames lie at 0, 0 with likelihood 0."""
    xy = walk(n)
    values = np.stack(
        [np.stack([xy[:, 0] + 5 * p, xy[:, 1] - 3 * p, np.full(n, 0.99)], axis=1) for p in range(points)], axis=1
    )
    values[:SEEN_FROM] = 0
    return values


def dlc_csv(
    points: tuple[str, ...] = ("Nose", "Center", "Tail_base"), animals: tuple[str, ...] = (), n: int = N
) -> bytes:
    values = dlc_values(len(points), n)
    columns = [
        (animal, point, axis) for animal in animals or ("",) for point in points for axis in ("x", "y", "likelihood")
    ]
    rows = [["scorer", *(f"net.{i}" if i else "net" for i in range(len(columns)))]]
    if animals:
        rows.append(["individuals", *(column[0] for column in columns)])
    rows += [["bodyparts", *(column[1] for column in columns)], ["coords", *(column[2] for column in columns)]]
    rows += [[str(i), *(repr(float(v)) for _ in (animals or ("",)) for v in values[i].ravel())] for i in range(n)]
    return text(rows, ",").encode()


def dlc_h5(path: Path, points: tuple[str, ...] = ("Nose", "Center", "Tail_base"), n: int = N) -> None:
    values = dlc_values(len(points), n).reshape(n, -1)
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group["axis1"] = np.arange(n)
        group["block0_values"] = values
        levels = [["net"], sorted(points), ["likelihood", "x", "y"]]
        codes = [
            [0] * values.shape[1],
            [sorted(points).index(point) for point in points for _ in range(3)],
            [1, 2, 0] * len(points),
        ]
        for level, (names, code) in enumerate(zip(levels, codes, strict=True)):
            for stem in ("axis0", "block0_items"):
                group[f"{stem}_level{level}"] = np.array(names, dtype="S")
                group[f"{stem}_label{level}"] = np.array(code, dtype=np.int8)


def sleap_analysis(path: Path, points: tuple[str, ...] = ("nose", "body_center"), animals: int = 2, n: int = N) -> None:
    xy = walk(n)
    tracks = np.stack([np.stack([xy.T + 4 * p + 100 * a for p in range(len(points))], axis=1) for a in range(animals)])
    with h5py.File(path, "w") as file:
        file["tracks"] = tracks
        file["node_names"] = np.array(points, dtype="S")
        file["track_names"] = np.array([f"track_{a}" for a in range(animals)], dtype="S")
        file["point_scores"] = np.full((animals, len(points), n), 1.02)
        file["track_occupancy"] = np.ones((n, animals), np.uint8)


def eztrack(n: int = N, *, fps: bool = True, start: int = 25) -> bytes:
    xy = np.nan_to_num(walk(n))
    names = [
        "",
        "File",
        *(["FPS"] if fps else []),
        "Location_Thresh",
        "Use_Window",
        "Window_Weight",
        "Window_Size",
        "Start_Frame",
        "Frame",
        "X",
        "Y",
        "Distance_px",
        "left",
        "right",
        "ROI_location",
        "ROI_transition",
    ]
    rows = [names]
    for i in range(n):
        settings = [str(i), "a.mp4", *([str(FPS)] if fps else []), "99.5", "True", "0.9", "100", f"{start}.0"]
        zone = bool(in_zone(n)[i])
        rows.append([*settings, str(i), f"{xy[i, 0]:.3f}", f"{xy[i, 1]:.3f}", "1.5", str(zone), str(not zone),
                     "left" if zone else "right", "False"])  # fmt: skip
    return text(rows, ",").encode()


def boris_project() -> bytes:
    events = [
        [1.5, "m1", "s", "", ""],
        [2.5, "", "p", "x|None", "seen"],
        [4.0, "m1", "s", "", "end"],
        [5.0, "m1", "s", "", ""],
    ]
    return json.dumps(
        {
            "project_name": "test",
            "behaviors_conf": {
                "0": {"type": "State event", "code": "s", "category": "social"},
                "1": {"type": "Point event", "code": "p", "category": ""},
            },
            "observations": {
                "day 1": {"file": {"1": ["a.mp4"]}, "type": "MEDIA", "time offset": 0.0, "events": events}
            },
        },
        indent=1,
    ).encode()


def boris_tabular_rows() -> list[list[str]]:
    return [
        ["Observation id", "day 1", "", "", "", ""],
        ["", "", "", "", "", ""],
        ["Time", "Media file path", "Subject", "Behavior", "Comment", "Status"],
        ["1.500", "a.mp4", "m1", "s", "", "START"],
        ["2.500", "a.mp4", "No focal subject", "p", "seen", "POINT"],
        ["4.000", "a.mp4", "m1", "s", "end", "STOP"],
    ]


def boris_aggregated_rows() -> list[list[str]]:
    names = ["Observation id", "Subject", "Behavior", "Behavioral category", "Modifiers", "Behavior type", "Start (s)", "Stop (s)",
             "Duration (s)", "Comment start", "Comment stop"]  # fmt: skip
    return [
        names,
        ["day 1", "m1", "s", "social", "", "STATE", "1.500", "4.000", "2.500", "", "end"],
        ["day 1", "No focal subject", "p", "", "x", "POINT", "2.500", "2.500", "NA", "seen", ""],
    ]


def labels_rows() -> list[list[str]]:
    return [
        ["file", "Experimenter", "from", "to", "type", "ID"],
        ["a.json", "Jin", "1.5", "4.0", "Rear", "m1"],
        ["a.json", "Oliver", "1.6", "NA", "Rear", "m1"],
        ["a.json", "Oliver", "7.0", "NA", "NA", "m1"],
    ]


DECLARED = {"columns": {"time": "t [ms]", "x": "cx", "y": "cy", "zone:IZ": "iz"}, "time_unit": "ms", "space_unit": "px"}


def declared_rows(n: int = N) -> list[list[str]]:
    xy = walk(n)
    return [
        ["# lab tracker", "v2"],
        ["t [ms]", "cx", "cy", "iz"],
        *[
            [
                f"{1000 * i / FPS:.1f}",
                _cell(xy[i, 0], missing="NaN"),
                _cell(xy[i, 1], missing="NaN"),
                str(in_zone(n)[i]),
            ]
            for i in range(n)
        ],
    ]


def write_all(folder: Path) -> dict[str, tuple[Path, str, dict[str, Any]]]:
    """A file of every format: label to path, reader, options."""
    from behavior.tracks import from_arrays, tracks_table, write_tracks
    from behavior.writers import write_movement

    known = np.stack([walk()] * 3, axis=2)
    ours = from_arrays(known, np.arange(N) / FPS, fps=FPS, source_file="a.mp4")
    plain: dict[str, tuple[str, str, bytes, dict[str, Any]]] = {
        "ethovision utf-16": ("e.txt", "ethovision", text(ethovision_rows(decimal=",")).encode("utf-16"), {}),
        "ethovision latin-1": ("e1.txt", "ethovision", text(ethovision_rows(), ",", quoted=True).encode("latin-1"), {}),
        "ethovision xlsx": ("e.xlsx", "ethovision", workbook({"Track-1": ethovision_rows(), "Track-2": ethovision_rows()}), {}),
        "anymaze": ("m7.csv", "anymaze", anymaze(), {}),
        "timeofcr2": ("t.txt", "timeofcr2", timeofcr2(), {}),
        "deeplabcut 3 rows": ("d3.csv", "deeplabcut-csv", dlc_csv(), {"fps": FPS}),
        "deeplabcut 4 rows": ("d4.csv", "deeplabcut-csv", dlc_csv(animals=("a", "b")), {"fps": FPS}),
        "eztrack": ("z_LocationOutput.csv", "eztrack", eztrack(), {}),
        "stressaxis table": ("s.csv", "stressaxis-table", tracks_table(ours).to_csv(index=False).encode(), {}),
        "boris project": ("b.boris", "boris-project", boris_project(), {}),
        "boris tabular": ("b.tsv", "boris-tabular", text(boris_tabular_rows(), "\t").encode(), {}),
        "boris tabular xlsx": ("b.xlsx", "boris-tabular", workbook({"day 1": boris_tabular_rows()}), {}),
        "boris aggregated": ("ba.csv", "boris-aggregated", text(boris_aggregated_rows(), ",").encode(), {}),
        "boris no header": ("bn.tsv", "boris-no-header", text(boris_aggregated_rows()[1:], "\t").encode(), {}),
        "dlcanalyzer labels": ("l.csv", "dlcanalyzer-labels", text(labels_rows(), ";").encode(), {}),
        "declared": ("x.csv", "declared", text(declared_rows(), ",").encode(), DECLARED),
    }  # fmt: skip
    found: dict[str, tuple[Path, str, dict[str, Any]]] = {}
    for label, (name, reader, raw, options) in plain.items():
        (folder / name).write_bytes(raw)
        found[label] = (folder / name, reader, options)
    dlc_h5(folder / "d.h5")
    sleap_analysis(folder / "s.analysis.h5")
    write_tracks(ours, folder / "o.nc")
    write_movement(ours, folder / "m.nc", plural_dims=True)
    np.save(folder / "p.npy", np.stack([walk()] * 3, axis=1)[:, None])
    found["deeplabcut h5"] = (folder / "d.h5", "deeplabcut-h5", {"fps": FPS})
    found["sleap analysis"] = (folder / "s.analysis.h5", "sleap-analysis", {"fps": FPS})
    found["stressaxis netcdf"] = (folder / "o.nc", "stressaxis-netcdf", {})
    found["movement netcdf"] = (folder / "m.nc", "stressaxis-netcdf", {})
    found["numpy"] = (
        folder / "p.npy",
        "numpy",
        {"fps": FPS, "space_unit": "px", "keypoints": ("nose", "centre", "tail_base")},
    )
    return found
