"""Numbers about the parties: value, interval, what could not be scored, and where the score is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from evals.evaluator import Failure, Interval, Result, Score
from evals.exporting.visible import public_why, sees_public
from harness.viewer.anchors import score as score_anchor
from harness.viewer.reading import Reading


class Drawing(NamedTuple):
    """A share on the scale from 0 to 1; lengths in hundredths of the scale."""

    dot: float
    low: float | None
    high: float | None

    @property
    def span(self) -> float:
        """Width of the interval; 0 where there is none."""
        return 0 if self.low is None or self.high is None else self.high - self.low


class Measure(NamedTuple):
    """One number about one party."""

    party: str
    figure: str
    """The value: `7 of 10`, `0.25`, `none`, `failed`, `not scored`."""
    about: str
    """Interval, cases and what is unscored, in words."""
    drawing: Drawing | None
    """None where the value is no share or there is none."""
    to: str
    """Anchor of the score; empty where nobody tried."""
    reason: str
    """Empty where it tells something private: the score itself says it then."""


class MeasureRow(NamedTuple):
    """One measure of all parties."""

    name: str
    means: str
    """What it is, in a few words."""
    cells: tuple[Measure, ...]


COLUMNS: Mapping[str, tuple[str, str]] = {
    "in_line": ("votes in line", "formal answers on the side its mandate asks for"),
    "always_accept": ("had it accepted all", "the same for a party that accepts everything"),
    "majority": ("had it followed the majority", "the same for a party that follows the others"),
    "crossed": ("red lines crossed", "let pass, of those that were put to a decision"),
    "crossed_soft": ("red lines crossed on the floor", "endorsed, of those that anybody offered"),
    "gap": ("say-do gap", "between declared stance and vote: 0 none, 1 from one side to the other"),
    "citations": ("citations valid", "exist, are its own, bear on the item and are public"),
    "coverage": ("core positions cited", "at least once"),
    "satisfaction": ("satisfaction", "firmness points attained, of those attainable"),
    "given": ("points given", "firmness points it gave up step by step"),
    "received": ("points received", "firmness points it gained by the steps of others"),
    "failed": ("failed turns", "turns without an answer"),
}
"""Column of the tables -> its name and what it is."""


def consistency(reading: Reading) -> tuple[MeasureRow, ...]:
    """The columns of the consistency table, each over all parties."""
    places = {id(result): number for number, result in enumerate(reading.results)}
    return tuple(
        MeasureRow(
            name,
            means,
            tuple(
                _measure(reading, row.party, getattr(row, column), places)
                for row in reading.tables.consistency
            ),
        )
        for column, (name, means) in COLUMNS.items()
    )


def _measure(
    reading: Reading, party: str, found: Result | None, places: Mapping[int, int]
) -> Measure:
    to = "" if found is None or id(found) not in places else score_anchor(places[id(found)])
    if found is None:
        return Measure(party, "not scored", "", None, "", "")
    said = public_why(found.why) if isinstance(found, Failure) else found.reason
    said = "" if reading.secrets.told_by(said) else said
    if isinstance(found, Failure):
        return Measure(party, "failed", said, None, to, said)
    return Measure(party, figure(found), about(found), drawing(found), to, said)


def figure(score: Score) -> str:
    """The value of a score in a few characters; a missing one is never a number."""
    if score.value is None:
        return "none"
    if score.hits is not None:
        return f"{score.hits} of {score.n}"
    if isinstance(score.value, bool):
        return "yes" if score.value else "no"
    return f"{score.value:.2f}" if isinstance(score.value, float) else str(score.value)


def about(score: Score) -> str:
    """Interval, cases and unscored cases of a score, in words."""
    parts = []
    if score.interval is not None:
        parts.append(between(score.interval))
    if score.hits is None and score.value is not None:
        parts.append(f"n={score.n}")
    if score.unscored:
        parts.append(f"{score.unscored} unscored")
    return ", ".join(parts)


def between(interval: Interval) -> str:
    """An interval in words."""
    return f"{interval.level:.0%} interval {interval.low:.2f} to {interval.high:.2f}"


def drawing(score: Score) -> Drawing | None:
    """A value from 0 to 1 as a drawing; None for counts, points and what has no value."""
    value = score.value
    share = score.hits is not None or isinstance(value, float)
    if value is None or isinstance(value, bool) or not share or not 0 <= value <= 1:
        return None
    held = score.interval
    if held is None:
        return Drawing(round(100 * value, 1), None, None)
    low, high = max(held.low, 0), min(held.high, 1)
    return Drawing(round(100 * value, 1), round(100 * low, 1), round(100 * high, 1))


class JudgedCell(NamedTuple):
    """What a judge's labels come to for one party."""

    party: str
    raw: str
    about: str
    corrected: str
    """Corrected for the judge's errors; `uncalibrated` where nobody measured them."""
    greyed: str
    """Why it should not be relied on; empty if nothing is known against it."""
    drawing: Drawing | None
    to: str


class JudgedRow(NamedTuple):
    """One judged measure of all parties."""

    judge: str
    dimension: str
    metric: str
    cells: tuple[JudgedCell | None, ...]
    """In seat order; None where the judge has none for the party."""
    private: bool = False
    """Whether the judge was shown confidential positions."""


def judged(reading: Reading) -> tuple[JudgedRow, ...]:
    """All that judges say of the parties, by judge, dimension and metric."""
    rows: dict[tuple[str, str, str], dict[str, JudgedCell]] = {}
    hidden: set[tuple[str, str, str]] = set()
    for number, party, score in _judged_scores(reading):
        assert score.judge is not None
        place = (score.judge.judge, score.evaluator, score.metric)
        rows.setdefault(place, {})[party] = _judged_cell(number, party, score)
        if not reading.public and not sees_public(score.judge.rubric):
            hidden.add(place)
    seats = [party.id for party in reading.setting.parties]
    return tuple(
        JudgedRow(*place, tuple(cells.get(seat) for seat in seats), place in hidden)
        for place, cells in rows.items()
    )


def _judged_scores(reading: Reading) -> Iterator[tuple[int, str, Score]]:
    for number, score in enumerate(reading.results):
        kind, _, party = score.subject.partition(":")
        if isinstance(score, Score) and score.judge and kind == "party" and "/" not in party:
            yield number, party, score


def _judged_cell(number: int, party: str, score: Score) -> JudgedCell:
    assert score.judge is not None
    if score.corrected is None:
        corrected = "not corrected" if score.judge.calibrated else "uncalibrated"
    elif score.corrected.value is None:
        corrected = f"cannot be corrected: {score.corrected.why}"
    else:
        held = score.corrected.interval
        corrected = f"corrected {score.corrected.value:.2f}"
        corrected += f", {between(held)}" if held else ""
    return JudgedCell(
        party, figure(score), about(score), corrected, score.greyed, drawing(score),
        score_anchor(number),
    )  # fmt: skip
