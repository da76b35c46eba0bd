"""What all mass spectrometry readers share: groups, decoys, contaminants, zeros, run names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem
from proteomics.abundance import from_frame
from proteomics.readers.table import SerumOptions, SerumTable, SetApart

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ProteinGroups", "first_accession", "group_kind", "group_table", "run_name", "species_of_names"]

_DECOY = re.compile(r"(?:REV__|rev_|DECOY_|XXX_|##)", re.IGNORECASE)
_CONTAMINANT = re.compile(r"(?:CON__|contam_|cont_|CON_)", re.IGNORECASE)
_FASTA = re.compile(r"(?:sp|tr)\|([^|]+)\|")
_RUN_ENDINGS = re.compile(r"(?:\.(?:raw|d|wiff2?|mzml|dia|tims|htrms|speclib))+$", re.IGNORECASE)


@dataclass(frozen=True)
class ProteinGroups:
    """A table of protein groups and runs, linear intensities.

    Parameters
    ----------
    file, software, quantity
        Where it comes from and which quantity it holds.
    ids
        Whole id of every group.
    genes
        Gene names of every group, joined by ``;``.
    names
        Entry names or descriptions, from which the species is taken.
    runs
        Name of every sample or run.
    values
        (n_groups, n_runs) linear intensities, NaN = missing.
    kinds
        Reason to set a group apart (several joined by ``" + "``), ``""`` otherwise; by default from the prefix of its
        first member.
    """

    file: str
    software: str
    quantity: str
    ids: list[str]
    genes: list[str]
    names: list[str]
    runs: list[str]
    values: NDArray[np.float64]
    kinds: Sequence[str] | None = None


def first_accession(group: str) -> str:
    """UniProt accession of a group's first member, without isoform.

    Examples
    --------
    >>> first_accession("P11;P11-2"), first_accession("sp|P02790|HEMO_HUMAN"), first_accession("A0AV96-2;B7Z8Z7")
    ('P11', 'P02790', 'A0AV96')
    """
    first = group.split(";")[0].strip()
    match = _FASTA.search(first)
    return (match[1] if match else first).split("-")[0]


def group_kind(group: str) -> str:
    """``"decoy"``, ``"contaminant"`` or ``""`` from the prefix of the first member.

    A group of a real protein that also lists a contaminant's id stays: dropping it would lose, among others, the
    animal's own keratins and albumin.

    Examples
    --------
    >>> [group_kind(g) for g in ("REV__P1", "CON__P2;P3", "contam_sp|P4|X", "B1AQ75;Cont_O76013")]
    ['decoy', 'contaminant', 'contaminant', '']
    """
    first = group.split(";")[0].strip()
    return "decoy" if _DECOY.match(first) else "contaminant" if _CONTAMINANT.match(first) else ""


def run_name(path: str) -> str:
    r"""Name of a run without folder and ending, on either kind of slash.

    Examples
    --------
    >>> run_name(r"R:\\K\\211221\\62_Slot1-54_1_2674.d"), run_name("/data/KL_001_a.mzML.dia"), run_name("S1")
    ('62_Slot1-54_1_2674', 'KL_001_a', 'S1')
    """
    return _RUN_ENDINGS.sub("", re.split(r"[\\/]+", path.strip())[-1])


def species_of_names(names: Sequence[str]) -> str:
    """Species that most entry names carry; empty if neither mouse nor human has the majority.

    Examples
    --------
    >>> species_of_names(["CO3_MOUSE", "PZP_MOUSE;X_HUMAN"]), species_of_names(["RS25A_YEAST"])
    ('mouse', '')
    """
    count: Counter[str] = Counter()
    for name in names:
        first = name.split(";")[0]
        if "_MOUSE" in first or "Mus musculus" in first:
            count["mouse"] += 1
        elif "_HUMAN" in first or "Homo sapiens" in first:
            count["human"] += 1
        elif first:
            count[""] += 1
    if not count:
        return ""
    species, times = count.most_common(1)[0]
    return species if times > sum(count.values()) / 2 else ""


def group_table(groups: ProteinGroups, options: SerumOptions, reader: str) -> SerumTable:
    """Set decoys and contaminants apart, take log2, and build the Dataset.

    0 is missing, not a number, unless ``zero`` says below detection. The row key is the whole group id; the symbol is
    the first gene, the UniProt id that of the first member.

    Raises
    ------
    InputError
        If a group or run stands twice, a value is negative, or nothing is left.
    """
    import pandas as pd

    file = Path(groups.file).name
    kinds = list(groups.kinds) if groups.kinds is not None else [group_kind(group) for group in groups.ids]
    keep = np.array([at for at, kind in enumerate(kinds) if not kind], dtype=np.int64)
    apart = tuple(SetApart(groups.ids[at], kind) for at, kind in enumerate(kinds) if kind)
    if not keep.size or not groups.runs:
        raise InputError(
            "the table is empty", file=groups.file, found=f"{keep.size} proteins, {len(groups.runs)} samples"
        )
    ids = [groups.ids[at] for at in keep]
    if twice := duplicated(ids):
        raise InputError("a protein group stands twice", file=groups.file, found=", ".join(twice[:4]))
    if twice := duplicated(groups.runs):
        raise InputError("a sample stands twice", file=groups.file, where="header", found=", ".join(twice[:4]))
    values = groups.values[keep]
    if (values < 0).any():
        row, column = (int(at) for at in np.argwhere(values < 0)[0])
        raise InputError(
            "an intensity is negative",
            file=groups.file,
            where=f"protein {ids[row]}, sample {groups.runs[column]}",
            found=f"{values[row, column]:g}",
            expected="linear intensities, 0 or more",
        )
    zeros = values == 0
    problems = [
        Problem(code="control_protein", file=file, message=f"{number} groups are {kind}", action="set apart")
        for kind, number in Counter(kind for each in kinds if each for kind in each.split(" + ")).items()
    ]
    if zeros.any():
        action = "taken as below detection" if options.zero == "below" else "taken as missing"
        problems.append(
            Problem(code="limit_assumed", file=file, message=f"{int(zeros.sum())} intensities are 0", action=action)
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        logged = np.where(zeros, np.nan, np.log2(values)).T
    problems += complete_problem(logged, file)
    species = options.species or species_of_names([groups.names[at] for at in keep])
    dataset = from_frame(
        pd.DataFrame(logged, index=groups.runs, columns=ids),
        below_lod=zeros.T & (options.zero == "below"),
        proteins=pd.DataFrame(
            {
                "uniprot": [first_accession(group) for group in ids],
                "symbol": [groups.genes[at].split(";")[0] or ids[k] for k, at in enumerate(keep)],
                "genes": [groups.genes[at] for at in keep],
            }
        ),
        platform=options.platform or "LC-MS",
        species=species,
        unit=f"log2 {groups.quantity}",
        source_file=file,
        source_software=groups.software,
    )
    return SerumTable(dataset, problems, reader, apart)


def complete_problem(values: NDArray[np.float64], file: str) -> list[Problem]:
    """A Problem where mass spectrometry values have no gap: they were probably filled in upstream."""
    if values.size < 200 or values.shape[0] < 4 or not np.isfinite(values).all():
        return []
    message = f"no missing value among {values.size}; label-free data always have some"
    return [
        Problem(
            code="imputed_upstream", file=file, message=message, action="kept; look for the table before imputation"
        )
    ]
