"""The real data beside the checkout: found once, skipped with a reason where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT = "no real data beside the checkout (../shared/data)"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real recordings and tables; tests that ask for it are skipped where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip(ABSENT)
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    counts = {
        outcome: sum(_on_real_data(report) for report in stats.get(outcome, [])) for outcome in ("passed", "failed")
    }
    # Tests that are skipped for want of an optional library are no sign that the data were missed.
    counts["skipped"] = sum(ABSENT in str(report.longrepr) for report in stats.get("skipped", []))
    line = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    terminalreporter.write_line(f"shared-data tests: {line}")


def _on_real_data(report: pytest.TestReport) -> bool:
    return "shared" in report.keywords
