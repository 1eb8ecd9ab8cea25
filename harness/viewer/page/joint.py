"""The joint text and how it came to be: what stood in it after every event that changed it.

The states are folded from the record, and every paragraph is what the mechanism says of the state.
A fact of a paragraph (a text on the table, who holds it, a vote) is kept once, with the steps over
which it held, so that the whole history grows with what changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness import events as e
from harness.setting import Issue, Item, Setting
from harness.state import IssueState, State, advance
from harness.transcript import Transcript
from harness.viewer.anchors import anchor
from harness.viewer.anchors import event as event_anchor
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page.lanes import VOTES, named
from harness.viewer.page.paragraph import Answer, Fact, Holder, Standing, Text, facts
from harness.viewer.page.words import DOES, OUTCOMES
from harness.viewer.reading import Reading


class Spell(NamedTuple):
    """A fact, and the steps over which it held."""

    fact: Fact
    begun: int
    """The first step at which it holds."""
    ended: int | None
    """The step at which it no longer does; None where it holds to the end."""

    def at(self, step: int) -> bool:
        """Whether it holds at the step."""
        return self.begun <= step and (self.ended is None or step < self.ended)

    @property
    def span(self) -> str:
        """As the page's script reads it: `3-7`, or `3-` where it holds to the end."""
        return f"{self.begun}-{'' if self.ended is None else self.ended}"


class Step(NamedTuple):
    """An event that changed the joint text."""

    number: int
    """From 1; at step 0 nothing has been said."""
    seq: int
    """Number of the event."""
    to: str
    """Anchor of the turn or, for the chair's doings, of the event."""
    where: str
    """The turn's handle, or `chair`."""
    words: str
    issues: tuple[str, ...]
    """The issues whose paragraphs it changed."""
    item: str
    """Title of the item."""

    @property
    def at(self) -> str:
        """Anchor of the first issue that it changed."""
        return anchor("issue", self.issues[0])


class Told(NamedTuple):
    """One paragraph over the whole debate."""

    item: Item
    issue: Issue
    spells: tuple[Spell, ...]
    brought: Mapping[str, str]
    """Option -> anchor of the turn that first brought its text; the chair's event where none."""

    def at(self, step: int) -> tuple[Fact, ...]:
        """What the paragraph says at a step."""
        return tuple(spell.fact for spell in self.spells if spell.at(step))

    def of(self, option: str) -> tuple[Spell, ...]:
        """Who stands how to a text, and then the answers on it, each in order of time."""
        stands = [s for s in self.spells if isinstance(s.fact, Holder) and s.fact.option == option]
        given = [s for s in self.spells if isinstance(s.fact, Answer) and s.fact.option == option]
        return (*stands, *given)

    @property
    def options(self) -> tuple[str, ...]:
        """Every option that ever stood in the paragraph, in the order of the setting."""
        seen = {s.fact.option for s in self.spells if not isinstance(s.fact, Standing)}
        return tuple(option.id for option in self.issue.options if option.id in seen)

    def stays(self, option: str) -> tuple[Spell, ...]:
        """The steps over which a text stood in the paragraph, whatever its place there."""
        found: list[Spell] = []
        for spell in self.places(option):
            if found and found[-1].ended == spell.begun:
                found[-1] = found[-1]._replace(ended=spell.ended)
            else:
                found.append(spell)
        return tuple(found)

    def places(self, option: str) -> tuple[Spell, ...]:
        """Where in the paragraph a text stood: on the table, put, adopted or in brackets."""
        return tuple(s for s in self.spells if isinstance(s.fact, Text) and s.fact.option == option)

    @property
    def to(self) -> str:
        """Anchor of the issue."""
        return anchor("issue", self.issue.id)

    @property
    def standings(self) -> tuple[Spell, ...]:
        """Where it stood, in order of time."""
        return tuple(s for s in self.spells if isinstance(s.fact, Standing))


class Joint(NamedTuple):
    """The joint text over the whole debate."""

    steps: tuple[Step, ...]
    paragraphs: tuple[Told, ...]
    shorts: Mapping[str, str]
    """Party -> what it is called in short."""

    @property
    def last(self) -> int:
        """Number of the last step."""
        return len(self.steps)


def joint(reading: Reading) -> Joint:
    """How the joint text came to be, of a debate finished or not."""
    return _History(reading.transcript).told()


class _History:
    """Folds a record, and notes each paragraph whenever it reads differently."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript, self.setting = transcript, transcript.setting
        self.since: dict[tuple[str, str, str], str] = {}
        self.facts: dict[str, dict[Fact, int]] = {}
        self.spells: dict[str, list[Spell]] = {}
        self.brought: dict[str, dict[str, str]] = {}
        self.steps: list[Step] = []

    def told(self) -> Joint:
        state = State()
        for event in self.transcript.events:
            before, state = state, advance(state, event)
            if isinstance(event, e.RunCard):
                self._begin(state)
            elif state.issues is not before.issues:
                self._look(event, before, state)
        shorts = {party.id: party.short for party in self.setting.parties}
        return Joint(tuple(self.steps), tuple(self._paragraph(i) for i in state.issues), shorts)

    def _begin(self, state: State) -> None:
        for issue in state.issues:
            self.facts[issue] = dict.fromkeys(facts(state, self.setting, issue, self.since), 0)
            self.spells[issue], self.brought[issue] = [], {}

    def _look(self, event: e.Event, before: State, state: State) -> None:
        for issue, after in state.issues.items():
            self._note_since(event, before.issues[issue], after)
        touched = [i for i in state.issues if state.issues[i] is not before.issues[i]]
        fresh = {issue: facts(state, self.setting, issue, self.since) for issue in touched}
        changed = [issue for issue in touched if set(fresh[issue]) != set(self.facts[issue])]
        if not changed:
            return
        number = len(self.steps) + 1
        for issue in changed:
            self._turn_over(issue, fresh[issue], number, _anchor(event))
        self.steps.append(self._step(event, number, tuple(changed)))

    def _turn_over(self, issue: str, fresh: tuple[Fact, ...], number: int, to: str) -> None:
        held = self.facts[issue]
        for fact in [fact for fact in held if fact not in fresh]:
            self.spells[issue].append(Spell(fact, held.pop(fact), number))
        for fact in fresh:
            held.setdefault(fact, number)
            if isinstance(fact, Text):
                self.brought[issue].setdefault(fact.option, to)

    def _note_since(self, event: e.Event, before: IssueState, after: IssueState) -> None:
        """From which turn on each party stands as it does."""
        if before is after or not isinstance(event, e.TurnEvent):
            return
        for (party, option), stance in after.stands.items():
            if before.stands.get((party, option)) != stance:
                self.since[party, after.issue, option] = event.turn
        if isinstance(event, e.VoteCast) and event.vote in ("accept", "reserve"):
            declared = before.stands.get((event.party, event.option))
            if declared not in ("accept", "reserve"):
                self.since[event.party, event.issue, event.option] = event.turn

    def _paragraph(self, issue: str) -> Told:
        held = [Spell(fact, begun, None) for fact, begun in self.facts[issue].items()]
        spells = sorted([*self.spells[issue], *held], key=lambda spell: spell.begun)
        item = self.setting.item_of(issue)
        return Told(item, self.setting.issue(issue), tuple(spells), self.brought[issue])

    def _step(self, event: e.Event, number: int, issues: tuple[str, ...]) -> Step:
        where = event.turn if isinstance(event, e.TurnEvent) else "chair"
        item = self.setting.item_of(issues[0]).title
        return Step(
            number, event.seq, _anchor(event), where, said(event, self.setting), issues, item
        )


def _anchor(event: e.Event) -> str:
    return turn_anchor(event.turn) if isinstance(event, e.TurnEvent) else event_anchor(event.seq)


def said(event: e.Event, setting: Setting) -> str:
    """What happened, in one line."""
    match event:
        case e.MoveMade(move=move):
            issue = setting.issue(move.issue)
            text = named(issue, move.option) if move.option else "a question"
            return f"{issue.heading}: {setting.party(event.party).short} {DOES[move.move]} {text}"
        case e.VoteCast():
            issue = setting.issue(event.issue)
            who, text = setting.party(event.party).short, named(issue, event.option)
            return f"{issue.heading}: {who} {VOTES[event.vote]} {text}"
        case e.Tabled():
            issue = setting.issue(event.issue)
            return f"{issue.heading}: the chair puts {named(issue, event.option)}"
        case e.Decided():
            issue = setting.issue(event.issue)
            text = f", {named(issue, event.option)}" if event.option else ""
            return f"{issue.heading}: {OUTCOMES[event.outcome]}{text}"
        case e.PackageRuled():
            return "The package fails: what was adopted in it lapses"
        case _:
            return event.kind
