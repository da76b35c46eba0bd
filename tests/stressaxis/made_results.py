"""A results folder made of independent random numbers of plausible size, as the pipeline would leave it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from core.labels import file_stem

TH2 = ["Il4", "Il5", "Il13", "Il9", "Ccl11"]
PANEL = [*TH2, "Ifng", "Il2", "Il12b", "Tnf", "Il17a", "Il6", "Il1b", "Il10", "Csf2", "Ccl2", "Ccl3", "Cxcl1", "Csf3"]
ZONES = {
    "floor": [(0, 0), (42, 0), (42, 42), (0, 42)],
    "enclosure": [(16, 0), (26, 0), (26, 6.5), (16, 6.5)],
    "interaction": [(8, 0), (34, 0), (34, 14.5), (8, 14.5)],
    "corner_1": [(0, 33), (9, 33), (9, 42), (0, 42)],
    "corner_2": [(33, 33), (42, 33), (42, 42), (33, 42)],
}
PX_TO_CM = np.array([[0.1, 0.002, -11.0], [0.001, 0.1, -3.1], [0.0, 0.0, 1.0]])


def write_results(
    folder: Path,
    *,
    n_control: int = 4,
    n_defeated: int = 8,
    seed: int = 5,
    behavior: bool = True,
    serum: bool = True,
    simulated: bool = True,
    fps: float = 15.0,
    names: dict[int, str] | None = None,
) -> Path:
    """Write such a folder; ``names`` replaces the subject id at a position."""
    rng = np.random.default_rng(seed)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    animals, stress = _animals(rng, n_control, n_defeated, names or {})
    markers = _markers(rng, stress, animals)
    if behavior:
        _write(folder, "social_interaction", animals)
        _write(folder, "trials", _trials(rng, animals))
        _write(folder, "arenas", _arenas())
        _write(folder, "time_course", _time_course(rng, animals))
        _write_tracks(folder, rng, animals, fps)
    if serum:
        _write_serum(folder, rng, animals, markers)
    _write(folder, "cohort", animals.assign(plate="P1", sample="s_" + animals["subject"]))
    if behavior and serum:
        _write(folder, "association", _association(animals, markers))
    _write(folder, "group_counts", _group_counts(n_control, n_defeated))
    _write(folder, "group_comparisons", _comparisons(rng))
    _problems(animals).to_csv(folder / "problems.csv", index=False)
    (folder / "provenance.json").write_text(json.dumps(_provenance(simulated)), encoding="utf-8")
    return folder


def _write(folder: Path, name: str, table: pd.DataFrame) -> None:
    table.to_csv(folder / "tables" / f"{name}.csv", index=False, lineterminator="\n")


def _animals(
    rng: np.random.Generator, n_control: int, n_defeated: int, names: dict[int, str]
) -> tuple[pd.DataFrame, np.ndarray]:
    n = n_control + n_defeated
    role = np.array(["control"] * n_control + ["defeated"] * n_defeated)
    without = np.clip(rng.normal(60, 14, n), 12, 120)
    stress = rng.normal(size=n)
    target = np.where(role == "control", rng.normal(88, 14, n), 58 - 22 * stress + rng.normal(0, 12, n)).clip(1, 140)
    ratio = target / without
    velocity = rng.normal(7, 1.2, (2, n))
    corner = rng.gamma(4, 5, (2, n))
    return pd.DataFrame(
        {
            "subject": [names.get(i, f"m{i + 1:02d}") for i in range(n)],
            "sex": "M",
            "strain": "C57BL/6J",
            "cage": [f"c{i // 2}" for i in range(n)],
            "cohort": np.where(np.arange(n) % 2, "B", "A"),
            "group": np.where(role == "control", "control", "defeat"),
            "role": role,
            "treatment": "",
            "iz_no_target_s": without,
            "iz_target_s": target,
            "si_ratio": ratio,
            "si_difference_s": target - without,
            "si_narrow": ratio * rng.normal(1, 0.05, n),
            "si_first_120_s": ratio * rng.normal(1, 0.1, n),
            "si_index": (target - without) / (target + without),
            "si_target_share": target / (target + without),
            "log_si": np.log(ratio),
            "target_residual_s": target - 50,
            "corner_no_target_s": corner[0],
            "corner_target_s": corner[1],
            "corner_ratio": corner[1] / corner[0],
            "velocity_no_target_cm_s": velocity[0],
            "velocity_target_cm_s": velocity[1],
            "velocity_drop_cm_s": velocity[0] - velocity[1],
            "distance_no_target_cm": velocity[0] * 150,
            "distance_target_cm": velocity[1] * 150,
            "class": np.where(role == "control", "", np.where(ratio < 1, "SUS", "RES")),
            "class_target_60s": np.where(role == "control", "", np.where((ratio >= 1) & (target >= 60), "RES", "SUS")),
            "class_band": np.where(
                role == "control", "", np.where(ratio < 0.9, "SUS", np.where(ratio > 1.1, "RES", "indeterminate"))
            ),
            "excluded": "",
            "note": "",
        }
    ), stress


def _markers(rng: np.random.Generator, stress: np.ndarray, animals: pd.DataFrame) -> pd.DataFrame:
    values = {name: 5 + 0.6 * stress * (name in TH2) + rng.normal(0, 0.7, len(animals)) for name in PANEL}
    values["Th2"] = stress + rng.normal(0, 0.8, len(animals))
    values["Th1"] = rng.normal(0, 0.8, len(animals))
    return pd.DataFrame(values, index=animals.index)


def _trials(rng: np.random.Generator, animals: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for place, mouse in animals.iterrows():
        for trial in ("no_target", "target"):
            lost = float(rng.choice([0.0, 0.1, 0.4, 1.2])) if place else 12.5
            rows.append(
                {
                    "subject": mouse["subject"], "trial": trial, "file": f"{mouse['subject']}_{trial}.mp4",
                    "start_s": 4.2, "release_found": place != 1, "window_s": 150.0,
                    "scored_s": 150.0 if place != 2 else 141.0, "observed_s": 150 * (1 - lost / 100),
                    "lost_percent": lost, "iz_raw_s": mouse[f"iz_{trial}_s"], "iz_s": mouse[f"iz_{trial}_s"],
                    "iz_share": mouse[f"iz_{trial}_s"] / 150, "corner_raw_s": 20.0, "corner_s": 20.0,
                    "iz_entries": int(rng.integers(3, 20)), "corner_entries": 4, "iz_latency_s": float(rng.gamma(2, 4)),
                    "iz_latency_censored": False, "iz_mean_bout_s": 4.0, "iz_longest_bout_s": 12.0,
                    "distance_cm": 1000.0, "distance_raw_cm": 1090.0, "velocity_cm_s": 6.7, "immobile_s": 20.0,
                    "immobile_percent": 13.0, "enclosure_distance_cm": 16.0, "enclosure_percent": 0.4,
                    "note": "release_not_found" if place == 1 else "",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _time_course(rng: np.random.Generator, animals: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {"subject": subject, "trial": trial, "bin": place + 1, "start_s": 10.0 * place, "scored_s": 10.0, "observed_s": 10.0,
         "iz_raw_s": float(rng.uniform(0, 10))}
        for subject in animals["subject"] for trial in ("no_target", "target") for place in range(15)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _arenas() -> pd.DataFrame:
    rows = [
        {"arena": "box 1", "zone": zone, "vertex": place, "x_cm": x, "y_cm": y}
        for zone, corners in ZONES.items()
        for place, (x, y) in enumerate(corners)
    ]
    return pd.DataFrame(rows)


def _write_tracks(folder: Path, rng: np.random.Generator, animals: pd.DataFrame, fps: float) -> None:
    (folder / "tracks").mkdir(exist_ok=True)
    n = int(160 * fps)
    back = np.linalg.inv(PX_TO_CM)
    for subject in animals["subject"]:
        for trial in ("no_target", "target"):
            goal = np.repeat(rng.uniform(3, 39, (n // 30 + 1, 2)), 30, axis=0)[:n]
            xy = np.empty((n, 2))
            xy[0] = goal[0]
            for i in range(1, n):
                xy[i] = xy[i - 1] + 0.06 * (goal[i] - xy[i - 1]) + rng.normal(0, 0.08, 2)
            px = np.column_stack([xy, np.ones(n)]) @ back.T
            position = (px[:, :2] / px[:, 2:])[:, :, None, None]
            position[int(30 * fps) : int(32 * fps)] = np.nan
            ds = xr.Dataset(
                {"position": (("time", "space", "keypoint", "individual"), position)},
                coords={
                    "time": np.arange(n) / fps, "space": ["x", "y"], "keypoint": ["centre"], "individual": ["subject"]
                },
                attrs={
                    "fps": fps, "source_file": f"{subject}.mp4", "px_to_cm": json.dumps(PX_TO_CM.tolist()),
                    "arena": "box 1", "subject": subject, "trial": trial, "space_unit": "px",
                },
            )  # fmt: skip
            ds.to_netcdf(folder / "tracks" / f"{file_stem(subject, trial)}.nc", engine="h5netcdf")


def _write_serum(folder: Path, rng: np.random.Generator, animals: pd.DataFrame, markers: pd.DataFrame) -> None:
    samples = "s_" + animals["subject"]
    scores = [
        {"sample": sample, "subject": subject, "axis": axis, "score": score, "n_members": 4, "note": ""}
        for axis, values in {
            "Th2": markers["Th2"],
            "Th1": markers["Th1"],
            "Th17": rng.normal(size=len(animals)),
        }.items()
        for sample, subject, score in zip(samples, animals["subject"], values, strict=True)
    ]
    _write(folder, "axis_scores", pd.DataFrame(scores))
    members = [
        {
            "axis": "Th2",
            "role": "core",
            "symbol": s,
            "protein": s,
            "status": "used",
            "detected_share": rng.uniform(0.6, 1),
        }
        for s in TH2
    ]
    members += [
        {"axis": "Th2", "symbol": "Il31", "protein": "", "status": "not on panel", "detected_share": np.nan},
        {"axis": "Th1", "symbol": "Ifng", "protein": "Ifng", "status": "used", "detected_share": 0.9},
        {"axis": "Th1", "symbol": "Il12b", "protein": "Il12b", "status": "not detected", "detected_share": 0.2},
        {"axis": "Th17", "symbol": "Il17a", "protein": "Il17a", "status": "used", "detected_share": 0.8},
        {"axis": "vascular", "symbol": "Selp", "protein": "", "status": "not on panel", "detected_share": np.nan},
    ]
    _write(folder, "axis_members", pd.DataFrame(members))
    _write(folder, "differential_SUS_vs_RES", _differential(rng, 5, 3))
    _write(folder, "differential_defeated_vs_control", _differential(rng, 8, 4))
    _write(folder, "differential_per_target_s", _differential(rng, 8, 0, scale=0.01))
    quality = pd.DataFrame(
        {
            "sample": samples, "plate": "P1", "n_measured": rng.integers(14, 19, len(animals)),
            "detected_share": 0.9, "median": rng.normal(0, 0.2, len(animals)), "iqr": 0.5, "qc_warnings": 0,
            "outlier": ["median"] + [""] * (len(animals) - 1),
        }
    )  # fmt: skip
    _write(folder, "serum_quality", quality)
    _write(
        folder,
        "protein_quality",
        pd.DataFrame({"protein": PANEL, "symbol": PANEL, "detected_share": rng.uniform(0.2, 1, len(PANEL))}),
    )


def _differential(rng: np.random.Generator, n_1: int, n_0: int, scale: float = 1.0) -> pd.DataFrame:
    logfc = np.where(np.isin(PANEL, TH2), 0.9, 0.0) + rng.normal(0, 0.3, len(PANEL))
    t = logfc / 0.3
    p = np.clip(np.exp(-(t**2) / 1.6), 1e-8, 1)
    order = np.argsort(p)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    return pd.DataFrame(
        {"protein": PANEL, "symbol": PANEL, "uniprot": [f"P{i:05d}" for i in range(len(PANEL))],
         "logfc": scale * logfc, "se": scale * 0.3, "t": t, "df": 9.4, "p": p, "q": q.clip(0, 1), "n_1": n_1, "n_0": n_0}
    )  # fmt: skip


def _association(animals: pd.DataFrame, markers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for subset, chosen in (("defeated", animals["role"] == "defeated"), ("all", animals["role"] != "")):
        mice, n = animals[chosen], int(chosen.sum())
        for outcome in ("target_time", "si_ratio", "velocity_drop"):
            column = {"target_time": "iz_target_s", "velocity_drop": "velocity_drop_cm_s"}.get(outcome, outcome)
            covariates = [mice["cohort"] == "B"]
            covariates += [mice["iz_no_target_s"]] if outcome == "target_time" else []
            covariates += [mice["role"] == "control"] if subset == "all" else []
            terms = " + ".join(["marker", *(["iz_no_target_s"] if outcome == "target_time" else []), "cohort",
                                *(["group"] if subset == "all" else [])])  # fmt: skip
            for marker in ["Th2", "Th1", *PANEL]:
                z = markers.loc[chosen, marker]
                found = _slope(mice[column], (z - z.mean()) / z.std(), covariates)
                in_set = marker in TH2
                rows.append(
                    {
                        "subset": subset, "outcome": outcome, "marker": marker, "symbol": marker,
                        "kind": "axis" if marker in ("Th2", "Th1") else "protein",
                        "method": "ancova" if outcome == "target_time" else "linear_model", "n": n, **found,
                        "q_set": min(1, found["p"] * 3) if in_set else np.nan, "q_panel": min(1, found["p"] * 6),
                        "effect_name": "partial r", "smallest_detectable": 0.7, "in_set": in_set, "model": f"{column} ~ {terms}", "note": "",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def _slope(y: pd.Series, z: pd.Series, covariates: list[pd.Series]) -> dict[str, float]:
    x = np.column_stack([z, np.ones(len(z)), *covariates]).astype(float)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - x.shape[1]
    residual = y - x @ beta
    se = float(np.sqrt(residual @ residual / df * np.linalg.inv(x.T @ x)[0, 0]))
    t, reach = beta[0] / se, stats.t.ppf(0.975, df) * se
    return {
        "estimate": beta[0], "se": se, "ci_low": beta[0] - reach, "ci_high": beta[0] + reach, "statistic": t, "df": df,
        "p": 2 * stats.t.sf(abs(t), df), "effect": t / np.sqrt(t**2 + df),
    }  # fmt: skip


def _group_counts(n_control: int, n_defeated: int) -> pd.DataFrame:
    rows = []
    for group, n in (("control", n_control), ("defeat", n_defeated)):
        rows += [
            {"group": group, "stage": "listed", "n": n + 1, "reason": ""},
            {"group": group, "stage": "recorded", "n": n, "reason": "1 without scored recordings: m99"},
            {"group": group, "stage": "not excluded", "n": n, "reason": ""},
            {"group": group, "stage": "serum", "n": n, "reason": ""},
            {"group": group, "stage": "analysed: target_time (all)", "n": n, "reason": ""},
        ]
    return pd.DataFrame(rows)


def _comparisons(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for measure in ("si_ratio", "iz_target_s", "corner_target_s", "velocity_drop_cm_s"):
        for comparison, one, zero in (("defeat", "defeated", "control"), ("class", "SUS", "RES")):
            d = float(rng.normal(-0.5, 0.5))
            rows.append(
                {"measure": measure, "comparison": comparison, "group_1": one, "group_0": zero, "method": "welch_t",
                 "n": 12, "n_1": 8, "n_0": 4, "mean_1": 1.0, "sd_1": 0.2, "mean_0": 1.2, "sd_0": 0.3, "estimate": d * 5,
                 "se": 1.8, "ci_low": d * 5 - 4, "ci_high": d * 5 + 4, "statistic": d, "df": 8.1,
                 "p": float(rng.uniform(0, 1)), "effect": d, "effect_name": "Hedges g", "effect_ci_low": d - 1,
                 "effect_ci_high": d + 1, "smallest_detectable": 1.9, "note": ""}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _problems(animals: pd.DataFrame) -> pd.DataFrame:
    first = animals["subject"].iloc[0]
    rows = [
        ("warning", "lost_frames", first, f"{first}_no_target.mp4", "", "12.5 % of frames lost", "scored, flagged"),
        ("warning", "release_not_found", animals["subject"].iloc[1], "", "", "nobody leaves the arena", "whole file"),
        ("error", "cannot_read", "m99", "m99_target.mp4", "", "0 bytes", "left out"),
        ("excluded", "unused_bleed", first, "", "", "2 bleeds", "the last before the SI test is used"),
    ]
    return pd.DataFrame(rows, columns=["severity", "code", "subject", "file", "where", "message", "action"])


def _provenance(simulated: bool) -> dict[str, object]:
    return {
        "name": "made results",
        "stressaxis_version": "0.1.0",
        "started": "2026-11-25T10:00:00+00:00",
        "finished": "2026-11-25T10:03:10+00:00",
        "duration_s": 190.2,
        "seed": 5,
        "config": {"schema": 1, "name": "made results", "behavior": {"scoring": {"window_s": 150, "point": "centre"}}},
        "config_sha": "ab" * 16,
        "declared": {"primary_outcome": "iz_target_s", "th2_set": TH2, "exclusions": [], "fingerprint": "cd" * 16},
        "inputs": [{"path": f"m{i:02d}.mp4", "bytes": 12345, "blake2": "ef" * 16} for i in range(9)],
        "versions": {"python": "3.11.7", "numpy": "2.4.6", "xarray": "2026.9.0", "scikit-image": "0.26.0",
                     "opencv-python": "5.0.0.93", "av": "18.1.0", "pingouin": "0.7.0", "pandas": "3.1.1"},
        "machine": {"system": "Linux", "cpus": 2},
        "tasks": {"done": 70, "reused": 0, "failed": 1},
        "simulated": {"planted_correlation": -0.6, "power": 0.83, "description": "random numbers of plausible size"}
        if simulated
        else None,
    }  # fmt: skip
