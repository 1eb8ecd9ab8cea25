"""A debate in the app, in a real browser: started from the form, watched, stopped, gone on with."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness import events as e
from harness.transcript import read
from tests.browser.conftest import Opens
from tests.browser.serving import AppOver, app_over  # noqa: F401 (a fixture)
from tests.sweep.holds import Provider
from tests.viewer.watching import MINE, until

KEY = "sk-never-to-be-seen-1234567890"
OVER = 30_000


class Cutting:
    """Stands between the browser and the app, and cuts every connection when told to."""

    def __init__(self, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._port, self._open, self.refuses = port, set[socket.socket](), False
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self.refuses = True
        for each in list(self._open):
            _close(each)

    def close(self) -> None:
        self.cut()
        _close(self._listening)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.refuses:
                    _close(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                to.sendall(data)
        for each in (source, to):
            self._open.discard(each)
            _close(each)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    slow = Provider(seconds=0.3)
    with slow.running():
        yield slow


@pytest.fixture
def cutting() -> Iterator[Callable[[str], Cutting]]:
    made: list[Cutting] = []

    def between(address: str) -> Cutting:
        made.append(Cutting(int(address.rpartition(":")[2])))
        return made[-1]

    yield between
    for each in made:
        each.close()


def start(page: Page, url: str, *, items: tuple[str, ...] = ("Libya",)) -> str:
    """Fill in the form as a person does, and send it; the name of the debate."""
    page.get_by_text("Other items or parties").click()
    for item in items:
        page.get_by_role("checkbox", name=item).check()
    page.get_by_label("Model of every seat").fill("openai:small")
    page.get_by_text("How models are asked").click()
    page.get_by_label("Server of hosted models").fill(url)
    page.get_by_label("Moves across its own red lines").select_option("mandate")
    page.get_by_role("button", name="Start the debate").click()
    page.wait_for_url("**/debates/**")
    return page.url.rpartition("/debates/")[2].partition("#")[0]


ENTRIES = """
[...document.querySelectorAll('#entries > .entry')]
  .map((entry) => `${entry.id} ${entry.textContent.replace(/\\s+/g, ' ')}`)
"""
SECTION = """
(name) => document.querySelector(`[data-section=${name}]`).textContent.replace(/\\s+/g, ' ')
"""


def conversation(page: Page) -> list[str]:
    """Every entry with its anchor and its words, in order."""
    found: list[str] = page.evaluate(ENTRIES)
    return found


def section(page: Page, name: str) -> str:
    """The words of a section."""
    found: str = page.evaluate(SECTION, name)
    return found


def test_a_debate_is_started_from_the_form_watched_to_its_end_and_scored(
    app_over: AppOver,  # noqa: F811
    opens: Opens,
    provider: Provider,
    tmp_path: Path,
) -> None:
    provider.seconds = 1.0
    watched = opens(app_over(tmp_path, MINE) + "/start")
    page = watched.page
    watched.accessible()
    name = start(page, provider.url)
    status = page.locator("#app-status")
    expect(status).to_contain_text("under way")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.evaluate("window.loaded = 'once'")
    shown: list[int] = []
    for turn in ("T1", "T2", "T4"):
        expect(page.locator(f"article#{turn}")).to_be_attached(timeout=OVER)
        shown.append(page.locator("article.turn").count())
    assert shown[0] < shown[-1]  # it was seen to grow
    expect(status).to_have_text("The debate is over.", timeout=OVER)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)

    assert page.evaluate("window.loaded") == "once"
    live, joint = conversation(page), section(page, "joint")
    page.reload()
    assert live == conversation(page)
    assert joint == section(page, "joint")
    until(lambda: (tmp_path / f"{name}.scores.jsonl").is_file())
    transcript = read(tmp_path / f"{name}.jsonl")
    assert transcript.finished
    assert len(provider.bodies) == len(transcript.calls)
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()
    assert KEY not in page.content()


def test_a_connection_that_is_cut_is_taken_up_again_without_loss_or_repetition(
    app_over: AppOver,  # noqa: F811
    opens: Opens,
    provider: Provider,
    cutting: Callable[[str], Cutting],
    tmp_path: Path,
) -> None:
    provider.seconds = 1.0
    between = cutting(app_over(tmp_path, MINE))
    watched = opens(between.address + "/start", checked=False)
    page = watched.page
    name = start(page, provider.url, items=("Libya", "Syria"))
    expect(page.locator("article#T2")).to_be_attached(timeout=OVER)
    page.evaluate("window.loaded = 'once'")
    between.cut()
    expect(page.locator("#app-status")).to_contain_text("The connection was cut")
    provider.seconds = 0.1
    had = page.locator("article.turn").count()
    path = tmp_path / f"{name}.jsonl"
    until(lambda: read(path).state.turns > had + 2)
    between.refuses = False
    expect(page.locator("#app-status")).to_have_text("The debate is over.", timeout=OVER)

    assert page.evaluate("window.loaded") == "once"
    live = conversation(page)
    assert len(live) == len({each.partition(" ")[0] for each in live})
    page.reload()
    assert live == conversation(page)
    assert read(path).finished
    assert all("net::ERR" in each or "Failed to load" in each for each in watched.errors)


def test_a_debate_is_stopped_cleanly_and_gone_on_with(
    app_over: AppOver,  # noqa: F811
    opens: Opens,
    provider: Provider,
    tmp_path: Path,
) -> None:
    provider.seconds = 2.0
    watched = opens(app_over(tmp_path, MINE) + "/start")
    page = watched.page
    name = start(page, provider.url)
    expect(page.locator("article#T2")).to_be_attached(timeout=OVER)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#app-status")).to_contain_text("was stopped before its end")
    provider.seconds = 0.0
    path = tmp_path / f"{name}.jsonl"
    stopped = read(path)
    assert not stopped.finished
    assert stopped.torn == 0
    asked = len(provider.bodies)

    page.get_by_role("link", name="Go on").click()
    watched.accessible()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#app-status")).to_have_text("The debate is over.", timeout=OVER)
    whole = read(path)
    assert whole.events[: len(stopped.events)] == stopped.events
    assert sum(isinstance(each, e.Resumed) for each in whole.events) == 1
    # At most the call that was under way when it was stopped was asked for twice.
    assert len(provider.bodies) - len(whole.calls) <= 1
    assert len(provider.bodies) > asked


def test_what_has_to_be_mended_stands_beside_the_form_with_what_was_typed(
    app_over: AppOver,  # noqa: F811
    opens: Opens,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    watched = opens(app_over(tmp_path, MINE) + "/start", checked=False)
    page = watched.page
    page.get_by_label("Model of every seat").fill("openai:small")
    page.get_by_label("Seed").fill("seven")
    page.get_by_role("button", name="Start the debate").click()
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("set OPENAI_API_KEY")
    expect(trouble).to_be_focused()
    expect(page.get_by_label("Model of every seat")).to_have_value("openai:small")
    expect(page.get_by_label("Seed")).to_have_value("seven")
    expect(page.get_by_label("Seed")).to_have_attribute("aria-invalid", "true")
    watched.accessible()
    trouble.get_by_role("link", name="no whole number").click()
    expect(page.get_by_label("Seed")).to_be_focused()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_a_debate_is_forked_from_a_turn_with_an_edited_statement_and_again_from_the_fork(
    app_over: AppOver,  # noqa: F811
    opens: Opens,
    tmp_path: Path,
    width: int,
    dark: bool,
) -> None:
    data = Path("transcripts/examples/reference-eight-of-twelve.jsonl").read_bytes()
    (tmp_path / "talks.jsonl").write_bytes(data)
    address = app_over(tmp_path, MINE)
    watched = opens(f"{address}/debates/talks#T4", width=width, dark=dark)
    page = watched.page
    page.get_by_role("link", name="Fork from T4").click()
    watched.accessible()
    statement = page.get_by_label("Statement")
    assert "Dialogue with the 1985 principle" in statement.input_value()
    statement.fill("We have nothing to say to that.")
    page.get_by_label("Debates a side").fill("2")
    page.get_by_role("button", name="Let it go on").click()
    page.wait_for_url("**/tree/talks")
    expect(page.locator("#status")).to_have_text("5 debates.", timeout=OVER)
    expect(page.locator("#tree")).to_contain_text("We have nothing to say to that.")
    expect(page.locator("#tree")).to_contain_text("nothing changed")
    watched.accessible()
    names = sorted(path.stem for path in (tmp_path / "forks").glob("talks.T4.*.jsonl"))
    changed = next(each for each in names if ".changed." in each and ".scores" not in each)
    said = [x.text for x in read(tmp_path / "forks" / f"{changed}.jsonl").events
            if isinstance(x, e.Statement) and x.turn == "T4"]  # fmt: skip
    assert said == ["We have nothing to say to that."]

    page.get_by_role("link", name=f"Fork this one, {changed}").click()
    page.get_by_label("The turn").select_option("T6")
    page.get_by_role("button", name="Show its statement").click()
    page.get_by_role("checkbox", name="the United States").check()
    page.get_by_role("button", name="Let it go on").click()
    page.wait_for_url("**/tree/forks/talks*")
    expect(page.locator("#status")).to_have_text("7 debates.", timeout=OVER)
    nested = page.locator("#tree > ul > li > ul > li > ul > li > ul > li > ul > li")
    expect(nested.first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.accessible()
