"""The shelf: searched, narrowed down, sorted, paged through and chosen from, all by address."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from starlette.testclient import TestClient

from harness.sweep.running import run_experiment
from harness.viewer.app import experiments, shelf
from harness.viewer.app.build import ROOMS, build
from harness.viewer.app.desk import Desk
from harness.viewer.app.shelf_search import OUTCOMES, PAGE, SORTS, Asked
from tests.viewer.hostile import hostile
from tests.viewer.shelved import ALL_AGREED, LITTLE_AGREED, SIX, SOME_AGREED, aged, put, score

HOME = "http://127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRACKTWO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "f").mkdir()
    return tmp_path / "f"


@pytest.fixture
def desk(folder: Path) -> Desk:
    return Desk(folder)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(build(desk, rooms=[shelf, experiments]), base_url=HOME) as client:
        yield client


def page(client: TestClient, address: str = "/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(shown: str) -> list[str]:
    """The rows' words, without tags."""
    body = shown.partition("<tbody>")[2].partition("</tbody>")[0]
    return [plain(row) for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def links(shown: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="([^"]*)"', shown)]


def boxes(shown: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'name="d" value="([^"]*)"', shown)]


def count(shown: str) -> str:
    return plain(shown.partition('<p class="count"')[2].partition(">")[2].partition("</p>")[0])


def test_a_row_says_what_became_of_a_debate_and_how_it_was_scored(
    client: TestClient, folder: Path
) -> None:
    score(put(folder, "scored", created="2026-10-05T09:30:00+00:00"))
    put(folder, "october/plain", ALL_AGREED, models={"us": "openai:x"}, prompts={"us": "hawk"})
    put(folder, "open", cut=60)
    stale = put(folder, "stale", SIX)
    score(stale)
    with stale.open("a") as file:
        file.write(" ")
    aged(stale)
    (folder / "wrong.jsonl").write_text("{oops\n")
    shown = page(client, "/?sort=name")
    by_name = dict(
        zip(("october/plain", "open", "scored", "stale", "wrong"), rows(shown), strict=True)
    )

    assert count(shown) == "5 of 5 debates"
    assert "8 of 12 agreed" in by_name["scored"]
    assert "2026-10-05 09:30" in by_name["scored"]
    assert re.search(r"US \d+ of \d+ RU \d+ of \d+ US (\d+ of \d+|no case)", by_name["scored"])
    assert "not scored" not in by_name["scored"]
    assert "all 12 agreed" in by_name["october/plain"]
    assert "not scored" in by_name["october/plain"]
    assert "US : openai:x, prompt hawk" in by_name["october/plain"]
    assert "unfinished" in by_name["open"]
    assert "scored before it changed" in by_name["stale"]
    assert "Broken: wrong.jsonl:1: not a transcript" in by_name["wrong"]
    assert "/debates/october/plain" in links(shown)
    assert boxes(shown) == ["october/plain", "open", "scored", "stale"]  # none for the broken one


def test_filters_narrow_the_shelf_down_and_say_how_far(client: TestClient, folder: Path) -> None:
    for name, like in (("all", ALL_AGREED), ("some", SOME_AGREED), ("little", LITTLE_AGREED)):
        score(put(folder, name, like, models={"us": f"script:{name}"}))
    put(folder, "six", SIX)
    (folder / "wrong.jsonl").write_text("{oops\n")

    def found(query: str) -> list[str]:
        shown = page(client, f"/?{query}&sort=name")
        assert count(shown).startswith(f"{len(boxes(shown))} of 5 debates")
        return boxes(shown)

    assert found("outcome=all") == ["all"]
    assert found("outcome=some") == ["little", "some"]
    assert found("model=script:little") == ["little"]
    assert found("party=de") == ["six"]
    assert found("q=six") == ["six"]
    assert found("agreed_from=60&agreed_to=70") == ["some"]
    assert found("agreed_from=100") == ["all"]
    assert found("party=us&in_line_from=0&in_line_to=100") == ["all", "little", "some"]
    with_scores = page(client, "/?crossed_from=0")
    assert "2 that would fit otherwise have no such score" in count(with_scores)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", ""),
        ("q=words", ""),
        ("party=us&model=m&prompt=hawk", "party us; model m; prompt hawk"),
        ("outcome=none", "none agreed"),
        ("experiment=-", "of no experiment"),
        ("experiment=.", "experiment this folder"),
        ("experiment=a/b", "experiment a/b"),
        ("agreed_from=50&agreed_to=75.5", "issues agreed from 50 to 75.5 %"),
        ("in_line_to=0", "votes in line to 0 %"),
        ("crossed_from=2", "red lines crossed from 2"),
        ("order=rising", "sorted by held, smallest or earliest first"),
        ("sort=name", "sorted by debate, smallest or earliest first"),
    ],
)
def test_what_was_asked_is_said_where_the_filters_are(
    client: TestClient, folder: Path, query: str, said: str
) -> None:
    put(folder, "a")
    summary = page(client, f"/?{query}").partition("<summary>Filter and sort")[2]
    assert plain(summary.partition("</summary>")[0]).removeprefix(": ") == said


def test_fields_left_empty_are_kept_out_of_the_address(client: TestClient, folder: Path) -> None:
    put(folder, "a")
    sent = "q=+a+&party=&model=&prompt=&outcome=&experiment=&sort=date&order=&agreed_from=&d=a&d=b"
    answer = client.get(f"/?{sent}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=a&d=a&d=b")
    assert client.get("/?party=", follow_redirects=False).headers["location"] == "/"
    assert client.get("/?q=a&d=a&d=b", follow_redirects=False).status_code == 200


def test_nonsense_in_an_address_is_answered_with_a_sentence(client: TestClient) -> None:
    answer = client.get("/?agreed_from=<script>")
    assert answer.status_code == 400
    assert "write a number from 0 on" in answer.text
    assert "<script>" not in answer.text


def test_heads_sort_and_turn_round_and_keep_what_was_asked(
    client: TestClient, folder: Path
) -> None:
    put(folder, "a")
    shown = page(client, "/?q=a&page=1&d=a")
    heads = re.findall(r'<a class="sort carries" href="([^"]*)">([^<]*)', shown)
    asked = {
        plain(label): dict(parse_qsl(urlsplit(html.unescape(to)).query)) for to, label in heads
    }
    assert asked["Held"] == {"q": "a", "order": "rising", "d": "a"}
    assert asked["Turns"] == {"q": "a", "sort": "turns", "d": "a"}
    assert asked["Debate"] == {"q": "a", "sort": "name", "d": "a"}
    assert 'aria-sort="descending"' in shown
    assert "/?d=a" in links(shown)  # everything again, but for what was chosen
    again = page(client, "/?sort=name")
    (to,) = (
        html.unescape(to)
        for to, label in re.findall(r'class="sort carries" href="([^"]*)">(Debate)', again)
    )
    assert dict(parse_qsl(urlsplit(to).query)) == {"sort": "name", "order": "falling"}


def test_pages_are_linked_and_what_was_chosen_elsewhere_goes_along(
    client: TestClient, folder: Path
) -> None:
    first = put(folder, "d000")
    for number in range(1, PAGE + 20):
        shutil.copy2(first, folder / f"d{number:03}.jsonl")
    shown = page(client, f"/?sort=name&d=d{PAGE + 5:03}&d=gone")
    assert count(shown) == f"{PAGE + 20} of {PAGE + 20} debates, page 1 of 2"
    assert boxes(shown)[0] == f"d{PAGE + 5:03}"
    assert len(boxes(shown)) == PAGE + 1
    assert 'name="page" value="2"' in shown
    nothing = page(client, "/?q=nothing&d=d000&d=d001")
    assert boxes(nothing) == ["d000", "d001"]
    assert 'formaction="/compare"' in nothing
    last = page(client, "/?sort=name&page=99")
    assert boxes(last) == [f"d{number:03}" for number in range(PAGE, PAGE + 20)]
    assert 'name="page" value="1"' in last
    assert 'name="page" value="3"' not in last


def test_what_changes_in_the_folder_is_seen_on_the_next_look(
    client: TestClient, folder: Path
) -> None:
    assert "Nothing here yet" in page(client)
    path = put(folder, "a", cut=60)
    assert "unfinished" in rows(page(client))[0]
    put(folder, "a")
    assert "8 of 12 agreed" in rows(page(client))[0]
    score(path)
    assert "not scored" not in rows(page(client))[0]
    path.unlink()
    assert "Nothing here yet" in page(client)


def test_a_debate_that_is_held_here_or_written_a_moment_ago_is_marked(
    client: TestClient, folder: Path, desk: Desk
) -> None:
    put(folder, "here", cut=60)
    os.utime(put(folder, "recent", cut=60))
    put(folder, "left", cut=60)
    desk.under_way["here"] = None  # type: ignore[assignment]
    here, left, recent = rows(page(client, "/?sort=name"))
    desk.under_way.clear()
    assert "under way" in here
    assert "stopped" not in here
    assert "unfinished" in left
    assert "under way, or stopped a moment ago" in recent
    assert boxes(page(client, "/?outcome=under-way")) == ["recent"]


def test_a_broken_file_among_others_breaks_nothing(client: TestClient, folder: Path) -> None:
    put(folder, "good")
    for name, data in (("a", b""), ("b", b"\xff\xfe"), ("c", b"[" * 99_999), ("<i>", b"{}\n")):
        (folder / f"{name}.jsonl").write_bytes(data)
    for sort in SORTS:
        shown = page(client, f"/?sort={sort}&party=&in_line_from=")
        assert len(rows(shown)) == 5
        assert sum("Broken:" in row for row in rows(shown)) == 4
    assert boxes(page(client, "/?outcome=broken")) == []
    assert "<i>" not in shown


ODD = (
    "with space",
    "50%",
    "why?x=1",
    "a#b",
    "a&d=c",
    "q\"uo'te",
    "<b>bold",
    "zero\u200bwidth",
    "é/è",
)


def test_any_name_leads_to_its_debate_and_is_sent_letter_by_letter(folder: Path) -> None:
    for name in ODD:
        put(folder, name)
    with TestClient(build(Desk(folder), rooms=ROOMS), base_url=HOME) as client:
        shown = page(client)
        assert sorted(boxes(shown)) == sorted(ODD)
        leading = {unquote(each) for each in links(shown) if each.startswith("/debates/")}
        assert leading == {f"/debates/{name}" for name in ODD}
        for each in links(shown):
            if each.startswith("/debates/"):  # the file itself comes faster than its page
                assert client.get(each.replace("/debates/", "/transcripts/")).status_code == 200


def test_what_parties_are_called_cannot_break_out_and_can_be_filtered_by(
    client: TestClient, folder: Path
) -> None:
    aged(hostile(folder))
    odd = 'mo\u200bdel" onmouseover="alert(1)<script>'
    put(folder, "odd", models={"us": odd}, prompts={"us": odd})
    shown = page(client)
    assert "<script>alert" not in shown
    assert "</title><script>" not in shown
    assert 'onmouseover="' not in shown
    offered = [html.unescape(each) for each in re.findall(r'<option value="([^"]*)"', shown)]
    assert offered.count(odd) == 2  # letter by letter: as a model and as a prompt
    assert boxes(page(client, Asked(model=odd, prompt=odd).address())) == ["odd"]


SMALL = """
id: small
question: Do more rounds bring more agreement?
setting: geneva-2021
agenda: summit
items: [libya]
seeds: 1
common: {model: reference}
arms: [{id: usual}, {id: five, rules: {rounds: 5}}]
baseline: usual
primary: {metric: agreement/agreement_rate, of: debate, smallest: 0.1}
"""


def an_experiment(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.parent / "small.yaml"
    file.write_text(SMALL)
    run_experiment(file, out=folder)
    return folder


def cards(shown: str) -> list[tuple[str, str]]:
    """Of each experiment its address and its words."""
    listed = shown.partition('<ul class="cards">')[2].partition("</ul>")[0]
    return [
        (links(each)[0], plain(each)) for each in re.findall(r"<li>.*?</li>", listed, re.DOTALL)
    ]


def test_experiments_stand_on_the_shelf_and_their_debates_can_be_told(
    client: TestClient, folder: Path
) -> None:
    put(folder, "alone")
    an_experiment(folder / "sets/first one")
    shown = page(client)
    assert cards(shown) == [
        (
            "/experiments/sets/first%20one",
            "sets/first one Do more rounds bring more agreement? 2 arms, 2 debates, 2 finished",
        )
    ]
    assert client.get(cards(shown)[0][0]).status_code == 200
    assert count(shown) == "3 of 3 debates"
    of_it = page(client, "/?experiment=sets/first+one")
    assert [name.partition(".libya")[0] for name in sorted(boxes(of_it))] == [
        "sets/first one/five", "sets/first one/usual",
    ]  # fmt: skip
    assert boxes(page(client, "/?experiment=-")) == ["alone"]
    assert cards(page(client, "/?q=rounds+agreement")) == cards(shown)
    assert cards(page(client, "/?q=alone")) == []


def test_a_folder_that_is_an_experiment_itself_has_a_card_and_an_address(
    client: TestClient, folder: Path
) -> None:
    an_experiment(folder)
    ((address, words),) = cards(page(client))
    assert address == "/experiments/"
    assert words.startswith(f"{folder.name} Do more rounds")
    assert client.get(address).status_code == 200
    assert len(boxes(page(client, "/?experiment=."))) == 2


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (b"", "declared.jsonl holds no declaration"),
        (b"{oops\n", "declared.jsonl:1: cannot be read"),
        (b"\xff\xfe\n", "declared.jsonl is no text in UTF-8"),
        (b'{"sha":"1"}\n', "declared.jsonl:1: cannot be read"),
    ],
)
def test_a_declaration_that_cannot_be_read_says_so_on_its_card(
    client: TestClient, folder: Path, declared: bytes, said: str
) -> None:
    put(folder, "exp/debate")
    (folder / "exp" / "declared.jsonl").write_bytes(declared)
    shown = page(client)
    ((address, words),) = cards(shown)
    assert said in words
    assert "1 debate, 1 finished" in words
    assert boxes(shown) == ["exp/debate"]
    assert said in client.get(address).text


def test_outcomes_of_the_address_are_those_of_the_page(client: TestClient, folder: Path) -> None:
    put(folder, "a")
    shown = page(client)
    offered = shown.partition('name="outcome"')[2].partition("</select>")[0]
    assert re.findall(r'value="([^"]+)"', offered) == list(OUTCOMES)
