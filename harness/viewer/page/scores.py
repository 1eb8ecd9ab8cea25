"""Every score: what it is about, on how much it stands, and the events behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from evals.evaluator import Evidence, Failure, Result, Score
from evals.exporting.visible import public_why, sees_public
from evals.tables import show
from harness.events import may_see
from harness.viewer import anchors
from harness.viewer.page.words import face, faces, in_shorts, places
from harness.viewer.reading import Reading


class Seen(NamedTuple):
    """An event behind a score."""

    name: str
    """The turn's handle, or the event's number."""
    to: str
    """Empty where the page does not show it."""
    quote: str
    private: bool = False
    """Whether the event or the quote is not for everyone."""


class Row(NamedTuple):
    """One result."""

    to: str
    metric: str
    about: str
    value: str
    label: str
    n: int | None
    """None where it could not be scored."""
    unscored: int
    reason: str
    judge: str
    """The judge and what is known of it; empty where code alone made the value."""
    corrected: str
    """The value corrected for the judge's errors, or why there is none; else empty."""
    greyed: str
    screen: bool
    seen: tuple[Seen, ...]
    private: bool = False
    """Whether the reason tells something private."""


class Group(NamedTuple):
    """The results of one evaluator."""

    evaluator: str
    version: int
    rows: tuple[Row, ...]
    judged: bool


class Scores(NamedTuple):
    """All results, by evaluator."""

    groups: tuple[Group, ...]


def scores(reading: Reading) -> Scores:
    """All results of a debate, in the order in which they were made."""
    by_evaluator: dict[tuple[str, int], list[tuple[int, Result]]] = {}
    for number, result in enumerate(reading.results):
        by_evaluator.setdefault((result.evaluator, result.version), []).append((number, result))
    shown = _Showing(reading)
    groups = [
        Group(
            name,
            version,
            tuple(shown.row(number, result) for number, result in found),
            any(isinstance(result, Score) and result.judge is not None for _, result in found),
        )
        for (name, version), found in by_evaluator.items()
    ]
    return Scores(tuple(groups))


class _Showing:
    def __init__(self, reading: Reading) -> None:
        self.reading, self.faces = reading, faces(reading)
        self.places: Mapping[int, str] = places(reading.transcript)
        events = reading.transcript.events
        self.aside = {event.seq for event in events if not may_see(event, None)}

    def row(self, number: int, result: Result) -> Row:
        to, about = anchors.score(number), self.about(result.subject)
        if isinstance(result, Failure):
            return Row(
                to, result.metric, about, "failed", "", None, 0, result.why, "", "", "", False,
                (), self.tells(result),
            )  # fmt: skip
        return Row(
            to, result.metric, about, show(result), result.label or "", result.n, result.unscored,
            self._reason(result), _judge(result), _corrected(result), result.greyed, result.screen,
            tuple(self._seen(result)), self.tells(result),
        )  # fmt: skip

    def tells(self, result: Result) -> bool:
        """Whether the reason tells something private; of a public page none does."""
        if self.reading.public:
            return False
        if isinstance(result, Failure):
            broken = public_why(result.why) != result.why
            return broken or self.reading.secrets.told_by(result.why)
        judged = result.judge is not None and not sees_public(result.judge.rubric)
        return judged or self.reading.secrets.told_by(result.reason)

    def _reason(self, score: Score) -> str:
        """As it was made; what code tells of a decision has the parties by name."""
        if score.judge is not None:
            return score.reason
        return in_shorts(score.reason, self.reading.setting)

    def about(self, subject: str) -> str:
        """A subject in the words of the setting."""
        return ", ".join(self._about(part) for part in subject.split("/"))

    def _about(self, part: str) -> str:
        kind, _, name = part.partition(":")
        try:
            match kind:
                case "party":
                    return self.reading.setting.party(name).short
                case "issue":
                    return self.reading.setting.issue(name).heading
                case "item":
                    return self.reading.setting.item(name).title
                case "parties":
                    return " and ".join(face(self.faces, each).short for each in name.split("+"))
        except KeyError:
            return part
        return "the debate" if part == "debate" else part

    def _seen(self, score: Score) -> Iterator[Seen]:
        """Each place once; words only where a judge's score rests on them."""
        told: set[str] = set()
        for each in score.evidence:
            if each.private and self.reading.public:
                continue
            to = self.places.get(each.seq, "")
            name = each.turn or f"event {each.seq}"
            quote = each.quote if score.judge is not None and not each.private else ""
            if (to or name) not in told or quote:
                told.add(to or name)
                yield Seen(name, to, quote, self._hidden(each))

    def _hidden(self, each: Evidence) -> bool:
        return each.seq in self.aside or self.reading.secrets.told_by(each.quote)


def _judge(score: Score) -> str:
    if score.judge is None:
        return ""
    known = score.judge
    if not known.calibrated:
        return f"{known.judge}, uncalibrated"
    kappa = "" if known.kappa is None else f", kappa {known.kappa:.2f}"
    return f"{known.judge}, calibrated on {known.gold}{kappa}"


def _corrected(score: Score) -> str:
    made = score.corrected
    if made is None:
        return ""
    if made.value is None:
        return f"corrected: no value, {made.why}"
    ends = "" if made.interval is None else f" [{made.interval.low:.2f}, {made.interval.high:.2f}]"
    return f"corrected {made.value:.2f}{ends}"
