"""What reversal scores look like when there is none: labels permuted on each side, the sharing of samples kept.

A drug reverses a disease only if there is a disease signature and a drug signature. So there are two questions. Drug
side: before and after are exchanged within patients at random, and a patient's "before" moves into the disease
signature too where it is shared; exact for a drug that does nothing, whatever the disease is. Disease side: labels of
cases and controls are permuted with the drug as it is; exact for a disease without signature. With shared patients
labels cannot be permuted without breaking the sharing; there the signs of persons' residuals are flipped instead, the
same sign for both samples of a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from integration.contrast_maps import permuted_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from integration.reversal_data import DiseaseData, DrugData

    Matrix = NDArray[np.float64]
    Pairs = tuple[Matrix, Matrix]

__all__ = ["disease_side_null", "drug_side_null", "permutations_of"]


def drug_side_null(disease: DiseaseData, drug: DrugData, count: int, rng: np.random.Generator) -> Pairs:
    """(count, proteins) disease and drug signatures with before and after exchanged at random within patients."""
    swapped = rng.random((count, len(drug.differences))) < 0.5
    drugs = ((1 - 2 * swapped) @ drug.differences) / len(drug.differences)
    rows = drug.shared_rows(disease)
    weights = np.where(rows >= 0, disease.map.weights[0][rows], 0.0)
    diseases = disease.signature + (swapped * weights) @ drug.differences
    return diseases, drugs


def disease_side_null(
    disease: DiseaseData, drug: DrugData, order: NDArray[np.int64], rng: np.random.Generator
) -> Pairs:
    """(count, proteins) signatures without a disease difference.

    Parameters
    ----------
    disease, drug
        The two sides.
    order
        (count, samples) permutations of the disease's samples, the same for all drugs (:func:`permutations_of`).
    rng
        For the signs where patients are shared.
    """
    if (drug.shared_rows(disease) < 0).all():
        nuisance = disease.map.nuisance
        rest = disease.values - nuisance @ (nuisance.T @ disease.values)
        diseases = disease.map.weights[0][order] @ rest
        return diseases, np.broadcast_to(drug.signature, diseases.shape)
    return _flipped(disease, drug, len(order), rng)


def _flipped(disease: DiseaseData, drug: DrugData, count: int, rng: np.random.Generator) -> Pairs:
    rows, patients = drug.shared_rows(disease), len(drug.differences)
    leverage = (disease.map.basis**2).sum(axis=1, keepdims=True)
    noise = disease.map.residuals(disease.values) / np.sqrt(np.maximum(1 - leverage, 1e-12))
    grow = np.sqrt(patients / (patients - 1))
    before = (drug.before - drug.before.mean(axis=0)) * grow
    before[rows >= 0] = noise[rows[rows >= 0]]
    after = (drug.after - drug.after.mean(axis=0)) * grow
    signs = rng.choice([-1.0, 1.0], (count, len(noise)))
    own = rng.choice([-1.0, 1.0], (count, patients))
    own[:, rows >= 0] = signs[:, rows[rows >= 0]]
    diseases = (signs * disease.map.weights[0]) @ noise
    drugs = own @ (after - before) / patients
    return diseases, drugs + _true_part(drug)


def _true_part(drug: DrugData) -> Matrix:
    """The drug's mean signature shrunk by the noise in it, which the flipped residuals put back."""
    differences = drug.differences
    mean = differences.mean(axis=0)
    noise = differences.var(axis=0, ddof=1).sum() / len(differences)
    shrunk: Matrix = mean * np.sqrt(max(0.0, 1 - noise / max(float(mean @ mean), 1e-300)))
    return shrunk


def permutations_of(disease: DiseaseData, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count, samples) permutations of the disease's samples."""
    return permuted_rows(len(disease.samples), count, rng)
