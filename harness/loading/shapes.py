"""The shapes of a setting's files: which keys they have, and what may stand there.

The same shapes give the JSON Schemas that editors use. Whether the files fit together is not
decided here (see coherence.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from harness.errors import Problem
from harness.loading.names import near, nearest
from harness.loading.placed import Document, Node, shown
from harness.setting import Id, Item, Party, Rules, Value

SCHEMA_FILES = ("setting.schema.json", "party.schema.json")

_TEXT = {"title", "summary", "question", "label", "text"}
_TEXT |= {"statement", "publisher", "url", "name", "short", "adjective"}
"""Keys whose text may not be blank."""

_AT_LEAST: Mapping[str, int] = {"options": 2, "issues": 1}
"""How many entries a list needs, where the values themselves do not say."""

_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_ADDRESSES = ("url", "also")
_DATES = ("as_of", "date")

_Shape = TypeVar("_Shape", bound=BaseModel)


class AgendaFile(Value):
    """A named selection of items and parties, as `--agenda ID`."""

    id: Id
    """Short handle, used as `--agenda ID`."""
    title: str
    """What it is for."""
    parties: tuple[Id, ...] = Field(min_length=2)
    """Who sits at the table, in seat order."""
    items: tuple[Id, ...] = Field(min_length=1)
    """What is debated, in order."""
    rules: Rules = Field(default_factory=Rules)
    """Changes to the setting's rules, key by key; what is left out stays as the setting has it."""


class SettingFile(Value):
    """`setting.yaml`: what is debated, by whom and under which rules."""

    id: Id
    """Short handle; also the name of the folder."""
    title: str
    """What the talks are."""
    as_of: date
    """The day the setting stands at, YYYY-MM-DD; no position is dated after it."""
    summary: str
    """Neutral background as of that day."""
    parties: tuple[Id, ...] = Field(min_length=2)
    """Ids in seat order; each has a file `<id>.yaml` beside this one."""
    default_agenda: Id
    """The agenda of a bare `tracktwo run`."""
    rules: Rules = Field(default_factory=Rules)
    """The rules of procedure."""
    agendas: tuple[AgendaFile, ...] = Field(min_length=1)
    """Named selections of items and parties."""
    items: tuple[Item, ...] = Field(min_length=1)
    """Everything that can be debated."""


PartyFile = Party
"""`<party>.yaml` has the shape of the value it becomes."""


def in_shape(document: Document, shape: type[_Shape]) -> tuple[_Shape | None, tuple[Problem, ...]]:
    """The document as a value of the shape, or what keeps it from being one."""
    root = document.root
    if root is None:
        return None, ()
    problems = list(_habits(document, root))
    value = None
    try:
        # Strict: "4" is no number, 4.0 no whole number and 1 not true. JSON because there a list
        # may become a tuple and text a date.
        value = shape.model_validate_json(json.dumps(root.plain()), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += [_problem(document, root, shape, d) for d in details if not _echo(root, d)]
    return (None if problems else value), tuple(dict.fromkeys(problems))


def _habits(document: Document, root: Node) -> Iterator[Problem]:
    """What every text, list, date and address must keep to wherever it stands."""
    for node in root.walk():
        if not isinstance(node.value, dict):
            continue
        for key, held in node.value.items():
            if isinstance(held.value, list):
                least = _AT_LEAST.get(key, 0)
                if len(held.value) < least:
                    yield document.problem(held, _too_few(least, len(held.value)))
            elif isinstance(held.value, str) and (why := _bad_text(key, held.value)):
                yield document.problem(held, why)


def is_date(value: object) -> bool:
    """Whether the value is a date as files write it: YYYY-MM-DD, in quotes or not."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _bad_text(key: str, text: str) -> str | None:
    if key in _TEXT and not text.strip():
        return "is empty; it needs some text"
    if key in _ADDRESSES and not _ADDRESS.fullmatch(text):
        return f"{shown(text)} is not a web address; write https://..."
    if key in _DATES and not is_date(text):
        return _not_a_date(text)
    return None


def _not_a_date(text: object) -> str:
    return f"{shown(text)} is not a date; write it as YYYY-MM-DD"


def _too_few(least: int, has: int) -> str:
    return f"needs at least {least}, but has {has or 'none'}"


def _problem(
    document: Document, root: Node, shape: type[BaseModel], detail: Mapping[str, Any]
) -> Problem:
    """One complaint of pydantic in our words, at the place it is about."""
    steps, kind = tuple(detail["loc"]), str(detail["type"])
    node = root
    for step in steps[:-1] if kind in ("missing", "extra_forbidden") else steps:
        node = _step(node, step)
    if kind == "missing":
        return document.problem(node, f"needs {_article(str(steps[-1]))}")
    if kind == "extra_forbidden":
        return _unknown_key(document, node, str(steps[-1]), _model_at(shape, steps[:-1]))
    return document.problem(node, _wording(kind, node.value, detail))


def _echo(root: Node, detail: Mapping[str, Any]) -> bool:
    """Whether a list is called too short only because some of its entries are bad."""
    if detail["type"] != "too_short":
        return False
    node = root
    for step in detail["loc"]:
        node = _step(node, step)
    return isinstance(node.value, list) and len(node.value) >= detail["ctx"]["min_length"]


def _step(node: Node, step: str | int) -> Node:
    if isinstance(node.value, dict):
        return node.value.get(str(step), node)
    if isinstance(node.value, list) and isinstance(step, int):
        return node.value[step]
    return node


def _article(key: str) -> str:
    if key.endswith("s") and key != "as_of":
        return key
    return f"{'an' if key[0] in 'aeiou' else 'a'} {key}"


def _unknown_key(document: Document, node: Node, key: str, model: type[BaseModel]) -> Problem:
    line, column = node.keys.get(key, (node.line, node.column))
    hint = near(key, list(model.model_fields))
    if key == "<<":
        hint = "; YAML 1.2 has no merge keys, so write the keys out"
    path = f"{node.path}: " if node.path else ""
    return Problem(document.file, line, column, f"{path}unknown key {shown(key)}{hint}")


def _model_at(shape: type[BaseModel], steps: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that describes what stands at the end of the steps."""
    model = shape
    for step in steps:
        if isinstance(step, str) and step in model.model_fields:  # else the key of a dictionary
            annotation: Any = model.model_fields[step].annotation
            inner = (annotation, *get_args(annotation))
            model = next(
                (a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), model
            )
    return model


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "date_type": "a date, written YYYY-MM-DD",
}


def _wording(kind: str, value: object, detail: Mapping[str, Any]) -> str:
    context = detail.get("ctx", {})
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {shown(value)}{_quoting(kind, value)}"
    if kind.startswith("date_"):
        return _not_a_date(value)
    match kind:
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", context["expected"])
            close = nearest(str(value), allowed)
            hint = f"; did you mean {close!r}?" if close else ""
            return f"{shown(value)} is not one of {', '.join(allowed)}{hint}"
        case "string_pattern_mismatch":
            return _bad_handle(str(value), context["pattern"])
        case "string_too_long":
            return f"{shown(value, 20)} is longer than {context['max_length']} characters"
        case "too_short":
            return _too_few(context["min_length"], context["actual_length"])
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"must be {_bound(kind, context)}, not {value}"
    return str(detail["msg"])


def _quoting(kind: str, value: object) -> str:
    """What quotes have to do with it."""
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if isinstance(value, str) and re.fullmatch(r"true|false|-?\d+(\.\d+)?", value):
        return "; leave out the quotes"
    return ""


def _bound(kind: str, context: Mapping[str, Any]) -> str:
    words = {
        "greater_than": ("more than", "gt"),
        "greater_than_equal": ("at least", "ge"),
        "less_than": ("less than", "lt"),
        "less_than_equal": ("at most", "le"),
    }
    phrase, key = words[kind]
    return f"{phrase} {context[key]:g}"


def _bad_handle(value: str, pattern: str) -> str:
    if "/" in pattern:
        return f"{shown(value)} is not an option; write it as issue/option"
    slug = re.sub(r"[^a-z0-9]+", "-", value.casefold()).strip("-")
    hint = f"; did you mean {slug!r}?" if slug else ""
    return f"{shown(value)} is not an id (lower-case letters, digits and single hyphens){hint}"


def schemas() -> Mapping[str, str]:
    """The JSON Schemas by file name, as text."""
    texts = {}
    shapes: tuple[type[BaseModel], ...] = (SettingFile, PartyFile)
    for name, shape in zip(SCHEMA_FILES, shapes, strict=True):
        schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        schema |= shape.model_json_schema()
        _with_habits(schema)
        texts[name] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts


def _with_habits(schema: Any) -> None:
    """Add to a schema what `_habits` checks."""
    if isinstance(schema, list):
        for part in schema:
            _with_habits(part)
    if not isinstance(schema, dict):
        return
    for key, property_ in schema.get("properties", {}).items():
        if property_.get("type") == "array" and key in _AT_LEAST:
            property_["minItems"] = _AT_LEAST[key]
        for text in (property_, *property_.get("anyOf", ())):
            if text.get("type") == "string" and key in _ADDRESSES:
                text["pattern"] = f"^{_ADDRESS.pattern}$"
            elif text.get("type") == "string" and key in _TEXT:
                text["pattern"] = r"\S"
    for part in schema.values():
        _with_habits(part)
