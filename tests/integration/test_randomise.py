from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RefusedError
from integration.randomise import RandomiseOptions, allocate, allocation_balance


def mice(n=36):
    i = np.arange(n)
    return pd.DataFrame(
        {"subject": [f"m{k:02d}" for k in i], "group": np.where(i % 3, "CSDS", "CON"), "cohort": i % 2,
         "cage": i // 4, "sex": np.where(i < n // 2, "f", "m")}
    )  # fmt: skip


ARMS = RandomiseOptions(arms=("vehicle", "isotype", "anti-IL4Ra"))


def test_arms_are_equal_and_balanced_better_than_by_chance():
    table = mice()
    plan = allocate(table, options=ARMS, seed=1)
    assert plan["arm"].value_counts().tolist() == [12, 12, 12]
    assert plan["seed"].unique().tolist() == [1]
    by_group = pd.crosstab(plan["arm"], table["group"])
    assert (by_group["CON"] - 4).abs().max() <= 1
    worst = []
    for options in (ARMS, RandomiseOptions(arms=ARMS.arms, n_candidates=1)):
        spread = [
            allocation_balance(table, allocate(table, options=options, seed=seed), balance=ARMS.balance)
            .query("column != 'cage'").groupby(["column", "level"])["n"].agg(lambda n: n.max() - n.min()).mean()
            for seed in range(20)
        ]  # fmt: skip
        worst.append(np.mean(spread))
    assert worst[0] < 0.6 * worst[1]


def test_every_mouse_can_get_every_arm_equally_often():
    """Balance must not decide a mouse's arm: 300 seeds, three arms."""
    table = mice(18)
    options = RandomiseOptions(arms=ARMS.arms, n_candidates=100)
    plans = pd.concat([allocate(table, options=options, seed=seed) for seed in range(300)])
    shares = pd.crosstab(plans["subject"], plans["arm"], normalize="index")
    assert shares.to_numpy().min() > 0.33 - 0.12
    assert shares.to_numpy().max() < 0.33 + 0.12


def test_the_order_of_work_mixes_the_arms():
    plan = allocate(mice(), options=ARMS, seed=5).sort_values("order")
    assert plan["order"].tolist() == list(range(1, 37))
    rounds = plan["arm"].to_numpy().reshape(12, 3)
    assert all(len(set(each)) == 3 for each in rounds)


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_rows():
    first = allocate(mice(), options=ARMS, seed=9)
    second = allocate(mice().sample(frac=1, random_state=2), options=ARMS, seed=9)
    pd.testing.assert_frame_equal(first, second)
    assert not first["arm"].equals(allocate(mice(), options=ARMS, seed=10)["arm"])


def test_refusals():
    with pytest.raises(InputError, match="stands twice"):
        allocate(pd.DataFrame({"subject": ["a", "a"]}), options=ARMS, seed=1)
    with pytest.raises(InputError, match="blank"):
        allocate(pd.DataFrame({"subject": ["a", " ", "c"]}), options=ARMS, seed=1)
    with pytest.raises(RefusedError, match="found 2 subjects, expected 3 or more"):
        allocate(pd.DataFrame({"subject": ["a", "b"]}), options=ARMS, seed=1)
    with pytest.raises(ValueError, match="different names"):
        RandomiseOptions(arms=("a", "a"))
