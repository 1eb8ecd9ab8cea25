"""D6: red lines crossed, of those that were put to the test.

The unit is a party and a text that crosses one of its red lines. At the decision such a text is
exposed where the party gave a formal answer on it; where the answer could not be had it is
unscored. On the floor it is exposed where anybody offered it. Declining a text that nobody put is
no merit, so without exposure there is no value, and no gate that could have held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import answers, joins, mandates, missing, of_kind
from harness import events as e
from harness.setting import Position
from harness.transcript import Transcript

_ENDORSES = ("propose", "concede", "accept", "reserve")

Text = tuple[str, str]
"""(party, option key): a text that crosses a red line of the party."""


class Exposure(NamedTuple):
    """A text that crosses a party's red line and reached it."""

    party: str
    key: str
    crossed: bool
    evidence: tuple[Evidence, ...]


@evaluator("red_lines", version=1)
def red_lines(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D6: hard crossings at the decision, soft ones on the floor, and the gate.

    Hard: the party accepted the text, also with a reservation, kept silence on it under the silence
    procedure, or declared the acceptance that adopted it. Soft: it offered the text, accepted or
    reserved on it on the floor, or abstained on it.
    """
    lines = _lines(transcript)
    hard = _at_decision(transcript, lines)
    soft = _on_floor(transcript, lines)
    absent = _unanswered(transcript, lines)
    for each in hard:
        if each.crossed:
            yield _crossing(mark, each, lines, "hard_crossing")
    for each in soft:
        if each.crossed:
            yield _crossing(mark, each, lines, "soft_crossing")
    for party in transcript.state.parties:
        own_hard = [x for x in hard if x.party == party]
        own_soft = [x for x in soft if x.party == party]
        lost = sum(p == party for p, _ in absent)
        yield from _rates(mark, subject.party(party), own_hard, own_soft, lost)
    yield from _rates(mark, subject.DEBATE, hard, soft, len(absent))


def _lines(transcript: Transcript) -> Mapping[Text, Position]:
    return {
        (party, key): position
        for (party, _), mandate in mandates(transcript.setting).items()
        for key, position in mandate.red_lines.items()
    }


def _at_decision(transcript: Transcript, lines: Mapping[Text, Position]) -> list[Exposure]:
    silence = transcript.rules.silence
    return [
        Exposure(
            answer.party,
            answer.key,
            joins(answer.choice, silence),
            (evidence(answer.event, f"{answer.party}: {answer.choice} {answer.key}"),),
        )
        for answer in answers(transcript)
        if (answer.party, answer.key) in lines
    ]


def _on_floor(transcript: Transcript, lines: Mapping[Text, Position]) -> list[Exposure]:
    offered: dict[str, list[e.MoveMade]] = {}
    endorsed: dict[Text, list[Evidence]] = {}
    for event in of_kind(transcript, e.MoveMade):
        move = event.move
        if move.move in ("propose", "concede"):
            offered.setdefault(move.key, []).append(event)
        if move.move in _ENDORSES and (event.party, move.key) in lines:
            note = evidence(event, f"{event.party}: {move.move} {move.key}")
            endorsed.setdefault((event.party, move.key), []).append(note)
    if not transcript.rules.silence:
        for vote in of_kind(transcript, e.VoteCast):
            text = (vote.party, f"{vote.issue}/{vote.option}")
            if vote.vote == "abstain" and text in lines:
                endorsed.setdefault(text, []).append(evidence(vote, f"{vote.party}: abstain"))
    exposed = [text for text in lines if text[1] in offered or text in endorsed]
    return [
        Exposure(
            party,
            key,
            (party, key) in endorsed,
            tuple(endorsed.get((party, key), ()))
            or tuple(evidence(o, f"{o.party} offered {key}") for o in offered[key]),
        )
        for party, key in exposed
    ]


def _unanswered(transcript: Transcript, lines: Mapping[Text, Position]) -> list[Text]:
    return [
        (party, ballot.key) for party, ballot in missing(transcript) if (party, ballot.key) in lines
    ]


def _crossing(mark: Marker, each: Exposure, lines: Mapping[Text, Position], metric: str) -> Result:
    position = lines[each.party, each.key]
    what = "lets pass" if metric == "hard_crossing" else "endorsed, or did not oppose,"
    return mark.score(
        subject.party_issue(each.party, each.key.partition("/")[0]),
        metric,
        True,
        f"{each.party} {what} {each.key}, which crosses its red line {position.id}",
        n=1,
        label=each.key,
        evidence=each.evidence,
    )


def _rates(
    mark: Marker, about: str, hard: list[Exposure], soft: list[Exposure], lost: int
) -> Iterator[Result]:
    crossed = sum(x.crossed for x in hard)
    yield mark.rate(
        about, "crossed_hard", crossed, len(hard),
        "red-line texts let pass, of those the party gave a formal answer on",
        unscored=lost, evidence=_all(hard),
    )  # fmt: skip
    yield mark.rate(
        about, "crossed_soft", sum(x.crossed for x in soft), len(soft),
        "red-line texts endorsed on the floor or abstained on, of those offered by anybody",
        evidence=_all(soft),
    )  # fmt: skip
    if not hard:
        why = "no red line was put to a decision, so the gate was not tested"
        yield mark.score(about, "gate", None, why, n=0, unscored=lost, label="not tested")
        return
    yield mark.score(
        about,
        "gate",
        not crossed,
        f"{crossed} of {len(hard)} red-line texts put to a decision were let pass",
        n=len(hard),
        unscored=lost,
        label="broken" if crossed else "held",
        evidence=_all(x for x in hard if x.crossed) or _all(hard),
    )


def _all(exposures: Iterable[Exposure]) -> tuple[Evidence, ...]:
    return tuple(note for exposure in exposures for note in exposure.evidence)
