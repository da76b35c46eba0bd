"""The two sides of a reversal question as sample-level data, and how each is resampled.

Disease: cases against healthy. Drug: after minus before in the same patients. Where the cases are the same patients
before treatment, the two share samples, and a signature that is high by chance comes down by chance: the null
correlation is negative. Every resampling here keeps that sharing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, RefusedError
from core.labels import duplicated
from integration.contrast_maps import ContrastMap, contrast_map

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["DiseaseData", "DrugData", "disease_data", "drug_data"]


@dataclass(frozen=True)
class DiseaseData:
    """Cases and healthy controls: ``values`` (samples, proteins), their ids, which are cases, the model's weights."""

    values: Matrix
    samples: tuple[str, ...]
    proteins: tuple[str, ...]
    is_case: NDArray[np.bool_]
    map: ContrastMap
    covariates: Matrix | None = None

    @property
    def signature(self) -> Matrix:
        """(proteins,) log2 cases minus healthy."""
        result: Matrix = (self.map.weights @ self.values)[0]
        return result

    def part(self, rows: NDArray[np.int64], columns: NDArray[np.int64] | None = None) -> DiseaseData:
        """Some of its samples (a row may come twice) and proteins, the model fitted anew."""
        columns = np.arange(len(self.proteins)) if columns is None else columns
        names = tuple(self.proteins[column] for column in columns)
        covariates = None if self.covariates is None else self.covariates[rows]
        labels = np.where(self.is_case[rows], "case", "control").astype(object)
        built = contrast_map(labels, [("case", "control")], covariates)
        samples = tuple(self.samples[row] for row in rows)
        return DiseaseData(self.values[np.ix_(rows, columns)], samples, names, self.is_case[rows], built, covariates)

    @property
    def standard_error(self) -> Matrix:
        """(proteins,) of the signature."""
        rest = self.map.residuals(self.values)
        variance = (rest**2).sum(axis=0) / (len(rest) - self.map.basis.shape[1])
        result: Matrix = np.sqrt(variance * (self.map.weights[0] ** 2).sum())
        return result


@dataclass(frozen=True)
class DrugData:
    """A drug in patients: ``before`` and ``after`` (patients, proteins) and their sample ids."""

    name: str
    before: Matrix
    after: Matrix
    before_samples: tuple[str, ...]
    after_samples: tuple[str, ...]
    proteins: tuple[str, ...]

    @property
    def differences(self) -> Matrix:
        """(patients, proteins) after minus before."""
        return self.after - self.before

    @property
    def signature(self) -> Matrix:
        """(proteins,) mean log2 after minus before."""
        result: Matrix = self.differences.mean(axis=0)
        return result

    def part(self, rows: NDArray[np.int64], columns: NDArray[np.int64] | None = None) -> DrugData:
        """Some of its patients (one may come twice) and proteins."""
        columns = np.arange(len(self.proteins)) if columns is None else columns
        place = np.ix_(rows, columns)
        return DrugData(
            self.name, self.before[place], self.after[place], tuple(self.before_samples[row] for row in rows),
            tuple(self.after_samples[row] for row in rows), tuple(self.proteins[column] for column in columns),
        )  # fmt: skip

    def shared_rows(self, disease: DiseaseData) -> NDArray[np.int64]:
        """(patients,) where each patient's sample before treatment stands among the disease's samples; -1 = nowhere."""
        place = {sample: row for row, sample in enumerate(disease.samples)}
        return np.array([place.get(sample, -1) for sample in self.before_samples], dtype=np.int64)


def disease_data(
    values: pd.DataFrame, *, group: pd.Series[Any], case: str, reference: str, covariates: pd.DataFrame | None = None
) -> DiseaseData:
    """Cases and controls from a table of samples x proteins (log2).

    Raises
    ------
    RefusedError
        If a side has fewer than four samples or the covariates determine the groups.
    """
    labels = group[group.isin([case, reference])].astype(str)
    labels = labels[labels.index.isin(values.index)]
    for name in (case, reference):
        if (count := int((labels == name).sum())) < 4:
            raise RefusedError(f"too few samples in group {name}", found=str(count), expected="at least 4")
    part = values.loc[labels.index].to_numpy(dtype=np.float64)
    matrix = None if covariates is None else covariates.loc[labels.index].to_numpy(dtype=np.float64)
    built = contrast_map(list(labels), [(case, reference)], matrix)
    samples, proteins = tuple(map(str, labels.index)), tuple(map(str, values.columns))
    return DiseaseData(part, samples, proteins, (labels == case).to_numpy(), built, matrix)


def drug_data(values: pd.DataFrame, *, name: str, pairs: Sequence[tuple[str, str]]) -> DrugData:
    """A drug's patients from a table of samples x proteins and the pairs (sample before, sample after).

    Raises
    ------
    InputError
        If a sample is in two pairs or not in the table.
    RefusedError
        If there are fewer than four pairs.
    """
    if len(pairs) < 4:
        raise RefusedError(f"too few patients for {name}", found=f"{len(pairs)} pairs", expected="at least 4")
    before, after = (tuple(str(pair[side]) for pair in pairs) for side in (0, 1))
    if twice := duplicated([*before, *after]):
        raise InputError(f"{name}: a sample is in more than one pair", found=", ".join(twice[:5]))
    if missing := [sample for sample in (*before, *after) if sample not in values.index]:
        raise InputError(f"{name}: a sample of a pair is not in the table", found=", ".join(missing[:5]))
    first, second = (values.loc[list(side)].to_numpy(dtype=np.float64) for side in (before, after))
    return DrugData(name, first, second, before, after, tuple(map(str, values.columns)))
