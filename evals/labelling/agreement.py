"""How far people who labelled the same claims agree, as they go.

Agreement between people is the most that can be asked of a judge. It is measured on independent
labels: one that was changed after seeing what others said agrees by arrangement.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

from evals.calibration.alpha import Alpha, alpha, human_kappa
from evals.calibration.measures import Confusion, Estimate, confusion, share
from evals.labelling.book import Row
from evals.labels import LABELS, Label
from harness.errors import UserError

RESAMPLES = 1000
"""For intervals; they are made while somebody waits for the page."""

Labels = Mapping[str, Mapping[str, Label]]
"""Person -> claim -> label."""


class Pair(NamedTuple):
    """Two people, on the claims that both labelled."""

    one: str
    other: str
    kappa: Estimate
    """Cohen's kappa."""
    same: Estimate
    """Share of these claims with one and the same label."""
    table: Confusion
    """Labels of `one` in rows, of `other` in columns."""


class Agreement(NamedTuple):
    """How far people agree."""

    people: tuple[str, ...]
    """Everybody who gave a label."""
    doubly: int
    """Claims with labels of two people or more."""
    alpha: Alpha | None
    """Krippendorff's alpha over everybody; None where `missing` says why."""
    missing: str
    """What to install for alpha; empty where it is there, or where there is nothing to measure."""
    pairs: tuple[Pair, ...]
    """Those who share at least one claim."""


class Disagreement(NamedTuple):
    """A claim with different labels, to talk about."""

    id: str
    rows: Mapping[str, Row]
    """What each person gave."""


def labels_of(books: Mapping[str, Mapping[str, Row]], *, independent: bool = True) -> Labels:
    """Everybody's labels, as first given without knowing others', or as they stand now."""
    found = {
        who: {
            name: label
            for name, row in rows.items()
            if (label := row.independent if independent else row.label) is not None
        }
        for who, rows in books.items()
    }
    return {who: labels for who, labels in found.items() if labels}


def agreement(labels: Labels) -> Agreement:
    """Alpha over everybody, kappa and a table for each pair, with intervals over claims."""
    claims = sorted({name for given in labels.values() for name in given})
    doubly = [name for name in claims if sum(name in given for given in labels.values()) > 1]
    found, missing = _alpha(labels, doubly)
    pairs = [
        _pair(one, other, labels)
        for one, other in combinations(sorted(labels), 2)
        if labels[one].keys() & labels[other].keys()
    ]
    return Agreement(tuple(sorted(labels)), len(doubly), found, missing, tuple(pairs))


def _alpha(labels: Labels, claims: list[str]) -> tuple[Alpha | None, str]:
    if not claims:
        return None, ""
    by_person = {who: [given.get(name) for name in claims] for who, given in labels.items()}
    try:
        return alpha(by_person, resamples=RESAMPLES), ""
    except UserError as error:
        return None, str(error)


def _pair(one: str, other: str, labels: Labels) -> Pair:
    both = sorted(labels[one].keys() & labels[other].keys())
    first, second = [labels[one][c] for c in both], [labels[other][c] for c in both]
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return Pair(
        one=one,
        other=other,
        kappa=human_kappa({one: first, other: second}, resamples=RESAMPLES),
        same=share(same, len(both)),
        table=confusion(first, second, LABELS),
    )


def disagreements(books: Mapping[str, Mapping[str, Row]], who: str) -> tuple[Disagreement, ...]:
    """Claims on which a person and others differ now; only claims this person has labelled."""
    found = []
    for name, own in books.get(who, {}).items():
        rows = {
            person: given[name]
            for person, given in books.items()
            if name in given and given[name].label is not None
        }
        if own.label is not None and len({row.label for row in rows.values()}) > 1:
            found.append(Disagreement(name, rows))
    return tuple(found)
