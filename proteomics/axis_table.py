"""The immune axes: which proteins make up Th2, Th1 ..., in either species."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from proteomics.orthologues import data_rows

__all__ = ["SKEW", "VARIANTS", "AxisMember", "axis_members", "axis_names", "members_of"]

#: Per sample: mean z of Th2 minus mean z of Th1.
SKEW = "th2_skew"

#: Further scores: an axis without some of its members, and why they are left out.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    # Platelets and late spinning release these as well.
    "vascular_without_preanalytical": ("vascular", ("PECAM1", "SELP", "VWF", "SIRT2", "STAMBP")),
    # An antibody against IL-4R alpha raises circulating IL-4 and IL-13 and masks soluble IL4R.
    "Th2_without_il4ra_targets": ("Th2", ("IL4", "IL13", "IL4R")),
}


@dataclass(frozen=True)
class AxisMember:
    """A protein of an axis, in one species.

    Parameters
    ----------
    axis, role
        ``"core"`` members make the score; ``"extended"`` ones are listed.
    human_symbol
        Names the member in both species.
    symbol, uniprot
        In the species asked for; blank where there is no usable orthologue or no reviewed entry.
    direction
        +1 or -1: the sign with which it enters.
    note
        What to mind.
    """

    axis: str
    role: str
    human_symbol: str
    symbol: str
    uniprot: str
    direction: int
    note: str


@cache
def axis_members(species: str) -> tuple[AxisMember, ...]:
    """All members of all axes in the species' own symbols.

    Examples
    --------
    >>> [m.symbol for m in axis_members("mouse") if m.axis == "Th2" and m.role == "core"][:3]
    ['Il13', 'Ccl11', '']
    """
    if species not in ("mouse", "human"):
        raise ValueError(f"species is {species!r}; expected 'mouse' or 'human'")
    return tuple(
        AxisMember(
            row["axis"],
            row["role"],
            row["human_symbol"],
            row[f"{species}_symbol"],
            row[f"{species}_uniprot"],
            int(row["direction"]),
            row["note"],
        )
        for row in data_rows("axes.tsv")
    )


def axis_names() -> list[str]:
    """Axes in the order of the table, without variants."""
    return list(dict.fromkeys(member.axis for member in axis_members("human")))


def members_of(name: str, species: str) -> list[AxisMember]:
    """Members of an axis or of one of the :data:`VARIANTS`."""
    axis, without = VARIANTS.get(name, (name, ()))
    return [each for each in axis_members(species) if each.axis == axis and each.human_symbol not in without]
