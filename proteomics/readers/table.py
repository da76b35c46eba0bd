"""What a reader is asked for and what it hands back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.problems import Problem

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "SerumOptions",
    "SerumTable",
    "SetApart",
    "control_type",
    "count_controls",
    "normal_name",
    "species_of_panel",
]

_ORIENTATIONS = ("auto", "samples_in_rows", "proteins_in_rows")
_ZEROS = ("auto", "below", "missing", "value")
_REPLICATES = ("keep", "average")
_CONTAMINANTS = ("flagged", "first member")


@dataclass(frozen=True, kw_only=True)
class SerumOptions:
    """What a table itself may leave unsaid.

    Parameters
    ----------
    species
        ``"mouse"`` or ``"human"``; overrides what the table says.
    unit
        Unit of the values (``"pg/mL"``, ``"NPX"``, ``"log2"``) for tables that do not state it. NPX and units that
        begin with ``log2`` stay as they are; all others are linear and turned into log2.
    platform
        Name of the platform, for the record.
    orientation
        Of a plain matrix: ``"samples_in_rows"``, ``"proteins_in_rows"`` or ``"auto"``.
    lod
        Limit of detection for each protein, in the table's own unit.
    symbols
        Gene symbol to the protein's name in the table, for names that no list knows (``{"Il5": "IL.5..A5."}``).
    sample_columns
        Columns of a plain matrix that describe the sample and are no proteins.
    columns
        Of a long table, what its columns are (``{"sample": "Mouse no.", "protein": "Cytokine", "value": "Amount"}``);
        further roles: well, plate, type, signal, count, dilution, expected, lod, unit, uniprot, symbol, panel.
    zero
        Meaning of 0 in a linear table: ``"below"`` detection, ``"missing"``, ``"value"`` (refused on a linear scale),
        or ``"auto"``: below for concentrations, missing for mass spectrometry intensities.
    quantity
        Which of several quantities to read where a file has more than one (``"LFQ intensity"``, ``"Median"``);
        ``"fit"`` works out a plate's concentrations from its own standards.
    layout
        Plate layout file: well to sample.
    replicates
        Wells that hold the same sample: ``"keep"`` each, or ``"average"`` on the log scale.
    contaminants
        Of mass spectrometry tables with a column of contaminants: ``"flagged"`` sets apart what the column marks,
        ``"first member"`` only groups whose first member is a contaminant's id (so that human albumin, which MaxQuant
        marks, stays in a table of human plasma).
    """

    species: str = ""
    unit: str = ""
    platform: str = ""
    orientation: str = "auto"
    lod: Mapping[str, float] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)
    sample_columns: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    zero: str = "auto"
    quantity: str = ""
    layout: str | Path = ""
    replicates: str = "keep"
    contaminants: str = "flagged"

    def __post_init__(self) -> None:
        _one_of("species", self.species, ("", "mouse", "human"))
        _one_of("orientation", self.orientation, _ORIENTATIONS)
        _one_of("zero", self.zero, _ZEROS)
        _one_of("replicates", self.replicates, _REPLICATES)
        _one_of("contaminants", self.contaminants, _CONTAMINANTS)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed: {', '.join(map(repr, allowed))}")


@dataclass(frozen=True)
class SetApart:
    """A row of the table that is no protein of the sample: decoy, contaminant, control assay.

    Parameters
    ----------
    protein, kind
        Its id, and ``"decoy"``, ``"contaminant"``, ``"only by site"``, ``"control assay"`` or ``"bead count"``.
    """

    protein: str
    kind: str


@dataclass(frozen=True)
class SerumTable:
    """A serum table as read.

    Parameters
    ----------
    dataset
        The abundance Dataset. Controls, calibrators, standards and blanks of the plate stay in it, told apart by
        ``sample_type``; analyses use the rows whose type is ``sample``.
    problems
        What was found and done on the way.
    reader
        Name of the format.
    set_apart
        Rows of the file that are no proteins of the sample and are not in the Dataset.
    """

    dataset: xr.Dataset
    problems: list[Problem]
    reader: str = ""
    set_apart: tuple[SetApart, ...] = ()


def normal_name(name: str) -> str:
    """A column name without case, spaces, dots, dashes and underscores.

    Examples
    --------
    >>> normal_name("Missing Data freq."), normal_name("QC_Warning")
    ('missingdatafreq', 'qcwarning')
    """
    return re.sub(r"[^0-9a-z]+", "", name.casefold())


# Narrow on purpose: a mouse called "Control 5" is a subject.
_CONTROL_NAMES = re.compile(
    r"control[_ .-]?sample|sample[_ .-]?control|facility[_ .-]?c(?:on)?tr(?:o)?l"
    r"|pool(?:ed)?[_ .-]?(?:plasma|serum|control)"
    r"|plasma[_ .-]?control|sc[_ -]?olink",
    re.IGNORECASE,
)
_CALIBRATOR_NAMES = re.compile(r"ipc\b|inter[_ .-]?plate|plate[_ .-]?c(?:on)?tr(?:o)?l|calibrator", re.IGNORECASE)
_BLANK_NAMES = re.compile(r"neg(?:ativ(?:e)?)?[_ .-]?c(?:on)?tr(?:o)?l|blank|background", re.IGNORECASE)
_STATED_TYPES = {
    "sample": "sample",
    "unknown": "sample",
    "bridge": "sample",
    "standard": "standard",
    "std": "standard",
    "blank": "blank",
    "background": "blank",
    "control": "control",
    "samplecontrol": "control",
    "platecontrol": "calibrator",
    "calibrator": "calibrator",
    "negativecontrol": "blank",
    "buffer": "blank",
    "qc": "control",
}


def control_type(name: str, stated: str = "") -> str:
    """Type of a row from the type the table states, or else from names that vendors give their controls.

    Examples
    --------
    >>> [control_type(name) for name in ("CONTROL_SAMPLE_AS 1", "IPC", "Negativ Ctrl", "Control 5")]
    ['control', 'calibrator', 'blank', 'sample']
    >>> control_type("S1", "PLATE_CONTROL")
    'calibrator'
    """
    if stated and normal_name(stated) in _STATED_TYPES:
        return _STATED_TYPES[normal_name(stated)]
    for kind, pattern in (("control", _CONTROL_NAMES), ("calibrator", _CALIBRATOR_NAMES), ("blank", _BLANK_NAMES)):
        if pattern.match(name.strip()):
            return kind
    return "sample"


def species_of_panel(panel: str) -> str:
    """Species that an Olink panel is made for.

    Examples
    --------
    >>> species_of_panel("Olink Target 96 Mouse Exploratory(v.3802)"), species_of_panel("Olink INFLAMMATION(v.3021)")
    ('mouse', 'human')
    """
    return "mouse" if "mouse" in panel.casefold() else "human"


def count_controls(types: list[str], names: list[str], *, file: str) -> list[Problem]:
    """One Problem for each kind of row that is no subject's sample, with count and names."""
    problems = []
    for kind in dict.fromkeys(types):
        if kind == "sample":
            continue
        these = [name for name, each in zip(names, types, strict=True) if each == kind]
        shown = ", ".join(list(dict.fromkeys(these))[:6])
        problems.append(
            Problem(
                code="control_sample",
                file=Path(file).name,
                message=f"{len(these)} rows are of type {kind} ({shown})",
                action="kept in the table, left out of analyses",
            )
        )
    return problems
