"""Fingerprints: of a file's content, of options, of the code of a step."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import InputError
from stressaxis.atomic import read_object, write_text

__all__ = [
    "FileMark",
    "FingerprintMemory",
    "canonical_json",
    "code_fingerprint",
    "code_parts",
    "digest",
    "file_fingerprint",
]

_CHUNK = 4 * 1024**2

#: The folders of sources that a package can reach (design: imports run one way).
REACH: dict[str, tuple[str, ...]] = {
    "core": ("core",),
    "behavior": ("core", "behavior"),
    "behavior.simulation": ("core", "behavior/simulation"),
    "proteomics": ("core", "proteomics"),
    "integration": ("core", "behavior", "proteomics", "integration"),
}

_ROOT = Path(__file__).resolve().parents[1]

#: The import statements of a module, one a line; prose in a docstring does not look so.
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<package>[A-Za-z_]\w*)[\w.]*[ \t]+import\b"
    rb"|import[ \t]+(?P<modules>[\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w. \t]+)*)[ \t]*(?:#.*)?$)",
    re.MULTILINE,
)

#: Libraries that are installed under another name than they are imported by.
_DISTRIBUTIONS = {
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "vl_convert": "vl-convert-python",
    "yaml": "PyYAML",
}


def canonical_json(value: Any) -> str:
    """JSON that is the same for equal values: sorted keys, no spaces, tuples as lists, paths as text.

    Examples
    --------
    >>> canonical_json({"b": (1, 2.5), "a": None})
    '{"a":null,"b":[1,2.5]}'
    """
    return _CANONICAL.encode(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # One level: what lies deeper comes here by itself, and nothing is copied.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


#: Kept, for a run writes thousands of small values.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def digest(value: Any) -> str:
    """BLAKE2 digest of a value's canonical JSON, 40 hex digits.

    Examples
    --------
    >>> digest({"a": 1}) == digest({"a": 1}), digest([1]) == digest([2])
    (True, False)
    """
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=20).hexdigest()


def file_fingerprint(path: str | Path) -> str:
    """BLAKE2 digest of a whole file's content, 40 hex digits.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    state = hashlib.blake2b(digest_size=20)
    try:
        with open(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                state.update(chunk)
    except FileNotFoundError:
        raise InputError("file not found", file=path, remedy="check the path and its spelling") from None
    except OSError as error:
        raise InputError(f"file cannot be read ({error.strerror})", file=path) from error
    return state.hexdigest()


@dataclasses.dataclass(frozen=True)
class FileMark:
    """What tells cheaply that a file has not been touched."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: str | Path) -> FileMark:
        """The mark of a file as it stands now."""
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            raise InputError("file not found", file=path, remedy="check the path and its spelling") from None
        except OSError as error:
            raise InputError(f"file cannot be read ({error.strerror})", file=path) from error
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class FingerprintMemory:
    """Fingerprints of files remembered by path and mark, so that an untouched file is read once.

    Parameters
    ----------
    file
        JSON file that keeps them; a missing or damaged one is an empty memory.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, list[Any]] = {
            path: row for path, row in read_object(file).items() if isinstance(row, list) and len(row) == 5
        }

    def recall(self, path: Path, mark: FileMark) -> str | None:
        """The remembered fingerprint of a file that bears this mark, or None if it is new or was touched."""
        row = self._known.get(_place(path))
        if row is None or row[:4] != [mark.size, mark.mtime_ns, mark.ctime_ns, mark.inode]:
            return None
        return str(row[4])

    def knows(self, path: Path) -> bool:
        """Whether the file was read before, touched since or not."""
        return _place(path) in self._known

    def remember(self, path: Path, mark: FileMark, fingerprint: str) -> None:
        """Keep a fingerprint; ``mark`` is the file's mark from before it was read."""
        self._known[_place(path)] = [*dataclasses.astuple(mark), fingerprint]

    def save(self) -> None:
        """Write the memory to its file."""
        write_text(self._file, json.dumps(self._known, sort_keys=True, indent=0))


def _place(path: Path) -> str:
    """The same for a file from whatever folder a run is started."""
    return str(path.absolute())


@cache
def code_fingerprint(module: str, packages: tuple[str, ...]) -> str:
    """Digest of the sources that a step can reach and of the versions of the libraries they import.

    Parameters
    ----------
    module
        The step's own module (``"stressaxis.steps.track"``).
    packages
        The science packages it calls; what these may import is added by the import rule.
    """
    return digest(code_parts(module, packages))


@cache
def code_parts(module: str, packages: tuple[str, ...]) -> dict[str, str]:
    """What :func:`code_fingerprint` is made from: source file to digest, library to version, so that one can be named.

    Examples
    --------
    >>> parts = code_parts("stressaxis.steps.probe", ("behavior",))
    >>> "behavior/video.py" in parts, "library av" in parts
    (True, True)
    """
    reached = sorted({name for package in packages for name in REACH[package]} | {"core"})
    files = [_ROOT / (module.replace(".", "/") + ".py")]
    for package in reached:
        files += sorted(path for path in (_ROOT / package).rglob("*") if path.suffix in (".py", ".tsv", ".csv"))
    parts: dict[str, str] = {}
    libraries: set[str] = set()
    for file in files:
        name = file.relative_to(_ROOT).as_posix()
        parts[name], imported = _source(name)
        libraries |= imported
    return parts | {f"library {library}": _version(library) for library in sorted(libraries)}


@cache
def _source(name: str) -> tuple[str, frozenset[str]]:
    """Digest of a source file and the libraries it imports: the steps share most of what they reach."""
    content = (_ROOT / name).read_bytes()
    libraries = _third_party(content) if name.endswith(".py") else frozenset()
    return hashlib.blake2b(content, digest_size=10).hexdigest(), libraries


def _third_party(source: bytes) -> frozenset[str]:
    """Names of the installed libraries that a module imports, inside functions too."""
    names: set[str] = set()
    # By pattern: parsing every source would take seconds before a run that has nothing to do.
    for found in _IMPORT.finditer(source):
        modules = [found["package"]] if found["package"] else found["modules"].split(b",")
        names |= {module.split()[0].split(b".")[0].decode() for module in modules}
    ours = set(REACH) | {"configs", "stressaxis"}
    return frozenset(name for name in names if name not in sys.stdlib_module_names and name not in ours)


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@cache
def _version(library: str) -> str:
    name = _DISTRIBUTIONS.get(library, library)
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        if importlib.util.find_spec(library) is None:
            return ""
        # Reads what every installed package holds, which takes long.
        distributions = sorted(set(_distributions().get(library, [])))
        return ",".join(f"{name} {importlib.metadata.version(name)}" for name in distributions)
