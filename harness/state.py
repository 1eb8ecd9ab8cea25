"""The state of the talks at any event: a fold over what happened.

`fold(events)` is the only way a state comes about. It believes the record; whether a move is in
order, and what is adopted, was decided by the mechanism before the event was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from harness import events as e
from harness.events import Event, Move, Outcome, Phase, Stance, VoteChoice

OfferStatus = Literal["open", "withdrawn", "replaced", "closed"]


@dataclass(frozen=True)
class Offer:
    """A text a party put on the table: it has an owner and a life cycle."""

    id: str
    party: str
    issue: str
    option: str
    sha: str
    turn: str
    status: OfferStatus = "open"
    """open; withdrawn by its owner; replaced by the owner's next offer; closed by a decision."""

    @property
    def key(self) -> str:
        """The option as `issue/option`."""
        return f"{self.issue}/{self.option}"


@dataclass(frozen=True)
class Vote:
    """One party's formal answer on the tabled text."""

    party: str
    vote: VoteChoice
    sha: str
    because: str | None
    turn: str


@dataclass(frozen=True)
class OnTable:
    """The text the chair tabled."""

    option: str
    sha: str


@dataclass(frozen=True)
class IssueState:
    """Where one issue stands."""

    item: str
    issue: str
    offers: tuple[Offer, ...] = ()
    stands: Mapping[tuple[str, str], Stance] = field(default_factory=dict)
    """The last declared stance of a party on an option of the issue: (party, option) -> stance."""
    tabled: OnTable | None = None
    put: tuple[str, ...] = ()
    """Options the chair has tabled so far, the one before the table included."""
    votes: tuple[Vote, ...] = ()
    decision: e.Decided | None = None
    lapsed: bool = False
    """Adopted, but the package it belonged to failed."""

    @property
    def settled(self) -> bool:
        """Whether a decision was recorded."""
        return self.decision is not None

    @property
    def outcome(self) -> Outcome | None:
        """The recorded outcome; an adopted text whose package lapsed counts as bracketed."""
        if self.decision is None:
            return None
        return "bracketed" if self.lapsed else self.decision.outcome

    @property
    def open_offers(self) -> tuple[Offer, ...]:
        """Offers that may be answered now."""
        return tuple(offer for offer in self.offers if offer.status == "open")

    def own_offer(self, party: str) -> Offer | None:
        """The party's open offer on the issue, if it has one."""
        return next((offer for offer in self.open_offers if offer.party == party), None)

    def standing_for(self, option: str, *stances: Stance) -> tuple[str, ...]:
        """The parties whose last declared stance on the option is one of these."""
        return tuple(
            p for (p, o), stance in self.stands.items() if o == option and stance in stances
        )


@dataclass(frozen=True)
class State:
    """Where the talks stand."""

    parties: tuple[str, ...] = ()
    issues: Mapping[str, IssueState] = field(default_factory=dict)
    item: str | None = None
    phase: Phase | None = None
    round: int = 0
    turns: int = 0
    """Turns taken so far, failed ones included."""
    offers: int = 0
    """Offers tabled so far."""
    spoken: Mapping[str, int] = field(default_factory=dict)
    """Turns per party in the current item."""
    cited: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Positions each party has cited in public, over the debate."""
    questions: tuple[tuple[str, str, str], ...] = ()
    """Questions asked in the current round and not yet answered: (asker, asked, issue)."""
    closed: bool = False

    def offer(self, offer_id: str) -> Offer | None:
        """The offer of this handle, whatever became of it."""
        for issue in self.issues.values():
            for offer in issue.offers:
                if offer.id == offer_id:
                    return offer
        return None

    def in_item(self, item: str) -> tuple[IssueState, ...]:
        """The issues of an item, in the order of the setting."""
        return tuple(issue for issue in self.issues.values() if issue.item == item)


def fold(events: Iterable[Event], start: State | None = None) -> State:
    """The state after these events, from `start` or from nothing."""
    state = start or State()
    for event in events:
        state = advance(state, event)
    return state


def advance(state: State, event: Event) -> State:
    """The state after one more event."""
    match event:
        case e.RunCard():
            return replace(
                state,
                parties=tuple(party.id for party in event.setting.parties),
                issues={
                    issue.id: IssueState(item=item.id, issue=issue.id)
                    for item in event.setting.items
                    for issue in item.issues
                },
            )
        case e.ItemOpened():
            return replace(state, item=event.item, phase=None, round=0, spoken={}, questions=())
        case e.RoundOpened():
            questions = () if event.phase == "round" else state.questions
            return replace(state, phase=event.phase, round=event.round, questions=questions)
        case e.Statement():
            state = _turn_taken(state, event)
            if event.audience is not None:
                return state
            seen = state.cited.get(event.party, ())
            fresh = tuple(c for c in dict.fromkeys(event.citations) if c not in seen)
            return replace(state, cited={**state.cited, event.party: seen + fresh})
        case e.TurnFailed():
            return _turn_taken(state, event)
        case e.MoveMade():
            return _moved(state, event)
        case e.Tabled():
            tabled = OnTable(event.option, event.sha)
            issue = state.issues[event.issue]
            put = (*issue.put, event.option)
            return _with(state, replace(issue, tabled=tabled, put=put, votes=()))
        case e.VoteCast():
            issue = state.issues[event.issue]
            vote = Vote(event.party, event.vote, event.sha, event.because, event.turn)
            return _with(state, replace(issue, votes=(*issue.votes, vote)))
        case e.Decided():
            issue = state.issues[event.issue]
            offers = tuple(
                replace(offer, status="closed") if offer.status == "open" else offer
                for offer in issue.offers
            )
            return _with(state, replace(issue, decision=event, offers=offers))
        case e.PackageRuled(stands=False):
            for issue_id in event.issues:
                state = _with(state, replace(state.issues[issue_id], lapsed=True))
            return state
        case e.ItemClosed():
            return replace(state, item=None, phase=None, round=0, questions=())
        case e.DebateClosed():
            return replace(state, closed=True)
        case _:
            return state


def _with(state: State, issue: IssueState) -> State:
    return replace(state, issues={**state.issues, issue.issue: issue})


def _turn_taken(state: State, event: e.Statement | e.TurnFailed) -> State:
    spoken = {**state.spoken, event.party: state.spoken.get(event.party, 0) + 1}
    questions = tuple(q for q in state.questions if q[1] != event.party)
    return replace(state, turns=state.turns + 1, spoken=spoken, questions=questions)


def _moved(state: State, event: e.MoveMade) -> State:
    move, party = event.move, event.party
    if move.move == "ask":
        assert move.to is not None
        return replace(state, questions=(*state.questions, (party, move.to, move.issue)))
    issue = state.issues[move.issue]
    issue = replace(issue, stands=_stands(issue, party, move))
    match move.move:
        case "propose" | "concede":
            assert event.offer is not None
            assert move.option is not None
            assert move.sha is not None
            kept = _restatus(issue.offers, event.replaced, "replaced")
            fresh = Offer(event.offer, party, move.issue, move.option, move.sha, event.turn)
            state = replace(state, offers=state.offers + 1)
            issue = replace(issue, offers=(*kept, fresh))
        case "withdraw":
            issue = replace(issue, offers=_restatus(issue.offers, move.offer, "withdrawn"))
    return _with(state, issue)


def _stands(issue: IssueState, party: str, move: Move) -> Mapping[tuple[str, str], Stance]:
    assert move.option is not None
    if move.move == "withdraw":
        return _after_withdrawal(issue, party, move.option)
    place = (party, move.option)
    stands = {where: stance for where, stance in issue.stands.items() if where != place}
    match move.move:
        case "propose" | "concede" | "accept":
            stands[place] = "accept"
        case "reserve":
            stands[place] = "reserve"
        case "reject":
            stands[place] = "reject"
    return stands


def _after_withdrawal(
    issue: IssueState, party: str, option: str
) -> Mapping[tuple[str, str], Stance]:
    """Withdrawing takes back all that the party has offered on the issue, replaced texts included.

    What it rejected, and what it accepted of offers that others have on the table, stands.
    """
    others = {o.option for o in issue.open_offers if o.party != party and o.option != option}
    return {
        (who, what): stance
        for (who, what), stance in issue.stands.items()
        if who != party or stance == "reject" or what in others
    }


def _restatus(
    offers: tuple[Offer, ...], offer_id: str | None, status: OfferStatus
) -> tuple[Offer, ...]:
    return tuple(replace(o, status=status) if o.id == offer_id else o for o in offers)
