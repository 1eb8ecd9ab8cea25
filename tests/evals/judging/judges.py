"""Judges for tests: real objects that answer by a rule, in process or behind a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.judging.judges import Judge
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Claim, Sheet, Unit
from harness.parts import CallFailure, Usage
from harness.prompt import Prompt, Reply

Json = dict[str, Any]
Rule = Callable[[Json, str], Json]
"""(schema, user message) -> the answer."""

POSITIONS = {
    "no-1": "Norland will reopen the port only after the detained crew is back home.",
    "no-2": "Norland wants inspections of every ship that leaves the strait.",
    "su-1": "Sundia wants the port opened first, and talks on the crew afterwards.",
}


def units(user: str) -> dict[str, str]:
    """What is to be labelled, by handle, as a judge reads it."""
    listed = user.partition("To be labelled:")[2].partition("</data>")[0]
    return dict(re.findall(r"^(U\d+): (.*)$", listed, re.MULTILINE))


def shown_positions(user: str) -> dict[str, str]:
    """The positions on the sheet, by handle."""
    return dict(re.findall(r"^(P\d+): (.*)$", user, re.MULTILINE))


def said_as(line: str) -> str:
    """The words behind a unit."""
    found = re.search(r"\[said as: (.*)\]$", line)
    return found.group(1) if found else re.sub(r"^\([^)]*\) ", "", line)


def labelling(rule: Callable[[str, Mapping[str, str]], Json]) -> Rule:
    """A judge that labels each unit by its line and the positions shown."""

    def answer(schema: Json, user: str) -> Json:
        positions = shown_positions(user)
        return {handle: rule(line, positions) for handle, line in units(user).items()}

    return answer


@dataclass
class ByRule:
    """A language model that answers by a rule; keeps what it was asked."""

    rule: Rule
    prompts: list[Prompt] = field(default_factory=list)
    fails: CallFailure | None = None

    async def ask(self, prompt: Prompt) -> Reply:
        """Answer by the rule, or fail."""
        self.prompts.append(prompt)
        usage = Usage(input=100, output=20, cached=0)
        if self.fails is not None:
            return Reply(text=None, usage=usage, failure=self.fails)
        answer = self.rule(prompt.schema, prompt.messages[-1].text)
        return Reply(text=json.dumps(answer), model="rule-1", usage=usage, finish="stop")


@dataclass
class Says:
    """A language model that always says the same words, whatever it is asked."""

    text: str | None

    async def ask(self, prompt: Prompt) -> Reply:
        """Say them."""
        return Reply(text=self.text, model="parrot-1")


def judge(model: Any, name: str = "openai:rule") -> Judge:
    return Judge(name, model, at_once=4)


def a_rubric(**changes: Any) -> Rubric:
    given: Json = {
        "name": "fit",
        "title": "Fit",
        "version": 1,
        "reads": "claims",
        "shows": "positions",
        "scale": {"supported": "says so", "unsupported": "silent", "contradicted": "rules it out"},
        "needs_quote": ("supported", "contradicted"),
        "masked": False,
        "text": "Hold each claim against the record.",
    }
    return Rubric.model_validate(given | changes)


def a_claim(text: str, claim_id: str = "T1.1.1", **changes: Any) -> Claim:
    given: Json = {
        "id": claim_id,
        "seq": 7,
        "turn": "T1",
        "party": "no",
        "item": "port",
        "start": 0,
        "end": len(text),
        "sentence": text,
        "text": text,
        "type": "position",
    }
    return Claim.model_validate(given | changes)


def a_sheet(*texts: str, rubric: Rubric | None = None, **changes: Any) -> Sheet:
    given: Json = {
        "id": "fit/port/no/1",
        "rubric": rubric or a_rubric(),
        "item": "port",
        "heading": "Talks: the port.\nItem: Port.",
        "units": tuple(
            Unit(f"T{n}.1.1", text, "Norland", "no", f"T{n}", (n,), said_as=text)
            for n, text in enumerate(texts, 1)
        ),
        "positions": POSITIONS,
        "holder": "Norland",
        "own": frozenset({"no-1", "no-2"}),
        "foreign": "unsupported",
    }
    return Sheet(**(given | changes))
