"""Lines that several processes append to one file, and what a crash leaves of them."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.models.tape import Tape

FIRST = "first line"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "tape.txt"


@pytest.fixture
def tape(path: Path) -> Iterator[Tape]:
    with closing(Tape(path, first=FIRST)) as opened:
        yield opened


def lines_of(tape: Tape, start: int = 0) -> list[str]:
    return [line.decode() for _, line in tape.lines(start)]


def test_lines_are_read_from_any_place_on(tape: Tape) -> None:
    long = "x" * 200_000
    tape.append(f"one\n{long}\n")
    tape.append("Мир\n")
    assert lines_of(tape) == [FIRST, "one", long, "Мир"]
    for offset, line in tape.lines():
        assert tape.line_at(offset) == line
    last = list(tape.lines())[-1][0]
    assert lines_of(tape, last) == ["Мир"]
    assert lines_of(tape, tape.size) == []


RECORDER = """
import sys
from pathlib import Path
from harness.models.tape import Tape

path, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
tape = Tape(Path(path), first="first line")
for number in range(400):
    tape.append(f"{name} {number} " + "x" * (97 * number % 9000) + "\\n")
"""


def test_processes_that_write_at_once_lose_and_tear_nothing(path: Path) -> None:
    names = ("one", "two", "three")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RECORDER, str(path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
    assert [process.returncode for process in running] == [0, 0, 0]
    first, *rest = path.read_text().splitlines()
    assert first == FIRST
    for name in names:
        own = [line for line in rest if line.startswith(name)]
        assert own == [f"{name} {n} " + "x" * (97 * n % 9000) for n in range(400)]
    assert len(rest) == 1200


def test_a_line_that_another_process_is_writing_is_waited_for_and_not_taken_for_a_torn_one(
    tape: Tape, path: Path
) -> None:
    tape.append("one\n")
    with path.open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"tw")
        appending = threading.Thread(target=lambda: tape.append("three\n"))
        appending.start()
        appending.join(0.3)
        assert appending.is_alive()
        other.write(b"o\n")
    appending.join(10)
    assert lines_of(tape) == [FIRST, "one", "two", "three"]
    assert tape.torn == 0


@pytest.mark.parametrize("torn", [1, 70_000, 200_000])
def test_a_torn_last_line_is_cut_off_before_anything_is_added(
    tape: Tape, path: Path, torn: int
) -> None:
    tape.append("one\n")
    with path.open("ab") as file:
        file.write(b"x" * torn)
    tape.append("two\n")
    assert lines_of(tape) == [FIRST, "one", "two"]
    assert tape.torn == torn


def test_a_file_that_is_nothing_but_a_torn_line_begins_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("fir")
    with closing(Tape(path, first=FIRST)) as tape:
        assert lines_of(tape) == [FIRST]


def test_who_only_reads_changes_nothing_and_leaves_a_torn_line_out(tape: Tape, path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"torn")
    before = path.read_bytes()
    with closing(Tape(path, first=None)) as reading:
        assert lines_of(reading) == [FIRST]
    assert path.read_bytes() == before


FULL = """
import resource, signal, sys
from pathlib import Path
from harness.errors import UserError
from harness.models.tape import Tape

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
tape = Tape(Path(sys.argv[1]), first="first line")
try:
    for number in range(20):
        tape.append("x" * 900 + "\\n")
except UserError as error:
    print(number, error)
"""


def test_a_disk_that_is_full_is_said_and_leaves_whole_lines(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"5 {path} cannot be written: File too large.\n"
    assert path.read_text() == f"{FIRST}\n" + ("x" * 900 + "\n") * 5


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened: Is a directory"):
        Tape(tmp_path, first=FIRST)
