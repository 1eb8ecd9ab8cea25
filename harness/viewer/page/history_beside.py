"""What became of the issues in history, beside what became of them here."""

from __future__ import annotations

from typing import Literal, NamedTuple

from evals.backtest.history import NONE, History, NotScored, Outcome, Target, target
from evals.backtest.history import Reading as Rules
from evals.backtest.simulated import Simulated, run_of
from evals.backtest.words import EVIDENCE, LEVELS
from harness.errors import UserError
from harness.setting import Issue, Source
from harness.viewer.anchors import anchor
from harness.viewer.page.lanes import named
from harness.viewer.reading import Reading

NO_TEXT = "no text agreed"

Verdict = Literal["same", "other", "not scored"]


class Choice(NamedTuple):
    """What a reader may guess became of an issue."""

    value: str
    words: str


class Past(NamedTuple):
    """What became of an issue at one time, as a source has it."""

    became: str
    level: str
    horizon: Literal["summit", "after"]
    what: str
    basis: str
    """How it is known."""
    source: Source


class HistoryRow(NamedTuple):
    """One issue: here, at the summit, and later."""

    issue: Issue
    here: str
    """What became of it in this debate."""
    here_value: str
    """The same as one of the choices; empty where there is no outcome."""
    choices: tuple[Choice, ...]
    summit: Past | None
    later: tuple[Past, ...]
    right: tuple[str, ...]
    """The choices that count as what happened; empty where it is not scored."""
    verdict: Verdict
    why: str
    """Why it is not scored; empty where it is."""

    @property
    def to(self) -> str:
        """Anchor of the issue."""
        return anchor("issue", self.issue.id)


class Beside(NamedTuple):
    """The debate beside history."""

    rows: tuple[HistoryRow, ...]
    remark: str
    """Why nothing can be compared; empty where it can."""

    @property
    def scored(self) -> tuple[HistoryRow, ...]:
        """The issues on which debate and history can be compared."""
        return tuple(row for row in self.rows if row.verdict != "not scored")

    @property
    def same(self) -> int:
        """On how many of them the debate came out as history did."""
        return sum(row.verdict == "same" for row in self.rows)


def beside(reading: Reading) -> Beside | None:
    """The debate beside history; None where no outcome of its issues is documented."""
    history = reading.history
    if history is None or not history.outcomes:
        return None
    from harness.loading import load_setting

    try:
        run = run_of(reading.transcript, load_setting(history.setting))
    except UserError as error:
        return Beside((), str(error))
    issues = [issue for item in reading.setting.items for issue in item.issues]
    return Beside(tuple(_row(history, issue, run.issues[issue.id]) for issue in issues), "")


def _row(history: History, issue: Issue, here: Simulated | NotScored) -> HistoryRow:
    summit = history.at_summit(issue.id)
    due = target(history, issue.id, Rules())
    verdict, why = _verdict(here, due)
    return HistoryRow(
        issue,
        _here(issue, here),
        here.outcome if isinstance(here, Simulated) else "",
        (*(Choice(o.id, named(issue, o.id)) for o in issue.options), Choice(NONE, NO_TEXT)),
        _past(issue, summit) if summit else None,
        tuple(_past(issue, each) for each in history.later(issue.id)),
        due.right if isinstance(due, Target) else (),
        verdict,
        why,
    )


def _verdict(here: Simulated | NotScored, due: Target | NotScored) -> tuple[Verdict, str]:
    if isinstance(due, NotScored):
        return "not scored", due.why
    if isinstance(here, NotScored):
        return "not scored", here.why
    return ("same" if here.outcome in due.right else "other"), ""


def _here(issue: Issue, here: Simulated | NotScored) -> str:
    if isinstance(here, NotScored):
        return f"no outcome: {here.why}"
    return NO_TEXT if here.outcome == NONE else named(issue, here.outcome)


def _past(issue: Issue, outcome: Outcome) -> Past:
    option = outcome.outcome_option
    became = LEVELS[outcome.level]
    if option != NONE:
        joined = "; what prevailed: " if outcome.level == "not_agreed" else ": "
        became += f"{joined}{named(issue, option)}"
    elif outcome.level == "partial":
        became += ", on no text"
    return Past(
        became, LEVELS[outcome.level], outcome.horizon, outcome.what,
        EVIDENCE[outcome.evidence], outcome.source,
    )  # fmt: skip
