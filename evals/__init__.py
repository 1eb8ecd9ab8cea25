"""Reads transcripts and scores them.

From Python: `from evals import results_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.comparison.results import results_of as results_of
    from evals.evaluator import evaluate as evaluate

__all__ = ["evaluate", "results_of"]

_HOMES = {"evaluate": "evals.evaluator", "results_of": "evals.comparison.results"}


def __getattr__(name: str) -> Any:
    """What is asked for by name, imported when it is."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
