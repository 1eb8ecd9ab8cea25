"""Many debates at once on the machines of a Ray cluster; docs/cluster.md says when it is worth it.

The same sweep as in one process (sweep.py), with the same files, retries and ceilings: only the
models' work is done elsewhere. Ray is imported here, and in functions alone.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.briefing import persona_prompt
from harness.errors import UserError
from harness.experiment.design import Cell
from harness.experiment.folder import Folder
from harness.loading import personas_root
from harness.models.budget import Budget
from harness.models.clock import SystemClock
from harness.models.limits import Limits
from harness.models.prices import PriceList
from harness.seating import Means
from harness.sweep.cluster_crew import Crew
from harness.sweep.cluster_holder import Purse, Remote
from harness.sweep.cluster_worker import Worker, versions_here
from harness.sweep.holding import Holder
from harness.sweep.sweep import News, Sweep, Tally

if TYPE_CHECKING:
    from types import ModuleType

_OBJECTS = 128 * 2**20
"""Bytes that a cluster on this machine sets aside for objects; ours are small."""

_KNOCK = 10.0
"""Seconds for which a cluster may take to open a connection."""

_RUNNING = "RAY_ADDRESS"
"""Where Ray looks for a cluster; set in jobs that are submitted to one."""


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and what a worker there is given."""

    address: str | None = None
    """`auto`, `HOST:6379` or `ray://HOST:10001`. None: the one that RAY_ADDRESS names, else
    processes of this machine, started for the sweep."""
    workers: int | None = None
    """How many; None: as many as the cluster has room for."""
    cpus: float = 1.0
    """CPUs that a worker takes; a model in its process computes on so many threads."""
    gpus: float = 0.0
    """GPUs that a worker takes; it sees no others."""


async def held_on_ray(
    cells: Sequence[Cell],
    folder: Folder,
    budget: Budget,
    prices: PriceList,
    cluster: Cluster,
    *,
    each: int,
    at_once: int | None = None,
    limits: Limits | Mapping[str, Limits] | None = None,
    counted: set[str] | None = None,
    watch: Callable[[News], None] = lambda news: None,
    say: Callable[[str], None] = lambda words: None,
) -> Tally:
    """Hold what is missing on the workers of a Ray cluster.

    Args:
        cells: the debates.
        folder: where they lie, on a disk of this process; workers need not see it.
        budget: ceilings for all workers together.
        prices: of models.
        cluster: where, and with how many workers.
        each: debates that a worker has at a time, where `at_once` says nothing.
        at_once: debates under way at once, on all workers together.
        limits: how fast providers may be asked by all workers together: each gets an even share.
            None: the usual ones, for each worker by itself.
        counted: debates of which the budget counts already what is on record.
        watch: told of everything that happens in the sweep.
        say: told, in a sentence, which worker came and which was lost.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
        CrewUnavailable: no worker starts, or it has other packages or prompts than this process.
        ModelUnavailable: only the user can mend what keeps a model from answering.
    """
    clock = SystemClock()
    missing = [cell for cell in cells if not folder.finished(cell)]
    if not missing:  # not worth starting a cluster to find that out
        here = Holder(lambda _: Means(budget, prices), lambda _: clock)
        return await Sweep(cells, folder, here, clock, 1, watch).run()
    ray = _ray()
    _join(ray, cluster)
    try:
        places = _places(ray, cluster, len(missing), at_once, limits)
        total = at_once or places * each
        most = math.ceil(total / places)
        hire = _hiring(ray, cluster, prices, share(limits, places), most)
        crew = Crew(hire, places, most, _prompts(missing), versions_here(), say)
        async with crew:
            holder = Remote(crew, Purse(budget), prices, clock, counted or set())
            return await Sweep(cells, folder, holder, clock, total, watch).run()
    finally:
        ray.shutdown()


def share(limits: Limits | Mapping[str, Limits] | None, of: int) -> Limits | dict[str, Limits]:
    """One worker's share of limits that hold for so many of them.

    The shares are even, so that no worker has to ask another before it calls; what one does not
    use is lost to the others.
    """
    if limits is None:
        return Limits()
    if isinstance(limits, Limits):
        return _part(limits, of)
    return {name: _part(each, of) for name, each in limits.items()}


def _part(limits: Limits, of: int) -> Limits:
    def divided(limit: float | None) -> float | None:
        return None if limit is None else limit / of

    return replace(
        limits,
        at_once=None if limits.at_once is None else max(1, limits.at_once // of),
        requests_per_minute=divided(limits.requests_per_minute),
        tokens_per_minute=divided(limits.tokens_per_minute),
    )


def _ray() -> ModuleType:
    # Ray reports its use to its makers unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Without this it warns that a later version will leave the devices of a worker as they are.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # It prints the loss of a worker among our own words; the crew says it in a sentence.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UserError(
            "The engine `ray` needs Ray: run pip install 'tracktwo[cluster]'."
        ) from error
    module: ModuleType = ray
    return module


def _join(ray: Any, cluster: Cluster) -> None:
    """Connect to the cluster, or start one of this machine's processes.

    Raises:
        UserError: there is no such cluster, or it speaks another version of Ray.
    """
    address = cluster.address or os.environ.get(_RUNNING)
    quiet = {"log_to_driver": False, "logging_level": "CRITICAL"}
    if address is None:
        cores = os.cpu_count() or 1
        room = max(cores, math.ceil((cluster.workers or 1) * cluster.cpus))
        ray.init("local", num_cpus=room, object_store_memory=_OBJECTS, include_dashboard=False,
                 **quiet)  # fmt: skip
        return
    _answers(address)
    try:
        ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
        why = " ".join(str(error).split())
        raise UserError(f"There is no Ray cluster to be joined at {address}: {why}") from error


def _answers(address: str) -> None:
    """Knock first: Ray itself tries an address where nobody is for many minutes.

    Raises:
        UserError: nobody opens.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():  # `auto`, or what only Ray understands
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"Nobody answers at {address} ({error}): start the cluster there with `ray start "
            "--head`, or name another --address."
        ) from error


def _places(
    ray: Any,
    cluster: Cluster,
    missing: int,
    at_once: int | None,
    limits: Limits | Mapping[str, Limits] | None,
) -> int:
    """How many workers there are to be: no more than there is work for."""
    places = min(cluster.workers or _room(ray.cluster_resources(), cluster), missing)
    given = [limits] if isinstance(limits, Limits) else (limits or {}).values()
    together = [each.at_once for each in given if each.at_once is not None]
    return max(1, min([places, *together, *([at_once] if at_once else [])]))


def _room(resources: Mapping[str, float], cluster: Cluster) -> int:
    """How many workers of this size the cluster has room for."""
    wanted = {"CPU": cluster.cpus, "GPU": cluster.gpus}
    fitting = [int(resources.get(name, 0) / size) for name, size in wanted.items() if size]
    if not fitting or min(fitting) < 1:
        has = ", ".join(f"{resources.get(name, 0):g} {name}s" for name in wanted)
        raise UserError(
            f"The Ray cluster has {has}, and a worker is to have {cluster.cpus:g} and "
            f"{cluster.gpus:g}: say --workers, or ask for less."
        )
    return min(fitting)


def _hiring(
    ray: Any,
    cluster: Cluster,
    prices: PriceList,
    limits: Limits | Mapping[str, Limits],
    each: int,
) -> Callable[[], Any]:
    """What starts a worker. A lost one is not restarted by Ray: the crew hires another."""
    actor = ray.remote(Worker).options(
        num_cpus=cluster.cpus,
        num_gpus=cluster.gpus,
        max_concurrency=each + 1,
        max_restarts=0,
        scheduling_strategy="SPREAD",
    )
    threads = max(1, int(cluster.cpus))
    return lambda: actor.remote(prices, limits, threads, Path.cwd())


def _prompts(cells: Sequence[Cell]) -> dict[str, str]:
    names = {name for cell in cells for name in cell.prompts.values()}
    return {name: persona_prompt(name, personas_root() / "prompts").sha for name in sorted(names)}
