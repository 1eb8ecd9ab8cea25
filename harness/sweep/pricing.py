"""What the debates that are missing will take: from those that are there, else from a rehearsal.

Debates of an arm on a scenario that are finished say what the rest of them will take. Where there
are none yet, those of the arm on other scenarios do, then those of other arms with the same models.
Where nothing was held at all, each is rehearsed: the reference negotiator answers in the models'
place, and what they would have been sent is counted. A rehearsal asks nobody and costs nothing, but
a model may repair its answers and talk longer. What other arms and rehearsals tell is a guess: how
far it is off cannot be known beforehand, and it has no interval.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, NamedTuple, get_args

from pydantic import ValidationError

from harness import events as e
from harness.debate import debate
from harness.events import EVENT
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.models import registry
from harness.models.budget import Budget
from harness.models.door import price_of
from harness.models.prices import Price, PriceList
from harness.models.reference import Reference
from harness.models.tokens import CHARACTERS_A_TOKEN
from harness.seating import Means, Seating, behind, reads_prompts
from harness.sweep.amounts import NOTHING, Amount, expected
from harness.sweep.holding import card_of
from harness.transcript import Transcript, read
from harness.turn import Json, Reply, Request, Seated, schema_for

REPLY_TOKENS: Mapping[str, int] = {"composed": 80, "free": 250}
"""Tokens a reply is taken to have in a rehearsal, by who words the statements."""

Source = Literal["debates of the same arm and scenario", "debates of the same arm",
                 "debates of other arms", "a rehearsal without a model"]  # fmt: skip

_REHEARSED: Source = "a rehearsal without a model"

_CALL = b'"kind":"model_call"'
"""What marks a call in a line of a transcript: quotes in what was said stand there escaped."""


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
    missing: dict[_Group, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.name not in held:
            missing[_group(cell)].append(cell)
    lines: dict[tuple[str, str], Line] = {}
    for group, waiting in missing.items():
        known = await _known(group, waiting, cells, held, means)
        for line in _lines(group, waiting, known, means.prices):
            name = (line.arm, line.model)
            lines[name] = _together(lines[name], line) if name in lines else line
    return Plan(len(cells), len(held), tuple(lines.values()))


def recall(folder: Folder, budget: Budget, prices: PriceList) -> set[str]:
    """Count in the budget what the debates in a folder took, set aside ones too; their names.

    Reads no more of a transcript than that. A call that cannot be read counts as one nevertheless.
    """
    for path in (*folder.debates, *folder.set_aside):
        lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last line end was torn
        known: dict[str, Price | None] | None = None
        for call in (_call(line) for line in lines if _CALL in line):
            if call is None:
                budget.recall(e.Usage(), None)
            elif call.started is not None:
                cost = call.cost
                if cost is None:  # nobody said the price then; it may be known now
                    known = _prices_of(lines, prices) if known is None else known
                    price = known.get(call.seat)
                    cost = price.of(call.usage) if price is not None else None
                budget.recall(call.usage, cost)
    return {path.stem for path in folder.debates}


def _call(line: bytes) -> e.ModelCall | None:
    try:
        event = EVENT.validate_json(line)
    except ValidationError:
        return None
    return event if isinstance(event, e.ModelCall) else None


def _prices_of(lines: Sequence[bytes], prices: PriceList) -> dict[str, Price | None]:
    """The price of what sits in each seat of a transcript; empty where its card is damaged."""
    try:
        card = EVENT.validate_json(lines[1])
    except ValidationError:
        return {}
    seats = card.seats if isinstance(card, e.RunCard) else ()
    return {seat.seat: price_of(behind(seat.model), prices) for seat in seats}


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


class _Group(NamedTuple):
    """Debates that are alike but for scenario and seed."""

    arm: str
    """With the variation, where there is one."""
    models: tuple[str, ...]


class _Known(NamedTuple):
    """Debates that tell what others will take."""

    source: Source
    by_scenario: Mapping[str, Sequence[Mapping[str, Take]]]


def _group(cell: Cell) -> _Group:
    arm = f"{cell.arm}.{cell.variation}" if cell.variation else cell.arm
    return _Group(arm, tuple(sorted(set(cell.models.values()))))


async def _known(
    group: _Group,
    missing: Sequence[Cell],
    cells: Sequence[Cell],
    held: Mapping[str, dict[str, Take]],
    means: Means,
) -> _Known:
    """What there is to tell from, the likest first."""
    there = [cell for cell in cells if cell.name in held]
    own = [cell for cell in there if _group(cell) == group]
    other = [cell for cell in there if _group(cell).models == group.models]
    if own:
        whole = {cell.scenario for cell in missing} <= {cell.scenario for cell in own}
        return _Known(
            "debates of the same arm and scenario" if whole else "debates of the same arm",
            _by_scenario((cell, held[cell.name]) for cell in own),
        )
    if other:
        takes = ((cell, held[cell.name]) for cell in other)
        return _Known("debates of other arms", _by_scenario(takes))
    # What does not differ between seeds here is not rehearsed again.
    unlike = {(cell.scenario, *cell.models.items()): cell for cell in missing}.values()
    rehearsals = [(cell, await rehearsed(cell, means)) for cell in unlike]
    return _Known(_REHEARSED, _by_scenario(rehearsals))


def _by_scenario(
    pairs: Iterable[tuple[Cell, dict[str, Take]]],
) -> dict[str, list[dict[str, Take]]]:
    found: dict[str, list[dict[str, Take]]] = defaultdict(list)
    for cell, take in pairs:
        found[cell.scenario].append(take)
    return dict(found)


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


def _lines(
    group: _Group, missing: Sequence[Cell], known: _Known, prices: PriceList
) -> Iterator[Line]:
    """What debates that are alike will take, model by model."""
    waiting = Counter(cell.scenario for cell in missing)
    takes = [take for each in known.by_scenario.values() for take in each]
    for model in sorted({model for take in takes for model in take}):
        yield _line(group.arm, model, waiting, known, prices)


def _line(
    arm: str, model: str, missing: Mapping[str, int], known: _Known, prices: PriceList
) -> Line:
    price = price_of(behind(model), prices)
    spread = known.source.startswith("debates of the same arm")

    def amount(of: Callable[[Take], float]) -> Amount:
        series = {
            scenario: [of(take.get(model, Take())) for take in takes]
            for scenario, takes in known.by_scenario.items()
        }
        return expected(series, missing, spread=spread)

    return Line(
        arm=arm,
        model=model,
        missing=sum(missing.values()),
        calls=amount(lambda take: take.calls),
        input=amount(lambda take: take.input),
        output=amount(lambda take: take.output),
        seconds=None if known.source == _REHEARSED else amount(lambda take: take.seconds),
        cost=None if price is None else amount(lambda take: price.of(_usage(take))),
        source=known.source,
    )


def _together(one: Line, other: Line) -> Line:
    """Two groups of an arm's debates that differ in what else sits at the table."""
    sources: tuple[Source, ...] = get_args(Source)
    return Line(
        arm=one.arm,
        model=one.model,
        missing=one.missing + other.missing,
        calls=one.calls + other.calls,
        input=one.input + other.input,
        output=one.output + other.output,
        seconds=_both(one.seconds, other.seconds),
        cost=_both(one.cost, other.cost),
        source=max(one.source, other.source, key=sources.index),
    )


def _both(one: Amount | None, other: Amount | None) -> Amount | None:
    return None if one is None or other is None else one + other


def _usage(take: Take) -> e.Usage:
    return e.Usage(input=take.input, output=take.output, cached=take.cached)
