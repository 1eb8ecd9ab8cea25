"""Debates on a real Ray cluster of this machine, whose processes are killed on the way.

The driver is the command, in a process of its own; what it paid for is told by the server, which
answers the same question the same way and keeps every request.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import PIPE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import events as e
from harness.cli.new import write_setting
from harness.errors import UserError
from harness.events import EVENT
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.experiment.reading import load_experiment
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.limits import Limits
from harness.models.pool import Pool
from harness.models.prices import PriceList
from harness.seating import Means
from harness.sweep.cluster import Cluster, held_on_ray, share
from harness.sweep.cluster_crew import Crew, Member, WorkerLost
from harness.sweep.cluster_holder import LOSSES, Purse, Remote
from harness.sweep.cluster_worker import Begun, Present, Refused, Step, Worker, is_paid
from harness.sweep.holding import Holder, card_of
from harness.sweep.sweep import ATTEMPTS, Sweep, Tally
from harness.transcript import Transcript, Writer, closed, dump, read
from tests.models.server import Answer, ChatServer, Json, rejected, spoken
from tests.rooms import instance

ROOT = Path(__file__).parents[2]
WITH_RAY = importlib.util.find_spec("ray") is not None
AT_ONCE = 8
"""Debates under way at once, on two workers."""
PLANNED = 30
"""Debates of the experiment."""

EXPERIMENT = """
id: on-a-cluster
question: Is any debate lost?
setting: talks
seeds: {seeds}
common: {{model: "openai:small", base_url: "{url}", rules: {{rounds: 1}}, guard: true}}
arms:
  - {{id: dossier, prompt: dossier}}
  - {{id: interests, prompt: interests}}
baseline: dossier
primary: {{metric: concordance/in_line, of: debate, smallest: 0.1}}
budget: {{max_calls: {calls}}}
"""

KEPT_ALIVE = """
import sys, ray
ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=128 * 2**20)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""


@pytest.fixture(scope="module")
def ray_is_here() -> None:
    if WITH_RAY:
        return
    if os.environ.get("CI"):
        pytest.fail("Ray is not installed: CI has to test the engine `ray`")
    pytest.skip("Ray is not installed: pip install 'tracktwo[cluster]'")


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", env["OPENAI_API_KEY"])


@pytest.fixture(scope="module")
def short_folder() -> Iterator[str]:
    """Ray's sockets lie in its folder, and their names may not be long."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        yield folder


@pytest.fixture(scope="module")
def env(short_folder: str) -> dict[str, str]:
    """The environment of drivers and workers; no token is left in the user's home."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return usual | {
        "PYTHONPATH": str(ROOT),
        "OPENAI_API_KEY": "sk-never-to-be-seen-1234567890",
        "COLUMNS": "200",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": short_folder,
    }


@pytest.fixture(scope="module")
def head(ray_is_here: None, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A cluster that outlives its drivers, as one of several machines does; it takes a while."""
    command = [sys.executable, "-c", KEPT_ALIVE]
    with subprocess.Popen(command, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.communicate("", timeout=60)


@pytest.fixture(scope="module")
def address(head: subprocess.Popen[str]) -> str:
    assert head.stdout is not None
    return head.stdout.readline().strip()


@dataclass
class Provider(ChatServer):
    """Thinks for a moment, and answers by the schema it is sent: the same to the same request."""

    seconds: float = 0.05

    def __post_init__(self) -> None:
        super().__init__()
        self.ordinary = self.thinks

    def thinks(self, body: Json) -> Answer:
        time.sleep(self.seconds)
        schema = body["response_format"]["json_schema"]["schema"]
        return spoken(json.dumps(instance(schema, random.Random(json.dumps(body["messages"])))))

    @property
    def asked(self) -> Counter[str]:
        """How often each question was asked."""
        return Counter(
            question([(m["role"], m["content"]) for m in body["messages"]], body["seed"])
            for body in self.bodies
        )


def question(messages: list[tuple[str, str]], seed: int) -> str:
    return json.dumps([messages, seed])


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    with server.running():
        yield server


@dataclass
class Run:
    """One experiment, and the processes that hold it."""

    file: Path
    folder: Folder
    env: Mapping[str, str]
    address: str

    @classmethod
    def of(
        cls, tmp_path: Path, env: Mapping[str, str], address: str, url: str, *,
        seeds: int = 6, calls: int | None = None,
    ) -> Run:  # fmt: skip
        write_setting("talks", tmp_path)
        file = tmp_path / "on-a-cluster.yaml"
        file.write_text(EXPERIMENT.format(url=url, seeds=seeds, calls=json.dumps(calls)))
        return cls(file, Folder(tmp_path / "out"), env, address)

    @cached_property
    def cells(self) -> list[Cell]:
        return list(load_experiment(self.file).design.cells())

    def transcripts(self) -> list[Transcript]:
        return [read(self.folder.transcript(cell)) for cell in self.cells]

    @contextmanager
    def driver(self) -> Iterator[Driver]:
        command = [sys.executable, "-m", "harness", "experiment", str(self.file)]
        command += ["--out", str(self.folder.path), "--at-once", str(AT_ONCE)]
        command += ["--engine", "ray", "--workers", "2", "--worker-cpus", "0.5"]
        command += ["--address", self.address] if self.address else []
        with subprocess.Popen(
            command, env=self.env, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True
        ) as process:
            driver = Driver(process)
            try:
                yield driver
            finally:
                process.kill()
                driver.heard.join()

    def finish(self) -> Driver:
        with self.driver() as driver:
            driver.wait()
        return driver


class Driver:
    """The process that hands out debates, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.heard = threading.Thread(target=self._listen)
        self.heard.start()
        self.errors = ""

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def wait(self) -> int:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()
        self.heard.join()
        return self.process.wait(60)

    @property
    def words(self) -> list[str]:
        """What it said of its workers."""
        return [line for line in list(self.said) if line.startswith("Worker ")]

    def workers(self) -> list[int]:
        """The processes of the workers, in the order in which they came."""
        return [int(words.split()[1]) for words in self.words if words.endswith("is at work.")]

    @property
    def tally(self) -> tuple[int, int, int]:
        """How many debates were there, were held, and failed."""
        counts = "".join(re.findall(r"there: (\d+ were, \d+) were held now", "\n".join(self.said)))
        there, held = map(int, counts.split(" were, "))
        return there, held, sum(line.startswith("failed: ") for line in self.said)


def until(happened: Callable[[], bool], driver: Driver, seconds: float = 300) -> None:
    limit = time.monotonic() + seconds
    while not happened():
        assert driver.process.poll() is None, driver.said
        assert time.monotonic() < limit
        time.sleep(0.02)


def questions(transcript: Transcript) -> list[str]:
    """What was asked in a debate, as the server was asked it."""
    return [
        question(
            [(m.role, "".join(transcript.texts[part] for part in m.parts)) for m in call.sent],
            call.parameters["seed"],
        )
        for call in transcript.calls
    ]


def resumptions(transcript: Transcript) -> int:
    return sum(isinstance(event, e.Resumed) for event in transcript.events)


def paid_twice(run: Run, provider: Provider) -> int:
    """How many calls were paid twice; no debate has more such calls than it was taken up again."""
    asked, on_record = provider.asked, Counter[str]()
    for transcript in run.transcripts():
        in_debate = Counter(questions(transcript))
        assert set(in_debate.values()) == {1}  # no turn is on record twice
        twice = sum(asked[each] - 1 for each in in_debate)
        assert twice <= resumptions(transcript)
        on_record += in_debate
    assert set(on_record.values()) == {1}  # no two debates ask the same
    assert set(asked) == set(on_record)  # whatever was paid for is on record
    return asked.total() - on_record.total()


def untimed(transcript: Transcript) -> list[str]:
    """A debate without what another sitting may have otherwise: times, and being resumed."""
    at_no_time = {"started": None, "latency": 0.0, "retries": 0}
    return [
        dump(
            event.model_copy(
                update={"seq": -1} | (at_no_time if isinstance(event, e.ModelCall) else {})
            )
        )
        for event in transcript.debate
    ]


def in_this_process(run: Run, out: Path | None = None) -> Tally:
    """The same experiment on the engine of one process, or what is left of it."""
    folder = Folder(out) if out is not None else run.folder

    async def held() -> Tally:
        pool, clock = Pool(), SystemClock()
        holder = Holder(
            lambda name: Means(Budget(), PriceList(), os.environ, pool.of(name)), lambda _: clock
        )
        try:
            return await Sweep(run.cells, folder, holder, clock, AT_ONCE).run()
        finally:
            await pool.aclose()

    return asyncio.run(held())


@pytest.mark.usefixtures("head")  # it starts meanwhile
def test_a_sweep_that_loses_a_worker_holds_every_debate_once(
    env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    # Without an address: a cluster of this machine's processes, for this run alone.
    run = Run.of(tmp_path, env, "", provider.url, seeds=15)
    assert len(run.cells) == PLANNED
    with run.driver() as driver:
        until(lambda: len(provider.bodies) > PLANNED and len(driver.workers()) == 2, driver)
        first = driver.workers()[0]
        os.kill(first, signal.SIGKILL)
        code = driver.wait()

    assert code == 0, driver.errors
    assert driver.errors == ""
    assert driver.tally == (0, PLANNED, 0)
    assert "raylet" not in "".join(driver.said)  # Ray keeps quiet
    (lost,) = [words for words in driver.words if not words.endswith("is at work.")]
    assert lost.startswith(f"Worker {first} on ")
    assert run.folder.broken == ()
    assert sorted(run.folder.debates) == sorted(run.folder.transcript(cell) for cell in run.cells)
    assert all(transcript.finished for transcript in run.transcripts())
    moved = [transcript for transcript in run.transcripts() if resumptions(transcript)]
    assert 1 <= len(moved) <= 4  # what one of two workers has of eight debates
    assert paid_twice(run, provider) <= len(moved)

    paid = len(provider.bodies)
    again = run.finish()
    assert again.process.returncode == 0
    assert again.tally == (PLANNED, 0, 0)
    assert again.words == []  # no cluster was started for nothing
    assert len(provider.bodies) == paid

    provider.seconds = 0
    assert in_this_process(run, tmp_path / "here").held == PLANNED
    for transcript in run.transcripts():
        assert transcript.path is not None
        assert untimed(transcript) == untimed(read(tmp_path / "here" / transcript.path.name))


def test_a_driver_that_is_killed_costs_at_most_the_turns_in_flight(
    address: str, env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, env, address, provider.url)
    with run.driver() as driver:
        until(lambda: any(closed(run.folder.transcript(cell)) for cell in run.cells), driver)
        driver.process.kill()
        driver.process.wait()
    done = sum(closed(run.folder.transcript(cell)) for cell in run.cells)
    last = run.finish()
    assert last.process.returncode == 0, last.errors
    assert last.tally == (done, len(run.cells) - done, 0)
    assert done
    assert run.folder.broken == ()
    assert paid_twice(run, provider) <= AT_ONCE


def test_a_ceiling_on_calls_holds_for_all_workers_together_and_any_engine_goes_on(
    address: str, env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, env, address, provider.url, calls=20)
    stopped = run.finish()
    assert stopped.process.returncode == 3, stopped.errors
    _, held, failed = stopped.tally
    left = len(run.cells) - held
    assert f"Stopped: 20 of 20 calls are made. {left} debates are left." in stopped.said
    assert failed == 0
    assert len(provider.bodies) == 20  # not one more
    begun = [read(path) for path in run.folder.debates]
    assert sum(len(transcript.calls) for transcript in begun) == 20
    assert in_this_process(run).complete
    assert paid_twice(run, provider) == 0


def test_a_model_that_only_the_user_can_mend_ends_the_run_with_its_one_sentence(
    address: str, env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    run = Run.of(tmp_path, env, address, provider.url)
    provider.ordinary = lambda body: rejected(401, "no such key", "invalid_api_key")
    ended = run.finish()
    assert ended.process.returncode == 2
    (sentence,) = ended.errors.splitlines()
    assert "OPENAI_API_KEY" in sentence
    assert run.folder.broken == ()  # no debate is to blame

    provider.ordinary = provider.thinks
    provider.bodies.clear()
    assert in_this_process(run).held == len(run.cells)
    assert paid_twice(run, provider) == 0


def test_workers_with_other_packages_than_the_driver_hold_nothing(
    address: str, env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    other = tmp_path / "site" / "langchain-99.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: langchain\nVersion: 99\n")
    paths = os.pathsep.join([str(ROOT), str(other.parent)])
    run = Run.of(tmp_path, env | {"PYTHONPATH": paths}, address, provider.url)
    ended = run.finish()
    assert ended.process.returncode == 2
    assert "and 99 here; install the same version on both.\n" in ended.errors
    assert ended.errors.startswith("langchain is ")
    assert provider.bodies == []


class Mortal(Crew):
    """Workers of this process, without Ray in between, that die after so many steps each.

    What a worker does in its last step is lost: the call was made, and nobody hears the answer.
    """

    def __init__(self, steps: Iterator[int]) -> None:
        self.steps = steps
        self.lost = 0

    @asynccontextmanager
    async def somebody(self) -> AsyncIterator[Member]:
        worker = Worker(PriceList(), Limits(), 1, Path.cwd())
        try:
            yield Doomed(worker, await worker.present({}), self, next(self.steps))
        finally:
            await worker.leave()


class Doomed(Member):
    def __init__(self, worker: Worker, who: Present, crew: Mortal, steps: int) -> None:
        super().__init__(worker, who)
        self.crew, self.left = crew, steps

    async def step(self, name: str, begun: Begun | None, refused: Refused | None) -> Step:
        step: Step = await self.handle.step(name, begun, refused)
        self.left -= 1
        if self.left == 0 and not step.over:
            self.crew.lost += 1
            raise WorkerLost("it was told to die")
        return step


def on_mortals(run: Run, steps: Iterator[int], budget: Budget | None = None) -> tuple[Tally, int]:
    """The experiment with one mortal worker at a time; how many were lost."""
    crew, clock = Mortal(steps), SystemClock()
    remote = Remote(crew, Purse(budget or Budget()), PriceList(), clock)
    tally = asyncio.run(Sweep(run.cells, run.folder, remote, clock, 2).run())
    return tally, crew.lost


def test_however_many_workers_die_the_debates_are_those_of_one_process(
    env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    provider.seconds = 0
    run = Run.of(tmp_path, env, "", provider.url, seeds=3)
    rng = random.Random(5)
    tally, lost = on_mortals(run, (rng.choice((2, 3)) for _ in itertools.count()))
    assert tally.held == len(run.cells) == 6
    assert lost > 6
    assert paid_twice(run, provider) == lost
    assert run.folder.broken == ()
    assert in_this_process(run, tmp_path / "here").held == 6
    for transcript in run.transcripts():
        assert transcript.path is not None
        assert untimed(transcript) == untimed(read(tmp_path / "here" / transcript.path.name))


def test_a_debate_that_every_worker_dies_of_is_a_failure_and_says_so(
    env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    provider.seconds = 0
    run = Run.of(tmp_path, env, "", provider.url, seeds=3)
    tally, lost = on_mortals(run, itertools.repeat(1))
    assert len(tally.failed) == 6
    assert lost == 6 * LOSSES * ATTEMPTS
    assert [each.attempt for each in run.folder.broken if each.debate == run.cells[0].name] == [
        1,
        2,
    ]
    assert {each.why for each in run.folder.broken} == {"WorkerLost: it was told to die"}


def test_a_worker_makes_one_paid_call_at_a_time_and_none_that_it_is_refused(
    env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    """What it made is in the driver's hands before it makes another."""
    provider.seconds = 0
    run = Run.of(tmp_path, env, "", provider.url, seeds=3)
    card = card_of(run.cells[0], Means(Budget(), PriceList()))
    path = tmp_path / "a.jsonl"
    Writer.create(path, e.Header(debate="a", created="2026-01-01T00:00:00+00:00"), card).close()

    async def three_steps() -> list[Step]:
        worker = Worker(PriceList(), Limits(), 1, Path.cwd())
        first = await worker.step("a", Begun(card, path.read_bytes(), fresh=True), None)
        assert len(provider.bodies) == 1
        second = await worker.step("a", None, None)
        assert len(provider.bodies) == 2
        third = await worker.step("a", None, Refused("calls", "two of two calls are made"))
        await worker.leave()
        return [first, second, third]

    steps = asyncio.run(three_steps())
    assert len(provider.bodies) == 2
    assert [step.over for step in steps] == [False, False, True]
    events = [[EVENT.validate_json(line) for line in step.lines.splitlines()] for step in steps]
    assert [sum(is_paid(event) for event in each) for each in events] == [1, 1, 0]
    assert events[0][0].seq == 2
    last = events[-1][-1]
    assert isinstance(last, e.BudgetStop)
    assert last.why == "two of two calls are made"


@pytest.mark.anyio
async def test_a_call_is_refused_only_when_no_other_may_turn_out_unneeded() -> None:
    purse = Purse(Budget(max_calls=2))
    assert await purse.draw() is None
    assert await purse.draw() is None
    third = asyncio.create_task(purse.draw())
    await asyncio.sleep(0)
    assert not third.done()
    purse.settle([])  # the first was not needed
    assert await third is None
    fourth = asyncio.create_task(purse.draw())
    purse.settle([a_call(7)])
    purse.settle([a_call(5)])
    assert await fourth == Refused("calls", "2 of 2 calls are made")


@pytest.mark.anyio
async def test_a_call_whose_worker_died_counts_as_made() -> None:
    purse = Purse(Budget(max_calls=1))
    await purse.draw()
    purse.forfeit()
    assert await purse.draw() == Refused("calls", "1 of 1 calls are made")


@pytest.mark.anyio
async def test_tokens_that_workers_used_are_counted_against_the_ceiling() -> None:
    purse = Purse(Budget(max_tokens=10))
    await purse.draw()
    purse.settle([a_call(10)])
    assert await purse.draw() == Refused("tokens", "10 of 10 tokens are used")


def a_call(tokens: int) -> e.ModelCall:
    return e.ModelCall(
        call="river/round1/upland#1", seat="upland", sent=(), answer_schema=None, request_sha="",
        usage=e.Usage(input=tokens), started="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@given(
    at_once=st.none() | st.integers(1, 500),
    requests=st.none() | st.floats(1, 1e5),
    tokens=st.none() | st.floats(1, 1e8),
    workers=st.integers(1, 64),
)
def test_the_shares_of_all_workers_together_are_no_more_than_the_limit(
    at_once: int | None, requests: float | None, tokens: float | None, workers: int
) -> None:
    limits = Limits(at_once, requests, tokens)
    workers = min(workers, at_once or workers)  # there are no more workers than calls at once
    part = share(limits, workers)
    assert part == share({"openai": limits}, workers)["openai"]  # type: ignore[index]
    for name in ("at_once", "requests_per_minute", "tokens_per_minute"):
        whole, each = getattr(limits, name), getattr(part, name)
        if whole is None:
            assert each is None
        else:
            assert 0.5 * whole < each * workers <= whole * (1 + 1e-9)


def test_without_ray_the_user_is_told_what_to_install(
    env: dict[str, str], provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.of(tmp_path, env, "", provider.url, seeds=3)
    monkeypatch.setitem(sys.modules, "ray", None)
    held = held_on_ray(run.cells, run.folder, Budget(), PriceList(), Cluster(), each=1)
    with pytest.raises(UserError, match=r"run pip install 'tracktwo\[cluster\]'"):
        asyncio.run(held)


@pytest.mark.usefixtures("ray_is_here")
def test_an_address_where_no_cluster_is_is_said_at_once(
    env: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        ended = Run.of(tmp_path, env, address, provider.url).finish()
    assert ended.process.returncode == 2
    assert ended.errors.startswith(f"Nobody answers at {address} (")
    assert len(ended.errors.splitlines()) == 1
