"""Thousands of debates in one process, against a server that answers at once.

    uv run python benchmarks/sweep.py [DEBATES] [AT_ONCE]

Holds so many debates of 20 turns each (2,000 where left out) as an experiment, with a hosted model
whose server stands on this machine and takes no time to think. Then the same requests are sent as
often by the model layer alone (LangChain and the openai client, as a seat uses them) and by a bare
loop over the openai client. Printed are the CPU seconds of this process per turn, over those of the
bare loop, and how the memory grew. The server is a process of its own, so its CPU is nobody's. It
prints ratios within one run because machines are noisy.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.experiment.folder import Folder
from harness.experiment.reading import load_experiment
from harness.models.chat import ChatSeat
from harness.prompt import Message, Prompt
from harness.sweep.running import Terms, hold
from harness.sweep.sweep import News
from harness.transcript import read

Json = dict[str, Any]

ROUNDS = 9
"""With two delegations that propose nothing: two opening statements and eighteen interventions."""

TURNS = 2 + 2 * ROUNDS

EXPERIMENT = """
id: at-scale
question: How many debates can one process hold?
items: [sanctions]
seeds: {seeds}
common:
  model: openai:nobody
  base_url: {url}
  rules: {{rounds: {rounds}}}
arms:
  - {{id: one}}
  - {{id: other, prompt: interests}}
baseline: one
primary: {{metric: agreement/agreement_rate, of: debate, smallest: 0.1}}
"""


def main(debates: int, at_once: int) -> None:
    """Hold the debates, send the same requests bare, print what both took."""
    os.environ["OPENAI_API_KEY"] = "none"
    with _server() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = _sweep(folder, url, debates, at_once)
        transcript = read(next(folder.glob("held/one.*.jsonl")))
        assert transcript.state.turns == TURNS, f"{transcript.state.turns} turns, not {TURNS}"
        bodies = _bodies(transcript)
        models = asyncio.run(_models(url, bodies, len(ours.done) * TURNS, at_once))
        bare = asyncio.run(_bare(url, bodies, len(ours.done) * TURNS, at_once))
        size = sum(path.stat().st_size for path in folder.glob("held/*.jsonl"))
    turns = len(ours.done) * TURNS
    print(f"{len(ours.done)} of {debates} debates finished, each once, {turns} turns")
    print(f"  {ours.seconds / bare.seconds:5.2f}  CPU per turn over that of the bare openai loop")
    print(
        f"  {models.seconds / bare.seconds:5.2f}  of it the model layer: LangChain and the client"
    )
    each, least = 1000 * ours.seconds / turns, 1000 * bare.seconds / turns
    print(f"         here {each:.2f} ms and {least:.2f} ms; {turns / ours.wall:.0f} turns a second")
    print(f"         {ours.wall / bare.wall:.2f} times its wall time")
    grown = ours.most - ours.begun
    print(f"  memory: {ours.begun:.0f} MB at the start, at most {grown:+.0f} MB since")
    print(f"  {size / 1e6:.0f} MB of transcripts")


class _Took:
    """What a way of sending the requests took."""

    def __init__(self) -> None:
        self.seconds = self.wall = 0.0
        self.begun = self.most = _resident()
        self.done: set[str] = set()
        self._cpu, self._clock = time.process_time(), time.perf_counter()

    def heard(self, news: News) -> None:
        if news.step == "finished":
            assert news.cell.name not in self.done, f"{news.cell.name} was held twice"
            self.done.add(news.cell.name)
            self.most = max(self.most, _resident())

    def stop(self) -> _Took:
        self.seconds = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._clock
        return self


def _sweep(folder: Path, url: str, debates: int, at_once: int) -> _Took:
    file = folder / "at-scale.yaml"
    file.write_text(EXPERIMENT.format(seeds=2, url=url, rounds=ROUNDS))
    warm = load_experiment(file)  # what is imported and opened once counts as the start
    asyncio.run(hold(warm, list(warm.design.cells()), Folder(folder / "warm"), Terms.of(warm)))
    experiment = EXPERIMENT.format(seeds=debates // 2, url=url, rounds=ROUNDS)
    file.write_text(experiment)
    declared = load_experiment(file)
    took = _Took()
    terms = Terms.of(declared, at_once=at_once, watch=took.heard)
    tally = asyncio.run(
        hold(declared, list(declared.design.cells()), Folder(folder / "held"), terms)
    )
    assert tally.complete, f"only {tally.held} of {tally.planned} debates are there"
    return took.stop()


def _bodies(transcript: Any) -> list[Json]:
    """What the debate's calls sent, as bodies of requests."""
    bodies = []
    for call in transcript.calls:
        messages = [
            {"role": sent.role, "content": "".join(transcript.texts[part] for part in sent.parts)}
            for sent in call.sent
        ]
        schema = json.loads(transcript.texts[call.answer_schema])
        json_schema = {"name": "turn", "strict": True, "schema": schema}
        bodies.append(
            {
                "model": "nobody",
                "messages": messages,
                "response_format": {"type": "json_schema", "json_schema": json_schema},
                "seed": 1,
            }
        )
    return bodies


async def _models(url: str, bodies: list[Json], calls: int, at_once: int) -> _Took:
    """The same requests through the model layer alone."""
    seat = ChatSeat("openai:nobody", base_url=url)
    prompts = [
        Prompt(
            tuple(Message(m["role"], (m["content"],)) for m in body["messages"]),
            body["response_format"]["json_schema"]["schema"],
            seed=1,
        )
        for body in bodies
    ]
    await seat.ask(prompts[0])
    took = _Took()
    left = iter(range(calls))

    async def work() -> None:
        for index in left:
            reply = await seat.ask(prompts[index % len(prompts)])
            assert reply.failure is None, reply.failure

    await asyncio.gather(*(work() for _ in range(at_once)))
    await seat.aclose()
    return took.stop()


async def _bare(url: str, bodies: list[Json], calls: int, at_once: int) -> _Took:
    """The same requests through the openai client alone."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=url) as client:
        await client.chat.completions.create(**bodies[0])
        took = _Took()
        left = iter(range(calls))

        async def work() -> None:
            for index in left:
                await client.chat.completions.create(**bodies[index % len(bodies)])

        await asyncio.gather(*(work() for _ in range(at_once)))
        return took.stop()


@contextmanager
def _server() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()


def _serve(parent: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(_connection, "127.0.0.1", 0)
        parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep-alive HTTP/1.1; every answer is the least that fits the schema."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            data = json.dumps(_completion(body)).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + str(len(data)).encode()
                + b"\r\n\r\n"
                + data
            )
    except asyncio.IncompleteReadError:
        writer.close()


def _completion(body: Json) -> Json:
    text = json.dumps(_least(body["response_format"]["json_schema"]["schema"]))
    message = {"role": "assistant", "content": text}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 0,
        "model": "nobody",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1500, "completion_tokens": 90, "total_tokens": 1590},
    }


def _least(schema: Json) -> Any:
    """The least that fits a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _least(each) for name, each in schema["properties"].items()}
        case "array":
            return []
        case "string":
            return "We have made our position known and we keep to it, as our government has said."
        case _:
            return None


def _resident() -> float:
    """Megabytes of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 2000,
        int(sys.argv[2]) if len(sys.argv) > 2 else 32,
    )
