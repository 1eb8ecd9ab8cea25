"""A debate as a chat for Inspect's viewer: the chair as user, delegations as assistants.

Inspect sets what it shows as Markdown. Whatever a delegation or a file says is therefore quoted
line by line with every sign that steers Markdown taken back: it can neither become a link or a
picture nor open a paragraph that looks like the chair's. Where that changed the words, they stand
in the message's metadata as they were said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from harness import events as e
from harness.plain import clean
from harness.setting import Setting
from harness.transcript import Transcript

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What JSON can hold."""

_STEERS = re.compile(r"([\\`*_\[\]#|~$!])")

VERBS: Mapping[e.MoveKind, str] = {
    "propose": "proposes",
    "accept": "accepts",
    "reserve": "reserves on",
    "reject": "rejects",
    "withdraw": "withdraws",
    "concede": "moves to",
    "ask": "asks",
}


class Message(NamedTuple):
    """One message of the chat."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    """As it is shown."""
    seqs: tuple[int, ...]
    """The events it shows."""
    metadata: dict[str, Json]
    """Who, when, the words as they were said, and what was moved."""
    model: str | None = None
    """What answered, where a delegation speaks."""
    turn: str | None = None
    replies: bool = False
    """Whether the call that gave it is on record: what was held elsewhere has none."""


class Reference(NamedTuple):
    """Something in the sample that a score can point to."""

    type: Literal["message", "event"]
    id: str
    cite: str
    """What stands in the text: `[M3]` for a message, `[E45]` for an event by its number."""


def handle(*parts: object) -> str:
    """An id of 22 letters and digits that is the same for the same parts."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:22]


def inert(text: str) -> str:
    """Text that Markdown shows as it is, without what steers a terminal or hides.

    Angle brackets become single guillemets: what is escaped twice would show its escapes.
    """
    bare = clean(text).replace("<", "\u2039").replace(">", "\u203a")
    return _STEERS.sub(r"\\\1", bare)


def quoted(text: str) -> str:
    """Somebody's words, each line in quotation marks, so that no line stands outside of them."""
    lines = [line for line in clean(text).splitlines() if line.strip()]
    return "\n\n".join(f"\u201c{inert(line.strip())}\u201d" for line in lines)


def _as_said(text: str) -> dict[str, Json]:
    """The words themselves, where what is shown differs in more than the quotation marks."""
    return {} if inert(text) == text and "\n" not in text else {"text": text}


@dataclass(frozen=True)
class Talk:
    """What a reader of one debate may see of it."""

    transcript: Transcript
    """As it may be shown: of a public one everything private was left out before."""
    asked: tuple[e.ModelCall, ...]
    """Every call of the debate. Of a public log nothing but their models and figures is used."""
    public: bool
    """Whether the log is for everyone."""

    @property
    def setting(self) -> Setting:
        """The part of the setting that was debated."""
        return self.transcript.setting

    @property
    def events(self) -> tuple[e.Event, ...]:
        """The events that may be shown, header and run card left out."""
        return self.transcript.events[2:]

    @cached_property
    def shown(self) -> frozenset[int]:
        """The numbers of those events."""
        return frozenset(event.seq for event in self.events)

    def event_id(self, seq: int) -> str:
        """The id of an event in the log."""
        return handle(self.transcript.header.debate, self.transcript.header.created, seq)

    @cached_property
    def calls(self) -> Mapping[str, e.ModelCall]:
        """Every call, by its name."""
        return {call.call: call for call in self.asked}

    @cached_property
    def turns(self) -> Mapping[str, tuple[e.TurnEvent, ...]]:
        """What may be shown of each turn, by its handle."""
        found: dict[str, list[e.TurnEvent]] = {}
        for event in self.events:
            if isinstance(event, e.TurnEvent):
                found.setdefault(event.turn, []).append(event)
        return {turn: tuple(events) for turn, events in found.items()}

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The chat; the first message says that the words are simulated."""
        debate = self.transcript.header.debate
        # No system message: those are left out where messages are cited by number, and counted
        # where they are shown.
        notice = Message(handle(debate, "notice"), "user", e.NOTICE, (), {"kind": "notice"})
        return (notice, *self._messages())

    def _messages(self) -> Iterator[Message]:
        for event in self.events:
            match event:
                case e.Statement() | e.TurnFailed():
                    yield self._turn(event)
                case e.DebateOpened() | e.DebateClosed() | e.Tabled() | e.Decided():
                    yield self._chair(event, event.words)
                case e.ItemOpened() | e.ItemClosed():
                    yield self._chair(event, event.words)
                case e.Injected():
                    yield self._chair(event, event.inject.text)
                case e.PackageRuled():
                    yield self._chair(event, event.why)
                case e.ChairSpoke():
                    yield self._chair(event, event.text)
                case _:
                    pass

    def _chair(self, event: e.Event, words: str) -> Message:
        data: dict[str, Json] = {"speaker": e.CHAIR, "kind": event.kind, "seq": event.seq}
        if (item := getattr(event, "item", None)) is not None:
            data["item"] = item
        content = f"**Chair**\n\n{quoted(words)}"
        data |= _as_said(words)
        return Message(self.event_id(event.seq), "user", content, (event.seq,), data)

    def _turn(self, event: e.Statement | e.TurnFailed) -> Message:
        seqs = tuple(each.seq for each in self.turns[event.turn])
        data: dict[str, Json] = {
            "speaker": event.party, "turn": event.turn, "item": event.item, "phase": event.phase,
            "round": event.round, "seq": event.seq,
        }  # fmt: skip
        if event.audience is not None:
            data["audience"] = list(event.audience)
        make = self._failed if isinstance(event, e.TurnFailed) else self._said
        return make(event, seqs, data)

    def _failed(self, event: e.TurnEvent, seqs: tuple[int, ...], data: dict[str, Json]) -> Message:
        assert isinstance(event, e.TurnFailed)
        # Not the party's message: nothing was said, and nobody's words are put in its mouth.
        content = f"{self.head(event)}\n\nNo answer ({event.failure}): {inert(event.why)}"
        data |= {"failure": event.failure}
        return Message(self.event_id(event.seq), "user", content, seqs, data, turn=event.turn)

    def _said(self, event: e.TurnEvent, seqs: tuple[int, ...], data: dict[str, Json]) -> Message:
        assert isinstance(event, e.Statement)
        turn = self.turns[event.turn]
        deeds = [deed for deed in turn if isinstance(deed, e.MoveMade | e.VoteCast)]
        moves = [f"{d.move.move} {d.move.key}" for d in deeds if isinstance(d, e.MoveMade)]
        votes = [f"{d.vote} {d.issue}/{d.option}" for d in deeds if isinstance(d, e.VoteCast)]
        done: dict[str, list[Json]] = {
            "citations": [*event.citations], "moves": [*moves], "votes": [*votes],
        }  # fmt: skip
        data |= {key: some for key, some in done.items() if some}
        data |= _as_said(event.text)
        below = [f"- {inert(self.deed(deed))}" for deed in deeds]
        if event.citations:
            below += ["", f"Cites {inert(', '.join(event.citations))}"]
        content = "\n".join([self.head(event), "", quoted(event.text), "", *below]).rstrip()
        answered = self.answered(event.call, event.party)
        return Message(
            self.event_id(event.seq), "assistant", content, seqs, data, answered, event.turn,
            replies=event.call in self.calls,
        )  # fmt: skip

    def head(self, event: e.TurnEvent) -> str:
        """Who speaks, and when; with whom where it is not for everyone."""
        short = self.setting.party(event.party).short
        apart = f", only to {', '.join(event.audience)}" if event.audience is not None else ""
        return f"**{inert(short)}** {event.turn}, {event.phase} of {event.item}{inert(apart)}"

    def answered(self, call: str, seat: str) -> str:
        """The model that answered a call; what sits in the seat where that is not known."""
        asked = self.calls.get(call)
        if asked is not None and asked.model:
            return asked.model
        return next((s.model for s in self.transcript.card.seats if s.seat == seat), "unknown")

    def deed(self, event: e.MoveMade | e.RuledOut | e.VoteCast) -> str:
        """A move or vote in words."""
        if isinstance(event, e.VoteCast):
            return f"votes {event.vote} on {self._option(event.issue, event.option)}"
        move = event.move
        offer = getattr(event, "offer", None) or move.offer
        parts = [VERBS[move.move], move.to, offer, self._option(move.issue, move.option)]
        words = " ".join(part for part in parts if part)
        return words + (f" ({move.because})" if move.because else "")

    def _option(self, issue: str, option: str | None) -> str:
        """The text by its heading and label; by id where the setting has none of that name."""
        try:
            heading = self.setting.issue(issue).heading
            return (
                f"{heading}: {self.setting.issue(issue).option(option).label}"
                if option
                else heading
            )
        except KeyError:
            return f"{issue}/{option}"

    @cached_property
    def references(self) -> Mapping[int, Reference]:
        """Where each event that may be shown is found in the sample, by number."""
        numbered = enumerate(self.messages, 1)
        found = {
            seq: Reference("message", message.id, f"[M{number}]")
            for number, message in numbered
            if message.seqs and message.replies
            for seq in message.seqs
        }
        # Only what stands in a model's reply can be shown as a message beside a score.
        others = (event for event in self.events if event.seq not in found)
        return found | {
            x.seq: Reference("event", self.event_id(x.seq), f"[E{x.seq}]") for x in others
        }

    def cited(self, seqs: Iterable[int]) -> tuple[Reference, ...]:
        """The references of these events, each once, without those that may not be shown."""
        known = (self.references.get(seq) for seq in seqs)
        return tuple(dict.fromkeys(reference for reference in known if reference is not None))
