"""Every table of estimates has the columns that its page names, and the page is the program's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from behavior.reliability import split_half
from integration.association import ASSOCIATION_COLUMNS
from integration.association_details import DETAIL_COLUMNS
from integration.contrasts import COMPARISON_COLUMNS
from integration.enrichment import reversal_enrichment
from integration.explorations import COHORT_COLUMNS, MEDIATION_COLUMNS, PREDICTION_COLUMNS, WEIGHT_COLUMNS
from integration.people import SKEW_COLUMNS
from integration.reversal import RANKING_COLUMNS, REVERSAL_COLUMNS
from integration.reversal_tables import table_reversal
from integration.signature_intervals import with_intervals
from integration.signatures import Signature, axis_logfc, build_signature, signature_quadrants
from integration.similarity import SIMILARITY_COLUMNS, SimilarityOptions, similarity_difference
from integration.treatment import TREATMENT_COLUMNS
from stressaxis.estimate_tables import ESTIMATE_TABLES, tables_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"


def signature(name: str, sign: float = 1.0) -> Signature:
    table = pd.DataFrame({"symbol": [f"P{k}" for k in range(12)], "logfc": sign * np.linspace(-1, 1, 12), "se": 0.2,
                          "t": 3.0, "df": 20.0, "p": 0.01, "q": 0.02, "n_1": 10, "n_0": 12})  # fmt: skip
    return build_signature(table, name=name)


def difference() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    group = pd.Series(np.repeat(["A", "B", "C", "HC"], 6), [f"s{k}" for k in range(24)])
    return similarity_difference(
        pd.DataFrame(rng.normal(size=(24, 12)), group.index, [f"P{k}" for k in range(12)]), group=group,
        contrast=("A", "HC"), first=("B", "HC"), second=("C", "HC"), options=SimilarityOptions(n_splits=2), seed=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def columns() -> dict[str, set[str]]:
    a, b = signature("MDD - HC"), signature("drug", -1.0)
    reversal = table_reversal(a, [b, signature("other")])
    moderated = with_intervals(a.table.reset_index().assign(n_1=10, n_0=12))
    found: dict[str, Iterable[object]] = {
        "association": ASSOCIATION_COLUMNS, "association_details": DETAIL_COLUMNS,
        "association_by_cohort": COHORT_COLUMNS, "mediation": MEDIATION_COLUMNS, "prediction": PREDICTION_COLUMNS,
        "prediction_weights": WEIGHT_COLUMNS, "group_comparisons": COMPARISON_COLUMNS, "treatment": TREATMENT_COLUMNS,
        "differential_*": moderated, "people_signatures": moderated, "people_axes": axis_logfc(a),
        "reliability": split_half(pd.DataFrame(), animals=pd.DataFrame()), "people_skew": SKEW_COLUMNS,
        "people_quadrants": signature_quadrants(a, b), "people_similarity": SIMILARITY_COLUMNS,
        "people_similarity_difference": difference(), "people_reversal": REVERSAL_COLUMNS,
        "people_ranking": RANKING_COLUMNS, "people_reversal_proteins": reversal.proteins,
        "people_enrichment": reversal_enrichment(reversal),
    }  # fmt: skip
    return {name: set(map(str, table)) for name, table in found.items()}


@pytest.mark.parametrize("table", ESTIMATE_TABLES, ids=lambda table: table.name)
def test_a_table_has_n_effect_interval_and_method(table, columns) -> None:  # type: ignore[no-untyped-def]
    assert set(table.columns) <= columns[table.name]
    assert table.n and table.effect and table.method
    assert table.interval or "no interval" in table.without


def test_the_page_is_the_programs() -> None:
    assert PAGE.read_text(encoding="utf-8") == tables_markdown()
