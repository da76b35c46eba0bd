"""The experiment file: which keys there are, what each means, which values it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from behavior.arena import Arena, ArenaOptions, build_arena
from behavior.classes import ClassOptions
from behavior.lens import Lens
from behavior.score_options import ExclusionOptions, ScoreOptions
from behavior.track_options import TrackOptions
from configs.options import FromOptions, Key, Names, Number, ReadAs, Section, Text, Whole, section_model
from configs.yaml_lines import Place
from core.errors import InputError
from integration.association import AssociationOptions
from integration.cohort import CohortOptions
from integration.people import PeopleOptions
from integration.treatment import TreatmentOptions
from proteomics.moderation_options import ModerationOptions
from proteomics.readers.table import SerumOptions

__all__ = [
    "ArenaCalibration",
    "Behavior",
    "Engine",
    "Exclusions",
    "Experiment",
    "Outcome",
    "Outcomes",
    "People",
    "Records",
    "Report",
    "Roles",
    "Serum",
    "Statistics",
    "Table",
    "Th2Set",
]

Point = tuple[Number, Number]


def _empty_section(value: Any) -> Any:
    """``scoring:`` with nothing below it is the section with its defaults."""
    return {} if value is None else value


def _file_only(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


def _folder_name(value: str) -> str:
    """The name becomes a folder, on every system."""
    if any(letter in '/\\:*?"<>|' or not letter.isprintable() for letter in value) or value.endswith("."):
        raise PydanticCustomError("folder_name", "not the name of a folder")
    return value


def _listed_or_explained(value: Any) -> Any:
    """``[m07, m12]`` and ``{m07: bite wound, m12: }`` both name subjects, the latter with reasons."""
    if isinstance(value, list | tuple):
        # A list in the list names no subject; what it should be is said where a mapping is expected.
        nested = any(isinstance(item, list | tuple | dict) for item in value)
        return value if nested else {getattr(item, "text", item): "" for item in value}
    return {key: reason or "" for key, reason in value.items()} if isinstance(value, dict) else value


class Table(Section):
    """A table of the experiment: the name of its file, and the column names in it where they are the lab's own."""

    file: Text = Field(examples=["subjects.csv"])
    """CSV (comma, semicolon or tab; UTF-8) or a spreadsheet (.xlsx, .xls, .ods; first sheet)."""
    columns: dict[Key, Text] = Field(default_factory=dict, examples=[{"subject": "Mouse ID", "group": "Treatment"}])
    """Own column names, as `our name: name in the file`; needed only where the names differ."""


TableFile = Annotated[Table, BeforeValidator(_file_only, json_schema_input_type=str | Table)]


class Roles(Section):
    """What the groups of the subjects table are in the design; each group stands in one role."""

    control: Names = Field(default=(), examples=[["control"]])
    """Groups that were not defeated (or healthy controls): the reference."""
    defeated: Names = Field(default=(), examples=[["defeated"]])
    """Groups that were defeated (or ill); only they are classed as susceptible or resilient."""
    other: Names = Field(default=(), examples=[["witness"]])
    """Groups that are described but belong to neither side."""

    def role_of(self, group: str) -> str:
        """``"control"``, ``"defeated"``, or empty for a group of neither role."""
        return "control" if group in self.control else "defeated" if group in self.defeated else ""


class TrialNames(Section):
    """How the trials table names the two trials; `no_target` and `target` themselves are always understood."""

    no_target: Names = Field(default=(), examples=[["empty", "trial 1"]])
    """Names of the trial with the empty enclosure."""
    target: Names = Field(default=(), examples=[["CD1", "trial 2"]])
    """Names of the trial with the unfamiliar mouse in the enclosure."""


class ArenaCalibration(Section):
    """Where one arena lies in the picture; its sizes only where they differ from `behavior.geometry`."""

    corners_px: tuple[Point, Point, Point, Point] | None = Field(
        default=None, examples=[[[73, 49], [497, 49], [497, 473], [73, 473]]]
    )
    """The four corners of the floor in pixels, as seen: top left, top right, bottom right, bottom left."""
    floor_px: tuple[Number, Number, Number, Number] | None = Field(default=None, examples=[[73, 49, 497, 473]])
    """Instead of the corners, where the camera looks straight down: left, top, right, bottom of the floor in pixels."""
    find: bool = False
    """Instead of the corners: find them in the recordings of this arena, once for all of them."""
    lens: Annotated[Lens, FromOptions()] | None = None
    """Where the camera bends straight walls: its distortion, from a calibration in px of these recordings."""
    middles_px: tuple[Point, Point, Point, Point] | None = Field(
        default=None, examples=[[[285, 49], [497, 261], [285, 473], [73, 261]]]
    )
    """Middles of the top, right, bottom and left edge of the floor in pixels: only to check how well corners and lens
    fit; `stressaxis check` gives the misfit in cm."""

    @property
    def floor_corners_px(self) -> tuple[Point, Point, Point, Point]:
        """The four corners in pixels, however they were given.

        Raises
        ------
        InputError
            If they are to be found in the recordings.
        """
        if self.corners_px is not None:
            return self.corners_px
        if self.floor_px is None:
            raise InputError(
                "the arena's corners are not known",
                found="find: true, and nothing found" if self.find else "no corners",
                expected="corners_px",
                remedy="write them into the experiment file; `stressaxis arena VIDEO` shows what is seen of the floor",
            )
        left, top, right, bottom = self.floor_px
        return ((left, top), (right, top), (right, bottom), (left, bottom))

    def changes(self) -> dict[str, Any]:
        """The sizes that this arena states for itself; null leaves the common one."""
        return {name: value for name, value in self.added(ArenaCalibration).items() if value is not None}


ArenaSettings = section_model(ArenaOptions, ArenaCalibration, name="ArenaSettings", optional=True)


class Exclusions(Section):
    """Who is left out of the analysis, decided before any result is seen; each exclusion is listed with its reason."""

    subjects: Annotated[
        dict[Key, str],
        BeforeValidator(_listed_or_explained, json_schema_input_type=list[str | int] | dict[str, str | None]),
    ] = Field(default_factory=dict, examples=[{"m07": "bite wound", "m12": "jumped out"}])
    """Subjects to leave out, as a list or, better, as `subject: reason`."""

    @property
    def rules(self) -> ExclusionOptions:
        """The rules that go by an animal's own scores."""
        return ExclusionOptions(**self.added(Exclusions))


ExclusionSettings = section_model(ExclusionOptions, Exclusions, name="ExclusionSettings")


class Behavior(Section):
    """Recordings of the social interaction test: where they are and how they are tracked and scored."""

    trials: TableFile
    """Table of the recordings: subject, trial, file, start_s, end_s, arena."""
    trial_names: Annotated[TrialNames, BeforeValidator(_empty_section)] = Field(default_factory=TrialNames)
    """The lab's own names of the two trials."""
    geometry: Annotated[ArenaOptions, FromOptions(), BeforeValidator(_empty_section)] = Field(
        default_factory=ArenaOptions
    )
    """Sizes of floor, enclosure and zones in cm, common to all arenas."""
    arenas: dict[Key, Annotated[ArenaCalibration, ReadAs(ArenaSettings)]] = Field(min_length=1)
    """The arenas by name, as in column `arena` of the trials table: where each lies in the picture."""
    tracking: Annotated[TrackOptions, FromOptions("start_s", "end_s"), BeforeValidator(_empty_section)] = Field(
        default_factory=TrackOptions
    )
    """How the mouse is found in the picture."""
    scoring: Annotated[ScoreOptions, FromOptions(), BeforeValidator(_empty_section)] = Field(
        default_factory=ScoreOptions
    )
    """How tracks become seconds, ratios and classes."""
    classes: Annotated[ClassOptions, FromOptions(), BeforeValidator(_empty_section)] = Field(
        default_factory=ClassOptions
    )
    """Cuts of the rules by which defeated mice are classed as susceptible or resilient."""
    exclude: Annotated[Exclusions, ReadAs(ExclusionSettings), BeforeValidator(_empty_section)] = Field(
        default_factory=ExclusionSettings
    )
    """Who is left out."""

    def arena_options(self, name: str) -> ArenaOptions:
        """Sizes of one arena: the common geometry with what the arena changes."""
        return replace(self.geometry, **self.arenas[name].changes())

    def arena(self, name: str) -> Arena:
        """One arena with its zones, tied to the picture by the corners and the lens that are given for it."""
        place = self.arenas[name]
        return build_arena(self.arena_options(name), corners_px=place.floor_corners_px, lens=place.lens)


class Serum(Section):
    """The serum measurements and the table that says whose sample is whose."""

    file: Text | None = Field(default=None, examples=["serum.csv"])
    """Vendor's export or matrix of values (Olink NPX long or wide; generic matrix of samples by proteins)."""
    files: Names | None = Field(default=None, examples=[["plate1.csv", "plate2.csv"]])
    """Instead of `file`, several of them."""
    samples: TableFile | None = Field(default=None, examples=["serum_samples.csv"])
    """Table of the samples: sample, subject, bleed, plate, well, type; without it sample ids are subject ids."""
    species: Literal["mouse", "human"]
    """Whose serum it is; decides which protein belongs to which axis."""
    format: Text = Field(default="auto", examples=["olink-long"])
    """Name of the file's format; `auto`: recognised from its content."""
    bleed: Annotated[CohortOptions, FromOptions(), BeforeValidator(_empty_section)] = Field(
        default_factory=CohortOptions
    )
    """Which bleed is used where a subject has several."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The serum files as written."""
        return (self.file,) if self.file is not None else tuple(self.files or ())

    @property
    def reading(self) -> SerumOptions:
        """What the readers of serum tables are told."""
        return SerumOptions(species=self.species, **self.added(Serum))


SerumSettings = section_model(SerumOptions, Serum, name="SerumSettings", skip=("species", "layout"))


class People(Section):
    """Serum of people: groups of patients against healthy people, and drugs before and after treatment."""

    file: Text | None = Field(default=None, examples=["people_npx.csv"])
    """Vendor's export or matrix of values."""
    files: Names | None = Field(default=None, examples=[["panel1.csv", "panel2.csv"]])
    """Instead of `file`, several of them, samples below one another."""
    samples: TableFile
    """Table of the samples: sample, subject, group, drug, time, and the covariates."""
    format: Text = Field(default="auto", examples=["olink-long"])
    """Name of the file's format; `auto`: recognised from its content."""
    questions: Annotated[PeopleOptions, FromOptions()]
    """Which groups are compared, and which drugs are set against which profile."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files as written."""
        return (self.file,) if self.file is not None else tuple(self.files or ())

    @property
    def reading(self) -> SerumOptions:
        """What the readers are told."""
        return SerumOptions(species="human", **self.added(People))


PeopleSettings = section_model(SerumOptions, People, name="PeopleSettings", skip=("species", "layout"))


class Outcome(Section):
    """One measured outcome."""

    column: Text = Field(examples=["Sucrose preference (%)"])
    """Its column in the outcomes table."""
    unit: str = Field(default="", examples=["%"])
    """Its unit, for axis titles."""
    label: str = Field(default="", examples=["Sucrose preference"])
    """Its name in figures; without one, its key."""


def _column_only(value: Any) -> Any:
    return {"column": getattr(value, "text", value)} if not isinstance(value, Mapping | None) else value


def _names_only(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return {getattr(item, "text", item): {"column": item} for item in value}
    return value


OutcomeColumn = Annotated[Outcome, BeforeValidator(_column_only, json_schema_input_type=str | Outcome)]
OutcomeColumns = list[str] | dict[str, OutcomeColumn]


class Outcomes(Section):
    """Behavior that was measured elsewhere: one row per subject, the columns declared here."""

    file: Text = Field(examples=["outcomes.csv"])
    """Table with a column of subjects and the declared columns."""
    subject: Text = Field(default="subject", examples=["Mouse ID"])
    """Name of the column of subjects."""
    other_subjects: Literal["refuse", "leave_out"] = "refuse"
    """What a row is whose subject is not in the subjects table: a mistake, or (`leave_out`) listed and left out."""
    columns: Annotated[
        dict[Key, OutcomeColumn], BeforeValidator(_names_only, json_schema_input_type=OutcomeColumns)
    ] = Field(min_length=1, examples=[{"sucrose_percent": {"column": "Sucrose preference (%)", "unit": "%"}}])
    """The outcomes: `name: column in the file`, a list of columns, or `name: {column, unit, label}`."""


class Records(Section):
    """Records kept by hand, one row per subject and day; summed up for each subject they may serve as covariates."""

    defeat: TableFile | None = Field(default=None, examples=["defeat_sessions.csv"])
    """Defeat sessions: subject, day, date, aggressor, minutes, attacks, wound_grade, stopped_early, weight_g."""
    sucrose: TableFile | None = Field(default=None, examples=["sucrose.csv"])
    """Sucrose preference: subject, day, date, sucrose_g, water_g, leak."""
    weight: TableFile | None = Field(default=None, examples=["weights.csv"])
    """Body weights: subject, day, date, weight_g."""
    coat: TableFile | None = Field(default=None, examples=["coat.csv"])
    """Coat scores: subject, day, date, and 0, 0.5 or 1 for each region of the body."""
    test_day: Whole | None = Field(default=None, examples=[11])
    """Day of the social interaction test, counted as in column day; not needed where dates are given."""

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that are named, by kind."""
        named = {name: getattr(self, name) for name in ("defeat", "sucrose", "weight", "coat")}
        return {name: table for name, table in named.items() if table is not None}


class Th2Set(Section):
    """The proteins in which the question about Th2 is asked; fixed before the results are seen."""

    axis: Text | None = Field(default=None, examples=["Th2"])
    """An axis by name: its core members that this panel measures."""
    proteins: Names | None = Field(default=None, examples=[["Il4", "Il5", "Il13", "Ccl11", "Ccl24"]])
    """Instead of an axis, proteins by gene symbol or assay id."""


def _axis_or_list(value: Any) -> Any:
    if isinstance(value, str):
        return {"axis": value}
    return {"proteins": value} if isinstance(value, list | tuple) else value


class Statistics(Section):
    """The questions, declared before the results are seen."""

    primary_outcome: Text | None = Field(default=None, examples=["target_time", "si_ratio"])
    """The outcome of the main test: `target_time` (given the no-target time), `si_ratio`, `velocity_drop`, or one of
    `outcomes.columns`; null: the first of these that the experiment has."""
    th2_set: Annotated[Th2Set, BeforeValidator(_axis_or_list, json_schema_input_type=str | list[str] | Th2Set)] = Field(
        default_factory=lambda: Th2Set(axis="Th2"), examples=[{"axis": "Th2"}, ["Il4", "Il5", "Il13"]]
    )
    """The declared set, in which `q_set` is computed: an axis or a list of proteins."""
    moderation: Annotated[ModerationOptions, FromOptions(), BeforeValidator(_empty_section)] = Field(
        default_factory=ModerationOptions
    )
    """How variances are moderated where all proteins of the panel are tested."""
    treatment: Annotated[TreatmentOptions, FromOptions()] | None = None
    """Treatments beside defeat: which is the reference, and on which outcomes they are compared."""


StatisticsSettings = section_model(
    AssociationOptions, Statistics, name="StatisticsSettings", skip=("outcomes", "declared_set")
)


class Report(Section):
    """What stands at the head of the report."""

    title: Text | None = None
    """Title; without one, the experiment's name."""
    authors: Names = Field(default=(), examples=[["A. Researcher", "B. Student"]])
    """Authors."""
    description: str = ""
    """A paragraph about the experiment, printed below the title."""


def _kind_only(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class Engine(Section):
    """Where the work is done; the results are the same."""

    kind: Literal["local", "slurm"] = "local"
    """`local`: this machine's cores; `slurm`: jobs of a cluster that runs SLURM (needs the extra `cluster`)."""
    queue: Text | None = Field(default=None, examples=["short"])
    """Partition that the jobs go to; without one, the cluster's default."""
    account: Text | None = Field(default=None, examples=["lab-smith"])
    """Account that the jobs are charged to."""
    jobs: Annotated[Whole, Field(ge=1)] = Field(default=4, examples=[20])
    """Number of jobs; each works on one recording at a time, on one core."""
    walltime: Text = Field(default="04:00:00", examples=["12:00:00"])
    """Time after which the cluster ends a job, in quotes: hours:minutes:seconds."""
    memory: Text = Field(default="4GB", examples=["8GB"])
    """Memory of a job."""
    environment: Names = Field(default=(), examples=[["module load python", "source ~/stressaxis/bin/activate"]])
    """Lines of shell that each job runs first, to find the same stressaxis as here."""


class Experiment(Section):
    """An experiment: its tables, recordings, serum, and the questions asked of them."""

    schema_version: Literal[1] = Field(alias="schema", examples=[1])
    """Version of this file's layout; always 1 for now."""
    name: Annotated[Text, AfterValidator(_folder_name)] = Field(default="", examples=["csds-2026-spring"])
    """Name of the experiment and of its results folder; without one, the name of the file."""
    extends: Names = Field(default=(), examples=["presets/csds-si"])
    """A preset shipped with stressaxis, or another experiment file, whose keys hold where this file says nothing."""
    seed: Annotated[Whole, Field(ge=0)] = Field(default=0, examples=[1])
    """Seed of every random step."""
    date_format: Text | None = Field(default=None, examples=["%d/%m/%Y"])
    """How dates are written in the tables (day %d, month %m, year %Y), where they are not as 2026-11-05; in quotes."""
    roles: Annotated[Roles, BeforeValidator(_empty_section)] = Field(default_factory=Roles)
    """Which groups are controls and which are defeated."""
    subjects: TableFile | None = Field(default=None, examples=["subjects.csv"])
    """Table of the subjects: subject, group, sex, strain, cage, cohort, treatment, si_date."""
    behavior: Behavior | None = None
    """Recordings of the social interaction test."""
    serum: Annotated[Serum, ReadAs(SerumSettings)] | None = None
    """Serum measurements."""
    people: Annotated[People, ReadAs(PeopleSettings)] | None = None
    """Serum of people, for profiles of diseases and drugs that reverse them."""
    outcomes: Outcomes | None = None
    """Behavior that was measured elsewhere."""
    records: Records | None = None
    """Records kept by hand: defeat sessions, sucrose preference, body weight, coat score."""
    statistics: Annotated[Statistics, ReadAs(StatisticsSettings), BeforeValidator(_empty_section)] = Field(
        default_factory=StatisticsSettings
    )
    """The declared questions."""
    report: Annotated[Report, BeforeValidator(_empty_section)] = Field(default_factory=Report)
    """Head of the report."""
    engine: Annotated[Engine, BeforeValidator(_kind_only, json_schema_input_type=str | Engine)] = Field(
        default_factory=Engine, examples=["slurm"]
    )
    """Where the work is done: `local`, `slurm`, or a section."""

    _file: Path = PrivateAttr(default=Path())
    _base: Path = PrivateAttr(default=Path())
    _places: dict[tuple[str | int, ...], Place] = PrivateAttr(default_factory=dict)

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Every outcome of the experiment, the primary one first."""
        measured = AssociationOptions().outcomes if self.behavior is not None else ()
        names = (*measured, *(self.outcomes.columns if self.outcomes is not None else ()))
        primary = self.statistics.primary_outcome
        return names if primary is None else (primary, *(name for name in names if name != primary))

    def association(self, declared_set: Sequence[str]) -> AssociationOptions:
        """What is asked of serum and behavior together; ``declared_set`` = symbols of :attr:`Statistics.th2_set`."""
        return AssociationOptions(
            outcomes=self.outcome_names, declared_set=tuple(declared_set), **self.statistics.added(Statistics)
        )

    @property
    def file(self) -> Path:
        """The experiment file."""
        return self._file

    @property
    def base(self) -> Path:
        """The folder that paths in the experiment file and its tables are relative to."""
        return self._base

    @property
    def places(self) -> Mapping[tuple[str | int, ...], Place]:
        """File and line of every key that was written."""
        return self._places

    def locate(self, name: str) -> Path:
        r"""The path of a file named in the config or a table.

        Relative names start from :attr:`base`; a Windows name with backslashes is understood everywhere.
        """
        path = self._base / name
        if "\\" in name and not path.exists():
            return self._base / PureWindowsPath(name).as_posix()
        return path
