"""J3: whether a delegation takes back what it said, and whether it says that it does.

A reversal is open where the party made a typed concession on the item in between: it told everyone
that it had moved. One without is a party at odds with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evals import subject
from evals.dimensions.dimension import Bench, dimension
from evals.evaluator import Evidence, Result, evidence
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.record import of_kind
from harness import events as e
from harness.transcript import Transcript

RUBRIC = "reversals"


class Pair(NamedTuple):
    """Two claims of a party on an item, and what the judge said of them."""

    first: Claim
    later: Claim
    verdict: Verdict
    concession: e.MoveMade | None
    """The party's last concession on the item after the turn of the first claim and not after that
    of the later one."""

    @property
    def reversed(self) -> bool:
        """Whether the later one takes the first back."""
        return self.verdict.label == "reversed"

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Both turns in their own words, and the concession that explains them."""
        spoken = tuple(
            Evidence(seq=claim.seq, turn=claim.turn, quote=f"{when}: {claim.sentence}")
            for when, claim in (("first", self.first), ("later", self.later))
        )
        if self.concession is None:
            return spoken
        return (*spoken, evidence(self.concession, f"conceded {self.concession.move.key}"))


@dimension("reversals", version=1, rubrics=(RUBRIC,))
def reversals(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party and over the debate: the share of pairs that are reversals, open ones apart.

    A pair is a check-worthy claim and one of its most similar earlier ones by the same party on the
    same item. An abstention, an unreadable answer and a quote that nobody said are unscored.
    """
    found = pairs(transcript, judgements, bench.judge)
    for party in transcript.state.parties:
        own = [pair for pair in found if pair.later.party == party]
        yield from _of(bench, subject.party(party), own)
    yield from _of(bench, subject.DEBATE, found)


def pairs(transcript: Transcript, judgements: Judgements, judge: str) -> list[Pair]:
    """Every pair the judge was shown, in the order of the later claim."""
    # What was conceded in a private meeting explains nothing to those who hear the statement.
    concessions = [
        event
        for event in of_kind(transcript, e.MoveMade)
        if event.move.move == "concede" and event.audience is None
    ]
    found = [_pair(verdict, judgements, concessions) for verdict in judgements.of(RUBRIC, judge)]
    return sorted(found, key=lambda pair: (pair.later.seq, pair.first.seq))


def _pair(verdict: Verdict, judgements: Judgements, concessions: Sequence[e.MoveMade]) -> Pair:
    one, _, other = verdict.unit.partition(">")
    first, later = judgements.claim(one), judgements.claim(other)
    between = [move for move in concessions if _between(move, first, later)]
    return Pair(first, later, verdict, between[-1] if between else None)


def _between(move: e.MoveMade, first: Claim, later: Claim) -> bool:
    if (move.party, move.item) != (later.party, later.item):
        return False
    # A turn's moves follow its statement: what is conceded with the first claim was said with it,
    # what is conceded with the later one explains it.
    if move.turn in (first.turn, later.turn):
        return move.turn == later.turn
    return first.seq < move.seq < later.seq


def _of(bench: Bench, about: str, found: Sequence[Pair]) -> Iterator[Result]:
    judged = [pair for pair in found if pair.verdict.label in ("reversed", "compatible")]
    turned = [pair for pair in judged if pair.reversed]
    for metric, conceded, words in (
        ("unexplained", False, "without a concession of the party on the item in between"),
        ("explained", True, "after a concession of the party on the item"),
    ):
        having = [pair for pair in turned if (pair.concession is not None) == conceded]
        yield bench.rate(
            about, metric, len(having), len(judged),
            f"pairs of claims of which the later takes back the first, {words}; one change of mind "
            "may show in several pairs",
            unscored=len(found) - len(judged),
            evidence=[note for pair in having for note in pair.evidence],
        )  # fmt: skip
