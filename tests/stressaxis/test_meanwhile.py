"""Parts of the report that another process makes: the same page, also when that process dies."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from stressaxis.report import build
from stressaxis.report.meanwhile import Meanwhile
from tests.stressaxis.made_results import write_results


def die(here: int) -> str:
    if os.getpid() != here:
        os._exit(1)
    return "made here"


def wait_a_little() -> str:
    time.sleep(0.3)
    return "made"


def test_what_a_killed_process_was_to_make_is_made_here() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        meanwhile = Meanwhile(pool.submit)
        assert meanwhile.begin(die, os.getpid())() == "made here"
        # The pool is broken now, and takes no more.
        assert meanwhile.begin(die, os.getpid())() == "made here"
    assert meanwhile.spared_s == 0


def test_the_time_of_others_counts_and_waiting_for_them_does_not() -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting, working = Meanwhile(pool.submit), Meanwhile(pool.submit)
        assert waiting.begin(wait_a_little)() == "made"
        result = working.begin(wait_a_little)
        time.sleep(0.5)
        assert result() == "made"
    assert waiting.spared_s == pytest.approx(0, abs=0.1)
    assert working.spared_s == pytest.approx(0.3, abs=0.1)


def test_an_error_of_a_part_is_not_swallowed() -> None:
    def submit(*given: object) -> Future[object]:
        future: Future[object] = Future()
        future.set_exception(ValueError("no such table"))
        return future

    with pytest.raises(ValueError, match="no such table"):
        Meanwhile(submit).begin(len, "abc")()


@pytest.mark.slow
def test_a_report_drawn_by_two_is_the_same(tmp_path: Path) -> None:
    write_results(tmp_path, serum=False, fps=2.0, n_control=2, n_defeated=2)
    page = build.build_report(tmp_path).read_bytes()
    figures = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    asked: list[str] = []

    def submit(function: object, *given: object) -> Future[object]:
        asked.append(str(given[1]))
        return pool.submit(function, *given)  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as pool:
        assert build.build_report(tmp_path, meanwhile=Meanwhile(submit)).read_bytes() == page
    assert asked == ["vega_script"] + ["_section"] * len(build._SECTIONS)
    assert {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == figures
