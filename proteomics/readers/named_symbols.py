"""Gene symbols for proteins whose names in a table no list knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from proteomics.readers.table import SerumTable

__all__ = ["with_symbols"]


def with_symbols(table: SerumTable, symbols: Mapping[str, str], *, file: str = "") -> SerumTable:
    """The table with gene symbols given for some of its proteins; their names as assay ids stay.

    Parameters
    ----------
    table
        What a reader gave.
    symbols
        Symbol to the protein's name in the table (``{"Il5": "IL.5..A5."}``, where Greek letters were lost).
    file
        Named in errors.

    Raises
    ------
    InputError
        If a name is not in the table, or is given two symbols.
    """
    names = [str(name) for name in table.dataset["protein"].values]
    if missing := [name for name in symbols.values() if name not in names]:
        raise InputError(f"no protein is called {missing[0]!r}", file=file or None, found=", ".join(names[:20]))
    if twice := duplicated(symbols.values()):
        raise InputError("a protein is given two symbols", file=file or None, found=", ".join(twice))
    given = {name: symbol for symbol, name in symbols.items()}
    old = table.dataset["symbol"].values
    new = np.array([given.get(name, symbol) for name, symbol in zip(names, old, strict=True)], dtype=object)
    return replace(table, dataset=table.dataset.assign_coords(symbol=("protein", new)))
