"""A debate in a terminal: each event as a few lines of text.

Statements and names come from models and files: they are printed as text, never as markup, and
characters that could steer the terminal are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness import events as e
from harness.events import Event, Move, may_see
from harness.plain import clean
from harness.setting import Setting
from harness.state import IssueState, State

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

COLOURS = ("cyan", "red", "yellow", "magenta", "green", "blue")
"""By seat; the name always stands beside the colour."""

MARKS = {
    "propose": "+ proposes",
    "concede": "~ moves to",
    "accept": "= accepts",
    "reserve": "= accepts with reservation",
    "reject": "x rejects",
    "withdraw": "- withdraws",
    "ask": "? asks",
}
HANG = 9
"""Columns by which further lines of somebody's words are indented: moves and names begin further
left, so that nobody can write a line that looks like one."""

OUTCOMES = {"adopted": "agreed", "bracketed": "in brackets", "open": "open"}


def terminal(*, stderr: bool = False, width: int = 100_000) -> Console:
    """A console that writes plain lines of any length, or of `width`, where it is no terminal."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(
            stderr=stderr, highlight=False, markup=False, emoji=False, no_color=True,
            width=width, soft_wrap=width >= 100_000,
        )  # fmt: skip
    return console


class Shower:
    """Prints events as they come, in the words of the setting."""

    def __init__(self, console: Console, setting: Setting, *, private: bool = False) -> None:
        """Print to the console; with `private`, also what not everybody could hear."""
        self.console = console
        self.setting = setting
        self.private = private
        self._colour = {
            party.id: COLOURS[index % len(COLOURS)] for index, party in enumerate(setting.parties)
        }

    def show(self, event: Event) -> None:
        """Print one event; what is not part of the conversation is left out."""
        for line in self.lines(event):
            self.console.print(line)

    def lines(self, event: Event) -> tuple[Text, ...]:
        """What one event comes to; nothing where it is private and that was not asked for."""
        if not may_see(event, None) and not self.private:
            return ()
        return tuple(self._lines(event))

    def _lines(self, event: Event) -> Iterator[Text]:
        match event:
            case e.DebateOpened():
                yield self._chair(event.words)
            case e.ItemOpened():
                yield self._text("")
                yield self._text(self.setting.item(event.item).title, "bold")
                yield self._chair(event.words)
            case e.RoundOpened():
                yield self._text("")
                yield self._text(f"-- {_phase(event)} --", "dim")
            case e.Injected():
                yield self._chair(f"News: {event.inject.text}")
            case e.ChairSpoke():
                yield self._chair(event.text)
            case e.Statement():
                yield self._statement(event)
            case e.Note():
                yield self._said(f"     note to self: {event.text}", "dim italic")
            case e.MoveMade():
                yield self._text(f"     {self._move(event.move, event.offer)}", "bold")
            case e.RuledOut():
                words = f"     ruled out of order: {self._move(event.move, None)} - {event.why}"
                yield self._text(words, "yellow")
            case e.TurnFailed():
                words = f"no answer: {event.why} ({event.failure}, asked {event.attempts} times)"
                yield self._joined(self._speaker(event), self._text(words, "yellow"))
            case e.VoteCast():
                yield self._text(f"     {self._vote(event)}", "bold")
            case _:
                yield from self._outcome_lines(event)

    def _outcome_lines(self, event: Event) -> Iterator[Text]:
        match event:
            case e.Tabled():
                yield self._chair(event.words)
            case e.Decided():
                style = "green" if event.outcome == "adopted" else "yellow"
                yield self._chair(event.words, style)
            case e.PackageRuled():
                yield self._chair(event.why)
            case e.ItemClosed() | e.DebateClosed():
                yield self._chair(event.words)
            case e.CaucusOpened():
                yield self._text(f"-- private meeting: {self._shorts(event.parties)} --", "dim")
            case e.BudgetStop():
                yield self._text(
                    f"Stopped by the ceiling on {event.ceiling}: {event.why}.", "yellow"
                )
            case _:
                return

    def _statement(self, event: e.Statement) -> Text:
        cited = f" [{', '.join(event.citations)}]" if event.citations else ""
        words = self._said(event.text)
        return self._joined(self._speaker(event), words, self._text(cited, "dim"))

    def _speaker(self, event: e.TurnEvent) -> Text:
        short = self.setting.party(event.party).short
        return self._text(f"{event.turn:>4} {short}: ", f"bold {self._colour[event.party]}")

    def _chair(self, words: str, style: str = "") -> Text:
        return self._joined(self._text("  Chair: ", "bold"), self._said(words, style))

    def _said(self, words: str, style: str = "") -> Text:
        return self._text(clean(words).replace("\n", "\n" + " " * HANG), style)

    def _joined(self, *parts: Text) -> Text:
        """The parts on one line, each in its own style; adding would give all that of the first."""
        from rich.text import Text

        return Text.assemble(*parts)

    def _text(self, words: str, style: str = "") -> Text:
        """Words as text: whoever wrote them cannot steer the terminal with them."""
        from rich.text import Text

        return Text(clean(words), style=style)

    def _move(self, move: Move, offer: str | None) -> str:
        heading = self.setting.issue(move.issue).heading
        if move.move == "ask":
            return f"{MARKS['ask']} {self._shorts((move.to or '',))}: {heading}"
        option = self.setting.option(move.key)
        handle = offer or move.offer
        words = f"{MARKS[move.move]} {handle + ' ' if handle else ''}{heading}: {option.label}"
        if move.in_return_for:
            words += f", for {self.setting.option(move.in_return_for).label}"
        return words + (f" ({move.because})" if move.because else "")

    def _vote(self, event: e.VoteCast) -> str:
        heading = self.setting.issue(event.issue).heading
        because = f" ({event.because})" if event.because else ""
        return f"votes {event.vote} on {heading}{because}"

    def _shorts(self, parties: Sequence[str]) -> str:
        return ", ".join(self.setting.party(party).short for party in parties if party)

    def state_of_play(self, state: State, item: str) -> None:
        """Where each issue of the item stands, a line each; nothing before anything is tabled."""
        if not any(issue.stands or issue.settled for issue in state.in_item(item)):
            return
        self.console.print(self._text("     state of play", "dim"))
        for issue in state.in_item(item):
            heading = self.setting.issue(issue.issue).heading
            self.console.print(self._text(f"     {heading:<38} {self._standing(issue)}", "dim"))

    def _standing(self, issue: IssueState) -> str:
        if issue.decision is not None:
            option = issue.decision.option
            label = f": {self._label(issue.issue, option)}" if option else ""
            return OUTCOMES[issue.outcome or "open"] + label
        parts: list[str] = []
        for party in self.setting.parties:
            own = issue.own_offer(party.id)
            taken = [o for (p, o), s in issue.stands.items() if p == party.id and s != "reject"]
            if own is not None:
                parts.append(f"{party.short} {self._label(issue.issue, own.option)}")
            elif taken:
                parts.append(f"{party.short} could take {self._label(issue.issue, taken[-1])}")
        return " | ".join(parts) or "nothing on the table"

    def _label(self, issue: str, option: str) -> str:
        return f"({option}) {self.setting.issue(issue).option(option).label}"


def _phase(event: e.RoundOpened) -> str:
    return {
        "opening": "opening statements",
        "round": f"round {event.round}",
        "reply": "right of reply",
        "caucus": "private meeting",
        "decision": "decision",
    }[event.phase]
