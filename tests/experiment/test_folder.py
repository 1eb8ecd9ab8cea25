"""The folder of an experiment: what was declared when, and what broke off."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.experiment.folder import Broken, Folder
from harness.experiment.reading import Read
from harness.sweep.running import run_experiment
from tests.experiment.files import changed, experiment

AT = "2026-01-01T08:00:00.000+00:00"


def declare(folder: Folder, read: Read, finished: int = 0) -> bool:
    return folder.declare(read.experiment, read.source, AT, finished)


def test_each_version_is_declared_once_and_reads_back_as_it_was(tmp_path: Path) -> None:
    folder, first = Folder(tmp_path / "out"), experiment(tmp_path)
    second = experiment(tmp_path, ("smallest: 0.1", "smallest: 0.2"))
    assert not folder.declared
    assert declare(folder, first)
    assert not declare(folder, first)
    assert declare(folder, second, 3)
    assert not declare(folder, second, 8)
    assert declare(folder, first, 8)  # going back on a change is one, too
    assert [each.finished for each in folder.declared] == [0, 3, 8]
    assert [each.experiment for each in folder.declared] == [
        first.experiment, second.experiment, first.experiment,
    ]  # fmt: skip
    assert folder.declared[1].sha == folder.declared[1].experiment.sha == second.experiment.sha
    assert folder.declared[1].source == second.source


def test_what_it_may_cost_is_no_new_declaration(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    assert declare(folder, experiment(tmp_path))
    assert not declare(folder, experiment(tmp_path, more="budget: {max_calls: 1}\n"))


def test_a_change_after_debates_were_held_says_how_many_there_were(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = experiment(tmp_path).path
    run_experiment(file, out=out)
    file.write_text(changed(("smallest: 0.1", "smallest: 0.01")), encoding="utf-8")
    run_experiment(file, out=out)
    # Other prompts give other debates; those that had been held still were.
    file.write_text(changed(("prompt: interests", "prompt: terse")), encoding="utf-8")
    run_experiment(file, out=out)
    assert [each.finished for each in Folder(out).declared] == [0, 8, 8]
    assert Folder(out).held == 12


def test_a_question_may_hold_any_character(tmp_path: Path) -> None:
    odd = "Which\u2028of \x85two\u2029prompts \u201cbrings\u201d more agreement?"
    read = experiment(tmp_path)
    odd_one = read.experiment.model_copy(update={"question": odd})
    folder = Folder(tmp_path / "out")
    folder.declare(odd_one, read.source, AT, 0)
    assert folder.declared[0].experiment.question == odd
    folder.broke(Broken(debate="a.b.s01-00000000", at=AT, attempt=1, why=f"it said: {odd}\n"))
    assert [each.why for each in folder.broken] == [f"it said: {odd}\n"]


def test_a_line_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    declare(folder, experiment(tmp_path))
    with (tmp_path / "out" / "declared.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"sha": 1}\n')
    with pytest.raises(UserError, match=r"declared\.jsonl:2: cannot be read: .*Remove the line\."):
        _ = folder.declared


def append(out: Path, file: Path, who: int) -> None:
    """What two processes do at the same time."""
    folder, read = Folder(out), experiment(file)
    for number in range(30):
        declare(folder, read)
        why = f"{who}" * 3000  # longer than what a disk writes at once
        folder.broke(Broken(debate=f"a.b.s{number:02d}-00000000", at=AT, attempt=1, why=why))


def test_two_processes_declare_once_and_their_lines_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "out"
    experiment(tmp_path / "1")
    processes = multiprocessing.get_context("spawn")
    both = [
        processes.Process(target=append, args=(out, tmp_path / f"{who}", who)) for who in (1, 2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(Folder(out).declared) == 1
    broken = Folder(out).broken
    assert len(broken) == 60
    assert {each.why for each in broken} == {"1" * 3000, "2" * 3000}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_who_declares_waits_for_whoever_is_declaring(tmp_path: Path) -> None:
    import fcntl

    folder, found = Folder(tmp_path / "out"), experiment(tmp_path)
    declare(folder, experiment(tmp_path / "other", ("seeds: 2", "seeds: 3")))
    said: list[bool] = []
    waiting = threading.Thread(target=lambda: said.append(declare(folder, found)))
    with (tmp_path / "out" / "declared.jsonl").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting.start()
        waiting.join(0.5)
        line = folder.declared[0].model_copy(
            update={"sha": found.experiment.sha, "experiment": found.experiment}
        )
        file.write(line.model_dump_json(exclude_unset=True).encode() + b"\n")
    waiting.join()
    assert said == [False]
    assert len(folder.declared) == 2


def test_files_that_belong_to_a_debate_are_not_counted_as_debates(tmp_path: Path) -> None:
    out = tmp_path / "out"
    held = run_experiment(experiment(tmp_path).path, out=out)
    one = held.folder.debates[0]
    for beside in (".scores", ".judge-calls", ".judgements"):
        one.with_name(f"{one.stem}{beside}.jsonl").write_bytes(one.read_bytes())
    assert held.folder.held == len(held.folder.debates) == 8
