"""Null calibration, 1,000 simulated studies a cell; on demand. The same tables are written by the modules' commands."""

from __future__ import annotations

import pytest

from tests.integration import (
    calibrate_association,
    calibrate_contrasts,
    calibrate_mediation,
    calibrate_prediction,
    calibrate_reversal,
    calibrate_similarity,
    calibrate_treatment,
)
from tests.integration.calibration import band, command

RUNS = 1000


def outside(rows, cells, *, conservative=lambda row: False):
    """Rows whose share lies outside the band of all cells; those below it are allowed where a test is conservative."""
    low, high = band(RUNS, cells)
    return [row for row in rows if row[-1] > high or (row[-1] < low and not conservative(row))]


@pytest.mark.validation
def test_association_keeps_its_level_and_naive_tests_do_not():
    rows = calibrate_association.run(RUNS)
    tested = [row for row in rows if row[1] in calibrate_association.TESTED]
    assert not outside(tested, len(tested))
    naive = [share for _, key, share in rows if key in calibrate_association.NAIVE]
    assert min(naive) > band(RUNS)[1]


@pytest.mark.validation
def test_treatment_interaction_keeps_its_level():
    rows = calibrate_treatment.run(RUNS)
    assert not outside(rows, len(rows))


@pytest.mark.validation
def test_similarity_is_never_above_its_level():
    """p is the larger of two exact tests, so it may lie below the band."""
    shares, _ = calibrate_similarity.run(RUNS)
    tested = [row for row in shares if row[1].endswith(", p")]
    assert not outside(tested, len(tested), conservative=lambda row: True)
    assert min(share for _, name, share in shares if name.startswith("naive")) > 0.3


@pytest.mark.validation
def test_reversal_is_never_above_its_level():
    """p is the larger of two tests, so it may lie below the band."""
    rows = calibrate_reversal.run(RUNS)
    tested = [row for row in rows if not row[2].startswith("naive")]
    assert not outside(tested, len(tested), conservative=lambda row: True)


def test_the_band_is_the_exact_binomial_one():
    assert band(1000) == pytest.approx((0.030, 0.075), abs=0.0011)
    assert band(2000) == pytest.approx((0.035, 0.067), abs=0.0011)


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        calibrate_association,
        calibrate_contrasts,
        calibrate_mediation,
        calibrate_prediction,
        calibrate_reversal,
        calibrate_similarity,
        calibrate_treatment,
    ],
)
def test_each_calibration_command_runs(module, tmp_path, monkeypatch):
    """Two studies a cell: the table is written, whatever it says."""
    out = tmp_path / "table.md"
    monkeypatch.setattr("sys.argv", ["calibrate", "--runs", "2", "--out", str(out)])
    command(module.__doc__, module.report)
    assert "share of p <" in out.read_text(encoding="utf-8")
