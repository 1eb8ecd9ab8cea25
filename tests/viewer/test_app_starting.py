"""Starting a debate from the form, stopping it, going on with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from evals import scores
from harness import events as e
from harness.transcript import Writer, read
from harness.viewer.app import build as built
from harness.viewer.app.desk import Desk
from tests.models.server import rejected
from tests.sweep.holds import Provider
from tests.viewer.watching import FROM_HOME, HOME, MINE, messages, until

KEY = "sk-never-to-be-seen-1234567890"
REFERENCE = {"setting": "geneva-2021", "items": ["libya"], "model": "reference", "seed": "3"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "talks", env={})


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    desk.folder.mkdir()
    with TestClient(built.build(desk, rooms=MINE), base_url=HOME) as client:
        yield client


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    slow = Provider(seconds=0.1)
    with slow.running():
        yield slow


def hosted(provider: Provider, **more: object) -> dict[str, object]:
    return {
        **REFERENCE, "model": "openai:small", "base_url": provider.url, "guard": "mandate", **more
    }  # fmt: skip


def started(client: TestClient, data: Mapping[str, object]) -> str:
    sent = client.post("/start", data=data, headers=FROM_HOME, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    return sent.headers["location"].removeprefix("/debates/")


def refused(client: TestClient, data: Mapping[str, object]) -> dict[str, str]:
    """What has to be mended, by field."""
    sent = client.post("/start", data=data, headers=FROM_HOME, follow_redirects=False)
    assert sent.status_code == 422
    assert f'name="seed" value="{data["seed"]}"' in sent.text  # what was typed is kept
    found = re.findall(r'<li>(?:<a href="#f-([^"]+)">)?(.*?)(?:</a>)?</li>', sent.text)
    return dict(found[: sent.text[: sent.text.index("</ul>")].count("<li>")])


def test_what_the_form_asks_for_is_what_is_held_and_scored(client: TestClient, desk: Desk) -> None:
    data = REFERENCE | {
        "parties": ["us", "ru", "de"], "prompt": "terse", "prompt-ru": "hawkish", "rounds": "1",
        "decision": "majority", "score": "yes",
    }  # fmt: skip
    name = started(client, data)
    path = desk.folder / f"{name}.jsonl"
    until(lambda: name not in desk.under_way)
    card = read(path).card

    assert [item.id for item in card.setting.items] == ["libya"]
    assert [seat.seat for seat in card.seats] == ["us", "ru", "de", "chair"]
    assert {seat.seat: seat.prompt for seat in card.seats[:3]} == {
        "us": "terse", "ru": "hawkish", "de": "terse"
    }  # fmt: skip
    assert (card.rules.rounds, card.rules.decision, card.seed) == (1, "majority", 3)
    assert read(path).finished
    found = scores.read(scores.scores_path(path))
    assert not found.stale(path)
    assert "agreement" in found.header.evaluators


def test_without_the_tick_nothing_is_scored(client: TestClient, desk: Desk) -> None:
    name = started(client, REFERENCE)
    until(lambda: name not in desk.under_way)
    assert [path.name for path in desk.folder.iterdir()] == [f"{name}.jsonl"]


def test_two_debates_of_one_second_get_files_of_their_own(client: TestClient, desk: Desk) -> None:
    names = {started(client, REFERENCE) for _ in range(3)}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("model", "opneai:x", "Did you mean openai?"),
        ("model-us", "openai:x", "set OPENAI_API_KEY"),
        ("model-cn", "reference", "has no seat"),
        ("prompt-cn", "terse", "has no seat"),
        ("chair", "nobody", "No model named"),
        ("prompt", "../secret", "There is no"),
        ("seed", "seven", "no whole number"),
        ("max_calls", "-1", "no whole number from 0"),
        ("max_minutes", "nan", "no number from 0"),
        ("max_cost", "inf", "no number from 0"),
        ("rounds", "900", "less than or equal to 50"),
        ("rounds", "0", "Rounds an item: &#39;0&#39; is no whole number from 1"),
        ("decision", "dice", "consensus, majority, veto"),
        ("agenda", "nothing", "it has opening"),
        ("items", "nothing", "There is no item"),
        ("prices", "free", "is no price"),
        ("model", "script:../outside.yaml", "There is no file"),
        ("model", "replay:/etc/passwd", "There is no file"),
        ("model", "local:../weights.gguf", "There is no file"),
        ("model", "human+script:../outside.yaml", "There is no file"),
        ("temperature", "<b>hot</b>", "&lt;b&gt;hot&lt;/b&gt;"),
    ],
)
def test_what_has_to_be_mended_is_said_and_nothing_is_held(
    client: TestClient, desk: Desk, tmp_path: Path, field: str, typed: str, said: str
) -> None:
    (tmp_path / "outside.yaml").write_text("- {item: libya, round: 0, say: secret words}\n")
    (tmp_path / "weights.gguf").write_bytes(b"")
    wrong = refused(client, REFERENCE | {field: typed})
    assert said in wrong.get(field, wrong.get("agenda", ""))
    assert "secret words" not in "".join(wrong.values())
    assert list(desk.folder.iterdir()) == []
    assert desk.under_way == {}


def test_a_ceiling_on_cost_needs_prices(client: TestClient, provider: Provider) -> None:
    wrong = refused(client, hosted(provider, max_cost="1"))
    assert "needs the price of openai:small" in "".join(wrong.values())


def test_a_setting_is_named_and_no_folder(client: TestClient, tmp_path: Path) -> None:
    sent = client.post("/start", data=REFERENCE | {"setting": "/etc"}, headers=FROM_HOME)
    assert sent.status_code == 400
    assert "There is no setting" in sent.text


def test_a_file_of_the_folder_may_sit_in_a_seat(client: TestClient, desk: Desk) -> None:
    lines = "- {item: libya, round: 0, say: We are here to listen.}\n"
    (desk.folder / "ours.yaml").write_text(lines)
    name = started(client, REFERENCE | {"model-us": "script:ours.yaml+reference"})
    until(lambda: name not in desk.under_way)
    record = read(desk.folder / f"{name}.jsonl")
    assert record.finished
    said = [each.text for each in record.events if isinstance(each, e.Statement)]
    assert "We are here to listen." in said


def test_the_form_says_what_can_be_used_here_and_no_key(desk: Desk) -> None:
    desk.folder.mkdir()
    desk.env = {"OPENAI_API_KEY": KEY}
    with TestClient(built.build(desk, rooms=MINE), base_url=HOME) as client:
        page = client.get("/start").text
    assert "OPENAI_API_KEY is set" in page
    assert KEY not in page
    assert '<option value="reference">' in page
    assert "inline" not in page
    assert " style=" not in page
    assert re.search(r"\son[a-z]+=", page) is None


def test_a_stopped_debate_is_whole_and_goes_on_without_asking_twice(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    name = started(client, hosted(provider, score="yes"))
    path = desk.folder / f"{name}.jsonl"
    until(lambda: read(path).state.turns >= 2)
    assert client.post(f"/stop/{name}", headers=FROM_HOME).status_code == 200
    stopped = read(path)
    assert (stopped.finished, stopped.torn, name in desk.under_way) == (False, 0, False)
    assert not scores.scores_path(path).is_file()
    Writer.resume(stopped).close()  # nobody holds it any more

    form = client.get(f"/resume/{name}").text
    assert f"{stopped.state.turns} turns" in form
    went_on = client.post(
        f"/resume/{name}", data={"score": "yes"}, headers=FROM_HOME, follow_redirects=False
    )
    assert went_on.headers["location"] == f"/debates/{name}"
    until(lambda: name not in desk.under_way)
    whole = read(path)
    assert whole.finished
    assert whole.events[: len(stopped.events)] == stopped.events
    assert len(provider.bodies) - len(whole.calls) <= 1  # the call in flight
    assert not scores.read(scores.scores_path(path)).stale(path)
    assert KEY.encode() not in path.read_bytes()


def test_a_ceiling_stops_it_and_the_page_says_so(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    name = started(client, hosted(provider, max_calls="3", score="yes"))
    until(lambda: name not in desk.under_way)
    path = desk.folder / f"{name}.jsonl"
    assert isinstance(read(path).events[-1], e.BudgetStop)
    page = client.get(f"/debates/{name}").text
    assert "A ceiling stopped the debate: 3 of 3 calls are made." in page
    assert f"/resume/{name}" in page
    assert not scores.scores_path(path).is_file()
    # What is on record counts: going on with the same ceiling stops at once.
    client.post(f"/resume/{name}", data={"max_calls": "3"}, headers=FROM_HOME)
    until(lambda: name not in desk.under_way)
    assert len(provider.bodies) == 3


def test_a_model_that_cannot_be_opened_is_said_beside_the_form(
    client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    desk.env = {"OPENAI_API_KEY": KEY}  # the form believes it; the model does not find it
    data = REFERENCE | {"model": "openai:small", "max_calls": "1"}
    sent = client.post("/start", data=data, headers=FROM_HOME)
    assert sent.status_code == 422
    assert "needs a key" in sent.text
    assert 'value="openai:small"' in sent.text
    assert list(desk.folder.iterdir()) == []


def test_a_debate_that_breaks_off_says_why_where_it_is_watched(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    name = started(client, hosted(provider))
    path = desk.folder / f"{name}.jsonl"
    until(lambda: read(path).state.turns >= 1)
    with path.open("ab") as file:
        file.write(b"somebody else writes here\n")
    client.post(f"/stop/{name}", headers=FROM_HOME)
    sent = client.post(f"/resume/{name}", headers=FROM_HOME)
    assert sent.status_code in (400, 422)
    assert "not an event of this format" in sent.text


def test_nobody_goes_on_with_what_is_finished_or_held_elsewhere(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    name = started(client, REFERENCE)
    until(lambda: name not in desk.under_way)
    path = desk.folder / f"{name}.jsonl"
    assert "is finished" in client.get(f"/resume/{name}").text
    record = read(path)
    half = desk.folder / "half.jsonl"
    with Writer.create(half, record.header, record.card, record.events[2:6]):
        sent = client.post("/resume/half", headers=FROM_HOME)
        assert sent.status_code == 422
        assert "being written by another process" in sent.text
    assert desk.under_way == {}


def test_a_debate_under_way_is_not_begun_again(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    name = started(client, hosted(provider))
    until(lambda: read(desk.folder / f"{name}.jsonl").state.turns >= 1)
    sent = client.post(f"/resume/{name}", headers=FROM_HOME)
    assert sent.status_code == 422
    assert name in desk.under_way
    told = messages(client.get(f"/events/{name}").text)
    assert told[-1].data["why"] == "The debate is over."


def test_a_provider_that_fails_costs_turns_and_the_watcher_is_told(
    client: TestClient, desk: Desk, provider: Provider
) -> None:
    provider.answers = [rejected(400, f"{KEY} is no good")] * 2
    name = started(client, hosted(provider))
    told = messages(client.get(f"/events/{name}").text)
    assert told[-1].kind == "over"
    assert "No answer" in "".join(h for t in told[:-1] for h in t.data["entries"].values())
    assert KEY not in "".join(str(each.data) for each in told)


def test_when_the_app_ends_what_it_holds_is_stopped_cleanly(desk: Desk, provider: Provider) -> None:
    desk.folder.mkdir()
    with TestClient(built.build(desk, rooms=MINE), base_url=HOME) as client:
        name = started(client, hosted(provider))
        path = desk.folder / f"{name}.jsonl"
        until(lambda: read(path).state.turns >= 1)
    record = read(path)
    assert (record.finished, record.torn) == (False, 0)
    Writer.resume(record).close()


@pytest.mark.parametrize("address", ["/start", "/stop/x", "/resume/x", "/fork/x"])
def test_other_pages_start_and_stop_nothing(client: TestClient, address: str) -> None:
    sent = client.post(address, data=REFERENCE, headers={"origin": "https://elsewhere.example"})
    assert sent.status_code == 403
