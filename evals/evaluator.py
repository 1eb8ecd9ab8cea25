"""What an evaluator is, what it returns, and how several are run.

An evaluator reads a transcript and yields scores and failures. It asks no model here, changes
nothing, and says of every value on how many cases it stands, how many could not be scored, and
which events made it. An evaluator that breaks becomes a failure with its reason; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from evals import subject
from evals.intervals import wilson
from harness.events import EventBase, RunCard, TurnEvent
from harness.transcript import Transcript

Number: TypeAlias = float | int | bool
"""What a score's value may be."""


class Value(BaseModel):
    """A frozen value; fields added later have defaults, so that old scores stay readable."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class Evidence(Value):
    """An event that made a value what it is."""

    seq: int
    """Number of the event in the transcript."""
    turn: str | None = None
    """Handle of its turn, where it belongs to one."""
    quote: str = ""
    """The words or the fact in it that count."""
    private: bool = False
    """Whether the quote holds words that are not for everyone: leave it out of public exports."""


class Interval(Value):
    """An interval around a value, and how it was made."""

    low: float
    high: float
    level: float = 0.95
    """Its nominal coverage."""
    method: Literal["wilson", "bootstrap", "t", "newcombe", "agresti-min", "fieller"] = "wilson"
    """How: Wilson's interval for a share (intervals.py), a percentile bootstrap, a t interval, or
    a corrected estimate's own (calibration/correction.py)."""


class Judged(Value):
    """Which judge stands behind a value, and what is known about it."""

    judge: str
    """As named after `--judge`."""
    models: tuple[str, ...] = ()
    """The model ids that answered."""
    rubric: str
    """The dimension."""
    rubric_sha: str
    """Fingerprint of the rubric's file."""
    wording_sha: str
    """Fingerprint of the wording around it."""
    claims_sha: str | None = None
    """Fingerprint of how sentences became claims, where the dimension reads claims."""
    gold: str | None = None
    """Name of the labelled set the judge was calibrated on with this rubric; None if on none."""
    gold_sha: str | None = None
    """Fingerprint of that set."""
    kappa: float | None = None
    """Cohen's kappa of the judge with the people who labelled it."""

    @property
    def calibrated(self) -> bool:
        """Whether this judge's errors with this rubric have been measured."""
        return self.gold is not None


class Correction(Value):
    """What a judged share comes to once the judge's measured errors are taken into account."""

    value: float | None
    """None where the judge is too weak to say; `why` says so, and the interval what is possible."""
    interval: Interval | None
    gold: int = Field(ge=0)
    """Labelled cases behind the correction."""
    how: str
    """The estimator in words, and what it assumes."""
    why: str = ""
    """Why there is no value."""


class Score(Value):
    """A value with what it stands on."""

    kind: Literal["score"] = "score"
    evaluator: str
    """Name of the evaluator."""
    version: int
    """Version of the evaluator; raised whenever the same transcript would get another value."""
    subject: str
    """`debate`, `item:ID`, `issue:ID`, `party:ID`, `party:ID/issue:ID`,
    `party:ID/item:ID` or `parties:ID+ID`."""
    metric: str
    """Name of the metric, unique within its evaluator."""
    value: Number | None
    """None where the reason says why there is no value; never a stand-in such as 0."""
    label: str | None = None
    """The value in a word, for metrics that are categories."""
    n: int = Field(ge=0)
    """How many cases the value stands on."""
    hits: int | None = None
    """The numerator of a share of cases."""
    unscored: int = Field(default=0, ge=0)
    """How many further cases could not be scored."""
    interval: Interval | None = None
    """None where the value counts every case there was and estimates nothing."""
    reason: str
    """Why this value, in words."""
    evidence: tuple[Evidence, ...] = ()
    """The events behind it."""
    judge: Judged | None = None
    """The judge, where a model read prose for it; None where code alone made the value."""
    corrected: Correction | None = None
    """The same corrected for the judge's errors, where it is calibrated."""
    screen: bool = False
    """Whether it only screens for what to read, without understanding it."""
    greyed: str = ""
    """Why the value should not be relied on: the check of the validity battery it failed."""


class Failure(Value):
    """The explicit statement that something could not be scored. Never a 0."""

    kind: Literal["failure"] = "failure"
    evaluator: str
    version: int
    subject: str
    metric: str
    """The metric that is missing; `*` for all of the evaluator's."""
    why: str
    """The reason in words."""


Result: TypeAlias = Score | Failure


class Evaluator(Protocol):
    """Anything that reads a transcript and returns scores and failures."""

    @property
    def name(self) -> str:
        """Short and unique, as it stands in files of scores."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same transcript would get another value."""
        ...

    def __call__(self, transcript: Transcript) -> Iterable[Result]:
        """Score one transcript, finished or not."""
        ...


@dataclass(frozen=True)
class Marker:
    """Makes results that carry an evaluator's name and version."""

    name: str
    version: int

    def score(
        self,
        subject: str,
        metric: str,
        value: Number | None,
        reason: str,
        *,
        n: int,
        label: str | None = None,
        unscored: int = 0,
        evidence: Iterable[Evidence] = (),
    ) -> Score:
        """A value that is not a share of cases."""
        return Score(
            evaluator=self.name,
            version=self.version,
            subject=subject,
            metric=metric,
            value=value,
            label=label,
            n=n,
            unscored=unscored,
            reason=reason,
            evidence=tuple(evidence),
        )

    def rate(
        self,
        subject: str,
        metric: str,
        hits: int,
        of: int,
        reason: str,
        *,
        unscored: int = 0,
        evidence: Iterable[Evidence] = (),
        interval: bool = True,
    ) -> Score:
        """The share `hits / of` in [0, 1] with Wilson's interval; no value where `of` is 0."""
        low_high = wilson(hits, of) if of and interval else None
        return Score(
            evaluator=self.name,
            version=self.version,
            subject=subject,
            metric=metric,
            value=hits / of if of else None,
            n=of,
            hits=hits,
            unscored=unscored,
            interval=Interval(low=low_high[0], high=low_high[1]) if low_high else None,
            reason=reason if of else f"no value, there was nothing to count: {reason}",
            evidence=tuple(evidence),
        )

    def mean(
        self,
        subject: str,
        metric: str,
        values: Sequence[float],
        reason: str,
        *,
        unscored: int = 0,
        evidence: Iterable[Evidence] = (),
    ) -> Score:
        """The mean of the values; no value where there are none."""
        return self.score(
            subject,
            metric,
            sum(values) / len(values) if values else None,
            reason if values else f"no value, there was nothing to average: {reason}",
            n=len(values),
            unscored=unscored,
            evidence=evidence,
        )

    def failure(self, subject: str, metric: str, why: str) -> Failure:
        """The statement that a metric could not be had."""
        return Failure(
            evaluator=self.name, version=self.version, subject=subject, metric=metric, why=why
        )


Scoring: TypeAlias = Callable[[Transcript, Marker], Iterable[Result]]


@dataclass(frozen=True)
class Built:
    """An evaluator made from a function."""

    name: str
    version: int
    scoring: Scoring

    def __call__(self, transcript: Transcript) -> Iterable[Result]:
        """Score one transcript."""
        return self.scoring(transcript, Marker(self.name, self.version))


def evaluator(name: str, *, version: int) -> Callable[[Scoring], Built]:
    """Turn a function of a transcript and a `Marker` into an evaluator."""

    def build(scoring: Scoring) -> Built:
        return Built(name, version, scoring)

    return build


def evidence(event: EventBase, quote: str = "", *, private: bool | None = None) -> Evidence:
    """The event as evidence; private if its audience was, unless said otherwise."""
    turn = event.turn if isinstance(event, TurnEvent) else None
    hidden = event.audience is not None if private is None else private
    return Evidence(seq=event.seq, turn=turn, quote=quote, private=hidden)


def evaluate(transcript: Transcript, evaluators: Iterable[Evaluator]) -> tuple[Result, ...]:
    """Everything the evaluators say about the transcript; one that breaks becomes a failure.

    What a broken evaluator had yielded before it broke is kept: each result stands on its own.

    Raises:
        ValueError: two evaluators have the same name, so their results could not be told apart.
    """
    chosen = tuple(evaluators)
    names = [each.name for each in chosen]
    if len(set(names)) < len(names):
        raise ValueError(f"two evaluators have the same name: {', '.join(sorted(names))}")
    return tuple(result for each in chosen for result in _guarded(transcript, each))


def _guarded(transcript: Transcript, each: Evaluator) -> Iterator[Result]:
    mark = Marker(each.name, each.version)
    if len(transcript.events) < 2 or not isinstance(transcript.events[1], RunCard):
        yield mark.failure(
            subject.DEBATE, "*", "the transcript has no run card, so nothing can be scored"
        )
        return
    try:
        yield from each(transcript)
    except Exception as error:  # whatever breaks in one evaluator must not cost the others' results
        why = f"the evaluator broke: {type(error).__name__}: {error}"
        yield mark.failure(subject.DEBATE, "*", why)
