"""All that was read of an experiment's debates, gathered once, for rows and words to be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.comparison.debates import Debate, Stock, group_of
from evals.comparison.facts import Facts, facts, used
from evals.comparison.missing import Scored
from evals.comparison.observations import NOT_GIVEN, Scoring, Seen, not_held, observed, scored
from evals.comparison.pairing import Values
from evals.comparison.shapes import Use
from evals.comparison.yardsticks import ACCEPT, ALWAYS, COMPUTED, IN_LINE, Yard, yard
from evals.evaluator import Result
from harness.errors import UserError
from harness.experiment.design import Design
from harness.experiment.shapes import Experiment, Metric
from harness.loading.names import near
from harness.transcript import Transcript, read


@dataclass(frozen=True)
class Entry:
    """A finished debate."""

    debate: Debate
    facts: Facts
    use: Use
    yard: Yard | None
    """For debates of the baseline arm."""


@dataclass(frozen=True)
class Book:
    """An experiment's debates as they were read."""

    experiment: Experiment
    design: Design
    stock: Stock
    entries: Mapping[str, Entry]
    """By the debate's name."""
    seen: Mapping[tuple[str, str, str], Sequence[Seen]]
    """(arm or arm.variation, metric, of whom) -> an observation for each planned debate."""

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The primary metric, then the others."""
        return metrics_of(self.experiment)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are compared, the baseline first."""
        return tuple(arm.id for arm in self.design.arms)

    @property
    def baseline(self) -> str:
        """The arm all others are compared with."""
        return self.experiment.baseline

    @property
    def yardsticks(self) -> tuple[str, ...]:
        """The yardsticks that took debates."""
        return tuple(self.experiment.beside)

    @property
    def variations(self) -> tuple[str, ...]:
        """The circumstances that were changed."""
        return tuple(each.id for each in self.experiment.variations)

    def of(self, arm: str, metric: Metric, variation: str | None = None) -> Sequence[Seen]:
        """The observations of an arm on a metric, one for each planned debate."""
        return self.seen[group_of(arm, variation), metric.metric, metric.of]

    def scored(self, arm: str, metric: Metric, variation: str | None = None) -> Scored:
        """An arm's values on a metric, and what is missing of them."""
        return scored(self.of(arm, metric, variation))

    def held(self, arm: str, variation: str | None = None) -> Iterator[Entry]:
        """The finished debates of an arm."""
        name = group_of(arm, variation)
        return (each for each in self.entries.values() if each.debate.group == name)

    def planned(self, arm: str, variation: str | None = None) -> list[Debate]:
        """The debates that were planned for an arm."""
        name = group_of(arm, variation)
        return [each for each in self.stock.debates if each.group == name]

    def computed(self, metric: Metric) -> dict[str, Values]:
        """The yardsticks that take no debates, where they are defined for the metric."""
        if metric.metric == IN_LINE:
            accepting = scored(self.seen[self.baseline, ALWAYS, metric.of]).values
            return {ACCEPT: accepting} if accepting else {}
        found: dict[str, Values] = {}
        for name in COMPUTED:
            if values := self._yard(name, metric):
                found[name] = values
        return found

    def _yard(self, name: str, metric: Metric) -> Values:
        values: dict[str, dict[int, float]] = {}
        for entry in self.held(self.baseline):
            assert entry.yard is not None
            value = entry.yard.value(name, metric, entry.debate.treated)
            if value is not None:
                values.setdefault(entry.debate.scenario, {})[entry.debate.seed] = value
        return values


def metrics_of(experiment: Experiment) -> tuple[Metric, ...]:
    """The primary metric as one among metrics, then the others, none twice."""
    first = experiment.primary
    every = (Metric(metric=first.metric, of=first.of, better=first.better), *experiment.secondary)
    return tuple({(each.metric, each.of): each for each in reversed(every)}.values())[::-1]


def gather(design: Design, stock: Stock, scoring: Scoring) -> Book:
    """Read every finished debate, once.

    Raises:
        UserError: a transcript or a file of scores cannot be read, or no debate has a score of a
            metric that the experiment names.
    """
    experiment = design.experiment
    entries: dict[str, Entry] = {}
    seen: dict[tuple[str, str, str], list[Seen]] = {}
    given: set[tuple[str, str]] = set()
    for debate in stock.debates:
        metrics = list(_looked_for(experiment, debate))
        if debate.state != "finished":
            found = [not_held(debate, metric) for metric in metrics]
        else:
            transcript = read(debate.path)
            results = scoring(debate.path, transcript)
            given |= {_about(result) for result in results}
            entries[debate.path.stem] = _entry(debate, transcript, experiment)
            found = [observed(debate, metric, results, experiment.judges) for metric in metrics]
        for metric, each in zip(metrics, found, strict=True):
            seen.setdefault((debate.group, metric.metric, metric.of), []).append(each)
    if entries:
        _check(experiment, seen, given)
    return Book(experiment, design, stock, entries, seen)


def _looked_for(experiment: Experiment, debate: Debate) -> Iterator[Metric]:
    metrics = metrics_of(experiment)
    yield from metrics
    if debate.group == experiment.baseline:
        for metric in metrics:
            if metric.metric == IN_LINE:
                yield metric.model_copy(update={"metric": ALWAYS})


def _entry(debate: Debate, transcript: Transcript, experiment: Experiment) -> Entry:
    baseline = debate.group == experiment.baseline
    return Entry(
        debate, facts(transcript), used(transcript), yard(transcript) if baseline else None
    )


def _about(result: Result) -> tuple[str, str]:
    """A metric, and what sort of thing it is about: `debate`, `party`, ..."""
    about = result.subject.partition(":")[0] if "/" not in result.subject else "part"
    return f"{result.evaluator}/{result.metric}", about


def _check(
    experiment: Experiment,
    seen: Mapping[tuple[str, str, str], Sequence[Seen]],
    given: set[tuple[str, str]],
) -> None:
    """Whether there is any score of every metric that the experiment names."""
    for metric in metrics_of(experiment):
        of_it = [s for key, each in seen.items() if key[1:] == (metric.metric, metric.of)
                 for s in each if s.kind != "unheld"]  # fmt: skip
        if all(each.observation.why == NOT_GIVEN for each in of_it):
            _unknown(metric, experiment, given)


def _unknown(metric: Metric, experiment: Experiment, given: set[tuple[str, str]]) -> None:
    """Say what is wrong with a metric of which there is no score.

    One that a declared judge gives may be still to come: it is unscored, and no mistake.
    """
    from evals.dimensions.registry import DIMENSIONS

    judged = metric.metric.partition("/")[0] in {each.name for each in DIMENSIONS}
    if judged and experiment.judges:
        return
    if judged:
        raise UserError(
            f"{metric.metric} is given by judges, and the experiment declares none: add `judges:` "
            "with a model, or take another metric."
        )
    wanted = "debate" if metric.of == "debate" else "party"
    others = {about for name, about in given if name == metric.metric}
    if others & {"debate", "party"}:
        right = "debate" if wanted == "party" else "parties"
        raise UserError(f"{metric.metric} has no score of `{metric.of}` here; write `of: {right}`.")
    names = sorted(name for name, about in given if about == wanted)
    raise UserError(f"There is no metric {metric.metric!r}{near(metric.metric, names)}")
