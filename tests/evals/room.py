"""Transcripts made by hand: every move goes through the mechanism, as in a real debate."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Literal

from harness import events as e
from harness import mechanism
from harness.errors import FailureKind
from harness.events import Move, MoveKind, Phase, VoteChoice
from harness.setting import (
    Agenda,
    Issue,
    Item,
    Kind,
    Option,
    Party,
    Position,
    Rules,
    Setting,
    Source,
)
from harness.state import State, advance, fold
from harness.transcript import Transcript

SOURCE = Source(
    title="A communiqué",
    publisher="A ministry",
    date=date(2021, 6, 1),
    url="https://example.org/communique",
    tier="primary",
)


def an_issue(issue_id: str, *options: str, weight: float = 1.0) -> Issue:
    """An issue with options `a`, `b`, ... of these texts (two plain ones if none are given)."""
    texts = options or ("The parties shall act.", "The parties shall talk.")
    return Issue(
        id=issue_id,
        title=issue_id.title(),
        question=f"What about {issue_id}?",
        options=tuple(
            Option(id=letter, label=f"{issue_id} {letter}", text=text)
            for letter, text in zip("abcdefgh", texts, strict=False)
        ),
        weight=weight,
    )


def an_item(*issues: Issue, item_id: str = "arms") -> Item:
    return Item(id=item_id, title=item_id.title(), issues=issues)


def a_position(
    position_id: str,
    firmness: int = 3,
    *,
    supports: tuple[str, ...] = (),
    opposes: tuple[str, ...] = (),
    kind: Kind = "demand",
    item: str = "arms",
    statement: str = "It wants this.",
    visibility: Literal["public", "confidential"] = "public",
    canary: str | None = None,
    priority: Literal["core", "supplementary"] = "core",
) -> Position:
    return Position(
        id=position_id,
        item=item,
        statement=statement,
        kind=kind,
        firmness=firmness,
        supports=supports,
        opposes=opposes,
        source=SOURCE,
        visibility=visibility,
        canary=canary,
        priority=priority,
    )


def a_red_line(position_id: str, *keys: str, firmness: int = 5) -> Position:
    return a_position(position_id, firmness, opposes=keys, kind="red_line")


def a_party(party_id: str, *positions: Position) -> Party:
    return Party(
        id=party_id,
        name=f"the land of {party_id.upper()}",
        short=party_id.upper(),
        adjective=party_id.title(),
        summary="It wants peace.",
        positions=positions,
    )


def a_setting(*parties: Party, items: tuple[Item, ...], rules: Rules | None = None) -> Setting:
    agenda = Agenda(
        id="full",
        title="Everything",
        parties=tuple(party.id for party in parties),
        items=tuple(item.id for item in items),
        rules=rules or Rules(),
    )
    return Setting(
        id="talks",
        title="Talks",
        as_of=date(2021, 6, 16),
        summary="Two neighbours talk.",
        parties=parties,
        items=items,
        agendas=(agenda,),
        default_agenda="full",
    )


class Room:
    """Holds a debate step by step and keeps the record."""

    def __init__(self, setting: Setting, rules: Rules | None = None) -> None:
        self.setting = setting
        self.rules = rules or setting.agenda("full").rules
        self.events: list[e.Event] = []
        self.state = State()
        self.item = ""
        self.phase: Phase = "round"
        self.round = 0
        self._turns = itertools.count(1)
        seats = tuple(e.Seat(seat=party.id, model="script:test") for party in setting.parties)
        self._add(e.Header(debate="test", created="2021-06-16T12:00:00Z"))
        self._add(
            e.RunCard(
                setting=setting,
                setting_sha=setting.sha,
                rules=self.rules,
                seats=seats,
                seed=1,
                versions={},
            )
        )
        self._add(e.DebateOpened(words="Welcome."))

    @property
    def transcript(self) -> Transcript:
        return Transcript(tuple(self.events))

    def _add(self, event: e.Event) -> e.Event:
        event = event.model_copy(update={"seq": len(self.events)})
        self.events.append(event)
        self.state = advance(self.state, event)
        return event

    def add(self, event: e.Event) -> Room:
        self._add(event)
        return self

    def opens(self, item: str = "arms") -> Room:
        self.item = item
        self._add(e.ItemOpened(item=item, words="We open the item."))
        return self.enters("round", 1)

    def enters(self, phase: Phase, round_: int = 1) -> Room:
        self.phase, self.round = phase, round_
        return self.add(e.RoundOpened(item=self.item, phase=phase, round=round_))

    def of(self, party: str, attempt: int = 1) -> mechanism.TurnOf:
        """The next turn of a party."""
        turn = f"T{next(self._turns)}"
        call = f"{self.item}/{self.phase}{self.round}/{party}/{turn}#{attempt}"
        return mechanism.TurnOf(turn, party, self.item, self.phase, self.round, call)

    def says(
        self,
        party: str,
        text: str = "We are ready to talk.",
        *citations: str,
        audience: tuple[str, ...] | None = None,
        of: mechanism.TurnOf | None = None,
    ) -> Room:
        place = (of or self.of(party)).__dict__
        statement = e.Statement(
            **place, audience=audience, text=text, citations=citations, speech="free"
        )
        return self.add(statement)

    def move(
        self,
        party: str,
        kind: MoveKind,
        key: str,
        *,
        because: str | None = None,
        in_return_for: str | None = None,
        offer: str | None = None,
        of: mechanism.TurnOf | None = None,
    ) -> e.MoveMade | e.RuledOut:
        """One move, carried out or ruled out; answers go to the open offer of that text."""
        issue, _, option = key.partition("/")
        offers = self.state.issues[issue].open_offers
        if offer is None and kind not in ("propose", "concede"):
            own = kind == "withdraw"
            fits = [o for o in offers if o.option == option and (o.party == party) == own]
            offer = fits[0].id if fits else None
        move = Move(
            move=kind,
            issue=issue,
            option=option,
            sha=self.setting.text_sha(key),
            offer=offer,
            because=because,
            in_return_for=in_return_for,
        )
        event = self._add(mechanism.play(self.state, self.setting, of or self.of(party), move))
        assert isinstance(event, e.MoveMade | e.RuledOut)
        return event

    def moves(self, party: str, kind: MoveKind, key: str, *, because: str | None = None) -> Room:
        event = self.move(party, kind, key, because=because)
        assert isinstance(event, e.MoveMade), event.why
        return self

    def concedes(self, party: str, key: str, in_return_for: str | None = None) -> Room:
        event = self.move(party, "concede", key, in_return_for=in_return_for)
        assert isinstance(event, e.MoveMade), event.why
        return self

    def fails(self, party: str, failure: FailureKind = "unreadable") -> Room:
        place = self.of(party).__dict__
        return self.add(e.TurnFailed(**place, failure=failure, why="no answer", attempts=2))

    def adopts_declared(self) -> Room:
        """What the chair does after every turn: adopt what every party has declared it accepts."""
        for issue in self.state.in_item(self.item):
            option = None if issue.settled else mechanism.declared(self.state, issue)
            if option is not None:
                self._add(mechanism.adopt_declared(self.state, issue, self.setting, option))
        return self

    def tables(self, key: str) -> Room:
        issue, _, option = key.partition("/")
        if self.phase != "decision":
            self.enters("decision", 1)
        return self.add(
            e.Tabled(
                item=self.item,
                issue=issue,
                option=option,
                sha=self.setting.text_sha(key),
                acceptances=(),
                rule="the test's",
                words="I put this text.",
            )
        )

    def vote(self, party: str, issue: str, choice: VoteChoice, because: str | None = None) -> Room:
        tabled = self.state.issues[issue].tabled
        assert tabled is not None
        return self.add(
            e.VoteCast(
                **self.of(party).__dict__,
                issue=issue,
                option=tabled.option,
                sha=tabled.sha,
                vote=choice,
                because=because,
            )
        )

    def votes(self, key: str, **choices: VoteChoice | None) -> Room:
        """Table a text, take these votes (None: the turn fails), and decide."""
        self.tables(key)
        issue = key.partition("/")[0]
        for party, choice in choices.items():
            if choice is None:
                self.fails(party)
            else:
                self.vote(party, issue, choice)
        return self.decides(issue)

    def decides(self, issue: str) -> Room:
        return self.add(mechanism.tally(self.state, self.state.issues[issue], self.rules))

    def closes_item(self) -> Room:
        ruling = mechanism.package(self.state, self.rules, self.item)
        if ruling is not None:
            self._add(ruling)
        return self.add(
            e.ItemClosed(item=self.item, reason="nothing_left_open", words="The item is closed.")
        )

    def closes(self) -> Room:
        """Decide what is left in the item, close it, and close the talks."""
        for issue in self.state.in_item(self.item):
            if not issue.settled:
                self.decides(issue.issue)
        self.closes_item()
        ruling = mechanism.package(self.state, self.rules, None)
        if ruling is not None:
            self._add(ruling)
        outcomes = [issue.outcome for issue in self.state.issues.values()]
        return self.add(
            e.DebateClosed(
                adopted=outcomes.count("adopted"),
                bracketed=outcomes.count("bracketed"),
                open=outcomes.count("open"),
                words="Goodbye.",
            )
        )


def refolded(room: Room) -> bool:
    """Whether the record alone gives the state the room ended in."""
    return fold(room.events) == room.state
