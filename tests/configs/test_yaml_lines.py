"""YAML with lines: scalars are what they look like, mistakes are told with their line, nothing is constructed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from configs.yaml_lines import MAX_DEPTH, read_yaml
from core.errors import ConfigError, InputError


def read(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path).data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("007", "007"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-05", "2026-11-05"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("NA", "NA"),
        ("7", 7),
        ("-2.5", -2.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ("9" * 30, "9" * 30),
        ("m 1", "m 1"),
    ],
)
def test_scalars_are_what_they_look_like(tmp_path: Path, written: str, value: object) -> None:
    found = read(tmp_path, f"a: {written}\n")["a"]
    assert found == value
    assert isinstance(found, type(value))


def test_numbers_remember_how_they_were_written(tmp_path: Path) -> None:
    data = read(tmp_path, "a: 3e5\nb: 1.50\nc: 12\n")
    assert [data[key].text for key in "abc"] == ["3e5", "1.50", "12"]


def test_ordinary_files_read_as_pyyaml_reads_them(tmp_path: Path) -> None:
    text = "a: {b: [1, 2.5, x], c: 'it''s'}\nd:\n  - e: 1\n    f: |\n      two\n      lines\n  - null\n'8': true\n"
    assert read(tmp_path, text) == yaml.safe_load(text)


def test_places_count_lines_from_one(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("# comment\na:\n  b: 1\n  c:\n    - x\n    -\n      y\n", encoding="utf-8")
    places = read_yaml(path).places
    assert places["a",].line == 2
    assert places["a", "b"].line == 3
    assert (places["a", "c"].line, places["a", "c"].value_line) == (4, 5)
    assert [places["a", "c", item].line for item in (0, 1)] == [5, 7]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' occurs twice; found it on line 1 too"),
        ("a:\n  b: 1\n  b: 2\n", 3, "'b' occurs twice"),
        ("a:\n\tb: 1\n", 2, "a tab stands where spaces must"),
        ("a: 1\nb: %d/%m\n", 2, "may not begin with this character.*quotes"),
        ("a: 1\nb:2\nc: 3\n", 2, "no space after the colon.*expected `b: 2`"),
        ("a:1\nb: 2\n", 1, "no space after the colon"),
        ("a: 1\nb: x: y\n", 2, 'needs quotes.*expected `b: "x: y"`'),
        ("a: 1\n  b: 2\n", 2, "wrong indentation"),
        ("a:\n    b: 1\n  c: 2\n", 3, "wrong indentation"),
        ("a: [1, 2\nb: 3\n", 2, "bracket that is not closed"),
        ('a: "x\nb: 1\n', 2, "not closed"),
        ('a: "C:\\data"\n', 1, "backslash inside double quotes.*single quotes"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\nb: !!python/object/apply:os.system [x]\n", 2, "tags"),
        ("a: 1\nb: !!int x\n", 2, "not a number"),
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        ("a: 1\n<<: {b: 1}\n", 2, "merging"),
        ("a: 1\n? [b]\n: 1\n", 2, "a key must be a single word"),
        ("a: 1\nb: \x07\n", 2, "a character that may not stand in YAML"),
        ("- a\n- b\n", 1, "not an experiment file; found a list"),
        ("just words\n", 1, "not an experiment file; found a single value"),
        ("# only comments\n", 1, "nothing but comments"),
        ("a: " + "[" * (MAX_DEPTH + 5), 1, "nested more than"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read(tmp_path, text)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"line {line}")


def test_all_doubled_keys_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"2 mistakes(.|\n)*line 2(.|\n)*line 4"):
        read(tmp_path, "a: 1\na: 2\nb: 1\nb: 2\n")


def test_size_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too large"):
        read(tmp_path, "a: 1\n" + "#" * 2**20)


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcde", "bcdef", strict=True)
    )
    with pytest.raises(ConfigError, match="anchors"):
        read(tmp_path, bomb)
