"""Sections on behaviour: recordings, paths, the social interaction test, groups."""

from __future__ import annotations

import pandas as pd

from stressaxis.figures.groups import group_measures
from stressaxis.figures.numbers import plural
from stressaxis.figures.quality import lost_frames
from stressaxis.figures.si_plot import class_counts, si_by_group, zone_seconds
from stressaxis.figures.time_course import zone_time_course
from stressaxis.figures.trajectories import points_per_path, sheet
from stressaxis.report.behavior_tables import animals_view, comparison_views
from stressaxis.report.blocks import Block, MouseGrid, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.paths import read_mice
from stressaxis.report.recordings import quality_view, recording_lights, recording_remarks, whole_trial_remarks
from stressaxis.report.results import Results
from stressaxis.report.tables import table_view

__all__ = ["groups_section", "interaction_section", "paths_section", "recordings_section"]

#: Above so many mice the drawings of a group are shown on a click.
SHOWN_OPEN = 80
SHEET = 48


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
    measured = results.table("recordings")
    if measured is not None and "light" in measured:
        blocks.append(TableBlock(quality_view(measured)))
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
    kept = _not_excluded(animals)
    blocks = figure_row(si_by_group(kept, cut=results.cut), class_counts(kept, cut=results.cut)) + figure_row(
        zone_seconds(kept)
    )
    bins = results.table("time_course")
    if bins is not None:
        blocks += figure_row(zone_time_course(bins, kept))
    if len(kept) < len(animals):
        left_out = animals.loc[animals.index.difference(kept.index)]
        names = [
            f"{name} ({reason.replace('_', ' ')})"
            for name, reason in zip(left_out["subject"], left_out["excluded"], strict=True)
        ]
        blocks.append(Paragraph(f"Excluded, and in no figure or mean by group: {', '.join(names)}.", "note"))
    blocks.append(TableBlock(animals_view(animals)))
    return Section("interaction", "Social interaction", blocks)


def _not_excluded(animals: pd.DataFrame) -> pd.DataFrame:
    return animals[animals["excluded"] == ""] if "excluded" in animals else animals


def groups_section(results: Results) -> Section | None:
    """Measures by group and their comparisons; None where there is neither."""
    animals = results.table("social_interaction")
    blocks = figure_row(group_measures(_not_excluded(animals))) if animals is not None else []
    comparisons = results.table("group_comparisons")
    if comparisons is not None:
        blocks += [TableBlock(view) for view in comparison_views(comparisons)]
    return Section("groups", "Behaviour by group", blocks) if blocks else None
