from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evals import scores
from evals.evaluator import Failure, evaluate
from evals.registry import BUILT_IN
from harness.errors import TranscriptError
from harness.events import NOTICE
from harness.transcript import dump
from tests.evals.room import Room
from tests.evals.talks import half_agreed


def on_disk(room: Room, folder: Path) -> Path:
    path = folder / "talks.jsonl"
    path.write_text("".join(dump(event) + "\n" for event in room.events), encoding="utf-8")
    return path


def test_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    room = half_agreed()
    path = on_disk(room, tmp_path)
    results = (
        *evaluate(room.transcript, BUILT_IN),
        Failure(evaluator="x", version=1, subject="debate", metric="*", why="no luck"),
    )
    written = scores.write(path, BUILT_IN, results)
    assert written == tmp_path / "talks.scores.jsonl"
    found = scores.read(written)
    assert found.results == results
    assert [type(r.value) for r in found.results if r.kind == "score"] == [
        type(r.value) for r in results if r.kind == "score"
    ]
    assert found.header.transcript == "talks.jsonl"
    assert found.header.evaluators == {each.name: each.version for each in BUILT_IN}
    assert found.header.notice == NOTICE
    assert sorted(p.name for p in tmp_path.iterdir()) == ["talks.jsonl", "talks.scores.jsonl"]


def test_scores_know_when_the_transcript_has_gone_on(tmp_path: Path) -> None:
    path = on_disk(half_agreed(), tmp_path)
    found = scores.read(scores.write(path, BUILT_IN, ()))
    assert not found.stale(path)
    with path.open("a") as file:
        file.write("\n")
    assert found.stale(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("", "it is empty"),
        ("{}\n", ":1: not a result of this format: transcript: Field required"),
        ("HEADER{broken\n", ":2: not a result of this format"),
        ('HEADER{"kind": "score"}\n', ":2: not a result of this format: score.evaluator"),
        ('HEADER{"kind": "vote"}\n', ":2: not a result of this format"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_line(
    tmp_path: Path, text: str | None, message: str
) -> None:
    header = scores.ScoresHeader(transcript="t", transcript_sha="0", evaluators={})
    path = tmp_path / "t.scores.jsonl"
    if text is not None:
        path.write_text(text.replace("HEADER", header.model_dump_json() + "\n"))
    with pytest.raises(TranscriptError, match=message):
        scores.read(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    header = scores.ScoresHeader(
        transcript="t", transcript_sha="0", evaluators={}, schema_version=scores.SCHEMA + 1
    )
    path = tmp_path / "t.scores.jsonl"
    path.write_text(header.model_dump_json() + "\n")
    with pytest.raises(TranscriptError, match="newer than this program"):
        scores.read(path)


def test_threads_that_score_one_transcript_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    room = half_agreed()
    path, results = on_disk(room, tmp_path), evaluate(room.transcript, BUILT_IN)
    with ThreadPoolExecutor(8) as threads:
        written = [threads.submit(scores.write, path, BUILT_IN, results) for _ in range(200)]
        assert {each.result() for each in written} == {scores.scores_path(path)}
    assert scores.read(scores.scores_path(path)).results == results
    assert not list(tmp_path.glob(".*"))
