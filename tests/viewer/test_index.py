"""The index of a folder: what is told of transcripts without reading them whole."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from evals.evaluator import Score
from evals.scores import read as read_scores
from evals.scores import scores_path
from harness import events as e
from harness.transcript import Writer, dump, read
from harness.viewer.app import index as module
from harness.viewer.app.index import WORTH_KEEPING, Entry, Index, index_of
from harness.viewer.app.shelf_glance import Glance, glance
from harness.viewer.app.shelf_scores import Headlines, headlines
from tests.viewer.hostile import hostile
from tests.viewer.shelved import EXAMPLES, SIX, SOME_AGREED, aged, last_turn, put, score

Counted = Callable[[], list[str]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The names of the transcripts that were read since it was asked last."""
    names: list[str] = []

    def counting(path: Path) -> Glance:
        names.append(path.stem)
        return glance(path)

    def taken() -> list[str]:
        found, names[:] = sorted(names), []
        return found

    monkeypatch.setattr(module, "glance", counting)
    return taken


def named(index: Index) -> list[str]:
    return [entry.name for entry in index.look().entries]


def one(index: Index, name: str) -> Entry:
    return next(entry for entry in index.look().entries if entry.name == name)


HEADER = (EXAMPLES / f"{SOME_AGREED}.jsonl").read_bytes().split(b"\n")[0] + b"\n"
CARD = (EXAMPLES / f"{SOME_AGREED}.jsonl").read_bytes().split(b"\n")[1] + b"\n"
BROKEN = {
    "empty": (b"", ":1: not a transcript"),
    "words": (b"Dear diary\n", ":1: not a transcript"),
    "binary": (bytes(range(256)) * 40, ":1: not a transcript"),
    "list": (b"[1]\n", ":1: not a transcript"),
    "nested": (b"[" * 100_000, ":1: not a transcript"),
    "newer": (HEADER.replace(b'"schema_version":1', b'"schema_version":2'), "newer tracktwo"),
    "header-alone": (HEADER, ":2: not a transcript"),
    "torn-card": (HEADER + CARD[:-1], ":2: not a transcript"),
    "no-header": (CARD + CARD, ":1: not a transcript"),
    "damaged-card": (HEADER + b"{oops\n", ":2: not an event"),
    "other-second-line": (
        HEADER + b'{"kind":"debate_opened","words":"Welcome."}\n',
        ":2: a transcript needs a run card",
    ),
    "header-twice": (HEADER + HEADER, ":2: a transcript needs a run card"),
    "damaged-end": (HEADER + CARD + b"{oops\n", "its last line is no event"),
    "no-line-ends": (HEADER + CARD + b"\xff" * 300_000 + b"\n", "its last line is no event"),
}


def test_a_broken_file_says_what_is_wrong_and_hides_no_other(tmp_path: Path) -> None:
    for name, (data, _) in BROKEN.items():
        (tmp_path / f"{name}.jsonl").write_bytes(data)
    put(tmp_path, "whole")
    index = Index(tmp_path)
    entries = {entry.name: entry for entry in index.with_scores(index.look().entries)}

    assert entries.pop("whole").glance is not None
    assert entries.keys() == BROKEN.keys()
    for name, entry in entries.items():
        assert entry.glance is None
        assert entry.broken.startswith(f"{name}.jsonl:"), entry.broken
        assert BROKEN[name][1] in entry.broken
        assert str(tmp_path) not in entry.broken


def test_only_what_is_new_or_has_changed_is_read_again(tmp_path: Path, counted: Counted) -> None:
    for name in ("a", "b/c", "b/d"):
        put(tmp_path, name)
    index = Index(tmp_path)
    assert named(index) == ["a", "b/c", "b/d"]
    assert counted() == ["a", "c", "d"]
    assert named(index) == ["a", "b/c", "b/d"]
    assert counted() == []

    put(tmp_path, "b/c", cut=50)
    put(tmp_path, "e")
    (tmp_path / "a.jsonl").unlink()
    look = index.look()
    assert counted() == ["c", "e"]
    assert look.fresh == 2
    assert [(x.name, bool(x.glance and x.glance.closed)) for x in look.entries] == [
        ("b/c", False), ("b/d", True), ("e", True),
    ]  # fmt: skip


def test_a_file_put_in_anothers_place_is_seen_though_size_and_time_are_the_same(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, "a", created="2026-10-01T10:00:00+00:00")
    index = Index(tmp_path)
    before, about = index.look().entries, path.stat()
    draft = put(tmp_path / ".new", "a", created="2026-10-02T10:00:00+00:00")
    os.utime(draft, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert draft.stat().st_size == about.st_size
    draft.replace(path)

    (after,) = index.look().entries
    assert after != before[0]
    assert after.glance is not None
    assert after.glance.created.startswith("2026-10-02")


def test_a_debate_being_written_grows_from_look_to_look(tmp_path: Path) -> None:
    whole = read(EXAMPLES / f"{SIX}.jsonl")
    index = Index(tmp_path)
    turns = []
    with Writer.create(tmp_path / "live.jsonl", whole.header, whole.card) as writer:
        for event in whole.events[2:]:
            writer.append(event)
            seen = one(index, "live").glance
            assert seen is not None
            turns.append(seen.turns)
            assert seen.closed == isinstance(event, e.DebateClosed)
    assert turns[-1] == last_turn(EXAMPLES / f"{SIX}.jsonl")
    assert all(before <= after for before, after in pairwise(turns))


def many(folder: Path) -> list[str]:
    """As many transcripts as it takes for the index to be kept."""
    names = [f"d{number:03}" for number in range(WORTH_KEEPING)]
    first = put(folder, names[0])
    for name in names[1:]:
        shutil.copy2(first, folder / f"{name}.jsonl")
    return names


def test_a_kept_index_spares_the_next_start_the_reading(tmp_path: Path, counted: Counted) -> None:
    folder, kept = tmp_path / "f", tmp_path / "cache" / "index.json"
    names = many(folder)
    first = Index(folder, kept).look()
    assert counted() == names
    assert sorted(each.name for each in folder.iterdir()) == [f"{name}.jsonl" for name in names]

    put(folder, "d007", cut=30)
    (folder / "d008.jsonl").unlink()
    again = Index(folder, kept).look()
    assert counted() == ["d007"]
    assert [x for x in again.entries if x.name != "d007"] == [
        x for x in first.entries if x.name not in ("d007", "d008")
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept.write_text("{oops"),
        lambda kept: kept.write_bytes(b"\xff" * 99),
        lambda kept: kept.write_text("[" * 100_000),
        lambda kept: kept.write_text(kept.read_text().replace('"version":2', '"version":1')),
        lambda kept: kept.write_text(kept.read_text().replace('"folder":"', '"folder":"/else')),
        lambda kept: (kept.unlink(), kept.mkdir()),
    ],
    ids=["cut", "binary", "nested", "of another version", "of another folder", "a folder"],
)
def test_a_kept_index_that_is_damaged_or_of_something_else_counts_for_nothing(
    tmp_path: Path, counted: Counted, damage: Callable[[Path], object]
) -> None:
    folder, kept = tmp_path / "f", tmp_path / "index.json"
    names = many(folder)
    first = Index(folder, kept).look()
    counted()
    damage(kept)
    again = Index(folder, kept)
    assert again.look() == first
    assert counted() == names
    assert again.look().entries == first.entries
    assert counted() == []


def test_a_folder_that_nothing_can_be_kept_for_is_read_all_the_same(tmp_path: Path) -> None:
    names = many(tmp_path / "f")
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert named(Index(tmp_path / "f", tmp_path / "cache" / "index.json")) == names


def test_several_indexes_of_one_folder_at_once_see_the_same(tmp_path: Path) -> None:
    folder, kept = tmp_path / "f", tmp_path / "index.json"
    names = many(folder)
    shared = Index(folder, kept)
    found: list[list[str]] = []

    def looks(index: Index) -> None:
        for _ in range(3):
            look = index.look()
            index.with_scores(look.entries)
            found.append([entry.name for entry in look.entries])

    threads = [
        threading.Thread(target=looks, args=(index,))
        for index in (shared, shared, Index(folder, kept), Index(folder, kept))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [names] * 12
    assert json.loads(kept.read_text())["folder"] == str(folder.resolve())
    assert {each.name for each in tmp_path.iterdir()} == {"f", "index.json"}


def test_what_is_no_transcript_of_the_folder_is_not_on_the_shelf(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    put(folder, "a")
    score(folder / "a.jsonl")
    for name in (
        "a.judgements.jsonl", "a.judge-calls.jsonl", "x.cassette.jsonl", ".hidden.jsonl",
        ".draft/b.jsonl", "exp/declared.jsonl", "exp/failures.jsonl", "notes.txt", "b.json",
    ):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}\n")
    put(tmp_path, "outside")
    (folder / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    (folder / "dangling.jsonl").symlink_to(tmp_path / "nothing.jsonl")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.jsonl")
    put(folder, "failures")  # in no experiment, so a debate like any other
    look = Index(folder).look()
    assert [entry.name for entry in look.entries] == ["a", "failures"]
    assert look.experiments == ("exp",)
    assert look.unread == ()


ODD = (
    "with space", "50%", "why?", "a#b", "a&b=c", "quo\"te'", "<b>bold<b>", "ü漢",
    "zero\u200bwidth", "\u202eright", "line\nbreak", "a.b", "déjà/vu", "a.scores", "+plus",
    "back\\slash",
)  # fmt: skip


def test_files_may_be_called_anything(tmp_path: Path) -> None:
    for name in ODD:
        put(tmp_path, name)
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad-\xff.jsonl"))).write_bytes(HEADER)
    look = Index(tmp_path).look()
    assert sorted(x.name for x in look.entries) == sorted(set(ODD) - {"a.scores"})
    assert all(entry.glance for entry in look.entries)
    assert look.unread == ("bad-?.jsonl: its name is no text in UTF-8",)


def test_files_may_lie_deep(tmp_path: Path) -> None:
    made = [tmp_path]
    for _ in range(1100):
        made.append(made[-1] / "d")
        made[-1].mkdir()
    put(made[-1], "bottom")
    (entry,) = Index(tmp_path).look().entries
    assert entry.name == "d/" * 1100 + "bottom"
    (made[-1] / "bottom.jsonl").unlink()
    for each in reversed(made[1:]):
        each.rmdir()


def test_a_folder_that_is_empty_or_gone_has_nothing_and_says_so(tmp_path: Path) -> None:
    assert Index(tmp_path).look()[:3] == ((), (), 0)
    gone = Index(tmp_path / "gone").look()
    assert gone.entries == ()
    assert gone.unread == (f"{tmp_path / 'gone'}: No such file or directory",)


def test_one_index_is_shared_and_kept_outside_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKTWO_CACHE", str(tmp_path / "cache"))
    many(tmp_path / "f")
    index = index_of(tmp_path / "f")
    index.look()
    (tmp_path / "way").symlink_to(tmp_path / "f")
    assert index_of(tmp_path / "f") is index
    assert index_of(tmp_path / "way").look().entries == index.look().entries
    assert index.kept_in is not None
    assert index.kept_in.is_relative_to(tmp_path / "cache")
    assert index.kept_in.is_file()


def scored(index: Index, name: str) -> Headlines:
    (entry,) = index.with_scores([one(index, name)])
    assert entry.headlines is not None
    return entry.headlines


def test_headline_scores_are_those_of_the_file_beside_the_transcript(tmp_path: Path) -> None:
    path = put(tmp_path, "a")
    beside = score(path)
    found = scored(Index(tmp_path), "a")
    assert found.standing == "scored"
    wanted = {
        (r.metric, r.subject.removeprefix("debate").removeprefix("party:")): (r.hits, r.n)
        for r in read_scores(beside).results
        if isinstance(r, Score) and r.hits is not None
        if r.metric in ("in_line", "crossed_hard") and r.evaluator in ("concordance", "red_lines")
        if r.subject == "debate" or r.subject.startswith("party:")
    }
    got = {("in_line", s.about): (s.hits, s.n) for s in found.in_line}
    got |= {("crossed_hard", s.about): (s.hits, s.n) for s in found.crossed}
    assert got == wanted
    assert {about for _, about in got} == {"", "us", "ru"}
    share = found.of("agreed")
    assert share is not None
    assert (share.hits, share.n) == (8, 12)


def test_scores_are_seen_to_come_to_change_and_to_go_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def counting(path: Path) -> Headlines:
        reads.append(path.stem)
        return headlines(path)

    monkeypatch.setattr(module, "headlines", counting)
    path, index = put(tmp_path, "a"), Index(tmp_path)
    assert scored(index, "a").standing == "none"
    beside = score(path)
    assert scored(index, "a").standing == "scored"
    assert scored(index, "a").standing == "scored"
    assert reads == ["a"]
    with path.open("a") as file:
        file.write(f"{dump(e.Resumed(at='2026-11-01T00:00:00Z'))}\n")
    assert scored(index, "a").standing == "stale"
    score(path)
    assert scored(index, "a").standing == "scored"
    beside.unlink()
    assert scored(index, "a").standing == "none"
    assert reads == ["a"] * 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"{oops\n",
        lambda data: data.replace(b'"schema_version":1', b'"schema_version":9'),
        lambda data: data.replace(b'"subject":', b'"subjekt":'),
        lambda data: b"\xff" + data,
    ],
    ids=["empty", "no JSON", "newer", "another shape", "no text"],
)
def test_broken_scores_are_said_to_be_broken(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    beside = score(put(tmp_path, "a"))
    beside.write_bytes(damage(beside.read_bytes()))
    found = scored(Index(tmp_path), "a")
    assert found.standing == "broken"
    assert found.why
    assert found.in_line == ()


def test_scores_in_the_way_of_a_folder_or_without_their_transcript(tmp_path: Path) -> None:
    put(tmp_path, "a")
    scores_path(tmp_path / "a.jsonl").mkdir()
    index = Index(tmp_path)
    assert scored(index, "a").standing == "broken"
    entry = one(index, "a")
    (tmp_path / "a.jsonl").unlink()
    (after,) = index.with_scores([entry])
    assert after.headlines is not None
    assert named(index) == []


def test_a_hostile_transcript_is_an_entry_like_any_other(tmp_path: Path) -> None:
    aged(hostile(tmp_path))
    seen = one(Index(tmp_path), "hostile").glance
    assert seen is not None
    assert seen.setting.name == "</title><script>alert(1)</script>"
    assert seen.closed
