"""Naming patterns of laboratories are learned; a name that says too little is listed, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stressaxis.naming import learn_names

#: File name to (subject, trial), as laboratories name recordings.
STYLES = {
    "words": {"m01_notarget.mp4": ("m01", "n"), "m01_target.mp4": ("m01", "t"), "m02_no-target.mp4": ("m02", "n"), "m02_target.mp4": ("m02", "t")},
    "camel": {"M1NoTarget.avi": ("M1", "n"), "M1Target.avi": ("M1", "t"), "M2NoTarget.avi": ("M2", "n"), "M2Target.avi": ("M2", "t")},
    "letters": {"SI_304_NT.mp4": ("304", "n"), "SI_304_T.mp4": ("304", "t"), "SI_007_NT.mp4": ("007", "n"), "SI_007_T.mp4": ("007", "t")},
    "strain": {"mouse 7 empty.mp4": ("7", "n"), "mouse 7 CD1.mp4": ("7", "t"), "mouse 12 empty.mp4": ("12", "n"), "mouse 12 CD1.mp4": ("12", "t")},
    "trial numbers": {"trial 1 A3.mp4": ("A3", "n"), "trial 2 A3.mp4": ("A3", "t"), "trial 1 B1.mp4": ("B1", "n"), "trial 2 B1.mp4": ("B1", "t")},
    "groups in the id": {"CON1_1.mp4": ("CON1", "n"), "CON1_2.mp4": ("CON1", "t"), "DEF1_1.mp4": ("DEF1", "n"), "DEF1_2.mp4": ("DEF1", "t")},
    "groups beside the id": {"control_1_empty.mp4": ("control-1", "n"), "control_1_social.mp4": ("control-1", "t"), "defeat_1_empty.mp4": ("defeated-1", "n"), "defeat_1_social.mp4": ("defeated-1", "t")},
    "folders of trials": {"no target/m1.mp4": ("m1", "n"), "target/m1.mp4": ("m1", "t"), "no target/m2.mp4": ("m2", "n"), "target/m2.mp4": ("m2", "t")},
    "folders of animals": {"M01/no-target.mp4": ("M01", "n"), "M01/target.mp4": ("M01", "t"), "M02/no-target.mp4": ("M02", "n"), "M02/target.mp4": ("M02", "t")},
    "half": {"A12.mp4": ("A12", "n"), "A12_CD1.mp4": ("A12", "t"), "A13.mp4": ("A13", "n"), "A13_CD1.mp4": ("A13", "t")},
    "one animal": {"m1_NT.mp4": ("m1", "n"), "m1_T.mp4": ("m1", "t")},
    "near ids": {"304b T1.mp4": ("304b", "n"), "304b T2.mp4": ("304b", "t"), "304 T1.mp4": ("304", "n"), "304 T2.mp4": ("304", "t")},
    "habituation": {"ID23_hab.mp4": ("ID23", "n"), "ID23_social.mp4": ("ID23", "t"), "ID24_hab.mp4": ("ID24", "n"), "ID24_social.mp4": ("ID24", "t")},
    "german": {"Maus3_ohne.mp4": ("Maus3", "n"), "Maus3_mit.mp4": ("Maus3", "t"), "Maus4_ohne.mp4": ("Maus4", "n"), "Maus4_mit.mp4": ("Maus4", "t")},
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_styles_of_laboratories(style: str) -> None:
    learned = learn_names(STYLES[style])
    assert {one.file: (one.subject, one.trial[0]) for one in learned.placed} == STYLES[style]
    assert not learned.unplaced


def test_dates_clocks_cameras_and_cohorts() -> None:
    learned = learn_names(
        f"cohort{cohort}/20261105_14{minute}00_cam{camera}_m{mouse:02}_{word}.mkv"
        for cohort, camera, mouse in ((1, 1, 7), (1, 2, 8), (2, 1, 7))
        for minute, word in (("30", "wo_target"), ("40", "with_target"))
    )
    first = learned.placed[0]
    assert (first.subject, first.arena, first.cohort) == ("cohort_1-m07", "arena_1", "cohort_1")
    assert first.recorded == "2026-11-05 14:30:00"
    assert len({one.subject for one in learned.placed}) == 3
    assert any("several cohorts" in note for note in learned.notes)


def test_a_date_that_can_be_read_two_ways_is_left_blank_and_said() -> None:
    learned = learn_names(["m1_05.11.2026_NT.mp4", "m1_05.11.2026_T.mp4"])
    assert [one.recorded for one in learned.placed] == ["", ""]
    assert any("two ways" in note for note in learned.notes)


def test_a_name_without_a_trial_and_a_second_take_are_listed() -> None:
    learned = learn_names(["m1_NT.mp4", "m1_T.mp4", "m1_T_copy.mp4", "m2_NT.mp4", "m2_T.mp4", "setup.mp4"])
    assert learned.unplaced == {
        "m1_T_copy.mp4": "a second target recording of m1, beside m1_T.mp4",
        "setup.mp4": "its name says neither trial",
    }


_WORDS = st.sampled_from(
    [("NT", "T"), ("notarget", "target"), ("no_target", "target"), ("empty", "CD1"), ("without", "with"), ("NoTarget", "Target"), ("no-social", "social"), ("absent", "present")]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    words=_WORDS,
    prefix=st.sampled_from(["m", "M", "A", "mouse", "", "C57"]),
    numbers=st.sets(st.integers(1, 99), min_size=2, max_size=12),
    width=st.sampled_from([1, 3]),
    separator=st.sampled_from(["_", "-", " "]),
    before=st.sampled_from(["", "2026-11-05", "20261105", "SI", "video"]),
    trial_first=st.booleans(),
)
def test_generated_schemes_are_read_as_they_were_made(
    words: tuple[str, str],
    prefix: str,
    numbers: set[int],
    width: int,
    separator: str,
    before: str,
    trial_first: bool,
) -> None:
    made = {}
    for number in numbers:
        subject = f"{prefix}{number:0{width}}"
        for word, trial in zip(words, ("no_target", "target"), strict=True):
            parts = [before, *((word, subject) if trial_first else (subject, word))]
            made[separator.join(part for part in parts if part) + ".mp4"] = (subject, trial)
    learned = learn_names(made)
    assert {one.file: (one.subject, one.trial) for one in learned.placed} == made


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="amTNt01_- /.", min_size=1, max_size=12), max_size=8))
def test_any_names_are_placed_or_listed(names: list[str]) -> None:
    files = {f"x{name.strip('/ .') or 'y'}.mp4".replace("//", "/") for name in names}
    learned = learn_names(files)
    assert {one.file for one in learned.placed} | set(learned.unplaced) == files
    assert len(learned.placed) + len(learned.unplaced) == len(files)
