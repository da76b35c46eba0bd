"""The report: one self-contained HTML file from a results folder, and its figures as SVG files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from stressaxis.atomic import write_text
from stressaxis.figures.numbers import number, percent
from stressaxis.figures.trajectories import cell_size, mouse_cell, outline_defs
from stressaxis.report import association_sections, behavior_sections, people_sections, run_sections, serum_sections
from stressaxis.report.blocks import FigureRow, MouseGrid, Section
from stressaxis.report.meanwhile import Meanwhile
from stressaxis.report.methods import methods_paragraphs
from stressaxis.report.results import Results, read_results
from stressaxis.report.run_sections import severity_words
from stressaxis.report.statement import statement

__all__ = ["build_report", "report_sections", "vega_script"]

HERE = Path(__file__).parent

#: In the order of reading.
_SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    people_sections.profiles_section,
    people_sections.skew_section,
    people_sections.similarity_section,
    people_sections.drugs_section,
    people_sections.treatment_section,
    association_sections.association_section,
    run_sections.done_section,
    run_sections.counts_section,
    behavior_sections.interaction_section,
    behavior_sections.groups_section,
    serum_sections.axes_section,
    serum_sections.proteins_section,
    association_sections.robustness_section,
    behavior_sections.recordings_section,
    behavior_sections.paths_section,
    serum_sections.serum_quality_section,
    run_sections.problems_section,
)


def build_report(
    results: str | Path, *, meanwhile: Meanwhile | None = None, vega: Callable[[], str] | None = None
) -> Path:
    """Write ``report.html`` and ``figures/*.svg`` into a results folder, from what stands in it.

    The page needs no network and no other file. Parts that the run did not have are left out and named.

    Parameters
    ----------
    results
        Folder written by a run: ``tables/*.csv``, ``tracks/*.nc``, ``problems.csv``, ``provenance.json``.
    meanwhile
        Others that make the sections.
    vega
        Gives :func:`vega_script` if others make it already.

    Returns
    -------
    Path
        ``report.html``.

    Raises
    ------
    InputError
        If the folder is not a results folder, or a table in it cannot be read.
    """
    found = read_results(results)
    meanwhile = meanwhile or Meanwhile()
    vega = vega or meanwhile.begin(vega_script)
    sections = report_sections(found, meanwhile=meanwhile)
    _write_figures(found.folder / "figures", sections)
    path = found.folder / "report.html"
    write_text(path, render(found, sections, vega=vega))
    return path


def report_sections(results: Results, *, meanwhile: Meanwhile | None = None) -> list[Section]:
    """All sections that the results allow, in the order of reading; others may make them meanwhile."""
    meanwhile = meanwhile or Meanwhile()
    places = range(len(_SECTIONS))
    begun = {
        # The longest first, so that no one waits for the last.
        place: meanwhile.begin(_section, place, results)
        for place in sorted(places, key=lambda place: _SECTIONS[place] is not behavior_sections.paths_section)
    }
    made = [begun[place]() for place in places]
    return [section for section in made if section is not None]


def _section(place: int, results: Results) -> Section | None:
    from altair.utils.schemapi import debug_mode

    # Checking every mark of every chart against Vega's rules, as tests do, is a third of the work.
    with debug_mode(False):
        return _SECTIONS[place](results)


def _write_figures(folder: Path, sections: list[Section]) -> None:
    """The figures as files; SVG files of an earlier report that no longer belong to it are removed."""
    figures = {f"{_file_name(figure.name)}.svg": figure.svg for section in sections for figure in section.figures}
    folder.mkdir(exist_ok=True)
    for name, svg in figures.items():
        write_text(folder / name, svg)
    for old in folder.glob("*.svg"):
        if old.name not in figures:
            old.unlink()


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def render(results: Results, sections: list[Section], *, vega: Callable[[], str] | None = None) -> str:
    """The page as text; ``vega`` gives the script that draws the interactive figures."""
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline_svg"] = _inline_svg
    environment.filters["safe_json"] = _safe_json
    environment.filters["file_name"] = _file_name
    provenance = results.provenance
    configured = (provenance.get("config") or {}).get("report") or {}
    page = environment.get_template("page.html.j2")
    return page.render(
        title=configured.get("title") or provenance.get("name") or "Results",
        authors=configured.get("authors") or [],
        description=configured.get("description") or "",
        simulated=_simulated(provenance.get("simulated")),
        statement=statement(results),
        facts=_facts(results),
        sections=sections,
        numbers=_figure_numbers(sections),
        subjects=_subjects(results),
        methods=methods_paragraphs(results),
        provenance=provenance,
        config=json.dumps(_without_blanks(provenance.get("config") or {}), indent=2, ensure_ascii=False),
        cell=cell_size(),
        mouse_cell=lambda mouse, key: Markup(mouse_cell(mouse, key)),
        outline_defs=lambda outlines: Markup(outline_defs(outlines)),
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        script=Markup((HERE / "script.js").read_text(encoding="utf-8")),
        vega=Markup((vega or vega_script)())
        if any(figure.spec for section in sections for figure in section.figures)
        else "",
    )


@cache
def vega_script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)).replace(
        "</script", "<\\/script"
    )


def _inline_svg(svg: str) -> Markup:
    """An SVG drawn by us, without fixed size, for the page. Texts in it were escaped when it was drawn."""
    return Markup(svg)


def _safe_json(text: str) -> Markup:
    """JSON that cannot end its script element, whatever ids it holds."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _simulated(simulated: dict[str, Any] | None) -> str:
    """What is planted in simulated data, and the power to find it; empty for real data."""
    if not simulated:
        return ""
    sentences = [str(simulated.get("description") or "").removeprefix("Simulated data.").strip()]
    if simulated.get("planted_correlation") is not None:
        sentences.append(f"Planted correlation: {number(simulated['planted_correlation'], 2)}.")
    if simulated.get("power") is not None:
        sentences.append(f"Power of the main test for it: {percent(float(simulated['power']))}.")
    return " ".join(sentence for sentence in sentences if sentence) or "Nothing here was measured on an animal."


def _facts(results: Results) -> list[tuple[str, str]]:
    """The sizes of the study, for the row of large numbers."""
    facts = _people_facts(results)
    animals = results.table("social_interaction")
    if animals is None:
        animals = results.table("cohort")
    if animals is not None:
        roles = Counter(animals["role"]) if "role" in animals else Counter()
        split = ", ".join(f"{roles[name]} {name}" for name in ("control", "defeated") if name in roles)
        facts.append((str(len(animals)), "animals" + (f" ({split})" if split else "")))
    trials = results.table("trials")
    if trials is not None:
        facts.append((str(len(trials)), "recordings"))
    proteins = results.table("protein_quality")
    if proteins is not None:
        facts.append((str(len(proteins)), "proteins on the panel"))
    problems = results.problems
    words = severity_words(problems["severity"]) if "severity" in problems else ""
    facts.append((str(len(results.problems)), f"problems on record ({words})" if words else "problems on record"))
    return facts


def _without_blanks(value: Any) -> Any:
    """Settings without keys under which nothing stands: what an experiment does not have is not listed.

    Examples
    --------
    >>> _without_blanks({"roles": {"other": ["a"], "control": []}, "behavior": None})
    {'roles': {'other': ['a']}}
    """
    if not isinstance(value, dict):
        return value
    kept = {key: _without_blanks(inner) for key, inner in value.items()}
    return {key: inner for key, inner in kept.items() if inner is not None and inner not in ([], {}, "")}


def _people_facts(results: Results) -> list[tuple[str, str]]:
    groups, drugs = results.table("people_groups"), results.table("people_reversal")
    if groups is None:
        return []
    split = ", ".join(f"{n} {name}" for name, n in zip(groups["group"], groups["n"], strict=True))
    facts = [(str(int(groups["n"].sum())), f"people ({split})")]
    measured = results.table("people_protein_quality")
    if measured is not None:
        facts.append((str(len(measured)), "proteins on the people's panels"))
    if drugs is not None:
        facts.append((str(drugs["drug"].nunique()), "drugs, before and after"))
    return facts


def _figure_numbers(sections: list[Section]) -> dict[str, int]:
    """Running number of each figure; the drawings of all mice count as one."""
    names: list[str] = []
    for section in sections:
        for block in section.blocks:
            if isinstance(block, FigureRow):
                names += [figure.name for figure in block.figures]
            elif isinstance(block, MouseGrid):
                names.append("trajectories")
    return {name: place for place, name in enumerate(names, start=1)}


def _subjects(results: Results) -> list[str]:
    for name in ("social_interaction", "cohort"):
        table = results.table(name)
        if table is not None and "subject" in table:
            return sorted(table["subject"].unique())
    return []
