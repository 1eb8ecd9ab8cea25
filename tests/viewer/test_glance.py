"""What is told of a transcript from its first two lines and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import events as e
from harness.events import CHAIR
from harness.transcript import dump, read
from harness.viewer.app.shelf_glance import TAIL, glance
from tests.viewer.shelved import EXAMPLES, SIX, last_turn, put


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_glance_says_what_a_whole_reading_says(path: Path) -> None:
    seen, whole = glance(path), read(path)
    end = whole.events[-1]

    assert (seen.debate, seen.created) == (whole.header.debate, whole.header.created)
    assert seen.setting.name == whole.setting.title
    assert [item.id for item in seen.items] == [item.id for item in whole.setting.items]
    assert isinstance(end, e.DebateClosed)
    assert (seen.closed, seen.adopted) == (True, end.adopted)
    assert (seen.bracketed, seen.open) == (end.bracketed, end.open)
    assert seen.turns == last_turn(path)
    assert [(s.seat, s.model, s.prompt) for s in seen.seats] == [
        (s.seat, s.model, s.prompt or "") for s in whole.card.seats
    ]
    shorts = {party.id: party.short for party in whole.setting.parties}
    assert all(s.name == shorts[s.seat] for s in seen.seats if s.seat != CHAIR)


def test_a_debate_cut_off_anywhere_is_told_as_far_as_its_whole_lines_go(tmp_path: Path) -> None:
    lines = (EXAMPLES / f"{SIX}.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"
    for whole in range(2, len(lines)):
        path.write_bytes(b"".join(lines[:whole]) + lines[whole][: len(lines[whole]) // 2])
        seen = glance(path)
        assert (seen.closed, seen.turns, seen.issues) == (False, last_turn(path), 0)


@pytest.mark.parametrize("letters", [TAIL // 2, TAIL, 8 * TAIL + 5])
@pytest.mark.parametrize("torn", [b"", b'{"kind":"text","audience":null', b"x" * (TAIL + 9)])
def test_a_last_line_longer_than_what_is_read_first_is_read_whole(
    tmp_path: Path, letters: int, torn: bytes
) -> None:
    path = put(tmp_path, "long", cut=-1)
    said = next(x for x in reversed(read(path).events) if isinstance(x, e.Statement))
    turns = last_turn(path)
    with path.open("ab") as file:
        file.write(f"{dump(said.model_copy(update={'text': 'ж' * letters}))}\n".encode())
        file.write(f"{dump(e.Text(sha='0' * 16, text='ж' * letters))}\n".encode())
        file.write(torn)
    seen = glance(path)
    assert (seen.turns, seen.closed) == (turns, False)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_long_line_whose_keys_stand_in_another_order_is_read_whole(
    tmp_path: Path, separators: tuple[str, str]
) -> None:
    """As another program may have written it: the turn stands behind the text."""
    path = put(tmp_path, "long", cut=-1)
    said = next(x for x in reversed(read(path).events) if isinstance(x, e.Statement))
    data = json.loads(dump(said.model_copy(update={"text": "a" * 2 * TAIL, "turn": "T77"})))
    with path.open("a") as file:
        file.write(f"{json.dumps(data, sort_keys=True, separators=separators)}\n")
    assert glance(path).turns == 77


def test_a_ceiling_that_stopped_a_debate_is_told(tmp_path: Path) -> None:
    path = put(tmp_path, "stopped", cut=40)
    with path.open("a") as file:
        file.write(f"{dump(e.BudgetStop(ceiling='calls', why='9 calls were made'))}\n")
    assert glance(path).stopped == "calls"
