"""Which members of the immune axes a panel measures, and by which of its assays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from proteomics.axis_table import AxisMember, axis_members
from proteomics.orthologues import name_key, resolve_name

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Assay", "assays_of", "find_member", "panel_coverage"]

#: Heterodimers are read as the subunit that no other cytokine shares.
_DIMERS = {
    frozenset({"IL12A", "IL12B"}): "IL12A",
    frozenset({"IL23A", "IL12B"}): "IL23A",
    frozenset({"EBI3", "IL27"}): "EBI3",
}


@dataclass(frozen=True)
class Assay:
    """What identifies one assay of a panel.

    Parameters
    ----------
    index
        Its place on the panel.
    uniprots
        UniProt ids; two for a heterodimer.
    symbol
        Gene symbol in the species; begins with ``?`` where the name may mean two proteins.
    """

    index: int
    uniprots: frozenset[str]
    symbol: str


def assays_of(ds: xr.Dataset, species: str) -> list[Assay]:
    """The assays of an abundance Dataset, in its order."""
    found = []
    columns = zip(ds["protein"].values, ds["symbol"].values, ds["uniprot"].values, strict=True)
    for index, (protein, symbol, uniprot) in enumerate(columns):
        ids = frozenset(part.split("-")[0] for part in _id_parts(uniprot))
        found.append(Assay(index, ids, _symbol(str(symbol) or str(protein), species)))
    return found


def _id_parts(text: str) -> list[str]:
    return [part for part in str(text).replace(",", " ").replace(";", " ").replace("_", " ").split() if part]


def _symbol(name: str, species: str) -> str:
    # A name that may mean two proteins stays marked; one that the table does not know stays as it is.
    resolved = resolve_name(name, species)
    if resolved.symbol:
        return resolved.symbol
    return name if "not in the table" in resolved.reason else f"? {resolved.reason}"


def find_member(member: AxisMember, assays: Sequence[Assay], species: str) -> tuple[list[int], str]:
    """Assays that measure the member, or why none does."""
    if not member.symbol:
        return [], "no orthologue"
    if member.uniprot:
        by_id = [assay.index for assay in assays if _id_of(assay.uniprots, species) == member.uniprot]
        if by_id:
            return by_id, ""
    by_name = [assay for assay in assays if assay.symbol == member.symbol]
    without_id = [assay.index for assay in by_name if not assay.uniprots or not member.uniprot]
    if without_id:
        return without_id, ""
    if by_name:
        ids = ", ".join(sorted(by_name[0].uniprots))
        return [], f"ambiguous: the symbol fits, but its UniProt id {ids} is not {member.uniprot}"
    refused = [assay.symbol[2:] for assay in assays if assay.symbol.startswith("? ") and _may_be(assay.symbol, member)]
    return [], f"ambiguous: {refused[0]}" if refused else "not on panel"


def _id_of(uniprots: frozenset[str], species: str) -> str:
    if len(uniprots) == 1:
        return next(iter(uniprots))
    return _dimer_ids(species).get(uniprots, "")


@cache
def _dimer_ids(species: str) -> dict[frozenset[str], str]:
    ids = {member.human_symbol: member.uniprot for member in axis_members(species)}
    # IL-27's own subunit is in no axis.
    ids["IL27"] = {"human": "Q8NEV9", "mouse": "Q8K3I6"}[species]
    return {frozenset(ids[each] for each in dimer): ids[read_as] for dimer, read_as in _DIMERS.items()}


def _may_be(refusal: str, member: AxisMember) -> bool:
    name = refusal.split("'")[1] if "'" in refusal else ""
    key, own = name_key(name), name_key(member.symbol)
    return bool(key) and (
        own.startswith(key) or f"may be {member.symbol}" in refusal or f"or {member.symbol}" in refusal
    )


def panel_coverage(panel: xr.Dataset | Iterable[str], species: str) -> pd.DataFrame:
    """Which members of each axis a panel can measure.

    Parameters
    ----------
    panel
        An abundance Dataset, or names of assays.
    species
        ``"mouse"`` or ``"human"``.

    Returns
    -------
    DataFrame
        ``axis, role, symbol, protein, status, note``; status ``on panel``, ``not on panel``, ``no orthologue`` or
        ``ambiguous``.

    Examples
    --------
    >>> table = panel_coverage(["IL-4", "IL-5", "KC", "Eotaxin"], "mouse")
    >>> table.query("axis == 'Th2' and status == 'on panel'").symbol.tolist()
    ['Ccl11', 'Il4', 'Il5']
    """
    import pandas as pd
    import xarray as xr

    if isinstance(panel, xr.Dataset):
        names = [str(name) for name in panel["protein"].values]
        assays = assays_of(panel, species)
    else:
        names = [str(name) for name in panel]
        assays = [Assay(at, frozenset(), _symbol(name, species)) for at, name in enumerate(names)]
    rows = []
    for member in axis_members(species):
        found, why = find_member(member, assays, species)
        protein = ", ".join(names[at] for at in found)
        status, _, detail = (why or "on panel").partition(": ")
        rows.append(
            (member.axis, member.role, member.symbol or member.human_symbol, protein, status, detail or member.note)
        )
    return pd.DataFrame(rows, columns=["axis", "role", "symbol", "protein", "status", "note"])
