"""Letting a debate go on otherwise, from any of its turns; and the tree of what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from harness import events as e
from harness.errors import TranscriptError, UserError
from harness.events import CHAIR
from harness.fork import Changes, check_files, hold, plan_fork, seeds_from
from harness.fork.holding import missing
from harness.fork.point import Turn, turns
from harness.models import registry
from harness.transcript import Transcript, read
from harness.viewer.app import family
from harness.viewer.app.desk import Desk
from harness.viewer.app.filled import (
    WHOLE_FORM,
    Filled,
    budget_of,
    filled,
    model_of,
    prices_of,
    ready_models,
)
from harness.viewer.app.frame import show
from harness.viewer.app.standing import public_only
from harness.viewer.app.starting import score
from harness.viewer.app.starting_form import prompts

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from harness.fork.branches import Plan
    from harness.fork.holding import News, Terms

MOST = 20
"""Debates a side that the app holds at once; `tracktwo fork` holds any number."""


class Moment(NamedTuple):
    """A turn at which the record can be left."""

    handle: str
    name: str
    """Whose turn it is."""
    where: str
    gist: str
    """How the statement begins."""


@dataclass(frozen=True)
class Offered:
    """What can be changed."""

    transcript: Transcript
    moments: tuple[Moment, ...]
    speaker: str
    """Whose turn is chosen."""
    recorded: str
    """What was said in it; empty where nothing was."""
    prompts: tuple[str, ...]
    models: tuple[str, ...]


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def fork(request: Request) -> Response:
        name, at = request.path_params["name"], request.query_params.get("at", "")
        _nobody_sits(desk, name)
        return await _form(desk, name, Filled({"at": (at,), "runs": ("1",)}), fresh=True)

    async def forked(request: Request) -> Response:
        name, typed = request.path_params["name"], await filled(request)
        path = desk.path_of(name)
        _nobody_sits(desk, name)
        if typed.chosen("choose"):
            # Another turn was chosen: its statement is shown, and nothing is held yet.
            return await _form(desk, name, typed, fresh=True)
        plan = await asyncio.to_thread(_plan, desk, path, typed)
        if plan is None or typed.errors:
            return await _form(desk, name, typed)
        begin(desk, plan, _terms(desk, typed))
        return RedirectResponse(f"/tree/{quote(name)}", 303)

    async def tree(request: Request) -> Response:
        name = request.path_params["name"]
        found = await asyncio.to_thread(family.tree, desk, name)
        return show("tree", title="Branches", tree=found, here=name)

    return [
        Route("/fork/{name:path}", fork),
        Route("/fork/{name:path}", forked, methods=["POST"]),
        Route("/tree/{name:path}", tree),
    ]


def _nobody_sits(desk: Desk, name: str) -> None:
    """Private statements are to be chosen from and edited here, and a player is not to read them.

    Raises:
        UserError: a person sits at the table of this debate.
    """
    if public_only(desk, name):
        raise UserError("A person sits at this table: the debate can be forked when it is over.")


def begin(desk: Desk, plan: Plan, terms: Terms) -> None:
    """Begin to hold what is missing of a plan, in the folder's `forks`.

    Raises:
        UserError: one of its debates is under way already.
    """
    folder = _forks(desk)
    paths = [folder / f"{branch.name}.jsonl" for branch in missing(plan, folder)]
    for path in paths:
        if desk.name_of(path) in desk.under_way:
            raise UserError(f"{path.stem} is under way already.")
    desk.begin(paths, _held(desk, plan, folder, terms))


def _forks(desk: Desk) -> Path:
    """Where the debates lie that were taken from others."""
    return desk.folder / "forks"


async def _held(desk: Desk, plan: Plan, folder: Path, terms: Terms) -> None:
    ended: list[asyncio.Task[None]] = []

    async def scored(path: Path) -> None:
        await asyncio.to_thread(score, path)
        desk.ended(desk.name_of(path))

    def watch(news: News) -> None:
        path = folder / f"{news.branch.name}.jsonl"
        if news.step == "finished":
            ended.append(asyncio.create_task(scored(path)))
        elif news.step == "failed":
            desk.ended(desk.name_of(path), news.why)

    held = await hold(plan, folder, replace(terms, watch=watch))
    await asyncio.gather(*ended)
    if held.stopped:
        for branch in plan.branches:
            if branch.name not in held.finished:
                desk.ended(desk.name_of(folder / f"{branch.name}.jsonl"), held.stopped)


def _terms(desk: Desk, typed: Filled) -> Terms:
    from harness.fork.holding import Terms

    return Terms(budget_of(typed), prices_of(typed, desk), env=desk.env)


def _plan(desk: Desk, path: Path, typed: Filled) -> Plan | None:
    """The debates that were asked for; None where something has to be mended, which is noted."""
    origin = read(path)
    changes = _changes(desk, origin, typed)
    runs, seed = typed.whole("runs", 1) or 1, typed.whole("seed")
    if runs > MOST:
        typed.errors["runs"] = f"Here up to {MOST}; `tracktwo fork` holds any number."
    budget_of(typed)
    prices = prices_of(typed, desk)
    if typed.errors:
        return None
    seeds = seeds_from(origin, seed, runs)
    making = partial(plan_fork, origin, typed.text("at"), changes, seeds, desk.env)
    plan = typed.attempt(WHOLE_FORM, making)
    if plan is not None:
        typed.attempt(WHOLE_FORM, partial(_check, plan, _forks(desk)))
        if typed.text("max_cost"):
            chat = [m for m in _models(plan) if registry.parse(m).family == "chat"]
            typed.attempt("max_cost", partial(prices.require, chat))
    return plan


def _changes(desk: Desk, origin: Transcript, typed: Filled) -> Changes:
    address = typed.text("base_url")
    parties = [party.id for party in origin.setting.parties]
    models = {party: model_of(typed, f"model-{party}", desk, address) for party in parties}
    options = {
        "temperature": typed.amount("temperature"),
        "base_url": address or None,
        "timeout": typed.amount("timeout", 1),
    }
    return Changes(
        prompts={p: typed.text(f"prompt-{p}") for p in parties if typed.text(f"prompt-{p}")},
        models={party: model for party, model in models.items() if model},
        say=_said(origin, typed),
        unheard=typed.chosen("unheard"),
        options={name: value for name, value in options.items() if value is not None},
    )


def _said(origin: Transcript, typed: Filled) -> dict[str, str]:
    """The statement, where it was edited; whoever leaves it as it was changes nothing."""
    turn = _turn(origin, typed.text("at"))
    edited = typed.text("say").replace("\r\n", "\n")
    if turn is None or not edited or edited == _statement(turn).strip():
        return {}
    return {turn.party: edited}


def _check(plan: Plan, folder: Path) -> None:
    """Whether the app can hold it.

    Raises:
        UserError: a person sits at the table, or a file that sits in a seat is not found.
    """
    people = [m for m in _models(plan) if registry.parse(m).family == "human"]
    if people:
        raise UserError(
            "A person sits at this table, whom every branch would have to ask: name a model for "
            "that seat."
        )
    check_files(missing(plan, folder))


def _models(plan: Plan) -> set[str]:
    return {seat.model for branch in plan.branches for seat in branch.card.seats}


async def _form(desk: Desk, name: str, typed: Filled, *, fresh: bool = False) -> Response:
    offered = await asyncio.to_thread(_offered, desk, desk.path_of(name), typed)
    if fresh:
        typed = Filled({**typed.values, "say": (offered.recorded,), "choose": ()}, typed.errors)
    return show(
        "fork", status=422 if typed.errors else 200, title="Let it go on otherwise",
        filled=typed, offered=offered, name=name, chair=CHAIR,
    )  # fmt: skip


def _offered(desk: Desk, path: Path, typed: Filled) -> Offered:
    origin = read(path)
    known = list(turns(origin.debate))
    if not known:
        raise TranscriptError(f"{path}: no turn was taken yet, so there is nothing to leave.")
    chosen = _turn(origin, typed.text("at")) or known[0]
    typed.values = {**typed.values, "at": (chosen.handle,)}
    return Offered(
        transcript=origin,
        moments=tuple(_moment(origin, turn) for turn in known),
        speaker=chosen.party,
        recorded=_statement(chosen),
        prompts=prompts(),
        models=ready_models(desk),
    )


def _turn(origin: Transcript, at: str) -> Turn | None:
    return next((t for t in turns(origin.debate) if t.handle == at), None)


def _statement(turn: Turn) -> str:
    return next((each.text for each in turn.events if isinstance(each, e.Statement)), "")


def _moment(origin: Transcript, turn: Turn) -> Moment:
    event = next(each for each in turn.events if isinstance(each, e.TurnEvent))
    where = event.phase if event.phase != "round" else f"round {event.round}"
    text = _statement(turn)
    gist = text[:60].rpartition(" ")[0] + " …" if len(text) > 60 else text
    name = origin.setting.party(turn.party).short
    return Moment(turn.handle, name, f"{origin.setting.item(event.item).title}, {where}", gist)
