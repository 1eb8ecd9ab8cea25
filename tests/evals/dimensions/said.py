"""Debates with chosen words, and verdicts with chosen labels on them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from evals.evaluator import Result, Score
from evals.judging.rubrics import Rubric, rubric
from evals.judging.shapes import Judgements, Verdict
from evals.record import statements
from harness.setting import Party, Position, Setting
from harness.transcript import Transcript
from tests.evals.room import Room, a_party, a_setting, an_issue, an_item

JUDGE = "openai:judge"
NOR, SUD = "norland", "sudria"


def a_port(
    *positions: Position, sudria: tuple[Position, ...] = (), others: tuple[Party, ...] = ()
) -> Setting:
    """Norland and Sudria about a port and a crew; `positions` are Norland's."""
    item = an_item(an_issue("port"), an_issue("crew"), item_id="arms")
    parties = (a_party(NOR, *positions), a_party(SUD, *sudria), *others)
    return a_setting(*parties, items=(item,))


def a_talk(*speakers: str, setting: Setting | None = None) -> Room:
    """A debate in which these parties speak in turn, T1, T2, ..."""
    room = Room(setting or a_port()).opens()
    for number, party in enumerate(speakers, 1):
        room.says(party, f"This is statement number {number}.")
    return room


def labelled(
    transcript: Transcript,
    name: str,
    labels: Mapping[str, str | None],
    *,
    judge: str = JUDGE,
    positions: Mapping[str, str] | None = None,
) -> Judgements:
    """Verdicts on statements by turn; None is a refusal, a turn left out was not asked about."""
    by = rubric(name)
    found = tuple(
        a_verdict(
            by, s.turn, s.party, labels[s.turn], seqs=(s.seq,), turn=s.turn, item=s.item,
            judge=judge, position=(positions or {}).get(s.turn),
        )
        for s in statements(transcript)
        if s.turn in labels
    )  # fmt: skip
    return Judgements(verdicts=found, rubrics={name: by}, answered={judge: ("m-1",)})


def a_verdict(
    by: Rubric,
    unit: str,
    party: str,
    label: str | None,
    *,
    seqs: tuple[int, ...] = (3,),
    turn: str | None = None,
    item: str = "arms",
    judge: str = JUDGE,
    position: str | None = None,
) -> Verdict:
    return Verdict(
        judge=judge,
        rubric=by.name,
        unit=unit,
        party=party,
        item=item,
        seqs=seqs,
        turn=turn,
        label=label,
        value=None if label is None else by.values.get(label),
        unscored="refused: it would not say" if label is None else None,
        reason="because of the words",
        quote="words of the statement" if label in by.needs_quote else "",
        position=position,
        position_quote="words of the position" if position else "",
    )


def joined(*judgements: Judgements) -> Judgements:
    """Several judgements about one transcript as one."""
    return Judgements(
        verdicts=tuple(v for each in judgements for v in each.verdicts),
        rubrics={name: by for each in judgements for name, by in each.rubrics.items()},
        answered={j: models for each in judgements for j, models in each.answered.items()},
    )


def turns(*labels: str | None) -> dict[str, str | None]:
    """T1, T2, ... with these labels."""
    return {f"T{number}": label for number, label in zip(count(1), labels, strict=False)}


def score(results: tuple[Result, ...], subject: str, metric: str, judge: str = JUDGE) -> Score:
    """The one score of this subject and metric."""
    (found,) = (
        r
        for r in results
        if isinstance(r, Score)
        and (r.subject, r.metric) == (subject, metric)
        and (r.judge is None or r.judge.judge == judge)
    )
    return found
