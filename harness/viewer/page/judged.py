"""Stances as judges read them in the prose, turn by turn.

They are held on an item, from a party's own demand (-1) to the others' (+1), while a declared
stance is held on one text: the two have no common scale and are drawn apart.
"""

from __future__ import annotations

from typing import NamedTuple

from evals.dimensions.stance import Series, series
from evals.evaluator import Result, Score
from harness.setting import Party
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page.lanes import LANE, Axis, level
from harness.viewer.reading import Reading


class Point(NamedTuple):
    """A judge's verdict on one statement."""

    turn: str
    to: str
    x: int
    y: int
    value: float
    words: str


class JudgedLane(NamedTuple):
    """A party as a judge reads it."""

    party: Party
    y: int
    points: tuple[Point, ...]
    unscored: int
    """Statements the judge gave no readable label."""

    @property
    def line(self) -> str:
        """The points as those of an SVG polyline."""
        return " ".join(f"{point.x},{self.y + point.y}" for point in self.points)


class Judged(NamedTuple):
    """All parties on an item as one judge reads them."""

    judge: str
    standing: str
    """What is known against the judge: `uncalibrated`, or a check that it failed; or empty."""
    lanes: tuple[JudgedLane, ...]

    @property
    def height(self) -> int:
        """Of the drawing."""
        return len(self.lanes) * LANE


def judged_stances(reading: Reading, item: str, axis: Axis) -> tuple[Judged, ...]:
    """Every judge that read stances on the item, in the order of the judgements.

    Args:
        reading: The debate.
        item: The item.
        axis: The turns on the board; verdicts on any other are left out.
    """
    judges = dict.fromkeys(verdict.judge for verdict in reading.judgements.of("stance"))
    found = []
    for judge in judges:
        told = series(reading.transcript, reading.judgements, judge)
        own = {each.party: each for each in told if each.item == item}
        lanes = tuple(
            _lane(party, own[party.id], number, axis)
            for number, party in enumerate(reading.setting.parties)
            if party.id in own
        )
        if any(lane.points or lane.unscored for lane in lanes):
            found.append(Judged(judge, standing(reading.results, judge, "stance"), lanes))
    return tuple(found)


def standing(results: tuple[Result, ...], judge: str, rubric: str) -> str:
    """What is known against a judge of a rubric, going by the scores that stand on it."""
    own = [
        score
        for score in results
        if isinstance(score, Score)
        and score.judge is not None
        and (score.judge.judge, score.judge.rubric) == (judge, rubric)
    ]
    known = any(score.judge is not None and score.judge.calibrated for score in own)
    greyed = dict.fromkeys(score.greyed for score in own if score.greyed)
    return ", ".join([*([] if known else ["uncalibrated"]), *greyed])


def _lane(party: Party, told: Series, number: int, axis: Axis) -> JudgedLane:
    points = tuple(
        Point(
            verdict.turn,
            turn_anchor(verdict.turn),
            axis.middle(verdict.turn),
            level(verdict.value),
            verdict.value,
            f"{verdict.turn}, {party.short}: judged {verdict.value:+.2f}, {verdict.label}",
        )
        for verdict in told.taken
        if verdict.value is not None and verdict.turn is not None and verdict.turn in axis.begins
    )
    return JudgedLane(party, number * LANE, points, told.unscored)
