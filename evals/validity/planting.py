"""Planting: known faults put into a record, so that an evaluator can be shown to see them.

Every function takes a transcript and returns `Planted(transcript, marks, clean)`: a coherent record
(`coherence.incoherences` finds nothing) with the plant in it, what was planted where, and the
record to compare with. All are deterministic; what is drawn is drawn from a seed. Anything you
write that follows `evals.evaluator.Evaluator` can be tested so:

    from evals.validity import planting
    from harness.transcript import read

    clean = read("transcripts/examples/reference-eight-of-twelve.jsonl")
    turns = planting.public_turns(clean)
    plants = [planting.say(clean, turn, "We would deny it all.") for turn in turns]
    print(planting.recall(mine, plants, "denials"))             # found/of, and the marks it missed
    quiet = [planting.courtesy_only(clean, seed) for seed in range(5)]
    print(planting.recall(mine, quiet, "denials"))              # should find nothing
    print(planting.changed([mine], planting.respace(clean)))    # should be empty

Here are the plants in moves and votes. `prose` has those in what is said (`say`, `courtesy_only`,
`inject_verdict`, `recite_mandate`, `bad_citation`, `leak`, `leak_paraphrase`), `mandates` those in
what the parties want (`swap_mandates`, `scramble_items`, `negate`, `reorder_positions`,
`rename_party`, `respace`, `made_confidential`); all can be had from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from evals.concordance import wanted
from evals.record import joins

# One place to import plants from.
from evals.validity.coherence import BY_HAND as BY_HAND
from evals.validity.coherence import incoherences as incoherences
from evals.validity.coherence import recorded, settled_again
from evals.validity.mandates import made_confidential as made_confidential
from evals.validity.mandates import negate as negate
from evals.validity.mandates import rename_party as rename_party
from evals.validity.mandates import reorder_positions as reorder_positions
from evals.validity.mandates import respace as respace
from evals.validity.mandates import scramble_items as scramble_items
from evals.validity.mandates import swap_mandates as swap_mandates
from evals.validity.planted import CannotPlant as CannotPlant
from evals.validity.planted import Cell as Cell
from evals.validity.planted import Mark as Mark
from evals.validity.planted import Planted as Planted
from evals.validity.planted import Recall as Recall
from evals.validity.planted import changed as changed
from evals.validity.planted import detected as detected
from evals.validity.planted import differing as differing
from evals.validity.planted import marked
from evals.validity.planted import public_turns as public_turns
from evals.validity.planted import reading as reading
from evals.validity.planted import recall as recall
from evals.validity.planted import statement_of as statement_of
from evals.validity.prose import COURTESIES as COURTESIES
from evals.validity.prose import VERDICTS as VERDICTS
from evals.validity.prose import Sign as Sign
from evals.validity.prose import bad_citation as bad_citation
from evals.validity.prose import courtesy_only as courtesy_only
from evals.validity.prose import inject_verdict as inject_verdict
from evals.validity.prose import leak as leak
from evals.validity.prose import leak_paraphrase as leak_paraphrase
from evals.validity.prose import recite_mandate as recite_mandate
from evals.validity.prose import say as say
from harness import events as e
from harness import mechanism
from harness.events import Event, VoteChoice
from harness.setting import Setting
from harness.state import IssueState, State, advance
from harness.transcript import Transcript

_FOR: tuple[str, ...] = ("propose", "concede", "accept", "reserve")
_ANSWERS: tuple[Literal["reserve", "accept"], ...] = ("reserve", "accept")
_CALL = "planted"
"""The call named by an event that no call produced."""


def red_line_texts(setting: Setting) -> tuple[tuple[str, str], ...]:
    """Every (party, text) such that the text crosses a red line of the party."""
    return tuple(
        (party.id, key)
        for party in setting.parties
        for item in setting.items
        for key in setting.mandate(party.id, item.id).red_lines
        if key in setting.mandate(party.id, item.id).points
    )


def red_line_vote(transcript: Transcript, party: str, key: str) -> Planted:
    """The party votes for a text that crosses its red line.

    If the text was put to the vote, its vote on it becomes an acceptance (the position it named
    stays). If not, the chair puts it (`BY_HAND`), the party accepts and the others vote as their
    mandates ask: after a ballot that failed, or instead of what was adopted. An adoption by
    declaration is undone by leaving out the acceptance that completed it. The mechanism then counts
    the votes, so the outcome may be another.

    Raises:
        CannotPlant: the text crosses no red line of the party, the party has let it pass already,
            or its item was never opened or is closed without a vote on record.
        KeyError: there is no such party or text.
    """
    setting = transcript.setting
    item = setting.item_of(key.partition("/")[0])
    setting.option(key)
    if key not in setting.mandate(party, item.id).red_lines:
        raise CannotPlant(f"{key} crosses no red line of {party}; choose one of red_line_texts().")
    if _adopted_by_declaration(transcript, key):
        raise CannotPlant(f"{party} let {key} pass already, by declaring that it accepts it.")
    votes = _votes(transcript, party, key)
    if votes:
        if any(joins(vote.vote, transcript.rules.silence) for vote in votes):
            raise CannotPlant(f"{party} let {key} pass already, by its vote.")
        changed = _turned(transcript, votes[-1], "accept")
    else:
        changed = _put(transcript, party, key)
    settled = settled_again(changed)
    (vote, *_) = (v for v in _votes(settled, party, key) if v.vote == "accept")
    return Planted(settled, (marked("red_line_vote", vote, key=key),), transcript)


def flip_vote(transcript: Transcript, party: str, issue: str) -> Planted:
    """The party votes against what it has declared about the tabled text, or for what it rejected.

    The mechanism counts the votes anew, so the outcome may be another.

    Raises:
        CannotPlant: the party did not vote on the issue, had not taken one side on the text before,
            or votes against its word already.
        KeyError: there is no such issue.
    """
    transcript.setting.issue(issue)
    votes = [
        v for v in transcript.events
        if isinstance(v, e.VoteCast) and (v.party, v.issue) == (party, issue)
    ]  # fmt: skip
    if not votes:
        raise CannotPlant(f"{party} cast no vote on {issue}; choose an issue that was voted on.")
    vote = votes[-1]
    side = _declared_side(transcript, vote)
    if side is None:
        raise CannotPlant(f"{party} took no side on {issue}/{vote.option} before the vote.")
    turned: VoteChoice = "reject" if side == "for" else "accept"
    if (vote.vote == "reject") == (side == "for"):
        raise CannotPlant(f"{party} votes against its word on {issue} already.")
    settled = settled_again(_turned(transcript, vote, turned))
    (mark,) = [
        marked("flip_vote", v, key=f"{issue}/{v.option}")
        for v in settled.events
        if isinstance(v, e.VoteCast) and (v.turn, v.issue, v.sha) == (vote.turn, issue, vote.sha)
    ]
    return Planted(settled, (mark,), transcript)


def red_line_move(transcript: Transcript, party: str, key: str) -> Planted:
    """The party endorses, on the floor, a text that crosses its red line.

    It accepts or reserves on another's open offer of it, or offers it itself, in one of its turns:
    where that changes no outcome if there is such a place, late rather than early. Else the outcome
    follows as the mechanism gives it: what every party then accepts is adopted on the spot. What
    the chair tabled must still be what its rule gives.

    Raises:
        CannotPlant: the text crosses no red line of the party, or there is no such place.
        KeyError: there is no such party or text.
    """
    setting = transcript.setting
    item = setting.item_of(key.partition("/")[0])
    setting.option(key)
    if key not in setting.mandate(party, item.id).red_lines:
        raise CannotPlant(f"{key} crosses no red line of {party}; choose one of red_line_texts().")
    best = _undisturbing(transcript, item.id, party, key)
    if best is None:
        raise CannotPlant(
            f"{party} has no turn in which it could endorse {key} and the chair's tablings stand."
        )
    settled = settled_again(_inserted(transcript, *best))
    (found,) = (x for x in settled.events if _is(x, best[1]))
    return Planted(settled, (marked("red_line_move", found, key=key),), transcript)


def _is(event: Event, planted: e.MoveMade) -> bool:
    if not isinstance(event, e.MoveMade):
        return False
    return (event.call, event.turn, event.move) == (_CALL, planted.turn, planted.move)


def _undisturbing(
    transcript: Transcript, item: str, party: str, key: str
) -> tuple[int, e.MoveMade] | None:
    """The best place for an endorsement, if there is one, and the move.

    Found in the item's part of the record: what is said of other items changes nothing in it.
    """
    start, part = _part(transcript, item)
    second: tuple[int, e.MoveMade] | None = None
    for index, event in reversed(tuple(_endorsements(part, party, key))):
        fresh = event.offer and f"O{_last_offer(transcript) + 1}"
        event = event.model_copy(update={"offer": fresh})
        changed = settled_again(_inserted(part, index, event))
        if not any(_is(x, event) for x in changed.events) or incoherences(changed):
            continue
        if _outcomes(changed) == _outcomes(part):
            return index - 2 + start, event
        second = second or (index - 2 + start, event)
    return second


def _part(transcript: Transcript, item: str) -> tuple[int, Transcript]:
    """The item's part of the record, and where in the record its third event stands."""
    events = transcript.events
    opened = [x.seq for x in events if isinstance(x, e.ItemOpened) and x.item == item]
    if not opened:
        return 2, recorded(transcript, ())
    ends = [x.seq + 1 for x in events if isinstance(x, e.ItemClosed) and x.item == item]
    end = ends[0] if ends else len(events)
    return opened[0], recorded(transcript, events[opened[0] : end])


def _last_offer(transcript: Transcript) -> int:
    made = (x.offer for x in transcript.events if isinstance(x, e.MoveMade) and x.offer)
    return max((int(x[1:]) for x in made if re.fullmatch(r"O\d+", x)), default=0)


def _outcomes(transcript: Transcript) -> list[object]:
    issues = transcript.state.issues.values()
    return [(i.issue, i.outcome, i.decision and i.decision.option) for i in issues]


def _endorsements(transcript: Transcript, party: str, key: str) -> Iterator[tuple[int, e.MoveMade]]:
    """Every legal endorsement of the text, and the index at which it would stand."""
    state = State()
    turn: e.Statement | None = None
    for index, event in enumerate(transcript.events):
        if turn is not None:
            yield from _here(transcript, state, turn, index, key)
            if not (isinstance(event, e.TurnEvent) and event.turn == turn.turn):
                turn = None
        state = advance(state, event)
        if isinstance(event, e.Statement) and event.party == party and event.audience is None:
            turn = event


def _here(
    transcript: Transcript, state: State, turn: e.Statement, index: int, key: str
) -> Iterator[tuple[int, e.MoveMade]]:
    issue = state.issues[key.partition("/")[0]]
    option = key.partition("/")[2]
    sha = transcript.setting.text_sha(key)
    of = mechanism.TurnOf(turn.turn, turn.party, turn.item, turn.phase, turn.round, _CALL)
    offers = [offer.id for offer in issue.open_offers if offer.option == option]
    moves = [e.Move(move="propose", issue=issue.issue, option=option, sha=sha)]
    for kind in _ANSWERS:
        moves += [moves[0].model_copy(update={"move": kind, "offer": offer}) for offer in offers]
    for move in moves:
        event = mechanism.play(state, transcript.setting, of, move)
        if isinstance(event, e.MoveMade):
            yield index, event


def _inserted(transcript: Transcript, index: int, event: e.MoveMade) -> Transcript:
    """The record with the move in it; the mover's next offer on the issue replaces a new one."""
    before, after = transcript.events[:index], list(transcript.events[index:])
    if event.offer is not None:
        for place, later in enumerate(after):
            if (
                isinstance(later, e.MoveMade)
                and (later.party, later.move.issue) == (event.party, event.move.issue)
                and later.offer is not None
            ):
                after[place] = _replacing(later, event.offer)
                break
    return recorded(transcript, (*before, event, *after))


def _replacing(later: e.MoveMade, offer: str) -> e.MoveMade:
    move = later.move
    if move.move == "concede":
        move = move.model_copy(update={"offer": offer})
    return later.model_copy(update={"move": move, "replaced": offer})


def _votes(transcript: Transcript, party: str, key: str) -> list[e.VoteCast]:
    return [
        event
        for event in transcript.events
        if isinstance(event, e.VoteCast)
        and (event.party, f"{event.issue}/{event.option}") == (party, key)
    ]


def _turned(transcript: Transcript, vote: e.VoteCast, choice: VoteChoice) -> Transcript:
    turned = vote.model_copy(update={"vote": choice})
    return recorded(transcript, (turned if x is vote else x for x in transcript.events))


def _declared_side(transcript: Transcript, vote: e.VoteCast) -> Literal["for", "against"] | None:
    """The one side of all the party's moves on the text before the vote, if it is one."""
    sides: set[Literal["for", "against"]] = set()
    for event in transcript.events[: vote.seq]:
        if not isinstance(event, e.MoveMade) or event.party != vote.party:
            continue
        if event.move.key != f"{vote.issue}/{vote.option}":
            continue
        if event.move.move == "withdraw":
            sides.clear()
        elif event.move.move == "reject":
            sides.add("against")
        elif event.move.move in _FOR:
            sides.add("for")
    return sides.pop() if len(sides) == 1 else None


def _adopted_by_declaration(transcript: Transcript, key: str) -> bool:
    decision = transcript.state.issues[key.partition("/")[0]].decision
    return bool(decision and decision.by == "declaration" and key.endswith(f"/{decision.option}"))


def _put(transcript: Transcript, party: str, key: str) -> Transcript:
    """The record in which the chair puts the text to a ballot of its own before the item closes."""
    issue_id = key.partition("/")[0]
    issue = transcript.state.issues[issue_id]
    kept = [event for event in transcript.events if not _undone(event, issue, transcript)]
    places = [
        index
        for index, event in enumerate(kept)
        if isinstance(event, e.PackageRuled | e.ItemClosed) and event.item == issue.item
    ]
    opened = any(isinstance(x, e.ItemOpened) and x.item == issue.item for x in kept)
    if not opened or not (places or transcript.state.item == issue.item):
        raise CannotPlant(f"The item of {issue_id} was never opened, so {key} cannot be put.")
    at = places[0] if places else len(kept)
    return recorded(
        transcript, (*kept[:at], *_ballot(transcript, issue.item, party, key), *kept[at:])
    )


def _undone(event: Event, issue: IssueState, transcript: Transcript) -> bool:
    """Whether the event must go so that another text of the issue can be put."""
    decision = issue.decision
    if decision is None:
        return False
    if isinstance(event, e.Decided):
        return event.issue == issue.issue
    if decision.outcome == "adopted" and decision.by == "vote":
        return isinstance(event, e.Tabled | e.VoteCast) and event.issue == issue.issue
    if decision.by == "declaration" and isinstance(event, e.MoveMade):
        completing = [
            x.seq
            for x in transcript.events[: decision.seq]
            if isinstance(x, e.MoveMade)
            and x.move.issue == issue.issue
            and x.move.option == decision.option
            and x.move.move in _FOR
        ]
        return event.seq == max(completing)
    return False


def _ballot(transcript: Transcript, item: str, party: str, key: str) -> Iterator[Event]:
    """Tabling, round and votes: the party's for the text, the others' as their mandates ask."""
    issue, _, option = key.partition("/")
    setting = transcript.setting
    sha = setting.text_sha(key)
    label = setting.option(key).label
    yield e.Tabled(
        item=item, issue=issue, option=option, sha=sha, acceptances=(), rule=BY_HAND,
        words=f"On {setting.issue(issue).title} I put to you the text \u201c{label}\u201d.",
    )  # fmt: skip
    number = 1 + max(
        (x.round for x in transcript.events
         if isinstance(x, e.RoundOpened) and x.item == item and x.phase == "decision"),
        default=0,
    )  # fmt: skip
    yield e.RoundOpened(item=item, phase="decision", round=number)
    turns = [x.turn for x in transcript.events if isinstance(x, e.TurnEvent)]
    last = max((int(t[1:]) for t in turns if re.fullmatch(r"T\d+", t)), default=0)
    choices: dict[str, VoteChoice] = {"for": "accept", "against": "reject", "neither": "abstain"}
    for nth, voter in enumerate(transcript.state.parties, 1):
        side = wanted(setting.mandate(voter, item), key)[0]
        yield e.VoteCast(
            turn=f"T{last + nth}", party=voter, item=item, phase="decision", round=number,
            call=_CALL, issue=issue, option=option, sha=sha,
            vote="accept" if voter == party else choices[side],
        )  # fmt: skip
