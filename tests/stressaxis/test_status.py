"""Status names what changed; clean removes what nothing reaches, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from stressaxis import fingerprint
from stressaxis.store import Store
from tests.stressaxis.conftest import Command


@pytest.fixture
def done(tiny: Path, tmp_path: Path, stressaxis: Command) -> Path:
    """A finished run of the tiny experiment."""
    assert stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "out").status == 0
    return tmp_path / "out"


@pytest.mark.slow
def test_status_says_what_changed_and_clean_removes_what_is_unreachable(
    tiny: Path, tmp_path: Path, done: Path, stressaxis: Command
) -> None:
    config = tiny / "experiment.yaml"
    assert "a run would redo nothing" in stressaxis("status", config, "--out", done).out
    told = stressaxis("status", config, "m01_target", "--out", done).out
    assert "track videos/m01_target.mp4" in told
    assert told.count("done, will be reused") == 6
    assert (
        "8 recordings: 8 done, 0 to do, 0 failed, 0 cannot be found" in stressaxis("status", config, "--out", done).out
    )

    # a changed key is named with both values; tracks do not depend on it
    text = config.read_text()
    config.write_text(text.replace("behavior:\n", "behavior:\n  geometry: {zone_margin_cm: 6}\n"))
    told = stressaxis("status", config, "m01_target", "--out", done).out
    assert "score m01: will be done: behavior.geometry.zone_margin_cm: 8.0 before, 6.0 now" in told
    assert told.count("done, will be reused") == 2  # opened and tracked
    assert "24 stay" in stressaxis("clean", config, "--out", done, "--dry-run").out  # the last run's results stay

    stressaxis("run", config, "--out", done)
    before = Store(done / ".work" / "store").all_keys()
    assert len(before) == 31
    assert "7 results would be removed" in stressaxis("clean", config, "--out", done, "--dry-run").out
    assert Store(done / ".work" / "store").all_keys() == before
    said = stressaxis("clean", config, "--out", done)
    assert "7 results removed" in said.out
    assert "24 stay" in said.out
    assert len(Store(done / ".work" / "store").all_keys()) == 24
    assert "a run would redo nothing" in stressaxis("status", config, "--out", done).out


@pytest.mark.slow
def test_a_changed_version_a_changed_recording_a_missing_one_and_an_unknown_name(
    tiny: Path, done: Path, stressaxis: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fingerprint._version
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "_version", lambda name: "numpy 99.0" if name == "numpy" else real(name))
        fingerprint.code_parts.cache_clear()
        fingerprint.code_fingerprint.cache_clear()
        told = stressaxis("status", tiny / "experiment.yaml", "m01_target", "--out", done).out
    fingerprint.code_parts.cache_clear()
    fingerprint.code_fingerprint.cache_clear()
    assert "before, numpy 99.0 now" in told

    config, video = tiny / "experiment.yaml", tiny / "videos" / "m01_target.mp4"
    other = (tiny / "videos" / "m02_target.mp4").read_bytes()
    video.unlink()
    assert "1 cannot be found" in stressaxis("status", config, "--out", done).out
    # the drive may only be unplugged: nothing is lost
    said = stressaxis("clean", config, "--out", done)
    assert "0 results removed" in said.out
    assert "videos/m01_target.mp4" in said.out
    video.write_bytes(other)
    assert "touched since the last run" in stressaxis("status", config, "--out", done).out
    told = stressaxis("status", config, "videos/m01_target.mp4", "--out", done).out
    assert "the content of videos/m01_target.mp4 changed" in told
    said = stressaxis("status", config, "m01_targte.mp4", "--out", done)
    assert said.status == 2
    assert "did you mean" in said.err
