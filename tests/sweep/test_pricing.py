"""What an experiment will take: told before it is held, and held against what it then took."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest
from scipy import stats

from harness import events as e
from harness.events import CHAIR
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.experiment.reading import Read
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.models.reference import Reference
from harness.seating import Means
from harness.session import Sitting
from harness.sweep.amounts import Amount, expected, t_quantile
from harness.sweep.holding import card_of
from harness.sweep.pricing import REPLY_TOKENS, Plan, Take, plan, recall, rehearsed, taken
from harness.sweep.running import run_experiment
from harness.transcript import read
from harness.turn import Reply, Request
from tests.experiment.files import experiment
from tests.rooms import Live, StoppedClock, sat
from tests.sweep.holds import Provider, Run

PRICES = PriceList.given(["openai:small=1/2", "openai:a=1/1", "openai:b=1/1", "openai:c=1/1"], {})


def planned(read: Read, folder: Folder, prices: PriceList = PRICES) -> Plan:
    return asyncio.run(plan(list(read.design.cells()), folder, Means(Budget(), prices, {})))


class LikeReference(Reference):
    """A model that is sent prompts and answers as the reference negotiator does."""

    reads_prompts = True
    metered = True

    async def answer(self, request: Request) -> Reply:
        data = self.decide(request)
        citable = set(request.legal.citable)
        for move in [*data.get("moves", []), *data.get("votes", {}).values()]:
            if not citable:
                move.pop("because", None)
            elif move.get("because") not in citable:
                move["because"] = None
        data["citations"] = [name for name in data.get("citations", []) if name in citable]
        letters = sum(len(message.text) for message in request.messages)
        usage = e.Usage(input=round(letters / 4), output=REPLY_TOKENS[request.speech])
        text = json.dumps({key: data[key] for key in request.schema["properties"] if key in data})
        return Reply(text=text, model="like-reference", finish="stop", usage=usage)


def really(cell: Cell, path: Path) -> Take:
    """What the debate took of such a model, as its transcript has it."""
    means = Means(Budget(), PriceList(), {})
    card = card_of(cell, means)
    seats = {seat.seat: LikeReference() for seat in card.seats if seat.seat != CHAIR}
    (take,) = taken(sat(Sitting(card, path, means, StoppedClock(), seating=Live(seats)))).values()
    return take


@pytest.mark.parametrize("prompt", ["dossier", "interests", "all-sides"])
def test_a_rehearsal_counts_what_a_model_like_the_reference_negotiator_takes(
    prompt: str, tmp_path: Path
) -> None:
    change = ("{id: two, prompt: interests}", f"{{id: two, prompt: {prompt}, guard: true}}")
    found = experiment(
        tmp_path, ("model: reference", "model: 'openai:small'"), change, ("rounds: 1", "rounds: 2")
    )
    for cell in found.design.cells():
        if (cell.arm, cell.seed) != ("two", 1):
            continue
        told = asyncio.run(rehearsed(cell, Means(Budget(), PRICES, {})))["openai:small"]
        took = really(cell, tmp_path / f"{cell.name}.jsonl")
        assert told.calls == took.calls > 3
        assert told.input == pytest.approx(took.input, rel=0.01)
        assert told.output == took.output


def test_a_rehearsal_behind_a_mask_goes_like_one_without(tmp_path: Path) -> None:
    masked = ("prompt: interests", "prompt: dossier, masked: true")
    found = experiment(tmp_path, ("model: reference", "model: 'openai:small'"), masked)
    one, two = planned(found, Folder(tmp_path / "out")).lines
    assert one.calls == two.calls
    assert one.input.value == pytest.approx(two.input.value, rel=0.1)


def test_before_anything_was_held_a_rehearsal_tells_and_asks_nobody(tmp_path: Path) -> None:
    found = experiment(tmp_path, ("model: reference", "model: 'openai:small'"))
    told = planned(found, Folder(tmp_path / "out"))  # no key, and nobody listens
    assert (told.planned, told.finished, told.missing) == (8, 0, 8)
    assert [(line.arm, line.missing) for line in told.lines] == [("one", 4), ("two", 4)]
    assert {line.source for line in told.lines} == {"a rehearsal without a model"}
    for line in told.lines:
        assert line.calls.value >= 4 * 4
        assert line.input.value > 100 * line.calls.value
        assert line.output.value == REPLY_TOKENS["free"] * line.calls.value
        assert line.cost is not None
        assert line.cost.value == pytest.approx((line.input.value + 2 * line.output.value) / 1e6)
        assert line.calls.low is None  # a guess has no interval
        assert line.seconds is None
    assert told.total("calls").value == sum(line.calls.value for line in told.lines)
    assert not (tmp_path / "out").exists()


def test_what_asks_no_model_takes_nothing(tmp_path: Path) -> None:
    found = experiment(tmp_path)
    assert planned(found, Folder(tmp_path / "out")).lines == ()
    held = run_experiment(found.path, out=tmp_path / "out")
    assert taken(read(held.folder.debates[0])) == {}


def test_a_price_that_nobody_said_is_named(tmp_path: Path) -> None:
    found = experiment(tmp_path, ("model: reference", "model: 'openai:small'"))
    told = planned(found, Folder(tmp_path / "out"), PriceList())
    assert told.cost is None
    assert told.unpriced == ("openai:small",)


def test_models_that_sit_at_some_tables_only_are_all_told(tmp_path: Path) -> None:
    several = "rotate_models: ['openai:a', 'openai:b', 'openai:c']"
    found = experiment(tmp_path, ("model: reference", several), ("seeds: 2", "seeds: 6"))
    told = planned(found, Folder(tmp_path / "out"))
    seats = {
        (line.arm, line.model): line.missing for line in told.lines
    }  # the debates in which the model sits
    assert seats == {(arm, f"openai:{name}"): 8 for arm in ("one", "two") for name in "abc"}
    assert len({line.calls.value for line in told.lines}) <= 3
    assert min(line.calls.value for line in told.lines) > 8


def test_a_pilot_tells_what_the_rest_takes(server: Provider, tmp_path: Path) -> None:
    pilot = Run.of(tmp_path, server, seeds=4)
    run_experiment(pilot.file, out=pilot.folder.path, prices=("openai:small=1/2",))
    whole = Run.of(tmp_path, server, seeds=12)
    told = planned(whole.read, whole.folder)
    assert (told.planned, told.finished, told.missing) == (48, 16, 32)
    assert {line.source for line in told.lines} == {"debates of the same arm and scenario"}
    before = len(server.bodies)
    run_experiment(whole.file, out=whole.folder.path, prices=("openai:small=1/2",))
    calls = len(server.bodies) - before
    total, cost = told.total("calls"), told.cost
    assert cost is not None
    for amount, took in ((total, calls), (cost, calls * (100 + 2 * 20) / 1e6)):
        assert amount.low is not None
        assert amount.high is not None
        assert amount.low <= took <= amount.high
        assert amount.low < amount.value < amount.high
    assert total.value == pytest.approx(calls, rel=0.25)
    assert planned(whole.read, whole.folder).missing == 0


def test_other_scenarios_tell_of_an_arm_and_other_arms_of_a_new_one(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server, seeds=1)
    run_experiment(run.file, out=run.folder.path)
    text = run.file.read_text(encoding="utf-8")
    run.file.write_text(text.replace("[libya, syria]", "[libya, syria, sanctions]"), "utf-8")
    told = planned(run.read, run.folder)
    assert {(line.source, line.missing) for line in told.lines} == {("debates of the same arm", 1)}
    assert all(line.calls.low is not None for line in told.lines)
    run.file.write_text(text.replace("arms:\n", "arms:\n  - {id: new, prompt: terse}\n"), "utf-8")
    (line,) = planned(run.read, run.folder).lines
    assert (line.arm, line.source, line.missing) == ("new", "debates of other arms", 2)
    assert line.calls.low is None  # how far arms differ cannot be told from one


def coverage(
    known: dict[str, int], missing: dict[str, int], *, between: float, draws: int = 2000
) -> float:
    """How often the interval holds what the debates to come then take."""
    rng, hits = random.Random(5), 0
    for _ in range(draws):
        base = {name: rng.gauss(100, between) for name in {*known, *missing}}
        took = {name: [rng.gauss(base[name], 8) for _ in range(n)] for name, n in known.items()}
        told = expected(took, missing)
        came = sum(rng.gauss(base[name], 8) for name, n in missing.items() for _ in range(n))
        assert told.low is not None
        assert told.high is not None
        hits += told.low <= came <= told.high
    return hits / draws


@pytest.mark.parametrize(("scenarios", "pilot"), [(1, 2), (1, 3), (2, 2), (3, 2), (9, 2), (9, 5)])
def test_intervals_cover_what_comes_where_a_pilot_was_held(scenarios: int, pilot: int) -> None:
    names = [f"s{n}" for n in range(scenarios)]
    held, to_come = dict.fromkeys(names, pilot), dict.fromkeys(names, 10)
    assert 0.93 <= coverage(held, to_come, between=30) <= 0.97


@pytest.mark.parametrize(("scenarios", "new"), [(2, 1), (3, 1), (4, 5), (9, 4)])
def test_intervals_cover_scenarios_of_which_nothing_is_known(scenarios: int, new: int) -> None:
    held = {f"s{n}": 5 for n in range(scenarios)}
    to_come = {f"new{n}": 5 for n in range(new)}
    assert 0.93 <= coverage(held, to_come, between=30) <= 0.99
    mixed = to_come | dict.fromkeys(held, 3)
    assert coverage(held, mixed, between=30) >= 0.93


def test_scenarios_that_took_the_same_are_two_all_the_same() -> None:
    missing = {"a": 10, "b": 10}
    same, nearly = (expected({"a": [6, 8], "b": [6, last]}, missing) for last in (8, 8.000001))
    assert same == pytest.approx(nearly, rel=1e-4)


def test_without_repetition_nothing_is_said_about_the_spread() -> None:
    assert expected({"a": [6], "b": [9]}, {"a": 2, "b": 2}) == Amount(30)
    assert expected({"a": [6, 6]}, {"b": 2}) == Amount(12)


def test_the_quantiles_are_those_of_student() -> None:
    for freedom in (1, 2, 3, 4, 5, 8, 12, 30, 1000):
        exact = float(stats.t.ppf(0.975, freedom))
        assert t_quantile(0.975, freedom) == pytest.approx(exact, rel=0.01), freedom


def test_what_a_folder_took_is_counted_whatever_became_of_its_debates(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    run_experiment(run.file, out=run.folder.path, max_calls=25)  # without a price
    aside = run.folder.path / "broken"
    aside.mkdir()
    finished, *others = run.folder.debates
    finished.rename(aside / finished.name)
    torn = others[0]
    torn.write_bytes(torn.read_bytes() + b'{"seq":99,"audience":null,"kind":"model_call","turn"')
    budget = Budget()
    assert recall(run.folder, budget, PRICES) == {path.stem for path in others}
    assert budget.spent.calls == 25 == len(server.bodies)
    assert budget.spent.tokens == 25 * 120
    assert budget.spent.cost == pytest.approx(25 * (100 + 2 * 20) / 1e6)  # by the price of now
    assert budget.spent.unpriced == 0

    spoilt = torn.read_bytes().replace(b'"kind":"model_call"', b'"kind":"model_call","x":1', 1)
    torn.write_bytes(spoilt)
    budget = Budget()
    recall(run.folder, budget, PRICES)
    assert budget.spent.calls == 25  # nobody knows what it used, but that it was made
    assert (budget.spent.tokens, budget.spent.unpriced) == (24 * 120, 1)
