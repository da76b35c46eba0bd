"""A small experiment that is right, to be spoilt in one place by each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import configs

CONFIG = """\
schema: 1
name: small
roles:
  control: [CON]
  defeated: [DEF]
subjects: subjects.csv
behavior:
  trials: trials.csv
  arenas:
    box: {floor_px: [73, 49, 497, 473]}
  scoring:
    window_s: 120
  exclude:
    subjects: {m02: bite wound}
serum:
  file: serum.csv
  samples: serum_samples.csv
  species: mouse
statistics:
  primary_outcome: si_ratio
  th2_set: [Il4, Il5]
"""

SUBJECTS = """\
subject,sex,cage,cohort,group,si_date
m01,m,7,A,CON,2026-11-05
m02,f,8,A,DEF,2026-11-05
007,f,08,B,DEF,2026-11-06
m10,m,9,B,CON,2026-11-06
"""

TRIALS = """\
subject,trial,file,start_s,end_s
m01,no_target,a1.mp4,,
m01,target,a2.mp4,,
m02,no_target,b1.mp4,2.5,160
m02,target,b2.mp4,,
007,no_target,c1.mp4,,
007,target,c2.mp4,,
m10,no_target,d1.mp4,,
m10,target,d2.mp4,,
"""

SAMPLES = """\
sample,subject,bleed,plate,well,type
s1,m01,2026-11-07 10:30,P1,A1,sample
s2,m02,2026-11-07,P1,A2,
s3,007,2026-11-08,P2,A1,sample
s4,m10,2026-11-08,P2,A2,sample
c1,,,P1,A3,control
"""

FILES = {
    "config.yaml": CONFIG,
    "subjects.csv": SUBJECTS,
    "trials.csv": TRIALS,
    "serum_samples.csv": SAMPLES,
    "serum.csv": "sample,Il4\ns1,1\n",
}


class Study:
    """The files of an experiment in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        for row in TRIALS.splitlines()[1:]:
            name = row.split(",")[2]
            (folder / name).write_text(f"pictures of {name}")

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name

    def spoil(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a file that is there exactly once."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def load(self) -> configs.Experiment:
        return configs.load(self.config)

    def mistakes(self, read: Callable[[], object] | None = None) -> tuple[configs.Fault, ...]:
        """All mistakes that loading (and then ``read``) tells."""
        with pytest.raises(configs.ExperimentError) as caught:
            (read or self.load)()
        assert "Traceback" not in str(caught.value)
        return caught.value.faults

    def table_mistakes(self) -> tuple[configs.Fault, ...]:
        experiment = self.load()
        return self.mistakes(lambda: configs.read_tables(experiment))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)
