"""Why a result will be redone, in words that name the cause and nothing that merely follows from it."""

from __future__ import annotations

from typing import Any

from stressaxis.differences import differences
from stressaxis.engine import Task
from stressaxis.fingerprint import code_parts
from stressaxis.ledger import Entry

MODULE = "stressaxis.steps.score"


def part(file: str, **changes: object) -> dict[str, object]:
    return {"file": file, "task": f"track {file} ab12", "corners_px": [[0, 0], [9, 0], [9, 9], [0, 9]], **changes}


def score(*parts: dict[str, object], margin_cm: float = 8.0) -> dict[str, Any]:
    return {"parts": list(parts), "options": {"margin_cm": margin_cm}}


def reasons(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    task = Task(id="score m1", function=f"{MODULE}:score_subject", options=now, subject="m1")
    return differences(task, {}, Entry("done", "k", options=before, code=code_parts(MODULE, ())))


def test_a_recording_that_is_not_opened_yet_is_named_and_not_what_that_does_to_the_options() -> None:
    untracked = part("a.mp4", task="", corners_px=[])
    assert reasons(score(untracked, part("b.mp4")), score(part("a.mp4"), part("b.mp4"))) == [
        "a.mp4: its track is not known yet"
    ]


def test_a_changed_key_is_named_beside_it() -> None:
    untracked = part("a.mp4", task="", corners_px=[])
    told = reasons(score(untracked, margin_cm=6.0), score(part("a.mp4")))
    assert told == ["a.mp4: its track is not known yet", "behavior.scoring.margin_cm: 8.0 before, 6.0 now"]


def test_corners_that_moved_are_told() -> None:
    moved = part("a.mp4", corners_px=[[1, 0], [9, 0], [9, 9], [0, 9]])
    (told,) = reasons(score(moved), score(part("a.mp4")))
    assert told.startswith("behavior.arenas, corners_px")
