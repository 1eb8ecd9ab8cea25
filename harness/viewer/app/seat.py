"""A seat: a person plays a delegation, or words what the chair has done.

The page of a seat shows a mandate, so only one person gets in: whoever takes the seat is given a
key, in a cookie and in an address to come back by. Everybody else is told that it is taken.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from harness.errors import UserError
from harness.events import CHAIR, Seat
from harness.models.waiting import AWAY, Terms, Waiting
from harness.setting import sha
from harness.transcript import Transcript, read
from harness.viewer.app.desk import Desk, Holder
from harness.viewer.app.frame import show
from harness.viewer.app.seat_form import Typed, Wrong, answer_of, one, wrong_with
from harness.viewer.app.seat_view import sight

LIMITS = (60, 120, 300, 600, 1800)
"""Turn limits that are offered, in seconds; any other may be sent."""

AWAYS = (20, AWAY, 300)
"""What may count as leaving, in seconds."""

REMEMBERED = 7 * 24 * 3600
"""Seconds for which a browser keeps the key of a seat."""


class Place(NamedTuple):
    """A seat at a debate."""

    name: str
    """The debate's."""
    seat: str
    """A party's id, or `chair`."""

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"/seat/{quote(self.name)}/{quote(self.seat)}"

    @property
    def cookie(self) -> str:
        """The name of the cookie that holds its key."""
        return f"seat-{sha(self.address)[:16]}"


class Seats:
    """The seats of people at the debates that are held here."""

    def __init__(self, desk: Desk) -> None:
        """At what the app works on, which knows who has taken which."""
        self._desk = desk

    def waiting(self, place: Place) -> Waiting | None:
        """What waits for the person; None where the debate is not being held, or not for one."""
        waiting = self._desk.people.get(place.name, {}).get(place.seat)
        holder = self._desk.holders.get(place)
        if waiting is not None and holder is not None and not waiting.arrived:
            waiting.arrive(holder.terms)  # the debate was taken up again
        return waiting

    def taken(self, place: Place) -> bool:
        """Whether somebody has the seat."""
        return place in self._desk.holders

    def holds(self, place: Place, key: str) -> bool:
        """Whether this is the key of whoever has the seat."""
        holder = self._desk.holders.get(place)
        return holder is not None and hmac.compare_digest(holder.key.encode(), key.encode())

    def key_of(self, place: Place) -> str:
        """The key of a seat that is taken."""
        return self._desk.holders[place].key

    def take(self, place: Place, terms: Terms) -> str:
        """Give the seat to somebody; what they get is its key.

        Raises:
            UserError: it is taken, nobody is waited for in it, or the terms cannot be kept.
        """
        waiting = self.waiting(place)
        if waiting is None:
            raise UserError(f"{place.name} is not being held here with a person as {place.seat}.")
        if self.taken(place):
            raise UserError("This seat is taken: one person a seat.")
        waiting.arrive(terms)
        self._desk.holders[place] = Holder(secrets.token_urlsafe(24), terms)
        return self._desk.holders[place].key

    def give_up(self, place: Place) -> None:
        """The person goes; somebody else may sit down."""
        if (waiting := self.waiting(place)) is not None:
            waiting.leave()
        del self._desk.holders[place]


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""
    seats = Seats(desk)

    async def page(request: Request) -> Response:
        place = _place(request)
        if (key := request.query_params.get("key")) and seats.holds(place, key):
            return _to_the_seat(place, key)
        if _is_holder(seats, place, request):
            return await _seat(desk, seats, place)
        return await _door(desk, seats, place)

    async def act(request: Request) -> Response:
        place, form = _place(request), await request.form()
        what = str(form.get("do", ""))
        if what == "take":
            if seats.taken(place):
                return await _door(desk, seats, place)
            return _to_the_seat(place, seats.take(place, _terms(form)))
        if not _is_holder(seats, place, request):
            return await _door(desk, seats, place)
        if what == "here":
            if (waiting := seats.waiting(place)) is not None:
                waiting.alive()
            size = desk.path_of(place.name).stat().st_size
            return JSONResponse(_now(seats.waiting(place), size))
        return await _do(what, form, desk, seats, place)

    return [
        Route("/seat/{name:path}/{seat}", page),
        Route("/seat/{name:path}/{seat}", act, methods=["POST"]),
    ]


async def _do(what: str, form: FormData, desk: Desk, seats: Seats, place: Place) -> Response:
    waiting = seats.waiting(place)
    if what == "answer":
        return await _answer(form, waiting, desk, seats, place)
    if waiting is None:
        return RedirectResponse(place.address, 303)
    match what:
        case "over":
            waiting.hand_over(turn=form.get("for") == "turn")
        case "back":
            waiting.take_back()
        case "leave":
            seats.give_up(place)
            return RedirectResponse("/", 303)
        case _:
            raise UserError(f"A seat cannot do {what!r}.")
    return RedirectResponse(place.address, 303)


async def _answer(
    form: FormData, waiting: Waiting | None, desk: Desk, seats: Seats, place: Place
) -> Response:
    """Send what was filled in, or show it again with what is wrong with it."""
    typed = _typed(form)
    asked = waiting.asked if waiting else None
    if waiting is None or asked is None or one(typed, "call") != asked.call:
        late = Wrong("statement", "That turn is over: what you wrote was not sent.")
        kept = {"unsent": (one(typed, "statement"),)}
        return await _seat(desk, seats, place, kept, late)
    wrong = wrong_with(typed, asked)
    if wrong is None:
        flaw = waiting.hand_in(asked.call, answer_of(typed, asked))
        wrong = None if flaw is None else Wrong("statement", flaw.why)
    if wrong is not None:
        return await _seat(desk, seats, place, typed, wrong)
    return RedirectResponse(place.address, 303)


async def _seat(
    desk: Desk, seats: Seats, place: Place, typed: Typed | None = None, wrong: Wrong | None = None
) -> Response:
    """The page of whoever holds the seat."""
    # Asked before the record is read: where nothing waits any more, that has its end.
    waiting = seats.waiting(place)
    transcript = await asyncio.to_thread(read, desk.path_of(place.name))
    return show(
        "seat",
        status=422 if wrong else 200,
        title=_title(transcript, place.seat),
        place=place,
        sight=sight(transcript, place.seat, waiting.asked if waiting else None),
        now=_now(waiting, transcript.size),
        waiting=waiting,
        stand_in=_stand_in(_card(transcript, place.seat)),
        key=seats.key_of(place),
        guarded=_card(transcript, place.seat).guard,
        typed=typed or {},
        wrong=wrong,
    )


async def _door(desk: Desk, seats: Seats, place: Place) -> Response:
    """What everybody else sees of the seat: nothing that is the party's own."""
    transcript = await asyncio.to_thread(read, desk.path_of(place.name))
    waiting, taken = seats.waiting(place), seats.taken(place)
    return show(
        "seat_door",
        status=409 if taken else 200 if waiting else 404,
        title=_title(transcript, place.seat),
        place=place,
        taken=taken,
        waiting=waiting,
        stand_in=_stand_in(_card(transcript, place.seat)),
        limits=LIMITS,
        aways=AWAYS,
        usual=AWAY,
    )


def _now(waiting: Waiting | None, size: int | None) -> dict[str, object]:
    """Where the seat stands, for a page to tell whether it is still right.

    Args:
        waiting: What waits for the person.
        size: Bytes of the record; of a page, those it was made of.
    """
    if waiting is None:
        return {"version": f"{size} over", "call": "", "left": None}
    call = waiting.asked.call if waiting.asked else ""
    held = "stand-in" if waiting.handed_over else "person"
    return {"version": f"{size} {call} {held}", "call": call, "left": waiting.left}


def _place(request: Request) -> Place:
    return Place(request.path_params["name"], request.path_params["seat"])


def _is_holder(seats: Seats, place: Place, request: Request) -> bool:
    return seats.holds(place, request.cookies.get(place.cookie, ""))


def _to_the_seat(place: Place, key: str) -> Response:
    response = RedirectResponse(place.address, 303)
    response.set_cookie(
        place.cookie, key, max_age=REMEMBERED, path="/seat", httponly=True, samesite="strict"
    )
    return response


def _terms(form: FormData) -> Terms:
    """The terms as they were chosen at the door.

    Raises:
        UserError: a value is none of those that exist.
    """
    limit, away = str(form.get("limit", "")), str(form.get("away", ""))
    at_limit, on_leaving = form.get("at_limit", "nothing"), form.get("on_leaving", "wait")
    try:
        seconds, gone = float(limit) if limit else None, float(away) if away else AWAY
    except ValueError:
        raise UserError(f"A time is a number of seconds, not {limit or away!r}.") from None
    if at_limit not in ("turn", "rest", "nothing") or on_leaving not in ("turn", "rest", "wait"):
        raise UserError("Choose what happens when time is up and when you leave.")
    return Terms(seconds, at_limit, on_leaving, gone)  # type: ignore[arg-type]  # checked above


def _typed(form: FormData) -> Typed:
    """What was filled in; line ends as the record writes them."""
    return {
        name: tuple(str(value).replace("\r\n", "\n") for value in form.getlist(name))
        for name in form
    }


def _card(transcript: Transcript, seat: str) -> Seat:
    """Who sits in the seat.

    Raises:
        UserError: there is no such seat.
    """
    for card in transcript.card.seats:
        if card.seat == seat:
            return card
    raise UserError(f"There is no seat {seat!r} at {transcript.header.debate}.")


def _stand_in(card: Seat) -> str:
    """The model that stands in, as it is named; empty where none does."""
    return card.model.partition("+")[2] if card.model.startswith("human+") else ""


def _title(transcript: Transcript, seat: str) -> str:
    _card(transcript, seat)
    who = "The chair's voice" if seat == CHAIR else transcript.setting.party(seat).name
    return f"{who[:1].upper()}{who[1:]} in {transcript.header.debate}"
