"""Which columns of a run's tables hold n, effect, interval and method: ``python -m stressaxis.estimate_tables``."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ESTIMATE_TABLES", "EstimateTable", "tables_markdown"]


@dataclass(frozen=True, kw_only=True)
class EstimateTable:
    """One table of estimates.

    Parameters
    ----------
    name
        File name in ``tables/`` without ``.csv``; a star stands for what was compared.
    holds
        One row is this.
    n, effect, interval, method
        Columns; empty where there is none, and ``without`` says why.
    without
        Why something is missing; printed as it stands.
    """

    name: str
    holds: str
    n: tuple[str, ...]
    effect: tuple[str, ...]
    interval: tuple[str, ...] = ("ci_low", "ci_high")
    method: tuple[str, ...] = ("method",)
    without: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.n, *self.effect, *self.interval, *self.method)


ESTIMATE_TABLES = (
    EstimateTable(name="association", holds="a marker, outcome and method", n=("n",),
                  effect=("estimate", "effect", "effect_name")),
    EstimateTable(name="association_details", holds="a check of a marker's primary result", n=("n",),
                  effect=("estimate", "effect", "effect_name"),
                  without="`without one mouse`: the limits are the range over the mice left out"),
    EstimateTable(name="association_by_cohort", holds="a marker in a cohort, or pooled", n=("n",),
                  effect=("estimate", "effect", "effect_name"),
                  without="effect: I² of the pooled slope, none within a cohort"),
    EstimateTable(name="mediation", holds="a marker between defeat and outcome", n=("n",),
                  effect=("estimate", "effect", "effect_name")),
    EstimateTable(name="prediction", holds="the outcome, or susceptible and resilient mice told apart, by all proteins",
                  n=("n", "n_cohorts", "n_markers", "n_susceptible", "n_resilient", "n_pairs"),
                  effect=("estimate", "effect", "effect_name"),
                  without="effect: r² of the outcome, AUC of the classes"),
    EstimateTable(name="prediction_weights", holds="a protein in that prediction",
                  n=("n", "n_cohorts", "training_sets"), effect=("mean_weight",), interval=("lowest", "highest"),
                  without="limits are the range over the training sets, which share mice: no interval, no p"),
    EstimateTable(name="group_comparisons", holds="a measure and pair of groups", n=("n", "n_1", "n_0"),
                  effect=("estimate", "effect", "effect_name"),
                  without="all groups at once: effect and p, no single difference and so no interval"),
    EstimateTable(name="treatment", holds="a treatment, outcome and term", n=("n", "n_cells"),
                  effect=("estimate", "effect", "effect_name")),
    EstimateTable(name="differential_*", holds="a protein", n=("n_1", "n_0"), effect=("logfc",)),
    EstimateTable(name="reliability", holds="a score and set of mice", n=("n",), effect=("reliability", "r")),
    EstimateTable(name="people_signatures", holds="a protein and disease", n=("n_1", "n_0"), effect=("logfc",)),
    EstimateTable(name="people_axes", holds="an axis and disease", n=("n_1", "n_0", "n_members"),
                  effect=("axis_logfc",)),
    EstimateTable(name="people_skew", holds="an axis score and disease", n=("n", "n_1", "n_0"),
                  effect=("estimate", "effect", "effect_name")),
    EstimateTable(name="people_quadrants", holds="a protein in two diseases", n=("n_a", "n_b"),
                  effect=("logfc_a", "logfc_b"), interval=("ci_low_a", "ci_high_a", "ci_low_b", "ci_high_b")),
    EstimateTable(name="people_similarity", holds="two diseases and a score", n=("n_a", "n_b", "n_0", "n_proteins"),
                  effect=("estimate",)),
    EstimateTable(name="people_similarity_difference", holds="a disease between two others", n=("n",),
                  effect=("estimate", "first", "second")),
    EstimateTable(name="people_reversal", holds="a drug, set of proteins and score",
                  n=("n_pairs", "n_case", "n_control", "n_shared", "n_proteins"), effect=("estimate",)),
    EstimateTable(name="people_ranking", holds="a drug's consensus rank", n=("n_pairs", "n_case", "n_control"),
                  effect=("mean_rank", "share_first")),
    EstimateTable(name="people_reversal_proteins", holds="a protein under a drug", n=("n_pairs", "n_case", "n_control"),
                  effect=("disease_logfc", "drug_logfc"),
                  interval=("disease_ci_low", "disease_ci_high", "drug_ci_low", "drug_ci_high")),
    EstimateTable(name="people_enrichment", holds="a drug and the disease's up or down set",
                  n=("n_pairs", "n_case", "n_control", "n_members", "n_proteins"), effect=("es",), interval=(),
                  without="describes: the set comes from the same people, and proteins move together, so no interval "
                  "and no p; the reversal's p permutes samples"),
)  # fmt: skip

_HEAD = """# Tables of a run: where n, effect, interval and method stand

Made from the program by `python -m stressaxis.estimate_tables > docs/tables.md`. Intervals are 95 %. A row that was
refused keeps its n, has no number, and its `note` begins with `refused`, the rule and the number that failed. Tables
that are not listed hold measures of single trials, mice, samples or proteins, or counts, and no estimates.

| `tables/` | one row | n | effect | interval | method |
| --- | --- | --- | --- | --- | --- |
"""


def tables_markdown() -> str:
    """The page.

    Examples
    --------
    >>> tables_markdown().splitlines()[-1].startswith("| people_enrichment |")
    True
    """
    rows = []
    for table in ESTIMATE_TABLES:
        cells = [
            ", ".join(f"`{name}`" for name in part) for part in (table.n, table.effect, table.interval, table.method)
        ]
        if table.without:
            cells[2] = f"{cells[2]} ({table.without})" if cells[2] else f"none ({table.without})"
        rows.append(f"| {table.name} | {table.holds} | " + " | ".join(cells) + " |")
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(tables_markdown(), end="")
