"""YAML as values that know where they stand.

Reads one document of YAML 1.2: `no` is a word, a date stays as it is written, and nothing is merged
or constructed. Every defect that does not make the rest unreadable is collected. Knows nothing of
settings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from harness.errors import Problem

MAX_DEPTH = 40
"""How deep lists and mappings may stand in each other; a setting needs eight."""

MAX_VALUES = 100_000
"""How many values a file may hold, each alias counted as what it stands for."""

_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_NUMBER = 40

Place = tuple[int, int]
Scalar = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Node:
    """One value of a file and where it stands."""

    path: str
    """How to get there from the top: `positions[2].kind`; empty at the top."""
    line: int
    """1-based."""
    column: int
    """1-based."""
    value: Scalar | list[Node] | dict[str, Node]
    keys: dict[str, Place] = field(default_factory=dict)
    """Where the keys of a mapping stand."""
    size: int = 1
    """How many values it holds, itself included and each alias counted as what it stands for."""

    def get(self, key: str) -> Node | None:
        """What stands under the key; None where this is no mapping or has no such key."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def each(self, key: str) -> list[Node]:
        """The list under the key; empty where there is none."""
        found = self.get(key)
        return found.value if found is not None and isinstance(found.value, list) else []

    def text(self, key: str) -> str | None:
        """The text under the key; None where there is none."""
        found = self.get(key)
        return found.value if found is not None and isinstance(found.value, str) else None

    def plain(self) -> Any:
        """The value without its places, as JSON would hold it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """This value and all it holds, in the order of the file."""
        yield self
        held = self.value.values() if isinstance(self.value, dict) else self.value
        if not isinstance(self.value, dict | list):
            return
        for node in held:  # type: ignore[union-attr]
            yield from node.walk()  # type: ignore[union-attr]


class Document(NamedTuple):
    """A file as it was read."""

    file: str
    """As shown to the user."""
    root: Node | None
    """None where it could not be read."""
    problems: tuple[Problem, ...]

    def problem(self, node: Node, message: str) -> Problem:
        """A problem with a value of this file."""
        path = f"{node.path}: " if node.path else ""
        return Problem(self.file, node.line, node.column, path + message)

    def place(self, node: Node) -> str:
        """Where a value of this file stands, in words."""
        return f"{self.file}:{node.line}:{node.column}"


def shown(value: object, limit: int = 60) -> str:
    """A value as messages quote it: on one line, escaped, not too long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    text = text if len(text) <= limit else text[: limit - 3] + "..."
    return repr(text) if text.isprintable() else ascii(text)


def printable(text: str) -> str:
    """A text on one line, with what could steer a terminal escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def read_document(data: bytes, file: str) -> Document:
    """Read the bytes of one file; what is wrong with them is in the document's problems."""
    reader = _Reader(file)
    try:
        reader.read(_decoded(data, file))
    except _Unreadable as unreadable:
        return Document(file, None, (*reader.problems, unreadable.problem))
    if reader.root is None:
        reader.problems.append(Problem(file, 0, 0, "is empty; it should hold a mapping"))
    return Document(file, reader.root, tuple(reader.problems))


class _Unreadable(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        line, column = _place_at(before.removeprefix("\ufeff"))
        why = f"is not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8"
        raise _Unreadable(Problem(file, line, column, why)) from None


def _place_at(before: str) -> Place:
    """The place right after a text."""
    lines = before.split("\n")
    return len(lines), len(lines[-1]) + 1


@dataclass(slots=True)
class _Frame:
    """A list or mapping that has not ended yet."""

    node: Node
    key: str | None = None
    """The key that waits for its value."""
    key_place: Place = (0, 0)
    awaits_value: bool = False


class _Reader:
    """Builds nodes from the events of the parser, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.frames: list[_Frame] = []
        self.anchors: dict[str, Node] = {}

    def read(self, text: str) -> None:
        """Take in a whole file."""
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self._take(event)
        except ReaderError as error:
            line, column = _place_at(text[: error.position])
            why = f"character {_code(text[error.position])} cannot stand in YAML"
            raise _Unreadable(Problem(self.file, line, column, why)) from None
        except MarkedYAMLError as error:
            raise _Unreadable(_syntax(self.file, error)) from None
        except YAMLError as error:
            raise _Unreadable(Problem(self.file, 0, 0, f"is not YAML: {error}")) from None

    def _take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match type(event).__name__:
            case "DocumentStartEvent" if self.root is not None:
                why = "a second document starts here; one file holds one"
                raise _Unreadable(Problem(self.file, line, column, why))
            case "ScalarEvent":
                self._scalar(event, line, column)
            case "MappingStartEvent":
                self._start(event, Node(self._path(), line, column, {}), "map")
            case "SequenceStartEvent":
                self._start(event, Node(self._path(), line, column, []), "seq")
            case "MappingEndEvent" | "SequenceEndEvent":
                self._attach(self.frames.pop().node)
            case "AliasEvent":
                self._alias(event.anchor, line, column)

    def _scalar(self, event: Any, line: int, column: int) -> None:
        if self._awaits_key():
            self._key(event.value, line, column)
            return
        node = Node(self._path(), line, column, event.value)
        self._check_tag(event, node, "str")
        if event.implicit[0] and event.tag is None:
            node.value = self._resolved(event.value, node)
        if found := _UNWANTED.search(event.value):
            self._say(node, f"holds the character {_code(found.group())}, which text may not")
            node.value = _UNWANTED.sub("", event.value)
        self._remember(event, node)
        self._attach(node)

    def _start(self, event: Any, node: Node, tag: str) -> None:
        if len(self.frames) >= MAX_DEPTH:
            why = f"stands more than {MAX_DEPTH} levels deep"
            raise _Unreadable(Problem(self.file, node.line, node.column, why))
        self._check_tag(event, node, tag)
        self._remember(event, node)
        self.frames.append(_Frame(node))

    def _alias(self, name: str, line: int, column: int) -> None:
        target, here = self.anchors.get(name), Node(self._path(), line, column, None)
        if target is None:
            self._say(here, f"alias *{name}: there is no &{name} above")
        elif any(frame.node is target for frame in self.frames):
            self._say(here, f"alias *{name} stands inside what it names")
        else:
            self._attach(target, (line, column))
            return
        self._attach(here)

    def _remember(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self.anchors[event.anchor] = node

    def _awaits_key(self) -> bool:
        frame = self.frames[-1] if self.frames else None
        return frame is not None and isinstance(frame.node.value, dict) and not frame.awaits_value

    def _key(self, key: str | None, line: int, column: int) -> None:
        """Note the key; None for one whose value is dropped because it has been complained of."""
        frame = self.frames[-1]
        frame.key, frame.key_place, frame.awaits_value = key, (line, column), True
        why = None
        if key is not None and key in frame.node.keys:
            first = "{}:{}".format(*frame.node.keys[key])
            why = f"{shown(key)} stands here a second time, first at {first}; keep one"
        elif key is not None and _UNWANTED.search(key):
            why = f"{shown(key)} is no key: it holds a character that text may not"
        if why is not None:
            path = f"{frame.node.path}: " if frame.node.path else ""
            self.problems.append(Problem(self.file, line, column, path + why))
            frame.key = None

    def _attach(self, node: Node, place: Place | None = None) -> None:
        """Put a finished value where it belongs."""
        line, column = place or (node.line, node.column)
        if not self.frames:
            self.root = node
            return
        if self._awaits_key():
            why = "a key must be text, not " + shown(node.value)
            self.problems.append(Problem(self.file, line, column, why))
            self._key(None, line, column)
            return
        frame = self.frames[-1]
        frame.node.size += node.size
        if frame.node.size > MAX_VALUES:
            why = f"the file stands for more than {MAX_VALUES} values; use fewer aliases"
            raise _Unreadable(Problem(self.file, line, column, why))
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
        elif isinstance(frame.node.value, dict):
            if frame.key is not None:
                frame.node.value[frame.key] = node
                frame.node.keys[frame.key] = frame.key_place
            frame.awaits_value = False

    def _path(self) -> str:
        """The path of the value that comes next."""
        if not self.frames:
            return ""
        frame = self.frames[-1]
        if isinstance(frame.node.value, list):
            return f"{frame.node.path}[{len(frame.node.value)}]"
        key = frame.key if frame.key is not None else "?"
        key = key if key.isprintable() and len(key) <= 60 else shown(key)
        return f"{frame.node.path}.{key}" if frame.node.path else key

    def _check_tag(self, event: Any, node: Node, expected: str) -> None:
        if event.tag not in (None, "!", _TAG + expected):
            tag = str(event.tag).replace(_TAG, "!!")
            self._say(node, f"tag {shown(tag)} is not understood here; leave it out")

    def _resolved(self, text: str, node: Node) -> Scalar:
        """A plain scalar by the core schema of YAML 1.2; numbers must be finite."""
        if _NULL.fullmatch(text):
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _NAN.fullmatch(text):
            self._say(node, f"{shown(text)} is not a finite number")
            return 1
        if not (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
            return text
        number = _number(text)
        if number is None:
            why = "has too many digits" if len(text) > _LONGEST_NUMBER else "is not a finite number"
            self._say(node, f"{shown(text)} {why}")
            return 1
        return number

    def _say(self, node: Node, message: str) -> None:
        self.problems.append(Document(self.file, None, ()).problem(node, message))


def _number(text: str) -> int | float | None:
    """The number; None where it is not finite or has too many digits."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if _INT.fullmatch(text):
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    number = float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf"))
    return number if math.isfinite(number) else None


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


_ADVICE = {
    "character '\\t'": "indent with spaces, never with tabs",
    "expected <block end>": "check the indentation, and that every quote is closed",
    "mapping values are not allowed here": "put text that holds ': ' in quotes",
    "cannot start any token": "put the text in quotes",
    "unknown escape character": "use single quotes where a backslash is meant",
}


def _syntax(file: str, error: MarkedYAMLError) -> Problem:
    """A syntax error in one sentence."""
    what = error.problem or "cannot be read"
    words = f"is not YAML: {printable(what)}"
    start, mark = error.context_mark, error.problem_mark or error.context_mark
    if error.context:
        words += f", {printable(error.context)}"
    if start is not None and start.index != getattr(mark, "index", start.index):
        words += f" that starts at {start.line + 1}:{start.column + 1}"
    advice = next((hint for sign, hint in _ADVICE.items() if sign in what), None)
    words += f"; {advice}" if advice else ""
    return Problem(file, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, words)
