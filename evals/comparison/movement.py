"""How the outcome of a debate moves under a change, against as many debates without it.

The unit is one debate at one seed. What is said of a movement holds for this moment of this debate,
not for other debates: for those there are experiments. The debate that was forked is one draw and
enters no test; it is shown beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Literal, TypeAlias

from evals.comparison.families import holm
from evals.comparison.two_sides import ALPHA, enough, exact_p, t_interval
from evals.concessions import attainable
from evals.dimensions.pressure import newcombe
from evals.evaluator import Value
from evals.intervals import wilson
from harness import events as e
from harness.errors import UserError
from harness.events import Event
from harness.setting import Issue, Setting
from harness.state import State, fold
from harness.transcript import Transcript

NONE = "none"
"""The outcome of an issue on which nothing was adopted, or what was has lapsed."""

LOT = "by lot"
"""Stands in the rule by which a text was tabled where the seed chose among equals."""

FAILED = 0.02
"""Share of failed turns from which on an outcome may be the machine's doing."""

Word: TypeAlias = Literal["moved", "not shown", "alike"]
"""moved      further apart than chance puts them: adjusted p at most .05, or nothing was drawn
not shown  apart, but chance could have done that
alike      the same shares on both sides
"""


class Share(Value):
    """In how many debates of a side something came out."""

    hits: int
    of: int
    low: float | None
    """Lower end of Wilson's interval, 95 %; None where nothing is drawn."""
    high: float | None


class OutcomeShares(Value):
    """One outcome of an issue on both sides."""

    outcome: str
    """Id of the option that was adopted, or `none`."""
    label: str
    control: Share
    changed: Share | None
    """None where nothing was changed; and so for all that compares."""
    difference: float | None = None
    """Share in the changed debates less share in the control, -1 to 1."""
    low: float | None = None
    """Lower end of Newcombe's interval for the difference, 95 %; None where nothing is drawn."""
    high: float | None = None


class IssueMovement(Value):
    """One issue."""

    issue: str
    heading: str
    original: str | None
    """What it came to in the debate that was forked; None where that one stopped before."""
    outcomes: tuple[OutcomeShares, ...]
    """Every outcome that came up on either side, the most frequent of the control first."""
    certain: bool = False
    """Whether nothing is drawn on it, neither by a model nor by lot: every seed gives the same, and
    a difference is one without any test."""
    p: float | None = None
    """Of the exact test that both sides' outcomes are drawn alike; None where nothing is drawn."""
    p_adjusted: float | None = None
    """Holm, over all issues that were tested."""
    word: Word | None = None


class MeanMovement(Value):
    """One number a debate, on both sides."""

    metric: Literal["agreement", "satisfaction"]
    party: str | None = None
    original: float | None
    control: float
    changed: float | None
    difference: float | None = None
    low: float | None = None
    """Lower end of a t interval for the difference, 95 %."""
    high: float | None = None
    why: str = ""
    """Why there is no interval."""


class Movement(Value):
    """What became of the outcome."""

    control: int
    """Debates held to their end with nothing changed."""
    changed: int
    issues: tuple[IssueMovement, ...]
    """Those that were open at the fork."""
    settled: tuple[str, ...]
    """Issues that had been decided before it, and could not move."""
    means: tuple[MeanMovement, ...]
    sentences: tuple[str, ...]
    """What moved, and whether it is more than chance."""
    cautions: tuple[str, ...]


def movement(
    original: Transcript, control: Sequence[Transcript], changed: Sequence[Transcript]
) -> Movement:
    """How outcomes moved.

    Satisfaction is held against the mandates of the original on both sides, also where a position
    was taken out: it says what the change is worth to the party as it is on record.

    Args:
        original: The debate that was forked.
        control: Debates that went on from it with nothing changed, finished.
        changed: Debates that went on with a change, finished; none where nothing was changed.

    Raises:
        UserError: there is no debate in the control to compare with.
        ValueError: a debate is not finished.
    """
    if not control:
        raise UserError(
            "No unchanged debate was held to its end: there is nothing to compare with."
        )
    if any(not debate.finished for debate in (*control, *changed)):
        raise ValueError("outcomes of a debate that is not finished are not known")
    settled = _settled(control[0])
    issues = _adjusted(
        [
            _issue(original, control, changed, issue)
            for issue in control[0].state.issues
            if issue not in settled
        ]
    )
    return Movement(
        control=len(control),
        changed=len(changed),
        issues=issues,
        settled=settled,
        means=tuple(_means(original, control, changed)),
        sentences=tuple(_sentences(issues, len(control), len(changed))),
        cautions=tuple(_cautions(issues, control, changed)),
    )


def outcome(state: State, issue: str) -> str | None:
    """The option that was adopted, or `none`; None where the record ends before the decision."""
    found = state.issues[issue]
    if found.decision is None:
        return None
    return found.decision.option if found.outcome == "adopted" else NONE


def _settled(control: Transcript) -> tuple[str, ...]:
    fork = control.card.fork
    kept = fork.kept if fork is not None else 0
    state = fold(control.events[: 2 + kept])
    return tuple(issue.issue for issue in state.issues.values() if issue.settled)


def _issue(
    original: Transcript, control: Sequence[Transcript], changed: Sequence[Transcript], issue: str
) -> IssueMovement:
    before = Counter(outcome(debate.state, issue) or NONE for debate in control)
    after = Counter(outcome(debate.state, issue) or NONE for debate in changed)
    item = control[0].state.issues[issue].item
    certain = not any(_drawn(debate, item) for debate in (*control, *changed))
    return IssueMovement(
        issue=issue,
        heading=original.setting.issue(issue).heading,
        original=outcome(original.state, issue),
        outcomes=tuple(
            _shares(original.setting.issue(issue), name, before, after, certain)
            for name, _ in (before + after).most_common()
        ),
        certain=certain,
        p=exact_p(before, after) if after and not certain else None,
    )


def _shares(
    issue: Issue, name: str, before: Counter[str], after: Counter[str], certain: bool
) -> OutcomeShares:
    label = "no text adopted" if name == NONE else issue.option(name).label
    control = _share(before[name], before.total(), certain)
    if not after:
        return OutcomeShares(outcome=name, label=label, control=control, changed=None)
    changed = _share(after[name], after.total(), certain)
    counts = changed.hits, changed.of, control.hits, control.of
    low, high = (None, None) if certain else newcombe(*counts)
    return OutcomeShares(
        outcome=name, label=label, control=control, changed=changed, low=low, high=high,
        difference=changed.hits / changed.of - control.hits / control.of,
    )  # fmt: skip


def _share(hits: int, of: int, certain: bool) -> Share:
    low, high = (None, None) if certain else wilson(hits, of)
    return Share(hits=hits, of=of, low=low, high=high)


def _adjusted(issues: Sequence[IssueMovement]) -> tuple[IssueMovement, ...]:
    """The issues with p adjusted for each other, and a word each."""
    adjusted = holm([issue.p for issue in issues])
    return tuple(
        issue.model_copy(update={"p_adjusted": p, "word": _word(issue, p)})
        for issue, p in zip(issues, adjusted, strict=True)
    )


def _word(issue: IssueMovement, p: float | None) -> Word | None:
    if any(each.difference is None for each in issue.outcomes):
        return None
    if all(each.difference == 0 for each in issue.outcomes):
        return "alike"
    return "moved" if p is None or p <= ALPHA else "not shown"


def _means(
    original: Transcript, control: Sequence[Transcript], changed: Sequence[Transcript]
) -> list[MeanMovement]:
    rows = [_mean("agreement", None, original, control, changed)]
    rows += [
        _mean("satisfaction", party.id, original, control, changed)
        for party in original.setting.parties
    ]
    return [row for row in rows if row is not None]


def _mean(
    metric: Literal["agreement", "satisfaction"],
    party: str | None,
    original: Transcript,
    control: Sequence[Transcript],
    changed: Sequence[Transcript],
) -> MeanMovement | None:
    def value(debate: Transcript) -> float | None:
        if party is None:
            return _agreement(debate.state)
        return satisfaction(original.setting, party, debate.state)

    before = [v for debate in control if (v := value(debate)) is not None]
    after = [v for debate in changed if (v := value(debate)) is not None]
    if not before:
        return None
    low, high, why = t_interval(before, after)
    return MeanMovement(
        metric=metric,
        party=party,
        original=value(original) if original.finished else None,
        control=fmean(before),
        changed=fmean(after) if after else None,
        difference=fmean(after) - fmean(before) if after else None,
        low=low,
        high=high,
        why=why,
    )


def _agreement(state: State) -> float:
    """Share of the issues that were adopted."""
    agreed = [issue.outcome == "adopted" for issue in state.issues.values()]
    return sum(agreed) / len(agreed)


def satisfaction(setting: Setting, party: str, state: State) -> float | None:
    """Firmness points the adopted texts give the party, of those attainable; None if none are.

    As `satisfaction` in evals/concessions.py, but by the mandates of a setting one names.
    """
    mandates = [setting.mandate(party, item.id) for item in setting.items]
    best = sum(map(attainable, mandates))
    if not best:
        return None
    points = {key: value for mandate in mandates for key, value in mandate.points.items()}
    adopted = ((issue, outcome(state, issue)) for issue in state.issues)
    return sum(points[f"{issue}/{text}"] for issue, text in adopted if text and text != NONE) / best


def _sentences(issues: Sequence[IssueMovement], control: int, changed: int) -> list[str]:
    if not changed:
        return [f"Nothing was changed: this is what {control} seeds alone do to the outcome."]
    moved = [issue for issue in issues if issue.word == "moved"]
    said = [_moved(issue) for issue in moved]
    apart = [issue.heading for issue in issues if issue.word == "not shown"]
    if apart:
        said.append(
            f"Apart by no more than chance can put them: {'; '.join(apart)}. Neither a movement "
            "nor its absence is shown there."
        )
    if not moved and not apart:
        said.append("Every issue came out the same way, as often, on both sides: nothing moved.")
    return said


def _moved(issue: IssueMovement) -> str:
    """What happened to an issue whose outcome moved, in a sentence."""
    compared = [each for each in issue.outcomes if each.difference is not None]
    lost = min(compared, key=lambda each: each.difference or 0)
    won = max(compared, key=lambda each: each.difference or 0)
    assert lost.changed is not None
    assert won.changed is not None
    less, more = _now(lost.control, lost.changed), _now(won.control, won.changed)
    why = "nothing is drawn there, so every seed gives the same"
    if not issue.certain:
        why = f"by more than chance, p {_p(issue.p_adjusted)} over all issues"
    where = f"{_named(lost)} came out in {less}; {_named(won)} in {more}"
    return f"{issue.heading} moved ({why}): {where}."


def _named(each: OutcomeShares) -> str:
    return "no agreement" if each.outcome == NONE else f"\u201c{each.label}\u201d"


def _now(before: Share, after: Share) -> str:
    return f"{before.hits} of {before.of} and now in {after.hits} of {after.of}"


def _p(p: float | None) -> str:
    return "-" if p is None else f"{p:.2g}".replace("0.", ".", 1)


def _cautions(
    issues: Sequence[IssueMovement], control: Sequence[Transcript], changed: Sequence[Transcript]
) -> list[str]:
    found: list[str] = []
    tested = [issue for issue in issues if issue.p is not None]
    least = enough(len(tested))
    if tested and min(len(control), len(changed)) < least:
        found.append(
            f"With {len(control)} and {len(changed)} debates on {len(tested)} issues not even "
            f"outcomes that never agree would be more than chance: it takes {least} a side."
        )
    found += [
        f"{name}: {failed} of {of} turns failed; a text that is missing a vote is not adopted."
        for name, debates in (("Control", control), ("Changed", changed))
        for failed, of in (_failed(debates),)
        if of and failed / of > FAILED
    ]
    return found


def _after_fork(debate: Transcript) -> Sequence[Event]:
    fork = debate.card.fork
    return debate.events[2 + (fork.kept if fork is not None else 0) :]


def _drawn(debate: Transcript, item: str) -> bool:
    """Whether chance had a part in the item: a model or a person answered, or a lot was drawn."""
    if debate.rules.package == "agenda":
        return any(_by_chance(event, None) for event in _after_fork(debate))
    return any(_by_chance(event, item) for event in _after_fork(debate))


def _by_chance(event: Event, item: str | None) -> bool:
    if isinstance(event, e.ModelCall):
        return event.model not in ("reference", "script")
    return isinstance(event, e.Tabled) and item in (None, event.item) and LOT in event.rule


def _failed(debates: Sequence[Transcript]) -> tuple[int, int]:
    """Failed turns and all turns after the fork."""
    events = [event for debate in debates for event in _after_fork(debate)]
    failed = sum(isinstance(event, e.TurnFailed) for event in events)
    return failed, failed + sum(isinstance(event, e.Statement) for event in events)
