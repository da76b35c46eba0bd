"""Commands on serum tables, without an experiment: what a table is, which proteins differ, axis scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["axes", "differential", "serum"]

File = Annotated[Path, typer.Argument(help="Serum table of any known format.", metavar="FILE")]
Format = Annotated[str, typer.Option("--format", help="Name of a reader, if the content does not tell.")]
Species = Annotated[str, typer.Option("--species", help="mouse or human, if the file does not say.")]
Unit = Annotated[str, typer.Option("--unit", help="Unit of a table that does not state it (NPX, pg/mL, log2).")]
Quantity = Annotated[str, typer.Option("--quantity", help="Which quantity, where a file has several; fit = own curve.")]
Layout = Annotated[Path | None, typer.Option("--layout", help="Plate layout: well to sample.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Of a long table, ROLE=NAME: sample=Mouse, protein=Cytokine, value=Amount, well=..."),
]
CommonOnly = Annotated[
    bool, typer.Option("--common-only", help="Go on with the samples that FILE and the table of samples both have.")
]


def _given(**options: Any) -> dict[str, Any]:
    """Options that were given; the others keep the reader's own defaults."""
    return {name: value for name, value in options.items() if value}


def serum(
    file: File,
    out: Annotated[Path | None, typer.Option("--out", help="Write: .csv (tidy) or .h5ad (AnnData).")] = None,
    samples: Annotated[
        Path | None, typer.Option("--samples", help="Table of the samples (ids in its first column) to add.")
    ] = None,
    format: Format = "auto",
    species: Species = "",
    unit: Unit = "",
    platform: Annotated[str, typer.Option("--platform", help="Name of the platform, for the record.")] = "",
    orientation: Annotated[
        str, typer.Option("--orientation", help="Of a plain matrix: samples_in_rows or proteins_in_rows.")
    ] = "",
    sample_column: Annotated[
        list[str] | None, typer.Option("--sample-column", help="Column that describes samples and is no protein.")
    ] = None,
    column: Columns = None,
    lod: Annotated[list[str] | None, typer.Option("--lod", help="PROTEIN=LIMIT in the table's own unit.")] = None,
    zero: Annotated[str, typer.Option("--zero", help="Meaning of 0: below, missing or value.")] = "",
    quantity: Quantity = "",
    layout: Layout = None,
    replicates: Annotated[str, typer.Option("--replicates", help="Wells of one sample: keep or average.")] = "",
    contaminants: Annotated[str, typer.Option("--contaminants", help="flagged or 'first member'.")] = "",
    normalise: Annotated[
        str, typer.Option("--normalise", help="Of what is written: median, quantile, reference or variance.")
    ] = "",
    reference_sample: Annotated[
        list[str] | None, typer.Option("--reference-sample", help="Reference wells; without it, the plates' controls.")
    ] = None,
    bridge: Annotated[
        Path | None, typer.Option("--bridge", help="Second project, moved to FILE by the samples that both measured.")
    ] = None,
    impute: Annotated[
        bool, typer.Option("--impute", help="Draw values without a number from the low end of their sample (MinProb).")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of --impute.")] = 0,
) -> None:
    """Tell what a serum table is: format, platform, panel, samples, controls, proteins, LOD, flags, plates, axes."""
    from stressaxis.standalone.pairs import parse_limits, parse_pairs
    from stressaxis.standalone.serumfiles import Change, show_serum

    options = _given(
        species=species, unit=unit, platform=platform, orientation=orientation,
        sample_columns=tuple(sample_column or ()), lod=parse_limits(parse_pairs(lod or (), option="--lod")), zero=zero,
        quantity=quantity, layout=layout, replicates=replicates, contaminants=contaminants,
        columns=parse_pairs(column or (), option="--column"),
    )  # fmt: skip
    change = Change(
        bridge=bridge, normalise=normalise, reference=tuple(reference_sample or ()), impute=impute, seed=seed
    )
    typer.echo(show_serum(file, out=out, samples=samples, change=change, format=format, **options))


def differential(
    file: File,
    samples: Annotated[Path, typer.Option("--samples", help="Table of the samples: ids in its first column.")],
    formula: Annotated[str, typer.Option("--formula", help='Such as "~ group + age", over columns of SAMPLES.')],
    coefficient: Annotated[
        str, typer.Option("--coefficient", help="Column of the design (group[T.SUS]), or a term that has one (group).")
    ],
    out: Annotated[Path, typer.Option("--out", help="CSV file of the signature to write.")],
    model: Annotated[
        str,
        typer.Option("--model", help="moderated; below LOD: censored or detection; several bleeds: mixed (--block)."),
    ] = "moderated",
    trend: Annotated[bool, typer.Option("--trend", help="Prior variance as a curve over the average level.")] = False,
    robust: Annotated[bool, typer.Option("--robust", help="Proteins that vary far more keep more of it.")] = False,
    array_weights: Annotated[
        bool, typer.Option("--array-weights", help="Weigh each sample by how well it fits.")
    ] = False,
    weights: Annotated[str, typer.Option("--weights", help="Column of SAMPLES with weights of your own.")] = "",
    block: Annotated[str, typer.Option("--block", help="Column of SAMPLES: samples that belong together.")] = "",
    correlation: Annotated[
        float | None, typer.Option("--correlation", help="Within blocks; without it, estimated.")
    ] = None,
    below_lod: Annotated[
        str, typer.Option("--below-lod", help="Values below LOD: as_measured or missing.")
    ] = "as_measured",
    scale: Annotated[
        str, typer.Option("--scale", help="log2: FILE is a matrix of log2 values, column protein, one column a sample.")
    ] = "",
    common_only: CommonOnly = False,
    state_samples: Annotated[
        bool, typer.Option("--state-samples", help="Begin OUT with lines that name the samples, for similarity.")
    ] = False,
    format: Format = "auto",
    species: Species = "",
    unit: Unit = "",
    quantity: Quantity = "",
    layout: Layout = None,
    column: Columns = None,
) -> None:
    """Test one coefficient of a linear model in every protein, variances moderated over all proteins (as limma).

    Text columns are categories whose first level in alphabetical order is the reference; numbers are numbers. Another
    reference: --formula '~ C(group, contr.treatment("HC"))'. Scores of serum handling (haemolysis_z, platelet_z,
    delay_z) may stand in the formula without a column: they come from the table itself.
    """
    from stressaxis.standalone.differential import Question, differential_table
    from stressaxis.standalone.pairs import parse_pairs

    question = Question(
        formula=formula, coefficient=coefficient, model=model, trend=trend, robust=robust, below_lod=below_lod,
        array_weights=array_weights, weights=weights, block=block, correlation=correlation,
    )  # fmt: skip
    columns = parse_pairs(column or (), option="--column")
    options = _given(species=species, unit=unit, quantity=quantity, layout=layout, columns=columns)
    typer.echo(
        differential_table(
            file, samples=samples, question=question, out=out, scale=scale, common_only=common_only,
            state_samples=state_samples, format=format, **options,
        )
    )  # fmt: skip


def axes(
    file: File,
    out: Annotated[Path, typer.Option("--out", help="CSV file of the scores to write.")],
    species: Species = "",
    samples: Annotated[
        Path | None, typer.Option("--samples", help="Table of the samples: ids in its first column, and groups.")
    ] = None,
    reference: Annotated[
        str, typer.Option("--reference", help="Group that z is taken against; without it, all samples.")
    ] = "",
    group_column: Annotated[str, typer.Option("--group-column", help="Column of the groups.")] = "group",
    method: Annotated[str, typer.Option("--method", help="mean-z, pc1, singscore, ssgsea or gsva.")] = "mean-z",
    scale: Annotated[
        str, typer.Option("--scale", help="log2: FILE is a matrix of log2 values, column protein, one column a sample.")
    ] = "",
    common_only: CommonOnly = False,
    format: Format = "auto",
    unit: Unit = "",
    quantity: Quantity = "",
    layout: Layout = None,
    column: Columns = None,
) -> None:
    """Score the immune axes (Th2, Th1 ...) in every sample from the members that are detected; fewer than 3: no score.

    By mean z with --reference the Th2 skew has a 95 % interval, for each sample and each group. Scores by ranks
    (singscore, ssgsea, gsva) depend on what else is on the panel: compare them within one panel only.
    """
    from stressaxis.standalone.axisscores import score_file
    from stressaxis.standalone.pairs import parse_pairs

    columns = parse_pairs(column or (), option="--column")
    options = _given(unit=unit, quantity=quantity, layout=layout, columns=columns)
    typer.echo(
        score_file(
            file, out=out, species=species, samples=samples, reference=reference, group_column=group_column,
            method=method, scale=scale, common_only=common_only, format=format, **options,
        )
    )  # fmt: skip
