"""Long tables (one row a sample and assay) as coded columns, streamed so that memory stays bounded."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.readers import read_head
from core.texttables import decode_text, sniff_delimiter
from proteomics.readers.table import normal_name

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["LongColumns", "read_long_columns"]

_NULLS = ["", "NA", "NaN", "nan", "N/A", "n/a", "null", "NULL", "#N/A"]
_BLOCK_BYTES = 16 * 1024**2


@dataclass
class LongColumns:
    """Columns of a long table: text as codes into labels, numbers as float64.

    Parameters
    ----------
    file
        Where it was read from.
    names
        Role to the column's own name.
    codes, labels
        Role to (n_rows,) codes and their texts; a blank cell has the label ``""``.
    numbers
        Role to (n_rows,) float64, NaN where blank.
    extra
        Names of unknown columns; they are coded under their own names.
    """

    file: str
    names: dict[str, str]
    codes: dict[str, NDArray[Any]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    n_rows: int = 0

    def text(self, role: str, row: int) -> str:
        """The cell's text, or ``""`` where the table has no such column."""
        return self.labels[role][self.codes[role][row]] if role in self.codes else ""

    def place(self, row: int, role: str | None = None) -> str:
        """A row's place in words; the header is row 1."""
        column = f", column {self.names.get(role, role)}" if role else ""
        return f"row {row + 2}{column}"

    def first_blank(self, role: str) -> int | None:
        """First row whose cell is blank."""
        if role not in self.codes or "" not in self.labels[role]:
            return None
        return int(np.argmax(self.codes[role] == self.labels[role].index("")))

    def first_rows(self, codes: NDArray[Any], size: int) -> NDArray[np.int64]:
        """(size,) first row of each code."""
        first = np.zeros(size, np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        return first

    def combine(self, roles: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Codes of the combinations of several columns, in order of appearance, and the first row of each."""
        combined = np.zeros(self.n_rows, np.int64)
        for role in roles:
            combined = combined * len(self.labels[role]) + self.codes[role]
        _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        return rank[inverse], first[order]

    def repeated(self, left: NDArray[Any], right: NDArray[Any]) -> tuple[int, int] | None:
        """A row whose pair of codes occurred before, and that earlier row; None if all pairs differ."""
        width = int(right.max()) + 1
        pair = left.astype(np.int64)
        pair *= width
        pair += right
        seen = np.zeros((int(left.max()) + 1) * width, bool)
        seen[pair] = True
        if int(seen.sum()) == len(pair):
            return None
        order = np.argsort(pair, kind="stable")
        twice = np.flatnonzero(np.diff(pair[order]) == 0)
        at = twice[np.argmin(order[twice + 1])]
        return int(order[at + 1]), int(order[at])

    def joined(self, role: str, sample: NDArray[Any], size: int) -> list[str] | None:
        """For each sample its texts in this column, joined by ``" + "`` where it has several (a plate a panel)."""
        if role not in self.codes:
            return None
        pairs = np.unique(sample.astype(np.int64) * len(self.labels[role]) + self.codes[role])
        texts: list[list[str]] = [[] for _ in range(size)]
        for pair in pairs:
            owner, code = divmod(int(pair), len(self.labels[role]))
            texts[owner].append(self.labels[role][code])
        return [" + ".join(sorted(each)) for each in texts]

    def constant_text(self, role: str, sample: NDArray[Any], size: int, first: NDArray[np.int64]) -> list[str] | None:
        """A column's text for each sample, or None where it changes within a sample."""
        codes = self.codes[role]
        if (codes[first][sample] != codes).any():
            return None
        return [self.labels[role][code] for code in codes[first]]


def read_long_columns(
    path: str | Path,
    roles: Mapping[str, Sequence[str]],
    *,
    numbers: Sequence[str],
    not_sample: set[str],
    keep_extra: bool = True,
) -> LongColumns:
    """Read the columns that play a role, and the unknown ones, of a csv or Parquet file.

    Raises
    ------
    InputError
        If a number is none, a row is broken or the text is no UTF-8; row and column are named.
    """
    is_parquet = read_head(path).startswith(b"PAR1")
    header, delimiter = ([], "") if is_parquet else _header(path)
    if is_parquet:
        import pyarrow.parquet as pq

        header = list(pq.read_schema(path).names)
    names = _choose(header, roles)
    required = [role for role in ("sample", "value") if role not in names]
    if required:
        raise InputError(f"no column for {required[0]}", file=path, where="header", found=", ".join(header))
    used = set(names.values())
    extra = [name for name in header if name and name not in used and normal_name(name) not in not_sample]
    extra = extra if keep_extra else []
    columns = LongColumns(str(path), names, extra=extra)
    batches = (
        _parquet_batches(path, [*used, *extra]) if is_parquet else _csv_batches(path, names, extra, numbers, delimiter)
    )
    _collect(columns, batches, set(numbers))
    return columns


def _header(path: str | Path) -> tuple[list[str], str]:
    raw = read_head(path)
    if raw.startswith(b"\x1f\x8b"):
        with gzip.open(path, "rb") as stream:
            raw = stream.read(64 * 1024)
    end = raw.find(b"\n")
    first = decode_text(raw[: end + 1] if end >= 0 and raw[:2] not in (b"\xff\xfe", b"\xfe\xff") else raw, file=path)
    line = first.splitlines()[0] if first else ""
    delimiter = sniff_delimiter(line)
    names = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError("a column name occurs twice", file=path, where="header", found=", ".join(twice))
    return names, delimiter


def _choose(header: Sequence[str], roles: Mapping[str, Sequence[str]]) -> dict[str, str]:
    by_name = {normal_name(name): name for name in reversed(header)}
    chosen = {}
    for role, spellings in roles.items():
        spelling = next((each for each in spellings if each in by_name), None)
        if spelling is not None:
            chosen[role] = by_name[spelling]
    return chosen


def _csv_batches(
    path: str | Path, names: Mapping[str, str], extra: Sequence[str], numbers: Sequence[str], delimiter: str
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as pacsv

    wanted = list(dict.fromkeys([*names.values(), *extra]))
    numeric = {names[role] for role in numbers if role in names}
    head = read_head(path)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    stream: Any = pa.input_stream(str(path), compression="gzip" if head.startswith(b"\x1f\x8b") else None)
    try:
        yield from pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=encoding),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=False),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.float64() if name in numeric else pa.string() for name in wanted},
                include_columns=wanted,
                null_values=_NULLS,
                strings_can_be_null=False,
                decimal_point=_decimal(path, numeric, delimiter, encoding),
            ),
        )
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        _diagnose(path, numeric, delimiter, encoding)
        raise InputError(f"broken table ({error})", file=path) from None


def _open_lines(path: str | Path, encoding: str) -> Any:
    opener: Any = gzip.open if read_head(path).startswith(b"\x1f\x8b") else open
    return opener(path, "rt", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def _decimal(path: str | Path, numeric: set[str], delimiter: str, encoding: str) -> str:
    from itertools import islice

    from proteomics.readers.cells import decimal_mark

    if delimiter == ",":
        return "."
    try:
        with _open_lines(path, encoding) as stream:
            reader = csv.reader(stream, delimiter=delimiter)
            header = [cell.strip() for cell in next(reader)]
            wanted = [index for index, name in enumerate(header) if name in numeric]
            cells = [row[index].strip() for row in islice(reader, 1000) for index in wanted if index < len(row)]
    except (csv.Error, UnicodeError, OSError, EOFError):
        return "."
    return decimal_mark(cells, file=str(path))


def _diagnose(path: str | Path, numeric: set[str], delimiter: str, encoding: str) -> None:
    """Name the first broken row; called only when the fast way failed."""
    import math

    try:
        with _open_lines(path, encoding) as stream:
            reader = csv.reader(stream, delimiter=delimiter)
            header = [cell.strip() for cell in next(reader)]
            wanted = [(index, name) for index, name in enumerate(header) if name in numeric]
            for row in reader:
                place = f"row {reader.line_num}"
                if row and len(row) != len(header):
                    raise InputError(
                        "row has another number of cells than the header",
                        file=path,
                        where=place,
                        found=f"{len(row)} cells",
                        expected=f"{len(header)}",
                    )
                for index, name in wanted if row else ():
                    cell = row[index].strip().replace(",", ".")
                    try:
                        bad = cell not in _NULLS and math.isnan(float(cell))
                    except ValueError:
                        bad = True
                    if bad:
                        raise InputError(
                            f"{name} is not a number",
                            file=path,
                            where=f"{place}, column {name}",
                            found=repr(row[index]),
                            expected="a number",
                            remedy="correct the cell",
                        )
    except UnicodeDecodeError:
        with open(path, "rb") as raw:
            for number, line in enumerate(raw, 1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise InputError(
                        "the file is not UTF-8 text",
                        file=path,
                        where=f"line {number}",
                        found=f"byte 0x{line[error.start]:02x} (a letter in Latin-1 or another old encoding)",
                        expected="UTF-8",
                        remedy="save it again with encoding UTF-8",
                    ) from None
    except csv.Error as error:
        raise InputError(f"broken table ({error})", file=path) from None


def _parquet_batches(path: str | Path, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        # Text comes as codes and labels, as Parquet stores it; unpacking it only to count it again costs most.
        texts = [name for name in wanted if pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=1 << 18, columns=list(wanted), use_threads=False)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"the Parquet file is damaged ({error})", file=path) from None


def _collect(columns: LongColumns, batches: Iterator[pa.RecordBatch], numbers: set[str]) -> None:
    role_of = {name: role for role, name in columns.names.items()} | {name: name for name in columns.extra}
    parts: dict[str, list[NDArray[Any]]] = {role: [] for role in role_of.values()}
    labels: dict[str, dict[str, int]] = {role: {} for role in role_of.values() if role not in numbers}
    for batch in batches:
        for name, role in role_of.items():
            column = batch.column(name)
            if role in numbers:
                parts[role].append(_as_numbers(column, columns, role))
            else:
                parts[role].append(_as_codes(column, labels[role]))
        columns.n_rows += batch.num_rows
    _release_unused_memory()
    for role, pieces in parts.items():
        if role in numbers:
            columns.numbers[role] = np.concatenate(pieces) if pieces else np.zeros(0)
        else:
            # Pieces were kept as small as their labels allowed; all take the size of the largest.
            dtype = _code_dtype(len(labels[role]))
            columns.codes[role] = np.concatenate(pieces).astype(dtype, copy=False) if pieces else np.zeros(0, dtype)
            columns.labels[role] = list(labels[role])
        pieces.clear()


def _release_unused_memory() -> None:
    """Give back what Arrow keeps for its next table."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _code_dtype(n_labels: int) -> type[np.unsignedinteger[Any]]:
    return np.uint8 if n_labels <= 2**8 else np.uint16 if n_labels <= 2**16 else np.uint32


def _as_codes(column: pa.Array, labels: dict[str, int]) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        if not pa.types.is_string(column.type):
            column = pc.cast(column, pa.string())
        column = pc.fill_null(column, "").dictionary_encode()
    texts = column.dictionary.to_pylist()
    known = [labels.setdefault("" if text is None else str(text).strip(), len(labels)) for text in texts]
    blank = labels.setdefault("", len(labels)) if column.null_count else 0
    # One place more at the end takes what is null.
    of_batch = np.array([*known, blank], _code_dtype(len(labels)))
    codes: NDArray[Any] = of_batch[pc.fill_null(column.indices, len(known)).to_numpy(zero_copy_only=False)]
    return codes


def _as_numbers(column: pa.Array, columns: LongColumns, role: str) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        blank = pc.is_in(column, value_set=pa.array(_NULLS, column.type))
        column = pc.if_else(blank, None, column)
        try:
            column = pc.cast(column, pa.float64())
        except pa.ArrowInvalid:
            _name_bad_number(column, columns, role)
    numbers: NDArray[np.float64] = column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return numbers


def _name_bad_number(column: pa.Array, columns: LongColumns, role: str) -> None:
    for index, text in enumerate(column.to_pylist()):
        try:
            float(text) if text is not None else 0.0
        except ValueError:
            raise InputError(
                f"{columns.names[role]} is not a number",
                file=columns.file,
                where=columns.place(columns.n_rows + index, role),
                found=repr(text),
                expected="a number",
            ) from None
