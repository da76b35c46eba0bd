"""Damaged files for every track reader: each must give tracks that validate, or the package's own error.

``python tests/behavior/fuzz_readers.py [FILES PER READER] [SEED] > docs/validation/track-readers-fuzz.md``

Each batch runs in a process of its own, with 1 GB of memory above what its imports take and 20 s of CPU a file, so that
a crash, a hang or a flood of memory in a library's own code is caught as well.
"""

from __future__ import annotations

import io
import multiprocessing
import re
import resource
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.behavior.track_samples import write_all

MEMORY_BYTES = 1024**3
CPU_S = 20
WALL_S = 180

Mutation = Callable[[bytes, np.random.Generator], bytes]


def truncate(raw: bytes, rng: np.random.Generator) -> bytes:
    return raw[: int(rng.integers(0, len(raw)))]


def flip_bits(raw: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(raw)
    for place in rng.integers(0, len(data), int(rng.integers(1, 40))):
        data[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(data)


def edit_header(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bytes near the start, where formats keep shapes and names, replaced."""
    data = bytearray(raw)
    start = int(rng.integers(0, max(min(len(data), 2000) - 8, 1)))
    data[start : start + int(rng.integers(1, 9))] = rng.bytes(int(rng.integers(0, 12)))
    return bytes(data)


def move_chunk(raw: bytes, rng: np.random.Generator) -> bytes:
    """A piece cut out, doubled or put elsewhere."""
    a, b, c = sorted(int(place) for place in rng.integers(0, len(raw), 3))
    return (raw[:a] + raw[b:], raw[:b] + raw[a:], raw[:a] + raw[b:c] + raw[a:b] + raw[c:])[int(rng.integers(0, 3))]


def wrong_encoding(raw: bytes, rng: np.random.Generator) -> bytes:
    text = raw.decode("latin-1")
    codec = ("utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-32", "cp500")[int(rng.integers(0, 6))]
    changed = text.encode(codec)
    return changed[: len(changed) - int(rng.integers(0, 2))]


def storm(raw: bytes, rng: np.random.Generator) -> bytes:
    """Numbers replaced by what is no number, or no sane one."""
    words = [b"nan", b"inf", b"-inf", b"1e400", b"-", b"", b"1e308", b"0x10", b"1,5", b"1.2.3", b"99999999999999999999", b"-1",
             b"0", b"\xff", b"True", b"1_0", b"NaN", b"1:2:3:4"]  # fmt: skip
    share = rng.choice([0.002, 0.05, 1.0])

    def swap(match: re.Match[bytes]) -> bytes:
        return words[int(rng.integers(0, len(words)))] if rng.random() < share else match[0]

    return re.sub(rb"\d+\.?\d*", swap, raw)


def marks(raw: bytes, rng: np.random.Generator) -> bytes:
    """Separators, quotes and line ends exchanged."""
    pairs = [
        (b",", b";"),
        (b";", b"\t"),
        (b"\t", b","),
        (b"\r\n", b"\n"),
        (b"\n", b"\r"),
        (b"\n", b""),
        (b",", b'"'),
        (b".", b","),
    ]
    old, new = pairs[int(rng.integers(0, len(pairs)))]
    return raw.replace(old, new, int(rng.choice([-1, 1, 20])))


def inside_zip(raw: bytes, rng: np.random.Generator) -> bytes:
    """One part of a workbook mutated and packed anew, so that checksums are right and the damage is in the XML."""
    if not raw.startswith(b"PK"):
        return flip_bits(raw, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = names[int(rng.integers(0, len(names)))]
        inner = (truncate, flip_bits, edit_header, storm, move_chunk)[int(rng.integers(0, 5))]
        for name in names:
            new.writestr(name, inner(old.read(name), rng) if name == chosen else old.read(name))
    return out.getvalue()


MUTATIONS: tuple[Mutation, ...] = (
    truncate,
    flip_bits,
    edit_header,
    move_chunk,
    wrong_encoding,
    storm,
    marks,
    inside_zip,
)


def outcome(path: Path, reader: str, options: dict[str, Any]) -> str:
    """``read``, ``refused``, or what went wrong."""
    from behavior.events import validate_events
    from behavior.readers import read_tracks_file
    from behavior.tracks import validate_tracks
    from core.errors import StressaxisError

    try:
        result = read_tracks_file(path, format=reader, **options)
        for tracks in result.tracks.values():
            validate_tracks(tracks)
        validate_events(result.events)
    except StressaxisError as error:
        return "refused" if str(error) else "an error without words"
    return "read"


def _limit() -> None:
    status = Path("/proc/self/status").read_text()
    used = int(re.search(r"VmSize:\s*(\d+)", status)[1]) * 1024  # type: ignore[index]
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {CPU_S} s of CPU")

    signal.signal(signal.SIGPROF, stop)


def _work(
    raws: list[bytes], reader: str, options: dict[str, Any], count: int, seed: int, first: int, suffix: str, pipe: Any
) -> None:
    import h5netcdf  # noqa: F401
    import pandas  # noqa: F401
    import python_calamine  # noqa: F401
    import xarray  # noqa: F401

    warnings.simplefilter("error")
    _limit()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"case{suffix}")
        for number in range(first, count):
            rng = np.random.default_rng([seed, number])
            mutation = MUTATIONS[number % len(MUTATIONS)]
            pipe.send(("begin", number, mutation.__name__))
            path.unlink(missing_ok=True)
            path.write_bytes(mutation(raws[int(rng.integers(0, len(raws)))], rng))
            signal.setitimer(signal.ITIMER_PROF, CPU_S)
            try:
                # Half by content, half with the reader named: a damaged head must not be its only protection.
                said = outcome(path, "auto" if reader != "declared" and rng.random() < 0.5 else reader, options)
            except BaseException as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__}: {str(error)[:120]} at {Path(place.filename).name}:{place.lineno}"
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send(("end", number, said))
    pipe.send(("done", count, ""))


def fuzz(
    raws: list[bytes], reader: str, options: dict[str, Any], *, count: int, seed: int = 1, suffix: str = ""
) -> dict[str, Any]:
    """Counts of ``read`` and ``refused``, and the failures as text."""
    context = multiprocessing.get_context("fork")
    counts: Counter[str] = Counter()
    failures: list[str] = []
    first = 0
    while first < count:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(raws, reader, options, count, seed, first, suffix, theirs), daemon=True
        )
        process.start()
        theirs.close()
        name, finished = "", False
        try:
            while ours.poll(WALL_S):
                kind, number, said = ours.recv()
                if kind == "begin":
                    first, name = number + 1, said
                elif kind == "end":
                    counts[said if said in ("read", "refused") else "failed"] += 1
                    if said not in ("read", "refused"):
                        failures.append(f"case {number} ({name}): {said}")
                else:
                    finished, first = True, count
                    break
            else:
                process.kill()
        except EOFError:
            pass
        process.join()
        if not finished:
            counts["failed"] += 1
            failures.append(f"case {first - 1} ({name}): process ended with {process.exitcode}")
    return {"read": counts["read"], "refused": counts["refused"], "failed": counts["failed"], "failures": failures}


def seeds(folder: Path, shared: Path | None = None) -> dict[str, tuple[list[bytes], str, dict[str, Any], str]]:
    """Whole files to damage, by format: those made here, and real ones where they are at hand."""
    real = {
        "anymaze": "mazeswimmer/ANYmaze/Test 482.csv",
        "timeofcr2": "SocialDefeatStressProtocol/SD/MD11_SI_XY.txt",
        "deeplabcut 3 rows": "deepof/single/testDLC_csv_table.csv",
        "deeplabcut 4 rows": "deepof/madlc/testDLC_csv_table_madlc.csv",
        "deeplabcut h5": "deepof/madlc/testDLC_h5_table_madlc.h5",
        "sleap analysis": "deepof/sleap/testDLC_sleap.analysis.h5",
        "boris project": "BORIS/test.boris",
        "boris tabular": "BORIS/test_export_events_tabular.tsv",
        "boris tabular xlsx": "BORIS/test_export_events_tabular.xlsx",
        "boris aggregated": "BORIS/test_export_aggregated_events_test_full_1.tsv",
        "boris no header": "BORIS/test_export_aggregated_events_test_full_3.tsv",
        "dlcanalyzer labels": "DLCAnalyzer/AllFSTLables.csv",
    }
    found = {}
    for label, (path, reader, options) in write_all(folder).items():
        raws = [path.read_bytes()]
        if shared and label in real:
            raws.append((shared / "behavior" / real[label]).read_bytes())
        found[label] = (raws, reader, options, path.suffix)
    if shared:
        found["sleap project"] = (
            [(shared / "behavior/deepof/sleap/testDLC_sleap.slp").read_bytes()],
            "sleap-project",
            {},
            ".slp",
        )
    return found


def main(count: int = 500, seed: int = 1, first: int = 0, last: int | None = None) -> None:
    """Print the table, or only the rows of some formats, so that two processes can share the work."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    if first == 0:
        _print_head(count, seed)
    with tempfile.TemporaryDirectory() as folder:
        chosen = list(seeds(Path(folder), shared if shared.is_dir() else None).items())[first:last]
        for label, (raws, reader, options, suffix) in chosen:
            result = fuzz(raws, reader, options, count=count, seed=seed, suffix=suffix)
            print(f"| {label} | {result['read']} | {result['refused']} | {result['failed']} |", flush=True)
            for line in result["failures"]:
                print(f"{label}: {line}", file=sys.stderr)


def _print_head(count: int, seed: int) -> None:
    print("# Damaged track files\n")
    print(f"Written by `python tests/behavior/fuzz_readers.py {count} {seed}`: {count} files a reader, damaged by")
    print(
        f"{', '.join(mutation.__name__ for mutation in MUTATIONS)} in turn; half recognised by content, half with the reader named."
    )
    print(f"Limits: {CPU_S} s of CPU and {MEMORY_BYTES // 1024**2} MB a file.\n")
    print("| format | read | refused in words | failed |\n| --- | --- | --- | --- |")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:5]))
