"""Who is a case, who is treated: the samples of a human study as disease groups and before-and-after pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AFTER", "BEFORE", "disease_groups", "drug_pairs"]

BEFORE, AFTER = ("before", "pre", "baseline"), ("after", "post")


def drug_pairs(table: pd.DataFrame, *, file: str = "") -> tuple[dict[str, list[tuple[str, str]]], list[Problem]]:
    """Pairs (sample before, sample after) of every drug, and who has only one of the two.

    Parameters
    ----------
    table
        Index = sample; text columns ``subject, drug, time``; blank drug = not treated.
    file
        Named in errors.

    Raises
    ------
    InputError
        If a time is neither before nor after, a patient has two samples of one time, or nobody is treated.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"subject": ["1", "1"], "drug": ["x", "x"], "time": ["pre", "post"]}
    >>> drug_pairs(pd.DataFrame(rows, index=["a", "b"]))
    ({'x': [('a', 'b')]}, [])
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    for sample, row in table[table["drug"] != ""].iterrows():
        time = row["time"].casefold()
        when = "before" if time in BEFORE else "after" if time in AFTER else ""
        if not when:
            raise InputError("the time of a treated patient's sample is neither before nor after", file=file or None,
                             where=f"sample {sample}", found=repr(row["time"]),
                             expected=", ".join((*BEFORE, *AFTER)))  # fmt: skip
        own = found.setdefault(row["drug"], {}).setdefault(row["subject"], {})
        if when in own:
            raise InputError(f"a patient has two samples {when} treatment", file=file or None,
                             where=f"sample {sample}", found=f"{own[when]} and {sample}")  # fmt: skip
        own[when] = str(sample)
    if not found:
        raise InputError("no sample has a drug", file=file or None, where="column drug")
    problems = [
        Problem(code="not_analysed", subject=subject, where=f"drug {drug}", action="left out of the drug's signature",
                message=f"only the sample {next(iter(own))} treatment is there")
        for drug, people in found.items() for subject, own in people.items() if len(own) < 2
    ]  # fmt: skip
    pairs = {
        drug: [(own["before"], own["after"]) for own in people.values() if len(own) == 2]
        for drug, people in found.items()
    }
    return dict(sorted(pairs.items())), problems


def disease_groups(table: pd.DataFrame, groups: tuple[str, ...], *, file: str = "") -> pd.Series[str]:
    """Group by sample, of samples in some groups that are not from after a treatment.

    Raises
    ------
    InputError
        If a person has two such samples.
    """
    part = table[table["group"].isin(groups)]
    part = part[~part["time"].str.casefold().isin(AFTER)]
    people = part.loc[part["subject"] != "", "subject"]
    if (twice := people[people.duplicated()]).size:
        raise InputError("a person has two samples in the disease contrast", file=file or None,
                         where=f"sample {twice.index[0]}", found=f"subject {twice.iloc[0]}",
                         remedy="leave one out, or leave its group blank")  # fmt: skip
    found: pd.Series[str] = part["group"]
    return found
