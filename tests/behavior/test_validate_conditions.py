"""What the page on simulated recordings says of all mice together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.behavior.validate_conditions import overall, page


def cases():
    """Three mice with enough time with target and one with little; the last of the three has no ratio."""
    return pd.DataFrame(
        {
            "condition": "clean",
            "level": "realistic",
            "frames": [1000, 1000, 1000, 1000],
            "wrong_frames": [0, 2, 30, 0],
            "nose_frames": [1000, 1000, 500, 1000],
            "turned_frames": [7, 0, 0, 0],
            "short": [False, False, False, True],
            "centre_px": 0.5,
            "wrong_percent": [0.0, 0.2, 3.0, 0.0],
            "turned_percent": [0.7, 0.0, 0.0, 0.0],
            "release_s": 0.0,
            "zone_s": 0.0,
            "ratio_error": [0.001, 0.02, np.nan, 0.015],
            "limit": [0.03, 0.03, 0.03, 0.02],
            "class_changed": [False, False, True, False],
        }
    )


def test_overall_lines_are_counted_over_mice_and_frames():
    assert overall(cases()).splitlines() == [
        "- mice within all limits: 3 of 4",
        "- SI ratio, 3 mice with 15 s or more with target: relative error median 2.00 %, 95th percentile inf %, "
        "worst inf %",
        "- SI ratio, 1 mice with less: difference median 0.015, 95th percentile 0.015, worst 0.015",
        "- frames lost or more than half a body length off, pooled: 0.800 % (32 of 4000)",
        "- frames with the head on the wrong side, pooled: 0.200 % (7 of 3500)",
        "- classes changed: 1",
    ]


def test_the_page_holds_them_above_the_table():
    text = page(cases(), 4)
    assert text.index("- mice within all limits: 3 of 4") < text.index("| condition |")
    assert "| clean | realistic | 4 | 3 |" in text


def test_without_mice_of_a_kind_the_line_says_so():
    assert "0 mice with less: difference none" in overall(cases().iloc[:2])
