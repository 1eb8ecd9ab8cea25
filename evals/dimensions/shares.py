"""Any rubric, also one of your own: the share of each label, and the mean where labels are numbers.

The dimension for every rubric that has no module of its own: a rubric file alone is an evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evals import subject
from evals.dimensions.dimension import Bench, Dimension, cited
from evals.evaluator import Result
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Judgements, Verdict
from harness.transcript import Transcript


def shares(by: Rubric) -> Dimension:
    """The dimension of a rubric, named as the rubric is.

    Per party and over the debate: `share_LABEL` in [0, 1] for each label of the scale, with
    Wilson's interval; `mean` where the rubric has `values`, over the labels that have one. Evidence
    that quotes a confidential position is private.
    """

    def scoring(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
        found = sorted(judgements.of(by.name, bench.judge), key=lambda v: v.seqs)
        labels = tuple(by.scale) or transcript.state.parties
        for party in transcript.state.parties:
            own = [v for v in found if v.party == party]
            yield from _of(bench, subject.party(party), own, by, labels)
        yield from _of(bench, subject.DEBATE, found, by, labels)

    return Dimension(by.name, 1, (by.name,), scoring)


def _of(
    bench: Bench, about: str, found: Sequence[Verdict], by: Rubric, labels: Sequence[str]
) -> Iterator[Result]:
    labelled = [v for v in found if v.label is not None]
    lost = len(found) - len(labelled)
    private = by.shows == "confidential"
    for label in labels:
        with_it = [v for v in labelled if v.label == label]
        yield bench.rate(
            about, f"share_{label}", len(with_it), len(labelled),
            f"labelled {label}: {by.scale.get(label, 'taken for this party')}",
            unscored=lost,
            evidence=[cited(v).model_copy(update={"private": private}) for v in with_it],
        )  # fmt: skip
    if by.values:
        placed = [v for v in labelled if v.value is not None]
        yield bench.mean(
            about, "mean", [v.value for v in placed if v.value is not None],
            "mean of the labels as numbers", unscored=lost,
            evidence=[cited(v).model_copy(update={"private": private}) for v in placed],
        )  # fmt: skip
