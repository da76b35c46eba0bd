"""Prostar workbook: log2 abundances on one sheet, the origin of every value (measured or filled in) on another."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.abundance import FLAGS, from_frame
from proteomics.readers.grids import Grid, load_grids
from proteomics.readers.maxquant import read_matrix
from proteomics.readers.protein_groups import first_accession, species_of_names
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READER", "read_prostar"]

_ORIGIN = "OriginOfValue"
#: Origins that Prostar gives to values which no spectrum stands behind.
_FILLED = {"POV", "MEC", "Imputed POV", "Imputed MEC"}


def _matches(head: bytes) -> bool:
    return _ORIGIN.encode() in head


def read_prostar(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read the workbook; values of origin POV or MEC carry the flag ``imputed``.

    Raises
    ------
    InputError
        If a sheet is missing or the sheets list different proteins or samples.
    """
    import pandas as pd

    options = options or SerumOptions()
    grids = load_grids(path)
    features = next((g for g in grids if g.rows and any(c.startswith(_ORIGIN) for c in g.rows[0])), None)
    matrix = next((g for g in grids if g is not features and g.rows and g.rows[0][:1] == ["ID"]), None)
    if features is None or matrix is None:
        raise InputError("not a Prostar workbook", file=path, expected="sheets Quantitative Data and Feature Meta Data")
    rows, runs = list(range(1, len(matrix.rows))), matrix.rows[0][1:]
    ids = [matrix.cell(row, 0) for row in rows]
    where = {name: at for at, name in enumerate(features.rows[0])}
    if [features.cell(row, where["ID"]) for row in range(1, len(features.rows))] != ids:
        raise InputError("the sheets list different proteins", file=path, where=f"sheet {features.sheet}")
    filled = np.array([[cell in _FILLED for cell in line] for line in _origins(features, where, runs, len(rows))])
    values = read_matrix(matrix, rows, list(range(1, len(runs) + 1)))
    description = [features.cell(row, where.get("description", 10**6)) for row in range(1, len(features.rows))]
    dataset = from_frame(
        pd.DataFrame(values.T, index=runs, columns=ids),
        quality=np.where(filled.T, FLAGS["imputed"], 0),
        proteins=pd.DataFrame(
            {
                "uniprot": [first_accession(name) for name in ids],
                "symbol": [_gene(d) or n for d, n in zip(description, ids, strict=True)],
            }
        ),
        platform=options.platform or "LC-MS",
        species=options.species or species_of_names(ids),
        unit="log2 abundance",
        source_file=Path(path).name,
        source_software="Prostar",
    )
    number = int(filled.sum())
    message = f"{number} of {filled.size} values were filled in (origin POV or MEC)"
    problems = [
        Problem(code="imputed_upstream", file=Path(path).name, message=message, action="kept, flagged in quality")
    ]
    return SerumTable(dataset, problems if number else [], READER.name)


def _origins(features: Grid, where: dict[str, int], runs: list[str], n_rows: int) -> list[list[str]]:
    columns = [where.get(f"{_ORIGIN}{run}", where.get(f"{_ORIGIN}.{run}", -1)) for run in runs]
    if -1 in columns:
        raise InputError(
            f"no column {_ORIGIN} for {runs[columns.index(-1)]}", file=features.file, where=f"sheet {features.sheet}"
        )
    return [[features.cell(row, at) for at in columns] for row in range(1, n_rows + 1)]


def _gene(description: str) -> str:
    return next((part.removeprefix("GN=") for part in description.split() if part.startswith("GN=")), "")


READER = Reader("prostar", "Prostar workbook with the origin of every value", _matches, read_prostar)
