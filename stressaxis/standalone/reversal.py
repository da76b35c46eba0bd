"""Drugs against a disease from the command line: from tables of fold changes, or from the samples behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.problems import Problem, problems_table
from stressaxis.figures.numbers import estimate_words, number, p_value, percent, plural
from stressaxis.standalone.sample_tables import SampleTable, model_columns, parse_contrast, read_samples, read_values
from stressaxis.standalone.similarity import write_results

if TYPE_CHECKING:
    import pandas as pd

    from integration.reversal import Reversal

__all__ = ["names_il4r", "preanalytical_symbols", "reverse_samples", "reverse_tables"]

#: Names of antibodies to IL-4R alpha, and what stands in names that say the target.
_IL4R_NAMES = ("dupilumab", "dupixent", "stapokibart", "rademikibart", "il4r")
_VARIANT = "without pre-analytical proteins"


def names_il4r(name: str) -> bool:
    """Whether a drug's name says that it blocks IL-4R alpha.

    Examples
    --------
    >>> names_il4r("Dupilumab wk 16"), names_il4r("anti-IL-4Ra"), names_il4r("anti-IL-17A")
    (True, True, False)
    """
    plain = "".join(letter for letter in name.casefold() if letter.isalnum())
    return any(each in plain for each in _IL4R_NAMES)


def preanalytical_symbols(species: str = "human") -> tuple[str, ...]:
    """Symbols of all axes of sample handling: platelets, erythrocytes, delay before processing."""
    from proteomics.axes import axis_members

    members = [each for each in axis_members(species or "human") if each.axis.startswith("preanalytical")]
    return tuple(sorted({each.symbol for each in members if each.symbol}))


def reverse_tables(
    disease: Path,
    drugs: Path,
    *,
    reference: Path | None = None,
    pre_analytical: Sequence[str] = (),
    il4r_drugs: Sequence[str] = (),
    material: str | None = None,
    species: str | None = None,
    unit: str = "",
    seed: int = 0,
    out: Path | None = None,
) -> str:
    """Score and rank drugs of which only tables exist.

    Parameters
    ----------
    disease
        Signature table: disease minus healthy.
    drugs
        Folder of drug tables (after minus before), or one file (:func:`integration.readers.drugs.read_drugs`).
    reference
        Sample-level table of reference people, for random drugs that move proteins together as they do.
    pre_analytical
        Proteins of sample handling, left out in a variant of their own; without any, those of the axes.
    il4r_drugs
        Drugs that block IL-4R alpha, beside those whose name says so.
    material, species, unit
        What the tables leave unsaid; the unit is that of ``reference``.
    seed
        Of halves and random drugs.
    out
        Folder for ``reversal.csv, ranking.csv, proteins.csv, enrichment.csv, drug_sets.csv, problems.csv``.

    Raises
    ------
    InputError, RefusedError
        If a table cannot be read, or disease and drugs have nothing in common.
    """
    from integration.enrichment import set_reversal
    from integration.readers import read_signature
    from integration.readers.drugs import read_drugs
    from integration.reversal_tables import TableReversalOptions, table_reversal

    ill = read_signature(disease, material=material, species=species)
    found = read_drugs(drugs, material=material, species=species)
    chosen = tuple(each.name for each in found.signatures if names_il4r(each.name) or each.name in il4r_drugs)
    without = ((_VARIANT, tuple(pre_analytical) or preanalytical_symbols(ill.species)),)
    lines = [f"{ill.name}: {plural(len(found.signatures) + len(found.sets), 'drug')}"]
    tables: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = list(ill.problems)
    if found.signatures:
        levels = None if reference is None else read_values([reference], species=ill.species, unit=unit).frame
        options = TableReversalOptions(without=without, il4r_drugs=chosen)
        result = table_reversal(ill, found.signatures, reference=levels, options=options, seed=seed)
        tables |= _tables(result)
        problems = result.problems
        lines += _lines(result, il4r=chosen)
        lines.append("Tables only: no interval and no p from samples; ranges of ranks are over halves of the proteins.")
    if found.sets:
        tables["drug_sets"] = set_reversal(ill, found.sets)
        lines += [f"  {row['drug']} (sets): weighted connectivity {number(row['wtcs'], 2)}; {row['note']}"
                  for row in tables["drug_sets"].to_dict("records")]  # fmt: skip
    materials = sorted({each.material for each in (ill, *found.signatures)} - {""})
    lines += [f"Measured in {' and '.join(materials)}."] if materials else []
    return write_results(lines, tables | {"problems": problems_table(problems)}, out)


def reverse_samples(
    disease: Path,
    drugs: Path | None,
    *,
    samples: Path,
    contrast: str,
    covariates: Sequence[str] = (),
    pre_analytical: Sequence[str] = (),
    il4r_drugs: Sequence[str] = (),
    species: str = "",
    unit: str = "",
    n_permutations: int = 1000,
    seed: int = 0,
    out: Path | None = None,
) -> str:
    """Score and rank drugs from levels before and after treatment, with p by permuted labels and intervals.

    Parameters
    ----------
    disease
        Sample-level table with the cases and the healthy.
    drugs
        Folder of further sample-level tables, or one file; None if the first table holds all samples.
    samples
        Table ``sample, group, subject, drug, time``: drug and time (before, after) are blank where nobody is treated.
    contrast
        ``"AD-HC"``; samples after treatment are no cases.
    covariates
        Columns of the table of samples in the disease's model.
    pre_analytical, il4r_drugs, species, unit, seed, out
        As in :func:`reverse_tables`.
    n_permutations
        Permutations on either side.

    Raises
    ------
    InputError, RefusedError
        If a table cannot be read, samples do not make pairs, or groups are too small.
    """
    from integration.drug_pairs import disease_groups, drug_pairs
    from integration.reversal import ReversalOptions, drug_reversal
    from integration.reversal_data import disease_data, drug_data

    known = read_samples(samples, needed=("group", "subject", "drug", "time"))
    values = read_values([disease, *_further(drugs, disease)], species=species, unit=unit)
    case, reference = parse_contrast(contrast, known.table["group"], file=known.file)
    present = known.table[known.table.index.isin(values.frame.index)]
    pairs, problems = drug_pairs(present, file=known.file)
    group = disease_groups(present, (case, reference), file=known.file)
    columns = model_columns(known, covariates, group.index)
    side = disease_data(values.frame, group=group, case=case, reference=reference, covariates=columns)
    treated = [drug_data(values.frame, name=name, pairs=each) for name, each in pairs.items()]
    chosen = tuple(name for name in pairs if names_il4r(name) or name in il4r_drugs)
    without = ((_VARIANT, tuple(pre_analytical) or preanalytical_symbols(values.species)),)
    options = ReversalOptions(without=without, il4r_drugs=chosen, n_permutations=n_permutations)
    result = drug_reversal(side, treated, options=options, seed=seed)
    problems += [*_same_people(known, group, pairs), *result.problems]
    lines = [f"{case} - {reference}: {plural(len(treated), 'drug')}"]
    if len(treated) < 2:
        lines.append("One drug is no ranking: its scores stand alone.")
    lines += _lines(result, il4r=chosen)
    told = [*known.problems, *values.problems, *problems]
    return write_results(lines, _tables(result) | {"problems": problems_table(told)}, out)


def _further(drugs: Path | None, disease: Path) -> list[Path]:
    if drugs is None:
        return []
    if not drugs.exists():
        raise InputError("not found", file=drugs, remedy="check the path and its spelling")
    paths = [drugs] if drugs.is_file() else sorted(path for path in drugs.iterdir() if path.is_file())
    return [path for path in paths if path.resolve() != disease.resolve() and not path.name.startswith(".")]


def _same_people(
    samples: SampleTable, group: pd.Series[str], pairs: Mapping[str, Sequence[tuple[str, str]]]
) -> list[Problem]:
    """Patients that are also cases, but by another sample."""
    owner = samples.table["subject"]
    in_disease = set(owner[group.index]) - {""}
    problems = []
    for drug, each in pairs.items():
        other = [before for before, _ in each if before not in group.index and owner[before] in in_disease]
        if other:
            message = f"{len(other)} of {len(each)} patients are also cases of the disease signature, by another sample"
            problems.append(Problem(code="shared_patients", where=f"drug {drug}", message=message,
                                    action="not corrected: their samples differ"))  # fmt: skip
    return problems


def _tables(result: Reversal) -> dict[str, pd.DataFrame]:
    from integration.enrichment import reversal_enrichment

    return {
        "reversal": result.table, "ranking": result.ranking, "proteins": result.proteins,
        "enrichment": reversal_enrichment(result),
    }  # fmt: skip


def _lines(result: Reversal, *, il4r: Sequence[str]) -> list[str]:
    lines = []
    for variant, part in result.table.groupby("variant", sort=False):
        ranking = result.ranking[result.ranking["variant"] == variant]
        lines.append(f"{str(variant)[0].upper()}{str(variant)[1:]} ({part['n_proteins'].iloc[0]}):")
        lines += [_rank_line(row) for row in ranking.to_dict("records")]
        rows = part[part["score"] == part["score"].iloc[0]]
        lines += [_score_line(row) for row in rows.to_dict("records")]
    refused = [problem.message for problem in result.problems if problem.code == "test_refused"]
    lines += [f"No ranking: {message}." for message in refused]
    lines += [f"{drug}: {_moved(result.proteins[result.proteins['drug'] == drug])}"
              for drug in dict.fromkeys(result.proteins["drug"])]  # fmt: skip
    if il4r:
        lines.append(f"{', '.join(il4r)}: raises IL-4 and IL-13 and masks soluble IL-4R itself; read also the lines "
                     "without IL4, IL13, IL4R.")  # fmt: skip
    return lines


def _rank_line(row: Mapping[Any, Any]) -> str:
    first = percent(float(row["share_first"]))
    return (
        f"  {row['drug']}: mean rank {number(row['mean_rank'], 2)} over {row['n_scores']} scores, "
        f"{number(row['ci_low'], 2)} to {number(row['ci_high'], 2)} ({row['method']}), first in {first}"
    )


def _score_line(row: Mapping[Any, Any]) -> str:
    if str(row["note"]).startswith("refused"):
        return f"  {row['drug']}: {row['note']}"
    said = f"  {row['drug']}: {row['score']} {number(row['observed'], 2)}"
    if row["ci_low"] == row["ci_low"]:
        estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
        said += f", without shared samples {estimate} (95 % interval {limits})"
    if row["p"] == row["p"]:
        said += f", p {_compared(row['p'])}"
        said += f" (over all drugs {p_value(row['p_max'])})" if row["p_max"] == row["p_max"] else ""
    return said


def _compared(p: float) -> str:
    words = p_value(p)
    return words if words.startswith("<") else f"= {words}"


def _moved(part: pd.DataFrame) -> str:
    """The proteins that reverse most and those that are worsened, by their share of the cosine."""
    by_share = part.sort_values("contribution")
    back = [f"{row['protein']}" for row in by_share.head(5).to_dict("records") if row["contribution"] < 0]
    worse = [f"{row['protein']}" for row in by_share.tail(3).to_dict("records")[::-1] if row["contribution"] > 0]
    clear = part["direction"].value_counts()
    against = int((part["contribution"] < 0).sum())
    return (
        f"{against} of {len(part)} moved against the disease; most moved back: {', '.join(back) or 'none'}; most moved "
        f"along: {', '.join(worse) or 'none'}; clearly (|t| of 3 or more in both): {clear.get('reversed', 0)} back, "
        f"{clear.get('worsened', 0)} along"
    )
