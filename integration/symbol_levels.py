"""Levels by gene symbol: of several assays of one protein, the one detected most often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["symbol_levels"]


def symbol_levels(ds: xr.Dataset, *, file: str = "") -> tuple[pd.DataFrame, list[Problem]]:
    """log2 levels of subjects' samples, columns = gene symbols (assay ids where there is none), each once.

    Of several assays with one symbol the one detected in the largest share of samples stays, the first of equals; the
    others are listed.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> table = pd.DataFrame({"a1": [1.0, 2.0], "a2": [np.nan, 5.0]}, index=["s1", "s2"])
    >>> ds = from_frame(table, platform="beads", species="human", unit="NPX",
    ...                 proteins=pd.DataFrame({"symbol": ["IL6", "IL6"]}))
    >>> symbol_levels(ds)[0].to_dict("list")
    {'IL6': [1.0, 2.0]}
    """
    from proteomics.abundance import abundance_frame, detected_share

    frame = abundance_frame(ds)
    symbols = np.array([str(s) or str(p) for s, p in zip(ds["symbol"].values, ds["protein"].values, strict=True)])
    order = np.argsort(-np.nan_to_num(detected_share(ds)), kind="stable")
    first: dict[str, int] = {}
    for column in order.tolist():
        first.setdefault(str(symbols[column]), column)
    kept = sorted(first.values())
    result = frame.iloc[:, kept].set_axis(symbols[kept], axis=1)
    lost = [str(frame.columns[column]) for column in range(len(symbols)) if column not in set(kept)]
    if not lost:
        return result, []
    message = f"{len(lost)} assays measure a protein that another assay measures too: {', '.join(lost[:10])}"
    action = "the assay detected more often stays"
    return result, [Problem(code="not_analysed", file=file, where="assays", message=message, action=action)]
