"""Which debates of a folder somebody is holding at this moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness import events as e
from harness.transcript import Writer, dump, read
from harness.viewer.app.index import Index
from harness.viewer.app.shelf_under_way import RECENT, under_way
from tests.viewer.shelved import EXAMPLES, SIX, aged, put


def test_what_is_written_at_this_moment_is_under_way_and_nothing_else(tmp_path: Path) -> None:
    whole = read(EXAMPLES / f"{SIX}.jsonl")
    index = Index(tmp_path)
    put(tmp_path, "closed-just-now", SIX)
    os.utime(tmp_path / "closed-just-now.jsonl")
    put(tmp_path, "left", cut=60)
    put(tmp_path, "here", cut=60)
    os.utime(put(tmp_path, "recent", cut=60))
    stopped = put(tmp_path, "at-its-ceiling", cut=60)
    with stopped.open("a") as file:
        file.write(f"{dump(e.BudgetStop(ceiling='calls', why='9 calls were made'))}\n")
    (tmp_path / "broken.jsonl").write_text("{oops\n")
    with Writer.create(tmp_path / "locked.jsonl", whole.header, whole.card):
        aged(tmp_path / "locked.jsonl", 10 * RECENT)
        assert under_way(index.look().entries, ["here"]) == {
            "locked": True, "here": True, "recent": False,
        }  # fmt: skip
    assert under_way(index.look().entries, []) == {"recent": False}


def test_where_locks_cannot_be_seen_the_time_of_the_last_change_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.viewer.app.shelf_under_way.LOCKS", tmp_path / "nothing")
    aged(put(tmp_path, "now", cut=60), RECENT / 2)
    aged(put(tmp_path, "then", cut=60), RECENT * 2)
    aged(put(tmp_path, "ahead", cut=60), -RECENT * 2)  # another machine's clock
    assert under_way(Index(tmp_path).look().entries, []) == {"now": False}
