"""Logistic fits: their inverse, their range, and agreement with the concentrations that vendors export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, RefusedError
from proteomics.readers import read_serum
from proteomics.readers.bioplex import read_bioplex_plate
from proteomics.readers.cells import Mark, parse_cells
from proteomics.readers.plate import PlateRead
from proteomics.readers.xponent import read_xponent_plate
from proteomics.standard_curves import CurveOptions, clean_series, fit_curve, fit_plate

LEVELS = 4.0 ** np.arange(-3, 5)


def logistic(x: np.ndarray, a: float, b: float, c: float, d: float, g: float) -> np.ndarray:
    return a + b / (1 + (x / c) ** d) ** g


@settings(max_examples=20, deadline=None)
@given(
    st.floats(1, 30), st.floats(2000, 30000), st.floats(2, 60), st.floats(-1.8, -0.7), st.floats(0.6, 1.8)
)  # fmt: skip
def test_exact_standards_are_given_back(a: float, b: float, c: float, d: float, g: float) -> None:
    x = np.repeat(LEVELS, 2)
    curve = fit_curve(x, logistic(x, a, b, c, d, g))
    np.testing.assert_allclose(curve.concentration(curve.response(LEVELS)), LEVELS, rtol=1e-6)
    unknown = np.array([0.1, 1.0, 10.0, 100.0])
    np.testing.assert_allclose(curve.concentration(logistic(unknown, a, b, c, d, g)), unknown, rtol=0.02)
    assert (curve.lloq, curve.uloq) == (LEVELS[0], LEVELS[-1])


def test_scale_of_signal_and_concentration_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    y = logistic(LEVELS, 12, 9000, 20, -1.1, 1.2) * rng.lognormal(0, 0.03, LEVELS.size)
    plain, scaled = fit_curve(LEVELS, y), fit_curve(LEVELS * 1000, y * 7)
    np.testing.assert_allclose(
        scaled.concentration(7 * np.array([50.0, 500, 5000])), 1000 * plain.concentration([50.0, 500, 5000]), rtol=1e-4
    )


def test_outside_the_asymptotes_is_no_number() -> None:
    curve = fit_curve(LEVELS, logistic(LEVELS, 10, 9990, 20, -1.1, 1))
    assert curve.concentration([5.0, 20000.0]).tolist() == [0.0, np.inf]
    assert np.isnan(curve.concentration(np.nan))


def test_range_ends_where_standards_are_not_given_back() -> None:
    y = logistic(LEVELS, 10, 9990, 20, -1.1, 1)
    # The two lowest levels drown in the background.
    y[:2] = 30.0
    curve = fit_curve(LEVELS, y, options=CurveOptions(model="4PL"))
    assert curve.lloq > LEVELS[1]
    assert curve.uloq >= LEVELS[-2]
    assert len(curve.recovery) == LEVELS.size


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (LEVELS[:4], np.arange(4.0), "too few levels of the standard"),
        (LEVELS, np.arange(8.0)[::-1], "does not rise"),
        (np.zeros(8), np.arange(8.0), "too few levels"),
    ],
)
def test_refusals(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        fit_curve(x, y)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="6PL"):
        CurveOptions(model="6PL")
    with pytest.raises(ValueError, match="1/y3"):
        CurveOptions(weights="1/y3")


def relative_differences(plate: PlateRead, quantity: str) -> np.ndarray:
    """|ours / vendor's - 1| of the unknowns for which both have a number inside the range."""
    shape = (len(plate.wells), len(plate.analytes))
    sides = []
    for cells in (fit_plate(plate).cells["Result"], plate.cells[quantity]):
        parsed = parse_cells([cell for row in cells for cell in row])
        sides.append(np.where(parsed.marks == Mark.NUMBER, parsed.values, np.nan).reshape(shape))
    assert plate.standards is not None
    unknown = ~np.isfinite(plate.standards).any(axis=1)
    difference = np.abs(sides[0] / sides[1] - 1)[unknown]
    return difference[np.isfinite(difference)]


def test_agreement_with_xponent(shared: Path) -> None:
    plate = read_xponent_plate(shared / "proteomics/luminex_xponent_plates/pone.0187901.s001.csv")
    difference = relative_differences(plate, "Result")
    assert difference.size > 1500
    assert np.median(difference) < 0.01


def test_agreement_with_bioplex_manager(shared: Path) -> None:
    plate = read_bioplex_plate(shared / "proteomics/bioplex_manager_oor/plate1_DD_corrected.xls")
    difference = relative_differences(plate, "Obs Conc")
    assert difference.size > 700
    assert np.median(difference) < 0.01


def test_concentrations_that_lost_their_decimal_point_are_left_out(shared: Path) -> None:
    plate = read_xponent_plate(shared / "proteomics/luminex_xponent_plates/pone.0187901.s001.csv")
    assert plate.standards is not None
    fgf = plate.standards[:, plate.analytes.index("FGF")]
    names = np.array(plate.names)
    assert np.isnan(fgf[names == "Standard5"]).all()
    assert (fgf[names == "Standard1"] == 3450).all()
    assert any("break their dilution series" in problem.message for problem in plate.problems)


def test_series_that_are_whole_stay_whole() -> None:
    names = [f"S{k}" for k in range(1, 8)]
    for series in (
        13100 / 4.0 ** np.arange(7),
        np.array([100, 50, 25, 12.5, 6.25, 3.1, 1.6]),
        np.array([1, 2, 4, 8, 16, 32, 64.0]),
    ):
        values, broken = clean_series(names, series)
        assert broken == []
        np.testing.assert_array_equal(values, series)


def test_a_plate_is_read_with_its_own_fit(shared: Path) -> None:
    path = shared / "proteomics/bioplex_manager_oor/plate1_DD_corrected.xls"
    vendor, ours = read_serum(path).dataset, read_serum(path, quantity="fit").dataset
    cell = {"sample": "X1", "protein": "FGF-2 (75)"}
    assert ours["abundance"].sel(cell).item() == pytest.approx(vendor["abundance"].sel(cell).item(), abs=0.02)


def test_a_plate_without_standards_is_refused(shared: Path) -> None:
    plate = read_bioplex_plate(shared / "proteomics/bioplex_manager_oor/plate1_DD_corrected.xls")
    with pytest.raises(InputError, match="no standards of known concentration"):
        fit_plate(replace(plate, standards=None))
