"""Whether it can be told who speaks once every name is hidden.

If a judge cannot tell the delegations apart by what they say, their persona prompts have done
nothing that can be read. If it can, that is no proof of a good persona: what only one state could
say (its own missiles, its own allies) gives it away whatever the prompt.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from evals import subject
from evals.dimensions.dimension import Bench, cited, dimension
from evals.evaluator import Interval, Result, Score
from evals.judging.shapes import Judgements, Verdict
from harness.transcript import Transcript

Taken = tuple[str, str]
"""(who spoke, who the judge took it for)."""


@dimension("attribution", version=1, rubrics=("attribution",))
def attribution(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Over the debate accuracy beside chance, and discriminability; the confusion matrix by row.

    Per party `taken_for:ID` is the share of its statements that were taken for that party's.
    """
    found = sorted(judgements.of("attribution", bench.judge), key=lambda v: v.seqs)
    named = [v for v in found if v.label is not None]
    lost = len(found) - len(named)
    parties = transcript.state.parties
    right = [v for v in named if v.label == v.party]
    yield bench.rate(
        subject.DEBATE, "accuracy", len(right), len(named),
        f"statements whose speaker was named; chance is 1/{len(parties)}",
        unscored=lost,
        evidence=[cited(v, f"{v.party} taken for {v.label}") for v in named],
    )  # fmt: skip
    yield bench.score(
        subject.DEBATE, "chance", 1 / len(parties) if named else None,
        f"accuracy of naming one of the {len(parties)} parties at random"
        if named
        else "no value: nothing was labelled",
        n=len(named), unscored=lost,
    )  # fmt: skip
    yield _discriminability(bench, named, lost)
    for party in parties:
        yield from _row(bench, party, [v for v in found if v.party == party], parties)


def pairs(verdicts: Sequence[Verdict]) -> list[Taken]:
    """Who spoke and who it was taken for, of the verdicts that say so."""
    return [(v.party, v.label) for v in verdicts if v.party is not None and v.label is not None]


def discriminability(cells: Mapping[Taken, int]) -> float | None:
    """How far who speaks can be told, in [-1/(k-1), 1]: 0 is chance, 1 is never wrong.

    (b - 1/k)/(1 - 1/k) with the k parties that spoke and b the mean over them of the share of their
    statements that were recognised: balanced accuracy (K. H. Brodersen et al., "The Balanced
    Accuracy and Its Posterior Distribution", ICPR 2010) rescaled so that chance is 0. With two
    parties it is Youden's index (Cancer 3 (1950), 32-35). Unlike accuracy, it gives nothing to a
    judge that always names the party that speaks most. It is not clipped at 0, which would push
    means over debates up.

    Args:
        cells: how often each pair of speaker and label occurs.

    Returns:
        None where fewer than two parties spoke.
    """
    spoken: Counter[str] = Counter()
    for (party, _), count in cells.items():
        spoken[party] += count
    k = len(spoken)
    if k < 2:
        return None
    balanced = fmean(cells.get((party, party), 0) / of for party, of in spoken.items())
    return (balanced - 1 / k) / (1 - 1 / k)


def by_turn(cells: Mapping[Taken, int], *, resamples: int = 1000, seed: int = 0) -> Interval | None:
    """A percentile bootstrap interval for discriminability, drawn by turn.

    How often each party spoke is kept: the floor decides that, not chance. Turns are taken to be
    independent, which those of one debate are not, so the true uncertainty is larger; over several
    debates see manipulation.py. None where every draw gives the same: that would read as certainty.
    """
    rng = random.Random(seed)
    rows: dict[str, dict[str, int]] = {}
    for (party, label), count in sorted(cells.items()):
        rows.setdefault(party, {})[label] = count
    drawn = (discriminability(_drawn(rows, rng)) for _ in range(resamples))
    values = sorted(value for value in drawn if value is not None)
    if not values or values[0] == values[-1]:
        return None
    low, high = values[int(0.025 * resamples)], values[-1 - int(0.025 * resamples)]
    return Interval(low=low, high=high, method="bootstrap")


def _drawn(rows: Mapping[str, Mapping[str, int]], rng: random.Random) -> Counter[Taken]:
    """As many turns of each party as there were, drawn from its own with replacement."""
    return Counter(
        (party, label)
        for party, row in rows.items()
        for label in rng.choices(list(row), list(row.values()), k=sum(row.values()))
    )


def _discriminability(bench: Bench, named: list[Verdict], lost: int) -> Score:
    cells = Counter(pairs(named))
    value = discriminability(cells)
    if value is None:
        why = "no value: statements of at least two parties are needed"
        return bench.score(
            subject.DEBATE, "discriminability", None, why, n=len(named), unscored=lost
        )
    ends = by_turn(cells)
    score = bench.score(
        subject.DEBATE, "discriminability", value,
        "balanced accuracy over chance: 0 cannot be told apart, 1 always"
        + ("" if ends else "; no interval: the turns are too few or too alike to draw one from"),
        n=len(named), unscored=lost,
        evidence=[cited(v, f"{v.party} taken for {v.label}") for v in named],
    )  # fmt: skip
    return score.model_copy(update={"interval": ends})


def _row(bench: Bench, party: str, own: list[Verdict], parties: Sequence[str]) -> Iterator[Result]:
    named = [v for v in own if v.label is not None]
    for other in parties:
        hits = [v for v in named if v.label == other]
        what = "recognised" if other == party else f"taken for {other}"
        yield bench.rate(
            subject.party(party), f"taken_for:{other}", len(hits), len(named),
            f"statements of {party} {what}",
            unscored=len(own) - len(named), evidence=[cited(v, what) for v in hits],
        )  # fmt: skip
