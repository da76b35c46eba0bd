"""What `check` tells before a run: files that are not there, who lacks what, groups that coincide with something."""

from __future__ import annotations

from typing import Any

import configs


def codes(study: Any) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.subject) for problem in configs.check(study.load()))


def test_a_right_experiment_has_no_problem(study: Any) -> None:
    assert codes(study) == []


def test_mistakes_of_tables_are_problems_with_their_place(study: Any) -> None:
    study.spoil("trials.csv", "2.5,160", "x,160")
    (problem,) = configs.check(study.load())
    assert (problem.code, problem.severity, problem.where) == ("mistake", "error", "line 4, column start_s")
    assert "not a number; found 'x'" in problem.message


def test_files_that_are_missing_or_empty(study: Any) -> None:
    study.spoil("trials.csv", "a2.mp4", "a3.mp4")
    (study.folder / "b1.mp4").write_bytes(b"")
    (study.folder / "serum.csv").unlink()
    told = {problem.file: (problem.code, problem.message, problem.where) for problem in configs.check(study.load())}
    assert told["a3.mp4"][:2] == ("cannot_read", "file not found; did you mean 'a2.mp4'?")
    assert told["a3.mp4"][2].endswith("trials.csv, line 3")
    assert told["b1.mp4"][1] == "the file is empty (0 bytes)"
    assert told["serum.csv"][0] == "cannot_read"
    assert len(told) == 3


def test_a_recording_copied_under_another_name_is_told(study: Any) -> None:
    (study.folder / "d2.mp4").write_bytes((study.folder / "a1.mp4").read_bytes())
    (problem,) = configs.check(study.load())
    assert (problem.code, problem.subject, problem.file) == ("same_file_twice", "m10", "d2.mp4")
    assert "the same bytes as a1.mp4 also stands for subject 'm01'" in problem.message


def test_serum_files_are_looked_for_even_if_tables_are_wrong(study: Any) -> None:
    study.spoil("trials.csv", "2.5,160", "x,160")
    (study.folder / "serum.csv").unlink()
    assert [code for code, _ in codes(study)] == ["cannot_read", "mistake"]


def test_a_missing_folder_is_named(study: Any) -> None:
    study.spoil("trials.csv", "a2.mp4", "videos/a2.mp4")
    (problem,) = configs.check(study.load())
    assert "no folder" in problem.message


def test_a_missing_trial(study: Any) -> None:
    study.spoil("trials.csv", "m10,target,d2.mp4,,\n", "")
    assert codes(study) == [("trial_missing", "m10")]


def test_who_is_in_one_table_only(study: Any) -> None:
    study.spoil("serum_samples.csv", "s4,m10", "s4,m11")
    study.spoil("trials.csv", "007,no_target,c1.mp4,,\n007,target,c2.mp4,,\n", "")
    study.spoil("subjects.csv", "m10,m", "m12,f,1,A,CON,\nm10,m")
    assert codes(study) == [
        ("recording_without_serum", "m10"),
        ("serum_without_recording", "007"),
        ("subject_without_data", "m12"),
        ("unknown_subject", "m11"),
    ]


def test_a_role_without_subjects(study: Any) -> None:
    study.spoil("config.yaml", "[DEF]", "[DEFEATED]")
    study.spoil("config.yaml", "control: [CON]", "control: [CON]\n  other: [DEF]")
    assert ("role_without_subjects", "") in codes(study)


def test_groups_on_plates_of_their_own(study: Any) -> None:
    study.spoil("serum_samples.csv", "2026-11-07,P1,A2", "2026-11-07,P2,A2")
    study.spoil("serum_samples.csv", "2026-11-08,P2,A2", "2026-11-08,P1,A2")
    assert codes(study) == [("group_is_plate", "")]


def test_groups_in_arenas_of_their_own(study: Any) -> None:
    study.spoil("config.yaml", "497, 473]}", "497, 473]}\n    box2: {floor_px: [73, 49, 497, 473]}")
    study.spoil("trials.csv", "end_s", "end_s,arena")
    for row in ("a1", "a2", "d1", "d2"):
        study.spoil("trials.csv", f"{row}.mp4,,", f"{row}.mp4,,,box")
    for row in ("b2", "c1", "c2"):
        study.spoil("trials.csv", f"{row}.mp4,,", f"{row}.mp4,,,box2")
    study.spoil("trials.csv", "2.5,160", "2.5,160,box2")
    assert codes(study) == [("group_is_arena", "")]


def test_groups_that_are_cohorts(study: Any) -> None:
    study.spoil("subjects.csv", "8,A,DEF", "8,B,DEF")
    study.spoil("subjects.csv", "9,B,CON", "9,A,CON")
    assert codes(study) == [("group_is_cohort", "")]


def test_one_subject_a_plate_is_no_coincidence(study: Any) -> None:
    study.write(
        "serum_samples.csv", "sample,subject,plate\n" + "".join(f"s{i},{m},P{i}\n" for i, m in enumerate(("m01", "m02", "007", "m10")))
    )  # fmt: skip
    assert codes(study) == []


def recorded(study: Any, times: dict[str, tuple[str, str]]) -> None:
    rows = [
        f"{subject},{trial},{subject}{trial}.mp4,{time}"
        for subject, pair in times.items()
        for trial, time in zip(("no_target", "target"), pair, strict=True)
    ]
    study.write("trials.csv", "subject,trial,file,recorded\n" + "\n".join(rows) + "\n")
    for row in rows:
        name = row.split(",")[2]
        (study.folder / name).write_text(name)


def test_order_of_recording(study: Any) -> None:
    day = "2026-11-05 "
    mixed = {"m01": ("09:00", "09:10"), "m02": ("09:05", "09:15"), "007": ("10:00", "10:10"), "m10": ("10:05", "10:15")}
    recorded(study, {m: (day + a, day + b) for m, (a, b) in mixed.items()})
    assert codes(study) == []
    recorded(study, {m: (day + b, day + a) if m == "m02" else (day + a, day + b) for m, (a, b) in mixed.items()})
    assert codes(study) == [("trial_order", "m02")]
    apart = {"m01": ("09:00", "09:10"), "m10": ("09:05", "09:15"), "007": ("10:00", "10:10"), "m02": ("10:05", "10:15")}
    recorded(study, {m: (day + a, day + b) for m, (a, b) in apart.items()})
    assert codes(study) == [("group_is_order", "")]


def test_groups_that_began_with_another_trial(study: Any) -> None:
    day = "2026-11-05 "
    times = {"m01": ("09:00", "09:10"), "m10": ("10:00", "10:10"), "007": ("09:30", "09:20"), "m02": ("10:30", "10:20")}
    recorded(study, {m: (day + a, day + b) for m, (a, b) in times.items()})
    assert codes(study) == [("group_is_order", ""), ("trial_order", "007"), ("trial_order", "m02")]


def test_order_within_one_recording(study: Any) -> None:
    study.write(
        "trials.csv", "subject,trial,file,start_s,end_s\nm01,no_target,a1.mp4,200,350\nm01,target,a1.mp4,0,150\n"
    )
    assert ("trial_order", "m01") in codes(study)
