"""A simulated study of people and mice with known truth: profiles of three diseases, drugs before and after, mice.

It has the sizes of the study that this software was made for: 25 people with depression (MDD), 30 with atopic
dermatitis (AD), 21 with psoriasis, 32 healthy (HC), 363 serum proteins on four panels; patients of AD and psoriasis are
measured once more after a drug; mice with and without defeat are given an antibody to IL-4R alpha or its isotype.

Level of protein j of person i at a visit, log2 (NPX)::

    base_j + sd_j (shift_j(disease) - share_j(drug) shift_j(disease) + own_j(drug)
                   + a_j age + b_j sex + lasting_ij sqrt(r) + visit_ij sqrt(1 - r)) + plate_j + noise_ij

``lasting`` and ``visit`` are correlated over proteins by common factors; r is the correlation of two visits. The four
shifts are planted as :class:`StudyOptions` says; with ``planted=False`` all of them are zero, and mice on the antibody
behave as those on the isotype. Nothing here is used by, or uses, what analyses it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.simulation.movement import simulate_paths, zone_seconds
from proteomics.axes import axis_members
from proteomics.simulation.factor_model import SerumSimulation
from proteomics.simulation.olink import OlinkOptions, olink_long, write_olink_long
from stressaxis.atomic import write_text
from stressaxis.simulated_mice import MiceOptions, draw_mice

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "DRUGS",
    "STUDY_SEED",
    "Drug",
    "SimulatedPeople",
    "StudyOptions",
    "simulate_mice",
    "simulate_people",
    "write_study",
]

#: Fixed before any result of it was looked at.
STUDY_SEED = 20261106
PANELS = ("Cardiometabolic", "Immune response", "Inflammation", "Organ damage")
_WINDOW_S = 150.0


@dataclass(frozen=True, kw_only=True)
class Drug:
    """One drug: who is treated, and what it does.

    Attributes
    ----------
    name, disease, patients
        Its name, the group from which its patients come, their number.
    th2, rest
        Share of the disease's shift that it takes away, of Th2 proteins and of all others.
    axis, axis_share
        A further axis and the share that it takes away there.
    own
        Shifts of its own by symbol, SD.
    """

    name: str
    disease: str
    patients: int
    th2: float = 0.0
    rest: float = 0.0
    axis: str = ""
    axis_share: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)


#: Five drugs; an antibody to IL-4R alpha raises IL-4 and IL-13, which are no longer taken up, and masks soluble IL-4R.
DRUGS = (
    Drug(name="dupilumab", disease="AD", patients=14, th2=0.8, rest=0.7, own={"IL4": 0.8, "IL13": 0.8, "IL4R": -0.8}),
    Drug(name="ciclosporin", disease="AD", patients=8, th2=0.25, rest=0.25),
    Drug(name="placebo", disease="AD", patients=8),
    Drug(name="anti-IL-17A", disease="psoriasis", patients=11, rest=0.3, axis="Th17_Th22", axis_share=0.8),
    Drug(name="anti-TNF", disease="psoriasis", patients=10, rest=0.3, axis="Th17_Th22", axis_share=0.5),
)


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Design and planted truth.

    Attributes
    ----------
    planted
        False: no disease, drug or antibody shifts anything.
    n_hc, n_mdd, n_ad, n_psoriasis, n_proteins
        People and proteins.
    th2_mdd, th2_ad
        Shift of every Th2 protein (core and extended), SD.
    th17_psoriasis, th1_psoriasis
        Shift of the Th17/Th22 and Th1 proteins in psoriasis, SD.
    n_shared, shared_mdd, shared_ad
        Further proteins that MDD and AD share, and the size of their shifts (up and down), SD.
    n_own, own_shift
        Proteins of each disease alone, and the size of their shifts, SD.
    retest
        Correlation of two visits of one person.
    drugs
        The drugs.
    mice_per_cell, n_cohorts
        Mice of each of defeat x treatment, and cohorts over which they are spread.
    antibody_effect
        By how much the antibody lowers the avoidance of the target in defeated mice (log-odds; one SD of stress
        raises it by .55).
    """

    planted: bool = True
    n_hc: int = 32
    n_mdd: int = 25
    n_ad: int = 30
    n_psoriasis: int = 21
    n_proteins: int = 363
    th2_mdd: float = 0.8
    th2_ad: float = 1.0
    th17_psoriasis: float = 1.1
    th1_psoriasis: float = 0.5
    n_shared: int = 60
    shared_mdd: float = 0.7
    shared_ad: float = 0.8
    n_own: int = 40
    own_shift: float = 0.7
    retest: float = 0.7
    drugs: tuple[Drug, ...] = DRUGS
    mice_per_cell: int = 16
    n_cohorts: int = 2
    antibody_effect: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.retest < 1:
            raise ValueError(f"retest is {self.retest}; it lies from 0 to below 1")
        if min(self.n_hc, self.n_mdd, self.n_ad, self.n_psoriasis, self.mice_per_cell) < 4:
            raise ValueError("every group has at least 4 members")
        least = len(_known_symbols()) + self.n_shared + 3 * self.n_own
        if self.n_proteins < least:
            raise ValueError(f"n_proteins is {self.n_proteins}; the planted ones alone are {least}")
        for disease, size in (("AD", self.n_ad), ("psoriasis", self.n_psoriasis)):
            if (treated := sum(drug.patients for drug in self.drugs if drug.disease == disease)) > size:
                raise ValueError(f"{treated} patients are treated, there are {size} with {disease}")

    def sizes(self) -> dict[str, int]:
        """People by group."""
        return {"HC": self.n_hc, "MDD": self.n_mdd, "AD": self.n_ad, "psoriasis": self.n_psoriasis}


@dataclass(frozen=True, eq=False)
class SimulatedPeople:
    """``levels`` (samples x proteins, NPX), ``samples`` (one row each), ``truth`` (shifts per protein), ``lod``."""

    levels: pd.DataFrame
    samples: pd.DataFrame
    truth: pd.DataFrame
    lod: pd.Series[float]


def _known_symbols() -> dict[str, str]:
    """Symbol to accession of every axis member."""
    return {each.human_symbol: each.uniprot for each in axis_members("human") if each.human_symbol}


def _axis(name: str) -> list[str]:
    return [each.human_symbol for each in axis_members("human") if each.axis == name and each.human_symbol]


def simulate_people(options: StudyOptions | None = None, *, seed: int) -> SimulatedPeople:
    """Draw everybody's levels, before and, where treated, after.

    Examples
    --------
    >>> people = simulate_people(seed=1)
    >>> people.levels.shape, people.samples["group"].value_counts().to_dict()["MDD"]
    ((159, 363), 25)
    """
    import pandas as pd

    options = options or StudyOptions()
    rng = np.random.default_rng([seed, 77])
    truth = _truth(options, rng)
    people = _people(options, rng)
    samples = _samples(people, options)
    shifts = {name: truth[f"shift_{name}_sd"].to_numpy() for name in options.sizes() if name != "HC"}
    zero = np.zeros(len(truth))
    persons = _lasting(len(people), len(truth), rng)
    row_of = {name: row for row, name in enumerate(people["subject"])}
    rows = np.array([row_of[name] for name in samples["subject"]])
    age = (samples["age"].to_numpy(dtype=np.float64) - 40) / 12
    sex = (samples["sex"] == "female").to_numpy(dtype=np.float64)
    level = np.outer(age, truth["age_sd"]) + np.outer(sex, truth["sex_sd"])
    level += np.sqrt(options.retest) * persons[rows]
    level += np.sqrt(1 - options.retest) * _lasting(len(samples), len(truth), rng)
    level += np.array([shifts.get(name, zero) for name in samples["disease"]])
    for drug in options.drugs:
        treated = ((samples["drug"] == drug.name) & (samples["time"] == "after")).to_numpy()
        level[treated] += truth[f"drug_{drug.name}_sd"].to_numpy()
    measured = truth["base_npx"].to_numpy() + truth["sd_npx"].to_numpy() * level
    measured = measured + _plates(samples["plate"], len(truth), rng) + 0.12 * rng.standard_normal(level.shape)
    levels = pd.DataFrame(measured, samples["sample"].tolist(), truth["protein"].tolist())
    lod = pd.Series(truth["lod_npx"].to_numpy(), truth["protein"].tolist())
    return SimulatedPeople(levels, samples, truth, lod)


def _truth(options: StudyOptions, rng: np.random.Generator) -> pd.DataFrame:
    """One row per protein: panel, level, spread, every planted shift."""
    import pandas as pd

    known = _known_symbols()
    extra = options.n_proteins - len(known)
    names = [*known, *(f"SIM{number:03d}" for number in range(1, extra + 1))]
    n = len(names)
    order = rng.permutation(n)
    table = pd.DataFrame({"protein": names, "uniprot": [known.get(name, "") for name in names]})
    table["panel"] = np.array([PANELS[k % len(PANELS)] for k in range(n)])[order]
    table["base_npx"] = rng.uniform(2.5, 10, n).round(3)
    table["sd_npx"] = rng.uniform(0.45, 0.9, n).round(3)
    rare = table["protein"].isin(["IL4", "IL5", "IL13", "IL33", "TSLP", "IL31", "IL17A", "IL22"])
    below = np.where(rare, rng.uniform(0.1, 0.3, n), 0.01)
    table["lod_npx"] = table["base_npx"] + table["sd_npx"] * _normal_quantile(below)
    table["age_sd"] = np.where(rng.random(n) < 0.2, rng.normal(0, 0.25, n), 0.0).round(3)
    table["sex_sd"] = np.where(rng.random(n) < 0.2, rng.normal(0, 0.4, n), 0.0).round(3)
    shifts = _planted(options, names, rng)
    scale = 1.0 if options.planted else 0.0
    for disease, by_symbol in shifts.items():
        table[f"shift_{disease}_sd"] = [scale * by_symbol.get(name, 0.0) for name in names]
    th2 = set(_axis("Th2"))
    for drug in options.drugs:
        axis = set(_axis(drug.axis)) if drug.axis else set()
        share = [drug.axis_share if name in axis else drug.th2 if name in th2 else drug.rest for name in names]
        own = np.array([scale * drug.own.get(name, 0.0) for name in names])
        table[f"drug_{drug.name}_sd"] = own - np.array(share) * table[f"shift_{drug.disease}_sd"]
    return table


def _planted(options: StudyOptions, names: Sequence[str], rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Disease to symbol to shift, SD."""
    free = [name for name in names if name.startswith("SIM")]
    drawn = rng.permutation(free).tolist()
    shared, drawn = drawn[: options.n_shared], drawn[options.n_shared :]
    own = {
        name: drawn[k * options.n_own : (k + 1) * options.n_own] for k, name in enumerate(("MDD", "AD", "psoriasis"))
    }
    sign = {name: float(rng.choice([-1.0, 1.0])) for name in free}
    result: dict[str, dict[str, float]] = {
        "MDD": dict.fromkeys(_axis("Th2"), options.th2_mdd)
        | {name: sign[name] * options.shared_mdd for name in shared},
        "AD": dict.fromkeys(_axis("Th2"), options.th2_ad) | {name: sign[name] * options.shared_ad for name in shared},
        "psoriasis": dict.fromkeys(_axis("Th17_Th22"), options.th17_psoriasis)
        | dict.fromkeys(_axis("Th1"), options.th1_psoriasis),
    }
    for disease, members in own.items():
        result[disease] |= {name: sign[name] * options.own_shift for name in members}
    return result


def _normal_quantile(share: Array) -> Array:
    from scipy.special import ndtri

    found: Array = ndtri(share)
    return found


def _people(options: StudyOptions, rng: np.random.Generator) -> pd.DataFrame:
    import pandas as pd

    groups = [name for name, size in options.sizes().items() for _ in range(size)]
    n = len(groups)
    return pd.DataFrame(
        {
            "subject": [f"P{number:03d}" for number in rng.permutation(n) + 1],
            "disease": groups,
            "age": rng.integers(20, 61, n),
            "sex": np.where(rng.random(n) < 0.55, "female", "male"),
            "bmi": rng.normal(25, 3.5, n).round(1),
            # Plates are dealt within groups, and both visits of a person lie on one plate.
            "plate": [f"plate {1 + k % 2}" for k in range(n)],
        }
    )


def _samples(people: pd.DataFrame, options: StudyOptions) -> pd.DataFrame:
    """One row per sample; a person's group stands with the first one only."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    waiting = {name: [drug for drug in options.drugs if drug.disease == name for _ in range(drug.patients)]
               for name in options.sizes()}  # fmt: skip
    for row in people.to_dict("records"):
        person = {str(name): value for name, value in row.items()}
        drugs = waiting[person["disease"]]
        drug = drugs.pop(0).name if drugs else ""
        facts = {"group": person["disease"], "drug": drug, "time": "before" if drug else ""}
        first = {"sample": f"{person['subject']}-1", **person, **facts}
        rows.append(first)
        if drug:
            rows.append(first | {"sample": f"{person['subject']}-2", "group": "", "time": "after"})
    return pd.DataFrame(rows).sort_values("sample", ignore_index=True)


def _lasting(n: int, proteins: int, rng: np.random.Generator) -> Array:
    """(n, proteins) standard normal rows, proteins moving together by eight factors of a fixed pattern."""
    pattern = np.random.default_rng(4)
    loadings = pattern.normal(0, 0.25, (8, proteins))
    unique = np.sqrt(np.maximum(1 - (loadings**2).sum(axis=0), 0.1))
    total = np.sqrt((loadings**2).sum(axis=0) + unique**2)
    drawn: Array = (rng.standard_normal((n, 8)) @ loadings + unique * rng.standard_normal((n, proteins))) / total
    return drawn


def _plates(plate: pd.Series[str], proteins: int, rng: np.random.Generator) -> Array:
    effects = {name: 0.15 * rng.standard_normal(proteins) for name in sorted(set(plate))}
    return np.array([effects[name] for name in plate])


def simulate_mice(options: StudyOptions | None = None, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mice of defeat x treatment and what a program would have measured in their two trials.

    Returns
    -------
    DataFrame, DataFrame
        The subjects; and ``subject, no_target_zone_s, target_zone_s, no_target_velocity_cm_s``.
    """
    import pandas as pd

    options = options or StudyOptions()
    rng = np.random.default_rng([seed, 78])
    cells = [(group, treatment) for group in ("control", "defeated") for treatment in ("isotype", "anti-IL-4Ra")]
    rows = [(*cell, f"C{1 + k % options.n_cohorts}") for cell in cells for k in range(options.mice_per_cell)]
    order = rng.permutation(len(rows))
    subjects = pd.DataFrame([rows[k] for k in order], columns=["group", "treatment", "cohort"])
    subjects.insert(0, "subject", [f"m{number:02d}" for number in range(1, len(rows) + 1)])
    first = dt.date(2026, 4, 14)
    subjects["si_date"] = [
        (first + dt.timedelta(weeks=6 * (int(name[1:]) - 1))).isoformat() for name in subjects["cohort"]
    ]
    model = MiceOptions()
    level = dict(
        zip(sorted(set(subjects["cohort"])), model.cohort_sd * rng.standard_normal(options.n_cohorts), strict=True)
    )
    shift = subjects["cohort"].map(level).to_numpy(dtype=np.float64)
    defeated = (subjects["group"] == "defeated").to_numpy()
    mice = draw_mice(defeated, cohort_shift=shift, rng=rng, options=model)
    helped = defeated & (subjects["treatment"] == "anti-IL-4Ra").to_numpy() & options.planted
    toward = mice.avoidance_target - options.antibody_effect * helped
    empty = simulate_paths(mice.avoidance_no_target, duration_s=_WINDOW_S, rng=rng)
    target = simulate_paths(toward, duration_s=_WINDOW_S, rng=rng, activity=np.full(len(toward), model.target_activity))
    steps = np.hypot(np.diff(empty.x, axis=1), np.diff(empty.y, axis=1)).sum(axis=1)
    outcomes = pd.DataFrame(
        {
            "subject": subjects["subject"],
            "no_target_zone_s": zone_seconds(empty, window_s=_WINDOW_S).round(2),
            "target_zone_s": zone_seconds(target, window_s=_WINDOW_S).round(2),
            "no_target_velocity_cm_s": (steps / _WINDOW_S).round(3),
        }
    )
    return subjects, outcomes


def write_study(folder: Path, *, options: StudyOptions | None = None, seed: int = STUDY_SEED) -> None:
    """Fill a folder with the study's tables, its truth and the statement of what is planted."""
    options = options or StudyOptions()
    people = simulate_people(options, seed=seed)
    subjects, outcomes = simulate_mice(options, seed=seed)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    write_olink_long(_olink(people, seed), folder / "people_npx.csv")
    columns = ["sample", "subject", "group", "drug", "time", "age", "sex", "bmi", "plate"]
    for name, table in (
        ("people_samples", people.samples[columns]), ("mice", subjects), ("mice_outcomes", outcomes),
        ("truth/proteins", people.truth),
    ):  # fmt: skip
        write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    stated = {"description": description(options), "planted": options.planted}
    write_text(folder / "simulated.json", json.dumps(stated, indent=2, ensure_ascii=False) + "\n")


def _olink(people: SimulatedPeople, seed: int) -> pd.DataFrame:
    """Olink's long form of the four panels, one below the other."""
    import pandas as pd

    plate = people.samples.set_index("sample")["plate"]
    parts = []
    for number, (panel, rows) in enumerate(people.truth.groupby("panel", sort=True)):
        names = rows["protein"].tolist()
        made = SerumSimulation(
            measured=people.levels[names], biological=people.levels[names], lod=people.lod[names], plate=plate,
            truth=rows,
        )  # fmt: skip
        table = olink_long(made, options=OlinkOptions(warned=0.0), seed=[seed, 79, number])
        table["Panel"] = f"Olink Target 96 {panel}"
        table["OlinkID"] = "OID" + (table["OlinkID"].str[3:].astype(int) + 1000 * (number + 1)).astype(str).str.zfill(5)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def description(options: StudyOptions) -> str:
    """What is planted, in words."""
    sizes = options.sizes()
    people = f"{sizes['MDD']} MDD, {sizes['AD']} AD, {sizes['psoriasis']} psoriasis, {sizes['HC']} healthy"
    drugs = ", ".join(f"{drug.name} ({drug.patients} {drug.disease})" for drug in options.drugs)
    design = (
        f"Simulated people ({people}; {options.n_proteins} proteins on {len(PANELS)} panels), drugs before and after "
        f"({drugs}) and mice ({4 * options.mice_per_cell})."
    )
    if not options.planted:
        return (
            f"{design} Nothing is planted: no disease shifts a protein, no drug and no antibody does anything. Defeat "
            "alone makes mice avoid the target."
        )
    first = options.drugs[0]
    return (
        f"{design} Planted: Th2 proteins {options.th2_mdd:g} SD higher in MDD and {options.th2_ad:g} SD in AD, not in "
        f"psoriasis; {options.n_shared} further proteins shifted alike in MDD ({options.shared_mdd:g} SD) and AD "
        f"({options.shared_ad:g} SD); Th17/Th22 proteins {options.th17_psoriasis:g} SD higher in psoriasis; "
        f"{options.n_own} proteins of each disease alone ({options.own_shift:g} SD). {first.name} takes away "
        f"{first.th2:.0%} of AD's shift of Th2 proteins and {first.rest:.0%} of the rest, and raises IL-4 and IL-13 "
        f"itself. The antibody lowers the avoidance of defeated mice by {options.antibody_effect:g} log-odds."
    )
