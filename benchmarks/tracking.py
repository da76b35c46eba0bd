"""Speed of the whole tracking pipeline as a ratio to pure decoding of the same file in the same run, and its memory.

    python benchmarks/tracking.py VIDEO [VIDEO ...] [--frames 10000] [--repeats 5] [--memory] [--out PAGE.md]

Pure decoding: PyAV, luma plane as a view, AUTO threads, deblocking on. Packets of the file are repeated until there are
enough frames; learning the scene at the start, and the time from opening to the first frame, stand apart (a run of the
program does both at once). One core: one decoder thread on both sides. CPU: of all processes together.
Beside the files given, simulated recordings of 150 s are rendered at 640 x 480 and at 1280 x 720, each twice: by the
simulator's own quick encoder, which sets a low denominator, and at x264's default settings. Their floor and enclosure
are known, as they are in a run, those of the files given are not: there the whole picture is the floor. Memory: 5 to 60
minutes of the first simulated recording, its packets repeated, and larger pictures, each tracked as a run does it,
picture quality included, in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from behavior.follower import Follower
from behavior.opencv_threads import one_opencv_thread
from behavior.region import Region
from behavior.scene import Scene, learn_scene
from behavior.simulation.render import RenderOptions, render_trial
from behavior.track_options import SAMPLES
from behavior.tracker import OPENING_EVERY_S, OPENING_S
from behavior.video import open_video


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
                plane: Any = picture.planes[0]
                np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : picture.width]
                done += 1
                if done >= frames:
                    return


def track_only(path: str, scene: Scene, frames: int, threads: int | None) -> tuple[float, float, float]:
    """Wall and processor s of following the frames behind the first, and s until the first is there."""
    begun, before = time.perf_counter(), processor_s()
    pictures: Any = open_video(path, threads=threads).frames(deblock=False, ahead=True)
    rest = ((frame.luma, frame.time_s) for frame in islice(pictures, frames))
    follower = Follower(scene, follow=True)
    follower.look(*next(rest))
    first = time.perf_counter()
    with one_opencv_thread():
        for _ in follower.follow(rest):
            pass
    wall_s = time.perf_counter() - first
    # Ends a process that decodes; only then is its time known.
    pictures.close()
    return wall_s, processor_s() - before, first - begun


def processor_s() -> float:
    """Of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), processor_s()
    work()
    return time.perf_counter() - wall, processor_s() - cpu


def measure(path: str, name: str, region: Region, frames: int, repeats: int, threads: int | None) -> dict[str, str]:
    """One row of the table: repeats of pure decoding and of tracking, in turn."""
    video = open_video(path, threads=threads)
    start = time.perf_counter()
    samples = [*video.samples(SAMPLES), *video.opening(OPENING_S, every_s=OPENING_EVERY_S)]
    scene = learn_scene([frame.luma for frame in samples], region)
    started_s = time.perf_counter() - start
    if scene is None:
        raise SystemExit(f"{path}: nothing to track")
    pure, ours = [], []
    for _ in range(repeats):
        pure.append(timed(lambda: decode_only(path, frames, threads)))
        ours.append(track_only(path, scene, frames, threads))
    wall = np.array([a[0] / b[0] for a, b in zip(pure, ours, strict=True)])
    cpu = np.array([b[1] / a[1] for a, b in zip(pure, ours, strict=True)])
    fps = [frames / np.median([row[0] for row in rows]) for rows in (pure, ours)]
    return {
        "recording": name,
        "decoder threads": "AUTO" if threads is None else str(threads),
        "decoding, frames/s": f"{fps[0]:.0f}",
        "tracking, frames/s": f"{fps[1]:.0f}",
        "speed, tracking / decoding": f"{np.median(wall):.2f} ({wall.min():.2f} to {wall.max():.2f})",
        "CPU a frame, tracking / decoding": f"{np.median(cpu):.2f} ({cpu.min():.2f} to {cpu.max():.2f})",
        "learning, s": f"{started_s:.2f}",
        "first frame after, s": f"{np.median([row[2] for row in ours]):.2f}",
    }


def simulated(folder: Path) -> list[tuple[str, str, Region]]:
    """Paths, names and regions of the simulated recordings."""
    camera = (("preset", "medium"), ("crf", "23"))
    made = []
    for width, height, codec in ((640, 480, None), (640, 480, camera), (1280, 720, None), (1280, 720, camera)):
        path = folder / f"simulated-{width}-{'quick' if codec is None else 'medium'}.mp4"
        options = RenderOptions(width_px=width, height_px=height, target=True)
        options = options if codec is None else replace(options, codec_options=codec)
        truth = render_trial(path, options=options, seed=1)
        encoder = "quick encoder" if codec is None else "x264 medium"
        region = Region(floor_px=truth.corners_px, enclosure_px=truth.enclosure_px)
        made.append((str(path), f"simulated, {width} x {height}, {encoder}", region))
    return made


def repeat_packets(source: str, target: Path, minutes: float) -> None:
    """The recording again and again in one file, nothing encoded anew."""
    import av

    with av.open(str(target), "w") as out:
        stream, offset, done_s = None, 0, 0.0
        while done_s < 60 * minutes:
            with av.open(source) as container:
                video = container.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                end = offset
                packet: Any
                for packet in container.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + offset, packet.dts + offset, stream
                    end = max(end, packet.pts + packet.duration)
                    out.mux(packet)
                offset, done_s = end, float(end * (video.time_base or 1))


# Not getrusage: its peak begins with that of the process that started this one.
_PEAK = """
import re, sys
import cv2, h5netcdf, pandas, xarray
from behavior.picture_watch import WatchedVideo
from behavior.tracker import track
from behavior.video import open_video
def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
imports = peak_mb()
video = WatchedVideo(open_video(sys.argv[1], threads=1), None)
tracks = track(video, None)
video.looks()
print(tracks.sizes["time"], peak_mb(), peak_mb() - imports)
"""

#: Width, height and minutes of the recordings whose memory is measured.
_SIZES = ((640, 480, 5), (640, 480, 10), (640, 480, 40), (640, 480, 60), (1280, 720, 10), (3840, 2160, 2))


def peak_memory(folder: Path, repeats: int) -> list[str]:
    """Peak resident memory of a process that tracks recordings of several sizes and lengths, in turn."""
    peaks: dict[tuple[int, int, int], list[tuple[float, float]]] = {size: [] for size in _SIZES}
    for width, height, minutes in _SIZES:
        once = folder / f"{width}.mp4"
        if not once.exists():
            options = RenderOptions(width_px=width, height_px=height, target=True, window_s=60 if width > 2000 else 150)
            render_trial(once, options=options, seed=1)
        repeat_packets(str(once), folder / f"{width}-{minutes}.mp4", minutes)
    for _ in range(repeats):
        for (width, _, minutes), seen in peaks.items():
            command = [sys.executable, "-c", _PEAK, str(folder / f"{width}-{minutes}.mp4")]
            said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
            _, peak_mb, above_mb = said.stdout.split()
            seen.append((float(peak_mb), float(above_mb)))
    whole = {size: np.median([row[0] for row in seen]) for size, seen in peaks.items()}
    above = {size: np.median([row[1] for row in seen]) for size, seen in peaks.items()}
    rows = [f"| {s[0]} x {s[1]} | {s[2]} | {whole[s]:.0f} | {above[s]:.0f} |" for s in _SIZES]
    more = 100 * (whole[640, 480, 40] / whole[640, 480, 10] - 1)
    return [
        "\n## Peak memory of a process that tracks\n",
        f"Median of {repeats} runs, picture quality included. Forty minutes need {more:.1f} % more than ten.\n",
        "| px | minutes | peak, MB | above the imports, MB |\n|---|---|---|---|",
        *rows,
    ]


def markdown(rows: list[dict[str, str]]) -> list[str]:
    return ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])] + [
        "| " + " | ".join(row.values()) + " |" for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="measure peak memory, too")
    parser.add_argument("--out", type=Path, help="page to write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder))
        rows: list[dict[str, str]] = []
        for path, name, region in [*((path, Path(path).name, Region()) for path in given.videos), *made]:
            long = Path(folder) / f"long-{len(rows)}{Path(path).suffix}"
            repeat_packets(path, long, 1.02 * given.frames / open_video(path).info.fps / 60)
            for threads in (None, 1):
                rows.append(measure(str(long), name, region, given.frames, given.repeats, threads))
                print(*rows[-1].values(), sep=", ", flush=True)
            long.unlink()
        page = [
            "# Tracking: speed and memory\n",
            f"Written by `python benchmarks/tracking.py`, {given.frames} frames x {given.repeats}, median and range, "
            f"on {os.cpu_count()} cores of {platform.machine()}; load of the machine {os.getloadavg()[0]:.1f}. Floor "
            "and enclosure of simulated recordings are known, as in a run; of others the whole picture is the floor.\n",
            *markdown(rows),
            *(peak_memory(Path(folder), given.repeats) if given.memory else []),
        ]
    text = "\n".join(page) + "\n"
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
