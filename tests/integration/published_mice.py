"""ANCOVA against ratio in 761 published mice: how well each measure tells defeated (or witness) from control mice.

    python -m tests.integration.published_mice --data ../shared/data/behavior/FemaleStressPhenotype \
        --out docs/validation/integration-published-mice.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from behavior.animal_scores import score_animals
from integration.cohort import join_cohort
from integration.contrasts import compare_groups
from tests.integration.calibration import commit, markdown

ROLES = {"control": ["Ctl"], "defeated": ["Stress"]}
LABELS = {
    "iz_target_s": "target seconds", "si_difference_s": "target - no target", "si_ratio": "SI ratio",
    "si_index": "(T - NT) / (T + NT)", "log_si": "log SI", "corner_ratio": "corner ratio",
    "velocity_drop_cm_s": "velocity drop", "iz_no_target_s": "no-target seconds",
}  # fmt: skip


def separations(folder: Path, sex: str) -> dict[str, float]:
    """|d| between the two groups by measure; ANCOVA: adjusted difference over residual SD, without and with cohort."""
    raw = pd.read_csv(folder / "SIT_raw_primary.csv", dtype={"id_full": str})
    raw = raw[raw["Sex"] == sex]
    trials = pd.DataFrame(
        {
            "subject": raw["id_full"], "trial": raw["Trial_type"].map({"No Target": "no_target", "Target": "target"}),
            "iz_s": raw["IZ_time"], "corner_s": raw["Corner_time"], "velocity_cm_s": raw["Velocity"],
        }
    )  # fmt: skip
    subjects = raw.drop_duplicates("id_full")[["id_full", "cohort", "Condition"]]
    subjects.columns = ["subject", "cohort", "group"]
    animals = score_animals(trials, subjects=subjects, roles=ROLES).table
    found: dict[str, float] = {}
    for name, table in (("with cohort", subjects), ("", subjects.drop(columns="cohort"))):
        measures = animals.drop(columns=["cohort", "group"])
        result = compare_groups(join_cohort(subjects=table, animals=measures)).table
        part = result[result["comparison"] == "defeat"]
        welch = part[part["method"] == "welch_t"].set_index("measure")["effect"].abs()
        found |= {LABELS[measure]: welch[measure] for measure in LABELS}
        found[f"ANCOVA {name}".strip()] = part.loc[part["method"] == "ancova", "effect"].abs().iloc[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    by_sex = {sex: separations(options.data, sex) for sex in ("Male", "Female")}
    order = sorted(by_sex["Male"], key=lambda name: -by_sex["Male"][name])
    rows = [[name, *(f"{by_sex[sex][name]:.2f}" for sex in by_sex)] for name in order]
    text = f"""# ANCOVA against ratio in published mice

Separation of 216 defeated from 141 control males, and of 230 witness from 174 control females (heike-s/FemaleStressPhenotype):
|Hedges' g|, for ANCOVA the difference adjusted for no-target time over the residual SD. ANCOVA is best in defeated males and
is not in witness females, whose stress changes the no-target time itself; so both stand in every report.
Commit {commit()}; written by `python -m tests.integration.published_mice`.

{markdown(["measure", "males", "females"], rows)}
"""
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
