"""Damaged recordings: each must give tracks that validate, or the package's own error.

``python -m tests.behavior.fuzz_decoder --mutations 500 --out docs/validation/decoder-fuzz.md``

Short clips in several containers are cut off, and their bytes flipped, moved and overwritten; each file is opened and
tracked as a run does it. Batches run in a process of their own, with 1 GB of memory above what its imports take and a
limit of time, so that a crash, a hang or a flood of memory in the decoder's own code is caught as well.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tests.behavior.fuzz_readers import (
    CPU_S,
    MEMORY_BYTES,
    WALL_S,
    _limit,
    edit_header,
    flip_bits,
    move_chunk,
    truncate,
)
from tests.integration.calibration import commit, markdown

FRAMES, SIZE = 32, (96, 128)

#: Ending to encoder and pixel format.
CLIPS = {
    "h264.mp4": ("libx264", "yuv420p"),
    "h264.mkv": ("libx264", "yuv420p"),
    "mpeg4.mp4": ("mpeg4", "yuv420p"),
    "mpeg4.avi": ("mpeg4", "yuv420p"),
    "mjpeg.avi": ("mjpeg", "yuvj420p"),
    "mpeg2.mpg": ("mpeg2video", "yuv420p"),
    "mjpeg.mov": ("mjpeg", "yuvj420p"),
    "wmv2.wmv": ("wmv2", "yuv420p"),
    "ffv1.mkv": ("ffv1", "gray"),
    "mpeg2.ts": ("mpeg2video", "yuv420p"),
}


def picture(number: int) -> np.ndarray:
    """A dark ellipse with a tail that walks over a floor."""
    rng = np.random.default_rng(number)
    drawn = np.full(SIZE, 170.0) + rng.normal(0, 2, SIZE)
    x, y = 25 + 2.4 * number, 48 + 20 * np.sin(number / 5)
    cv2.line(drawn, (round(x), round(y)), (round(x - 22), round(y - 6)), 60, 2)
    cv2.ellipse(drawn, (round(x), round(y)), (12, 6), 10, 0, 360, 40, -1)
    return np.clip(drawn, 0, 255).astype(np.uint8)


def make_clip(path: Path, codec: str, pixels: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "8"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = pixels
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def overwrite(raw: bytes, rng: np.random.Generator) -> bytes:
    """A stretch of zeros, ones or noise, as a failing disk leaves it."""
    data = bytearray(raw)
    start = int(rng.integers(0, len(data)))
    length = int(min(rng.integers(1, 4000), len(data) - start))
    data[start : start + length] = (bytes(length), b"\xff" * length, rng.bytes(length))[int(rng.integers(0, 3))]
    return bytes(data)


def edit_index(raw: bytes, rng: np.random.Generator) -> bytes:
    """Whole numbers near the start or the end, where containers keep sizes, rates and tables, made large or small."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 6))):
        reach = min(len(data) - 4, 1500)
        place = int(rng.integers(0, reach))
        place = place if rng.random() < 0.5 else len(data) - 4 - place
        word = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x01",
                b"\x80\x00\x00\x00", rng.bytes(4))[int(rng.integers(0, 7))]  # fmt: skip
        data[place : place + 4] = word
    return bytes(data)


MUTATIONS = (truncate, flip_bits, edit_header, edit_index, move_chunk, overwrite)


def outcome(path: Path) -> str:
    """``tracked``, ``tracked to the damage``, ``refused``, or what is wrong with what came out."""
    from behavior.region import Region
    from behavior.tracker import track
    from behavior.tracks import validate_tracks
    from behavior.video import open_video
    from core.errors import StressaxisError

    try:
        video = open_video(path, threads=1)
        tracks = track(video, Region())
        validate_tracks(tracks)
    except StressaxisError as error:
        return "refused" if str(error) else "an error without words"
    if tracks.sizes["time"] == 0:
        return "tracks without a frame"
    centre = tracks["position"].sel(keypoint="centre").values[:, :, 0]
    seen = centre[np.isfinite(centre).all(axis=1)]
    info = video.info
    if ((seen < -1) | (seen > (info.width, info.height))).any():
        return "a position outside the picture"
    return "tracked to the damage" if tracks.attrs["damage"] else "tracked"


def _work(raws: list[tuple[str, bytes]], count: int, seed: int, first: int, pipe: Any) -> None:
    import pandas  # noqa: F401
    import xarray  # noqa: F401

    import behavior.tracker  # noqa: F401

    _limit()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, count):
            rng = np.random.default_rng([seed, number])
            label, raw = raws[number % len(raws)]
            mutation = MUTATIONS[number // len(raws) % len(MUTATIONS)]
            pipe.send(("begin", number, mutation.__name__))
            path = Path(folder, f"case.{label}")
            path.write_bytes(mutation(raw, rng))
            signal.setitimer(signal.ITIMER_PROF, CPU_S)
            try:
                said = outcome(path)
            except BaseException as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__}: {str(error)[:120]} at {Path(place.filename).name}:{place.lineno}"
            signal.setitimer(signal.ITIMER_PROF, 0)
            path.unlink()
            pipe.send(("end", number, said))
    pipe.send(("done", count, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


GOOD = ("tracked", "tracked to the damage", "refused")


def fuzz(raws: list[tuple[str, bytes]], *, count: int, seed: int) -> tuple[dict[str, Counter[str]], list[str]]:
    """Counts of outcomes by clip, and the failures as text."""
    context = multiprocessing.get_context("fork")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    failures: list[str] = []
    first = 0
    while first < count:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(raws, count, seed, first, theirs), daemon=True)
        process.start()
        theirs.close()
        name, finished, number = "", False, first
        try:
            while ours.poll(WALL_S):
                kind, number, said = ours.recv()
                label = raws[number % len(raws)][0]
                if kind == "begin":
                    first, name = number + 1, said
                elif kind == "end":
                    counts[label][said if said in GOOD else "failed"] += 1
                    if said not in GOOD:
                        failures.append(f"case {number} ({label}, {name}): {said}")
                else:
                    finished, first = True, count
                    break
            else:
                process.kill()
        except EOFError:
            pass
        process.join()
        if not finished:
            counts[raws[number % len(raws)][0]]["failed"] += 1
            failures.append(f"case {number} ({name}): the process ended with {process.exitcode}")
    return counts, failures


def clips(folder: Path) -> list[tuple[str, bytes]]:
    """The whole clips, by container; each is tracked to its end."""
    made = []
    for label, (codec, pixels) in CLIPS.items():
        path = folder / label
        make_clip(path, codec, pixels)
        if (said := outcome(path)) != "tracked":
            raise AssertionError(f"{label} as written: {said}")
        made.append((label, path.read_bytes()))
    return made


def page(counts: dict[str, Counter[str]], failures: list[str], *, mutations: int, seed: int, cpu_s: float) -> str:
    rows = [[label, *(counts[label][name] for name in (*GOOD, "failed"))] for label in CLIPS]
    rows.append(["all", *(sum(row[place] for row in rows) for place in range(1, 5))])
    told = "\n".join(f"- {line}" for line in failures) or "None."
    return f"""# Damaged recordings

Written by `python -m tests.behavior.fuzz_decoder --mutations {mutations} --seed {seed}` at commit {commit()}; {cpu_s:.0f} s of
processor time. {mutations} files made from clips of {FRAMES} frames in {len(CLIPS)} containers, damaged by
{", ".join(mutation.__name__ for mutation in MUTATIONS)} in turn, opened and tracked as in a run. Right is a track that
validates (of all frames, or up to the damage, which is then stated) or an error in words. Limits: {CPU_S} s of processor
time and {MEMORY_BYTES // 1024**2} MB above the imports for each file.

{markdown(["clip", "tracked", "tracked to the damage", "refused in words", "failed"], rows)}

## Failures

{told}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        counts, failures = fuzz(clips(Path(folder)), count=given.mutations, seed=given.seed)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = time.process_time() - begin + children.ru_utime + children.ru_stime
    text = page(counts, failures, mutations=given.mutations, seed=given.seed, cpu_s=cpu_s)
    if given.out is None:
        print(text)
    else:
        given.out.write_text(text, encoding="utf-8")
    for line in failures:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
