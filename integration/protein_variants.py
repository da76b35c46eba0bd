"""Sets of proteins that a reversal is shown on: all, and without those that say little of the disease."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

__all__ = ["IL4R_PROTEINS", "protein_variants"]

#: Raised or masked by an antibody against IL-4R alpha itself.
IL4R_PROTEINS = ("IL4", "IL13", "IL4R", "Il4", "Il13", "Il4ra")


def protein_variants(
    names: Sequence[str],
    drugs: Iterable[str],
    *,
    without: Iterable[tuple[str, tuple[str, ...]]] = (),
    il4r_drugs: Collection[str] = (),
    min_proteins: int = 10,
) -> list[tuple[str, list[str]]]:
    """Name and proteins of each variant; variants that leave nothing out, or too few, are not among them.

    Parameters
    ----------
    names
        All proteins.
    drugs
        Names of the drugs.
    without
        Name of a variant, and the proteins that it leaves out.
    il4r_drugs
        Drugs that block IL-4R alpha: with one of them there is a variant without IL4, IL13, IL4R.
    min_proteins
        Least proteins of a variant.

    Examples
    --------
    >>> variants = protein_variants(["IL4", "CCL17", "ALB"], ["dupilumab"], il4r_drugs=["dupilumab"], min_proteins=2)
    >>> variants[1]
    ('without IL4, IL13, IL4R', ['CCL17', 'ALB'])
    """
    variants = [("all proteins", list(names))]
    left_out = dict(without)
    if any(drug in il4r_drugs for drug in drugs):
        left_out["without IL4, IL13, IL4R"] = IL4R_PROTEINS
    for variant, proteins in left_out.items():
        kept = [name for name in names if name not in proteins]
        if min_proteins <= len(kept) < len(names):
            variants.append((variant, kept))
    return variants
