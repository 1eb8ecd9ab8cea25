"""What a judged dimension is: an evaluator that also reads what judges said.

A dimension asks nothing itself. It names its rubrics, and turns claims and verdicts into scores
that carry the judge behind them; with several judges, each has scores of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evals.evaluator import Evidence, Judged, Marker, Number, Result, Score
from evals.judging.form import FORM_SHA
from evals.judging.shapes import Judgements, Verdict
from harness.transcript import Transcript

Scoring: TypeAlias = Callable[[Transcript, Judgements, "Bench"], Iterable[Result]]


@dataclass(frozen=True)
class Bench:
    """One judge on one dimension: makes its scores, stamped with the judge and the rubric."""

    mark: Marker
    judge: str
    judged: Judged

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
    ) -> Score:
        """The share `hits / of` with Wilson's interval; no value where `of` is 0."""
        score = self.mark.rate(
            subject, metric, hits, of, reason, unscored=unscored, evidence=evidence
        )
        return score.model_copy(update={"judge": self.judged})

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
        score = self.mark.mean(
            subject, metric, values, reason, unscored=unscored, evidence=evidence
        )
        return score.model_copy(update={"judge": self.judged})

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
        """A value that is neither a share nor a mean."""
        score = self.mark.score(
            subject, metric, value, reason, n=n, label=label, unscored=unscored, evidence=evidence
        )
        return score.model_copy(update={"judge": self.judged})


@dataclass(frozen=True)
class Dimension:
    """A judged dimension, made from a function; `on` makes it an evaluator."""

    name: str
    version: int
    rubrics: tuple[str, ...]
    """Names of the rubrics whose verdicts it reads; the first stands on its scores."""
    scoring: Scoring

    def on(self, judgements: Judgements) -> JudgedEvaluator:
        """The evaluator over what judges said about the transcript it will be given."""
        return JudgedEvaluator(self, judgements)


@dataclass(frozen=True)
class JudgedEvaluator:
    """A dimension with the judgements it reads."""

    dimension: Dimension
    judgements: Judgements

    @property
    def name(self) -> str:
        """The dimension's name."""
        return self.dimension.name

    @property
    def version(self) -> int:
        """The dimension's version; rubric and wording have fingerprints of their own."""
        return self.dimension.version

    def __call__(self, transcript: Transcript) -> Iterator[Result]:
        """Score the transcript once for each judge."""
        mark = Marker(self.name, self.version)
        for judge in self.judgements.judges:
            bench = Bench(mark, judge, judged(self.judgements, judge, self.dimension.rubrics[0]))
            yield from self.dimension.scoring(transcript, self.judgements, bench)


def dimension(
    name: str, *, version: int, rubrics: tuple[str, ...]
) -> Callable[[Scoring], Dimension]:
    """Turn a function of a transcript, judgements and a `Bench` into a dimension."""

    def build(scoring: Scoring) -> Dimension:
        return Dimension(name, version, rubrics, scoring)

    return build


def judged(judgements: Judgements, judge: str, rubric: str) -> Judged:
    """The judge, its models and the fingerprints of what it was told."""
    by = judgements.rubrics[rubric]
    return Judged(
        judge=judge,
        models=judgements.answered.get(judge, ()),
        rubric=rubric,
        rubric_sha=by.sha,
        wording_sha=FORM_SHA,
        claims_sha=judgements.claims_sha if by.reads in ("claims", "pairs") else None,
    )


def cited(verdict: Verdict, note: str = "") -> Evidence:
    """The words a verdict rests on, with its label and position, as evidence."""
    stands = f" ({verdict.position})" if verdict.position else ""
    words = verdict.quote or verdict.reason
    return Evidence(
        seq=verdict.seqs[-1] if verdict.seqs else 0,
        turn=verdict.turn,
        quote=f"{note or verdict.label}{stands}: {words}",
    )
