"""What the results of a folder were made from, so that it can be said why something is redone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stressaxis.atomic import read_object, write_text
from stressaxis.fingerprint import canonical_json, digest

__all__ = ["Entry", "Ledger"]


@dataclass(frozen=True)
class Entry:
    """How a task ended the last time, and what its result was made from.

    Parameters
    ----------
    state
        ``done`` or ``failed``.
    key
        Of its result in the store.
    function, file, subject
        As in :class:`stressaxis.engine.Task`.
    options
        The options that decide the result, as plain JSON values.
    inputs
        Fingerprints of the files it read.
    needs
        Task id to key of the result, ``failed`` where it had none.
    code
        Source file or library to digest or version.
    reason
        Why it failed.
    """

    state: str
    key: str
    function: str = ""
    file: str = ""
    subject: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Ledger:
    """The entries of a results folder by task id, kept in one JSON file.

    Parameters
    ----------
    file
        The file; a missing or damaged one is an empty ledger.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = Ledger(Path(folder) / "tasks.json")
    ...     ledger.enter("track a.mp4", Entry("done", "ab12", inputs=("f1",)))
    ...     ledger.save()
    ...     Ledger(Path(folder) / "tasks.json").entry("track a.mp4").key
    'ab12'
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        # As text: a dict for each of 20,000 tasks would fill the memory of the process that plans. What was read stays
        # as it came: a run that has nothing to do would turn it into text only to throw it away.
        self._rows: dict[str, str | dict[str, Any]] = {}
        #: State and key of each: what is reused is known already, word for word.
        self._ends: dict[str, tuple[str, str]] = {}
        self._changed = True
        self._codes: dict[str, Mapping[str, str]] = {}
        # By identity; the mapping is kept beside its name, so that no other takes its place in memory.
        self._named: dict[int, tuple[str, Mapping[str, str]]] = {}
        stored = read_object(file)
        try:
            self._codes = dict(stored["codes"])
            self._rows = dict(stored["tasks"])
            self._ends = {name: (row["state"], row["key"]) for name, row in stored["tasks"].items()}
            self._changed = False
        except (ValueError, KeyError, TypeError, AttributeError):
            self._rows, self._codes, self._ends = {}, {}, {}

    def enter(self, name: str, entry: Entry) -> None:
        """Note how a task ended."""
        self._changed = True
        self._ends[name] = (entry.state, entry.key)
        # All tasks of a function share its code; it is kept once, and not worked through again for each of them.
        known = self._named.get(id(entry.code))
        if known is None:
            known = self._named[id(entry.code)] = (digest(entry.code)[:12], entry.code)
        code = known[0]
        self._codes[code] = entry.code
        row = {key: value for key, value in vars(entry).items() if value} | {"code": code}
        self._rows[name] = canonical_json(row)

    def entry(self, name: str) -> Entry | None:
        """What is known of a task; None if nothing."""
        if name not in self._rows:
            return None
        kept = self._rows[name]
        row = json.loads(kept) if isinstance(kept, str) else dict(kept)
        code = self._codes.get(row.pop("code", ""), {})
        try:
            return Entry(**row | {"inputs": tuple(row.get("inputs", ())), "code": code})
        except TypeError:
            return None

    def knows(self, name: str, state: str, key: str) -> bool:
        """Whether a task is noted as having ended so; then its entry says the same, for the key stands for it all."""
        return self._ends.get(name) == (state, key)

    def names(self) -> list[str]:
        """Ids of the tasks that are known."""
        return list(self._rows)

    def keep_only(self, names: set[str]) -> None:
        """Forget tasks that the experiment no longer has."""
        if not self._rows.keys() <= names:
            self._rows = {name: row for name, row in self._rows.items() if name in names}
            self._ends = {name: end for name, end in self._ends.items() if name in names}
            self._changed = True

    def save(self) -> None:
        """Write the ledger to its file, if it says anything new."""
        if not self._changed:
            return
        lines = {name: row if isinstance(row, str) else canonical_json(row) for name, row in self._rows.items()}
        tasks = ",\n".join(f"{json.dumps(name)}:{line}" for name, line in lines.items())
        write_text(self._file, f'{{"codes":{canonical_json(self._codes)},\n"tasks":{{{tasks}}}}}\n')
        self._changed = False
