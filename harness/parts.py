"""What events are made of: moves, calls, seats, brackets. Values without a place in time."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.errors import FailureKind

Phase = Literal["opening", "round", "reply", "caucus", "decision"]
"""Where in an item a turn falls."""

MoveKind = Literal["propose", "accept", "reserve", "reject", "withdraw", "concede", "ask"]
Stance = Literal["accept", "reserve", "reject"]
VoteChoice = Literal["accept", "reserve", "reject", "abstain"]
Outcome = Literal["adopted", "bracketed", "open"]


class Value(BaseModel):
    """A frozen part of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Move(Value):
    """The typed part of a turn: the only thing that changes the state of the talks."""

    move: MoveKind
    """propose a text; accept, reserve on or reject another party's open offer; withdraw one's own;
    concede: replace one's own offer by another text; ask another party a question."""
    issue: str
    """The issue it bears on."""
    option: str | None = None
    """The option of that issue, by id; None for `ask`."""
    sha: str | None = None
    """Fingerprint of the exact text the move was made on; None for `ask`."""
    offer: str | None = None
    """The offer answered, withdrawn or replaced."""
    to: str | None = None
    """`ask`: the party asked."""
    in_return_for: str | None = None
    """`concede`: the option, as `issue/option`, that is asked for in return."""
    because: str | None = None
    """The position of the mover's own mandate behind the move."""

    @property
    def key(self) -> str:
        """The option as `issue/option`; the bare issue where there is no option."""
        return f"{self.issue}/{self.option}" if self.option else self.issue


class Usage(Value):
    """Tokens of one call."""

    input: int = 0
    """Tokens read, cached ones included."""
    output: int = 0
    """Tokens written."""
    cached: int = 0
    """Tokens read from a prompt cache."""


class Sent(Value):
    """One message as it was sent: its text is the parts joined."""

    role: Literal["system", "user"]
    """Who speaks in the chat protocol."""
    parts: tuple[str, ...]
    """Fingerprints of `text` events, in order."""


class Seat(Value):
    """Who or what sits in a seat."""

    seat: str
    """Party id, or `chair`."""
    model: str
    """What was asked for: `local`, `openai:...`, `reference`, `script:FILE`, ..."""
    prompt: str | None = None
    """Persona prompt by name; None where no prompt is used."""
    prompt_sha: str | None = None
    """Fingerprint of the persona prompt's template."""
    speech: Literal["free", "composed"] = "composed"
    """Whether the model writes the statement, or it is composed from the dossier."""
    guard: bool = False
    """Whether moves that cross the party's own red lines were left out of its schema."""
    memory: Literal["debate", "item"] = "item"
    """Whether the prompt carries the record of the whole debate or of the item."""
    masked: bool = False
    """Whether names that give a party away were hidden although the prompt does not ask for it."""
    parameters: dict[str, Any] = {}
    """Temperature and the like, as asked for."""
    why: str = ""
    """Why this model was chosen, where the program chose it."""


class Cast(Value):
    """A vote on one issue's tabled text."""

    issue: str
    vote: VoteChoice
    because: str | None = None
    """The position behind it."""


class Said(Value):
    """A turn whose statement was written by whoever forked the debate."""

    party: str
    call: str
    """The call that the words answer."""
    text: str
    moves: tuple[Move, ...] = ()
    """As the party made them there in the debate it was taken from; and so votes and note."""
    votes: tuple[Cast, ...] = ()
    note: str | None = None


class Fork(Value):
    """Which debate this one was taken from, how much of it was kept, and what was changed."""

    origin: str
    """Name of the transcript it was taken from."""
    origin_sha: str
    """SHA-256 of that file's bytes when it was."""
    at: int | None = None
    """`seq` in that file of the first event that was not taken over; None if held from the
    start."""
    kept: int = 0
    """How many events of this debate, from `debate_opened` on, were taken over. Their replies were
    paid for there."""
    turn: str | None = None
    """The turn whose statement was changed."""
    said: Said | None = None
    unheard: tuple[str, ...] = ()
    """Parties that did not hear the statement of that turn."""
    without: tuple[str, ...] = ()
    """Positions that were taken out of the setting."""
    changes: tuple[str, ...] = ()
    """Everything that was changed, in words; empty where only the seed was."""
    seats: tuple[Seat, ...] = ()
    """Who sat where in what was taken over."""
    seed: int = 0
    """Its seed."""
    earlier: Fork | None = None
    """Where that debate was itself taken from."""


class CallFailure(Value):
    """Why a call gave no reply."""

    kind: FailureKind
    why: str


class Bracket(Value):
    """One text that stands in brackets, and who holds it there."""

    option: str
    holders: tuple[str, ...]
    """Parties that stand for this text."""


class Reservation(Value):
    """A party's reservation on an adopted text."""

    party: str
    because: str | None = None
    """The position it rests on."""
