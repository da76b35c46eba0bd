"""Commands that plan a study: power, and the allocation of treatments and plates."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["power", "randomise"]


class Question(StrEnum):
    """Kinds of study."""

    association = "association"
    si_effect = "si-effect"
    trial = "trial"


def power(
    question: Annotated[
        Question,
        typer.Argument(
            help="association: marker against target time in defeated mice; si-effect: target time of two groups of "
            "mice; trial: an anti-IL-4R alpha antibody against placebo in patients chosen by their Th2 score."
        ),
    ],
    n: Annotated[list[int] | None, typer.Option("--n", min=1, help="Mice, mice per group, patients per arm.")] = None,
    correlation: Annotated[
        float | None, typer.Option("--correlation", help="Association: true r; si-effect: r of the two times.")
    ] = None,
    cohorts: Annotated[int | None, typer.Option("--cohorts", min=1, help="Cohorts of mice.")] = None,
    reliability: Annotated[float | None, typer.Option("--reliability", help="Of target time (0 to 1).")] = None,
    marker_reliability: Annotated[
        float | None, typer.Option("--marker-reliability", help="Of the marker (0 to 1).")
    ] = None,
    below_detection: Annotated[
        float | None, typer.Option("--below-detection", help="Share of the marker's values below its limit.")
    ] = None,
    markers: Annotated[int | None, typer.Option("--markers", min=1, help="Markers in the declared set.")] = None,
    true_markers: Annotated[int | None, typer.Option("--true-markers", min=0, help="Of these, with the r.")] = None,
    difference_s: Annotated[
        float | None, typer.Option("--difference-s", help="Si-effect: difference in target time (s).")
    ] = None,
    sd_target_s: Annotated[float | None, typer.Option("--sd-target-s", help="SD of target time (s); 30.")] = None,
    sd_no_target_s: Annotated[
        float | None, typer.Option("--sd-no-target-s", help="SD of no-target time (s); 16.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option("--effect", help="Trial: rise of the effect per SD of Th2 score (SD of change).")
    ] = None,
    effect_at_mean: Annotated[
        float | None, typer.Option("--effect-at-mean", help="Trial: effect at an average Th2 score (SD of change).")
    ] = None,
    enrichment: Annotated[
        float | None, typer.Option("--enrichment", help="Trial: share of the screened, from the top, that is enrolled.")
    ] = None,
    score_reliability: Annotated[
        float | None, typer.Option("--score-reliability", help="Trial: of the Th2 score (0 to 1).")
    ] = None,
    dropout: Annotated[float | None, typer.Option("--dropout", help="Trial: share lost in each arm.")] = None,
    alpha: Annotated[float, typer.Option("--alpha", min=0, max=1, help="Two-sided level.")] = 0.05,
    wanted: Annotated[float, typer.Option("--power", min=0, max=1, help="Power that is wanted.")] = 0.8,
    runs: Annotated[int, typer.Option("--runs", min=100, help="Simulated studies per size.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulation.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the table.")] = None,
) -> None:
    """Simulate the power of a planned study at several sizes, with the simulation's own interval."""
    from stressaxis.standalone.planning import design_of, power_table

    given = {
        "correlation": correlation, "n_cohorts": cohorts, "reliability": reliability,
        "marker_reliability": marker_reliability, "below_detection": below_detection, "n_markers": markers,
        "n_true": true_markers, "difference_s": difference_s, "sd_target_s": sd_target_s,
        "sd_no_target_s": sd_no_target_s, "effect": effect, "effect_at_mean": effect_at_mean,
        "enrichment": enrichment, "score_reliability": score_reliability, "dropout": dropout,
    }  # fmt: skip
    design = design_of(question.value, given) | {"alpha": alpha}
    typer.echo(power_table(question.value, sizes=n, design=design, runs=runs, seed=seed, wanted=wanted, out=out))


def randomise(
    subjects: Annotated[Path, typer.Argument(help="Table of the subjects (CSV).", metavar="SUBJECTS")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write; an existing one is never replaced.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed; it is written beside the allocation.")],
    arm: Annotated[list[str], typer.Option("--arm", help="Name of an arm (treatment, plate); twice or more.")],
    balance: Annotated[
        list[str] | None,
        typer.Option("--balance", help="Column to balance over, most important first; group, cohort, cage, sex."),
    ] = None,
    column: Annotated[str, typer.Option("--subject-column", help="The table's column of ids.")] = "subject",
) -> None:
    """Allocate treatment, bleed order or plate at random, balanced over what is known of the subjects.

    The order of work spreads each arm evenly. The same table and seed give the same allocation.
    """
    from stressaxis.standalone.planning import allocation

    typer.echo(
        allocation(
            subjects, arms=arm, balance=balance or ("group", "cohort", "cage", "sex"), seed=seed, out=out,
            column=column,
        )
    )  # fmt: skip
