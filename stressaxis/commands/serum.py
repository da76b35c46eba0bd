"""Commands on serum tables, without an experiment: what a table is, which proteins differ, axis scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["serum"]

File = Annotated[Path, typer.Argument(help="Serum table of any known format.", metavar="FILE")]
Format = Annotated[str, typer.Option("--format", help="Name of a reader, if the content does not tell.")]
Species = Annotated[str, typer.Option("--species", help="mouse or human, if the file does not say.")]
Unit = Annotated[str, typer.Option("--unit", help="Unit of a table that does not state it (NPX, pg/mL, log2).")]
Quantity = Annotated[str, typer.Option("--quantity", help="Which quantity, where a file has several; fit = own curve.")]
Layout = Annotated[Path | None, typer.Option("--layout", help="Plate layout: well to sample.")]
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
    lod: Annotated[list[str] | None, typer.Option("--lod", help="PROTEIN=LIMIT in the table's own unit.")] = None,
    zero: Annotated[str, typer.Option("--zero", help="Meaning of 0: below, missing or value.")] = "",
    quantity: Quantity = "",
    layout: Layout = None,
    replicates: Annotated[str, typer.Option("--replicates", help="Wells of one sample: keep or average.")] = "",
    contaminants: Annotated[str, typer.Option("--contaminants", help="flagged or 'first member'.")] = "",
) -> None:
    """Tell what a serum table is: format, platform, panel, samples, controls, proteins, LOD, flags, plates, axes."""
    from stressaxis.serumfiles import parse_limits, show_serum
    from stressaxis.trackfiles import parse_pairs

    options = _given(
        species=species, unit=unit, platform=platform, orientation=orientation,
        sample_columns=tuple(sample_column or ()), lod=parse_limits(parse_pairs(lod or (), option="--lod")), zero=zero,
        quantity=quantity, layout=layout, replicates=replicates, contaminants=contaminants,
    )  # fmt: skip
    typer.echo(show_serum(file, out=out, samples=samples, format=format, **options))
