"""The cohort: subjects, social interaction, serum and other outcomes joined by id and checked both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.labels import duplicated, near_duplicates, similar_id_problems
from core.problems import Problem
from integration.bleeds import BLEED_RULES, bleed_timing_problems, choose_bleeds

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Cohort", "CohortOptions", "join_cohort"]

_SUBJECT_TEXT = ("sex", "strain", "cage", "cohort", "group", "treatment")


@dataclass(frozen=True, kw_only=True)
class CohortOptions:
    """How tables are joined.

    Parameters
    ----------
    bleed_rule
        Which bleed counts where a subject has several: a key of :data:`integration.bleeds.BLEED_RULES`. By default
        several bleeds of one subject are an error.
    bleed_timing
        ``"before_test"`` or ``"after_test"``: declared side of the SI test, checked for every subject;
        ``""``: no check.
    """

    bleed_rule: str = "only"
    bleed_timing: str = ""

    def __post_init__(self) -> None:
        if self.bleed_rule not in BLEED_RULES:
            raise ValueError(f"bleed_rule {self.bleed_rule!r} is none of {', '.join(BLEED_RULES)}")
        if self.bleed_timing not in ("", "before_test", "after_test"):
            raise ValueError(f"bleed_timing {self.bleed_timing!r} is neither 'before_test' nor 'after_test' nor ''")


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """One row per subject and everything measured on it.

    Parameters
    ----------
    table
        Index ``subject``. Columns of the subjects table, then ``role`` (``control``, ``defeated`` or blank),
        ``sample``, ``plate``, ``bleed``, ``has_behavior``, ``has_serum``, ``has_outcomes``, ``excluded`` (reason or
        blank), then all measures of the animals table and the outcomes table.
    markers
        Rows as ``table``, one column per marker: log2 abundance of a protein or an axis score; NaN = no value.
    below_lod
        Same shape: the value is censored.
    limits, sides
        Same shape, proteins only: values with the limit (the value itself where none is stated) in place of censored
        ones; and -1 below it, 0 measured, 1 above the range. None without serum.
    marker_info
        Index ``marker``; columns ``symbol``, ``uniprot``, ``kind`` (``protein``/``axis``), ``lod_known``.
    problems
        What did not match, both ways, and what was set aside.
    """

    table: pd.DataFrame
    markers: pd.DataFrame
    below_lod: pd.DataFrame
    marker_info: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    limits: pd.DataFrame | None = None
    sides: pd.DataFrame | None = None


def join_cohort(
    *,
    subjects: pd.DataFrame,
    animals: pd.DataFrame | None = None,
    samples: pd.DataFrame | None = None,
    abundance: xr.Dataset | None = None,
    axis_scores: pd.DataFrame | None = None,
    outcomes: pd.DataFrame | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    options: CohortOptions = CohortOptions(),
) -> Cohort:
    """Join what was measured on each subject, by subject id and by sample id, never by row order.

    Ids are text and are compared exactly: ``304`` and ``304b`` are two mice. Ids that differ only in case, spaces,
    punctuation or leading zeros are kept apart and reported.

    Parameters
    ----------
    subjects
        One row per subject: ``subject`` and any of ``sex, strain, cage, cohort, group, treatment, si_date``,
        ``exclude`` (a reason) and further columns, which may serve as covariates.
    animals
        Behavior's table of animals (``tables/social_interaction.csv``).
    samples
        Serum samples: ``sample, subject``, and any of ``bleed, plate, well, type``. Without it a sample id is its
        subject's id.
    abundance
        Abundance Dataset; rows whose ``sample_type`` is not ``sample`` are no subject's.
    axis_scores
        ``sample, axis, score``: become markers of kind ``axis``.
    outcomes
        ``subject`` and measured columns.
    roles
        Group names by role, ``{"control": [...], "defeated": [...]}``; used where ``animals`` gives no role.
    options
        Bleed rule and its check.

    Returns
    -------
    Cohort
        With a Problem for each id found on one side only.

    Raises
    ------
    InputError
        If an id stands twice in a table, a key column is missing or blank, or two tables give one column name.

    Examples
    --------
    >>> import pandas as pd
    >>> cohort = join_cohort(subjects=pd.DataFrame({"subject": ["m1", "m2"], "group": ["CON", "CSDS"]}),
    ...                      animals=pd.DataFrame({"subject": ["m1"], "si_ratio": [1.4]}),
    ...                      roles={"control": ["CON"], "defeated": ["CSDS"]})
    >>> cohort.table["role"].tolist(), [p.subject for p in cohort.problems]
    (['control', 'defeated'], ['m2'])
    """
    table = _keyed(subjects, "subject", "subjects table")
    problems = similar_id_problems(table.index, what="subject")
    table = _add_measures(table, animals, "animals table", problems)
    table["has_behavior"] = table.index.isin([] if animals is None else _texts(animals["subject"]))
    table = _add_measures(table, outcomes, "outcomes table", problems)
    table["has_outcomes"] = table.index.isin([] if outcomes is None else _texts(outcomes["subject"]))
    table["role"] = _roles(table, roles)
    table["excluded"] = _exclusions(table)
    chosen = _chosen_samples(table, samples, abundance, options, problems)
    for name in ("sample", "plate", "bleed"):
        if name in chosen:
            table[name] = chosen[name].reindex(table.index)
    table["sample"] = table["sample"].fillna("") if "sample" in table else ""
    table["has_serum"] = table["sample"] != ""
    problems += _one_sided(table, animals, abundance, outcomes)
    markers, below, info = _markers(table, abundance, axis_scores)
    limits, sides = (None, None) if abundance is None else _censoring(table, abundance)
    return Cohort(
        table=table, markers=markers, below_lod=below, marker_info=info, problems=problems, limits=limits, sides=sides
    )


def _texts(column: pd.Series) -> list[str]:
    return [str(value) for value in column]


def _keyed(table: pd.DataFrame, key: str, what: str) -> pd.DataFrame:
    """The table with its key as a text index; no key blank, none twice."""
    if key not in table:
        raise InputError(f"no column {key}", where=what, found=", ".join(map(str, table.columns)))
    ids = ["" if value is None or value != value else str(value) for value in table[key]]
    if blank := [position + 1 for position, label in enumerate(ids) if not label.strip()]:
        raise InputError(f"{key} is blank", where=f"{what}, row {', '.join(map(str, blank[:5]))}")
    if twice := duplicated(ids):
        rows = [str(position + 1) for position, label in enumerate(ids) if label == twice[0]]
        raise InputError(
            f"{key} stands more than once",
            where=f"{what}, rows {', '.join(rows)}",
            found=", ".join(repr(label) for label in twice[:5]),
            expected=f"one row per {key}",
        )
    keyed = table.drop(columns=key).copy()
    keyed.index = _index(ids, key)
    return keyed.sort_index()


def _index(ids: Sequence[str], name: str) -> pd.Index:
    import pandas as pd

    index: pd.Index = pd.Index(np.array(ids, dtype=object), name=name, dtype=object)
    return index


def _add_measures(
    table: pd.DataFrame, measures: pd.DataFrame | None, what: str, problems: list[Problem]
) -> pd.DataFrame:
    if measures is None:
        return table
    keyed = _keyed(measures, "subject", what)
    problems += _unknown(keyed.index, table.index, what)
    keyed = keyed.reindex(table.index)
    # Behavior repeats the subjects table's own columns; those stay as the user wrote them.
    repeated = [name for name in keyed.columns if name in table.columns]
    for name in repeated:
        if name not in _SUBJECT_TEXT and not _agree(table[name], keyed[name]):
            raise InputError(f"column {name!r} has another content in the table it is joined to", where=what,
                             remedy="rename the column in one of the tables")  # fmt: skip
    return table.join(keyed.drop(columns=repeated))


def _agree(left: pd.Series, right: pd.Series) -> bool:
    both = left.notna() & right.notna()
    return bool((left[both].astype(str) == right[both].astype(str)).all())


def _unknown(found: pd.Index, known: pd.Index, what: str) -> list[Problem]:
    unknown = [label for label in found if label not in known]
    close: dict[str, str] = {}
    for group in near_duplicates([*known, *unknown]):
        for label in set(group) & set(unknown):
            near = [repr(other) for other in group if other in known]
            close[label] = f"; is it {' or '.join(near)}?" if near else ""
    return [
        Problem(
            code="unknown_subject",
            subject=label,
            where=what,
            message=f"{label!r} is in the {what} but not in the subjects table{close.get(label, '')}",
            action="left out",
        )
        for label in unknown
    ]


def _roles(table: pd.DataFrame, roles: Mapping[str, Sequence[str]] | None) -> list[str]:
    by_group = {str(group): role for role, groups in (roles or {}).items() for group in groups}
    groups = table["group"] if "group" in table else [""] * len(table)
    given = table["role"] if "role" in table else [None] * len(table)
    return [
        by_group.get(str(group), "") if role is None or role != role or not str(role) else str(role)
        for role, group in zip(given, groups, strict=True)
    ]


def _exclusions(table: pd.DataFrame) -> list[str]:
    """Reason per subject, from the subjects table (``exclude``) and from behavior (``excluded``)."""
    reasons = [""] * len(table)
    for name in ("exclude", "excluded"):
        if name not in table:
            continue
        for row, value in enumerate(table[name]):
            text = "" if value is None or value != value else str(value).strip()
            if text and text.casefold() not in ("false", "no", "0") and not reasons[row]:
                reasons[row] = "excluded" if text.casefold() in ("true", "yes", "1") else text
    return reasons


def _chosen_samples(
    table: pd.DataFrame,
    samples: pd.DataFrame | None,
    abundance: xr.Dataset | None,
    options: CohortOptions,
    problems: list[Problem],
) -> pd.DataFrame:
    """One serum sample per subject, index = subject; only samples that were measured."""
    import pandas as pd

    if abundance is None:
        return pd.DataFrame(index=_index([], "subject"))
    measured = _measured_samples(abundance)
    if samples is None:
        samples = pd.DataFrame({"sample": measured.index, "subject": measured.index})
    listed = _keyed(samples, "sample", "serum samples table").reset_index()
    if "subject" not in listed:
        raise InputError("no column subject", where="serum samples table", found=", ".join(map(str, listed.columns)))
    listed["subject"] = ["" if value is None or value != value else str(value) for value in listed["subject"]]
    kind = listed["type"].fillna("") if "type" in listed else pd.Series("", index=listed.index)
    controls = ~kind.astype(str).str.strip().str.casefold().isin(["", "sample"])
    problems += _sample_problems(listed, controls, measured, table)
    usable = listed[~controls & listed["sample"].isin(measured.index) & listed["subject"].isin(table.index)]
    dates = table.get("si_date")
    chosen, unused = choose_bleeds(usable, rule=options.bleed_rule, test_dates=dates)
    problems += unused
    if options.bleed_timing:
        known = dates if dates is not None else pd.Series(dtype=object)
        problems += bleed_timing_problems(
            chosen, declared=options.bleed_timing, test_dates=known, dates_known=dates is not None
        )
    if "plate" not in chosen:
        chosen["plate"] = chosen["sample"].map(measured["plate"])
    return chosen.set_index("subject")


def _measured_samples(abundance: xr.Dataset) -> pd.DataFrame:
    import pandas as pd

    from proteomics.abundance import subject_samples

    subset = subject_samples(abundance)
    plate = subset["plate"].values if "plate" in subset.coords else np.full(subset.sizes["sample"], "", object)
    return pd.DataFrame({"plate": plate}, index=_index([str(label) for label in subset["sample"].values], "sample"))


def _sample_problems(
    listed: pd.DataFrame, controls: pd.Series, measured: pd.DataFrame, table: pd.DataFrame
) -> list[Problem]:
    problems = similar_id_problems([*listed["sample"], *measured.index], what="sample")
    unknown = _index([name for name in listed.loc[~controls, "subject"].unique() if name.strip()], "subject")
    problems += _unknown(unknown, table.index, "serum samples table")
    messages = [
        ("unknown_subject", row["subject"], row["sample"], "names no subject")
        for row in listed[~controls].to_dict("records")
        if not row["subject"].strip()
    ]
    messages += [
        ("missing_sample", row["subject"], row["sample"], "is not among the samples of the serum file")
        for row in listed[~controls].to_dict("records")
        if row["sample"] not in measured.index
    ]
    messages += [
        ("unknown_sample", "", sample, "of the serum file is not in the serum samples table")
        for sample in sorted(set(measured.index) - set(listed["sample"]))
    ]
    return problems + [
        Problem(
            code=code, subject=subject, where=f"sample {sample}", message=f"sample {sample!r} {text}", action="left out"
        )
        for code, subject, sample, text in messages
    ]


def _one_sided(
    table: pd.DataFrame,
    animals: pd.DataFrame | None,
    abundance: xr.Dataset | None,
    outcomes: pd.DataFrame | None,
) -> list[Problem]:
    """Subjects that one of the tables at hand lacks; a table that was not given is not missed."""
    problems: list[Problem] = []

    def report(code: str, chosen: pd.Series, message: str) -> None:
        problems.extend(
            Problem(code=code, subject=subject, message=message, action="not in the joint analysis")
            for subject in table.index[chosen]
        )

    behavior, serum, outcome = table["has_behavior"], table["has_serum"], table["has_outcomes"]
    given = [data is not None for data in (animals, abundance, outcomes)]
    if abundance is not None and animals is not None:
        report("recording_without_serum", behavior & ~serum, "scored recordings but no serum value")
        report("serum_without_recording", serum & ~behavior, "serum value but no scored recording")
    if abundance is not None and outcomes is not None:
        report("outcome_without_serum", outcome & ~serum, "row in the outcomes table but no serum value")
        report("serum_without_outcome", serum & ~outcome, "serum value but no row in the outcomes table")
    if any(given):
        report("subject_without_data", ~(behavior | serum | outcome), "in the subjects table only")
    return problems


def _censoring(table: pd.DataFrame, abundance: xr.Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values with limits in place of censored ones, and the side of each, by subject."""
    import pandas as pd

    from proteomics.censored import censored_values

    proteins, samples = [str(label) for label in abundance["protein"].values], abundance["sample"].values
    frames = [pd.DataFrame(part.T, index=samples, columns=proteins) for part in censored_values(abundance)]
    limits, sides = (frame.reindex(table["sample"].tolist()).set_axis(table.index) for frame in frames)
    return limits, sides.fillna(0).astype(int)


def _markers(
    table: pd.DataFrame, abundance: xr.Dataset | None, axis_scores: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    columns = ["symbol", "uniprot", "kind", "lod_known"]
    if abundance is None:
        empty = pd.DataFrame(index=table.index)
        return empty, empty.copy(), pd.DataFrame(columns=columns, index=_index([], "marker"))
    from proteomics.abundance import has_lod

    proteins = _index([str(label) for label in abundance["protein"].values], "marker")
    values = pd.DataFrame(abundance["abundance"].values, index=abundance["sample"].values, columns=proteins)
    below = pd.DataFrame(abundance["below_lod"].values, index=abundance["sample"].values, columns=proteins)
    info = pd.DataFrame({name: abundance[name].values for name in ("symbol", "uniprot")}, index=proteins)
    info = info.assign(kind="protein", lod_known=has_lod(abundance))
    markers = values.reindex(table["sample"].tolist()).set_axis(table.index)
    censored = below.reindex(table["sample"].tolist(), fill_value=False).set_axis(table.index)
    if axis_scores is not None and len(axis_scores):
        wide = axis_scores.pivot(index="sample", columns="axis", values="score")
        wide = wide.reindex(table["sample"].tolist()).set_axis(table.index).astype(np.float64)
        axis_info = pd.DataFrame(index=_index(list(wide.columns), "marker"))
        axis_info = axis_info.assign(symbol=wide.columns, uniprot="", kind="axis", lod_known=True)
        if clash := sorted(set(wide.columns) & set(proteins)):
            raise InputError("an axis has the name of a protein", found=", ".join(clash), remedy="rename the axis")
        markers, info = markers.join(wide), pd.concat([info, axis_info])
        censored = censored.reindex(columns=info.index, fill_value=False)
    return markers, censored, info
