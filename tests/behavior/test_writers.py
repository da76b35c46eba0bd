"""Tracks written for other programs come back the same; NWB and movement are tried where they are installed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from behavior.readers import read_tracks_file
from behavior.tracks import from_arrays, read_tracks, write_tracks
from behavior.writers import movement_form, plain_table, write_movement, write_nwb
from core.errors import InputError
from tests.behavior import track_samples as made


def _tracks(**more):
    position = np.stack([made.walk()] * 3, axis=2)
    return from_arrays(position, np.arange(made.N) / made.FPS, fps=made.FPS, source_file="a.mp4", **more)


@pytest.mark.parametrize("plural", [True, False])
def test_movement_netcdf_comes_back(tmp_path, plural):
    write_movement(_tracks(), tmp_path / "m.nc", plural_dims=plural)
    back = read_tracks_file(tmp_path / "m.nc").dataset
    np.testing.assert_array_equal(back["position"], _tracks()["position"])
    assert back.attrs["fps"] == made.FPS


def test_movement_attributes():
    form = movement_form(_tracks())
    assert form["position"].dims == ("time", "space", "keypoint", "individual")
    assert (form.attrs["ds_type"], form.attrs["time_unit"], form.attrs["fps"]) == ("poses", "seconds", made.FPS)
    frames = movement_form(_tracks(attrs={"time_unit": "frames"}))
    assert frames.attrs["time_unit"] == "frames" and "fps" not in frames.attrs


def test_movement_package_works_on_it(tmp_path):
    """Speed computed by the package itself; before 0.17 its dims are plural."""
    pytest.importorskip("movement")
    import xarray as xr
    from movement.kinematics import compute_velocity

    plural = "keypoints" in __import__("movement.validators.datasets", fromlist=["x"]).ValidPosesInputs.DIM_NAMES
    write_movement(_tracks(), tmp_path / "m.nc", plural_dims=plural)
    with xr.open_dataset(tmp_path / "m.nc", engine="h5netcdf") as opened:
        velocity = compute_velocity(opened["position"].load())
    assert np.isfinite(velocity.to_numpy()[made.SEEN_FROM + 1 :]).all()


def test_tables_are_named_for_their_unit(tmp_path):
    for unit in ("px", "cm"):
        table = plain_table(_tracks(space_unit=unit))
        assert [name for name in table.columns if unit in name] == [
            *(f"{point}{axis}_{unit}" for point in ("", "nose_", "tail_base_") for axis in "xy"), f"area_{unit}"]  # fmt: skip
        table.to_csv(tmp_path / "t.csv", index=False)
        back = read_tracks_file(tmp_path / "t.csv").dataset
        assert back.attrs["space_unit"] == unit
        np.testing.assert_array_equal(back["position"], _tracks()["position"])
    with pytest.raises(InputError, match="frame numbers"):
        plain_table(_tracks(attrs={"time_unit": "frames"}))


def test_zones_and_header_survive_netcdf(tmp_path):
    (tmp_path / "t.txt").write_bytes(made.timeofcr2())
    tracks = read_tracks_file(tmp_path / "t.txt").dataset
    write_tracks(tracks, tmp_path / "t.nc")
    back = read_tracks(tmp_path / "t.nc")
    np.testing.assert_array_equal(back["in_zone"], tracks["in_zone"])
    assert list(back["zone"].to_numpy()) == ["Center", "SubROI1"] and back.attrs["header"] == tracks.attrs["header"]


def test_nwb_needs_its_packages_a_time_zone_and_seconds(tmp_path):
    start = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
    try:
        import ndx_pose  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match="pip install pynwb ndx-pose"):
            write_nwb(_tracks(), tmp_path / "a.nwb", session_start=start, subject="m1")
        return
    with pytest.raises(InputError, match="no time zone"):
        write_nwb(_tracks(), tmp_path / "a.nwb", session_start=start.replace(tzinfo=None), subject="m1")
    with pytest.raises(InputError, match="frame numbers"):
        write_nwb(_tracks(attrs={"time_unit": "frames"}), tmp_path / "a.nwb", session_start=start, subject="m1")


def test_nwb_comes_back_through_pynwb(tmp_path):
    pytest.importorskip("ndx_pose")
    pynwb = pytest.importorskip("pynwb")
    tracks = _tracks()
    write_nwb(
        tracks,
        tmp_path / "a.nwb",
        session_start=dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC),
        subject="007",
        sex="M",
        age="P8W",
    )
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r", load_namespaces=True) as stream:
        session = stream.read()
        series = session.processing["behavior"]["PoseEstimation"]["nose"]
        np.testing.assert_array_equal(series.data[:], tracks["position"].sel(keypoint="nose").isel(individual=0))
        np.testing.assert_array_equal(series.timestamps[:], tracks["time"])
        assert series.unit == "pixels" and session.subject.subject_id == "007"
    assert not pynwb.validate(path=str(tmp_path / "a.nwb"))
