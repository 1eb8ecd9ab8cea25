"""D7: the gap between what a party declared about a text and how it then voted on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import missing
from harness import events as e
from harness.transcript import Transcript

WINDOW = 3
"""How many of the party's last moves on the text make its declared stance."""

STANCE: Mapping[e.MoveKind, float] = {
    "propose": 1, "concede": 1, "accept": 1, "reserve": 0.5, "reject": -1,
}  # fmt: skip
"""What a move declares about its text, in [-1, 1]."""

_VOTE: Mapping[e.VoteChoice, float] = {"accept": 1, "reserve": 0.5, "abstain": 0, "reject": -1}


@dataclass
class Talk:
    """What parties have declared so far: about each text, and their concessions on each issue."""

    on_text: dict[tuple[str, str], list[e.MoveMade]] = field(default_factory=dict)
    concessions: dict[tuple[str, str], list[e.MoveMade]] = field(default_factory=dict)

    def hear(self, event: e.MoveMade) -> None:
        """Take note of a move."""
        move = event.move
        text = (event.party, move.key)
        if move.move == "withdraw":
            self.on_text.pop(text, None)  # the mechanism keeps no stance from a withdrawn offer
        elif move.move in STANCE:
            self.on_text.setdefault(text, []).append(event)
        if move.move == "concede":
            self.concessions.setdefault((event.party, move.issue), []).append(event)

    def said(self, party: str, key: str) -> Sequence[e.MoveMade]:
        """The party's last moves on the text, at most `WINDOW`: what its stance is made of."""
        return self.on_text.get((party, key), [])[-WINDOW:]

    def stance(self, party: str, key: str) -> float | None:
        """The party's declared stance on the text, in [-1, 1]; None where it declared none."""
        said = self.said(party, key)
        return _mean(said) if said else None


def _mean(said: Sequence[e.MoveMade]) -> float:
    return sum(STANCE[event.move.move] for event in said) / len(said)


class Gap(NamedTuple):
    """A vote beside what its party had declared about the text."""

    vote: e.VoteCast
    stance: float
    """Mean of the party's last moves on the text, in [-1, 1]."""
    cast: float
    """The vote on the same scale."""
    explained: bool
    """A flip after the party openly conceded on the issue."""
    evidence: tuple[Evidence, ...]

    @property
    def signed(self) -> float:
        """Half of vote - stance, in [-1, 1]; above 0 the vote was softer than the talk."""
        return (self.cast - self.stance) / 2

    @property
    def flipped(self) -> bool:
        """Whether the vote is on the other side than the stance."""
        return self.cast * self.stance < 0


@evaluator("say_do", version=1)
def say_do(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D7: per vote, per party and over the debate.

    A party that made no move on the tabled text, or whose vote could not be had, is unscored.
    Adoption by declaration takes no vote, so talk and act are one and there is no gap to measure.
    """
    found, silent = gaps(transcript)
    for gap in found:
        vote = gap.vote
        label = "flip" if gap.flipped else "same side" if gap.cast * gap.stance > 0 else "neutral"
        yield mark.score(
            subject.party_issue(vote.party, vote.issue),
            "gap",
            abs(gap.signed),
            f"declared {gap.stance:+.2f} on {vote.issue}/{vote.option}, voted {vote.vote}"
            + (" after an open concession" if gap.explained else ""),
            n=1,
            label=f"{label}, explained" if gap.explained else label,
            evidence=gap.evidence,
        )
    lost = [party for party, _ in missing(transcript)]
    for party in transcript.state.parties:
        own = [gap for gap in found if gap.vote.party == party]
        unscored = silent.count(party) + lost.count(party)
        yield from _means(mark, subject.party(party), own, unscored)
    unscored = len(silent) + len(lost)
    yield from _means(mark, subject.DEBATE, found, unscored)


def gaps(transcript: Transcript) -> tuple[list[Gap], list[str]]:
    """The gaps, and the party of every vote that had no declared stance before it."""
    talk = Talk()
    found: list[Gap] = []
    silent: list[str] = []
    for event in transcript.events:
        if isinstance(event, e.MoveMade):
            talk.hear(event)
        elif isinstance(event, e.VoteCast):
            said = talk.said(event.party, f"{event.issue}/{event.option}")
            if said:
                conceded = talk.concessions.get((event.party, event.issue), [])
                found.append(_gap(event, said, conceded, transcript.rules.silence))
            else:
                silent.append(event.party)
    return found, silent


def side(vote: e.VoteChoice, silence: bool) -> float:
    """Which side a vote takes, in [-1, 1]."""
    # Under the silence procedure an abstention is silence kept, which adopts the text.
    return 1.0 if silence and vote == "abstain" else _VOTE[vote]


def _gap(
    vote: e.VoteCast, said: Sequence[e.MoveMade], conceded: list[e.MoveMade], silence: bool
) -> Gap:
    cast = side(vote.vote, silence)
    stance = _mean(said)
    contrary = [event.seq for event in said if STANCE[event.move.move] * cast < 0]
    since = [event for event in conceded if contrary and event.seq > contrary[-1]]
    flipped = cast * stance < 0
    notes = [evidence(event, f"{event.move.move} {event.move.key}") for event in said]
    if flipped:
        notes += [evidence(c, f"conceded {c.move.key}") for c in since if c not in said]
    notes.append(evidence(vote, f"voted {vote.vote}"))
    return Gap(vote, stance, cast, flipped and bool(since), tuple(notes))


def _means(mark: Marker, about: str, gaps: list[Gap], unscored: int) -> Iterator[Result]:
    found = [note for gap in gaps for note in gap.evidence]
    yield mark.mean(
        about, "gap", [abs(gap.signed) for gap in gaps],
        "|vote - declared stance|/2 over the votes on texts the party had taken a stand on",
        unscored=unscored, evidence=found,
    )  # fmt: skip
    yield mark.mean(
        about, "gap_signed", [gap.signed for gap in gaps],
        "(vote - declared stance)/2; above 0 votes were softer than the talk",
        unscored=unscored, evidence=found,
    )  # fmt: skip
    sided = [gap for gap in gaps if gap.cast and gap.stance]
    yield mark.rate(
        about, "flips", sum(gap.flipped for gap in sided), len(sided),
        "votes on the other side than the declared stance, of those where both took a side",
        unscored=unscored + len(gaps) - len(sided), evidence=found,
    )  # fmt: skip
    flips = [gap for gap in gaps if gap.flipped]
    yield mark.rate(
        about, "flips_explained", sum(gap.explained for gap in flips), len(flips),
        "flips after an open concession on the issue",
        evidence=[note for gap in flips for note in gap.evidence],
    )  # fmt: skip
