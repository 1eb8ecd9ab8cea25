"""Hand-made debates against a hand-made history: every number worked out beforehand."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser
from typing import Literal

import pytest

from evals.backtest.history import History, NotScored, Outcome, Reading
from evals.backtest.page import to_html
from evals.backtest.report import backtest
from evals.backtest.shapes import IssueResult, IssueRow, Report, SystemRow
from evals.backtest.simulated import Run, Simulated, run_of, told_apart
from evals.backtest.words import to_markdown, verdicts
from harness import events as e
from harness.errors import UserError
from harness.parts import Bracket
from harness.setting import Rules, Setting, Source
from harness.transcript import Transcript
from tests.evals.room import Room, a_party, a_setting, an_issue, an_item

ISSUES = ("arms", "bases", "cyber", "debts")


def talks(rules: Rules | None = None) -> Setting:
    """Four issues with two options each, one item."""
    item = an_item(*(an_issue(issue) for issue in ISSUES))
    return a_setting(a_party("us"), a_party("ru"), items=(item,), rules=rules)


def was(
    issue: str,
    option: str,
    level: Literal["agreed", "partial", "not_agreed"],
    *,
    horizon: Literal["summit", "after"] = "summit",
    evidence: Literal["text", "account", "silence"] = "account",
    held: tuple[str, str] | None = None,
    what: str = "It came about.",
    title: str = "A report",
) -> Outcome:
    return Outcome(
        item="arms",
        issue=issue,
        outcome_option=option,
        level=level,
        horizon=horizon,
        evidence=evidence,
        what=what,
        brackets=(Bracket(option=held[0], holders=(held[1],)),) if held else (),
        source=Source(
            title=title, publisher="A paper", date=date(2021, 6, 17), tier="press",
            url="https://example.org/report",
        ),
    )  # fmt: skip


HISTORY = History(
    setting="talks",
    outcomes=(
        was("arms", "a", "agreed"),
        was("bases", "b", "not_agreed", held=("b", "ru")),
        was("cyber", "b", "partial"),
        was("cyber", "a", "agreed", horizon="after", what="Later it was settled."),
    ),
)
"""Agreed; not agreed because of Russia; agreed in part; of debts nothing is known."""


def debate(
    *outcomes: tuple[str, str], rules: Rules | None = None, model: str = "local", seed: int = 1
) -> Transcript:
    """A finished debate: (`arms/a`, `adopt`), or who holds the text against the other side."""
    room = Room(talks(rules), rules).opens()
    for key, how in outcomes:
        if how in ("us", "ru"):
            room.moves(how, "propose", key)
    for key, how in outcomes:
        if how == "adopt":
            room.votes(key, us="accept", ru="accept")
        elif how == "lost":
            room.votes(key, us="accept", ru=None)
        else:
            room.votes(key, **{p: "accept" if p == how else "reject" for p in ("us", "ru")})
    room.closes()
    return by(Transcript(tuple(room.events)), model, seed)


def by(transcript: Transcript, model: str, seed: int = 1, **changes: object) -> Transcript:
    card = transcript.card
    seats = tuple(
        seat.model_copy(update={"model": model, "prompt": "dossier", **changes})
        for seat in card.seats
    )
    card = card.model_copy(update={"seats": seats, "seed": seed})
    return Transcript((transcript.events[0], card, *transcript.events[2:]))


def report(
    *transcripts: Transcript,
    reference: tuple[Transcript, ...] = (),
    reading: Reading | None = None,
    history: History = HISTORY,
) -> Report:
    setting = talks()
    runs = told_apart(run_of(each, setting) for each in transcripts)
    base = [run_of(each, setting) for each in reference]
    return backtest(setting, history, runs, base, reading or Reading(), "given")


def row(made: Report, issue: str) -> IssueRow:
    return next(each for each in made.issues if each.issue == issue)


def result(made: Report, issue: str) -> IssueResult:
    (only,) = row(made, issue).systems
    return only


ALL_RIGHT = (("arms/a", "adopt"), ("bases/b", "ru"), ("cyber/b", "adopt"), ("debts/a", "adopt"))


# Scores.


def test_a_debate_that_ends_as_history_did_has_no_loss_and_the_right_reasons() -> None:
    made = report(debate(*ALL_RIGHT))
    system = made.systems[0]
    assert (system.issues, system.brier, system.right) == (3, 0.0, 3)
    assert (system.same_reason, system.reasons) == (3, 3)
    assert (system.cells, system.unscored) == (3, 0)


def test_the_distribution_over_runs_is_counted_and_scored() -> None:
    other = (("arms/b", "adopt"), *ALL_RIGHT[1:])
    none = (("arms/a", "ru"), *ALL_RIGHT[1:])
    made = report(
        debate(*ALL_RIGHT, seed=1), debate(*ALL_RIGHT, seed=2), debate(*other, seed=3),
        debate(*none, seed=4),
    )  # fmt: skip
    arms = result(made, "arms")
    assert [(s.outcome, s.count) for s in arms.shares] == [("a", 2), ("b", 1), ("none", 1)]
    assert arms.brier == pytest.approx(0.5**2 + 0.25**2 + 0.25**2)
    assert arms.log == pytest.approx(0.7884573603642703)  # -ln(2.5 / 5.5)
    assert arms.verdict == "wrong"  # half the runs are not most of them
    assert made.systems[0].brier == pytest.approx(0.375 / 3)
    assert (made.systems[0].runs, made.systems[0].distinct) == (4, 3)


def test_base_rates_are_scored_on_the_same_issues() -> None:
    made = report(debate(*ALL_RIGHT), reference=(debate(*ALL_RIGHT, model="reference"),))
    briers = {base.base: base.brier for base in made.bases}
    # Of three issues two were agreed; each has two options.
    assert briers["nothing"] == pytest.approx(4 / 3)
    assert briers["everything"] == pytest.approx((0.5 + 0.5 + 1.5) / 3)
    assert briers["anything"] == pytest.approx(2 / 3)
    assert briers["reference"] == 0.0
    against = {each.base: each.paired for each in made.systems[0].against}
    assert against["nothing"].mean == pytest.approx(-4 / 3)
    assert (against["nothing"].better, against["nothing"].worse) == (2, 0)
    assert against["reference"].mean == 0.0
    assert against["nothing"].p is None  # three issues cannot show anything at 5 %


def test_what_came_later_is_shown_and_not_scored() -> None:
    made = report(debate(*ALL_RIGHT))
    assert [o.what for o in row(made, "cyber").later] == ["Later it was settled."]
    assert row(made, "cyber").right == ("b",)


def test_an_issue_without_outcome_at_the_summit_is_not_scored_and_says_so() -> None:
    made = report(debate(*ALL_RIGHT))
    debts = row(made, "debts")
    assert debts.not_scored == "no outcome at the summit is documented"
    assert (debts.systems[0].brier, debts.systems[0].verdict) == (None, "unscored")
    assert debts.systems[0].shares[0].count == 1


# The right reason.


def test_no_agreement_is_right_whoever_stood_in_the_way_but_for_another_reason() -> None:
    made = report(debate(("arms/a", "adopt"), ("bases/a", "us"), *ALL_RIGHT[2:]))
    bases = result(made, "bases")
    assert (bases.brier, bases.right, bases.same_holders) == (0.0, 1, 0)
    assert bases.verdict == "other_reason"
    assert (made.systems[0].right, made.systems[0].same_reason) == (3, 2)


def test_the_same_bracket_held_by_others_is_another_reason() -> None:
    made = report(debate(("arms/a", "adopt"), ("bases/b", "us"), *ALL_RIGHT[2:]))
    assert result(made, "bases").verdict == "other_reason"


def test_without_a_documented_holder_right_is_no_more_than_right() -> None:
    history = History(setting="talks", outcomes=(was("bases", "b", "not_agreed"),))
    made = report(debate(*ALL_RIGHT), history=history)
    assert result(made, "bases").same_holders is None
    assert result(made, "bases").verdict == "right"
    assert (made.systems[0].same_reason, made.systems[0].reasons) == (0, 0)


# What cannot be scored.


def test_an_issue_that_was_not_reached_is_unscored_and_never_none() -> None:
    room = Room(talks()).opens()
    room.votes("arms/a", us="accept", ru="accept")
    made = report(room.transcript)
    bases = result(made, "bases")
    assert (bases.n, bases.unscored, bases.brier, bases.verdict) == (0, 1, None, "unscored")
    assert bases.why == ("1 run: the debate stopped before it was put",)
    system = made.systems[0]
    assert (system.issues, system.unscored, system.cells, system.unfinished) == (1, 2, 3, 1)


def test_runs_without_an_issue_do_not_thin_out_those_with_it() -> None:
    room = Room(talks()).opens()
    room.votes("arms/b", us="accept", ru="accept")
    made = report(by(room.transcript, "local"), debate(*ALL_RIGHT))
    assert result(made, "bases").n == 1
    assert result(made, "bases").brier == 0.0
    assert result(made, "arms").n == 2


def test_a_text_lost_to_a_failed_answer_is_unscored() -> None:
    made = report(debate(("arms/a", "adopt"), ("bases/b", "lost"), *ALL_RIGHT[2:]))
    bases = result(made, "bases")
    assert (bases.n, bases.unscored) == (0, 1)
    assert "an answer could not be had" in bases.why[0]


def test_a_party_that_could_not_be_read_at_all_did_not_refuse() -> None:
    room = Room(talks()).opens()
    room.says("us").fails("ru").fails("ru")
    made = report(room.closes().transcript)
    assert "ru gave no answer that could be read" in result(made, "arms").why[0]
    spoke = Room(talks()).opens()
    spoke.says("us").fails("ru").says("ru")
    assert result(report(spoke.closes().transcript), "arms").right == 0
    assert result(report(spoke.transcript), "bases").right == 1


def test_a_lapsed_package_is_no_agreement_and_all_who_accepted_hold_the_bracket() -> None:
    rules = Rules(package="item")
    transcript = debate(("arms/a", "adopt"), ("bases/b", "ru"), ("cyber/b", "adopt"), rules=rules)
    run = run_of(transcript, talks())
    assert run.issues["arms"] == Simulated("none", (Bracket(option="a", holders=("us", "ru")),))


def test_an_adopted_text_whose_package_was_not_ruled_on_is_unscored() -> None:
    rules = Rules(package="agenda")
    room = Room(talks(rules), rules).opens()
    room.votes("arms/a", us="accept", ru="accept").closes_item()
    found = run_of(room.transcript, talks()).issues["arms"]
    assert isinstance(found, NotScored)
    assert "package" in found.why


def test_an_agenda_without_an_issue_leaves_it_unscored() -> None:
    part = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("arms")),))
    room = Room(part).opens().votes("arms/a", us="accept", ru="accept").closes()
    made = report(room.transcript)
    assert result(made, "bases").why == ("1 run: it was not on the agenda",)
    assert made.systems[0].issues == 1


def test_another_setting_and_other_texts_are_refused() -> None:
    other = talks().model_copy(update={"id": "walks"})
    with pytest.raises(UserError, match="debates 'walks', not 'talks'"):
        run_of(Room(other).transcript, talks())
    texts = an_item(an_issue("arms", "One text.", "Another text."))
    changed = a_setting(a_party("us"), a_party("ru"), items=(texts,))
    with pytest.raises(UserError, match="the options of arms are not those of talks"):
        run_of(Room(changed).transcript, talks())


# Systems.


def test_debates_with_the_same_seats_are_one_system_whatever_their_seed_and_chair() -> None:
    made = report(*(debate(*ALL_RIGHT, seed=seed) for seed in range(5)))
    assert [(s.system.label, s.runs, s.distinct) for s in made.systems] == [
        ("local, dossier", 5, 1)
    ]
    assert "All its runs ended alike" in next(verdicts(made))


def test_systems_with_one_name_are_told_apart_by_what_differs() -> None:
    base = debate(*ALL_RIGHT)
    made = report(
        base,
        by(base, "local", prompt_sha="f00"),
        by(base, "local", guard=True),
        debate(*ALL_RIGHT, rules=Rules(rounds=4)),
    )
    labels = [row.system.label for row in made.systems]
    assert len(set(labels)) == 4
    assert "local, dossier, guarded" in labels
    assert sum("other prompt text]" in label for label in labels) == 1
    # The rules stand in the agenda too, so the setting is another as well.
    assert sum("other rules, setting]" in label for label in labels) == 1


def test_different_seats_are_named_each_and_files_without_their_folders() -> None:
    base = debate(*ALL_RIGHT, model="local:/home/somebody/tiny.gguf")
    seats = list(base.card.seats)
    seats[1] = seats[1].model_copy(update={"model": "reference"})
    card = base.card.model_copy(update={"seats": tuple(seats)})
    made = report(Transcript((base.events[0], card, *base.events[2:])))
    assert made.systems[0].system.label == "US local:tiny.gguf, dossier; RU reference"
    assert "somebody" not in made.model_dump_json()


# Readings.


def varied(made: Report, words: str) -> SystemRow:
    (found,) = (each.systems[0] for each in made.varied if each.words == words)
    return found


def test_the_score_is_reported_under_every_reading_of_partial_agreement() -> None:
    made = report(debate(*ALL_RIGHT))
    assert varied(made, Reading().words).brier == 0.0
    assert varied(made, "partial as none").brier == pytest.approx(2 / 3)
    assert (varied(made, "partial left out").issues, varied(made, "partial left out").brier) == (
        2,
        0.0,
    )


def test_the_headline_follows_the_reading_that_was_asked_for() -> None:
    made = report(debate(*ALL_RIGHT), reading=Reading(partial="none"))
    assert made.systems[0].brier == pytest.approx(2 / 3)
    assert row(made, "cyber").right == ("none",)
    assert made.varied[0].words == "partial as none"
    assert len({each.words for each in made.varied}) == len(made.varied) == 6


def test_outcomes_known_by_silence_can_be_left_out_or_read_both_ways() -> None:
    history = History(
        setting="talks",
        outcomes=(
            was("arms", "a", "agreed"),
            was("bases", "b", "not_agreed", evidence="silence"),
        ),
    )
    made = report(debate(("arms/a", "adopt"), ("bases/b", "adopt")), history=history)
    assert made.systems[0].brier == pytest.approx(1.0)
    assert varied(made, "silence left out").brier == 0.0
    assert varied(made, "silence as none or the silent option").brier == 0.0


def test_a_verdict_that_hangs_on_the_reading_says_so() -> None:
    names = tuple(f"issue-{n}" for n in range(8))
    item = an_item(*(an_issue(name) for name in names))
    setting = a_setting(a_party("us"), a_party("ru"), items=(item,))
    room = Room(setting).opens()
    for name in names:
        room.votes(f"{name}/a", us="accept", ru="accept")
    room.closes()
    history = History(setting="talks", outcomes=tuple(was(name, "a", "partial") for name in names))
    run = run_of(room.transcript, setting)
    made = backtest(setting, history, [run], [], Reading(), "none")
    (said,) = verdicts(made)
    assert "closer to history than saying that nothing is agreed: -2.00" in said
    assert "further from history than it under: “partial as none”" in said


# Shown.


class Page(HTMLParser):
    """Checks that tags close in order and collects what a page refers to."""

    VOID = ("meta", "br", "hr", "img", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "action", "srcset")]
        assert not any(k.startswith("on") for k, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def test_the_page_is_well_formed_and_fetches_nothing() -> None:
    html = to_html(report(debate(*ALL_RIGHT), reference=(debate(*ALL_RIGHT, model="reference"),)))
    page = parsed(html)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert set(page.links) == {"https://example.org/report"}
    assert "url(" not in html
    assert "@import" not in html
    for said in (e.NOTICE, "A paper, 2021-06-17", "right, right reason 1/1", "Later:"):
        assert said in page.text
    assert page.tags.count("section") == len(ISSUES)


def test_what_a_file_says_is_text_on_the_page_and_in_markdown() -> None:
    hostile = "<script>alert(1)</script> \x1b[2J\u202e | <b>"
    history = History(setting="talks", outcomes=(was("arms", "a", "agreed", what=hostile),))
    setting = talks().model_copy(update={"title": hostile})
    run = run_of(by(debate(*ALL_RIGHT), f"openai:{hostile}"), setting)
    made = backtest(setting, history, [run], [], Reading(), "none")
    html = to_html(made)
    page = parsed(html)
    assert "script" not in page.tags
    assert "alert(1)" in page.text
    markdown = to_markdown(made)
    for shown in (html, markdown):
        assert "<script" not in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_every_bar_adds_up_to_its_runs() -> None:
    made = report(debate(*ALL_RIGHT), debate(("arms/b", "adopt"), *ALL_RIGHT[1:], seed=2))
    for each in made.issues:
        for shown in each.systems:
            assert sum(share.count for share in shown.shares) == shown.n == 2
            assert all(share.low <= share.share <= share.high for share in shown.shares)


def test_markdown_has_both_sides_of_every_issue() -> None:
    text = to_markdown(report(debate(*ALL_RIGHT)))
    assert "| Bases | not agreed; what prevailed: (b) bases b | right, right reason 1/1" in text
    assert e.NOTICE in text
    assert "does not say that the system foresees" in text


def test_a_report_survives_json() -> None:
    made = report(debate(*ALL_RIGHT))
    assert Report.model_validate_json(made.model_dump_json()) == made


def test_a_run_is_small() -> None:
    assert set(Run._fields) == {"system", "name", "seed", "finished", "issues"}
