"""Wrong and damaged files: the package's own error, naming the place; never a number from damage."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from behavior.readers import read_tracks_file
from core.errors import InputError
from core.workbooks import read_workbook
from tests.behavior import track_samples as made
from tests.behavior.fuzz_readers import fuzz, seeds


def _lines(raw: bytes) -> list[str]:
    return raw.decode().splitlines()


def _write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_cell_that_is_no_number_is_named(tmp_path):
    lines = _lines(made.anymaze())
    lines[9] = lines[9].replace(",200", ",200").split(",")[0] + ",abc,5,0,1,0"
    with pytest.raises(InputError, match=r"a.csv, row 10, column Centre position X: not a number; found 'abc'"):
        read_tracks_file(_write(tmp_path / "a.csv", lines))
    lines = _lines(made.dlc_csv())
    lines[12] = "9,x," + lines[12].split(",", 2)[2]
    with pytest.raises(InputError, match=r"d.csv, row 13, column 2: not a number; found 'x'"):
        read_tracks_file(_write(tmp_path / "d.csv", lines))


def test_a_flag_that_is_no_flag_is_named(tmp_path):
    lines = _lines(made.anymaze())
    lines[4] = lines[4][:-5] + "7,1,0"
    with pytest.raises(InputError, match=r"row 5, column In Centre: neither 0 nor 1; found '7'"):
        read_tracks_file(_write(tmp_path / "a.csv", lines))


def test_times_that_fall_are_refused_and_repeats_reported(tmp_path):
    lines = _lines(made.anymaze())
    lines[20] = "0:00:00.100" + lines[20][11:]
    with pytest.raises(InputError, match=r"a.csv, row 21: the time falls; found 0.1 s after 1.44 s"):
        read_tracks_file(_write(tmp_path / "a.csv", lines))
    lines = _lines(made.anymaze())
    lines.insert(20, lines[19])
    result = read_tracks_file(_write(tmp_path / "b.csv", lines))
    assert result.dataset.sizes["time"] == made.N
    assert [(problem.code, problem.where) for problem in result.problems] == [("timestamps_mended", "row 21")]


def test_a_file_that_breaks_off_is_used_up_to_the_damage(tmp_path):
    raw = made.anymaze()
    (tmp_path / "a.csv").write_bytes(raw[: raw.rindex(b",") - 6])
    result = read_tracks_file(tmp_path / "a.csv")
    assert result.dataset.sizes["time"] == made.N - 1
    assert result.dataset.attrs["damage"] == "the file breaks off in row 41"
    assert [problem.code for problem in result.problems] == ["damaged_file"]
    raw = made.dlc_csv()
    (tmp_path / "d.csv").write_bytes(raw[:-80])
    result = read_tracks_file(tmp_path / "d.csv", fps=10)
    assert result.dataset.attrs["damage"].startswith("the file breaks off in line")


def test_a_short_row_in_the_middle_is_refused(tmp_path):
    lines = _lines(made.anymaze())
    lines[9] = lines[9][:-2]
    with pytest.raises(InputError, match=r"row 10: the row is too short; found 5 cells, expected 6"):
        read_tracks_file(_write(tmp_path / "a.csv", lines))
    lines = _lines(made.dlc_csv())
    lines[9] += ",5"
    with pytest.raises(InputError, match=r"line 10: the row is not as long as the header; found 11 cells, expected 10"):
        read_tracks_file(_write(tmp_path / "d.csv", lines))


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("coords,x,y,likelihood", "coords,x,z,likelihood", "unknown coordinates; found z"),
        (
            "bodyparts,Nose,Nose,Nose,Center,Center,Center",
            "bodyparts,Nose,Nose,Nose,Nose,Nose,Nose",
            "a column occurs twice",
        ),
        ("0.99", "7.5", "likelihood is not from 0 to 1"),
        ("\n5,", "\n3,", "frame numbers do not rise"),
        ("\n5,", "\nlabeled-data/a/img5.png,", "not a number|hand labels"),
        ("\n0,", "\nlabeled-data/a/img0.png,", "hand labels of stills, not a track"),
    ],
)
def test_deeplabcut_tables_that_cannot_be_right(tmp_path, old, new, match):
    text = made.dlc_csv().decode().replace("\r\n", "\n")
    assert old in text
    (tmp_path / "d.csv").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=match):
        read_tracks_file(tmp_path / "d.csv", format="deeplabcut-csv", fps=10)


def test_boris_mistakes_are_named(tmp_path):
    text = made.boris_project().decode()
    for old, new, match in [
        ("1.5", '"soon"', "observation 'day 1', event 1: not a time"),
        ('"code": "s"', '"code": "t"', "behaviour that the project does not define"),
        ("{", "[", "format not recognised|not a BORIS project|broken JSON"),
    ]:
        (tmp_path / "b.boris").write_text(text.replace(old, new, 1))
        with pytest.raises(InputError, match=match):
            read_tracks_file(tmp_path / "b.boris", format="boris-project")
    rows = made.boris_aggregated_rows()
    rows[1][8] = "9.0"
    (tmp_path / "b.csv").write_text(made.text(rows, ","))
    with pytest.raises(InputError, match="row 2: start, stop and duration do not fit"):
        read_tracks_file(tmp_path / "b.csv")


def test_states_without_end_are_kept_and_reported(tmp_path):
    (tmp_path / "b.boris").write_bytes(made.boris_project())
    result = read_tracks_file(tmp_path / "b.boris")
    assert result.events["stop_s"].isna().sum() == 1
    assert [problem.code for problem in result.problems] == ["open_event"]
    assert result.events[["behavior", "kind", "start_s", "modifiers"]].values.tolist() == [
        ["p", "point", 2.5, "x"], ["s", "state", 1.5, ""], ["s", "state", 5.0, ""]]  # fmt: skip
    with pytest.raises(InputError, match="holds events, no track"):
        _ = result.dataset


def test_labels_without_end_or_type(tmp_path):
    (tmp_path / "l.csv").write_text(made.text(made.labels_rows(), ";"))
    result = read_tracks_file(tmp_path / "l.csv")
    assert len(result.events) == 2 and result.events["observer"].tolist() == ["Jin", "Oliver"]
    assert [problem.where for problem in result.problems] == ["row 3", "row 4"]


def test_hdf5_parts_that_do_not_fit(tmp_path):
    import h5py

    made.sleap_analysis(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["node_names"]
        file["node_names"] = np.array(["one"], dtype="S")
    with pytest.raises(InputError, match=r"/tracks: tracks have unexpected dimensions; found \(2, 2, 2, 40\)"):
        read_tracks_file(tmp_path / "s.h5")
    made.dlc_h5(tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        del file["df_with_missing/block0_items_level1"]
        file["df_with_missing/block0_items_level1"] = np.array([1, 2, 3])
    with pytest.raises(InputError, match="names are not stored as text"):
        read_tracks_file(tmp_path / "d.h5")


def test_arrays_in_other_files_are_not_followed(tmp_path):
    """A link or an external array could point anywhere on the machine."""
    import h5py

    made.sleap_analysis(tmp_path / "s.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["tracks"] = np.zeros((2, 2, 2, 40))
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["tracks"]
        file["tracks"] = h5py.ExternalLink("other.h5", "/tracks")
    with pytest.raises(InputError, match="a part of the file is missing"):
        read_tracks_file(tmp_path / "s.h5", format="sleap-analysis")


def test_a_sparse_array_larger_than_memory_is_refused(tmp_path):
    import h5py

    made.sleap_analysis(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["tracks"]
        file.create_dataset("tracks", shape=(2, 2, 2, 10**9), chunks=(1, 1, 1, 1000), dtype="f8")
    with pytest.raises(InputError, match="too large"):
        read_tracks_file(tmp_path / "s.h5")


def test_a_library_that_hangs_or_crashes_does_so_in_its_own_process(tmp_path, monkeypatch):
    """Reading that does not end, or ends the process, becomes one plain error."""
    from behavior.readers import hdf5_trial

    made.sleap_analysis(tmp_path / "s.h5")
    monkeypatch.setattr(hdf5_trial, "WALL_S", 0.001)
    with pytest.raises(InputError, match="reading it does not end"):
        read_tracks_file(tmp_path / "s.h5")
    monkeypatch.undo()
    monkeypatch.setattr(hdf5_trial.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="reading it ends the library, status 1"):
        read_tracks_file(tmp_path / "s.h5")


def test_workbook_bombs_are_bounded(tmp_path):
    """Zeros that unpack to gigabytes, a cell in the last corner, a lying size: refused before they are unpacked."""
    raw = made.workbook({"A": made.ethovision_rows()})

    def changed(name: str, change) -> Path:
        path = tmp_path / "bomb.xlsx"
        with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for item in old.namelist():
                new.writestr(item, change(old.read(item)) if item == name else old.read(item))
        return path

    sheet = "xl/worksheets/sheet1.xml"
    with pytest.raises(InputError, match="the workbook is too large"):
        read_workbook(changed(sheet, lambda part: part + b" " * (301 * 1024**2)))
    with pytest.raises(InputError, match="spans too many cells; found 16384 columns"):
        read_workbook(changed(sheet, lambda part: part.replace(b'r="A1"', b'r="XFD1048576"', 1)))
    path = changed(sheet, lambda part: part)
    lying = bytearray(path.read_bytes())
    at = lying.index(b"PK\x01\x02")
    while lying[at + 46 : at + 46 + len(sheet)] != sheet.encode():
        at = lying.index(b"PK\x01\x02", at + 4)
    lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(lying)
    with pytest.raises(InputError, match="the workbook cannot be opened"):
        read_workbook(path)


def test_other_files_are_not_recognised(tmp_path):
    for raw, match in [(b"", "file is empty"), (b"a,b\n1,2\n", "format not recognised.*declare its columns"),
                       (bytes(range(256)) * 20, "format not recognised"), (b"PK\x03\x04 no zip", "cannot be opened")]:  # fmt: skip
        (tmp_path / "x").write_bytes(raw)
        with pytest.raises(InputError, match=match):
            read_tracks_file(tmp_path / "x")
    with pytest.raises(InputError, match="file not found"):
        read_tracks_file(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="no reader is called 'noldus'"):
        read_tracks_file(tmp_path / "x", format="noldus")


_LABELS = ("ethovision utf-16", "ethovision xlsx", "anymaze", "timeofcr2", "deeplabcut 3 rows", "deeplabcut 4 rows", "eztrack",
           "stressaxis table", "boris project", "boris tabular", "boris tabular xlsx", "boris aggregated", "boris no header",
           "dlcanalyzer labels", "declared", "numpy")  # fmt: skip
_HDF5 = ("deeplabcut h5", "sleap analysis", "stressaxis netcdf")


@pytest.mark.slow
def test_damaged_files_give_tracks_or_words(tmp_path):
    """A few damaged files for each reader; the validation tier has 500 each."""
    made_here = seeds(tmp_path)
    for label in (*_LABELS, *_HDF5):
        raws, reader, options, suffix = made_here[label]
        result = fuzz(raws, reader, options, count=40 if label in _LABELS else 6, seed=3, suffix=suffix)
        assert not result["failures"], (label, result["failures"][:3])
        assert result["refused"] > 0


@pytest.mark.validation
def test_five_hundred_damaged_files_each(tmp_path, shared):
    for label, (raws, reader, options, suffix) in seeds(tmp_path, shared).items():
        result = fuzz(raws, reader, options, count=500, seed=1, suffix=suffix)
        assert not result["failures"], (label, result["failures"][:3])
