"""What a seat is asked in one turn, what it may do, and what it answered.

The JSON Schema of an answer is built for this party, this item and this moment: options that do not
exist, offers that are not open and positions of other parties cannot be named. Nothing here calls a
model or changes the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.events import Move, Phase, VoteChoice
from harness.legal import Legal as Legal
from harness.legal import legal as legal
from harness.prompt import Json as Json
from harness.prompt import Message as Message
from harness.prompt import Prompt, defect, object_of, one_of
from harness.prompt import Reply as Reply
from harness.prompt import Unreadable as Unreadable
from harness.prompt import parsed as parsed
from harness.setting import Item, Mandate, Rules, Setting
from harness.state import Offer, State

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MAX_CITATIONS = 4
"""Positions one statement may cite."""

BRIEF_CITATIONS = 2
"""The same where the answer has to be short."""


@dataclass(frozen=True)
class Request:
    """Everything a seat may know and use to answer one turn."""

    call: str
    """Name of the call: `item/phase+round/seat#attempt`."""
    seat: str
    setting: Setting
    """The agenda's part of the setting; a seat reads only its own positions from its mandate."""
    rules: Rules
    item: Item
    phase: Phase
    round: int
    state: State
    mandate: Mandate
    legal: Legal
    speech: Literal["free", "composed"]
    messages: tuple[Message, ...]
    """Empty where no language model sits there."""
    schema: Json
    seed: int
    """Seed of this call, drawn from the debate's seed and the call's name."""
    attempt: int = 1
    """2 for the repair of an answer that could not be read."""

    @property
    def sha(self) -> str:
        """Fingerprint of messages and schema: what a replay must ask again."""
        return self.prompt.sha

    @property
    def prompt(self) -> Prompt:
        """What a language model is sent of it."""
        return Prompt(self.messages, self.schema, self.seed)


class Seated(Protocol):
    """What sits in a seat: a model, the reference negotiator, a script, a recording, a person."""

    reads_prompts: bool
    """Whether messages have to be written for it."""

    async def answer(self, request: Request) -> Reply:
        """Answer one turn. Raises BudgetExhausted before a call that would break a ceiling."""
        ...


@dataclass(frozen=True)
class Answer:
    """A reply that could be read."""

    statement: str | None = None
    citations: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    votes: Mapping[str, tuple[VoteChoice, str | None]] = field(default_factory=dict)
    """Issue -> (vote, position behind it)."""
    note: str | None = None


def schema_for(
    legal: Legal, phase: Phase, speech: Literal["free", "composed"], *, brief: bool = False
) -> Json:
    """The JSON Schema of an answer; every key required and no other allowed, for strict modes.

    `brief` is for very small models: two words an issue, no reasons, no questions.
    """
    parts: dict[str, Json] = {}
    if speech == "free":
        parts["note"] = {"type": "string", "description": "Private; your own delegation only."}
    if legal.citable:
        most = BRIEF_CITATIONS if brief else MAX_CITATIONS
        parts["citations"] = {"type": "array", "items": one_of(legal.citable), "maxItems": most}
    because = {} if brief else _because(legal)
    if legal.votes:
        votes = {i: object_of({"vote": one_of(cs), **because}) for i, cs in legal.votes.items()}
        parts["votes"] = _brief_votes(legal) if brief else object_of(votes)
    elif legal.moves and phase in ("opening", "round"):
        parts["moves"] = _brief_moves(legal) if brief else _moves(legal, because)
    if speech == "free":
        parts["statement"] = {"type": "string", "description": "What you say aloud, to everyone."}
    return object_of(parts)


def _brief_votes(legal: Legal) -> Json:
    return object_of({legal.numbers[issue]: one_of(cs) for issue, cs in legal.votes.items()})


def _brief_moves(legal: Legal) -> Json:
    return object_of({number: one_of(list(choices)) for number, choices in legal.brief.items()})


def _moves(legal: Legal, because: dict[str, Json]) -> Json:
    kinds: list[Json] = []

    def kind(move: str, **properties: Json) -> None:
        kinds.append(object_of({"move": one_of([move]), **properties, **because}))

    for stance, offers in legal.answer.items():
        if offers:
            kind(stance, offer=one_of(offers))
    if legal.propose:
        kind("propose", text=one_of(legal.propose))
    if legal.concede:
        returns: Json = _or_null(one_of(legal.trade)) if legal.trade else {"type": "null"}
        kind("concede", text=one_of(legal.concede), in_return_for=returns)
    if legal.withdraw:
        kind("withdraw", offer=one_of(legal.withdraw))
    if legal.ask:
        kind("ask", to=one_of(legal.ask), issue=one_of(legal.issues))
    answerable = {offer for offers in legal.answer.values() for offer in offers}
    texts = max(len(legal.propose) + len(legal.concede), 3 * len(legal.issues))
    limit = len(answerable) + texts
    return {"type": "array", "items": {"anyOf": kinds}, "maxItems": limit}


def _because(legal: Legal) -> dict[str, Json]:
    return {"because": _or_null(one_of(legal.citable))} if legal.citable else {}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def read(text: str, request: Request, *, own_words: bool = False) -> Answer | Unreadable:
    """The answer in a raw reply, or why it could not be read. Nothing is guessed or filled in.

    With `own_words`, a composed seat may carry its statement along as `say`: a script or a person.
    """
    data = parsed(text)
    if isinstance(data, Unreadable):
        return data
    said = data.pop("say", None) if own_words else None
    # What was written beforehand is in full even where the seat's model is asked to be brief.
    full = schema_for(request.legal, request.phase, request.speech) if own_words else None
    flaw = defect(data, full or request.schema, _meant)
    if flaw is not None:
        return Unreadable(flaw)
    statement = str(data.get("statement") or said or "").strip()
    if request.speech == "free" and not statement and request.phase != "decision":
        return Unreadable("$.statement: nothing was said")
    return Answer(
        statement=statement or None,
        citations=tuple(dict.fromkeys(data.get("citations", ()))),
        moves=tuple(
            _move(move, request) for move in _in_full(data.get("moves", []), request.legal)
        ),
        votes=_votes(data.get("votes", {}), request.legal),
        note=data.get("note") or None,
    )


def misfit(text: str, schema: Json) -> Unreadable | None:
    """Why a raw reply does not fit a schema; None where it does."""
    data = parsed(text)
    if isinstance(data, Unreadable):
        return data
    flaw = defect(data, schema, _meant)
    return None if flaw is None else Unreadable(flaw)


def _meant(error: ValidationError) -> ValidationError:
    """What is wrong with the kind of move that was meant, rather than with all the other kinds."""
    if error.validator == "anyOf" and isinstance(error.instance, dict):
        kinds: Any = error.validator_value
        for index, kind in enumerate(kinds):
            if error.instance.get("move") in kind["properties"]["move"]["enum"]:
                within = [e for e in error.context or () if e.relative_schema_path[0] == index]
                return min(within, key=lambda e: len(e.relative_path), default=error)
    return error


def _votes(votes: Json, legal: Legal) -> dict[str, tuple[VoteChoice, str | None]]:
    """Votes by issue with the position behind each; brief ones stand under the issue's number."""
    issues = {number: issue for issue, number in legal.numbers.items()}
    cast: dict[str, tuple[VoteChoice, str | None]] = {}
    for where, vote in votes.items():
        full: Json = {"vote": vote} if isinstance(vote, str) else vote
        cast[issues.get(where, where)] = (full["vote"], full.get("because"))
    return cast


def _in_full(moves: Json | list[Json], legal: Legal) -> list[Json]:
    """Moves as a list, brief ones written out."""
    if isinstance(moves, list):
        return moves
    chosen = [legal.brief[number][words] for number, words in moves.items()]
    return [move for move in chosen if move]


def _move(data: Json, request: Request) -> Move:
    """A typed move, bound to the exact text its maker had before it."""
    kind, because = data["move"], data.get("because")
    if kind == "ask":
        return Move(move="ask", issue=data["issue"], to=data["to"], because=because)
    offer = request.state.offer(data["offer"]) if "offer" in data else None
    if offer is not None:
        return _answering(kind, offer, because)
    issue, _, option = data["text"].partition("/")
    own = request.state.issues[issue].own_offer(request.seat)
    return Move(
        move=kind,
        issue=issue,
        option=option,
        sha=request.setting.text_sha(data["text"]),
        offer=own.id if own is not None and kind == "concede" else None,
        in_return_for=data.get("in_return_for"),
        because=because,
    )


def _answering(kind: Literal["accept"], offer: Offer, because: str | None) -> Move:
    return Move(
        move=kind,
        issue=offer.issue,
        option=offer.option,
        sha=offer.sha,
        offer=offer.id,
        because=because,
    )
