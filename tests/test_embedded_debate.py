"""The README's first command, for real: the embedded model, the default agenda, no key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import events as e
from harness.transcript import Transcript, fingerprint, read

KEYS = ("_API_KEY", "TRACKTWO_MODEL", "OPENAI_BASE_URL")


@pytest.fixture(scope="module")
def debate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the command printed, and its transcript."""
    folder = tmp_path_factory.mktemp("empty")
    env = {name: value for name, value in os.environ.items() if not name.endswith(KEYS)}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", "geneva-2021"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (path,) = (p for p in (folder / "transcripts").glob("*.jsonl") if ".scores" not in p.name)
    return done.stdout, path


@pytest.fixture
def record(debate: tuple[str, Path]) -> Transcript:
    return read(debate[1])


@pytest.mark.local_model
def test_it_ends_with_a_joint_text_both_tables_and_the_model_it_chose(
    debate: tuple[str, Path],
) -> None:
    output, path = debate
    for part in ("JOINT TEXT", "AGREEMENT", "CONSISTENCY", "Simulated", "local (", str(path.name)):
        assert part in output


@pytest.mark.local_model
def test_every_issue_of_three_items_is_decided_by_the_mechanism(record: Transcript) -> None:
    assert record.finished
    assert len(record.setting.items) == 3
    assert all(issue.settled for issue in record.state.issues.values())


@pytest.mark.local_model
def test_every_reply_keeps_to_its_schema(record: Transcript) -> None:
    assert len(record.calls) >= 6
    assert not [event for event in record.events if isinstance(event, e.Unread | e.TurnFailed)]
    assert all(call.constrained and call.usage.output > 0 for call in record.calls)


@pytest.mark.local_model
def test_the_guarded_model_crosses_no_red_line_of_its_own(record: Transcript) -> None:
    guarded = {seat.seat for seat in record.card.seats if seat.guard}
    assert guarded == {"us", "ru"}
    for event in record.events:
        if isinstance(event, e.MoveMade) and event.move.move in ("propose", "concede", "accept"):
            mandate = record.setting.mandate(event.party, event.item)
            assert event.move.key not in mandate.red_lines


@pytest.mark.local_model
def test_every_turn_says_something_and_no_position_is_read_out_twice_in_an_item(
    record: Transcript,
) -> None:
    spelled: set[tuple[str, str, str]] = set()
    for event in record.events:
        if isinstance(event, e.Statement):
            assert event.text.strip()
            for position in record.setting.party(event.party).positions:
                if position.in_own_voice() in event.text:
                    place = (event.party, event.item, position.id)
                    assert place not in spelled
                    spelled.add(place)
    assert len(spelled) >= 6


@pytest.mark.local_model
def test_replayed_it_is_the_same_byte_for_byte(debate: tuple[str, Path], tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    before = fingerprint(debate[1])
    subprocess.run(
        [sys.executable, "-m", "harness", "run", "--model", f"replay:{debate[1]}", "--quiet",
         "--out", str(again)],
        check=True, capture_output=True,
    )  # fmt: skip
    assert again.read_bytes().split(b"\n")[2:] == debate[1].read_bytes().split(b"\n")[2:]
    assert fingerprint(debate[1]) == before
