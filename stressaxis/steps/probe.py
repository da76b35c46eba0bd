"""Step: what a recording says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from stressaxis.stepfiles import write_facts

__all__ = ["FACTS", "probe_recording"]

FACTS = "recording.json"


def probe_recording(output: Path, *, needs: Mapping[str, Path | None], path: str) -> None:
    """Open a recording, decode its first frame, write size, length and coding to ``recording.json``.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    from behavior.video import probe

    facts = asdict(probe(path))
    facts.pop("file")
    write_facts(facts, output / FACTS)
