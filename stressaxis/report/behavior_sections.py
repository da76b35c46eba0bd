"""Sections on behaviour: recordings, paths, the social interaction test, groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stressaxis.figures.groups import MEASURES, group_measures
from stressaxis.figures.numbers import plural
from stressaxis.figures.quality import lost_frames
from stressaxis.figures.si_plot import class_counts, si_by_group, zone_seconds
from stressaxis.figures.time_course import zone_time_course
from stressaxis.figures.trajectories import points_per_path, sheet
from stressaxis.report.blocks import Block, MouseGrid, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.paths import read_mice
from stressaxis.report.recordings import recording_lights, recording_remarks, whole_trial_remarks
from stressaxis.report.results import Results
from stressaxis.report.tables import table_view

__all__ = ["groups_section", "interaction_section", "paths_section", "recordings_section"]

#: Above so many mice the drawings of a group are shown on a click.
SHOWN_OPEN = 80
SHEET = 48
MEASURE_WORDS = {
    **MEASURES,
    "si_ratio": "SI ratio",
    "log_si": "log SI ratio",
    "iz_no_target_s": "Interaction zone, no target (s)",
    "si_difference_s": "Target minus no target (s)",
    "si_index": "(T − NT) / (T + NT)",
}
#: The SI ratio by other zones and windows, as columns of the animals table.
RATIOS = {
    "si_ratio": "default",
    "si_narrow": "zone margin 2 cm narrower",
    "si_wide": "zone margin 2 cm wider",
    "si_first_120_s": "first 120 s only",
    "si_nose": "nose instead of body centre",
}


def recordings_section(results: Results) -> Section | None:
    """Quality of the recordings; None without a trials table."""
    trials = results.table("trials")
    if trials is None:
        return None
    remarks = recording_remarks(trials, results.problems)
    light = recording_lights(trials, remarks)
    words = [_remark(own, str(note)) for own, note in zip(remarks, trials.get("note", [""] * len(trials)), strict=True)]
    table = trials.assign(verdict=light, remarks=words, trial=trials["trial"].str.replace("_", " "))
    columns = ["verdict", "subject", "trial", "lost_percent", "start_s", "scored_s", "iz_s", "remarks"]
    flagged = table[light != "good"].sort_values(["verdict", "subject", "trial"], ascending=[False, True, True])
    blocks: list[Block] = figure_row(lost_frames(trials, light))
    if flagged.empty:
        blocks.append(Paragraph("No recording carries a remark."))
    else:
        caption = f"{plural(len(flagged), 'recording')} of {len(table)} with a remark or not used."
        blocks.append(TableBlock(table_view(flagged, columns=columns, caption=caption, filterable=len(flagged) > 12)))
    every = [
        "verdict",
        "subject",
        "trial",
        "file",
        "start_s",
        "scored_s",
        "lost_percent",
        "iz_s",
        "iz_entries",
        "iz_latency_s",
        "distance_cm",
        "velocity_cm_s",
    ]
    blocks.append(
        TableBlock(
            table_view(
                table,
                columns=every,
                caption="Every recording with its main measures.",
                link="tables/trials.csv",
                filterable=True,
                folded=f"All {len(table)} recordings",
            )
        )
    )
    return Section("recordings", "Recording quality", blocks)


def _remark(own: pd.DataFrame, note: str) -> str:
    return "; ".join(dict.fromkeys(own["message"])) or "; ".join(whole_trial_remarks(note))


def paths_section(results: Results) -> Section | None:
    """The path of every mouse in both trials; None without tracks."""
    mice, outlines = read_mice(results)
    if not mice:
        return None
    labels = list(dict.fromkeys(mouse.label for mouse in mice))
    groups = [
        (f"{label} (n = {sum(m.label == label for m in mice)})", [m for m in mice if m.label == label])
        for label in labels
    ]
    limit = points_per_path(2 * len(mice))
    known = any("interaction" in outline.zones for outline in outlines)
    caption = (
        f"Paths of {plural(len(mice), 'mouse', 'mice')} in the scored window, left without, right with target; over "
        "each: seconds in the interaction zone. "
        + (
            "Dashed: interaction zone and corners; filled grey: enclosure; coloured: path inside the interaction zone; "
            if known
            else "No arena outline or calibration was stored, so paths are drawn in pixels in a frame of their own; "
        )
        + f"open circle: first position. Each path is drawn with at most {limit} points; where the mouse was not "
        "seen the line is broken."
    )
    sheets = [
        sheet(
            mice[first : first + SHEET],
            outlines,
            caption="",
            name="trajectories" + (f"_{first // SHEET + 1}" if len(mice) > SHEET else ""),
        )
        for first in range(0, len(mice), SHEET)
    ]
    grid = MouseGrid(groups, outlines, caption, len(mice) > SHOWN_OPEN, sheets)
    return Section("paths", "Paths of every mouse", [grid])


def interaction_section(results: Results) -> Section | None:
    """SI ratio, zone seconds, classes; None without a table of animals."""
    animals = results.table("social_interaction")
    if animals is None:
        return None
    blocks = figure_row(si_by_group(animals), class_counts(animals)) + figure_row(zone_seconds(animals))
    bins = results.table("time_course")
    if bins is not None:
        blocks += figure_row(zone_time_course(bins, animals))
    columns = [
        "subject",
        "group",
        "cohort",
        "class",
        "si_ratio",
        "iz_no_target_s",
        "iz_target_s",
        "corner_ratio",
        "velocity_drop_cm_s",
        "excluded",
        "note",
    ]
    caption = (
        "One row per mouse. SI ratio = share of time in the zone with target / without; classes by the default rule."
    )
    view = table_view(
        animals,
        columns=columns,
        caption=caption,
        link="tables/social_interaction.csv",
        filterable=True,
        folded=f"All {plural(len(animals), 'mouse', 'mice')} with their scores",
    )
    blocks.append(TableBlock(view))
    return Section("interaction", "Social interaction", blocks)


def groups_section(results: Results) -> Section | None:
    """Measures by group and their comparisons; None where there is neither."""
    animals = results.table("social_interaction")
    blocks = figure_row(group_measures(animals)) if animals is not None else []
    comparisons = results.table("group_comparisons")
    if comparisons is not None:
        columns = [
            "measure",
            "group_1",
            "group_0",
            "method",
            "n_1",
            "n_0",
            "mean_1",
            "mean_0",
            "estimate",
            "ci_low",
            "ci_high",
            "p",
            "effect",
            "effect_name",
            "smallest_detectable",
            "note",
        ]
        shown = comparisons.assign(
            measure=[MEASURE_WORDS.get(name, name.replace("_", " ")) for name in comparisons["measure"]],
            method=comparisons["method"].str.replace("_", " "),
        )
        view = table_view(
            shown,
            columns=columns,
            link="tables/group_comparisons.csv",
            filterable=len(comparisons) > 12,
            headings={
                "group_1": "group",
                "group_0": "against",
                "estimate": "difference",
                "mean_1": "mean₁",
                "mean_0": "mean₀",
            },
            caption="Comparisons between groups: difference with its 95 % interval, p, effect size, and the "
            "standardised difference that groups of this size show with 80 % power.",
            folded="" if len(comparisons) <= 12 else f"All {len(comparisons)} comparisons between groups",
        )
        blocks.append(TableBlock(view))
    return Section("groups", "Behaviour by group", blocks) if blocks else None


def ratio_variants(animals: pd.DataFrame) -> pd.DataFrame:
    """SI ratio of defeated mice by other zones and windows, against the default.

    Examples
    --------
    >>> table = pd.DataFrame({"role": "defeated", "si_ratio": [0.5, 0.9, 1.5], "si_wide": [0.6, 1.1, 1.4]})
    >>> ratio_variants(table)[["SI ratio", "below 1", "changed class"]].values.tolist()
    [['default', 2, 0], ['zone margin 2 cm wider', 1, 1]]
    """
    defeated = animals[animals["role"] == "defeated"]
    rows = []
    for name, words in RATIOS.items():
        if name not in defeated or defeated[name].notna().sum() == 0:
            continue
        both = defeated[["si_ratio", name]].dropna().set_axis(["default", "variant"], axis=1)
        rows.append(
            {
                "SI ratio": words,
                "n": len(both),
                "median": float(both["variant"].median()),
                "below 1": int((both["variant"] < 1).sum()),
                "changed class": int(((both["variant"] < 1) != (both["default"] < 1)).sum()),
                "Spearman": float(both["variant"].corr(both["default"], method="spearman"))
                if len(both) > 2
                else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def class_variants(animals: pd.DataFrame) -> pd.DataFrame:
    """Number of mice in each class under every rule, and how many differ from the default rule.

    Examples
    --------
    >>> table = pd.DataFrame({"class": ["SUS", "RES"], "class_band": ["SUS", "indeterminate"]})
    >>> class_variants(table)[["rule", "SUS", "RES", "other", "differ"]].values.tolist()
    [['default (SI ratio below 1)', 1, 1, 0, 0], ['band', 1, 0, 1, 1]]
    """
    defeated = animals[animals["role"] == "defeated"] if "role" in animals else animals
    rows = []
    for name in ["class", *(column for column in animals.columns if column.startswith("class_"))]:
        values = defeated[name].fillna("")
        sus, res = int((values == "SUS").sum()), int((values == "RES").sum())
        rows.append(
            {
                "rule": "default (SI ratio below 1)"
                if name == "class"
                else name.removeprefix("class_").replace("_", " "),
                "SUS": sus,
                "RES": res,
                "other": int((values != "").sum()) - sus - res,
                "no class": int((values == "").sum()),
                "differ": int(np.sum(values.to_numpy() != defeated["class"].fillna("").to_numpy())),
            }
        )
    return pd.DataFrame(rows)
