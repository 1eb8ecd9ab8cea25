"""Comparing two to four debates of the folder: what is asked for, and the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from anyio import to_thread
from starlette.responses import RedirectResponse
from starlette.routing import Route

from harness.errors import UserError
from harness.viewer.app.comparing_choice import choice
from harness.viewer.app.comparing_page import Page, Read, page, read_for
from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import show
from harness.viewer.app.standing import standing
from harness.viewer.comparing.comparison import AT_LEAST, AT_MOST
from harness.viewer.comparing.naming import LETTERS

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from harness.viewer.app.standing import Standing


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def compare(request: Request) -> Response:
        query = request.query_params
        names = tuple(dict.fromkeys(name for name in query.getlist("d") if name))
        if any(not value for value in query.values()) or not all(query.getlist("d")):
            return RedirectResponse(_address(names, query), 303)  # a form sends empty fields too
        if len(names) < AT_LEAST:
            return await _choose(desk, names)
        base = _base(query.get("base", LETTERS[0]), names)
        return await _compared(desk, names, base, different=query.get("show") == "different")

    return [Route("/compare", compare)]


def _address(names: Sequence[str], query: QueryParams) -> str:
    kept = [("d", name) for name in names]
    kept += [(key, query[key]) for key in ("base", "show") if query.get(key)]
    return f"/compare?{urlencode(kept)}" if kept else "/compare"


def _base(letter: str, names: Sequence[str]) -> int:
    if len(names) > AT_MOST:
        raise UserError(
            f"{len(names)} debates are too many to compare; choose {AT_LEAST} to {AT_MOST}."
        )
    known = LETTERS[: len(names)]
    if letter not in tuple(known):
        raise UserError(f"There is no debate {letter!r} here; the base is one of {known}.")
    return known.index(letter)


async def _choose(desk: Desk, names: Sequence[str]) -> Response:
    for name in names:
        desk.path_of(name)
    held = tuple(desk.under_way)
    offered = await to_thread.run_sync(lambda: choice(desk.folder, names, held))
    return show("compare_choose", title="Compare debates", choice=offered, letters=LETTERS)


async def _compared(desk: Desk, names: Sequence[str], base: int, *, different: bool) -> Response:
    paths = [desk.path_of(name) for name in names]
    read: Sequence[Read] = await to_thread.run_sync(lambda: read_for(names, paths))
    now: list[Standing] = [
        standing(desk, each.name, each.path, each.transcript.events[-1]) for each in read
    ]

    def shown() -> Response:
        return _show(page(read, now, base, different))

    return await to_thread.run_sync(shown)


def _show(made: Page) -> Response:
    return show(
        "compare", title="Comparing debates", page=made, columns=made.columns,
        comparison=made.comparison,
    )  # fmt: skip
