from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from integration.signatures import build_signature
from integration.species_concordance import species_concordance

MOUSE = ["Il4", "Il5", "Il13", "Ccl11", "Ccl17", "Ccl22", "Ccl24", "Ifng", "Cxcl9", "Cxcl10", "Il17a", "Il4ra"]
HUMAN = ["IL4", "IL5", "IL13", "CCL11", "CCL17", "CCL22", "CCL24", "IFNG", "CXCL9", "CXCL10", "IL17A", "IL4R"]


def signature(symbols, logfc, species):
    return build_signature(pd.DataFrame({"symbol": symbols, "logfc": logfc}), name=f"{species} study", species=species)


def test_pairs_follow_the_curated_table_not_the_letters():
    change = np.linspace(-1, 1, 12) + 0.01
    found = species_concordance(signature(MOUSE, change, "mouse"), signature(HUMAN, 2 * change, "human"))
    assert found.n == 12
    assert dict(zip(found.pairs["mouse_symbol"], found.pairs["human_symbol"], strict=True))["Il4ra"] == "IL4R"
    assert (found.same_sign, found.spearman) == (1.0, pytest.approx(1.0))
    assert found.sign_p == pytest.approx(2 * 0.5**12)
    assert "too small" in found.note


def test_wrong_joins_are_not_made():
    mouse = signature(["Ccl3", "Cxcl15", "Il5"], [1.0, 1, 1], "mouse")
    human = signature(["CCL18", "CXCL8", "CCL13", "IL5"], [1.0, 1, 1, 1], "human")
    found = species_concordance(mouse, human)
    assert found.pairs["mouse_symbol"].tolist() == ["Il5"]
    assert found.note == "refused: 1 pairs, at least 10 needed for a test; they are listed"
    assert np.isnan(found.sign_p)
    assert {p.where for p in found.problems} == {"mouse study, Ccl3", "mouse study, Cxcl15"}


def test_species_are_checked():
    human = signature(HUMAN, np.ones(12), "human")
    with pytest.raises(ValueError, match="expected 'mouse' and 'human'"):
        species_concordance(human, human)
