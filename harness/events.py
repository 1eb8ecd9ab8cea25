"""The events of a debate: what a transcript is made of, one JSON object a line.

An event says what happened and who may know it. Nothing here decides anything: the mechanism makes
moves, votes and decisions; the chair and the delegations speak.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from harness.errors import FailureKind

# What events are made of belongs to their vocabulary.
from harness.parts import Bracket as Bracket
from harness.parts import CallFailure as CallFailure
from harness.parts import Fork as Fork
from harness.parts import Move as Move
from harness.parts import MoveKind as MoveKind
from harness.parts import Outcome as Outcome
from harness.parts import Phase as Phase
from harness.parts import Reservation as Reservation
from harness.parts import Seat as Seat
from harness.parts import Sent as Sent
from harness.parts import Stance as Stance
from harness.parts import Usage as Usage
from harness.parts import VoteChoice as VoteChoice
from harness.setting import Inject, Rules, Setting

SCHEMA = 1
"""Version of the transcript format; the first line of every file carries it."""

NOTICE = (
    "Simulated debate between language-model delegations. "
    "The words are no state's and were never said by any government."
)
"""Every export says so."""

CHAIR = "chair"


class EventBase(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    seq: int = -1
    """Line number in the transcript, from 0; given when the event is appended."""
    audience: tuple[str, ...] | None = None
    """The seats that may know of it; None means everyone."""


class Header(EventBase):
    """The first line: what this file is."""

    kind: Literal["header"] = "header"
    format: Literal["tracktwo transcript"] = "tracktwo transcript"
    schema_version: int = SCHEMA
    """Version of the format."""
    debate: str
    """Name of the debate; also the file's stem."""
    created: str
    """UTC time at which the file was opened, ISO 8601."""
    notice: str = NOTICE


class RunCard(EventBase):
    """The second line: everything the debate was held with."""

    kind: Literal["run_card"] = "run_card"
    setting: Setting
    """The part of the setting that was debated, positions with their sources included."""
    setting_sha: str
    """Fingerprint of the whole setting it was taken from."""
    rules: Rules
    """The rules of procedure in force."""
    seats: tuple[Seat, ...]
    """Parties in seat order, then the chair."""
    seed: int
    """Seed of everything that is drawn."""
    versions: dict[str, str]
    """The program and the libraries that took part."""
    fork: Fork | None = Field(default=None, exclude_if=lambda fork: fork is None)
    """Which debate it was taken from, where it goes on from another's record."""


class DebateOpened(EventBase):
    """The chair opens the talks."""

    kind: Literal["debate_opened"] = "debate_opened"
    words: str
    """What the chair says."""


class ItemOpened(EventBase):
    """The chair reads an item's issues."""

    kind: Literal["item_opened"] = "item_opened"
    item: str
    words: str


class RoundOpened(EventBase):
    """A phase of an item begins."""

    kind: Literal["round_opened"] = "round_opened"
    item: str
    phase: Phase
    round: int
    """0 for opening statements."""


class Injected(EventBase):
    """The chair announces news."""

    kind: Literal["inject"] = "inject"
    inject: Inject


class CaucusOpened(EventBase):
    """Some parties meet in private; what is said there carries them as its audience."""

    kind: Literal["caucus_opened"] = "caucus_opened"
    item: str
    parties: tuple[str, ...]


class Text(EventBase):
    """A piece of a prompt, kept once however often it was sent."""

    kind: Literal["text"] = "text"
    sha: str
    text: str


class ModelCall(EventBase):
    """One call to what sits in a seat: what was really sent and what came back."""

    kind: Literal["model_call"] = "model_call"
    call: str
    """Name of the call within the debate: `item/phase+round/seat#attempt`."""
    seat: str
    """Party id, or `chair`."""
    sent: tuple[Sent, ...]
    """The messages; empty where no language model sits there."""
    answer_schema: str | None
    """Fingerprint of the JSON Schema the answer had to fit, kept as a `text` event."""
    request_sha: str
    """Fingerprint of messages and schema together; a replay must ask for the same."""
    parameters: dict[str, Any] = {}
    """Parameters on the wire, messages and schema left out."""
    constrained: bool = False
    """Whether the provider was made to keep to the schema."""
    model: str | None = None
    """The model id that answered."""
    reply: str | None = None
    """The raw reply."""
    usage: Usage = Usage()
    finish: str | None = None
    """Why the model stopped: stop, length, refusal, ..."""
    started: str | None = None
    """UTC time the call was sent, ISO 8601; None where no clock was read."""
    latency: float = 0.0
    """Seconds from sending to the whole reply."""
    cost: float | None = None
    """US dollars, where a price is known."""
    retries: int = 0
    """How often the client sent it again."""
    failure: CallFailure | None = None
    """Set where the call gave no reply."""


class TurnEvent(EventBase):
    """What all events of a turn carry."""

    turn: str
    """Handle of the turn, `T12`."""
    party: str
    item: str
    phase: Phase
    round: int
    call: str
    """The call that produced it."""


class Statement(TurnEvent):
    """The spoken part of a turn. It decides nothing."""

    kind: Literal["statement"] = "statement"
    text: str
    citations: tuple[str, ...] = ()
    """Ids of the speaker's own positions."""
    speech: Literal["free", "composed"]


class Note(TurnEvent):
    """A private note of a delegation; only its own party may see it."""

    kind: Literal["note"] = "note"
    text: str


class MoveMade(TurnEvent):
    """A move that was in order and changed the state."""

    kind: Literal["move"] = "move"
    move: Move
    offer: str | None = None
    """Handle of the offer this move tabled, `O3`."""
    replaced: str | None = None
    """The mover's earlier offer on the issue that this move took off the table."""


class Unread(EventBase):
    """A reply that could not be read; what was wrong with it is the seat's own business."""

    kind: Literal["unread"] = "unread"
    call: str
    why: str


class RuledOut(TurnEvent):
    """A move the chair ruled out of order; it changed nothing."""

    kind: Literal["ruled_out"] = "ruled_out"
    move: Move
    why: str


class TurnFailed(TurnEvent):
    """A turn without an answer. It is never a vote, an acceptance, an abstention or silence."""

    kind: Literal["failure"] = "failure"
    failure: FailureKind
    why: str
    attempts: int
    """How often the seat was asked."""


class Tabled(EventBase):
    """The chair tables a text for decision, chosen from the declared acceptances."""

    kind: Literal["tabled"] = "tabled"
    item: str
    issue: str
    option: str
    sha: str
    """Fingerprint of the exact text."""
    acceptances: tuple[str, ...]
    """Parties that had declared they could accept it."""
    rule: str
    """Which rule chose it, in words."""
    words: str
    """What the chair says."""


class VoteCast(TurnEvent):
    """A delegation's formal answer on a tabled text."""

    kind: Literal["vote"] = "vote"
    issue: str
    option: str
    sha: str
    """Fingerprint of the exact text it was cast on."""
    vote: VoteChoice
    because: str | None = None
    """The position behind it."""


class Decided(EventBase):
    """The outcome of one issue, as the mechanism found it."""

    kind: Literal["decision"] = "decision"
    item: str
    issue: str
    outcome: Outcome
    """adopted; bracketed: a text was put and not adopted; open: nothing could be put."""
    by: Literal["declaration", "vote", "none"]
    """Adopted because every party had declared acceptance, by a vote, or not decided at all."""
    option: str | None = None
    """The text adopted or voted on."""
    sha: str | None = None
    accept: tuple[str, ...] = ()
    reserve: tuple[Reservation, ...] = ()
    reject: tuple[str, ...] = ()
    abstain: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Parties whose answer could not be had."""
    brackets: tuple[Bracket, ...] = ()
    """What stays on the table, with its holders; empty when adopted."""
    why: str
    """The rule and the count, in words."""
    words: str = ""
    """What the chair says."""


class PackageRuled(EventBase):
    """`Nothing is agreed until everything is agreed`: whether the adopted texts stand."""

    kind: Literal["package"] = "package"
    scope: Literal["item", "agenda"]
    item: str | None
    """The item, where the package is one item."""
    stands: bool
    issues: tuple[str, ...]
    """The adopted issues that stand or lapse."""
    why: str


class ItemClosed(EventBase):
    """The chair closes an item."""

    kind: Literal["item_closed"] = "item_closed"
    item: str
    reason: Literal["nothing_left_open", "rounds_exhausted"]
    words: str


class ChairSpoke(EventBase):
    """The chair's voice, where a model words what the chair has already done."""

    kind: Literal["chair_spoke"] = "chair_spoke"
    item: str | None
    text: str
    call: str


class DebateClosed(EventBase):
    """The talks are over."""

    kind: Literal["debate_closed"] = "debate_closed"
    adopted: int
    bracketed: int
    open: int
    words: str


class BudgetStop(EventBase):
    """A ceiling was reached: the debate stops here and can be resumed with a higher one."""

    kind: Literal["budget_stop"] = "budget_stop"
    ceiling: str
    """Which ceiling: calls, tokens, cost or minutes."""
    why: str


class Resumed(EventBase):
    """The file was taken up again after an interruption."""

    kind: Literal["resumed"] = "resumed"
    at: str
    """UTC time, ISO 8601."""
    trimmed: int = 0
    """Bytes of a torn last line that were cut off."""


Event = Annotated[
    Header
    | RunCard
    | DebateOpened
    | ItemOpened
    | RoundOpened
    | Injected
    | CaucusOpened
    | Text
    | ModelCall
    | Statement
    | Note
    | MoveMade
    | Unread
    | RuledOut
    | TurnFailed
    | Tabled
    | VoteCast
    | Decided
    | PackageRuled
    | ItemClosed
    | ChairSpoke
    | DebateClosed
    | BudgetStop
    | Resumed,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one line of a transcript."""

BOOKKEEPING = (BudgetStop, Resumed)
"""Events about the file rather than the debate; replays leave them out."""


def may_see(event: EventBase, seat: str | None) -> bool:
    """Whether a seat may know of an event: the one place where visibility is decided.

    `seat` is a party's id, compared whole, or None for the public. Prompts and calls carry the
    audience of the seat they belong to.
    """
    return event.audience is None or (seat is not None and seat in event.audience)
