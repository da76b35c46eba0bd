"""The methods paragraph, ready to paste: what was done with which settings and versions, from the provenance alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stressaxis.figures.association import outcome_title
from stressaxis.figures.numbers import percent
from stressaxis.report.results import Results

__all__ = ["methods_paragraphs"]

#: Libraries named in the text, with the name their authors use.
_NAMES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "pandas": "pandas",
    "xarray": "xarray",
    "scikit-image": "scikit-image",
    "opencv-python": "OpenCV",
    "av": "PyAV",
    "pingouin": "pingouin",
    "statsmodels": "statsmodels",
}


def methods_paragraphs(results: Results) -> list[str]:
    """Paragraphs on recordings, serum, statistics and software, each only if the run had that part."""
    paragraphs = []
    if results.table("trials") is not None:
        paragraphs.append(_behavior(results))
    if results.table("axis_scores") is not None or results.contrasts() or results.table("protein_quality") is not None:
        paragraphs.append(_serum(results))
    if results.table("association") is not None:
        paragraphs.append(_statistics(results))
    if results.setting("records"):
        paragraphs.append(_records(results))
    if results.table("people_signatures") is not None:
        paragraphs.append(_people(results))
    if results.table("treatment") is not None:
        paragraphs.append(_treatment(results))
    paragraphs.append(_software(results.provenance))
    return paragraphs


def _behavior(results: Results) -> str:
    scoring = results.setting("behavior", "scoring") or {}
    geometry = results.setting("behavior", "geometry") or {}
    window = _value(scoring, "window_s", " s", "the declared window")
    hold = _value(scoring, "release_hold_s", " s", "a second")
    size = ""
    if "width_cm" in geometry and "height_cm" in geometry:
        size = f" of an arena of {geometry['width_cm']:g} × {geometry['height_cm']:g} cm"
        if "enclosure_width_cm" in geometry and "enclosure_depth_cm" in geometry:
            width, depth = geometry["enclosure_width_cm"], geometry["enclosure_depth_cm"]
            size = f" ({width:g} × {depth:g} cm, at one wall){size}"
    zone = f" (the enclosure widened by {geometry['zone_margin_cm']:g} cm)" if "zone_margin_cm" in geometry else ""
    point = {"centre": "centre of the body without the tail"}.get(
        str(scoring.get("point", "centre")), str(scoring.get("point"))
    )
    smooth = f" averaged over {scoring['smooth_s']:g} s" if "smooth_s" in scoring else ""
    return (
        "Social interaction was tested in two trials, without and with an unfamiliar target mouse in the "
        f"enclosure{size}. Recordings were decoded by their own timestamps; the {point} was tracked by comparison "
        "with a background model, and pixels were turned into cm by a projective transform from the corners of each "
        f"arena. The scored window was {window} from release (first frame from which only the subject moved outside "
        f"the enclosure for {hold}, unless a start was given). Time in the interaction zone{zone} is the sum of true "
        "frame durations as share of the time in which the mouse was seen, multiplied by the window; missing "
        "positions were not interpolated. The social interaction (SI) ratio is the share with target divided by the "
        f"share without; defeated mice with a ratio below {results.cut:g} were classed susceptible, others resilient; "
        f"a ratio with a zero denominator is missing. Velocity comes from positions{smooth}."
    )


def _serum(results: Results) -> str:
    species = str(results.setting("serum", "species") or "").strip()
    whose = f"{species} " if species else ""
    text = (
        f"Proteins of {whose}serum were analysed on the log2 scale as the assay's software exported them; values "
        "below the limit of detection were marked as censored and not replaced by a constant."
    )
    if results.contrasts():
        text += (
            " Groups were compared protein by protein by linear models with moderated t statistics (empirical Bayes "
            f"variances{_moderation(results)}, Smyth 2004, doi:10.2202/1544-6115.1027)."
        )
    if results.table("axis_scores") is not None:
        text += (
            " Axis scores are means of the members' z scores against the reference group; a member counts when it "
            "was above its limit of detection in at least half of the samples, and scores with fewer than three "
            "such members were refused."
        )
    return text


def _moderation(results: Results) -> str:
    settings = results.setting("statistics", "moderation") or {}
    words = {"trend": "with a trend over abundance", "robust": "robust to hypervariable proteins"}
    return "".join(f" {text}" for name, text in words.items() if settings.get(name))


def _statistics(results: Results) -> str:
    outcome = outcome_title(str(results.declared("primary_outcome") or "target_time"))
    terms = results.setting("statistics", "terms") or ["cohort"]
    covariates = [*(results.setting("statistics", "covariates") or []), *terms]
    power = results.setting("statistics", "power") or 0.8
    table = results.table("association")
    by_role = table is not None and "defeated" in set(table["subset"])
    where = (
        "was estimated in defeated mice first, by a linear model; target time was adjusted for no-target time "
        "(analysis of covariance)"
        if by_role
        else "was estimated by a linear model"
    )
    beside = (
        "SI ratio and velocity drop, correlations and all mice with their group in the model"
        if by_role
        else ("Correlations without adjustment")
    )
    return (
        f"The declared primary outcome was {outcome}. Its association with each marker (log2 abundance or axis score, "
        f"standardised over the animals analysed) {where}. Every model further held those of the following "
        f"that vary: {', '.join(str(name) for name in covariates)}. {beside} are given beside it. Tests are "
        "two-sided; intervals are 95 %. False "
        "discovery rates are after Benjamini and Hochberg (1995, doi:10.1111/j.2517-6161.1995.tb02031.x), within the "
        "declared set (q_set) and over all detected proteins (q_panel); axis scores are a family of their own. The "
        "smallest detectable effect is the (partial) correlation found with "
        f"{percent(float(power))} power at the 5 % level."
    )


_RECORDS = {
    "defeat": "defeat sessions (day, aggressor, minutes of contact, attacks, worst wound, weight)",
    "sucrose": "sucrose preference (sucrose of all that was drunk; days with a leak or less than 0.5 g drunk left out)",
    "weight": "body weight",
    "coat": "coat score (sum over seven regions)",
}


def _records(results: Results) -> str:
    from behavior.record_sums import RECORD_SUMS

    kept = results.setting("records") or {}
    kinds = [kind for kind in _RECORDS if kept.get(kind)]
    named = {name: words for kind in kinds for name, words in RECORD_SUMS[kind].items()}
    used = [name for name in results.setting("statistics", "covariates") or [] if name in named]
    text = f"Records kept by hand were summed up for each mouse: {'; '.join(_RECORDS[kind] for kind in kinds)}."
    if not used:
        return f"{text} None of them is a covariate of the models."
    told = ", ".join(f"{name} ({named[name]})" for name in used)
    text = f"{text} Covariates from them, in every model: {told}."
    if "wound_grade_max" in used:
        text += (
            " Wounds follow from defeat and act on serum themselves (a mediator as well as a confounder): effects "
            "adjusted for them leave out what goes through them."
        )
    return text


def _people(results: Results) -> str:
    asked = results.setting("people", "questions") or {}
    covariates = ", ".join(str(name) for name in asked.get("covariates") or []) or "no covariates"
    text = (
        f"Serum of people: each disease was compared with {asked.get('reference', 'the healthy')} protein by protein "
        f"(moderated t statistics; covariates: {covariates}). The Th2 skew of a person is the mean z score of the Th2 "
        "proteins minus that of the Th1 proteins, against the healthy; a skew shared by two diseases is claimed only "
        "where both differ from the healthy (p ≤ 0.05 each). Profiles that share their controls correlate even if the "
        "diseases are unrelated; similarity was therefore estimated with the controls parted at random between both "
        f"(median of {asked.get('n_splits', 'many')} splits; jackknife interval), and tested by permuting sample "
        "labels "
        f"({asked.get('n_permutations', 'many')} permutations), recomputing both contrasts."
    )
    if results.table("people_reversal") is None:
        return text
    score = str(asked.get("score", "spearman"))
    return (
        f"{text} A drug's signature is the mean change from before to after treatment within patients. Reversal is its "
        f"{score} score with the disease's profile (negative: moved back), tested on both sides: before and after "
        "exchanged within patients, and labels of cases and healthy permuted; p is the larger of both, over all drugs "
        "that of the largest standardised score. Where patients before treatment are also the disease's cases, found "
        "by their sample ids, every resampling keeps that sharing and the estimate parts the patients between both "
        "signatures. No protein was ever permuted: proteins move together."
    )


def _treatment(results: Results) -> str:
    asked = results.setting("statistics", "treatment") or {}
    return (
        f"Treatments were compared with {asked.get('reference', 'the reference')} in defeated and control mice, "
        "each by "
        "a linear model with cohort (target time given no-target time, analysis of covariance); the primary result is "
        "the difference of the two effects (interaction, Satterthwaite's degrees of freedom), each role with its own "
        "residual variance. Locomotion without target was the control outcome."
    )


def _software(provenance: Mapping[str, Any]) -> str:
    versions = provenance.get("versions") or {}
    python = f"Python {versions['python']}" if "python" in versions else "Python"
    libraries = ", ".join(f"{name} {versions[key]}" for key, name in _NAMES.items() if key in versions)
    seed = provenance.get("seed")
    text = f"Analysis: stressaxis {provenance.get('stressaxis_version', '(version not recorded)')} with {python}"
    text += f" and {libraries}" if libraries else ""
    return text + (f"; random seed {seed}." if seed is not None else ".")


def _value(settings: Mapping[str, Any], key: str, unit: str, otherwise: str) -> str:
    value = settings.get(key)
    return otherwise if value is None else f"{value:g}{unit}"
