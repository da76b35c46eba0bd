from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from integration.signature_intervals import with_intervals


def test_the_interval_leaves_out_zero_exactly_where_p_is_below_05():
    rng = np.random.default_rng(4)
    n = 400
    table = pd.DataFrame({"protein": [f"P{i}" for i in range(n)], "logfc": rng.normal(0, 1, n),
                          "se": rng.uniform(0.2, 0.8, n), "df": rng.uniform(5, 60, n)})  # fmt: skip
    table["p"] = 2 * stats.t.sf(np.abs(table["logfc"] / table["se"]), table["df"])
    made = with_intervals(table)
    outside = (made["ci_low"] > 0) | (made["ci_high"] < 0)
    assert (outside == (table["p"] < 0.05)).all()
    assert 0.1 < outside.mean() < 0.9
    assert set(made["method"]) == {"moderated_t"}
    assert list(table.columns) == ["protein", "logfc", "se", "df", "p"]


def test_a_protein_without_a_test_has_no_interval():
    made = with_intervals(pd.DataFrame({"logfc": [0.4], "se": [np.nan], "df": [np.nan]}))
    assert np.isnan(made.loc[0, ["ci_low", "ci_high"]].astype(float)).all()
    assert made.loc[0, "logfc"] == pytest.approx(0.4)
