"""What every file of a folder of real tables does when it is read: one row each, as a Markdown table.

``python tests/proteomics/survey_readers.py FOLDER > docs/validation/proteomics-readers.md``
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from proteomics.readers import read_serum
from proteomics.readers.bioplex import read_bioplex_plate
from proteomics.readers.cells import Mark, parse_cells
from proteomics.readers.companions import read_limits, read_marker_lists, read_sample_sheet, read_standards
from proteomics.readers.plate_layout import read_plate_layout
from proteomics.readers.xponent import read_xponent_plate
from proteomics.standard_curves import fit_plate

#: What a file does not say itself, by the end of its path.
OPTIONS: dict[str, dict[str, Any]] = {
    "Mouse_DBS_Batch_1_abspqn2_data_230127_wo_plasma_control.csv": {"unit": "NPX", "species": "mouse"},
    "luminex_mouse_wild_vs_lab/original.csv": {"species": "mouse"},
    "prometis_mouse_plasma/dataMatrix.tsv": {"unit": "log2", "species": "mouse"},
}

#: Files that are read by something else than ``read_serum``.
COMPANIONS: dict[str, Any] = {
    "serum_sample_level.csv": read_sample_sheet,
    "manifest.csv": read_sample_sheet,
    "npx_data1_meta.csv": read_sample_sheet,
    "dbs_mouse_sample_information.xlsx": read_sample_sheet,
    "reference_samples_input.csv": read_sample_sheet,
    "sample_info.xlsx": read_sample_sheet,
    "pyproteomics_metadata.csv": read_sample_sheet,
    "exp_design_p10_0144.txt": read_sample_sheet,
    "experimental_design_example_feb19.txt": read_sample_sheet,
    "metadata_MaxQuant.tsv": read_sample_sheet,
    "UbiLength_ExpDesign.csv": read_sample_sheet,
    "sampleMetadata.tsv": read_sample_sheet,
    "variableMetadata.tsv": read_sample_sheet,
    "alphapept__metadata.csv": read_sample_sheet,
    "diann__metadata.xlsx": read_sample_sheet,
    "fragpipe__metadata.xlsx": read_sample_sheet,
    "synthetic__preprocessing_pentests_metadata.csv": read_sample_sheet,
    "spectronaut/metadata.xlsx": read_sample_sheet,
    "ref3panels.csv": read_limits,
    "Marker List.xlsx": read_marker_lists,
    "contaminations.txt": read_marker_lists,
    "Standards_conc_K15659U.txt": read_standards,
}

#: Files that must be refused.
REFUSED = (
    r"\.rda$", r"\.RData$", r"random_broken_colB\.csv$", r"missing_rows\.csv$", r"s_1\.olink_counts\.csv$",
    r"proteins_ttest_diff\.csv$", r"RP2_result\.txt$",
)  # fmt: skip

_NO_TABLES = re.compile(r"/reference|\.R$|\.md$|VERSIONS|limma_timing")


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    file: str
    kind: str
    reader: str
    detail: str


def files(folder: Path) -> list[Path]:
    """All tables below the folder, without reference results and texts."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not _NO_TABLES.search(str(path.relative_to(folder.parent)).replace("reference_samples", "samples"))
    ]


def _ends(path: Path, names: dict[str, Any]) -> Any:
    return next((value for name, value in names.items() if path.as_posix().endswith("/" + name)), None)


def expected_kind(path: Path) -> str:
    """``refused``, ``companion`` or ``read``."""
    if any(re.search(pattern, path.as_posix()) for pattern in REFUSED):
        return "refused"
    return "companion" if "layout" in path.name or _ends(path, COMPANIONS) else "read"


def survey(path: Path, folder: Path) -> Outcome:
    """Read one file in its own way."""
    name = path.relative_to(folder).as_posix()
    companion = read_plate_layout if "layout" in path.name else _ends(path, COMPANIONS)
    try:
        if companion:
            found = companion(path)
            what = "wells" if companion is read_plate_layout else "rows"
            return Outcome(name, "companion", companion.__name__, f"{len(found)} {what}")
        result = read_serum(path, **(_ends(path, OPTIONS) or {}))
    except InputError as error:
        return Outcome(name, "refused", "", f"{error.message}{f' ({error.found})' if error.found else ''}")
    ds = result.dataset
    subjects = int((ds["sample_type"] == "sample").sum())
    parts = [f"{subjects} samples"]
    if ds.sizes["sample"] > subjects:
        parts.append(f"{ds.sizes['sample'] - subjects} controls, standards, blanks")
    parts.append(f"{ds.sizes['protein']} proteins")
    for label, number in (("below LOD", ds["below_lod"].sum()), ("without a number", ds["abundance"].isnull().sum())):
        parts += [f"{int(number)} {label}"] if int(number) else []
    if result.set_apart:
        parts.append(f"{len(result.set_apart)} set apart")
    return Outcome(name, "read", result.reader, ", ".join(parts) + f"; {ds.attrs['unit']}")


def curves(folder: Path) -> list[tuple[str, int, float, float]]:
    """Own concentrations against those that vendors export: file, number, median and 90 % relative difference."""
    plates = (
        (read_xponent_plate(folder / "luminex_xponent_plates/pone.0187901.s001.csv"), "Result"),
        (read_bioplex_plate(folder / "bioplex_manager_oor/plate1_DD_corrected.xls"), "Obs Conc"),
    )
    rows = []
    for plate, quantity in plates:
        sides = []
        for cells in (fit_plate(plate).cells["Result"], plate.cells[quantity]):
            parsed = parse_cells([cell for row in cells for cell in row])
            values = np.where(parsed.marks == Mark.NUMBER, parsed.values, np.nan)
            sides.append(values.reshape(len(plate.wells), len(plate.analytes)))
        standards = plate.standards
        assert standards is not None
        difference = np.abs(sides[0] / sides[1] - 1)[~np.isfinite(standards).any(axis=1)]
        difference = difference[np.isfinite(difference)]
        low, high = np.quantile(difference, [0.5, 0.9])
        rows.append((Path(plate.file).name, difference.size, float(low), float(high)))
    return rows


def main(folder: Path) -> None:
    """Print the tables."""
    print("# What every real serum table does\n")
    print(
        "Written by `python tests/proteomics/survey_readers.py FOLDER`; counts are checked independently in the tests.\n"
    )
    print("| file | outcome | reader | what |\n| --- | --- | --- | --- |")
    for path in files(folder):
        row = survey(path, folder)
        print(f"| {row.file} | {row.kind} | {row.reader} | {row.detail.replace('|', ' ')} |")
    print("\n## Concentrations worked out here against those in the file\n")
    print("Five-parameter logistic, weights 1/y2, unknowns inside the range of both.\n")
    print("| file | cells | median relative difference | 90 % below |\n| --- | --- | --- | --- |")
    for name, number, median, high in curves(folder):
        print(f"| {name} | {number} | {median:.2%} | {high:.2%} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
