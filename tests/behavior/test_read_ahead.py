"""Reading ahead gives the same items, passes errors on, and leaves no thread behind."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest

from behavior.read_ahead import read_ahead
from behavior.video import open_video
from tests.behavior.test_video import numbered, write


def threads_ahead():
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100])
def test_same_items_in_order(count):
    """Full, partial and no last batches."""
    assert list(read_ahead(iter(range(count)), batch=8)) == list(range(count))
    assert not threads_ahead()


def test_error_comes_after_the_items_before_it():
    """What the iterator raises is raised to the caller, nothing before it is lost."""

    def failing():
        yield from range(5)
        raise ValueError("broken here")

    ahead = read_ahead(failing(), batch=2)
    assert list(itertools.islice(ahead, 5)) == list(range(5))
    with pytest.raises(ValueError, match="broken here"):
        next(ahead)
    assert not threads_ahead()


def test_leaving_early_ends_the_thread_and_closes_the_source():
    """An endless source is closed when the caller stops."""
    closed = []

    def endless():
        try:
            yield from itertools.count()
        finally:
            closed.append(True)

    ahead = read_ahead(endless(), batch=3)
    assert next(ahead) == 0
    ahead.close()
    assert closed == [True]
    assert not threads_ahead()


def test_frames_read_ahead_are_the_same(shared):
    """Numbers, times and pixels do not depend on it, nor does a part of the file."""
    video = open_video(shared / "video" / "box_with_panel" / "DK_745_TEST_1.mp4")
    for part in ({}, {"start_s": 10.0, "end_s": 15.0}):
        plain, ahead = (
            [(f.index, f.time_s, f.luma.tobytes()) for f in itertools.islice(video.frames(**part, ahead=way), 150)]
            for way in (False, True)
        )
        assert plain == ahead


@pytest.mark.parametrize(("threads", "beside"), [(1, 0), (None, 1)])
def test_one_thread_is_one_thread(tmp_path, threads, beside):
    """A file opened for one thread is not decoded in another one, whatever is asked of a reading."""
    path = tmp_path / "a.mkv"
    write(path, numbered(40))
    frames = open_video(path, threads=threads).frames(ahead=True)
    next(frames)
    assert len(threads_ahead()) == beside
    assert sum(1 for _ in frames) == 39


def test_an_error_in_the_callers_work_ends_the_program(tmp_path):
    """Where nobody catches the caller's error Python ends, and does not wait for the thread that stands still then."""
    script = tmp_path / "work.py"
    script.write_text(
        "from behavior.read_ahead import read_ahead\n"
        "def work():\n"
        "    ahead = read_ahead(iter(range(10**6)), batch=2)\n"
        "    for item in ahead:\n"
        "        raise SystemError(f'at {item}')\n"
        "work()\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert ended.returncode == 1
    assert "at 0" in ended.stderr
