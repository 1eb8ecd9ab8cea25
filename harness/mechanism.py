"""Offers, votes, adoption and the joint text: the code that owns the outcome.

Everything here is a pure function over values. No model is asked anything and no prose is read:
a move is in order or it is not, a text is adopted or it is not, and each answer says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness import events as e
from harness.events import Bracket, Move, Reservation, VoteChoice
from harness.setting import Rules, Setting, sha
from harness.state import IssueState, State, advance


@dataclass(frozen=True)
class Ruling:
    """A move that is out of order, and why."""

    why: str


@dataclass(frozen=True)
class Compromise:
    """The text the chair may table, found among the declared acceptances."""

    option: str
    acceptances: tuple[str, ...]
    rule: str


@dataclass(frozen=True)
class TurnOf:
    """Whose turn a move belongs to; copied onto the event."""

    turn: str
    party: str
    item: str
    phase: e.Phase
    round: int
    call: str


def rule(state: State, setting: Setting, party: str, move: Move) -> Ruling | None:
    """Why the move is out of order, or None if it is in order."""
    issue = state.issues.get(move.issue)
    if issue is None:
        return Ruling(f"there is no issue {move.issue!r} on this agenda")
    if issue.item != state.item:
        return Ruling(f"{move.issue!r} is not part of the item under discussion")
    if issue.settled:
        return Ruling(f"{move.issue!r} has been decided")
    if state.phase in ("caucus", "decision", None):
        return Ruling("moves are made on the floor, not in this phase")
    if move.move == "ask":
        if move.to == party or move.to not in state.parties:
            return Ruling("a question goes to another delegation at this table")
        return None
    if move.option is None or move.sha is None:
        return Ruling("the move names no text")
    try:
        current = setting.text_sha(move.key)
    except KeyError:
        return Ruling(f"there is no text {move.key!r}")
    if move.sha != current:
        return Ruling(f"the text of {move.key!r} is not the one this move was made on")
    match move.move:
        case "propose" | "concede":
            return _rule_on_new_offer(issue, party, move)
        case "withdraw":
            own = issue.own_offer(party)
            if own is None or own.id != move.offer or own.option != move.option:
                return Ruling("only one's own open offer can be withdrawn")
            return None
        case _:
            return _rule_on_answer(state, issue, party, move)


def _rule_on_new_offer(issue: IssueState, party: str, move: Move) -> Ruling | None:
    own = issue.own_offer(party)
    if own is not None and own.option == move.option:
        return Ruling(f"{move.key!r} is already this delegation's offer")
    if move.move == "concede" and own is None:
        return Ruling("there is no earlier offer to concede from")
    if move.in_return_for is not None and move.in_return_for.partition("/")[0] == move.issue:
        return Ruling("a concession cannot be asked for on the same issue")
    return None


def _rule_on_answer(state: State, issue: IssueState, party: str, move: Move) -> Ruling | None:
    if state.phase == "opening":
        return Ruling("opening statements table offers; answers wait for the rounds")
    offer = next((o for o in issue.offers if o.id == move.offer), None)
    if offer is None:
        return Ruling(f"there is no offer {move.offer!r} on this issue")
    if offer.party == party:
        return Ruling("nobody answers their own offer")
    if offer.status != "open":
        return Ruling(f"offer {offer.id} is no longer open ({offer.status})")
    own = issue.own_offer(party)
    if move.move != "accept" and own is not None and own.option == offer.option:
        return Ruling(f"this delegation has the text of {offer.id} on the table itself")
    if offer.option != move.option:
        return Ruling(f"offer {offer.id} is for {offer.key!r}, not {move.key!r}")
    return None


def play(state: State, setting: Setting, of: TurnOf, move: Move) -> e.MoveMade | e.RuledOut:
    """The event a move makes: carried out, or ruled out of order."""
    ruling = rule(state, setting, of.party, move)
    place = of.__dict__
    if ruling is not None:
        return e.RuledOut(**place, move=move, why=ruling.why)
    if move.move in ("propose", "concede"):
        own = state.issues[move.issue].own_offer(of.party)
        replaced = own.id if own else None
        if move.move == "concede":  # of several steps in one turn each replaces the one before
            move = move.model_copy(update={"offer": replaced})
        return e.MoveMade(**place, move=move, offer=f"O{state.offers + 1}", replaced=replaced)
    return e.MoveMade(**place, move=move)


def after(state: State, setting: Setting, of: TurnOf, move: Move) -> State | Ruling:
    """The state after a move, or the ruling against it."""
    event = play(state, setting, of, move)
    return Ruling(event.why) if isinstance(event, e.RuledOut) else advance(state, event)


def declared(state: State, issue: IssueState) -> str | None:
    """The option every party has declared it accepts without reservation, if there is one."""
    options = dict.fromkeys(option for _, option in issue.stands)
    for option in options:
        if set(issue.standing_for(option, "accept")) == set(state.parties):
            return option
    return None


def agreed_on_the_floor(
    state: State, setting: Setting, rules: Rules, item: str
) -> tuple[e.Decided, ...]:
    """The issues of an item that unanimous declared acceptance adopts at once, under any rule.

    Where the item is a package, none is adopted before all that are left can be.
    """
    left = [issue for issue in state.in_item(item) if not issue.settled]
    found = [(issue, option) for issue in left if (option := declared(state, issue)) is not None]
    if rules.package == "item" and len(found) < len(left):
        return ()
    return tuple(adopt_declared(state, issue, setting, option) for issue, option in found)


def compromise(state: State, issue: IssueState, seed: int) -> Compromise | None:
    """The text to table, by a stated rule that is blind to who is who.

    Most declared acceptances (with or without reservation), then texts still on offer before those
    their owner has replaced, then fewest declared rejections, then fewest reservations, then a lot
    drawn from the seed and the text. Swapping two parties' seats swaps the result. Texts already
    put are left out. None where nothing (else) was declared.
    """
    options = [o for o in dict.fromkeys(option for _, option in issue.stands) if o not in issue.put]
    on_offer = {offer.option for offer in issue.open_offers}
    ranked: dict[str, tuple[int, bool, int, int]] = {}
    for option in options:
        backers = issue.standing_for(option, "accept", "reserve")
        if backers:
            ranked[option] = (
                -len(backers),
                option not in on_offer,
                len(issue.standing_for(option, "reject")),
                len(issue.standing_for(option, "reserve")),
            )
    if not ranked:
        return None
    best = min(ranked.values())
    tied = sorted(option for option, rank in ranked.items() if rank == best)
    chosen = min(tied, key=lambda option: sha(f"{seed}/{issue.issue}/{option}"))
    backers = issue.standing_for(chosen, "accept", "reserve")
    rule = f"declared acceptable by {len(backers)} of {len(state.parties)}"
    if len(tied) > 1:
        rule += f"; drawn by lot among {len(tied)} texts of equal support"
    return Compromise(chosen, tuple(p for p in state.parties if p in backers), rule)


def tally(state: State, issue: IssueState, rules: Rules) -> e.Decided:
    """The formal decision on the tabled text, by the decision rule; open if nothing was tabled."""
    if issue.tabled is None:
        return e.Decided(
            item=issue.item,
            issue=issue.issue,
            outcome="open",
            by="none",
            why="no delegation declared that it could accept any text",
        )
    tabled = issue.tabled
    votes = {vote.party: vote for vote in issue.votes if vote.sha == tabled.sha}

    def cast(choice: VoteChoice) -> tuple[str, ...]:
        return tuple(p for p in state.parties if p in votes and votes[p].vote == choice)

    accept, reserve = cast("accept"), cast("reserve")
    reject, abstain = cast("reject"), cast("abstain")
    absent = tuple(p for p in state.parties if p not in votes)
    adopted, why = _adopts(rules, accept + reserve, reject, absent)
    return e.Decided(
        item=issue.item,
        issue=issue.issue,
        outcome="adopted" if adopted else "bracketed",
        by="vote",
        option=tabled.option,
        sha=tabled.sha,
        accept=accept,
        reserve=tuple(Reservation(party=p, because=votes[p].because) for p in reserve),
        reject=reject,
        abstain=abstain,
        missing=absent,
        brackets=() if adopted else _brackets(state, issue, tabled.option, accept + reserve),
        why=why,
    )


def adopt_declared(state: State, issue: IssueState, setting: Setting, option: str) -> e.Decided:
    """The decision on a text that every party has declared it accepts."""
    return e.Decided(
        item=issue.item,
        issue=issue.issue,
        outcome="adopted",
        by="declaration",
        option=option,
        sha=setting.text_sha(f"{issue.issue}/{option}"),
        accept=state.parties,
        why="every delegation has declared that it accepts this text",
    )


def _adopts(
    rules: Rules, favour: tuple[str, ...], against: tuple[str, ...], missing: tuple[str, ...]
) -> tuple[bool, str]:
    """Whether the decision rule adopts, and the count in words."""
    count = f"{len(favour)} for, {len(against)} against"
    if rules.silence:
        if against:
            return False, f"silence procedure: broken by {_names(against)}"
        if missing:
            # An answer that could not be had is not silence.
            return False, f"silence procedure: no valid answer from {_names(missing)}"
        return True, "silence procedure: nobody broke silence"
    if rules.decision == "consensus":
        if against:
            return False, f"consensus: {count}; {_names(against)} cannot accept the text"
        if missing:
            return False, f"consensus: {count}; no valid answer from {_names(missing)}"
        if len(favour) < 2:
            return False, f"consensus: {count}; it takes at least two delegations to agree"
        return True, f"consensus: {count}, no objection"
    if rules.decision == "veto":
        blocked = tuple(p for p in rules.vetoes if p in against)
        if blocked:
            return False, f"veto: {count}; {_names(blocked)} used its veto"
        unheard = tuple(p for p in rules.vetoes if p in missing)
        if unheard:
            return False, f"veto: {count}; no valid answer from veto-holder {_names(unheard)}"
    if len(favour) == len(against):
        carried = rules.ties == "pass" and bool(favour)
        return carried, f"{rules.decision}: {count}; a tie {rules.ties}es" if carried else (
            f"{rules.decision}: {count}; a tie fails"
        )
    return len(favour) > len(against), f"{rules.decision}: {count}"


def _brackets(
    state: State, issue: IssueState, tabled: str, favour: tuple[str, ...]
) -> tuple[Bracket, ...]:
    """What stays on the table: each text some party stands for, the tabled one by its votes."""
    options = dict.fromkeys([tabled, *(option for _, option in issue.stands)])
    held: list[Bracket] = []
    for option in sorted(options):
        own = {offer.party for offer in issue.open_offers if offer.option == option}
        owners = tuple(p for p in state.parties if p in own)
        # A text that found no vote at all is still held by whoever has it on the table.
        holders = (favour or owners) if option == tabled else owners
        if holders:
            held.append(Bracket(option=option, holders=holders))
    return tuple(held)


def package(state: State, rules: Rules, item: str | None) -> e.PackageRuled | None:
    """Whether the adopted texts of a package stand; None where no package rule applies now."""
    scope: Literal["item", "agenda"] = "agenda" if item is None else "item"
    if rules.package != scope:
        return None
    issues = state.in_item(item) if item is not None else tuple(state.issues.values())
    adopted = tuple(i.issue for i in issues if i.outcome == "adopted")
    short = tuple(i.issue for i in issues if i.outcome != "adopted")
    why = (
        f"nothing is agreed until everything is agreed: {_names(short)} not adopted"
        if short
        else "everything in the package was adopted"
    )
    return e.PackageRuled(scope=scope, item=item, stands=not short, issues=adopted, why=why)


@dataclass(frozen=True)
class Paragraph:
    """One issue of the joint text."""

    item: str
    issue: str
    status: Literal["adopted", "bracketed", "open", "undecided"]
    """undecided: the debate stopped before the issue was put."""
    text: str | None
    """The adopted text."""
    option: str | None
    accepted_by: tuple[str, ...]
    reservations: tuple[Reservation, ...]
    brackets: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(option, text, holders) of each bracketed text."""
    why: str


def joint_text(state: State, setting: Setting) -> tuple[Paragraph, ...]:
    """The single negotiating text as it stands."""
    return tuple(_paragraph(issue, setting) for issue in state.issues.values())


def _paragraph(issue: IssueState, setting: Setting) -> Paragraph:
    decision = issue.decision
    if decision is None:
        offers = tuple(Bracket(option=o.option, holders=(o.party,)) for o in issue.open_offers)
        return Paragraph(
            issue.item, issue.issue, "undecided", None, None, (), (),
            _texts(setting, issue.issue, offers), "the debate stopped before this was put",
        )  # fmt: skip
    status = issue.outcome
    assert status is not None
    text = None
    brackets = decision.brackets
    why = decision.why
    if decision.outcome == "adopted" and decision.option is not None:
        favour = decision.accept + tuple(r.party for r in decision.reserve)
        if issue.lapsed:
            brackets = (Bracket(option=decision.option, holders=favour),)
            why = "adopted, but lapsed with the package it belonged to"
        else:
            text = setting.option(f"{issue.issue}/{decision.option}").text
    return Paragraph(
        issue.item, issue.issue, status, text, decision.option, decision.accept,
        decision.reserve, _texts(setting, issue.issue, brackets), why,
    )  # fmt: skip


def _texts(
    setting: Setting, issue: str, brackets: tuple[Bracket, ...]
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (b.option, setting.option(f"{issue}/{b.option}").text, b.holders) for b in brackets
    )


def _names(ids: tuple[str, ...]) -> str:
    return ", ".join(ids)
