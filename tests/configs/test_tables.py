"""The laboratory's tables: read as they are kept, every mistake at its file, line and column."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import configs
from core.errors import ConfigError


def test_right_tables_are_read(study: Any) -> None:
    tables = configs.read_tables(study.load())
    assert tables.subjects["subject"].tolist() == ["m01", "m02", "007", "m10"]
    assert tables.subjects["cage"].tolist() == ["7", "8", "08", "9"]
    assert tables.subjects["role"].tolist() == ["control", "defeated", "defeated", "control"]
    assert tables.subjects["exclude"].tolist() == ["", "bite wound", "", ""]
    trials = tables.trials
    assert list(trials.columns) == ["subject", "trial", "file", "start_s", "end_s", "arena"]
    assert trials["start_s"].dropna().tolist() == [2.5]
    assert set(trials["arena"]) == {"box"}
    assert tables.serum_samples["bleed"].tolist() == ["2026-11-07 10:30", "2026-11-07", "2026-11-08", "2026-11-08", ""]
    assert tables.outcomes is None
    assert tables.problems == []
    assert tables.rows["trials"].lines == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_separators_bom_and_windows_line_ends(study: Any, mark: str) -> None:
    expected = configs.read_subjects(study.load())
    text = (study.folder / "subjects.csv").read_text(encoding="utf-8").replace(",", mark).replace("\n", "\r\n")
    (study.folder / "subjects.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    pd.testing.assert_frame_equal(configs.read_subjects(study.load()), expected)


def test_column_names_are_matched_generously(study: Any) -> None:
    study.spoil("subjects.csv", "subject,sex,cage,cohort,group,si_date", "Mouse ID,Sex,CAGE,Batch,Group ,SI test-date")
    table = configs.read_subjects(study.load())
    assert list(table.columns[:6]) == ["subject", "sex", "cage", "cohort", "group", "si_date"]


def test_own_column_names_are_declared(study: Any) -> None:
    study.spoil("subjects.csv", "subject,sex,cage,cohort,group,si_date", "Tattoo,sex,cage,cohort,Arm,SI")
    study.spoil(
        "config.yaml",
        "subjects: subjects.csv",
        "subjects: {file: subjects.csv, columns: {subject: tattoo, group: Arm}}",
    )
    table = configs.read_subjects(study.load())
    assert table["subject"].tolist() == ["m01", "m02", "007", "m10"]
    assert table["SI"].tolist()[0] == "2026-11-05"


def test_further_columns_are_numbers_only_where_no_id_could_be_meant(study: Any) -> None:
    study.write("subjects.csv", "subject,group,mass_g,chip,site,score\nm01,CON,20.5,007,X,NA\nm02,DEF,,12,Y,3\n")
    table = configs.read_subjects(study.load())
    assert table["mass_g"].dtype.kind == "f"
    assert table["chip"].tolist() == ["007", "12"]
    assert table["site"].tolist() == ["X", "Y"]
    assert table["score"].tolist()[1] == 3.0


def test_decimal_commas_are_numbers_in_semicolon_files(study: Any) -> None:
    study.write("trials.csv", "subject;trial;file;start_s\nm01;target;a1.mp4;2,5\n")
    assert configs.read_trials(study.load())["start_s"].tolist() == [2.5]
    study.write("trials.csv", 'subject,trial,file,start_s\nm01,target,a1.mp4,"2,5"\n')
    (fault,) = study.table_mistakes()
    assert (fault.line, fault.key, fault.remedy) == (2, "column start_s", "write 2.5")


def test_a_spreadsheet_reads_like_its_csv(study: Any) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    expected = configs.read_subjects(study.load())
    book = openpyxl.Workbook()
    for row in (study.folder / "subjects.csv").read_text(encoding="utf-8").splitlines():
        cells: list[Any] = row.split(",")
        if cells[-1].startswith("2026"):
            cells[-1] = dt.datetime.fromisoformat(cells[-1])
        book.active.append(cells)
    book.save(study.folder / "subjects.xlsx")
    study.spoil("config.yaml", "subjects: subjects.csv", "subjects: subjects.xlsx\ndate_format: '%d/%m/%Y'")
    pd.testing.assert_frame_equal(configs.read_subjects(study.load()), expected)


def test_numbers_of_a_spreadsheet_are_ids_without_point(study: Any) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["subject", "group", "mass_g"], [101, "CON", 20.5], [], [102, "nix", 21]):
        book.active.append(row)
    book.save(study.folder / "subjects.csv")
    study.spoil("config.yaml", "  exclude:\n    subjects: {m02: bite wound}\n", "")
    faults = study.mistakes(lambda: configs.read_subjects(study.load()))
    assert [(fault.where, fault.message) for fault in faults] == [("row 4, column group", "group 'nix' has no role")]
    study.spoil("config.yaml", "[DEF]", "[nix]")
    assert configs.read_subjects(study.load())["subject"].tolist() == ["101", "102"]


def test_trial_names_of_the_laboratory(study: Any) -> None:
    study.spoil("config.yaml", "  arenas:\n", "  trial_names: {no_target: [empty box], target: [CD1, 2]}\n  arenas:\n")
    study.spoil("trials.csv", "m01,no_target", "m01,Empty_Box")
    study.spoil("trials.csv", "m01,target", "m01,2")
    assert configs.read_trials(study.load())["trial"].tolist()[:2] == ["no_target", "target"]


def test_outcomes_are_numbers_under_their_declared_names(study: Any) -> None:
    study.write("outcomes.csv", "Mouse;Sucrose preference (%);more\n007;71,5;x\nm01;;y\n")
    study.write(
        "config.yaml",
        (study.folder / "config.yaml").read_text(encoding="utf-8")
        + "outcomes: {file: outcomes.csv, subject: Mouse, columns: {sucrose_percent: 'Sucrose preference (%)'}}\n",
    )
    table = configs.read_tables(study.load()).outcomes
    assert list(table.columns) == ["subject", "sucrose_percent"]
    assert table["sucrose_percent"].tolist()[0] == 71.5
    study.spoil("outcomes.csv", "71,5", "high")
    (fault,) = study.table_mistakes()
    assert (fault.line, fault.key, fault.found) == (2, "column Sucrose preference (%)", "'high'")


MISTAKES = [
    # table, old, new, line, key, said
    ("subjects.csv", "m02,f", "m01,f", 3, "column subject", "subject 'm01' occurs twice; found it on line 2 too"),
    ("subjects.csv", "m02,f", ",f", 3, "column subject", "no value here"),
    ("subjects.csv", "8,A,DEF", "8,A,", 3, "column group", "no value here"),
    ("subjects.csv", "8,A,DEF", "8,A,DEFF", 3, "column group", "'DEFF' has no role.*did you mean 'DEF'"),
    ("subjects.csv", "A,CON,2026-11-05", "A,CON,05/11/2026", 2, "column si_date", "may be 2026-11-05 or 2026-05-11.*date_format"),
    ("subjects.csv", "A,CON,2026-11-05", "A,CON,soon", 2, "column si_date", "'soon' is not a date"),
    ("subjects.csv", "sex,cage", "sex,sex", None, "", "a column name occurs twice"),
    ("subjects.csv", "subject,sex", "rat no,sex", None, "header", "no column 'subject'.*columns: {subject"),
    ("subjects.csv", "cohort,group", "cohort,grupe", None, "header", "no column 'group'.*columns: {group: grupe}"),
    ("subjects.csv", "subject,sex", "subject,role", None, "header", "results have a column 'role'"),
    ("subjects.csv", "m01,m,7,A,CON,2026-11-05", "m01,m,7,A,CON,2026-11-05,x", None, "", "line 2: row has more cells"),
    ("trials.csv", "m01,no_target", "m1,no_target", 2, "column subject", "'m1' is not in the subjects table.*did you mean 'm01'"),
    ("trials.csv", "m01,no_target", "m01,notarget2", 2, "column trial", "unknown trial.*did you mean 'no_target'"),
    ("trials.csv", "a2.mp4", "", 3, "column file", "no value here"),
    ("trials.csv", "a2.mp4", "a1.mp4", 3, "column file", "same recording is listed for two trials.*line 2 too"),
    ("trials.csv", "2.5,160", "-1,160", 4, "column start_s", "out of range; found -1"),
    ("trials.csv", "2.5,160", "200,160", 4, "column end_s", r"more than start_s \(200 s\)"),
    ("trials.csv", "2.5,160", "0:02,160", 4, "column start_s", "write the seconds: 2"),
    ("trials.csv", "start_s,end_s", "start_s,arena", 4, "column arena", "unknown arena; found '160', expected one of box"),
    ("serum_samples.csv", "s2,m02", "s1,m02", 3, "column sample", "sample 's1' occurs twice"),
    ("serum_samples.csv", "s2,m02", "s2,", 3, "column subject", "sample 's2' names no subject"),
    ("serum_samples.csv", "s3,007,2026-11-08", "s3,007,08.11.2026", 4, "column bleed", "may be"),
    ("serum_samples.csv", "sample,subject", "probe,subject", None, "header", "no column 'sample'"),
    ("config.yaml", "{m02: bite wound}", "{m03: bite wound}", 14, "behavior.exclude.subjects", "'m03' is not in the subjects table"),
    ("config.yaml", "  primary_outcome", "  covariates: [age]\n  primary_outcome", 20, "statistics.covariates", "no column 'age'"),
    ("config.yaml", "subjects: subjects.csv", "subjects: subject.csv", 6, "subjects", "file not found.*did you mean 'subjects.csv'"),
    ("config.yaml", "subjects: subjects.csv", "subjects: {file: subjects.csv, columns: {grop: x}}", 6, "subjects.columns.grop", "'group'"),
    ("config.yaml", "subjects: subjects.csv", "subjects: {file: subjects.csv, columns: {group: gruop}}", 6, "subjects.columns.group",
     "no column 'gruop'.*did you mean 'group'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "old", "new", "line", "key", "said"), MISTAKES, ids=[f"{r[0]}-{r[2]}" for r in MISTAKES]
)
def test_each_mistake_has_its_place(
    study: Any, table: str, old: str, new: str, line: int | None, key: str, said: str
) -> None:
    study.spoil(table, old, new)
    experiment = study.load()
    faults = study.mistakes(lambda: configs.read_tables(experiment))
    assert any((fault.line, fault.key) == (line, key) for fault in faults), [fault.text() for fault in faults]
    with pytest.raises(ConfigError, match=f"(?s){table}.*{said}"):
        configs.read_tables(experiment)


def test_all_mistakes_of_all_tables_are_told_at_once(study: Any) -> None:
    study.spoil("subjects.csv", "8,A,DEF,2026-11-05", "8,A,DEFF,05/11/2026")
    study.spoil("trials.csv", "2.5,160", "x,y")
    study.spoil("serum_samples.csv", "s2,m02", "s1,m02")
    told = {(Path(fault.file).name, fault.line, fault.key) for fault in study.table_mistakes()}
    assert told == {
        ("subjects.csv", 3, "column group"),
        ("subjects.csv", 3, "column si_date"),
        ("trials.csv", 4, "column start_s"),
        ("trials.csv", 4, "column end_s"),
        ("serum_samples.csv", 3, "column sample"),
    }


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"subject,group\n", "the table has no rows"),
        (b"\n\n\n", "the table is empty"),
        ("subject,group\nmäuschen,CON\n".encode("latin-1"), "line 2: the file is not UTF-8 text.*save it again"),
        (b"PK\x03\x04 not really", "not a readable spreadsheet"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8|binary"),
    ],
)
def test_what_is_no_table_is_refused(study: Any, raw: bytes, said: str) -> None:
    (study.folder / "subjects.csv").write_bytes(raw)
    with pytest.raises(ConfigError, match=f"(?s)subjects.csv.*{said}"):
        configs.read_tables(study.load())


def test_ids_that_look_alike_are_reported(study: Any) -> None:
    study.spoil("subjects.csv", "m10,m", "M1,m")
    study.write("trials.csv", "subject,trial,file\nm01,target,a1.mp4\n")
    (problem,) = configs.read_tables(study.load()).problems
    assert problem.code == "similar_ids"
    assert "'m01', 'M1'" in problem.message


def test_a_trial_in_several_recordings_is_reported(study: Any) -> None:
    study.spoil("trials.csv", "m01,target", "m01,no_target")
    codes = [(problem.code, problem.subject) for problem in configs.read_tables(study.load()).problems]
    assert codes == [("trial_in_parts", "m01")]


def test_overlapping_trials_in_one_file_are_reported(study: Any) -> None:
    study.write("trials.csv", "subject,trial,file,start_s,end_s\nm01,no_target,a1.mp4,0,\nm01,target,a1.mp4,200,\n")
    codes = [problem.code for problem in configs.read_tables(study.load()).problems]
    assert codes == ["same_file_twice"]
    study.write("trials.csv", "subject,trial,file,start_s,end_s\nm01,no_target,a1.mp4,0,180\nm01,target,a1.mp4,200,\n")
    assert configs.read_tables(study.load()).problems == []


@pytest.mark.parametrize(
    ("written", "reason"), [("", ""), ("no", ""), ("yes", "excluded in the subjects table"), ("ill", "ill")]
)
def test_reasons_of_the_subjects_table(study: Any, written: str, reason: str) -> None:
    study.write("subjects.csv", f"subject,group,exclude\nm01,CON,{written}\nm02,DEF,\n")
    assert configs.read_subjects(study.load())["exclude"].tolist() == [reason, "bite wound"]


def test_a_column_in_another_format_is_one_mistake(study: Any) -> None:
    rows = "".join(f"m{number},CON,0{1 + number % 9}/0{2 + number % 8}/2026\n" for number in range(50))
    study.write("subjects.csv", "subject,group,si_date\n" + rows)
    study.spoil("config.yaml", "  exclude:\n    subjects: {m02: bite wound}\n", "")
    faults = [
        fault for fault in study.mistakes(lambda: configs.read_subjects(study.load())) if fault.key.endswith("si_date")
    ]
    assert len(faults) == 4
    assert faults[-1].message.endswith("more cells of this column are of the same kind, to line 51")


def test_both_trials_of_a_subject_share_an_arena(study: Any) -> None:
    study.spoil("config.yaml", "497, 473]}", "497, 473]}\n    box2: {floor_px: [73, 49, 497, 473]}")
    study.write("trials.csv", "subject,trial,file,arena\nm01,no_target,a1.mp4,box\nm01,target,a2.mp4,box2\n")
    (fault,) = study.table_mistakes()
    assert (fault.line, fault.key, fault.found) == (3, "column arena", "box and box2")


def test_many_mistakes_are_counted_not_printed_without_end(study: Any) -> None:
    study.write("subjects.csv", "subject,group\n" + "m,CON\n" * 200)
    with pytest.raises(ConfigError, match=r"and 1[0-9][0-9] more") as caught:
        configs.read_tables(study.load())
    assert len(str(caught.value).splitlines()) < 40
