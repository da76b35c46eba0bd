"""Figures: they draw what the tables say, the same bytes each time, and no text over another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stressaxis.figures.association import adjusted_values, forest
from stressaxis.figures.axis_scores import axis_scores
from stressaxis.figures.figure import Figure
from stressaxis.figures.groups import group_measures
from stressaxis.figures.labels import place_labels
from stressaxis.figures.numbers import estimate_words, mean_interval, number, p_value, swarm_offsets
from stressaxis.figures.quality import lost_frames, protein_detection
from stressaxis.figures.si_plot import class_counts, si_by_group, zone_seconds
from stressaxis.figures.style import COLOURS, KINDS, MARKS, show_groups
from stressaxis.figures.time_course import zone_time_course
from stressaxis.figures.trajectories import (
    MousePaths,
    TrialPath,
    outlines_of,
    points_per_path,
    sheet,
    thinned,
)
from stressaxis.figures.volcano import threshold_level, volcano
from stressaxis.report.results import Results, read_results
from tests.stressaxis.made_results import TH2, ZONES, write_results


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(write_results(tmp_path_factory.mktemp("made"), fps=2.0))


@pytest.fixture(scope="module")
def figures(made: Results) -> dict[str, Figure]:
    return {figure.name: figure for figure in all_figures(made)}


def all_figures(made: Results) -> list[Figure]:
    tables = made.tables
    animals, trials = tables["social_interaction"], tables["trials"]
    light = pd.Series(["good"] * (len(trials) - 1) + ["not used"], index=trials.index)
    association = tables["association"]
    rows = association[(association["subset"] == "defeated") & (association["outcome"] == "target_time")]
    drawn = [
        si_by_group(animals),
        zone_seconds(animals),
        class_counts(animals),
        group_measures(animals),
        zone_time_course(tables["time_course"], animals),
        volcano(tables["differential_SUS_vs_RES"], contrast="SUS_vs_RES", declared=TH2),
        axis_scores(tables["axis_scores"], animals),
        forest(rows, subset="defeated", outcome="target_time"),
        lost_frames(trials, light),
        protein_detection(tables["protein_quality"]),
    ]
    return [figure for figure in drawn if figure is not None]


def values_of(spec: str, column: str) -> list[Any]:
    """All values of a column among the data of a Vega-Lite definition."""
    found: list[Any] = []

    def look(part: Any) -> None:
        if isinstance(part, dict):
            rows = part.get("values")
            found.extend(row[column] for row in (rows if isinstance(rows, list) else []) if column in row)
            for inner in part.values():
                look(inner)
        elif isinstance(part, list):
            for inner in part:
                look(inner)

    look(json.loads(spec))
    return found


def test_every_figure_is_well_formed_and_says_n(figures: dict[str, Figure]) -> None:
    assert len(figures) == 10
    for figure in figures.values():
        ElementTree.fromstring(figure.svg)
        assert figure.width > 100
        assert re.search(r"\d", figure.caption), figure.name
        # Ids of one page must differ between figures.
        assert all(name.startswith(f"{figure.name}-") for name in re.findall(r'\bid="([^"]+)"', figure.svg))


@pytest.mark.slow
def test_the_same_tables_give_the_same_svg(made: Results, figures: dict[str, Figure]) -> None:
    assert {figure.name: figure.svg for figure in all_figures(made)} == {n: f.svg for n, f in figures.items()}


def test_axes_of_the_si_plot_are_named_and_every_mouse_is_drawn(made: Results, figures: dict[str, Figure]) -> None:
    animals, figure = made.tables["social_interaction"], figures["si_ratio"]
    assert "SI ratio (target / no target)" in figure.svg
    assert sorted(set(values_of(figure.spec, "subject"))) == sorted(animals["subject"])
    assert figure.svg.count('aria-roledescription="point"') == len(animals)


def test_means_and_intervals_are_students(made: Results, figures: dict[str, Figure]) -> None:
    animals, figure = made.tables["social_interaction"], figures["si_ratio"]
    control = animals.loc[animals["role"] == "control", "si_ratio"]
    low, high = stats.t.interval(0.95, len(control) - 1, control.mean(), stats.sem(control))
    assert np.isclose(values_of(figure.spec, "mean"), control.mean()).any()
    assert np.isclose(values_of(figure.spec, "low"), low).any()
    assert np.isclose(values_of(figure.spec, "high"), high).any()


def test_mice_without_a_ratio_are_counted_in_the_caption(made: Results) -> None:
    animals = made.tables["social_interaction"].copy()
    animals.loc[0, "si_ratio"] = np.nan
    figure = si_by_group(animals)
    assert figure is not None
    assert "1 without a ratio" in figure.caption


@pytest.mark.parametrize("draw", [si_by_group, zone_seconds, class_counts, group_measures])
def test_a_table_without_the_columns_gives_no_figure(draw: Any) -> None:
    assert draw(pd.DataFrame({"subject": ["a"], "group": ["x"]})) is None


def test_class_counts_are_those_of_the_table(made: Results, figures: dict[str, Figure]) -> None:
    animals, figure = made.tables["social_interaction"], figures["class_counts"]
    wanted = animals[animals["class"] != ""].groupby(["cohort", "class"]).size()
    found = dict(zip(zip(values_of(figure.spec, "cohort"), values_of(figure.spec, "kind"), strict=True),
                     values_of(figure.spec, "n"), strict=True))  # fmt: skip
    assert {key: n for key, n in found.items() if n} == wanted.to_dict()


# volcano


def test_threshold_line_parts_those_that_pass_from_those_that_do_not(made: Results) -> None:
    table = made.tables["differential_SUS_vs_RES"].assign(evidence=lambda t: -np.log10(t["p"]))
    level = threshold_level(table, 0.05)
    assert level is not None
    assert ((table["evidence"] > level) == (table["q"] <= 0.05)).all()
    assert threshold_level(table.assign(q=1.0), 0.05) is None


def test_volcano_names_the_declared_set_in_any_case(made: Results) -> None:
    table = made.tables["differential_SUS_vs_RES"]
    figure = volcano(table, contrast="SUS_vs_RES", declared=["IL4", "il13"])
    assert figure is not None
    assert ">Il4<" in figure.svg
    assert ">Il13<" in figure.svg
    assert volcano(table.assign(p=np.nan), contrast="x", declared=[]) is None


def test_volcano_without_significant_protein_says_so(made: Results) -> None:
    table = made.tables["differential_SUS_vs_RES"].assign(q=0.6)
    figure = volcano(table, contrast="SUS_vs_RES", declared=TH2)
    assert figure is not None
    assert "No protein with q ≤ 0.05" in figure.caption
    assert "q ≤ 0.05<" not in figure.svg


def test_p_of_zero_is_drawn(made: Results) -> None:
    table = made.tables["differential_SUS_vs_RES"].copy()
    table.loc[0, "p"] = 0.0
    figure = volcano(table, contrast="SUS_vs_RES", declared=TH2)
    assert figure is not None
    assert "Infinity" not in figure.svg and "NaN" not in figure.svg


points = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=25)


@given(points)
def test_labels_do_not_touch_each_other_or_a_point_and_stay_inside(at: list[tuple[float, float]]) -> None:
    texts = [f"Prot{i}" for i in range(len(at))]
    placed = place_labels(at, texts, obstacles=np.array(at), size=(400, 300))
    boxes = [(p.x - 18, p.y - 7, p.x + 18, p.y + 7) for p in placed if p is not None]
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0 and top >= 0 and right <= 400 and bottom <= 300
        assert not any(left < x < right and top < y < bottom for x, y in at)
        for other in boxes[:i]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


# adjusted scatter


def test_slope_and_partial_r_are_those_of_the_full_model() -> None:
    rng = np.random.default_rng(3)
    n = 40
    table = pd.DataFrame({"subject": [f"m{i}" for i in range(n)], "base": rng.normal(size=n), "m": rng.normal(size=n)})
    table["cohort"] = np.where(np.arange(n) % 3 == 0, "1", "2")
    table["y"] = 3 * table["base"] - 2 * table["m"] + (table["cohort"] == "2") * 5 + rng.normal(size=n)
    found = adjusted_values(table, outcome="y", marker="m", covariates=("base", "cohort"))
    assert found is not None
    x = np.column_stack([table["m"], np.ones(n), table["base"], table["cohort"] == "2"]).astype(float)
    beta, rest, *_ = np.linalg.lstsq(x, table["y"], rcond=None)
    t = beta[0] / np.sqrt(rest[0] / (n - 4) * np.linalg.inv(x.T @ x)[0, 0])
    assert found.slope == pytest.approx(beta[0])
    assert found.partial_r == pytest.approx(t / np.sqrt(t**2 + n - 4))


def test_a_marker_that_is_a_covariate_gives_no_scatter() -> None:
    table = pd.DataFrame({"subject": list("abcdef"), "y": [1.0, 2, 4, 3, 5, 6], "m": [1.0, 2, 3, 4, 5, 7]})
    table["copy"] = 2 * table["m"] + 1
    assert adjusted_values(table, outcome="y", marker="m", covariates=("copy",)) is None
    assert adjusted_values(table, outcome="y", marker="absent", covariates=()) is None


# trajectories


def paths(n: int = 30) -> MousePaths:
    outline = outlines_of({"a": {name: np.array(corners, float) for name, corners in ZONES.items()}})["a"]
    xy = np.column_stack([np.linspace(50, 350, n), np.linspace(50, 350, n)])
    return MousePaths("m<1>", "SUS", "SUS", 0.5, {"target": TrialPath(xy, outline, 12.3)})


def read_path(svg: str) -> np.ndarray:
    """Points of the first path of a picture, read back from its relative steps."""
    found = re.search(r'<path id="[^"]+" d="M(-?\d+) (-?\d+)l([^"M]*)"', svg)
    assert found is not None
    steps = np.array([int(word) for word in re.findall(r"-?\d+", found[3])]).reshape(-1, 2)
    return np.vstack([[int(found[1]), int(found[2])], steps]).cumsum(axis=0)


def test_the_drawn_path_is_the_track_to_the_millimetre() -> None:
    mouse = paths()
    figure = sheet([mouse], [mouse.trials["target"].outline], name="t", caption="1")
    ElementTree.fromstring(figure.svg)
    assert np.abs(read_path(figure.svg) - mouse.trials["target"].xy).max() <= 0.5
    assert "m&lt;1&gt;" in figure.svg
    assert "no track" in figure.svg
    assert "target 12.3 s" in figure.svg


def test_a_gap_lifts_the_pen() -> None:
    mouse = paths()
    mouse.trials["target"].xy[10:12] = np.nan
    figure = sheet([mouse], [mouse.trials["target"].outline], name="t", caption="1")
    found = re.search(r'<path id="[^"]+" d="([^"]+)"', figure.svg)
    assert found is not None
    assert found[1].count("M") == 2


@given(st.integers(1, 400), st.integers(2, 60))
def test_thinning_keeps_to_the_limit_and_invents_nothing(n: int, limit: int) -> None:
    xy = np.column_stack([np.arange(n, dtype=float)] * 2)
    kept = thinned(xy, limit)
    assert len(kept) <= limit
    assert np.isin(kept, xy).all()
    assert (kept[0] == xy[0]).all()


def test_many_mice_do_not_make_a_large_page() -> None:
    assert points_per_path(64) == 750
    assert 2000 * points_per_path(2000) <= 750_000
    assert points_per_path(10**6) == 100


# words and colours


def test_numbers_read_well() -> None:
    assert [number(x) for x in (0.00001, 123456.0, 0.1234, -5.0)] == ["1.00e−05", "123456", "0.123", "−5.00"]
    assert p_value(0.0004) == "< 0.001"
    assert p_value(float("nan")) == "–"
    assert estimate_words(float("nan"), 0, 1) == ("–", "0 to 1")


def test_two_animals_have_no_interval() -> None:
    assert mean_interval([1.0, 3.0])[0] == 2.0
    assert np.isnan(mean_interval([1.0, 3.0])[1:]).all()
    assert np.isnan(mean_interval([])).all()


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=20))
def test_interval_holds_the_mean(values: list[float]) -> None:
    mean, low, high = mean_interval(values)
    assert low <= mean + 1e-9 and high >= mean - 1e-9


@given(st.lists(st.floats(-100, 100), max_size=60))
def test_swarm_offsets_stay_in_the_band(values: list[float]) -> None:
    offsets = swarm_offsets(values)
    assert len(offsets) == len(values)
    assert (np.abs(offsets) <= 1).all()


def test_every_kind_has_a_colour_and_a_mark_of_its_own() -> None:
    assert set(KINDS) == set(COLOURS) == set(MARKS)
    assert len(set(COLOURS.values())) == len(set(MARKS.values())) == len(KINDS)


def test_groups_are_drawn_controls_first_then_resilient_then_susceptible() -> None:
    table = pd.DataFrame(
        {"group": ["d", "d", "c"], "role": ["defeated", "defeated", "control"], "class": ["SUS", "RES", ""]}
    )
    assert show_groups(table).order == ["c", "RES", "SUS"]
    assert show_groups(table, split_classes=False).order == ["c", "d"]


def test_treatments_are_kept_apart() -> None:
    table = pd.DataFrame(
        {"group": "d", "role": "defeated", "class": ["SUS", "SUS"], "treatment": ["saline", "antibody"]}
    )
    assert show_groups(table).order == ["SUS, antibody", "SUS, saline"]


def test_the_file_name_of_a_figure_is_safe(tmp_path: Path) -> None:
    from stressaxis.report.build import _file_name

    assert _file_name("volcano_a/b ..") == "volcano_a_b___"
