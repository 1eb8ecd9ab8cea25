"""What was declared when, what was changed since, and whether debates had been held by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evals.comparison.shapes import Declared
from harness.experiment.design import declared_arms
from harness.experiment.folder import Declaration
from harness.experiment.shapes import Experiment

_NAMES = {
    "question": "the question",
    "setting": "the setting",
    "settings": "the settings",
    "agenda": "the agenda",
    "parties": "the parties",
    "items": "the items",
    "unit": "what a scenario is",
    "seeds": "seeds a scenario",
    "common": "what all arms have",
    "baseline": "the baseline",
    "treat": "who is treated",
    "rotate_seats": "whether seats rotate",
    "beside": "the yardsticks",
    "primary": "the primary metric",
    "judges": "the judges",
    "rubrics": "the rubrics",
    "alpha": "alpha",
}


def declared(declarations: Sequence[Declaration]) -> tuple[Declared, ...]:
    """Every declaration, oldest first, with what it changed."""
    before: Sequence[Declaration | None] = [None, *declarations]
    return tuple(
        Declared(
            sha=each.sha,
            at=each.at,
            finished=each.finished,
            changes=changes(last.experiment, each.experiment) if last is not None else (),
        )
        for last, each in zip(before, declarations, strict=False)
    )


def stands(declarations: Sequence[Declaration], experiment: Experiment) -> bool:
    """Whether the last declaration is of this experiment.

    Both are compared as this program reads them: a fingerprint on file may be another version's.
    """
    return bool(declarations) and declarations[-1].experiment.sha == experiment.sha


def standing(declarations: Sequence[Declaration], experiment: Experiment) -> str:
    """In a sentence: whether what is read was declared before the first debate was finished."""
    if not declarations:
        return "Never declared: the folder has no declared.jsonl, so nothing says what came first."
    late = [each for each in declarations[1:] if each.finished]
    first = declarations[0]
    words = (
        f"Declared on {first.at[:16].replace('T', ' ')} UTC, before the first debate was finished"
        if not first.finished
        else f"Declared on {first.at[:16].replace('T', ' ')} UTC, when {first.finished} debates "
        "had been finished already"
    )
    if late:
        words += f"; changed since after {late[-1].finished} debates"
    elif len(declarations) > 1:
        words += ", and changed before it"
    if not stands(declarations, experiment):
        words += "; the file read now says something else, which was never declared"
    return words + "."


def changes(before: Experiment, after: Experiment) -> tuple[str, ...]:
    """What a declaration changed, in words; empty where nothing that is compared changed."""
    return tuple(_changes(before, after))


def _changes(before: Experiment, after: Experiment) -> Iterator[str]:
    old, new = _flat(before), _flat(after)
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield f"{name} was taken out"
        elif name not in old:
            yield f"{name} was added" + ("" if _long(new[name]) else f": {_words(new[name])}")
        elif old[name] != new[name]:
            yield from _differs(name, old[name], new[name])


def _differs(name: str, old: object, new: object) -> Iterator[str]:
    """What changed; of a group of keys, key by key."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield f"{name}: {_words(old)} before, {_words(new)} now"
        return
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield f"{name}, {key}: {_words(old.get(key))} before, {_words(new.get(key))} now"


def _flat(experiment: Experiment) -> dict[str, object]:
    """The declaration by what its parts are called; what budgets and prices say is left out."""
    data = experiment.model_dump(mode="json")
    flat: dict[str, object] = {words: _stated(data[name]) for name, words in _NAMES.items()}
    for arm in declared_arms(experiment):
        flat[f"the arm {arm.id}"] = arm.model_dump(mode="json", exclude_unset=True, exclude={"id"})
    for each in experiment.variations:
        own = each.model_dump(mode="json", exclude_unset=True, exclude={"id", "what"})
        flat[f"the variation {each.id}"] = own
    for metric in experiment.secondary:
        name = f"the secondary metric {metric.metric} of {metric.of}"
        flat[name] = metric.better or "neither way is better"
    return flat


def _stated(value: object) -> object:
    """A group of keys without those that say nothing."""
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if each not in (None, [], {}, "")}
    return value


def _long(value: object) -> bool:
    return isinstance(value, dict)


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items()) or "nothing"
    return "nothing" if value is None else str(value)
