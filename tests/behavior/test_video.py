"""Recordings are read at their real times; what is damaged or no video is said, never guessed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from behavior.video import open_video, probe
from core.errors import InputError


def write(path, pictures, *, codec="ffv1", pix_fmt="gray", times=None, rate=25, audio=False, options=None, rotation=0):
    """Write grey pictures; times in ms."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        if audio:
            sound = container.add_stream("aac", rate=16000, layout="mono")
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pix_fmt)
            frame.pts = int(k * 1000 / rate) if times is None else int(times[k])
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            samples.rate = 16000
            container.mux(sound.encode(samples))
            container.mux(sound.encode())
    return path


def numbered(count, shape=(48, 64)):
    """Pictures whose mean brightness tells their number."""
    return [np.full(shape, 20 + 2 * k % 200, np.uint8) for k in range(count)]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.avi", "ffv1", "gray"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mkv", "libx264", "yuvj420p"),
        ("a.mp4", "libx265", "yuv420p"),
    ],
)
def test_codecs_and_pixel_formats_give_the_luma(tmp_path, name, codec, pix_fmt):
    """Every common codec gives the pictures in order, brightness rising as written."""
    video = open_video(write(tmp_path / name, numbered(30), codec=codec, pix_fmt=pix_fmt))
    means = [float(frame.luma.mean()) for frame in video.frames()]
    assert len(means) == 30
    assert video.damage is None
    assert np.corrcoef(means, np.arange(30))[0, 1] > 0.98


def test_odd_sizes(tmp_path):
    """A picture of odd size comes whole."""
    video = open_video(write(tmp_path / "a.avi", numbered(3, (47, 61)), codec="ffv1"))
    assert next(video.frames()).luma.shape == (47, 61)


def test_times_are_those_of_the_file(tmp_path):
    """Uneven times are kept and count from the first frame."""
    times = [500, 540, 620, 1700, 1740]
    video = open_video(write(tmp_path / "a.mkv", numbered(5), times=times))
    assert [frame.time_s for frame in video.frames()] == pytest.approx([0, 0.04, 0.12, 1.2, 1.24])
    assert video.mended == 0


def test_a_file_with_sound_is_read(tmp_path):
    """Sound does not disturb frames, times or length."""
    path = write(tmp_path / "a.mp4", numbered(30), codec="libx264", pix_fmt="yuv420p", audio=True)
    video = open_video(path)
    assert sum(1 for _ in video.frames()) == 30
    assert video.damage is None


def test_rotated_recordings_are_turned(tmp_path):
    """A display rotation in the file turns the frames, so that the picture is as seen."""
    picture = np.zeros((48, 64), np.uint8)
    picture[:10] = 200
    path = write(tmp_path / "a.mp4", [picture] * 5, codec="libx264", pix_fmt="yuv420p", rotation=90)
    info = probe(path)
    assert info.rotation_deg == 90
    assert (info.width, info.height) == (48, 64)
    luma = next(open_video(path).frames()).luma
    assert luma.shape == (64, 48)
    assert luma[:, :8].mean() > 150


@pytest.mark.parametrize("options", [{"g": "12", "bf": "3"}, {"g": "250"}])
def test_seeking_is_exact(tmp_path, options):
    """The part from a start has the same frames, numbers and times as the whole file."""
    path = write(tmp_path / "a.mp4", numbered(90), codec="libx264", pix_fmt="yuv420p", options=options)
    video = open_video(path)
    whole = [(frame.index, frame.time_s, float(frame.luma.mean())) for frame in video.frames()]
    part = [(frame.index, frame.time_s, float(frame.luma.mean())) for frame in video.frames(start_s=2.5, end_s=3.0)]
    assert part == [row for row in whole if 2.5 <= row[1] < 3.0]
    assert len(part) == 12


def test_frames_do_not_depend_on_threads(tmp_path):
    """One decoder thread and many give the same pictures."""
    path = write(tmp_path / "a.mp4", numbered(40), codec="libx264", pix_fmt="yuv420p")
    one, many = ([f.luma.copy() for f in open_video(path, threads=t).frames()] for t in (1, 4))
    assert np.array_equal(one, many)


def test_samples_are_spread_over_the_file(tmp_path):
    """Samples come from all parts of a file with few key frames as well."""
    path = write(tmp_path / "a.mp4", numbered(100), codec="libx264", pix_fmt="yuv420p", options={"g": "1000"})
    times = [frame.time_s for frame in open_video(path).samples(12)]
    assert len(times) >= 6
    assert times[0] < 0.5
    assert times[-1] > 3


def test_repeated_and_falling_times_are_mended():
    """Times always rise; a repeated one adds no time over the run, a restart goes on from where it was."""
    from behavior.video import VideoInfo, _Clock

    info = VideoInfo(
        file="a", width=1, height=1, n_frames=None, fps=10, duration_s=1, codec="x", pixel_format="gray", rotation_deg=0
    )
    clock = _Clock(info, Fraction(1, 1000), 0)
    times = [clock.time_s(pts, k) for k, pts in enumerate([0, 100, 100, 200, 5000, 0, 100])]
    assert times == pytest.approx([0, 0.1, 0.125, 0.2, 5.0, 5.1, 5.2])
    assert clock.mended == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"time,x,y\n0,1,2\n" * 50, "not a video file"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x10\x00mdat" + b"\x07" * 400, "before its index"),
    ],
)
def test_what_is_no_video_is_said(tmp_path, content, message):
    """Missing, empty, renamed and unfinished files each have their own message."""
    path = tmp_path / "räum lich.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        probe(path)
    assert "räum lich.mp4" in str(caught.value)


def test_a_folder_is_no_recording(tmp_path):
    """A folder given as a recording is named as such."""
    with pytest.raises(InputError, match="a folder"):
        open_video(tmp_path)


def test_sound_alone_is_no_recording(tmp_path):
    """A file with sound only has no video to track."""
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        samples.rate = 16000
        container.mux(stream.encode(samples))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="no video"):
        probe(path)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"), [("a.avi", "mjpeg", "yuvj420p"), ("a.mkv", "libx264", "yuv420p")]
)
def test_a_file_cut_short_is_read_up_to_the_cut(tmp_path, name, codec, pix_fmt):
    """Frames before the cut are given; then the damage is stated."""
    noise = np.random.default_rng(0).integers(0, 255, (150, 48, 64), dtype=np.uint8)
    path = write(tmp_path / name, list(noise), codec=codec, pix_fmt=pix_fmt)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    video = open_video(path)
    count = sum(1 for _ in video.frames())
    assert 40 < count < 110
    assert video.damage is not None
    assert any(char.isdigit() for char in video.damage)


@pytest.mark.parametrize("kind", ["zeros", "flips"])
def test_damage_within_never_hangs_or_crashes(tmp_path, kind):
    """Holes and flipped bits end in fewer frames with the place stated, or in the package's own error."""
    noise = np.random.default_rng(1).integers(0, 255, (40, 48, 64), dtype=np.uint8)
    source = write(tmp_path / "a.mp4", list(noise), codec="libx264", pix_fmt="yuv420p").read_bytes()
    for seed in range(15):
        rng = np.random.default_rng(seed)
        data = bytearray(source)
        if kind == "zeros":
            start = int(rng.integers(0, len(data) - 500))
            data[start : start + 500] = bytes(500)
        else:
            for place in rng.integers(0, len(data), 20):
                data[place] ^= 1 << int(rng.integers(8))
        path = Path(tmp_path / f"{kind}{seed}.mp4")
        path.write_bytes(data)
        try:
            video = open_video(path)
            frames = [frame.index for frame in video.frames()]
        except InputError:
            continue
        # Damaged pictures may be left out at the beginning, and all from the first damage on.
        assert frames == list(range(frames[0], frames[0] + len(frames)))
        assert (frames[0] == 0 and len(frames) > 36) or video.damage is not None


def test_real_recordings_open(shared):
    """Each stored recording opens with the size, length and codec that its source states."""
    info = probe(shared / "video" / "box_with_panel" / "DK_745_TEST_1.mp4")
    assert (info.width, info.height, info.n_frames, info.codec) == (320, 240, 1190, "h264")
    assert info.fps == pytest.approx(15)
    assert info.duration_s == pytest.approx(79.33, abs=0.02)


def with_damaged_beginning(tmp_path):
    """A recording whose first picture, and not all of them, the decoder knows to be damaged."""
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 255, (48, 64)).astype(np.uint8) for _ in range(30)]
    whole = write(tmp_path / "a.avi", pictures, codec="mpeg4", pix_fmt="yuv420p", options={"g": "6"})
    raw = whole.read_bytes()
    start = raw.index(b"movi")
    for place in range(start + 40, start + 1500, 30):
        cut = tmp_path / "cut.avi"
        cut.write_bytes(raw[:place] + b"\x11" * 12 + raw[place + 12 :])
        try:
            with av.open(str(cut)) as container:
                corrupt = [frame.is_corrupt for frame in container.decode(video=0)]
        except av.error.FFmpegError:
            continue
        if len(corrupt) == 30 and corrupt[0] and not corrupt[-1]:
            return cut, corrupt
    pytest.skip("this decoder marks no picture as damaged")


def test_damaged_frames_at_the_beginning_are_left_out_and_told(tmp_path):
    path, corrupt = with_damaged_beginning(tmp_path)
    first = corrupt.index(False)
    video = open_video(path, threads=1)
    frames = [(frame.index, frame.time_s) for frame in video.frames()]
    assert frames[0] == (first, pytest.approx(first / 25, abs=1e-3))
    assert video.damage.startswith(f"frames 0 to {first - 1} are damaged and left out")
    assert all(frame.time_s >= frames[0][1] - 1e-6 for frame in video.samples(24))


def test_a_recording_of_damaged_frames_only_is_refused(tmp_path, monkeypatch):
    path, corrupt = with_damaged_beginning(tmp_path)
    monkeypatch.setattr("behavior.video._DAMAGED_AT_MOST", corrupt.index(False) - 1)
    with pytest.raises(InputError, match="its first frames are damaged"):
        open_video(path)


@pytest.mark.parametrize("stated", ["a:b:c", "::", "00:00:x", "1e9:2:3", "00:00:01.0:"])
def test_a_length_that_is_no_length_is_not_known(tmp_path, stated):
    from types import SimpleNamespace

    from behavior.video_file import _duration_s

    stream = SimpleNamespace(duration=None, time_base=None, metadata={"DURATION": stated})
    assert np.isnan(_duration_s(SimpleNamespace(duration=None, streams=[stream]), stream))
    stream.metadata["DURATION"] = "00:02:30.040000000"
    assert _duration_s(SimpleNamespace(duration=None, streams=[stream]), stream) == pytest.approx(150.04)


def test_a_recording_that_goes_away_while_it_is_read_is_told(tmp_path):
    path = write(tmp_path / "a.avi", numbered(20))
    video = open_video(path)
    path.unlink()
    for read in (lambda: video.samples(5), lambda: list(video.frames()), lambda: video.opening(1.0, every_s=0.5)):
        with pytest.raises(InputError, match="the recording does not exist"):
            read()
