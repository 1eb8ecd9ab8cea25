"""What else than the arm differs between two arms: as declared, and as it stands on record.

An arm is compared as it was declared; if the record shows that its debates were held with another
version of the program, another dossier or another answering model than the baseline's, the arm is
not what differs, and no test can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evals.comparison.book import Book, Entry
from harness.experiment.design import Design
from harness.experiment.shapes import Arm

DOSSIER = "another dossier"

MOST = 0.5
"""The share of pairs with a difference nobody declared up to which an arm still has a verdict."""

_AXES = {
    "prompt": ("prompt", "prompts"),
    "model": ("model", "models", "rotate_models"),
    "chair": ("chair",),
    "rules": ("rules",),
    "who words the statements": ("speech",),
    "guard": ("guard",),
    "memory": ("memory",),
    "masking": ("masked",),
    "temperature": ("temperature",),
    "length of replies": ("max_reply",),
    "wording of the dossier": ("wording",),
    "seat order": ("reverse_seats",),
}


class Undeclared(NamedTuple):
    """A difference between an arm's debates and the baseline's that nobody declared."""

    what: str
    share: float
    """Of the pairs of debates, in which it is there."""


def axes(design: Design, arm: Arm) -> tuple[str, ...]:
    """In what an arm was declared to differ from the baseline."""
    base = design.baseline
    return tuple(
        axis
        for axis, fields in _AXES.items()
        if any(getattr(arm, field) != getattr(base, field) for field in fields)
    )


def undeclared(book: Book, arm: str, variation: str | None = None) -> tuple[Undeclared, ...]:
    """In what else the debates of an arm and of the baseline differ, pair by pair."""
    base = {_spot(each): each for each in book.held(book.baseline, variation)}
    pairs = [(base[_spot(e)], e) for e in book.held(arm, variation) if _spot(e) in base]
    found: dict[str, int] = {}
    declared = {DOSSIER} if _other_dossier(book, arm) else set()
    for one, other in pairs:
        for what in set(_differences(one, other)) - declared:
            found[what] = found.get(what, 0) + 1
    return tuple(Undeclared(what, count / len(pairs)) for what, count in sorted(found.items()))


def confounded(book: Book, arm: str, variation: str | None = None) -> str:
    """What stands against ascribing a difference to the arm; empty where nothing does."""
    return "; ".join(
        f"{each.what} in {each.share:.0%} of the pairs"
        for each in undeclared(book, arm, variation)
        if each.share > MOST
    )


def _other_dossier(book: Book, arm: str) -> bool:
    held = {each.id: each.wording for each in (*book.design.arms, *book.design.yardsticks)}
    return held[arm] != held[book.baseline]


def _spot(entry: Entry) -> tuple[str, int]:
    return entry.debate.scenario, entry.debate.seed


def _differences(one: Entry, other: Entry) -> Iterator[str]:
    ours, theirs = one.facts, other.facts
    for name in ours.versions.keys() & theirs.versions.keys():
        if ours.versions[name] != theirs.versions[name]:
            yield f"another version of {name} ({ours.versions[name]} and {theirs.versions[name]})"
    if ours.setting != theirs.setting:
        yield DOSSIER
    for party in ours.models.keys() & theirs.models.keys():
        models = ours.models[party], theirs.models[party]
        if ours.seats[party] == theirs.seats[party] and all(models) and models[0] != models[1]:
            yield f"another model answered ({', '.join(models[0])} and {', '.join(models[1])})"
