"""Allocation of treatment, bleed order and plate, balanced over what is known of the mice beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError, RefusedError
from core.labels import duplicated

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

__all__ = ["RandomiseOptions", "allocate", "allocation_balance"]


@dataclass(frozen=True, kw_only=True)
class RandomiseOptions:
    """What is allocated and over what it is balanced.

    Parameters
    ----------
    arms
        Names of the arms (treatments or plates), equally large but for one mouse.
    balance
        Columns over which arms are balanced, most important first.
    n_candidates
        Random allocations of which the best balanced tenth is drawn from; one only is complete randomisation.
    """

    arms: tuple[str, ...]
    balance: tuple[str, ...] = ("group", "cohort", "cage", "sex")
    n_candidates: int = 2000

    def __post_init__(self) -> None:
        if len(self.arms) < 2 or duplicated(self.arms):
            raise ValueError("arms must be two or more different names")
        if self.n_candidates < 1:
            raise ValueError("n_candidates must be 1 or more")


def allocate(subjects: pd.DataFrame, *, options: RandomiseOptions, seed: int) -> pd.DataFrame:
    """A balanced random allocation with the order of work.

    Many random allocations are drawn; one of the best balanced tenth is chosen at random, so that no mouse's arm
    follows from the others' (restricted randomisation; Moulton 2004, doi:10.1191/1740774504cn024oa). Each arm is then
    spread evenly over the order of bleeding or pipetting.

    Parameters
    ----------
    subjects
        ``subject`` and the columns of ``balance`` that the study has; a missing column is not balanced.
    options
        Arms and columns.
    seed
        Written beside the allocation; the same seed and table give the same allocation.

    Returns
    -------
    DataFrame
        ``subject, arm, order, seed`` in the order of the subjects table's ids.

    Raises
    ------
    InputError
        If an id is blank or stands twice.
    RefusedError
        If there are fewer mice than arms.

    Examples
    --------
    >>> import pandas as pd
    >>> mice = pd.DataFrame({"subject": [f"m{i}" for i in range(8)], "group": ["CON", "CSDS"] * 4})
    >>> plan = allocate(mice, options=RandomiseOptions(arms=("vehicle", "drug")), seed=3)
    >>> pd.crosstab(plan["arm"], mice["group"]).values.tolist()
    [[2, 2], [2, 2]]
    """
    import pandas as pd

    ids = subjects["subject"].astype(str).tolist()
    if twice := duplicated(ids):
        raise InputError("a subject stands twice", where="subjects table", found=", ".join(twice[:5]))
    if any(not label.strip() for label in ids):
        raise InputError("a subject id is blank", where="subjects table")
    if len(ids) < len(options.arms):
        raise RefusedError(
            "fewer subjects than arms", found=f"{len(ids)} subjects", expected=f"{len(options.arms)} or more"
        )
    table = subjects.assign(subject=ids).sort_values("subject", kind="stable", ignore_index=True)
    rng = np.random.default_rng(seed)
    arms, count = np.arange(len(table)) % len(options.arms), len(options.arms)
    candidates = rng.permuted(np.tile(arms, (options.n_candidates, 1)), axis=1)
    scores = _imbalance(candidates, _codes(table, options.balance), count)
    best = np.argsort(scores, kind="stable")[: max(1, options.n_candidates // 10)]
    chosen = candidates[rng.choice(best)]
    names = np.array(options.arms, dtype=object)[chosen]
    order = _spread_order(chosen, count, rng)
    return pd.DataFrame({"subject": table["subject"], "arm": names, "order": order, "seed": seed})


def _codes(table: pd.DataFrame, balance: Sequence[str]) -> list[Codes]:
    """Each column, and the first two together, as whole numbers."""
    import pandas as pd

    present = [name for name in balance if name in table]
    columns = [pd.factorize(table[name].fillna("").astype(str))[0] for name in present]
    if len(present) > 1:
        both = table[present[0]].astype(str) + "\0" + table[present[1]].astype(str)
        columns.insert(0, pd.factorize(both)[0])
    return [np.asarray(column, dtype=np.int64) for column in columns]


def _imbalance(candidates: Codes, columns: Sequence[Codes], arms: int) -> NDArray[np.float64]:
    """Sum over columns and levels of the squared differences from equal shares, earlier columns weighing more."""
    total = np.zeros(len(candidates))
    for rank, codes in enumerate(columns):
        for level in range(codes.max() + 1):
            part = candidates[:, codes == level]
            counts = np.stack([(part == arm).sum(axis=1) for arm in range(arms)])
            total += ((counts - part.shape[1] / arms) ** 2).sum(axis=0) / (rank + 1)
    return total


def _spread_order(chosen: Codes, arms: int, rng: np.random.Generator) -> Codes:
    """Order of work in rounds: each round has every arm once, in random order."""
    place = np.empty(len(chosen))
    for arm in range(arms):
        members = rng.permutation(np.flatnonzero(chosen == arm))
        place[members] = np.arange(len(members)) + rng.random(len(members))
    order = np.empty(len(chosen), dtype=np.int64)
    order[np.argsort(place, kind="stable")] = np.arange(1, len(chosen) + 1)
    return order


def allocation_balance(subjects: pd.DataFrame, allocation: pd.DataFrame, *, balance: Sequence[str]) -> pd.DataFrame:
    """How many subjects of each level each arm got.

    Returns
    -------
    DataFrame
        ``column, level, arm, n``.
    """
    import pandas as pd

    both = subjects.assign(subject=subjects["subject"].astype(str)).merge(allocation, on="subject", validate="1:1")
    rows = []
    for name in balance:
        if name in both:
            counts = both.groupby([name, "arm"], sort=True).size().rename("n").reset_index()
            rows += [{"column": name, "level": each[name], "arm": each["arm"], "n": each["n"]}
                     for each in counts.to_dict("records")]  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "level", "arm", "n"])
