"""Which debates somebody is holding at this moment, this program or another."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.viewer.app.index import Entry
from harness.viewer.app.shelf_glance import Glance
from harness.viewer.app.shelf_scores import Stamp

RECENT = 90
"""Seconds after its last change for which an unclosed debate counts as under way.

Whoever writes a transcript locks it, but a lock taken on another machine or in another container is
not seen here. A hosted model seldom takes longer for a turn.
"""

LOCKS = Path("/proc/locks")

_LOCK = re.compile(r"^\d+: FLOCK +\S+ +WRITE +\S+ +\S+:(\d+) ", re.MULTILINE)


def under_way(entries: Iterable[Entry], held: Iterable[str]) -> Mapping[str, bool]:
    """The names of debates that are being held, and whether that is sure.

    Args:
        entries: What lies in the folder.
        held: Names of those that this program holds itself.
    """
    locked, now = _locked(), time.time()
    found: dict[str, bool] = {}
    for entry in entries:
        if entry.glance is not None and not entry.glance.closed:
            if entry.stamp.inode in locked:
                found[entry.name] = True
            elif _perhaps(entry.glance, entry.stamp, now):
                found[entry.name] = False
    return found | dict.fromkeys(held, True)


def _perhaps(seen: Glance, stamp: Stamp, now: float) -> bool:
    """Whether it was written a moment ago, and has not said itself that it stops."""
    return not seen.stopped and abs(now - stamp.modified / 1e9) < RECENT


def _locked() -> frozenset[int]:
    """Inodes of files that are locked for writing.

    The system is asked, because a try at the lock would keep out whoever wants to write just then.
    """
    try:
        return frozenset(map(int, _LOCK.findall(LOCKS.read_text(encoding="ascii"))))
    except OSError:  # not on this system
        return frozenset()
