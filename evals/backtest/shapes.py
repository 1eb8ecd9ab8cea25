"""What a back-test says, as frozen values: one row a system, one an issue.

Knows nothing of how it is computed (see report.py) or shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evals.backtest.history import Outcome, Reading
from evals.backtest.inference import Paired
from evals.backtest.simulated import System
from evals.evaluator import Value
from harness.events import NOTICE

Verdict = Literal["same_reason", "other_reason", "right", "wrong", "unscored"]
Base = Literal["nothing", "everything", "anything", "reference"]

BASES: Mapping[Base, str] = {
    "nothing": "nothing is agreed",
    "everything": "everything is agreed, any option",
    "anything": "any option or none",
    "reference": "reference negotiator",
}
"""The base rates and how they are called."""


class Share(Value):
    """How often one outcome came about."""

    outcome: str
    label: str
    count: int
    share: float
    low: float
    """Lower end of Wilson's 95 % interval over the runs."""
    high: float


class IssueResult(Value):
    """What a system made of one issue."""

    system: str
    """Id of the system."""
    n: int
    """Runs in which the issue has an outcome."""
    unscored: int
    """Runs in which it has none."""
    why: tuple[str, ...]
    """The reasons of those, with their counts."""
    shares: tuple[Share, ...]
    """Every outcome of the issue; empty without runs."""
    brier: float | None
    """0 to 2; None where history or all runs are unscored."""
    log: float | None
    """In nats, from 0; None where there is no Brier score."""
    right: int
    """Runs with the outcome that happened."""
    same_holders: int | None
    """Of those, runs in which the documented parties held the documented brackets; None where
    history agreed or no source says who stood for what."""
    verdict: Verdict
    """same_reason: most runs have the outcome and, where it was not agreed, the holders;
    other_reason: the outcome but not the holders; right: the outcome, holders not on record."""


class IssueRow(Value):
    """One issue: what happened, what was simulated, what came later."""

    item: str
    issue: str
    heading: str
    options: tuple[tuple[str, str], ...]
    """Id and label of every outcome, `none` last."""
    documented: Outcome | None
    """What happened at the summit."""
    right: tuple[str, ...]
    """The outcomes that count as what happened; empty where the issue is not scored."""
    not_scored: str | None
    """Why it is not scored."""
    systems: tuple[IssueResult, ...]
    later: tuple[Outcome, ...]
    """What became of it afterwards; never scored."""

    def label(self, outcome: str) -> str:
        """An outcome in words."""
        return dict(self.options).get(outcome, outcome)


class Against(Value):
    """A system's Brier score less that of a base rate, over the issues both are scored on."""

    base: Base
    paired: Paired


class SystemRow(Value):
    """A system's line of the headline table."""

    system: System
    runs: int
    unfinished: int
    distinct: int
    """How many of the runs differ in the outcome of a scored issue: 1 means that further runs
    added nothing."""
    issues: int
    """Issues it is scored on."""
    brier: float | None
    log: float | None
    right: int
    """Issues on which most runs have the outcome that happened."""
    same_reason: int
    """Issues that are right for the right reason."""
    reasons: int
    """Issues on which a right reason is on record."""
    cells: int
    """Runs times issues that could have been scored."""
    unscored: int
    """How many of those could not."""
    against: tuple[Against, ...]


class BaseRow(Value):
    """A base rate's line of the headline table."""

    base: Base
    words: str
    issues: int
    brier: float | None
    log: float | None
    right: int
    """Issues on which it puts more than half on what happened."""


class Varied(Value):
    """The headline under another reading."""

    reading: Reading
    words: str
    issues: int
    systems: tuple[SystemRow, ...]
    bases: tuple[BaseRow, ...]


class Report(Value):
    """A back-test."""

    kind: Literal["backtest"] = "backtest"
    notice: str = NOTICE
    setting: str
    title: str
    reading: Reading
    smoothing: str
    reference: str
    """Where the reference negotiator's outcomes come from."""
    systems: tuple[SystemRow, ...]
    bases: tuple[BaseRow, ...]
    issues: tuple[IssueRow, ...]
    varied: tuple[Varied, ...]
