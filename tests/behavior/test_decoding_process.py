"""Decoding beside the caller gives the same frames, whatever happens to the process, and leaves nothing behind."""

from __future__ import annotations

import gc
import itertools
import time
from pathlib import Path

import numpy as np
import pytest

from behavior import decoding_process, video
from behavior.decoding_process import DecodingProcess
from behavior.tracker import track
from behavior.video import open_video
from tests.behavior.test_video import numbered, write

SHAPE = (48, 64)


@pytest.fixture(autouse=True)
def small_memory(tmp_path, monkeypatch):
    """Shared memory where it is seen, of as many pictures as are told at a time, twice; every file is long."""
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(decoding_process, "_MEMORY", str(tmp_path / "memory"))
    monkeypatch.setattr(decoding_process, "_HELD", 1)
    monkeypatch.setattr(video, "_LONG_FRAMES", 1)
    monkeypatch.setattr(video, "usable_cores", lambda: 2)


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "a.mkv"
    write(path, numbered(50, SHAPE))
    return path


def seen(path, *, ahead, threads=None, **part):
    opened = open_video(path, threads=threads)
    frames = [(f.index, f.time_s, f.luma.tobytes()) for f in opened.frames(ahead=ahead, **part)]
    return frames, opened.damage, opened.mended


def memory_left(tmp_path):
    return list((tmp_path / "memory").iterdir())


@pytest.fixture
def processes(monkeypatch):
    """The decoding processes that were begun."""
    begun = []
    begin = DecodingProcess.__init__

    def noted(self, reading):
        begin(self, reading)
        begun.append(self)

    monkeypatch.setattr(DecodingProcess, "__init__", noted)
    return begun


@pytest.mark.parametrize("part", [{}, {"start_s": 0.5, "end_s": 1.33}])
def test_frames_are_the_same(tmp_path, film, processes, part):
    """Numbers, times and pixels, of the whole and of a part, more than the memory holds and no multiple of it."""
    assert seen(film, ahead=True, **part) == seen(film, ahead=False, **part)
    assert [process.failed for process in processes] == [False]
    assert memory_left(tmp_path) == []


def test_frames_of_a_real_recording_are_the_same(shared):
    path = shared / "video" / "box_with_panel" / "DK_745_TEST_1.mp4"
    assert seen(path, ahead=True, end_s=8.0) == seen(path, ahead=False, end_s=8.0)


def test_damage_and_mended_times_are_told(tmp_path, film, processes):
    """A file cut short; and one with a time that is repeated."""
    cut = tmp_path / "cut.avi"
    write(cut, numbered(50, SHAPE), codec="mjpeg", pix_fmt="yuvj420p")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    told = seen(cut, ahead=True)
    assert told == seen(cut, ahead=False)
    assert told[1] is not None
    write(film, numbered(50, SHAPE), times=[k - (k > 20) for k in range(50)])
    told = seen(film, ahead=True)
    assert told == seen(film, ahead=False)
    assert told[2] > 0
    assert [process.failed for process in processes] == [False, False]


@pytest.mark.parametrize("after", [0, 3, 17])
def test_a_killed_process_is_done_without(tmp_path, film, processes, after):
    """What it would have given is decoded here, nothing is given twice."""
    frames = open_video(film).frames(ahead=True)
    given = [(f.index, f.luma.tobytes()) for f in itertools.islice(frames, after)]
    begun = processes[0]
    begun._close.peek()[2][0].kill()
    given += [(f.index, f.luma.tobytes()) for f in frames]
    assert given == [(index, luma) for index, _, luma in seen(film, ahead=False)[0]]
    assert begun.failed
    assert memory_left(tmp_path) == []


def test_a_process_that_cannot_work_is_done_without(film, processes, monkeypatch):
    monkeypatch.setattr(decoding_process.sys, "executable", "/bin/false")
    assert seen(film, ahead=True) == seen(film, ahead=False)
    assert processes[0].failed


def test_no_process_or_no_memory_is_done_without(film, processes, monkeypatch):
    expected = seen(film, ahead=False)
    monkeypatch.setattr(decoding_process.sys, "executable", "/nowhere/python")
    assert seen(film, ahead=True) == expected
    monkeypatch.setattr(decoding_process.os, "posix_fallocate", lambda *given: (_ for _ in ()).throw(OSError(28)))
    assert seen(film, ahead=True) == expected
    assert processes == []


@pytest.mark.parametrize("asked", [0, 5])
def test_who_leaves_early_leaves_nothing_behind(tmp_path, film, processes, asked):
    """Also where no frame was ever asked for."""
    frames = open_video(film).frames(ahead=True)
    list(itertools.islice(frames, asked))
    process = processes.pop()._close.peek()[2][0]
    del frames
    gc.collect()
    assert process.poll() is not None
    assert memory_left(tmp_path) == []


def test_the_memory_has_no_name_while_it_is_used(tmp_path, film):
    """So that nothing is left of a run that was killed."""
    frames = open_video(film).frames(ahead=True)
    next(frames)
    assert memory_left(tmp_path) == []
    frames.close()


def test_not_where_it_gains_nothing(film, processes, monkeypatch):
    """One thread asked for; a short file, or a short part; large pictures; one core."""
    seen(film, ahead=True, threads=1)
    monkeypatch.setattr(video, "_LONG_FRAMES", 51)
    seen(film, ahead=True)
    monkeypatch.setattr(video, "_LONG_FRAMES", 30)
    seen(film, ahead=True, start_s=1.0)
    monkeypatch.setattr(video, "_ONE_PROCESS_PX", SHAPE[0] * SHAPE[1] - 1)
    seen(film, ahead=True)
    monkeypatch.setattr(video, "_ONE_PROCESS_PX", SHAPE[0] * SHAPE[1])
    monkeypatch.setattr(video, "usable_cores", lambda: 1)
    seen(film, ahead=True)
    assert processes == []


def test_tracks_are_the_same(tmp_path, processes):
    """At full resolution, where what is kept of a picture could be part of the shared memory."""
    rng = np.random.default_rng(0)
    made = np.clip(rng.normal(180, 3, (60, 96, 128)), 0, 255).astype(np.uint8)
    for k in range(60):
        made[k, 30:42, 10 + k : 38 + k] = 40
    path = tmp_path / "mouse.mkv"
    write(path, list(made))
    beside, alone = (track(open_video(path, threads=threads)) for threads in (None, 1))
    assert np.isfinite(alone["position"]).all()
    assert beside.identical(alone)
    assert len(processes) == 1


def test_a_file_that_goes_away_is_told_as_ever(film, processes):
    opened = open_video(film)
    film.unlink()
    with pytest.raises(Exception, match=r"not found|does not exist|cannot be") as told:
        list(opened.frames(ahead=False))
    with pytest.raises(type(told.value)):
        list(opened.frames(ahead=True))
    assert processes[0].failed


def test_files_of_the_current_folder_are_not_run(tmp_path, film, processes, monkeypatch):
    """A folder of data may hold anything."""
    bait = tmp_path / "data"
    bait.mkdir()
    (bait / "json.py").write_text("import pathlib; pathlib.Path('ran').touch()\n")
    monkeypatch.chdir(bait)
    monkeypatch.setattr(decoding_process.sys, "path", [path for path in decoding_process.sys.path if path])
    monkeypatch.syspath_prepend(str(Path(video.__file__).parents[1]))
    assert seen(film, ahead=True) == seen(film, ahead=False)
    assert not processes[0].failed
    assert not (bait / "ran").exists()


def test_a_slow_caller_gets_each_picture_whole(film):
    """Pictures stay as they are until the next is asked for, however far the process could be."""
    expected = [luma for _, _, luma in seen(film, ahead=False)[0]]
    for k, frame in enumerate(open_video(film).frames(ahead=True)):
        if k % 11 == 0:
            time.sleep(0.02)
        assert frame.luma.tobytes() == expected[k]
