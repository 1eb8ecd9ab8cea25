"""Starting a debate from a form, stopping it, and going on with one that was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from harness.errors import UserError
from harness.transcript import read
from harness.viewer.app import starting_form
from harness.viewer.app.desk import Desk, UnderWay
from harness.viewer.app.filled import WHOLE_FORM, Filled, budget_of, filled, prices_of
from harness.viewer.app.frame import show

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from harness.session import Sitting

PATIENCE = 30.0
"""Seconds a debate may take to open its models before its page is shown without it."""


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def start(request: Request) -> Response:
        asked = {name: (value,) for name, value in request.query_params.items()}
        typed = Filled({**starting_form.BEFORE, **asked})
        return await _form(desk, typed)

    async def started(request: Request) -> Response:
        typed = await filled(request)
        sitting = await asyncio.to_thread(starting_form.sitting_of, typed, desk)
        if sitting is None or typed.errors:
            return await _form(desk, typed)
        why = await held(desk, sitting, scored=bool(typed.chosen("score")))
        if why:
            typed.errors[WHOLE_FORM] = why
            return await _form(desk, typed)
        return to_debate(desk.name_of(sitting.path))

    async def stop(request: Request) -> Response:
        name = request.path_params["name"]
        desk.path_of(name)
        await desk.stop(name)
        return to_debate(name)

    async def resume(request: Request) -> Response:
        return await _to_go_on(desk, request.path_params["name"], Filled({"score": ("yes",)}))

    async def resumed(request: Request) -> Response:
        name, typed = request.path_params["name"], await filled(request)
        sitting = await asyncio.to_thread(_taken_up, desk.path_of(name), typed, desk)
        if typed.errors or sitting is None:
            return await _to_go_on(desk, name, typed)
        why = await held(desk, sitting, scored=bool(typed.chosen("score")))
        if why:
            typed.errors[WHOLE_FORM] = why
            return await _to_go_on(desk, name, typed)
        return to_debate(name)

    return [
        Route("/start", start),
        Route("/start", started, methods=["POST"]),
        Route("/stop/{name:path}", stop, methods=["POST"]),
        Route("/resume/{name:path}", resume),
        Route("/resume/{name:path}", resumed, methods=["POST"]),
    ]


async def held(desk: Desk, sitting: Sitting, *, scored: bool) -> str:
    """Begin to hold a debate, and wait until it has really begun; why not, where it has not."""
    before = _size(sitting.path)
    try:
        under_way = desk.hold(sitting, score if scored else None)
    except UserError as error:
        return str(error)
    return await _first_sign(under_way, before)


async def _first_sign(under_way: UnderWay, before: int) -> str:
    until = asyncio.get_running_loop().time() + PATIENCE
    task = under_way.task
    while _size(under_way.path) == before and not task.done():
        if asyncio.get_running_loop().time() > until:
            return ""  # models may take their time; the page says whether it goes on
        await asyncio.sleep(0.02)
    if not task.done() or task.cancelled() or (error := task.exception()) is None:
        return ""
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def score(path: Path) -> None:
    """Score a debate by code, and write the scores beside it."""
    from evals import scores
    from evals.evaluator import evaluate
    from evals.registry import BUILT_IN

    scores.write(path, BUILT_IN, evaluate(read(path), BUILT_IN))


def to_debate(name: str) -> Response:
    """To the page of a debate."""
    return RedirectResponse(f"/debates/{quote(name)}", 303)


async def _form(desk: Desk, typed: Filled) -> Response:
    offered = await asyncio.to_thread(starting_form.offered, typed, desk)
    status = 422 if typed.errors else 200
    return show("start", status=status, title="Start a debate", filled=typed, offered=offered)


async def _to_go_on(desk: Desk, name: str, typed: Filled) -> Response:
    path = desk.path_of(name)
    transcript = await asyncio.to_thread(read, path)
    if transcript.finished:
        raise UserError(f"{name} is finished; there is nothing to go on with. Fork it instead.")
    return show(
        "start_again", status=422 if typed.errors else 200, title="Go on with a debate",
        filled=typed, name=name, transcript=transcript, running=name in desk.under_way,
        broken=desk.broken.get(name, ""),
    )  # fmt: skip


def _taken_up(path: Path, typed: Filled, desk: Desk) -> Sitting | None:
    from harness.seating import Means
    from harness.session import require_prices, taken_up

    means = Means(budget_of(typed), prices_of(typed, desk), desk.env)
    sitting = typed.attempt(WHOLE_FORM, lambda: taken_up(path, means))
    if sitting is not None and typed.text("max_cost"):
        typed.attempt("max_cost", lambda: require_prices(sitting))
    return sitting
