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


def looped(video: Video, frames: int) -> Iterator[tuple[float, np.ndarray]]:
    done, start_s = 0, 0.0
    while done < frames:
        last_s = 0.0
        for frame in video.frames():
            last_s = frame.time_s
            yield start_s + last_s, frame.luma
            done += 1
            if done >= frames:
                return
        start_s += last_s + 1 / video.info.fps


def track_only(video: Video, follower: Follower, frames: int) -> None:
    for time_s, luma in looped(video, frames):
        follower.look(luma, time_s)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(path: str, frames: int, repeats: int) -> None:
    ratios = {"all cores, frames per second": [], "one core, CPU per frame": []}
    for threads, name in ((None, "all cores, frames per second"), (1, "one core, CPU per frame")):
        video = open_video(path, threads=threads)
        start = time.perf_counter()
        scene = learn_scene([frame.luma for frame in video.samples(SAMPLES)], Region())
        started_s = time.perf_counter() - start
        if scene is None:
            raise SystemExit(f"{path}: nothing to track")
        rates = []
        for _ in range(repeats):
            pure = timed(lambda: decode_only(path, frames, threads))
            ours = timed(lambda: track_only(video, Follower(scene, follow=True), frames))
            rates.append((frames / pure[0], frames / ours[0], 1e3 * pure[1] / frames, 1e3 * ours[1] / frames))
            ratios[name].append(pure[0] / ours[0] if threads is None else ours[1] / pure[1])
        pure_fps, our_fps, pure_ms, our_ms = np.median(rates, axis=0)
        print(
            f"{Path(path).name}, {name}: decoding {pure_fps:.0f} fps, {pure_ms:.3f} ms CPU; tracking {our_fps:.0f} fps, "
            f"{our_ms:.3f} ms CPU; ratio median {np.median(ratios[name]):.3f} "
            f"({min(ratios[name]):.3f} to {max(ratios[name]):.3f}); start-up {started_s:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    for video_path in given.videos:
        measure(video_path, given.frames, given.repeats)
