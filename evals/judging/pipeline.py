"""From a transcript to judgements: claims first, then every dimension by every judge.

All of it follows from the ledger: a second run over the same transcript asks only what the ledger
does not know, and asks nothing if it knows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from evals.judging.claims import CLAIMS_SHA, Splitting, claims, taken_apart
from evals.judging.form import Question, ask_about, verdicts
from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from evals.judging.live import Asked, Asking
from evals.judging.material import Material
from evals.judging.rubrics import Rubric, rubric
from evals.judging.shapes import Claim, Judgements, Record, Verdict
from evals.judging.sheets import sheets
from evals.text import sentences
from harness.prompt import Prompt, Reply
from harness.setting import sha
from harness.transcript import Transcript

SPLITTING = "claims"
"""The rubric by which sentences are split into claims."""


class Cost(NamedTuple):
    """What judging took, beside what the plain way would have taken."""

    calls: int
    tokens: int
    """Read and written."""
    sentence_by_position: int
    """Calls of a design that asks about every sentence and every position of its party."""

    @property
    def share(self) -> float | None:
        """Calls per judge over those of the plain design; None where there was nothing to judge."""
        return self.calls / self.sentence_by_position if self.sentence_by_position else None


@dataclass(frozen=True)
class Plan:
    """What judges are asked."""

    rubrics: tuple[Rubric, ...]
    """The dimensions."""
    runs: int = 1
    """How often each question on a dimension is put, in another order and with another seed."""

    @property
    def splits(self) -> bool:
        """Whether claims are needed."""
        return any(each.reads in ("claims", "pairs") for each in self.rubrics)


async def judge_transcript(
    transcript: Transcript,
    judges: Sequence[Judge],
    plan: Plan,
    *,
    asking: Asking,
    ledger: Ledger | None = None,
) -> Judgements:
    """Everything the judges say about a transcript.

    The first judge splits sentences into claims; all of them label the same claims, so that their
    verdicts can be compared.

    Args:
        transcript: finished or not.
        judges: one or several.
        plan: what to ask.
        asking: live, or in a batch.
        ledger: what is known already; a new one in memory where left out.

    Raises:
        BudgetExhausted: a ceiling was reached; the answers so far are on the ledger.
        ModelUnavailable: the user has to mend something.
        BatchPending: a batch is under way; run again later.
    """
    ledger = ledger or Ledger()
    material = Material(transcript)
    found = Judgements(
        rubrics={each.name: each for each in plan.rubrics},
        claims_sha=claims_sha() if plan.splits else None,
        asked=tuple(judge.name for judge in judges),
    )
    if plan.splits:
        found = found.with_records(await _split(material, judges[0], ledger, asking))
    questions = _questions(material, plan, found.claims)
    records: list[Record] = []
    for judge in judges:
        await asking.ask(judge, [Asked(q.id, q.prompt) for q in questions], ledger)
        records += _verdicts(questions, judge, ledger)
    return _with_models(found.with_records(records), ledger)


async def _split(
    material: Material, judge: Judge, ledger: Ledger, asking: Asking
) -> tuple[Record, ...]:
    by = rubric(SPLITTING)
    taken = taken_apart(material, by)
    await asking.ask(judge, [Asked(part.id, part.prompt) for part in taken.parts], ledger)
    found = [record for part in taken.parts for record in _claims_of(part, judge, ledger, by.name)]
    return (*taken.courtesies, *found)


def _claims_of(part: Splitting, judge: Judge, ledger: Ledger, by: str) -> Iterator[Claim | Verdict]:
    yield from claims(part, _reply(ledger, judge, part.prompt), judge.name, by)


def _questions(material: Material, plan: Plan, found: Sequence[Claim]) -> tuple[Question, ...]:
    return tuple(
        ask_about(sheet, seed=material.seed, run=run, mask=_mask(material, each))
        for each in plan.rubrics
        for sheet in sheets(material, each, found)
        for run in range(plan.runs)
    )


def _mask(material: Material, by: Rubric) -> Callable[[str], str]:
    # Where the labels are the parties, even `Party A` would say who is who.
    return material.mask.masked if by.scale else material.blind


def _verdicts(questions: Sequence[Question], judge: Judge, ledger: Ledger) -> Iterator[Verdict]:
    for question in questions:
        yield from verdicts(question, _reply(ledger, judge, question.prompt), judge.name)


def _reply(ledger: Ledger, judge: Judge, prompt: Prompt) -> Reply:
    reply = ledger.reply(judge.name, prompt)
    assert reply is not None, "every question was asked"
    return reply


def claims_sha() -> str:
    """Fingerprint of how sentences become claims."""
    return sha(f"{rubric(SPLITTING).sha}/{CLAIMS_SHA}")


def _with_models(found: Judgements, ledger: Ledger) -> Judgements:
    models: dict[str, dict[str, None]] = {}
    for call in ledger.calls:
        if call.model is not None:
            models.setdefault(call.judge, {})[call.model] = None
    answered = {judge: tuple(names) for judge, names in models.items()}
    return replace(found, answered=answered)


def cost(transcript: Transcript, ledger: Ledger, judge: str) -> Cost:
    """What a judge's calls on the ledger took, beside the plain design's calls."""
    mine = [call for call in ledger.calls if call.judge == judge]
    tokens = sum(call.usage.input + call.usage.output for call in mine)
    return Cost(len(mine), tokens, sentence_by_position(transcript))


def sentence_by_position(transcript: Transcript) -> int:
    """How many calls it takes to hold every sentence against every position of its party."""
    material = Material(transcript)
    return sum(
        len(sentences(said.text)) * len(material.setting.mandate(said.party, item).positions)
        for item, statements in material.said.items()
        for said in statements
    )
