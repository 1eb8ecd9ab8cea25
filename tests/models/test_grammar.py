"""The grammar of a schema: what is translated, and what is left to llama.cpp."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from harness.models.grammar import grammar_of
from harness.turn import Reply, Request
from tests.rooms import a_room, held, instance, random_setting


def test_the_text_it_allows_has_no_white_space_between_tokens() -> None:
    vote = {"type": "string", "enum": ["accept", 'say "no"']}
    schema = {
        "type": "object",
        "properties": {"a": vote, "b": {"anyOf": [vote, {"type": "null"}]}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }

    rule = grammar_of(schema).split("\n")[0]

    choice = r'("\"accept\"" | "\"say \\\"no\\\"\"")'
    assert rule == f'root ::= "{{" "\\"a\\":" {choice} "," "\\"b\\":" ({choice} | "null") "}}"'


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10},
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        {"type": "number"},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": []},
        {"$ref": "#/$defs/a"},
    ],
    ids=["minLength", "uniqueItems", "number", "a key that may be left out", "a reference"],
)
def test_what_it_does_not_know_is_refused_rather_than_ignored(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no grammar"):
        grammar_of(schema)


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({}, (0, 1, 2, 3, 9)),
        ({"maxItems": 2}, (0, 1, 2)),
        ({"minItems": 1}, (1, 2, 3, 9)),
        ({"minItems": 1, "maxItems": 3}, (1, 2, 3)),
        ({"minItems": 2, "maxItems": 2}, (2,)),
        ({"maxItems": 0}, (0,)),
    ],
)
def test_a_list_has_as_many_entries_as_the_schema_says(
    limits: dict[str, int], allowed: tuple[int, ...]
) -> None:
    rule = grammar_of({"type": "array", "items": {"enum": ["x"]}, **limits}).split("\n")[0]
    pattern = as_regex(rule.removeprefix("root ::= "))
    for length in (0, 1, 2, 3, 9):
        text = json.dumps(["x"] * length, separators=(",", ":"))
        assert bool(re.fullmatch(pattern, text)) == (length in allowed), (rule, text)


def as_regex(rule: str) -> str:
    """A rule without names as a regular expression: literals quoted, white space dropped."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', rule)
    return "".join(
        re.escape(json.loads(part)) if part.startswith('"') else part.replace(" ", "")
        for part in parts
    )


@pytest.mark.parametrize(("longest", "says"), [(None, "character*"), (40, "character{0,40}")])
def test_free_texts_are_as_long_as_they_may_be(longest: int | None, says: str) -> None:
    assert says in grammar_of({"type": "string"}, longest)


class Translates:
    """A seat that reads prompts, and translates the schema of every answer it gives."""

    reads_prompts = True

    def __init__(self) -> None:
        self.grammars: list[str] = []

    async def answer(self, request: Request) -> Reply:
        self.grammars.append(grammar_of(request.schema))
        answer = instance(request.schema, random.Random(request.seed))
        return Reply(text=json.dumps(answer), model="test", finish="stop")


def test_every_schema_of_a_debate_is_translated() -> None:
    for seed in range(5):
        seat = Translates()
        held(a_room(random_setting(seed, 3, 2, 3), seat))
        assert len(seat.grammars) > 6
