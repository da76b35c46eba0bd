"""Real files of other programs: every one opens with one call, and its numbers agree with the file read by hand."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from behavior.events import program_dwell, sum_behaviors
from behavior.readers import read_tracks_file
from behavior.tracks import frame_durations, validate_tracks
from core.errors import InputError
from tests.behavior.survey_track_files import files, other_kind

#: Ratios of the region SubROI1, target to empty box, as quoted for the defeated mice.
QUOTED = {"MD11": 2.16, "MD2": 0.71, "MD3": 2.24, "MD4": 0.78, "MD9": 1.64}


def test_every_track_and_event_file_opens_with_one_call(shared):
    """Only summaries and lists are refused, and a SLEAP project where sleap-io is not installed."""
    opened = 0
    for path in files(shared / "behavior"):
        try:
            result = read_tracks_file(path)
        except InputError as error:
            assert other_kind(path) or "pip install sleap-io" in str(error), path
            continue
        assert not other_kind(path), path
        assert result.tracks or len(result.events), path
        for tracks in result.tracks.values():
            validate_tracks(tracks)
        opened += 1
    assert opened == 45 + bool(find_spec("sleap_io"))


def test_a_bare_array_opens_once_its_unit_is_declared(shared):
    path = shared / "behavior/deepof/sleap/testDLC_sleap_table.npy"
    tracks = read_tracks_file(path, space_unit="px", fps=25).dataset
    np.testing.assert_array_equal(tracks["position"].to_numpy(), np.load(path).transpose(0, 3, 2, 1))


def _by_hand(path: Path) -> tuple[list[str], list[list[str]]]:
    rows = [line.split("\t") for line in path.read_bytes().decode("latin-1").splitlines()]
    at = next(number for number, row in enumerate(rows) if row[0] == "Slice")
    return rows[at], rows[at + 1 :]


@pytest.mark.parametrize("folder", ["SD", "control"])
def test_regions_of_timeofcr2_give_the_quoted_ratios(shared, folder):
    """SI trial over object trial, from the program's own region flags; one control corner has 0 s without target."""
    ratios, corner_zero = {}, []
    for target in sorted((shared / "behavior/SocialDefeatStressProtocol" / folder).glob("*_SI_XY.txt")):
        seconds = {}
        for trial, path in (("SI", target), ("object", target.with_name(target.name.replace("_SI_", "_object_")))):
            tracks = read_tracks_file(path).dataset
            dwell = program_dwell(tracks).set_index("zone")["dwell_s"]
            names, rows = _by_hand(path)
            for zone in ("SubROI1", "SubROI2", "SubROI3"):
                assert dwell[zone] == sum(row[names.index(zone)] == "1" for row in rows) / 2, (path, zone)
            assert frame_durations(tracks["time"]).sum() == 150 and tracks.attrs["space_unit"] == "px"
            seconds[trial] = dwell
        ratios[target.name.split("_")[0]] = seconds["SI"]["SubROI1"] / seconds["object"]["SubROI1"]
        corner_zero += [zone for zone in ("SubROI2", "SubROI3") if seconds["object"][zone] == 0]
    if folder == "SD":
        assert {mouse: round(ratio, 2) for mouse, ratio in ratios.items()} == QUOTED
    else:
        assert len(ratios) == 6
        assert round(min(ratios.values()), 2) == 0.67 and round(max(ratios.values()), 2) == 1.58
    assert len(corner_zero) <= 1


def test_ethovision_workbook(shared):
    """Positions, missing cells, zone seconds and scored behaviours against the sheet read with openpyxl."""
    import openpyxl

    path = shared / "behavior/EthoVision_analyser/Example_import_file.xlsx"
    result = read_tracks_file(path)
    tracks = result.dataset
    sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    names, data = rows[34], rows[36:]
    column = {name: [row[place] for row in data] for place, name in enumerate(names)}
    x = np.array([np.nan if cell == "-" else cell for cell in column["X center"]], float)
    y = np.array([np.nan if cell == "-" else cell for cell in column["Y center"]], float)
    position = tracks["position"].sel(keypoint="centre").isel(individual=0)
    np.testing.assert_array_equal(position.sel(space="x"), x)
    np.testing.assert_array_equal(position.sel(space="y"), -y)
    time = np.array(column["Trial time"], float)
    np.testing.assert_array_equal(tracks["time"], time)
    assert tracks.attrs["space_unit"] == "cm" and tracks.attrs["fps"] == pytest.approx(8991 / 599.998)
    steps = np.append(np.diff(time), np.median(np.diff(time)))
    dwell = program_dwell(tracks).set_index("zone")["dwell_s"]
    for zone in ("floor", "food zone"):
        inside = np.array(column[f"In zone({zone} / center-point)"]) == 1
        assert dwell[zone] == pytest.approx(steps[inside].sum())
    seconds = sum_behaviors(result.events).set_index("behavior")["total_s"]
    assert "Grooming" in json.loads(tracks.attrs["behaviors_scored"]) and "Grooming" not in seconds
    for name in ("Rearing", "Walking", "Stationary"):
        scored = np.array(column[f"{name}(Mutually exclusive)"]) == 1
        assert seconds[name] == pytest.approx(steps[scored].sum())
    assert {problem.code for problem in result.problems} == {"duration_differs", "origin_unknown"}


def test_ethovision_bouts_equal_that_tools_result_table(shared):
    """Bouts and seconds of trial 1 in the tool's own export, made from the same file; it drops the last frame."""
    folder = shared / "behavior/EthoVision_analyser"
    with open(folder / "Example_export_bout_data.csv", encoding="utf-8-sig", newline="") as stream:
        stated = next(csv.DictReader(stream))
    sums = sum_behaviors(read_tracks_file(folder / "Example_import_file.xlsx").events).set_index("behavior")
    for name in ("Floor zone", "Approaching food zone", "Sniffing food", "Eating food"):
        assert sums.loc[name, "count"] == int(stated[f"{name} (bout frequency)"]), name
        assert sums.loc[name, "total_s"] == pytest.approx(
            float(stated[f"{name} (sum of bout lengths in secs)"]), abs=0.07
        )


def test_anymaze_probe_tests(shared):
    for path in sorted((shared / "behavior/mazeswimmer/ANYmaze").glob("*.csv")):
        tracks = read_tracks_file(path).dataset
        with open(path, newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert tracks.sizes["time"] == len(rows) and np.isnan(tracks["position"].to_numpy()[0]).all()
        minutes, seconds = rows[-1]["Time"].split(":")[1:]
        assert float(tracks["time"][-1]) == pytest.approx(60 * int(minutes) + float(seconds))
        assert tracks["position"].isel(time=-1, keypoint=0, individual=0).to_numpy().tolist() == [
            float(rows[-1]["Centre position X"]), float(rows[-1]["Centre position Y"])]  # fmt: skip


def test_deeplabcut_csv_and_hdf5_of_one_clip_agree(shared):
    """The same network output in both forms: one animal, two by prefix, two by name."""
    for folder, stem in (("single", ""), ("multi", "_multi"), ("madlc", "_madlc")):
        base = shared / "behavior/deepof" / folder
        text = read_tracks_file(base / f"testDLC_csv_table{stem}.csv", fps=25).dataset
        binary = read_tracks_file(base / f"testDLC_h5_table{stem}.h5", fps=25).dataset
        assert set(text["keypoint"].to_numpy()) == set(binary["keypoint"].to_numpy())
        assert list(text["individual"].to_numpy()) == list(binary["individual"].to_numpy())
        assert "centre" in text["keypoint"] and "nose" in text["keypoint"] and "tail_base" in text["keypoint"]
        frames = np.intersect1d(text["frame"], binary["frame"])
        assert len(frames) >= 90


def test_deeplabcut_plus_maze(shared):
    """Arena corners tracked as body parts stay as points; likelihood below 0.6 is missing."""
    path = next((shared / "behavior/DLCAnalyzer").glob("EPM_15*.csv"))
    tracks = read_tracks_file(path, fps=25).dataset
    with open(path, newline="") as stream:
        rows = list(csv.reader(stream))
    assert tracks.sizes["time"] == len(rows) - 3 == 962 and frame_durations(tracks["time"]).sum() == pytest.approx(
        38.48
    )
    at = rows[1].index("nose")
    likelihood = np.array([float(row[at + 2]) for row in rows[3:]])
    x = np.array([float(row[at]) for row in rows[3:]])
    np.testing.assert_array_equal(
        tracks["position"].sel(keypoint="nose", space="x").isel(individual=0), np.where(likelihood >= 0.6, x, np.nan)
    )
    assert {"tl", "tr", "bl", "br"} <= set(tracks["keypoint"].to_numpy())


def test_sleap_analysis(shared):
    import h5py

    path = shared / "behavior/deepof/sleap/testDLC_sleap.analysis.h5"
    tracks = read_tracks_file(path, fps=25).dataset
    with h5py.File(path) as file:
        stored, names = file["tracks"][()], [name.decode() for name in file["node_names"]]
    np.testing.assert_array_equal(
        tracks["position"].sel(keypoint="Left_ear").isel(individual=0), stored[0, :, names.index("Left_ear"), :].T
    )
    assert tracks.sizes["time"] == 101


def test_sleap_project_equals_the_analysis_file(shared):
    """Where sleap-io is installed."""
    pytest.importorskip("sleap_io")
    stem = shared / "behavior/deepof/sleap"
    project = read_tracks_file(stem / "testDLC_sleap.slp", fps=25).dataset
    analysis = read_tracks_file(stem / "testDLC_sleap.analysis.h5", fps=25).dataset
    np.testing.assert_array_equal(project["position"], analysis["position"])


def test_boris_forms_of_one_observation_agree(shared):
    """Project, csv, tsv and xlsx of `observation #1`; aggregated exports of `observation #2` with and without header."""
    folder = shared / "behavior/BORIS"
    project = read_tracks_file(folder / "test.boris").events
    first = project[project["observation"] == "observation #1"]
    key = ["subject", "behavior", "kind", "start_s", "stop_s"]
    for name in ("test_export_events_tabular.csv", "test_export_events_tabular.tsv", "test_export_events_tabular.xlsx"):
        assert read_tracks_file(folder / name).events[key].values.tolist() == first[key].values.tolist(), name
    stated = json.loads((folder / "test.boris").read_text())["observations"]["observation #1"]["events"]
    assert sorted(first["start_s"]) == sorted(event[0] for event in stated[::2])
    full = read_tracks_file(folder / "test_export_aggregated_events_test_full_1.tsv").events
    second = project[project["observation"] == "observation #2"]
    assert set(map(tuple, full[["behavior", "start_s", "stop_s"]].round(3).values)) <= set(
        map(tuple, second[["behavior", "start_s", "stop_s"]].round(3).values)
    )
    bare = read_tracks_file(folder / "test_export_aggregated_events_test_full_3.tsv").events
    assert set(map(tuple, bare[key].values)) <= set(map(tuple, second[key].values))


def test_dlcanalyzer_labels(shared):
    """Bouts by rater and recording, against the file summed by hand."""
    result = read_tracks_file(shared / "behavior/DLCAnalyzer/AllLabDataOFT_final.csv")
    counts = result.events["behavior"].value_counts()
    assert (counts["Supported"], counts["Unsupported"], counts["Grooming"]) == (3003, 2090, 275)
    assert [problem.code for problem in result.problems] == ["open_event"]
    labels = read_tracks_file(shared / "behavior/DLCAnalyzer/AllFSTLables.csv").events
    with open(shared / "behavior/DLCAnalyzer/AllFSTLables.csv", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    expected = sum(float(row["to"]) - float(row["from"]) for row in rows if (row["Experimenter"], row["ID"], row["type"])
                   == ("Jin", "FST_1", "Floating"))  # fmt: skip
    sums = sum_behaviors(labels, by=("observer", "observation")).set_index(["observer", "observation", "behavior"])
    assert sums.loc[("Jin", "FST_1", "Floating"), "total_s"] == pytest.approx(expected)
