"""Measures a judge on gold: what it says about propositions that people labelled.

The judge is asked exactly as it is asked about a transcript, with the same rubric, the same wording
and the same sheets; only the claims come from the gold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evals.calibration.alpha import human_kappa
from evals.calibration.gold import Gold, Proposition, Split
from evals.calibration.measures import Estimate, Measures, flip_rate, measure
from evals.evaluator import Judged
from evals.judging.form import FORM_SHA, Question, ask_about, verdicts
from evals.judging.judges import Judge
from evals.judging.ledger import Ledger
from evals.judging.live import Asked, Asking
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Claim, Verdict
from evals.judging.sheets import claim_sheets
from evals.kept import Kept, Measurement
from evals.labels import LABELS
from harness.masking import Mask
from harness.setting import Setting


class Calibration(Measurement):
    """How a judge does with one rubric on one labelled set."""

    setting: str
    split: Split
    measures: Measures
    """Sensitivity, specificity, predictive values, kappa, with intervals."""
    retest: Estimate | None = None
    """Share of labels that change when the same is asked again in another order."""

    @property
    def scope(self) -> tuple[str, ...]:
        """The split."""
        return (self.split,)

    def holds_for(self, judged: Judged) -> bool:
        """Whether a score's judge, rubric and wording are the ones that were measured."""
        return (
            judged.models == self.models
            and judged.rubric_sha == self.rubric_sha
            and judged.wording_sha == self.wording_sha
        )


CALIBRATIONS = Kept(Calibration, "calibrations", "TRACKTWO_CALIBRATIONS", "tracktwo calibrate")
"""Where calibrations are kept."""


async def calibrate(
    judge: Judge,
    gold: Gold,
    setting: Setting,
    rubric: Rubric,
    *,
    asking: Asking,
    ledger: Ledger,
    split: Split = "test",
    retest: bool = True,
    seed: int = 0,
) -> Calibration:
    """Ask the judge about one split of the gold, twice if `retest`, and measure it.

    A proposition on which the judge abstains, or whose verdict is unscored, counts as unscored.

    Raises:
        BudgetExhausted: a ceiling was reached; what was answered is on the ledger.
        ModelUnavailable: the user has to mend something.
    """
    chosen = gold.split(split)
    runs = [
        await _labels(judge, chosen, setting, rubric, asking, ledger, run, seed)
        for run in range(2 if retest else 1)
    ]
    calls = [call for call in ledger.calls if call.judge == judge.name]
    return Calibration(
        judge=judge.name,
        models=tuple(dict.fromkeys(call.model for call in calls if call.model is not None)),
        rubric=rubric.name,
        rubric_sha=rubric.sha,
        wording_sha=FORM_SHA,
        gold=gold.name,
        gold_sha=gold.sha,
        setting=gold.setting,
        split=split,
        measures=measure(
            [each.label for each in chosen], runs[0], LABELS, human_kappa=_ceiling(gold, split)
        ),
        retest=flip_rate(runs[0], runs[1]) if retest else None,
        calls=len(calls),
        tokens=sum(call.usage.input + call.usage.output for call in calls),
        seconds=sum(call.latency for call in calls),
    )


async def _labels(
    judge: Judge,
    chosen: Sequence[Proposition],
    setting: Setting,
    rubric: Rubric,
    asking: Asking,
    ledger: Ledger,
    run: int,
    seed: int,
) -> list[str | None]:
    found = await judge_claims(
        judge, [as_claim(each) for each in chosen], setting, rubric,
        asking=asking, ledger=ledger, run=run, seed=seed,
    )  # fmt: skip
    by_unit = {verdict.unit: verdict.label for verdict in found}
    return [label if (label := by_unit[each.id]) in LABELS else None for each in chosen]


async def judge_claims(
    judge: Judge,
    claims: Iterable[Claim],
    setting: Setting,
    rubric: Rubric,
    *,
    asking: Asking,
    ledger: Ledger,
    run: int = 0,
    seed: int = 0,
) -> tuple[Verdict, ...]:
    """The judge's verdicts on claims that come from no transcript, one each, in order of sheets."""
    headings = {item.id: f"Talks: {setting.title}.\nItem: {item.title}." for item in setting.items}
    mask = Mask(setting).masked
    questions = [
        ask_about(sheet, seed=seed, run=run, mask=mask)
        for sheet in claim_sheets(setting, rubric, claims, headings)
    ]
    await asking.ask(judge, [Asked(q.id, q.prompt) for q in questions], ledger)
    return tuple(verdict for q in questions for verdict in _answers(q, judge, ledger))


def as_claim(proposition: Proposition) -> Claim:
    """A proposition as if somebody had said it."""
    return Claim(
        id=proposition.id,
        seq=0,
        turn="",
        party=proposition.party,
        item=proposition.item,
        start=0,
        end=len(proposition.text),
        sentence=proposition.text,
        text=proposition.text,
        type="position",
    )


def _answers(question: Question, judge: Judge, ledger: Ledger) -> Iterable[Verdict]:
    reply = ledger.reply(judge.name, question.prompt)
    assert reply is not None, "every question was asked"
    return verdicts(question, reply, judge.name)


def _ceiling(gold: Gold, split: Split) -> Estimate | None:
    """How well people agree with one another; None where one person labelled alone."""
    kept = [each.annotations for each in gold.split(split)]
    # Two who differ have no majority: without these they would seem to agree on everything.
    tied = [each.annotations for each in gold.tied if each.split == split]
    given = [{a.annotator: str(a.label) for a in each} for each in (*kept, *tied)]
    people = sorted({who for labels in given for who in labels})
    if len(people) < 2:
        return None
    return human_kappa({who: [labels.get(who) for labels in given] for who in people})
