"""Experiments on a local server that keeps every request, and what was paid for twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import events as e
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.experiment.reading import Read, load_experiment
from harness.transcript import Transcript, read
from tests.models.server import Answer, ChatServer, Json, spoken
from tests.rooms import instance

ROOT = Path(__file__).parents[2]

EXPERIMENT = """\
id: on-a-server
question: Is any debate lost?
seeds: {seeds}
items: [libya, syria]
common: {{model: "openai:small", base_url: "{url}", rules: {{rounds: 1}}, guard: true}}
arms:
  - {{id: one, prompt: dossier}}
  - {{id: two, prompt: interests}}
baseline: one
primary: {{metric: agreement/agreement_rate, of: debate, smallest: 0.1}}
"""

KEYS = {"OPENAI_API_KEY": "sk-never-to-be-seen-1234567890"}


@dataclass
class Provider(ChatServer):
    """Thinks for a moment, and answers by the schema it is sent: the same to the same request."""

    seconds: float = 0.0
    gathers: int = 0
    """Nobody is answered before so many requests were under way at once."""

    def __post_init__(self) -> None:
        super().__init__()
        self.ordinary = self.thinks
        self.most = self._now = 0
        self._count = threading.Condition()

    def thinks(self, body: Json) -> Answer:
        with self._count:
            self._now += 1
            self.most = max(self.most, self._now)
            self._count.notify_all()
            assert self._count.wait_for(lambda: self.most >= self.gathers, 120)
        time.sleep(self.seconds)
        schema = body["response_format"]["json_schema"]["schema"]
        data = instance(schema, random.Random(json.dumps(body["messages"])))
        with self._count:
            self._now -= 1
        return spoken(json.dumps(data))

    def settles(self) -> None:
        """Wait for requests whose client has gone: they are still on their way in."""
        seen = -1
        while seen != len(self.bodies):
            seen = len(self.bodies)
            time.sleep(0.5)

    @property
    def asked(self) -> Counter[str]:
        """How often each question was asked."""
        return Counter(
            _question([(m["role"], m["content"]) for m in body["messages"]], body["seed"])
            for body in self.bodies
        )


@dataclass(frozen=True)
class Run:
    """An experiment on a server, and the folder of its debates."""

    file: Path
    folder: Folder
    provider: Provider

    @classmethod
    def of(cls, folder: Path, provider: Provider, *, seeds: int = 2, more: str = "") -> Run:
        file = folder / "on-a-server.yaml"
        file.write_text(EXPERIMENT.format(url=provider.url, seeds=seeds) + more, encoding="utf-8")
        return cls(file, Folder(folder / "out"), provider)

    @property
    def read(self) -> Read:
        return load_experiment(self.file)

    @property
    def cells(self) -> list[Cell]:
        return list(self.read.design.cells())

    @property
    def files(self) -> set[Path]:
        """The transcripts as they should lie there at the end."""
        return {self.folder.transcript(cell) for cell in self.cells}

    def transcripts(self) -> list[Transcript]:
        return [read(path) for path in sorted(self.folder.debates)]

    def paid_twice(self) -> int:
        """How many calls were paid twice.

        Asserts that no turn is on record twice, that whatever was paid for is on record, and that
        no debate has more calls that were paid twice than it was taken up again.
        """
        asked, on_record = self.provider.asked, Counter[str]()
        for transcript in self.transcripts():
            here = Counter(questions(transcript))
            assert max(here.values()) == 1
            resumed = sum(isinstance(event, e.Resumed) for event in transcript.events)
            assert sum(asked[each] - 1 for each in here) <= resumed
            on_record += here
        assert set(on_record.values()) == {1}  # no two debates ask the same
        assert set(asked) == set(on_record)
        return asked.total() - on_record.total()

    @contextmanager
    def command(self, *more: str, at_once: int = 4) -> Iterator[subprocess.Popen[str]]:
        """The command that holds the experiment, in a process of its own."""
        command = [sys.executable, "-m", "harness", "experiment", str(self.file)]
        options = ["--out", str(self.folder.path), "--at-once", str(at_once), *more]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command + options, env=environment(), cwd=ROOT, stdout=pipe, stderr=pipe, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def until_asked(self, number: int, process: subprocess.Popen[str]) -> None:
        """Wait until the server was asked so often."""
        limit = time.monotonic() + 120
        while len(self.provider.bodies) < number:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < limit
            time.sleep(0.002)


def environment() -> Mapping[str, str]:
    """Of the command: nothing of the user's own keys and addresses."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return usual | KEYS | {"PYTHONPATH": str(ROOT)}


def questions(transcript: Transcript) -> list[str]:
    """What was asked in a debate, as the server was asked it."""
    return [
        _question(
            [(m.role, "".join(transcript.texts[part] for part in m.parts)) for m in call.sent],
            call.parameters["seed"],
        )
        for call in transcript.calls
    ]


def _question(messages: list[tuple[str, str]], seed: int) -> str:
    return json.dumps([messages, seed])
