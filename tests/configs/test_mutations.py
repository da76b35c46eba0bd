"""However an experiment file or a table is spoilt: it is read, or refused with our own error; nothing else happens."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import configs
from core.errors import ConfigError, InputError

FULL = """\
schema: 1
name: full
extends: presets/csds-si
seed: 3
date_format: "%d/%m/%Y"
roles: {control: [CON], defeated: [DEF], other: [007]}
subjects: {file: subjects.csv, columns: {subject: Mouse}}
behavior:
  trials: trials.csv
  trial_names: {target: [CD1]}
  geometry: {width_cm: 40, zone_shape: rounded}
  arenas:
    a: {floor_px: [73, 49, 497, 473], enclosure_wall: left}
    b: {corners_px: [[73, 49], [497, 49], [497, 473], [73, 473]], width_cm: 41}
  scoring: {window_s: 120, point: nose}
  classes: {cut: 1.1}
  exclude: {subjects: {m02: bite wound}, ratio_from: 4}
serum: {files: [a.csv, b.csv], samples: s.csv, species: mouse, unit: pg/mL, lod: {Il4: 1.5}}
outcomes: {file: o.csv, columns: {sucrose: {column: Sucrose, unit: "%"}}}
statistics: {primary_outcome: sucrose, th2_set: {axis: Th2}, covariates: [mass]}
report: {title: x, authors: [A, B]}
"""
LINES = FULL.splitlines()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["007", "no", "~", "1e999", "[", "a: b", "presets/csds-si", "CON", "m02", "Th2", "%d", "../x", "null"]
    ),
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=3)), max_leaves=6
)  # fmt: skip
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def paths(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [at, *(path for key, inner in entries for path in paths(inner, (*at, key)))]


PATHS = [path for path in paths(yaml.safe_load(FULL)) if path]


def read_or_refuse(folder: Path, raw: bytes) -> configs.Experiment | None:
    path = folder / "config.yaml"
    path.write_bytes(raw)
    try:
        experiment = configs.load(path)
    except ConfigError as error:
        assert str(path) in str(error) or "presets" in str(error)
        return None
    assert isinstance(experiment, configs.Experiment)
    # Whatever was accepted can be used.
    configs.declared(experiment)
    configs.resolved(experiment)
    experiment.association([])
    return experiment


def test_the_unspoilt_file_loads(tmp_path: Path) -> None:
    assert read_or_refuse(tmp_path, FULL.encode()) is not None


@relaxed
@given(st.lists(st.tuples(st.sampled_from(PATHS), values), min_size=1, max_size=3))
def test_values_replaced(tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    tree = copy.deepcopy(yaml.safe_load(FULL))
    for path, value in changes:
        below: Any = tree
        try:
            for step in path[:-1]:
                below = below[step]
            below[path[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change has taken away the place of this one
    read_or_refuse(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@relaxed
@given(st.sampled_from(PATHS), st.text(max_size=10))
def test_keys_renamed(tmp_path: Path, path: tuple[Any, ...], name: str) -> None:
    tree: Any = copy.deepcopy(yaml.safe_load(FULL))
    below = tree
    for step in path[:-1]:
        below = below[step]
    if isinstance(below, dict):
        below[name] = below.pop(path[-1])
    read_or_refuse(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@relaxed
@given(st.data())
def test_lines_moved_cut_and_doubled(tmp_path: Path, data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        at, to = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        what = data.draw(st.sampled_from(["delete", "double", "move", "indent", "cut", "insert"]))
        if what == "delete":
            del lines[at]
        elif what == "double":
            lines.insert(to, lines[at])
        elif what == "move":
            lines.insert(min(to, len(lines) - 1), lines.pop(at))
        elif what == "indent":
            lines[at] = " " * data.draw(st.integers(0, 6)) + lines[at].lstrip()
        elif what == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines.insert(at, data.draw(st.text(max_size=20)))
        lines = lines or [""]
    read_or_refuse(tmp_path, "\n".join(lines).encode("utf-8", "surrogatepass"))


@relaxed
@given(st.integers(0, len(FULL) - 1), st.binary(max_size=6), st.integers(0, 12))
def test_bytes_changed(tmp_path: Path, at: int, new: bytes, gone: int) -> None:
    raw = FULL.encode()
    read_or_refuse(tmp_path, raw[:at] + new + raw[at + gone :])


@relaxed
@given(
    table=st.sampled_from(["subjects.csv", "trials.csv", "serum_samples.csv"]),
    at=st.floats(0, 1),
    new=st.one_of(
        st.binary(max_size=6), st.sampled_from([b",", b"\n", b'"', b";", b"\r", b"\x00", b"m01", b"05/11/2026"])
    ),
    gone=st.integers(0, 12),
)
def test_tables_spoilt(study: Any, table: str, at: float, new: bytes, gone: int) -> None:
    path = study.folder / table
    whole = path.read_bytes()
    start = int(at * len(whole))
    experiment = study.load()
    path.write_bytes(whole[:start] + new + whole[start + gone :])
    try:
        tables = configs.read_tables(experiment)
        assert tables.subjects["subject"].is_unique
        assert (tables.trials["start_s"].dropna() >= 0).all()
    except InputError as error:
        assert ".csv" in str(error)
    finally:
        configs.check(experiment)
        path.write_bytes(whole)


@pytest.mark.parametrize("size", [0, 1, 7, 100, 400])
def test_files_cut_short(tmp_path: Path, size: int) -> None:
    read_or_refuse(tmp_path, FULL.encode()[:size])
