"""An experiment: what was declared, its debates arm by arm, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from evals.comparison.distributions import MISSING
from harness.errors import UserError
from harness.viewer.app.desk import Desk
from harness.viewer.app.experiments_plan import STATES, Shown, shown
from harness.viewer.app.experiments_results import ResultsPages, command
from harness.viewer.app.frame import show
from harness.viewer.app.index import index_of

RESULTS = "results"
"""The last part of the address of an experiment's results."""


def routes(desk: Desk) -> Sequence[BaseRoute]:
    """What the room answers to."""
    pages = ResultsPages()

    async def experiment(request: Request) -> Response:
        name = _name(request.path_params["name"])
        held = tuple(desk.under_way)
        look = await to_thread.run_sync(lambda: index_of(desk.folder).look())
        # An experiment's own folder may be called so.
        if _is_results(name) and name not in look.experiments:
            return await results(name.removesuffix(RESULTS).rstrip("/"), held)
        found = await to_thread.run_sync(lambda: shown(index_of(desk.folder), look, name, held))
        return show(
            "experiment", title=f"Experiment {found.title}", shown=found, states=STATES,
            why_not=why_not(found), results=f"{found.address.rstrip('/')}/{RESULTS}",
            command=command(found.folder),
        )  # fmt: skip

    async def results(name: str, held: Sequence[str]) -> Response:
        index = index_of(desk.folder)
        found = await to_thread.run_sync(lambda: shown(index, index.look(), name, held))
        try:
            if why := why_not(found):
                raise UserError(why)
            page = await pages.of(index, name)
        except UserError as error:
            return show(
                "experiment_trouble", status=400, title="No results", shown=found, why=str(error),
                command=command(found.folder),
            )  # fmt: skip
        return HTMLResponse(page.html, headers={"content-security-policy": page.policy})

    return [Route("/experiments/{name:path}", experiment)]


def why_not(found: Shown) -> str:
    """Why there are no results to be shown; empty where they can be made."""
    if found.wrong:
        return found.wrong
    if not found.counts["finished"]:
        return "No debate of the experiment is finished yet."
    # Looked for, not loaded: that takes longer than the page.
    return "" if find_spec("scipy") else f"{MISSING}."


def _name(asked: str) -> str:
    """The folder asked for; `.` is the app's own, and so is nothing."""
    name = str(asked).strip("/")
    return "" if name == "." else name.removeprefix("./")


def _is_results(name: str) -> bool:
    return name.rpartition("/")[2] == RESULTS
