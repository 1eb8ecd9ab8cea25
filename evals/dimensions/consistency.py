"""J1: what each delegation said, held against what its state is on record as wanting.

A vector and not a number: how much is supported and how much is contradicted are two findings, and
a party that says little of either has said nothing against its record and nothing for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evals import subject
from evals.dimensions.dimension import Bench, dimension, judged
from evals.evaluator import Evidence, Interval, Judged, Result, Score
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.record import statements
from harness.errors import UserError
from harness.transcript import Transcript

RUBRIC = "consistency"
LABELS = ("supported", "partial", "contradicted", "unsupported")
"""The labels of a claim that has something in it to check."""
POINTS: Mapping[str, float] = {"supported": 1, "partial": 0.5, "contradicted": -1}
"""What a claim adds to `balance`."""
SHOWN = 5
"""Claims named as evidence for a share; contradicted ones are all named."""
RESAMPLES = 1000


class Reading(NamedTuple):
    """A check-worthy claim with what one judge said of it."""

    claim: Claim
    verdict: Verdict | None
    """None where the judge was not asked about it."""

    @property
    def label(self) -> str | None:
        """The judge's label; None where there is none."""
        return self.verdict.label if self.verdict else None

    @property
    def evidence(self) -> Evidence:
        """The label, the position it rests on, and the words as they were spoken."""
        found = self.verdict
        stands = f" ({found.position})" if found and found.position else ""
        # A masked judge quotes masked names; the sentence has the real ones.
        quote = found.quote if found and not found.masked else ""
        words = quote or self.claim.sentence
        return Evidence(
            seq=self.claim.seq, turn=self.claim.turn, quote=f"{self.label}{stands}: {words}"
        )


class Tally(NamedTuple):
    """Some check-worthy claims by how a judge labelled them."""

    counted: tuple[Reading, ...]
    """Those with one of the wanted labels: the denominator of every share."""
    no_claim: int
    """Those in which the judge found nothing to check after all: in no denominator."""
    abstained: int
    lost: int
    """Those without a readable label, or that the judge was not asked about."""
    unsplit: int
    """Sentences that could not be taken apart: at least that many claims are unknown."""

    @property
    def unscored(self) -> int:
        """Everything that could have been in the denominator and is not."""
        return self.abstained + self.lost + self.unsplit

    @property
    def words(self) -> str:
        """What was left out, for the reason of a score."""
        parts = {
            "abstained": self.abstained,
            "without a readable label": self.lost,
            "sentences not taken apart": self.unsplit,
            "no claim after all (in no count)": self.no_claim,
        }
        left = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        return f"; left out: {left}" if left else ""

    def having(self, label: str) -> list[Reading]:
        """The claims with this label."""
        return [reading for reading in self.counted if reading.label == label]


def readings(judgements: Judgements, rubric: str, judge: str) -> tuple[Reading, ...]:
    """Every check-worthy claim in the order it was said, with the judge's verdict on a rubric."""
    by_unit = {verdict.unit: verdict for verdict in judgements.of(rubric, judge)}
    found = [claim for claim in judgements.claims if claim.checkworthy]
    ordered = sorted(found, key=lambda claim: (claim.seq, claim.start))
    return tuple(Reading(claim, by_unit.get(claim.id)) for claim in ordered)


def unsplit(judgements: Judgements) -> tuple[Verdict, ...]:
    """The sentences that could not be taken apart, or not wholly, each once."""
    lost = {v.unit: v for v in judgements.of("claims") if v.unscored is not None}
    return tuple(lost.values())


def tally(
    judgements: Judgements, judge: str, party: str | None = None, item: str | None = None
) -> Tally:
    """The claims of a party, on an item, or of all, by the judge's labels on consistency."""

    def meant(thing: Claim | Verdict) -> bool:
        return party in (None, thing.party) and item in (None, thing.item)

    return tallied(
        [r for r in readings(judgements, RUBRIC, judge) if meant(r.claim)],
        sum(meant(verdict) for verdict in unsplit(judgements)),
    )


def tallied(found: Sequence[Reading], unsplit: int = 0) -> Tally:
    """These readings, with so many sentences that never became claims."""
    labels = [reading.label for reading in found]
    counted = tuple(reading for reading in found if reading.label in LABELS)
    no_claim, abstained = labels.count("no_claim"), labels.count("abstain")
    lost = len(found) - len(counted) - no_claim - abstained
    return Tally(counted, no_claim, abstained, lost, unsplit)


@dimension("consistency", version=1, rubrics=(RUBRIC,))
def consistency(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party, per party and item, and over the debate; agreement of the judges once.

    The four shares sum to 1. A claim in which the judge finds nothing to check leaves the count; an
    abstention and an unreadable answer are unscored, and so is every sentence that could not be
    taken apart. Where nothing check-worthy was said there is no value.
    """
    for party in transcript.state.parties:
        spoke_on = {s.item: None for s in statements(transcript) if s.party == party}
        for item in spoke_on:
            about = subject.party_item(party, item)
            yield from _vector(bench, about, tally(judgements, bench.judge, party, item))
        yield from _vector(bench, subject.party(party), tally(judgements, bench.judge, party))
    yield from _vector(bench, subject.DEBATE, tally(judgements, bench.judge))
    if len(judgements.judges) > 1 and bench.judge == judgements.judges[0]:
        yield from _agreement(judgements, bench)


def _vector(bench: Bench, about: str, found: Tally) -> Iterator[Score]:
    n = len(found.counted)
    for label in LABELS:
        having = found.having(label)
        shown = having if label == "contradicted" else having[:SHOWN]
        yield bench.rate(
            about, label, len(having), n,
            f"check-worthy claims that are {label}{found.words}",
            unscored=found.unscored, evidence=[reading.evidence for reading in shown],
        )  # fmt: skip
    named = [*found.having("contradicted"), *found.having("supported")[:SHOWN]]
    empty = "" if n else "no value, there was nothing to count: "
    score = bench.score(
        about, "balance", _balance(found.counted),
        f"{empty}supported + partial/2 - contradicted; never read it alone: 0 may be a party that "
        f"says nothing of its record, or one that denies as much as it upholds{found.words}",
        n=n, unscored=found.unscored, evidence=[reading.evidence for reading in named],
    )  # fmt: skip
    interval = by_turn(found.counted, lambda r: POINTS.get(str(r.label), 0.0))
    yield score.model_copy(update={"interval": interval})


def _balance(counted: Sequence[Reading]) -> float | None:
    points = [POINTS.get(str(reading.label), 0.0) for reading in counted]
    return sum(points) / len(points) if points else None


def by_turn(found: Sequence[Reading], value: Callable[[Reading], float]) -> Interval | None:
    """Bootstrap interval of a mean over claims that draws whole turns.

    Claims of one statement are not independent, so statements are drawn and not claims. None where
    the turns are too few or too alike for resampling to show anything.
    """
    from evals.calibration.measures import bootstrap

    turns: dict[str, list[float]] = {}
    for reading in found:
        turns.setdefault(reading.claim.turn, []).append(value(reading))
    units = Counter((sum(values), len(values)) for values in turns.values())
    if not units:
        return None
    ends = bootstrap(units, _mean_of, resamples=RESAMPLES)
    return Interval(low=ends[0], high=ends[1], method="bootstrap") if ends else None


def _mean_of(drawn: Mapping[tuple[float, int], int]) -> float | None:
    n = sum(count * claims for (_, claims), count in drawn.items())
    return sum(count * total for (total, _), count in drawn.items()) / n if n else None


def _agreement(judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """How far the judges agree on the claims, and the claims on which they do not."""
    from evals.calibration.alpha import alpha, disputed

    by_judge = {j: readings(judgements, RUBRIC, j) for j in judgements.judges}
    labels = {j: [_given(reading) for reading in found] for j, found in by_judge.items()}
    first = by_judge[bench.judge]
    queue = [
        first[each.claim].evidence.model_copy(
            update={"quote": f"{_said(each.labels)}: {first[each.claim].claim.sentence}"}
        )
        for each in disputed(labels)
    ]
    both = sum(sum(map(bool, claim)) > 1 for claim in zip(*labels.values(), strict=True))
    lost = len(first) - both
    stamp = {"judge": _jointly(judgements, bench.judged)}
    yield bench.rate(
        subject.DEBATE, "disputed", len(queue), both,
        "claims with labels from two judges or more that are not the same: for people to settle",
        unscored=lost, evidence=queue,
    ).model_copy(update=stamp)  # fmt: skip
    try:
        found = alpha(labels)
    except UserError as error:
        yield bench.mark.failure(subject.DEBATE, "alpha", str(error))
        return
    known = found.alpha
    score = bench.score(
        subject.DEBATE, "alpha", known.value,
        known.why or "Krippendorff's alpha across judges, bootstrap by claim; it says how "
        "repeatable the labels are, not whether they are right",
        n=known.n, label=found.reading, unscored=known.unscored, evidence=queue,
    )  # fmt: skip
    yield score.model_copy(update=stamp | {"interval": _interval(known.low, known.high)})


def _given(reading: Reading) -> str | None:
    # Who says that it cannot be decided has not labelled the claim.
    return None if reading.label == "abstain" else reading.label


def _said(labels: Mapping[str, str | None]) -> str:
    return ", ".join(f"{judge} says {label}" for judge, label in labels.items() if label)


def _interval(low: float | None, high: float | None) -> Interval | None:
    if low is None or high is None:
        return None
    return Interval(low=low, high=high, method="bootstrap")


def _jointly(judgements: Judgements, by: Judged) -> Judged:
    """All judges as one stamp."""
    stamps = [judged(judgements, name, by.rubric) for name in judgements.judges]
    models = tuple(dict.fromkeys(model for stamp in stamps for model in stamp.models))
    names = " + ".join(judgements.judges)
    return by.model_copy(update={"judge": names, "models": models})
