"""The evaluators that come with the program. To add one, add it here; see README.md."""

from __future__ import annotations

from evals.citations import validity
from evals.concessions import concessions, satisfaction
from evals.concordance import concordance
from evals.evaluator import Evaluator
from evals.hindsight import hindsight
from evals.leaks import leaked
from evals.outcomes import agreement, brackets, breadth, outcomes
from evals.procedure import floor, procedure
from evals.red_lines import red_lines
from evals.repetition import repetition
from evals.say_do import say_do
from evals.screens import screens

BUILT_IN: tuple[Evaluator, ...] = (
    outcomes,
    agreement,
    breadth,
    brackets,
    concordance,
    red_lines,
    say_do,
    validity,
    concessions,
    satisfaction,
    floor,
    procedure,
    leaked,
    hindsight,
    repetition,
    screens,
)
"""All of them, in the order of their results. None asks a model."""


def named(*names: str) -> tuple[Evaluator, ...]:
    """The built-in evaluators of these names; all of them where none is named.

    Raises:
        KeyError: there is no evaluator of a name; the message lists those there are.
    """
    known = {each.name: each for each in BUILT_IN}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise KeyError(f"no evaluator named {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else BUILT_IN
