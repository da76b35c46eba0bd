"""Commands on signatures: how alike two are, and which drug moves a disease's proteins back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["reversal", "similarity"]

Samples = Annotated[
    Path | None,
    typer.Option("--samples", help="Table of the samples (sample, group, ...): the files then hold samples' levels."),
]
OutFolder = Annotated[Path | None, typer.Option("--out", help="Folder for the result tables (CSV).")]
Species = Annotated[
    str | None, typer.Option("--species", help="human or mouse; without it as the files say, or human.")
]
Unit = Annotated[str, typer.Option("--unit", help="Unit of sample-level tables that do not state it (NPX, pg/mL).")]
Material = Annotated[str | None, typer.Option("--material", help="What was measured (serum protein, skin RNA).")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")]
Permutations = Annotated[int, typer.Option("--permutations", min=99, help="Permutations of sample labels.")]
Covariates = Annotated[
    list[str] | None, typer.Option("--covariate", help="Column of the table of samples that enters the model.")
]


def similarity(
    files: Annotated[list[Path], typer.Argument(help="Two signature tables, or tables of samples.", metavar="A B")],
    samples: Samples = None,
    contrast: Annotated[
        list[str] | None, typer.Option("--contrast", help="CASE-REFERENCE, twice (with --samples).")
    ] = None,
    covariate: Covariates = None,
    strata: Annotated[
        str | None, typer.Option("--within", help="Column (plate, cohort) within which labels are permuted.")
    ] = None,
    shared_controls: Annotated[
        int | None, typer.Option("--shared-controls", min=0, help="Controls in both signature tables.")
    ] = None,
    n_a: Annotated[int | None, typer.Option("--n-a", min=1, help="Cases of the first signature table.")] = None,
    n_b: Annotated[int | None, typer.Option("--n-b", min=1, help="Cases of the second signature table.")] = None,
    n_controls: Annotated[int | None, typer.Option("--n-controls", min=1, help="Controls of each of them.")] = None,
    max_q: Annotated[
        float, typer.Option("--max-q", min=0, max=1, help="q below which a protein has a quadrant.")
    ] = 0.05,
    species: Species = None,
    species_b: Annotated[
        str | None, typer.Option("--species-b", help="Of the second table, where it is another; then by orthologues.")
    ] = None,
    unit: Unit = "",
    material: Material = None,
    permutations: Permutations = 2000,
    seed: Seed = 0,
    out: OutFolder = None,
) -> None:
    """Tell how alike two signatures are, and how much of it shared controls fake.

    From two signature tables there is no p value. From levels of samples (--samples, --contrast twice) there is: sample
    labels are permuted, the estimate has its controls parted, and it has an interval.
    """
    from core.errors import InputError
    from stressaxis.standalone.similarity import compare_samples, compare_tables

    if samples is not None:
        said = compare_samples(
            files, samples=samples, contrasts=contrast or (), covariates=covariate or (), strata=strata,
            species=species or "", unit=unit, material=material or "", max_q=max_q, n_permutations=permutations,
            seed=seed, out=out,
        )  # fmt: skip
    elif len(files) != 2:
        raise InputError("two signature tables are compared", found=f"{len(files)} files",
                         remedy="give two, or --samples if the file holds samples' levels")  # fmt: skip
    elif contrast:
        raise InputError("--contrast needs --samples", remedy="give the table that says which sample is in which group")
    else:
        said = compare_tables(
            files[0], files[1], shared_controls=shared_controls, max_q=max_q, material=material,
            species=(species, species_b or species),
            numbers={"n_a": n_a, "n_b": n_b, "n_0": n_controls}, out=out,
        )  # fmt: skip
    typer.echo(said)


def reversal(
    disease: Annotated[Path, typer.Option("--disease", help="Signature table of the disease, or a table of samples.")],
    drugs: Annotated[
        Path | None, typer.Option("--drugs", help="Folder of drug tables (CSV, RNK, GMT, GCT, GCTX), or one file.")
    ] = None,
    samples: Samples = None,
    contrast: Annotated[str | None, typer.Option("--contrast", help="CASE-REFERENCE (with --samples).")] = None,
    covariate: Covariates = None,
    pre_analytical: Annotated[
        list[str] | None,
        typer.Option("--pre-analytical", help="Protein of sample handling; without any, those of the built-in axes."),
    ] = None,
    il4r_drug: Annotated[
        list[str] | None, typer.Option("--il4r-drug", help="Drug that blocks IL-4R alpha, if its name does not say so.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Levels of reference people, for random drugs (tables only).")
    ] = None,
    species: Species = None,
    unit: Unit = "",
    material: Material = None,
    permutations: Permutations = 1000,
    seed: Seed = 0,
    out: OutFolder = None,
) -> None:
    """Tell which drug moves a disease's proteins back, with what uncertainty.

    From signature tables drugs are scored and ranked without p. From levels of samples (--samples with the columns
    sample, group, subject, drug, time; --contrast) labels are permuted on both sides, and patients that are in both
    signatures are found by their sample ids.
    """
    from core.errors import InputError
    from stressaxis.standalone.reversal import reverse_samples, reverse_tables

    common: dict[str, Any] = {
        "pre_analytical": pre_analytical or (), "il4r_drugs": il4r_drug or (), "unit": unit, "seed": seed, "out": out,
    }  # fmt: skip
    if samples is not None:
        if contrast is None:
            raise InputError("--samples needs --contrast", expected="--contrast CASE-REFERENCE")
        said = reverse_samples(
            disease, drugs, samples=samples, contrast=contrast, covariates=covariate or (), species=species or "",
            n_permutations=permutations, **common,
        )  # fmt: skip
    elif drugs is None:
        raise InputError("--drugs is needed with signature tables", expected="a folder of drug tables, or one file")
    elif contrast:
        raise InputError("--contrast needs --samples", remedy="give the table that says which sample is in which group")
    else:
        said = reverse_tables(disease, drugs, reference=reference, material=material, species=species, **common)
    typer.echo(said)
