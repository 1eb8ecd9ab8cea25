"""A JSON Schema as a grammar of llama.cpp's, without any white space between the tokens.

llama.cpp's own translation allows line ends and indentation, on which a small model spends a third
of its tokens. Only what `turn.schema_for` uses is translated: objects whose keys are all required,
enums, free strings, null, arrays with `minItems` and `maxItems`, and `anyOf`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_CHARACTER = r"""character ::= [^"\\\x00-\x1f\x7f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})"""

_KNOWN = {
    "type", "enum", "anyOf", "properties", "required", "additionalProperties", "items", "minItems",
    "maxItems", "description",
}  # fmt: skip


def grammar_of(schema: Mapping[str, Any], longest: int | None = None) -> str:
    """The grammar of the compact JSON texts that fit the schema.

    Args:
        schema: what the texts have to fit.
        longest: characters a free string may have; None for no limit.

    Raises:
        ValueError: the schema uses something that is not translated.
    """
    text = f"text ::= {_text(longest)}\n" if '"string"' in json.dumps(schema) else ""
    return f"root ::= {_rule(schema)}\n{text}{_CHARACTER}\n"


def _rule(schema: Mapping[str, Any]) -> str:
    unknown = set(schema) - _KNOWN
    if unknown:
        raise ValueError(f"no grammar for {', '.join(sorted(unknown))}")
    if "enum" in schema:
        return _either(_literal(json.dumps(value, ensure_ascii=False)) for value in schema["enum"])
    if "anyOf" in schema:
        return _either(_rule(choice) for choice in schema["anyOf"])
    match schema.get("type"):
        case "null":
            return _literal("null")
        case "string":
            return "text"
        case "array":
            return _array(_rule(schema["items"]), schema.get("minItems", 0), schema.get("maxItems"))
        case "object":
            return _object(schema)
        case other:
            raise ValueError(f"no grammar for a schema of type {other!r}")


def _text(longest: int | None) -> str:
    return rf'"\"" character{"*" if longest is None else f"{{0,{longest}}}"} "\""'


def _object(schema: Mapping[str, Any]) -> str:
    properties: Mapping[str, Any] = schema["properties"]
    if list(schema["required"]) != list(properties):
        raise ValueError("no grammar for an object with keys that may be left out")
    parts = [
        f"{_literal(json.dumps(key) + ':')} {_rule(value)}" for key, value in properties.items()
    ]
    return " ".join([_literal("{"), f" {_literal(',')} ".join(parts), _literal("}")])


def _array(item: str, least: int, most: int | None) -> str:
    if most == 0:
        return _literal("[]")
    more = f"{{{max(0, least - 1)},{'' if most is None else most - 1}}}"
    some = f'{item} ("," {item}){more}'
    return f'"[" {some} "]"' if least else f'"[" ({some})? "]"'


def _either(choices: Any) -> str:
    return "(" + " | ".join(choices) + ")"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
