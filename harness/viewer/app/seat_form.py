"""From what a person filled in to an answer, and what is wrong with it, beside its field.

A field is named for what it decides: `offer:ISSUE`, `on:OFFER`, `ask:ISSUE`, `vote:ISSUE`, each
with a `because:` of its own. What was filled in is never bent into shape: a value that was not
offered is refused by the schema like any model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from harness.events import CHAIR
from harness.models.waiting import unfit
from harness.prompt import Json
from harness.turn import MAX_CITATIONS, Request, schema_for

Field = Literal["statement", "note", "citations", "moves", "votes"]

Typed = Mapping[str, tuple[str, ...]]
"""What was filled in: the values of every field, by its name."""


class Wrong(NamedTuple):
    """Why an answer is not taken."""

    field: Field
    """Where on the form to say so."""
    why: str


def parts_of(request: Request) -> frozenset[str]:
    """The parts an answer has: statement, note, citations, moves, votes."""
    if request.seat == CHAIR:
        return frozenset({"statement"})
    wanted = schema_for(request.legal, request.phase, request.speech)["properties"]
    return frozenset(wanted) | {"statement"}


def answer_of(typed: Typed, request: Request) -> str:
    """The answer as JSON, in the words of the schema."""
    if request.seat == CHAIR:
        return json.dumps({"statement": one(typed, "statement")})
    parts, free = parts_of(request), request.speech == "free"
    data: Json = {}
    if "note" in parts:
        data["note"] = one(typed, "note")
    if "citations" in parts:
        data["citations"] = list(typed.get("cite", ()))
    if "votes" in parts:
        data["votes"] = dict(_votes(typed, request))
    if "moves" in parts:
        data["moves"] = list(_moves(typed, request))
    said = one(typed, "statement")
    if free or said:
        data["statement" if free else "say"] = said
    return json.dumps(data)


def wrong_with(typed: Typed, request: Request) -> Wrong | None:
    """What is wrong with what was filled in; None where it can be sent."""
    for issue in request.legal.votes:
        if not one(typed, f"vote:{issue}"):
            title = request.setting.issue(issue).title
            return Wrong("votes", f"Vote on every tabled text: {title} is still without one.")
    for issue in request.legal.issues:
        moves = one(typed, f"offer:{issue}").startswith("concede ")
        if one(typed, f"return:{issue}") and not moves:
            title = request.setting.issue(issue).title
            return Wrong("moves", f"Ask for a return on {title} only where you move your offer.")
    if len(typed.get("cite", ())) > MAX_CITATIONS:
        return Wrong("citations", f"Cite {MAX_CITATIONS} positions at most.")
    flaw = unfit(answer_of(typed, request), request)
    if flaw is None:
        return None
    if flaw.why.endswith("nothing was said"):
        return Wrong("statement", "Say something: a statement cannot be empty.")
    return Wrong(_field(flaw.why), f"This cannot be sent: {flaw.why}.")


def one(typed: Typed, name: str) -> str:
    """The value of a field; empty where it was left out."""
    return next(iter(typed.get(name, ())), "").strip()


def _field(why: str) -> Field:
    """The part of the form that a reader's complaint is about: it begins with a path."""
    fields: tuple[Field, ...] = ("note", "citations", "moves", "votes")
    return next((field for field in fields if why.startswith(f"$.{field}")), "statement")


def _votes(typed: Typed, request: Request) -> Iterator[tuple[str, Json]]:
    for issue in request.legal.votes:
        if vote := one(typed, f"vote:{issue}"):
            yield issue, {"vote": vote} | _because(typed, f"vote:{issue}", request)


def _moves(typed: Typed, request: Request) -> Iterator[Json]:
    """Answers first, so that they reach the offers that stood on the table when it was written."""
    legal = request.legal
    for offer in dict.fromkeys(o for offers in legal.answer.values() for o in offers):
        if stance := one(typed, f"on:{offer}"):
            yield {"move": stance, "offer": offer} | _because(typed, f"on:{offer}", request)
    for issue in legal.issues:
        kind, _, what = one(typed, f"offer:{issue}").partition(" ")
        if kind:
            extra = {"in_return_for": one(typed, f"return:{issue}") or None}
            named = {"offer": what} if kind == "withdraw" else {"text": what}
            because = _because(typed, f"offer:{issue}", request)
            yield {"move": kind, **named, **(extra if kind == "concede" else {}), **because}
    for issue in legal.issues:
        if party := one(typed, f"ask:{issue}"):
            because = _because(typed, f"ask:{issue}", request)
            yield {"move": "ask", "to": party, "issue": issue} | because


def _because(typed: Typed, name: str, request: Request) -> Json:
    if not request.legal.citable:
        return {}
    return {"because": one(typed, f"because:{name}") or None}
