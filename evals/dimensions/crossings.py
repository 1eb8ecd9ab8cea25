"""Red lines crossed in what is said, beside those crossed in moves and votes (red_lines.py).

The judge sees the speaker's own public red lines on the item. A statement is at stake where it
crosses, softens or upholds one of them; what does not touch on any is no merit and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from evals import subject
from evals.dimensions.dimension import Bench, cited, dimension
from evals.evaluator import Evidence, Result, Score, evaluate
from evals.judging.shapes import Judgements, Verdict
from evals.record import debated, mandates
from evals.red_lines import red_lines
from harness.setting import Setting
from harness.transcript import Transcript

AT_STAKE = ("crossed", "softened", "held")
"""The labels of statements that touch on a red line."""

_TYPED = ("hard_crossing", "soft_crossing")


class Line(NamedTuple):
    """A red line and whose it is."""

    party: str
    position: str


@dimension("crossings", version=1, rubrics=("crossings",))
def crossings(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party and over the debate: statements that cross or soften a red line, of those at stake.

    And of the red lines on the debated items, how many are crossed in prose only, in moves only, in
    both.
    """
    found = sorted(judgements.of("crossings", bench.judge), key=lambda v: v.seqs)
    lines, typed = _public_lines(transcript), _typed(transcript)
    for party in transcript.state.parties:
        about = subject.party(party)
        own = [v for v in found if v.party == party]
        yield from _shares(bench, about, own)
        yield from _compared(bench, about, [x for x in lines if x.party == party], own, typed)
    yield from _shares(bench, subject.DEBATE, found)
    yield from _compared(bench, subject.DEBATE, lines, found, typed)


def _shares(bench: Bench, about: str, found: list[Verdict]) -> Iterator[Result]:
    touched = [v for v in found if v.label in AT_STAKE]
    lost = sum(v.label is None for v in found)
    for label, what in (("crossed", "give up a red line"), ("softened", "soften a red line")):
        hits = [v for v in touched if v.label == label]
        yield bench.rate(
            about, label, len(hits), len(touched),
            f"statements that {what}, of those that touch on one",
            unscored=lost, evidence=[cited(v) for v in hits] or [cited(v) for v in touched],
        )  # fmt: skip


def _compared(
    bench: Bench,
    about: str,
    lines: list[Line],
    found: list[Verdict],
    typed: Mapping[Line, tuple[Evidence, ...]],
) -> Iterator[Result]:
    """Red lines by where they were crossed; an unscored statement may hide one."""
    said: dict[Line, list[Evidence]] = {}
    for v in found:
        if v.label == "crossed" and v.party and v.position:
            said.setdefault(Line(v.party, v.position), []).append(cited(v))
    where = {
        "prose_only": [x for x in lines if x in said and x not in typed],
        "moves_only": [x for x in lines if x not in said and x in typed],
        "both": [x for x in lines if x in said and x in typed],
    }
    for metric, crossed in where.items():
        notes = [note for x in crossed for note in (*said.get(x, ()), *typed.get(x, ()))]
        yield _count(bench, about, metric, crossed, lines, found, notes)


def _count(
    bench: Bench,
    about: str,
    metric: str,
    crossed: list[Line],
    lines: list[Line],
    found: list[Verdict],
    notes: list[Evidence],
) -> Score:
    lost = sum(v.label is None for v in found)
    unread = bool(found) and lost == len(found)
    if not lines or unread:
        why = "no statement could be read" if unread else "no public red line on the debated items"
        return bench.score(about, metric, None, f"no value: {why}", n=0, unscored=lost)
    which = ", ".join(x.position for x in crossed) or "none"
    where = metric.replace("_", " ").replace("both", "both prose and moves")
    bound = " (at most)" if metric == "moves_only" else " (at least)"
    return bench.score(
        about, metric, len(crossed),
        f"of {len(lines)} red lines crossed in {where}: {which}{bound if lost else ''}",
        n=len(lines), unscored=lost, evidence=notes,
    )  # fmt: skip


def _public_lines(transcript: Transcript) -> list[Line]:
    """Those the judge could see, so that prose and moves are compared on the same lines."""
    setting, items = transcript.setting, {item.id for item in debated(transcript)}
    return [
        Line(party.id, position.id)
        for party in setting.parties
        for position in party.positions
        if position.kind == "red_line"
        and position.visibility == "public"
        and position.item in items
    ]


def _typed(transcript: Transcript) -> Mapping[Line, tuple[Evidence, ...]]:
    """The red lines crossed in moves and votes, hard or soft, with the events."""
    crossed: dict[Line, tuple[Evidence, ...]] = {}
    for result in evaluate(transcript, (red_lines,)):
        if isinstance(result, Score) and result.metric in _TYPED and result.label is not None:
            party = result.subject.removeprefix("party:").partition("/")[0]
            line = Line(party, _position(transcript.setting, party, result.label))
            crossed[line] = (*crossed.get(line, ()), *result.evidence)
    return crossed


def _position(setting: Setting, party: str, key: str) -> str:
    """The red line of the party that a text crosses."""
    return next(
        mandate.red_lines[key].id
        for (holder, _), mandate in mandates(setting).items()
        if holder == party and key in mandate.red_lines
    )
