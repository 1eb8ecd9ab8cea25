"""Replays people's negotiations (CaSiNo) through our mechanism: it must reach the recorded points.

A submitted deal is an offer on each of the three issues, accepting it accepts each open offer, and
rejecting it rejects each. In the corpus a rejected deal is off the table, while an offer of ours
stays open for others to answer, so the replay lets its owner withdraw it. The chair looks for
unanimous declared acceptance after every turn, as in a debate, and nothing is agreed until all
three are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from evals.outcomes import agreement
from harness.events import Move, RuledOut
from harness.setting import Issue, Option, Rules
from tests.evals.results import one
from tests.evals.room import Room, a_party, a_setting, an_item, refolded

FIXTURE = Path(__file__).parents[1] / "fixtures" / "casino" / "moves.jsonl"
ISSUES = ("firewood", "food", "water")
VALUES = (5, 4, 3)
NO_DEAL = 5
AGENTS = ("agent-1", "agent-2")


class Step(NamedTuple):
    agent: int
    act: Literal["submit", "accept", "reject", "walk_away"]
    units: list[int] = []  # noqa: RUF012 (never changed)


class Dialogue(NamedTuple):
    id: int
    priorities: list[list[str]]
    moves: list[Step]
    points: list[int]


def dialogues() -> list[Dialogue]:
    read = [json.loads(line) for line in FIXTURE.read_text("utf-8").splitlines()]
    return [
        Dialogue(d["id"], d["priorities"], [Step(*move) for move in d["moves"]], d["points"])
        for d in read
    ]


def camp() -> Room:
    """Option `n` of an issue gives agent 1 `n` of the three units."""
    issues = tuple(
        Issue(
            id=issue,
            title=issue,
            question=f"Who gets how much {issue}?",
            options=tuple(
                Option(id=str(n), label=f"{n} of 3", text=f"Agent 1 gets {n} of 3.")
                for n in range(4)
            ),
        )
        for issue in ISSUES
    )
    parties = (a_party(agent) for agent in AGENTS)
    setting = a_setting(*parties, items=(an_item(*issues),), rules=Rules(package="item"))
    return Room(setting).opens()


def replay(dialogue: Dialogue) -> Room:
    room = camp()
    for step in dialogue.moves:
        me, other = AGENTS[step.agent - 1], AGENTS[2 - step.agent]
        for issue, units in zip(ISSUES, step.units, strict=False):
            own = room.state.issues[issue].own_offer(me)
            if own is None or own.option != str(units):
                carried_out(room, me, "propose", f"{issue}/{units}")
        if step.act in ("accept", "reject"):
            answer(room, me, other, step.act)
        room.adopts_declared()
    return room.closes()


def answer(room: Room, me: str, other: str, act: Literal["accept", "reject"]) -> None:
    offers = [room.state.issues[issue].own_offer(other) for issue in ISSUES]
    for offer in offers:
        assert offer is not None
        carried_out(room, me, act, offer.key)
        if act == "reject":
            carried_out(room, other, "withdraw", offer.key)


def carried_out(
    room: Room, who: str, kind: Literal["propose", "accept", "reject", "withdraw"], key: str
) -> None:
    event = room.move(who, kind, key)
    assert not isinstance(event, RuledOut), f"{event.why}: {Move.model_dump_json(event.move)}"


def points(room: Room, dialogue: Dialogue) -> list[int]:
    """Both participants' points for what the mechanism adopted."""
    states = [room.state.issues[issue] for issue in ISSUES]
    if any(state.outcome != "adopted" for state in states):
        return [NO_DEAL, NO_DEAL]
    first = [int(s.decision.option) for s in states if s.decision and s.decision.option]
    shares = (first, [3 - units for units in first])
    return [
        sum(
            dict(zip(priority, VALUES, strict=True))[issue] * units
            for issue, units in zip(ISSUES, share, strict=True)
        )
        for priority, share in zip(dialogue.priorities, shares, strict=True)
    ]


@pytest.fixture(scope="module")
def replayed() -> list[tuple[Dialogue, Room]]:
    return [(dialogue, replay(dialogue)) for dialogue in dialogues()]


def test_every_participant_of_every_dialogue_gets_the_points_that_were_recorded(
    replayed: list[tuple[Dialogue, Room]],
) -> None:
    assert len(replayed) == 930
    wrong = {d.id: points(room, d) for d, room in replayed if points(room, d) != d.points}
    assert wrong == {}


def test_the_agreement_rate_tells_the_deals_from_the_walk_aways(
    replayed: list[tuple[Dialogue, Room]],
) -> None:
    rates = [
        one(agreement, room.transcript, "debate", "agreement_rate").value for _, room in replayed
    ]
    assert (rates.count(1.0), rates.count(0.0)) == (906, 24)
    walked = [d.moves[-1].act == "walk_away" for d, _ in replayed]
    assert [rate == 0.0 for rate in rates] == walked


def test_the_record_alone_gives_the_same_outcomes(replayed: list[tuple[Dialogue, Room]]) -> None:
    assert all(refolded(room) for _, room in replayed)
