"""What stands beside the primary association is shown for the main marker, with refusals in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from stressaxis.report.association_sections import _explorations
from stressaxis.report.blocks import TableBlock
from stressaxis.report.results import read_results
from stressaxis.report.statement import main_result
from tests.stressaxis.made_results import write_results


def test_the_main_markers_rows_are_shown_with_their_refusals(tmp_path: Path) -> None:
    folder = write_results(tmp_path, fps=3.0)
    main = main_result(read_results(folder))
    assert main is not None
    markers = [main.row["marker"], "other"]
    pd.DataFrame(
        {"outcome": "target_time", "marker": markers, "symbol": markers, "kind": "axis", "method": "mediation", "n": 20,
         "estimate": [-4.0, 99.0], "ci_low": -9.0, "ci_high": 1.0, "p": 0.2, "note": "exploratory"}
    ).to_csv(folder / "tables" / "mediation.csv", index=False)  # fmt: skip
    refused = "refused: too few mice or cohorts to predict; found 20 mice of 2 cohorts"
    pd.DataFrame({"outcome": ["target_time"], "method": ["elastic net"], "estimate": [None], "note": [refused]}).to_csv(
        folder / "tables" / "prediction.csv", index=False
    )
    blocks = [block for block in _explorations(read_results(folder)) if isinstance(block, TableBlock)]
    assert [block.view.link for block in blocks] == ["tables/mediation.csv", "tables/prediction.csv"]
    words = [" ".join(cell.text for row in block.view.rows for cell in row) for block in blocks]
    assert "−4.00" in words[0] and "99" not in words[0]
    assert refused in words[1]


def test_predictions_are_shown_with_the_classes_told_apart_and_whole_counts(tmp_path: Path) -> None:
    folder = write_results(tmp_path, fps=3.0)
    pd.DataFrame(
        {"outcome": "target_time", "method": ["elastic net", "Mann-Whitney AUC"], "n": [56, 50], "estimate": [0.2, 0.64],
         "effect_name": ["r2", "AUC gained by serum"], "n_susceptible": [None, 27], "note": "exploratory"}
    ).to_csv(folder / "tables" / "prediction.csv", index=False)  # fmt: skip
    (block,) = (each for each in _explorations(read_results(folder)) if isinstance(each, TableBlock))
    assert "Do these predictions tell susceptible from resilient mice?" in block.view.caption
    cells = [[cell.text for cell in row] for row in block.view.rows]
    assert "27" in cells[1] and "27.0" not in cells[1] and "–" in cells[0]
    assert "AUC gained by serum" in cells[1]
