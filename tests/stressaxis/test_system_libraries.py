"""Where OpenCV's system libraries are missing, every command says which line brings them, and nothing else."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest

from tests.stressaxis.conftest import Command


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--small", "--out", "OUT"),
        ("simulate", "OUT"),
        ("run", "nothing.yaml"),
        ("check", "nothing.yaml"),
        ("track", "nothing.mp4", "--out", "OUT/track.csv"),
    ],
)
def test_the_line_for_an_administrator(
    arguments: tuple[str, ...], stressaxis: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    whole_import = builtins.__import__

    def without_opencv(name: str, *rest: Any, **named: Any) -> Any:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
        return whole_import(name, *rest, **named)

    # Modules that were imported with OpenCV must be imported anew, as in a process that never had it.
    for name in [name for name in sys.modules if name.split(".")[0] in ("cv2", "behavior")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "stressaxis.simulation", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_opencv)
    said = stressaxis(*(argument.replace("OUT", str(tmp_path / "out")) for argument in arguments))
    assert said.status == 2
    assert "apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libxcb1" in said.err
    assert "Traceback" not in said.text
