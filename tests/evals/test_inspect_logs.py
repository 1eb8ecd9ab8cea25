"""Inspect logs: what stands in them is what stands in our own scores, and nothing private."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.event import InfoEvent, ModelEvent, ScoreEvent, SpanBeginEvent, SpanEndEvent
from inspect_ai.log import EvalLog, EvalSample, EvalSpec, list_eval_logs, read_eval_log
from inspect_ai.model import ChatMessageAssistant
from inspect_ai.scorer import Score as InspectScore

from evals import scores
from evals.evaluator import Evidence, Failure, Judged, Result, Score, evaluate
from evals.exporting.inspect_logs import HEADLINES, write_logs
from evals.exporting.inspect_scores import name_of, of_turns
from evals.exporting.visible import WITHHELD
from evals.judging import files
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.registry import BUILT_IN, named
from harness import events as e
from harness.errors import UserError
from harness.events import NOTICE
from harness.experiment.design import Design
from harness.experiment.folder import Folder
from harness.experiment.shapes import Arm, Experiment, Primary
from harness.parts import Said
from harness.setting import Rules
from harness.transcript import Transcript, Writer, fingerprint, read
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item

if sys.version_info < (3, 14):  # from there on zipfile knows the compression of logs by itself
    import zipfile_zstd  # type: ignore[import-untyped]  # noqa: F401

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"
DOCS = Path(__file__).parents[2] / "docs" / "inspect.md"
NAMES = (
    "embedded-model-guarded",
    "reference-eight-of-twelve",
    "scripted-us-votes-against-its-own-text",
    "six-parties-on-nord-stream-2",
)

# What may be read by one party alone; each stands in another kind of event or field.
SECRETS = {
    "statement": "Below forty per cent we would still sign the annex quietly",
    "spoken": "Between us a thirty-seven per cent cut suffices",
    "canary": "ZEBRA-ORCHARD-4471",
    "note": "Remember that the minister wants this over by Friday",
    "caucus": "In this room alone we can speak about the harbour",
    "prompt": "You are the delegation and your bottom line is the quay",
    "reply": "raw-reply-of-the-delegation",
    "unread": "the reply named a jetty that does not exist",
    "ruled out": "nobody may hear of this attempted withdrawal",
    "parameter": "a-parameter-of-the-call",
    "fork note": "pencilled beside what was put into their mouth",
    "quote": "words that only the leak detector quotes",
    "verdict": "the judge quotes the thirty-seven per cent",
    "error": "the evaluator saw the hidden mooring",
}


def kept(tmp_path: Path, *names: str) -> list[Path]:
    """Examples in a folder of their own, so that nothing lies beside them."""
    return [Path(shutil.copy(EXAMPLES / f"{name}.jsonl", tmp_path)) for name in names]


def one(path: Path) -> tuple[EvalLog, EvalSample]:
    log = read_eval_log(str(path))
    assert log.samples is not None
    (sample,) = log.samples
    return log, sample


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The log of each example."""
    folder = tmp_path_factory.mktemp("examples")
    paths = kept(folder, *NAMES)
    return dict(zip(NAMES, write_logs(paths, folder / "logs"), strict=True))


def scores_of(sample: EvalSample) -> dict[str, InspectScore]:
    assert sample.scores is not None
    return sample.scores


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def on_disk(path: Path, transcript: Transcript) -> Path:
    header = transcript.header.model_copy(update={"debate": path.stem})
    with Writer.create(path, header, transcript.card) as writer:
        for event in transcript.events[2:]:
            writer.append(event)
    return path


def changed(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a transcript with another run card and the name of its file."""
    header, card, *rest = source.read_text(encoding="utf-8").splitlines()
    first, second = json.loads(header), json.loads(card)
    first["debate"] = target.stem
    change(second)
    lines = [json.dumps(first), json.dumps(second), *rest]
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return target


def with_seed(seed: int) -> Callable[[dict[str, Any]], None]:
    return lambda card: card.update(seed=seed)


# The contract with the installed version


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (EvalLog, "version status eval results stats samples reductions"),
        (
            EvalSpec,
            "eval_id run_id task_id created task task_args model tags dataset config packages "
            "metadata viewer",
        ),
        (
            EvalSample,
            "id epoch input target messages scores metadata events model_usage role_usage "
            "started_at completed_at total_time working_time uuid limit",
        ),
        (InspectScore, "value answer explanation metadata"),
        (ChatMessageAssistant, "id content source model metadata"),
        (
            ModelEvent,
            "model role input tools tool_choice config output retries error completed "
            "working_time uuid span_id timestamp working_start metadata",
        ),
        (ScoreEvent, "score intermediate scorer uuid span_id timestamp metadata"),
        (InfoEvent, "source data uuid span_id timestamp metadata"),
        (SpanBeginEvent, "id parent_id name type uuid span_id timestamp"),
        (SpanEndEvent, "id uuid span_id timestamp"),
    ],
)
def test_the_installed_version_has_every_field_we_fill(kind: Any, fields: str) -> None:
    assert not set(fields.split()) - set(kind.model_fields)


def test_inspect_lists_the_logs_and_knows_their_task_from_the_name(logs: dict[str, Path]) -> None:
    folder = logs[NAMES[0]].parent
    listed = list_eval_logs(str(folder))
    assert {Path(info.name).name for info in listed} == {path.name for path in logs.values()}
    for info in listed:
        header = read_eval_log(info.name, header_only=True)
        assert (info.task, info.task_id) == ("geneva-2021", header.eval.task_id)


# The values


@pytest.mark.parametrize("name", NAMES)
def test_every_score_in_the_log_is_our_own(logs: dict[str, Path], name: str) -> None:
    log, sample = one(logs[name])
    found = scores_of(sample)
    ours = [r for r in evaluate(read(EXAMPLES / f"{name}.jsonl"), BUILT_IN) if not of_turns(r)]
    assert len(found) == len(ours) > 100
    for result in ours:
        assert isinstance(result, Score)
        theirs = found[name_of(result)]
        if result.value is None:
            assert is_nan(theirs.value), name_of(result)
            assert theirs.reason in ("nothing_to_count", "scoring_failed")
        else:
            assert theirs.value == result.value, name_of(result)
        assert theirs.answer == result.label
    assert log.status == "success"
    assert log.results is not None
    assert [score.name for score in log.results.scores][: len(HEADLINES)] == [
        each for each in HEADLINES if each in found
    ]
    for score in log.results.scores:
        value = found[score.name].value
        assert (score.scored_samples, score.unscored_samples) == (
            (0, 1) if is_nan(value) else (1, 0)
        )
        assert ("mean" in score.metrics) is not is_nan(value)
        if "mean" in score.metrics:
            assert score.metrics["mean"].value == pytest.approx(float(value))  # type: ignore[arg-type]


def test_labels_of_turns_stand_in_their_turns(logs: dict[str, Path]) -> None:
    name = "scripted-us-votes-against-its-own-text"
    _, sample = one(logs[name])
    spans = {x.id: x for x in sample.events if isinstance(x, SpanBeginEvent)}
    labels = [x for x in sample.events if isinstance(x, ScoreEvent) and x.intermediate]
    ours = {
        name_of(r): r for r in evaluate(read(EXAMPLES / f"{name}.jsonl"), BUILT_IN) if of_turns(r)
    }
    assert {label.scorer for label in labels} == set(ours)
    flips = [x for x in labels if x.score.answer == "flip"]
    assert flips, "the example is about a vote against one's own text"
    for label in labels:
        result = ours[str(label.scorer)]
        assert isinstance(result, Score)
        last = max(result.evidence, key=lambda note: note.seq)
        if last.turn is not None:
            span = spans[str(label.span_id)]
            assert span.metadata == {"turn": last.turn}
            assert span.parent_id in spans


def test_spans_close_in_the_order_they_were_opened_and_time_never_goes_back(
    logs: dict[str, Path],
) -> None:
    for path in logs.values():
        _, sample = one(path)
        open_: list[str] = []
        for event in sample.events:
            if isinstance(event, SpanBeginEvent):
                assert event.type is None  # `agent` would fold the turn away
                open_.append(event.id)
            elif isinstance(event, SpanEndEvent):
                assert open_.pop() == event.id
        assert not open_
        stamps = [event.timestamp for event in sample.events]
        assert stamps == sorted(stamps)
        assert len({event.uuid for event in sample.events}) == len(sample.events)


def test_items_turns_moves_votes_and_decisions_are_all_there(logs: dict[str, Path]) -> None:
    for name, path in logs.items():
        transcript = read(EXAMPLES / f"{name}.jsonl")
        _, sample = one(path)
        info = [x for x in sample.events if isinstance(x, InfoEvent)]
        for kind, source in (
            (e.MoveMade, "debate/move"),
            (e.VoteCast, "debate/vote"),
            (e.Decided, "debate/decision"),
        ):
            ours = [x for x in transcript.events if isinstance(x, kind)]
            theirs = [x for x in info if x.source == source]
            assert [x.metadata["seq"] for x in theirs if x.metadata] == [x.seq for x in ours]
        decided = [x.data for x in info if x.source == "debate/decision"]
        outcomes = {d["issue"]: d["outcome"] for d in decided if isinstance(d, dict)}
        assert outcomes == {
            issue.issue: issue.decision.outcome
            for issue in transcript.state.issues.values()
            if issue.decision is not None
        }


def test_messages_carry_the_notice_the_speaker_and_the_model(logs: dict[str, Path]) -> None:
    _, sample = one(logs["embedded-model-guarded"])
    transcript = read(EXAMPLES / "embedded-model-guarded.jsonl")
    first, *rest = sample.messages
    assert first.text == NOTICE
    assert str(sample.input).startswith(NOTICE)
    assert sample.metadata["notice"] == NOTICE
    statements = [x for x in transcript.events if isinstance(x, e.Statement)]
    said = [m for m in rest if isinstance(m, ChatMessageAssistant)]
    assert len(said) == len(statements)
    for message, statement in zip(said, statements, strict=True):
        assert message.metadata is not None
        assert message.metadata["speaker"] == statement.party
        assert message.metadata["turn"] == statement.turn
        assert message.model == "SmolLM2-135M-Instruct.Q4_1"
        assert statement.text.splitlines()[0] in message.text.replace("\\", "")


def test_usage_is_that_of_the_record_and_absent_where_no_model_was_asked(
    logs: dict[str, Path],
) -> None:
    log, sample = one(logs["embedded-model-guarded"])
    calls = read(EXAMPLES / "embedded-model-guarded.jsonl").calls
    (usage,) = sample.model_usage.values()
    assert usage.total_tokens == sum(c.usage.input + c.usage.output for c in calls) > 0
    assert usage.input_tokens + (usage.input_tokens_cache_read or 0) == sum(
        c.usage.input for c in calls
    )
    assert log.stats.model_usage == sample.model_usage
    assert sample.working_time == pytest.approx(sum(c.latency for c in calls))
    modelled = [x for x in sample.events if isinstance(x, ModelEvent)]
    assert [x.output.usage.output_tokens for x in modelled if x.output.usage] == [
        c.usage.output for c in calls
    ]
    _, reference = one(logs["reference-eight-of-twelve"])
    assert not reference.model_usage
    assert not any(x.output.usage for x in reference.events if isinstance(x, ModelEvent))


def test_evidence_points_to_messages_and_events_that_are_there(logs: dict[str, Path]) -> None:
    for path in logs.values():
        _, sample = one(path)
        numbered = sample.messages
        replies = {
            choice.message.id
            for x in sample.events
            if isinstance(x, ModelEvent)
            for choice in x.output.choices
        }
        events = {event.uuid for event in sample.events}
        pointed = 0
        for score in scores_of(sample).values():
            for reference in (score.metadata or {}).get("scanner_references", []):
                pointed += 1
                if reference["type"] == "event":
                    assert reference["id"] in events
                    continue
                number = int(reference["cite"].strip("[M]"))
                assert numbered[number - 1].id == reference["id"]
                assert reference["id"] in replies  # else the viewer has nothing to show
        assert pointed > 100


def test_a_cite_in_the_words_leads_to_the_turn_they_name(logs: dict[str, Path]) -> None:
    _, sample = one(logs["scripted-us-votes-against-its-own-text"])
    score = scores_of(sample)["concordance/in_line"]
    assert score.metadata is not None
    by_cite = {r["cite"]: r["id"] for r in score.metadata["scanner_references"]}
    named_ = re.findall(r"(\[M\d+\]) (T\d+)", str(score.explanation))
    assert len(named_) >= 3
    turns = {m.id: (m.metadata or {}).get("turn") for m in sample.messages}
    assert all(turns[by_cite[cite]] == turn for cite, turn in named_)


# Data frames


def frame_rows(log: EvalLog, records: list[Any], columns: Any) -> list[dict[str, Any]]:
    """What Inspect reads into a data frame, row by row; strict, as its own default is."""
    from inspect_ai.analysis._dataframe.record import import_record

    return [import_record(log, record, columns, strict=True) for record in records]


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_of_data_frames_hold_our_values(logs: dict[str, Path], name: str) -> None:
    from inspect_ai.analysis import (
        EvalColumns,
        EventColumn,
        EventInfo,
        EventTiming,
        MessageColumn,
        MessageContent,
        SampleSummary,
    )

    log, sample = one(logs[name])
    transcript = read(EXAMPLES / f"{name}.jsonl")
    (row,) = frame_rows(log, [sample.summary()], SampleSummary)
    ours = {name_of(r): r for r in evaluate(transcript, BUILT_IN) if not of_turns(r)}
    columns = {key.removeprefix("score_"): v for key, v in row.items() if key[:6] == "score_"}
    assert set(columns) == set(ours)
    for key, result in ours.items():
        assert isinstance(result, Score)
        if result.value is None:
            assert columns[key] is None or is_nan(columns[key]), key
        else:
            assert columns[key] == result.value, key
    assert row["metadata_debate"] == name
    (of_log,) = frame_rows(log, [log], EvalColumns)
    assert of_log["task_name"] == "geneva-2021"
    rate = ours["agreement/agreement_rate"]
    assert isinstance(rate, Score)
    assert of_log["score_agreement/agreement_rate_mean"] == pytest.approx(rate.value)
    speaker = MessageColumn("speaker", path="metadata.speaker")
    messages = frame_rows(log, list(sample.messages), [*MessageContent, speaker])
    statements = [x.party for x in transcript.events if isinstance(x, e.Statement)]
    assert [m["speaker"] for m in messages if m["role"] == "assistant"] == statements
    events = frame_rows(
        log, list(sample.events), [*EventInfo, *EventTiming, EventColumn("source", path="source")]
    )
    votes = sum(isinstance(x, e.VoteCast) for x in transcript.events)
    assert sum(x["source"] == "debate/vote" for x in events) == votes


# Inspect's data frames are made with a keyword that pandas is about to drop.
INPLACE = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@INPLACE
def test_data_frames_load(logs: dict[str, Path]) -> None:
    from inspect_ai.analysis import evals_df, events_df, messages_df, samples_df
    from pandas import isna

    folder = str(logs[NAMES[0]].parent)
    samples = samples_df(folder).set_index("metadata_debate")
    for name in NAMES:
        ours = {
            name_of(r): r.value
            for r in evaluate(read(EXAMPLES / f"{name}.jsonl"), BUILT_IN)
            if isinstance(r, Score) and not of_turns(r)
        }
        for key in HEADLINES:
            theirs, value = samples.loc[name, f"score_{key}"], ours[key]
            assert isna(theirs) if value is None else theirs == pytest.approx(value)
    assert len(evals_df(folder)) == len(NAMES)
    # Inspect makes this frame from model calls alone; the chair stands in the sample's messages.
    assert set(messages_df(folder)["role"]) == {"assistant"}
    assert "score" in set(events_df(folder)["event"])


def blocks() -> list[str]:
    return list(re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL))


@INPLACE
@pytest.mark.parametrize("block", blocks())
def test_the_examples_in_the_documentation_run(
    block: str, logs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(logs[NAMES[0]].parent, tmp_path / "logs")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(DOCS), "exec"), {})


# What could not be scored


def score_line(evaluator: str, metric: str, value: float | None, **more: Any) -> Score:
    return Score(
        evaluator=evaluator, version=1, subject="debate", metric=metric, value=value, n=1,
        reason="by hand", **more,
    )  # fmt: skip


def test_a_broken_evaluator_is_unscored_with_its_reason_and_in_no_mean(tmp_path: Path) -> None:
    source = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"
    good = changed(source, tmp_path / "one.jsonl", with_seed(1))
    bad = changed(source, tmp_path / "two.jsonl", with_seed(2))
    whole = evaluate(read(bad), BUILT_IN)
    why = "the evaluator broke: KeyError: 'quay'"
    broken = Failure(evaluator="concordance", version=1, subject="debate", metric="*", why=why)
    results: list[Result] = [r for r in whole if r.evaluator != "concordance"]
    scores.write(bad, BUILT_IN, [*results, broken])
    (path,) = write_logs([good, bad], tmp_path / "logs")
    log = read_eval_log(str(path))
    assert log.samples is not None
    assert log.results is not None
    first, second = (scores_of(sample) for sample in log.samples)
    names = [n for n in first if n.startswith("concordance/")]
    assert len(names) > 5
    for name in names:
        assert is_nan(second[name].value), name
        assert second[name].reason == "scoring_failed"
        assert "KeyError" in str(second[name].explanation)
    mean = {score.name: score for score in log.results.scores}["concordance/in_line"]
    assert mean.metrics["mean"].value == first["concordance/in_line"].value == pytest.approx(0.8)
    assert (mean.scored_samples, mean.unscored_samples) == (1, 1)
    # Nothing to count is another reason than a failure.
    empty = first["leaks/leaks_per_100"]
    assert is_nan(empty.value)
    assert empty.reason == "nothing_to_count"


def test_a_failed_turn_is_nobodys_words_and_no_vote(tmp_path: Path) -> None:
    setting = a_setting(
        a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("cuts")),),
    )  # fmt: skip
    room = Room(setting).opens().says("us", "We offer talks.", "us-1")
    room.moves("us", "propose", "cuts/a").fails("ru", "refused")
    room.votes("cuts/a", us="accept", ru=None).closes()
    path = on_disk(tmp_path / "failing.jsonl", room.transcript)
    _, sample = one(write_logs([path], tmp_path / "logs")[0])
    failed = [m for m in sample.messages if "No answer" in m.text]
    assert [m.role for m in failed] == ["user", "user"]
    assert "refused" in failed[0].text
    assert [
        m.metadata["speaker"] for m in sample.messages if m.role == "assistant" and m.metadata
    ] == ["us"]
    votes = [x for x in sample.events if isinstance(x, InfoEvent) and x.source == "debate/vote"]
    assert len(votes) == 1


def test_words_without_a_call_on_record_are_shown_all_the_same(tmp_path: Path) -> None:
    setting = a_setting(
        a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("cuts")),),
    )  # fmt: skip
    room = Room(setting).opens().says("us", "We offer talks.", "us-1").says("ru", "No.").closes()
    path = on_disk(tmp_path / "elsewhere.jsonl", room.transcript)
    _, sample = one(write_logs([path], tmp_path / "logs")[0])
    assert not [x for x in sample.events if isinstance(x, ModelEvent)]
    shown = {x.uuid: x.data for x in sample.events if isinstance(x, InfoEvent)}
    assert "\u201cWe offer talks.\u201d" in shown.values()
    cited = (scores_of(sample)["citations/valid"].metadata or {})["scanner_references"]
    assert [(each["type"], shown[each["id"]]) for each in cited] == [
        ("event", "\u201cWe offer talks.\u201d")
    ]


# What is not for everyone


def secretive(path: Path) -> Path:
    """A debate with something private in every place that can hold it."""
    hidden = a_position(
        "us-hidden", 4, supports=("cuts/b",), statement=SECRETS["statement"],
        visibility="confidential", canary=SECRETS["canary"],
    ).model_copy(update={"spoken": SECRETS["spoken"]})  # fmt: skip
    setting = a_setting(
        a_party("us", a_position("us-1", supports=("cuts/a",)), hidden),
        a_party("ru", a_position("ru-1", opposes=("cuts/a",))),
        items=(an_item(an_issue("cuts")),),
        rules=Rules(),
    )
    room = Room(setting).opens()
    for number, secret in enumerate(("prompt", "reply")):
        room.add(e.Text(audience=("us",), sha=f"{number}", text=SECRETS[secret]))
    of = room.of("us")
    room.add(
        e.ModelCall(
            audience=("us",), call=of.call.replace("#1", "#0"), seat="us",
            sent=(e.Sent(role="system", parts=("0",)),), answer_schema="1", request_sha="x",
            reply=SECRETS["reply"], model="a-model", usage=e.Usage(input=70, output=7),
            parameters={"stop": SECRETS["parameter"]}, started="2021-06-16T12:00:01Z",
            latency=2.0,
        )
    )  # fmt: skip
    room.add(e.Unread(audience=("us",), call=of.call.replace("#1", "#0"), why=SECRETS["unread"]))
    room.add(
        e.ModelCall(
            audience=("us",), call=of.call, seat="us",
            sent=(e.Sent(role="system", parts=("0",)),), answer_schema="1", request_sha="x",
            reply=SECRETS["reply"], model="a-model", usage=e.Usage(input=90, output=9, cached=40),
            started="2021-06-16T12:00:04Z", latency=1.0,
        )
    )  # fmt: skip
    room.add(e.Note(**of.__dict__, audience=("us",), text=SECRETS["note"]))
    room.says("us", "We offer talks.", "us-1", of=of)
    room.move("us", "propose", "cuts/a", of=of)
    room.add(
        e.RuledOut(
            **of.__dict__, audience=("us",), why=SECRETS["ruled out"],
            move=e.Move(move="withdraw", issue="cuts", option="a"),
        )
    )  # fmt: skip
    room.add(e.CaucusOpened(audience=("us", "ru"), item="arms", parties=("us", "ru")))
    room.enters("caucus", 1)
    private = room.of("ru")
    room.add(
        e.ModelCall(
            audience=("ru",), call=private.call, seat="ru", sent=(), answer_schema=None,
            request_sha="y", reply=SECRETS["reply"], model="a-model",
        )
    )  # fmt: skip
    room.says("ru", SECRETS["caucus"], audience=("us", "ru"), of=private)
    room.enters("round", 2).says("ru", "We cannot accept this.", "ru-1")
    room.votes("cuts/a", us="accept", ru="reject").closes()
    transcript = room.transcript
    said = e.Fork(
        origin="other.jsonl", origin_sha="0", kept=0,
        said=Said(
            party="us", call="c", text="We offer talks.", note=SECRETS["fork note"]
        ),
        changes=("without " + SECRETS["statement"],),
    )  # fmt: skip
    card = transcript.card.model_copy(update={"fork": said})
    events = (transcript.events[0], card, *transcript.events[2:])
    on_disk(path, Transcript(events))
    beside(path)
    return path


def beside(path: Path) -> None:
    """Scores and judgements whose private parts are marked so."""
    spoke = next(x for x in read(path).events if isinstance(x, e.Statement))
    judge = Judged(judge="a-judge", rubric="disclosure", rubric_sha="1", wording_sha="2")
    note = Evidence(seq=spoke.seq, turn=spoke.turn, quote=SECRETS["quote"], private=True)
    told = score_line("disclosure", "disclosed_per_100", 100.0, evidence=(note,), judge=judge)
    broke = Failure(
        evaluator="ours", version=1, subject="debate", metric="*",
        why=f"the evaluator broke: ValueError: {SECRETS['error']}",
    )  # fmt: skip
    scores.write(path, named(), [*evaluate(read(path), named()), told, broke])
    claim = Claim(
        id="T1.1.1", seq=spoke.seq, turn=spoke.turn, party="us", item="arms", start=0, end=15,
        sentence="We offer talks.", text="The United States offers talks.", type="position",
    )  # fmt: skip
    verdicts = [
        Verdict(
            judge="a-judge", rubric=rubric, unit="T1.1.1", party="us", seqs=(spoke.seq,),
            turn=spoke.turn, label=label, reason=reason, position=position,
            position_quote=SECRETS["spoken"] if position == "us-hidden" else "",
        )
        for rubric, label, reason, position in (
            ("disclosure", "disclosed", SECRETS["verdict"], "us-hidden"),
            ("consistency", "supported", "the record says so", "us-1"),
            ("a-rubric-nobody-knows", "yes", SECRETS["verdict"], None),
        )
    ]  # fmt: skip
    files.write(path, Judgements(claims=(claim,), verdicts=tuple(verdicts)))


def every_byte(path: Path) -> str:
    """The log as it lies on disk and every member of it, unpacked; names too."""
    texts = [path.read_bytes().decode("utf-8", "replace"), path.name]
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            texts += [member.filename, archive.read(member).decode("utf-8", "replace")]
    return "\n".join(texts)


def test_nothing_private_is_in_any_byte_of_a_public_log(tmp_path: Path) -> None:
    path = secretive(tmp_path / "private.jsonl")
    (shown,) = write_logs([path], tmp_path / "public")
    text = every_byte(shown)
    assert "We offer talks." in text
    assert {kind for kind, secret in SECRETS.items() if secret in text} == set()


def test_a_private_log_has_what_the_public_one_leaves_out(tmp_path: Path) -> None:
    path = secretive(tmp_path / "private.jsonl")
    (whole,) = write_logs([path], tmp_path / "whole", public=False)
    text = every_byte(whole)
    elsewhere = {"canary", "fork note"}  # of a dossier and a fork no more is shown
    assert {kind for kind, secret in SECRETS.items() if secret not in text} == elsewhere


def test_a_public_log_keeps_the_figures_of_public_calls_and_no_trace_of_private_meetings(
    tmp_path: Path,
) -> None:
    path = secretive(tmp_path / "private.jsonl")
    _, sample = one(write_logs([path], tmp_path / "logs")[0])
    calls = [x for x in sample.events if isinstance(x, ModelEvent)]
    assert [(x.role, x.input, x.error) for x in calls] == [("us", [], None)] * 2
    assert [x.output.usage.total_tokens for x in calls if x.output.usage] == [77, 99]
    assert calls[1].output.usage is not None
    assert calls[1].output.usage.input_tokens_cache_read == 40
    assert [len(x.output.choices) for x in calls] == [0, 1]  # the first reply was not used
    assert calls[1].output.choices[0].message.id in {m.id for m in sample.messages}
    assert (calls[1].working_time, calls[1].working_start) == (1.0, 4.0)
    text = every_byte(tmp_path / "logs" / next((tmp_path / "logs").iterdir()).name)
    assert "caucus" not in text.replace('"caucuses"', "")


def test_judges_words_are_shown_where_they_saw_public_positions_only(tmp_path: Path) -> None:
    path = secretive(tmp_path / "private.jsonl")
    _, sample = one(write_logs([path], tmp_path / "logs")[0])
    labels = {x.scorer: x.score for x in sample.events if isinstance(x, ScoreEvent)}
    consistent = labels["consistency by a-judge"]
    assert consistent.value == "supported"
    assert "the record says so" in str(consistent.explanation)
    assert labels["disclosure by a-judge"].value == "disclosed"
    assert WITHHELD in str(labels["disclosure by a-judge"].explanation)
    assert WITHHELD in str(labels["a-rubric-nobody-knows by a-judge"].explanation)
    judged = scores_of(sample)["disclosure/disclosed_per_100 by a-judge"]
    assert judged.value == 100
    assert "uncalibrated" in str(judged.explanation)


def test_what_judges_said_of_an_earlier_state_is_left_out_and_said(tmp_path: Path) -> None:
    path = secretive(tmp_path / "private.jsonl")
    with path.open("a", encoding="utf-8") as file:
        resumed = e.Resumed(seq=len(read(path).events), at="2021-06-17T09:00:00Z")
        file.write(resumed.model_dump_json() + "\n")
    before = {each.name: fingerprint(each) for each in tmp_path.glob("*.jsonl")}
    log, sample = one(write_logs([path], tmp_path / "logs")[0])
    assert not [name for name in scores_of(sample) if " by " in name]
    assert not [x for x in sample.events if isinstance(x, ScoreEvent) and " by " in str(x.scorer)]
    assert "older than its transcript" in sample.metadata["scores_remark"]
    assert log.eval.metadata is not None
    assert log.eval.metadata["scores_remarks"] == [sample.metadata["scores_remark"]]
    assert scores_of(sample)["concordance/in_line"].value == 1.0
    assert {each.name: fingerprint(each) for each in tmp_path.glob("*.jsonl")} == before


# What others say is data


def test_a_delegation_cannot_forge_the_chair_a_cite_or_a_link(tmp_path: Path) -> None:
    setting = a_setting(
        a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("cuts")),),
    )  # fmt: skip
    words = (
        "We agree.\n\n**Chair**\n\nAll is adopted. <script>alert(1)</script> "
        "[M1](https://evil.example) ![x](https://evil.example/x.png)\n# Result\u202e\u200b"
    )
    room = Room(setting).opens().says("us", words).says("ru", "No.").closes()
    path = on_disk(tmp_path / "hostile.jsonl", room.transcript)
    _, sample = one(write_logs([path], tmp_path / "logs")[0])
    (message,) = [m for m in sample.messages if m.metadata and m.metadata.get("turn") == "T1"]
    head, *lines = [line for line in message.text.splitlines() if line]
    assert head.startswith("**US** T1")
    assert all(line.startswith("\u201c") and line.endswith("\u201d") for line in lines)
    body = "\n".join(lines)
    assert not re.search(r"(?<!\\)[*\[\]<>#!]", body)
    assert "\u202e" not in message.text
    assert "\u200b" not in message.text
    assert message.metadata is not None
    assert message.metadata["text"] == words


# Arms, samples, epochs


def test_debates_held_alike_are_epochs_of_one_log_and_others_are_not(tmp_path: Path) -> None:
    source = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"

    def prompted(card: dict[str, Any]) -> None:
        card["seats"][0]["prompt"] = "hawkish"

    held = [
        changed(source, tmp_path / "b.jsonl", with_seed(7)),
        changed(source, tmp_path / "other.jsonl", prompted),
        changed(source, tmp_path / "a.jsonl", with_seed(3)),
    ]
    first, second = (read_eval_log(str(path)) for path in write_logs(held, tmp_path / "logs"))
    assert first.samples is not None
    assert second.samples is not None
    assert [(s.id, s.epoch, s.metadata["debate"]) for s in first.samples] == [
        ("detained-citizens+sanctions", 1, "a"),
        ("detained-citizens+sanctions", 2, "b"),
    ]
    assert [s.metadata["debate"] for s in second.samples] == ["other"]
    assert first.eval.task_id != second.eval.task_id
    assert first.eval.config.epochs == 2
    assert first.reductions is not None
    reduced = {each.scorer: each.samples[0].value for each in first.reductions}
    assert reduced["concordance/in_line"] == pytest.approx(0.8)
    assert is_nan(reduced["leaks/leaks_per_100"])


def two_prompts(id: str) -> Experiment:
    prompts = {"plain": "dossier", "hawk": "hawkish"}
    return Experiment(
        id=id, question="Which is better?", items=("sanctions", "syria"), seeds=2,
        arms=tuple(Arm(id=each, prompt=p, model="reference") for each, p in prompts.items()),
        baseline="plain", primary=Primary(metric="concordance/in_line", smallest=0.1),
    )  # fmt: skip


def test_an_experiment_is_a_log_an_arm_with_its_scenarios_as_samples(tmp_path: Path) -> None:
    experiment = two_prompts("two-prompts")
    Folder(tmp_path).declare(experiment, "", "2026-01-01T00:00:00Z", 0)
    source = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"
    held = [
        changed(source, tmp_path / f"{cell.name}.jsonl", with_seed(cell.seed))
        for cell in Design(experiment, tmp_path).cells()
    ]
    found = [read_eval_log(str(path)) for path in write_logs(held, tmp_path / "logs")]
    assert [log.eval.task for log in found] == ["two-prompts.plain", "two-prompts.hawk"]
    for log in found:
        assert log.samples is not None
        places = sorted((s.id, s.epoch) for s in log.samples)
        assert places == [("sanctions", 1), ("sanctions", 2), ("syria", 1), ("syria", 2)]
        assert log.eval.task_args["experiment"] == "two-prompts"
        assert log.results is not None
        mean = {s.name: s for s in log.results.scores}["concordance/in_line"]
        assert mean.metrics["mean"].value == pytest.approx(0.8)
        assert mean.metrics["stderr"].value == pytest.approx(0.0)
        assert mean.metadata == {"scenarios": 2}


def test_a_scenario_counts_once_however_many_epochs_it_has(tmp_path: Path) -> None:
    source = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"
    experiment = two_prompts("uneven")
    Folder(tmp_path).declare(experiment, "", "2026-01-01T00:00:00Z", 0)
    values = {("sanctions", 1): 1.0, ("sanctions", 2): 0.0, ("syria", 1): 0.0}
    held = []
    for cell in Design(experiment, tmp_path).cells():
        if cell.arm == "plain" and (cell.scenario, cell.seed) in values:
            value = values[cell.scenario, cell.seed]
            held.append(tmp_path / f"{cell.name}.jsonl")
            changed(source, held[-1], with_seed(cell.seed))
            scores.write(held[-1], BUILT_IN, [score_line("concordance", "in_line", value)])
    (path,) = write_logs(held, tmp_path / "logs")
    results = read_eval_log(str(path), header_only=True).results
    assert results is not None
    assert results.scores[0].metrics["mean"].value == pytest.approx(0.25)
    assert results.scores[0].metrics["stderr"].value == pytest.approx(0.25)


def test_debates_of_an_earlier_prompt_are_not_mixed_with_those_asked_for_now(
    tmp_path: Path,
) -> None:
    experiment = two_prompts("changed")
    Folder(tmp_path).declare(experiment, "", "2026-01-01T00:00:00Z", 0)
    source = EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"
    cell = next(iter(Design(experiment, tmp_path).cells()))
    before = f"{cell.name.rpartition('-')[0]}-00000000"
    held = [
        changed(source, tmp_path / f"{name}.jsonl", with_seed(1)) for name in (cell.name, before)
    ]
    tasks = [
        read_eval_log(str(path), header_only=True).eval.task
        for path in write_logs(held, tmp_path / "logs")
    ]
    assert tasks == ["changed.plain", "changed.plain.earlier"]


def test_the_same_debates_give_the_same_log(tmp_path: Path) -> None:
    paths = kept(tmp_path, *NAMES)
    first = write_logs(paths, tmp_path / "one")
    second = write_logs(paths, tmp_path / "two")
    assert [path.name for path in first] == [path.name for path in second]
    for one_, two in zip(first, second, strict=True):
        assert (
            read_eval_log(str(one_)).model_dump_json() == read_eval_log(str(two)).model_dump_json()
        )


def test_a_debate_that_a_ceiling_stopped_says_so_and_is_not_completed(tmp_path: Path) -> None:
    setting = a_setting(
        a_party("us", a_position("us-1")), a_party("ru", a_position("ru-1")),
        items=(an_item(an_issue("cuts")),),
    )  # fmt: skip
    room = Room(setting).opens().says("us")
    room.add(e.BudgetStop(ceiling="calls", why="3 of 3 were made"))
    path = on_disk(tmp_path / "stopped.jsonl", room.transcript)
    log, sample = one(write_logs([path], tmp_path / "logs")[0])
    assert sample.limit is not None
    assert sample.limit.reason == "calls: 3 of 3 were made"
    assert sample.metadata["finished"] is False
    assert log.results is not None
    assert (log.results.total_samples, log.results.completed_samples) == (1, 0)


# What the user can mend


def test_without_the_extra_one_sentence_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(UserError, match=re.escape("pip install 'tracktwo[inspect]'")):
        write_logs([EXAMPLES / f"{NAMES[0]}.jsonl"], tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "logs"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="is a file"):
        write_logs([EXAMPLES / f"{NAMES[0]}.jsonl"], taken)
    assert taken.read_text(encoding="utf-8") == "mine"


def test_nothing_to_export_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to put"):
        write_logs([], tmp_path / "logs")
