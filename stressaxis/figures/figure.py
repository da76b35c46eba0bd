"""A figure as the report and the figures folder need it: one definition, SVG and interactive form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from stressaxis.figures.style import CONFIG

__all__ = ["Figure", "from_chart"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Parameters
    ----------
    name
        File stem, unique in a report (``si_ratio``).
    caption
        What is drawn, and of how many.
    svg
        The static picture; ids inside are prefixed by the name, so that several fit on one page.
    spec
        Vega-Lite definition of the same picture as JSON text; empty where the picture has no interactive form.
    table
        Table of the results folder that holds the numbers drawn.
    """

    name: str
    caption: str
    svg: str
    spec: str = ""
    table: str = ""

    @property
    def width(self) -> int:
        """Width of the picture in px."""
        found = re.search(r'<svg[^>]*?\bwidth="([\d.]+)"', self.svg)
        return round(float(found[1])) if found else 0


def from_chart(chart: Any, *, name: str, caption: str, table: str = "") -> Figure:
    """A figure from an Altair chart, in the look of all figures."""
    import altair as alt
    import vl_convert

    with alt.data_transformers.enable("default", max_rows=None, consolidate_datasets=False):
        # Checked by the tests: a chart that is drawn here is always of the same form.
        spec = chart.to_dict(validate=False) | {"config": CONFIG}
    version = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
    svg = vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[])
    return Figure(name=name, caption=caption, svg=_own_ids(svg, name), spec=json.dumps(spec), table=table)


def _own_ids(svg: str, name: str) -> str:
    """Ids numbered from zero: Vega counts them through the life of the process."""
    found = list(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))
    for place, old in enumerate(found):
        new = f"{name}-{place}"
        svg = svg.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    return svg
