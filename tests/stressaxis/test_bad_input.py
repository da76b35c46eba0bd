"""Bad input gives one clear message, no traceback, and nothing half-written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import yaml

from tests.stressaxis.conftest import Command, Said


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def run(stressaxis: Command, tiny: Path) -> Said:
    said = stressaxis("run", tiny / "experiment.yaml", "--out", tiny / "out")
    assert "Traceback" not in said.text
    return said


def refused(said: Said, tiny: Path, *words: str) -> None:
    """Nothing could be done, and nothing was begun."""
    assert said.status == 2
    assert not (tiny / "out").exists()
    for word in words:
        assert word in said.err


def test_misspelt_key(tiny: Path, stressaxis: Command) -> None:
    edit(tiny / "experiment.yaml", "statistics:", "statistcs:")
    line = (tiny / "experiment.yaml").read_text().splitlines().index("statistcs:") + 1
    refused(run(stressaxis, tiny), tiny, "experiment.yaml", f"line {line}", "statistcs", "did you mean", "statistics")


def test_unknown_axis_and_format(tiny: Path, stressaxis: Command) -> None:
    edit(tiny / "experiment.yaml", "axis: Th2", "axis: Th3")
    refused(run(stressaxis, tiny), tiny, "statistics.th2_set.axis", "'Th3'", "Th1")
    edit(tiny / "experiment.yaml", "axis: Th3", "axis: Th2")
    edit(tiny / "experiment.yaml", "species: mouse", "species: mouse, format: olnk")
    refused(run(stressaxis, tiny), tiny, "serum.format", "'olnk'", "olink-long")


def test_subject_twice(tiny: Path, stressaxis: Command) -> None:
    lines = (tiny / "subjects.csv").read_text().splitlines(keepends=True)
    (tiny / "subjects.csv").write_text("".join([*lines, lines[1]]))
    refused(run(stressaxis, tiny), tiny, "subjects.csv", "line 6", "m01", "line 2")


def test_empty_tables(tiny: Path, stressaxis: Command) -> None:
    (tiny / "subjects.csv").write_bytes(b"")
    refused(run(stressaxis, tiny), tiny, "subjects.csv", "empty")
    header = (tiny / "trials.csv").read_text().splitlines()[0]
    (tiny / "trials.csv").write_text(header + "\n")
    refused(run(stressaxis, tiny), tiny, "trials.csv", "no rows")


def test_config_in_latin_1(tiny: Path, stressaxis: Command) -> None:
    text = (tiny / "experiment.yaml").read_text().replace("title:", "authors: [K\xe4the]\n  title:")
    (tiny / "experiment.yaml").write_bytes(text.encode("latin-1"))
    refused(run(stressaxis, tiny), tiny, "not UTF-8", "0xe4", "save it again with encoding UTF-8")


def test_ambiguous_date(tiny: Path, stressaxis: Command) -> None:
    table = pd.read_csv(tiny / "subjects.csv", dtype=str)
    table["si_date"] = "05/11/2026"
    table.to_csv(tiny / "subjects.csv", index=False)
    refused(run(stressaxis, tiny), tiny, "line 2", "05/11/2026", "2026-11-05", "2026-05-11", "date_format")


def test_missing_experiment_file(tiny: Path, stressaxis: Command) -> None:
    said = stressaxis("run", tiny / "nothing.yaml")
    assert said.status == 2
    assert "nothing.yaml: file not found" in said.err


def test_recordings_that_cannot_be_used(tiny: Path, stressaxis: Command) -> None:
    """Missing, of 0 bytes, no video at all, cut so that it cannot be opened: each is told, the rest goes on."""
    videos = tiny / "videos"
    whole = (videos / "m04_target.mp4").read_bytes()
    unusable = {
        "m01_target": (None, "file not found"),
        "m02_target": (b"", "empty"),
        "m03_target": (b"subject,trial\nm01,target\n", "video"),
        "m04_target": (whole[: len(whole) // 2], "cut"),
    }
    for stem, (content, _) in unusable.items():
        (videos / f"{stem}.mp4").unlink()
        if content is not None:
            (videos / f"{stem}.mp4").write_bytes(content)
    said = run(stressaxis, tiny)
    assert said.status == 1
    failed = [line for line in said.out.splitlines() if line.startswith("failed:")]
    for stem, (_, words) in unusable.items():
        message = [line for line in failed if f"{stem}.mp4" in line]
        assert len(message) == 1
        assert words in message[0]
    trials = pd.read_csv(tiny / "out" / "tables" / "trials.csv")
    assert sorted(trials["subject"]) == ["m01", "m02", "m03", "m04"]
    assert set(trials["trial"]) == {"no_target"}
    assert trials["iz_s"].notna().all()


def test_a_recording_that_opens_is_scored_up_to_its_damage(tiny: Path, stressaxis: Command) -> None:
    video = tiny / "videos" / "m01_target.mp4"
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 3] = bytes(len(content) // 3)
    replace(video, bytes(content))
    run(stressaxis, tiny)
    problems = pd.read_csv(tiny / "out" / "problems.csv", keep_default_na=False)
    told = problems[problems["file"].str.contains("m01_target")]
    assert set(told["code"]) & {"damaged_file", "trial_refused", "short_trial", "lost_frames"}


def test_zone_outside_the_picture(tiny: Path, stressaxis: Command) -> None:
    config = yaml.safe_load((tiny / "experiment.yaml").read_text())
    config["behavior"]["arenas"]["arena_1"]["corners_px"] = [[300, 200], [700, 200], [700, 600], [300, 600]]
    (tiny / "experiment.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    said = run(stressaxis, tiny)
    assert said.status == 1
    assert "outside the picture" in said.out
    assert "correct the arena corners" in said.out


def test_serum_sample_of_an_unknown_subject(tiny: Path, stressaxis: Command) -> None:
    table = pd.read_csv(tiny / "serum_samples.csv", dtype=str)
    table.loc[0, "subject"] = "nobody"
    table.to_csv(tiny / "serum_samples.csv", index=False)
    run(stressaxis, tiny)
    problems = pd.read_csv(tiny / "out" / "problems.csv", keep_default_na=False)
    assert (problems["subject"] == "nobody").any()


def test_npx_column_with_text(tiny: Path, stressaxis: Command) -> None:
    rows = ["SampleID,OlinkID,UniProt,Assay,Panel,PlateID,QC_Warning,LOD,NPX"]
    rows += [f"s{i},OID1,P05113,IL5,Inflammation,P1,Pass,0.5,{1.5 if i != 2 else 'high'}" for i in range(4)]
    (tiny / "serum.csv").write_text("\n".join(rows) + "\n")
    said = run(stressaxis, tiny)
    assert said.status == 1
    failed = [line for line in said.out.splitlines() if line.startswith("failed:") and "serum.csv" in line]
    assert failed
    for word in ("4", "NPX", "high"):
        assert word in failed[0]


def test_spaces_and_letters_beyond_ascii_in_paths(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    folder = tmp_path / "Käfig Nr 7 — été"
    shutil.move(tiny, folder)
    video = folder / "videos" / "m01_target.mp4"
    video.rename(folder / "videos" / "maus ä 1 target.mp4")
    edit(folder / "trials.csv", "videos/m01_target.mp4", "videos/maus ä 1 target.mp4")
    said = stressaxis("run", folder / "experiment.yaml", "--out", folder / "Ergebnisse ü")
    assert said.status == 0, said.text
    assert (folder / "Ergebnisse ü" / "report.html").exists()


def test_a_results_folder_that_cannot_be_written(tiny: Path, stressaxis: Command) -> None:
    (tiny / "out").write_text("a file, no folder")
    said = stressaxis("run", tiny / "experiment.yaml", "--out", tiny / "out")
    assert said.status == 2
    assert "cannot be written to" in said.err
