"""Long NPX of many rows beside a single-threaded pyarrow read of the same columns: seconds and peak memory.

    python -m benchmarks.long_table [SAMPLES]

Each sample has 5,400 assays, so 9,260 samples make 50 million rows (7 GB of csv in the temporary folder).
Prints a table in Markdown; every reading runs in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

N_ASSAYS = 5400
COLUMNS = ["SampleID", "SampleType", "WellID", "PlateID", "OlinkID", "UniProt", "Assay", "AssayType", "Panel", "NPX",
           "LOD", "SampleQC", "AssayQC"]  # fmt: skip


def write(folder: Path, n_samples: int) -> None:
    """The same rows as csv and Parquet, in the vocabulary of Explore HT."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    names = {"OlinkID": "OID4{:04d}", "UniProt": "P{:05d}", "Assay": "GENE{}"}
    labels = {name: np.array([text.format(k) for k in range(N_ASSAYS)]) for name, text in names.items()}
    limits = np.round(np.linspace(-2, 1, N_ASSAYS), 6)
    writers: list[Any] = []
    for start in range(0, n_samples, 20):
        size = min(20, n_samples - start)
        sample, assay = np.repeat(np.arange(start, start + size), N_ASSAYS), np.tile(np.arange(N_ASSAYS), size)
        constant = {
            "SampleType": "SAMPLE",
            "AssayType": "assay",
            "Panel": "Explore_HT",
            "SampleQC": "PASS",
            "AssayQC": "PASS",
        }
        columns = {name: np.full(len(sample), text) for name, text in constant.items()}
        columns |= {name: text[assay] for name, text in labels.items()}
        columns |= {
            "SampleID": np.char.add("S", sample.astype(str)),
            "WellID": np.char.add("A", (sample % 12 + 1).astype(str)),
            "PlateID": np.char.add("Plate_", (sample // 80).astype(str)),
            "NPX": rng.normal(size=len(sample)),
            "LOD": limits[assay],
        }
        table = pa.table({name: columns[name] for name in COLUMNS})
        if not writers:
            writers = [
                csv.CSVWriter(folder / "long.csv", table.schema),
                parquet.ParquetWriter(folder / "long.parquet", table.schema),
            ]
        for writer in writers:
            writer.write_table(table)
    for writer in writers:
        writer.close()


def read(who: str, path: Path) -> None:
    """Read once and print seconds of processor time and peak memory in MB."""
    start = time.process_time()
    if who == "stressaxis":
        from proteomics.readers import read_serum

        read_serum(path)
    else:
        import pyarrow as pa
        from pyarrow import csv, parquet

        pa.set_cpu_count(1)
        if path.suffix == ".csv":
            options = csv.ReadOptions(use_threads=False)
            csv.read_csv(path, read_options=options, convert_options=csv.ConvertOptions(include_columns=COLUMNS))
        else:
            parquet.read_table(path, columns=COLUMNS, use_threads=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(time.process_time() - start, peak)


def main(n_samples: int) -> None:
    print(f"{n_samples * N_ASSAYS:,} rows, processor time of one process\n")
    print(
        "| file | pyarrow s | stressaxis s | ratio of speed | pyarrow MB | stressaxis MB |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), n_samples)
        for name in ("long.csv", "long.parquet"):
            taken = {}
            for who in ("pyarrow", "stressaxis"):
                command = [sys.executable, "-m", "benchmarks.long_table", "--read", who, str(Path(folder) / name)]
                seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                taken[who] = (float(seconds), int(peak))
            (theirs, their_peak), (ours, our_peak) = taken["pyarrow"], taken["stressaxis"]
            print(f"| {name} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.2f} | {their_peak} | {our_peak} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
