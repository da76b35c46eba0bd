"""Scores of a set in each sample: against R, by slow routes, and what must not change them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from proteomics.abundance import from_frame
from proteomics.axes import SKEW, axis_scores, z_scores
from proteomics.set_scores import METHODS, Levels

HERE = Path(__file__).parent / "set_scores"
SETS = {"four": [2, 7, 19, 31], "nine": [1, 5, 8, 13, 20, 21, 33, 40, 44]}


def levels_of(values: np.ndarray) -> Levels:
    return Levels(values=values, z=z_scores(values, np.ones(len(values), bool))[0])


def score(values: np.ndarray, members: list[int], method: str, signs: list[float] | None = None) -> np.ndarray:
    columns = np.array(members, dtype=np.intp)
    return METHODS[method].score(levels_of(values), columns, np.array(signs or [1.0] * len(members))).score


@pytest.fixture(scope="module")
def reference() -> tuple[np.ndarray, pd.DataFrame]:
    """Written by set_scores/make_reference.R."""
    values = pd.read_csv(HERE / "levels.csv", index_col=0).to_numpy().T
    return values, pd.read_csv(HERE / "scores.csv").set_index(["set", "sample"])


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    ("method", "column"),
    [("ssgsea", "ssgsea"), ("gsva", "gsva_exact"), ("pc1", "pc1"), ("singscore", "singscore")],
)
def test_equal_to_r(reference, name: str, method: str, column: str) -> None:
    values, scores = reference
    ours = score(values, [number - 1 for number in SETS[name]], method)
    np.testing.assert_allclose(ours, scores.loc[name, column], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_singscore_of_members_that_go_down_equals_r(reference, name: str) -> None:
    values, scores = reference
    members = [number - 1 for number in SETS[name]]
    ours = score(values, members, "singscore", [1.0, 1.0, *[-1.0] * (len(members) - 2)])
    np.testing.assert_allclose(ours, scores.loc[name, "singscore_mixed"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_gsva_is_the_package_s_up_to_its_table_of_the_kernel(reference, name: str) -> None:
    """GSVA looks its kernel up in steps of 0.001: where two proteins are that close, they change places there."""
    values, scores = reference
    ours = score(values, [number - 1 for number in SETS[name]], "gsva")
    np.testing.assert_allclose(ours, scores.loc[name, "gsva"], atol=0.05)
    assert np.mean(np.abs(ours - scores.loc[name, "gsva"]) < 1e-9) > 0.5


def test_share_of_the_first_component_is_prcomps(reference) -> None:
    values, scores = reference
    for name, members in SETS.items():
        found = METHODS["pc1"].score(levels_of(values), np.array(members) - 1, np.ones(len(members)))
        # summary.prcomp rounds to five digits
        assert found.variance_share == pytest.approx(scores.loc[name, "pc1_share"].iloc[0], abs=1e-5)


def test_singscore_by_hand() -> None:
    """Members at ranks 4, 5 and 2 of 6: mean 11/3, lowest possible 2, highest possible 5."""
    values = np.array([[9.0, 1.0, 10.0, 2.0, 11.0, 3.0]])
    ours = METHODS["singscore"].score(Levels(values=values, z=values), np.array([0, 2, 3]), np.ones(3)).score
    assert ours[0] == pytest.approx((11 / 3 - 2) / (5 - 2) - 0.5)


def test_singscore_ends_and_ties() -> None:
    values = np.vstack([np.arange(8.0), -np.arange(8.0), np.zeros(8)])
    np.testing.assert_allclose(score(values, [5, 6, 7], "singscore")[:2], [0.5, -0.5])
    # All tied: every protein has the lowest rank, as R's rankGenes has it.
    assert score(values, [5, 6, 7], "singscore")[2] == pytest.approx((1 - 2) / (8 - 3) - 0.5)


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.ranks])
def test_rank_scores_only_see_order(method: str) -> None:
    """A rising transformation of all values of a sample changes no singscore and ssGSEA; GSVA knows no protein's unit."""
    values = np.random.default_rng(5).normal(8, 2, (9, 30))
    changed = np.exp(values / 3) if method != "gsva" else values * np.linspace(1, 9, 30) + np.arange(30)
    np.testing.assert_allclose(score(values, [1, 4, 9], method), score(changed, [1, 4, 9], method), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_proteins_and_samples_does_not_matter(method: str) -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(8, 2, (9, 30))
    columns, rows = rng.permutation(30), rng.permutation(9)
    moved = [int(np.flatnonzero(columns == member)[0]) for member in (1, 4, 9)]
    np.testing.assert_allclose(
        score(values[np.ix_(rows, columns)], moved, method),
        score(values, [1, 4, 9], method)[rows],
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("method", METHODS)
def test_direction_turns_the_score(method: str) -> None:
    values = np.random.default_rng(7).normal(8, 2, (9, 30))
    up, down = (score(values, [1, 4, 9], method, [sign] * 3) for sign in (1.0, -1.0))
    np.testing.assert_allclose(up, -down, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_planted_rise_is_seen(method: str) -> None:
    values = np.random.default_rng(8).normal(8, 1, (20, 40))
    values[10:, [3, 9, 17, 30]] += 2
    found = score(values, [3, 9, 17, 30], method)
    assert found[10:].min() > np.median(found[:10])


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_leave_the_sample_s_others(method: str) -> None:
    """A protein missing everywhere is as if it were not on the panel; one missing member leaves PC1 without a value."""
    values = np.random.default_rng(9).normal(8, 2, (12, 30))
    values[:, 25:] = np.nan
    np.testing.assert_allclose(score(values, [1, 4, 9, 12], method), score(values[:, :25], [1, 4, 9, 12], method))
    values[3, 4] = np.nan
    found = score(values, [1, 4, 9, 12], method)
    assert np.isnan(found[3]) == (method == "pc1") and np.isfinite(np.delete(found, 3)).all()


def axes(method: str, names: list[str], **options):  # type: ignore[no-untyped-def]
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(8, len(names))), columns=names)
    ds = from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL")
    return axis_scores(ds, species="mouse", reference=None, axes=["Th2"], method=method, **options)


@pytest.mark.parametrize("method", METHODS)
def test_fewer_than_three_members_are_refused_whatever_the_method(method: str) -> None:
    result = axes(method, ["Il4", "Il5", "Tnf", "Ifng", "Ccl3", "Ccl4", "Vegfa"])
    assert result.table["score"].isna().all()
    assert result.table["note"].str.contains(r"2 detected member\(s\) of Th2 \(Il4, Il5\), at least 3 needed").all()
    assert [problem.code for problem in result.problems if problem.where == "axis Th2"] == ["axis_refused"]


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.ranks])
def test_ranks_need_other_proteins(method: str) -> None:
    result = axes(method, ["Il4", "Il5", "Il13", "Tnf"])
    assert result.table["score"].isna().all()
    assert result.table["note"].str.contains("fewer other proteins than members").all()


def test_first_component_without_a_member_says_so() -> None:
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(8, 4)), columns=["Il4", "Il5", "Il13", "Ccl11"])
    frame.iloc[2, 0] = np.nan
    ds = from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL")
    result = axis_scores(ds, species="mouse", reference=None, axes=["Th2"], method="pc1")
    assert result.table["note"].tolist()[2] == "the first principal component needs all 4 members"
    assert result.table["score"].isna().sum() == 1 and 0.25 < result.variance_share["Th2"] < 1


def test_skew_belongs_to_mean_z() -> None:
    assert SKEW not in set(axis_scores(from_frame(
        pd.DataFrame(np.random.default_rng(1).normal(size=(8, 4)), columns=["Il4", "Il5", "Il13", "Ccl11"]),
        platform="beads", species="mouse", unit="log2 pg/mL"), species="mouse", reference=None,
        method="singscore").table["axis"])  # fmt: skip
    with pytest.raises(ValueError, match="th2_skew is defined by mean z, not by pc1"):
        axis_scores(from_frame(pd.DataFrame({"Il4": [1.0, 2.0]}), platform="", species="mouse", unit="log2"),
                    species="mouse", reference=None, axes=[SKEW], method="pc1")  # fmt: skip
    with pytest.raises(ValueError, match="unknown method 'zscore'; known: mean-z, pc1, singscore, ssgsea, gsva"):
        axes("zscore", ["Il4"])
