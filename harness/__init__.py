"""Holds debates between delegations and records them; knows nothing about scoring.

From Python: `from harness import run_experiment`, and `from evals import results_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.experiment.reading import load_experiment as load_experiment
    from harness.loading import load_setting as load_setting
    from harness.sweep.running import run_experiment as run_experiment
    from harness.transcript import read as read_transcript

__all__ = ["load_experiment", "load_setting", "read_transcript", "run_experiment"]

_HOMES = {
    "load_experiment": ("harness.experiment.reading", "load_experiment"),
    "load_setting": ("harness.loading", "load_setting"),
    "read_transcript": ("harness.transcript", "read"),
    "run_experiment": ("harness.sweep.running", "run_experiment"),
}


def __getattr__(name: str) -> Any:
    """What is asked for by name, imported when it is: `tracktwo --help` needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
