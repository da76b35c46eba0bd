"""Package fronts: names come when asked for, tables are made once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.lazy import lazy_front


def test_a_made_value_is_made_once_and_only_when_asked_for() -> None:
    made = []
    get, listing, public = lazy_front("core", {"labels": ("file_stem",)}, made={"TABLE": lambda: made.append(1) or [1]})
    assert not made and listing() == public == ["TABLE", "file_stem"]
    assert get("TABLE") is get("TABLE")
    assert made == [1]
    with pytest.raises(AttributeError, match="no attribute 'TABEL'"):
        get("TABEL")


@pytest.mark.parametrize("package", ["behavior.readers", "proteomics.readers"])
def test_readers_load_when_the_table_is_asked_for(package: str) -> None:
    """Importing the front costs no reader; its table is there under its name, and the same each time."""
    code = (
        f"import sys, {package} as front\n"
        f"before = [name for name in sys.modules if name.startswith('{package}.')]\n"
        "assert not before, before\n"
        "assert front.READERS is front.READERS and len(front.READERS) > 10\n"
        "assert 'READERS' in dir(front)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
