"""Where the program keeps things of its own on this machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def cache_folder() -> Path:
    """Return TRACKTWO_CACHE, or else `tracktwo` in the folder XDG names, or ~/.cache/tracktwo."""
    if own := os.environ.get("TRACKTWO_CACHE"):
        return Path(own)
    # The XDG rule: a path that is not absolute is to be ignored.
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "tracktwo"


def draft_of(path: Path) -> Path:
    """Where a file is written before it takes its place: nobody else writes there meanwhile."""
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")


def in_checkout() -> bool:
    """Whether the current folder is a checkout of this project, where runs/ is not committed."""
    return Path("transcripts/examples").is_dir() and Path("harness/debate.py").is_file()
