"""Similarity of two disease signatures that share their controls, without the similarity the controls fake.

With the same n0 controls in both contrasts, signatures of two unrelated groups correlate: zero is the wrong null. The
p value comes from permuting sample labels and recomputing both contrasts; the effect size from random halves of the
controls, one for each contrast; its interval from leaving out one subject at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from integration.contrast_maps import ContrastMap, contrast_map, noise_correlation, permuted_rows
from integration.signature_scores import SCORES, Score

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["SIMILARITY_COLUMNS", "Similarity", "SimilarityOptions", "group_similarity", "similarity_difference"]

SIMILARITY_COLUMNS = (
    "contrast_a", "contrast_b", "score", "n_proteins", "n_a", "n_b", "n_0", "observed", "null_mean", "null_line",
    "estimate", "ci_low", "ci_high", "joint", "p", "p_a", "p_b", "p_all", "n_permutations", "method", "note",
)  # fmt: skip


#: Splits over which each left-out estimate is averaged; more change the interval by less than its second digit.
_JACKKNIFE_SPLITS = 40


@dataclass(frozen=True, kw_only=True)
class SimilarityOptions:
    """How similarity is computed.

    Parameters
    ----------
    scores
        Names in :data:`integration.signature_scores.SCORES`.
    n_permutations
        Label permutations for p.
    n_splits
        Random halves of the shared controls; the estimate is their median.
    min_group
        Least samples per group.
    min_proteins
        Least proteins measured in every sample.
    """

    scores: tuple[str, ...] = ("spearman", "pearson", "cosine", "sign_concordance")
    n_permutations: int = 2000
    n_splits: int = 200
    min_group: int = 4
    min_proteins: int = 10

    def __post_init__(self) -> None:
        if unknown := [name for name in self.scores if name not in SCORES]:
            raise ValueError(f"unknown score {unknown[0]!r}; known: {', '.join(SCORES)}")
        if self.n_permutations < 99 or self.n_splits < 1:
            raise ValueError("n_permutations must be 99 or more and n_splits 1 or more")
        if self.min_group < 4 or self.min_proteins < 3:
            raise ValueError("min_group must be 4 or more (controls are halved) and min_proteins 3 or more")


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """``table`` with :data:`SIMILARITY_COLUMNS`, the two ``signatures`` by protein, and ``problems``."""

    table: pd.DataFrame
    signatures: pd.DataFrame
    problems: list[Problem]


def group_similarity(
    values: pd.DataFrame,
    *,
    group: pd.Series[Any],
    contrast_a: tuple[str, str],
    contrast_b: tuple[str, str],
    covariates: pd.DataFrame | None = None,
    strata: pd.Series[Any] | None = None,
    options: SimilarityOptions = SimilarityOptions(),
    seed: int | np.random.Generator = 0,
) -> Similarity:
    """Similarity of the signatures of two contrasts from sample-level data.

    Parameters
    ----------
    values
        log2 abundance, rows = samples, columns = proteins (:func:`proteomics.abundance.abundance_frame`). Proteins
        with a missing value among the samples used are left out and listed.
    group
        Label by sample id; samples of groups in neither contrast are left out.
    contrast_a, contrast_b
        (case, reference); usually two diseases against the same healthy controls.
    covariates
        Numeric model columns by sample id (:func:`integration.model_terms.model_terms`).
    strata
        Labels by sample id (plate, cohort): permutation within them only.
    options
        Scores, numbers of permutations and splits.
    seed
        Of permutations and splits.

    Returns
    -------
    Similarity
        Per score: ``observed`` with all controls in both contrasts; ``null_mean``, the mean under permuted labels;
        ``null_line``, the correlation that shared controls alone give (from the model's weights); ``estimate``, the
        median over split controls, with a jackknife 95 % interval; ``joint``, the same from one model with the known
        noise covariance taken off (NaN where the noise exceeds the signal; not bounded by 1); and two-sided p.

    Raises
    ------
    RefusedError
        If a group or the panel is too small, or covariates determine the groups.

    Notes
    -----
    Two signatures can be alike only if both are there, so p is the larger of two exact tests: ``p_a`` permutes labels
    between the first disease and the controls, with the second disease as it is; ``p_b`` the other way round. Both
    recompute both contrasts, so the controls stay shared. ``p_all`` permutes over all groups; it tests that no group
    differs from any other, and is too small where one disease is real and moves along with what varies most between
    people anyway (docs/validation/integration-similarity.md).
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    study, problems = _Study.build(values, group, (contrast_a, contrast_b), covariates, strata, options)
    permuted = {
        "p_all": study.permuted_contrasts(options.n_permutations, rng),
        "p_a": study.permuted_contrasts(options.n_permutations, rng, among=contrast_a),
        "p_b": study.permuted_contrasts(options.n_permutations, rng, among=contrast_b),
    }
    maps = study.split_maps(study.random_splits(options.n_splits, rng))
    halves, left_out = study.split_contrasts(maps), list(study.jackknife(maps[:_JACKKNIFE_SPLITS]))
    rows = [study.row(SCORES[name], permuted, halves, left_out) for name in options.scores]
    head = {"contrast_a": _name(contrast_a), "contrast_b": _name(contrast_b), "n_proteins": study.values.shape[1]}
    table = pd.DataFrame([head | study.sizes() | row for row in rows], columns=list(SIMILARITY_COLUMNS))
    both = study.map.weights @ study.values
    signatures = pd.DataFrame({"protein": study.proteins, "logfc_a": both[0], "logfc_b": both[1]})
    return Similarity(table=table, signatures=signatures, problems=problems)


def similarity_difference(
    values: pd.DataFrame,
    *,
    group: pd.Series[Any],
    contrast: tuple[str, str],
    first: tuple[str, str],
    second: tuple[str, str],
    covariates: pd.DataFrame | None = None,
    options: SimilarityOptions = SimilarityOptions(),
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Whether a signature is closer to a first than to a second one: difference of two split-control similarities.

    The same subjects enter both similarities, so the interval is that of the difference (one subject left out at a
    time from all three groups together), not of its parts.

    Returns
    -------
    DataFrame
        ``score, n, first, second, estimate, se, ci_low, ci_high, method``.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    study, _ = _Study.build(values, group, (contrast, first, second), covariates, None, options)
    maps = study.split_maps(study.random_splits(options.n_splits, rng))
    halves, left_out = study.split_contrasts(maps), list(study.jackknife(maps[:_JACKKNIFE_SPLITS]))
    rows = []
    for name in options.scores:
        score = SCORES[name].compute
        to_first, to_second = (float(np.median(score(halves[:, 0], halves[:, k]))) for k in (1, 2))
        parts = [np.mean([score(each[:, 0], each[:, k]) for each in left_out], axis=0) for k in (1, 2)]
        estimate, se = to_first - to_second, _jackknife_se(parts[0] - parts[1], study.groups)
        half = _t_quantile(len(study.groups) - 1) * se
        rows.append(
            {"score": name, "n": len(study.groups), "first": to_first, "second": to_second, "estimate": estimate,
             "se": se, "ci_low": estimate - half, "ci_high": estimate + half, "method": "split controls, jackknife"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _name(contrast: tuple[str, str]) -> str:
    return f"{contrast[0]} - {contrast[1]}"


@dataclass(frozen=True)
class _Study:
    """Complete values of the samples of all groups in question."""

    values: Matrix
    groups: NDArray[np.object_]
    contrasts: tuple[tuple[str, str], ...]
    covariates: Matrix | None
    strata: NDArray[np.object_] | None
    map: ContrastMap
    proteins: tuple[str, ...]

    @classmethod
    def build(
        cls, values: pd.DataFrame, group: pd.Series[Any], contrasts: tuple[tuple[str, str], ...],
        covariates: pd.DataFrame | None, strata: pd.Series[Any] | None, options: SimilarityOptions,
    ) -> tuple[_Study, list[Problem]]:  # fmt: skip
        wanted = {name for pair in contrasts for name in pair}
        labels = group[group.isin(wanted)].astype(str)
        labels = labels[labels.index.isin(values.index)]
        for name in sorted(wanted):
            if (count := int((labels == name).sum())) < options.min_group:
                raise RefusedError(f"too few samples in group {name}", found=str(count),
                                   expected=f"at least {options.min_group}")  # fmt: skip
        part = values.loc[labels.index]
        complete = part.notna().all(axis=0) & (part.std(axis=0) > 0)
        problems = [
            Problem(code="not_analysed", where=f"protein {name}", action="left out of the similarity",
                    message=f"{int(part[name].isna().sum())} of {len(part)} samples lack a value, or all have one")
            for name in part.columns[~complete]
        ]  # fmt: skip
        if complete.sum() < options.min_proteins:
            raise RefusedError("too few proteins with a value in every sample", found=str(int(complete.sum())),
                               expected=f"at least {options.min_proteins}")  # fmt: skip
        matrix = None if covariates is None else covariates.loc[labels.index].to_numpy(dtype=np.float64)
        layers = None if strata is None else strata.loc[labels.index].astype(str).to_numpy(dtype=object)
        groups = labels.to_numpy(dtype=object)
        built = contrast_map(groups, contrasts, matrix)
        kept = part.loc[:, complete]
        names = tuple(str(name) for name in kept.columns)
        return cls(kept.to_numpy(dtype=np.float64), groups, contrasts, matrix, layers, built, names), problems

    def sizes(self) -> dict[str, int]:
        counts = [int((self.groups == name).sum()) for name in (self.contrasts[0][0], self.contrasts[1][0])]
        return {"n_a": counts[0], "n_b": counts[1], "n_0": int((self.groups == self.contrasts[0][1]).sum())}

    def permuted_contrasts(
        self, count: int, rng: np.random.Generator, *, among: tuple[str, ...] | None = None
    ) -> Matrix:
        """(count, contrasts, proteins) under labels permuted over all groups, or among some with the others kept.

        Covariates and kept groups are fitted first; what is left is permuted (Freedman & Lane 1983,
        doi:10.1080/07350015.1983.10509354), so both stay with their samples.
        """
        free = np.ones(len(self.groups), dtype=bool) if among is None else np.isin(self.groups, among)
        kept = [self.groups == name for name in sorted(set(self.groups[~free]))]
        basis, _ = np.linalg.qr(np.column_stack([self.map.nuisance, *kept]))
        fitted = basis @ (basis.T @ self.values)
        order = np.tile(np.arange(len(self.groups)), (count, 1))
        places = np.flatnonzero(free)
        strata = None if self.strata is None else self.strata[places]
        order[:, places] = places[permuted_rows(len(places), count, rng, strata=strata)]
        moved = self.map.weights[:, order].transpose(1, 0, 2) @ (self.values - fitted)
        result: Matrix = moved + self.map.weights @ fitted
        return result

    def random_splits(self, count: int, rng: np.random.Generator) -> list[NDArray[np.object_]]:
        """Labels in which a control group that several contrasts share is parted at random, one part for each."""
        shared = [pair[1] for pair in self.contrasts]
        splits = []
        for _ in range(count):
            labels = self.groups.copy()
            for name in sorted(set(shared)):
                uses = shared.count(name)
                if uses > 1:
                    places = rng.permutation(np.flatnonzero(self.groups == name))
                    for part in range(uses):
                        labels[places[part::uses]] = f"{name}\0{part}"
            splits.append(labels)
        return splits

    def _split_names(self) -> list[tuple[str, str]]:
        seen: dict[str, int] = {}
        names = []
        references = [pair[1] for pair in self.contrasts]
        for case, reference in self.contrasts:
            part = seen.get(reference, 0)
            seen[reference] = part + 1
            names.append((case, f"{reference}\0{part}" if references.count(reference) > 1 else reference))
        return names

    def split_maps(self, splits: Sequence[NDArray[np.object_]]) -> list[ContrastMap]:
        """The model of each split."""
        names = self._split_names()
        return [contrast_map(labels, names, self.covariates) for labels in splits]

    def split_contrasts(self, maps: Sequence[ContrastMap]) -> Matrix:
        """(splits, contrasts, proteins)."""
        result: Matrix = np.array([each.weights for each in maps]) @ self.values
        return result

    def jackknife(self, maps: Sequence[ContrastMap]) -> Iterator[Matrix]:
        """Of each split: (samples, contrasts, proteins), contrasts with each sample left out in turn."""
        for each in maps:
            yield each.weights @ self.values + each.left_out_changes(self.values)

    def row(
        self, score: Score, permuted: dict[str, Matrix], halves: Matrix, left_out: Sequence[Matrix]
    ) -> dict[str, Any]:
        observed = self.map.weights @ self.values
        found = float(score.compute(observed[:1], observed[1:2])[0])
        null_mean = float(score.compute(permuted["p_all"][:, 0], permuted["p_all"][:, 1]).mean())
        sides = {"p_all": (0, 1), "p_a": (0,), "p_b": (1,)}
        p = {name: _sized_p(score, observed, each, sides[name]) for name, each in permuted.items()}
        estimate = float(np.median(score.compute(halves[:, 0], halves[:, 1])))
        change = _fisher if score.is_correlation else np.asarray
        pseudo = np.mean([change(score.compute(each[:, 0], each[:, 1])) for each in left_out], axis=0)
        half = _t_quantile(len(self.groups) - 1) * _jackknife_se(pseudo, self.groups)
        ends = np.array([float(change(np.array([estimate]))[0]) + sign * half for sign in (-1, 1)])
        ends = np.tanh(ends) if score.is_correlation else np.clip(ends, 0, 1)
        line = noise_correlation(self.map.weights)
        return {
            "score": score.name, "observed": found, "null_mean": null_mean,
            "null_line": line if score.is_correlation else 0.5 + np.arcsin(line) / np.pi,
            "estimate": estimate, "ci_low": ends[0], "ci_high": ends[1], "joint": self._joint(score),
            "p": max(p["p_a"], p["p_b"]), **p, "n_permutations": len(permuted["p_all"]),
            "method": "p: sample labels permuted, each disease against controls; estimate: controls split, jackknife",
            "note": "",
        }  # fmt: skip

    def _joint(self, score: Score) -> float:
        """Correlation of the true effects by moments: noise variance and covariance of one joint model taken off."""
        if score.name not in ("pearson", "cosine"):
            return float("nan")
        weights = self.map.weights[:2]
        both = weights @ self.values
        noise = (weights @ weights.T) * self._noise_variance().mean()
        if score.name == "pearson":
            both = both - both.mean(axis=1, keepdims=True)
        moments = both @ both.T / both.shape[1] - noise
        if min(moments[0, 0], moments[1, 1]) <= 0:
            return float("nan")
        return float(moments[0, 1] / np.sqrt(moments[0, 0] * moments[1, 1]))

    def _noise_variance(self) -> Matrix:
        indicators = np.column_stack([self.groups == name for name in sorted(set(self.groups))]).astype(np.float64)
        design = indicators if self.covariates is None else np.column_stack([indicators, self.covariates])
        basis, _ = np.linalg.qr(design)
        rest = self.values - basis @ (basis.T @ self.values)
        variance: Matrix = (rest**2).sum(axis=0) / (len(rest) - design.shape[1])
        return variance


def _fisher(r: Matrix) -> Matrix:
    z: Matrix = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    return z


def _t_quantile(df: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.975, df))


def _jackknife_se(left_out: Matrix, groups: NDArray[np.object_]) -> float:
    """Standard error over groups of independent samples: each group's own jackknife variance, added up."""
    total = 0.0
    for name in sorted(set(groups)):
        part = left_out[groups == name]
        total += (len(part) - 1) / len(part) * float(((part - part.mean()) ** 2).sum())
    return float(np.sqrt(total))


def _sized_p(score: Score, observed: Matrix, permuted: Matrix, sides: tuple[int, ...]) -> float:
    whole = score.compute(observed[:1], observed[1:2])
    found = score.sized(whole, *(observed[side][None] for side in sides))
    null = score.sized(score.compute(permuted[:, 0], permuted[:, 1]), *(permuted[:, side] for side in sides))
    return _permutation_p(float(found[0]), null)


def _permutation_p(found: float, null: Matrix) -> float:
    """Two-sided about the centre of the permuted scores; the observed score counts as one of them."""
    centre = (null.sum() + found) / (len(null) + 1)
    as_far = (np.abs(null - centre) >= abs(found - centre) - 1e-12).sum()
    return float((as_far + 1) / (len(null) + 1))
