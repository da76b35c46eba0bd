"""Speed of the whole tracking pipeline as a ratio to pure decoding of the same file in the same run.

    python benchmarks/tracking.py VIDEO [VIDEO ...] [--frames 10000] [--repeats 5]

Pure decoding: PyAV, luma plane as a view, AUTO threads, deblocking on. The file is looped until the frames are reached;
what the scene is learned with at the start is timed apart. One core: one decoder thread on both sides, CPU seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from behavior.follower import Follower
from behavior.opencv_threads import one_opencv_thread
from behavior.region import Region
from behavior.scene import learn_scene
from behavior.tracker import SAMPLES
from behavior.video import Video, open_video


def decode_only(path: str, frames: int, threads: int | None) -> None:
    import av

    done = 0
    while done < frames:
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "SLICE" if threads == 1 else "AUTO"
            if threads is not None:
                stream.codec_context.thread_count = threads
            for picture in container.decode(stream):
                plane = picture.planes[0]
                np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : picture.width]
                done += 1
                if done >= frames:
                    return


def looped(video: Video, frames: int, *, ahead: bool = True) -> Iterator[tuple[float, np.ndarray]]:
    done, start_s = 0, 0.0
    while done < frames:
        last_s = 0.0
        for frame in video.frames(deblock=False, ahead=ahead):
            last_s = frame.time_s
            yield start_s + last_s, frame.luma
            done += 1
            if done >= frames:
                return
        start_s += last_s + 1 / video.info.fps


def track_only(video: Video, follower: Follower, frames: int, *, ahead: bool) -> None:
    with one_opencv_thread():
        for time_s, luma in looped(video, frames, ahead=ahead):
            follower.look(luma, time_s)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(path: str, frames: int, repeats: int, threads: int | None) -> None:
    video = open_video(path, threads=threads)
    start = time.perf_counter()
    scene = learn_scene([frame.luma for frame in video.samples(SAMPLES)], Region())
    started_s = time.perf_counter() - start
    if scene is None:
        raise SystemExit(f"{path}: nothing to track")
    pure, ours = [], []
    for _ in range(repeats):
        pure.append(timed(lambda: decode_only(path, frames, threads)))
        ahead = threads is None
        ours.append(timed(lambda ahead=ahead: track_only(video, Follower(scene, follow=True), frames, ahead=ahead)))
    wall = np.array([a[0] / b[0] for a, b in zip(pure, ours, strict=True)])
    cpu = np.array([b[1] / a[1] for a, b in zip(pure, ours, strict=True)])
    fps = [frames / np.median([row[0] for row in rows]) for rows in (pure, ours)]
    ms = [1e3 * np.median([row[1] for row in rows]) / frames for rows in (pure, ours)]
    print(
        f"{Path(path).name}, {'all cores' if threads is None else 'one decoder thread'}, {frames} frames x {repeats}: "
        f"decoding {fps[0]:.0f} fps, {ms[0]:.3f} ms CPU a frame; tracking {fps[1]:.0f} fps, {ms[1]:.3f} ms CPU; "
        f"speed ratio {np.median(wall):.3f} ({wall.min():.3f} to {wall.max():.3f}), "
        f"CPU ratio {np.median(cpu):.2f} ({cpu.min():.2f} to {cpu.max():.2f}); start-up {started_s:.2f} s",
        flush=True,
    )


def peak_memory(path: str, minutes: float) -> None:
    """Peak resident memory of this process after so many minutes of the recording, looped, rows kept as by track."""
    import resource
    from array import array

    import cv2

    cv2.setNumThreads(1)
    video = open_video(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    scene = learn_scene([frame.luma for frame in video.samples(SAMPLES)], Region())
    if scene is None:
        raise SystemExit(f"{path}: nothing to track")
    follower, rows = Follower(scene, follow=True), array("f")
    for time_s, luma in looped(video, int(minutes * 60 * video.info.fps)):
        rows.extend(follower.look(luma, time_s))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{Path(path).name}, {minutes:g} min: peak {after:.0f} MB, {after - before:.0f} MB above opening the file")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", type=float, metavar="MINUTES", help="measure peak memory instead of speed")
    given = parser.parse_args()
    for video_path in given.videos:
        if given.memory:
            peak_memory(video_path, given.memory)
            continue
        for decoder_threads in (None, 1):
            measure(video_path, given.frames, given.repeats, decoder_threads)
