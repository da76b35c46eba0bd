"""What the names of recordings say: subject, trial, date, camera, cohort, group; learned from all names together."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

__all__ = ["Learned", "Placed", "learn_names"]

# A word begins and ends where letters do, or where small letters meet a capital (m01NoTarget).
_FROM = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
_TO = r"(?:(?![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
_OF = r"(?:target|mouse|cd-?1|social|stranger|aggressor|partner)(?!\d)"


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_FROM}(?i:{pattern}){_TO}")


_NO_TARGET = _word(
    rf"(?:no|non|without|w\/?o|ohne|sans)[ _.-]*{_OF}|no[ _.-]*t|notarg|nt|empty|absent|without|ohne|sans|leer|vide|"
    r"habituation|habit|hab|baseline"
)
_TARGET = _word(rf"(?:with|mit|avec|w)[ _.-]*{_OF}|{_OF}(?!\d)|with|mit|avec|present|targ|social[ _.-]*target")
_LETTER_T = re.compile(r"(?<![A-Za-z0-9])[Tt](?![A-Za-z0-9])")
_NUMBERED = _word(r"(?:trial|session|phase|part|stage|test|run|si|t|p|s)[ _.-]*0?([12])(?!\d)")
_LAST_NUMBER = re.compile(r"(?<![A-Za-z0-9])0?([12])\W*$")
_LAST_LETTER = re.compile(r"(?<![A-Za-z0-9])([AaBb])\W*$")
_PIECE = _word(r"(?:piece|chapter|clip|part|pt)[ _.-]*\d+")
_CAMERA = _word(r"(?:camera|cam|arena|box|chamber|channel|ch)[ _.-]*([A-Da-d]|\d{1,2})(?!\d)")
_COHORT = _word(r"(?:cohort|batch|round|series|replicate|rep|exp(?:eriment)?|coh)[ _.-]*([A-Za-z]|\d{1,3})(?!\d)")
_GROUPS = {
    "defeated": _word(r"defeated|defeat|def|csds|stressed|stress|str"),
    "control": _word(r"controls|control|contr|ctrl|ctl|con|unstressed|naive"),
}
_CLOCK = re.compile(r"(?<!\d)(?:[T_ -]?)([01]\d|2[0-3])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)s?(?!\d)")
_DATES = (
    ("%Y%m%d", re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?(0\d|1[0-2])[-_. ]?([0-2]\d|3[01])(?!\d)")),
    ("either", re.compile(r"(?<!\d)(\d{1,2})([-_.])(\d{1,2})\2((?:19|20)\d\d)(?!\d)")),
)
#: Words that name no animal.
_FILLER = re.compile(
    r"(?i:mouse|mice|animal|subject|subj|id|video|vid|movie|rec|recording|si|sit|test|social|interaction|csds|trial|"
    r"session|phase|day|final|copy|raw|the|and)$"
)
_PIECES = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Placed:
    """What one name says; empty where it says nothing."""

    file: str
    subject: str = ""
    trial: str = ""
    recorded: str = ""
    arena: str = ""
    cohort: str = ""
    group: str = ""


@dataclass(frozen=True)
class Learned:
    """What the names of a folder say.

    Parameters
    ----------
    placed
        Recordings whose subject and trial are known, sorted by subject and trial.
    unplaced
        The others: name to reason.
    notes
        What was understood, and what was assumed, in sentences.
    """

    placed: tuple[Placed, ...]
    unplaced: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass
class _Name:
    """A name while it is being read: what is still unexplained, and what has been found."""

    file: str
    rest: str
    found: dict[str, str] = field(default_factory=dict)

    def take(self, pattern: re.Pattern[str], *, last: bool = False) -> re.Match[str] | None:
        """Find a pattern in what is left, and blank it out."""
        matches = list(pattern.finditer(self.rest))
        if not matches:
            return None
        match = matches[-1 if last else 0]
        self.rest = self.rest[: match.start()] + "|" + self.rest[match.end() :]
        return match


def learn_names(files: Iterable[str]) -> Learned:
    """Learn the naming pattern of recordings.

    Parameters
    ----------
    files
        Names relative to one folder, with ``/``; subfolders count as part of the name.

    Examples
    --------
    >>> learned = learn_names(["2026-11-05/m01_NT.mp4", "2026-11-05/m01_T.mp4", "2026-11-05/readme.mp4"])
    >>> [(one.subject, one.trial, one.recorded) for one in learned.placed]
    [('m01', 'no_target', '2026-11-05'), ('m01', 'target', '2026-11-05')]
    >>> learned.unplaced
    {'2026-11-05/readme.mp4': 'its name says neither trial'}
    """
    names = [_Name(file, str(PurePosixPath(file).with_suffix(""))) for file in sorted(set(files))]
    notes: list[str] = []
    for name in names:
        _take_date(name, notes)
    for name in names:
        _take_places(name)
    notes += _take_trials(names)
    unplaced = {name.file: "its name says neither trial" for name in names if "trial" not in name.found}
    known = [name for name in names if "trial" in name.found]
    placed = _with_subjects(known, notes)
    unplaced |= {one.file: "its name says no subject" for one in placed if not one.subject}
    placed, doubles = _without_doubles([one for one in placed if one.subject])
    placed.sort(key=lambda one: (one.subject, one.trial, one.file))
    return Learned(tuple(placed), dict(sorted((unplaced | doubles).items())), tuple(dict.fromkeys(notes)))


def _take_date(name: _Name, notes: list[str]) -> None:
    for kind, pattern in _DATES:
        match = name.take(pattern)
        if match is None:
            continue
        parts = match.groups() if kind != "either" else (match[4], match[3], match[1])
        year, month, day = (int(part) for part in parts)
        if kind == "either" and month > 12:
            month, day = day, month
        elif kind == "either" and day <= 12 and day != month:
            notes.append(f"dates like {match[0]!r} can be read two ways; column `recorded` is left blank")
            return
        try:
            name.found["recorded"] = dt.date(year, month, day).isoformat()
        except ValueError:
            return
        # Only behind a date do six digits mean a clock.
        after = re.compile(r"(?<=\|)" + _CLOCK.pattern)
        if clock := name.take(after):
            name.found["recorded"] += f" {clock[1]}:{clock[2]}:{clock[3]}"
        return


def _take_places(name: _Name) -> None:
    for what, pattern in (("arena", _CAMERA), ("cohort", _COHORT)):
        if match := name.take(pattern):
            name.found[what] = f"{what}_{match[1].lstrip('0') or '0'}".casefold()
    for group, pattern in _GROUPS.items():
        if match := pattern.search(name.rest):
            name.found["group"] = group
            name.found["group_word"] = match[0]


# ---- trials -----------------------------------------------------------------------------------------------------


def _take_trials(names: Sequence[_Name]) -> list[str]:
    """Find the trial of each name: by words, else by numbers, else by what half of the names lack."""
    notes = []
    for name in names:
        # Not part of the table: "no target" holds "target".
        no_target = name.take(_NO_TARGET, last=True)
        match = no_target or name.take(_TARGET, last=True) or name.take(_LETTER_T, last=True)
        if match:
            name.found["trial"] = "no_target" if no_target else "target"
            name.found["word"] = match[0]
    spellings = {trial: sorted({n.found["word"] for n in names if n.found.get("trial") == trial}) for trial in _TRIALS}
    if all(spellings.values()):
        told = [f"{', '.join(map(repr, words))} as the {trial} trial" for trial, words in spellings.items()]
        return [f"read {' and '.join(told)}"]
    if any(spellings.values()):
        word = next(trial for trial in _TRIALS if spellings[trial])
        other = next(trial for trial in _TRIALS if trial != word)
        if _other_half(names, other):
            return [f"assumed that names without {spellings[word][0]!r} are the {other} trial"]
    for pattern in (
        _NUMBERED,
        re.compile(r"(?<![A-Za-z0-9])0?([12])\W*$"),
        re.compile(r"(?<![A-Za-z0-9])([AaBb])\W*$"),
    ):
        if _numbered(names, pattern):
            notes.append("assumed that the first trial (1 or A) is without target and the second (2 or B) with target")
            break
    return notes


_TRIALS = ("no_target", "target")


def _other_half(names: Sequence[_Name], other: str) -> bool:
    """Names without a trial word are the other trial, if there are about as many of them."""
    silent = [name for name in names if "trial" not in name.found]
    if not silent or abs(2 * len(silent) - len(names)) > max(1, len(names) // 5):
        return False
    for name in silent:
        name.found["trial"] = other
    return True


def _numbered(names: Sequence[_Name], pattern: re.Pattern[str]) -> bool:
    waiting = [name for name in names if "trial" not in name.found]
    matches = [(name, found[-1]) for name in waiting if (found := list(pattern.finditer(name.rest)))]
    sides = Counter(match[1].casefold() in ("1", "a") for _, match in matches)
    if len(sides) < 2 or abs(sides[True] - sides[False]) > max(1, len(matches) // 5):
        return False
    for name, match in matches:
        name.found["trial"] = "no_target" if match[1].casefold() in ("1", "a") else "target"
        name.rest = name.rest[: match.start()] + "|" + name.rest[match.end() :]
    return True


# ---- subjects ---------------------------------------------------------------------------------------------------


def _with_subjects(names: Sequence[_Name], notes: list[str]) -> list[Placed]:
    """What is left of each name once all that is common to the names is taken away is the subject."""
    for name in names:
        name.take(_PIECE)
    leftover = {name.file: _PIECES.findall(PurePosixPath(name.rest).name) for name in names}
    folders = {name.file: _PIECES.findall(str(PurePosixPath(name.rest).parent)) for name in names}
    common = _common(leftover.values()) if len({name.rest for name in names}) > 1 else set()
    ids = {name.file: _subject(leftover[name.file], name, common) for name in names}
    for name in names:
        if not ids[name.file]:
            ids[name.file] = _subject(folders[name.file], name, _common(folders.values()))
    placed = [_placed(name, ids[name.file]) for name in names]
    placed = _told_apart(placed, notes)
    if placed:
        subjects = sorted({one.subject for one in placed if one.subject})
        shown = ", ".join(subjects[:6]) + (", ..." if len(subjects) > 6 else "")
        notes.append(f"{len(subjects)} subjects: {shown}")
    return placed


def _common(words: Iterable[Sequence[str]]) -> set[str]:
    """Words that all names have."""
    sets = [{word.casefold() for word in one} for one in words]
    return set.intersection(*sets) if sets else set()


def _subject(words: Sequence[str], name: _Name, common: set[str]) -> str:
    group = name.found.get("group_word", "").casefold()
    kept = [word for word in words if not _FILLER.match(word)]
    without = [word for word in kept if word.casefold() != group]
    telling = [word for word in without if word.casefold() not in common]
    # A folder of one animal, or one per group, has its id in every name.
    return "-".join(telling or without or kept)


def _placed(name: _Name, subject: str) -> Placed:
    facts = {
        key: value for key, value in name.found.items() if key in ("trial", "recorded", "arena", "cohort", "group")
    }
    return Placed(name.file, subject=subject, **facts)


def _told_apart(placed: list[Placed], notes: list[str]) -> list[Placed]:
    """Ids that start anew in every group or cohort are made different by its name."""
    for what in ("group", "cohort"):
        seen: dict[str, set[str]] = defaultdict(set)
        for one in placed:
            seen[one.subject].add(getattr(one, what))
        if any(len(kinds - {""}) > 1 for kinds in seen.values()):
            notes.append(f"the same ids occur in several {what}s; the {what} was made part of the id")
            placed = [
                replace(one, subject=f"{getattr(one, what)}-{one.subject}") if getattr(one, what) else one
                for one in placed
            ]
    return placed


def _without_doubles(placed: Sequence[Placed]) -> tuple[list[Placed], dict[str, str]]:
    """One recording for each subject and trial, unless they are pieces of one."""
    first: dict[tuple[str, str], Placed] = {}
    kept, doubles = [], {}
    for one in placed:
        before = first.setdefault((one.subject, one.trial), one)
        if before is one or (_PIECE.search(one.file) and _PIECE.search(before.file)):
            kept.append(one)
        else:
            doubles[one.file] = f"a second {one.trial} recording of {one.subject}, beside {before.file}"
    return kept, doubles
