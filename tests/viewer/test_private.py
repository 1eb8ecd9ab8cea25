"""What is private stays behind its switch on a page, and out of everything that is public."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals import scores
from evals.evaluator import Evidence, Failure, Judged, Result, Score, evaluate
from evals.exporting.inspect_logs import write_logs
from evals.exporting.markdown import to_markdown
from evals.exporting.rows import TABLES, to_csv, to_jsonl
from evals.exporting.visible import WITHHELD, debate_of, public, secrets
from evals.judging import files
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.registry import BUILT_IN
from harness import events as e
from harness.parts import Fork, Said
from harness.transcript import Transcript, Writer
from harness.viewer.page.board import board
from harness.viewer.page.matrix import matrix
from harness.viewer.page.measures import consistency, judged
from harness.viewer.page.page import fragments, page
from harness.viewer.page.scores import scores as scores_of
from harness.viewer.reading import Reading, reading_of
from tests.evals.room import (
    Room,
    a_party,
    a_position,
    a_red_line,
    a_setting,
    an_issue,
    an_item,
)

LINE, CANARY = "us-shut-9", "CANARY-51fe"
STATEMENT = "Our floor is seventy launchers and never a single one fewer."
NOTE = "Remember to trade the corridor for the pipeline tomorrow."
ASIDE = "Between ourselves we would swallow the northern inspections."
UNREAD = "The reply spoke of GARBLED-3c instead of an answer."
CHANGED = "FORK-CHANGE-8d"
BROKEN = "BROKEN-ON-6a"
PARAPHRASE = "PARAPHRASE-2b"
PRIVATE = (LINE, CANARY, "seventy launchers", "corridor for the pipeline", "northern inspections",
           "GARBLED-3c", CHANGED, BROKEN, PARAPHRASE)  # fmt: skip
"""What each piece of what is private can be known by."""
IN_THE_PAGE = (LINE, CANARY, "seventy launchers", "corridor for the pipeline",
               "northern inspections")  # fmt: skip
VOID = {"meta", "link", "br", "img", "input", "hr", "col", "wbr", "source"}


def the_room() -> Room:
    """A party accepts what its confidential red line forbids, notes why, and meets in private."""
    hidden = a_red_line(LINE, "tests/a").model_copy(
        update={"statement": f"{STATEMENT} {CANARY}", "visibility": "confidential",
                "canary": CANARY}
    )  # fmt: skip
    us = a_party("us", a_position("us-1", supports=("tests/b",)), hidden)
    ru = a_party("ru", a_position("ru-1", supports=("tests/a",)))
    room = Room(a_setting(us, ru, items=(an_item(an_issue("tests")),))).opens()
    room.says("us", "We are ready to talk of tests.", "us-1")
    of = room.of("us")
    room.add(e.Unread(audience=("us",), call=of.call, why=UNREAD))
    room.says("us", "We can live with this.", of=of)
    room.add(e.Note(**of.__dict__, audience=("us",), text=NOTE))
    room.says("ru", ASIDE, audience=("us", "ru"))
    room.moves("ru", "propose", "tests/a", because="ru-1")
    room.moves("us", "accept", "tests/a", because=LINE)
    room.tables("tests/a")
    room.vote("us", "tests", "accept", because=LINE)
    room.vote("ru", "tests", "accept", because="ru-1")
    return room.decides("tests").closes()


def forked(events: list[e.Event]) -> list[e.Event]:
    said = Said(party="us", call="c", text=ASIDE, note=NOTE)
    aside = next(x.turn for x in events if isinstance(x, e.Statement) and x.audience)
    fork = Fork(origin="one.jsonl", origin_sha="0", turn=aside, said=said,
                changes=(f"{CHANGED} {NOTE}",), without=(LINE,))  # fmt: skip
    earlier = fork.model_copy(update={"turn": "T1"})
    fork = fork.model_copy(update={"earlier": earlier})
    return [
        event.model_copy(update={"fork": fork}) if isinstance(event, e.RunCard) else event
        for event in events
    ]


def a_score(reason: str, *evidence: Evidence, metric: str, **more: object) -> Score:
    given = {"evaluator": "planted", "version": 1, "subject": "party:us", "value": 1, "n": 2}
    return Score.model_validate(
        given | {"metric": metric, "reason": reason, "evidence": evidence} | more
    )


def planted(events: list[e.Event]) -> list[Result]:
    judge = Judged(judge="openai:any", rubric="disclosure", rubric_sha="a", wording_sha="b")
    said = next(x for x in events if isinstance(x, e.Statement))
    aside = next(x for x in events if isinstance(x, e.Statement) and x.audience)
    return [
        a_score(f"it crossed {LINE}", metric="by_id"),
        a_score(f"it said {CANARY}", metric="by_canary"),
        a_score("it wrote: trade the corridor for the pipeline", metric="by_words"),
        a_score("it wrote GARBLED-3c instead of an answer.", metric="by_reply"),
        a_score("plain", Evidence(seq=said.seq, turn="T1", quote=LINE), metric="by_evidence"),
        a_score("plain", Evidence(seq=aside.seq, turn=aside.turn, quote=ASIDE), metric="aside"),
        a_score(PARAPHRASE, metric="judged", evaluator="disclosure", judge=judge),
        a_score("two of two, in the open", metric="open"),
        Failure(evaluator="worse", version=1, subject="debate", metric="*",
                why=f"the evaluator broke: KeyError: {BROKEN}"),
        Failure(evaluator="worst", version=1, subject="debate", metric="*", why=f"no {LINE}"),
    ]  # fmt: skip


def judgements(events: list[e.Event]) -> Judgements:
    said = next(x for x in events if isinstance(x, e.Statement))
    claim = Claim(id="T1.1.1", seq=said.seq, turn=said.turn, party="us", item="arms", start=0,
                  end=10, sentence=said.text[:10], text="Ready.", type="position")  # fmt: skip

    def verdict(rubric: str, reason: str) -> Verdict:
        return Verdict(
            judge="openai:any", rubric=rubric, unit=claim.id, party="us", item="arms",
            seqs=(said.seq,), turn=said.turn, label="supported", reason=reason,
        )  # fmt: skip

    verdicts = (verdict("disclosure", PARAPHRASE), verdict("consistency", f"see {LINE}"),
                verdict("citations", "It is on record."))  # fmt: skip
    return Judgements(asked=("openai:any",)).with_records((claim, *verdicts))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("debates") / "debate.jsonl")


def written(where: Path) -> Path:
    """The debate with its scores and judgements beside it."""
    events = forked(the_room().events)
    header, card, *rest = events
    assert isinstance(header, e.Header)
    assert isinstance(card, e.RunCard)
    with Writer.create(where, header, card) as writer:
        for event in rest:
            writer.append(event)
    made = evaluate(Transcript(tuple(events)), BUILT_IN)
    scores.write(where, BUILT_IN, [*made, *planted(events)])
    files.write(where, judgements(events))
    return where


@pytest.fixture(scope="module")
def whole(path: Path) -> Reading:
    return reading_of(path)


@pytest.fixture(scope="module")
def shown(path: Path) -> Reading:
    return reading_of(path, public=True)


class Open(HTMLParser):
    """What of a page is seen while the private layer is off: words, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[tuple[str, bool]] = []
        self.seen, self.hidden = list[str](), list[str]()

    @property
    def off(self) -> bool:
        return any(private for _, private in self.path)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        private = "private" in (given.get("class") or "").split()
        to = self.hidden if self.off or private else self.seen
        to.extend(value for value in given.values() if value)
        if tag not in VOID:
            self.path.append((tag, private))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.path.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.path and self.path.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        (self.hidden if self.off else self.seen).append(data)


def read_page(html: str) -> tuple[str, str]:
    """What is seen at first, and what the switch adds."""
    parser = Open()
    parser.feed(html)
    return "\n".join(parser.seen), "\n".join(parser.hidden)


def found(text: str, what: tuple[str, ...] = PRIVATE) -> list[str]:
    return [each for each in what if each in text]


def test_a_public_page_holds_no_private_byte(shown: Reading) -> None:
    html = page(shown)

    assert found(html) == []
    assert "two of two, in the open" in html
    assert "It is on record." in html


def test_public_exports_hold_no_private_byte(path: Path) -> None:
    debate = debate_of(path)
    made = [to_markdown(debate)]
    made += ["".join(to([debate], table)) for table in TABLES for to in (to_csv, to_jsonl)]

    assert [found(each) for each in made] == [[]] * len(made)
    assert "two of two, in the open" in "".join(made)


def test_a_public_log_of_planted_scores_holds_no_private_byte(tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    path = written(tmp_path / "debate.jsonl")

    files.judgements_path(path).unlink()
    (log,) = write_logs([path], tmp_path / "logs")

    assert found(read_eval_log(str(log)).model_dump_json()) == []


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
    assert (fork.origin, fork.changes, fork.without, fork.said) == ("one.jsonl", (), (), None)
    assert (fork.earlier.changes, fork.earlier.without, fork.earlier.said) == ((), (), None)


def test_reasons_that_name_confidential_positions_are_not_public(path: Path) -> None:
    kept = public(the_room().transcript)
    moves = [x.move.because for x in kept.events if isinstance(x, e.MoveMade)]
    votes = [x.because for x in kept.events if isinstance(x, e.VoteCast)]

    assert (moves, votes) == (["ru-1", None], [None, "ru-1"])


def test_words_that_are_public_too_are_no_secret() -> None:
    room = the_room()
    held = secrets(room.transcript)
    assert held.told_by("trade the corridor for the pipeline")
    assert not held.told_by("We are ready to talk of tests.")
    assert not held.told_by("us-shut-91 is another position")

    room.says("us", NOTE)
    assert not secrets(room.transcript).told_by(NOTE)
    assert not secrets(public(room.transcript)).told_by(f"{LINE} {CANARY}")


SECTIONS = ("board", "standing", "scores", "summary", "dossier", "calls")


@pytest.mark.parametrize("section", SECTIONS)
def test_board_standing_and_scores_show_it_only_behind_the_switch(
    whole: Reading, section: str
) -> None:
    seen, hidden = read_page(fragments(whole).sections[section])

    assert found(seen) == []
    assert LINE in hidden or section == "calls"


def test_a_page_that_has_it_all_has_it_behind_the_switch(whole: Reading) -> None:
    _, hidden = read_page(page(whole))

    assert found(hidden, IN_THE_PAGE) == list(IN_THE_PAGE)


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
