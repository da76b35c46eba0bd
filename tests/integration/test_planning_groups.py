from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from integration.planning_groups import GroupDesign, group_power


@pytest.mark.parametrize(
    ("n", "difference", "r", "cohorts"), [(12, 35.0, 0.3, 1), (16, 30.0, 0.0, 2), (20, 20.0, 0.6, 4), (14, 0.0, 0.3, 2)]
)
def test_power_equals_the_noncentral_t_of_ancova(n, difference, r, cohorts):
    df = 2 * n - cohorts - 2
    # One random covariate costs the design one part in (df + 1) of its information.
    size = difference / (30 * np.sqrt(1 - r**2)) * np.sqrt(n / 2 * df / (df + 1))
    cut = stats.t.ppf(0.975, df)
    expected = stats.nct.sf(cut, df, size) + stats.nct.cdf(-cut, df, size)
    found = group_power(
        GroupDesign(n_per_group=n, difference_s=difference, correlation=r, n_cohorts=cohorts), runs=4000, seed=5
    )
    assert found.power == pytest.approx(expected, abs=0.03)
    assert found.ci_low < found.power < found.ci_high


@pytest.mark.parametrize("more", [{"n_per_group": 2}, {"sd_target_s": 0}, {"correlation": 1}])
def test_impossible_designs_are_refused(more):
    with pytest.raises(ValueError, match=r"nothing to test|above 0|between -1 and 1"):
        GroupDesign(**({"n_per_group": 10, "difference_s": 10.0, "n_cohorts": 2} | more))
