from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest

from core.errors import RefusedError
from integration.cohort import join_cohort
from integration.mediation import mediate


def study(seed=1, *, a=1.0, b=-8.0, n=40):
    rng = np.random.default_rng(seed)
    role = np.repeat(["control", "defeated"], n // 2)
    x = (role == "defeated").astype(float)
    cohort = np.arange(n) % 2
    m = a * x + 0.5 * cohort + rng.normal(size=n)
    base = rng.normal(60, 8, n)
    target = 80 - 10 * x + b * m + 5 * cohort + 0.3 * base + rng.normal(0, 8, n)
    table = pd.DataFrame(
        {"subject": [f"m{i:02d}" for i in range(n)], "role": role, "cohort": [f"c{k}" for k in cohort],
         "iz_no_target_s": base, "iz_target_s": target}
    )  # fmt: skip
    cohort_ = join_cohort(subjects=table[["subject", "cohort", "role"]],
                          animals=table[["subject", "iz_no_target_s", "iz_target_s"]])  # fmt: skip
    return table.assign(m=m, x=x), cohort_, pd.Series(m, index=table["subject"])


def test_paths_equal_pingouin():
    table, cohort, marker = study()
    found = mediate(cohort, marker=marker, n_bootstrap=500, seed=2)
    table["c1"] = (table["cohort"] == "c1").astype(float)
    expected = pingouin.mediation_analysis(
        table, x="x", m="m", y="iz_target_s", covar=["iz_no_target_s", "c1"], n_boot=500, seed=3
    ).set_index("path")
    assert (found.direct, found.total, found.indirect, found.a) == pytest.approx(
        tuple(expected.loc[["Direct", "Total", "Indirect", "m ~ X"], "coef"])
    )
    assert found.a_p == pytest.approx(expected.loc["m ~ X"].filter(like="p").iloc[0])
    assert found.ci_low < found.indirect < found.ci_high < 0
    assert found.total == pytest.approx(found.direct + found.indirect)
    assert found.label == "exploratory"
    assert found.n == 40


def test_at_the_stated_confounding_the_indirect_effect_is_gone():
    """Residual correlation from a common cause alone gives the same sensitivity as a true path."""
    table, cohort, marker = study(b=0.0)
    shared = np.random.default_rng(9).normal(size=40)
    table["iz_target_s"] = 80 - 10 * table["x"] + 8 * shared
    marker = pd.Series(table["x"].to_numpy() + shared, index=table["subject"])
    cohort.table["iz_target_s"] = table["iz_target_s"].to_numpy()
    assert mediate(cohort, marker=marker, n_bootstrap=100).sensitivity == pytest.approx(1, abs=1e-6)


def test_without_a_path_there_is_no_effect():
    _, cohort, marker = study(3, a=0.0, b=-8.0)
    found = mediate(cohort, marker=marker, n_bootstrap=500)
    assert found.p > 0.05
    assert found.ci_low < 0 < found.ci_high
    assert found.b_p < 0.001


def test_too_few_mice_are_refused():
    _, cohort, marker = study(n=16)
    with pytest.raises(RefusedError, match="16 mice of 2 roles, expected 20 mice of 2 roles"):
        mediate(cohort, marker=marker)
    _, cohort, marker = study()
    with pytest.raises(RefusedError, match="0 mice of 0 roles"):
        mediate(cohort, marker=marker * np.nan)
