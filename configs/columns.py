"""The columns of the tables that a laboratory keeps: names, other names they go by, kinds of content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PEOPLE_SAMPLES", "SERUM_SAMPLES", "SUBJECTS", "SUBJECT_ALIASES", "TRIALS", "Column", "Kind", "folded"]

Kind = Literal["id", "text", "number", "date", "datetime"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Parameters
    ----------
    name
        Our name, used in every result.
    kind
        ``id`` and ``text`` stay as written ('007'); ``number``; ``date``; ``datetime`` (a date, with or without clock).
    help
        What stands in it.
    required
        Whether a table without it is an error.
    aliases
        Other names that are understood; case, spaces, underscores and points never matter.
    """

    name: str
    kind: Kind
    help: str
    required: bool = False
    aliases: tuple[str, ...] = ()


def folded(name: str) -> str:
    """A column name without case, spaces and punctuation.

    Examples
    --------
    >>> folded("Mouse_ID "), folded("SI date")
    ('mouseid', 'sidate')
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


SUBJECT_ALIASES = ("subject id", "mouse", "mouse id", "animal", "animal id", "patient", "patient id", "id")

SUBJECTS = (
    Column(
        name="subject", kind="id", required=True, aliases=SUBJECT_ALIASES, help="id of the animal or person, as text"
    ),
    Column(name="sex", kind="text", aliases=("gender",), help="sex"),
    Column(name="strain", kind="text", aliases=("line",), help="strain"),
    Column(name="cage", kind="text", aliases=("cage id", "home cage"), help="home cage"),
    Column(name="cohort", kind="text", aliases=("batch", "experiment"), help="cohort: what was done together"),
    Column(name="group", kind="text", required=True, aliases=("condition",), help="group, named as in `roles`"),
    Column(name="treatment", kind="text", aliases=("drug",), help="treatment beside defeat"),
    Column(name="si_date", kind="date", aliases=("SI test date", "test date", "date of SI"), help="day of the SI test"),
    Column(
        name="exclude",
        kind="text",
        aliases=("excluded", "exclusion"),
        help="reason to leave the subject out; blank: kept",
    ),
)

TRIALS = (
    Column(name="subject", kind="id", required=True, aliases=SUBJECT_ALIASES, help="id, as in the subjects table"),
    Column(
        name="trial",
        kind="text",
        required=True,
        aliases=("phase", "session"),
        help="`no_target` or `target`, or the names under `behavior.trial_names`",
    ),
    Column(
        name="file", kind="text", required=True, aliases=("video", "recording", "filename", "path"), help="the video"
    ),
    Column(
        name="start_s",
        kind="number",
        aliases=("start",),
        help="start of the scored window in the file, in s; blank: found",
    ),
    Column(
        name="end_s",
        kind="number",
        aliases=("end", "stop"),
        help="end of what may be scored, in s; blank: end of the file",
    ),
    Column(
        name="arena",
        kind="text",
        aliases=("box", "arena id"),
        help="arena, as under `behavior.arenas`; not needed with one arena",
    ),
    Column(
        name="recorded",
        kind="datetime",
        aliases=("recorded at", "date", "recording date"),
        help="when it was recorded: shows orders that coincide with groups",
    ),
)

SERUM_SAMPLES = (
    Column(name="sample", kind="id", required=True, aliases=("sample id", "tube"), help="sample, as in the serum file"),
    Column(
        name="subject",
        kind="id",
        required=True,
        aliases=SUBJECT_ALIASES,
        help="whose it is; blank for controls of the plate",
    ),
    Column(
        name="bleed",
        kind="datetime",
        aliases=("bleed time", "bleed date", "bleeding", "collected", "date"),
        help="when the blood was taken",
    ),
    Column(name="plate", kind="text", aliases=("plate id",), help="assay plate"),
    Column(name="well", kind="text", aliases=("well id", "position"), help="well of the plate"),
    Column(name="type", kind="text", aliases=("sample type",), help="`sample` (or blank), else a control of the plate"),
)

PEOPLE_SAMPLES = (
    Column(
        name="sample", kind="id", required=True, aliases=("sample id", "tube"), help="sample, as in the file of levels"
    ),
    Column(name="subject", kind="id", required=True, aliases=("patient", "patient id", "person"), help="whose it is"),
    Column(
        name="group",
        kind="text",
        required=True,
        aliases=("diagnosis", "disease"),
        help="diagnosis, as in `people.questions`; blank: the sample is in no profile (after treatment)",
    ),
    Column(name="drug", kind="text", aliases=("treatment",), help="what the person is treated with; blank: nothing"),
    Column(name="time", kind="text", aliases=("visit",), help="`before` or `after` treatment; blank where no drug is"),
)
