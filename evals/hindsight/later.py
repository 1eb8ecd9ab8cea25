"""What a setting's parties could not know: a list of later events, read when it is needed.

Two files may speak of a setting: `hindsight/ID.yaml`, a list made for this purpose, and
`backtests/ID.yaml`, the record of what became of each issue, of which everything with the horizon
`after` is taken. Both stand under evals, so that no prompt can see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from evals.evaluator import Value
from evals.hindsight.dates import nearest
from harness.errors import UserError

FOLDER = Path(__file__).parent
OUTCOMES = FOLDER.parent / "backtests"

STRETCH = 7
"""So many words in a row shared with the outcome file are a retelling."""


class LaterSource(Value):
    """Where the event can be read up."""

    title: str
    publisher: str
    url: str


class Event(Value):
    """Something that happened later, and the words that give it away."""

    id: str
    what: str
    date: date
    """The first day it was known."""
    feared: bool = False
    """Whether people spoke of it before it happened."""
    phrases: tuple[str, ...] = ()
    """Any of them is a reference."""
    together: tuple[tuple[str, ...], ...] = ()
    """One of each group in one sentence is a reference."""
    source: LaterSource

    def words_in(self, sentence: str) -> str | None:
        """The words of the sentence that refer to the event, if there are any."""
        found = _first(sentence, self.phrases)
        if found is None and self.together:
            groups = [_first(sentence, group) for group in self.together]
            found = _joined(groups) if all(groups) else None
        if found is None or (self.feared and _may_come(sentence, found)):
            return None
        return found


class _File(Value):
    setting: str
    events: tuple[Event, ...]


class _Outcome(Value):
    # Other readers of the file need keys that do not matter here.
    model_config = ConfigDict(frozen=True, extra="ignore")

    issue: str
    horizon: str
    what: str
    source: _Dated


class _Dated(Value):
    model_config = ConfigDict(frozen=True, extra="ignore")

    date: date


class _Outcomes(Value):
    model_config = ConfigDict(frozen=True, extra="ignore")

    outcomes: tuple[_Outcome, ...] = Field(default=())


class Retelling(Value):
    """A later development as the outcome file tells it."""

    issue: str
    what: str
    date: date


def _first(sentence: str, phrases: tuple[str, ...]) -> str | None:
    match = _any_of(phrases).search(sentence) if phrases else None
    return match.group() if match else None


@lru_cache(maxsize=1024)
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the phrases as whole words, whatever the spaces, hyphens and apostrophes."""
    patterns = [r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in phrases]
    known = "|".join(sorted(patterns, key=len, reverse=True))
    loose = known.replace("'", "['\u2019]").replace("\\-", "[-\u2010\u2011]")
    return re.compile(rf"(?<!\w)(?:{loose})(?!\w)", re.IGNORECASE)


def _joined(groups: Iterable[str | None]) -> str:
    return " … ".join(group for group in groups if group)


def _may_come(sentence: str, found: str) -> bool:
    """Whether the sentence speaks of what may come where the last of the words stand."""
    last = found.split(" … ")[-1]
    start = sentence.find(last)
    return nearest(sentence, start, start + len(last)) == "future"


@lru_cache(maxsize=16)
def events(setting: str) -> tuple[Event, ...]:
    """The list for the setting; empty where there is none.

    Raises:
        UserError: the file is not as it should be; the message says where.
    """
    path = FOLDER / f"{setting}.yaml"
    return _read(path, TypeAdapter(_File)).events if path.is_file() else ()


@lru_cache(maxsize=16)
def retellings(setting: str) -> tuple[Retelling, ...]:
    """What the outcome file of the setting says of later developments; empty where there is none.

    Raises:
        UserError: the file is not as it should be; the message says where.
    """
    path = OUTCOMES / f"{setting}.yaml"
    if not path.is_file():
        return ()
    return tuple(
        Retelling(issue=row.issue, what=row.what, date=row.source.date)
        for row in _read(path, TypeAdapter(_Outcomes)).outcomes
        if row.horizon == "after"
    )


def _read(path: Path, shape: TypeAdapter[Any]) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return shape.validate_python(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    except YAMLError as error:
        raise UserError(f"{path}: not YAML: {error}. Mend the file.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {where}: {first['msg']}. Mend the entry.") from error


def stretches(text: str, length: int = STRETCH) -> Iterator[tuple[str, ...]]:
    """All stretches of so many words in a row, in lower case."""
    words = tuple(re.findall(r"\w+", text.casefold()))
    yield from (words[start : start + length] for start in range(len(words) - length + 1))
