"""The app, put together from its rooms."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from evals.pages import HERE
from harness.errors import UserError
from harness.viewer.app import (
    comparing,
    debate,
    experiments,
    forking,
    labelling,
    seat,
    shelf,
    starting,
)
from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import STATIC, show
from harness.viewer.app.guard import Guard


class Room(Protocol):
    """One part of the app: a module with a function `routes`."""

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        """What the room answers to."""
        ...


ROOMS: tuple[Room, ...] = (
    shelf,
    experiments,
    starting,
    forking,
    comparing,
    seat,
    labelling,
    debate,
)


def build(desk: Desk, rooms: Sequence[Room] = ROOMS) -> Starlette:
    """The app over a folder of debates; when it ends, the debates it holds are stopped."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await desk.close()

    async def mendable(_: Request, error: Exception) -> Response:
        # A debate goes by its name within the folder, as everywhere in the app.
        why = str(error).replace(f"{desk.folder.resolve()}{os.sep}", "")
        return show("trouble", status=400, title="That cannot be done", why=why)

    return Starlette(
        routes=[
            *(route for room in rooms for route in room.routes(desk)),
            Route("/static/pages.css", _shared),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, hosts=desk.hosts)],
        exception_handlers={UserError: mendable, HTTPException: _refused},
        lifespan=lifespan,
    )


async def _shared(_: Request) -> Response:
    return FileResponse(HERE / "pages.css", media_type="text/css")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return show("trouble", status=error.status_code, title="Not here", why=error.detail)
