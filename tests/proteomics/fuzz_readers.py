"""What a damaged serum table does to its reader: read, refused in words, or failed.

python -m tests.proteomics.fuzz_readers --count 500 --out docs/validation/proteomics-readers-fuzz.md

A failure is anything but a checked table or an error of our own that names the file.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np

from core.errors import StressaxisError
from core.workbooks import read_workbook
from proteomics.abundance import validate_abundance
from proteomics.readers import read_serum
from tests.integration.calibration import commit, markdown

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "proteomics"

#: Reader -> a real file, and how many of its bytes are enough.
SEEDS = {
    "olink-long": ("olink_target96_covid_serum/serum_npx_level.csv", 12_000),
    "long-table": ("olink_target96_covid_serum/serum_npx_level.csv", 12_000),
    "olink-wide": ("olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv", None),
    "xponent": ("luminex_xponent_plates/CovidOISExPONTENT_CO_with_holes.csv", None),
    "intelliflex": ("luminex_xponent_plates/random_intelliflex.csv", None),
    "msd-workbench": ("msd_and_intelliflex/msd_workbench_test_2.csv", None),
    "msd-signals": ("msd_and_intelliflex/RP2_raw.txt", None),
    "wide-matrix": ("serum_psychiatric_immunoassay/male_centre1.csv", None),
    "maxquant": ("alphapeptstats_testfiles/synthetic__preprocessing_pentests.csv", None),
    "diann-matrix": ("alphapeptstats_testfiles/diann__report_final.pg_matrix.tsv", None),
    "diann-report": ("diann_report/diann_report.tsv", 40_000),
    "spectronaut": ("spectronaut/spectronaut_normal.tsv", 30_000),
    "fragpipe": ("alphapeptstats_testfiles/fragpipe__combined_proteins.tsv", None),
    "alphapept": ("alphapeptstats_testfiles/alphapept__results_proteins.csv", 4_000),
    "somascan": ("somascan_adat/single_sample.adat", None),
    "bioplex": ("luminex_bioplex_oor/synthetic_bioplex.xlsx", None),
    "bioplex-xml": ("msd_and_intelliflex/bio-rad_bio-plex_manager_example_01.xml", None),
    "prostar": ("prometis_mouse_plasma/RAW_Plasma_proteomics_Toulouse_Prostar_imputation_stat_PX_092021.xlsx", None),
}

#: Injuries of a packed workbook seldom get beyond the packing: the cells are injured, then packed again.
WORKBOOKS = ("bioplex", "prostar")
_SHEET = "===sheet==="
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def mutate(raw: bytes, rng: random.Random) -> bytes:
    """One to three random injuries of the kinds that files suffer."""
    for _ in range(rng.randint(1, 3)):
        lines = raw.split(b"\n")
        at = rng.randrange(len(lines))
        kind = rng.randrange(10)
        if kind == 0:
            raw = raw[: rng.randrange(len(raw) + 1)]
        elif kind == 1:
            del lines[at]
            raw = b"\n".join(lines)
        elif kind == 2:
            raw = b"\n".join([*lines[:at], lines[at], *lines[at:]])
        elif kind == 3:
            place = rng.randrange(len(raw) + 1)
            raw = raw[:place] + bytes(rng.randrange(256) for _ in range(rng.randint(1, 6))) + raw[place:]
        elif kind == 4:
            cells = re.split(b"([,;\t])", lines[at])
            cells[rng.randrange(len(cells))] = rng.choice(
                [b"", b"high", b"-5", b"1e999", b"NaN", b"OOR <", b"<", b"#NUM!", b"0", "é".encode("latin-1")]
            )
            lines[at] = b"".join(cells)
            raw = b"\n".join(lines)
        elif kind == 5:
            rng.shuffle(lines)
            raw = b"\n".join(lines)
        elif kind == 6:
            raw = raw.replace(b",", b";") if rng.random() < 0.5 else raw.replace(b".", b",")
        elif kind == 7:
            raw = raw.replace(b"\n", b"\r\n")
        elif kind == 8:
            start = rng.randrange(len(raw) + 1)
            raw = raw[:start] + raw[start + rng.randint(1, 200) :]
        else:
            raw = b"\xef\xbb\xbf" + raw + rng.choice([b"", b'"', b"\n\n", b"\x00"])
    return raw


def seed_bytes(name: str) -> bytes:
    """The file that is injured, cut to a size that can be read hundreds of times; a workbook as text."""
    place, size = SEEDS[name]
    raw = (SHARED / place).read_bytes()
    if name in WORKBOOKS:
        sheets = read_workbook(SHARED / place, first_rows=12).values()
        raw = f"\n{_SHEET}\n".join("\n".join("\t".join(row) for row in rows) for rows in sheets).encode()
    if name == "long-table":
        header = b"mouse,person,UniProt,gene,analyte,level,Panel,Index"
        raw = b"# unit: NPX\n" + header + raw[raw.index(b"\n") :]
    if name == "somascan":
        raw = b"\n".join(b"\t".join(line.split(b"\t")[:70]) for line in raw.splitlines())
    return raw if size is None else raw[: raw.rfind(b"\n", 0, size) + 1]


def packed(text: bytes) -> bytes:
    """Sheets of text as a workbook; numbers become numbers."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for number, sheet in enumerate(text.decode("utf-8", errors="replace").split(f"\n{_SHEET}\n")):
        page = book.create_sheet(f"sheet {number + 1}")
        for line in sheet.splitlines():
            page.append([_cell(cell) for cell in line.split("\t")[:400]])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _cell(text: str) -> str | float | None:
    try:
        number = float(text)
    except ValueError:
        # A text that begins with = would be written as a formula.
        return _CONTROL.sub("", text).lstrip("=")[:30_000] or None
    return number if np.isfinite(number) else text


def outcome(path: Path, reader: str) -> str:
    """``read``, ``refused``, or what went wrong."""
    try:
        dataset = read_serum(path, format=reader).dataset
        validate_abundance(dataset)
    except StressaxisError as error:
        return "refused" if path.name in str(error) else f"no file named: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error} ({traceback.extract_tb(error.__traceback__)[-1].name})"
    return "infinite values" if np.isinf(dataset["abundance"].values).any() else "read"


def fuzz(name: str, times: int, folder: Path, seed: int) -> Counter[str]:
    """Outcomes of so many injured files; every second one is recognised by its content, the others by name."""
    rng, raw = random.Random(seed), seed_bytes(name)
    pack: Callable[[bytes], bytes] = packed if name in WORKBOOKS else bytes
    path = folder / "mutant"
    found: Counter[str] = Counter()
    for number in range(times):
        path.write_bytes(pack(mutate(raw, rng)))
        found[outcome(path, ("auto", name)[number % 2])] += 1
    return found


def _in_a_folder(name: str, times: int, seed: int) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(name, times, Path(folder), seed)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows, failures = [], []
    with ProcessPoolExecutor(given.workers) as pool:
        outcomes = pool.map(_in_a_folder, sorted(SEEDS), repeat(given.count), repeat(given.seed))
        for name, found in zip(sorted(SEEDS), outcomes, strict=True):
            bad = {what: number for what, number in found.items() if what not in ("read", "refused")}
            rows.append([name, found["read"], found["refused"], sum(bad.values())])
            failures += [f"- {name}: {number} x {what}" for what, number in bad.items()]
            print(*rows[-1], flush=True)
    told = "\n".join(["", "Failures:", "", *failures, ""]) if failures else ""
    given.out.write_text(
        f"""# Damaged serum tables

Written by `python -m tests.proteomics.fuzz_readers --count {given.count} --seed {given.seed}` at commit {commit()}:
{given.count} files a reader, each a real table with one to three random injuries (cut short, lines lost, doubled or
shuffled, bytes or cells overwritten, separators exchanged, a stretch lost); half recognised by content, half with the
reader named. Workbooks are injured cell by cell and packed again. "Read" means that the table passed its own check.

{markdown(["reader", "read", "refused in words", "failed"], rows)}
{told}""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
