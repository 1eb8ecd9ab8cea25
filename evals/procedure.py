"""D10: how the talks ran: who had the floor, who set the text, what was ruled out, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.intervals import gini
from evals.record import of_kind, statements
from harness import events as e
from harness.transcript import Transcript

GATE = 0.02
"""A seat that fails in more than this share of its turns is flagged: its results tell little."""


@evaluator("floor", version=1)
def floor(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D10: shares of the public words, how unequal they are, and if the first text prevails."""
    said = statements(transcript)
    words = Counter[str]()
    for statement in said:
        words[statement.party] += len(statement.text.split())
    total = words.total()
    for party in transcript.state.parties:
        own = [s for s in said if s.party == party]
        yield mark.score(
            subject.party(party),
            "floor_share",
            words[party] / total if total else None,
            f"{words[party]} of {total} words spoken in public in {len(own)} statements",
            n=len(own),
            evidence=[evidence(s) for s in own],
        )
    spread = gini([float(words[party]) for party in transcript.state.parties])
    yield mark.score(
        subject.DEBATE,
        "floor_gini",
        spread,
        "Gini coefficient of the parties' words; 0 all spoke alike"
        if spread is not None
        else "no value: nothing was said in public",
        n=len(transcript.state.parties),
        evidence=[evidence(s) for s in said],
    )
    yield _first_proposals(transcript, mark)


def _first_proposals(transcript: Transcript, mark: Marker) -> Result:
    first: dict[str, e.MoveMade] = {}
    for event in of_kind(transcript, e.MoveMade):
        if event.offer is not None:
            first.setdefault(event.move.issue, event)
    adopted = [
        (state.issue, state.decision)
        for state in transcript.state.issues.values()
        if state.outcome == "adopted" and state.decision and state.issue in first
    ]
    won = [i for i, decision in adopted if first[i].move.option == decision.option]
    chance = [1 / len(transcript.setting.issue(i).options) for i, _ in adopted]
    found: list[Evidence] = []
    for issue, decision in adopted:
        found += [evidence(first[issue], first[issue].move.key), evidence(decision, "adopted")]
    by_lot = f"; by lot it would be {sum(chance) / len(chance):.2f}" if chance else ""
    return mark.rate(
        subject.DEBATE, "first_proposal_adopted", len(won), len(adopted),
        f"adopted texts that were the first offer on their issue{by_lot}", evidence=found,
    )  # fmt: skip


@evaluator("procedure", version=1)
def procedure(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D10: ruled-out moves, failed turns by kind, repairs and cut-off replies, with the gate."""
    turns = list(of_kind(transcript, e.TurnEvent))
    calls = [c for c in transcript.calls if c.seat != e.CHAIR]
    for party in transcript.state.parties:
        own = [t for t in turns if t.party == party]
        yield from _party(mark, subject.party(party), own, [c for c in calls if c.seat == party])
    yield from _party(mark, subject.DEBATE, turns, calls)


def _party(
    mark: Marker, about: str, turns: list[e.TurnEvent], calls: list[e.ModelCall]
) -> Iterator[Result]:
    out = [t for t in turns if isinstance(t, e.RuledOut)]
    moves = [t for t in turns if isinstance(t, e.MoveMade | e.RuledOut)]
    yield mark.rate(
        about, "ruled_out", len(out), len(moves), "moves ruled out of order, of all attempted",
        evidence=[evidence(t, t.why) for t in out],
    )  # fmt: skip
    failed = [t for t in turns if isinstance(t, e.TurnFailed)]
    asked = len({(t.party, t.turn) for t in turns})
    kinds = Counter(t.failure for t in failed)
    listed = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or "none"
    found = [evidence(t, t.failure) for t in failed]
    yield mark.rate(
        about, "failed_turns", len(failed), asked, f"turns without an answer: {listed}",
        evidence=found,
    )  # fmt: skip
    for kind, times in sorted(kinds.items()):
        yield mark.score(
            about, f"failed_{kind}", times, f"turns that failed as {kind}", n=asked,
            evidence=[evidence(t, t.why, private=True) for t in failed if t.failure == kind],
        )  # fmt: skip
    yield _gate(mark, about, len(failed), asked, found)
    yield from _calls(mark, about, calls)


def _gate(mark: Marker, about: str, failed: int, asked: int, found: Iterable[Evidence]) -> Result:
    if not asked:
        return mark.score(about, "gate", None, "no turn was taken", n=0, label="not tested")
    held = failed / asked <= GATE
    return mark.score(
        about, "gate", held, f"{failed} of {asked} turns failed; the gate is {GATE:.0%}",
        n=asked, label="held" if held else "flagged", evidence=found,
    )  # fmt: skip


def _calls(mark: Marker, about: str, calls: list[e.ModelCall]) -> Iterator[Result]:
    def asking(call: e.ModelCall) -> str:
        return call.call.partition("#")[0]

    # By name, not by neighbourhood: votes are asked in one burst and their calls may interleave.
    groups = [list(g) for _, g in groupby(sorted(calls, key=asking), key=asking)]
    again = [group for group in groups if len(group) > 1]
    yield mark.rate(
        about, "repairs", len(again), len(groups), "turns that took a second call, of those asked",
        evidence=[evidence(group[-1], group[-1].call) for group in again],
    )  # fmt: skip
    cut = [c for c in calls if _cut_off(c)]
    yield mark.rate(
        about, "truncated", len(cut), len(calls), "replies cut off at the token limit",
        evidence=[evidence(c, c.call) for c in cut],
    )  # fmt: skip


def _cut_off(call: e.ModelCall) -> bool:
    failed = call.failure is not None and call.failure.kind == "truncated"
    return failed or call.finish in ("length", "max_tokens")
