"""A debate as it happens: server-sent events, read from its file as it grows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.routing import Route

from harness.errors import TranscriptError
from harness.viewer.app.bar import bar
from harness.viewer.app.desk import Desk
from harness.viewer.app.rendering import Renderings
from harness.viewer.app.standing import public_only, standing
from harness.viewer.following import Tail

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from harness.events import Event

PAUSE = 0.3
"""Seconds between two looks at a file."""

SHARE = 2.0
"""So many times as long as it takes to render the page nobody renders it again."""

ALIVE = 15.0
"""Seconds of silence after which the connection shows that it is there."""


def routes(desk: Desk, renderings: Renderings) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def events(request: Request) -> Response:
        name = request.path_params["name"]
        watcher = Watcher(desk, renderings, name, desk.path_of(name), _after(request))
        return StreamingResponse(watcher.happenings(), media_type="text/event-stream")

    return [Route("/events/{name:path}", events)]


def _after(request: Request) -> int:
    """The last event that is shown already.

    What the browser had when the connection was cut goes before what the page was opened with.
    """
    named = request.headers.get("last-event-id") or request.query_params.get("after", "-1")
    try:
        return int(named)
    except ValueError:
        raise HTTPException(400, f"{named!r} is no number of an event.") from None


@dataclass
class Watcher:
    """Somebody who follows a debate. Each reads the file for itself; what is rendered is shared."""

    desk: Desk
    renderings: Renderings
    name: str
    path: Path
    after: int
    """Number of the last event that the watcher has."""
    _sections: dict[str, bytes] = field(default_factory=dict)
    """Fingerprints of the sections as the watcher has them."""
    _last: Event | None = None
    _again: float = 0.0
    """Not before this moment the page is rendered again, on the loop's clock."""

    async def happenings(self) -> AsyncIterator[str]:
        """What happens, until the debate does not go on."""
        yield "retry: 1000\n\n"
        tail, silent, had = Tail(self.path), 0.0, self.after
        while True:
            # Asked before the file is read: what was written until then is in it.
            goes_on = standing(self.desk, self.name, self.path, self._last).goes_on
            try:
                message = await self._more(tail, at_once=not goes_on)
            except TranscriptError as error:
                yield _message("over", {"why": str(error), "bar": None})
                return
            if message:
                yield message
            if tail.begun > 1 or tail.seq - 1 < had:
                yield _message("anew", {})
                return
            if not goes_on:
                yield self._over()
                return
            silent = 0.0 if message else silent + PAUSE
            if silent >= ALIVE:
                silent = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(PAUSE)

    async def _more(self, tail: Tail, *, at_once: bool) -> str:
        """What was added since, as a message; empty where nothing was, or it was told just now."""
        added = await asyncio.to_thread(tail.more)
        if added:
            self._last = added[-1]
        if tail.begun > 1 or self._last is None or self._last.seq <= self.after:
            return ""
        now = asyncio.get_running_loop().time()
        if now < self._again and not at_once:
            return ""
        shown = await self.renderings.shown(self.path, public=public_only(self.desk, self.name))
        self._again = now + (1 + SHARE) * shown.seconds
        data = {
            "entries": {e.name: e.html for e in shown.entries if e.last > self.after},
            "order": [entry.name for entry in shown.entries],
            "sections": self._changed(shown.sections),
            "said": shown.said,
        }
        self.after = max(shown.seq, self._last.seq)
        return _message("more", data, self.after)

    def _changed(self, sections: Mapping[str, str]) -> dict[str, str]:
        """The sections that this watcher was told otherwise; the conversation comes by entries."""
        marks = {name: sha256(html.encode()).digest() for name, html in sections.items()}
        before, self._sections = self._sections, marks
        changed = [name for name in sections if before.get(name) != marks[name]]
        return {name: sections[name] for name in changed if name != "conversation"}

    def _over(self) -> str:
        now = standing(self.desk, self.name, self.path, self._last)
        return _message("over", {"why": now.words, "bar": bar(self.desk, self.name, now)})


def _message(kind: str, data: Mapping[str, object], number: int | None = None) -> str:
    """One server-sent event; JSON has no line ends that could break it."""
    numbered = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{numbered}data: {json.dumps(data)}\n\n"
