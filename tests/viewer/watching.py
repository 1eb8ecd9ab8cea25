"""Watching a debate as a browser does: server-sent events over a real connection."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from harness.viewer.app import debate, forking, shelf, starting

MINE = (shelf, starting, debate, forking)
"""The rooms in which debates are started, watched and forked."""

HOME = "http://127.0.0.1"
FROM_HOME = {"origin": HOME}


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    kind: str
    number: str | None
    data: dict[str, Any]


class Watching:
    """One connection to the events of a debate."""

    def __init__(
        self, address: str, name: str, *, after: int | None = None, last_id: str | None = None
    ) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        query = "" if after is None else f"?after={after}"
        headers = {} if last_id is None else {"last-event-id": last_id}
        self._connection.request("GET", f"/events/{quote(name)}{query}", headers=headers)
        self.answer = self._connection.getresponse()

    def told(self) -> Iterator[Told]:
        """What is told, until the other side ends it."""
        try:
            yield from self._told()
        finally:
            self.cut()

    def _told(self) -> Iterator[Told]:
        fields: dict[str, str] = {}
        for line in self.answer:
            text = line.decode().rstrip("\n")
            if not text:
                if "data" in fields:
                    data = json.loads(fields["data"])
                    yield Told(fields["event"], fields.get("id"), data)
                fields = {}
            elif not text.startswith(":"):
                name, _, value = text.partition(": ")
                fields[name] = value

    def cut(self) -> None:
        """Go away in the middle."""
        self._connection.close()
        self.answer.close()


def messages(text: str) -> list[Told]:
    """The server-sent events of a whole answer."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "data" in fields:
            found.append(Told(fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
