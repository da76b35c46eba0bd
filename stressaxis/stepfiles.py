"""What a step writes and the next one reads: tables as CSV, problems and facts as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_facts", "read_problems", "read_table", "write_facts", "write_problems", "write_table"]

_PROBLEMS = "problems.json"

#: Columns that hold labels whatever they look like: '007' stays '007'.
_TEXT = frozenset(
    {
        "subject",
        "sample",
        "sex",
        "strain",
        "cage",
        "cohort",
        "group",
        "role",
        "treatment",
        "plate",
        "arena",
        "file",
        "trial",
        "excluded",
        "note",
        "protein",
        "symbol",
    }
)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV: UTF-8, ``\\n``, numbers so that they read back the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that :func:`write_table` wrote; label columns stay text, with '' for nothing.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(pd.DataFrame({"subject": ["007"], "iz_s": [12.5]}), Path(folder) / "a.csv")
    ...     read_table(Path(folder) / "a.csv").to_dict("records")
    [{'subject': '007', 'iz_s': 12.5}]
    """
    import pandas as pd

    names = pd.read_csv(path, nrows=0).columns
    text = [name for name in names if name in _TEXT or name.startswith("class")]
    table = pd.read_csv(path, dtype=dict.fromkeys(text, str), na_values=[""], keep_default_na=False)
    table[text] = table[text].fillna("")
    return table


def write_problems(problems: Iterable[Problem], folder: Path) -> None:
    """Leave a step's problems beside its results."""
    rows = [vars(problem) for problem in problems]
    (folder / _PROBLEMS).write_text(json.dumps(rows, sort_keys=True, ensure_ascii=False), "utf-8")


def read_problems(folder: Path) -> list[Problem]:
    """The problems a step left; none if it left no list."""
    try:
        listed = (folder / _PROBLEMS).read_text("utf-8")
    except FileNotFoundError:
        return []
    return [Problem(**row) for row in json.loads(listed)]


def write_facts(facts: Mapping[str, Any], path: Path) -> None:
    """Write a small record as JSON."""
    path.write_text(json.dumps(facts, sort_keys=True, ensure_ascii=False, default=_plain), "utf-8")


def read_facts(path: Path) -> dict[str, Any]:
    """Read a record that :func:`write_facts` wrote."""
    facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return facts


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
