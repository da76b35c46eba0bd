"""What a signature table says of itself in lines before its header: contrast, sample ids, material, species.

``# samples_0: ["hc01", "hc02"]`` lets whoever compares two tables see which controls they share. The lines begin with
``#``; programs that know nothing of them skip them as comments.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from integration.signatures import Signature

__all__ = ["FACTS", "facts_of", "signature_text"]

#: Keys and the kind of their value.
FACTS: dict[str, type] = {"contrast": str, "samples_1": list, "samples_0": list, "material": str, "species": str}


def facts_of(text: str, *, file: str = "") -> dict[str, Any]:
    """Facts stated before the header, by key; others lines that begin with ``#`` are comments.

    Raises
    ------
    InputError
        If a known key has no value of its kind; the line is named.

    Examples
    --------
    >>> facts_of('# contrast: "AD - HC"\\n# samples_0: ["h1", "h2"]\\nsymbol,logfc\\nIL4,1\\n')
    {'contrast': 'AD - HC', 'samples_0': ['h1', 'h2']}
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            break
        key, mark, value = line.lstrip("#").strip().partition(":")
        if not mark or key not in FACTS:
            continue
        try:
            stated: Any = json.loads(value)
        except ValueError:
            stated = value.strip() if FACTS[key] is str else None
        if not isinstance(stated, str | list) or not isinstance(stated, FACTS[key]) or not all(map(_is_text, stated)):
            kind = "a JSON list of texts" if FACTS[key] is list else "a text"
            raise InputError(f"{key} is no {kind[2:]}", file=file or None, where=f"line {number}",
                             found=value.strip()[:80], expected=kind)  # fmt: skip
        found[key] = stated
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def signature_text(signature: Signature) -> str:
    """A signature as the text of a file that :func:`integration.readers.read_signature` reads back whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from integration.signatures import build_signature
    >>> one = build_signature(pd.DataFrame({"symbol": ["IL4"], "logfc": [1.5]}), name="AD - HC", samples_0=["h1"])
    >>> signature_text(one).splitlines()[:2]
    ['# contrast: "AD - HC"', '# species: "human"']
    """
    stated: dict[str, Any] = {"contrast": signature.name, "species": signature.species}
    if signature.material:
        stated["material"] = signature.material
    for key, ids in (("samples_1", signature.samples_1), ("samples_0", signature.samples_0)):
        if ids is not None:
            stated[key] = sorted(ids)
    head = "".join(f"# {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in stated.items())
    table = signature.table.reset_index()
    table = table[["protein", "symbol", *(name for name in table if name not in ("protein", "symbol"))]]
    numbers = {"n_1": signature.n_1, "n_0": signature.n_0}
    table = table.assign(**{name: value for name, value in numbers.items() if value is not None})
    return head + str(table.to_csv(index=False, lineterminator="\n"))
