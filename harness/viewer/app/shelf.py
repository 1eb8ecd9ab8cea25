"""The shelf: all debates and experiments of the folder, searched, sorted and chosen from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from harness.viewer.app.desk import Desk
from harness.viewer.app.frame import show
from harness.viewer.app.index import Entry, Index, Look, by_experiment, index_of
from harness.viewer.app.shelf_rows import (
    OUTCOME_WORDS,
    ExperimentRow,
    Row,
    experiment_row,
    narrowed,
    row,
)
from harness.viewer.app.shelf_search import (
    Asked,
    Choice,
    Found,
    Sort,
    asked_of,
    choices,
    fitting,
    search,
)
from harness.viewer.app.shelf_under_way import under_way

AT_MOST = 4
"""Debates that are compared."""

COLUMNS: Mapping[Sort, str] = {
    "name": "Debate",
    "agreed": "Outcome",
    "in-line": "Votes in line with the mandate",
    "crossed": "Red lines crossed",
    "turns": "Turns",
    "date": "Held",
}
"""What can be sorted by, and the head of its column."""


@dataclass(frozen=True)
class Shelf:
    """What the page shows."""

    folder: str
    asked: Asked
    found: Found
    rows: tuple[Row, ...]
    chosen: tuple[Row, ...]
    """Debates chosen to be compared that are not among the rows."""
    experiments: tuple[ExperimentRow, ...]
    folders: tuple[Choice, ...]
    """Experiments to filter by."""
    parties: tuple[Choice, ...]
    models: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    unread: tuple[str, ...]
    """What could not be looked at."""

    @property
    def everything(self) -> str:
        """The address with nothing left out, and what was chosen."""
        return Asked(chosen=self.asked.chosen).address()

    def sorted_by(self, sort: Sort) -> str:
        """The address with the rows sorted by this; the other way round if they are already."""
        rising = sort == "name"
        falling = not self.asked.falling if sort == self.asked.sort else not rising
        return self.asked.address(sort=sort, falling=falling, page=1)


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""

    async def index(request: Request) -> Response:
        asked = asked_of(request.query_params)
        if any(not value for value in request.query_params.values()):
            return RedirectResponse(asked.address(), 303)  # a form sends empty fields too
        held = tuple(desk.under_way)
        shelf = await to_thread.run_sync(lambda: shelf_of(index_of(desk.folder), asked, held))
        return show(
            "shelf", title="Debates", shelf=shelf, columns=COLUMNS, outcomes=OUTCOME_WORDS,
            narrowed=narrowed(asked, COLUMNS), at_most=AT_MOST,
        )  # fmt: skip

    return [Route("/", index)]


def shelf_of(index: Index, asked: Asked, held: Sequence[str] = ()) -> Shelf:
    """The shelf as it is asked for; `held` are the debates that this program holds itself."""
    look = index.look()
    going_on = under_way(look.entries, held)
    fit = fitting(look.entries, asked, going_on, look.experiments)
    found = search(
        index.with_scores(fit) if asked.by_score else fit, asked, total=len(look.entries)
    )
    shown = index.with_scores(found.shown)
    names = {entry.name for entry in shown}
    apart = [e for e in look.entries if e.name in asked.chosen and e.name not in names]
    offered = choices(look.entries)
    return Shelf(
        folder=str(index.folder),
        asked=asked,
        found=found,
        rows=tuple(row(entry, going_on) for entry in shown),
        chosen=tuple(row(entry, going_on) for entry in apart),
        experiments=tuple(_experiments(index, look, asked)),
        folders=tuple(_folders(look)),
        parties=offered["party"],
        models=offered["model"],
        prompts=offered["prompt"],
        unread=look.unread,
    )


def _experiments(index: Index, look: Look, asked: Asked) -> list[ExperimentRow]:
    """Those that the words fit; debates are narrowed down by the rest, experiments are not."""
    rows = [experiment_row(index, name, found) for name, found in by_experiment(look).items()]
    words = asked.q.casefold().split()
    return [
        each for each in rows if all(w in f"{each.name} {each.question}".casefold() for w in words)
    ]


def _folders(look: Look) -> list[Choice]:
    debates: dict[str, tuple[Entry, ...]] = dict(by_experiment(look))
    return [Choice(name or ".", name or "this folder", len(e)) for name, e in debates.items()]
