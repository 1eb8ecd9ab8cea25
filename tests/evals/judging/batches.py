"""A real server with the files and batches of the OpenAI API; answers when it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


class BatchServer:
    """Keeps what is handed in; `finish` answers it."""

    def __init__(self, answer: Callable[[Json], Json]) -> None:
        """`answer` makes the completion of one request's body."""
        self.answer = answer
        self.files: dict[str, str] = {}
        self.batches: dict[str, Json] = {}
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[BatchServer]:
        """Serve until the block is left."""
        with ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) as server:
            self.url = f"http://127.0.0.1:{server.server_port}/v1"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def requests(self, batch: str) -> list[Json]:
        """What is in a batch."""
        return [
            json.loads(line)
            for line in self.files[self.batches[batch]["input_file_id"]].splitlines()
        ]

    def finish(self, status: str = "completed", *, keep: float = 1.0, failing: int = 0) -> None:
        """End every open batch; a share of the answers is there, the first few are errors."""
        for name, batch in self.batches.items():
            if batch["status"] not in ("validating", "in_progress"):
                continue
            batch["status"] = status
            if status == "failed":
                batch["errors"] = {
                    "object": "list",
                    "data": [{"code": "bad", "message": "line 1 is odd"}],
                }
                continue
            lines = self.requests(name)
            kept = lines[: int(len(lines) * keep)]
            answered = [self._line(line) for line in reversed(kept[failing:])]
            self._file(f"out-{name}", answered)
            batch["output_file_id"] = f"out-{name}"
            if failing:
                self._file(f"err-{name}", [_refused(line) for line in kept[:failing]])
                batch["error_file_id"] = f"err-{name}"

    def _line(self, request: Json) -> Json:
        response = {"status_code": 200, "request_id": "r", "body": self.answer(request["body"])}
        return {"id": "x", "custom_id": request["custom_id"], "response": response, "error": None}

    def _file(self, name: str, lines: list[Json]) -> None:
        self.files[name] = "".join(json.dumps(line) + "\n" for line in lines)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        held = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path.endswith("/files"):
                    name = f"file-{len(held.files) + 1}"
                    held.files[name] = _uploaded(body)
                    self._give(
                        {
                            "id": name,
                            "object": "file",
                            "bytes": len(body),
                            "created_at": 0,
                            "filename": "judge.jsonl",
                            "purpose": "batch",
                            "status": "processed",
                        }
                    )
                    return
                given = json.loads(body)
                name = f"batch_{len(held.batches) + 1}"
                held.batches[name] = {
                    "id": name,
                    "object": "batch",
                    "status": "validating",
                    "created_at": 0,
                    "endpoint": given["endpoint"],
                    "input_file_id": given["input_file_id"],
                    "completion_window": given["completion_window"],
                    "output_file_id": None,
                    "error_file_id": None,
                    "request_counts": {"total": 0, "completed": 0, "failed": 0},
                }
                self._give(held.batches[name])

            def do_GET(self) -> None:
                name = self.path.rstrip("/").split("/")
                if name[-1] == "content":
                    self._give(held.files[name[-2]])
                else:
                    self._give(held.batches[name[-1]])

            def _give(self, body: Json | str) -> None:
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(200)
                kind = "text/plain" if isinstance(body, str) else "application/json"
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _refused(request: Json) -> Json:
    body = {"error": {"message": "the model is not allowed", "type": "invalid_request_error"}}
    response = {"status_code": 400, "request_id": "r", "body": body}
    return {"id": "x", "custom_id": request["custom_id"], "response": response, "error": None}


def _uploaded(body: bytes) -> str:
    """The file in a multipart form."""
    text = body.decode()
    found = re.search(r'name="file".*?\r\n\r\n(.*?)\r\n--', text, re.DOTALL)
    assert found is not None
    return found.group(1)
