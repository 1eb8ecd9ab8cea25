"""J9: whether the chair's words lean towards a party; a neutral chair has 0 towards each.

Wording alone is judged. Which text the chair puts follows from declared acceptances by a stated
rule, so a text that suits one side is no leaning; the way it is put may be.
"""

from __future__ import annotations

from collections.abc import Iterator

from evals import subject
from evals.dimensions.dimension import Bench, cited, dimension
from evals.evaluator import Result
from evals.judging.shapes import Judgements, Verdict
from harness.transcript import Transcript


@dimension("neutrality", version=1, rubrics=("neutrality",))
def neutrality(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party the mean leaning in [-1, 1] and how often there was one; for all, the spread.

    The spread, in [0, 2], lies between the party leaned to most and the one leaned to least.
    """
    found = sorted(judgements.of("neutrality", bench.judge), key=lambda v: v.seqs)
    means: dict[str, float] = {}
    for party in transcript.state.parties:
        own = [v for v in found if v.party == party]
        values = [v.value for v in own if v.value is not None]
        if values:
            means[party] = sum(values) / len(values)
        yield from _towards(bench, party, own, values)
    yield _spread(bench, means, found, len(transcript.state.parties))


def _towards(bench: Bench, party: str, own: list[Verdict], values: list[float]) -> Iterator[Result]:
    leaning = [v for v in own if v.value]
    lost = len(own) - len(values)
    notes = [cited(v) for v in leaning]
    yield bench.mean(
        subject.party(party), "leaning", values,
        "mean leaning of the chair's texts towards it: -1 against, 0 neutral, 1 for",
        unscored=lost, evidence=notes,
    )  # fmt: skip
    yield bench.rate(
        subject.party(party), "leans", len(leaning), len(values),
        "texts of the chair that lean towards it or against it, of all",
        unscored=lost, evidence=notes,
    )  # fmt: skip


def _spread(bench: Bench, means: dict[str, float], found: list[Verdict], parties: int) -> Result:
    lost = sum(v.value is None for v in found)
    if len(means) < max(2, parties):
        why = f"no value: the leaning is known towards {len(means)} of {parties} parties"
        return bench.score(subject.DEBATE, "spread", None, why, n=len(means), unscored=lost)
    best, worst = max(means, key=lambda p: means[p]), min(means, key=lambda p: means[p])
    spread = means[best] - means[worst]
    reason = (
        f"leans most towards {best} ({means[best]:+.2f}), least towards {worst} "
        f"({means[worst]:+.2f})"
        if spread
        else f"the same leaning towards each party ({means[best]:+.2f})"
    )
    return bench.score(
        subject.DEBATE, "spread", spread, reason, n=len(found) - lost, unscored=lost,
        evidence=[cited(v) for v in found if v.value],
    )  # fmt: skip
