"""Two signatures compared from the command line: from their tables alone, or from the samples behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.problems import problems_table
from stressaxis.atomic import write_text
from stressaxis.figures.numbers import estimate_words, number, p_value, plural
from stressaxis.standalone.sample_tables import model_columns, parse_contrast, read_samples, read_values

if TYPE_CHECKING:
    import pandas as pd

    from integration.signatures import Signature
    from integration.species_concordance import Concordance

__all__ = ["compare_samples", "compare_tables", "write_results"]

_SCORES = {
    "spearman": "Spearman", "pearson": "Pearson", "cosine": "cosine", "sign_concordance": "same direction (share)",
}  # fmt: skip

_NO_PROTEIN_P = "No p value is given: proteins move together and are no independent observations."


def compare_tables(
    a: Path,
    b: Path,
    *,
    shared_controls: int | None = None,
    numbers: Mapping[str, int | None] | None = None,
    material: str | None = None,
    species: tuple[str | None, str | None] = (None, None),
    max_q: float = 0.05,
    out: Path | None = None,
) -> str:
    """Compare two signature tables; there is no p, and the words say why.

    Parameters
    ----------
    a, b
        Signature tables of any known layout.
    shared_controls
        Controls that are in both, where the tables do not hold the ids.
    numbers
        ``n_a, n_b, n_0`` (samples of each disease, controls of each) where the tables do not say.
    material, species
        What was measured, and in whom (one for each table). A mouse and a human table are compared through the curated
        orthologues.
    max_q
        Limit of a protein's q for its quadrant.
    out
        Folder for ``similarity.csv, quadrants.csv, overlap.csv, axes.csv, problems.csv``.

    Raises
    ------
    InputError, RefusedError
        If a table cannot be read, or the two cannot be compared.
    """
    from integration.readers import read_signature
    from integration.signatures import table_similarity

    sizes = dict(numbers or {})
    first, second = (
        read_signature(path, n_1=sizes.get(side), n_0=sizes.get("n_0"), material=material, species=whose)
        for path, side, whose in ((a, "n_a", species[0]), (b, "n_b", species[1]))
    )
    if {first.species, second.species} == {"mouse", "human"}:
        return _across_species(first, second, out)
    table = table_similarity(first, second, shared_controls=shared_controls)
    lines = [f"{first.name} against {second.name}: {table['n_proteins'].iloc[0]} proteins or genes in both"]
    lines += [_table_line(row) for row in table.to_dict("records")]
    lines.append(str(table["note"].iloc[0]))
    lines.append(
        "No p value: proteins move together and are no independent observations. With the samples behind both tables "
        "(--samples) labels can be permuted."
    )
    tables = {"similarity": table, **_described(first, second, max_q)}
    lines += _description(tables)
    problems = [*first.problems, *second.problems]
    return write_results(lines, tables | {"problems": problems_table(problems)}, out)


def _across_species(a: Signature, b: Signature, out: Path | None) -> str:
    """A mouse and a human signature, protein by protein."""
    from integration.species_concordance import species_concordance

    mouse, human = (a, b) if a.species == "mouse" else (b, a)
    found = species_concordance(mouse, human)
    lines = [f"{mouse.name} (mouse) against {human.name} (human): {plural(found.n, 'pair')} by the curated orthologues"]
    if found.n:
        lines.append(f"  same direction: {number(found.same_sign, 2)} of the pairs")
    if found.spearman == found.spearman:
        _, limits = estimate_words(found.spearman, found.ci_low, found.ci_high)
        lines.append(f"  Spearman: {number(found.spearman, 2)} ({limits})")
    lines += [f"  {row['mouse_symbol']} {number(row['logfc_mouse'], 2)}, {row['human_symbol']} "
              f"{number(row['logfc_human'], 2)}" for row in found.pairs.head(40).to_dict("records")]  # fmt: skip
    lines.append(f"No p value is given: {found.note}." if found.note.startswith("refused") else _NO_PROTEIN_P)
    problems = [*mouse.problems, *human.problems, *found.problems]
    tables = {"concordance": _concordance(found), "pairs": found.pairs, "problems": problems_table(problems)}
    return write_results(lines, tables, out)


def _concordance(found: Concordance) -> pd.DataFrame:
    """Both estimates over all pairs, with what there is of intervals."""
    import pandas as pd

    method, why = "curated orthologues", "no p: proteins move together"
    rows = [
        {"measure": "spearman", "n_pairs": found.n, "estimate": found.spearman, "ci_low": found.ci_low,
         "ci_high": found.ci_high, "method": method, "note": found.note or why},
        {"measure": "same direction (share)", "n_pairs": found.n, "estimate": found.same_sign, "method": method,
         "note": found.note or why},
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "n_pairs", "estimate", "ci_low", "ci_high", "method", "note"])


def _table_line(row: Mapping[Any, Any]) -> str:
    line = row["null_line"]
    against = "" if line != line else f"; unrelated diseases with these controls: {number(line, 2)}"
    return f"  {_SCORES[row['score']]}: {number(row['observed'], 2)}{against}"


def compare_samples(
    tables: Sequence[Path],
    *,
    samples: Path,
    contrasts: Sequence[str],
    covariates: Sequence[str] = (),
    strata: str | None = None,
    species: str = "",
    unit: str = "",
    material: str = "",
    max_q: float = 0.05,
    n_permutations: int = 2000,
    seed: int = 0,
    out: Path | None = None,
) -> str:
    """Compare two contrasts from sample-level tables: p by permuted sample labels, interval, quadrants.

    Parameters
    ----------
    tables
        Sample-level tables of any known serum format; samples are put under one another.
    samples
        Table with ``sample, group`` and the covariates.
    contrasts
        Two, ``"MDD-HC"`` and ``"AD-HC"``.
    covariates, strata
        Columns of the table of samples: in the model; and within which labels are permuted.
    species, unit, material
        What the tables leave unsaid.
    max_q
        Limit of a protein's q for its quadrant.
    n_permutations, seed
        Of the permutation.
    out
        Folder for the tables of :func:`compare_tables` and both signatures.

    Raises
    ------
    InputError, RefusedError
        If a table cannot be read, a contrast is no pair of groups, or groups are too small.
    """
    from integration.similarity import SimilarityOptions, group_similarity

    if len(contrasts) != 2:
        raise InputError("two contrasts are compared", found=f"{len(contrasts)}", expected="--contrast twice")
    known = read_samples(samples)
    values = read_values(tables, species=species, unit=unit)
    pairs = [parse_contrast(text, known.table["group"], file=known.file) for text in contrasts]
    chosen = known.table.index[known.table["group"].isin({name for pair in pairs for name in pair})]
    chosen = chosen[chosen.isin(values.frame.index)]
    group = known.table.loc[chosen, "group"]
    columns = model_columns(known, covariates, chosen)
    result = group_similarity(
        values.frame, group=group, contrast_a=pairs[0], contrast_b=pairs[1], covariates=columns,
        strata=None if strata is None else _column(known, strata)[chosen],
        options=SimilarityOptions(n_permutations=n_permutations), seed=seed,
    )  # fmt: skip
    both = [_signature(values, group, pair, columns, material) for pair in pairs]
    first, second = both
    lines = [f"{both[0].name} against {both[1].name}: {_sizes(result.table.iloc[0])}"]
    lines += [_sample_line(row) for row in result.table.to_dict("records")]
    line = result.table["null_line"].iloc[0]
    lines.append(
        f"Shared controls alone give a correlation of {number(line, 2)}; the estimate has it taken out (controls "
        "parted at random between both), p compares with permuted sample labels."
    )
    tables_out = {"similarity": result.table, **_described(first, second, max_q)}
    lines += _description(tables_out)
    problems = [*known.problems, *values.problems, *result.problems]
    return write_results(lines, tables_out | {"problems": problems_table(problems)}, out, signatures=both)


def _column(samples: Any, name: str) -> pd.Series[str]:
    if name.casefold() not in samples.table:
        raise InputError(f"no column {name}", file=samples.file, found=", ".join(samples.table.columns))
    found: pd.Series[str] = samples.table[name.casefold()]
    return found


def _signature(
    values: Any, group: pd.Series[str], pair: tuple[str, str], columns: pd.DataFrame | None, material: str
) -> Signature:
    from integration.signatures import build_signature
    from proteomics.differential import two_group

    part = group[group.isin(pair)]
    covariates = None if columns is None else columns.loc[part.index]
    if covariates is not None:
        covariates = covariates.loc[:, covariates.nunique() > 1]
        covariates = covariates if covariates.shape[1] else None
    fitted = two_group(values.dataset(), group=part, case=pair[0], reference=pair[1], covariates=covariates)
    return build_signature(
        fitted.table, name=f"{pair[0]} - {pair[1]}", samples_1=part.index[part == pair[0]],
        samples_0=part.index[part == pair[1]], material=material, species=values.species or "human",
    )  # fmt: skip


def _sizes(row: pd.Series[Any]) -> str:
    return f"{row['n_proteins']} proteins, n = {row['n_a']} and {row['n_b']} against {row['n_0']} controls"


def _sample_line(row: Mapping[Any, Any]) -> str:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    return (
        f"  {_SCORES[row['score']]}: {estimate} (95 % interval {limits}), p {_compared(row['p'])}; as measured, with "
        f"all controls in both: {number(row['observed'], 2)}"
    )


def _compared(p: float) -> str:
    words = p_value(p)
    return words if words.startswith("<") else f"= {words}"


def _described(a: Signature, b: Signature, max_q: float) -> dict[str, pd.DataFrame]:
    """Quadrants, overlap and axes of two signatures."""
    import pandas as pd

    from integration.signatures import axis_logfc, signature_overlap, signature_quadrants

    axes = [axis_logfc(each, roles=roles) for each in (a, b) for roles in (("core",), ("core", "extended"))]
    return {
        "quadrants": signature_quadrants(a, b, max_q=max_q),
        "overlap": signature_overlap(a, b, max_q=max_q),
        "axes": pd.concat(axes, ignore_index=True),
    }


def _description(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    counts = tables["quadrants"]["quadrant"].value_counts()
    parts = [f"{name} {counts.get(name, 0)}" for name in ("shared up", "shared down", "opposite")]
    lines = [f"Quadrants (proteins below the limit of q in both): {', '.join(parts)}"]
    axes = tables["axes"]
    core = axes[axes["roles"] == "core"]
    for axis in ("Th2", "Th1", "Th17_Th22", "Th2 - Th1"):
        rows = core[core["axis"] == axis]
        said = [f"{row['contrast']} {_axis_value(row)}" for row in rows.to_dict("records")]
        lines.append(f"{axis} (mean log2 fold change of core members): {', '.join(said)}")
    return lines


def _axis_value(row: Mapping[Any, Any]) -> str:
    return row["note"] if row["note"] else f"{number(row['axis_logfc'], 3)} ({plural(row['n_members'], 'member')})"


def write_results(
    lines: Iterable[str], tables: Mapping[str, pd.DataFrame], out: Path | None, *, signatures: Sequence[Signature] = ()
) -> str:
    """Write each table as ``NAME.csv`` into a folder, if one is given; the words with what was written."""
    from integration.signature_facts import signature_text

    said = "\n".join(lines)
    problems = tables.get("problems")
    if problems is not None and len(problems):
        said += f"\n{plural(len(problems), 'remark')}:\n" + "\n".join(
            f"  {row['message']}; {row['action']}" for row in problems.head(10).to_dict("records")
        )
    if out is None:
        return said
    for name, table in tables.items():
        write_text(out / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    for number_of, signature in zip("ab", signatures, strict=False):
        write_text(out / f"signature_{number_of}.csv", signature_text(signature))
    return f"{said}\n{out}: {plural(len(tables) + len(signatures), 'table')} written"
