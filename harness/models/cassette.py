"""Recorded replies of language models, by what was sent: debates held again offline, byte by byte.

A JSON Lines file: a header, then a line for each reply and for the moment at which each debate was
begun. Lines are appended under a lock, one write each, so several processes may record into one
file; a last line torn by a crash is cut off. Prompts stand in the transcripts and are kept here as
fingerprints alone; replies are kept in full, and read again from the file when they are wanted.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from harness.errors import UserError
from harness.models.clock import Clock
from harness.models.registry import ModelSpec
from harness.models.tape import Tape
from harness.parts import CallFailure, Usage, Value
from harness.prompt import Prompt, Reply
from harness.setting import sha

Mode = Literal["record", "replay", "strict"]
"""`record`: every call is made and recorded. `replay`: only what is not recorded yet is asked, and
recorded. `strict`: nothing is asked; what is not recorded is an error."""

SCHEMA: Final = 1
"""Version of the file's format."""

_NOT_SENT = ("base_url", "timeout", "max_retries")
"""Parameters that say how a model is reached, not what it is sent."""


class CassetteHeader(Value):
    """The first line."""

    kind: Literal["cassette"] = "cassette"
    format: Literal["tracktwo cassette"] = "tracktwo cassette"
    schema_version: Literal[1] = SCHEMA
    notice: str = (
        "Replies of language models in simulated debates. The words are no state's and were never "
        "said by any government."
    )


class DebateBegun(Value):
    """When a debate was begun, for the first line of its transcript."""

    kind: Literal["debate"] = "debate"
    debate: str
    """The debate's name: its file's, without the ending."""
    created: str
    """UTC time, ISO 8601."""


class Asked(Value):
    """What a model was sent, as far as it decides the reply."""

    model: str
    """As after `--model`; of a file its name alone, wherever it lies."""
    parameters: dict[str, Any]
    """Temperature and the like."""
    messages: tuple[str, ...]
    """Fingerprint of each message."""
    answer_schema: str
    """Fingerprint of the schema."""
    seed: int

    @classmethod
    def of(cls, spec: ModelSpec, parameters: Mapping[str, Any], prompt: Prompt) -> Asked:
        """What this model is sent with this prompt."""
        room = {"room": prompt.room, "longest": prompt.longest}
        told = {**parameters, **{name: n for name, n in room.items() if n is not None}}
        file = spec.family == "local" and spec.rest
        return cls(
            model=f"local:{Path(spec.rest).name}" if file else str(spec),
            parameters={name: told[name] for name in sorted(told) if name not in _NOT_SENT},
            messages=tuple(sha(f"{m.role}\n{m.text}") for m in prompt.messages),
            answer_schema=sha(json.dumps(prompt.schema, sort_keys=True)),
            seed=prompt.seed,
        )

    @property
    def key(self) -> str:
        """Fingerprint of all of it: equal for equal requests."""
        return sha(self.model_dump_json())

    def unlike(self, recorded: Asked) -> str:
        """What differs from a recorded request, in words."""
        found = []
        if self.model != recorded.model:
            found.append(f"the model ({self.model}, recorded {recorded.model})")
        if self.parameters != recorded.parameters:
            mine, theirs = json.dumps(self.parameters), json.dumps(recorded.parameters)
            found.append(f"the parameters ({mine}, recorded {theirs})")
        if self.messages != recorded.messages:
            found.append(_unlike_messages(self.messages, recorded.messages))
        if self.answer_schema != recorded.answer_schema:
            found.append("the schema of the answer")
        if self.seed != recorded.seed:
            found.append(f"the seed ({self.seed}, recorded {recorded.seed})")
        return ", ".join(found)


class RecordedReply(Value):
    """One call and what came back."""

    kind: Literal["reply"] = "reply"
    debate: str
    call: str
    """The call's name in its debate; empty where it has none."""
    asked: Asked
    text: str | None
    """The raw answer."""
    model: str | None
    """The model id that answered."""
    usage: Usage
    finish: str | None
    parameters: dict[str, Any]
    """As on the wire."""
    constrained: bool
    started: str | None
    latency: float
    """Seconds."""
    cost: float | None
    """US dollars, where a price was known."""
    retries: int
    failure: CallFailure | None

    @property
    def as_reply(self) -> Reply:
        """The reply as it came."""
        return Reply(
            self.text, self.model, self.usage, self.finish, dict(self.parameters),
            self.constrained, self.started, self.latency, self.cost, self.retries, self.failure,
        )  # fmt: skip


_Line = CassetteHeader | DebateBegun | RecordedReply
_LINE: TypeAdapter[_Line] = TypeAdapter(Annotated[_Line, Field(discriminator="kind")])


class Cassette:
    """Recorded replies in a file; safe to share between debates, threads and processes.

    In memory there is an index alone, of some 200 bytes a reply.
    """

    def __init__(self, path: Path | str, mode: Mode) -> None:
        """Open the file; where it does not exist it is made, but for `strict`.

        Raises:
            UserError: it cannot be opened, is no cassette, or a line cannot be read.
        """
        self.path = Path(path)
        self.mode = mode
        if mode == "strict" and not self.path.is_file():
            raise UserError(f"There is no cassette {path}: record one first, with --record.")
        header = None if mode == "strict" else CassetteHeader().model_dump_json()
        self._tape = Tape(self.path, first=header)
        self._guard = threading.Lock()
        self._exact: dict[int, int] = {}
        self._alike: dict[int, int] = {}
        self._created: dict[str, str] = {}
        self._read = 0
        self._lines = 0
        try:
            self._catch_up()
        except UserError:
            self.close()
            raise

    @property
    def torn(self) -> int:
        """Bytes of a last line torn by a crash that are left out; worth telling the user."""
        return self._tape.torn or self._tape.size - self._read

    def find(self, debate: str, call: str, asked: Asked) -> Reply | None:
        """The recorded reply: that of the same call, else of any that was sent the same.

        None where the model has to be asked.

        Raises:
            UserError: nothing is recorded and nothing may be asked; says what differs from the
                recording of the same call, if there is one.
        """
        if self.mode == "record":
            return None
        with self._guard:
            offset = self._offset(debate, call, asked)
            if offset is None:
                self._catch_up()  # another process may have recorded it meanwhile
                offset = self._offset(debate, call, asked)
            if offset is not None:
                return self._reply_at(offset).as_reply
            if self.mode == "strict":
                raise UserError(self._miss(debate, call, asked))
        return None

    def keep(self, debate: str, call: str, asked: Asked, reply: Reply) -> None:
        """Record a reply; later ones of the same call and request take its place.

        Raises:
            UserError: the file cannot be written.
        """
        text = reply.text
        line = RecordedReply(
            debate=debate,
            call=call,
            asked=asked,
            # Half a surrogate pair fits into no file; the transcript holds the same question mark.
            text=None if text is None else text.encode("utf-8", "replace").decode(),
            model=reply.model,
            usage=reply.usage,
            finish=reply.finish,
            parameters=reply.parameters,
            constrained=reply.constrained,
            started=reply.started,
            latency=reply.latency,
            cost=reply.cost,
            retries=reply.retries,
            failure=reply.failure,
        )
        with self._guard:
            self._tape.append(line.model_dump_json() + "\n")

    def clock_of(self, debate: str, clock: Clock) -> Clock:
        """A clock at which a debate that is held from its beginning is always the moment it began.

        That moment is recorded when it is first asked for; a recorded debate has the recorded one.
        A debate that is taken up again needs a clock that goes on.
        """
        return _ClockOf(self, debate, clock)

    def created(self, debate: str, clock: Clock) -> str:
        """When the debate began, as recorded or, where it was not, as the clock says now.

        Raises:
            UserError: it is not recorded, and nothing may be.
        """
        with self._guard:
            if self.mode != "record":
                self._catch_up()
                if debate in self._created:
                    return self._created[debate]
            if self.mode == "strict":
                raise UserError(
                    f"{self.path} holds no debate named {debate}: record it, or name a cassette "
                    "that does."
                )
            begun = DebateBegun(debate=debate, created=clock.now())
            self._tape.append(begun.model_dump_json() + "\n")
            return begun.created

    def close(self) -> None:
        """Let go of the file."""
        self._tape.close()

    def __enter__(self) -> Cassette:
        """The cassette itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the file, whatever happened."""
        self.close()

    def _offset(self, debate: str, call: str, asked: Asked) -> int | None:
        key = asked.key
        return self._exact.get(_number(key, debate, call), self._alike.get(_number(key)))

    def _reply_at(self, offset: int) -> RecordedReply:
        line = _LINE.validate_json(self._tape.line_at(offset))
        assert isinstance(line, RecordedReply)
        return line

    def _catch_up(self) -> None:
        """Take in the lines that have been written since the file was last read."""
        for offset, text in self._tape.lines(self._read):
            line = self._parsed(text)
            if isinstance(line, RecordedReply):
                key = line.asked.key
                self._exact[_number(key, line.debate, line.call)] = offset
                self._alike.setdefault(_number(key), offset)
            elif isinstance(line, DebateBegun):
                self._created[line.debate] = line.created
            self._read = offset + len(text) + 1

    def _parsed(self, text: bytes) -> _Line:
        self._lines += 1
        try:
            line = _LINE.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise UserError(
                f"{self.path}:{self._lines}: no line of a cassette of version {SCHEMA} "
                f"({first['msg']}): restore the file, or record another."
            ) from error
        if (self._lines == 1) != isinstance(line, CassetteHeader):
            raise UserError(
                f"{self.path}:{self._lines}: a cassette has one header, in its first line: restore "
                "the file, or record another."
            )
        return line

    def _miss(self, debate: str, call: str, asked: Asked) -> str:
        named = f"{call or 'a call'} of {debate}"
        recorded = [
            line
            for _, text in self._tape.lines()
            if isinstance(line := _LINE.validate_json(text), RecordedReply)
            and (line.debate, line.call) == (debate, call)
        ]
        todo = "restore that, or run with --replay to ask for what is missing"
        if recorded:
            return (
                f"{self.path}: {named} was recorded with another request; what differs is "
                f"{asked.unlike(recorded[-1].asked)}: {todo}."
            )
        return (
            f"{self.path} holds no reply to {named}: name a cassette that does, or run with "
            "--replay to ask for what is missing."
        )


class _ClockOf:
    """The clock of one debate; its durations are those of the clock behind it."""

    def __init__(self, cassette: Cassette, debate: str, clock: Clock) -> None:
        self._cassette = cassette
        self._debate = debate
        self._clock = clock
        self._moment: str | None = None

    def now(self) -> str:
        """The moment at which the debate began."""
        if self._moment is None:
            self._moment = self._cassette.created(self._debate, self._clock)
        return self._moment

    def monotonic(self) -> float:
        """Seconds since some fixed moment, for durations."""
        return self._clock.monotonic()


def _unlike_messages(mine: tuple[str, ...], recorded: tuple[str, ...]) -> str:
    if len(mine) != len(recorded):
        return f"the number of messages ({len(mine)}, recorded {len(recorded)})"
    pairs = enumerate(zip(mine, recorded, strict=True), 1)
    numbers = [str(n) for n, (one, other) in pairs if one != other]
    return f"message {', '.join(numbers)} of {len(mine)}"


def _number(*parts: str) -> int:
    """A fingerprint of 64 bits, which takes less memory than its text."""
    return int(sha("\n".join(parts)), 16)
