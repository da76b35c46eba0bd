"""Floor and enclosure as masks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from behavior.region import Region, as_region, polygon_mask


@pytest.mark.parametrize("bad", [[(0, 0), (1, 1)], [(0, 0, 0)] * 4, [(0, 0), (1, np.nan), (1, 1)]])
def test_bad_polygons_are_refused(bad):
    """Too few corners, the wrong shape and NaN are refused."""
    with pytest.raises(ValueError, match="floor_px"):
        Region(floor_px=bad)


def test_anything_with_the_two_polygons_is_a_region():
    """An arena gives its polygons; None gives the whole picture."""
    arena = SimpleNamespace(floor_px=[(0, 0), (9, 0), (9, 9)], enclosure_px=None)
    assert as_region(arena).floor_px.shape == (3, 2)
    assert (polygon_mask(as_region(None).floor_px, (4, 5)) == 255).all()


@pytest.mark.parametrize("scale", [1, 0.5, 0.25])
def test_mask_area_scales(scale):
    """A square covers the same part of the picture at every scale."""
    square = np.array([(20, 20), (99, 20), (99, 99), (20, 99)], float)
    size = int(160 * scale)
    mask = polygon_mask(square, (size, size), scale=scale)
    assert (mask > 0).mean() == pytest.approx(0.25, rel=0.08)
    _, xs = np.nonzero(mask)
    assert (xs.mean() + 0.5) / scale - 0.5 == pytest.approx(59.5, abs=1)
