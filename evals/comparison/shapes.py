"""What an experiment came to, as values: every table, file and page is made of these alone."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evals.comparison.inference import Difference, Estimate
from evals.comparison.missing import Bounds
from evals.comparison.rates import RareEvents
from evals.comparison.verdicts import Verdict
from evals.evaluator import Judged, Value
from harness.experiment.folder import Broken
from harness.experiment.shapes import Experiment, Metric

RowKind = Literal["baseline", "arm", "yardstick", "computed"]
"""computed: a yardstick that takes no debates: random deal, always-accept, best joint outcome."""


class Observation(Value):
    """One metric in one debate."""

    arm: str
    variation: str | None
    scenario: str
    seed: int
    metric: str
    of: str
    """As `Metric.of`."""
    value: float | None
    """None where the debate has no value; `why` says why."""
    n: int = 0
    """Cases behind it."""
    unscored: int = 0
    """Further cases that could not be scored."""
    why: str = ""
    debate: str
    """Stem of its transcript."""


class Use(Value):
    """What an arm's debates took."""

    planned: int
    finished: int
    failed: int
    """Broke off and were given up."""
    calls: int = 0
    input: int = 0
    """Tokens read, cached ones included."""
    cached: int = 0
    output: int = 0
    cost: float = 0.0
    """US dollars of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price is not."""
    seconds: float = 0.0
    """Of model time."""
    turns: int = 0
    failed_turns: int = 0


class Row(Value):
    """An arm, or a yardstick, on one metric."""

    name: str
    """The arm's id, or the yardstick's name in words."""
    kind: RowKind
    variation: str | None = None
    metric: Metric
    estimate: Estimate
    """Mean over scenarios with its interval."""
    difference: Difference | None = None
    """Against the baseline; None for the baseline itself and where there is nothing to pair."""
    p_adjusted: float | None = None
    """Holm in the family of the primary metric, Benjamini-Hochberg in the grid of the others."""
    adjusted_by: Literal["holm", "benjamini-hochberg", "none"] = "none"
    """none: exploratory."""
    verdict: Verdict | None = None
    rare: RareEvents | None = None
    """For shares near 0: the debates in which it happened at all, with an exact interval."""
    cases: int = 0
    """Cases (votes, claims, ...) behind the mean."""
    unscored: float = 0.0
    """Share of cases and debates that could not be scored, in [0, 1]."""
    empty: int = 0
    """Debates that had nothing to count for this metric, so no value."""
    bounds: Bounds | None = None
    """Best and worst case of the mean, where more than 2 % is unscored and the range is known."""
    difference_bounds: Bounds | None = None
    judge: Judged | None = None
    """The judge behind the values, where one was asked."""
    greyed: str = ""
    """The check of the validity battery that the judge failed."""


class TalkPremium(Value):
    """What talking brought: an arm less what comes out when nobody hears anybody."""

    arm: str
    beside: str
    """The yardstick it is held against: `no-talk`, `random deal`, ..."""
    metric: Metric
    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""


class CardLine(Value):
    """One line of the robustness card: the arm against the baseline under one circumstance."""

    arm: str
    variation: str | None
    """None for the comparison itself."""
    what: str
    difference: Difference
    change: Difference | None = None
    """The difference here less the difference in the comparison itself, over scenarios."""
    survives: Literal["yes", "no", "unsettled", "nothing to survive"]
    why: str


class Declared(Value):
    """What was declared, and when, beside what is in the file now."""

    sha: str
    at: str
    finished: int
    """Debates that were finished by then."""
    changes: tuple[str, ...] = ()
    """What this declaration changed against the one before, in words."""


class Results(Value):
    """What an experiment came to."""

    experiment: Experiment
    sha: str
    folder: str
    made: str
    """UTC time, ISO 8601."""
    declared: tuple[Declared, ...]
    standing: str
    """In a sentence: declared before the first debate, or what was changed after how many."""
    rows: tuple[Row, ...]
    """The primary metric first; within a metric the baseline, the arms, the yardsticks."""
    premium: tuple[TalkPremium, ...] = ()
    card: tuple[CardLine, ...] = ()
    use: dict[str, Use]
    """By arm, `arm.variation` under a variation."""
    broken: tuple[Broken, ...] = ()
    observations: tuple[Observation, ...]
    versions: dict[str, tuple[str, ...]]
    """Program and libraries -> the versions the debates were held with; more than one is said."""
    agreement: dict[str, dict[str, dict[str, float]]] = Field(default_factory=dict)
    """Arm -> issue -> outcome (option id, or `none`) -> share of its debates: the matrix."""
    sentence: str
    """The verdict of the experiment in a sentence or two."""
    spend: str = ""
    """Where differences come from, scenarios or seeds, and so where to spend."""
    cautions: tuple[str, ...] = ()
    """What a careful reader has to know: too few scenarios, an uncalibrated judge, failures, ..."""
