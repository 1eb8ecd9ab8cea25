"""What stands beside a turn: the positions it cites, its party's red lines, what judges said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness import events as e
from harness.cli.narrowing import Group, bears_on
from harness.events import may_see
from harness.plain import clean
from harness.setting import Party, Position, Setting

if TYPE_CHECKING:
    from rich.text import Text

    from evals.exporting.visible import Label


class Shown(NamedTuple):
    """A position, and why it is shown beside a turn."""

    why: str
    """`cited`, `behind a move`, `red line`, or several of them."""
    id: str
    position: Position | None
    """None where nobody holds it, or where it is confidential and that was not asked for."""


def positions(setting: Setting, group: Group, *, private: bool) -> tuple[Shown, ...]:
    """The positions a turn cites, then the party's red lines on the issues of the turn."""
    turn = group.turn
    if turn is None:
        return ()
    heard = [event for event in group.events if private or may_see(event, None)]
    cited = [position for event in heard for position in _cited(event)]
    behind = [position for event in heard for position in _behind(event)]
    about = _issues(setting, group, (*cited, *behind))
    crossed = _red_lines(setting, setting.party(turn.party), about)
    lines = [each.id for each in crossed if private or _is_public(each)]
    reasons = {"cited": cited, "behind a move": behind, "red line": lines}
    return tuple(
        Shown(
            ", ".join(why for why, among in reasons.items() if each in among),
            each,
            _held(setting, each, private=private),
        )
        for each in dict.fromkeys((*cited, *behind, *lines))
    )


def _cited(event: e.Event) -> tuple[str, ...]:
    return event.citations if isinstance(event, e.Statement) else ()


def _behind(event: e.Event) -> tuple[str, ...]:
    match event:
        case e.MoveMade() if event.move.because:
            return (event.move.because,)
        case e.VoteCast() if event.because:
            return (event.because,)
        case _:
            return ()


def _issues(setting: Setting, group: Group, cited: Sequence[str]) -> tuple[str, ...]:
    """The issues a turn moves or votes on; those its citations bear on where it does neither."""
    moved = [x.move.issue for x in group.events if isinstance(x, e.MoveMade | e.RuledOut)]
    moved += [event.issue for event in group.events if isinstance(event, e.VoteCast)]
    turn = group.turn
    assert turn is not None
    if moved:
        return tuple(dict.fromkeys(moved))
    return tuple(
        issue.id
        for issue in setting.item(turn.item).issues
        if any(bears_on(setting, position, issue.id) for position in cited)
    )


def _red_lines(setting: Setting, party: Party, issues: Sequence[str]) -> Iterator[Position]:
    for position in party.positions:
        if position.kind == "red_line" and any(
            bears_on(setting, position.id, issue) for issue in issues
        ):
            yield position


def _held(setting: Setting, position: str, *, private: bool) -> Position | None:
    try:
        found = setting.position(position)
    except KeyError:
        return None
    return found if private or _is_public(found) else None


def _is_public(position: Position) -> bool:
    return position.visibility == "public"


def column(shown: Sequence[Shown], *, sources: bool) -> Text:
    """The positions as the right-hand column: what each says, and where it is on record."""
    from rich.text import Text

    text = Text()
    for index, each in enumerate(shown):
        text.append("\n" if index else "")
        _append(text, each, sources=sources)
    return text


def _append(text: Text, shown: Shown, *, sources: bool) -> None:
    position = shown.position
    style = "bold red" if "red line" in shown.why else "bold"
    text.append(clean(shown.id), style)
    if position is None:
        text.append(f" {shown.why}; not on public record here", "dim")
        return
    text.append(f" {shown.why}, firmness {position.firmness} of 5\n", style.removeprefix("bold "))
    text.append(clean(position.statement))
    if sources:
        source = position.source
        words = f"{source.title}. {source.publisher}, {source.date}"
        text.append(f"\n{clean(words)}", "dim")


def resolved(setting: Setting, citation: str, *, private: bool) -> str:
    """A citation with title, publisher, date and address of its source, on one line."""
    position = _held(setting, citation, private=private)
    if position is None:
        return f"       {clean(citation)}: not on public record here"
    source = position.source
    return (
        f"       {clean(citation)}: {clean(source.title)}. {clean(source.publisher)}, "
        f"{source.date}. {clean(source.url)}"
    )


class Judged(NamedTuple):
    """What judges said of the turns, as far as the scores beside the transcript tell."""

    labels: Mapping[str, tuple[Label, ...]]
    remark: str
    """Why there is nothing to show although there are scores; empty otherwise."""


def judged(path: Path) -> Judged:
    """The labels by turn; none where there are no scores, or they are of another state of it."""
    from evals import scores
    from evals.exporting.visible import judged_by_turn
    from harness.errors import TranscriptError

    beside = scores.scores_path(path)
    if not beside.is_file():
        return Judged({}, "")
    try:
        found = scores.read(beside)
    except TranscriptError as error:
        return Judged({}, f"Scores are not shown: {error}")
    labels = judged_by_turn(found.results)
    if labels and found.stale(path):
        return Judged({}, f"{beside} is older than the transcript; its labels are not shown.")
    return Judged(labels, "")


def label_lines(labels: Sequence[Label], *, private: bool) -> Iterator[str]:
    """A line for each label: what it is, and whose."""
    for label in labels:
        if private or not label.private:
            yield f"     {label.dimension}, read by {label.standing}: {label.quote}"
