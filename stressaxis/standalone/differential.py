"""Which proteins differ, from one serum table and one table of samples: the command ``differential``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, RefusedError, StressaxisError
from stressaxis.atomic import write_text
from stressaxis.figures.numbers import number, plural
from stressaxis.standalone.samplesheets import SampleSheet, match_samples, read_sheet
from stressaxis.standalone.serum_words import remarks
from stressaxis.standalone.serumfiles import read_serum_file

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from core.problems import Problem
    from proteomics.signature import CoefficientResult, SignatureResult

__all__ = ["MODELS", "Question", "differential_table", "read_scaled"]

#: Name of each model and what it is, in words.
MODELS = {
    "moderated": "linear model, variances moderated over all proteins",
    "censored": "censored normal (Tobit) model, each protein by itself; values below LOD enter as censored",
    "detection": "logistic model of being above LOD (Firth), each protein by itself; log odds in place of logfc",
    "mixed": "mixed model with a random intercept for each block, each protein by itself",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a serum table.

    Parameters
    ----------
    formula
        Such as ``"~ group + age"``, over the columns of the table of samples.
    coefficient
        Column of the design, or a term that has one.
    trend, robust, below_lod
        As in :class:`proteomics.differential.ModerationOptions`.
    array_weights
        Weigh each sample by how well it fits.
    weights
        Column of the table of samples with relative inverse variances, in place of array weights.
    block
        Column of the table of samples: samples with the same label belong together.
    correlation
        Within blocks; estimated if not given.
    model
        One of :data:`MODELS`; all but the first take none of the options of moderation and weights.
    """

    formula: str
    coefficient: str
    model: str = "moderated"
    trend: bool = False
    robust: bool = False
    below_lod: str = "as_measured"
    array_weights: bool = False
    weights: str = ""
    block: str = ""
    correlation: float | None = None

    def __post_init__(self) -> None:
        if self.array_weights and self.weights:
            raise InputError("--array-weights and --weights exclude one another", remedy="give one of them")
        if self.correlation is not None and not self.block:
            raise InputError("--correlation needs --block", remedy="name the column of the blocks")
        if self.correlation is not None and not -1 < self.correlation < 1:
            raise InputError("--correlation is out of range", found=str(self.correlation), expected="above -1, below 1")
        if self.model not in MODELS:
            raise InputError("unknown model", found=self.model, expected=", ".join(MODELS))
        if self.model != "moderated" and (unfit := self._of_moderation()):
            raise InputError(f"{', '.join(unfit)} and --model {self.model} exclude one another",
                             remedy="leave them out, or use --model moderated")  # fmt: skip
        if self.model == "mixed" and not self.block:
            raise InputError("--model mixed needs --block", remedy="name the column of the animals or people")

    def _of_moderation(self) -> list[str]:
        """Options given that only the moderated model has."""
        given = {
            "--trend": self.trend,
            "--robust": self.robust,
            "--array-weights": self.array_weights,
            "--weights": self.weights,
            "--correlation": self.correlation is not None,
            "--below-lod": self.below_lod != "as_measured",
            "--block": self.block and self.model != "mixed",
        }
        return [name for name, value in given.items() if value]


def differential_table(
    path: Path,
    *,
    samples: Path,
    question: Question,
    out: Path,
    scale: str = "",
    common_only: bool = False,
    state_samples: bool = False,
    format: str = "auto",
    **options: Any,
) -> str:
    """Test one coefficient in every protein, write the signature, and say in words what came out.

    Parameters
    ----------
    path
        Serum table of any known format; with ``scale="log2"`` a plain matrix, proteins in rows.
    samples
        Table of the samples, ids in its first column.
    question
        See :class:`Question`.
    out
        CSV of the signature; ``NAME.samples.csv`` beside it tells the side and weight of every sample.
    scale
        ``"log2"``: the values of a plain matrix are log2 already.
    common_only
        Go on with the samples that both tables have.
    state_samples
        Begin the file with lines (``# samples_1: [...]``) that name the samples of each side, as ``similarity`` reads.
    format, **options
        As in :func:`stressaxis.standalone.serumfiles.show_serum`.

    Raises
    ------
    InputError
        If files, ids, formula or coefficient do not fit.
    RefusedError
        If the design cannot tell its columns apart, or samples are too few.
    """
    if out.suffix.lower() != ".csv":
        raise InputError("the result is written as .csv", file=out, found=out.suffix or "no ending")
    ds, told = read_scaled(path, scale=scale, format=format, **options)
    sheet = read_sheet(samples)
    matched = match_samples(ds, sheet, file=path, common_only=common_only)
    alike = _alike(sheet, matched.both, question.formula)
    try:
        about = _with_handling(ds, sheet.table.loc[matched.both], question.formula)
        result = _tested(ds, sheet, about, question)
    except StressaxisError as error:
        # The table of samples is where formula, coefficient and design come from.
        error.file = error.file or sheet.file
        if alike and not error.remedy:
            error.remedy = f"{alike[0].message}: write them alike if they are one group"
        raise
    except ValueError as error:
        raise InputError(str(error), file=path) from None
    facts = _facts(result, question, str(ds.attrs["species"])) if state_samples else ""
    write_text(out, facts + str(result.table.to_csv(index=False, lineterminator="\n")))
    beside = out.with_suffix(".samples.csv")
    write_text(beside, _sample_rows(ds, sheet, result).to_csv(index=False, lineterminator="\n"))
    lines = [*_words(result, question, path), *matched.lines, *remarks([*told, *alike, *result.problems])]
    return "\n".join([*lines, f"{out}: {plural(len(result.table), 'protein')}; {beside.name}: side of each sample"])


def _alike(sheet: SampleSheet, samples: list[str], formula: str) -> list[Problem]:
    """Levels of a column in the formula that differ only in case or spaces: three groups where two are meant."""
    from core.labels import similar_id_problems

    columns = [str(name) for name in sheet.texts if re.search(rf"\b{re.escape(str(name))}\b", formula)]
    return [
        problem
        for name in columns
        if sheet.table[name].dtype.kind not in "fiu"
        for problem in similar_id_problems(
            sorted(set(sheet.texts.loc[samples, name])), file=sheet.file, what=f"{name} label"
        )
    ]


def _with_handling(ds: xr.Dataset, about: pd.DataFrame, formula: str) -> pd.DataFrame:
    """The table of samples, with the scores of serum handling that the formula names and the table lacks."""
    from proteomics.serum_handling import HANDLING, handling_report

    asked = [name for name in HANDLING if re.search(rf"\b{name}\b", formula) and name not in about]
    if not asked:
        return about
    species = str(ds.attrs["species"])
    if not species:
        raise InputError(f"{asked[0]} needs the species", remedy="give --species mouse or --species human")
    found = handling_report(ds, species=species)
    if asked[0] in found.refused:
        raise RefusedError(f"{asked[0]} cannot be scored on this panel", found=found.refused[asked[0]])
    scores = found.scores.set_index("sample")[asked]
    return about.join(scores.set_axis(scores.index.astype(str)))


def _tested(
    ds: xr.Dataset, sheet: SampleSheet, about: pd.DataFrame, question: Question
) -> SignatureResult | CoefficientResult:
    from proteomics.censored import censored_test
    from proteomics.detection_model import detection_test
    from proteomics.differential import ModerationOptions, moderated_test
    from proteomics.repeated_measures import repeated_measures_test

    asked: dict[str, Any] = {"design": question.formula, "coefficient": question.coefficient, "samples": about}
    if question.model == "censored":
        return censored_test(ds, **asked)
    if question.model == "detection":
        return detection_test(ds, **asked)
    block = _block(sheet, question.block)
    if question.model == "mixed":
        assert block is not None
        return repeated_measures_test(ds, **asked, block=block)
    return moderated_test(
        ds,
        **asked,
        weights="array" if question.array_weights else _weights(sheet, question.weights),
        block=block,
        correlation=question.correlation,
        options=ModerationOptions(trend=question.trend, robust=question.robust, below_lod=question.below_lod),
    )


def read_scaled(path: Path, *, scale: str = "", format: str = "auto", **options: Any) -> tuple[xr.Dataset, list[Any]]:
    """A serum table, or with ``scale="log2"`` a plain matrix of log2 values with proteins in rows; and its remarks.

    Raises
    ------
    InputError
        If the table cannot be read or the scale is unknown.
    """
    if scale == "":
        table = read_serum_file(path, format=format, **options)
        return table.dataset, table.problems
    if scale != "log2":
        raise InputError("unknown scale", file=path, found=scale, expected="log2",
                         remedy="for linear values leave --scale out and give --unit pg/mL")  # fmt: skip
    given = {"unit": "log2", "orientation": "proteins_in_rows", **options}
    table = read_serum_file(path, format="wide-matrix" if format == "auto" else format, **given)
    # In a matrix that a person made for this test every column is a sample, whatever its name.
    types = ("sample", np.full(table.dataset.sizes["sample"], "sample", dtype=object))
    return table.dataset.assign_coords(sample_type=types), [each for each in table.problems
                                                            if each.code != "control_sample"]  # fmt: skip


def _column(sheet: SampleSheet, name: str, table: pd.DataFrame) -> pd.Series[Any]:
    import difflib

    if name not in table:
        near = difflib.get_close_matches(name, [str(each) for each in table], n=1)
        raise InputError(f"no column {name!r}", file=sheet.file, expected="one of " + ", ".join(map(str, table)),
                         remedy=f"did you mean {near[0]}" if near else None)  # fmt: skip
    return table[name]


def _block(sheet: SampleSheet, name: str) -> pd.Series[Any] | None:
    return _column(sheet, name, sheet.texts) if name else None


def _weights(sheet: SampleSheet, name: str) -> pd.Series[float] | None:
    import pandas as pd

    if not name:
        return None
    column = _column(sheet, name, sheet.table)
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = numbers.index[~((numbers > 0) & np.isfinite(numbers))]
    if len(bad):
        raise InputError(f"a weight in column {name!r} is no positive number", file=sheet.file,
                         where=f"sample {bad[0]}", found=repr(column[bad[0]]))  # fmt: skip
    return numbers


def _facts(result: CoefficientResult, question: Question, species: str) -> str:
    sides = result.sides
    stated: dict[str, Any] = {"contrast": f"{question.formula}: {result.coefficient}"}
    if species:
        stated["species"] = species
    for side in ("1", "0"):
        ids = sides.loc[sides["side"] == side, "sample"].tolist()
        if ids:
            stated[f"samples_{side}"] = sorted(ids)
    return "".join(f"# {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in stated.items())


def _sample_rows(ds: xr.Dataset, sheet: SampleSheet, result: CoefficientResult) -> pd.DataFrame:
    """Every sample of either table: the side it is on, its weight, and why it is on none."""
    import pandas as pd

    sides = result.sides.set_index("sample")["side"]
    used = getattr(result, "weights", None)
    weights = pd.Series(1.0 if used is None else used, index=sides.index)
    why = {problem.subject: problem.message for problem in result.problems if problem.subject}
    listed = [str(name) for name in sheet.table.index]
    kinds = dict(zip(ds["sample"].values.astype(str), ds["sample_type"].values, strict=True))
    rows = []
    for name in [*listed, *(name for name in kinds if name not in set(listed))]:
        if name in sides.index:
            rows.append((name, sides[name], weights[name], ""))
            continue
        if kinds.get(name, "sample") != "sample":
            note = f"{kinds[name]}, no subject's sample"
        elif name not in kinds:
            note = "not in the serum table"
        else:
            note = why.get(name, "not in the table of samples")
        rows.append((name, "", np.nan, note))
    return pd.DataFrame(rows, columns=["sample", "side", "weight", "note"])


def _words(result: CoefficientResult, question: Question, path: Path) -> list[str]:
    from proteomics.signature import SignatureResult

    table, sides = result.table, result.sides["side"]
    known = table["p"].notna()
    found = table[table["q"] < 0.05]
    up = int((found["log_odds" if question.model == "detection" else "logfc"] > 0).sum())
    if (sides == "both").all():
        compared = f"slope over {plural(len(sides), 'sample')}"
    else:
        other = int((sides == "").sum())
        further = f", {other} in neither, which inform the variance" if other else ""
        compared = f"{int((sides == '1').sum())} samples against {int((sides == '0').sum())}{further}"
    lines = [
        f"{path.name}: {question.formula}, coefficient {result.coefficient}; {compared}",
        f"{plural(len(table), 'protein')}, {int(known.sum())} tested; {len(found)} with q < 0.05 "
        f"({up} up, {len(found) - up} down)",
    ]
    lines += [f"{count} not tested: {note}" for note, count in _reasons(table[~known]).items()]
    lines += _moderation_words(result, question) if isinstance(result, SignatureResult) else [MODELS[question.model]]
    return lines


def _moderation_words(result: SignatureResult, question: Question) -> list[str]:
    variance = "moderated variances" + (", trend" if question.trend else "") + (", robust" if question.robust else "")
    prior = np.unique(np.asarray(result.moderated.prior.df, dtype=float))
    lines = [f"{variance}: prior degrees of freedom {number(prior[0])}"
                 + (f" to {number(prior[-1])}" if len(prior) > 1 else "")]  # fmt: skip
    if result.weights is not None:
        low, high = int(np.argmin(result.weights)), int(np.argmax(result.weights))
        names = result.design.index
        lines.append(f"sample weights: {number(result.weights[low])} ({names[low]}) to "
                     f"{number(result.weights[high])} ({names[high]})")  # fmt: skip
    if result.correlation is not None:
        origin = "given" if question.correlation is not None else "estimated"
        lines.append(f"correlation within {question.block}: {number(result.correlation)} ({origin})")
    return lines


def _reasons(rows: pd.DataFrame) -> Mapping[str, int]:
    return {str(note): int(count) for note, count in rows["note"].value_counts().items()}
