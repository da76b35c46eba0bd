"""The forest plot over cohorts draws the table's numbers, and nothing where nothing was pooled."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from integration.explorations import COHORT_COLUMNS
from integration.meta_analysis import random_effects
from stressaxis.figures.cohort_forest import cohort_forest
from stressaxis.report.association_sections import _explorations
from stressaxis.report.blocks import FigureRow, TableBlock
from stressaxis.report.results import read_results
from stressaxis.report.statement import main_result
from tests.stressaxis.made_results import write_results

SLOPES, ERRORS = [-8.0, -6.0, -11.0], [3.0, 2.5, 4.0]


def rows(marker: str = "Il5") -> pd.DataFrame:
    """Three cohorts, one without an estimate, and their pool."""
    meta = random_effects(SLOPES, ERRORS)
    head: dict[str, Any] = {"outcome": "target_time", "marker": marker, "symbol": marker, "kind": "protein", "note": ""}
    within = {"method": "linear_model within the cohort"}
    made = [
        head | within | {"cohort": f"c{k}", "n": 12, "estimate": b, "se": se, "ci_low": b - 2.2 * se,
                         "ci_high": b + 2.2 * se, "p": 0.05, "weight": meta.weights[k]}
        for k, (b, se) in enumerate(zip(SLOPES, ERRORS, strict=True))
    ]  # fmt: skip
    made.append(head | within | {"cohort": "c3", "n": 4, "note": "refused: 1 residual degrees of freedom"})
    made.append(
        head | {"method": "random effects (REML, Hartung-Knapp)", "cohort": "all", "n": 36, "weight": 1.0,
                "estimate": meta.estimate, "se": meta.se, "ci_low": meta.ci_low, "ci_high": meta.ci_high, "p": meta.p,
                "effect": meta.i2, "new_cohort_low": meta.prediction_low, "new_cohort_high": meta.prediction_high,
                "tau2": meta.tau2, "heterogeneity_p": meta.q_p}
    )  # fmt: skip
    return pd.DataFrame(made, columns=list(COHORT_COLUMNS))


def test_what_is_drawn_is_what_the_table_says() -> None:
    figure = cohort_forest(rows(), marker_title="Il5")
    assert figure is not None and figure.table == "association_by_cohort.csv"
    layers = json.loads(figure.spec)["layer"]
    squares = [layer for layer in layers if layer["mark"]["type"] == "square"]
    assert [row["estimate"] for row in squares[0]["data"]["values"]] == SLOPES
    assert sum(row["weight"] for row in squares[0]["data"]["values"]) == pytest.approx(1)
    meta = random_effects(SLOPES, ERRORS)
    diamond = next(layer for layer in layers if layer["mark"]["type"] == "area")
    assert [row["x"] for row in diamond["data"]["values"]] == [meta.ci_low, meta.estimate, meta.ci_high]
    text = re.sub("<[^>]+>", "\n", figure.svg)
    low, high = (f"{value:.1f}".replace("-", "−") for value in (meta.ci_low, meta.ci_high))
    assert f"{meta.estimate:.1f} ({low} to {high})".replace("-", "−") in text
    assert "no estimate" in text and "100 %" in text
    assert "pooled over 3 cohorts" in figure.caption and "n = 36" in figure.caption
    assert "1 cohort without an estimate" in figure.caption


def test_nothing_is_drawn_where_nothing_was_pooled() -> None:
    table = rows()
    table.loc[table["cohort"] == "all", "estimate"] = np.nan
    assert cohort_forest(table, marker_title="Il5") is None
    assert cohort_forest(rows().iloc[[0, 4]], marker_title="Il5") is None


def test_the_figure_stands_above_its_table_in_the_report(tmp_path: Path) -> None:
    folder = write_results(tmp_path, fps=3.0)
    main = main_result(read_results(folder))
    assert main is not None
    both = pd.concat([rows(str(main.row["marker"])), rows("other")])
    both.to_csv(folder / "tables" / "association_by_cohort.csv", index=False)
    blocks = _explorations(read_results(folder))
    assert [type(block) for block in blocks] == [FigureRow, TableBlock]
    assert isinstance(blocks[0], FigureRow) and blocks[0].figures[0].name == "association_cohorts"
