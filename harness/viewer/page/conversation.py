"""The conversation: the chair's doings and the delegations' turns, in the order of the record.

A turn is one entry: what was said, the moves and votes made in it, what was ruled out or failed,
and, in the private layer, its notes and what the seat was sent. An entry is known by the number of
its first event, so that whoever follows a debate can put it in place of what stood there before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from harness import events as e
from harness.events import Event, Move
from harness.setting import Item
from harness.viewer import anchors
from harness.viewer.page.entries import (
    Asked,
    Chip,
    Cited,
    Entry,
    Failure,
    Opened,
    Said,
    Stage,
    Turn,
)
from harness.viewer.page.pieces import LABELS, WORST, Piece, Verdicts, pieces
from harness.viewer.page.words import (
    DOES,
    MARKS,
    OUTCOMES,
    PHASES,
    SIGNS,
    Face,
    attempt_of,
    call_of,
    face,
    faces,
    in_shorts,
    position_of,
)
from harness.viewer.reading import Reading


class Conversation(NamedTuple):
    """Everything said and done, and what can be filtered for."""

    entries: tuple[Entry, ...]
    parties: tuple[Face, ...]
    items: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    """Of moves and the like that occur."""
    labels: tuple[tuple[str, str], ...]
    """Labels that occur, each with its words."""
    judges: tuple[str, ...]

    @property
    def turns(self) -> int:
        """How many turns there are."""
        return sum(entry.kind == "turn" for entry in self.entries)


def conversation(reading: Reading) -> Conversation:
    """The conversation of a debate, finished or not."""
    entries = tuple(_Telling(reading).entries())
    turns = [entry for entry in entries if isinstance(entry, Turn)]
    labels = {label for turn in turns for label in turn.labels}
    known = [(label, LABELS[label]) for label in WORST if label in labels]
    uncited = [("uncited", "nothing cited for it")] if "uncited" in labels else []
    return Conversation(
        entries,
        tuple(faces(reading).values()),
        tuple((item.id, item.title) for item in reading.setting.items),
        tuple(dict.fromkeys(kind for turn in turns for kind in turn.kinds)),
        (*known, *uncited),
        reading.judgements.judges,
    )


class _Telling:
    """Goes through the record once."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.setting = reading, reading.setting
        self.events = reading.transcript.events
        self.faces = faces(reading)
        self.verdicts = Verdicts(reading)
        self.outcomes = {row.issue: row.outcome for row in reading.tables.agreement}
        self.parts: dict[str, list[e.TurnEvent]] = {}
        self.calls: dict[str, list[e.ModelCall | e.Unread]] = {}
        for event in self.events:
            if isinstance(event, e.TurnEvent):
                self.parts.setdefault(event.turn, []).append(event)
            elif isinstance(event, e.ModelCall | e.Unread):
                self.calls.setdefault(call_of(event.call), []).append(event)
        self.offers: set[str] = set()

    def entries(self) -> Iterator[Entry]:
        told: set[str] = set()
        opened: set[str] = set()
        for event in self.events[2:]:
            if isinstance(event, e.TurnEvent):
                if event.turn not in told:
                    told.add(event.turn)
                    yield self._turn(self.parts[event.turn])
            elif isinstance(event, e.ItemOpened):
                if event.item not in opened:
                    opened.add(event.item)
                    yield self._opened(self.setting.item(event.item), event)
            else:
                yield from self._chair(event)
        for item in self.setting.items:
            if item.id not in opened:
                yield self._opened(item, None)

    def _opened(self, item: Item, event: e.ItemOpened | None) -> Opened:
        asked = tuple(self._asked(item, number) for number in range(len(item.issues)))
        over = self.reading.transcript.finished
        missing = "This item was not taken up." if over else "Not taken up so far."
        return Opened(
            seq=event.seq if event is not None else -1,
            to=anchors.anchor("item", item.id),
            id=item.id,
            title=item.title,
            words=event.words if event is not None else "",
            context=item.context,
            issues=asked,
            missing="" if event is not None else missing,
        )

    def _asked(self, item: Item, number: int) -> Asked:
        issue = item.issues[number]
        outcome = self.outcomes.get(issue.id, "undecided")
        return Asked(
            issue.id,
            anchors.anchor("issue", issue.id),
            issue.heading,
            issue.question,
            OUTCOMES[outcome],
            MARKS[outcome],
            tuple(
                (anchors.anchor("text", issue.key(option)), option.id, option.label, option.text)
                for option in issue.options
            ),
        )

    def _chair(self, event: Event) -> Iterator[Said | Stage]:
        match event:
            case e.RoundOpened():
                title = PHASES.get(event.phase, f"Round {event.round}")
                to = anchors.event(event.seq)
                yield Stage(event.seq, to, title, event.item, event.audience is not None)
            case e.DebateOpened() | e.DebateClosed():
                yield self._said(event, "chair", event.words)
            case e.ItemClosed():
                yield self._said(event, "chair", event.words, item=event.item)
            case e.ChairSpoke():
                yield self._said(event, "chair", event.text, item=event.item or "")
            case e.Injected():
                yield self._said(event, "news", event.inject.text)
            case e.Tabled():
                words = event.words or f"Puts {event.issue}/{event.option}: {event.rule}"
                yield self._said(event, "chair", words, item=event.item, issue=event.issue)
            case e.Decided():
                words = event.words or in_shorts(event.why, self.setting)
                yield self._said(
                    event, "chair", words, item=event.item, issue=event.issue,
                    marked=MARKS[event.outcome],
                )  # fmt: skip
            case e.PackageRuled():
                yield self._said(event, "chair", event.why, item=event.item or "")
            case e.CaucusOpened():
                words = f"Private meeting of {self._names(event.parties)}."
                yield self._said(event, "chair", words, item=event.item)
            case e.BudgetStop():
                words = f"Stopped by the ceiling on {event.ceiling}: {event.why}."
                yield self._said(event, "file", words)
            case e.Resumed():
                torn = f" {event.trimmed} bytes of a torn line were cut off." * bool(event.trimmed)
                yield self._said(event, "file", f"Taken up again at {event.at}.{torn}")
            case _:
                return

    def _said(
        self, event: Event, who: Literal["chair", "news", "file"], words: str, *,
        item: str = "", issue: str = "", marked: str = "",
    ) -> Said:  # fmt: skip
        link = anchors.anchor("issue", issue) if issue else ""
        to, private = anchors.event(event.seq), event.audience is not None
        return Said(event.seq, to, who, words, item, marked, link, private)

    def _names(self, parties: Sequence[str]) -> str:
        return ", ".join(face(self.faces, party).name for party in parties)

    def _turn(self, parts: Sequence[e.TurnEvent]) -> Turn:
        first = parts[0]
        behind = self.calls.get(call_of(first.call), [])
        calls = [each.call for each in behind if isinstance(each, e.ModelCall)]
        statements = [each for each in parts if isinstance(each, e.Statement)]
        judged = tuple(j for each in statements for j in self.verdicts.on(each))
        failures = [each for each in parts if isinstance(each, e.TurnFailed)]
        attempts = [attempt_of(each.call) for each in parts] + [f.attempts for f in failures]
        others = [p for p in parts if not isinstance(p, e.Note)]
        heard = _audience(others)
        return Turn(
            seq=first.seq,
            to=anchors.turn(first.turn),
            handle=first.turn,
            face=face(self.faces, first.party),
            item=first.item,
            phase=first.phase,
            round=PHASES.get(first.phase, f"Round {first.round}"),
            pieces=tuple(p for each in statements for p in self._pieces(each)),
            judged=judged,
            opinions=self.verdicts.on_turn(first.turn),
            cited=tuple(self._cited(c) for each in statements for c in each.citations),
            speech=statements[0].speech if statements else "",
            chips=tuple(
                chip._replace(private=each.audience is not None)
                for each in parts
                for chip in self._chips(each)
            ),
            notes=tuple(each.text for each in parts if isinstance(each, e.Note)),
            failures=tuple(self._failure(each) for each in failures),
            attempts=max(attempts),
            unread=tuple(each.why for each in behind if isinstance(each, e.Unread)),
            calls=tuple(calls),
            aside=any(each.audience is not None for each in statements),
            unheard=self._unheard(others),
            private=heard is not None or not others,
            among="" if heard is None else self._names(heard),
        )

    def _unheard(self, parts: Sequence[e.TurnEvent]) -> tuple[str, ...]:
        fork = self.reading.transcript.card.fork
        if fork is None or not fork.unheard or not parts or parts[0].turn != fork.turn:
            return ()
        return tuple(face(self.faces, party).name for party in fork.unheard)

    def _pieces(self, statement: e.Statement) -> tuple[Piece, ...]:
        known = [p.id for p in self.setting.party(statement.party).positions]
        named = sorted((p for p in known if p in statement.text), key=len, reverse=True)
        return pieces(statement, self.verdicts.on(statement), named)

    def _cited(self, name: str) -> Cited:
        position = position_of(self.reading, name)
        if position is None:
            return Cited(name, "", False)
        return Cited(name, anchors.anchor("pos", name), position.visibility == "confidential")

    def _failure(self, event: e.TurnFailed) -> Failure:
        tells = self.reading.secrets.told_by(event.why)
        aside = event.audience is not None
        return Failure(event.failure, event.why, event.attempts, aside, tells)

    def _chips(self, event: e.TurnEvent) -> Iterator[Chip]:
        match event:
            case e.MoveMade():
                yield self._moved(event, event.move, event.offer)
            case e.RuledOut():
                tells = self.reading.secrets.told_by(event.why)
                chip = self._moved(event, event.move, None)
                yield chip._replace(why=event.why, tells=tells, crosses=None)
            case e.VoteCast():
                key, speaks = f"{event.issue}/{event.option}", event.vote in ("accept", "reserve")
                yield Chip(
                    event.seq, "vote", SIGNS[event.vote], f"votes {event.vote}", event.issue,
                    *self._issue(event.issue), *self._text(key), "", "", "", "",
                    self._cited(event.because) if event.because else None,
                    self._crossed(event, key) if speaks else None,
                )  # fmt: skip

    def _moved(self, event: e.TurnEvent, move: Move, tabled: str | None) -> Chip:
        here = anchors.anchor("offer", tabled) if tabled and tabled not in self.offers else ""
        if tabled:
            self.offers.add(tabled)
        known = move.offer if move.offer in self.offers and not tabled else ""
        speaks = move.move in ("propose", "concede", "accept", "reserve")
        return Chip(
            event.seq, move.move, SIGNS[move.move], DOES[move.move], move.issue,
            *self._issue(move.issue), *(self._text(move.key) if move.option else ("", "")),
            tabled or move.offer or "", anchors.anchor("offer", known) if known else "", here,
            self._extra(move), self._cited(move.because) if move.because else None,
            self._crossed(event, move.key) if speaks else None,
        )  # fmt: skip

    def _issue(self, issue: str) -> tuple[str, str]:
        """Heading and anchor; a move ruled out may name an issue that does not exist."""
        try:
            return self.setting.issue(issue).heading, anchors.anchor("issue", issue)
        except KeyError:
            return issue, ""

    def _text(self, key: str) -> tuple[str, str]:
        try:
            return self.setting.option(key).label, anchors.anchor("text", key)
        except KeyError:
            return key, ""

    def _extra(self, move: Move) -> str:
        if move.move == "ask" and move.to:
            return f"of {face(self.faces, move.to).name}"
        return f"in return for “{self._text(move.in_return_for)[0]}”" if move.in_return_for else ""

    def _crossed(self, event: e.TurnEvent, key: str) -> Cited | None:
        mandate = self.reading.mandates.get((event.party, event.item))
        crossed = mandate.red_lines.get(key) if mandate is not None else None
        return self._cited(crossed.id) if crossed is not None else None


def _audience(parts: Sequence[e.TurnEvent]) -> tuple[str, ...] | None:
    """Who may know of the turn: everybody if anything in it is public, notes apart."""
    if not parts or any(part.audience is None for part in parts):
        return None
    return parts[0].audience
