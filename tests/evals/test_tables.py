from __future__ import annotations

from collections.abc import Iterator

from evals.evaluator import Marker, Result, Score, evaluate, evaluator
from evals.registry import BUILT_IN
from evals.tables import ConsistencyRow, Tables, show, tables, to_markdown
from harness.setting import Rules
from harness.transcript import Transcript
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting


def row(made: Tables, party: str) -> ConsistencyRow:
    return next(r for r in made.consistency if r.party == party)


def test_the_agreement_table_says_what_became_of_each_issue_and_what_could_have() -> None:
    room = half_agreed()
    scope, talks = tables(room.transcript).agreement
    assert (scope.outcome, scope.label, scope.accepted_by, scope.rejected_by) == (
        "bracketed", "scope a", ("us",), ("ru",),
    )  # fmt: skip
    assert [(b.option, b.holders) for b in scope.brackets] == [("a", ("us",))]
    assert scope.seq is not None
    assert room.events[scope.seq].kind == "decision"
    assert (scope.zopa, scope.best, scope.random) == ((), "scope/b", 0)
    assert (talks.outcome, talks.option, talks.accepted_by) == ("adopted", "a", ("us", "ru"))
    assert (talks.zopa, talks.best, talks.random) == (("talks/a",), "talks/a", 0.5)


def test_the_consistency_table_holds_scores_with_their_denominators() -> None:
    made = tables(half_agreed().transcript)
    ru = row(made, "ru")
    assert show(ru.in_line) == "2/2 [0.34, 1.00]"
    assert show(ru.always_accept) == "1/2"
    assert show(ru.crossed) == "0/1 [0.00, 0.79]"
    assert show(ru.citations) == "1/1 [0.21, 1.00]"
    assert show(ru.coverage) == "1/5"
    assert show(ru.satisfaction) == "0.25 (n=2)"
    assert show(row(made, "us").crossed) == "none"
    assert made.failures == ()


def test_a_missing_vote_shows_as_unscored() -> None:
    room = Room(two_party_setting()).opens().votes("scope/a", us="accept", ru=None)
    assert show(row(tables(room.transcript), "ru").in_line) == "none (0, 1 unscored)"
    assert show(row(tables(room.transcript), "ru").failed) == "1/1 [0.21, 1.00]"


@evaluator("concordance", version=9)
def broken(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    raise RuntimeError("no luck")


def test_a_broken_evaluator_leaves_failed_cells_and_every_party_in_the_table() -> None:
    others = [each for each in BUILT_IN if each.name != "concordance"]
    made = tables(half_agreed().transcript, evaluators=(broken, *others))
    assert [r.party for r in made.consistency] == ["us", "ru"]
    assert [show(r.in_line) for r in made.consistency] == ["failed", "failed"]
    assert show(row(made, "ru").crossed) == "0/1 [0.00, 0.79]"
    assert "concordance, debate: the evaluator broke: RuntimeError: no luck" in to_markdown(made)


def test_cells_are_joined_by_name_whatever_the_order_of_the_results() -> None:
    transcript = half_agreed().transcript
    results = evaluate(transcript, BUILT_IN)
    assert tables(transcript, results) == tables(transcript, reversed(results))


def test_what_no_evaluator_tried_is_not_scored() -> None:
    made = tables(half_agreed().transcript, results=())
    assert show(row(made, "us").in_line) == "not scored"


def test_markdown_carries_the_notice_both_tables_and_the_baselines() -> None:
    text = to_markdown(tables(half_agreed().transcript))
    assert "Simulated debate between language-model delegations." in text
    assert "Issues adopted: 1/2." in text
    assert "| Talks | adopted | a: talks a | us, ru |" in text
    assert "acceptable to all on 25% of the issues in expectation" in text
    assert "2 of 2 issues would be adopted" in text
    assert "The record ends" not in text
    widths = {line.count(" | ") for line in text.splitlines() if line.startswith("| Scope")}
    assert widths == {12}


def test_markdown_says_when_the_talks_were_not_closed() -> None:
    assert "The record ends before the talks were closed." in to_markdown(
        tables(Room(two_party_setting()).opens().transcript)
    )


def test_text_from_a_setting_cannot_break_out_of_a_cell() -> None:
    room = half_agreed(rules=Rules(decision="veto", vetoes=("ru",)))
    made = tables(room.transcript)
    evil = "x | <script> `rm`\n| y"
    hurt = type(made)(**{**made.__dict__, "debate": evil})
    assert to_markdown(hurt).splitlines()[0] == "# x \\| \\<script> \\`rm\\` \\| y"


def test_a_score_without_hits_is_shown_with_its_n() -> None:
    mark = Marker("x", 1)
    assert show(mark.score("debate", "m", 3, "r", n=4, unscored=1)) == "3 (n=4, 1 unscored)"
    assert isinstance(mark.failure("debate", "m", "why"), object)
    assert show(mark.failure("debate", "m", "why")) == "failed"
    assert isinstance(mark.mean("debate", "m", [0.5], "r"), Score)
