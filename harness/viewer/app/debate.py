"""The page of a debate in the app: the same as in a file, below a bar, and live while it runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route

from harness.errors import UserError
from harness.viewer.app import live
from harness.viewer.app.bar import bar
from harness.viewer.app.desk import Desk
from harness.viewer.app.rendering import Renderings
from harness.viewer.app.standing import public_only, standing
from harness.viewer.page.page import policy

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

_BODY = re.compile(r"<body[^>]*>")
_FRAMED = "; frame-ancestors 'none'"


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""
    renderings = Renderings()

    async def debate(request: Request) -> Response:
        name = request.path_params["name"]
        path = desk.path_of(name)
        # Asked before the page is made: what goes on meanwhile comes with the events.
        now = standing(desk, name, path)
        found = await renderings.page(path, public=public_only(desk, name))
        if not now.goes_on:
            now = standing(desk, name, path, found.last)
        html = _with_bar(found.html, bar(desk, name, now), name, found.seq, live=now.goes_on)
        return HTMLResponse(html, headers=_policy())

    async def page(request: Request) -> Response:
        name = request.path_params["name"]
        found = await renderings.page(desk.path_of(name), public=True)
        return HTMLResponse(found.html, headers=_policy())

    async def transcript(request: Request) -> Response:
        name = request.path_params["name"]
        if public_only(desk, name):
            raise UserError("A person sits at this table: the transcript can be had at the end.")
        return FileResponse(desk.path_of(name), media_type="application/jsonl")

    return [
        Route("/debates/{name:path}", debate),
        Route("/pages/{name:path}", page),
        Route("/transcripts/{name:path}", transcript),
        *live.routes(desk, renderings),
    ]


def _policy() -> dict[str, str]:
    return {"content-security-policy": policy(served=True) + _FRAMED}


def _with_bar(html: str, over: str, name: str, seq: int, *, live: bool) -> str:
    """The page below the bar, with the script that keeps it up to date."""
    from markupsafe import escape

    follows = f' data-name="{escape(name)}" data-after="{seq}" data-live' if live else ""
    head = (
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/debate.css">'
        f'<script src="/static/debate.js" defer{follows} id="app-script"></script></head>'
    )
    # Of texts that a transcript brings nothing is a tag, so the first ones found are the page's.
    html = html.replace("</head>", head, 1)
    return _BODY.sub(lambda found: found[0] + over, html, count=1)
