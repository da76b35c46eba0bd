"""What was declared before any result was seen, with its fingerprint; and the experiment file as it was understood."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from configs.schema import Experiment

__all__ = ["declared", "resolved"]


def declared(experiment: Experiment) -> dict[str, Any]:
    """The declared analysis, as plain data, and its fingerprint.

    Returns
    -------
    dict
        ``primary_outcome``; ``outcomes`` (all, the primary first); ``th2_set`` (``axis`` or ``proteins``), and for an
        axis ``axis_members_sha256``, the fingerprint of the list that says who its members are; ``exclusions`` (the
        rules, and the subjects with their reasons); ``classes`` (the cuts); ``bleed``; ``covariates`` and ``terms``
        of the models; where the experiment has them ``treatment`` and ``people`` (their questions); ``fingerprint``:
        SHA-256 of all this as JSON with sorted keys and no spaces.
    """
    behavior, serum = experiment.behavior, experiment.serum
    asked = experiment.association([])
    chosen = experiment.statistics.th2_set
    content: dict[str, Any] = {
        "primary_outcome": experiment.outcome_names[0] if experiment.outcome_names else None,
        "outcomes": list(experiment.outcome_names),
        "th2_set": {"proteins": list(chosen.proteins)} if chosen.proteins else {"axis": chosen.axis},
        "exclusions": None,
        "classes": None,
        "bleed": None if serum is None else asdict(serum.bleed),
        "terms": list(asked.terms),
        "covariates": list(asked.covariates),
    }
    if chosen.axis is not None:
        members = (files("proteomics") / "data" / "axes.tsv").read_bytes()
        content["axis_members_sha256"] = hashlib.sha256(members).hexdigest()
    if behavior is not None:
        content["exclusions"] = {**asdict(behavior.exclude.rules), "subjects": dict(behavior.exclude.subjects)}
        content["classes"] = asdict(behavior.classes)
    if experiment.statistics.treatment is not None:
        content["treatment"] = asdict(experiment.statistics.treatment)
    if experiment.people is not None:
        content["people"] = asdict(experiment.people.questions)
    return {**content, "fingerprint": hashlib.sha256(_canonical(content)).hexdigest()}


def resolved(experiment: Experiment) -> dict[str, Any]:
    """The experiment file with everything that presets and defaults add, as plain data.

    Arenas are written out with all their sizes. What it says, given as an experiment file, is the same experiment.
    """
    plain: dict[str, Any] = experiment.model_dump(mode="json", by_alias=True)
    plain["extends"] = []
    plain["statistics"]["primary_outcome"] = experiment.outcome_names[0] if experiment.outcome_names else None
    if experiment.behavior is not None:
        plain["behavior"]["arenas"] = {
            name: {
                **(
                    {"find": True}
                    if arena.find
                    else {"corners_px": [list(corner) for corner in arena.floor_corners_px]}
                ),
                **({} if arena.lens is None else {"lens": asdict(arena.lens)}),
                **({} if arena.middles_px is None else {"middles_px": arena.middles_px}),
                **asdict(experiment.behavior.arena_options(name)),
            }
            for name, arena in experiment.behavior.arenas.items()
        }
    # Tuples become lists, as in a file.
    as_lists: dict[str, Any] = json.loads(json.dumps(plain))
    return as_lists


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
