"""Logs for Inspect: transcripts and scores as `.eval` files, one an arm.

They open in `inspect view` and load through `inspect_ai.analysis`. Ids are made from what is
exported, so that the same debates give the same ones. docs/inspect.md says what is found where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from evals.exporting.inspect_arms import Arm, arms
from evals.exporting.inspect_samples import (
    Read,
    by_model,
    completed,
    is_value,
    read_sitting,
    sample_of,
)
from evals.exporting.inspect_scores import Entry
from evals.exporting.inspect_talk import Json, handle
from harness.errors import UserError
from harness.events import NOTICE

if TYPE_CHECKING:
    from inspect_ai.log import (
        EvalLog,
        EvalResults,
        EvalSample,
        EvalSampleReductions,
        EvalScore,
        EvalSpec,
        EvalStats,
    )
    from inspect_ai.viewer import ViewerConfig

HEADLINES = (
    "concordance/in_line",
    "agreement/agreement_rate",
    "red_lines/crossed_hard",
    "say_do/gap",
    "citations/valid",
    "procedure/failed_turns",
)
"""The scores a log begins with; in a list of samples the viewer shows these and hides the rest."""

_Scored = Mapping[str, Entry]


def write_logs(transcripts: Sequence[Path], out: Path, *, public: bool = True) -> list[Path]:
    """Write transcripts with their scores as Inspect logs, one file an arm.

    Scores that are missing or older than their transcript are made anew in memory by code; nothing
    is written beside the transcripts. A log of the same debates replaces an earlier one.

    Args:
        transcripts: The transcripts.
        out: The folder for the logs; made where it does not exist.
        public: Whether notes, private meetings, confidential positions, prompts and raw replies
            are left out.

    Returns:
        The files written, in the order in which their first debates were given.

    Raises:
        UserError: inspect-ai is not installed, no transcript is given, `out` is no folder, or a
            file cannot be read.
    """
    if find_spec("inspect_ai") is None:
        raise UserError(
            "Inspect logs are written with inspect-ai, which is not installed: "
            "pip install 'tracktwo[inspect]'."
        )
    if not transcripts:
        raise UserError("No transcript was named, so there is nothing to put into a log.")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; name a folder for the logs.")
    out.mkdir(parents=True, exist_ok=True)
    return [_write(arm, out, public=public) for arm in arms(transcripts)]


def _write(arm: Arm, out: Path, *, public: bool) -> Path:
    from inspect_ai.log import write_eval_log

    path = out / _file_name(arm)
    write_eval_log(log_of(arm, public=public), str(path))
    return path


def _file_name(arm: Arm) -> str:
    """As Inspect names its logs: time, task and id, by which it sorts and lists them."""
    at = arm.created.partition(".")[0].partition("+")[0].removesuffix("Z").replace(":", "-")
    task = re.sub(r"[^A-Za-z0-9.-]+", "-", arm.task)
    return f"{at}+00-00_{task}_{handle('task', arm.key)}.eval"


def log_of(arm: Arm, *, public: bool) -> EvalLog:
    """The log of an arm.

    Raises:
        TranscriptError: a transcript or a file beside it cannot be read.
    """
    from inspect_ai.log import EvalLog

    held = [read_sitting(sitting, public=public) for sitting in arm.sittings]
    names = _names(held)
    scored = [completed(debate, names) for debate in held]
    samples = [sample_of(debate, each) for debate, each in zip(held, scored, strict=True)]
    log = EvalLog(
        version=2, status="success", eval=_spec(arm, held, names, public=public),
        results=_results(arm, held, scored, names), stats=_stats(held, samples), samples=samples,
    )  # fmt: skip
    if _epochs(arm) > 1:
        # Given to the constructor beside results it is refused.
        log.reductions = [_reduced(arm, scored, name) for name in names]
    return log


def _names(held: Iterable[Read]) -> tuple[str, ...]:
    """The names of all scores: the headlines, the debate's, then by what they are about."""
    found = dict.fromkeys(name for debate in held for name in debate.scores)
    return tuple(sorted(found, key=_rank))


def _rank(name: str) -> tuple[int, int]:
    """Where a name stands; sorting keeps the evaluators' own order within each."""
    about = name.partition(" ")[2].partition(" by ")[0].partition(":")[0]
    kinds = ("", "party", "item", "issue")
    first = HEADLINES.index(name) if name in HEADLINES else len(HEADLINES)
    return first, kinds.index(about) if about in kinds else len(kinds)


def _epochs(arm: Arm) -> int:
    return max(sitting.epoch for sitting in arm.sittings)


def _spec(arm: Arm, held: Sequence[Read], names: Sequence[str], *, public: bool) -> EvalSpec:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

    card = held[0].talk.transcript.card
    debates = [(sitting.debate, sitting.created) for sitting in arm.sittings]
    return EvalSpec(
        eval_id=handle("eval", arm.key, public, debates), run_id=handle("run", arm.key, debates),
        task_id=handle("task", arm.key), created=arm.created, task=arm.task,
        task_args=_args(arm, held), model=_model(held), tags=["simulated"],
        dataset=EvalDataset(
            name=card.setting.id, samples=len(arm.samples), sample_ids=list(arm.samples)
        ),
        config=EvalConfig(epochs=_epochs(arm), epochs_reducer=["mean"]),
        packages=dict(card.versions), metadata=_metadata(arm, held, public=public),
        viewer=_viewer(names),
    )  # fmt: skip


def _model(held: Sequence[Read]) -> str:
    """What sits in the parties' seats, each once."""
    seats = held[0].talk.transcript.card.seats
    parties = {party.id for party in held[0].talk.setting.parties}
    return " + ".join(dict.fromkeys(seat.model for seat in seats if seat.seat in parties))


def _args(arm: Arm, held: Sequence[Read]) -> dict[str, Json]:
    prompts: dict[str, Json] = {
        seat.seat: seat.prompt for seat in held[0].talk.transcript.card.seats if seat.prompt
    }
    named = {"experiment": arm.experiment, "arm": arm.arm, "variation": arm.variation}
    return {**{key: name for key, name in named.items() if name}, "prompts": prompts}


def _metadata(arm: Arm, held: Sequence[Read], *, public: bool) -> dict[str, Json]:
    card = held[0].talk.transcript.card
    return {
        "notice": NOTICE,
        "setting": card.setting.title,
        "as_of": card.setting.as_of.isoformat(),
        "experiment": arm.experiment,
        "arm": arm.arm,
        "variation": arm.variation,
        "public": public,
        "rules": card.rules.model_dump(mode="json", exclude={"injects"}),
        "seats": [seat.model_dump(mode="json") for seat in card.seats],
        "scores_remarks": [d.remark for d in held if d.remark],
        "unfinished": sum(not d.talk.transcript.finished for d in held),
    }


def _viewer(names: Sequence[str]) -> ViewerConfig:
    from inspect_ai.viewer import TaskSamplesColumn, TaskSamplesView, ViewerConfig

    fixed = [TaskSamplesColumn(id=each) for each in ("sampleId", "epoch")]
    columns = [TaskSamplesColumn.score(name, visible=name in HEADLINES) for name in names]
    view = TaskSamplesView(name="tracktwo", columns=[*fixed, *columns], compact_scores=True)
    return ViewerConfig(task_samples_view=view)


def _stats(held: Sequence[Read], samples: Sequence[EvalSample]) -> EvalStats:
    from inspect_ai.log import EvalStats
    from inspect_ai.model import ModelUsage

    used: dict[str, ModelUsage] = {}
    for debate in held:
        for model, usage in by_model(debate.talk).items():
            used[model] = used.get(model, ModelUsage()) + usage
    return EvalStats(
        started_at=min(s.started_at for s in samples if s.started_at),
        completed_at=max(s.completed_at for s in samples if s.completed_at),
        model_usage=used,
    )


def _results(
    arm: Arm, held: Sequence[Read], scored: Sequence[_Scored], names: Sequence[str]
) -> EvalResults:
    from inspect_ai.log import EvalResults

    return EvalResults(
        total_samples=len(held),
        completed_samples=sum(debate.talk.transcript.finished for debate in held),
        scores=[_score(arm, scored, name) for name in names],
        metadata={"notice": NOTICE},
    )


def _score(arm: Arm, scored: Sequence[_Scored], name: str) -> EvalScore:
    """The mean over scenarios, each a mean over its epochs, so that a scenario counts once."""
    from inspect_ai.log import EvalMetric, EvalScore

    means = list(_means(arm, scored, name).values())
    metrics = {"mean": fmean(means)} if means else {}
    if len(means) > 1:
        metrics["stderr"] = stdev(means) / len(means) ** 0.5
    there = sum(is_value(each.get(name)) for each in scored)
    return EvalScore(
        name=name, scorer=name, reducer="mean" if _epochs(arm) > 1 else None,
        scored_samples=there, unscored_samples=len(scored) - there,
        metrics={key: EvalMetric(name=key, value=value) for key, value in metrics.items()},
        metadata={"scenarios": len(means)},
    )  # fmt: skip


def _means(arm: Arm, scored: Sequence[_Scored], name: str) -> dict[str, float]:
    """The mean of each scenario that has a value."""
    values: dict[str, list[float]] = {}
    for sitting, each in zip(arm.sittings, scored, strict=True):
        entry = each.get(name)
        if entry is not None and is_value(entry):
            values.setdefault(sitting.sample, []).append(float(entry.value))
    return {sample: fmean(found) for sample, found in values.items()}


def _reduced(arm: Arm, scored: Sequence[_Scored], name: str) -> EvalSampleReductions:
    """The mean of each scenario over its epochs; NaN where none has a value."""
    from inspect_ai.log import EvalSampleReductions, EvalSampleScore

    means = _means(arm, scored, name)
    return EvalSampleReductions(
        scorer=name,
        reducer="mean",
        samples=[
            EvalSampleScore(value=means.get(sample, float("nan")), sample_id=sample)
            for sample in arm.samples
        ],
    )
