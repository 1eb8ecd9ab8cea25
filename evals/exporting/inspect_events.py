"""A debate as Inspect's events: spans for items and turns, calls, moves, votes, labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from evals.exporting.inspect_scores import Entry
from evals.exporting.inspect_talk import Json, Message, Talk, handle, quoted
from harness import events as e

if TYPE_CHECKING:
    from inspect_ai.event import Event, ModelEvent
    from inspect_ai.model import ChatMessage, ChatMessageAssistant, ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

_SOURCES: Mapping[str, str] = {
    "debate_opened": "chair", "debate_closed": "chair", "item_opened": "chair",
    "item_closed": "chair", "inject": "chair", "chair_spoke": "chair", "move": "debate/move",
    "ruled_out": "debate/ruled out", "vote": "debate/vote", "tabled": "debate/tabled",
    "decision": "debate/decision", "package": "debate/package", "failure": "debate/failure",
    "note": "debate/note", "statement": "debate/statement",
    "caucus_opened": "debate/private meeting",
    "unread": "debate/unreadable reply", "budget_stop": "record", "resumed": "record",
}  # fmt: skip
"""What an info event is called, by the kind of event it shows; the others are not shown so."""


def chat_message(message: Message) -> ChatMessage:
    """A message as Inspect's."""
    from inspect_ai.model import ChatMessageUser

    if message.role == "assistant":
        return _assistant(message)
    return ChatMessageUser(
        id=message.id, content=message.content, source="input", metadata=dict(message.metadata)
    )


def _assistant(message: Message) -> ChatMessageAssistant:
    from inspect_ai.model import ChatMessageAssistant

    return ChatMessageAssistant(
        id=message.id, content=message.content, source="generate", model=message.model,
        metadata=dict(message.metadata),
    )  # fmt: skip


def score_of(entry: Entry) -> Score:
    """A score as Inspect's, with references that its viewer makes into links."""
    from inspect_ai.scorer import Score

    references = [each._asdict() for each in entry.references]
    data = dict(entry.metadata) | ({"scanner_references": references} if references else {})
    if entry.reason is not None:
        # The place of the reason before `Score.reason`; the versions since read it from there.
        data["unscored_reason"] = entry.reason
    return Score(
        value=entry.value, answer=entry.answer, explanation=entry.explanation, metadata=data
    )


def usage_of(call: e.ModelCall) -> ModelUsage | None:
    """The tokens of a call; None where no language model was asked, so that none were counted."""
    from inspect_ai.model import ModelUsage

    used = call.usage
    if not call.sent and not used.input and not used.output:
        return None
    return ModelUsage(
        input_tokens=used.input - used.cached, output_tokens=used.output,
        total_tokens=used.input + used.output, input_tokens_cache_read=used.cached,
        total_cost=call.cost,
    )  # fmt: skip


def events_of(talk: Talk, labels: Iterable[Entry]) -> list[Event]:
    """Everything that may be shown, in order and in its spans.

    A call that is not for everyone leaves its model, tokens and time in a public log and nothing of
    what was sent or answered; those of private meetings leave nothing.
    """
    return _Walk(talk, tuple(labels)).walked()


@dataclass
class _Clock:
    """When things happened, as far as the record says: at calls; in between no time goes by."""

    start: datetime
    now: datetime

    def at(self, stamp: str | None) -> datetime:
        if stamp is not None:
            self.now = max(self.now, datetime.fromisoformat(stamp))
        return self.now

    def after(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    @property
    def worked(self) -> float:
        """Seconds since the debate began."""
        return (self.now - self.start).total_seconds()


@dataclass
class _Walk:
    talk: Talk
    labels: Sequence[Entry]
    out: list[Event] = field(default_factory=list)
    turn: str | None = None
    item: str | None = None

    def __post_init__(self) -> None:
        began = datetime.fromisoformat(self.talk.transcript.header.created)
        self.clock = _Clock(began, began)
        self.by_turn: dict[str | None, Message] = {
            m.turn: m for m in self.talk.messages if m.turn is not None
        }
        self.turn_of = {t.call: t.turn for held in self.talk.turns.values() for t in held}
        self.stems = {_stem(call): turn for call, turn in self.turn_of.items()}
        self.spoke = {x.call for x in self.talk.events if isinstance(x, e.ChairSpoke)}
        self.due = self._due()

    def _due(self) -> dict[str | int, list[Entry]]:
        """The labels by the turn after which they stand, or by the event."""
        turns = {x.seq: x.turn for x in self.talk.events if isinstance(x, e.TurnEvent)}
        found: dict[str | int, list[Entry]] = {}
        for entry in self.labels:
            if entry.anchor is not None:
                found.setdefault(turns.get(entry.anchor, entry.anchor), []).append(entry)
        return found

    def walked(self) -> list[Event]:
        shown = [x for x in self.talk.events if not isinstance(x, e.ModelCall)]
        for event in sorted([*shown, *self.talk.asked], key=lambda x: x.seq):
            self._step(event)
        self._leave_turn()
        self._leave_item()
        return self.out

    def _step(self, event: e.Event) -> None:
        if isinstance(event, e.ModelCall):
            self._call(event)
        elif isinstance(event, e.TurnEvent):
            self._enter(event.turn)
            # With a call on record the words stand in its reply.
            if not isinstance(event, e.Statement) or event.call not in self.talk.calls:
                self._info(event)
        elif event.kind in _SOURCES and not isinstance(event, e.Unread):
            self._leave_turn()
            self._apart(event)
        elif isinstance(event, e.Unread):
            self._info(event)

    def _apart(self, event: e.Event) -> None:
        """An event that belongs to no turn."""
        if isinstance(event, e.ItemOpened):
            self._leave_item()
            self.item = event.item
            self._begin("item", event.item, None, self.talk.setting.item(event.item).title)
        self._info(event)
        self._labels(event.seq)
        if isinstance(event, e.ItemClosed):
            self._leave_item()

    def _enter(self, turn: str) -> None:
        if turn == self.turn:
            return
        self._leave_turn()
        first = self.talk.turns[turn][0]
        short = self.talk.setting.party(first.party).short
        self.turn = turn
        parent = self._span("item", self.item) if self.item is not None else None
        self._begin("turn", turn, parent, f"{turn} {short}, {first.phase}")

    def _leave_turn(self) -> None:
        if self.turn is not None:
            self._labels(self.turn)
            self._end("turn", self.turn)
            self.turn = None

    def _leave_item(self) -> None:
        if self.item is not None:
            self._end("item", self.item)
            self.item = None

    def _span(self, kind: str, name: str) -> str:
        return handle(self.talk.transcript.header.debate, kind, name)

    def _here(self) -> str | None:
        if self.turn is not None:
            return self._span("turn", self.turn)
        return self._span("item", self.item) if self.item is not None else None

    def _begin(self, kind: str, name: str, parent: str | None, title: str) -> None:
        from inspect_ai.event import SpanBeginEvent

        # No type: Inspect folds spans of the type `agent` into one line.
        span = self._span(kind, name)
        self.out.append(
            SpanBeginEvent(
                id=span, parent_id=parent, name=title, span_id=span, uuid=handle(span, "begin"),
                timestamp=self.clock.now, working_start=self.clock.worked,
                metadata={kind: name},
            )
        )  # fmt: skip

    def _end(self, kind: str, name: str) -> None:
        from inspect_ai.event import SpanEndEvent

        span = self._span(kind, name)
        self.out.append(
            SpanEndEvent(
                id=span, span_id=span, uuid=handle(span, "end"), timestamp=self.clock.now,
                working_start=self.clock.worked,
            )
        )  # fmt: skip

    def _info(self, event: e.Event) -> None:
        from inspect_ai.event import InfoEvent

        source = _SOURCES.get(event.kind)
        if source is None:
            return
        self.out.append(
            InfoEvent(
                source=source, data=_data(self.talk, event), span_id=self._here(),
                uuid=self.talk.event_id(event.seq), timestamp=self.clock.now,
                working_start=self.clock.worked,
                metadata={"seq": event.seq, "kind": event.kind},
            )
        )  # fmt: skip

    def _labels(self, due: str | int) -> None:
        from inspect_ai.event import ScoreEvent

        for number, entry in enumerate(self.due.pop(due, ())):
            debate = self.talk.transcript.header.debate
            self.out.append(
                ScoreEvent(
                    score=score_of(entry), intermediate=True, scorer=entry.name,
                    span_id=self._here(), uuid=handle(debate, "label", due, number),
                    timestamp=self.clock.now, working_start=self.clock.worked,
                    metadata={"turn": due if isinstance(due, str) else None, "seq": entry.anchor},
                )
            )  # fmt: skip

    def _call(self, call: e.ModelCall) -> None:
        turn = self.stems.get(_stem(call.call))
        if turn is None and call.call not in self.spoke and self.talk.public:
            return  # of a private meeting
        if turn is not None:
            self._enter(turn)
        began, at = self.clock.at(call.started), self.clock.worked
        used = turn is not None and self.turn_of.get(call.call) == turn
        message = self.by_turn.get(turn) if used else None
        done = self.clock.after(call.latency)
        self.out.append(self._model_event(call, message, began, done, at))

    def _model_event(
        self, call: e.ModelCall, message: Message | None, began: datetime, done: datetime, at: float
    ) -> ModelEvent:
        from inspect_ai.event import ModelEvent
        from inspect_ai.model import GenerateConfig

        failed = call.failure
        why = "" if failed is None or self.talk.public else f": {failed.why}"
        return ModelEvent(
            model=self.talk.answered(call.call, call.seat), role=call.seat,
            input=[] if self.talk.public else _sent(self.talk, call), tools=[],
            tool_choice="none", config=GenerateConfig(), output=self._output(call, message),
            retries=call.retries, error=f"{failed.kind}{why}" if failed is not None else None,
            span_id=self._here(), uuid=self.talk.event_id(call.seq), timestamp=began,
            completed=done, working_start=at, working_time=call.latency,
            metadata=_private(self.talk, call),
        )  # fmt: skip

    def _output(self, call: e.ModelCall, message: Message | None) -> ModelOutput:
        from inspect_ai.model import ChatCompletionChoice, ModelOutput

        said = message if message is not None and message.role == "assistant" else None
        choices = (
            [ChatCompletionChoice(message=_assistant(said), stop_reason="stop")] if said else []
        )
        return ModelOutput(
            model=self.talk.answered(call.call, call.seat), choices=choices,
            completion=said.content if said else "", usage=usage_of(call), time=call.latency,
        )  # fmt: skip


def _stem(call: str) -> str:
    """The name of a call without the number of the attempt."""
    return call.rpartition("#")[0]


def _data(talk: Talk, event: e.Event) -> Json:
    """An event as it stands on record; of the chair and of statements the words."""
    if _SOURCES[event.kind] == "chair" or isinstance(event, e.Statement):
        return quoted(event.inject.text if isinstance(event, e.Injected) else _words(event))
    stated = event.model_dump(mode="json", exclude={"seq", "kind", "call"})
    if stated.get("audience") is None:
        stated.pop("audience", None)
    if isinstance(event, e.MoveMade | e.RuledOut | e.VoteCast):
        return {"does": talk.deed(event), **stated}
    return stated


def _words(event: e.Event) -> str:
    return str(getattr(event, "words", None) or getattr(event, "text", ""))


def _sent(talk: Talk, call: e.ModelCall) -> list[ChatMessage]:
    """The messages as they were sent."""
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser

    texts = talk.transcript.texts
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
    return [
        kinds[sent.role](
            id=handle(talk.event_id(call.seq), number),
            content="".join(texts[part] for part in sent.parts),
        )
        for number, sent in enumerate(call.sent)
    ]


def _private(talk: Talk, call: e.ModelCall) -> dict[str, Json]:
    """What is known of a call; in a public log nothing that was sent, asked for or answered."""
    known: dict[str, Json] = {"seq": call.seq}
    if talk.public:
        return known
    return known | {
        "call": call.call, "reply": call.reply, "finish": call.finish,
        "parameters": dict(call.parameters), "constrained": call.constrained,
    }  # fmt: skip


def total(usages: Iterable[ModelUsage]) -> ModelUsage:
    """The sum of what was used."""
    from inspect_ai.model import ModelUsage

    return sum(usages, start=ModelUsage())


def usage_by(talk: Talk, keys: Iterator[str]) -> dict[str, ModelUsage]:
    """What was used, by a key for each call in order; only where language models were asked."""
    found: dict[str, list[ModelUsage]] = {}
    for key, call in zip(keys, talk.asked, strict=True):
        used = usage_of(call)
        if used is not None:
            found.setdefault(key, []).append(used)
    return {key: total(used) for key, used in found.items()}
