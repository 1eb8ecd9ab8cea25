"""Offers, votes, adoption: by random moves against a second book, and by tables of cases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import events as e
from harness.events import Bracket, Decided, Move, Phase, Reservation, VoteChoice
from harness.mechanism import (
    Compromise,
    Ruling,
    TurnOf,
    adopt_declared,
    after,
    compromise,
    declared,
    joint_text,
    package,
    play,
    rule,
    tally,
)
from harness.setting import Rules, Setting
from harness.state import OnTable, State, Vote, advance, fold
from tests.rooms import (
    Held,
    Improviser,
    a_party,
    a_room,
    a_setting,
    an_issue,
    an_item,
    held,
    random_rules,
    random_setting,
    two_sides,
)

SEEDS = st.integers(0, 2**32)


def opened(setting: Setting, phase: Phase = "round", round_: int = 1) -> list[e.Event]:
    """The record up to the moment at which moves are made on the first item."""
    card = e.RunCard(
        setting=setting, setting_sha=setting.sha, rules=Rules(), seats=(), seed=0, versions={}
    )
    item = setting.items[0].id
    return [
        card,
        e.ItemOpened(item=item, words=""),
        e.RoundOpened(item=item, phase=phase, round=round_),
    ]


def of(state: State, party: str) -> TurnOf:
    assert state.item is not None
    return TurnOf(f"T{state.turns + 1}", party, state.item, state.phase or "round", 1, "call")


def a_move(setting: Setting, kind: str, key: str, offer: str | None = None, **more: Any) -> Move:
    issue, _, option = key.partition("/")
    sha = setting.text_sha(key)
    return Move.model_validate(
        {"move": kind, "issue": issue, "option": option, "sha": sha, "offer": offer, **more}
    )


class Table:
    """A state and the moves made on it, each of which must be in order."""

    def __init__(self, setting: Setting, phase: Phase = "round") -> None:
        self.setting = setting
        self.state = fold(opened(setting, phase))

    def tries(self, party: str, move: Move) -> str | None:
        """Make a move; the ruling against it, if there is one."""
        found = after(self.state, self.setting, of(self.state, party), move)
        if isinstance(found, Ruling):
            return found.why
        self.state = found
        return None

    def does(self, party: str, kind: str, key: str, offer: str | None = None, **more: Any) -> Table:
        assert self.tries(party, a_move(self.setting, kind, key, offer, **more)) is None
        return self


# --- one move at a time -------------------------------------------------------------------------


def test_nobody_accepts_their_own_offer() -> None:
    table = Table(two_sides()).does("us", "propose", "limits-0/a")
    own = a_move(table.setting, "accept", "limits-0/a", "O1")
    assert table.tries("us", own) == "nobody answers their own offer"


@pytest.mark.parametrize("kind", ["accept", "reserve", "reject"])
def test_an_offer_that_was_withdrawn_replaced_or_closed_cannot_be_answered(kind: str) -> None:
    setting = two_sides()
    late = a_move(setting, kind, "limits-0/a", "O1")
    withdrawn = Table(setting).does("us", "propose", "limits-0/a")
    withdrawn.does("us", "withdraw", "limits-0/a", "O1")
    replaced = (
        Table(setting).does("us", "propose", "limits-0/a").does("us", "concede", "limits-0/c")
    )
    closed = Table(setting).does("us", "propose", "limits-0/a")
    decision = tally(closed.state, closed.state.issues["limits-0"], Rules())
    closed.state = advance(closed.state, decision)
    assert [table.tries("ru", late) for table in (withdrawn, replaced, closed)] == [
        "offer O1 is no longer open (withdrawn)",
        "offer O1 is no longer open (replaced)",
        "'limits-0' has been decided",
    ]


def test_a_move_on_another_item_on_no_issue_on_no_text_or_on_an_old_text_is_ruled_out() -> None:
    items = (an_item(an_issue("one")), an_item(an_issue("two"), item_id="later"))
    setting = a_setting(a_party("us"), a_party("ru"), items=items)
    table = Table(setting)
    right = a_move(setting, "propose", "one/a")
    wrong = [
        a_move(setting, "propose", "two/a"),
        right.model_copy(update={"issue": "three"}),
        right.model_copy(update={"option": "zz"}),
        right.model_copy(update={"sha": setting.text_sha("one/b")}),
        right.model_copy(update={"sha": None}),
        right.model_copy(update={"option": None}),
    ]
    before = table.state
    assert [table.tries("us", move) for move in wrong] == [
        "'two' is not part of the item under discussion",
        "there is no issue 'three' on this agenda",
        "there is no text 'one/zz'",
        "the text of 'one/a' is not the one this move was made on",
        "the move names no text",
        "the move names no text",
    ]
    assert table.state is before


@pytest.mark.parametrize("phase", ["caucus", "decision"])
def test_nothing_moves_in_a_private_meeting_or_during_a_decision(phase: Phase) -> None:
    table = Table(two_sides(), phase)
    move = a_move(table.setting, "propose", "limits-0/a")
    assert table.tries("us", move) == "moves are made on the floor, not in this phase"


def test_an_acceptance_names_the_offer_for_exactly_that_text() -> None:
    table = Table(two_sides()).does("us", "propose", "limits-0/a")
    other = a_move(table.setting, "accept", "limits-0/c", "O1")
    none = a_move(table.setting, "accept", "limits-0/a", "O7")
    assert [table.tries("ru", move) for move in (other, none)] == [
        "offer O1 is for 'limits-0/a', not 'limits-0/c'",
        "there is no offer 'O7' on this issue",
    ]


def test_offers_are_answered_in_the_rounds_and_not_in_opening_statements() -> None:
    table = Table(two_sides(), "opening").does("us", "propose", "limits-0/a")
    early = a_move(table.setting, "accept", "limits-0/a", "O1")
    assert (
        table.tries("ru", early) == "opening statements table offers; answers wait for the rounds"
    )


def test_only_the_owner_takes_an_offer_back() -> None:
    table = Table(two_sides()).does("us", "propose", "limits-0/a")
    move = a_move(table.setting, "withdraw", "limits-0/a", "O1")
    assert table.tries("ru", move) == "only one's own open offer can be withdrawn"
    assert table.tries("us", move) is None
    assert table.state.issues["limits-0"].stands == {}


def test_a_concession_needs_an_offer_to_concede_from_and_a_price_on_another_issue() -> None:
    table = Table(two_sides(issues=2))
    early = a_move(table.setting, "concede", "limits-0/c")
    assert table.tries("us", early) == "there is no earlier offer to concede from"
    table.does("us", "propose", "limits-0/a")
    same = a_move(table.setting, "concede", "limits-0/c", in_return_for="limits-0/b")
    assert table.tries("us", same) == "a concession cannot be asked for on the same issue"
    table.does("us", "concede", "limits-0/c", in_return_for="limits-1/a")
    offers = table.state.issues["limits-0"].offers
    assert [(o.id, o.option, o.status) for o in offers] == [
        ("O1", "a", "replaced"),
        ("O2", "c", "open"),
    ]


def test_a_party_cannot_turn_down_the_text_of_its_own_open_offer() -> None:
    table = Table(two_sides())
    table.does("us", "propose", "limits-0/c").does("ru", "propose", "limits-0/c")
    for kind in ("reject", "reserve"):
        move = a_move(table.setting, kind, "limits-0/c", "O2")
        assert table.tries("us", move) == "this delegation has the text of O2 on the table itself"


def test_a_question_goes_to_another_delegation_at_this_table() -> None:
    table = Table(two_sides())
    ask = Move(move="ask", issue="limits-0", to="us")
    why = "a question goes to another delegation at this table"
    assert [table.tries("us", ask.model_copy(update={"to": to})) for to in ("us", "xx", "ru")] == [
        why,
        why,
        None,
    ]
    assert table.state.questions == (("us", "ru", "limits-0"),)


def test_two_offers_of_the_same_text_are_an_agreement() -> None:
    table = Table(two_sides())
    table.does("us", "propose", "limits-0/c").does("ru", "propose", "limits-0/c")
    assert declared(table.state, table.state.issues["limits-0"]) == "c"


def test_a_reservation_is_not_a_declaration_that_adopts_by_itself() -> None:
    table = Table(two_sides())
    table.does("us", "propose", "limits-0/c").does("ru", "reserve", "limits-0/c", "O1")
    assert declared(table.state, table.state.issues["limits-0"]) is None


def test_a_withdrawn_offer_leaves_no_acceptance_behind() -> None:
    table = Table(two_sides()).does("us", "propose", "limits-0/c")
    table.does("ru", "accept", "limits-0/c", "O1")
    assert declared(table.state, table.state.issues["limits-0"]) == "c"
    table.does("us", "withdraw", "limits-0/c", "O1")
    assert declared(table.state, table.state.issues["limits-0"]) is None


def test_of_several_concessions_in_one_turn_each_replaces_the_one_before() -> None:
    table = Table(two_sides()).does("us", "propose", "limits-0/a")
    late = a_move(table.setting, "concede", "limits-0/b", "O1")
    table.does("us", "concede", "limits-0/c", "O1")
    event = play(table.state, table.setting, of(table.state, "us"), late)
    assert isinstance(event, e.MoveMade)
    assert (event.offer, event.replaced, event.move.offer) == ("O3", "O2", "O2")


# --- random moves against a second book-keeping -------------------------------------------------


@dataclass
class Book:
    """What the rules of procedure say, kept a second time and in another way."""

    setting: Setting
    item: str
    opening: bool
    offers: dict[str, list[str]] = field(default_factory=dict)
    """Handle -> [owner, issue, option, status]."""
    stances: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def own(self, party: str, issue: str) -> str | None:
        for handle, (owner, on, _, status) in self.offers.items():
            if (owner, on, status) == (party, issue, "open"):
                return handle
        return None

    def allows(self, party: str, move: Move) -> bool:
        item = self.setting.item(self.item)
        if move.issue not in {issue.id for issue in item.issues}:
            return False
        if move.move == "ask":
            return move.to != party and move.to in {p.id for p in self.setting.parties}
        issue = self.setting.issue(move.issue)
        if move.option not in {option.id for option in issue.options}:
            return False
        if move.sha != self.setting.text_sha(f"{move.issue}/{move.option}"):
            return False
        own = self.own(party, move.issue)
        own_text = self.offers[own][2] if own else None
        if move.move in ("propose", "concede"):
            same_issue = (move.in_return_for or "").partition("/")[0] == move.issue
            return own_text != move.option and not (
                move.move == "concede" and own is None
            ) and not same_issue  # fmt: skip
        if move.move == "withdraw":
            return own is not None and move.offer == own and own_text == move.option
        offer = self.offers.get(move.offer or "")
        if offer is None or offer[0] == party or offer[3] != "open":
            return False
        if self.opening or (move.move != "accept" and own_text == offer[2]):
            return False
        return (offer[1], offer[2]) == (move.issue, move.option)

    def note(self, party: str, move: Move) -> None:
        if move.move == "ask":
            return
        assert move.option is not None
        own = self.own(party, move.issue)
        place = (party, move.issue, move.option)
        match move.move:
            case "withdraw":
                assert own is not None
                self.offers[own][3] = "withdrawn"
                kept = {o[2] for o in self.offers.values() if o[1] == move.issue and o[3] == "open"}
                for who, issue, option in list(self.stances):
                    mine = (who, issue) == (party, move.issue)
                    stale = option == move.option or option not in kept
                    if mine and stale and self.stances[who, issue, option] != "reject":
                        del self.stances[who, issue, option]
            case "propose" | "concede":
                if own is not None:
                    self.offers[own][3] = "replaced"
                handle = f"O{len(self.offers) + 1}"
                self.offers[handle] = [party, move.issue, move.option, "open"]
                self.stances[place] = "accept"
            case stance:
                self.stances[place] = stance


def any_move(rng: random.Random, setting: Setting, state: State) -> Move:
    """Any move at all, in order or not."""
    issues = [issue.id for item in setting.items for issue in item.issues]
    issue = rng.choice([*issues, "nowhere"]) if rng.random() < 0.2 else rng.choice(issues)
    keys = setting.issue(issue).keys if issue in issues else ("nowhere/a",)
    option = rng.choice(keys).partition("/")[2] if rng.random() < 0.95 else "zz"
    offers = [o for i in state.issues.values() for o in i.offers]
    offer = None
    if offers and rng.random() < 0.8:
        meant = rng.choice(offers)
        offer = meant.id
        if rng.random() < 0.8:
            issue, option = meant.issue, meant.option
    key = f"{issue}/{option}"
    try:
        sha = setting.text_sha(key if rng.random() < 0.95 else rng.choice(keys))
    except KeyError:
        sha = "0" * 16
    return Move(
        move=rng.choice(e.MoveKind.__args__),  # type: ignore[attr-defined]
        issue=issue,
        option=option,
        sha=sha,
        offer=offer,
        to=rng.choice([*state.parties, "nobody", None]),
        in_return_for=rng.choice([None, None, *keys]),
    )


@given(
    seed=SEEDS,
    parties=st.integers(2, 6),
    issues=st.integers(1, 40),
    count=st.integers(1, 60),
    opening=st.booleans(),
)
def test_random_moves_are_ruled_and_carried_out_as_a_second_book_says(
    seed: int, parties: int, issues: int, count: int, opening: bool
) -> None:
    rng = random.Random(seed)
    setting = random_setting(seed, parties, items=2, issues=(issues + 1) // 2)
    events: list[e.Event] = opened(setting, "opening" if opening else "round")
    state = fold(events)
    book = Book(setting, setting.items[0].id, opening)
    for _ in range(count):
        party, move = rng.choice(state.parties), any_move(rng, setting, state)
        allowed = book.allows(party, move)
        event = play(state, setting, of(state, party), move)
        found = after(state, setting, of(state, party), move)
        assert (rule(state, setting, party, move) is None) is allowed
        if allowed:
            book.note(party, move)
            assert isinstance(event, e.MoveMade)
            assert found == advance(state, event)
        else:
            assert isinstance(event, e.RuledOut)
            assert found == Ruling(event.why)
            assert advance(state, event) == state
        events.append(event)
        state = advance(state, event)
        assert state == fold(events)
        kept = {o.id: [o.party, o.issue, o.option, o.status] for i in state.issues.values()
                for o in i.offers}  # fmt: skip
        stands = {
            (party, issue.issue, option): stance
            for issue in state.issues.values()
            for (party, option), stance in issue.stands.items()
        }
        assert (kept, stands) == (book.offers, book.stances)
        open_now = [(o.party, o.issue) for i in state.issues.values() for o in i.open_offers]
        assert len(open_now) == len(set(open_now))


# --- whole debates ------------------------------------------------------------------------------


def adopts(rules: Rules, votes: dict[str, str], missing: Sequence[str]) -> bool:
    """The decision rules, said a second time."""
    cast = list(votes.values())
    favour, against = cast.count("accept") + cast.count("reserve"), cast.count("reject")
    if rules.silence:
        return not against and not missing
    if rules.decision == "consensus":
        return not against and not missing and favour >= 2
    if rules.decision == "veto":
        for holder in rules.vetoes:
            if holder in missing or votes.get(holder) == "reject":
                return False
    return favour > against or (favour == against and rules.ties == "pass" and favour > 0)


def check_outcomes(past: Held) -> None:
    """Every decision of a debate follows from the moves and votes before it, and nothing else."""
    setting, rules = past.card.setting, past.card.rules
    parties = tuple(p.id for p in setting.parties)
    book: Book | None = None
    tabled: dict[str, e.Tabled] = {}
    votes: dict[str, dict[str, e.VoteCast]] = {}
    decided: dict[str, Decided] = {}
    for event in past.events:
        match event:
            case e.ItemOpened():
                book = Book(setting, event.item, False, book.offers if book else {})
            case e.RoundOpened():
                assert book is not None
                book.opening = event.phase == "opening"
            case e.MoveMade():
                assert book is not None
                assert book.allows(event.party, event.move)
                assert event.move.issue not in decided
                book.note(event.party, event.move)
            case e.RuledOut():
                assert book is not None
            case e.Tabled():
                assert event.issue not in decided
                assert event.sha == setting.text_sha(f"{event.issue}/{event.option}")
                backers = {p for (p, i, o), s in book.stances.items() if i == event.issue
                           and o == event.option and s != "reject"} if book else set()  # fmt: skip
                assert set(event.acceptances) == backers
                assert backers
                tabled[event.issue], votes[event.issue] = event, {}
            case e.VoteCast():
                assert event.sha == tabled[event.issue].sha
                assert event.party not in votes[event.issue]
                votes[event.issue][event.party] = event
            case Decided():
                assert event.issue not in decided
                assert book is not None
                _check_decision(event, rules, parties, book, tabled, votes)
                decided[event.issue] = event
                for offer in book.offers.values():
                    if offer[1] == event.issue and offer[3] == "open":
                        offer[3] = "closed"
            case _:
                pass
    assert isinstance(past.events[-1], e.DebateClosed)
    assert set(decided) == {i.id for item in setting.items for i in item.issues}
    _check_packages(past, decided)
    closed = past.events[-1]
    found = [issue.outcome for issue in past.state.issues.values()]
    assert (closed.adopted, closed.bracketed, closed.open) == (
        found.count("adopted"), found.count("bracketed"), found.count("open"),
    )  # fmt: skip


def _check_decision(
    decision: Decided,
    rules: Rules,
    parties: tuple[str, ...],
    book: Book,
    tabled: dict[str, e.Tabled],
    votes: dict[str, dict[str, e.VoteCast]],
) -> None:
    issue = decision.issue
    if decision.by == "declaration":
        stands = [book.stances.get((p, issue, decision.option or "")) for p in parties]
        assert stands == ["accept"] * len(parties)
        assert (decision.outcome, decision.accept) == ("adopted", parties)
        return
    if decision.by == "none":
        assert decision.outcome == "open"
        assert issue not in tabled
        return
    cast = {party: vote.vote for party, vote in votes[issue].items()}
    missing = [p for p in parties if p not in cast]
    expected = "adopted" if adopts(rules, dict(cast), missing) else "bracketed"
    assert decision.outcome == expected
    assert (decision.option, decision.sha) == (tabled[issue].option, tabled[issue].sha)
    by_choice = {c: tuple(p for p in parties if cast.get(p) == c) for c in set(cast.values())}
    assert decision.accept == by_choice.get("accept", ())
    assert decision.reject == by_choice.get("reject", ())
    assert decision.abstain == by_choice.get("abstain", ())
    assert decision.missing == tuple(missing)
    assert decision.reserve == tuple(
        Reservation(party=p, because=votes[issue][p].because) for p in by_choice.get("reserve", ())
    )
    own = {o: {p for p, i, x, s in book.offers.values() if (i, x, s) == (issue, o, "open")}
           for _, i, o, _ in book.offers.values() if i == issue}  # fmt: skip
    favour = {p for p, v in cast.items() if v in ("accept", "reserve")}
    own[decision.option or ""] = favour or own.get(decision.option or "", set())
    holders = {b.option: set(b.holders) for b in decision.brackets}
    assert holders == ({} if expected == "adopted" else {o: who for o, who in own.items() if who})


def _check_packages(past: Held, decided: dict[str, Decided]) -> None:
    setting, rules = past.card.setting, past.card.rules
    ruled = past.of(e.PackageRuled)
    if rules.package == "none":
        assert ruled == []
        return
    groups: list[tuple[str | None, list[str]]] = (
        [(item.id, [i.id for i in item.issues]) for item in setting.items]
        if rules.package == "item"
        else [(None, [i.id for item in setting.items for i in item.issues])]
    )
    assert [r.item for r in ruled] == [item for item, _ in groups]
    for ruling, (_, issues) in zip(ruled, groups, strict=True):
        adopted = [i for i in issues if decided[i].outcome == "adopted"]
        assert ruling.stands == (len(adopted) == len(issues))
        assert list(ruling.issues) == adopted
        for issue in issues:
            lapsed = issue in adopted and not ruling.stands
            found = past.state.issues[issue].outcome
            assert found == ("bracketed" if lapsed else decided[issue].outcome)


@given(
    seed=SEEDS,
    parties=st.integers(2, 6),
    items=st.integers(1, 3),
    issues=st.integers(1, 4),
    bad=st.sampled_from((0.0, 0.1, 0.5)),
)
def test_in_any_debate_every_outcome_follows_from_moves_and_votes_and_the_talks_end(
    seed: int, parties: int, items: int, issues: int, bad: float
) -> None:
    setting = random_setting(seed, parties, items, issues)
    rules = random_rules(seed, setting)
    seat = Improviser(seed, bad=bad, reads_prompts=False)
    check_outcomes(held(a_room(setting, seat, rules=rules, guard=seed % 2 == 0)))


@pytest.mark.parametrize(("parties", "issues"), [(2, 1), (6, 1), (2, 40), (6, 40)])
def test_two_or_six_parties_debate_one_issue_or_forty(parties: int, issues: int) -> None:
    setting = random_setting(7, parties, 1, issues)
    check_outcomes(held(a_room(setting, Improviser(7, reads_prompts=False))))
    check_outcomes(held(a_room(setting)))


# --- the decision rules as a table --------------------------------------------------------------

WORDS: dict[str, VoteChoice | None] = {
    "+": "accept", "~": "reserve", "-": "reject", "0": "abstain", "?": None,
}  # fmt: skip


def decision(cast: str, rules: Rules) -> Decided:
    """The decision on one tabled text, with one character a party: + ~ - 0, and ? for no answer."""
    names = ("us", "ru", "de", "cn", "ua", "nato")[: len(cast)]
    setting = a_setting(*(a_party(name) for name in names), items=(an_item(an_issue("one")),))
    state = fold(opened(setting, "decision"))
    sha = setting.text_sha("one/a")
    votes = [
        Vote(name, choice, sha, None, "T1")
        for name, mark in zip(names, cast, strict=True)
        if (choice := WORDS[mark]) is not None
    ]
    issue = replace(state.issues["one"], tabled=OnTable("a", sha), put=("a",), votes=tuple(votes))
    return tally(state, issue, rules)


CONSENSUS = Rules(decision="consensus")
MAJORITY = Rules(decision="majority")
TIES = Rules(decision="majority", ties="pass")
VETO = Rules(decision="veto", vetoes=("us",))
SILENCE = Rules(silence=True)


@pytest.mark.parametrize(
    ("cast", "rules", "adopted"),
    [
        ("++", CONSENSUS, True),
        ("+~", CONSENSUS, True),
        ("~~", CONSENSUS, True),
        ("+-", CONSENSUS, False),
        ("+0", CONSENSUS, False),  # one delegation does not agree with itself
        ("00", CONSENSUS, False),
        ("+?", CONSENSUS, False),
        ("??", CONSENSUS, False),
        ("++0", CONSENSUS, True),
        ("++?", CONSENSUS, False),
        ("+++++-", CONSENSUS, False),
        ("++++++", CONSENSUS, True),
        ("++-", MAJORITY, True),
        ("+-", MAJORITY, False),
        ("+-", TIES, True),
        ("00", MAJORITY, False),
        ("00", TIES, False),
        ("??", TIES, False),
        ("+0", MAJORITY, True),
        ("+?", MAJORITY, True),
        ("+--", MAJORITY, False),
        ("+~--", MAJORITY, False),
        ("+~--", TIES, True),
        ("-++", VETO, False),
        ("+--", VETO, False),
        ("+-+", VETO, True),
        ("0++", VETO, True),
        ("?++", VETO, False),
        ("-+", Rules(decision="veto", ties="pass", vetoes=("us",)), False),
        ("+-", Rules(decision="veto", ties="pass", vetoes=("us",)), True),
        ("+-", Rules(decision="veto", vetoes=()), False),
        ("00", SILENCE, True),
        ("0-", SILENCE, False),
        ("0?", SILENCE, False),
        ("??", SILENCE, False),
        ("0?", Rules(silence=True, decision="majority"), False),
    ],
)
def test_the_decision_rules_adopt(cast: str, rules: Rules, adopted: bool) -> None:
    found = decision(cast, rules)
    assert (found.outcome == "adopted") is adopted
    assert found.brackets == () or not adopted
    missing = tuple(
        name for name, mark in zip(("us", "ru", "de", "cn", "ua", "nato"), cast, strict=False)
        if mark == "?"
    )  # fmt: skip
    assert found.missing == missing
    assert not {*found.accept, *found.reject, *found.abstain} & set(missing)


@pytest.mark.parametrize("missing", range(1, 4))
@pytest.mark.parametrize("rules", [CONSENSUS, SILENCE, Rules(decision="veto", vetoes=("ru",))])
def test_a_missing_answer_is_no_acceptance_no_abstention_and_no_silence(
    rules: Rules, missing: int
) -> None:
    quiet = "0" if rules.silence else "+"
    cast = quiet + "?" * missing + quiet
    assert decision(cast.replace("?", quiet), rules).outcome == "adopted"
    found = decision(cast, rules)
    assert found.outcome == "bracketed"
    assert len(found.missing) == missing
    assert "no valid answer" in found.why


def test_a_vote_on_another_text_does_not_count() -> None:
    setting = two_sides()
    state = fold(opened(setting, "decision"))
    old, new = setting.text_sha("limits-0/a"), setting.text_sha("limits-0/c")
    votes = (Vote("us", "accept", new, None, "T1"), Vote("ru", "accept", old, None, "T2"))
    issue = replace(state.issues["limits-0"], tabled=OnTable("c", new), put=("c",), votes=votes)
    found = tally(state, issue, CONSENSUS)
    assert (found.outcome, found.accept, found.missing) == ("bracketed", ("us",), ("ru",))


def test_brackets_name_who_stands_for_each_text() -> None:
    table = (
        Table(two_sides()).does("us", "propose", "limits-0/a").does("ru", "propose", "limits-0/b")
    )
    table.does("us", "reserve", "limits-0/b", "O2")
    sha = table.setting.text_sha("limits-0/b")
    votes = (
        Vote("us", "reject", sha, "us-limits-0-1", "T3"),
        Vote("ru", "accept", sha, None, "T4"),
    )
    issue = replace(
        table.state.issues["limits-0"], tabled=OnTable("b", sha), put=("b",), votes=votes
    )
    assert tally(table.state, issue, CONSENSUS).brackets == (
        Bracket(option="a", holders=("us",)),
        Bracket(option="b", holders=("ru",)),
    )


# --- the chair's compromise ---------------------------------------------------------------------


def test_the_compromise_is_the_text_most_have_declared_then_the_least_rejected() -> None:
    setting = a_setting(*map(a_party, ("us", "ru", "de")), items=(an_item(an_issue("one", 4)),))
    table = Table(setting)
    table.does("us", "propose", "one/a").does("ru", "propose", "one/b").does(
        "de", "propose", "one/c"
    )
    table.does("de", "accept", "one/a", "O1").does("us", "reserve", "one/b", "O2")
    table.does("ru", "reject", "one/a", "O1")
    # a: two for, one against; b: two for (one with a reservation), none against.
    assert compromise(table.state, table.state.issues["one"], 0) == Compromise(
        "b", ("us", "ru"), "declared acceptable by 2 of 3"
    )


def test_where_nothing_was_declared_nothing_is_put() -> None:
    table = Table(two_sides())
    assert compromise(table.state, table.state.issues["limits-0"], 0) is None
    found = tally(table.state, table.state.issues["limits-0"], CONSENSUS)
    assert (found.outcome, found.by, found.option) == ("open", "none", None)


def test_a_tie_is_drawn_by_a_lot_that_depends_on_the_seed_alone() -> None:
    table = (
        Table(two_sides()).does("us", "propose", "limits-0/a").does("ru", "propose", "limits-0/b")
    )
    issue = table.state.issues["limits-0"]
    drawn = [compromise(table.state, issue, seed) for seed in range(40)]
    assert {found.option for found in drawn if found} == {"a", "b"}
    assert drawn == [compromise(table.state, issue, seed) for seed in range(40)]
    assert drawn[0] is not None
    assert (
        drawn[0].rule
        == "declared acceptable by 1 of 2; drawn by lot among 2 texts of equal support"
    )


@given(seed=SEEDS, parties=st.integers(2, 6), lot=st.integers(0, 5))
def test_the_compromise_is_blind_to_seat_order_and_to_the_order_of_declarations(
    seed: int, parties: int, lot: int
) -> None:
    rng = random.Random(seed)
    setting = random_setting(seed, parties, 1, 1)
    state = fold(opened(setting))
    for _ in range(12):
        found = after(state, setting, of(state, rng.choice(state.parties)),
                      any_move(rng, setting, state))  # fmt: skip
        state = state if isinstance(found, Ruling) else found
    issue = next(iter(state.issues.values()))
    seats, stands = list(state.parties), list(issue.stands.items())
    rng.shuffle(seats)
    rng.shuffle(stands)
    shuffled = replace(issue, stands=dict(stands))
    first = compromise(state, issue, lot)
    second = compromise(replace(state, parties=tuple(seats)), shuffled, lot)
    assert (first is None) == (second is None)
    if first and second:
        assert (first.option, first.rule) == (second.option, second.rule)
        assert set(first.acceptances) == set(second.acceptances)


def test_a_text_that_was_put_is_not_put_again() -> None:
    table = (
        Table(two_sides()).does("us", "propose", "limits-0/a").does("ru", "propose", "limits-0/b")
    )
    issue = replace(table.state.issues["limits-0"], put=("a",))
    found = compromise(table.state, issue, 0)
    assert found is not None
    assert found.option == "b"
    assert compromise(table.state, replace(issue, put=("a", "b")), 0) is None


# --- packages and the joint text ----------------------------------------------------------------


def agreed(setting: Setting, *keys: str) -> State:
    """A state in which these texts are adopted and nothing else is decided."""
    state = fold(opened(setting))
    for key in keys:
        issue, _, option = key.partition("/")
        state = advance(state, adopt_declared(state, state.issues[issue], setting, option))
    return state


@pytest.mark.parametrize(
    ("keys", "stands"),
    [(("limits-0/a", "limits-1/a"), True), (("limits-0/a",), False), ((), False)],
)
def test_nothing_is_agreed_until_everything_is_agreed(keys: tuple[str, ...], stands: bool) -> None:
    setting = two_sides(issues=2)
    state = agreed(setting, *keys)
    for rules, item in ((Rules(package="item"), "arms"), (Rules(package="agenda"), None)):
        ruling = package(state, rules, item)
        assert ruling is not None
        assert ruling.stands is stands
        assert ruling.issues == tuple(key.partition("/")[0] for key in keys)
        outcomes = [i.outcome for i in advance(state, ruling).issues.values() if i.settled]
        assert outcomes == ["adopted" if stands else "bracketed"] * len(keys)


@pytest.mark.parametrize("rule_", ["none", "item", "agenda"])
def test_a_package_is_ruled_on_at_its_own_end_and_no_other(rule_: str) -> None:
    state = agreed(two_sides(), "limits-0/a")
    rules = Rules.model_validate({"package": rule_})
    assert (package(state, rules, "arms") is not None) is (rule_ == "item")
    assert (package(state, rules, None) is not None) is (rule_ == "agenda")


def test_the_joint_text_holds_adopted_bracketed_lapsed_and_undecided_paragraphs() -> None:
    setting = two_sides(issues=2)
    table = Table(setting).does("us", "propose", "limits-1/a")
    state = advance(
        table.state, adopt_declared(table.state, table.state.issues["limits-0"], setting, "c")
    )
    adopted, undecided = joint_text(state, setting)
    assert (adopted.status, adopted.text, adopted.accepted_by, adopted.brackets) == (
        "adopted", "The text c on limits-0.", ("us", "ru"), (),
    )  # fmt: skip
    assert (undecided.status, undecided.text, undecided.brackets) == (
        "undecided", None, (("a", "The text a on limits-1.", ("us",)),),
    )  # fmt: skip
    ruling = package(state, Rules(package="item"), "arms")
    assert ruling is not None
    lapsed = joint_text(advance(state, ruling), setting)[0]
    assert (lapsed.status, lapsed.text, lapsed.brackets) == (
        "bracketed", None, (("c", "The text c on limits-0.", ("us", "ru")),),
    )  # fmt: skip
