"""Other ways a debate could have gone on: from any turn of its record, or without a position.

point.py      the moment of a record
changes.py    what is to be otherwise
branches.py   the debates that follow: changed, and as many with nothing changed
files.py      whether the files that their seats name are there
holding.py    holds them

A fork is an ordinary transcript. Its run card names the debate it was taken from; the events before
the fork are that debate's, their replies on record and not paid for again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.fork.branches import plan_fork as plan_fork
from harness.fork.branches import plan_without as plan_without
from harness.fork.changes import Changes as Changes
from harness.fork.changes import positions_meant as positions_meant
from harness.fork.files import check_files as check_files
from harness.fork.holding import Held as Held
from harness.fork.holding import Terms as Terms
from harness.fork.holding import hold as hold
from harness.models.budget import Budget
from harness.models.prices import PriceList
from harness.places import in_checkout
from harness.session import run_alone
from harness.transcript import Transcript, read

RUNS = 5
"""Debates a side where nobody says."""


def fork(
    transcript: Path | str,
    at: str | int,
    *,
    prompts: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
    say: Mapping[str, str] | None = None,
    unheard: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    runs: int = RUNS,
    seed: int | None = None,
    out: Path | str | None = None,
    terms: Terms | None = None,
) -> Held:
    """Let a debate go on from any turn, changed, and as often with nothing changed.

    Args:
        transcript: A recorded debate, finished or not.
        at: The turn taken anew, `T7`, or the number of the first event that is not taken over. With
            `say` or `unheard`, the turn whose statement is meant; it stays but for that.
        prompts: Party -> persona prompt, from there on.
        models: Party -> model, from there on.
        say: Party -> what it says in the turn at the fork; its moves there stay as recorded.
        unheard: Parties that do not hear the statement of that turn; its moves reach them.
        options: For the models named: temperature, max_reply, base_url, timeout.
        runs: Debates a side, from 1.
        seed: Of the first; the next ones follow. One above the record's own where left out.
        out: Folder for the debates; transcripts/forks where left out.
        terms: Ceilings, prices, how many at once, and who watches.

    Returns:
        What became of it; `evals.comparison.movement.movement` says how the outcome moved.

    Raises:
        UserError: no such moment, party, prompt or model, changes that do not fit together, or a
            file that sits in a seat is not found.
    """
    origin, given = read(transcript), terms or _terms()
    changes = Changes(prompts or {}, models or {}, say or {}, tuple(unheard), options or {})
    plan = plan_fork(origin, at, changes, seeds_from(origin, seed, runs), given.env)
    return run_alone(hold(plan, usual_folder(out), given))


def without(
    transcript: Path | str,
    position: str,
    *,
    runs: int = RUNS,
    seed: int | None = None,
    out: Path | str | None = None,
    terms: Terms | None = None,
) -> Held:
    """Hold a debate again from its start, with a position of one party and without it.

    Args:
        transcript: A recorded debate.
        position: Id of the position.
        runs: Debates a side, from 1.
        seed: Of the first; the next ones follow. One above the record's own where left out.
        out: Folder for the debates; transcripts/forks where left out.
        terms: Ceilings, prices, how many at once, and who watches.

    Returns:
        As `fork`.

    Raises:
        UserError: nobody at the table holds such a position, or a file that sits in a seat is not
            found.
    """
    origin = read(transcript)
    plan = plan_without(origin, position, seeds_from(origin, seed, runs))
    return run_alone(hold(plan, usual_folder(out), terms or _terms()))


def seeds_from(origin: Transcript, seed: int | None, runs: int) -> range:
    """The seeds of so many debates; none is the record's own, which would only be that again."""
    first = origin.card.seed + 1 if seed is None else seed
    return range(first, first + runs)


def usual_folder(out: Path | str | None) -> Path:
    """Where the debates lie if nothing else is said."""
    if out is not None:
        return Path(out)
    return (Path("transcripts/runs") if in_checkout() else Path("transcripts")) / "forks"


def _terms() -> Terms:
    return Terms(Budget(), PriceList.given((), os.environ))
