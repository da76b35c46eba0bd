"""Reading a laboratory's table: columns found by name, cells turned into values, every mistake told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.cells import MISSING, CellError, Cells, parse_cell, read_cells
from configs.columns import Column, folded
from configs.faults import Fault, did_you_mean, fail, listed, raise_faults, suggestion
from configs.schema import Experiment
from core.errors import InputError
from core.labels import near_duplicates

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows", "blank_cells", "config_place", "id_suggestion", "read_rows", "repeated_ids", "unknown_subjects"]

#: Columns that results have; a table may not bring its own.
_RESERVED = ("role", "excluded")
#: So many wrong cells of one column are told one by one.
_MAX_CELLS = 3


@dataclass(frozen=True)
class Rows:
    """A table with our column names, and what is needed to point at a row of it.

    Parameters
    ----------
    frame
        Ids and texts as str, numbers as float, dates as ISO text; the user's further columns after ours.
    lines
        Line (row, in a spreadsheet) of each row in the file.
    file
        The file.
    unit
        ``"line"`` or ``"row"``.
    faults
        Cells that are not what their column holds; they are missing in ``frame``.
    """

    frame: pd.DataFrame
    lines: list[int]
    file: str
    unit: str = "line"
    faults: tuple[Fault, ...] = ()

    def fault(self, number: int, column: str, message: str, **facts: Any) -> Fault:
        """A fault in the row with this position."""
        return Fault(
            message=message, file=self.file, line=self.lines[number], unit=self.unit, key=f"column {column}", **facts
        )


def read_rows(
    experiment: Experiment, name: str, columns: Sequence[Column], mapping: Mapping[str, str], at: tuple[str, ...]
) -> Rows:
    """Read a table, find its columns, turn its cells into values.

    Parameters
    ----------
    experiment
        Gives the folder, the date format and the line of each key.
    name
        The file as the experiment file names it.
    columns
        What is looked for; further columns are kept under their own names.
    mapping
        Our names to the user's, for columns that are called otherwise.
    at
        Path of the table's section in the experiment file.

    Raises
    ------
    ConfigError
        If the file is missing or empty, or a column is missing.
    """
    import pandas as pd

    path = experiment.locate(name)
    try:
        cells = read_cells(path)
    except InputError as error:
        if not path.exists():
            fail(_missing_file(experiment, name, path, at), file=str(path))
        raise error
    table, faults = cells.table, list[Fault]()
    homes = _match(experiment, cells, columns, mapping, at, faults)
    if not table.rows:
        faults.append(Fault(message="the table has no rows", file=table.file, found="a header only"))
    raise_faults(faults, file=table.file)
    by_name: dict[str, Any] = {}
    for column in columns:
        if column.name in homes:
            by_name[column.name] = _values(cells, homes[column.name], column, experiment.date_format, faults)
    taken = set(homes.values())
    for number, header in enumerate(table.columns):
        if header and number not in taken:
            by_name[header] = _further(cells, number)
    return Rows(pd.DataFrame(by_name), table.lines, table.file, cells.unit, tuple(faults))


def _missing_file(experiment: Experiment, name: str, path: Path, at: tuple[str, ...]) -> Fault:
    folder = path.parent
    near = did_you_mean(path.name, [file.name for file in folder.iterdir()]) if folder.is_dir() else ""
    place = config_place(experiment, at)
    return Fault(
        message="file not found",
        file=place.get("file", ""),
        line=place.get("line"),
        key=".".join(at),
        found=f"no {name!r} in the folder {experiment.base.resolve()}",
        remedy=f"did you mean {near!r}?" if near else "check the name; file names are relative to that folder",
    )


def config_place(experiment: Experiment, at: tuple[str, ...]) -> dict[str, Any]:
    """File and line of a key of the experiment file, or of the nearest section above it that is written."""
    known = experiment.places
    while at and at not in known:
        at = at[:-1]
    return {"file": known[at].file, "line": known[at].value_line} if at in known else {}


def _match(
    experiment: Experiment,
    cells: Cells,
    columns: Sequence[Column],
    mapping: Mapping[str, str],
    at: tuple[str, ...],
    faults: list[Fault],
) -> dict[str, int]:
    """Position of each of our columns in the file: as the config says, else by its name, else by another name."""
    headers = cells.table.columns
    by_folded = {folded(header): number for number, header in enumerate(headers) if header}
    homes: dict[str, int] = {}
    for name, theirs in mapping.items():
        if fault := _wrong_mapping(experiment, cells, columns, name, theirs, (*at, "columns", name)):
            faults.append(fault)
        else:
            homes[name] = by_folded[folded(theirs)]
    for by_alias in (False, True):
        for column in columns:
            free = {key: number for key, number in by_folded.items() if number not in homes.values()}
            names = column.aliases if by_alias else (column.name,)
            fitting = [free[folded(name)] for name in names if folded(name) in free]
            if column.name not in mapping and column.name not in homes and fitting:
                homes[column.name] = fitting[0]
    faults += [
        _missing_column(cells, column, headers, at)
        for column in columns
        if column.required and column.name not in mapping and column.name not in homes
    ]
    taken = {headers[number] for number in homes.values()}
    faults += [
        Fault(
            message=f"results have a column {header!r} of their own",
            file=cells.table.file,
            key="header",
            remedy="rename the column",
        )
        for header in headers
        if header in _RESERVED and header not in taken
    ]
    return homes


def _wrong_mapping(
    experiment: Experiment, cells: Cells, columns: Sequence[Column], name: str, theirs: str, at: tuple[str, ...]
) -> Fault | None:
    place = {**config_place(experiment, at), "key": ".".join(at)}
    known, headers = [column.name for column in columns], cells.table.columns
    if name not in known:
        expected = f"one of {listed(known)}"
        return Fault(message=f"unknown column {name!r}", expected=expected, remedy=suggestion(name, known), **place)
    if folded(theirs) not in {folded(header) for header in headers}:
        message = f"no column {theirs!r} in {cells.table.file}"
        return Fault(message=message, found=listed(headers), remedy=suggestion(theirs, headers), **place)
    return None


def _missing_column(cells: Cells, column: Column, headers: list[str], at: tuple[str, ...]) -> Fault:
    near = did_you_mean(column.name, headers) or "NAME IN THE FILE"
    return Fault(
        message=f"no column {column.name!r}",
        file=cells.table.file,
        key="header",
        found=listed(headers),
        expected=f"{column.name} ({column.help})",
        remedy=f"rename it in the file, or write under `{'.'.join(at)}` in the experiment file: "
        f"columns: {{{column.name}: {near}}}",
    )


def _values(cells: Cells, at: int, column: Column, date_format: str | None, faults: list[Fault]) -> list[Any]:
    values, wrong = [], []
    key = f"column {cells.table.columns[at]}"
    for row, line in zip(cells.table.rows, cells.table.lines, strict=True):
        try:
            value = parse_cell(row[at], column.kind, date_format=date_format, decimal_comma=cells.decimal_comma)
        except CellError as error:
            value = float("nan") if column.kind == "number" else ""
            wrong.append(
                Fault(
                    message=str(error),
                    file=cells.table.file,
                    line=line,
                    unit=cells.unit,
                    key=key,
                    found=repr(row[at]),
                    expected=error.expected,
                    remedy=error.remedy,
                )
            )
        values.append(value)
    # A whole column in another format is one mistake, not a hundred.
    faults += wrong[:_MAX_CELLS]
    if more := wrong[_MAX_CELLS:]:
        message = f"{len(more)} more cells of this column are of the same kind, to {cells.unit} {more[-1].line}"
        faults.append(Fault(message=message, file=cells.table.file, line=more[0].line, unit=cells.unit, key=key))
    return values


def _further(cells: Cells, at: int) -> list[Any]:
    """A column that is the user's own: numbers if all its filled cells are numbers and none could be an id like 007."""
    texts = [row[at] for row in cells.table.rows]
    filled = [text for text in texts if text not in MISSING]
    if not filled or any(text.lstrip("+-")[:2].isdigit() and text.lstrip("+-")[0] == "0" for text in filled):
        return texts
    try:
        return [parse_cell(text, "number", decimal_comma=cells.decimal_comma) for text in texts]
    except CellError:
        return texts


def blank_cells(rows: Rows, column: str) -> list[Fault]:
    """A fault for each row in which the column is empty."""
    return [
        rows.fault(number, column, "no value here", expected=f"the {column}")
        for number, text in enumerate(rows.frame[column])
        if not text
    ]


def repeated_ids(rows: Rows, column: str) -> list[Fault]:
    """Every row whose id stood in an earlier one."""
    first: dict[str, int] = {}
    faults = []
    for number, label in enumerate(rows.frame[column]):
        if label and label in first:
            faults.append(
                rows.fault(
                    number,
                    column,
                    f"{column} {label!r} occurs twice",
                    expected=f"one row per {column}",
                    found=f"it on {rows.unit} {rows.lines[first[label]]} too",
                )
            )
        first.setdefault(label, number)
    return faults


def id_suggestion(label: str, known: Sequence[str]) -> str | None:
    """The known id that a mistyped one is likely to be: the same but for case, spaces and zeros, or else near."""
    same = [other for group in near_duplicates([*known, label]) if label in group for other in group if other != label]
    return f"did you mean {same[0]!r}?" if same else suggestion(label, known)


def unknown_subjects(rows: Rows, known: Sequence[str] | None) -> list[Fault]:
    """A fault for each row whose subject is not among the known ones; none where these could not be read."""
    if known is None:
        return []
    have = set(known)
    return [
        rows.fault(
            number,
            "subject",
            f"subject {label!r} is not in the subjects table",
            remedy=id_suggestion(label, known) or "add it to the subjects table, or delete the row",
        )
        for number, label in enumerate(rows.frame["subject"])
        if label and label not in have
    ]
