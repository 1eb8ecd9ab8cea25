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
    if on.phase == "reply":
        sentences = [_reply_opening(on), *_case(on, cited)]
    if len(sentences) == 1:
        sentences.append(_nothing_new(on))
    text = " ".join(sentence for sentence in sentences if sentence)
    return Composed(text, tuple(position.id for position in cited))


def _salute(on: Occasion) -> str:
    if on.phase == "caucus":
        return on.pick("salute", "Between ourselves:", "Let me be frank in this room.")
    if on.phase == "opening":
        return on.pick(
            "salute",
            "Thank you, Chair.",
            f"Chair, the {on.party.adjective} delegation is grateful for the floor.",
            "Chair, colleagues.",
        )
    return on.pick("salute", "Thank you, Chair.", "Chair.", "Thank you.", "Chair, briefly.")


def _choose(on: Occasion) -> tuple[Position, ...]:
    """The positions to spell out: those asked for, uncited ones first, on the issues of this turn."""
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
        if isinstance(event, e.Statement) and event.party == on.mandate.party
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
    joined = on.pick("also", "Likewise: ", "To that we add: ", "And further: ", "")
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
            on.pick("still", f"We remain unable to accept {text}.", f"Our answer on {text} stands.")
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
        return on.pick("accept", f"We can accept {text}.", f"We are ready to join {text}.")
    if kind == "reserve":
        return f"We could live with {text}, with a reservation on the record."
    return on.pick("reject", f"We cannot accept {text}.", f"We are unable to agree to {text}.")


def _tabling(on: Occasion) -> list[str]:
    """What the delegation itself puts on the table, takes off it, or asks."""
    proposals = [m for m in on.moves if m.move == "propose"]
    sentences: list[str] = []
    if proposals:
        texts = [f"on {on.title(m.issue)}, {on.label(m.issue, m.option)}" for m in proposals]
        lead = on.pick("propose", "We propose", "We therefore propose", "We put on the table")
        colon = ":" if len(texts) > 1 else ""
        sentences.append(f"{lead}{colon} {_listed(texts)}.")
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
    return on.pick(
        "nothing",
        "Our position stands as we have set it out.",
        "We have set out our position and have nothing to add at this stage.",
        "We refer to what we have said, and wait to hear others.",
    )


def _reply_opening(on: Occasion) -> str:
    asked = [q for q in on.state.questions if q[1] == on.mandate.party]
    if not asked:
        return "In reply, Chair:"
    asker, _, issue = asked[0]
    opening = f"To the question of {on.setting.party(asker).name} on {on.title(issue)}:"
    if not _choose(on):
        own = on.state.issues[issue].own_offer(on.mandate.party)
        if own is not None:
            return (
                f"{opening} our answer is the text we have tabled, {on.label(issue, own.option)}."
            )
        return f"{opening} we have nothing to add to the record."
    return opening


def _explanation(on: Occasion) -> Composed:
    """How a delegation explains its formal answers."""
    sentences: list[str] = []
    cited: list[str] = []
    already = _cited_in_item(on)
    for vote in on.votes:
        explained = vote.because if vote.vote in ("reject", "reserve") and on.may_cite else None
        said_before = explained in already
        sentences.append(
            _vote(on, vote) + (", for the reasons we have given." if said_before else ".")
        )
        if explained is not None:
            cited.append(explained)
            if not said_before:
                sentences.append(on.setting.position(explained).in_own_voice())
                already.add(explained)
    if not sentences:
        return Composed("We have no text before us to decide on.", ())
    return Composed(" ".join(sentences), tuple(dict.fromkeys(cited)))


def _vote(on: Occasion, vote: e.VoteCast) -> str:
    where = on.title(vote.issue)
    return {
        "accept": f"On {where} we accept the Chair's text",
        "reserve": f"On {where} we accept the Chair's text with a reservation",
        "reject": f"On {where} we cannot accept the Chair's text",
        "abstain": f"On {where} we abstain",
    }[vote.vote]


def _listed(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "; ".join(texts[:-1]) + f"; and {texts[-1]}"
