"""Composed speech: a statement put together from the dossier's own wording.

A composed delegation chooses what to cite and which moves to make; the words are then chosen here,
so that a very small model, the reference negotiator and a bare script read like a diplomat. No
position is repeated within an item while an uncited one bears on it, the last speaker is answered
by name and text, and the same turn always yields the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import events as e
from harness.events import Event, Move
from harness.setting import Mandate, Party, Position, Setting, sha
from harness.state import State

MAX_POSITIONS = 2
"""Positions spelled out in one statement."""


_NO_POSITION = "We have no position on record on this item, and we are here to listen."


@dataclass(frozen=True)
class Composed:
    """A statement and the positions it rests on."""

    text: str
    citations: tuple[str, ...]


@dataclass(frozen=True)
class Occasion:
    """Everything a statement is composed from."""

    setting: Setting
    state: State
    """Before the turn's own moves."""
    mandate: Mandate
    phase: e.Phase
    call: str
    """Name of the call: picks among phrases, so that a replay finds the same words."""
    heard: Sequence[Event]
    """What the party has heard in this item."""
    moves: tuple[Move, ...] = ()
    votes: tuple[e.VoteCast, ...] = ()
    wanted: tuple[str, ...] = ()
    """Positions the delegation chose to cite."""
    may_cite: bool = True
    silence: bool = False
    """Whether the decision is taken by the silence procedure."""

    @property
    def party(self) -> Party:
        """The speaker."""
        return self.setting.party(self.mandate.party)

    def pick(self, slot: str, *phrases: str) -> str:
        """One of the phrases, by the turn's name and the slot."""
        return phrases[int(sha(f"{self.call}/{slot}"), 16) % len(phrases)]

    def title(self, issue: str) -> str:
        """An issue as it reads inside a sentence."""
        return self.setting.issue(issue).title

    def label(self, issue: str, option: str | None) -> str:
        """An option's gist in quotation marks."""
        return f"\u201c{self.setting.issue(issue).option(option or '').label}\u201d"


def compose(on: Occasion) -> Composed:
    """The statement of one turn."""
    if on.phase == "decision":
        return _explanation(on)
    cited = _choose(on)
    sentences = [_salute(on), *_answers(on), *_case(on, cited), *_tabling(on)]
    if on.phase == "opening" and not on.mandate.positions and not on.moves:
        sentences.append(_NO_POSITION)
    if on.phase == "reply":
        sentences = [_reply_opening(on), *_case(on, cited)]
    if len(sentences) == 1:
        sentences.append(_nothing_new(on))
    text = " ".join(sentence for sentence in sentences if sentence)
    return Composed(text, tuple(position.id for position in cited))


def _salute(on: Occasion) -> str:
    if on.phase == "caucus":
        return on.pick("salute", "This is between ourselves.", "Let me be frank in this room.")
    if on.phase == "opening":
        return on.pick(
            "salute",
            "Thank you, Chair.",
            f"Chair, the {on.party.adjective} delegation is grateful for the floor.",
            "Chair, colleagues.",
        )
    return on.pick("salute", "Thank you, Chair.", "Chair.", "Thank you.")


def _choose(on: Occasion) -> tuple[Position, ...]:
    """The positions to spell out: uncited ones on the issues of this turn."""
    if not on.may_cite:
        return ()
    already = _cited_in_item(on)
    public = [p for p in on.mandate.positions if p.visibility == "public"]
    touched = [move.issue for move in on.moves]
    if on.phase == "reply":
        touched = [issue for _, asked, issue in on.state.questions if asked == on.mandate.party]
    open_issues = [i.issue for i in on.state.in_item(on.mandate.item.id) if not i.settled]
    bearing = [p for p in public if _bears(p, touched)] or [
        p for p in public if _bears(p, open_issues)
    ]
    wanted = [p for p in public if p.id in on.wanted or any(m.because == p.id for m in on.moves)]
    fresh = [p for p in dict.fromkeys([*wanted, *bearing]) if p.id not in already]
    fresh.sort(key=lambda p: (p not in wanted, p.priority != "core"))
    if fresh:
        return tuple(fresh[:MAX_POSITIONS])
    # Everything that bears has been said: the record is referred to, not read out again.
    return ()


def _cited_in_item(on: Occasion) -> set[str]:
    return {
        citation
        for event in on.heard
        if isinstance(event, e.Statement)
        and event.party == on.mandate.party
        # What was said in private has not been said to the others.
        and (event.audience is None or on.phase == "caucus")
        for citation in event.citations
    }


def _bears(position: Position, issues: Sequence[str]) -> bool:
    keys = position.supports + position.opposes
    return any(key.partition("/")[0] in issues for key in keys)


def _case(on: Occasion, cited: tuple[Position, ...]) -> list[str]:
    """The positions in the delegation's own voice."""
    if not cited:
        return []
    first, *rest = (position.in_own_voice() for position in cited)
    lead = on.pick("lead", "", "", "Our position is on record. ", "Let me recall where we stand. ")
    if on.phase == "reply":
        lead = ""
    joined = on.pick("also", "A further point. ", "I would add this. ", "", "")
    return [lead + first, *(joined + text for text in rest)]


def _last_heard(on: Occasion) -> tuple[str, Move] | None:
    """The last speaker's offer that is still on the table, if another party made it."""
    for event in reversed(on.heard):
        if isinstance(event, e.MoveMade) and event.party != on.mandate.party and event.offer:
            offer = on.state.offer(event.offer)
            if offer is not None and offer.status == "open":
                return event.party, event.move
    return None


def _answers(on: Occasion) -> list[str]:
    """Answers to offers of others by name and text; without one, a word on the last speaker's."""
    kinds = ("accept", "reserve", "reject")
    said = [
        _answer(on, kind, party, [m for m in on.moves if m.move == kind and _owner(on, m) == party])
        for kind in kinds
        for party in dict.fromkeys(_owner(on, m) for m in on.moves if m.move == kind)
    ]
    last = _last_heard(on)
    if said or last is None or on.phase == "caucus":
        return said
    speaker, move = last
    text = _text_of(on, speaker, [move])
    held = on.state.issues[move.issue].stands.get((on.mandate.party, move.option or ""))
    if held == "reject":
        return [
            on.pick(
                "still", f"We remain unable to accept {text}.", f"Our answer on {text}, stands."
            )
        ]
    if held is not None:
        return [f"We have already given our answer on {text}."]
    if any(own.issue == move.issue for own in on.moves):
        return [
            on.pick("heard", "We have listened to", "We have studied")
            + f" {text}; we see it differently."
        ]
    return [on.pick("note", "We take note of", "We have heard") + f" {text}."]


def _owner(on: Occasion, move: Move) -> str:
    offer = on.state.offer(move.offer or "")
    return offer.party if offer else ""


def _text_of(on: Occasion, owner: str, moves: Sequence[Move]) -> str:
    """Texts of one party, by issue and gist."""
    adjective = on.setting.party(owner).adjective
    named = [f"{on.title(m.issue)}, {on.label(m.issue, m.option)}" for m in moves]
    if len(named) == 1:
        return f"the {adjective} text on {named[0]}"
    return f"the {adjective} texts on {_listed(named)}"


def _answer(on: Occasion, kind: str, owner: str, moves: Sequence[Move]) -> str:
    text = _text_of(on, owner, moves)
    if kind == "accept":
        return on.pick(f"accept{owner}", f"We can accept {text}.", f"We are ready to join {text}.")
    if kind == "reserve":
        return f"We could live with {text}, with a reservation on the record."
    return on.pick(
        f"reject{owner}", f"We cannot accept {text}.", f"We are unable to agree to {text}."
    )


def _tabling(on: Occasion) -> list[str]:
    """What the delegation itself puts on the table, takes off it, or asks."""
    proposals = [m for m in on.moves if m.move == "propose"]
    sentences: list[str] = []
    if len(proposals) == 1:
        (move,) = proposals
        verb = on.pick("propose", "we propose", "we put on the table")
        sentences.append(f"On {on.title(move.issue)} {verb} {on.label(move.issue, move.option)}.")
    elif proposals:
        texts = [f"on {on.title(m.issue)}, {on.label(m.issue, m.option)}" for m in proposals]
        lead = on.pick("propose", "We propose:", "We therefore propose:", "We put on the table:")
        sentences.append(f"{lead} {_listed(texts)}.")
    for issue in dict.fromkeys(m.issue for m in on.moves if m.move == "concede"):
        steps = [m for m in on.moves if m.move == "concede" and m.issue == issue]
        sentences.append(_concession(on, steps))
    for move in on.moves:
        if move.move == "withdraw":
            label = on.label(move.issue, move.option)
            sentences.append(f"We withdraw our text on {on.title(move.issue)}, {label}.")
        elif move.move == "ask":
            question = on.setting.issue(move.issue).question
            asked = on.setting.party(move.to or "").name
            sentences.append(f"To {asked} we would put this question: {question}")
    return sentences


def _concession(on: Occasion, steps: Sequence[Move]) -> str:
    """One or more steps down on one issue, in one sentence."""
    move = steps[-1]
    title = on.title(move.issue)
    label = " or, failing that, ".join(on.label(m.issue, m.option) for m in steps)
    if len(steps) > 1:
        return f"On {title} we could take {label}."
    lead = on.pick(
        "concede" + move.issue,
        f"To move matters forward we put another text on {title}, {label}",
        f"On {title} we could also take {label}",
        f"For an agreed text on {title} we could go to {label}",
    )
    if move.in_return_for is None:
        return lead + "."
    issue, _, option = move.in_return_for.partition("/")
    return f"{lead}, and look in return for {on.label(issue, option)} on {on.title(issue)}."


def _nothing_new(on: Occasion) -> str:
    if not on.mandate.positions:
        return _NO_POSITION
    return on.pick(
        "nothing",
        "Our position stands as we have set it out.",
        "We have set out our position and have nothing to add at this stage.",
        "We refer to what we have said, and wait to hear others.",
    )


def _reply_opening(on: Occasion) -> str:
    asked = [q for q in on.state.questions if q[1] == on.mandate.party]
    if not asked:
        return "In reply, Chair, this is what we can say."
    asker, _, issue = asked[0]
    question = f"the question of {on.setting.party(asker).name} on {on.title(issue)}"
    if _choose(on):
        return f"This is our answer to {question}."
    own = on.state.issues[issue].own_offer(on.mandate.party)
    if own is not None:
        return (
            f"Our answer to {question} is the text we have tabled, {on.label(issue, own.option)}."
        )
    return f"On {question} we have nothing to add to the record."


def _explanation(on: Occasion) -> Composed:
    """How a delegation explains its formal answers: alike ones together."""
    already = _cited_in_item(on)
    reasons = {vote.issue: _reason(on, vote) for vote in on.votes}
    alike: dict[tuple[e.VoteChoice, bool], list[str]] = {}
    sentences: list[str] = []
    for vote in on.votes:
        reason = reasons[vote.issue]
        if reason is None or reason in already:
            alike.setdefault((vote.vote, reason is not None), []).append(on.title(vote.issue))
        else:
            words = on.setting.position(reason).in_own_voice()
            sentences += [f"{_vote(on, vote.vote, [on.title(vote.issue)])}.", words]
            already.add(reason)
    together = [
        _vote(on, choice, titles) + (", for the reasons we have given." if said_before else ".")
        for (choice, said_before), titles in alike.items()
    ]
    if not on.votes:
        return Composed("We have no text before us to decide on.", ())
    cited = tuple(dict.fromkeys(reason for reason in reasons.values() if reason is not None))
    return Composed(" ".join(together + sentences), cited)


def _reason(on: Occasion, vote: e.VoteCast) -> str | None:
    """The position that a vote is explained by."""
    return vote.because if vote.vote in ("reject", "reserve") and on.may_cite else None


def _vote(on: Occasion, choice: e.VoteChoice, titles: Sequence[str]) -> str:
    texts = f"the Chair's {'text' if len(titles) == 1 else 'texts'} on {_listed(titles)}"
    match choice:
        case "accept":
            return f"We accept {texts}"
        case "reserve":
            return f"With a reservation on the record we accept {texts}"
        case "reject":
            return f"We cannot accept {texts}"
        case "abstain" if on.silence:
            return f"We do not break the silence on {texts}"
        case "abstain":
            return f"We abstain on {texts}"


def _listed(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "; ".join(texts[:-1]) + f"; and {texts[-1]}"
