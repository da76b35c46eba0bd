"""Each reader gives back the walk that its file was made from: times, units, direction of y, missing frames, zones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from behavior.events import program_dwell
from behavior.readers import READERS, read_tracks_file
from behavior.tracks import frame_durations, validate_tracks
from core.errors import InputError
from tests.behavior import track_samples as made

TIME = np.arange(made.N) / made.FPS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str, dict]]:
    return made.write_all(tmp_path_factory.mktemp("tracks"))


def test_every_reader_has_a_sample(files):
    """A format added to the table is tested the day it is added."""
    known = {reader for _, reader, _ in files.values()} | {"sleap-project", "boris-list"}
    assert {reader.name for reader in READERS} <= known


@pytest.mark.parametrize("label", ["ethovision utf-16", "ethovision latin-1", "ethovision xlsx", "anymaze", "timeofcr2",
    "deeplabcut 3 rows", "deeplabcut 4 rows", "eztrack", "stressaxis table", "boris project", "boris tabular",
    "boris tabular xlsx", "boris aggregated", "boris no header", "dlcanalyzer labels", "declared", "deeplabcut h5",
    "sleap analysis", "stressaxis netcdf", "movement netcdf", "numpy"])  # fmt: skip
def test_content_decides_not_the_name(files, tmp_path, label):
    """Under another name each file still finds its reader."""
    path, reader, options = files[label]
    other = tmp_path / "unnamed.dat"
    other.write_bytes(path.read_bytes())
    result = read_tracks_file(other, **options)
    assert result.reader == reader
    for tracks in result.tracks.values():
        validate_tracks(tracks)


def _centre(tracks, individual=0):
    return tracks["position"].sel(keypoint="centre").isel(individual=individual).transpose("time", "space").to_numpy()


@pytest.mark.parametrize("label", ["ethovision utf-16", "ethovision latin-1", "ethovision xlsx"])
def test_ethovision(files, label):
    """Centre origin, y up and decimal commas come out as cm with y down; - is missing; zones and scored behaviour stay."""
    result = read_tracks_file(files[label][0])
    tracks = next(iter(result.tracks.values()))
    xy = _centre(tracks)
    np.testing.assert_allclose(xy[:, 0], (made.walk()[:, 0] - 200) / 10, atol=6e-5)
    np.testing.assert_allclose(xy[:, 1], (made.walk()[:, 1] - 150) / 10, atol=6e-5)
    assert tracks.attrs["space_unit"] == "cm" and tracks.attrs["fps"] == pytest.approx(made.FPS)
    assert np.isnan(xy[: made.SEEN_FROM]).all() and not np.isnan(xy[made.SEEN_FROM :]).any()
    assert list(tracks["note"].to_numpy()[:3, 0]) == [1, 1, 0]
    dwell = program_dwell(tracks).set_index("zone")["dwell_s"]
    expected = (made.in_zone() * frame_durations(np.array([float(f"{t:.3f}") for t in TIME]))).sum()
    assert dwell["IZ"] == pytest.approx(expected)
    assert result.events["behavior"].unique().tolist() == ["Rearing"]
    assert result.events.iloc[0][["start_s", "stop_s", "subject", "observation"]].tolist() == [
        0.8,
        1.2,
        "m 7",
        "Trial 1",
    ]
    assert tracks["area"].to_numpy()[5, 0] == 25.5 and tracks["orientation"].to_numpy()[5, 0] == 90
    assert [problem.code for problem in result.problems][:1] == ["origin_unknown"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_ethovision_dialects(tmp_path, encoding, delimiter, decimal):
    """Every mix of encoding, delimiter and decimal sign gives the same numbers."""
    path = tmp_path / "raw.txt"
    quoted = delimiter == "," and decimal == ","
    path.write_bytes(made.text(made.ethovision_rows(decimal=decimal), delimiter, quoted=quoted).encode(encoding))
    result = read_tracks_file(path)
    np.testing.assert_allclose(_centre(result.dataset)[:, 0], (made.walk()[:, 0] - 200) / 10, atol=6e-5)
    assert result.header["Größe"] == "µ"


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_ethovision_units_become_cm(tmp_path, unit):
    path = tmp_path / "raw.txt"
    path.write_bytes(made.text(made.ethovision_rows(unit=unit)).encode())
    tracks = read_tracks_file(path).dataset
    np.testing.assert_allclose(_centre(tracks)[:, 0], (made.walk()[:, 0] - 200) / 10, atol=6e-3)
    assert tracks.attrs["space_unit"] == "cm"


def test_ethovision_unknown_unit_is_refused(tmp_path):
    path = tmp_path / "raw.txt"
    path.write_bytes(made.text(made.ethovision_rows()).replace(";cm;cm;", ";furlong;furlong;").encode())
    with pytest.raises(InputError, match=r"raw.txt, row 9: unknown unit of positions; found 'furlong'"):
        read_tracks_file(path)


def test_origin_moves_the_zero_point_to_the_floors_corner(tmp_path):
    """The corner given in the program's own coordinates (y up) becomes 0, 0."""
    path = tmp_path / "raw.txt"
    path.write_bytes(made.text(made.ethovision_rows()).encode())
    plain = read_tracks_file(path)
    moved = read_tracks_file(path, origin=(-21.0, 21.0))
    shift = (_centre(moved.dataset) - _centre(plain.dataset))[made.SEEN_FROM :]
    np.testing.assert_allclose(shift, np.full_like(shift, 21.0))
    assert "origin_unknown" not in {problem.code for problem in moved.problems}


def test_workbook_with_several_tracks(tmp_path):
    """One track a sheet, the notes sheet reported; ``dataset`` asks which."""
    path = tmp_path / "raw.xlsx"
    sheets = {
        "A-1": made.ethovision_rows(),
        "A-2": made.ethovision_rows(trial="Trial 2", n=20),
        "Notes": [["by", "hand"]],
    }
    path.write_bytes(made.workbook(sheets))
    result = read_tracks_file(path)
    assert {name: tracks.sizes["time"] for name, tracks in result.tracks.items()} == {"A-1": 40, "A-2": 20}
    assert "sheet_skipped" in {problem.code for problem in result.problems}
    with pytest.raises(InputError, match="several tracks; found A-1, A-2"):
        _ = result.dataset
    assert read_tracks_file(path, sheet="A-2").dataset.sizes["time"] == 20
    with pytest.raises(InputError, match="no sheet is called 'B'"):
        read_tracks_file(path, sheet="B")


def test_anymaze(files):
    """Pixels, y down, blank first rows missing, zones by name, other flags as events."""
    result = read_tracks_file(files["anymaze"][0])
    tracks = result.dataset
    np.testing.assert_allclose(_centre(tracks), np.round(made.walk()), atol=0)
    np.testing.assert_allclose(tracks["time"], TIME)
    assert tracks.attrs["space_unit"] == "px" and list(tracks["zone"].to_numpy()) == ["Centre", "Corner 1"]
    assert program_dwell(tracks)["dwell_s"].sum() == pytest.approx(made.N / made.FPS)
    assert result.events[["behavior", "start_s", "stop_s"]].values.tolist() == [["Freezing", 0.4, 0.64]]


def test_uneven_steps_weigh_as_long_as_they_last(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Time,Centre position X,Centre position Y,In A\n0:00:00.000,,,1\n0:00:00.560,1,1,0\n"
                    "0:00:00.670,1,1,1\n0:00:00.780,1,1,0\n")  # fmt: skip
    dwell = program_dwell(read_tracks_file(path).dataset)
    assert dwell.loc[0, "dwell_s"] == pytest.approx(0.56 + 0.11)


def test_the_rate_is_not_that_of_rounded_times(tmp_path):
    """15 frames/s written to the millisecond, with lost frames: the median step would say 14.93."""
    frames = [i for i in range(60) if i not in (20, 21, 40)]
    lines = [
        "Time,Centre position X,Centre position Y",
        *(f"0:00:{int(1000 * i / 15) / 1000:06.3f},1,1" for i in frames),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert read_tracks_file(tmp_path / "a.csv").dataset.attrs["fps"] == pytest.approx(15, abs=0.02)


def test_timeofcr2(files):
    result = read_tracks_file(files["timeofcr2"][0])
    tracks = result.dataset
    np.testing.assert_allclose(tracks["time"], np.arange(made.N) / 2)
    assert list(tracks["zone"].to_numpy()) == ["Center", "SubROI1"]
    assert program_dwell(tracks).set_index("zone").loc["SubROI1", "dwell_s"] == made.in_zone().sum() / 2
    assert result.events["subject"].tolist() == ["m7_SI"]
    assert result.problems == []


@pytest.mark.parametrize("label", ["deeplabcut 3 rows", "deeplabcut h5"])
def test_deeplabcut(files, label):
    """Positions at 0, 0 with likelihood 0 are missing; our names for the known points; rate from the user."""
    result = read_tracks_file(files[label][0], fps=made.FPS)
    tracks = result.dataset
    assert list(tracks["keypoint"].to_numpy()) == ["centre", "nose", "tail_base"]
    shift = np.array([5.0, -3.0])
    np.testing.assert_allclose(_centre(tracks), made.walk() + shift)
    nose = tracks["position"].sel(keypoint="nose").isel(individual=0).to_numpy()
    np.testing.assert_allclose(nose, made.walk())
    np.testing.assert_allclose(tracks["time"], TIME)
    assert {problem.code for problem in result.problems} == {"low_likelihood"}


def test_without_a_rate_times_are_frames_and_nothing_pretends_to_be_seconds(files):
    result = read_tracks_file(files["deeplabcut 3 rows"][0])
    assert result.dataset.attrs["time_unit"] == "frames"
    assert "rate_unknown" in {problem.code for problem in result.problems}
    np.testing.assert_array_equal(result.dataset["time"], np.arange(made.N))
    zoned = result.dataset.assign(in_zone=(("time", "zone"), np.ones((made.N, 1), np.int8)))
    with pytest.raises(ValueError, match="frame numbers"):
        program_dwell(zoned)


def test_likelihood_limit(tmp_path):
    """Below the limit is missing, at the limit is not; exactly 0, 0 is missing whatever its likelihood."""
    path = tmp_path / "d.csv"
    path.write_text("scorer,n,n,n\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n"
                    "0,5,6,0.6\n1,5,6,0.59\n2,0,0,1.0\n3,5,6,\n4,,,\n")  # fmt: skip
    x = read_tracks_file(path, fps=1).dataset["position"].sel(space="x").to_numpy().ravel()
    assert np.isfinite(x).tolist() == [True, False, False, False, False]
    x = read_tracks_file(path, fps=1, min_likelihood=0.5).dataset["position"].sel(space="x").to_numpy().ravel()
    assert np.isfinite(x).tolist() == [True, True, False, False, False]


def test_four_header_rows_and_prefixes_tell_animals_apart(files, tmp_path):
    tracks = read_tracks_file(files["deeplabcut 4 rows"][0], fps=made.FPS).dataset
    assert list(tracks["individual"].to_numpy()) == ["a", "b"]
    path = tmp_path / "prefix.csv"
    path.write_bytes(made.dlc_csv(points=("B_Nose", "B_Center", "W_Nose", "W_Center")))
    tracks = read_tracks_file(path, fps=made.FPS).dataset
    assert list(tracks["individual"].to_numpy()) == ["B", "W"] and list(tracks["keypoint"].to_numpy()) == [
        "centre",
        "nose",
    ]
    np.testing.assert_allclose(_centre(tracks, 1), made.walk() + np.array([15.0, -9.0]))
    one = read_tracks_file(path, fps=made.FPS, individual="W").dataset
    assert list(one["individual"].to_numpy()) == ["W"]
    np.testing.assert_allclose(_centre(one), _centre(tracks, 1))
    with pytest.raises(InputError, match=r"no animal is called 'X'; expected one of B, W"):
        read_tracks_file(path, individual="X")


def test_points_can_be_named_and_averaged(files):
    path = files["deeplabcut 3 rows"][0]
    tracks = read_tracks_file(path, fps=made.FPS, points={"centre": ["Nose", "Tail_base"]}).dataset
    np.testing.assert_allclose(_centre(tracks), made.walk() + np.array([5.0, -3.0]))
    with pytest.raises(InputError, match=r"no point Snout for 'nose'; expected one of Nose, Center, Tail_base"):
        read_tracks_file(path, points={"nose": "Snout"})


def test_deeplabcut_pandas_table_is_refused_with_the_remedy(tmp_path):
    """A pickled table is not opened."""
    import h5py

    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file["df_with_missing/table"] = np.zeros(3, dtype=[("index", "<i8"), ("values_block_0", "<f8", (3,))])
        file["df_with_missing"].attrs["non_index_axes"] = b"(lp1\n(I1\ncos\nsystem\n"
    with pytest.raises(InputError, match=r"pickled, which is not opened.*Remedy: export the track as csv"):
        read_tracks_file(path)


def test_sleap_analysis(files):
    """Axes are reversed in the file, scores above 1 are 1, missing is missing."""
    result = read_tracks_file(files["sleap analysis"][0], fps=made.FPS)
    tracks = result.dataset
    assert tracks["position"].shape == (made.N, 2, 2, 2)
    np.testing.assert_allclose(_centre(tracks, 1), made.walk() + 104)
    assert tracks["confidence"].to_numpy().max() == 1
    assert np.isnan(_centre(tracks)[: made.SEEN_FROM]).all()


def test_sleap_project_needs_sleap_io(tmp_path):
    """Without the package the message holds the install line."""
    import importlib.util

    import h5py

    if importlib.util.find_spec("sleap_io"):
        pytest.skip("sleap-io is installed")
    path = tmp_path / "s.slp"
    with h5py.File(path, "w") as file:
        for name in ("frames", "instances", "pred_points"):
            file[name] = np.zeros(1)
        file.create_group("metadata")
    with pytest.raises(InputError, match="pip install sleap-io"):
        read_tracks_file(path)


def test_eztrack_counts_from_the_recordings_start(files, tmp_path):
    result = read_tracks_file(files["eztrack"][0])
    tracks = result.dataset
    np.testing.assert_allclose(tracks["time"], (25 + np.arange(made.N)) / made.FPS)
    assert tracks["frame"].to_numpy()[0] == 25
    dwell = program_dwell(tracks).set_index("zone")["dwell_s"]
    assert dwell["left"] == pytest.approx(made.in_zone().sum() / made.FPS)
    assert list(dwell.index) == ["left", "right"]
    path = tmp_path / "old_LocationOutput.csv"
    path.write_bytes(made.eztrack(fps=False))
    assert read_tracks_file(path).dataset.attrs["time_unit"] == "frames"
    assert read_tracks_file(path, fps=made.FPS).dataset["time"].to_numpy()[0] == 2.0


@pytest.mark.parametrize("label", ["stressaxis table", "stressaxis netcdf", "movement netcdf"])
def test_our_own_files_come_back(files, label):
    tracks = read_tracks_file(files[label][0]).dataset
    np.testing.assert_allclose(_centre(tracks), made.walk())
    np.testing.assert_allclose(tracks["time"], TIME)
    assert tracks["note"].to_numpy()[:3, 0].tolist() == [1, 1, 0]
    assert tracks.attrs["fps"] == pytest.approx(made.FPS)


def test_bare_arrays_need_a_declared_unit(files):
    path, _, options = files["numpy"]
    with pytest.raises(InputError, match=r"does not say its unit; found values from .* Remedy: declare it"):
        read_tracks_file(path)
    tracks = read_tracks_file(path, **options).dataset
    np.testing.assert_allclose(_centre(tracks), made.walk())


def test_pickled_arrays_are_never_opened(tmp_path):
    path = tmp_path / "p.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be opened safely"):
        read_tracks_file(path)


def test_declared_columns(files, tmp_path):
    path, _, options = files["declared"]
    result = read_tracks_file(path, **options)
    np.testing.assert_allclose(_centre(result.dataset), made.walk())
    np.testing.assert_allclose(result.dataset["time"], TIME)
    assert program_dwell(result.dataset).loc[0, "dwell_s"] == pytest.approx(made.in_zone().sum() / made.FPS)
    up = read_tracks_file(path, **options, y_up=True).dataset
    np.testing.assert_allclose(_centre(up)[:, 1], -made.walk()[:, 1])
    with pytest.raises(InputError, match="the unit of the positions is not declared"):
        read_tracks_file(path, columns=options["columns"])
    with pytest.raises(InputError, match=r"no header row holds the declared columns.*expected speed"):
        read_tracks_file(path, columns={"x": "cx", "y": "speed"}, space_unit="px")
    with pytest.raises(InputError, match="the declared columns make no track; found z"):
        read_tracks_file(path, columns={"x": "cx", "y": "cy", "z": "iz"}, space_unit="px")


def test_options_out_of_range_are_told():
    for options, match in [({"fps": 0}, "fps must be above 0"), ({"min_likelihood": 2}, "min_likelihood"),
                           ({"space_unit": "mm"}, "space_unit"), ({"time_unit": "h"}, "time_unit")]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            read_tracks_file("a.csv", **options)
