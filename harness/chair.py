"""The chair: rules of procedure in code, and a voice.

What the chair says is put together from the setting by fixed phrases, the same for every party. A
model may be given the chair's voice: it words what the chair has already done and can change
nothing; if it fails, the fixed phrase stands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import events as e
from harness.asking import already_sent, call_event, legible, new_texts
from harness.briefing import shared_part
from harness.events import CHAIR, Event
from harness.mechanism import Compromise
from harness.plain import plain
from harness.setting import Issue, Item, Mandate, Rules, Setting, sha
from harness.state import State
from harness.turn import Legal, Message, Reply, Request, Seated, Unreadable, parsed


@dataclass(frozen=True)
class Chair:
    """Announces; never decides. `voice` is None for the fixed phrases alone."""

    setting: Setting
    rules: Rules
    seed: int
    parts: Path
    """Folder with the templates all prompts share."""
    voice: Seated | None = None

    def opens_debate(self) -> e.DebateOpened:
        """The chair opens the talks."""
        names = _listed([party.name for party in self.setting.parties])
        items = "; ".join(item.title for item in self.setting.items)
        return e.DebateOpened(
            words=f"I welcome the delegations of {names}. Our agenda: {items}. "
            "Only moves and votes bind; what is said here is not an agreement."
        )

    def opens_item(self, item: Item) -> e.ItemOpened:
        """The chair reads an item's issues."""
        questions = " ".join(issue.question for issue in item.issues)
        count = len(item.issues)
        before = "One question is" if count == 1 else f"{count} questions are"
        return e.ItemOpened(
            item=item.id, words=f"We take up: {item.title}. {before} before us. {questions}"
        )

    def tables(self, item: Item, issue: Issue, found: Compromise) -> e.Tabled:
        """The chair tables a text for decision."""
        option = issue.option(found.option)
        key = issue.key(option)
        return e.Tabled(
            item=item.id,
            issue=issue.id,
            option=found.option,
            sha=self.setting.text_sha(key),
            acceptances=found.acceptances,
            rule=found.rule,
            words=f"On {issue.title} I put to you the text \u201c{option.label}\u201d, "
            f"{found.rule}. It reads: {option.text}",
        )

    def announces(self, decision: e.Decided) -> e.Decided:
        """The outcome of an issue, in the chair's words."""
        issue = self.setting.issue(decision.issue)
        label = f"\u201c{issue.option(decision.option).label}\u201d" if decision.option else ""
        reserving = tuple(reservation.party for reservation in decision.reserve)
        if decision.outcome == "adopted":
            words = f"{issue.heading}: the text {label} is adopted."
            if decision.by == "declaration":
                words += " Every delegation has declared that it accepts it."
            elif reserving:
                words += f" I note the reservation of {self._names(reserving)}."
        elif decision.outcome == "bracketed":
            words = f"{issue.heading}: the text {label} is not adopted and stays in brackets."
        else:
            words = (
                f"{issue.heading}: no delegation has named a text it could accept; it stays open."
            )
        counted = {
            "in favour": decision.accept + reserving,
            "against": decision.reject,
            "abstaining": decision.abstain,
            "no valid answer": decision.missing,
        }
        if decision.by == "vote":
            count = "; ".join(f"{how}: {self._names(who)}" for how, who in counted.items() if who)
            words += f" {count[0].upper()}{count[1:]}."
        return decision.model_copy(update={"words": words})

    def _names(self, parties: tuple[str, ...]) -> str:
        return _listed([self.setting.party(party).name for party in parties])

    def closes_item(self, item: Item, state: State) -> e.ItemClosed:
        """The chair closes an item."""
        issues = state.in_item(item.id)
        early = all(i.decision is not None and i.decision.by == "declaration" for i in issues)
        agreed = sum(issue.outcome == "adopted" for issue in issues)
        count = f"{agreed} of {len(issues)} issues" if len(issues) > 1 else f"{agreed} of 1 issue"
        return e.ItemClosed(
            item=item.id,
            reason="nothing_left_open" if early else "rounds_exhausted",
            words=f"That concludes this item: {count} agreed.",
        )

    def closes_debate(self, state: State) -> e.DebateClosed:
        """The chair closes the talks with the count."""
        outcomes = [issue.outcome for issue in state.issues.values()]
        adopted, bracketed = outcomes.count("adopted"), outcomes.count("bracketed")
        rest = len(outcomes) - adopted - bracketed
        return e.DebateClosed(
            adopted=adopted,
            bracketed=bracketed,
            open=rest,
            words=f"The talks are closed. Issues agreed: {adopted} of {len(outcomes)}; "
            f"in brackets: {bracketed}; open: {rest}.",
        )

    async def says(
        self, facts: str, item: Item, state: State, where: str, record: Sequence[Event]
    ) -> AsyncIterator[Event]:
        """The chair's voice on what it has just done; nothing where no model has the voice."""
        if self.voice is None:
            return
        request = self._request(facts, item, state, where)
        reply = legible(await self.voice.answer(request))
        for text in new_texts(request, already_sent(record)):
            yield text
        yield call_event(request, reply)
        worded = _worded(reply)
        if worded:
            yield e.ChairSpoke(item=item.id, text=worded, call=request.call)

    def _request(self, facts: str, item: Item, state: State, where: str) -> Request:
        prompt = shared_part(
            self.parts, "chair-voice", language=self.rules.language, facts=plain(facts)
        )
        call = f"{where}/{CHAIR}#1"
        return Request(
            call=call,
            seat=CHAIR,
            setting=self.setting,
            rules=self.rules,
            item=item,
            phase="round",
            round=state.round,
            state=state,
            mandate=Mandate(CHAIR, item, ()),
            legal=Legal(),
            speech="free",
            messages=(Message("user", (prompt,)),),
            schema={
                "type": "object",
                "properties": {"statement": {"type": "string"}},
                "required": ["statement"],
                "additionalProperties": False,
            },
            seed=int(sha(f"{self.seed}/{call}"), 16) % 2**31,
        )


def _worded(reply: Reply) -> str | None:
    """The chair's words in a reply; None where the voice failed and the fixed phrase stands."""
    if reply.text is None or reply.failure is not None:
        return None
    data = parsed(reply.text)
    words = None if isinstance(data, Unreadable) else data.get("statement")
    return words.strip() or None if isinstance(words, str) else None


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return ", ".join(names[:-1]) + f" and {names[-1]}"
