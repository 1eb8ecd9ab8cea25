"""Where the marks of a drawing stand: numbers to places, in units of the drawing.

It knows no colours and no markup, which are the template's, and computes no statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from evals.comparison.inference import Effect

WIDTH = 360.0
"""Of a figure: about a telephone's width in points, so that its text can be read there."""
NAMES = 148.0
"""Where the names of the scenarios end and the plot begins."""
NOTES = 300.0
"""Where a plot ends that has notes to its right."""
EDGE = 346.0
"""Where a plot ends that has none."""
TOP = 6.0
ROW = 22.0
AXIS = 20.0
"""Height of the axis under a plot."""
DOT = 4.0
"""Radius of a dot."""
LETTERS = 21
"""Letters of a name that fit before the plot."""

FOREST_WIDTH = 176.0
FOREST_HEIGHT = 30.0
FOREST_MARGIN = 14.0
FARTHEST = 2.0
"""How many times as far as the values and the smallest difference of interest an interval is drawn:
one over two scenarios can be thirty times as wide, and nothing else could then be told apart."""

TICKS = 5
"""How many an axis has at most; their numbers stand beside each other."""
LEAST = 1e-9
"""What is smaller is rounding."""
BEYOND = 0.04
"""Share of an axis that is left free at both ends."""


class Tick(NamedTuple):
    """A mark of an axis."""

    x: float
    said: str


class Scale(NamedTuple):
    """From values to places."""

    low: float
    high: float
    step: float
    """Between two ticks."""
    left: float
    right: float

    def x(self, value: float) -> float:
        """Where a value stands."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.left + share * (self.right - self.left), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The marks of its axis, from left to right, on round numbers."""
        places = max(0, -floor(log10(self.step) + 1e-9))
        values = (round(k * self.step, 12) for k in _multiples(self.low, self.high, self.step))
        return tuple(Tick(self.x(value), minus(f"{value:.{places}f}")) for value in values)


class Bar(NamedTuple):
    """A mean and its interval."""

    x: float
    low: float | None = None
    high: float | None = None
    cut_low: bool = False
    """Whether the interval goes on beyond the drawing."""
    cut_high: bool = False


class Dot(NamedTuple):
    """One value that can be opened."""

    x: float
    y: float
    href: str
    said: str


class Track(NamedTuple):
    """One scenario's line in a figure."""

    name: str
    y: float
    dots: tuple[Dot, ...]
    mean: float | None = None
    """Where the mean of the dots stands, if it is drawn."""
    note: str = ""
    """To the right of the plot, in a word or two."""

    @property
    def short(self) -> str:
        """The name as far as there is room; the middle is what can be guessed."""
        if len(self.name) <= LETTERS:
            return self.name
        half = (LETTERS - 1) // 2
        return f"{self.name[:half]}\N{HORIZONTAL ELLIPSIS}{self.name[-half:]}"


class Point(NamedTuple):
    """A value of a scenario before it has a place."""

    value: float
    href: str
    said: str


def minus(text: str) -> str:
    """A number as it is printed, with a minus as wide as a plus; no sign before a zero."""
    if text.lstrip("+-").strip("0.") == "":
        return text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")


def scale(values: Iterable[float], left: float, right: float) -> Scale:
    """An axis that holds the values, with a little room beyond.

    Args:
        values: What it has to hold; where they are all alike, or there are none, it reaches a tenth
            to both sides.
        left: Where it begins.
        right: Where it ends.
    """
    held = [*values] or [0.0]
    low, high = min(held), max(held)
    alike = high - low < LEAST * max(1.0, abs(high))
    room = 0.1 * (abs(high) if abs(high) > LEAST else 1.0) if alike else BEYOND * (high - low)
    low, high = low - room, high + room
    fits = (step for step in _steps(high - low) if len(_multiples(low, high, step)) <= TICKS)
    return Scale(low, high, next(fits), left, right)


def _steps(length: float) -> Iterator[float]:
    """Round steps, the smallest first, up to one that is longer than the length."""
    power = floor(log10(length)) - 1
    for exponent in range(power, power + 4):
        for factor in (1, 2, 5):
            yield factor * 10.0**exponent


def _multiples(low: float, high: float, step: float) -> range:
    """Which multiples of a step lie between."""
    return range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)


def difference_scale(
    effects: Sequence[Effect],
    smallest: Sequence[float | None],
    dots: Sequence[float],
    left: float,
    right: float,
) -> Scale:
    """The axis that differences share; it holds 0, every value, and what would matter.

    Args:
        effects: The differences; what of their intervals goes too far is cut off.
        smallest: The smallest differences of interest, where some were declared.
        dots: Further values.
        left: Where it begins.
        right: Where it ends.
    """
    known = [*dots, *(effect.value for effect in effects if effect.value is not None)]
    matters = [end for size in smallest if size is not None for end in (-size, size)]
    reach = FARTHEST * max(map(abs, (*known, *matters)), default=0.0)
    ends = [
        max(-reach, min(reach, end))
        for effect in effects
        for end in (effect.low, effect.high)
        if end is not None
    ]
    return scale((0.0, *known, *matters, *ends), left, right)


def bar(effect: Effect, on: Scale) -> Bar | None:
    """A difference with its interval on an axis; None where there is no value."""
    if effect.value is None:
        return None
    if effect.low is None or effect.high is None:
        return Bar(on.x(effect.value))
    return Bar(
        on.x(effect.value),
        on.x(max(on.low, effect.low)),
        on.x(min(on.high, effect.high)),
        cut_low=effect.low < on.low,
        cut_high=effect.high > on.high,
    )


def band(smallest: float | None, on: Scale) -> tuple[float, float] | None:
    """From where to where a difference is smaller than what matters."""
    return None if smallest is None else (on.x(-smallest), on.x(smallest))


def height(tracks: int) -> float:
    """Of a figure with so many scenarios, its axis included."""
    return TOP + tracks * ROW + AXIS


def row(index: int) -> float:
    """Where the middle of a scenario's line stands."""
    return TOP + (index + 0.5) * ROW


def track(
    name: str, index: int, points: Sequence[Point], on: Scale, *, mean: float | None, note: str = ""
) -> Track:
    """A scenario's line. Dots that would hide each other stand above each other.

    Args:
        name: The scenario.
        index: Which line it is, from 0.
        points: Its values.
        on: The axis.
        mean: What is drawn as their mean, if anything.
        note: To the right of the plot.
    """
    places = _apart([on.x(point.value) for point in points])
    return Track(
        name=name,
        y=row(index),
        dots=tuple(
            Dot(on.x(point.value), round(row(index) + offset, 2), point.href, point.said)
            for point, offset in zip(points, places, strict=True)
        ),
        mean=None if mean is None else on.x(mean),
        note=note,
    )


def _apart(xs: Sequence[float]) -> list[float]:
    """How far from its line each dot stands; those at one place share the line's height."""
    offsets = [0.0] * len(xs)
    for group in _touching(xs):
        step = min(DOT, (ROW - 2 * DOT) / max(1, len(group) - 1))
        for rank, index in enumerate(group):
            offsets[index] = (rank - (len(group) - 1) / 2) * step
    return offsets


def _touching(xs: Sequence[float]) -> list[list[int]]:
    """The dots in groups of which each hides part of the one before."""
    groups: list[list[int]] = []
    for index in sorted(range(len(xs)), key=xs.__getitem__):
        if groups and xs[index] - xs[groups[-1][-1]] < DOT:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


class Part(NamedTuple):
    """A part of a bar of shares, from 0 to 100."""

    x: float
    width: float
    kind: str


def parts(shares: Sequence[tuple[str, float]]) -> tuple[Part, ...]:
    """A bar of 100 units from shares in [0, 1], each with its kind, in the order given."""
    found, x = [], 0.0
    for kind, share in shares:
        found.append(Part(round(x, 2), round(100 * share, 2), kind))
        x += 100 * share
    return tuple(found)
