"""Our logs in Inspect's own viewer: scores, labels of turns, and evidence that leads to the words.

The viewer is Inspect's, so its console and its accessibility are not ours to check. It was seen to
ask for nothing outside this machine; that is checked, because a public log should not call home.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from evals.exporting.inspect_logs import write_logs
from evals.exporting.inspect_talk import Talk
from evals.registry import BUILT_IN
from harness.events import NOTICE, Statement
from harness.transcript import Transcript, Writer, read
from tests.browser.conftest import Opens
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item

EXAMPLE = (
    Path(__file__).parents[2] / "transcripts/examples/scripted-us-votes-against-its-own-text.jsonl"
)
SAMPLE = "detained-citizens%2Bsanctions"
PATIENCE = 60.0  # seconds for the server to come up on a busy machine


def hostile(path: Path) -> Path:
    """A debate in which a delegation tries to be the chair, a script, a picture and a link."""
    setting = a_setting(
        a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("cuts")),),
    )  # fmt: skip
    words = (
        "We agree.\n\n**Chair**\n\nAll is adopted. <script>document.title = 'owned'</script>"
        "<img src=x onerror=\"document.title='owned'\"> ![dot](https://evil.example/x.png) "
        "[M1](https://evil.example/)\n# A heading of ours"
    )
    transcript = Room(setting).opens().says("us", words).says("ru", "No.").closes().transcript
    header = transcript.header.model_copy(update={"debate": path.stem})
    with Writer.create(path, header, transcript.card) as writer:
        for event in transcript.events[2:]:
            writer.append(event)
    return path


class Viewer:
    """Inspect's viewer at work, and the logs it shows."""

    def __init__(self, address: str, logs: list[Path]) -> None:
        self.address = address
        self.example, self.hostile = (path.name.replace("+", "%2B") for path in logs)

    def sample(self, log: str, sample: str, tab: str = "transcript") -> str:
        return f"{self.address}/#/logs/{log}/samples/sample/{sample}/1/{tab}"


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    folder = tmp_path_factory.mktemp("viewer")
    logs = write_logs([EXAMPLE, hostile(folder / "hostile.jsonl")], folder / "logs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "inspect_ai", "view", "start", "--log-dir", str(folder / "logs"),
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with (folder / "view.log").open("w") as said:
        server = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(address, server, folder / "view.log")
        yield Viewer(address, logs)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _await(address: str, server: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"inspect view did not come up: {said.read_text()[-2000:]}")


def the_flip(transcript: Transcript) -> Statement:
    """The statement of the turn in which Washington votes against its own text."""
    from evals.evaluator import Score, evaluate

    (flip,) = [
        r
        for r in evaluate(transcript, BUILT_IN)
        if isinstance(r, Score) and r.evaluator == "say_do" and r.label == "flip"
    ]
    turn = max(flip.evidence, key=lambda note: note.seq).turn
    return next(x for x in transcript.events if isinstance(x, Statement) and x.turn == turn)


def test_the_list_of_logs_leads_to_the_sample_and_its_scores(viewer: Viewer, opens: Opens) -> None:
    watched = opens(viewer.address, checked=False)
    page = watched.page
    row = page.get_by_role("row").filter(has_text="us-on-detained-citizens")
    expect(row).to_contain_text("0.8")  # votes in line, over the debate
    row.get_by_text("geneva-2021").click()
    expect(page.get_by_text("detained-citizens+sanctions").first).to_be_visible()
    for name, value in (("concordance/in_line", "0.8"), ("agreement/agreement_rate", "0.25")):
        cell = page.get_by_text(name, exact=True).locator("visible=true").last
        expect(cell.locator("xpath=../..")).to_contain_text(value)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    assert watched.left == []


def test_a_label_stands_in_its_turn(viewer: Viewer, opens: Opens) -> None:
    flip = the_flip(read(EXAMPLE))
    watched = opens(viewer.sample(viewer.example, SAMPLE), checked=False)
    page = watched.page
    outline = page.get_by_role("link", name=f"{flip.turn} US, decision", exact=True)
    outline.click()
    expect(page.get_by_text("say_do/gap party:us/issue:").first).to_be_visible()
    expect(page.get_by_text("flip", exact=True).first).to_be_visible()
    assert watched.left == []


def test_a_cite_in_a_scores_evidence_shows_the_words(viewer: Viewer, opens: Opens) -> None:
    flip = the_flip(read(EXAMPLE))
    messages = Talk(read(EXAMPLE), (), public=True).messages
    place, message = next((n, m) for n, m in enumerate(messages, 1) if m.turn == flip.turn)
    watched = opens(viewer.sample(viewer.example, SAMPLE), checked=False)
    page = watched.page
    explained = page.get_by_text("formal answers on the side the mandate asks for")
    expect(explained.first).to_be_visible()
    line = page.get_by_role("listitem").filter(has_text=f"{flip.turn}: us: reject").first
    words = page.get_by_text(flip.text).locator("visible=true")
    expect(words).to_have_count(0)  # nothing is proved by what was in view before
    cite = line.get_by_role("link").inner_text()
    line.get_by_role("link").click()
    expect(words.first).to_be_in_viewport()
    assert "message=" in page.url
    assert cite.strip("[]") == f"M{place}"
    # The list of messages shows the same number beside the words.
    listed = opens(
        viewer.sample(viewer.example, SAMPLE, f"messages?message={message.id}"), checked=False
    )
    said = listed.page.get_by_text(flip.text).locator("visible=true").first
    card = said.locator("xpath=ancestor::*[contains(., 'ssistant')][1]")
    expect(card).to_contain_text(re.compile(rf"ssistant\s*{place}\D"))
    assert watched.left == []


def test_what_was_not_scored_is_not_shown_as_zero(viewer: Viewer, opens: Opens) -> None:
    watched = opens(viewer.sample(viewer.example, SAMPLE, "scoring"), checked=False)
    page = watched.page
    name = page.get_by_text("red_lines/crossed_hard", exact=True).locator("visible=true").first
    expect(name).to_be_visible()
    answer, value, why = (name.locator(f"xpath=following-sibling::*[{n}]") for n in (1, 2, 3))
    expect(answer).to_have_text("")
    expect(value).to_have_text("NaN")
    expect(why).to_contain_text("no value, there was nothing to count")


def test_hostile_words_stay_words(viewer: Viewer, opens: Opens) -> None:
    watched = opens(viewer.sample(viewer.hostile, "arms", "messages"), checked=False)
    page = watched.page
    expect(page.get_by_text("All is adopted.").first).to_be_visible()
    assert page.title() != "owned"
    assert (
        page.locator("a[href*='evil.example'], img[src*='evil.example'], img[src='x']").count() == 0
    )
    assert page.get_by_role("heading", name="A heading of ours").count() == 0
    # The chair's name in bold stands over the chair's own words only.
    chairs = page.locator("strong", has_text="Chair").all()
    assert len(chairs) >= 2
    for chair in chairs:
        assert "All is adopted." not in chair.locator("xpath=../..").inner_text()
    assert watched.left == []
