"""The validity battery for evaluators that ask no model.

A planted fault must move the metric it should, and a declared set of others that honestly hang on
it (a vote changes the outcome, and with it what everybody took home); everything else must read as
before. What means the same must read the same. The checks are in offline_checks.py, numbered V1 to
V10 as for judges.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from evals.evaluator import Evaluator, Result, Score, Value, evaluate
from evals.registry import BUILT_IN
from evals.validity import planting
from evals.validity.offline_checks import (
    FORM,
    NOTHING_DONE,
    WORDS,
    Check,
    Patterns,
    checks_for,
    filled,
    fits,
    tried,
)
from evals.validity.planted import Cell, Mark, Planted, Reading, differing, reading
from harness.transcript import Transcript


class CheckResult(Value):
    """What one check of the battery found."""

    id: str
    """V1 to V10."""
    name: str
    result: str
    """The finding in words, with counts."""
    value: float | None
    """The figure that is held against the pass mark, in [0, 1]; None where there was none."""
    pass_mark: float | None
    """The check passes from this value on."""
    n: int
    """How many plants, or comparisons, the value stands on."""
    passed: bool | None
    """None where the check could not be made; the reason says why."""
    reason: str = ""
    """What went wrong first, or why the check could not be made."""
    evaluators: tuple[str, ...] = ()
    """Names of the evaluators the check is about."""
    failing: tuple[str, ...] = ()
    """The `evaluator/metric` that did not keep to it."""


@dataclass
class _Found:
    """What has been seen of a check so far."""

    n: int = 0
    good: int = 0
    why: str = ""
    failing: dict[str, None] = field(default_factory=dict)

    def add(self, missed: Iterable[str], stray: Iterable[Cell], where: str) -> None:
        """Count one plant."""
        missed, stray = tuple(missed), tuple(sorted(stray))
        self.n += 1
        self.good += not missed and not stray
        self.failing |= dict.fromkeys([p.partition("@")[0] for p in missed])
        self.failing |= dict.fromkeys([f"{name}/{metric}" for name, _, metric in stray])
        if (missed or stray) and not self.why:
            moved = ", ".join(f"{name}/{metric}@{about}" for name, about, metric in stray[:5])
            told = [f"did not move {', '.join(missed)}"] if missed else []
            self.why = f"{where}: " + "; ".join([*told, *([f"moved {moved}"] if stray else [])])


def run_offline(
    transcripts: Iterable[Transcript],
    extra: Iterable[Evaluator] = (),
    *,
    among: Iterable[Evaluator] = BUILT_IN,
    seed: int = 0,
    most: int = 40,
    counts_words: Patterns = (),
) -> tuple[CheckResult, ...]:
    """The battery over the built-in evaluators and any others.

    Args:
        transcripts: Records to plant in; the more and the more varied, the more the card says.
        extra: Evaluators of your own. They must ask no model and be the same every time.
        among: What they are added to. Checks of an evaluator that is not there are left out.
        seed: For everything that is drawn.
        most: Plants per check and transcript; where there are more places, so many are drawn.
        counts_words: Patterns of extra results that any sentence may move, as in `WORDS`.
    """
    evaluators = (*among, *extra)
    by_name = {each.name: each for each in evaluators}
    records = [(t, reading(evaluate(t, evaluators))) for t in transcripts]
    words = (*WORDS, *counts_words)
    told = [
        _run(check, records, evaluators, seed, most)
        for check in checks_for(words)
        if by_name.keys() >= set(check.about)
    ]
    if "concordance" in by_name:
        told += _mandates(records, by_name["concordance"], seed)
    told += [
        _courtesies(records, evaluators, seed, (*FORM, *counts_words)),
        _retest(records, evaluators),
        _NO_GOLD,
    ]
    return tuple(sorted(told, key=lambda check: int(check.id[1:])))


def _run(
    check: Check,
    records: Sequence[tuple[Transcript, Reading]],
    evaluators: Sequence[Evaluator],
    seed: int,
    most: int,
) -> CheckResult:
    found = _Found()
    for transcript, before in records:
        rng = random.Random(seed)
        for planted, _ in zip(check.plants(transcript, rng), range(most), strict=False):
            clean = before
            if planted.clean is not transcript:
                clean = reading(evaluate(planted.clean, evaluators))
            after = reading(evaluate(planted.transcript, evaluators))
            moved = differing(clean, after, unscored=not check.unscored)
            should = [filled(p, planted) for p in check.should]
            may = [*should, *(filled(p, planted) for p in check.may)]
            missed = [p for p in should if not any(fits(cell, p) for cell in moved)]
            stray = [cell for cell in moved if not any(fits(cell, p) for p in may)]
            found.add(missed, stray, _where(planted.marks[0]))
    what = (
        "moved what they should and nothing else" if check.should else "moved nothing they may not"
    )
    return _result(check.id, check.name, found, what, check.about or _names(evaluators))


def _result(
    check: str, name: str, found: _Found, what: str, evaluators: tuple[str, ...]
) -> CheckResult:
    return CheckResult(
        id=check,
        name=name,
        result=f"{found.good} of {found.n} {what}" if found.n else "not made",
        value=found.good / found.n if found.n else None,
        pass_mark=1.0,
        n=found.n,
        passed=found.good == found.n if found.n else None,
        reason=found.why if found.n else "there was no place to plant it in these transcripts",
        evaluators=evaluators,
        failing=tuple(found.failing),
    )


def _names(evaluators: Sequence[Evaluator]) -> tuple[str, ...]:
    return tuple(each.name for each in evaluators)


def _where(mark: Mark) -> str:
    parts = (mark.plant, mark.party, mark.key or mark.position, mark.turn)
    return " ".join(part for part in parts if part)


def _courtesies(
    records: Sequence[tuple[Transcript, Reading]],
    evaluators: Sequence[Evaluator],
    seed: int,
    form: Patterns,
) -> CheckResult:
    """V5: nobody who only exchanges courtesies is found consistent, or inconsistent."""
    found = _Found()
    for transcript, _ in records:
        polite = tried(planting.courtesy_only, transcript, seed)
        for result in (r for each in polite for r in evaluate(each.transcript, evaluators)):
            cell = (result.evaluator, result.subject, result.metric)
            if any(fits(cell, pattern) for pattern in form):
                continue
            found.add((), (cell,) if _scored(result, cell) else (), "courtesies")
    what = "results say nothing about courtesies"
    return _result("V5", "courtesies only", found, what, _names(evaluators))


def _scored(result: Result, cell: Cell) -> bool:
    """Whether the result finds something in courtesies; an evaluator that breaks fails too."""
    if not isinstance(result, Score):
        return result.metric == "*"
    idle = any(fits(cell, pattern) for pattern in NOTHING_DONE)
    return bool(result.value) if idle else result.value is not None


def _retest(
    records: Sequence[tuple[Transcript, Reading]], evaluators: Sequence[Evaluator]
) -> CheckResult:
    """V8: scoring the same record again gives the same results, reasons and evidence included."""
    found = _Found()
    for transcript, _ in records:
        for each in evaluators:
            first, *again = (evaluate(transcript, (each,)) for _ in range(3))
            stray = [(each.name, "debate", "*")] if any(a != first for a in again) else []
            found.add((), stray, each.name)
    return _result("V8", "scored three times", found, "gave the same", _names(evaluators))


def _mandates(
    records: Sequence[tuple[Transcript, Reading]], concordance: Evaluator, seed: int
) -> Iterator[CheckResult]:
    """V1 to V3: answers fit the own mandate, not another's, a scrambled or a negated one.

    The first two only where the seat is known to follow its mandate; what a language model did in
    it says nothing about the metric.
    """
    swaps = [pair for t, before in records for pair in _swapped(t, before, concordance)]
    yield _better("V1", "mandates swapped", swaps, 0.9)
    scrambled = [
        pair
        for transcript, before in records
        for planted in tried(planting.scramble_items, transcript, seed)
        for pair in _in_line(before, planted, _faithful(transcript), concordance)
    ]
    yield _better("V2", "items of the mandates permuted", scrambled, 0.9)
    yield _negated(records, concordance)


def _swapped(
    transcript: Transcript, before: Reading, concordance: Evaluator
) -> Iterator[tuple[float, float]]:
    parties = transcript.state.parties
    for one, other in zip(parties, (*parties[1:], parties[0]), strict=True):
        if one != other:
            planted = planting.swap_mandates(transcript, one, other)
            yield from _in_line(before, planted, {one} & _faithful(transcript), concordance)


def _faithful(transcript: Transcript) -> set[str]:
    """The parties whose seat the reference negotiator has."""
    parties = transcript.state.parties
    return {x.seat for x in transcript.card.seats if x.model == "reference" and x.seat in parties}


def _in_line(
    before: Reading, planted: Planted, parties: Iterable[str], concordance: Evaluator
) -> Iterator[tuple[float, float]]:
    """Each party's concordance under its own and under the changed mandate, where both exist."""
    after = reading(evaluate(planted.transcript, (concordance,)))
    for party in parties:
        cell = ("concordance", f"party:{party}", "concordance")
        own, changed = (r[cell][0][0] for r in (before, after))
        if isinstance(own, float) and isinstance(changed, float):
            yield own, changed


def _better(
    check: str, name: str, pairs: Sequence[tuple[float, float]], mark: float
) -> CheckResult:
    """P(own > changed) + P(own = changed)/2 over the pairs."""
    wins = sum(1.0 if own > changed else 0.5 if own == changed else 0.0 for own, changed in pairs)
    value = wins / len(pairs) if pairs else None
    return CheckResult(
        id=check,
        name=name,
        result=f"own mandate fits better in {wins:g} of {len(pairs)} (ties half)",
        value=value,
        pass_mark=mark,
        n=len(pairs),
        passed=None if value is None else value >= mark,
        reason=""
        if pairs
        else "no formal answer of a reference negotiator on which both mandates ask for something",
        evaluators=("concordance",),
        failing=("concordance/concordance",) if value is not None and value < mark else (),
    )


def _negated(records: Sequence[tuple[Transcript, Reading]], concordance: Evaluator) -> CheckResult:
    """V3: answers in line with a mandate are out of line with its negation, party by party."""
    hits = flipped = 0
    for transcript, before in records:
        for party in transcript.setting.parties:
            changed = transcript
            for position in party.positions:
                changed = planting.negate(changed, position.id, f"Not so: {position.id}").transcript
            after = reading(evaluate(changed, (concordance,)))
            for cell in before:
                if cell[2] == "answer_in_line" and cell[1].startswith(f"party:{party.id}/"):
                    was, now = _kept(before, cell), _kept(after, cell)
                    hits += was
                    flipped += max(0, was - now)
    value = flipped / hits if hits else None
    return CheckResult(
        id="V3",
        name="mandates negated",
        result=f"{flipped} of {hits} answers in line are so no longer",
        value=value,
        pass_mark=0.8,
        n=hits,
        passed=None if value is None else value >= 0.8,
        reason="" if hits else "no formal answer was in line with a mandate",
        evaluators=("concordance",),
        failing=("concordance/in_line",) if value is not None and value < 0.8 else (),
    )


def _kept(found: Reading, cell: Cell) -> int:
    """How many answers of the cell are in line."""
    return sum(value[0] is True for value in found.get(cell, ()))


_NO_GOLD = CheckResult(
    id="V10",
    name="shuffled gold",
    result="not made",
    value=None,
    pass_mark=None,
    n=0,
    passed=None,
    reason="these evaluators compute what they say and are not calibrated against labels",
)
