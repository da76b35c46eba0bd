"""Problems as data: every exclusion, failure and warning of a run is a row, never only a log line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import StressaxisError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODES", "Problem", "from_error", "problems_table"]

#: Every code a Problem may carry: its severity and what it means, in one line.
#: ``error``: something could not be done; ``excluded``: data set aside; ``warning``: a number needs care; ``info``.
CODES: dict[str, tuple[str, str]] = {
    "cannot_read": ("error", "a file could not be read"),
    "mistake": ("error", "the experiment file or one of its tables is wrong at this place"),
    "damaged_file": ("warning", "a file is damaged; what came before the damage is used"),
    "task_failed": ("error", "a step failed for this item; the others went on"),
    "worker_killed": ("error", "the process that worked on this item was killed"),
    "out_of_memory": ("error", "there was not enough memory for this item"),
    "changed_while_read": (
        "error",
        "a file vanished or changed while it was read (still being recorded?)",
    ),
    "arena_not_found": ("error", "the floor of an arena was not found in its recordings"),
    "input_damaged": ("error", "a file's content changed although its size and time did not"),
    "input_differs": ("warning", "a file's content is not what the run before had read"),
    "recording_awaited": ("excluded", "a recording that has not arrived yet; the next run takes it"),
    "result_damaged": ("warning", "a stored result was not what had been written; it was made again"),
}


def _register(severity: str, rows: dict[str, str]) -> None:
    for code, meaning in rows.items():
        if code in CODES:
            raise ValueError(f"problem code {code!r} is registered twice")
        CODES[code] = (severity, meaning)


_register(
    "warning",
    {
        "short_trial": "trial shorter than 98 % of the window; times are scaled from the scored time",
        "lost_frames": "share of frames without the subject is above the limit",
        "release_not_found": "no release found; the whole recording is scored from its first frame",
        "sparse_frames": "fewer than 4 frames a second; distances from raw positions",
        "timestamps_mended": "duplicated or falling timestamps in the recording",
        "target_time_zero": "0 s in the interaction zone with target; the ratio is 0",
        "trial_order": "target trial recorded before the no-target trial",
        "same_file_twice": "the same recording is listed for two trials",
        "trial_in_parts": "a trial that is made of several recordings",
        "zone_cut_by_picture": "part of a zone lies outside the picture",
        "filled_gaps": "positions missing for a short time are interpolated, as asked for",
        "frame_gaps": "stretches without frames inside the scored window; that time counts as not observed",
        "position_jumps": "the tracked point moves faster than a mouse can",
        "uneven_frames": "many frames come late; the frame rate is not steady",
        "area_changes": "the silhouette's area varies more than a mouse's does",
        "low_contrast": "the subject hardly stands out from the floor; its place is uncertain",
        "camera_moved": "the camera was knocked in mid-recording; later positions are turned back to the view before",
        "light_changes": "the light changes much during the trial",
        "out_of_focus": "the picture is blurred; positions are less exact",
        "repeated_frames": "pictures are repeated in the recording; its frame rate is not that of the camera",
        "frame_rate_differs": "the file states another frame rate than its timestamps have; times are the timestamps'",
        "trials_swapped": "the recordings with and without target seem exchanged",
        "enclosure_occupied": "something moves inside the enclosure in the trial without target",
        "enclosure_empty": "nothing moves inside the enclosure in the trial with target",
        "same_recording": "two recordings show the same path of the mouse: one is a copy of the other",
        "inside_enclosure": "the tracked point lies inside the enclosure, where the subject cannot be",
        "few_controls": "too few controls to estimate a cut-off or slope from",
        "outside_floor": "the tracked point lies outside the floor; that time counts as not observed",
        "similar_ids": "ids that differ only in case, spaces or leading zeros",
        "group_is_plate": "group and plate coincide; their effects cannot be told apart",
        "group_is_arena": "group and arena coincide; their effects cannot be told apart",
        "cohort_is_plate": "cohort and plate are the same partition; only one of them is in the model",
        "few_detected": "protein below LOD in most samples",
        "axis_refused": "axis score refused: fewer than three detected members",
        "test_refused": "analysis refused: too few subjects or groups",
        "lod_unknown": "the table has no LOD; all values count as detected",
        "limit_assumed": "censored values whose limit is not in the file; the rule used is stated",
        "ids_made": "the table has no sample ids; rows are named by their place",
        "unit_assumed": "the table states no unit; the scale was taken from the range of its values",
        "above_range": "values above the upper end of the calibration curve",
        "extrapolated": "values outside the range of the standards, extrapolated by the vendor's software",
        "no_result": "cells for which the vendor's software gives no number",
        "few_beads": "wells with fewer beads counted than asked for",
        "duplicate_sample": "a sample id stands for more than one measurement",
        "unmatched_assay": "an assay whose name fits more than one protein, or none",
        "column_left_out": "a column of a long table that differs within a sample",
        "plate_effect": "plates differ in level for many proteins",
        "order_effect": "many proteins rise or fall with the order of the run",
        "swap_suspect": "samples that look exchanged or measured twice",
        "replicate_spread": "technical replicates differ more than usual",
        "imputed_upstream": "missing values seem to have been filled in before this table was written",
        "handling": "serum handling (platelets, haemolysis, delay) shows in this sample",
        "poor_fit": "the standard curve does not give back its own standards",
        "constant_floor": "one low value repeats; values below LOD seem replaced by a constant",
        "qc_warning": "the vendor's quality control marks this sample",
        "sample_outlier": "sample far from the others in median or spread",
        "several_bleeds": "more than one bleed; one is used by the declared rule",
        "serum_without_recording": "serum sample of a subject that has no recording",
        "recording_without_serum": "recorded subject without serum sample",
        "subject_without_data": "subject in the subjects table with neither recording nor serum",
        "serum_without_outcome": "serum sample of a subject that has no row in the outcomes table",
        "outcome_without_serum": "subject with a row in the outcomes table but without serum sample",
        "bleed_timing": "bleed on the other side of the SI test than declared, or its date is not known",
        "group_is_order": "group and order of recording coincide; their effects cannot be told apart",
        "role_without_subjects": "no subject of the subjects table is in a group of this role",
        "group_is_cohort": "group and cohort coincide; their effects cannot be told apart",
        "redundant_term": "a model term is contained in the others; it is left out and the result says so",
        "shared_patients": "patients that are in the disease signature and in a drug's before-and-after samples",
        "set_member_missing": "a member of the declared set is not on the panel or not detected",
        "rate_unknown": "the track file holds no frame rate; its times are frame numbers, not seconds",
        "origin_unknown": "positions in cm whose zero point is not the floor's top-left corner",
        "low_likelihood": "positions below the likelihood limit, or at exactly 0, 0, count as missing",
        "duration_differs": "the file states another duration than its rows have",
        "sheet_skipped": "a sheet of a workbook without a track",
        "open_event": "a state event without start or stop, or with a stop before its start",
        "arena_unsure": "the arena was found in the picture, but not surely; check its corners",
        "enclosure_elsewhere": "the enclosure is seen at another wall than the experiment file says",
        "camera_elsewhere": "the camera stood elsewhere than in the other recordings of this arena",
        "mediator_covariate": "a covariate that defeat changes itself; models with it do not tell the whole effect",
        "record_suspect": "a hand-kept record outside its usual range or order",
    },
)
_register(
    "excluded",
    {
        "trial_refused": "trial shorter than 80 % of the window; not scored",
        "mostly_unseen": "the animal is seen in too little of the trial; not scored",
        "trial_missing": "one of the two trials is missing; no ratio",
        "no_target_time_zero": "0 s in the interaction zone without target; the ratio is not defined",
        "ratio_above_limit": "SI ratio at or above the exclusion limit",
        "lost_excluded": "not seen in more of a trial than the exclusion limit",
        "zero_zone_time": "0 s in the interaction zone in one of the trials",
        "subject_excluded": "subject excluded by the subjects table or the config",
        "control_sample": "control or calibrator of the plate, not a subject's sample",
        "unknown_sample": "sample in the serum file but not in the serum samples table",
        "missing_sample": "sample in the serum samples table but not in the serum file",
        "unknown_subject": "subject named in another table but not in the subjects table",
        "constant_marker": "marker with one value in all analysed subjects, or with too few values",
        "unused_bleed": "a further bleed of the same subject, not used by the declared rule",
        "not_analysed": "subject left out of an analysis because a value it needs is missing",
        "not_identified": "rows of a report that are not identified well enough",
        "control_protein": "decoy, contaminant or control assay, not a protein of the sample",
    },
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One exclusion, failure or warning.

    Parameters
    ----------
    code
        A key of :data:`CODES`.
    message
        What was found, with its numbers.
    action
        What was done about it.
    subject, file, where
        Whom and which place it concerns; empty where it does not apply.

    Raises
    ------
    ValueError
        If the code is not in the table.

    Examples
    --------
    >>> Problem(code="lost_frames", subject="m01", message="12 % lost", action="kept, flagged").severity
    'warning'
    """

    code: str
    message: str
    action: str = ""
    subject: str = ""
    file: str = ""
    where: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown problem code {self.code!r}; known: {', '.join(sorted(CODES))}")

    @property
    def severity(self) -> str:
        """``error``, ``excluded``, ``warning`` or ``info``."""
        return CODES[self.code][0]


def from_error(error: BaseException, *, subject: str = "", file: str = "", action: str = "") -> Problem:
    """A Problem that records an error which stopped one item.

    Examples
    --------
    >>> from core.errors import InputError
    >>> from_error(InputError("no frames", file="a.mp4"), subject="m01").code
    'cannot_read'
    """
    if isinstance(error, StressaxisError):
        where = error.where or ""
        return Problem(
            code="cannot_read", subject=subject, file=error.file or file, where=where, message=str(error), action=action
        )
    message = f"{type(error).__name__}: {error}"
    return Problem(code="task_failed", subject=subject, file=file, message=message, action=action)


def problems_table(problems: Iterable[Problem]) -> pd.DataFrame:
    """Problems as a table, sorted so that the order of work does not show.

    Returns
    -------
    DataFrame
        Columns ``severity, code, subject, file, where, message, action``.

    Examples
    --------
    >>> problems_table([]).columns.tolist()
    ['severity', 'code', 'subject', 'file', 'where', 'message', 'action']
    """
    import pandas as pd

    names = ["code", "subject", "file", "where", "message", "action"]
    rows = sorted({tuple(getattr(problem, name) for name in names) for problem in problems})
    table = pd.DataFrame(rows, columns=names, dtype=str)
    table.insert(0, "severity", [CODES[code][0] for code in table["code"]])
    return table
