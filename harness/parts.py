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
