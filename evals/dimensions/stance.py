"""J5: how far each statement moves towards the other side, from -1 (own demand) to 1 (theirs).

The prose alone is read, without the mandate: a stance says where a party put itself, not where it
should be. The gap between stance and vote is not computed here but left to accord: a stance is held
on a whole item and towards others, a vote is cast on one text, which may be the party's own, so the
two have no common scale; a stand on an issue that is read from prose and a vote have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from evals import subject
from evals.dimensions.dimension import Bench, cited, dimension
from evals.evaluator import Evidence, Result
from evals.judging.shapes import Judgements, Verdict
from evals.record import debated
from harness.transcript import Transcript


class Series(NamedTuple):
    """The stances of a party on an item, in the order of its statements."""

    party: str
    item: str
    verdicts: tuple[Verdict, ...]
    """Of every statement it made there, courtesies and unscored ones included."""

    @property
    def taken(self) -> tuple[Verdict, ...]:
        """Those that have a place on the scale."""
        return tuple(v for v in self.verdicts if v.value is not None)

    @property
    def values(self) -> list[float]:
        """Their numbers, in [-1, 1]."""
        return [v.value for v in self.verdicts if v.value is not None]

    @property
    def unscored(self) -> int:
        """Statements the judge gave no readable label."""
        return sum(v.label is None for v in self.verdicts)

    @property
    def sided(self) -> tuple[Verdict, ...]:
        """All but those that were read and take no stand, such as thanks."""
        return tuple(v for v in self.verdicts if v.label is None or v.value is not None)


@dimension("stance", version=1, rubrics=("stance",))
def stance(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party and item the mean with the series behind it, the first and the last stance.

    Per party the mean of its items, each counting the same however long it was talked about.
    """
    found = series(transcript, judgements, bench.judge)
    for each in found:
        yield from _on_item(bench, each)
    for party in transcript.state.parties:
        own = [each for each in found if each.party == party]
        means = [fmean(each.values) for each in own if each.values]
        yield bench.mean(
            subject.party(party), "mean", means,
            f"mean over {len(means)} items of the mean stance there, -1 own demand, 1 the others'",
            unscored=sum(each.unscored for each in own),
            evidence=[cited(v) for each in own for v in each.taken],
        )  # fmt: skip


def series(transcript: Transcript, judgements: Judgements, judge: str) -> tuple[Series, ...]:
    """The series of every party on every item that was opened, also those with nothing in them."""
    said = sorted(judgements.of("stance", judge), key=lambda v: v.seqs)
    return tuple(
        Series(party, item.id, tuple(v for v in said if (v.party, v.item) == (party, item.id)))
        for item in debated(transcript)
        for party in transcript.state.parties
    )


def _on_item(bench: Bench, each: Series) -> Iterator[Result]:
    about = subject.party_item(each.party, each.item)
    values, notes = each.values, [cited(v) for v in each.taken]
    shown = ", ".join(f"{v.turn} {v.value:+.2f}" for v in each.taken)
    yield bench.mean(
        about, "mean", values, f"stance by turn: {shown or 'none'}",
        unscored=each.unscored, evidence=notes,
    )  # fmt: skip
    yield _end(bench, about, "first", each.sided[:1], notes[:1])
    yield _end(bench, about, "last", each.sided[-1:], notes[-1:])


def _end(
    bench: Bench, about: str, metric: str, end: Sequence[Verdict], notes: Sequence[Evidence]
) -> Result:
    """The first or last stance; where that statement is unscored, none takes its place."""
    if not end:
        return bench.score(about, metric, None, "no value: it took no stand", n=0)
    if end[0].label is None:
        why = f"no value: {end[0].turn} is unscored ({end[0].unscored})"
        return bench.score(about, metric, None, why, n=0, unscored=1)
    reason = f"stance in {end[0].turn}: {end[0].reason}"
    return bench.score(about, metric, end[0].value, reason, n=1, label=end[0].label, evidence=notes)
