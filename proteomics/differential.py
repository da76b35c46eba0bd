"""Which proteins differ between groups, or change with a covariate: moderated statistics on an abundance table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError, RefusedError
from core.problems import Problem
from proteomics.abundance import subject_samples
from proteomics.array_weights import array_weights
from proteomics.block_correlation import block_correlation
from proteomics.design_matrix import Design, build_design
from proteomics.linear_model import fit_linear
from proteomics.model_samples import align_samples, asked_design, sample_table, side_table, sides_of
from proteomics.moderated import moderate
from proteomics.moderation_options import ModerationOptions
from proteomics.signature import SignatureResult, signature_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["ModerationOptions", "moderated_test", "slope", "two_group"]

Array = npt.NDArray[np.float64]

#: Fewest samples on each side of a comparison, and in all above the coefficients of a slope.
FEWEST_PER_SIDE = 2


def moderated_test(
    ds: xr.Dataset,
    *,
    design: str | pd.DataFrame,
    coefficient: str,
    samples: pd.DataFrame | None = None,
    weights: pd.Series[float] | str | None = None,
    block: pd.Series[Any] | str | None = None,
    correlation: float | None = None,
    options: ModerationOptions | None = None,
) -> SignatureResult:
    """Test one coefficient of any design in every protein.

    Parameters
    ----------
    ds
        Abundance Dataset; controls and calibrators are left out.
    design
        A formula (``"~ group + age"``) over the columns of ``samples``, or the design itself: rows = sample ids.
    coefficient
        A column of the design, or a term of the formula that has one column.
    samples
        Index = sample ids; by default the coordinates of ``ds``.
    weights
        Index = sample ids: relative inverse variances; or ``"array"``: estimated from how well the samples fit.
    block
        Labels by sample id, or a column of ``samples``: samples that belong together (bleeds of one animal).
    correlation
        Within blocks; estimated (consensus over the proteins) if not given.
    options
        See :class:`ModerationOptions`.

    Raises
    ------
    RefusedError
        If the design cannot tell its columns apart (group equal to plate), or samples are too few.
    InputError
        If ids or names do not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> values = pd.DataFrame({"Il4": [1.0, 1.5, 3.0, 3.4], "Il5": [2.0, 2.5, 2.2, 2.4]}, index=["a", "b", "c", "d"])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL",
    ...                 samples=pd.DataFrame({"group": ["CON", "CON", "SUS", "SUS"]}))
    >>> result = moderated_test(ds, design="~ group", coefficient="group")
    >>> result.table[["protein", "logfc", "n_1", "n_0"]].round(3).values.tolist()
    [['Il4', 1.95, 2, 2], ['Il5', 0.05, 2, 2]]
    """
    ds = subject_samples(ds)
    table = sample_table(ds) if samples is None else samples.set_axis(samples.index.astype(str))
    built, name = asked_design(table, design, coefficient)
    if isinstance(block, str):
        block = _column(table, block)
    return _fit(ds, built, name, weights=weights, block=block, correlation=correlation, options=options)


def two_group(
    ds: xr.Dataset,
    *,
    group: pd.Series[Any],
    case: str,
    reference: str,
    covariates: pd.DataFrame | None = None,
    weights: pd.Series[float] | str | None = None,
    block: pd.Series[Any] | None = None,
    correlation: float | None = None,
    options: ModerationOptions | None = None,
) -> SignatureResult:
    """Difference case - reference in every protein, other terms held constant.

    Parameters
    ----------
    group
        Labels by sample id; samples of other groups are left out.
    case, reference
        The two groups; ``logfc`` is case minus reference, ``n_1`` and ``n_0`` count the measured samples of each.
    covariates
        Index = sample ids; text columns are categories, numbers are numbers.
    ds, weights, block, correlation, options
        As in :func:`moderated_test`.

    Raises
    ------
    RefusedError
        If a group has fewer than two samples, or a covariate coincides with the group.

    Notes
    -----
    Equal to limma's ``lmFit`` and ``eBayes`` to 1e-9.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> values = pd.DataFrame({"Il4": [1.0, 1.5, 3.0, 3.4], "Il5": [2.0, 2.5, 2.2, 2.4]}, index=["a", "b", "c", "d"])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL")
    >>> group = pd.Series(["RES", "RES", "SUS", "SUS"], index=["a", "b", "c", "d"])
    >>> two_group(ds, group=group, case="SUS", reference="RES").table["logfc"].round(3).tolist()
    [1.95, 0.05]
    """
    ds = subject_samples(ds)
    group = group.set_axis(group.index.astype(str)).astype(str)
    chosen = group[group.isin([case, reference])]
    for label in (case, reference):
        count = int((chosen[chosen.index.isin(ds["sample"].values)] == label).sum())
        if count < FEWEST_PER_SIDE:
            raise RefusedError(
                f"too few samples in group {label}",
                found=str(count),
                expected=f"at least {FEWEST_PER_SIDE}",
                remedy="known groups: " + ", ".join(sorted(set(group))),
            )
    name = f"{case}_vs_{reference}"
    built = _with_covariates({name: (chosen == case).astype(np.float64)}, covariates)
    return _fit(ds, built, name, weights=weights, block=block, correlation=correlation, options=options)


def slope(
    ds: xr.Dataset,
    *,
    covariate: pd.Series[float],
    adjust: pd.DataFrame | None = None,
    weights: pd.Series[float] | str | None = None,
    block: pd.Series[Any] | None = None,
    correlation: float | None = None,
    options: ModerationOptions | None = None,
) -> SignatureResult:
    """Change of every protein per unit of a continuous covariate, other terms held constant.

    ``logfc`` and ``se`` are in log2 per unit of the covariate; ``n_1`` is the number of samples used, ``n_0`` is 0.

    Parameters
    ----------
    covariate
        Numbers by sample id (an SI ratio, interaction time); samples without a value are set aside.
    adjust
        Index = sample ids; further terms (cohort, plate, sex).
    ds, weights, block, correlation, options
        As in :func:`moderated_test`.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> values = pd.DataFrame({"Il4": [1.0, 2.0, 3.2, 4.0], "Il5": [2.0, 2.5, 2.2, 2.4]}, index=["a", "b", "c", "d"])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL")
    >>> si = pd.Series([0.0, 1.0, 2.0, 3.0], index=["a", "b", "c", "d"], name="si_ratio")
    >>> slope(ds, covariate=si).table["logfc"].round(3).tolist()
    [1.02, 0.09]
    """
    ds = subject_samples(ds)
    covariate = covariate.set_axis(covariate.index.astype(str)).astype(np.float64)
    name = str(covariate.name) if covariate.name is not None else "covariate"
    known = covariate[np.isfinite(covariate)]
    here = known[known.index.isin(ds["sample"].values)]
    if here.nunique() < 2:
        raise RefusedError(f"{name} has too few different values among the samples; there is no slope",
                           found=f"{here.nunique()} in {len(here)} samples", expected="at least 2")  # fmt: skip
    built = _with_covariates({name: known}, adjust)
    lost = [
        Problem(code="not_analysed", subject=str(sample), message=f"no value for {name}", action="sample left out")
        for sample in covariate.index.difference(known.index)
    ]
    built = Design(matrix=built.matrix, terms=built.terms, problems=[*lost, *built.problems])
    return _fit(
        ds, built, name, weights=weights, block=block, correlation=correlation, options=options, two_sided=False
    )


def _column(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in table.columns:
        raise InputError(f"the table of samples has no column {name!r}", expected=", ".join(map(str, table.columns)))
    return table[name]


def _with_covariates(main: Mapping[str, pd.Series[float]], covariates: pd.DataFrame | None) -> Design:
    """Intercept, the main column, then the covariates' columns, on the samples that have all of them."""
    import pandas as pd

    columns = pd.DataFrame(dict(main))
    columns.insert(0, "Intercept", 1.0)
    if covariates is None or not len(covariates.columns):
        return Design(matrix=columns, terms={})
    covariates = covariates.set_axis(covariates.index.astype(str))
    covariates = covariates.reindex(columns.index)
    formula = "~ " + " + ".join(f"`{name}`" for name in covariates.columns)
    further = build_design(covariates, formula)
    rest = further.matrix.drop(columns="Intercept")
    matrix = columns.loc[rest.index].join(rest)
    return Design(matrix=matrix, terms=further.terms, problems=further.problems)


def _fit(
    ds: xr.Dataset,
    design: Design,
    name: str,
    *,
    weights: pd.Series[float] | str | None,
    block: pd.Series[Any] | None,
    correlation: float | None,
    options: ModerationOptions | None,
    two_sided: bool = True,
) -> SignatureResult:
    options = ModerationOptions() if options is None else options
    ds, matrix, problems = align_samples(ds, design)
    values = _values(ds, options.below_lod)
    names = [str(column) for column in matrix.columns]
    sample_weights = _sample_weights(values, matrix, weights)
    labels = None if block is None else _by_sample(block, matrix.index, "block")
    if labels is not None and correlation is None:
        correlation = block_correlation(values, matrix.to_numpy(), labels, weights=sample_weights).consensus
    fit = fit_linear(
        values, matrix.to_numpy(), names=names, weights=sample_weights, block=labels, correlation=correlation
    )
    result = moderate(fit, trend=options.trend, robust=options.robust)
    sides = sides_of(matrix, name, design.terms) if two_sided else np.full(len(matrix), "both", dtype=object)
    counts = {f"n_{side}": (~np.isnan(values[:, sides == side])).sum(axis=1) for side in ("1", "0")}
    table = signature_table(
        result,
        names.index(name),
        proteins=ds["protein"].values.tolist(),
        symbols=ds["symbol"].values.tolist(),
        uniprots=ds["uniprot"].values.tolist(),
        **(counts if (sides != "both").any() else {}),
    )
    return SignatureResult(
        table=table,
        moderated=result,
        design=matrix,
        coefficient=name,
        sides=side_table(matrix, sides),
        correlation=correlation,
        weights=sample_weights,
        problems=problems,
    )


def _values(ds: xr.Dataset, below_lod: str) -> Array:
    values = np.ascontiguousarray(ds["abundance"].transpose("protein", "sample").values)
    if below_lod == "missing":
        values = np.where(ds["below_lod"].transpose("protein", "sample").values, np.nan, values)
    return np.asarray(values, dtype=np.float64)


def _sample_weights(values: Array, matrix: pd.DataFrame, weights: pd.Series[float] | str | None) -> Array | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights != "array":
            raise ValueError(f"weights {weights!r}: a Series by sample id, or 'array'")
        return array_weights(values, matrix.to_numpy())
    return np.asarray(_by_sample(weights, matrix.index, "weight"), dtype=np.float64)


def _by_sample(given: pd.Series[Any], samples: pd.Index[Any], what: str) -> npt.NDArray[Any]:
    given = given.set_axis(given.index.astype(str)).reindex(samples)
    missing = given.isna() | (given.astype(str).str.strip() == "")
    if missing.any():
        raise InputError(f"samples without a {what}", found=", ".join(map(str, samples[missing][:5])))
    return np.asarray(given.to_numpy())
