"""Looking things up in a transcript, for evaluators.

Knows the events; does not score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from harness import events as e
from harness.setting import Item, Mandate, Setting
from harness.transcript import Transcript


class Ballot(NamedTuple):
    """A text put to the vote, and the votes on it."""

    tabled: e.Tabled
    votes: tuple[e.VoteCast, ...] = ()
    missing: tuple[str, ...] = ()
    """Parties whose answer could not be had."""

    @property
    def key(self) -> str:
        """The text, as `issue/option`."""
        return f"{self.tabled.issue}/{self.tabled.option}"


_Kind = TypeVar("_Kind", bound=e.EventBase)


class Answer(NamedTuple):
    """A party's formal answer on a text: a vote, or its part in adoption by declaration."""

    party: str
    issue: str
    key: str
    """The text, as `issue/option`."""
    choice: e.VoteChoice
    because: str | None
    event: e.VoteCast | e.Decided
    """Where it is on record."""

    @property
    def by_declaration(self) -> bool:
        """Whether no vote was taken because every party had declared acceptance."""
        return isinstance(self.event, e.Decided)


def of_kind(transcript: Transcript, *kinds: type[_Kind]) -> Iterator[_Kind]:
    """The events of these kinds, in order."""
    return (event for event in transcript.events if isinstance(event, kinds))


def mandates(setting: Setting) -> Mapping[tuple[str, str], Mandate]:
    """The mandate of every party on every item, by (party, item)."""
    return {
        (party.id, item.id): setting.mandate(party.id, item.id)
        for party in setting.parties
        for item in setting.items
    }


def debated(transcript: Transcript) -> tuple[Item, ...]:
    """The items the chair opened, in order."""
    opened = dict.fromkeys(event.item for event in of_kind(transcript, e.ItemOpened))
    return tuple(transcript.setting.item(item) for item in opened)


def decisions(transcript: Transcript) -> Mapping[str, e.Decided]:
    """The decision on each decided issue."""
    return {event.issue: event for event in of_kind(transcript, e.Decided)}


def ballots(transcript: Transcript) -> tuple[Ballot, ...]:
    """Every ballot, in the order the texts were put; a vote on another text is none.

    Who did not vote is known once the ballot is over: at the decision, or when the next text is
    put.
    """
    open_: dict[str, int] = {}
    found: list[Ballot] = []
    for event in transcript.events:
        if isinstance(event, e.VoteCast) and event.issue in open_:
            ballot = found[open_[event.issue]]
            if event.sha == ballot.tabled.sha:
                found[open_[event.issue]] = ballot._replace(votes=(*ballot.votes, event))
        elif isinstance(event, e.Tabled | e.Decided):
            if event.issue in open_:
                index = open_.pop(event.issue)
                found[index] = _over(found[index], transcript.state.parties)
            if isinstance(event, e.Tabled):
                open_[event.issue] = len(found)
                found.append(Ballot(event))
    return tuple(found)


def _over(ballot: Ballot, parties: tuple[str, ...]) -> Ballot:
    voted = {vote.party for vote in ballot.votes}
    return ballot._replace(missing=tuple(party for party in parties if party not in voted))


def answers(transcript: Transcript) -> tuple[Answer, ...]:
    """Every formal answer on record. A missing vote is none."""
    found = [
        Answer(vote.party, vote.issue, ballot.key, vote.vote, vote.because, vote)
        for ballot in ballots(transcript)
        for vote in ballot.votes
    ]
    for event in of_kind(transcript, e.Decided):
        if event.by == "declaration":
            key = f"{event.issue}/{event.option}"
            found += [Answer(p, event.issue, key, "accept", None, event) for p in event.accept]
    return tuple(sorted(found, key=lambda answer: answer.event.seq))


def missing(transcript: Transcript) -> tuple[tuple[str, Ballot], ...]:
    """Every answer that could not be had: the party and the ballot."""
    return tuple((party, ballot) for ballot in ballots(transcript) for party in ballot.missing)


def joins(choice: e.VoteChoice, silence: bool) -> bool:
    """Whether the answer counts for the text: accepted, also with reservation, or silent."""
    return choice in ("accept", "reserve") or (choice == "abstain" and silence)


def statements(transcript: Transcript) -> tuple[e.Statement, ...]:
    """The public statements with words in them."""
    return tuple(
        s for s in of_kind(transcript, e.Statement) if s.audience is None and s.text.strip()
    )


def reaches_others(event: e.EventBase, party: str) -> bool:
    """Whether anybody but the party may know of the event: a private meeting counts, a note not."""
    return event.audience is None or any(seat != party for seat in event.audience)
