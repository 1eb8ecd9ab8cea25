"""The ledger: every call to a judge about one transcript, in `NAME.judge-calls.jsonl` beside it.

Append-only, like a transcript. A question that has been answered is not asked, and not paid for,
again; all claims and verdicts follow from the replies in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from evals.evaluator import Value
from harness.errors import TranscriptError
from harness.events import NOTICE, CallFailure, Usage
from harness.prompt import Prompt, Reply
from harness.setting import sha


class LedgerHeader(Value):
    """The first line."""

    kind: Literal["judge_calls"] = "judge_calls"
    format: Literal["tracktwo judge calls"] = "tracktwo judge calls"
    schema_version: int = 1
    transcript: str
    """Name of the transcript's file."""
    notice: str = NOTICE


class SentText(Value):
    """A message or schema, kept once however often it was sent."""

    kind: Literal["text"] = "text"
    sha: str
    text: str


class JudgeCall(Value):
    """One call to a judge: what was really sent and what came back."""

    kind: Literal["judge_call"] = "judge_call"
    judge: str
    question: str
    """Name of the question, `consistency/syria/us/1`."""
    key: str
    """Fingerprint of messages, schema and seed: the same question is the same key."""
    sent: tuple[tuple[str, str], ...]
    """Role and fingerprint of each message."""
    answer_schema: str
    """Fingerprint of the schema."""
    parameters: dict[str, object]
    """As on the wire."""
    constrained: bool = False
    model: str | None = None
    """The model id that answered."""
    reply: str | None = None
    usage: Usage = Usage()
    finish: str | None = None
    started: str | None = None
    latency: float = 0.0
    """Seconds."""
    cost: float | None = None
    """US dollars, where a price is known."""
    retries: int = 0
    failure: CallFailure | None = None

    @property
    def as_reply(self) -> Reply:
        """The reply as it came."""
        return Reply(
            self.reply, self.model, self.usage, self.finish, dict(self.parameters),
            self.constrained, self.started, self.latency, self.cost, self.retries, self.failure,
        )  # fmt: skip


class BatchSent(Value):
    """A batch handed to a provider; its replies come later."""

    kind: Literal["batch"] = "batch"
    judge: str
    batch: str
    """The provider's id of it."""
    keys: tuple[str, ...]
    """The questions in it."""
    over: str | None = None
    """How it ended, once its answers have been fetched: completed, expired, cancelled, failed."""


_LINE: TypeAdapter[LedgerHeader | SentText | JudgeCall | BatchSent] = TypeAdapter(
    Annotated[LedgerHeader | SentText | JudgeCall | BatchSent, Field(discriminator="kind")]
)


def key_of(prompt: Prompt) -> str:
    """The key of a prompt: its fingerprint and its seed."""
    return sha(f"{prompt.sha}/{prompt.seed}")


def ledger_path(transcript: Path) -> Path:
    """Where the calls about a transcript lie."""
    return transcript.with_name(f"{transcript.stem}.judge-calls.jsonl")


class Ledger:
    """What judges have been asked so far; in memory alone where there is no file.

    Failures that another try may mend (a timeout, an unreachable provider) are kept on file and
    asked again the next time.
    """

    def __init__(self, path: Path | None = None, transcript: str = "") -> None:
        """Read the file if there is one; it is made with the first call.

        Raises:
            TranscriptError: a line cannot be read; the message names file and line.
        """
        self.path = path
        self._transcript = transcript
        self._calls: dict[tuple[str, str], JudgeCall] = {}
        self._texts: set[str] = set()
        self._batches: dict[str, BatchSent] = {}
        if path is not None and path.exists():
            for line in _lines(path):
                self._take(line)

    @property
    def calls(self) -> tuple[JudgeCall, ...]:
        """Every call with its latest answer, in the order it was first made."""
        return tuple(self._calls.values())

    @property
    def batches(self) -> tuple[BatchSent, ...]:
        """Every batch handed in, as it was last seen."""
        return tuple(self._batches.values())

    def answer(self, judge: str, prompt: Prompt) -> Reply | None:
        """What the judge said to this prompt; None if it has to be asked (again)."""
        call = self._calls.get((judge, key_of(prompt)))
        if call is None or (call.failure is not None and call.failure.kind in _PASSING):
            return None
        return call.as_reply

    def reply(self, judge: str, prompt: Prompt) -> Reply | None:
        """What came back last, a passing failure too; None if nothing was asked."""
        call = self._calls.get((judge, key_of(prompt)))
        return None if call is None else call.as_reply

    def note(self, judge: str, question: str, prompt: Prompt, reply: Reply) -> None:
        """Put a call on file."""
        schema = json.dumps(prompt.schema, sort_keys=True)
        texts = [*(message.text for message in prompt.messages), schema]
        for text in texts:
            if sha(text) not in self._texts:
                self._write(SentText(sha=sha(text), text=text))
        call = JudgeCall(
            judge=judge,
            question=question,
            key=key_of(prompt),
            sent=tuple((message.role, sha(message.text)) for message in prompt.messages),
            answer_schema=sha(schema),
            parameters=reply.parameters,
            constrained=reply.constrained,
            model=reply.model,
            # Half a surrogate pair fits into no file.
            reply=None if reply.text is None else reply.text.encode("utf-8", "replace").decode(),
            usage=reply.usage,
            finish=reply.finish,
            started=reply.started,
            latency=reply.latency,
            cost=reply.cost,
            retries=reply.retries,
            failure=reply.failure,
        )
        self._write(call)

    def note_batch(self, batch: BatchSent) -> None:
        """Put a batch on file, so that it can be fetched after a restart; or that it is over."""
        self._write(batch)

    def _take(self, line: LedgerHeader | SentText | JudgeCall | BatchSent) -> None:
        match line:
            case SentText():
                self._texts.add(line.sha)
            case JudgeCall():
                self._calls[line.judge, line.key] = line
            case BatchSent():
                self._batches[line.batch] = line
            case LedgerHeader():
                pass

    def _write(self, line: SentText | JudgeCall | BatchSent) -> None:
        self._take(line)
        if self.path is None:
            return
        header = ""
        if not self.path.exists():
            header = LedgerHeader(transcript=self._transcript).model_dump_json() + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{header}{line.model_dump_json()}\n")


_PASSING = ("timeout", "provider_error")
"""Failures that may be gone the next time."""


def _lines(path: Path) -> Iterator[LedgerHeader | SentText | JudgeCall | BatchSent]:
    """The lines of the file; a last one torn by a crash is cut off, because it was never whole."""
    whole = path.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    if len(kept) < len(whole):
        with path.open("r+b") as file:
            file.truncate(len(kept))
    for number, line in enumerate(kept.decode("utf-8").splitlines(), 1):
        try:
            yield _LINE.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise TranscriptError(
                f"{path}:{number}: not a judge's call: {first['msg']}. Move the file away to ask "
                "the judges anew."
            ) from error
