"""The app on a free port of this machine, in a thread, for as long as a test takes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import uvicorn

from harness.viewer.app.build import ROOMS, Room, build
from harness.viewer.app.desk import Desk

AppOver = Callable[..., str]
"""(folder, rooms=) -> the address, which ends in no slash."""


class _InThread(uvicorn.Server):
    """Leaves signals to whoever runs the tests."""

    def install_signal_handlers(self) -> None:
        return


@pytest.fixture
def app_over() -> Iterator[AppOver]:
    running: list[tuple[_InThread, threading.Thread]] = []

    def serve(folder: Path, rooms: Sequence[Room] = ROOMS) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        server = _InThread(
            uvicorn.Config(
                build(Desk(folder), rooms), log_level="warning", timeout_graceful_shutdown=1
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        running.append((server, thread))
        until = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not come up"
            assert time.monotonic() < until, "the server took too long to come up"
            time.sleep(0.02)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
