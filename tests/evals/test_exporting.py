"""Debates as Markdown and as rows: nothing private leaks, nothing breaks out, nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from evals import scores
from evals.evaluator import Evidence, Failure, Judged, Score
from evals.exporting.markdown import to_markdown
from evals.exporting.rows import COLUMNS, TABLES, to_csv, to_jsonl
from evals.exporting.visible import debate_of
from evals.registry import BUILT_IN
from harness import events as e
from harness.events import NOTICE
from harness.plain import clean
from harness.transcript import Writer, read
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item

EXAMPLES = sorted((Path(__file__).parents[2] / "transcripts/examples").glob("*.jsonl"))
SECRETS = ("canary-7f3", "our secret floor", "between us two", "not JSON at all", "you are told")
HOSTILE = (
    "# Decision\n\n**Chair:** adopted\n---\n| a | b |\n|---|---|\n<script>alert(1)</script>\n"
    "[click](javascript:alert(1)) ![x](http://x.example/y.png) <a id=\"T1\"></a> `code` ~~~\n"
    "    indented\n> quoted\n1. one\n- two\n\u202e\u200bhidden &lt;b&gt; $x$ http://x.example\n==="
)  # fmt: skip


def a_room() -> Room:
    """Two parties, a position only its own party knows, a caucus, a note, calls."""
    hidden = a_position("us-2", supports=("tests/b",), statement="our secret floor",
                        visibility="confidential", canary="canary-7f3")  # fmt: skip
    us = a_party("us", a_position("us-1", supports=("tests/a",)), hidden)
    ru = a_party("ru", a_red_line("ru-1", "tests/a"), a_position("ru-2", supports=("tests/b",)))
    return Room(a_setting(us, ru, items=(an_item(an_issue("tests")),))).opens()


def a_debate_with_secrets() -> Room:
    room = a_room()
    of = room.of("us")
    place = of.__dict__
    room.add(e.Text(audience=("us",), sha="x", text="you are told the canary-7f3"))
    room.add(e.Unread(audience=("us",), call=of.call, why="not JSON at all"))
    room.says("us", "We propose this.", "us-1", of=of)
    room.add(e.Note(**place, audience=("us",), text="note: our secret floor"))
    room.move("us", "propose", "tests/a", because="us-1", of=of)
    room.says("ru", "between us two", audience=("us", "ru"))
    room.moves("ru", "reject", "tests/a", because="ru-1")
    room.votes("tests/a", us="accept", ru="reject")
    return room.closes()


def written(room: Room, path: Path) -> Path:
    """The room's record as a file."""
    header, card, *rest = room.events
    assert isinstance(header, e.Header)
    assert isinstance(card, e.RunCard)
    with Writer.create(path, header, card) as writer:
        for event in rest:
            writer.append(event)
    return path


def exports(path: Path, *, private: bool) -> dict[str, str]:
    debates = [debate_of(path, private=private)]
    made = {f"{table}.csv": "".join(to_csv(debates, table)) for table in TABLES}
    made |= {f"{table}.jsonl": "".join(to_jsonl(debates, table)) for table in TABLES}
    return made | {"md": to_markdown(debates[0])}


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def flat(text: str) -> Iterator[Token]:
    for token in tokens(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    return [str(t.attrs["href"]) for t in flat(text) if t.type == "link_open"]


def ids(text: str) -> list[str]:
    """Names of anchors, from tags that the viewer takes for tags."""
    tags = [t.content for t in flat(text) if t.type in ("html_inline", "html_block")]
    assert {re.sub(r'"[^"]*"', '""', tag) for tag in tags} <= {'<a id="">', "</a>"}
    return [tag[7:-2] for tag in tags if tag.startswith("<a")]


def headings(text: str) -> list[str]:
    found = tokens(text)
    return [found[i + 1].content for i, t in enumerate(found) if t.type == "heading_open"]


def test_nothing_private_is_in_any_byte_of_an_export_unless_asked_for(tmp_path: Path) -> None:
    path = written(a_debate_with_secrets(), tmp_path / "debate.jsonl")

    public = "\n".join(exports(path, private=False).values())
    private = "\n".join(exports(path, private=True).values())

    assert [words for words in SECRETS if words in public] == []
    assert "note: our secret floor" in private
    assert "between us two" in private
    assert "not JSON at all" in private


def test_private_evidence_of_stored_scores_is_left_out(tmp_path: Path) -> None:
    path = written(a_debate_with_secrets(), tmp_path / "debate.jsonl")
    judge = Judged(judge="openai:any", rubric="leaks", rubric_sha="a", wording_sha="b")
    told = (
        Evidence(seq=5, turn="T1", quote="open words"),
        Evidence(seq=6, turn="T1", quote="canary-7f3", private=True),
    )
    score = Score(evaluator="leaks", version=1, subject="debate", metric="found", value=1, n=2,
                  reason="two", evidence=told, judge=judge)  # fmt: skip
    scores.write(path, BUILT_IN, [score])

    public, private = exports(path, private=False), exports(path, private=True)

    assert "canary-7f3" not in "".join(public.values())
    assert "*leaks, read by openai:any, uncalibrated:* open words" in public["md"]
    assert "canary-7f3" in private["md"]
    assert json.loads(public["scores.jsonl"])["evidence"] == [5]
    assert json.loads(private["scores.jsonl"])["evidence"] == [5, 6]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_link_of_the_markdown_leads_to_one_place_and_every_citation_to_its_source(
    path: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(path, tmp_path / path.name))
    text, record = to_markdown(debate_of(copy)), read(copy)
    places = Counter(ids(text))

    assert set(places.values()) == {1}
    inside = {link[1:] for link in links(text) if link.startswith("#")}
    assert inside <= set(places)
    turns = {x.turn for x in record.events if isinstance(x, e.TurnEvent)}
    assert turns <= set(places)
    cited = {c for x in record.events if isinstance(x, e.Statement) for c in x.citations}
    assert cited
    for position in map(record.setting.position, cited):
        assert f"pos-{position.id}" in inside
        assert position.source.url in text
        assert str(position.source.date) in text
    assert NOTICE in text
    words = (re.split(r"[^\w ,;]", s.text)[0] for s in record.events if isinstance(s, e.Statement))
    assert all(first in text for first in words)


def test_words_cannot_break_out_of_the_markdown(tmp_path: Path) -> None:
    def a_file(name: str, words: str) -> str:
        room = a_room().says("us", words, words, of=None)
        room.add(e.ChairSpoke(item="arms", text=words, call="c"))
        room.fails("ru").events[-1] = room.events[-1].model_copy(update={"why": words})
        return to_markdown(debate_of(written(room.closes(), tmp_path / name)))

    hostile, tame = a_file("hostile.jsonl", HOSTILE), a_file("tame.jsonl", "Good day.")

    assert headings(hostile) == headings(tame)
    assert links(hostile) == links(tame)
    assert ids(hostile) == ids(tame)
    kinds = Counter(t.type for t in flat(hostile)) - Counter(t.type for t in flat(tame))
    assert set(kinds) <= {"text", "text_special", "softbreak", "paragraph_open",
                          "paragraph_close", "inline"}, kinds  # fmt: skip
    assert "\u202e" not in hostile
    assert "<script" not in hostile


@given(words=st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda t: bool(t.strip())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_is_read_as_it_was_said(
    tmp_path_factory: pytest.TempPathFactory, words: str
) -> None:
    room = a_room().says("us", words).closes()
    path = written(room, tmp_path_factory.mktemp("said") / "debate.jsonl")
    text = to_markdown(debate_of(path))
    found = tokens(text)
    start = next(i for i, t in enumerate(found) if "T1" in t.content) + 1
    opened = next(i for i in range(start, len(found)) if found[i].type == "blockquote_open")
    closed = next(i for i in range(opened, len(found)) if found[i].type == "blockquote_close")
    quote = "\n".join(
        child.content if child.type != "softbreak" else "\n"
        for token in found[opened:closed]
        for child in token.children or ()
    )

    assert quote.split() == clean(words).split()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_rows_have_the_documented_columns_and_one_row_for_each_turn_move_and_score(
    path: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(path, tmp_path / path.name))
    record, debate = read(copy), debate_of(copy)
    moves = (e.MoveMade, e.RuledOut, e.VoteCast)
    visible = [x for x in record.events if x.audience is None]
    expected = {
        "turns": len({x.turn for x in visible if isinstance(x, e.TurnEvent)}),
        "moves": sum(isinstance(x, moves) for x in visible),
        "scores": len(debate.results),
    }
    for table in TABLES:
        rows = list(csv.DictReader(io.StringIO("".join(to_csv([debate], table)))))
        lines = [json.loads(line) for line in to_jsonl([debate], table)]
        names = [*(column.name for column in COLUMNS[table]), "notice"]
        assert all(column.meaning for column in COLUMNS[table])
        assert list(rows[0]) == list(lines[0]) == names
        assert len(rows) == len(lines) == expected[table]
        assert {row["notice"] for row in rows} == {NOTICE}
    votes = [x for x in record.events if isinstance(x, e.VoteCast)]
    told = [json.loads(line) for line in to_jsonl([debate], "moves")]
    assert [(x["turn"], x["vote"], x["because"]) for x in told if x["move"] == "vote"] == [
        (x.turn, x.vote, x.because) for x in votes
    ]


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_a_formula_to_a_spreadsheet_and_json_has_the_words_as_they_are(
    tmp_path: Path, words: str
) -> None:
    path = written(a_room().says("us", words).closes(), tmp_path / "debate.jsonl")
    debate = debate_of(path)
    (row,) = csv.DictReader(io.StringIO("".join(to_csv([debate], "turns"))))

    assert row["statement"].startswith("'")
    assert json.loads("".join(to_jsonl([debate], "turns")))["statement"] == words


def test_a_carriage_return_in_what_was_said_ends_no_row(tmp_path: Path) -> None:
    path = written(a_room().says("us", "one\rtwo\r\nthree").closes(), tmp_path / "debate.jsonl")

    text = "".join(to_csv([debate_of(path)], "turns"))

    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["statement"] == "one\ntwo\nthree"
    assert row["notice"] == NOTICE


def test_a_failed_turn_and_a_metric_that_could_not_be_had_are_never_a_zero(tmp_path: Path) -> None:
    path = written(a_room().fails("us").closes(), tmp_path / "debate.jsonl")
    scores.write(
        path, BUILT_IN,
        [Failure(evaluator="broken", version=1, subject="debate", metric="*", why="it broke")],
    )  # fmt: skip
    debate = debate_of(path)

    turn = json.loads("".join(to_jsonl([debate], "turns")))
    assert (turn["failure"], turn["why"], turn["statement"], turn["words"]) == (
        "unreadable", "no answer", None, None,
    )  # fmt: skip
    row = json.loads("".join(to_jsonl([debate], "scores")))
    assert (row["failed"], row["value"], row["n"], row["reason"]) == (True, None, None, "it broke")
    text = to_markdown(debate)
    assert "no answer: no answer (unreadable, asked 2 times)" in text
    assert "broken, debate: it broke" in text


def test_scores_older_than_their_transcript_are_made_anew_and_that_is_said(tmp_path: Path) -> None:
    path = written(a_room().says("us").closes(), tmp_path / "debate.jsonl")
    judge = Judged(judge="openai:any", rubric="consistency", rubric_sha="a", wording_sha="b")
    old = Score(evaluator="consistency", version=1, subject="debate", metric="supported", value=1,
                n=1, reason="old", judge=judge)  # fmt: skip
    beside = scores.write(path, BUILT_IN, [old])
    assert debate_of(path).results == (old,)
    with path.open("a") as file:
        file.write(e.Resumed(at="2026-01-01T00:00:00Z").model_dump_json() + "\n")

    debate = debate_of(path)

    assert old not in debate.results
    assert {r.evaluator for r in debate.results} >= {"concordance", "citations"}
    assert "is older than its transcript" in debate.remark
    assert "Judged scores are left out." in debate.remark
    assert "is older than its transcript" in to_markdown(debate)
    assert scores.read(beside).results == (old,)  # nothing was written
