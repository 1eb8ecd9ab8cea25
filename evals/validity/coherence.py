"""Records that were changed by hand, brought in line with the mechanism again.

Whatever is planted in a record, the mechanism still owns the outcome: what every party has declared
is adopted, ballots are counted again, closings carry the new count. What the mechanism does not
decide is kept: nobody knows what the others would have said or voted then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness import events as e
from harness import mechanism
from harness.events import Event
from harness.setting import Setting
from harness.state import IssueState, State, advance, fold
from harness.transcript import Transcript

BY_HAND = "put by hand, not found among the declared acceptances"
"""The rule named by a planted tabling, which the chair's own rule would not have given."""


def recorded(
    transcript: Transcript, events: Iterable[Event], setting: Setting | None = None
) -> Transcript:
    """These events as a record, numbered anew; with `setting`, debated under that setting.

    Calls to models stay what they were, because that is what was sent and received, so a changed
    record cannot be replayed.
    """
    card = transcript.card
    if setting is not None:
        card = card.model_copy(update={"setting": setting, "setting_sha": setting.sha})
    whole = [transcript.header, card, *(event for event in events if event.kind not in _FIRST)]
    return Transcript(
        tuple(
            event if event.seq == seq else event.model_copy(update={"seq": seq})
            for seq, event in enumerate(whole)
        )
    )


_FIRST = ("header", "run_card")


def settled_again(transcript: Transcript) -> Transcript:
    """The same record with every outcome as the mechanism gives it now.

    Leaves a record alone that a debate has written. Moves, tablings and votes on an issue that is
    settled sooner than before are left out; an issue that is settled no longer is counted when its
    item closes.
    """
    walk = _Walk(transcript, fold(transcript.events[:2]))
    for event in transcript.events[2:]:
        walk.take(event)
    return recorded(transcript, walk.events)


@dataclass
class _Walk:
    """One pass over a record: what is kept, and the state it adds up to."""

    transcript: Transcript
    state: State
    events: list[Event] = field(default_factory=list)
    turn: str | None = None
    """The turn whose moves may just have settled something."""
    touched: set[str] = field(default_factory=set)
    """Items with a decision that is not the recorded one."""

    def take(self, event: Event) -> None:
        turn = event.turn if isinstance(event, e.TurnEvent) else None
        if self.turn is not None and turn != self.turn:
            self._declared()
        self.turn = turn
        match event:
            case e.MoveMade():
                if not self._issue(event.move.issue).settled:
                    self._keep(event)
            case e.Tabled():
                self._next_ballot(event)
            case e.VoteCast():
                if not self._issue(event.issue).settled:
                    self._keep(event)
            case e.Decided():
                self._decided(event)
            case e.PackageRuled() | e.ItemClosed() | e.DebateClosed():
                self._closes(event)
            case _:
                self._keep(event)

    def _keep(self, event: Event) -> None:
        self.events.append(event)
        self.state = advance(self.state, event)

    def _issue(self, issue: str) -> IssueState:
        return self.state.issues[issue]

    def _declared(self) -> None:
        """What the turn before has settled by unanimous declaration."""
        if self.state.item is None:
            return
        setting, rules = self.transcript.setting, self.transcript.rules
        for found in mechanism.agreed_on_the_floor(self.state, setting, rules, self.state.item):
            self._settle(found)

    def _next_ballot(self, event: e.Tabled) -> None:
        issue = self._issue(event.issue)
        if not issue.settled and issue.votes:
            found = mechanism.tally(self.state, issue, self.transcript.rules)
            if found.outcome == "adopted":
                self._settle(found)
        if not self._issue(event.issue).settled:
            self._keep(event)

    def _decided(self, event: e.Decided) -> None:
        issue = self._issue(event.issue)
        if issue.settled:
            return
        if event.by == "declaration":  # where it holds no longer, the item's closing counts
            self.touched.add(event.item)
            return
        self._settle(mechanism.tally(self.state, issue, self.transcript.rules))

    def _settle(self, found: e.Decided) -> None:
        was = self.transcript.state.issues[found.issue].decision
        if was and found.model_copy(update={"seq": was.seq, "words": was.words}) == was:
            self._keep(was)
            return
        self.touched.add(found.item)
        words = _announced(self.transcript.setting, found)
        self._keep(found.model_copy(update={"words": words}))

    def _closes(self, event: e.PackageRuled | e.ItemClosed | e.DebateClosed) -> None:
        if isinstance(event, e.DebateClosed):
            self._keep(_count(self.state, event) if self.touched else event)
            return
        item = event.item
        for issue in self.state.in_item(item) if item is not None else ():
            if not issue.settled:
                found = mechanism.tally(self.state, issue, self.transcript.rules)
                self._settle(found)
        if isinstance(event, e.ItemClosed):
            self._keep(_concluded(self.state, event) if event.item in self.touched else event)
        elif not self.touched:
            self._keep(event)
        elif ruling := mechanism.package(self.state, self.transcript.rules, item):
            self._keep(ruling)


def _announced(setting: Setting, found: e.Decided) -> str:
    issue = setting.issue(found.issue)
    text = f"the text \u201c{issue.option(found.option).label}\u201d is " if found.option else ""
    return f"{issue.heading}: {text}{found.outcome}; {found.why}."


def _concluded(state: State, event: e.ItemClosed) -> e.ItemClosed:
    issues = state.in_item(event.item)
    early = all(i.decision is not None and i.decision.by == "declaration" for i in issues)
    agreed = sum(issue.outcome == "adopted" for issue in issues)
    count = f"{agreed} of {len(issues)} issues" if len(issues) > 1 else f"{agreed} of 1 issue"
    reason = "nothing_left_open" if early else "rounds_exhausted"
    words = f"That concludes this item: {count} agreed."
    return event.model_copy(update={"reason": reason, "words": words})


def _count(state: State, event: e.DebateClosed) -> e.DebateClosed:
    outcomes = [issue.outcome for issue in state.issues.values()]
    adopted, bracketed = outcomes.count("adopted"), outcomes.count("bracketed")
    rest = len(outcomes) - adopted - bracketed
    words = (
        f"The talks are closed. Issues agreed: {adopted} of {len(outcomes)}; "
        f"in brackets: {bracketed}; open: {rest}."
    )
    counted = {"adopted": adopted, "bracketed": bracketed, "open": rest, "words": words}
    return event.model_copy(update=counted)


def incoherences(transcript: Transcript) -> tuple[str, ...]:
    """What in the record the mechanism would not have let happen, in words; empty if nothing.

    Checked are line numbers, the order of every move, handles of offers, that the chair tabled what
    its rule gives (`BY_HAND` tablings apart), and every outcome and closing.
    """
    return (*_misnumbered(transcript), *_out_of_order(transcript), *_unsettled(transcript))


def _misnumbered(transcript: Transcript) -> Iterator[str]:
    for seq, event in enumerate(transcript.events):
        if event.seq != seq:
            yield f"event {seq} ({event.kind}) carries the number {event.seq}"


def _out_of_order(transcript: Transcript) -> Iterator[str]:
    state = State()
    handles: set[str] = set()
    for event in transcript.events:
        if isinstance(event, e.MoveMade):
            yield from _of_move(transcript, state, event, handles)
        elif isinstance(event, e.Tabled) and event.rule != BY_HAND:
            issue = state.issues[event.issue]
            found = mechanism.compromise(state, issue, transcript.card.seed)
            if found is None or (found.option, found.acceptances) != (
                event.option,
                event.acceptances,
            ):
                given = found.option if found else "nothing"
                yield f"event {event.seq}: {event.option} was tabled, the rule gives {given}"
        state = advance(state, event)


def _of_move(
    transcript: Transcript, state: State, event: e.MoveMade, handles: set[str]
) -> Iterator[str]:
    move = event.move
    ruling = mechanism.rule(state, transcript.setting, event.party, move)
    if ruling is not None:
        yield f"event {event.seq}: {event.party} may not {move.move} {move.key}: {ruling.why}"
        return
    if event.offer is None:
        return
    if event.offer in handles:
        yield f"event {event.seq}: the handle {event.offer} is taken"
    handles.add(event.offer)
    own = state.issues[move.issue].own_offer(event.party)
    if event.replaced != (own.id if own else None):
        yield f"event {event.seq}: replaces {event.replaced}, not {own.id if own else None}"


def _unsettled(transcript: Transcript) -> Iterator[str]:
    again = settled_again(transcript).events
    for now, then in zip(transcript.events, again, strict=False):
        if now != then:
            yield f"event {now.seq}: {now.kind} where the mechanism gives {then.kind}"
            return
    if len(again) != len(transcript.events):
        yield f"{len(transcript.events)} events where the mechanism gives {len(again)}"
