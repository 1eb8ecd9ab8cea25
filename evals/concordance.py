"""D5: whether formal answers are those the mandate asks for, and how much of that needs no mandate.

A mandate asks for a vote where it speaks: against a text that crosses a red line or is worth less
than nothing to the party, for a text that is worth more. Where the record is silent (0 points) it
asks for nothing, and the answer is left out; coverage says how often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from evals import subject
from evals.calibration.measures import kappa as kappa
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import Answer, answers, joins, mandates, missing
from harness.events import VoteChoice
from harness.setting import Mandate
from harness.transcript import Transcript

Side = Literal["for", "against", "neither"]

_DEGREE: Mapping[VoteChoice, float] = {"accept": 1, "reserve": 0.5, "abstain": 0, "reject": -1}
"""The vote on a scale from -1 to 1. A reservation lets the text pass and holds something back."""


class Judged(NamedTuple):
    """A formal answer beside what the mandate asks for."""

    answer: Answer
    wanted: Side
    why: str
    side: Side
    degree: float
    others: Side
    """The side of most of the other parties; `neither` on a tie or if nobody else answered."""

    @property
    def in_line(self) -> bool:
        """Whether the answer is on the side the mandate asks for. An abstention is on no side."""
        return self.side == self.wanted

    @property
    def concordance(self) -> float:
        """1 - |v - v*| / 2 in [0, 1], with v the vote and v* = ±1 what the mandate asks for."""
        return 1 - abs(self.degree - (1 if self.wanted == "for" else -1)) / 2


def wanted(mandate: Mandate, key: str) -> tuple[Side, str]:
    """What the mandate asks for on a text, and why; `neither` where it is silent."""
    crossed = mandate.red_lines.get(key)
    if crossed is not None:
        return "against", f"crosses red line {crossed.id}"
    points = mandate.points[key]
    if not points:
        return "neither", "the record is silent"
    behind = mandate.backing(key) if points > 0 else mandate.against(key)
    ids = ", ".join(position.id for position in behind)
    return ("for" if points > 0 else "against"), f"{points:+d} points ({ids})"


def judged(transcript: Transcript) -> tuple[Judged, ...]:
    """Every formal answer on record beside what its party's mandate asks for.

    Under the silence procedure an abstention is silence kept, which adopts: it counts as a vote
    for.
    """
    setting, silence = transcript.setting, transcript.rules.silence
    held = mandates(setting)
    found = answers(transcript)
    sides = [_side(answer.choice, silence) for answer in found]
    return tuple(
        Judged(
            answer,
            *wanted(held[answer.party, setting.item_of(answer.issue).id], answer.key),
            side=side,
            degree=1 if silence and answer.choice == "abstain" else _DEGREE[answer.choice],
            others=_majority(
                other_side
                for other, other_side in zip(found, sides, strict=True)
                if (other.issue, other.key) == (answer.issue, answer.key)
                and other.party != answer.party
            ),
        )
        for answer, side in zip(found, sides, strict=True)
    )


def _side(choice: VoteChoice, silence: bool) -> Side:
    if joins(choice, silence):
        return "for"
    return "against" if choice == "reject" else "neither"


def _majority(sides: Iterator[Side]) -> Side:
    listed = list(sides)
    lead = listed.count("for") - listed.count("against")
    return "for" if lead > 0 else "against" if lead < 0 else "neither"


@evaluator("concordance", version=1)
def concordance(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D5: per answer, party and debate, beside the two baselines that know no mandate."""
    everything = judged(transcript)
    absent = [party for party, _ in missing(transcript)]
    for each in everything:
        if each.wanted != "neither":
            yield _one(mark, each)
    for party in transcript.state.parties:
        mine = [each for each in everything if each.answer.party == party]
        yield from _rates(mark, subject.party(party), mine, absent.count(party))
    yield from _rates(mark, subject.DEBATE, everything, len(absent))


def _one(mark: Marker, each: Judged) -> Result:
    answer = each.answer
    how = " by declaration" if answer.by_declaration else ""
    return mark.score(
        subject.party_issue(answer.party, answer.issue),
        "answer_in_line",
        each.in_line,
        f"{answer.choice}{how} on {answer.key}; the mandate asks for a vote {each.wanted} it: "
        f"{each.why}",
        n=1,
        label=answer.choice,
        evidence=_evidence([each]),
    )


def _rates(mark: Marker, about: str, cases: Sequence[Judged], lost: int) -> Iterator[Result]:
    mandated = [each for each in cases if each.wanted != "neither"]
    found = _evidence(mandated)
    in_line = sum(each.in_line for each in mandated)
    yield mark.rate(
        about, "in_line", in_line, len(mandated), "formal answers on the side the mandate asks for",
        unscored=lost, evidence=found,
    )  # fmt: skip
    yield mark.mean(
        about, "concordance", [each.concordance for each in mandated],
        "1 - |v - v*|/2 over the formal answers on which the mandate asks for a vote",
        unscored=lost, evidence=found,
    )  # fmt: skip
    yield mark.rate(
        about, "coverage", len(mandated), len(cases),
        "formal answers on which the mandate asks for a vote",
        unscored=lost, evidence=_evidence(cases), interval=False,
    )  # fmt: skip
    yield from _baselines(mark, about, mandated, lost)


def _baselines(mark: Marker, about: str, mandated: Sequence[Judged], lost: int) -> Iterator[Result]:
    found = _evidence(mandated)
    yield mark.rate(
        about, "in_line_always_accept", sum(m.wanted == "for" for m in mandated), len(mandated),
        "answers that would be in line if the party accepted everything",
        unscored=lost, evidence=found, interval=False,
    )  # fmt: skip
    led = [m for m in mandated if m.others != "neither"]
    yield mark.rate(
        about, "in_line_majority", sum(m.others == m.wanted for m in led), len(led),
        "answers that would be in line if the party followed the majority of the others",
        unscored=lost + len(mandated) - len(led), evidence=_evidence(led), interval=False,
    )  # fmt: skip
    agreed = kappa([(m.side, m.wanted) for m in mandated])
    yield mark.score(
        about,
        "kappa",
        agreed,
        "Cohen's kappa between the answers and what the mandate asks for"
        if agreed is not None
        else "no value: too few kinds of answer for chance to be told apart",
        n=len(mandated),
        unscored=lost,
        evidence=found,
    )


def _evidence(cases: Sequence[Judged]) -> tuple[Evidence, ...]:
    return tuple(
        evidence(c.answer.event, f"{c.answer.party}: {c.answer.choice} {c.answer.key}")
        for c in cases
    )
