"""The manual page of the experiment file, made from the models: ``python -m configs.reference > docs/config.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from behavior.hand_records import RECORDS
from behavior.record_sums import RECORD_SUMS
from configs.columns import PEOPLE_SAMPLES, SERUM_SAMPLES, SUBJECTS, TRIALS, Column
from configs.editor_schema import alternatives, json_schema, properties_of
from configs.extending import PRESETS, presets
from configs.record_tables import table_columns

__all__ = ["reference_markdown"]

_HEAD = """# The experiment file

Made from the program by `python -m configs.reference`; the same help shows in an editor that knows the JSON Schema
(`stressaxis schema > stressaxis.schema.json`, and as first line of the experiment file
`# yaml-language-server: $schema=stressaxis.schema.json`).

An experiment file is YAML: `key: value`, sections indented with spaces. Every key but `schema` may be left out where
its default fits. A misspelt key is an error, never ignored. Ids and names stay as they are written (`007` stays `007`).
File names are relative to the folder of the experiment file, or to the one given by `--data`.

A short one:

```yaml
schema: 1
extends: presets/csds-si
subjects: subjects.csv
behavior:
  trials: trials.csv
  arenas:
    box: {floor_px: [73, 49, 497, 473]}
serum: {file: serum.csv, samples: serum_samples.csv, species: mouse}
```

And one for people, with behavior that was measured elsewhere:

```yaml
schema: 1
name: depression-2026
roles: {control: HC, defeated: [MDD, AD], other: psoriasis}
subjects: patients.csv
outcomes: {file: scales.csv, columns: {hamd: HAM-D total}}
serum: {file: npx.csv, samples: tubes.csv, species: human}
statistics: {covariates: [age, bmi]}
```
"""

_TABLES = """## The tables

CSV (comma, semicolon or tab; UTF-8) or the first sheet of a spreadsheet (.xlsx, .xls, .ods). Case, spaces and
underscores in column names do not matter; a column of another name is declared, as
`subjects: {file: subjects.csv, columns: {subject: Tattoo}}`. Further columns are kept and may serve as covariates.
Dates are written 2026-11-05, with a clock time 2026-11-05 14:30; another way is declared as `date_format`, and a date
like 05/11/2026 is refused without. In files separated by semicolons or tabs 1,5 is a number.
"""


_OUTCOMES = """### Outcomes

A column of subjects, and the columns declared under `outcomes.columns`: numbers, or nothing.
"""


_SUMS = """Each subject has these in `tables/cohort.csv`, and they may be named in `statistics.covariates`, for instance
`[defeat_to_bleed_days, weight_last_g]`; none is in a model unless named. Subjects without a value (control mice have no
defeat sessions) are not in models with it. Wounds and lost weight follow from defeat and act on serum themselves: a
model with them tells what is left of an association beside them, not the whole, and `stressaxis check` says so."""


def reference_markdown() -> str:
    """The manual page: every section and key with its values, default and meaning; the tables; the presets."""
    schema = json_schema()
    parts = [_HEAD]
    for path, part in _sections(schema, ()):
        parts.append(_section(path, part))
    parts.append(_TABLES)
    tables = (
        ("Subjects", SUBJECTS),
        ("Trials", TRIALS),
        ("Serum samples", SERUM_SAMPLES),
        ("Samples of people", PEOPLE_SAMPLES),
        *((f"Records kept by hand: `{kind}`", table_columns(kind)) for kind in RECORDS),
    )
    for name, columns in tables:
        parts.append(_columns(name, columns))
    parts.append(_OUTCOMES)
    parts.append(_record_sums())
    parts.append("## Presets\n")
    for name in presets():
        text = (PRESETS.parent / f"{name}.yaml").read_text(encoding="utf-8")
        parts.append(f"### `extends: {name}`\n\n```yaml\n{text}```\n")
    return "\n".join(parts)


def _sections(part: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    yield path, part
    for name, inner in properties_of(part).items():
        below = properties_of(inner)
        if below and set(below) != {"file", "columns"}:
            yield from _sections(inner, (*path, name))
        for one in alternatives(inner):
            entry = one.get("additionalProperties")
            if isinstance(entry, Mapping) and properties_of(entry):
                yield from _sections(entry, (*path, name, "NAME"))


def _section(path: tuple[str, ...], part: Mapping[str, Any]) -> str:
    title = f"## `{'.'.join(path)}`" if path else "## Top level"
    lines = [title, ""]
    # The words of the model, not of the key that holds it.
    summary = next(
        (one["description"] for one in alternatives(part) if one.get("description") and "properties" in one), ""
    )
    lines += [summary, ""] if summary else []
    lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, inner in properties_of(part).items():
        below = properties_of(inner)
        default = _default(inner)
        lines.append(f"| `{name}` | {_values(inner, bool(below))} | {default} | {_meaning(inner)} |")
    return "\n".join(lines) + "\n"


def _meaning(part: Mapping[str, Any]) -> str:
    described = part.get("description") or next(alternatives(part)).get("description", "")
    text = " ".join(str(described).split()).replace("|", "\\|").replace("``", "`")
    examples = part.get("examples")
    if examples:
        shown = json.dumps(examples[0], ensure_ascii=False).replace('"', "")
        text = f"{text} Example: `{shown}`"
    return text


def _default(part: Mapping[str, Any]) -> str:
    if "default" not in part:
        return ""
    value = part["default"]
    if isinstance(value, dict) or value in ("", []):
        return ""
    return f"`{json.dumps(value, ensure_ascii=False)}`".replace('"', "")


def _values(part: Mapping[str, Any], section: bool) -> str:
    kinds = list(dict.fromkeys(kind for one in alternatives(part) if (kind := _kind(one))))
    if "text" in kinds:
        kinds = [kind for kind in kinds if kind not in ("number", "whole number")]
    if section and "section" not in kinds:
        kinds.append("section")
    return " or ".join(kinds)


def _kind(one: Mapping[str, Any]) -> str:
    if "const" in one:
        return f"`{one['const']}`"
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    kind = one.get("type", "")
    if kind == "array":
        if "prefixItems" in one:
            return f"list of {len(one['prefixItems'])} {_many(one['prefixItems'][0])}"
        return f"list of {_many(one.get('items', {}))}"
    if kind == "object":
        sections = bool(properties_of(one.get("additionalProperties") or {})) if "properties" not in one else False
        return "section" if "properties" in one else "`NAME:` section" if sections else "`name: value`"
    return {
        "string": "text",
        "number": "number",
        "integer": "whole number",
        "boolean": "true or false",
        "null": "null",
    }.get(kind, "")


def _many(part: Mapping[str, Any]) -> str:
    kinds = [kind for one in alternatives(part) if (kind := _kind(one))]
    word = "text" if "text" in kinds else kinds[0] if kinds else "value"
    return {"text": "texts", "number": "numbers", "section": "sections"}.get(word, word.replace("list of", "lists of"))


def _record_sums() -> str:
    lines = ["### Columns made of the records", "", _SUMS, "", "| column | from | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{name}` | `{kind}` | {words} |" for kind, sums in RECORD_SUMS.items() for name, words in sums.items()
    ]
    return "\n".join(lines) + "\n"


def _columns(name: str, columns: tuple[Column, ...]) -> str:
    lines = [f"### {name}", "", "| column | needed | also called | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{column.name}` | {'yes' if column.required else ''} | {', '.join(column.aliases)} | {column.help} |"
        for column in columns
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference_markdown(), end="")
