"""D1 to D4: what became of the issues, how much was agreed, how broadly, and what is bracketed.

All of it is read from the decisions, votes and offers on record; nothing is read from prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import ballots, decisions, of_kind
from harness import events as e
from harness.mechanism import joint_text
from harness.setting import Issue, Item
from harness.state import IssueState
from harness.transcript import Transcript

_SIDES: Mapping[e.VoteChoice, int] = {"accept": 1, "reserve": 1, "abstain": 0, "reject": -1}


@evaluator("outcomes", version=1)
def outcomes(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D1: adopted, bracketed, lapsed, open or undecided, per issue and item.

    An issue that was not decided before the record ends has no value. An issue that was not adopted
    only because an answer could not be had is counted apart: that is the machine's doing, not the
    negotiators'.
    """
    decided = decisions(transcript)
    for item in transcript.setting.items:
        for issue in item.issues:
            yield _issue_outcome(transcript, mark, issue, decided.get(issue.id))
        yield _item_outcome(transcript, mark, item, decided)
    yield _lost_to_failure(transcript, mark, decided)


def _issue_outcome(
    transcript: Transcript, mark: Marker, issue: Issue, decision: e.Decided | None
) -> Result:
    state = transcript.state.issues[issue.id]
    if decision is None:
        why = "the record ends before this issue was put"
        about = subject.issue(issue.id)
        return mark.score(about, "outcome", None, why, n=0, unscored=1, label="undecided")
    label = "lapsed" if state.lapsed else decision.outcome
    why = decision.why + (
        "; adopted, but lapsed with the package it belonged to" if state.lapsed else ""
    )
    return mark.score(
        subject.issue(issue.id),
        "outcome",
        state.outcome == "adopted",
        why,
        n=1,
        label=label,
        evidence=_decision(decision),
    )


def _item_outcome(
    transcript: Transcript, mark: Marker, item: Item, decided: Mapping[str, e.Decided]
) -> Result:
    states = [transcript.state.issues[issue.id] for issue in item.issues]
    open_ = sum(not state.settled for state in states)
    adopted = sum(state.outcome == "adopted" for state in states)
    what = f"{adopted} of {len(states)} issues adopted"
    if open_:
        value, label, what = None, "undecided", f"{what}, {open_} not decided when the record ends"
    elif adopted == len(states):
        value, label = True, "adopted"
    else:
        value, label = False, "partly adopted" if adopted else "not adopted"
    found = [decided[i.id] for i in item.issues if i.id in decided]
    return mark.score(
        subject.item(item.id), "outcome", value, what, n=len(states) - open_, unscored=open_,
        label=label, evidence=_decision(*found),
    )  # fmt: skip


def _lost_to_failure(
    transcript: Transcript, mark: Marker, decided: Mapping[str, e.Decided]
) -> Result:
    lost = [d for d in decided.values() if d.outcome == "bracketed" and d.missing and not d.reject]
    return mark.score(
        subject.DEBATE,
        "lost_to_failure",
        len(lost),
        f"{len(lost)} issues were not adopted although nobody rejected the text, "
        "because an answer could not be had",
        n=len(decided),
        unscored=len(transcript.state.issues) - len(decided),
        evidence=_decision(*lost),
    )


@evaluator("agreement", version=1)
def agreement(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D2: share of the decided issues that were adopted, plain and by weight, and the time."""
    items = transcript.setting.items
    for item in items:
        yield from _rates(transcript, mark, subject.item(item.id), item.issues)
    everything = tuple(issue for item in items for issue in item.issues)
    yield from _rates(transcript, mark, subject.DEBATE, everything)
    yield from _times(transcript, mark)


def _rates(
    transcript: Transcript, mark: Marker, about: str, issues: tuple[Issue, ...]
) -> Iterator[Result]:
    states = transcript.state.issues
    settled = [issue for issue in issues if states[issue.id].settled]
    adopted = [issue for issue in settled if states[issue.id].outcome == "adopted"]
    unscored = len(issues) - len(settled)
    decided = decisions(transcript)
    found = _decision(*(decided[issue.id] for issue in settled))
    # No interval: these are all the issues there were, not a sample of them.
    yield mark.rate(
        about, "agreement_rate", len(adopted), len(settled), "issues adopted of those decided",
        unscored=unscored, evidence=found, interval=False,
    )  # fmt: skip
    weight = sum(issue.weight for issue in settled)
    yield mark.score(
        about,
        "agreement_rate_weighted",
        sum(issue.weight for issue in adopted) / weight if weight else None,
        f"weight adopted of {weight:g} decided" if weight else "no issue has been decided",
        n=len(settled),
        unscored=unscored,
        evidence=found,
    )


def _times(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """Turns from the opening of the item to the adoption of each issue."""
    turns: set[str] = set()
    times: list[float] = []
    found: list[Evidence] = []
    for event in transcript.events:
        if isinstance(event, e.ItemOpened):
            turns = set()
        elif isinstance(event, e.TurnEvent) and event.phase != "decision":
            turns.add(event.turn)
        elif isinstance(event, e.Decided) and event.outcome == "adopted":
            lapsed = transcript.state.issues[event.issue].lapsed
            why = f"{len(turns)} turns from the opening of the item to the adoption"
            why += ", which lapsed" if lapsed else ""
            about = subject.issue(event.issue)
            once = _decision(event)
            yield mark.score(about, "turns_to_agreement", len(turns), why, n=1, evidence=once)
            if not lapsed:
                times.append(float(len(turns)))
                found += once
    unscored = len(transcript.state.issues) - len(times)
    why = "turns from the opening of the item to the adoption, over the issues adopted"
    yield mark.mean(
        subject.DEBATE, "turns_to_agreement", times, why, unscored=unscored, evidence=found
    )


@evaluator("breadth", version=1)
def breadth(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D3: how many answered for each text put, and which parties answered alike.

    Texts adopted by declaration count as accepted by all for breadth; they are no roll call, so the
    coalition matrix leaves them out. An answer that could not be had is in neither.
    """
    for decision in of_kind(transcript, e.Decided):
        favour = len(decision.accept) + len(decision.reserve)
        heard = favour + len(decision.reject) + len(decision.abstain)
        yield mark.rate(
            subject.issue(decision.issue), "breadth", favour, heard,
            "answers for the text, with or without reservation, of all answers",
            unscored=len(decision.missing), evidence=_decision(decision), interval=False,
        )  # fmt: skip
    yield from _coalitions(transcript, mark)


def _coalitions(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    calls = [{vote.party: vote for vote in ballot.votes} for ballot in ballots(transcript)]
    for one, other in combinations(transcript.state.parties, 2):
        joint = [call for call in calls if one in call and other in call]
        alike = [c for c in joint if _SIDES[c[one].vote] == _SIDES[c[other].vote]]
        found = [evidence(call[p], call[p].vote) for call in joint for p in (one, other)]
        yield mark.rate(
            subject.pair(one, other), "voted_alike", len(alike), len(joint),
            "roll calls on which both stood on the same side, of those both answered",
            unscored=len(calls) - len(joint), evidence=found,
        )  # fmt: skip


@evaluator("brackets", version=1)
def brackets(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D4: how much of the joint text stands in brackets, and how far the texts were narrowed down.

    The joint text of our procedure begins empty, so a reduction since the start is undefined for
    every debate. Instead: the share of its words that stand in brackets when the record ends, and
    how many of the texts that were ever on the table no longer are contested.
    """
    words_in, words_all, left, ever = 0, 0, 0, 0
    found: list[Evidence] = []
    decided = decisions(transcript)
    for paragraph in joint_text(transcript.state, transcript.setting):
        inside = {option: _words(text) for option, text, _ in paragraph.brackets}
        words_in += sum(inside.values())
        words_all += sum(inside.values()) + (_words(paragraph.text) if paragraph.text else 0)
        left += len(inside)
        ever += len(_ever(transcript.state.issues[paragraph.issue]) | set(inside))
        if paragraph.issue in decided:
            found += _decision(decided[paragraph.issue])
    undecided = sum(not state.settled for state in transcript.state.issues.values())
    yield mark.rate(
        subject.DEBATE, "bracket_burden", words_in, words_all,
        "words in brackets of all words of the joint text as the record leaves it",
        unscored=undecided, evidence=found, interval=False,
    )  # fmt: skip
    yield mark.rate(
        subject.DEBATE, "narrowing", ever - left, ever,
        "texts no longer contested, of those ever offered or tabled",
        unscored=undecided, evidence=found, interval=False,
    )  # fmt: skip


def _ever(state: IssueState) -> set[str]:
    tabled = {state.tabled.option} if state.tabled else set()
    return {offer.option for offer in state.offers} | tabled


def _words(text: str) -> int:
    return len(re.findall(r"\w+", text))


def _decision(*decisions: e.Decided) -> tuple[Evidence, ...]:
    return tuple(evidence(d, f"{d.outcome} by {d.by}: {d.why}") for d in decisions)
