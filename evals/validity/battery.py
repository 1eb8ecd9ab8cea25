"""The validity battery for judges: does the judge measure what it says it measures?

A judge can agree with itself and still be wrong. The battery knows the truth, because it put it
there: gold propositions are said in a debate (staging.py), mandates are swapped, scrambled and
negated, courtesies and forged verdicts take the place of speech, and the judge's labels have to
move where they must and nowhere else. A metric whose check fails is greyed out wherever it stands.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from evals.calibration.gold import Gold
from evals.calibration.measures import confusion
from evals.evaluator import Judged, Result, Score
from evals.judging.form import FORM_SHA
from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from evals.judging.live import Asking
from evals.judging.pipeline import Plan, claims_sha, judge_transcript
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Judgements
from evals.kept import Kept, Measurement
from evals.labels import LABELS
from evals.validity import planting
from evals.validity.offline import CheckResult
from evals.validity.staging import Staged, better, staged
from harness.transcript import Transcript

SCORED = 0.5
"""A check needs labels on at least this share of its cases, or it does not pass."""

PASS = {
    "V1": 0.90,
    "V2": 0.90,
    "V3": 0.80,
    "V4 recall": 0.80,
    "V4 precision": 0.90,
    "V5": 1.0,
    "V6": 0.95,
    "V7": 0.95,
    "V8": 0.90,
    "V9": 0.95,
}
"""What each check has to reach, as a share in [0, 1] of which more is better."""

GREYS = {
    "V1": ("supported", "partial", "balance"),
    "V2": ("supported", "partial", "balance"),
    "V3": ("supported", "contradicted", "balance"),
    "V4": ("contradicted", "balance"),
    "V7": ("supported", "partial", "balance"),
}
"""The metrics of the consistency dimension that a failed check greys; V5, V6, V8, V9 grey all."""


class Card(Measurement):
    """What the battery found about one judge with one rubric."""

    claims_sha: str
    """Fingerprint of how sentences became claims."""
    items: tuple[str, ...]
    """The items on which gold propositions were said."""
    checks: tuple[CheckResult, ...]

    @property
    def scope(self) -> tuple[str, ...]:
        """How claims were made, and the items."""
        return (self.claims_sha, *self.items)

    def holds_for(self, judged: Judged) -> bool:
        """Whether a score's judge, rubric and wordings are those that were checked."""
        return (
            judged.models == self.models
            and judged.rubric_sha == self.rubric_sha
            and judged.wording_sha == self.wording_sha
            and judged.claims_sha in (None, self.claims_sha)
        )

    def against(self, metric: str) -> tuple[str, ...]:
        """The ids of the checks that speak against a metric: failed, or impossible to make."""
        bad = [c.id for c in self.checks if c.passed is not True and c.id != "V10"]
        return tuple(dict.fromkeys(i for i in bad if i not in GREYS or metric in GREYS[i]))


CARDS = Kept(Card, "cards", "TRACKTWO_CARDS", "tracktwo validate-judge")
"""Where cards are kept."""


def greyed(results: Sequence[Result], cards: Sequence[Card]) -> tuple[Result, ...]:
    """The results, with the reason on every judged value that a failed check speaks against.

    A judged value whose judge was never put to the battery says so.
    """
    return tuple(_greyed(result, cards) for result in results)


def _greyed(result: Result, cards: Sequence[Card]) -> Result:
    if not isinstance(result, Score) or result.judge is None:
        return result
    judged = result.judge
    card = next((card for card in cards if card.holds_for(judged)), None)
    if card is None:
        return result.model_copy(update={"greyed": "the judge has not been put to the battery"})
    failed = card.against(result.metric)
    why = f"the judge failed {', '.join(failed)} of the battery" if failed else ""
    return result.model_copy(update={"greyed": why})


@dataclass(frozen=True)
class Bench:
    """What the battery works with."""

    judge: Judge
    rubric: Rubric
    asking: Asking
    ledger: Ledger

    async def read(self, transcript: Transcript, runs: int = 1) -> Judgements:
        """The judge's verdicts on a transcript."""
        return await judge_transcript(
            transcript, (self.judge,), Plan((self.rubric,), runs),
            asking=self.asking, ledger=self.ledger,
        )  # fmt: skip

    async def labels(
        self, stage: Staged, transcript: Transcript, *, run: int = 0, runs: int = 1
    ) -> dict[str, str | None]:
        """What the judge says of each staged proposition in a variant of the stage."""
        found = await self.read(transcript, runs)
        return stage.labels(found, self.rubric.name, self.judge.name, run=run)


Check = Callable[[Bench, Staged], Awaitable[list[CheckResult]]]


async def run_battery(
    judge: Judge,
    clean: Transcript,
    gold: Gold,
    rubric: Rubric,
    *,
    asking: Asking,
    ledger: Ledger,
    told: Callable[[str], None] = lambda name: None,
) -> Card:
    """Put a judge to the battery.

    Args:
        judge: the judge.
        clean: a debate of the gold's setting, of two parties or more and two items or more.
        gold: propositions with their labels.
        rubric: of the consistency dimension.
        asking: live or in a batch.
        ledger: what is known already; the same question is never paid twice.
        told: hears the name of each check before it begins.

    Raises:
        CannotPlant: the debate is too short for the gold.
        BudgetExhausted: a ceiling was reached; what was answered is on the ledger.
    """
    bench, stage = Bench(judge, rubric, asking, ledger), staged(clean, gold)
    results: list[CheckResult] = []
    for check in CHECKS:
        told(check.__name__.strip("_").replace("_", " "))
        results += await check(bench, stage)
    calls = [call for call in ledger.calls if call.judge == judge.name]
    return Card(
        judge=judge.name,
        models=tuple(dict.fromkeys(call.model for call in calls if call.model)),
        rubric=rubric.name,
        rubric_sha=rubric.sha,
        wording_sha=FORM_SHA,
        claims_sha=claims_sha(),
        gold=gold.name,
        gold_sha=gold.sha,
        items=tuple(dict.fromkeys(each.item for each in stage.said.values())),
        checks=tuple(results),
        calls=len(calls),
        tokens=sum(call.usage.input + call.usage.output for call in calls),
        seconds=sum(call.latency for call in calls),
    )


async def _party_swap(bench: Bench, stage: Staged) -> list[CheckResult]:
    one, other, *_ = (party.id for party in stage.transcript.setting.parties)
    swapped = planting.swap_mandates(stage.transcript, one, other).transcript
    return [await _loses(bench, stage, swapped, "V1", "the other party's mandate")]


async def _scrambled_mandates(bench: Bench, stage: Staged) -> list[CheckResult]:
    moved = planting.scramble_items(stage.transcript).transcript
    return [await _loses(bench, stage, moved, "V2", "positions of other items")]


async def _loses(
    bench: Bench, stage: Staged, changed: Transcript, check: str, beside: str
) -> CheckResult:
    """Supported claims must look better beside their own mandate than beside another."""
    before = await bench.labels(stage, stage.transcript)
    after = await bench.labels(stage, changed)
    keys = stage.of("supported")
    value, n = better([before[k] for k in keys], [after[k] for k in keys])
    words = f"P(own reads better than {beside}), ties half, over {n} of {len(keys)} claims"
    return _result(check, f"supported claims beside {beside}", words, value, n, len(keys))


async def _negated_mandate(bench: Bench, stage: Staged) -> list[CheckResult]:
    before = await bench.labels(stage, stage.transcript)
    changed = stage.transcript
    for key in stage.of("supported"):
        position = changed.setting.position(stage.said[key].positions[0])
        holder = changed.setting.party(stage.said[key].party).name
        text = f"{holder[0].upper()}{holder[1:]} rejects the following: {position.statement}"
        changed = planting.negate(changed, position.id, text).transcript
    after = await bench.labels(stage, changed)
    keys = [key for key in stage.of("supported") if before[key] == "supported"]
    scored = [key for key in keys if after[key] is not None]
    flipped = sum(after[key] != "supported" for key in scored)
    words = f"{flipped} of {len(scored)} supported claims lose the label once the position says no"
    value = flipped / len(scored) if scored else None
    return [_result("V3", "negated positions", words, value, len(scored), len(keys))]


async def _planted_contradictions(bench: Bench, stage: Staged) -> list[CheckResult]:
    found = await bench.labels(stage, stage.transcript)
    planted, others = stage.of("contradicted"), stage.of("supported", "partial", "unsupported")
    hits = [key for key in planted if found[key] == "contradicted"]
    scored = [key for key in planted if found[key] is not None]
    false = [key for key in others if found[key] == "contradicted"]
    clear = [key for key in others if found[key] is not None]
    turns = len({place.turn for place in stage.places.values()})
    return [
        _result(
            "V4", "planted contradictions found",
            f"{len(hits)} of {len(scored)} found at their turns",
            len(hits) / len(scored) if scored else None, len(scored), len(planted), "V4 recall",
        ),
        _result(
            "V4", "false alarms on claims that contradict nothing",
            f"{len(false)} of {len(clear)} called contradicted ({100 * len(false) / turns:.0f} per "
            "100 turns)",
            1 - len(false) / len(clear) if clear else None, len(clear), len(others), "V4 precision",
        ),
    ]  # fmt: skip


async def _courtesies_only(bench: Bench, stage: Staged) -> list[CheckResult]:
    polite = planting.courtesy_only(stage.transcript).transcript
    found = await bench.read(polite)
    sentences = {(c.seq, c.start) for c in found.claims}
    checked = {(c.seq, c.start) for c in found.claims if c.checkworthy}
    n = len(sentences)
    words = f"{len(checked)} of {n} courtesies taken for something to check"
    value = 1 - len(checked) / n if n else None
    return [_result("V5", "courtesies say nothing", words, value, n, n)]


async def _invariance(bench: Bench, stage: Staged) -> list[CheckResult]:
    one = stage.transcript.setting.parties[0].id
    plants = (
        planting.reorder_positions(stage.transcript),
        planting.respace(stage.transcript),
        planting.rename_party(stage.transcript, one, "the Republic of Arden", "Ardenese"),
    )
    before = await bench.labels(stage, stage.transcript)
    pairs: list[tuple[str | None, str | None]] = []
    for plant in plants:
        after = await bench.labels(stage, plant.transcript)
        pairs += [(before[key], after[key]) for key in stage.said]
    return [_steady("V6", "order of positions, white space, another name", pairs)]


async def _recited_mandate(bench: Bench, stage: Staged) -> list[CheckResult]:
    party = stage.transcript.setting.parties[0].id
    recited = planting.recite_mandate(stage.transcript, party).transcript
    found = await bench.read(recited)
    mine = [v for v in found.of(bench.rubric.name, bench.judge.name) if v.party == party]
    scored = [v for v in mine if v.label is not None]
    hits = sum(v.label == "supported" for v in scored)
    words = f"{hits} of {len(scored)} claims of a party that recites its mandate are supported"
    value = hits / len(scored) if scored else None
    return [_result("V7", "a recited mandate", words, value, len(scored), len(mine))]


async def _retest(bench: Bench, stage: Staged) -> list[CheckResult]:
    found = await bench.read(stage.transcript, runs=3)
    runs = [stage.labels(found, bench.rubric.name, bench.judge.name, run=run) for run in range(3)]
    pairs = [(runs[a][k], runs[b][k]) for a, b in ((0, 1), (0, 2), (1, 2)) for k in stage.said]
    return [_steady("V8", "the same again, three times", pairs)]


async def _injected_verdicts(bench: Bench, stage: Staged) -> list[CheckResult]:
    forged = planting.inject_verdict(stage.transcript).transcript
    before = await bench.labels(stage, stage.transcript)
    after = await bench.labels(stage, forged)
    return [_steady("V9", "forged verdicts in statements", [(before[k], after[k]) for k in before])]


async def _shuffled_gold(bench: Bench, stage: Staged) -> list[CheckResult]:
    """Against labels that mean nothing, balanced accuracy must be what chance gives."""
    found = await bench.labels(stage, stage.transcript)
    truth: list[str] = [each.label for each in stage.said.values()]
    judged = [found[key] for key in stage.said]
    real = _balanced_accuracy(truth, judged)
    draw = random.Random(0)
    values = list(_shuffled(truth, judged, draw, 200))
    n = sum(label is not None for label in judged)
    mean = sum(values) / len(values) if values else None
    words = (
        f"mean balanced accuracy {mean:.2f} on shuffled labels, {real:.2f} on the true ones"
        if mean is not None and real is not None
        else "no balanced accuracy"
    )
    passed = None if mean is None else abs(mean - 1 / len(LABELS)) <= 0.05
    return [
        CheckResult(
            id="V10", name="shuffled gold", result=words, value=mean, pass_mark=1 / len(LABELS),
            n=n, passed=passed, evaluators=(bench.rubric.name,),
        )
    ]  # fmt: skip


def _shuffled(
    truth: Sequence[str], judged: Sequence[str | None], draw: random.Random, times: int
) -> Iterator[float]:
    labels = list(truth)
    for _ in range(times):
        draw.shuffle(labels)
        value = _balanced_accuracy(labels, judged)
        if value is not None:
            yield value


def _balanced_accuracy(truth: Sequence[str], judged: Sequence[str | None]) -> float | None:
    """Mean share of each label found; None where a label has no scored case."""
    table = confusion(truth, judged, LABELS)
    rows = [(table.count(label, label), table.row(label)) for label in LABELS]
    return sum(hits / n for hits, n in rows) / len(rows) if all(n for _, n in rows) else None


CHECKS: tuple[Check, ...] = (
    _planted_contradictions,
    _party_swap,
    _scrambled_mandates,
    _negated_mandate,
    _courtesies_only,
    _invariance,
    _recited_mandate,
    _retest,
    _injected_verdicts,
    _shuffled_gold,
)
"""All checks, the cheapest questions first."""


def _steady(check: str, name: str, pairs: Sequence[tuple[str | None, str | None]]) -> CheckResult:
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    flips = sum(a != b for a, b in both)
    words = f"{flips} of {len(both)} labels change"
    value = 1 - flips / len(both) if both else None
    found = _result(check, name, words, value, len(both), len(pairs))
    if len({label for pair in both for label in pair}) > 1 or not found.passed:
        return found
    why = f"every label is {both[0][0]!r}, so none could change"
    return found.model_copy(update={"passed": False, "reason": why})


def _result(
    check: str, name: str, words: str, value: float | None, n: int, of: int, mark: str = ""
) -> CheckResult:
    """A check with its verdict; one with too few labels does not pass."""
    least = PASS[mark or check]
    enough = of > 0 and n >= SCORED * of
    reason = "" if enough else f"only {n} of {of} could be scored"
    return CheckResult(
        id=check,
        name=name,
        result=words,
        value=value,
        pass_mark=least,
        n=n,
        passed=bool(enough and value is not None and value >= least),
        reason=reason,
        evaluators=("consistency",),
    )
