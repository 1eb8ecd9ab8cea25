"""One seat's turn: ask, read, repair once, and turn the answer into events.

A delegation is a party, a persona prompt and whatever sits in the seat. It decides nothing about
the talks: its moves go to the mechanism, and a turn without an answer is recorded as a failure.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from harness import events as e
from harness import speech, turn
from harness.asking import already_sent, call_event, legible, new_texts
from harness.briefing import Briefer
from harness.errors import FailureKind
from harness.events import Event
from harness.masking import Mask
from harness.mechanism import TurnOf, play
from harness.setting import Mandate, Party, Rules, Setting, sha
from harness.state import State, advance
from harness.turn import Answer, Legal, Message, Reply, Request, Seated, Unreadable

ATTEMPTS = 2
"""An answer that cannot be read is asked for once more, with the error quoted."""

FAILED: dict[FailureKind, str] = {
    "unreadable": "the reply could not be read, nor could its repair",
    "refused": "the model refused to answer",
    "truncated": "the reply was cut off",
    "timeout": "no reply came in time",
    "provider_error": "the provider gave an error",
    "overflow": "the prompt did not fit the model",
}
"""What everybody may know of a failed turn; what the reply held stays with the seat."""


@dataclass(frozen=True)
class Occasion:
    """When and where a turn is taken."""

    item: str
    phase: e.Phase
    round: int
    now: str
    """The moment, in words for the seat."""
    audience: tuple[str, ...] | None = None
    nth: int = 1
    """Which one, where a round holds several of the kind: the second private meeting."""

    @property
    def name(self) -> str:
        """As it stands in the names of calls."""
        extra = f".{self.nth}" if self.nth > 1 else ""
        return f"{self.item}/{self.phase}{self.round}{extra}"


@dataclass(frozen=True)
class Delegation:
    """A party's seat and what sits in it."""

    party: Party
    seat: e.Seat
    model: Seated
    briefer: Briefer
    setting: Setting
    rules: Rules
    seed: int
    mask: Mask | None = None
    """Hides who is who, where the persona prompt is masked."""

    async def take_turn(
        self,
        on: Occasion,
        record: Sequence[Event],
        state: State,
        table: State,
        turn_id: str,
    ) -> AsyncIterator[Event]:
        """Everything this turn adds to the record; always one statement or one failure.

        Args:
            on: when and where the turn is taken.
            record: what has happened as far as this delegation is to know.
            state: the state of the talks after that record.
            table: the state its moves are made on, which others may have changed since.
            turn_id: the turn's handle.
        """
        request = self._request(on, record, state)
        of = TurnOf(turn_id, self.party.id, on.item, on.phase, on.round, request.call)
        answer: Answer | None = None
        failure: FailureKind = "unreadable"
        attempts = 0
        sent = already_sent(record)
        while answer is None and attempts < ATTEMPTS:
            attempts += 1
            asked = request if self.mask is None else self.mask.hide(request)
            reply = legible(await self.model.answer(asked))
            of = replace(of, call=request.call)
            for text in new_texts(asked, sent):
                yield text
            yield call_event(asked, reply)
            if reply.failure is not None and reply.failure.kind != "truncated":
                failure = reply.failure.kind
                break
            outcome = self._read(reply, request, asked)
            if isinstance(outcome, Answer):
                answer = outcome
                break
            failure = "truncated" if reply.failure or reply.finish == "length" else "unreadable"
            why = outcome.why
            yield e.Unread(audience=(self.party.id,), call=request.call, why=why)
            request = self._repair(request, record, state, on, why)
        if answer is None:
            yield e.TurnFailed(
                **of.__dict__, audience=on.audience, failure=failure, why=FAILED[failure],
                attempts=attempts,
            )  # fmt: skip
            return
        for event in self._events(answer, request, of, record, table, on.audience):
            yield event

    @property
    def _brief(self) -> bool:
        """Whether answers are kept short: a model that only chooses and does not speak."""
        return self.seat.speech == "composed" and self.model.reads_prompts

    def _request(self, on: Occasion, record: Sequence[Event], state: State) -> Request:
        mandate = self.setting.mandate(self.party.id, on.item)
        legal = turn.legal(
            state, self.setting, self.rules, mandate, on.phase,
            guard=self.seat.guard, cites=self.briefer.prompt.cites,
        )  # fmt: skip
        if self._brief:
            core = {position.id for position in mandate.core}
            legal = replace(legal, citable=tuple(c for c in legal.citable if c in core))
        call = f"{on.name}/{self.party.id}#1"
        return Request(
            call=call,
            seat=self.party.id,
            setting=self.setting,
            rules=self.rules,
            item=mandate.item,
            phase=on.phase,
            round=on.round,
            state=state,
            mandate=mandate,
            legal=legal,
            speech=self.seat.speech,
            messages=self._messages(record, state, mandate, legal, on, None),
            schema=turn.schema_for(legal, on.phase, self.seat.speech, brief=self._brief),
            seed=int(sha(f"{self.seed}/{call}"), 16) % 2**31,
        )

    def _repair(
        self, request: Request, record: Sequence[Event], state: State, on: Occasion, why: str
    ) -> Request:
        call = request.call.removesuffix("#1") + "#2"
        messages = self._messages(record, state, request.mandate, request.legal, on, why)
        return replace(
            request,
            call=call,
            attempt=2,
            seed=int(sha(f"{self.seed}/{call}"), 16) % 2**31,
            messages=messages,
        )

    def _messages(
        self,
        record: Sequence[Event],
        state: State,
        mandate: Mandate,
        legal: Legal,
        on: Occasion,
        repair: str | None,
    ) -> tuple[Message, ...]:
        if not self.model.reads_prompts:
            return ()
        task = _task(on.phase, self.seat.speech, legal, brief=self._brief)
        return self.briefer.messages(record, state, mandate, legal, on.now, task, repair)

    def _read(self, reply: Reply, request: Request, asked: Request) -> Answer | Unreadable:
        """The answer to `request`, which the seat was `asked` behind its mask, if it wears one."""
        if reply.text is None:
            return Unreadable("there was no text in the reply")
        own_words = reply.model in ("script", "human")
        if self.mask is None:
            return turn.read(reply.text, request, own_words=own_words)
        if self.model.reads_prompts and not own_words:
            wrong = turn.misfit(reply.text, asked.schema)
            if wrong is not None:
                return wrong  # said in the words the seat was sent
        return turn.read(self.mask.shown(reply.text, request), request, own_words=own_words)

    def _events(
        self,
        answer: Answer,
        request: Request,
        of: TurnOf,
        record: Sequence[Event],
        table: State,
        audience: tuple[str, ...] | None,
    ) -> list[Event]:
        place = of.__dict__
        events: list[Event] = []
        if answer.note:
            events.append(e.Note(**place, audience=(of.party,), text=answer.note))
        votes = [_vote(request, of, issue, cast) for issue, cast in answer.votes.items()]
        moves = _carried_out(table, request, of, answer)
        text, citations = self._words(answer, request, record, moves, votes)
        events.append(
            e.Statement(
                **place, audience=audience, text=text, citations=citations, speech=self.seat.speech
            )
        )
        return [*events, *moves, *votes]

    def _words(
        self,
        answer: Answer,
        request: Request,
        record: Sequence[Event],
        moves: Sequence[e.MoveMade | e.RuledOut],
        votes: Sequence[e.VoteCast],
    ) -> tuple[str, tuple[str, ...]]:
        if answer.statement is not None:
            return answer.statement, answer.citations
        composed = speech.compose(
            speech.Occasion(
                setting=self.setting,
                state=request.state,
                mandate=request.mandate,
                phase=request.phase,
                call=f"{self.seed}/{request.call.removesuffix('#2')}",
                heard=_heard(record, request.item.id, self.party.id),
                moves=tuple(m.move for m in moves if isinstance(m, e.MoveMade)),
                votes=tuple(votes),
                wanted=answer.citations,
                may_cite=bool(request.legal.citable),
                silence=self.rules.silence,
            )
        )
        return composed.text, composed.citations


def _heard(record: Sequence[Event], item: str, party: str) -> list[Event]:
    """What the party has heard since the item was opened."""
    start = 0
    for index, event in enumerate(record):
        if isinstance(event, e.ItemOpened) and event.item == item:
            start = index
    return [event for event in record[start:] if e.may_see(event, party)]


def _carried_out(
    table: State, request: Request, of: TurnOf, answer: Answer
) -> list[e.MoveMade | e.RuledOut]:
    """The answer's moves through the mechanism, in order; one answer per offer and turn."""
    state = table
    events: list[e.MoveMade | e.RuledOut] = []
    answered: set[str] = set()
    for move in answer.moves:
        event: e.MoveMade | e.RuledOut
        if move.offer in answered and move.move != "concede":
            why = f"offer {move.offer} was already answered in this turn"
            event = e.RuledOut(**of.__dict__, move=move, why=why)
        else:
            event = play(state, request.setting, of, move)
        if isinstance(event, e.MoveMade) and move.offer is not None:
            answered.add(move.offer)
        events.append(event)
        state = advance(state, event)
    return events


def _vote(
    request: Request, of: TurnOf, issue: str, cast: tuple[e.VoteChoice, str | None]
) -> e.VoteCast:
    tabled = request.state.issues[issue].tabled
    assert tabled is not None
    return e.VoteCast(
        **of.__dict__,
        issue=issue,
        option=tabled.option,
        sha=tabled.sha,
        vote=cast[0],
        because=cast[1],
    )


def _task(phase: e.Phase, speech_kind: str, legal: Legal, *, brief: bool) -> str:
    """The instruction for this turn, in words."""
    free = " Say it in `statement`." if speech_kind == "free" else ""
    note = " `note` is for your own delegation only." if speech_kind == "free" else ""
    cite = " Cite the positions you rely on." if legal.citable else ""
    if brief and phase in ("opening", "round"):
        return f"Choose one move on each issue, or wait.{cite}"
    match phase:
        case "opening":
            return f"Make your opening statement and your first proposals.{cite}{free}{note}"
        case "reply":
            return f"You were asked a question: use your right of reply.{cite}{free}{note}"
        case "caucus":
            return f"Speak in private; no moves are made here.{cite}{free}{note}"
        case "decision":
            return f"Decide on each tabled text.{cite}{free}{note}"
        case _:
            task = "Take the floor: answer what is on the table and make your moves."
            return f"{task}{cite}{free}{note}"
