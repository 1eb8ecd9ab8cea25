"""The shelf: all debates and experiments of the folder."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import show


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def index(_: Request) -> Response:
        names = sorted(map(desk.name_of, desk.folder.rglob("*.jsonl")))
        return show("shelf", title="Debates", names=names)

    return [Route("/", index)]
