"""What a seat may do in a turn: the moves, citations and votes that exist for it at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.events import Phase, Stance, VoteChoice
from harness.prompt import Json
from harness.setting import Mandate, Rules, Setting
from harness.state import IssueState, Offer, State


@dataclass(frozen=True)
class Legal:
    """What a seat may do in this turn."""

    citable: tuple[str, ...] = ()
    """Own public positions on the item, by id; empty where the persona prompt shows none."""
    propose: tuple[str, ...] = ()
    """Texts it may table, as `issue/option`: issues on which it has no open offer."""
    concede: tuple[str, ...] = ()
    """Texts by which it may replace its open offer."""
    answer: Mapping[Stance, tuple[str, ...]] = field(default_factory=dict)
    """Open offers of others it may accept, reserve on or reject, by handle."""
    withdraw: tuple[str, ...] = ()
    """Own open offers."""
    ask: tuple[str, ...] = ()
    """Parties it may put a question to."""
    issues: tuple[str, ...] = ()
    """Issues of the item that are not decided."""
    trade: tuple[str, ...] = ()
    """Texts that may be asked for in return for a concession."""
    votes: Mapping[str, tuple[VoteChoice, ...]] = field(default_factory=dict)
    """In a decision: the tabled issues with the answers allowed on each."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The issues of the item by id, numbered for brief answers."""
    brief: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """The same moves in a few words, by number of the issue: `propose LABEL`, `accept O2`, `wait`.

    Gists rather than letters: a very small model copies the letter it chose on the last issue.
    """

    @property
    def moves(self) -> bool:
        """Whether any move can be made at all."""
        return bool(self.propose or self.concede or any(self.answer.values()) or self.withdraw)


def legal(
    state: State,
    setting: Setting,
    rules: Rules,
    mandate: Mandate,
    phase: Phase,
    *,
    guard: bool,
    cites: bool,
) -> Legal:
    """What the mandate's party may do now; with `guard`, nothing that crosses its own red lines."""
    party, item = mandate.party, mandate.item
    citable = tuple(p.id for p in mandate.positions if p.visibility == "public") if cites else ()
    open_issues = tuple(i for i in state.in_item(item.id) if not i.settled)
    barred = set(mandate.red_lines) if guard else set()
    if phase == "decision":
        return Legal(
            citable=citable,
            issues=tuple(i.issue for i in open_issues),
            votes={
                i.issue: _choices(rules, f"{i.issue}/{i.tabled.option}" in barred)
                for i in open_issues
                if i.tabled is not None and not i.votes
            },
            numbers=mandate.numbers,
        )
    if phase in ("reply", "caucus"):
        return Legal(citable=citable, issues=tuple(i.issue for i in open_issues))
    propose: list[str] = []
    concede: list[str] = []
    withdraw: list[str] = []
    answers: dict[Stance, list[str]] = {"accept": [], "reserve": [], "reject": []}
    brief: dict[str, dict[str, Json]] = {}
    for issue in open_issues:
        own = issue.own_offer(party)
        short = brief.setdefault(mandate.numbers[issue.issue], {})
        keys = [key for key in setting.issue(issue.issue).keys if key not in barred]
        if own is None:
            propose += keys
            short |= _in_few_words("propose", keys, setting)
        else:
            withdraw.append(own.id)
            steps = [key for key in keys if key != own.key]
            concede += steps
            short |= _in_few_words("concede", steps, setting)
        for offer in issue.open_offers:
            if offer.party == party or phase == "opening":
                continue
            for stance in _answers(issue, party, offer, barred):
                answers[stance].append(offer.id)
                short[f"{stance} {offer.id}"] = {"move": stance, "offer": offer.id}
        if phase != "opening" or not short:
            short["wait"] = {}
    return Legal(
        citable=citable,
        propose=tuple(propose),
        concede=tuple(concede),
        answer={stance: tuple(offers) for stance, offers in answers.items()},
        withdraw=tuple(withdraw),
        ask=tuple(p for p in state.parties if p != party) if rules.right_of_reply else (),
        issues=tuple(i.issue for i in open_issues),
        trade=tuple(
            key
            for i in open_issues
            for key in setting.issue(i.issue).keys
            if mandate.points[key] > 0 and key not in barred
        ),
        brief=brief,
    )


def _in_few_words(kind: str, keys: Sequence[str], setting: Setting) -> dict[str, Json]:
    words = "move to" if kind == "concede" else kind
    return {f"{words} {setting.option(key).label}": {"move": kind, "text": key} for key in keys}


def _answers(issue: IssueState, party: str, offer: Offer, barred: set[str]) -> list[Stance]:
    """The stances the party may take on another's offer: none that it holds already."""
    held = issue.stands.get((party, offer.option))
    own = issue.own_offer(party)
    stances: list[Stance] = []
    if held != "accept" and offer.key not in barred:
        stances.append("accept")
    if own is None or own.option != offer.option:
        if held != "reserve" and offer.key not in barred:
            stances.append("reserve")
        if held != "reject":
            stances.append("reject")
    return stances


def _choices(rules: Rules, crosses: bool) -> tuple[VoteChoice, ...]:
    if crosses:
        return ("reject",)
    return ("abstain", "reject") if rules.silence else ("accept", "reserve", "reject", "abstain")
