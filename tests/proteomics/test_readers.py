"""Every real table goes through the one way in: what is read, what is a companion, what is refused, and mutations."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from core.errors import InputError
from proteomics.readers import READERS, read_serum
from proteomics.readers.companions import (
    read_limits,
    read_marker_lists,
    read_sample_sheet,
    read_standards,
    similar_labels,
)
from tests.proteomics.fuzz_readers import SEEDS, fuzz

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "proteomics"


def load_survey() -> ModuleType:
    spec = importlib.util.spec_from_file_location("survey_readers", Path(__file__).parent / "survey_readers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["survey_readers"] = module
    spec.loader.exec_module(module)
    return module


SURVEY = load_survey()
FILES = SURVEY.files(SHARED) if SHARED.is_dir() else []
#: Large files have tests of their own in the default tier.
SOME = [
    pytest.param(path, marks=[pytest.mark.slow] if path.stat().st_size > 400_000 else [], id=path.name)
    for path in FILES
]


@pytest.mark.parametrize("path", SOME)
def test_every_real_file_does_what_is_declared(path: Path, shared: Path) -> None:
    outcome = SURVEY.survey(path, SHARED)
    assert outcome.kind == SURVEY.expected_kind(path), outcome.detail
    assert outcome.detail


def test_the_documented_table_is_that_of_the_readers(shared: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs/validation/proteomics-readers.md"
    rows = set(
        re.findall(r"^\| ([^|]+) \| (read|companion|refused) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert rows == {(path.relative_to(SHARED).as_posix(), SURVEY.expected_kind(path)) for path in FILES}


def test_reader_names_are_unique_and_described() -> None:
    names = [reader.name for reader in READERS]
    assert len(names) == len(set(names))
    assert all(reader.description for reader in READERS)


def test_unknown_format_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match=r"no reader is called .olink.*olink-long"):
        read_serum("x.csv", format="olink")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file is empty"),
        (b"\x00\x01\x02" * 100, "format not recognised|binary"),
        (b"just words\n", "format not recognised|empty"),
        (b"PK\x03\x04broken", "workbook cannot be opened"),
        (b"PAR1broken", "Parquet file cannot be opened"),
        (b"\x1f\x8bbroken", "gzip file is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1broken", "workbook cannot be opened"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "täble with space.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_serum(path)


def test_workbook_with_a_cell_in_the_last_corner_is_refused_before_it_is_laid_out(tmp_path: Path) -> None:
    """17 thousand million cells would be allocated; both recognising and reading stop before."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "sample", 1
    book.save(tmp_path / "corner.xlsx")
    for reader in ("auto", "wide-matrix"):
        with pytest.raises(InputError, match=r"corner\.xlsx.*spans too many cells; found 16384 columns x 1048576 rows"):
            read_serum(tmp_path / "corner.xlsx", format=reader)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file not found"):
        read_serum(tmp_path / "no.csv")
    with pytest.raises(InputError, match="this is a folder"):
        read_serum(tmp_path)


def test_sample_sheet_numbers_controls_and_warns_of_similar_groups(shared: Path) -> None:
    path = shared / "proteomics/olink_mouse_dbs_t1d/dbs_mouse_sample_information.xlsx"
    sheet = read_sample_sheet(path)
    ds = read_serum(path.parent / "Mouse_DBS_Plate_1_NPX.csv").dataset
    assert set(ds["sample"].values) <= set(sheet.index)
    problems = similar_labels(sheet, file=path.name)
    assert any("'Infected'" in p.message and "'infected'" in p.message for p in problems)


def test_sample_sheet_refuses_a_sample_twice(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("sample,group\nm1,a\nm1,b\n")
    with pytest.raises(InputError, match="a sample stands twice; found m1"):
        read_sample_sheet(tmp_path / "s.csv")
    with pytest.raises(InputError, match="no column 'mouse'"):
        read_sample_sheet(tmp_path / "s.csv", sample="mouse")


def test_limits_marker_lists_and_standards(shared: Path) -> None:
    limits = read_limits(shared / "proteomics/olink_target48_limits/ref3panels.csv")
    first = limits[(limits["assay"] == "CCL8") & (limits["version"] == "932001")].iloc[0]
    assert (first["lloq"], first["uloq"]) == (0.0298, 1953.125)
    markers = read_marker_lists(shared / "proteomics/plasma_weightloss_and_quality_markers/Marker List.xlsx")
    assert markers.groupby("list").size().to_dict() == {"Platelets": 30, "Erythrocytes": 30, "Coagulation": 30}
    standards = read_standards(shared / "proteomics/msd_and_intelliflex/Standards_conc_K15659U.txt")
    assert standards.loc["Standard1"].tolist() == [2.2, 4.4, 70, 1.7, 2.6, 18, 14, 1.4, 2.1, 29]


#: One small or cut real file a reader, for mutations.
@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_few_mutations(name: str, shared: Path, tmp_path: Path) -> None:
    found = fuzz(name, 12, tmp_path, seed=1)
    assert set(found) <= {"read", "refused"}, found


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SEEDS))
def test_many_mutations(name: str, shared: Path, tmp_path: Path) -> None:
    found = fuzz(name, 500, tmp_path, seed=7)
    assert set(found) <= {"read", "refused"}, found
    assert found["read"] and found["refused"]


def test_every_reader_is_mutated() -> None:
    assert {reader.name for reader in READERS if not reader.name.startswith("refused")} == set(SEEDS)
