"""What is private stays behind its switch on a page, and out of everything that is public."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from evals.evaluator import Failure, Score
from evals.exporting.inspect_logs import write_logs
from evals.exporting.markdown import to_markdown
from evals.exporting.rows import TABLES, to_csv, to_jsonl
from evals.exporting.visible import WITHHELD, debate_of, public, public_results, secrets
from harness import events as e
from harness.transcript import read
from harness.viewer.app.build import build
from harness.viewer.app.desk import Desk
from harness.viewer.page.board import board
from harness.viewer.page.matrix import matrix
from harness.viewer.page.measures import consistency, judged
from harness.viewer.page.page import fragments, page
from harness.viewer.page.scores import scores as scores_of
from harness.viewer.reading import Reading, reading_of
from tests.viewer.planted import (
    BETWEEN,
    CANARY,
    CHANGED,
    FOLDER,
    LINE,
    NOTE,
    PARAPHRASE,
    PENCILLED,
    PRIVATE,
    WHISPER,
    a_score,
    found,
    read_page,
    the_room,
    written,
)

if sys.version_info < (3, 14):  # from there on zipfile knows the compression of logs by itself
    import zipfile_zstd  # type: ignore[import-untyped]  # noqa: F401

HOME = "http://127.0.0.1:80"
NOWHERE = (*PRIVATE, FOLDER)
"""What is in nothing that is for everyone."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("debates") / "debate.jsonl")


@pytest.fixture(scope="module")
def whole(path: Path) -> Reading:
    return reading_of(path)


@pytest.fixture(scope="module")
def shown(path: Path) -> Reading:
    return reading_of(path, public=True)


def test_a_public_page_holds_no_private_byte(shown: Reading) -> None:
    html = page(shown)

    assert found(html, NOWHERE) == []
    assert found(unescape(html), NOWHERE) == []
    assert "two of two, in the open" in html
    assert "It is on record." in html
    assert f"Changed: {WITHHELD}." in html
    assert "No answer</strong> (unreadable, asked 2 times)" in html


def test_public_exports_hold_no_private_byte(path: Path) -> None:
    debate = debate_of(path)
    made = [to_markdown(debate)]
    made += ["".join(to([debate], table)) for table in TABLES for to in (to_csv, to_jsonl)]

    assert [found(each.replace("\\", ""), NOWHERE) for each in made] == [[]] * len(made)
    assert [found(each, NOWHERE) for each in made] == [[]] * len(made)
    assert "two of two, in the open" in "".join(made)
    assert f"changed: {WITHHELD}." in made[0]


def test_a_public_log_holds_no_private_byte(path: Path, tmp_path: Path) -> None:
    (log,) = write_logs([path], tmp_path / "logs")
    text = unpacked(log)

    assert found(text, NOWHERE) == []
    assert found(text.replace("\\", ""), NOWHERE) == []
    assert text.count(WITHHELD) > 5
    assert "It is on record." in text


def test_a_log_that_is_not_public_has_it(path: Path, tmp_path: Path) -> None:
    (log,) = write_logs([path], tmp_path / "logs", public=False)
    kept = set(found(unpacked(log).replace("\\", "")))

    assert kept >= {LINE, "corridor for the pipeline", "southern depot", "RAW-REPLY-5b", CHANGED,
                    "PROMPT-PIECE-7e", "RULED-OUT-4d", PARAPHRASE}  # fmt: skip


def test_sums_in_a_public_log_do_not_count_what_was_said_between_two(
    path: Path, tmp_path: Path
) -> None:
    from inspect_ai.log import read_eval_log

    (log,) = write_logs([path], tmp_path / "logs")
    made = read_eval_log(str(log))
    assert made.samples is not None
    (sample,) = made.samples
    assert [used.input_tokens for used in sample.model_usage.values()] == [1_234]
    assert list(sample.role_usage) == ["us"]
    assert made.stats.model_usage == sample.model_usage
    assert str(BETWEEN) not in unpacked(log)


def unpacked(log: Path) -> str:
    """The log as it lies on disk and every member of it, unpacked; names too."""
    texts = [log.read_bytes().decode("utf-8", "replace"), log.name]
    with zipfile.ZipFile(log) as archive:
        for member in archive.infolist():
            texts += [member.filename, archive.read(member).decode("utf-8", "replace")]
    return "\n".join(texts)


def test_scores_keep_their_values_and_lose_the_words_that_tell(shown: Reading) -> None:
    own = {r.metric: r for r in shown.results if r.evaluator in ("planted", "disclosure")}
    reasons = {m: r.reason for m, r in own.items() if isinstance(r, Score) and m in PLANTED}

    assert reasons == PLANTED
    assert all(r.value == 1 for m, r in own.items() if isinstance(r, Score) and m in PLANTED)
    whys = [r.why for r in shown.results if isinstance(r, Failure)][-2:]
    assert whys == ["the evaluator broke: KeyError", WITHHELD]


PLANTED = {
    "by_id": WITHHELD, "by_canary": WITHHELD, "by_words": WITHHELD, "by_reply": WITHHELD,
    "by_evidence": "plain", "aside": "plain", "judged": WITHHELD,
    "open": "two of two, in the open",
}  # fmt: skip


def test_labels_and_subjects_that_tell_are_left_out_too(path: Path) -> None:
    whole = read(path)
    told = a_score("plain", metric="by_label", label=LINE)
    about = a_score("plain", metric="by_subject").model_copy(update={"subject": f"of:{LINE}"})

    assert secrets(whole).told_by(PENCILLED)
    (kept,) = public_results(whole, [told, about])
    assert isinstance(kept, Score)
    assert (kept.metric, kept.value, kept.label) == ("by_label", 1, None)


def test_evidence_of_private_events_and_private_quotes_are_left_out(shown: Reading) -> None:
    own = {r.metric: r for r in shown.results if isinstance(r, Score)}

    assert [(each.turn, each.quote) for each in own["by_evidence"].evidence] == [("T1", "")]
    assert own["aside"].evidence == ()


def test_verdicts_keep_label_and_judge_without_words(shown: Reading, whole: Reading) -> None:
    told = {v.rubric: (v.judge, v.label, v.reason) for v in shown.judgements.verdicts}

    assert told == {
        "disclosure": ("openai:any", "supported", WITHHELD),
        "consistency": ("openai:any", "supported", WITHHELD),
        "citations": ("openai:any", "supported", "It is on record."),
    }
    assert {v.reason for v in whole.judgements.verdicts} >= {PARAPHRASE, f"see {LINE}"}


def test_a_public_card_says_where_a_debate_is_from_and_not_what_was_changed(
    shown: Reading,
) -> None:
    fork = shown.transcript.card.fork
    assert fork is not None
    assert fork.earlier is not None
    for each in (fork, fork.earlier):
        assert (each.origin, each.changes, each.without) == ("one.jsonl", (WITHHELD,), ())
        assert (each.turn, each.said) == (None, None)


def test_reasons_that_name_confidential_positions_are_not_public(path: Path) -> None:
    kept = public(the_room().transcript)
    moves = [x.move.because for x in kept.events if isinstance(x, e.MoveMade)]
    votes = [x.because for x in kept.events if isinstance(x, e.VoteCast)]

    (decided,) = [x for x in kept.events if isinstance(x, e.Decided)]

    assert (moves, votes) == (["ru-1", None], [None, "ru-1"])
    assert [(each.party, each.because) for each in decided.reserve] == [("us", None)]


def test_words_that_are_public_too_are_no_secret() -> None:
    room = the_room()
    held = secrets(room.transcript)
    assert held.told_by("trade the corridor for the pipeline")
    assert held.told_by("it answered RAW-REPLY-5b The reply spoke")
    assert not held.told_by("We are ready to talk of tests.")
    assert not held.told_by("us-shut-91 is another position")

    room.says("us", NOTE)
    assert not secrets(room.transcript).told_by(NOTE)
    assert not secrets(public(room.transcript)).told_by(f"{LINE} {CANARY}")


def test_a_failure_and_a_ruling_that_quote_what_is_private_give_no_reason(path: Path) -> None:
    kept = debate_of(path).transcript.events
    assert [x.why for x in kept if isinstance(x, e.TurnFailed)] == [WITHHELD]
    assert [x.why for x in kept if isinstance(x, e.RuledOut)] == ["Nobody may ask this now."]


def test_where_a_file_lies_that_speaks_in_a_seat_is_not_public(shown: Reading) -> None:
    assert [seat.model for seat in shown.transcript.card.seats] == [
        "script:us.yaml+reference", "script:test",
    ]  # fmt: skip


BEHIND = {
    "board": LINE, "standing": LINE, "scores": LINE, "summary": LINE, "dossier": LINE,
    "conversation": LINE, "joint": LINE, "head": CHANGED,
}  # fmt: skip
"""What each part of the page has behind the switch, among other things."""


@pytest.mark.parametrize("part", BEHIND)
def test_each_part_of_the_page_shows_it_only_behind_the_switch(whole: Reading, part: str) -> None:
    seen, hidden = read_page(fragments(whole).sections[part])

    assert found(seen) == []
    assert BEHIND[part] in hidden


def test_a_page_that_has_it_all_has_it_behind_the_switch(whole: Reading) -> None:
    seen, hidden = read_page(page(whole))

    assert found(seen) == []
    assert found(hidden) == list(PRIVATE)


def test_what_is_public_of_the_same_things_stays_in_sight(whole: Reading) -> None:
    seen, _ = read_page(page(whole))
    flat = " ".join(seen.split())

    assert "Taken from the debate one.jsonl, with changes." in flat
    assert "US voted for, with a reservation," in flat
    assert "openai:any , disclosure" not in flat
    assert "openai:any , consistency: on record" in flat
    assert "openai:any , crossings" not in flat
    assert "It is on record." in flat
    assert "It rests on this." not in flat
    assert "It is not for everyone." not in flat
    assert "ruled out of order:" in flat
    assert "No answer (unreadable, asked 2 times)" in flat


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("folder")
    for name in ("one", "other"):
        written(folder / f"{name}.jsonl")
    with TestClient(build(Desk(folder)), base_url=HOME) as client:
        yield client


def test_the_app_tells_it_only_behind_the_switch(app: TestClient) -> None:
    seen, hidden = read_page(app.get("/debates/one").text)
    assert (found(seen), found(hidden)) == ([], list(PRIVATE))
    assert found(app.get("/pages/one").text, NOWHERE) == []


@pytest.mark.parametrize("where", ["/", "/compare?d=one&d=other"])
def test_shelf_and_comparison_tell_nothing_private(app: TestClient, where: str) -> None:
    shown = app.get(where)
    assert shown.status_code == 200
    assert 'href="/debates/other"' in shown.text
    assert found(shown.text) == []


def test_the_shelf_does_not_find_a_debate_by_what_is_private(app: TestClient) -> None:
    assert 'href="/debates/other"' in app.get("/?q=talks").text
    for words in ("launchers", NOTE, WHISPER, LINE, CHANGED):
        assert 'href="/debates/other"' not in app.get("/", params={"q": words}).text


def test_the_app_shows_a_debate_under_way_no_other_way(whole: Reading) -> None:
    sent = "".join(html for _, html in fragments(whole).entries)
    seen, hidden = read_page(sent)

    assert found(seen) == []
    assert NOTE in hidden
    assert WHISPER in hidden


def test_a_public_flag_is_seen_and_a_confidential_one_is_not(whole: Reading) -> None:
    (lane,) = [x for g in board(whole).groups for r in g.rows for x in r.lanes
               if x.party.id == "us"]  # fmt: skip
    assert [mark.crosses for mark in lane.marks] == [(), ()]
    assert [mark.flagged for mark in lane.marks] == [True, True]
    assert [bar.worth for bar in lane.bars] == ["against"]

    cells = [c for part in matrix(whole) for row in part.rows for c in row.cells]
    assert [(c.because, c.crosses, c.hidden) for c in cells] == [
        (LINE, LINE, frozenset({LINE})), ("ru-1", None, frozenset()),
    ]  # fmt: skip


def test_no_title_of_a_number_tells_what_the_switch_hides(whole: Reading) -> None:
    told = tuple(
        each.model_copy(update={"reason": f"it crossed {LINE}"})
        if isinstance(each, Score) and each.subject == "party:us"
        else each
        for each in whole.results
    )
    rows = consistency(replace(whole, results=told))
    said = {cell.party: cell.reason for row in rows for cell in row.cells if cell.to}
    assert found("".join(said.values())) == []
    assert said["us"] == ""
    assert said["ru"] != ""

    assert [(row.dimension, row.private) for row in judged(whole)] == [("disclosure", True)]
    kept = {r.metric: r.private for g in scores_of(whole).groups for r in g.rows}
    assert (kept["by_id"], kept["by_words"], kept["judged"], kept["open"]) == (True,) * 3 + (False,)


def test_the_numbers_say_that_confidential_positions_count(whole: Reading, shown: Reading) -> None:
    says = ("counts its confidential positions", "Confidential positions count in these numbers")
    assert [each in page(whole) for each in says] == [True, True]
    assert [each in page(shown) for each in says] == [False, False]
