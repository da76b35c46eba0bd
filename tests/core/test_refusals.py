"""Every refusal says what was found, beside the rule that it breaks: read from the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def refusals() -> Iterator[tuple[str, ast.Call]]:
    for package in ("behavior", "proteomics", "integration"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RefusedError":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


CALLS = dict(refusals())


@pytest.mark.parametrize("place", CALLS)
def test_a_refusal_names_what_was_found(place: str) -> None:
    """A text without anything computed in it cannot hold the number that failed, but for a 0 that is always one."""
    given = {keyword.arg: keyword.value for keyword in CALLS[place].keywords}
    assert "found" in given, "no found=: the number that failed is not said"
    found = given["found"]
    if isinstance(found, ast.Constant):
        assert any(letter.isdigit() for letter in str(found.value))


def test_refusals_are_looked_for_where_they_are() -> None:
    assert len(CALLS) > 40
