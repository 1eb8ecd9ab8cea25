"""Self-preference: whether a judge is kinder to seats of its own model family.

Needs two judges of different families, and seats of which some are of the one judge's family and
some are not. Kind is a claim found supported.
"""

from __future__ import annotations

from collections.abc import Iterator

from evals import subject
from evals.calibration.alpha import self_preference
from evals.calibration.measures import Estimate
from evals.dimensions.dimension import Bench, dimension
from evals.evaluator import Interval, Result
from evals.judging.judges import family
from evals.judging.shapes import Judgements
from harness.errors import UserError
from harness.transcript import Transcript


@dimension("preference", version=1, rubrics=("consistency",))
def preference(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """For every judge of another family: the gap on own seats, on other seats, and the net gap.

    Each gap is this judge's share of supported claims less the other's on the same claims, in
    [-1, 1]; net is the first less the second, in [-2, 2]. Nothing is said where no seat, or every
    seat, is of the judge's family.
    """
    own = family(bench.judge)
    at_home = {seat.seat for seat in transcript.card.seats if _family(seat.model) == own}
    if not at_home.intersection(transcript.state.parties) or at_home >= {*transcript.state.parties}:
        return
    for other in judgements.judges:
        if family(other) != own:
            yield from _gaps(judgements, bench, other, at_home)


def _gaps(judgements: Judgements, bench: Bench, other: str, at_home: set[str]) -> Iterator[Result]:
    mine, theirs = (_kind(judgements, judge) for judge in (bench.judge, other))
    pairs: dict[bool, list[tuple[bool | None, bool | None]]] = {True: [], False: []}
    for claim in judgements.claims:
        if claim.id in mine or claim.id in theirs:
            pair = mine.get(claim.id), theirs.get(claim.id)
            pairs[claim.party in at_home].append(pair)
    found = self_preference(pairs[True], pairs[False])
    for metric, estimate, said in (
        ("own_seats", found.own_seats, "claims of seats of its family"),
        ("other_seats", found.other_seats, "claims of other seats"),
        ("net", found.net, "the first gap less the second: what leniency to all leaves"),
    ):
        score = bench.score(
            subject.DEBATE, metric, estimate.value,
            estimate.why or f"share found supported less that of {other}, {said}",
            n=estimate.n, unscored=estimate.unscored, label=f"beside {other}",
        )  # fmt: skip
        yield score.model_copy(update={"interval": _interval(estimate)})


def _kind(judgements: Judgements, judge: str) -> dict[str, bool | None]:
    """Claim -> whether the judge found it supported; None where it gave no label."""
    return {
        v.unit: None if v.label in (None, "abstain") else v.label == "supported"
        for v in judgements.of("consistency", judge)
    }


def _family(model: str) -> str | None:
    """The family behind a seat; None for what is no model name, such as a script with a model."""
    try:
        return family(model)
    except UserError:
        return None


def _interval(estimate: Estimate) -> Interval | None:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return Interval(low=estimate.low, high=estimate.high, method="newcombe")
