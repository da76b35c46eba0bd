"""Bio-Plex Manager XML export: samples with their analytes, wells with their bead counts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.bioplex import bioplex_kind
from proteomics.readers.grids import open_text
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READER", "read_bioplex_xml"]

#: Codes of ObsConcValidationFlag: a number, and no concentration worked out.
_OK, _NOT_SET = "0", "9"


def _matches(head: bytes) -> bool:
    return b"<" in head[:200] and b"BioPlexManager" in head[:2000]


def read_bioplex_xml(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read the XML export: observed concentrations where they were worked out, otherwise the fluorescence.

    Raises
    ------
    InputError
        If it is no well-formed XML, declares entities (never expanded here), or holds no samples.
    """
    root = _parse(path)
    kinds = ("Blank", "Control", "Standard", "Unknown")
    samples = [item for item in root.iter() if _tag(item) in kinds and _child(item, "Analytes") is not None]
    if not samples:
        raise InputError("the file holds no samples", file=path, expected="Blank, Control, Standard, Unknown")
    beads = _bead_counts(root)
    analytes = [(_text(a, "AnalyteName"), a.get("RegionNumber", "")) for a in _items(samples[0], "Analytes")]
    wells, names, labels = [], [], []
    signal, observed = [], []
    counts = np.full((len(samples), len(analytes)), np.nan)
    expected = counts.copy()
    for at, sample in enumerate(samples):
        here = {a.get("RegionNumber", ""): a for a in _items(sample, "Analytes")}
        missing = [name for name, region in analytes if region not in here]
        if missing:
            raise InputError(f"sample {_text(sample, 'Label')} lacks analyte {missing[0]}", file=path)
        members = [f"{chr(64 + int(w.get('RowNo', 0)))}{w.get('ColNo', '')}" for w in _items(sample, "MemberWells")]
        wells.append(",".join(members))
        labels.append(_text(sample, "Label"))
        names.append(_text(sample, "Description") or _text(sample, "Label"))
        signal.append([_text(here[region], "RawMean") for _, region in analytes])
        observed.append([_observed(here[region]) for _, region in analytes])
        for k, (_, region) in enumerate(analytes):
            each = [beads[member, region] for member in members if (member, region) in beads]
            counts[at, k] = min(each) if each else np.nan
            expected[at, k] = float(_text(here[region], "ExpectedConc") or "nan")
    problems = []
    missing_wells = {well for pair in wells for well in pair.split(",")} - {well for well, _ in beads}
    if beads and missing_wells:
        message = f"bead counts of {len(missing_wells)} wells are not in the file"
        problems.append(Problem(code="few_beads", file=Path(path).name, message=message, action="not flagged there"))
    standards = np.where(expected > 0, expected, np.nan)
    plate = PlateRead(
        file=str(path),
        software=f"Bio-Plex Manager {root.get('BioPlexManagerVersion', '')}".strip(),
        platform="Bio-Plex",
        wells=wells,
        names=names,
        analytes=[name for name, _ in analytes],
        cells={"Obs Conc": observed, "FI": signal},
        kinds=[bioplex_kind(label) for label in labels],
        counts=counts if np.isfinite(counts).any() else None,
        standards=standards if np.isfinite(standards).any() else None,
        problems=problems,
    )
    return plate_table(plate, options or SerumOptions(), READER.name)


def _parse(path: str | Path) -> ET.Element:
    text = open_text(path)
    # Entities can be made to expand without bound or to read other files; no such export declares any.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(
            "the XML declares a document type or entities", file=path, remedy="export it again from Bio-Plex Manager"
        )
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        line, column = error.position
        raise InputError(
            f"the XML is damaged ({error.msg if hasattr(error, 'msg') else error})",
            file=path,
            where=f"line {line}, column {column}",
        ) from None


def _tag(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((child for child in element if _tag(child) == name), None)


def _items(element: ET.Element, name: str) -> list[ET.Element]:
    found = _child(element, name)
    return [] if found is None else list(found)


def _text(element: ET.Element, name: str) -> str:
    found = _child(element, name)
    return "" if found is None else (found.text or "").strip()


def _observed(analyte: ET.Element) -> str:
    """Observed concentration as a cell; the number stands behind the child elements."""
    element, flag = _child(analyte, "ObsConc"), _child(analyte, "ObsConcValidationFlag")
    if element is None:
        return ""
    code = "" if flag is None else flag.get("Code", "")
    if code == _NOT_SET:
        return ""
    if code not in ("", _OK):
        words = "" if flag is None else (flag.text or "").casefold()
        return "OOR <" if "<" in words or "below" in words else "OOR >" if ">" in words or "above" in words else "***"
    tail = "".join((child.tail or "") for child in element).strip()
    return tail or (element.text or "").strip()


def _bead_counts(root: ET.Element) -> dict[tuple[str, str], float]:
    counts: dict[tuple[str, str], float] = {}
    for well in root.iter():
        if _tag(well) != "Well" or not well.get("RowNo"):
            continue
        name = f"{chr(64 + int(well.get('RowNo', 0)))}{well.get('ColNo', '')}"
        for region in well.iter():
            if _tag(region) == "BeadRegion" and (number := _text(region, "RegionCount")):
                counts[name, region.get("RegionNumber", "")] = float(number)
    return counts


READER = Reader(
    "bioplex-xml", "Bio-Plex Manager XML export", _matches, read_bioplex_xml, "Bio-Rad Bio-Plex XML schema 2010"
)
