"""An experiment file is read as written, or refused with every mistake at its line."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import configs
from behavior.arena import ArenaOptions
from core.errors import ConfigError


def test_a_right_file_loads(study: Any) -> None:
    experiment = study.load()
    assert experiment.name == "small"
    assert experiment.behavior.scoring.window_s == 120.0
    assert experiment.behavior.arenas["box"].floor_corners_px == ((73, 49), (497, 49), (497, 473), (73, 473))
    assert experiment.behavior.exclude.subjects == {"m02": "bite wound"}
    assert experiment.statistics.th2_set.proteins == ("Il4", "Il5")
    assert experiment.outcome_names == ("si_ratio", "target_time", "velocity_drop")
    assert experiment.locate("a1.mp4") == study.folder / "a1.mp4"


def test_what_is_not_written_has_the_default_of_the_science_package(study: Any) -> None:
    behavior = study.load().behavior
    assert behavior.geometry == ArenaOptions()
    assert behavior.arena_options("box") == ArenaOptions()


def test_an_arena_states_only_what_differs(study: Any) -> None:
    study.spoil("config.yaml", "  arenas:\n", "  geometry: {width_cm: 40, height_cm: 40}\n  arenas:\n")
    study.spoil("config.yaml", "497, 473]}", "497, 473], enclosure_wall: left}")
    options = study.load().behavior.arena_options("box")
    assert options == ArenaOptions(width_cm=40, height_cm=40, enclosure_wall="left")


def test_names_and_ids_stay_as_written(study: Any) -> None:
    study.spoil("config.yaml", "control: [CON]", "control: [1, 007, no]")
    study.spoil("config.yaml", "{m02: bite wound}", "[007, 1e3]")
    experiment = study.load()
    assert experiment.roles.control == ("1", "007", "no")
    assert list(experiment.behavior.exclude.subjects) == ["007", "1e3"]


def test_the_name_is_that_of_the_file_if_none_is_given(study: Any) -> None:
    study.spoil("config.yaml", "name: small\n", "")
    assert study.load().name == "config"


def test_paths_start_from_data_dir(study: Any, tmp_path: Path) -> None:
    data = tmp_path / "Mäuse daten"
    data.mkdir()
    (data / "a b.mp4").write_bytes(b"x")
    (data / "sub").mkdir()
    (data / "sub" / "c.mp4").write_bytes(b"x")
    experiment = configs.load(study.config, data_dir=data)
    assert experiment.locate("a b.mp4").exists()
    assert experiment.locate("sub\\c.mp4").exists()
    assert experiment.locate(str(data / "a b.mp4")) == data / "a b.mp4"


def test_experiment_is_frozen_and_crosses_process_borders(study: Any) -> None:
    experiment = study.load()
    with pytest.raises(ValidationError, match="frozen"):
        experiment.seed = 3
    copy = pickle.loads(pickle.dumps(experiment))
    assert copy == experiment
    assert copy.locate("x") == experiment.locate("x")


def test_empty_sections_are_their_defaults(study: Any) -> None:
    study.spoil("config.yaml", "    window_s: 120\n", "")
    study.spoil("config.yaml", "    subjects: {m02: bite wound}\n", "")
    experiment = study.load()
    assert experiment.behavior.scoring.window_s == 150.0
    assert experiment.behavior.exclude.subjects == {}


MISTAKES = [
    # old, new, line, key, said
    ("schema: 1", "schema: 2", 1, "schema", "unknown version.*found 2, expected 1.*newer stressaxis"),
    ("schema: 1", "schema: one", 1, "schema", "unknown version"),
    ("schema: 1", "schema: true", 1, "schema", "unknown version"),
    ("schema: 1\n", "", 1, "", "the key `schema` is missing"),
    ("name: small", "nam: small", 2, "nam", "unknown key `nam`.*did you mean 'name'"),
    ("window_s: 120", "windows_s: 120", 12, "behavior.scoring.windows_s", "did you mean 'window_s'"),
    ("window_s: 120", "window_s: 150 s", 12, "behavior.scoring.window_s", "not a number; found '150 s'.*write 150"),
    ("window_s: 120", "window_s: 150,5", 12, "behavior.scoring.window_s", r"write 150\.5"),
    ("window_s: 120", "window_s: true", 12, "behavior.scoring.window_s", "not a number; found true"),
    ("window_s: 120", "window_s:", 12, "behavior.scoring.window_s", "not a number; found nothing"),
    ("window_s: 120", "window_s: [1]", 12, "behavior.scoring.window_s", "not a number; found a list"),
    ("window_s: 120", "window_s: -1", 12, "behavior.scoring.window_s", "window_s must be above 0; found -1"),
    ("window_s: 120", "point: nos", 12, "behavior.scoring.point", "found 'nos'.*did you mean 'nose'"),
    ("window_s: 120", "warn_below: 0.5", 12, "behavior.scoring.warn_below", "refuse_below .* must not be above warn_below"),
    ("[73, 49, 497, 473]", "[73, 49, 497]", 10, "behavior.arenas.box.floor_px", "too few items"),
    ("[73, 49, 497, 473]", "[73, 49, 497, x]", 10, "behavior.arenas.box.floor_px, item 4", "not a number; found 'x'"),
    ("[73, 49, 497, 473]", "[497, 49, 73, 473]", 10, "behavior.arenas.box.floor_px", "not a rectangle"),
    ("floor_px: [73, 49, 497, 473]", "width_cm: 40", 10, "behavior.arenas.box", "no calibration"),
    ("473]}", "473], enclosure_wall: nord}", 10, "behavior.arenas.box.enclosure_wall", "expected one of top, right"),
    ("473]}", "473], enclosure_width_cm: 50}", 10, "behavior.arenas.box.enclosure_width_cm", "does not fit"),
    ("473]}", "473], corners_px: [[0,0],[9,0],[9,9],[0,9]]}", 10, "behavior.arenas.box", "two calibrations"),
    ("floor_px: [73, 49, 497, 473]", "corners_px: [[0,0],[0,9],[9,9],[9,0]]", 10, "behavior.arenas.box.corners_px",
     "not in order.*top left, top right, bottom right, bottom left"),
    ("defeated: [DEF]", "defeated: [DEF, CON]", 5, "roles.defeated", "group 'CON' has two roles"),
    ("species: mouse", "species: mous", 18, "serum.species", "found 'mous', expected one of mouse, human.*'mouse'"),
    ("  species: mouse\n", "", 15, "serum", "the key `serum.species` is missing"),
    ("  file: serum.csv\n", "", 15, "serum", "no serum file is named"),
    ("  file: serum.csv\n", "  file: a\n  files: [b]\n", 15, "serum", "two keys for the serum files"),
    ("primary_outcome: si_ratio", "primary_outcome: si_ration", 20, "statistics.primary_outcome",
     "expected one of target_time, si_ratio, velocity_drop.*did you mean 'si_ratio'"),
    ("[Il4, Il5]", "[]", 21, "statistics.th2_set", "the declared set is empty"),
    ("[Il4, Il5]", "{axis: Th2, proteins: [Il4]}", 21, "statistics.th2_set", "both an axis and a list"),
    ("name: small", "date_format: '%d/%m'", 2, "date_format", "does not give back a day"),
    ("name: small", "date_format: '%d%d'", 2, "date_format", "does not give back a day"),
    ("name: small", "date_format: dd/mm/yyyy", 2, "date_format", "%d"),
    ("name: small", "seed: 1.5", 2, "seed", "not a whole number; found 1.5"),
    ("name: small", "seed: -1", 2, "seed", "out of range; found -1, expected 0 or more"),
    ("name: small", "name: ''", 2, "name", "no text here"),
    ("name: small", "name: ../small", 2, "name", "results folder cannot be called so"),
    ("name: small", "outcomes: {file: o.csv, columns: {sex: Sex}}", 2, "outcomes.columns.sex", "a column of the subjects table"),
    ("name: small", "outcomes: {file: o.csv, columns: [si_ratio]}", 2, "outcomes.columns", "an outcome of the recordings"),
    ("subjects: subjects.csv", "window_s: 3", 6, "window_s", "unknown key `window_s`.*belongs in behavior.scoring"),
    ("subjects: subjects.csv", "subjects: {fil: x}", 6, "subjects.fil", "did you mean 'file'"),
    ("subjects: subjects.csv", "subjects: [x]", 6, "subjects", "not a section"),
    ("behavior:\n", "behavior: 3\nx:\n", 7, "behavior", "not a section; found 3"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "said"), MISTAKES, ids=[row[1][:30] for row in MISTAKES])
def test_each_mistake_is_told_with_its_line(study: Any, old: str, new: str, line: int, key: str, said: str) -> None:
    study.spoil("config.yaml", old, new)
    faults = study.mistakes()
    told = [fault for fault in faults if fault.key == key and (fault.line or 1) == line]
    assert told, [fault.text() for fault in faults]
    assert told[0].file == str(study.config)
    with pytest.raises(ConfigError, match=f"(?s){said}"):
        study.load()


def test_all_mistakes_are_told_at_once(study: Any) -> None:
    study.spoil("config.yaml", "name: small", "nam: small")
    study.spoil("config.yaml", "window_s: 120", "window_s: long\n    point: tail")
    study.spoil("config.yaml", "species: mouse", "species: rat")
    study.spoil("config.yaml", "si_ratio", "si_ration")
    study.spoil("config.yaml", "473]}", "473], enclosure_wall: nord}")
    lines = [fault.line for fault in study.mistakes()]
    assert lines == [2, 10, 12, 13, 19, 21]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[73, 49, 497, 473]", "[73, 49, 497]"),
        ("  species: mouse", "  species: rat"),
        ("subjects: subjects.csv", "subjects: [3.5]"),
        ("  file: serum.csv", "  file: [3]"),
        ("[Il4, Il5]", "{axis: []}"),
    ],
)
def test_a_section_is_not_blamed_for_lacking_a_mistaken_key(study: Any, old: str, new: str) -> None:
    study.spoil("config.yaml", old, new)
    assert len(study.mistakes()) == 1


def test_no_data_and_no_roles_are_told(study: Any) -> None:
    study.write("config.yaml", "schema: 1\n")
    said = " ".join(fault.message for fault in study.mistakes())
    assert "no data" in said
    assert "`subjects` is missing" in said
    assert "no group has a role" in said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("schema: 1\nname: Mäuse\n".encode("latin-1"), "(?s)not UTF-8.*line 2|line 2.*not UTF-8"),
        (b"", "empty"),
        (b"\x00\x01\x02", "binary|character"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=said):
        configs.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: file not found"):
        configs.load(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_and_windows_line_ends_are_read(study: Any, encoding: str) -> None:
    text = study.config.read_text(encoding="utf-8").replace("small", "Mäuse").replace("\n", "\r\n")
    study.config.write_bytes(text.encode(encoding))
    assert study.load().name == "Mäuse"


def test_only_outcomes_and_serum(study: Any) -> None:
    study.write(
        "config.yaml",
        "schema: 1\nroles: {control: HC, defeated: [MDD, AD]}\nsubjects: subjects.csv\n"
        "outcomes: {file: scales.csv, columns: {hamd: HAM-D total}}\n"
        "serum: {file: npx.csv, samples: tubes.csv, species: human}\nstatistics: {covariates: [age, bmi]}\n",
    )
    experiment = study.load()
    assert experiment.behavior is None
    assert experiment.outcome_names == ("hamd",)
    asked = experiment.association(["IL4"])
    assert (asked.outcomes, asked.declared_set, asked.covariates) == (("hamd",), ("IL4",), ("age", "bmi"))


def test_a_later_step_can_refuse_a_key_with_its_line(study: Any) -> None:
    experiment = study.load()
    with pytest.raises(ConfigError, match=r"config\.yaml, line 21, statistics\.th2_set\.axis: no such axis"):
        configs.refuse(experiment, "statistics", "th2_set", "axis", message="no such axis")
