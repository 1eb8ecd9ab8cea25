"""What stored judges of contradictions in debate are worth, and whether corrected shares hold.

    uv run python benchmarks/judges.py [FOLDER] [RESAMPLES]

FOLDER holds the ProSeCCo corpus with its authors' stored judges (default ../shared/gold/prosecco
beside the checkout); no model is called. The first table says how each judge does against people,
the second how often intervals hold the true share over resamples of the stored labels.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from evals.calibration.alpha import alpha
from evals.calibration.correction import (
    Tally,
    correct,
    label_shift,
    prediction_powered,
    tuned_weight,
)
from evals.calibration.measures import Confusion, Estimate, confusion, measure

if TYPE_CHECKING:
    from numpy.random import Generator

PROSECCO = Path(__file__).parents[2] / "shared" / "gold" / "prosecco"
YES, NO = "contradiction", "no contradiction"

_HUMAN = {
    "1.0": YES, "self-contradiction": YES, "contradiction": YES,
    "0.0": NO, "non-contradiction": NO, "entailment": NO,
}  # fmt: skip
_ENTAILMENT_MODEL = {"0": YES, "1": NO, "2": NO}
"""Contradiction, neutral, entailment."""
_VERDICT = re.compile(r"\b(non|self)[\s-]*contradict(?:ion|ory)", re.IGNORECASE)
_BARE_VERDICT = re.compile(r"\bcontradict(?:ion|ory)", re.IGNORECASE)

_FILES = {
    "gpt-4, utterances": "gpt4_locution_2shot_{}.tsv",
    "gpt-4, propositions": "gpt4_proposition_2shot_{}.tsv",
    "gpt-3.5, utterances": "GPT_zeroShot_locution_predictions_{}.tsv",
    "gpt-3.5, propositions": "GPT_zeroShot_proposition_predictions_{}.tsv",
    "gpt-3.5 (1), utterances": "GPT_zeroShot_locutions_predictions.tsv",
    "gpt-3.5 (1), propositions": "GPT_zeroShot_predictions.tsv",
    "bart-mnli, utterances": "bart-mnli_locution_{}.tsv",
    "bart-mnli, propositions": "bart-mnli_proposition_{}.tsv",
    "roberta-mnli, utterances": "roberta-mnli_locution_{}.tsv",
    "roberta-mnli, propositions": "roberta-mnli_proposition_{}.tsv",
}
"""Judges by name; (1) marks earlier single runs of another prompt."""


class StoredJudge(NamedTuple):
    """A judge's stored labels, in one or three runs, beside people's."""

    name: str
    human: list[str]
    runs: list[list[str | None]]

    def table(self, run: int = 0) -> Confusion:
        """The run against people, with the contradiction first."""
        return confusion(self.human, self.runs[run], (YES, NO))


def stored_judges(folder: Path = PROSECCO) -> Iterator[StoredJudge]:
    """Every judge stored beside the corpus.

    The files number the pairs otherwise than the corpus does, so people's labels are taken from the
    files themselves. Pairs without one are left out.
    """
    for name, pattern in _FILES.items():
        files = [pattern.format(run) for run in (1, 2, 3)] if "{}" in pattern else [pattern]
        runs = [dict(_rows(folder / "judges" / file)) for file in files]
        ids = [pair for pair in runs[0] if all(pair in run for run in runs)]
        yield StoredJudge(
            name,
            [runs[0][pair].human for pair in ids],
            [[run[pair].judge for pair in ids] for run in runs],
        )


class _Row(NamedTuple):
    human: str
    judge: str | None


def _rows(path: Path) -> Iterator[tuple[str, _Row]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            said = list(row.values())[-1]
            human = _HUMAN.get(row.get("gold_standard") or row.get("label") or "")
            if human:
                yield row["ID"], _Row(human, _ENTAILMENT_MODEL.get(said) or verdict(said))


def verdict(reply: str) -> str | None:
    """The verdict in a reply in prose; None where it names none, or both.

    "No direct contradiction" in an explanation is no verdict, so the bare word counts only where
    neither `non-` nor `self-contradiction` occurs. Replies that name both explain the two, or offer
    to; taking the last or the first word of those lowers alpha of gpt-4 by .01 and moves no
    sensitivity by more than .002.
    """
    full = {word.lower() for word in _VERDICT.findall(reply)}
    if full:
        return None if len(full) > 1 else NO if "non" in full else YES
    return YES if _BARE_VERDICT.search(reply) else None


Sample: TypeAlias = tuple[Tally, Confusion]
"""The judge's labels of claims without a human label, and the gold."""


def random_samples(table: Confusion, gold: int, resamples: int, seed: int = 0) -> Iterator[Sample]:
    """Draw `gold` of the labelled pairs, again and again; the judge alone labels the rest."""
    from numpy.random import default_rng

    rng = default_rng(seed)
    cells = [count for row in table.counts for count in row]
    for drawn in rng.multivariate_hypergeometric(cells, gold, size=resamples).tolist():
        rest = [count - taken for count, taken in zip(cells, drawn, strict=True)]
        yield _tally(table.labels, _folded(rest)), _gold(table.labels, _folded(drawn))


def shifted_samples(
    table: Confusion, gold: int, judged: int, mix: Sequence[float], resamples: int, seed: int = 0
) -> Iterator[Sample]:
    """Draw `gold` pairs of each human label, and judged ones in another `mix`, with replacement."""
    from numpy.random import default_rng

    rng = default_rng(seed)
    for _ in range(resamples):
        claims = rng.multinomial(judged, mix).tolist()
        yield (
            _tally(table.labels, _draw(rng, table, claims)),
            _gold(table.labels, _draw(rng, table, [gold] * len(table.labels))),
        )


def _draw(rng: Generator, table: Confusion, sizes: Sequence[int]) -> list[list[int]]:
    shares = [[count / sum(row) for count in row] for row in table.counts]
    return [rng.multinomial(of, row).tolist() for of, row in zip(sizes, shares, strict=True)]


def _folded(cells: Sequence[int]) -> list[list[int]]:
    size = isqrt(len(cells))
    return [list(cells[at : at + size]) for at in range(0, len(cells), size)]


def _tally(labels: tuple[str, ...], rows: Sequence[Sequence[int]]) -> Tally:
    return Tally(counts=dict(zip(labels, map(sum, zip(*rows, strict=True)), strict=True)))


def _gold(labels: tuple[str, ...], rows: Sequence[Sequence[int]]) -> Confusion:
    counts = tuple(tuple(row) for row in rows)
    return Confusion(labels=labels, counts=counts, unscored=(0,) * len(labels))


class Coverage(NamedTuple):
    """What an estimator did over resamples."""

    covered: float
    """Share of the resamples with an interval in which it holds the true share."""
    bias: float | None
    """Mean of the values less the true share; None without any value."""
    valued: float
    """Share of the resamples with a value."""
    width: float
    """Mean width of the intervals, cut to [0, 1]."""
    covered_valued: float | None
    """`covered` over the resamples with a value alone."""


def coverage(estimates: Sequence[Estimate], truth: float) -> Coverage:
    """How often the intervals hold the truth, and how far off the values are on average."""
    ranged = [e for e in estimates if e.low is not None and e.high is not None]
    ends = [(e.low or 0.0, e.high or 0.0) for e in ranged]
    inside = [low <= truth <= high for low, high in ends]
    values = [e.value for e in estimates if e.value is not None]
    with_value = [hit for hit, e in zip(inside, ranged, strict=True) if e.value is not None]
    return Coverage(
        covered=sum(inside) / len(inside) if inside else 0.0,
        bias=sum(values) / len(values) - truth if values else None,
        valued=len(values) / len(estimates),
        width=sum(min(high, 1) - max(low, 0) for low, high in ends) / len(ends) if ends else 0.0,
        covered_valued=sum(with_value) / len(with_value) if with_value else None,
    )


Estimator: TypeAlias = Callable[[Tally, Confusion], Estimate]


def plain(judged: Tally, gold: Confusion) -> Estimate:
    """Plain prediction-powered share of contradictions."""
    return prediction_powered(YES, judged, gold)


def tuned(judged: Tally, gold: Confusion) -> Estimate:
    """Power-tuned share of contradictions."""
    return prediction_powered(YES, judged, gold, weight=tuned_weight(YES, judged, gold))


def unmixed(judged: Tally, gold: Confusion) -> Estimate:
    """Label-shift share of contradictions."""
    return label_shift(YES, judged, gold)


def over(samples: Iterator[Sample], estimator: Estimator, truth: float) -> Coverage:
    """Coverage of one estimator over samples."""
    return coverage([estimator(judged, gold) for judged, gold in samples], truth)


GOLD = 100
PER_LABEL = 200
JUDGED = 1000
SHIFTED = 0.15


def main(folder: Path, resamples: int) -> None:
    """Print both tables."""
    judges = list(stored_judges(folder))
    print(f"{'judge':27}{'n':>5}{'uns.':>5} {'alpha over runs':20}{'sens.':>6}{'spec.':>6} "
          f"{'kappa':18}{'raw':>5} {'corrected, m=100':18}{'R.-G.':>6}{'true':>6}")  # fmt: skip
    for judge in judges:
        print(_described(judge))
    print(f"\nCoverage over {resamples} resamples, bias and mean width in brackets")
    print(f"A: {GOLD} random gold claims, the rest judged. B: {PER_LABEL} gold claims per label "
          f"and {JUDGED} judged ones, {SHIFTED:.0%} of them contradictions.")  # fmt: skip
    print(f"{'judge':27}{'A plain':22}{'A tuned':22}{'B label shift':22}{'with value':>12}"
          f"{'cover':>7} {'B, taken for random':20}")  # fmt: skip
    for judge in judges:
        print(_covered(judge, resamples))


def _described(judge: StoredJudge) -> str:
    table = judge.table()
    found = measure(judge.human, judge.runs[0], (YES, NO))
    own = alpha({str(run): labels for run, labels in enumerate(judge.runs)}).alpha
    both = found.classes[0]
    judged, gold = next(random_samples(table, GOLD, 1))
    fixed = correct(YES, judged, gold, design="random")
    crude = "none" if fixed.rogan_gladen.value is None else f"{fixed.rogan_gladen.value:.2f}"
    return (
        f"{judge.name:27}{table.n:5}{sum(table.unscored):5} "
        f"{'one run' if len(judge.runs) == 1 else own.shown(3):20}"
        f"{both.sensitivity.value or 0:6.3f}{both.specificity.value or 0:6.3f} "
        f"{_signed(found.kappa):18}{fixed.raw.value or 0:5.2f} {fixed.best.shown():18}"
        f"{crude:>6}{table.row(YES) / table.n:6.2f}"
    )


def _signed(found: Estimate) -> str:
    return f"{found.value or 0:.2f} [{found.low or 0:.2f}, {found.high or 0:.2f}]"


def _covered(judge: StoredJudge, resamples: int) -> str:
    table = judge.table()
    truth = table.row(YES) / table.n
    mix = (SHIFTED, 1 - SHIFTED)

    def shifted() -> Iterator[Sample]:
        return shifted_samples(table, PER_LABEL, JUDGED, mix, resamples)

    first = over(random_samples(table, GOLD, resamples), plain, truth)
    second = over(random_samples(table, GOLD, resamples), tuned, truth)
    third = over(shifted(), unmixed, SHIFTED)
    naive = over(shifted(), plain, SHIFTED)
    inside = "-" if third.covered_valued is None else f"{third.covered_valued:.3f}"
    return (
        f"{judge.name:27}{_cell(first)}{_cell(second)}{_cell(third)}{third.valued:12.1%}"
        f"{inside:>7} {_cell(naive)}"
    )


def _cell(found: Coverage) -> str:
    bias = "none" if found.bias is None else f"{found.bias:+.3f}"
    return f"{f'{found.covered:.3f} ({bias}, {found.width:.2f})':22}"


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else PROSECCO,
        int(sys.argv[2]) if len(sys.argv) > 2 else 2000,
    )
