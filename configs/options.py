"""Settings sections made from the option dataclasses of the science packages.

A science package states its settings once, as a frozen dataclass with defaults, checks and a docstring. Here such a
class becomes a section of the experiment file: its fields are the keys, its defaults the defaults, its docstring the
help that an editor shows. Nothing of it is written a second time.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from configs.faults import suggestion
from configs.yaml_lines import WrittenFloat, WrittenInt

__all__ = [
    "FromOptions",
    "Key",
    "Names",
    "Number",
    "ReadAs",
    "Section",
    "Text",
    "Whole",
    "build_options",
    "explain_refusal",
    "parameter_help",
    "section_model",
]


def _as_written(value: Any) -> Any:
    """A number where text is expected is the text as it was typed: 1, 007, 3e5."""
    return value.text if isinstance(value, WrittenInt | WrittenFloat) else value


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_expected", "not a number")
    if isinstance(value, str):
        raise PydanticCustomError("number_expected", "not a number")
    return value


def _filled(value: str) -> str:
    stripped = value.strip()
    if not stripped:
        raise PydanticCustomError("text_expected", "empty text")
    return stripped


#: A text that is not blank; a number counts as the text that was typed.
Text = Annotated[str, BeforeValidator(_as_written, json_schema_input_type=str | int | float), AfterValidator(_filled)]
#: A text that may be blank.
AnyText = Annotated[str, BeforeValidator(_as_written, json_schema_input_type=str | int | float)]
#: A name that is a key of the file.
Key = Annotated[str, AfterValidator(_filled)]
Number = Annotated[float, BeforeValidator(_no_truth_value, json_schema_input_type=float), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_no_truth_value, json_schema_input_type=int)]


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list | tuple) or value is None else [value]


#: Names as a list; a single one needs no brackets.
Names = Annotated[tuple[Text, ...], BeforeValidator(_one_or_many, json_schema_input_type=Text | tuple[Text, ...])]


class Section(BaseModel):
    """A section of the experiment file: frozen, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True, defer_build=True
    )

    def added(self, base: type[Section]) -> dict[str, Any]:
        """What was given for the fields that a run-time model added to ``base``."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set - base.model_fields.keys())}


class FromOptions:
    """Marks a field whose value is an option dataclass: ``Annotated[ScoreOptions, FromOptions()]``.

    Parameters
    ----------
    skip
        Fields that are no keys of the file.
    """

    def __init__(self, *skip: str) -> None:
        self.skip = skip

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler.generate_schema(section_model(source, skip=self.skip))

        def build(section: BaseModel) -> Any:
            return source(**{name: getattr(section, name) for name in section.model_fields_set})

        def plain(options: Any) -> dict[str, Any]:
            return {name: value for name, value in dataclasses.asdict(options).items() if name not in self.skip}

        as_plain = core_schema.plain_serializer_function_ser_schema(plain)
        return core_schema.no_info_after_validator_function(build, inner, serialization=as_plain)


def build_options(options: type, given: Mapping[str, Any], *, over: Mapping[str, Any] | None = None) -> Any:
    """An option dataclass from checked values; what its own checks refuse is told for each key.

    Parameters
    ----------
    options
        The dataclass.
    given
        Values by field name.
    over
        Values below the given ones (a section that others refine).

    Raises
    ------
    PydanticCustomError
        With the refusals by key in its context, as ``refused``; the key is empty where only the combination is wrong.
    """
    below = dict(over or {})
    try:
        return options(**{**below, **given})
    except ValueError as error:
        combined = str(error)
    refused: dict[str, str] = {}
    for name, value in given.items():
        try:
            options(**{**below, name: value})
        except ValueError as error:
            refused[name] = str(error)
        except TypeError:  # a field without default cannot be tried alone
            continue
    raise PydanticCustomError("options_refused", "refused", {"refused": refused or {"": combined}})


class ReadAs:
    """Marks a field that is validated by a model made at run time: ``Annotated[ArenaCalibration, ReadAs(model)]``."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return handler.generate_schema(self.model)


#: How the option dataclasses say that a name is none of those they know.
_CHOICE = re.compile(
    r"\w+ (?:must be (?:one of )?(?P<allowed>[^;]+?)(?:; found|, not) (?P<found>'[^']*')"
    r"|(?:is )?(?P<value>'[^']*')(?: is none of |: |; allowed: )(?P<others>.*))$"
)


def explain_refusal(said: str) -> dict[str, Any]:
    """What an option dataclass said, taken apart: ``message``, and ``found``, ``expected``, ``remedy`` for a choice.

    Examples
    --------
    >>> explain_refusal("corners must be one of opposite, all; found 'al'")["remedy"]
    "did you mean 'all'?"
    >>> explain_refusal("polarity must be auto, dark or light, not 'drak'")["expected"]
    'one of auto, dark, light'
    >>> explain_refusal("window_s must be above 0; found -1.0")
    {'message': 'window_s must be above 0; found -1.0'}
    """
    choice = _CHOICE.match(said)
    if not choice:
        return {"message": said}
    found = choice["found"] or choice["value"]
    allowed = re.split(r",? or |, ", choice["allowed"] or choice["others"])
    allowed = [name.strip(" '\"") for name in allowed]
    return {
        "message": "unknown value",
        "found": found,
        "expected": f"one of {', '.join(allowed)}",
        "remedy": suggestion(found, allowed),
    }


@cache
def section_model(
    options: type,
    base: type[Section] = Section,
    *,
    name: str = "",
    optional: bool = False,
    skip: tuple[str, ...] = (),
) -> Any:
    """A pydantic model with the fields of an option dataclass.

    Parameters
    ----------
    options
        The frozen dataclass.
    base
        Model to which the fields are added.
    name
        Name under which ``configs.schema`` keeps the model, so that its values can be pickled.
    optional
        All fields default to None: for sections that state differences only.
    skip
        Fields that do not come from the file.
    """
    hints = typing.get_type_hints(options)
    told = parameter_help(options)
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(options):
        if not item.init or item.name in skip:
            continue
        annotation = _hardened(hints[item.name])
        default: Any = ...
        if item.default is not dataclasses.MISSING:
            default = item.default
        elif item.default_factory is not dataclasses.MISSING:
            default = item.default_factory()
        if optional:
            annotation, default = annotation | None, None
        fields[item.name] = (annotation, Field(default, description=told.get(item.name)))

    def check(section: BaseModel) -> BaseModel:
        build_options(options, {name: getattr(section, name) for name in section.model_fields_set & fields.keys()})
        return section

    checks: dict[str, Any] = {} if optional else {"check": model_validator(mode="after")(check)}
    described = inspect.getdoc(options if base is Section else base) or ""
    summary = described.split("\n\n")[0].replace("\n", " ")
    return create_model(
        name or options.__name__,
        __base__=base,
        __doc__=summary,
        __module__="configs.schema",
        __validators__=checks,
        # Its fields are described above; pydantic would search every source line of the call stack for more.
        __cls_kwargs__={"use_attribute_docstrings": False},
        **fields,
    )


def _hardened(annotation: Any) -> Any:
    """The same type with numbers that refuse true/false and text that accepts numbers as written."""
    simple = {float: Number, int: Whole, str: AnyText}
    if annotation in simple:
        return simple[annotation]
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None or origin is typing.Literal:
        return annotation
    if origin is tuple and inside == (str, ...):
        return Names
    inner = tuple(part if part is Ellipsis else _hardened(part) for part in inside)
    if origin in (typing.Union, types.UnionType):
        return typing.Union[inner]  # noqa: UP007 (built at run time)
    if origin is Annotated:
        return annotation
    return origin[inner]


def parameter_help(documented: type) -> dict[str, str]:
    """Descriptions of the parameters in a numpydoc docstring, each as one line.

    Examples
    --------
    >>> from configs.faults import Fault
    >>> parameter_help(Fault)["remedy"]
    'What to do.'
    """
    text = inspect.getdoc(documented) or ""
    match = re.search(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    if not match:
        return {}
    told: dict[str, str] = {}
    for names, body in re.findall(r"^(\w[\w, ]*)(?: *:.*)?\n((?:[ \t]+.*\n?|\n)+)", match[1] + "\n", re.MULTILINE):
        words = re.sub(r":\w+:`", "`", " ".join(body.split()))
        told |= {name.strip(): words for name in names.split(",")}
    return told
