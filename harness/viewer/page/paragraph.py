"""One paragraph of the joint text at one moment, as a set of facts.

What a paragraph says is the mechanism's own (`harness.mechanism.joint_text`); added is how each
party stands to each text, and since which turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from harness import events as e
from harness.mechanism import Paragraph, joint_text
from harness.setting import Position, Setting
from harness.state import IssueState, State
from harness.viewer.anchors import anchor
from harness.viewer.anchors import turn as turn_anchor
from harness.viewer.page.words import OUTCOMES, in_shorts

Status = Literal["blank", "talked", "put", "adopted", "bracketed", "lapsed", "open"]
"""blank: no text on the table; talked: texts are; put: one is put to the decision."""

STATUSES: Mapping[str, str] = {
    **OUTCOMES, "blank": "no text on the table", "talked": "under discussion",
    "put": "put to the decision",
}  # fmt: skip

How = Literal["offers", "offered", "accepts", "reserves", "rejects", "holds"]
"""How a party stands to a text.

offered: by its own offer, which is no longer open; holds: it keeps the text in brackets.
"""


_HELD: Mapping[str, str] = {
    "offers": "offers it", "offered": "offered it", "accepts": "accepts it",
    "reserves": "accepts it with reservation", "rejects": "rejects it",
    "holds": "holds the bracket",
}  # fmt: skip
_GIVEN: Mapping[str, str] = {
    "accept": "voted for", "reserve": "voted for, with a reservation", "reject": "voted against",
    "abstain": "abstained", "no answer": "gave no answer that could be read",
    "by declaration": "declared that it accepts",
}  # fmt: skip
_PLACES: Mapping[str, str] = {
    "table": "on the table", "put": "put to the decision", "adopted": "agreed",
    "bracket": "in brackets",
}  # fmt: skip


class Standing(NamedTuple):
    """Where the paragraph stands, and why."""

    status: Status
    why: str

    @property
    def words(self) -> str:
        """In a few words."""
        return STATUSES[self.status]


class Text(NamedTuple):
    """A text that stands in the paragraph."""

    option: str
    place: Literal["table", "put", "adopted", "bracket"]

    @property
    def words(self) -> str:
        """Where it stands, in words."""
        return _PLACES[self.place]


class Holder(NamedTuple):
    """How a party stands to a text, and since which turn."""

    option: str
    party: str
    how: How
    turn: str
    """Empty where the record does not say."""

    @property
    def to(self) -> str:
        """Anchor of the turn; empty where there is none."""
        return turn_anchor(self.turn) if self.turn else ""

    @property
    def words(self) -> str:
        """What stands after the party's name."""
        return _HELD[self.how]


class Answer(NamedTuple):
    """A formal answer on a text."""

    option: str
    party: str
    choice: Literal["accept", "reserve", "reject", "abstain", "no answer", "by declaration"]
    turn: str
    """The turn of the vote; empty where there was none to be had."""
    because: str | None
    """The position behind it, by id."""
    private: bool = False
    """Whether only its own delegation may know that position."""

    @property
    def to(self) -> str:
        """Anchor of the turn; empty where there is none."""
        return turn_anchor(self.turn) if self.turn else ""

    @property
    def behind(self) -> str:
        """Anchor of the position behind it; empty where none is named."""
        return anchor("pos", self.because) if self.because else ""

    @property
    def words(self) -> str:
        """What stands after the party's name."""
        return _GIVEN[self.choice]


Fact: TypeAlias = Standing | Text | Holder | Answer


_HOW: Mapping[e.Stance, How] = {"accept": "accepts", "reserve": "reserves", "reject": "rejects"}
Since: TypeAlias = Mapping[tuple[str, str, str], str]


def facts(state: State, setting: Setting, issue: str, since: Since) -> tuple[Fact, ...]:
    """What the paragraph of an issue says in this state of the talks.

    Args:
        state: The talks.
        setting: What was debated.
        issue: The issue, by id.
        since: The turn since which each party stands as it does, by (party, issue, option).
    """
    # A state of this one issue, so that the mechanism makes one paragraph and not all of them.
    alone = replace(state, issues={issue: state.issues[issue]})
    paragraph = joint_text(alone, setting)[0]
    return tuple(_facts(paragraph, state.issues[issue], setting, since))


def _facts(
    paragraph: Paragraph, issue: IssueState, setting: Setting, since: Since
) -> Iterator[Fact]:
    yield _standing(paragraph, issue, setting)
    if issue.decision is None:
        yield from _table(issue, since)
        yield from _votes(issue, setting)
        return
    yield from _decided_texts(paragraph, issue, since)
    yield from _votes(issue, setting)
    yield from _answers(issue.decision, since)


def _standing(paragraph: Paragraph, issue: IssueState, setting: Setting) -> Standing:
    if issue.decision is None:
        talked = bool(issue.open_offers or issue.stands)
        return Standing("put" if issue.tabled else "talked" if talked else "blank", "")
    status: Status = paragraph.status if paragraph.status != "undecided" else "blank"
    return Standing("lapsed" if issue.lapsed else status, in_shorts(paragraph.why, setting))


def _table(issue: IssueState, since: Since) -> Iterator[Fact]:
    """What is on the table before the decision, and who has declared what about it."""
    put = issue.tabled.option if issue.tabled else None
    offered = [offer.option for offer in issue.open_offers]
    declared = [option for _, option in issue.stands]
    for option in dict.fromkeys([*([put] if put else []), *offered, *declared]):
        yield Text(option, "put" if option == put else "table")
    own = {(offer.party, offer.option): offer.turn for offer in issue.open_offers}
    for (party, option), turn in own.items():
        yield Holder(option, party, "offers", turn)
    made = {(offer.party, offer.option, offer.turn) for offer in issue.offers}
    for (party, option), stance in issue.stands.items():
        if (party, option) not in own:
            turn = since.get((party, issue.issue, option), "")
            by_offer = stance == "accept" and (party, option, turn) in made
            yield Holder(option, party, "offered" if by_offer else _HOW[stance], turn)


def _decided_texts(paragraph: Paragraph, issue: IssueState, since: Since) -> Iterator[Fact]:
    if paragraph.text is not None and paragraph.option is not None:
        yield Text(paragraph.option, "adopted")
    for option, _, holders in paragraph.brackets:
        yield Text(option, "bracket")
        for party in holders:
            yield Holder(option, party, "holds", since.get((party, issue.issue, option), ""))


def _votes(issue: IssueState, setting: Setting) -> Iterator[Fact]:
    for vote in issue.votes:
        if issue.tabled is not None and vote.sha == issue.tabled.sha:
            known = _known(vote.because, setting)
            yield Answer(
                issue.tabled.option, vote.party, vote.vote, vote.turn,
                known.id if known else None,
                known is not None and known.visibility == "confidential",
            )  # fmt: skip


def _known(name: str | None, setting: Setting) -> Position | None:
    """The position, if it is one that the page has."""
    held = (each for party in setting.parties for each in party.positions)
    return next((each for each in held if each.id == name), None)


def _answers(decision: e.Decided, since: Since) -> Iterator[Fact]:
    """The answers that are no votes: declared on the floor, or not to be had."""
    if decision.option is None:
        return
    if decision.by == "declaration":
        for party in decision.accept:
            turn = since.get((party, decision.issue, decision.option), "")
            yield Answer(decision.option, party, "by declaration", turn, None)
    for party in decision.missing:
        yield Answer(decision.option, party, "no answer", "", None)
