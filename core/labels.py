"""Checks on ids: text stays text, near-duplicates are found, file names are safe."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import quote

from core.problems import Problem

__all__ = ["duplicated", "file_stem", "near_duplicates", "similar_id_problems"]


def duplicated(labels: Iterable[str]) -> list[str]:
    """Labels that occur more than once, in order of first appearance.

    Examples
    --------
    >>> duplicated(["m1", "m2", "m1"])
    ['m1']
    """
    count: dict[str, int] = defaultdict(int)
    for label in labels:
        count[label] += 1
    return [label for label, times in count.items() if times > 1]


def near_duplicates(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of different labels that agree but for case, spaces, punctuation and leading zeros.

    Examples
    --------
    >>> near_duplicates(["M07", "m 7", "m8"])
    [('M07', 'm 7')]
    >>> near_duplicates(["304", "304b", "3-04"])
    []
    """
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for label in dict.fromkeys(labels):
        groups[_words_and_numbers(label)].append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _words_and_numbers(label: str) -> tuple[str, ...]:
    parts = re.findall(r"\d+|[^\W\d_]+", label.casefold())
    return tuple((part.lstrip("0") or "0") if part.isdigit() else part for part in parts)


def similar_id_problems(labels: Iterable[str], *, file: str = "", what: str = "id") -> list[Problem]:
    """One Problem for each group of near-duplicates.

    Examples
    --------
    >>> similar_id_problems(["M07", "m7"], what="subject")[0].code
    'similar_ids'
    """
    return [
        Problem(
            code="similar_ids",
            file=file,
            message=f"{what}s {', '.join(repr(label) for label in group)} differ only in case, spaces or zeros",
            action="kept apart as different",
        )
        for group in near_duplicates(labels)
    ]


def file_stem(*labels: str) -> str:
    """A file name without suffix that is safe everywhere and gives back the ids.

    Examples
    --------
    >>> file_stem("m 1/2", "target")
    'm%201%2F2__target'
    """
    return "__".join(quote(label, safe="-_.").replace(".", "%2E") for label in labels)
