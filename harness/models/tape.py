"""An append-only file of lines that several processes may write at once, whatever they hold.

Each append is one write under the file's lock. A last line without its end is what a crash left of
one: the lock is held, so whoever wrote it is dead, and it is cut off before anything is added.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from harness.errors import UserError

_BLOCK = 1 << 16


class Tape:
    """The file. Not for several threads at once."""

    def __init__(self, path: Path, *, first: str | None) -> None:
        """Open the file.

        Args:
            path: where it lies.
            first: the line that an empty file begins with, and the file is made where there is
                none; None to read alone.

        Raises:
            UserError: it cannot be opened or written.
        """
        self.path = path
        self.torn = 0
        """Bytes of torn last lines that were cut off."""
        self._first = first
        self._writer: FileIO | None = None
        try:
            if first is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = FileIO(path, "ab")
            self._reader = FileIO(path, "rb")
        except OSError as error:
            if self._writer is not None:
                self._writer.close()
            raise UserError(f"{path} cannot be opened: {error.strerror}.") from error
        if first is not None:
            try:
                self.append("")
            except UserError:
                self.close()
                raise

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._reader.fileno()).st_size

    def append(self, lines: str) -> None:
        """Put whole lines at the end, all of them or none.

        Raises:
            UserError: the file cannot be written.
        """
        assert self._writer is not None
        try:
            with _locked(self._writer):
                end = self._mended()
                before = f"{self._first}\n" if end == 0 else ""
                self._write((before + lines).encode(), end)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error

    def lines(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Whole lines from an offset on, each with its own offset and without its line end."""
        rest = b""
        while block := self._at(start + len(rest), _BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield start, line
                start += len(line) + 1

    def line_at(self, offset: int) -> bytes:
        """The line that begins there."""
        return next(line for _, line in self.lines(offset))

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
        if self._writer is not None:
            self._writer.close()

    def _at(self, offset: int, length: int) -> bytes:
        self._reader.seek(offset)
        return self._reader.read(length)

    def _mended(self) -> int:
        """The file's length, once a torn last line has been cut off."""
        size = end = self.size
        while end and self._at(end - 1, 1) != b"\n":
            start = max(0, end - _BLOCK)
            end = start + self._at(start, end - start).rfind(b"\n") + 1
        if end < size:
            os.truncate(self.path, end)
            self.torn += size - end
        return end

    def _write(self, data: bytes, end: int) -> None:
        assert self._writer is not None
        try:
            while data:  # one write, but for a disk that fills up half-way
                data = data[self._writer.write(data) :]
        except OSError:
            os.truncate(self.path, end)
            raise


@contextmanager
def _locked(file: FileIO) -> Iterator[None]:
    """Keep other processes from writing; they wait."""
    try:
        import fcntl
    except ImportError:  # no advisory locks on this system: the user keeps to one process
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
