"""Power and allocation from the command line: a table of designs with their power, an allocation with its seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, RefusedError
from stressaxis.atomic import write_text
from stressaxis.figures.numbers import plural

if TYPE_CHECKING:
    import pandas as pd

    from integration.planning import PowerResult

__all__ = ["QUESTIONS", "SIZES", "allocation", "design_of", "power_table"]

#: Kind of study to what its sizes count.
QUESTIONS = {
    "association": "defeated mice with serum and both trials",
    "si-effect": "mice per group",
    "trial": "patients per arm",
}

#: Sizes that are tried where none is given.
SIZES = {
    "association": (20, 30, 40, 60, 80),
    "si-effect": (8, 10, 12, 16, 20, 24),
    "trial": (20, 40, 60, 80, 120),
}

#: Kind of study to what describes it; the first is needed.
FIELDS = {
    "association": (
        "correlation", "n_cohorts", "reliability", "marker_reliability", "below_detection", "n_markers", "n_true",
    ),
    "si-effect": ("difference_s", "correlation", "n_cohorts", "sd_target_s", "sd_no_target_s"),
    "trial": ("effect", "effect_at_mean", "enrichment", "score_reliability", "dropout"),
}  # fmt: skip


def design_of(question: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a design that were given, those of the question and no others.

    Parameters
    ----------
    question
        A key of :data:`QUESTIONS`.
    given
        Field to value; None where it was not given.

    Raises
    ------
    InputError
        If a field of another question was given, or the one that the question needs was not.

    Examples
    --------
    >>> design_of("trial", {"effect": 0.5, "dropout": None})
    {'effect': 0.5}
    """
    fields = FIELDS[question]
    design = {name: value for name, value in given.items() if value is not None}
    if foreign := sorted(set(design) - set(fields)):
        raise InputError(f"{', '.join(foreign)} means nothing for {question}", expected=f"of: {', '.join(fields)}")
    if fields[0] not in design:
        raise InputError(f"{question} needs --{fields[0].replace('_', '-')}",
                         remedy="give the smallest effect that would matter")  # fmt: skip
    return design


def power_table(
    question: str,
    *,
    sizes: Sequence[int] | None,
    design: Mapping[str, Any],
    runs: int = 2000,
    seed: int = 0,
    wanted: float = 0.8,
    out: Path | None = None,
) -> str:
    """Power at every size, with its Monte Carlo interval, in words and as a table.

    Parameters
    ----------
    question
        A key of :data:`QUESTIONS`.
    sizes
        What the key says; None: :data:`SIZES`.
    design
        Further fields of :class:`integration.planning.AssociationDesign`,
        :class:`integration.planning_groups.GroupDesign` or :class:`integration.planning.TrialDesign`.
    runs, seed
        Simulated studies per size, and their seed.
    wanted
        Power for which the least of the sizes is named.
    out
        CSV file of the table.

    Raises
    ------
    RefusedError
        If a design is impossible.
    """
    import pandas as pd

    simulate = _simulator(question)
    rows = []
    for size in sorted(set(sizes or SIZES[question])):
        try:
            found = simulate(size, design, runs, seed)
        except ValueError as error:
            raise RefusedError(f"this design is not possible: {error}") from None
        rows.append(_row(size, found, in_set=design.get("n_markers", 1) > 1))
    table = pd.DataFrame(rows).dropna(axis=1, how="all")
    given = {name: value for name, value in design.items() if value is not None}
    said = [f"Power for {question}, n = {QUESTIONS[question]}; {', '.join(f'{k} {v}' for k, v in given.items())}"]
    said += [_line(row) for row in table.to_dict("records")]
    enough = table.loc[table["ci_low"] >= wanted, "n"]
    least = (
        f"{enough.iloc[0]} is the least n here whose interval lies at or above {wanted:g}."
        if len(enough)
        else f"No n here reaches {wanted:g} with its whole interval."
    )
    said.append(f"{least} Interval: Monte Carlo, {runs} simulated studies per row, seed {seed}.")
    if out is not None:
        whole = table.assign(question=question, runs=runs, seed=seed, **given)
        write_text(out, whole.to_csv(index=False, lineterminator="\n"))
        said.append(f"{out}: written")
    return "\n".join(said)


def _simulator(question: str) -> Callable[[int, Mapping[str, Any], int, int], PowerResult]:
    from integration.planning import AssociationDesign, TrialDesign, association_power, trial_power
    from integration.planning_groups import GroupDesign, group_power

    known: dict[str, Callable[[int, Mapping[str, Any], int, int], PowerResult]] = {
        "association": lambda n, d, runs, seed: association_power(AssociationDesign(n=n, **d), runs=runs, seed=seed),
        "si-effect": lambda n, d, runs, seed: group_power(GroupDesign(n_per_group=n, **d), runs=runs, seed=seed),
        "trial": lambda n, d, runs, seed: trial_power(TrialDesign(n_per_arm=n, **d), runs=runs, seed=seed),
    }
    if question not in known:
        raise InputError(f"no power is known for {question!r}", expected=f"one of {', '.join(QUESTIONS)}")
    return known[question]


def _row(size: int, found: PowerResult, *, in_set: bool) -> dict[str, Any]:
    row = {
        "n": size, "power": found.power, "ci_low": found.ci_low, "ci_high": found.ci_high,
    }  # fmt: skip
    return row | ({"power_set": found.power_set, "any_in_set": found.any_in_set} if in_set else {})


def _line(row: Mapping[Any, Any]) -> str:
    said = f"  n = {row['n']}: power {row['power']:.3f} (95 % interval {row['ci_low']:.3f} to {row['ci_high']:.3f})"
    if "power_set" in row:
        said += f"; by q in the set {row['power_set']:.3f}, any true marker {row['any_in_set']:.3f}"
    return said


def allocation(
    subjects: Path,
    *,
    arms: Sequence[str],
    balance: Sequence[str],
    seed: int,
    out: Path,
    column: str = "subject",
) -> str:
    """Allocate subjects to arms, write the allocation with its seed, and say how it is balanced.

    Parameters
    ----------
    subjects
        Table of the subjects.
    arms
        Names of treatments, plates or whatever is allocated.
    balance
        Columns over which the arms are balanced, most important first; those that the table lacks are named.
    seed
        Written beside the allocation.
    out
        CSV file: ``subject, arm, order, seed`` and the columns balanced over.
    column
        The table's column of ids.

    Raises
    ------
    InputError, RefusedError
        If the table cannot be read, the file is there already, or there are too few subjects.
    """
    import pandas as pd

    from core.texttables import read_text_table
    from integration.randomise import RandomiseOptions, allocate, allocation_balance

    if out.exists():
        raise InputError("an allocation is made once; this file is there already", file=out,
                         remedy="keep it, or give another name if the study starts anew")  # fmt: skip
    text = read_text_table(subjects)
    if column not in text.columns:
        raise InputError(f"no column {column}", file=subjects, where="header", found=", ".join(text.columns))
    table = pd.DataFrame(text.rows, columns=text.columns, dtype=str).rename(columns={column: "subject"})
    present = [name for name in balance if name in table]
    try:
        options = RandomiseOptions(arms=tuple(arms), balance=tuple(present))
    except ValueError as error:
        raise InputError(str(error), expected="--arm twice or more, with different names") from None
    made = allocate(table, options=options, seed=seed)
    whole = made.merge(table[["subject", *present]], on="subject", validate="1:1")
    write_text(out, whole.to_csv(index=False, lineterminator="\n"))
    counts = made["arm"].value_counts()
    lines = [f"{out}: {plural(len(made), 'subject')}, seed {seed}"]
    lines.append(", ".join(f"{arm} {counts[arm]}" for arm in arms))
    lines += _balance_lines(allocation_balance(table, made, balance=present), arms)
    missing = [name for name in balance if name not in table]
    if missing:
        lines.append(f"not balanced, for the table has no such column: {', '.join(missing)}")
    return "\n".join(lines)


def _balance_lines(balance: pd.DataFrame, arms: Sequence[str]) -> list[str]:
    """Per column: its levels with the number in each arm; columns of many levels by their largest difference."""
    lines = []
    for name, part in balance.groupby("column", sort=False):
        counts = part.pivot(index="level", columns="arm", values="n").reindex(columns=list(arms)).fillna(0).astype(int)
        if len(counts) > 12:
            apart = int((counts.max(axis=1) - counts.min(axis=1)).max())
            lines.append(f"{name}: {len(counts)} levels, arms differ by at most {apart} within one")
            continue
        said = [
            f"{level} {' / '.join(map(str, row))}" for level, row in zip(counts.index, counts.to_numpy(), strict=True)
        ]
        lines.append(f"{name} ({' / '.join(arms)}): {', '.join(said)}")
    return lines
