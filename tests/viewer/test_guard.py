"""The app answers its own pages on this machine, and nobody else."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from harness.errors import UserError
from harness.viewer.app import build as built
from harness.viewer.app import shelf
from harness.viewer.app.desk import Desk
from harness.viewer.app.guard import POLICY

HOME = "http://127.0.0.1:7210"


class Switch:
    """A room in which something can be changed."""

    def __init__(self) -> None:
        self.on = False

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        async def turn(_: Request) -> Response:
            self.on = True
            return PlainTextResponse("on")

        async def fetch(request: Request) -> Response:
            return PlainTextResponse(desk.path_of(request.path_params["name"]).read_text())

        return [
            Route("/switch", turn, methods=["POST"]),
            Route("/raw/{name:path}", fetch),
        ]


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
def client(tmp_path: Path, switch: Switch) -> TestClient:
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "mine.jsonl").write_text("mine")
    (tmp_path / "outside.jsonl").write_text("not mine")
    app = built.build(Desk(tmp_path / "talks"), rooms=[shelf, switch])
    return TestClient(app, base_url=HOME)


def test_its_own_pages_may_read_and_change(client: TestClient, switch: Switch) -> None:
    assert client.get("/").status_code == 200
    sent = client.post("/switch", headers={"origin": HOME, "sec-fetch-site": "same-origin"})
    assert (sent.status_code, switch.on) == (200, True)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example:7210",
     "192.168.0.7", "[::2]", "", "localhost.", "[", "0.0.0.0"],
)  # fmt: skip
def test_another_name_for_this_machine_is_refused(client: TestClient, host: str) -> None:
    refused = client.get("/", headers={"host": host})
    assert refused.status_code == 403
    assert "127.0.0.1" in refused.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:7210", "[::1]:80", "LOCALHOST"])
def test_this_machines_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:7210"},
        {"origin": HOME, "sec-fetch-site": "cross-site"},
        {"origin": HOME, "sec-fetch-site": "same-site"},
    ],
)
def test_no_other_page_may_change_anything(
    client: TestClient, switch: Switch, headers: dict[str, str]
) -> None:
    assert client.post("/switch", headers=headers).status_code == 403
    assert not switch.on


def test_other_sites_may_link_but_not_read(client: TestClient) -> None:
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=linked).status_code == 200
    read = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/", headers=read).status_code == 403


@pytest.mark.parametrize("path", ["/", "/nothing-here", "/static/frame.css", "/raw/absent"])
def test_every_answer_carries_the_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "unsafe" not in POLICY
    assert "*" not in POLICY


def test_a_refusal_carries_the_policy_too(client: TestClient) -> None:
    assert "default-src 'none'" in client.get("/", headers={"host": "x"}).headers[
        "content-security-policy"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["../outside", "..%2Foutside", quote("/etc/passwd"), "mine.jsonl/../../outside", "."]
)
def test_no_name_leads_out_of_the_folder(client: TestClient, name: str) -> None:
    refused = client.get(f"/raw/{name}")
    assert refused.status_code in (400, 404)
    assert "not mine" not in refused.text


def test_a_name_within_the_folder_is_found(client: TestClient) -> None:
    assert client.get("/raw/mine").text == "mine"


def test_a_link_out_of_the_folder_is_not_followed(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "talks" / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    assert "not mine" not in client.get("/raw/link").text


def test_what_the_user_can_mend_is_said_as_text(client: TestClient) -> None:
    said = client.get("/raw/" + quote("<script>alert(1)</script>"))
    assert said.status_code == 400
    assert "&lt;script&gt;" in said.text
    assert "<script>" not in said.text


@pytest.fixture
def running(tmp_path: Path) -> Iterator[str]:
    """The address of a real `tracktwo view`."""
    command = [sys.executable, "-m", "harness", "view", str(tmp_path), "--port", "0"]
    with subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, said
        yield found[0]
        process.terminate()


def test_the_command_serves_on_loopback(running: str) -> None:
    with urllib.request.urlopen(running, timeout=30) as answer:
        assert "<h1>Debates</h1>" in answer.read().decode()
    stranger = urllib.request.Request(running, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(stranger, timeout=30)
    assert refused.value.code == 403
    refused.value.close()


def test_a_port_that_is_taken_is_said_in_a_sentence(running: str, tmp_path: Path) -> None:
    from harness.viewer.app.serving import serve

    port = int(running.rstrip("/").rpartition(":")[2])
    with pytest.raises(UserError, match=f"Port {port} .* --port"):
        serve(tmp_path, port, browser=False)
