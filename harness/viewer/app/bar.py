"""The thin bar over a debate: how it stands, what can be done with it, and the ways from it."""

from __future__ import annotations

from typing import NamedTuple

from evals.pages import render
from harness.events import CHAIR
from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import SHEETS
from harness.viewer.app.seat import Place
from harness.viewer.app.shelf_glance import glance
from harness.viewer.app.standing import Standing


class OnePerson(NamedTuple):
    """A seat in which a person is waited for."""

    what: str
    """The seat in words."""
    address: str
    taken: bool


def bar(desk: Desk, name: str, now: Standing) -> str:
    """The bar as HTML."""
    return render(
        SHEETS / "debate_bar.html.j2",
        name=name, now=now, seats=_seats(desk, name), stem=name.rpartition("/")[2],
    )  # fmt: skip


def _seats(desk: Desk, name: str) -> tuple[OnePerson, ...]:
    waited_for = tuple(desk.people.get(name, ()))
    if not waited_for:
        return ()  # so that only debates with people in them are looked into
    shorts = {each.seat: each.name for each in glance(desk.path_of(name)).seats}
    places = [Place(name, seat) for seat in waited_for]
    return tuple(
        OnePerson(_what(place.seat, shorts), place.address, place in desk.holders)
        for place in places
    )


def _what(seat: str, shorts: dict[str, str]) -> str:
    return "the chair\u2019s voice" if seat == CHAIR else f"the seat of {shorts.get(seat, seat)}"
