"""The page of a debate in the app, and following one that goes on."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from harness import events as e
from harness.events import Event
from harness.transcript import Transcript, Writer, read
from harness.viewer.app import build as built
from harness.viewer.app import live
from harness.viewer.app.desk import Desk
from harness.viewer.app.rendering import Renderings, Shown
from harness.viewer.app.standing import standing
from harness.viewer.page.page import fragments
from harness.viewer.reading import reading_of
from tests.browser.serving import AppOver, app_over  # noqa: F401 (a fixture)
from tests.rooms import a_party, a_position, a_room, a_setting, an_item, held, on_file
from tests.viewer.watching import HOME, MINE, Told, Watching, messages, until

EXAMPLES = Path("transcripts/examples")
EXAMPLE = EXAMPLES / "reference-eight-of-twelve.jsonl"


@pytest.fixture(scope="module")
def recorded() -> Transcript:
    return read(EXAMPLE)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(built.build(Desk(tmp_path), rooms=MINE), base_url=HOME) as client:
        yield client


class Growing:
    """A transcript that another program writes, as far as the app can tell."""

    def __init__(self, path: Path, recorded: Transcript, begun: int = 2) -> None:
        header = recorded.header.model_copy(update={"debate": path.stem})
        taken = recorded.events[2:begun]
        self.path, self._left = path, list(recorded.events[max(begun, 2) :])
        self._writer = Writer.create(path, header, recorded.card, taken)

    def goes_on(self, number: int) -> None:
        for event in self._left[:number]:
            self._writer.append(event)
        del self._left[:number]

    def ends(self) -> None:
        self.goes_on(len(self._left))
        self.stops()

    def stops(self) -> None:
        self._writer.close()


def put_together(told: list[Told]) -> dict[str, str]:
    """The entries as a browser has them in the end, in the order it was told."""
    entries: dict[str, str] = {}
    order: list[str] = []
    for each in told:
        if each.kind == "more":
            entries |= each.data["entries"]
            order = each.data["order"]
    return {name: _unnumbered(entries[name]) for name in order}


def as_on_the_page(path: Path) -> list[str]:
    return [_unnumbered(html) for _, html in fragments(reading_of(path)).entries]


def _unnumbered(html: str) -> str:
    """An item that was not taken up yet stands after the last event, whichever that is."""
    return re.sub(r' data-seq="\d+"', "", html) if "was not taken up" in html else html


def test_the_page_stands_below_a_bar_and_runs_only_its_own_script(
    client: TestClient, tmp_path: Path
) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    answer = client.get(f"/debates/{EXAMPLE.stem}")

    assert answer.status_code == 200
    (inline,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    sha = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'sha256-{sha}' 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http-equiv" not in answer.text  # a second policy would forbid the app's own script
    bar = answer.text[answer.text.index('id="app-bar"') : answer.text.index("</nav>")]
    for way in ("/fork/", "/tree/", "/compare?d=", "/transcripts/", "/pages/"):
        assert f'{way}{EXAMPLE.stem}"' in bar or f"{way}{EXAMPLE.stem}" in bar
    assert "The debate is over." in bar
    assert "data-live" not in answer.text
    assert "/stop/" not in bar


def test_a_debate_that_is_not_there_is_said_not_to_be(client: TestClient, tmp_path: Path) -> None:
    (tmp_path.parent / "outside.jsonl").write_bytes(EXAMPLE.read_bytes())
    for name in ("nothing", "%2e%2e/outside", "..%2foutside"):
        for room in ("debates", "events", "pages", "transcripts"):
            answer = client.get(f"/{room}/{name}")
            assert answer.status_code == 400
            assert "There is no transcript" in answer.text


def test_the_page_is_made_anew_when_a_file_changes_and_only_then(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: Transcript
) -> None:
    from harness.viewer.app import rendering

    made: list[Path] = []

    def counted(path: Path, **how: bool) -> object:
        made.append(path)
        return reading_of(path, **how)

    monkeypatch.setattr(rendering, "reading_of", counted)
    growing = Growing(tmp_path / "talks.jsonl", recorded, 40)
    growing.stops()
    first = client.get("/debates/talks").text
    assert client.get("/debates/talks").text == first
    assert len(made) == 1
    with (tmp_path / "talks.jsonl").open("a") as file:
        file.write(recorded.events[40].model_dump_json() + "\n")
    assert client.get("/debates/talks").text != first
    assert len(made) == 2
    (tmp_path / "talks.scores.jsonl").write_text("no scores")
    assert client.get("/debates/talks").status_code == 400
    assert len(made) == 3


def test_the_page_to_be_mailed_holds_nothing_private(client: TestClient, tmp_path: Path) -> None:
    canary = "a fallback that nobody is to know of"
    us = a_party(
        "us", a_position("us-1", supports=("limits/a",)),
        a_position("us-2", supports=("limits/b",), statement=canary, confidential=True),
    )  # fmt: skip
    setting = a_setting(us, a_party("ru", a_position("ru-1")), items=(an_item(),))
    on_file(tmp_path / "talks.jsonl", held(a_room(setting)))

    assert canary in client.get("/debates/talks").text
    mailed = client.get("/pages/talks")
    assert mailed.status_code == 200
    assert canary not in mailed.text
    assert "us-1" in mailed.text


def test_who_comes_to_a_finished_debate_is_told_all_of_it_and_that_it_is_over(
    client: TestClient, tmp_path: Path
) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    told = messages(client.get(f"/events/{EXAMPLE.stem}").text)

    assert [each.kind for each in told] == ["more", "over"]
    assert list(put_together(told).values()) == as_on_the_page(tmp_path / EXAMPLE.name)
    assert told[-1].data["why"] == "The debate is over."
    assert set(told[0].data["sections"]) >= {"summary", "board", "joint", "outline", "head"}
    assert "conversation" not in told[0].data["sections"]


@pytest.mark.parametrize("last", ["149", "400"])
def test_who_has_everything_is_told_nothing_again(
    client: TestClient, tmp_path: Path, last: str, recorded: Transcript
) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    answer = client.get(f"/events/{EXAMPLE.stem}", headers={"last-event-id": last})

    assert int("149") == recorded.events[-1].seq
    # Who has more than there is has another file before them.
    assert [each.kind for each in messages(answer.text)] == ["over" if last == "149" else "anew"]


def test_a_number_that_is_none_is_refused(client: TestClient, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    answer = client.get(f"/events/{EXAMPLE.stem}", headers={"last-event-id": "<b>"})
    assert answer.status_code == 400
    assert "<b>" not in answer.text


def test_what_another_program_writes_is_followed_until_it_stops(
    client: TestClient, tmp_path: Path, recorded: Transcript
) -> None:
    path = tmp_path / "deep" / "talks.jsonl"
    growing = Growing(path, recorded)

    def write() -> None:
        for _ in range(4):
            growing.goes_on(12)
            time.sleep(0.8)
        growing.stops()

    writing = threading.Thread(target=write)
    writing.start()
    page = client.get("/debates/deep/talks").text
    told = messages(client.get("/events/deep/talks").text)
    writing.join()

    assert "held by another program" in page
    assert "data-live" in page
    assert len(told) >= 3  # it came bit by bit
    assert [int(each.number or -1) for each in told[:-1]] == sorted(
        {int(each.number or -1) for each in told[:-1]}
    )
    assert list(put_together(told).values()) == as_on_the_page(path)
    assert told[-1].data["why"] == "The debate was stopped before its end. It can be gone on with."
    assert "/resume/deep/talks" in told[-1].data["bar"]


def test_a_line_that_cannot_be_read_ends_it_with_its_place(
    client: TestClient, tmp_path: Path, recorded: Transcript
) -> None:
    growing = Growing(tmp_path / "talks.jsonl", recorded, 30)
    with growing.path.open("a") as file:
        file.write("no event\n")
    told = messages(client.get("/events/talks?after=29").text)
    growing.stops()
    assert [each.kind for each in told] == ["over"]
    assert "talks.jsonl:31" in told[0].data["why"]


def test_a_line_that_is_not_whole_waits(
    client: TestClient, tmp_path: Path, recorded: Transcript
) -> None:
    growing = Growing(tmp_path / "talks.jsonl", recorded, 30)
    growing.stops()
    with growing.path.open("a") as file:
        file.write(recorded.events[30].model_dump_json()[:40])
    told = messages(client.get("/events/talks?after=29").text)
    assert [each.kind for each in told] == ["over"]
    assert "stopped" in told[0].data["why"]


def test_what_was_put_in_its_place_is_shown_from_the_start(
    app_over: AppOver,  # noqa: F811
    tmp_path: Path,
    recorded: Transcript,
) -> None:
    growing = Growing(tmp_path / "talks.jsonl", recorded, 30)
    watching = Watching(app_over(tmp_path, MINE), "talks")
    told = watching.told()
    assert next(told).kind == "more"
    other = Growing(tmp_path / "other.jsonl", recorded, 20)
    (tmp_path / "other.jsonl").replace(tmp_path / "talks.jsonl")
    assert next(told).kind == "anew"
    assert list(told) == []
    growing.stops()
    other.stops()


def test_a_connection_that_is_cut_goes_on_without_loss_or_repetition(
    app_over: AppOver,  # noqa: F811
    tmp_path: Path,
    recorded: Transcript,
) -> None:
    path = tmp_path / "talks.jsonl"
    growing = Growing(path, recorded, 40)
    address = app_over(tmp_path, MINE)
    first = Watching(address, "talks")
    told = first.told()
    before = [next(told)]
    growing.goes_on(23)
    before.append(next(told))
    had = before[-1].number
    first.cut()

    growing.goes_on(31)  # nobody hears it
    again = Watching(address, "talks", after=2, last_id=had)
    coming = again.told()
    after = [next(coming)]
    growing.ends()
    after += list(coming)

    assert had == "62"
    assert list(put_together([*before, *after]).values()) == as_on_the_page(path)
    new, known = after[0].data["entries"], before[-1].data["order"]
    parts = {x.turn: x.seq for x in recorded.events[:94] if isinstance(x, e.TurnEvent)}
    for name in set(new) & set(known):
        # Told again are a turn that has grown, and an item whose issues have been decided.
        assert parts.get(name, 63) > 62
        assert name in parts or name.startswith("item-")
    assert [each.kind for each in after][-1] == "over"


@pytest.mark.anyio
async def test_what_is_written_while_the_page_is_made_is_no_other_file(
    tmp_path: Path, recorded: Transcript
) -> None:
    growing = Growing(tmp_path / "talks.jsonl", recorded, 20)

    class Slow(Renderings):
        async def shown(self, path: Path, *, public: bool) -> Shown:
            growing.goes_on(40)
            return await super().shown(path, public=public)

    watcher = live.Watcher(Desk(tmp_path), Slow(), "talks", growing.path, -1)
    told: list[Told] = []
    async for message in watcher.happenings():
        told += messages(message)
        growing.goes_on(20)
        if told and told[-1].number == str(recorded.events[-1].seq):
            growing.stops()
    assert [each.kind for each in told] == ["more"] * (len(told) - 1) + ["over"]
    assert list(put_together(told).values()) == as_on_the_page(growing.path)


def test_who_does_not_read_keeps_nobody_waiting(
    app_over: AppOver,  # noqa: F811
    tmp_path: Path,
    recorded: Transcript,
) -> None:
    growing = Growing(tmp_path / "talks.jsonl", recorded, 20)
    address = app_over(tmp_path, MINE)
    idle = [Watching(address, "talks") for _ in range(12)]
    reading = Watching(address, "talks").told()
    assert next(reading).kind == "more"
    growing.ends()
    begun = time.monotonic()
    told = list(reading)
    assert told[-1].kind == "over"
    assert time.monotonic() - begun < 15
    for each in idle:
        each.cut()


def test_silence_shows_that_the_connection_is_there(
    app_over: AppOver,  # noqa: F811
    tmp_path: Path,
    recorded: Transcript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "ALIVE", 0.5)
    growing = Growing(tmp_path / "talks.jsonl", recorded, 20)
    watching = Watching(app_over(tmp_path, MINE), "talks", after=19)
    lines = [watching.answer.readline() for _ in range(3)]
    assert lines == [b"retry: 1000\n", b"\n", b": still here\n"]
    watching.cut()
    growing.stops()


def test_why_a_debate_does_not_go_on_is_said(tmp_path: Path, recorded: Transcript) -> None:
    path, desk = tmp_path / "talks.jsonl", Desk(tmp_path)
    growing = Growing(path, recorded, 20)
    last: Event = recorded.events[19]
    assert standing(desk, "talks", path, last).going == "elsewhere"
    growing.stops()
    assert standing(desk, "talks", path, last).going == "unfinished"
    stop = e.BudgetStop(ceiling="calls", why="3 of 3 calls are made")
    assert "3 of 3 calls" in standing(desk, "talks", path, stop).words
    desk.broken["talks"] = "no such server"
    assert "no such server" in standing(desk, "talks", path, last).words
    with path.open("a") as file:
        file.write(recorded.events[-1].model_dump_json() + "\n")
    assert standing(desk, "talks", path).going == "finished"


def test_while_a_person_sits_at_the_table_the_page_shows_what_all_may_know(
    client: TestClient, tmp_path: Path
) -> None:
    data = {
        "setting": "geneva-2021", "items": ["libya"], "model": "reference", "model-ru": "human",
        "seed": "0",
    }  # fmt: skip
    sent = client.post("/start", data=data, headers={"origin": HOME}, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    name = sent.headers["location"].removeprefix("/debates/").removeprefix("/seat/")
    name = name.removesuffix("/ru")
    path = tmp_path / f"{name}.jsonl"
    until(lambda: any(isinstance(each, e.ModelCall) for each in read(path).events))

    page = client.get(f"/debates/{name}").text
    assert f"/seat/{name}/ru" in page
    assert 'id="calls"' not in page
    assert client.get(f"/transcripts/{name}").status_code == 400
    client.post(f"/stop/{name}", headers={"origin": HOME})
    assert 'id="calls"' in client.get(f"/debates/{name}").text
    assert client.get(f"/transcripts/{name}").content == path.read_bytes()


def test_a_file_that_cannot_be_read_goes_by_its_name_in_the_folder(
    client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "odd.jsonl").write_text("garbage\n")
    answer = client.get("/debates/talks/odd")
    assert answer.status_code == 400
    assert "talks/odd.jsonl:1: not a transcript: its first line is no JSON" in answer.text
    assert str(tmp_path) not in answer.text
