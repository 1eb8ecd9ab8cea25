"""One debate as a sample of Inspect's: the talk, its events, its scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from evals.evaluator import Failure, Result
from evals.exporting.inspect_arms import Sitting
from evals.exporting.inspect_events import chat_message, events_of, score_of, usage_by
from evals.exporting.inspect_scores import FAILED, Entry, entries, judgements, labels
from evals.exporting.inspect_talk import Json, Talk, handle
from evals.exporting.visible import debate_of, public_calls, public_verdict, secrets
from harness import events as e
from harness.setting import Position
from harness.transcript import read

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample, EvalSampleLimit
    from inspect_ai.model import ModelUsage


class Read(NamedTuple):
    """A debate that was read, on its way into a log."""

    sitting: Sitting
    talk: Talk
    scores: dict[str, Entry]
    labels: tuple[Entry, ...]
    broken: Mapping[str, str]
    """Evaluators that broke, with the reason as it may be shown."""
    remark: str
    """What there is to say of its scores."""


def read_sitting(sitting: Sitting, *, public: bool) -> Read:
    """A debate with its scores, as it may be shown.

    Raises:
        TranscriptError: the transcript or a file beside it cannot be read.
    """
    debate, whole = debate_of(sitting.path, private=not public), read(sitting.path)
    talk = Talk(debate.transcript, public_calls(whole) if public else whole.calls, public)
    found = entries(talk, debate.results)
    verdicts = judgements(sitting.path)
    if public:
        held = secrets(whole)
        verdicts = tuple(public_verdict(each, held) for each in verdicts)
    return Read(
        sitting, talk, found, tuple(labels(talk, debate.results, verdicts)),
        _broken(debate.results, found), debate.remark,
    )  # fmt: skip


def _broken(results: Iterable[Result], found: Mapping[str, Entry]) -> dict[str, str]:
    names = {r.evaluator: f"{r.evaluator}/*" for r in results if isinstance(r, Failure)}
    return {each: found[name].explanation for each, name in names.items() if name in found}


def completed(debate: Read, names: Sequence[str]) -> dict[str, Entry]:
    """The scores of a debate under all the names of its log.

    What a broken evaluator would have given stands as unscored, with the reason it broke, so that
    no mean passes over it in silence.
    """
    missing = {
        name: Entry(name, float("nan"), None, debate.broken[evaluator], FAILED, {}, ())
        for name in names
        if name not in debate.scores and (evaluator := name.partition("/")[0]) in debate.broken
    }
    there = {**debate.scores, **missing}
    return {name: there[name] for name in names if name in there}


def sample_of(debate: Read, scores: Mapping[str, Entry]) -> EvalSample:
    """The sample of a debate."""
    from inspect_ai.log import EvalSample

    talk, sitting = debate.talk, debate.sitting
    events = events_of(talk, debate.labels)
    begun, ended = events[0].timestamp, events[-1].timestamp
    return EvalSample(
        id=sitting.sample, epoch=sitting.epoch, input=_input(talk), target="",
        messages=[chat_message(message) for message in talk.messages],
        scores={name: score_of(entry) for name, entry in scores.items()},
        metadata=_metadata(debate), events=events, model_usage=by_model(talk),
        role_usage=_by_seat(talk), started_at=begun.isoformat(), completed_at=ended.isoformat(),
        total_time=(ended - begun).total_seconds(),
        working_time=sum(call.latency for call in talk.asked),
        uuid=handle(sitting.debate, sitting.created, "sample"), limit=_limit(talk),
    )  # fmt: skip


def by_model(talk: Talk) -> dict[str, ModelUsage]:
    """What was used, by the model that answered."""
    return usage_by(talk, (talk.answered(call.call, call.seat) for call in talk.asked))


def _by_seat(talk: Talk) -> dict[str, ModelUsage]:
    return usage_by(talk, (call.seat for call in talk.asked))


def _input(talk: Talk) -> str:
    items = ", ".join(item.title for item in talk.setting.items)
    parties = ", ".join(party.short for party in talk.setting.parties)
    return f"{e.NOTICE}\n\n{talk.setting.title}\n\nAgenda: {items}\n\nParties: {parties}"


def _metadata(debate: Read) -> dict[str, Json]:
    talk, transcript = debate.talk, debate.talk.transcript
    issues = transcript.state.issues.values()
    return {
        "notice": e.NOTICE,
        "debate": transcript.header.debate,
        "file": debate.sitting.path.name,
        "seed": transcript.card.seed,
        "finished": transcript.finished,
        "scores_remark": debate.remark,
        "items": [item.id for item in talk.setting.items],
        "parties": [party.id for party in talk.setting.parties],
        "outcomes": {issue.issue: issue.outcome for issue in issues},
        "adopted": {
            issue.issue: issue.decision.option
            for issue in issues
            if issue.outcome == "adopted" and issue.decision is not None
        },
        "torn_bytes": transcript.torn,
        "positions": {
            position.id: _position(party.id, position)
            for party in talk.setting.parties
            for position in party.positions
        },
        "fork": _fork(talk),
    }  # fmt: skip


def _position(party: str, position: Position) -> dict[str, Json]:
    source = position.source
    return {
        "party": party, "item": position.item, "kind": position.kind,
        "firmness": position.firmness, "statement": position.statement, "source": source.title,
        "publisher": source.publisher, "date": source.date.isoformat(), "url": source.url,
    }  # fmt: skip


def _fork(talk: Talk) -> Json:
    """Where it was taken from, and what was changed, as far as that may be said."""
    fork = talk.transcript.card.fork
    if fork is None:
        return None
    changes: list[Json] = [*fork.changes]
    return {"origin": fork.origin, "at": fork.at, "turn": fork.turn, "changes": changes}


def _limit(talk: Talk) -> EvalSampleLimit | None:
    """The ceiling that stopped it, where it never went on."""
    from inspect_ai.log import EvalSampleLimit

    last = talk.transcript.events[-1]
    if not isinstance(last, e.BudgetStop):
        return None
    return EvalSampleLimit(type="custom", limit=0, reason=f"{last.ceiling}: {last.why}")


def is_value(entry: Entry | None) -> bool:
    """Whether there is a number."""
    return entry is not None and not isinstance(entry.value, str) and not isnan(entry.value)
