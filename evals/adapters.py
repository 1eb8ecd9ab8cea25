"""Evaluators of other shapes become ours, and evaluators are found by file or module and name.

A callable as openevals and LangSmith take it is asked `f(inputs=..., outputs=...,
reference_outputs=...)`, with those of the three that it takes (`Inputs`, `Outputs`, `Reference`:
dicts and lists that json can write). It returns a bool, a number, a word, or a dict

    {"key": str, "score": bool | float | None, "comment": str, "metadata": {"messages": [id, ...]}}

or a list of such dicts. `key` is the metric, the evaluator's name where left out; a `score` of None
says that it could not be scored, and `comment` why; `value` instead of `score` is a category in a
word; the ids of messages become the evidence, and nothing else in `metadata` is kept. Sources:
https://docs.langchain.com/langsmith/code-evaluator and https://github.com/langchain-ai/openevals.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import reprlib
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from difflib import get_close_matches
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from math import isfinite
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeAlias, TypedDict

from pydantic import BaseModel

from evals import subject
from evals.evaluator import Built, Evaluator, Evidence, Marker, Number, Result, evidence
from evals.record import debated, decisions
from harness import events as e
from harness.errors import UserError
from harness.setting import Item, Setting
from harness.transcript import Transcript

Dumped: TypeAlias = dict[str, object]
"""A value of ours as json writes it; its fields are those of its class."""


class HeldMandate(TypedDict):
    """What a party's positions come to, on the options of the items asked about."""

    points: dict[str, int]
    """`issue/option` -> firmness points; 0 where the record is silent."""
    red_lines: dict[str, str]
    """`issue/option` -> id of the position it crosses."""


class Inputs(TypedDict):
    """`inputs`: what was debated, and with what mandates."""

    setting: Dumped
    """Its `id`, `title`, `as_of` and `summary`; no position postdates `as_of`."""
    item: Dumped | None
    """The item asked about, a `harness.setting.Item`; None if it is the whole debate."""
    items: list[Dumped]
    """That item, or all that were opened."""
    mandates: dict[str, HeldMandate]
    """By party id."""


class Message(TypedDict):
    """Something said in public."""

    role: Literal["assistant", "user"]
    """`assistant` for a delegation; `user` for the chair, who calls on them."""
    name: str
    """Party id, or `chair`."""
    content: str
    id: str
    """`T12`, the turn of a delegation; `#57`, the number of an event of the chair's."""


class Outcome(TypedDict):
    """What came of it, as the mechanism decided."""

    issues: dict[str, Dumped | None]
    """Issue id -> its decision, a `harness.events.Decided`; None where the record ends first."""
    lapsed: list[str]
    """Issues whose adopted text lapsed with the package it belonged to."""
    finished: bool
    """Whether the chair closed the debate."""


class Outputs(TypedDict):
    """`outputs`: what was said in public, and what came of it."""

    messages: list[Message]
    outcome: Outcome


Reference: TypeAlias = dict[str, list[Dumped]]
"""`reference_outputs`: party id -> its documented positions on those items, each a
`harness.setting.Position`. Confidential ones are among them, marked by `visibility`."""


class Question(TypedDict):
    """The three arguments."""

    inputs: Inputs
    outputs: Outputs
    reference_outputs: Reference


Each: TypeAlias = Literal["debate", "item"]
_Ask: TypeAlias = Callable[[Question], object]


def from_callable(
    f: Callable[..., object], *, name: str, version: int = 1, each: Each = "debate"
) -> Built:
    """An evaluator made from a callable in the shape of openevals and LangSmith.

    A coroutine function is run to its end. What the callable raises, and what it returns in no
    shape that can be read, becomes a failure with its reason and costs no other item's result.

    Args:
        f: Takes any of `inputs`, `outputs` and `reference_outputs` by name.
        name: The evaluator's name in files of scores; none that comes with the program.
        version: To be raised whenever the same transcript would get another value.
        each: Whether it is asked once about the debate, or once about each item.

    Raises:
        UserError: it takes none of the three or demands something else, or the name cannot be had.
    """
    _check_name(name)
    ask = _asking(f, name)

    def scoring(transcript: Transcript, mark: Marker) -> Iterator[Result]:
        if each == "debate":
            yield from _answers(ask, transcript, mark, None)
            return
        opened = debated(transcript)
        for item in transcript.setting.items:
            if item in opened:
                yield from _answers(ask, transcript, mark, item)
            else:
                why = "the record ends before this item was opened"
                yield mark.score(subject.item(item.id), name, None, why, n=0, unscored=1)

    return Built(name, version, scoring)


def load(spec: str) -> Evaluator:
    """The evaluator that `FILE.py:NAME` or `PACKAGE.MODULE:NAME` names.

    It may be an evaluator of ours or a plain callable (see `from_callable`), which is then called
    NAME and asked once about the debate. The file's folder, or the current one for a module, can be
    imported from while it loads.

    Raises:
        UserError: there is no such file, module or name, it breaks while it loads, or what it names
            is no evaluator or has the name of one that comes with the program.
    """
    where, colon, name = spec.rpartition(":")
    if not colon or not where or not name.isidentifier():
        raise UserError(f"{spec!r} names no evaluator: write FILE.py:NAME or PACKAGE.MODULE:NAME.")
    if where.endswith(".py"):
        module = _of_file(Path(where))
    else:
        with _loading(where, Path()):
            module = importlib.import_module(where)
    if not hasattr(module, name):
        near = get_close_matches(name, [n for n in vars(module) if not n.startswith("_")], 1)
        raise UserError(f"{where} has no {name!r}.{f' Did you mean {near[0]}?' if near else ''}")
    return _adapted(getattr(module, name), name, where)


def _adapted(found: object, name: str, where: str) -> Evaluator:
    if isinstance(found, type) or not callable(found):
        raise UserError(
            f"{name} in {where} is {reprlib.repr(found)}, not an evaluator: name something that "
            "can be called with a transcript, or with outputs."
        )
    own, version = getattr(found, "name", None), getattr(found, "version", None)
    if isinstance(own, str) and isinstance(version, int):
        _check_name(own)
        return found  # type: ignore[return-value]
    return from_callable(found, name=name)


def _check_name(name: str) -> None:
    from evals.dimensions.registry import DIMENSIONS
    from evals.registry import BUILT_IN

    if name in {each.name for each in BUILT_IN} | {each.name for each in DIMENSIONS}:
        raise UserError(
            f"An evaluator named {name!r} comes with the program; give yours another name."
        )


def _of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    # By its place, so that two files of one name are two modules.
    name = f"{path.stem}_{sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    with _loading(f"The file {path}", path.parent):
        SourceFileLoader(name, str(path)).exec_module(module)
    return module


@contextmanager
def _loading(what: str, folder: Path) -> Iterator[None]:
    """The folder can be imported from; what breaks is said with its file and line."""
    sys.path.insert(0, entry := str(folder.resolve()))
    try:
        yield
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{what}.".startswith(f"{error.name}."):
            why = f"There is no module {what}; for a file write its path, ending in .py."
            raise UserError(why) from error
        frame = traceback.extract_tb(error.__traceback__)[-1]
        # A SyntaxError names file and line itself.
        place = "" if isinstance(error, SyntaxError) else f" ({frame.filename}:{frame.lineno})"
        name = type(error).__name__
        raise UserError(f"{what} breaks while it loads: {name}: {error}{place}.") from error
    finally:
        sys.path.remove(entry)


def _asking(f: Callable[..., object], name: str) -> _Ask:
    """The callable as a function of the whole question, of which it is given what it takes."""
    try:
        signature = inspect.signature(f)
        takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        taken = [a for a in Question.__annotations__ if takes_all or a in signature.parameters]
        signature.bind(**dict.fromkeys(taken))
        wrong = "" if taken else "takes none of them"
    except (TypeError, ValueError) as error:
        wrong = f"cannot be asked ({error})"
    if wrong:
        raise UserError(
            f"Evaluator {name!r} {wrong}: a plain function takes inputs, outputs or "
            "reference_outputs by name, and a function of a transcript and a marker needs "
            f'@evaluator("{name}", version=1) above it.'
        )
    return lambda asked: f(**{name: part for name, part in asked.items() if name in taken})


def _answers(
    ask: _Ask, transcript: Transcript, mark: Marker, item: Item | None
) -> Iterator[Result]:
    """What the callable says of the debate or the item."""
    about = subject.DEBATE if item is None else subject.item(item.id)
    try:
        answer = _awaited(ask(question(transcript, item)))
    except Exception as error:  # it must cost neither the other items' results nor the command
        yield mark.failure(about, "*", f"the evaluator broke: {type(error).__name__}: {error}")
        return
    if isinstance(answer, Mapping) and isinstance(answer.get("results"), list):
        answer = answer["results"]  # several, as LangSmith wraps them
    several = answer if isinstance(answer, list | tuple) and answer else [answer]
    results = [_result(one, transcript, mark, about) for one in several]
    for place, result in enumerate(results):
        again = result.metric in {other.metric for other in results[:place]} - {"*"}
        why = f"the evaluator returned more than one {result.metric!r}; the first counts"
        yield mark.failure(about, result.metric, why) if again else result


def _awaited(answer: object) -> object:
    """The answer; an awaitable one is awaited on a loop of its own, as one may be running."""
    if not inspect.isawaitable(answer):
        return answer

    async def wait(awaitable: Awaitable[object]) -> object:
        return await awaitable

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait(answer)).result()


def _result(one: object, transcript: Transcript, mark: Marker, about: str) -> Result:
    """One result as ours; a failure that says what was returned where it cannot be read."""
    given = _as_mapping(one)
    if given is None or not {"score", "value"} & given.keys():
        return mark.failure(about, "*", f"{reprlib.repr(one)} was returned, which has no score")
    metric = str(given.get("key") or mark.name)
    score, label, comment = given.get("score"), given.get("value"), given.get("comment")
    value = _number(score)
    if score is not None and value is None:
        why = f"the score {reprlib.repr(score)} is neither a finite number nor true, false or none"
        return mark.failure(about, metric, why)
    try:
        notes = _evidence(given.get("metadata"), transcript)
    except KeyError as error:
        return mark.failure(about, metric, f"its metadata names a message {error}; there is none")
    scored = score is not None or label is not None
    reason = str(comment or ("returned without a comment" if scored else "no score, no comment"))
    return mark.score(
        about, metric, value, reason, n=int(scored), unscored=int(not scored),
        label=None if label is None else str(label), evidence=notes,
    )  # fmt: skip


def _number(score: object) -> Number | None:
    if isinstance(score, bool | int):
        return score
    return float(score) if isinstance(score, Real) and isfinite(score) else None


def _as_mapping(one: object) -> Mapping[str, object] | None:
    if _number(one) is not None:
        return {"score": one}
    if isinstance(one, str):
        return {"value": one}
    if isinstance(one, Mapping):
        return one
    dump = getattr(one, "model_dump", None)  # LangSmith's EvaluationResult
    return dump() if callable(dump) else None


def _evidence(metadata: object, transcript: Transcript) -> tuple[Evidence, ...]:
    """The messages that the metadata names; KeyError for one that does not exist."""
    ids = metadata.get("messages") if isinstance(metadata, Mapping) else None
    if not isinstance(ids, list | tuple):
        return ()
    by_id = {_id(event): event for event in _heard(transcript, None)}
    return tuple(evidence(by_id[str(each)], _words(by_id[str(each)])) for each in ids)


def question(transcript: Transcript, item: Item | None = None) -> Question:
    """What a callable is asked about the debate, or about one item of it.

    Notes, calls and what was said in private meetings are not in it.
    """
    setting = transcript.setting
    items = debated(transcript) if item is None else (item,)
    kept, decided = {each.id for each in items}, decisions(transcript)
    issues = [issue.id for each in items for issue in each.issues]
    return {
        "inputs": {
            "setting": setting.model_dump(mode="json", include={"id", "title", "as_of", "summary"}),
            "item": None if item is None else _dumped(item),
            "items": [_dumped(each) for each in items],
            "mandates": {p.id: _mandate(setting, p.id, items) for p in setting.parties},
        },
        "outputs": {
            "messages": [_message(event) for event in _heard(transcript, item)],
            "outcome": {
                "issues": {i: _dumped(decided[i]) if i in decided else None for i in issues},
                "lapsed": [i for i in issues if transcript.state.issues[i].lapsed],
                "finished": transcript.finished,
            },
        },
        "reference_outputs": {
            party.id: [_dumped(each) for each in party.positions if each.item in kept]
            for party in setting.parties
        },
    }


def _dumped(value: BaseModel) -> Dumped:
    return value.model_dump(mode="json")


def _mandate(setting: Setting, party: str, items: Sequence[Item]) -> HeldMandate:
    held = [setting.mandate(party, item.id) for item in items]
    return {
        "points": {key: points for mandate in held for key, points in mandate.points.items()},
        "red_lines": {key: line.id for mandate in held for key, line in mandate.red_lines.items()},
    }


def _heard(transcript: Transcript, item: Item | None) -> Iterator[e.Event]:
    """Every event in which something was said in public, in the debate or under the item."""
    for event in transcript.events:
        place = event.inject.item if isinstance(event, e.Injected) else getattr(event, "item", "")
        if event.audience is None and _words(event) and (item is None or place == item.id):
            yield event


def _message(event: e.Event) -> Message:
    if isinstance(event, e.Statement):
        return {"role": "assistant", "name": event.party, "content": event.text, "id": _id(event)}
    return {"role": "user", "name": e.CHAIR, "content": _words(event), "id": _id(event)}


def _words(event: e.Event) -> str:
    """What is said in the event, by a delegation or the chair."""
    if isinstance(event, e.Statement):
        return event.text.strip()
    words = event.inject.text if isinstance(event, e.Injected) else getattr(event, "words", "")
    return str(words).strip()


def _id(event: e.Event) -> str:
    return event.turn if isinstance(event, e.Statement) else f"#{event.seq}"
