"""A real OpenAI-compatible server on the loopback address; answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

A_TURN = '{"citations": ["us-am-1"], "moves": []}'


@dataclass(frozen=True)
class Answer:
    """One answer of the server."""

    status: int = 200
    body: str | Json = ""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Whether it never comes."""
    cut: int = 0
    """Bytes of the body that are promised but not sent."""


def spoken(
    text: str | None = A_TURN, *, finish: str = "stop", refusal: str | None = None, cached: int = 64
) -> Answer:
    """A chat completion."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return Answer(
        body={
            "id": "chat-1",
            "object": "chat.completion",
            "created": 0,
            "model": "small-2026-01-01",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": usage,
        }
    )


def rejected(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    """An error in the shape all OpenAI-compatible servers use."""
    return Answer(
        status=status,
        body={"error": {"message": message, "type": "error", "param": None, "code": code}},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class ChatServer:
    """Gives the answers it was told to, in order, then ordinary ones; keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.ordinary: Callable[[Json], Answer] = lambda body: spoken()
        """What a request gets when no answer was prepared."""
        self.bodies: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._released = threading.Event()

    @contextmanager
    def running(self) -> Iterator[ChatServer]:
        """Serve until the block is left."""
        with _Quiet(("127.0.0.1", 0), self._handler()) as server:
            self.url = f"http://127.0.0.1:{server.server_port}/v1"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                self._released.set()
                server.shutdown()
                thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                chat.bodies.append(json.loads(self.rfile.read(length)))
                chat.headers.append({k.lower(): v for k, v in self.headers.items()})
                body = chat.bodies[-1]
                self._give(chat.answers.pop(0) if chat.answers else chat.ordinary(body))

            def _give(self, answer: Answer) -> None:
                if answer.hangs:
                    chat._released.wait()
                    return
                body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                self.send_response(answer.status)
                named = {"content-type": "application/json"} | answer.headers
                for name, value in named.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body.encode()) + answer.cut))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


class _Quiet(ThreadingHTTPServer):
    """Says nothing when a client goes away."""

    daemon_threads = False
    request_queue_size = 128  # of connections at once; the usual five are refused beyond that

    def handle_error(self, request: object, client_address: object) -> None:
        pass
