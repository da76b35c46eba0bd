"""Tables for Prism: one column per group, nothing invented, nothing lost but what is said to be left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from stressaxis.prism import column_table, grouped_table, prism_tables, write_prism_tables
from tests.stressaxis.made_results import write_results


@given(st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.one_of(st.none(), st.floats(-1e6, 1e6))), max_size=30))
def test_every_value_of_a_group_stands_in_its_column_in_order(rows: list[tuple[str, float | None]]) -> None:
    groups = pd.Series([group for group, _ in rows], dtype=str)
    values = pd.Series([value for _, value in rows], dtype=float)
    table = column_table(values, groups)
    for name in ("a", "b"):
        wanted = [value for group, value in rows if group == name and value is not None]
        found = table[name].dropna().tolist() if name in table else []
        assert found == wanted
    assert "" not in table.columns


def test_values_are_filled_from_the_top() -> None:
    table = column_table(pd.Series([np.nan, 1.0, 2.0]), pd.Series(["a", "a", "b"]))
    assert table["a"].tolist() == [1.0]
    assert table["b"].tolist() == [2.0]


def test_pairs_stay_in_one_row_and_halves_are_left_out() -> None:
    first, second = pd.Series([1.0, np.nan, 3.0]), pd.Series([10.0, 20.0, 30.0])
    table = grouped_table(first, second, pd.Series(["a", "a", "a"]), names=("NT", "T"))
    assert table.values.tolist() == [[1.0, 10.0], [3.0, 30.0]]


def test_excluded_animals_and_unclassed_defeated_ones_are_left_out() -> None:
    animals = pd.DataFrame(
        {
            "subject": ["a", "b", "c", "d"],
            "group": ["con", "def", "def", "def"],
            "role": ["control", "defeated", "defeated", "defeated"],
            "class": ["", "SUS", "", "RES"],
            "excluded": ["", "", "", "bite wound"],
            "si_ratio": [1.5, 0.4, np.nan, 2.0],
        }
    )
    tables = prism_tables({"social_interaction": animals})
    assert tables["si_ratio"].to_dict("list") == {"con": [1.5], "def": [0.4]}
    assert tables["si_ratio_by_class"].to_dict("list") == {"con": [1.5], "SUS": [0.4]}


def test_files_hold_the_numbers_of_the_tables(tmp_path: Path) -> None:
    write_results(tmp_path, fps=2.0)
    paths = write_prism_tables(tmp_path)
    animals = pd.read_csv(tmp_path / "tables" / "social_interaction.csv")
    table = pd.read_csv(tmp_path / "tables" / "prism" / "iz_target_s_by_class.csv")
    for name, wanted in (("SUS", animals["class"] == "SUS"), ("control", animals["role"] == "control")):
        assert table[name].dropna().tolist() == animals.loc[wanted, "iz_target_s"].tolist()
    assert tmp_path / "tables" / "prism" / "axis_Th2.csv" in paths


def test_files_of_an_earlier_run_go(tmp_path: Path) -> None:
    write_results(tmp_path, behavior=False)
    old = tmp_path / "tables" / "prism" / "old.csv"
    old.parent.mkdir()
    old.write_text("x\n")
    paths = write_prism_tables(tmp_path)
    assert not old.exists()
    assert sorted(old.parent.glob("*.csv")) == paths


def test_a_folder_without_tables_gives_none(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    assert write_prism_tables(tmp_path) == []
