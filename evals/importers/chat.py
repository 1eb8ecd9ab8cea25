"""Chat logs of other programs: who said what, and what in the log is nobody's word at the table.

Reads AutoGen (0.2's `chat_history` and `groupchat.messages`; 0.4's typed messages, task results and
saved teams), messages as OpenAI's API has them, and plain lists of speaker and text, as one JSON
value or as JSON lines. Every message is either said by somebody or left out with a reason;
imported.py makes a transcript of what was said.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from harness.errors import UserError

Format = Literal["autogen", "openai", "plain"]
"""Whose notation a log is in."""

FORMATS: tuple[Format, ...] = get_args(Format)

Raw: TypeAlias = Mapping[str, Any]
"""A message as it stands in the log: another program's JSON, of which nothing is known yet."""

SPOKEN = frozenset(("TextMessage", "MultiModalMessage"))
"""AutoGen's types of messages that one agent says to the others."""

UNHEARD: Mapping[str, str] = {
    "ThoughtEvent": "a thought that nobody else heard",
    "StopMessage": "a signal to stop",
    "HandoffMessage": "a hand-over between agents",
    "ToolCallRequestEvent": "a call of a tool",
    "ToolCallExecutionEvent": "the reply of a tool",
    "ToolCallSummaryMessage": "the reply of a tool",
    "ModelClientStreamingChunkEvent": "a piece of a message that follows whole",
}
"""AutoGen's other types, in words; one that is not named here is left out by its own name."""

PROMPTS = frozenset(("system", "developer"))
TOOLS = frozenset(("tool", "function"))
WHO = ("speaker", "name", "source")
WORDS = ("text", "content", "message")
PLACES = (
    ("messages",), ("chat_history",), ("groupchat", "messages"), ("task_result", "messages"),
)  # fmt: skip
"""Where an object keeps its list of messages."""


class Said(NamedTuple):
    """A message somebody said."""

    place: str
    """Where it stands: `messages[3]`, or `line 4` of JSON lines."""
    speaker: str
    text: str
    refused: bool = False
    """Whether the text is a model's refusal in place of an answer."""


class LeftOut(NamedTuple):
    """Something in the log that is not taken over."""

    place: str
    why: str
    """What it is, in words: `a system prompt`."""


class Chat(NamedTuple):
    """A chat log as read."""

    path: Path
    sha: str
    """SHA-256 of the file."""
    format: Format
    said: tuple[Said, ...]
    """In order."""
    left_out: tuple[LeftOut, ...]
    unused: Mapping[str, int]
    """Further fields of the messages, such as token counts, and how many messages have them."""

    @property
    def speakers(self) -> Mapping[str, int]:
        """Everybody who said something, in the order they first spoke, and how often."""
        return Counter(said.speaker for said in self.said)


def read_chat(path: Path, format: Format | None = None) -> Chat:
    """Read a chat log.

    Args:
        path: The file, as JSON or JSON lines.
        format: Whose notation it is in; told from the messages where None.

    Raises:
        UserError: the file cannot be read, is no log of the format, or nobody says anything in it;
            the message names the file and the line or message.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8.") from error
    messages, known = _messages(path, text)
    chosen = format or known or _recognised([raw for _, raw in messages])
    read = [tuple(_read(path, place, raw, chosen)) for place, raw in messages]
    said = tuple(each for some in read for each in some if isinstance(each, Said))
    left_out = tuple(each for some in read for each in some if isinstance(each, LeftOut))
    if not said:
        why = ", ".join(
            f"{count} x {why}" for why, count in Counter(x.why for x in left_out).items()
        )
        raise UserError(f"{path}: nobody says anything in it; left out: {why}.")
    sha = hashlib.sha256(data).hexdigest()
    return Chat(path, sha, chosen, said, left_out, _unused([raw for _, raw in messages]))


def _messages(path: Path, text: str) -> tuple[list[tuple[str, Raw]], Format | None]:
    """Every message with its place, and the format where the file around them tells it."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return _lines(path, text, error), None
    except RecursionError:
        raise UserError(f"{path}: nested too deeply to be a chat log.") from None
    if isinstance(value, dict) and _is_message(value):
        return [("line 1", value)], None
    where, found, known = _listed(path, value)
    messages: list[tuple[str, Raw]] = []
    for index, raw in enumerate(found):
        place = f"{where}[{index}]"
        if not isinstance(raw, dict):
            raise UserError(
                f"{path}: {place}: {_short(raw)} is no message; it has to be an object."
            )
        messages.append((place, raw))
    if not messages:
        raise UserError(f"{path}: {where} is empty; there is no message in it.")
    return messages, known


def _lines(path: Path, text: str, error: json.JSONDecodeError) -> list[tuple[str, Raw]]:
    """JSON lines; what is no JSON at all is reported where it stops being JSON."""
    found: list[tuple[str, Raw]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
        except ValueError as wrong:
            if found:
                raise UserError(
                    f"{path}:{number}: not JSON: {wrong}; every line has to be one message."
                ) from wrong
            raise UserError(
                f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}; a chat log is a JSON "
                "list of messages, or one message a line."
            ) from error
        if not isinstance(raw, dict):
            raise UserError(
                f"{path}:{number}: {_short(raw)} is no message; it has to be an object."
            )
        found.append((f"line {number}", raw))
    if not found:
        raise UserError(f"{path}: it is empty; a chat log is a JSON list of messages.")
    return found


def _listed(path: Path, value: object) -> tuple[str, Sequence[object], Format | None]:
    """The list of messages in a JSON value, and what it is called there."""
    if isinstance(value, list):
        return "messages", value, None
    if isinstance(value, dict):
        for keys in PLACES:
            found: object = value
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, list):
                return ".".join(keys), found, None if keys == ("messages",) else "autogen"
        threads = _threads(value)
        if len(threads) == 1:
            return "message_thread", threads[0], "autogen"
    raise UserError(
        f"{path}: there is no list of messages in it; it has to be a list, or an object with "
        f"{', '.join('.'.join(keys) for keys in PLACES)}."
    )


def _threads(value: Raw) -> list[Sequence[object]]:
    """The conversations in a saved AutoGen team: its manager keeps the thread."""
    states = value.get("agent_states")
    if not isinstance(states, dict):
        return []
    threads = (each.get("message_thread") for each in states.values() if isinstance(each, dict))
    return [thread for thread in threads if isinstance(thread, list) and thread]


def _is_message(raw: Raw) -> bool:
    return any(isinstance(raw.get(key), str) for key in WORDS) and any(
        isinstance(raw.get(key), str) for key in (*WHO, "role")
    )


def _recognised(messages: Sequence[Raw]) -> Format:
    if any("source" in raw and isinstance(raw.get("type"), str) for raw in messages):
        return "autogen"
    return "openai" if any("role" in raw for raw in messages) else "plain"


def _read(path: Path, place: str, raw: Raw, format: Format) -> Iterator[Said | LeftOut]:
    """What one message comes to: something said, something left out, or both."""
    kind, role = raw.get("type"), raw.get("role")
    if format == "autogen" and "source" in raw and isinstance(kind, str) and kind not in SPOKEN:
        yield LeftOut(place, UNHEARD.get(kind, f"a {kind}, which is nothing said"))
        return
    if format != "plain" and role in PROMPTS | TOOLS:
        yield LeftOut(place, "a system prompt" if role in PROMPTS else "the reply of a tool")
        return
    if raw.get("tool_calls") or raw.get("function_call"):
        yield LeftOut(place, "a call of a tool")
    words, others = _words(path, place, raw, format)
    if others:
        yield LeftOut(place, "a part that is no text, such as a picture")
    refusal = raw.get("refusal")
    if not words.strip() and isinstance(refusal, str) and refusal.strip():
        yield Said(place, _speaker(path, place, raw, format), sound(refusal), refused=True)
    elif words.strip():
        yield Said(place, _speaker(path, place, raw, format), sound(words))
    elif not others and not (raw.get("tool_calls") or raw.get("function_call")):
        yield LeftOut(place, "a message without words")


def _words(path: Path, place: str, raw: Raw, format: Format) -> tuple[str, int]:
    """The words of a message, and how many parts of it are none."""
    keys = WORDS if format == "plain" else ("content",)
    key = next((key for key in keys if key in raw), None)
    if key is None:
        if any(raw.get(name) for name in ("tool_calls", "function_call", "refusal")):
            return "", 0
        raise UserError(
            f"{path}: {place}: no {' or '.join(keys)} in it; it has {_keys(raw)}. "
            "--format says whose notation a log is in."
        )
    return _text(path, place, key, raw[key])


def _text(path: Path, place: str, key: str, value: object) -> tuple[str, int]:
    match value:
        case None:
            return "", 0
        case str():
            return value, 0
        case list():
            parts = [_part(part) for part in value]
            return "\n".join(part for part in parts if part is not None), parts.count(None)
        case dict():
            return "", 1
        case _:
            raise UserError(f"{path}: {place}: {key} is {_short(value)}; it has to be text.")


def _part(part: object) -> str | None:
    if isinstance(part, dict):
        part = part.get("text")
    return part if isinstance(part, str) else None


def _speaker(path: Path, place: str, raw: Raw, format: Format) -> str:
    """Who says it; where a message in chat notation has no name, its role."""
    keys = WHO if format == "plain" else ("source", "name", "role")
    found = next((raw[key] for key in keys if raw.get(key) not in (None, "")), None)
    if not isinstance(found, str) or not found.strip():
        raise UserError(
            f"{path}: {place}: nobody is named who says it; it needs {' or '.join(keys)} as text, "
            f"and has {_keys(raw)}."
        )
    return " ".join(sound(found).split())


def _unused(messages: Sequence[Raw]) -> Mapping[str, int]:
    read = {*WHO, *WORDS, "role", "type", "tool_calls", "function_call", "refusal"}
    return Counter(key for raw in messages for key, value in raw.items()
                   if key not in read and value not in (None, {}, []))  # fmt: skip


def sound(text: str) -> str:
    """Text that can be written as UTF-8: halves of a surrogate pair become U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _keys(raw: Raw) -> str:
    return ", ".join(sorted(map(str, raw))) or "nothing"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
