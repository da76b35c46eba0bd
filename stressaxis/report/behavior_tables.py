"""Tables on behaviour: scores of every mouse, comparisons between groups, the same scores by other rules."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stressaxis.figures.groups import MEASURES
from stressaxis.figures.numbers import estimate_words, number, plural
from stressaxis.report.statement import effect_words
from stressaxis.report.tables import Cell, TableView, as_text, table_view

__all__ = ["animals_view", "class_variants", "comparison_views", "ratio_variants"]

MEASURE_WORDS = {
    **MEASURES,
    "si_ratio": "SI ratio",
    "log_si": "log SI ratio",
    "iz_no_target_s": "Interaction zone, no target (s)",
    "si_difference_s": "Target minus no target (s)",
    "si_index": "(T − NT) / (T + NT)",
}
#: The SI ratio by other zones and windows, as columns of the animals table.
RATIOS = {
    "si_ratio": "default",
    "si_narrow": "zone margin 2 cm narrower",
    "si_wide": "zone margin 2 cm wider",
    "si_first_120_s": "first 120 s only",
    "si_nose": "nose instead of body centre",
}


def animals_view(animals: pd.DataFrame) -> TableView:
    """One row per mouse with its main scores, folded."""
    columns = [
        "subject", "group", "cohort", "class", "si_ratio", "iz_no_target_s", "iz_target_s", "corner_ratio",
        "velocity_drop_cm_s", "excluded", "note",
    ]  # fmt: skip
    return table_view(
        animals,
        columns=columns,
        caption="One row per mouse. SI ratio = share of time in the zone with target / without; default classes.",
        link="tables/social_interaction.csv",
        filterable=True,
        folded=f"All {plural(len(animals), 'mouse', 'mice')} with their scores",
    )


def comparison_views(comparisons: pd.DataFrame) -> list[TableView]:
    """Defeated against control in sight, comparisons of the classes folded."""
    defeat = comparisons["comparison"] == "defeat" if "comparison" in comparisons else comparisons["measure"] != ""
    classes = comparisons[~defeat]
    views = [
        _comparisons(comparisons[defeat], "Defeated against control mice"),
        _comparisons(classes, "Susceptible, resilient and control mice", folded=plural(len(classes), "comparison")),
    ]
    return [view for view in views if view.rows]


def _comparisons(table: pd.DataFrame, words: str, *, folded: str = "") -> TableView:
    head = [
        "measure",
        "groups",
        "method",
        "n",
        "means",
        "difference (95 % interval)",
        "p",
        "effect",
        "smallest",
        "note",
    ]
    caption = (
        f"{words}. Difference with its 95 % interval, p, effect size; smallest: the standardised difference that "
        "groups of this size show with 80 % power."
    )
    rows = [_comparison(row) for _, row in table.iterrows()]
    return TableView(
        head, rows, caption, "tables/group_comparisons.csv", len(rows) > 12, f"{words}: {folded}" if folded else ""
    ).without_blank_columns()


def _comparison(row: pd.Series) -> list[Cell]:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    groups, n, means = str(row["group_1"]), as_text("n", row["n"]).text, ""
    if row["group_0"]:
        groups = f"{row['group_1']} vs {row['group_0']}"
        n = f"{as_text('n', row['n_1']).text} vs {as_text('n', row['n_0']).text}"
        means = f"{number(row['mean_1'])} vs {number(row['mean_0'])}"
    effect = f"{effect_words(row['effect_name'])} = {number(row['effect'], 2)}" if pd.notna(row["effect"]) else "–"
    return [
        Cell(MEASURE_WORDS.get(row["measure"], str(row["measure"]).replace("_", " "))),
        Cell(groups, "line"),
        Cell(str(row["method"]).replace("_", " "), "line"),
        Cell(n, "number"),
        Cell(means, "number"),
        Cell(f"{estimate} ({limits})" if pd.notna(row["estimate"]) else "–", "number"),
        as_text("p", row["p"]),
        Cell(effect, "number"),
        as_text("d", row["smallest_detectable"]),
        Cell(str(row["note"]).replace("_", " ")),
    ]


def ratio_variants(animals: pd.DataFrame, *, cut: float = 1.0) -> pd.DataFrame:
    """SI ratio of defeated mice by other zones and windows, against the default.

    Examples
    --------
    >>> table = pd.DataFrame({"role": "defeated", "si_ratio": [0.5, 0.9, 1.5], "si_wide": [0.6, 1.1, 1.4]})
    >>> ratio_variants(table)[["SI ratio", "below the cut", "changed class"]].values.tolist()
    [['default', 2, 0], ['zone margin 2 cm wider', 1, 1]]
    """
    defeated = animals[animals["role"] == "defeated"]
    rows = []
    for name, words in RATIOS.items():
        if name not in defeated or defeated[name].notna().sum() == 0:
            continue
        both = defeated[["si_ratio", name]].dropna().set_axis(["default", "variant"], axis=1)
        rows.append(
            {
                "SI ratio": words,
                "n": len(both),
                "median": float(both["variant"].median()),
                "below the cut": int((both["variant"] < cut).sum()),
                "changed class": int(((both["variant"] < cut) != (both["default"] < cut)).sum()),
                # Ratios that are all the same correlate with nothing.
                "Spearman": float(both["variant"].corr(both["default"], method="spearman"))
                if len(both) > 2 and (both.nunique() > 1).all()
                else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def class_variants(animals: pd.DataFrame, *, cut: float = 1.0) -> pd.DataFrame:
    """Number of mice in each class under every rule, and how many differ from the default rule.

    Examples
    --------
    >>> table = pd.DataFrame({"class": ["SUS", "RES"], "class_band": ["SUS", "indeterminate"]})
    >>> class_variants(table)[["rule", "SUS", "RES", "other", "differ"]].values.tolist()
    [['default (SI ratio below 1)', 1, 1, 0, 0], ['band', 1, 0, 1, 1]]
    """
    defeated = animals[animals["role"] == "defeated"] if "role" in animals else animals
    default = f"default (SI ratio below {cut:g})"
    rows = []
    for name in ["class", *(column for column in animals.columns if column.startswith("class_"))]:
        values = defeated[name].fillna("")
        sus, res = int((values == "SUS").sum()), int((values == "RES").sum())
        rows.append(
            {
                "rule": default if name == "class" else name.removeprefix("class_").replace("_", " "),
                "SUS": sus,
                "RES": res,
                "other": int((values != "").sum()) - sus - res,
                "no class": int((values == "").sum()),
                "differ": int(np.sum(values.to_numpy() != defeated["class"].fillna("").to_numpy())),
            }
        )
    return pd.DataFrame(rows)
