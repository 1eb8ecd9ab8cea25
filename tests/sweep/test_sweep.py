"""Many debates at once: none lost, none held twice, nothing paid twice but what was in flight."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness import events as e
from harness.errors import ModelUnavailable, ProviderDown, TranscriptError, UserError
from harness.events import Event
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.pool import Pool
from harness.models.prices import PriceList
from harness.seating import Means
from harness.sweep.holding import Holder, Holds
from harness.sweep.running import run_experiment
from harness.sweep.sweep import News, Sweep, Tally
from harness.transcript import closed, read
from tests.experiment.files import cells as cells_of
from tests.models.server import rejected
from tests.sweep.holds import Provider, Run

SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")


def on_reference(_: str) -> Means:
    return Means(Budget(), PriceList(), os.environ)


def here(means: Callable[[str], Means] = on_reference) -> Holder:
    """Holds debates in this process."""
    clock = SystemClock()
    return Holder(means, lambda _: clock)


def swept(
    cells: list[Cell],
    folder: Folder,
    holder: Holds | None = None,
    at_once: int = 2,
    watch: Callable[[News], None] = lambda news: None,
) -> Tally:
    sweep = Sweep(cells, folder, holder or here(), SystemClock(), at_once, watch)
    return asyncio.run(asyncio.wait_for(sweep.run(), 120))


def on_a_server(
    run: Run,
    wrap: Callable[[Holds], Holds],
    at_once: int = 2,
    watch: Callable[[News], None] = lambda news: None,
) -> Tally:
    """The sweep with models of a pool, whoever stands between it and them."""

    async def held() -> Tally:
        pool = Pool()
        holder = here(lambda name: Means(Budget(), PriceList(), os.environ, pool.of(name)))
        try:
            sweep = Sweep(run.cells, run.folder, wrap(holder), SystemClock(), at_once, watch)
            return await sweep.run()
        finally:
            await pool.aclose()

    work: Coroutine[Any, Any, Tally] = held()
    return asyncio.run(asyncio.wait_for(work, 120))


@dataclass
class Stumbles:
    """Holds debates and breaks off some of them, so often, after so many calls."""

    holder: Holds
    over: dict[str, int]
    """Debate -> how often it still breaks off."""
    error: Exception
    calls: int = 2
    begun: list[str] = field(default_factory=list)

    async def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        self.begun.append(cell.name)
        seen = 0
        async with aclosing(self.holder.hold(cell, path)) as happening:
            async for event in happening:
                yield event
                seen += isinstance(event, e.ModelCall)
                if seen == self.calls and self.over.get(cell.name, 0):
                    self.over[cell.name] -= 1
                    raise self.error


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file: which one it is, when it was written, what is in it."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.is_file()
    }


def test_every_debate_is_held_to_its_end_and_told_as_it_happens(tmp_path: Path) -> None:
    cells, folder = cells_of(tmp_path), Folder(tmp_path / "out")
    news: list[News] = []
    tally = swept(cells, folder, watch=news.append)
    assert (tally.planned, tally.there, tally.held, tally.left) == (8, 0, 8, 0)
    assert tally.complete
    assert sorted(folder.debates) == sorted(folder.transcript(cell) for cell in cells)
    for cell in cells:
        transcript = read(folder.transcript(cell))
        assert transcript.finished
        assert transcript.header.debate == cell.name
        assert transcript.card.seed == cell.seed
        assert tuple(party.id for party in transcript.setting.parties) == cell.agenda.parties
        told = [each.step for each in news if each.cell is cell]
        assert told == ["begins", *["turn"] * len(transcript.calls), "finished"]


def test_what_is_finished_is_not_touched(tmp_path: Path) -> None:
    cells, folder = cells_of(tmp_path), Folder(tmp_path / "out")
    swept(cells, folder)
    before = state(folder.path)
    news: list[News] = []
    tally = swept(cells, folder, watch=news.append)
    assert (tally.there, tally.held) == (8, 0)
    assert state(folder.path) == before
    assert [each.step for each in news] == ["there"] * 8


def test_added_seeds_and_arms_alone_are_held(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    swept(cells_of(tmp_path), folder)
    before = state(folder.path)
    more = cells_of(tmp_path, ("seeds: 2", "seeds: 3"), ("arms:\n", "arms:\n  - {id: zero}\n"))
    tally = swept(more, folder)
    assert (tally.planned, tally.there, tally.held) == (18, 8, 10)
    assert state(folder.path).items() >= before.items()


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_debates_are_under_way_than_is_said(
    at_once: int, server: Provider, tmp_path: Path
) -> None:
    server.seconds = 0.02
    run = Run.of(tmp_path, server)
    under_way: list[int] = [0]

    def watch(news: News) -> None:
        change = {"begins": 1, "finished": -1}.get(news.step, 0)
        under_way.append(under_way[-1] + change)

    held = run_experiment(run.file, out=run.folder.path, at_once=at_once, watch=watch)
    assert held.tally.complete
    assert max(under_way) == at_once
    assert server.most == at_once
    assert run.paid_twice() == 0


def test_a_debate_that_breaks_off_is_tried_once_more_from_where_it_was(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    name = run.cells[3].name
    tally = on_a_server(run, lambda holder: Stumbles(holder, {name: 1}, RuntimeError("a bug")))
    assert tally.complete
    assert tally.failed == []
    (broken,) = run.folder.broken
    assert (broken.debate, broken.attempt) == (name, 1)
    assert broken.why == "RuntimeError: a bug"
    assert run.paid_twice() == 0


def test_a_debate_that_breaks_off_twice_is_reported_and_the_others_go_on(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    name = run.cells[3].name
    holders: list[Stumbles] = []

    def stumbling(holder: Holds) -> Holds:
        holders.append(Stumbles(holder, {name: 2}, OSError("the disk went away")))
        return holders[0]

    tally = on_a_server(run, stumbling)
    assert holders[0].begun.count(name) == 2
    assert [cell.name for cell in tally.failed] == [name]
    assert (tally.held, tally.complete) == (7, False)
    assert [broken.attempt for broken in run.folder.broken] == [1, 2]
    unfinished = [each for each in run.transcripts() if not each.finished]
    assert [each.header.debate for each in unfinished] == [name]  # it is there, and no other

    last = on_a_server(run, lambda holder: holder)
    assert (last.there, last.held, last.complete) == (7, 1, True)
    assert run.paid_twice() == 0


@pytest.mark.parametrize(
    "error", [ProviderDown("It is down."), UserError("The cassette holds no such reply.")]
)
def test_what_the_user_has_to_mend_ends_the_run_and_counts_against_no_debate(
    error: Exception, server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    name = run.cells[2].name
    with pytest.raises(UserError) as caught:
        on_a_server(run, lambda holder: Stumbles(holder, {name: 1}, error))
    assert caught.value is error
    assert run.folder.broken == ()
    assert not all(map(closed, run.files))
    assert on_a_server(run, lambda holder: holder).complete
    assert run.paid_twice() <= 1  # the call of the other debate that was under way


def test_a_model_that_is_not_there_ends_the_run_with_its_one_sentence(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    server.ordinary = lambda body: rejected(401, "no such key", "invalid_api_key")
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY") as caught:
        run_experiment(run.file, out=run.folder.path, at_once=3)
    assert "\n" not in str(caught.value)
    assert run.folder.broken == ()
    server.settles()
    server.ordinary = server.thinks
    server.bodies.clear()
    assert run_experiment(run.file, out=run.folder.path).tally.complete
    assert run.paid_twice() == 0


def damaged(path: Path, new: bytes = b'{"kind": "nonsense"}') -> bytes:
    """Cut the end of a transcript off and spoil a line in its middle."""
    lines = path.read_bytes().split(b"\n")
    spoilt = b"\n".join([*lines[:5], new, *lines[6:-3]]) + b"\n"
    path.write_bytes(spoilt)
    return spoilt


def test_a_damaged_transcript_is_set_aside_and_its_debate_held_anew(tmp_path: Path) -> None:
    cells, folder = cells_of(tmp_path), Folder(tmp_path / "out")
    swept(cells, folder)
    path = folder.transcript(cells[0])
    whole = path.read_bytes().split(b"\n")[2:]
    aside = []
    for number in (1, 2):
        aside.append(damaged(path))
        tally = swept(cells, folder)
        assert (tally.there, tally.held, tally.failed) == (7, 1, [])
        assert path.read_bytes().split(b"\n")[2:] == whole
        assert sorted(kept.read_bytes() for kept in folder.set_aside) == sorted(aside), number
    assert [broken.attempt for broken in folder.broken] == [1, 1]
    assert f"{path}:6: not an event of this format" in folder.broken[0].why


def test_a_debate_that_goes_another_way_now_is_set_aside_and_held_anew(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    run_experiment(run.file, out=run.folder.path)
    path = run.folder.transcript(run.cells[0])
    lines = path.read_bytes().splitlines(keepends=True)
    number, call = next((n, x) for n, x in enumerate(lines) if b'"kind":"model_call"' in x)
    other = json.loads(call)
    other["reply"] = '{"citations": [], "moves": []}'
    spoilt = [*lines[:number], json.dumps(other).encode() + b"\n", *lines[number + 1 : -3]]
    path.write_bytes(b"".join(spoilt))
    assert run_experiment(run.file, out=run.folder.path).tally.complete
    (aside,) = run.folder.set_aside
    assert aside.read_bytes().startswith(b"".join(spoilt))
    assert "goes another way now" in run.folder.broken[0].why


def test_a_torn_last_line_costs_its_turn_and_no_debate(server: Provider, tmp_path: Path) -> None:
    run = Run.of(tmp_path, server)
    run_experiment(run.file, out=run.folder.path)
    path = run.folder.transcript(run.cells[0])
    path.write_bytes(path.read_bytes()[:-40])
    tally = run_experiment(run.file, out=run.folder.path).tally
    assert (tally.there, tally.held, tally.failed) == (7, 1, [])
    assert not run.folder.set_aside
    assert not run.folder.broken
    assert run.paid_twice() == 0


@dataclass
class SetAsideByAnother:
    """Another process meets the same damage a moment earlier, and begins the debate anew."""

    holder: Holds
    met: int = 0

    def _meets(self, path: Path) -> bool:
        if not path.exists() or closed(path):
            return False
        self.met += 1
        path.rename(path.with_name("set-aside-by-another"))
        return True

    async def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        if self._meets(path):
            async with aclosing(self.holder.hold(cell, path)) as happening:
                async for _ in happening:
                    pass
            raise TranscriptError(f"{path}:6: not an event of this format.")
        async with aclosing(self.holder.hold(cell, path)) as happening:
            async for event in happening:
                yield event


def test_what_another_process_began_anew_is_left_to_it(tmp_path: Path) -> None:
    cells, folder = cells_of(tmp_path), Folder(tmp_path / "out")
    swept(cells, folder)
    path = folder.transcript(cells[0])
    damaged(path)
    holder = SetAsideByAnother(here())
    tally = swept(cells, folder, holder)
    assert holder.met == 1
    assert (tally.there, tally.held, tally.failed) == (8, 0, [])
    assert not folder.set_aside
    assert not folder.broken
    assert closed(path)


def test_a_new_debate_whose_recording_runs_out_fails_and_is_not_begun_for_ever(
    tmp_path: Path,
) -> None:
    recording = Folder(tmp_path / "recorded")
    swept(cells_of(tmp_path)[:1], recording)
    tape = recording.debates[0]
    cells = cells_of(tmp_path, ("{model: reference, rules: {rounds: 1}}",
                                f"{{model: 'replay:{tape}', rules: {{rounds: 1}}}}"))  # fmt: skip
    folder = Folder(tmp_path / "out")
    other = [cell for cell in cells if cell.scenario != "libya"][:1]
    tally = swept(other, folder)
    assert tally.failed == other
    assert [broken.attempt for broken in folder.broken] == [1, 2]
    assert "holds no reply to" in folder.broken[0].why
    assert len(folder.set_aside) == 2


def test_a_debate_in_other_hands_is_waited_for_and_taken_up_when_it_is_free(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server, seeds=1)
    server.seconds = 0.05
    news: list[News] = []
    go_on = asyncio.Event()

    def watch(told: News) -> None:
        news.append(told)
        if told.step == "finished":
            go_on.set()

    async def both() -> Tally:
        pool = Pool()
        means = Means(Budget(), PriceList(), os.environ, pool.of("theirs"))
        theirs = here(lambda _: means).hold(run.cells[0], run.folder.transcript(run.cells[0]))
        holder = here(lambda name: Means(Budget(), PriceList(), os.environ, pool.of(name)))
        async with aclosing(theirs):
            async for event in theirs:
                if isinstance(event, e.ModelCall):
                    break
            clock = SystemClock()
            ours = Sweep(run.cells, run.folder, holder, clock, 4, watch)
            sweep = asyncio.create_task(ours.run())
            await go_on.wait()  # the other debates go on meanwhile
        tally = await sweep
        await pool.aclose()
        return tally

    tally = asyncio.run(asyncio.wait_for(both(), 120))
    assert (tally.held, tally.complete) == (4, True)
    assert {each.cell.name for each in news if each.step == "elsewhere"} == {run.cells[0].name}
    assert run.paid_twice() == 0


CEILINGS = {"max_calls": 17, "max_tokens": 17 * 120, "max_cost": 17 * 120 / 1e6}
"""Each of them is reached by the seventeenth call; the server says 100 tokens read, 20 written."""


@pytest.mark.parametrize("ceiling", CEILINGS)
def test_a_ceiling_stops_the_whole_experiment_however_often_it_is_called(
    ceiling: str, server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)

    def up_to(calls: int) -> Tally:
        limit: dict[str, Any] = {ceiling: CEILINGS[ceiling] * calls / 17}
        out, prices = run.folder.path, ("openai:small=1/1/1",)
        return run_experiment(run.file, out=out, at_once=1, prices=prices, **limit).tally

    stopped = up_to(17)
    assert stopped.stopped
    assert stopped.held + stopped.left == 8
    assert stopped.held
    assert not stopped.complete
    assert len(server.bodies) == 17
    for _ in range(2):  # what was held before counts, finished or not
        again = up_to(17)
        assert again.stopped == stopped.stopped
        assert (again.there, again.held, again.left) == (stopped.held, 0, stopped.left)
        assert len(server.bodies) == 17
    assert up_to(20).stopped
    assert len(server.bodies) == 20
    assert up_to(1700).complete
    assert set(run.folder.debates) == run.files
    assert run.paid_twice() == 0


def test_a_ceiling_of_the_file_is_kept_and_that_of_the_call_goes_before_it(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server, more="budget: {max_calls: 5, max_minutes: 600}\n")
    assert run_experiment(run.file, out=run.folder.path).tally.stopped == "5 of 5 calls are made"
    assert len(server.bodies) == 5
    assert run_experiment(run.file, out=run.folder.path, max_calls=1000).tally.complete
    assert run.paid_twice() == 0


def test_minutes_are_those_of_one_call_alone(server: Provider, tmp_path: Path) -> None:
    run = Run.of(tmp_path, server)
    stopped = run_experiment(run.file, out=run.folder.path, max_minutes=0).tally
    assert (stopped.left, server.bodies) == (8, [])
    assert "minutes" in stopped.stopped
    assert run_experiment(run.file, out=run.folder.path, max_minutes=10).tally.complete


def test_what_a_debate_took_is_counted_once_although_it_was_begun_twice(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server)
    budget = Budget()
    name = run.cells[0].name

    async def held() -> Tally:
        pool = Pool()
        holder = here(lambda debate: Means(budget, PriceList(), os.environ, pool.of(debate)))
        stumbling = Stumbles(holder, {name: 1}, RuntimeError("a bug"), calls=3)
        try:
            return await Sweep(run.cells[:1], run.folder, stumbling, SystemClock()).run()
        finally:
            await pool.aclose()

    assert asyncio.run(held()).complete
    assert budget.spent.calls == len(server.bodies)
    assert budget.spent.tokens == 120 * len(server.bodies)


@dataclass
class Forestalled:
    """Holds debates, each finished by somebody else between our looking and our reading."""

    holder: Holds

    async def hold(self, cell: Cell, path: Path) -> AsyncGenerator[Event]:
        async with aclosing(self.holder.hold(cell, path)) as theirs:
            async for _ in theirs:
                pass
        async with aclosing(self.holder.hold(cell, path)) as happening:
            async for event in happening:
                yield event


def test_a_debate_that_another_process_just_finished_is_not_counted_as_held(
    server: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, server, seeds=1)
    news: list[News] = []
    tally = on_a_server(run, Forestalled, watch=news.append)
    assert (tally.there, tally.held, tally.complete) == (4, 0, True)
    assert [each.step for each in news if each.cell == run.cells[0]] == ["begins", "there"]
    assert run.paid_twice() == 0


def test_two_processes_on_one_experiment_hold_no_debate_twice(
    server: Provider, tmp_path: Path
) -> None:
    server.gathers = 8  # nobody is answered before both are at work on four debates each
    run = Run.of(tmp_path, server, seeds=4)
    with run.command("--json") as first, run.command("--json") as second:
        said = [process.communicate()[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    tallies = [json.loads(output.splitlines()[-1]) for output in said]
    assert [tally["there"] + tally["held"] for tally in tallies] == [16, 16]
    assert sum(tally["held"] for tally in tallies) == 16
    assert all(tally["held"] for tally in tallies)  # each took its part
    assert set(run.folder.debates) == run.files
    assert not run.folder.set_aside
    assert not run.folder.broken
    assert len(run.folder.declared) == 1
    assert run.paid_twice() == 0
    assert not any(isinstance(event, e.Resumed) for t in run.transcripts() for event in t.events)


@SIGNALS
def test_a_run_killed_three_times_ends_with_every_debate_once(
    server: Provider, tmp_path: Path
) -> None:
    server.seconds = 0.01
    run = Run.of(tmp_path, server, seeds=10)
    assert len(run.cells) == 40
    rng = random.Random(4)
    moments = sorted(rng.sample(range(5, 190), 3))
    for moment in moments:
        with run.command() as process:
            run.until_asked(moment, process)
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
        for path in run.folder.debates:
            read(path)  # whatever is there can be read
    with run.command("--json") as process:
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    tally = json.loads(output.splitlines()[-1])
    assert tally["there"] + tally["held"] == tally["planned"] == 40
    assert tally["failed"] == []
    assert set(run.folder.debates) == run.files
    assert all(transcript.finished for transcript in run.transcripts())
    assert not run.folder.set_aside
    assert not run.folder.broken
    assert run.paid_twice() <= 3 * 4  # those in flight at each of three moments


@SIGNALS
def test_ctrl_c_leaves_files_that_can_be_gone_on_with(server: Provider, tmp_path: Path) -> None:
    server.seconds = 0.02
    run = Run.of(tmp_path, server, seeds=4)
    with run.command() as process:
        run.until_asked(30, process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == 130
    assert "Interrupted. Run the same command again to go on." in output
    assert errors == ""
    begun = run.transcripts()
    assert 0 < sum(transcript.finished for transcript in begun) < 16
    assert not any(transcript.torn for transcript in begun)
    with run.command() as process:
        assert process.wait(120) == 0
    assert set(run.folder.debates) == run.files
    assert run.folder.broken == ()
    assert run.paid_twice() <= 4
