"""Names of assays: what they mean in each species, and what is refused."""

from __future__ import annotations

import pytest

from proteomics.orthologues import data_rows, human_orthologue, mouse_orthologue, name_key, pairs, resolve_name

BIOPLEX_23 = {
    "IL-1a (53)": "Il1a", "IL-1b (19)": "Il1b", "IL-2 (36)": "Il2", "IL-3 (18)": "Il3", "IL-4 (39)": "Il4",
    "IL-5 (52)": "Il5", "IL-6 (38)": "Il6", "IL-9 (33)": "Il9", "IL-10 (56)": "Il10", "IL-12(p40) (76)": "Il12b",
    "IL-12(p70) (78)": "Il12a", "IL-13 (37)": "Il13", "IL-17A (72)": "Il17a", "Eotaxin (74)": "Ccl11",
    "G-CSF (54)": "Csf3", "GM-CSF (73)": "Csf2", "IFN-g (34)": "Ifng", "KC (57)": "Cxcl1", "MCP-1 (51)": "Ccl2",
    "MIP-1a (77)": "Ccl3", "MIP-1b (75)": "Ccl4", "RANTES (55)": "Ccl5", "TNF-a (21)": "Tnf",
}  # fmt: skip


def test_the_mouse_bead_panel_is_known() -> None:
    assert {name: resolve_name(name, "mouse").symbol for name in BIOPLEX_23} == BIOPLEX_23


@pytest.mark.parametrize(
    ("name", "human", "mouse"),
    [("IL-4Rα", "IL4R", "Il4ra"), ("CCL17/TARC", "", ""), ("TARC", "CCL17", "Ccl17"), ("TNF-β", "LTA", "Lta"),
     ("IFN.γ", "IFNG", "Ifng"), ("ST1A1", "SULT1A1", "Sult1a1"), ("CA1", "CA1", "Car1"), ("IL-17E/IL-25", "IL25", "Il25"),
     ("CXCL7", "PPBP", "Ppbp"), ("il6", "IL6", "Il6"), ("SDF-1?", "CXCL12", "Cxcl12")],
)  # fmt: skip
def test_names_in_both_species(name: str, human: str, mouse: str) -> None:
    assert (resolve_name(name, "human").symbol, resolve_name(name, "mouse").symbol) == (human, mouse)


@pytest.mark.parametrize(
    "name", ["IL-12", "IL-1", "MIP-1", "IFN", "IL-1?", "MIP-1?", "TNF-?", "TNF-", "IFN-", "GRO-?", "IL-17A/F"]
)
def test_ambiguous_names_are_refused_with_a_reason(name: str) -> None:
    for species in ("human", "mouse"):
        resolved = resolve_name(name, species)
        assert resolved.symbol == ""
        assert resolved.reason


@pytest.mark.parametrize("human", ["CCL18", "CXCL8", "CCL13", "CCL23", "IL37", "IL26", "S100A12", "PI3", "CXCL11"])
def test_no_mouse_partner(human: str) -> None:
    assert mouse_orthologue(human).symbol == ""
    assert mouse_orthologue(human).reason


def test_wrong_joins_are_not_made() -> None:
    assert human_orthologue("Ccl3").symbol == "CCL3"
    assert human_orthologue("Cxcl15").symbol == ""
    assert human_orthologue("Ccl11").symbol == "CCL11"
    assert human_orthologue("Ccl12").symbol == ""
    assert resolve_name("Cxcl11", "mouse").symbol == "Cxcl11"
    assert mouse_orthologue("IL4R").symbol == "Il4ra"


def test_pairs_are_one_to_one() -> None:
    for column in ("human_symbol", "human_uniprot", "mouse_symbol", "mouse_uniprot"):
        values = [value for pair in pairs() if (value := getattr(pair, column))]
        assert len(values) == len(set(values)), column


def test_every_alias_leads_to_one_place() -> None:
    keys = [name_key(row["alias"]) for row in data_rows("aliases.tsv")]
    by_key: dict[str, set[tuple[str, str]]] = {}
    for key, row in zip(keys, data_rows("aliases.tsv"), strict=True):
        by_key.setdefault(key, set()).add((row["human_symbol"], row["mouse_symbol"]))
    assert {key: found for key, found in by_key.items() if len(found) > 1} == {}


def test_aliases_agree_with_the_pairs() -> None:
    partner = {pair.human_symbol: pair.mouse_symbol for pair in pairs()}
    for row in data_rows("aliases.tsv"):
        human, mouse = row["human_symbol"], row["mouse_symbol"]
        if human in partner and partner[human] and mouse not in ("", "?"):
            assert partner[human] == mouse, row


def test_unknown_species_is_an_error() -> None:
    with pytest.raises(ValueError, match="'rat'"):
        resolve_name("IL-4", "rat")
