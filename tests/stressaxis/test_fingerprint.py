"""Fingerprints change with what they stand for, and with nothing else."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from core.errors import InputError
from stressaxis import fingerprint
from stressaxis.fingerprint import FileMark, FingerprintMemory, code_fingerprint, digest, file_fingerprint


def test_equal_values_have_equal_digests() -> None:
    assert digest({"a": (1, 2), "b": 0.1}) == digest({"b": 0.1, "a": [1, 2]})
    assert digest({"a": 1}) != digest({"a": 1.5})


def test_a_file_is_remembered_until_it_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    memory = FingerprintMemory(tmp_path / "memory.json")
    assert memory.recall(file, FileMark.of(file)) is None
    memory.remember(file, FileMark.of(file), file_fingerprint(file))
    memory.save()
    again = FingerprintMemory(tmp_path / "memory.json")
    assert again.recall(file, FileMark.of(file)) == file_fingerprint(file)
    file.write_bytes(b"two")
    assert again.recall(file, FileMark.of(file)) is None


def test_same_size_and_modification_time_do_not_deceive(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    memory = FingerprintMemory(tmp_path / "memory.json")
    memory.remember(file, FileMark.of(file), file_fingerprint(file))
    times = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert memory.recall(file, FileMark.of(file)) is None


def test_a_damaged_memory_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text('{"a": [1, 2')
    assert FingerprintMemory(tmp_path / "memory.json").recall(Path(__file__), FileMark.of(Path(__file__))) is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.mp4: file not found"):
        file_fingerprint(tmp_path / "no.mp4")


def test_code_of_a_step_follows_the_import_rule() -> None:
    behavior = code_fingerprint("stressaxis.stepfiles", ("behavior",))
    proteomics = code_fingerprint("stressaxis.stepfiles", ("proteomics",))
    assert behavior != proteomics
    assert behavior == code_fingerprint("stressaxis.stepfiles", ("behavior", "core"))


def test_the_imports_found_by_pattern_are_those_that_python_sees() -> None:
    root = Path(fingerprint.__file__).resolve().parents[1]
    folders = {folder for reach in fingerprint.REACH.values() for folder in reach} | {"stressaxis"}
    for file in [file for folder in folders for file in (root / folder).rglob("*.py")]:
        modules: set[str] = set()
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
        names = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)
        ours = {*fingerprint.REACH, "configs", "stressaxis"}
        assert fingerprint._third_party(file.read_bytes()) == names - ours, file


@pytest.mark.parametrize("library", ["numpy", "cv2", "skimage", "yaml", "vl_convert", "python_calamine", "av"])
def test_versions_are_those_of_the_package_that_holds_the_library(library: str) -> None:
    names = {name.lower().replace("_", "-") for name in fingerprint._distributions()[library]}
    name, version = fingerprint._version(library).split(" ")
    assert name.lower().replace("_", "-") in names
    assert version[0].isdigit()
