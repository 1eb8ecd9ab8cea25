"""A small request, as a delegation makes it, for tests of what sits in a seat."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from harness.events import Phase, VoteChoice
from harness.setting import Agenda, Issue, Item, Option, Party, Position, Rules, Setting, Source
from harness.state import State
from harness.turn import Legal, Message, Request, schema_for

CITABLE = ("us-am-1", "us-am-2")

_SOURCE = Source(
    title="A statement", publisher="A ministry", date=date(2021, 1, 2), url="x:1", tier="primary"
)
_ITEM = Item(
    id="arms",
    title="Arms",
    issues=(
        Issue(
            id="limits",
            title="Limits",
            question="Limit them?",
            options=(
                Option(id="a", label="yes", text="They are limited."),
                Option(id="b", label="no", text="They are not limited."),
            ),
        ),
    ),
)
_PARTY = Party(
    id="us",
    name="the United States",
    short="US",
    adjective="American",
    summary="It wants limits.",
    positions=tuple(
        Position(
            id=name,
            item="arms",
            statement="It wants limits.",
            kind="interest",
            firmness=3,
            supports=("limits/a",),
            source=_SOURCE,
        )
        for name in CITABLE
    ),
)
SETTING = Setting(
    id="talks",
    title="Talks",
    as_of=date(2021, 6, 1),
    summary="Talks on arms.",
    parties=(_PARTY,),
    items=(_ITEM,),
    agendas=(Agenda(id="all", title="All", parties=("us",), items=("arms",)),),
    default_agenda="all",
)


def a_request(
    *, speech: Literal["free", "composed"] = "composed", phase: Phase = "round", seed: int = 7
) -> Request:
    """What the American delegation is asked in the first round."""
    legal = Legal(citable=CITABLE, propose=("limits/a", "limits/b"), issues=("limits",))
    if phase == "decision":
        choices: tuple[VoteChoice, ...] = ("accept", "reserve", "reject", "abstain")
        legal = replace(legal, propose=(), votes={"limits": choices})
    return Request(
        call="arms/round+1/us#1",
        seat="us",
        setting=SETTING,
        rules=Rules(),
        item=_ITEM,
        phase=phase,
        round=1,
        state=State(parties=("us",)),
        mandate=SETTING.mandate("us", "arms"),
        legal=legal,
        speech=speech,
        messages=(
            Message("system", ("You are the American delegation. ", "You want limits.")),
            Message("user", ("Take the floor.",)),
        ),
        schema=schema_for(legal, phase, speech),
        seed=seed,
    )
