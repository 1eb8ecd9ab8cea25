"""The reference negotiator: no model, a rational delegation over its mandate. The yardstick.

It maximises the firmness points of its mandate (`Mandate.points`; no agreement is worth 0) and
keeps to a stated schedule. With R rounds it aspires in its opening statement to its best option on
each issue and lowers its aspiration linearly, to 0 in round R:

    aspiration(r) = best * (1 - r / R)        r = 0 (opening) ... R

In each turn it accepts any open offer worth at least its aspiration, and otherwise replaces its own
offer by the next option down that its aspiration now allows, one step a turn (a step away from the
others' offers waits) until the last round, when it declares every option its record supports;
without rounds (R = 0) that is the opening statement. It never proposes, accepts or reserves on a
text that crosses a red line or is worth less than no agreement. A text on which its record is
silent and flexible it takes with a reservation, in the last round only. On an issue on which it has
no documented position at all it has no instructions: it makes no move and abstains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.setting import Issue
from harness.state import IssueState
from harness.turn import Reply, Request


class Reference:
    """A deterministic negotiator; the same request always gets the same answer."""

    reads_prompts = False
    metered = False

    async def answer(self, request: Request) -> Reply:
        """The answer, as JSON like any other seat's."""
        data = self.decide(request)
        return Reply(text=json.dumps(data), model="reference", finish="stop", constrained=True)

    def decide(self, request: Request) -> dict[str, Any]:
        """The answer as data."""
        data: dict[str, Any] = {}
        wanted = request.schema["properties"]
        if "moves" in wanted:
            data["moves"] = list(_moves(request))
        if "votes" in wanted:
            data["votes"] = {issue: _vote(request, issue) for issue in request.legal.votes}
        if "citations" in wanted:
            behind = [m["because"] for m in data.get("moves", []) if m.get("because")]
            data["citations"] = list(dict.fromkeys(behind))[:4]
        if "note" in wanted:
            data["note"] = ""
        if "statement" in wanted:
            data["statement"] = "We refer to our position on record."
        return data


def aspiration(request: Request, issue: Issue) -> float:
    """The least this delegation settles for on the issue now, in firmness points."""
    best = max(request.mandate.points[key] for key in issue.keys)
    rounds = request.rules.rounds
    return max(best, 0) * (1 - request.round / rounds) if rounds else 0.0


def _moves(request: Request) -> Iterator[dict[str, Any]]:
    for issue in request.item.issues:
        state = request.state.issues[issue.id]
        if not state.settled and request.mandate.bearing_on(issue.id):
            yield from _moves_on(request, issue, state)


def _moves_on(request: Request, issue: Issue, state: IssueState) -> Iterator[dict[str, Any]]:
    mandate, legal = request.mandate, request.legal
    target = aspiration(request, issue)
    last = request.round >= request.rules.rounds
    accepted = False
    offers = sorted(
        (o for o in state.open_offers if o.party != request.seat),
        key=lambda o: (-mandate.points[o.key], o.option),
    )
    for offer in offers:
        points = mandate.points[offer.key]
        good = mandate.acceptable(offer.key) and points >= target
        if good and points > 0:
            accepted = True
            if offer.id in legal.answer.get("accept", ()):
                yield _move(request, "accept", offer.key, offer=offer.id)
        elif good and last and offer.id in legal.answer.get("reserve", ()):
            yield _move(request, "reserve", offer.key, offer=offer.id)
        elif not mandate.acceptable(offer.key) and offer.id in legal.answer.get("reject", ()):
            yield _move(request, "reject", offer.key, offer=offer.id)
    if not accepted or (last and len(request.state.parties) > 2):
        yield from _own_offers(request, issue, state, target, last)


def _own_offers(
    request: Request, issue: Issue, state: IssueState, target: float, last: bool
) -> Iterator[dict[str, Any]]:
    """The next step down from one's own offer; in the last round, all the remaining steps."""
    mandate = request.mandate
    declared = {o for (p, o), s in state.stands.items() if p == request.seat and s != "reject"}
    if last:
        declared |= {o.option for o in state.open_offers if o.party != request.seat}
    steps = [
        key
        for key in issue.keys
        if mandate.acceptable(key)
        and mandate.points[key] >= max(target, 1)
        and key.partition("/")[2] not in declared
    ]
    steps.sort(key=lambda key: (-mandate.points[key], key))
    own = state.own_offer(request.seat)
    kind = "propose" if own is None else "concede"
    if own is not None and not last and steps and _leads_away(issue, own.key, steps[0], state):
        return
    for step in steps if last else steps[:1]:
        yield _move(request, kind, step, text=step)


def _leads_away(issue: Issue, own: str, step: str, state: IssueState) -> bool:
    """Whether a step lies farther from the others' offers than one's own offer does.

    Options stand in the setting along the spectrum between the parties.
    """
    place = {key: index for index, key in enumerate(issue.keys)}
    others = [place[offer.key] for offer in state.open_offers if offer.key != own]
    return bool(others) and min(abs(place[step] - o) for o in others) > min(
        abs(place[own] - o) for o in others
    )


def _move(request: Request, kind: str, key: str, **where: str) -> dict[str, Any]:
    move: dict[str, Any] = {"move": kind, **where}
    if kind == "concede":
        move["in_return_for"] = None
    if request.legal.citable:
        move["because"] = _behind(request, key, against=kind == "reject")
    return move


def _behind(request: Request, key: str, *, against: bool) -> str | None:
    """The position behind a stance: for or against the text, else the firmest on the issue.

    A text is also turned down for what the record says on the issue where it does not speak of the
    text itself; nothing is given as the reason for taking such a text.
    """
    mandate = request.mandate
    positions = mandate.against(key) if against else mandate.backing(key)
    if against and not positions:
        bearing = mandate.bearing_on(key.partition("/")[0])
        positions = tuple(sorted(bearing, key=lambda p: (-p.firmness, p.id)))
    citable = request.legal.citable
    return next((p.id for p in positions if p.id in citable), None)


def _vote(request: Request, issue: str) -> dict[str, Any]:
    state = request.state.issues[issue]
    assert state.tabled is not None
    key = f"{issue}/{state.tabled.option}"
    choices = request.legal.votes[issue]
    vote = _stance(request, issue, key)
    if vote not in choices:  # silence procedure: whoever does not break silence keeps it
        vote = "reject" if vote == "reject" else "abstain"
    answer: dict[str, Any] = {"vote": vote}
    if request.legal.citable:
        answer["because"] = _behind(request, key, against=vote == "reject")
    return answer


def _stance(request: Request, issue: str, key: str) -> str:
    mandate = request.mandate
    if not mandate.bearing_on(issue):
        return "abstain"
    if not mandate.acceptable(key):
        return "reject"
    return "accept" if mandate.points[key] > 0 else "reserve"
