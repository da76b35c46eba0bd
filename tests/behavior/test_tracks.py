"""The tracks Dataset: one shape, checked, written and read without loss, the same bytes each time."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from behavior.tracks import (
    NOTES,
    copy_tracks,
    frame_durations,
    from_arrays,
    read_tracks,
    tracks_table,
    validate_tracks,
    write_tracks,
)
from core.errors import InputError


def some_tracks(n=20):
    rng = np.random.default_rng(0)
    position = rng.uniform(0, 300, (n, 2, 3))
    position[3] = np.nan
    note = np.zeros(n)
    note[3] = 2
    return from_arrays(
        position, np.arange(n) / 25, fps=25, note=note, area=rng.uniform(900, 1000, n), source_file="/a/b/über 1.mp4"
    )


def test_layout():
    """Dims, coords and attrs are those of the design; the folder of the recording is not stored."""
    tracks = some_tracks()
    assert tracks["position"].dims == ("time", "space", "keypoint", "individual")
    assert list(tracks["keypoint"].values) == ["centre", "nose", "tail_base"]
    assert tracks.attrs["source_file"] == "über 1.mp4"
    assert tracks["confidence"].values[3].max() == 0
    assert list(tracks["note"].attrs["flag_values"]) == list(NOTES)


def test_written_and_read_alike_and_byte_identical(tmp_path):
    """What is read is what was written; writing twice gives the same bytes."""
    tracks = some_tracks()
    digests = []
    for name in ("a.nc", "b.nc"):
        write_tracks(tracks, tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    again = read_tracks(tmp_path / "a.nc")
    assert again.identical(tracks) or again.equals(tracks)
    assert again.attrs["fps"] == 25


def test_a_copy_says_more_and_holds_the_same(tmp_path):
    """Attributes are added, the rest and the original are as they were, and copies are alike to the byte."""
    tracks = some_tracks()
    write_tracks(tracks, tmp_path / "a.nc")
    before = (tmp_path / "a.nc").read_bytes()
    for name in ("b.nc", "c.nc"):
        copy_tracks(tmp_path / "a.nc", tmp_path / name, {"subject": "mü 1", "trial": "target"})
    copied = read_tracks(tmp_path / "b.nc")
    assert (copied.attrs.pop("subject"), copied.attrs.pop("trial")) == ("mü 1", "target")
    xr.testing.assert_identical(copied, read_tracks(tmp_path / "a.nc"))
    assert (tmp_path / "a.nc").read_bytes() == before
    assert (tmp_path / "b.nc").read_bytes() == (tmp_path / "c.nc").read_bytes()


def test_empty_tracks(tmp_path):
    """A recording without frames gives tracks without frames."""
    tracks = from_arrays(np.empty((0, 2, 3)), np.empty(0), fps=25)
    write_tracks(tracks, tmp_path / "a.nc")
    assert len(tracks_table(read_tracks(tmp_path / "a.nc"))) == 0


def test_table_columns():
    """The table has the columns of the design, in order, and words for reasons."""
    table = tracks_table(some_tracks())
    assert table.columns.tolist() == (
        [
            "frame",
            "time_s",
            "x_px",
            "y_px",
            "nose_x_px",
            "nose_y_px",
            "tail_base_x_px",
            "tail_base_y_px",
            "area_px",
            "confidence",
            "note",
        ]
    )
    assert table.loc[3, "note"] == "merged"
    assert np.isnan(table.loc[3, "x_px"])
    assert table.loc[4, "note"] == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_vars("position"), "no position"),
        (lambda t: t.assign_coords(time=t["time"].values[::-1]), "rising"),
        (lambda t: t.assign(confidence=t["confidence"] + 2), "confidence outside"),
        (lambda t: t.assign_attrs(space_unit="inch"), "inch"),
        (lambda t: t.assign_attrs(fps=0.0), "fps"),
        (lambda t: t.assign(position=t["position"] / 0), "infinite"),
    ],
)
def test_faults_are_named(change, message):
    """Each fault of a Dataset is named."""
    with pytest.raises(ValueError, match=message):
        validate_tracks(change(some_tracks()))


def test_files_of_another_kind_are_refused(tmp_path):
    """Missing, damaged and foreign files give the package's error."""
    with pytest.raises(InputError, match="does not exist"):
        read_tracks(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("not a netCDF file")
    with pytest.raises(InputError, match="cannot be read"):
        read_tracks(tmp_path / "text.nc")
    write_tracks(some_tracks(), tmp_path / "a.nc")
    data = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError):
        read_tracks(tmp_path / "cut.nc")
    some_tracks().assign_attrs(format_version=99).to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="another version"):
        read_tracks(tmp_path / "new.nc")


@given(st.lists(st.floats(0.001, 2), min_size=2, max_size=30))
def test_durations_sum_to_the_length(steps):
    """Frame durations are the steps, and the median step for the last."""
    time = np.concatenate([[0.0], np.cumsum(steps)])
    durations = frame_durations(time)
    assert durations.sum() == pytest.approx(time[-1] + np.median(np.diff(time)))
