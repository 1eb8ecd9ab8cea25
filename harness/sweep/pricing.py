"""What the debates that are missing will take: from those that are there, else from a rehearsal.

Debates of an arm on a scenario that are finished say what the rest of them will take. Where there
are none yet, those of the arm on other scenarios do, then those of other arms. Where nothing was
held at all, each is rehearsed: the reference negotiator answers in the models' place, and what they
would have been sent is counted. A rehearsal asks nobody and costs nothing, but a model may repair
its answers and talk longer, so its count is a guess and has no interval.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from math import ceil, sqrt
from statistics import NormalDist, fmean, variance
from typing import Literal, NamedTuple

from harness import events as e
from harness.debate import debate
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.models import registry
from harness.models.budget import Budget
from harness.models.door import price_of
from harness.models.prices import PriceList
from harness.models.reference import Reference
from harness.models.tokens import CHARACTERS_A_TOKEN
from harness.seating import Means, Seating, reads_prompts
from harness.sweep.holding import card_of
from harness.transcript import Transcript, read
from harness.turn import Json, Reply, Request, Seated, schema_for

LEVEL = 0.95
"""Nominal coverage of the intervals."""

REPLY_TOKENS: Mapping[str, int] = {"composed": 80, "free": 250}
"""Tokens a reply is taken to have in a rehearsal, by who words the statements."""

Source = Literal["debates of the same arm and scenario", "debates of the same arm",
                 "debates of other arms", "a rehearsal without a model"]  # fmt: skip


class Amount(NamedTuple):
    """How much of something, and between what it will lie."""

    value: float
    low: float | None = None
    """None where there is nothing to tell the spread from."""
    high: float | None = None

    def __add__(self, other: object) -> Amount:
        """The sum of two; the intervals are added as those of independent amounts."""
        if not isinstance(other, Amount):
            return NotImplemented
        value = self.value + other.value
        if None in (self.low, self.high, other.low, other.high):
            return Amount(value)
        assert self.low is not None
        assert self.high is not None
        assert other.low is not None
        assert other.high is not None
        down = sqrt((self.value - self.low) ** 2 + (other.value - other.low) ** 2)
        up = sqrt((self.high - self.value) ** 2 + (other.high - other.value) ** 2)
        return Amount(value, max(0.0, value - down), value + up)


NOTHING = Amount(0.0, 0.0, 0.0)


class Take(NamedTuple):
    """What one debate took of one model."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Line:
    """What the missing debates of an arm will take of one model."""

    arm: str
    model: str
    missing: int
    calls: Amount
    input: Amount
    output: Amount
    seconds: Amount | None
    """Of model time; None where only a rehearsal tells."""
    cost: Amount | None
    """US dollars; None where the price is not known."""
    source: Source


@dataclass(frozen=True)
class Plan:
    """What an experiment asks for, what is there, and what the rest will take."""

    planned: int
    finished: int
    lines: tuple[Line, ...]

    @property
    def missing(self) -> int:
        """Debates still to be held."""
        return self.planned - self.finished

    def total(self, what: Literal["calls", "input", "output"]) -> Amount:
        """Over all arms and models."""
        return sum((getattr(line, what) for line in self.lines), NOTHING)

    @property
    def cost(self) -> Amount | None:
        """US dollars; None where the price of a model is not known."""
        costs = [line.cost for line in self.lines]
        known = [cost for cost in costs if cost is not None]
        return sum(known, NOTHING) if len(known) == len(costs) else None

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models whose price is not known."""
        return tuple(dict.fromkeys(line.model for line in self.lines if line.cost is None))


async def plan(cells: Sequence[Cell], folder: Folder, means: Means) -> Plan:
    """What the experiment will take.

    Args:
        cells: all its debates.
        folder: where those that are finished lie.
        means: prices, and the environment that models are looked for in.

    Raises:
        UserError: a model, setting or prompt cannot be used.
    """
    held = {
        cell.name: taken(read(folder.transcript(cell))) for cell in cells if folder.finished(cell)
    }
    missing: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.name not in held:
            missing[_row(cell)].append(cell)
    lines: list[Line] = []
    for arm, group in missing.items():
        lines += await _arm(arm, group, cells, held, means)
    return Plan(len(cells), len(held), tuple(lines))


def taken(transcript: Transcript) -> dict[str, Take]:
    """What a debate took, by model; what asks no language model takes nothing."""
    models = {seat.seat: seat.model for seat in transcript.card.seats}
    found: dict[str, Take] = {}
    for call in transcript.calls:
        if call.started is None:
            continue
        have = found.get(models[call.seat], Take())
        use = call.usage
        found[models[call.seat]] = Take(
            have.calls + 1, have.input + use.input, have.output + use.output,
            have.cached + use.cached, have.seconds + call.latency,
        )  # fmt: skip
    return found


async def _arm(
    arm: str, missing: list[Cell], cells: Sequence[Cell], held: Mapping[str, dict[str, Take]],
    means: Means,
) -> list[Line]:  # fmt: skip
    """What the missing debates of an arm will take, model by model."""
    own = [(c.scenario, held[c.name]) for c in cells if _row(c) == arm and c.name in held]
    other = [held[c.name] for c in cells if c.name in held and _models(c) & _models(missing[0])]
    if own:
        there = {scenario for scenario, _ in own}
        whole = all(cell.scenario in there for cell in missing)
        source: Source = (
            "debates of the same arm and scenario" if whole else "debates of the same arm"
        )
        expected = [_of_scenario(own, cell.scenario) for cell in missing]
    elif other:
        source, expected = "debates of other arms", [other for _ in missing]
    else:
        source, expected = "a rehearsal without a model", await _rehearsals(missing, means)
    models = sorted({model for takes in expected for take in takes for model in take})
    return [_line(arm, model, expected, source, means.prices) for model in models]


def _row(cell: Cell) -> str:
    return f"{cell.arm}.{cell.variation}" if cell.variation else cell.arm


def _models(cell: Cell) -> set[str]:
    return set(cell.models.values())


def _of_scenario(
    own: Iterable[tuple[str, dict[str, Take]]], scenario: str
) -> list[dict[str, Take]]:
    """The debates that tell what one on this scenario takes; all of the arm's if it has none."""
    pairs = list(own)
    same = [take for name, take in pairs if name == scenario]
    return same or [take for _, take in pairs]


async def _rehearsals(missing: Sequence[Cell], means: Means) -> list[list[dict[str, Take]]]:
    """One rehearsal a scenario: what does not differ between seeds here is not done again."""
    known: dict[str, dict[str, Take]] = {}
    for cell in missing:
        if cell.scenario not in known:
            known[cell.scenario] = await rehearsed(cell, means)
    return [[known[cell.scenario]] for cell in missing]


async def rehearsed(cell: Cell, means: Means) -> dict[str, Take]:
    """What the debate would take if the reference negotiator spoke in the models' place."""
    card = card_of(cell, means)
    seating = _Rehearsal(card, means)
    async with aclosing(debate(seating.room(), card)) as happening:
        async for _ in happening:
            pass
    return seating.takes


class _Rehearsal(Seating):
    """A room in which prompts are written and counted, and no model is asked."""

    def __init__(self, card: e.RunCard, means: Means) -> None:
        super().__init__(card, replace(means, budget=Budget()))
        self.takes: dict[str, Take] = {}

    def _live(self, spec: registry.ModelSpec, seat: e.Seat) -> Seated:
        if reads_prompts(seat):
            return _Counted(seat, self.takes)
        return super()._live(spec, seat)


class _Counted:
    """The reference negotiator in a model's seat, with what the model would have been sent."""

    reads_prompts = True
    metered = False

    def __init__(self, seat: e.Seat, takes: dict[str, Take]) -> None:
        self._seat, self._takes = seat, takes

    async def answer(self, request: Request) -> Reply:
        letters = sum(len(message.text) for message in request.messages)
        have = self._takes.get(self._seat.model, Take())
        self._takes[self._seat.model] = have._replace(
            calls=have.calls + 1,
            input=have.input + ceil(letters / CHARACTERS_A_TOKEN),
            output=have.output + REPLY_TOKENS[self._seat.speech],
        )
        data = Reference().decide(request)
        citable = set(request.legal.citable)
        data["citations"] = [name for name in data.get("citations", ()) if name in citable]
        for move in [*data.get("moves", ()), *data.get("votes", {}).values()]:
            if move.get("because") not in citable:
                move.pop("because", None) if not citable else move.update(because=None)
        wanted = {name: value for name, value in data.items() if name in _in_full(request)}
        # As a script's answers, these are read in full even where a model's have to be brief.
        return Reply(text=json.dumps(wanted), model="script", finish="stop")


def _in_full(request: Request) -> Json:
    """What an answer that need not be brief may hold."""
    properties: Json = schema_for(request.legal, request.phase, request.speech)["properties"]
    return properties


def _line(
    arm: str,
    model: str,
    expected: Sequence[Sequence[Mapping[str, Take]]],
    source: Source,
    prices: PriceList,
) -> Line:
    takes = [[take.get(model, Take()) for take in known] for known in expected]
    price = price_of(registry.parse(model), prices)
    rehearsal = source.startswith("a rehearsal")

    def amount(*each: str) -> Amount:
        series = [[sum(getattr(t, name) for name in each) for t in known] for known in takes]
        return _total(series, spread=not rehearsal)

    cost = None
    if price is not None:
        dollars = [[price.of(_usage(take)) for take in known] for known in takes]
        cost = _total(dollars, spread=not rehearsal)
    return Line(
        arm=arm,
        model=model,
        missing=len(expected),
        calls=amount("calls"),
        input=amount("input"),
        output=amount("output"),
        seconds=None if rehearsal else amount("seconds"),
        cost=cost,
        source=source,
    )


def _usage(take: Take) -> e.Usage:
    return e.Usage(input=take.input, output=take.output, cached=take.cached)


def _total(series: Sequence[Sequence[float]], *, spread: bool) -> Amount:
    """The sum over debates to come, each like the known ones given for it.

    A normal prediction interval: the debates to come vary like the known ones (pooled over
    scenarios), and so does the mean they are told from.
    """
    value = sum(fmean(known) for known in series)
    pools = {tuple(known): len(known) for known in series}
    freedom = sum(n - 1 for n in pools.values())
    if not spread or freedom < 1:
        return Amount(value)
    within = sum(variance(known) * (n - 1) for known, n in pools.items() if n > 1) / freedom
    each: dict[tuple[float, ...], int] = defaultdict(int)
    for known in series:
        each[tuple(known)] += 1
    total = sum(within * (m + m * m / len(known)) for known, m in each.items())
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * sqrt(total)
    return Amount(value, max(0.0, value - half), value + half)
