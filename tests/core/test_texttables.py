"""Text tables: encodings, separators, ragged rows, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.readers import Reader, find_reader, register
from core.texttables import read_text_table


def written(folder: Path, content: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"subject,value\n007,1.5\nm2,\n",
        b"subject;value\r\n007;1.5\r\nm2;\r\n",
        b"\xef\xbb\xbfsubject\tvalue\n007\t1.5\nm2\n",
        "subject,value\n007,1.5\nm2,\n".encode("utf-16"),
        b'\n\n"subject","value"\n"007","1.5"\n,\nm2,,\n',
    ],
)
def test_the_same_table_in_many_forms(tmp_path: Path, content: bytes) -> None:
    table = read_text_table(written(tmp_path, content))
    assert table.columns == ["subject", "value"]
    assert table.rows == [["007", "1.5"], ["m2", ""]]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    table = read_text_table(written(tmp_path, b'a,b\n\n1,"x\ny"\n2,z\n'))
    assert table.lines == [4, 5]


def test_latin_1_is_refused_with_line_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2: .*not UTF-8.*0xe4.*save it again with encoding UTF-8"):
        read_text_table(written(tmp_path, "subject\nK\xe4the\n".encode("latin-1")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file is empty"),
        (b"\n\n", "table is empty"),
        (b"a,a\n1,2\n", "column name occurs twice"),
        (b"a,b\n1,2,3\n", r"line 2.*more cells than the header"),
        (b"a,b\n1,\x002\n", r"line 2.*binary"),
    ],
)
def test_broken_tables(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_text_table(written(tmp_path, content))


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found"):
        read_text_table(tmp_path / "no.csv")
    with pytest.raises(InputError, match="folder"):
        read_text_table(tmp_path)


def test_readers_are_found_by_content_and_named_once(tmp_path: Path) -> None:
    table: list[Reader] = []
    one = register(table, Reader("one", "starts with 1", lambda head: head[:1] == b"1", lambda path: "one"))
    with pytest.raises(ValueError, match="registered twice"):
        register(table, one)
    assert find_reader(written(tmp_path, b"123"), table) is one
    with pytest.raises(InputError, match=r"not recognised.*one \(starts with 1\)"):
        find_reader(written(tmp_path, b"x"), table)
