"""The report: one file that needs nothing else, says what was found and what was not, and leaves nothing out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from stressaxis.report.behavior_sections import interaction_section, paths_section
from stressaxis.report.behavior_tables import ratio_variants
from stressaxis.report.blocks import MouseGrid, Paragraph
from stressaxis.report.build import build_report
from stressaxis.report.methods import methods_paragraphs
from stressaxis.report.paths import read_mice
from stressaxis.report.recordings import quality_view, recording_lights, recording_remarks
from stressaxis.report.results import Results, read_results
from stressaxis.report.statement import declared_proteins, main_result, statement
from tests.stressaxis.made_results import write_results

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """What a test asks of a page: its elements, and its visible text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._silent = 0
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    def sections(self) -> list[str]:
        return [attrs["id"] or "" for tag, attrs in self.tags if tag == "section"]


def page_of(folder: Path) -> Page:
    return Page(build_report(folder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    folder = write_results(tmp_path_factory.mktemp("whole"), fps=3.0, names={4: HOSTILE, 5: "007", 6: "NA"})
    return folder, page_of(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_results(tmp_path, behavior=False, serum=False)


def change(folder: Path, name: str, **columns: object) -> None:
    path = folder / "tables" / f"{name}.csv"
    pd.read_csv(path, keep_default_na=False, na_values=[""]).assign(**columns).to_csv(path, index=False)


def test_the_page_needs_no_network_and_no_other_file(whole: tuple[Path, Page]) -> None:
    _, page = whole
    for tag, attrs in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed"), (tag, attrs)
        assert not (tag == "script" and "src" in attrs)
        for name in ("href", "src", "xlink:href"):
            assert "//" not in (attrs.get(name) or "")
    policy = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy and "default-src 'none'" in str(policy[0])


def test_the_page_has_all_sections_and_is_light(whole: tuple[Path, Page]) -> None:
    _, page = whole
    assert page.sections() == [
        "association", "done", "counts", "interaction", "groups", "axes", "proteins", "robustness", "recordings",
        "paths", "serum", "problems", "methods", "provenance",
    ]  # fmt: skip
    assert len(page.source) < 6e6


def test_every_linked_file_is_there(whole: tuple[Path, Page]) -> None:
    folder, page = whole
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a" and "file" in (attrs.get("class") or "")}
    assert len(links) > 15
    assert [link for link in links if link and not (folder / link).is_file()] == []


def test_figures_are_files_too_and_old_ones_go(folder: Path) -> None:
    (folder / "figures").mkdir()
    (folder / "figures" / "old.svg").write_text("<svg/>")
    build_report(folder)
    assert not (folder / "figures" / "old.svg").exists()


def test_ids_cannot_become_markup_or_script(whole: tuple[Path, Page]) -> None:
    _, page = whole
    assert not any("onerror" in attrs for _, attrs in page.tags)
    assert HOSTILE in page.text
    assert HOSTILE not in page.source
    # Nothing but our own scripts: one per interactive figure, the library, the page's own.
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    pictures = [attrs for tag, attrs in page.tags if tag == "div" and attrs.get("class") == "picture"]
    assert len(scripts) == len(pictures) + 2


def test_specs_in_the_page_follow_the_rules_of_vega_lite(whole: tuple[Path, Page]) -> None:
    from altair.utils.schemapi import validate_jsonschema
    from altair.vegalite.v6.schema import load_schema

    _, page = whole
    for text in re.findall(r'<script type="application/json" id="spec-[^"]+">(.*?)</script>', page.source, flags=re.S):
        validate_jsonschema(json.loads(text), load_schema())


def test_specs_in_the_page_are_json_with_the_ids_unharmed(whole: tuple[Path, Page]) -> None:
    _, page = whole
    specs = re.findall(r'<script type="application/json" id="spec-[^"]+">(.*?)</script>', page.source, flags=re.S)
    assert len(specs) > 8
    assert not any(letter in text for text in specs for letter in "<>&")
    assert any(HOSTILE in json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"') for text in specs)


def test_ids_that_look_like_numbers_or_nothing_stay(whole: tuple[Path, Page]) -> None:
    folder, page = whole
    assert {"007", "NA"} <= set(read_results(folder).tables["social_interaction"]["subject"])
    assert "007" in page.words and "NA" in page.words


def test_every_figure_is_numbered_once_in_order(whole: tuple[Path, Page]) -> None:
    _, page = whole
    numbers = [int(n) for n in re.findall(r"<b>Figure (\d+)\.</b>", page.source)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_problem_stands_in_the_page(whole: tuple[Path, Page]) -> None:
    folder, page = whole
    for message in pd.read_csv(folder / "problems.csv")["message"]:
        assert message in page.text


def test_simulated_data_say_so_first(whole: tuple[Path, Page], folder: Path) -> None:
    _, page = whole
    assert "Simulated data. random numbers of plausible size" in page.text
    assert "Planted correlation: −0.60. Power of the main test for it: 83 %." in page.text
    assert page.text.index("Simulated data") < page.text.index("defeated mice")
    provenance = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps(provenance | {"simulated": None}))
    assert "Simulated" not in page_of(folder).text


def test_the_main_result_has_n_estimate_interval_p_q_and_smallest_effect(whole: tuple[Path, Page]) -> None:
    folder, _ = whole
    results = read_results(folder)
    main = main_result(results)
    assert main is not None
    row, text = main.row, statement(results)[0]
    assert (row["subset"], row["outcome"], row["marker"], row["method"]) == ("defeated", "target_time", "Th2", "ancova")
    for part in ("n = 8", "s per SD", "95 % interval", "p ", "q over the axis scores", "80 % power", "partial r"):
        assert part in text, part


def altered(results: Results, **columns: object) -> Results:
    table = results.tables["association"].assign(**columns)
    return Results(results.folder, results.tables | {"association": table}, results.problems, results.provenance)


def test_a_null_result_is_called_not_shown(whole: tuple[Path, Page]) -> None:
    results = altered(read_results(whole[0]), p=0.4, q_set=0.7, q_panel=0.7)
    text = " ".join(statement(results))
    assert "was not shown" in text and "Not shown is not absent" in text
    assert "none reached q ≤ 0.05" in text
    assert "went with" not in text


def test_p_under_005_is_not_enough_when_q_is_above(whole: tuple[Path, Page]) -> None:
    results = altered(read_results(whole[0]), p=0.03, q_panel=0.2)
    assert "was not shown" in statement(results)[0]


NOTHING = dict.fromkeys(("estimate", "p", "q_set", "q_panel", "ci_low", "ci_high", "effect"), float("nan"))


def test_a_refused_association_is_told_with_its_reason(whole: tuple[Path, Page]) -> None:
    results = altered(read_results(whole[0]), note="refused: 5 subjects, at least 6 needed", **NOTHING)
    assert main_result(results) is None
    assert statement(results)[0] == "The declared question could not be answered: 5 subjects, at least 6 needed."


def test_a_pooled_result_does_not_pass_for_one_within_defeated_mice(whole: tuple[Path, Page]) -> None:
    results = read_results(whole[0])
    table = results.tables["association"].copy()
    table.loc[table["subset"] == "defeated", list(NOTHING)] = float("nan")
    table.loc[table["subset"] == "defeated", "note"] = "refused: 5 subjects, at least 6 needed"
    pooled = Results(results.folder, results.tables | {"association": table}, results.problems, results.provenance)
    first, second = statement(pooled)[:2]
    assert first.startswith("Within defeated mice the question could not be answered (5 subjects, at least 6 needed)")
    assert "all animals" in second


def test_a_missing_th2_score_is_explained(whole: tuple[Path, Page]) -> None:
    results = read_results(whole[0])
    scores = results.tables["axis_scores"].assign(score=float("nan"), note="1 detected member(s) of Th2 (Il5)")
    refused = Results(results.folder, results.tables | {"axis_scores": scores}, results.problems, results.provenance)
    assert statement(refused)[0] == "There is no Th2 score: 1 detected member(s) of Th2 (Il5)."


def test_excluded_animals_are_in_no_group_figure_and_are_named(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=2.0)
    change(tmp_path, "social_interaction", excluded=["bite wound", *[""] * 11])
    section = interaction_section(read_results(tmp_path))
    assert section is not None
    assert all('"m01"' not in figure.spec for figure in section.figures)
    assert any('"m02"' in figure.spec for figure in section.figures)
    texts = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert texts == ["Excluded, and in no figure or mean by group: m01 (bite wound)."]


def test_another_cut_is_drawn_and_told(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=2.0)
    provenance = json.loads((tmp_path / "provenance.json").read_text())
    provenance["declared"]["classes"] = {"cut": 0.8}
    (tmp_path / "provenance.json").write_text(json.dumps(provenance))
    results = read_results(tmp_path)
    section = interaction_section(results)
    assert section is not None
    assert "dashed: 0.8" in section.figures[0].caption
    assert "SI ratio below 0.8" in statement(results)[-1]


def test_without_an_axis_score_the_strongest_declared_protein_speaks(whole: tuple[Path, Page]) -> None:
    results = read_results(whole[0])
    table = results.tables["association"]
    only = Results(results.folder, results.tables | {"association": table[table["kind"] != "axis"]}, results.problems,
                   results.provenance)  # fmt: skip
    main = main_result(only)
    assert main is not None
    assert main.marker_title in declared_proteins(results)


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [(["Il4", "Il5"], ["Il4", "Il5"]), ({"proteins": ["Il13"], "axis": None}, ["Il13"]),
     ({"axis": "Th1", "proteins": None}, ["Ifng"]), (None, ["Il4", "Il5", "Il13", "Il9", "Ccl11"])],
)  # fmt: skip
def test_the_declared_set_is_read_however_it_was_declared(
    whole: tuple[Path, Page], declared: object, wanted: list[str]
) -> None:
    results = read_results(whole[0])
    provenance = results.provenance | {"declared": {"th2_set": declared}}
    assert declared_proteins(Results(results.folder, results.tables, results.problems, provenance)) == wanted


@pytest.mark.slow
def test_recordings_alone_make_a_report(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path, serum=False, fps=2.0))
    assert "association" not in page.sections() and "proteins" not in page.sections()
    assert "Not in this run: serum axis scores; associations of serum and behaviour" in page.text
    assert "paths" in page.sections()


@pytest.mark.slow
def test_serum_alone_makes_a_report(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path, behavior=False))
    assert "interaction" not in page.sections() and "paths" not in page.sections()
    assert "Not in this run: recordings of the social interaction test" in page.text
    assert "proteins" in page.sections()


def test_nothing_but_the_provenance_makes_a_report(folder: Path) -> None:
    shutil.rmtree(folder / "tables")
    (folder / "problems.csv").unlink()
    (folder / "provenance.json").write_text('{"name": "bare"}')
    page = page_of(folder)
    assert page.sections() == ["done", "problems", "methods", "provenance"]
    assert "Nothing was excluded" in page.text


def mouse_grid(folder: Path) -> MouseGrid:
    section = paths_section(read_results(folder))
    assert section is not None
    grid = section.blocks[0]
    assert isinstance(grid, MouseGrid)
    return grid


def test_tracks_without_calibration_are_drawn_in_px(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=2.0, n_control=2, n_defeated=2)
    assert "interaction zone and corners" in mouse_grid(tmp_path).caption
    (tmp_path / "tables" / "arenas.csv").unlink()
    assert "paths are drawn in pixels" in mouse_grid(tmp_path).caption


def test_a_mouse_without_track_keeps_its_place(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=2.0, n_control=2, n_defeated=2)
    (tmp_path / "tracks" / "m03__target.nc").unlink()
    grid = mouse_grid(tmp_path)
    assert grid.sheets[0].svg.count("no track") == 1
    assert sorted(mouse.subject for _, mice in grid.groups for mouse in mice) == ["m01", "m02", "m03", "m04"]
    shutil.rmtree(tmp_path / "tracks")
    assert paths_section(read_results(tmp_path)) is None


def test_only_the_scored_window_is_drawn_and_parts_are_joined(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=4.0, n_control=1, n_defeated=1)
    mice, _ = read_mice(read_results(tmp_path))
    whole = next(mouse for mouse in mice if mouse.subject == "m01").trials["target"].xy
    # 150 s at 4 frames/s, from 4.2 s on: the file is longer.
    assert len(whole) == 600
    tracks = tmp_path / "tracks"
    shutil.copy(tracks / "m01__target.nc", tracks / "m01__target__2.nc")
    (tracks / "m01__target.nc").rename(tracks / "m01__target__1.nc")
    mice, _ = read_mice(read_results(tmp_path))
    joined = next(mouse for mouse in mice if mouse.subject == "m01").trials["target"].xy
    assert np.array_equal(joined[:600], whole, equal_nan=True)


def test_a_folder_that_is_no_results_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a results folder.*stressaxis run"):
        build_report(tmp_path)


def test_a_broken_provenance_or_table_names_the_file(folder: Path) -> None:
    (folder / "tables" / "trials.csv").write_bytes(b"\xff\xfe\x00a,b\n1")
    with pytest.raises(InputError, match=r"trials\.csv"):
        build_report(folder)
    (folder / "provenance.json").write_text("{")
    with pytest.raises(InputError, match=r"provenance\.json.*not valid JSON"):
        build_report(folder)


def test_an_earlier_declaration_is_told(folder: Path) -> None:
    provenance = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps(provenance | {"declared_before": ["aa" * 16]}))
    assert "scored before under 1 other declaration" in page_of(folder).text


def test_methods_name_versions_and_settings(whole: tuple[Path, Page]) -> None:
    text = " ".join(methods_paragraphs(read_results(whole[0])))
    for part in ("stressaxis 0.1.0", "Python 3.11.7", "NumPy 2.4.6", "OpenCV 5.0.0.93", "window was 150 s", "seed 5"):
        assert part in text, part


def test_methods_say_which_records_are_kept_and_used(folder: Path) -> None:
    def said(**settings: object) -> str:
        provenance = json.loads((folder / "provenance.json").read_text())
        provenance["config"] |= settings
        (folder / "provenance.json").write_text(json.dumps(provenance))
        return " ".join(methods_paragraphs(read_results(folder)))

    assert "kept by hand" not in said()
    records = {"defeat": {"file": "d.csv"}, "weight": None, "coat": {"file": "c.csv"}}
    text = said(records=records)
    assert "defeat sessions" in text and "coat score" in text and "body weight;" not in text
    assert "None of them is a covariate" in text
    text = said(statistics={"covariates": ["age", "wound_grade_max", "coat_last"]})
    assert "wound_grade_max (worst wound, 0 to 4), coat_last (last coat score)" in text
    assert "mediator as well as a confounder" in text


# verdicts on recordings


def lights(*problems: tuple[str, str, str, str], note: str = "") -> list[str]:
    trials = pd.DataFrame({"subject": ["a", "a", "b"], "trial": ["no_target", "target", "target"],
                           "file": ["d/a1.mp4", "d/a2.mp4", "b.mp4"], "iz_s": [1.0, 2.0, 3.0], "note": ["", "", note]})  # fmt: skip
    table = pd.DataFrame(problems, columns=["severity", "subject", "file", "where"]).assign(code="x", message="y")
    return recording_lights(trials, recording_remarks(trials, table)).tolist()


def test_a_warning_on_a_file_marks_that_recording_only() -> None:
    assert lights(("warning", "a", "a2.mp4", "")) == ["good", "look at it", "good"]
    assert lights(("warning", "", "d/a1.mp4", "")) == ["look at it", "good", "good"]


def test_a_warning_on_a_trial_does_not_spread_to_the_other() -> None:
    assert lights(("warning", "a", "", "trial target")) == ["good", "look at it", "good"]
    assert lights(("warning", "a", "", "trial no_target")) == ["look at it", "good", "good"]


def test_errors_and_exclusions_are_red_and_remarks_on_single_columns_are_not() -> None:
    assert lights(("excluded", "b", "b.mp4", "")) == ["good", "good", "not used"]
    assert lights(note="iz_mean_bout_s: no_entry") == ["good"] * 3
    assert lights(note="low_rate") == ["good", "good", "look at it"]


# in a browser


@pytest.fixture
def chromium() -> Iterator[str]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no browser installed")
    yield found


# A headless browser that paints nothing never sees a picture come into sight.
IN_SIGHT = """<script>window.IntersectionObserver = class {
  constructor(seen) { this.seen = seen; }
  observe(target) { this.seen([{ isIntersecting: true, target }]); }
  unobserve() {}
};</script>"""


# Names an animal in the page's search box, as a person would, and counts what stands out.
SEARCH = """<script>setTimeout(() => {
  const box = document.getElementById("find");
  box.value = "m03";
  box.dispatchEvent(new Event("input"));
  setTimeout(() => {
    const figures = [...document.querySelectorAll(".vega-embed")].map((part) => part.querySelectorAll('path[stroke="#000000"]'));
    document.body.dataset.found = figures.filter((marks) => marks.length).length;
  }, 4000);
}, 8000);</script>"""


@pytest.mark.slow
def test_a_browser_draws_the_page_without_a_complaint(whole: tuple[Path, Page], chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    body, end = whole[1].source.replace("<head>", f"<head>{IN_SIGHT}", 1).rsplit("</body>", 1)
    page.write_text(f"{body}{SEARCH}</body>{end}", encoding="utf-8")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert [line for line in run.stderr.splitlines() if "CONSOLE" in line] == []
    pictures = sum(attrs.get("class") == "picture" for _, attrs in whole[1].tags)
    assert run.stdout.count('class="vega-embed') == pictures > 8
    found = re.search(r'data-found="(\d+)"', run.stdout)
    assert found is not None and int(found[1]) >= 4
    assert run.stdout.count('class="mouse chosen"') == 1


def test_ratios_that_are_all_the_same_have_no_correlation() -> None:
    table = pd.DataFrame({"role": "defeated", "si_ratio": [0.8] * 4, "si_wide": [0.7, 0.8, 0.9, 1.0]})
    assert ratio_variants(table)["Spearman"].isna().all()


def test_the_quality_of_recordings_is_listed_worst_first() -> None:
    recordings = pd.DataFrame(
        {
            "subject": ["m1", "m2", "007"],
            "trial": ["target", "no_target", "target"],
            "file": ["a.mp4", "b.mp4", "c.mp4"],
            "light": ["green", "amber", "red"],
            "flags": ["", "light_changes", "trials_swapped; lost_frames"],
            "edge_cm": [0.2, 0.31, float("nan")],
        }
    )
    view = quality_view(recordings)
    assert [row[0].text for row in view.rows] == ["red", "amber", "green"]
    assert view.head == ["light", "mouse", "trial", "file", "edge width (cm)", "flags"]
    assert view.rows[0][-1].text == "trials swapped; lost frames"
    assert "(1 red, 1 amber, 1 green)" in view.caption
    nothing = quality_view(recordings.assign(light="green", flags=float("nan")))
    assert "flags" not in nothing.head
