"""Names of assays to gene symbols, and curated mouse-human pairs; what is ambiguous is refused, not guessed."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = [
    "Pair",
    "Resolved",
    "data_rows",
    "human_orthologue",
    "is_protein_name",
    "mouse_orthologue",
    "name_key",
    "pairs",
    "resolve_name",
]

_GREEK = {"α": "a", "β": "b", "γ": "g", "δ": "d", "κ": "k", "Α": "a", "Β": "b", "Γ": "g"}
_GREEK_WORDS = (("alpha", "a"), ("beta", "b"), ("gamma", "g"), ("delta", "d"))
_BEAD_OR_UNIT = re.compile(r"\s*(?:\((?:\d+|[a-z]g/ml|MFI|BR\d+)\)|\[[^\]]*\]|BR\d+)\s*$", re.IGNORECASE)
_ACCESSION = re.compile(r"(?:[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})(?:-\d+)?(?:;|$)")
#: What is left of a Greek letter after a wrong encoding.
_LOST = re.compile(r"[?\ufffd]|-\s*$")


@dataclass(frozen=True)
class Resolved:
    """A name taken to a gene symbol.

    Parameters
    ----------
    symbol
        Symbol in the species' own writing; empty if the name is unknown or refused.
    reason
        Why there is none.
    """

    symbol: str
    reason: str = ""


@dataclass(frozen=True)
class Pair:
    """A human protein and its mouse partner, as curated.

    Parameters
    ----------
    human_symbol, human_uniprot, mouse_symbol, mouse_uniprot
        Blank where there is no usable partner or no reviewed entry.
    note
        Why, or what to mind.
    """

    human_symbol: str
    human_uniprot: str
    mouse_symbol: str
    mouse_uniprot: str
    note: str = ""


def data_rows(name: str) -> list[dict[str, str]]:
    """Rows of one of the package's own tables."""
    text = resources.files("proteomics").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


@cache
def pairs() -> tuple[Pair, ...]:
    """The curated mouse-human table."""
    return tuple(
        Pair(row["human_symbol"], row["human_uniprot"], row["mouse_symbol"], row["mouse_uniprot"], row["note"])
        for row in data_rows("orthologues.tsv")
    )


def name_key(name: str) -> str:
    """A name without case, punctuation, bead number, unit and Greek letters.

    Examples
    --------
    >>> name_key("IL-1α (23)"), name_key("IL.1a"), name_key("IFN-gamma")
    ('IL1A', 'IL1A', 'IFNG')
    """
    name = _BEAD_OR_UNIT.sub("", _BEAD_OR_UNIT.sub("", name))
    for letter, latin in _GREEK.items():
        name = name.replace(letter, latin)
    name = unicodedata.normalize("NFKD", name).casefold()
    for word, latin in _GREEK_WORDS:
        name = name.replace(word, latin)
    return re.sub(r"[^0-9A-Z]", "", name.upper())


@cache
def _names(species: str) -> dict[str, tuple[str, str]]:
    """Key of a name to its symbol in the species (``"?"``: ambiguous, ``""``: none) and the note."""
    table: dict[str, tuple[str, str]] = {}
    for pair in pairs():
        symbol = pair.mouse_symbol if species == "mouse" else pair.human_symbol
        table[name_key(symbol or pair.human_symbol)] = (symbol, pair.note)
    for row in data_rows("aliases.tsv"):
        symbol = row["mouse_symbol" if species == "mouse" else "human_symbol"]
        table[name_key(row["alias"])] = (symbol, row["note"])
    # Where a mouse gene exists but is no partner of the human one, the name is right and only the pair is refused.
    if species == "mouse":
        for symbol in ("Ccl8", "Cxcl5", "Cxcl11", "Cxcl15"):
            table[name_key(symbol)] = (symbol, "")
    table.pop("", None)
    return table


def resolve_name(name: str, species: str) -> Resolved:
    """Gene symbol of an assay's name.

    Known are the curated symbols and the names that bead panels and Olink use. A name that may mean two proteins
    (``IL-12``, ``MIP-1``, ``IFN``) or that lost its Greek letter (``IL-1?``) is refused unless all readings agree.

    Examples
    --------
    >>> resolve_name("KC", "mouse").symbol, resolve_name("IL-4R", "mouse").symbol, resolve_name("TNF-α", "human").symbol
    ('Cxcl1', 'Il4ra', 'TNF')
    >>> resolve_name("IL-1?", "mouse").reason
    "'IL-1?' lost a letter and may be Il1a or Il1b"
    >>> resolve_name("IL-8", "mouse").reason
    "'IL-8' has no gene in mouse (no IL-8 gene in mouse)"
    """
    if species not in ("mouse", "human"):
        raise ValueError(f"species is {species!r}; expected 'mouse' or 'human'")
    table = _names(species)
    stem = _BEAD_OR_UNIT.sub("", name.strip())
    key = name_key(stem)
    if _LOST.search(stem):
        readings = sorted({table[key + letter][0] for letter in "abgdABGD".upper() if key + letter in table} - {""})
        if key in table and table[key][0] not in ("", "?") and stem.endswith("-"):
            readings = sorted({*readings, table[key][0]})
        if len(readings) == 1 and readings[0] != "?":
            return Resolved(readings[0])
        return Resolved("", f"{name!r} lost a letter and may be {' or '.join(readings) or 'anything'}")
    if key not in table:
        return Resolved("", f"{name!r} is not in the table of names")
    symbol, note = table[key]
    why = f" ({note})" if note else ""
    if symbol == "?":
        return Resolved("", f"{name!r} may mean more than one protein{why}")
    if not symbol:
        return Resolved("", f"{name!r} has no gene in {species}{why}")
    return Resolved(symbol)


def is_protein_name(name: str) -> bool:
    """Whether a text is a UniProt accession or a name that the tables know in either species.

    Examples
    --------
    >>> [is_protein_name(name) for name in ("P07750", "IL-12p40", "KC", "mouse 12")]
    [True, True, True, False]
    """
    return bool(_ACCESSION.match(name.strip())) or any(
        name_key(name) in _names(species) for species in ("mouse", "human")
    )


def mouse_orthologue(human_symbol: str) -> Resolved:
    """The mouse partner of a human gene, from the curated table only.

    Examples
    --------
    >>> mouse_orthologue("IL4R").symbol, mouse_orthologue("CXCL8").symbol
    ('Il4ra', '')
    """
    for pair in pairs():
        if pair.human_symbol == human_symbol:
            return Resolved(pair.mouse_symbol, "" if pair.mouse_symbol else pair.note)
    return Resolved("", f"{human_symbol!r} is not in the curated table")


def human_orthologue(mouse_symbol: str) -> Resolved:
    """The human partner of a mouse gene, from the curated table only.

    Examples
    --------
    >>> human_orthologue("Il4ra").symbol, human_orthologue("Cxcl15").symbol
    ('IL4R', '')
    """
    for pair in pairs():
        if pair.mouse_symbol and pair.mouse_symbol == mouse_symbol:
            return Resolved(pair.human_symbol)
    return Resolved("", f"{mouse_symbol!r} is not in the curated table or has no usable human partner")
