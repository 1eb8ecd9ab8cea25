"""Letting a debate go on otherwise within the app, and the tree of what came of it."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from evals import scores
from harness import events as e
from harness.models.waiting import Waiting
from harness.transcript import Transcript, Writer, read
from harness.viewer.app import build as built
from harness.viewer.app import family
from harness.viewer.app.desk import Desk
from tests.sweep.holds import Provider
from tests.viewer.watching import FROM_HOME, HOME, MINE, until

EXAMPLES = Path("transcripts/examples")
EXAMPLE = EXAMPLES / "reference-eight-of-twelve.jsonl"
SMALL = {"setting": "geneva-2021", "items": ["libya", "syria"], "model": "reference", "seed": "0"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "talks").mkdir()
    return Desk(tmp_path / "talks")


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(built.build(desk, rooms=MINE), base_url=HOME) as client:
        yield client


@pytest.fixture
def talks(desk: Desk, client: TestClient) -> str:
    """A debate of two items between reference negotiators, held to its end."""
    sent = client.post("/start", data=SMALL, headers=FROM_HOME, follow_redirects=False)
    name = sent.headers["location"].removeprefix("/debates/")
    until(lambda: not desk.under_way)
    return name


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-to-be-seen")
    slow = Provider(seconds=0.1)
    with slow.running():
        yield slow


def forked(client: TestClient, desk: Desk, name: str, data: Mapping[str, object]) -> list[Path]:
    """Fork it, and wait until all is held; the new transcripts."""
    before = set(transcripts(desk))
    sent = client.post(f"/fork/{name}", data=data, headers=FROM_HOME, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"] == f"/tree/{name}"
    until(lambda: not desk.under_way, 40)
    assert desk.broken == {}
    return sorted(set(transcripts(desk)) - before)


def transcripts(desk: Desk) -> list[Path]:
    return [p for p in (desk.folder / "forks").glob("*.jsonl") if ".scores" not in p.name]


def side(paths: list[Path], changed: bool) -> list[Transcript]:
    found = map(read, paths)
    return [t for t in found if bool(t.card.fork and t.card.fork.changes) == changed]


def refused(client: TestClient, name: str, data: Mapping[str, object]) -> str:
    sent = client.post(f"/fork/{name}", data=data, headers=FROM_HOME, follow_redirects=False)
    assert sent.status_code == 422
    return re.sub("<.*?>", "", sent.text.partition('role="alert"')[2].partition("</ul>")[0])


def test_the_form_shows_the_turn_that_was_asked_for(client: TestClient, talks: str) -> None:
    page = client.get(f"/fork/{talks}?at=T3").text
    assert '<option value="T3" selected>' in page
    other = client.post(
        f"/fork/{talks}", data={"at": "T2", "choose": "yes", "say": "old"}, headers=FROM_HOME
    ).text
    assert '<option value="T2" selected>' in other
    assert ">old</textarea>" not in other
    assert " style=" not in page
    assert re.search(r"\son[a-z]+=", page) is None


def test_a_fork_changes_the_statement_alone_and_is_scored(
    client: TestClient, desk: Desk, talks: str
) -> None:
    words = "We <i>accept</i> nothing today."
    data = {"at": "T3", "say": words, "runs": "2", "seed": "5"}
    paths = forked(client, desk, talks, data)
    changed, control = side(paths, changed=True), side(paths, changed=False)
    origin = read(desk.folder / f"{talks}.jsonl")

    assert (len(changed), len(control)) == (2, 2)
    assert [t.card.seed for t in changed] == [5, 6]
    for each in changed:
        turn = [x for x in each.events if isinstance(x, e.TurnEvent) and x.turn == "T3"]
        was = [x for x in origin.events if isinstance(x, e.TurnEvent) and x.turn == "T3"]
        assert next(x.text for x in turn if isinstance(x, e.Statement)) == words
        moves = [[x.move for x in part if isinstance(x, e.MoveMade)] for part in (turn, was)]
        assert moves[0] == moves[1]
    assert not any(scores.read(scores.scores_path(path)).stale(path) for path in paths)
    assert words not in client.get(f"/tree/{talks}").text  # as markup


def test_a_statement_left_as_it_is_changes_nothing(
    client: TestClient, desk: Desk, talks: str
) -> None:
    page = client.get(f"/fork/{talks}?at=T3").text
    recorded = re.search(r'<textarea id="f-say"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert recorded is not None
    said = html.unescape(recorded[1]).replace("\n", "\r\n")
    paths = forked(client, desk, talks, {"at": "T3", "say": said, "runs": "1"})
    assert (len(side(paths, changed=True)), len(side(paths, changed=False))) == (0, 1)


def test_another_prompt_or_model_or_nobody_hearing_it(
    client: TestClient, desk: Desk, talks: str, provider: Provider
) -> None:
    data = {"at": "T3", "model-us": "openai:small", "prompt-us": "terse", "base_url": provider.url}
    (changed,) = side(forked(client, desk, talks, data), changed=True)
    us = next(seat for seat in changed.card.seats if seat.seat == "us")
    assert (us.model, us.prompt) == ("openai:small", "terse")
    assert provider.bodies
    deaf = other(changed, "T3")
    (unheard,) = side(forked(client, desk, talks, {"at": "T3", "unheard": deaf}), changed=True)
    assert unheard.card.fork is not None
    assert unheard.card.fork.unheard == (deaf,)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"at": "T99"}, "has no turn"),
        ({"at": "T3", "runs": "0"}, "no whole number from 1"),
        ({"at": "T3", "runs": "500"}, "Here up to 20"),
        ({"at": "T3", "model-us": "openai:x", "max_cost": "1"}, "needs the price"),
        ({"at": "T3", "model-us": "human"}, "A person sits at this table"),
        ({"at": "T3", "prompt-us": "../secret"}, "secret"),
        ({"at": "T3", "model-ru": "script:/etc/passwd"}, "There is no file"),
        ({"at": "T3", "temperature": "1"}, "is for models named in the fork"),
        ({"at": "T3", "say": "Other words.", "unheard": "us"}, "fork twice"),
    ],
)
def test_what_cannot_be_forked_is_said_and_nothing_is_held(
    client: TestClient, desk: Desk, talks: str, data: dict[str, str], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    assert said in refused(client, talks, data)
    assert not (desk.folder / "forks").exists()


def test_while_a_person_plays_the_private_words_of_others_are_not_there_to_be_edited(
    client: TestClient, desk: Desk, talks: str
) -> None:
    desk.people[talks] = {"us": Waiting(None)}
    form = client.get(f"/fork/{talks}").text
    sent = client.post(f"/fork/{talks}", data={"at": "T3"}, headers=FROM_HOME).text
    for answer in (form, sent):
        assert "can be forked when it is over" in answer
        assert "<textarea" not in answer
    assert not (desk.folder / "forks").exists()


def test_a_fork_of_a_fork_stands_below_it(client: TestClient, desk: Desk, talks: str) -> None:
    first = side(forked(client, desk, talks, {"at": "T3", "say": "No."}), changed=True)[0]
    assert first.path is not None
    name = desk.name_of(first.path)
    second = forked(client, desk, name, {"at": "T4", "unheard": other(first, "T4"), "runs": "2"})

    tree = family.tree(desk, desk.name_of(second[0]))
    assert tree.root.name == talks
    assert tree.count == 1 + 2 + 4
    unchanged, changed = tree.root.groups
    assert (unchanged.changes, changed.changes != ()) == ((), True)
    assert changed.moved is not None
    assert (changed.moved.control, changed.moved.changed) == (1, 1)
    (branch,) = changed.branches
    assert branch.name == name
    assert [len(group.branches) for group in branch.groups] == [2, 2]
    assert branch.at == "after T3"


def other(transcript: Transcript, turn: str) -> str:
    party = next(
        x.party for x in transcript.events if isinstance(x, e.TurnEvent) and x.turn == turn
    )
    return "ru" if party == "us" else "us"


def test_what_moved_is_said_against_the_unchanged(client: TestClient, desk: Desk) -> None:
    shutil.copy(EXAMPLE, desk.folder / "talks.jsonl")
    from harness.fork import without

    held = without(desk.folder / "talks.jsonl", "us-ss-5", runs=2, out=desk.folder / "forks")
    assert len(held.finished) == 4
    tree = family.tree(desk, "talks")
    moved = next(group.moved for group in tree.root.groups if group.changes)
    assert moved is not None
    issue = next(each for each in moved.issues if each.word == "moved")
    page = client.get("/tree/talks").text
    assert issue.heading in page
    assert moved.sentences[0].replace("'", "&#39;") in page or moved.sentences[0] in page
    (changed,) = [group for group in tree.root.groups if group.changes]
    assert issue.heading in changed.branches[0].differs


class Nested(HTMLParser):
    """How deep in lists each link to a debate stands, and whether all lists are sound."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.depth: dict[str, int] = {}
        self.feed(page[page.index('id="tree"') : page.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("ul", "li"):
            assert (tag == "li") == (bool(self.open) and self.open[-1] == "ul")
            self.open.append(tag)
        href = dict(attrs).get("href") or ""
        if href.startswith("/debates/"):
            self.depth[href.removeprefix("/debates/")] = self.open.count("ul")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ul", "li"):
            assert self.open.pop() == tag


def test_the_tree_is_nested_lists(client: TestClient, desk: Desk, talks: str) -> None:
    paths = forked(client, desk, talks, {"at": "T3", "say": "No."})
    found = Nested(client.get(f"/tree/{talks}").text)
    assert found.open == []
    assert found.depth[talks] == 1
    assert {found.depth[desk.name_of(path)] for path in paths} == {3}


def test_a_tree_holds_files_that_are_broken_gone_on_with_or_gone(
    client: TestClient, desk: Desk, talks: str
) -> None:
    paths = forked(client, desk, talks, {"at": "T3", "say": "No."})
    broken = next(path for path in paths if ".changed." in path.name)
    broken.write_bytes(broken.read_bytes() + b"no event\n")
    control = next(path for path in paths if ".control." in path.name)
    origin = desk.folder / f"{talks}.jsonl"
    with origin.open("a") as file:
        file.write(e.Resumed(seq=999, at="2021-06-16T12:00:00Z").model_dump_json() + "\n")
    page = client.get(f"/tree/{talks}").text
    assert "cannot be read" in page
    assert "not an event of this format" in page
    assert "has gone on since" in page
    origin.unlink()
    page = client.get(f"/tree/{desk.name_of(control)}").text
    assert f"taken from {origin.name}, which is not in this folder" in page


def test_a_tree_that_is_bitten_by_its_tail_has_an_end(desk: Desk, client: TestClient) -> None:
    record = read(EXAMPLE)
    for name, origin in (("a", "b"), ("b", "a"), ("c", "c")):
        fork = e.Fork(origin=f"{origin}.jsonl", origin_sha="0")
        header = record.header.model_copy(update={"debate": name})
        card = record.card.model_copy(update={"fork": fork})
        Writer.create(desk.folder / f"{name}.jsonl", header, card).close()
    for name in ("a", "b", "c"):
        assert client.get(f"/tree/{name}").status_code == 200


def test_a_fork_is_stopped_as_a_whole_and_each_debate_can_be_gone_on_with(
    client: TestClient, desk: Desk, talks: str, provider: Provider
) -> None:
    data = {"at": "T1", "model-us": "openai:small", "model-ru": "openai:small", "runs": "2",
            "base_url": provider.url}  # fmt: skip
    provider.seconds = 0.4
    sent = client.post(f"/fork/{talks}", data=data, headers=FROM_HOME, follow_redirects=False)
    assert sent.status_code == 303
    until(lambda: any(".changed." in name for name in desk.under_way) and provider.bodies)
    until(lambda: any(".changed." in path.name for path in transcripts(desk)))
    held = len(desk.under_way)
    tree = family.tree(desk, talks)
    assert 0 < tree.running + tree.waiting <= held  # one that is scored is under way, and over
    assert held > 1
    assert "under way" in client.get(f"/tree/{talks}").text
    begun = next(path for path in transcripts(desk) if ".changed." in path.name)
    again = client.post(f"/fork/{talks}", data=data, headers=FROM_HOME)
    assert again.status_code == 400  # the same is under way already
    client.post(f"/stop/{desk.name_of(begun)}", headers=FROM_HOME)
    assert desk.under_way == {}
    assert not read(begun).finished

    provider.seconds = 0.0
    went_on = client.post(f"/resume/{desk.name_of(begun)}", headers=FROM_HOME)
    assert went_on.status_code == 200
    until(lambda: not desk.under_way)
    assert read(begun).finished


def test_a_ceiling_stops_the_fork_and_is_said(
    client: TestClient, desk: Desk, talks: str, provider: Provider
) -> None:
    data = {"at": "T1", "model-us": "openai:small", "runs": "1", "max_calls": "2",
            "base_url": provider.url}  # fmt: skip
    client.post(f"/fork/{talks}", data=data, headers=FROM_HOME)
    until(lambda: not desk.under_way)
    assert len(provider.bodies) == 2
    assert "2 of 2 calls are made" in client.get(f"/tree/{talks}").text


def test_a_debate_without_a_turn_cannot_be_forked(client: TestClient, desk: Desk) -> None:
    record = read(EXAMPLE)
    Writer.create(desk.folder / "new.jsonl", record.header, record.card).close()
    assert "no turn was taken yet" in client.get("/fork/new").text


def test_a_kept_script_that_is_not_found_is_told_on_the_form_and_nothing_is_held(
    client: TestClient, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl", desk.folder / "s.jsonl")
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path)
        for data in ({"at": "T3"}, {"at": "T3", "model-us": "reference"}):
            said = refused(client, "s", data)
            assert "In the seat of US sits script:transcripts/examples/scripts/" in said
            assert f"is not found from {tmp_path}" in said
        assert not (desk.folder / "forks").exists()
        assert not desk.under_way
    (control,) = forked(client, desk, "s", {"at": "T3"})
    assert read(control).finished


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a transcript: its first line is empty"),
        ("{}\n", "not a transcript: its first line has no schema_version"),
        ("\x00 no JSON\n", "not a transcript: its first line is no JSON"),
    ],
)
def test_the_tree_of_what_is_no_transcript_says_what_is_wrong_with_it(
    client: TestClient, desk: Desk, content: str, said: str
) -> None:
    (desk.folder / "broken.jsonl").write_text(content)
    answer = client.get("/tree/broken")
    assert answer.status_code == 400
    assert f"broken.jsonl:1: {said}" in answer.text


def test_the_tree_of_a_hidden_file_and_of_another_spelling(client: TestClient, desk: Desk) -> None:
    (desk.folder / ".kept").mkdir()
    shutil.copy(EXAMPLE, desk.folder / ".kept" / "a.jsonl")
    shutil.copy(EXAMPLE, desk.folder / "b.jsonl")
    hidden = client.get("/tree/.kept/a")
    assert hidden.status_code == 400
    assert "lies in a hidden folder" in hidden.text
    assert client.get("/tree/.kept%2F..%2Fb").status_code == 200


def test_the_tree_calls_parties_by_their_names_and_leaves_their_words_alone(
    client: TestClient, desk: Desk, talks: str
) -> None:
    forked(client, desk, talks, {"at": "T3", "say": "ru by us says in T4 without us."})
    turn = [x for x in read(desk.folder / f"{talks}.jsonl").events if isinstance(x, e.TurnEvent)]
    party = next(x.party for x in turn if x.turn == "T3")
    deaf = "us" if party == "ru" else "ru"
    forked(client, desk, talks, {"at": "T3", "unheard": deaf})
    forked(client, desk, talks, {"at": "T3", f"prompt-{deaf}": "terse"})
    page = html.unescape(client.get(f"/tree/{talks}").text)
    name, other_name = party.upper(), deaf.upper()
    for words in (
        f"changed: {name} says in T3: \u201cru by us says in T4 without us.\u201d",
        f"changed: {other_name} does not hear what {name} says in T3",
        f"changed: {other_name} with persona prompt terse (was ",
    ):
        assert words in page
