"""What the page of an experiment shows: what was declared, and its debates arm by arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from evals.comparison.debates import Debate, Stock, stock
from evals.comparison.declaration import conditions
from evals.comparison.history import declared as history
from evals.comparison.history import standing
from evals.comparison.shapes import Declared
from evals.comparison.shown import measured
from harness.errors import UserError
from harness.experiment.design import Design, declared_arms
from harness.experiment.folder import ASIDE, Broken, Declaration, Folder
from harness.experiment.shapes import Experiment
from harness.viewer.app.index import Entry, Index, Look, by_experiment
from harness.viewer.app.shelf_rows import Row, address_of, declarations, row
from harness.viewer.app.shelf_search import Asked
from harness.viewer.app.shelf_under_way import under_way

State = Literal["finished", "under-way", "unfinished", "failed", "broken", "missing"]
"""unfinished: begun, and nobody holds it; failed: broke off and given up; broken: its file cannot
be read; missing: planned and never begun."""

STATES: tuple[State, ...] = get_args(State)


class Planned(NamedTuple):
    """A debate that was planned."""

    seed: int
    state: State
    address: str
    """Where it is shown; empty where there is no transcript."""
    said: str
    """What became of it."""


class Scenario(NamedTuple):
    """The debates of an arm on a scenario."""

    id: str
    debates: tuple[Planned, ...]


class Arm(NamedTuple):
    """An arm, or an arm under a circumstance that was changed."""

    name: str
    role: str
    """What it is to the others, in a word or two."""
    stated: str
    """What the file says its debates are held with."""
    counts: Mapping[State, int]
    scenarios: tuple[Scenario, ...]

    @property
    def planned(self) -> int:
        """How many debates."""
        return sum(self.counts.values())


class Term(NamedTuple):
    """Something that was declared."""

    name: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """An experiment as its page shows it."""

    name: str
    """Its folder's path within the app's; empty for that folder itself."""
    title: str
    folder: Path
    declared: tuple[Declared, ...]
    """Every declaration, oldest first."""
    experiment: Experiment | None
    """As it was declared last; None where that cannot be read."""
    standing: str
    """Whether it was declared before its debates were held."""
    terms: tuple[Term, ...]
    wrong: str
    """Why there is no plan; empty if there is one."""
    arms: tuple[Arm, ...]
    notes: tuple[str, ...]
    apart: tuple[Row, ...]
    """Debates in the folder that are in no arm."""
    failures: tuple[Broken, ...]
    aside: int
    """Transcripts that could not be gone on with."""

    @property
    def counts(self) -> Mapping[State, int]:
        """The debates of all arms by what became of them."""
        return sum((Counter(arm.counts) for arm in self.arms), Counter[State]())

    @property
    def address(self) -> str:
        """Where it is shown."""
        return address_of(self.name, "experiments")

    @property
    def on_the_shelf(self) -> str:
        """Where its debates can be searched and chosen from."""
        return Asked(experiment=self.name).address()

    @property
    def laid_aside(self) -> str:
        """Where the transcripts that could not be gone on with are found."""
        return Asked(q=f"{self.name}/{ASIDE}/".lstrip("/")).address()


def shown(index: Index, look: Look, name: str, held: Sequence[str] = ()) -> Shown:
    """An experiment of the folder.

    Args:
        index: The index of the folder.
        look: What it held when it was looked at.
        name: The experiment's folder within it; empty for the folder itself.
        held: Names of the debates that this program holds itself.

    Raises:
        UserError: no experiment is declared there.
    """
    if name not in look.experiments:
        raise UserError(f"There is no experiment {name or '.'!r} in {index.folder}.")
    entries, path = by_experiment(look)[name], index.folder / name
    declared, wrong = declarations(path)
    experiment = declared[-1].experiment if declared else None
    found, failures, why = _plan(path, experiment)
    going_on = under_way(entries, held)
    taken = {each.path.stem for each in found.debates}
    return Shown(
        name=name,
        title=path.name,
        folder=path,
        declared=history(declared),
        experiment=experiment,
        standing=_standing(declared),
        terms=_terms(experiment) if experiment else (),
        wrong=wrong or why,
        arms=_arms(experiment, found, entries, going_on) if experiment else (),
        notes=found.notes,
        apart=tuple(row(e, going_on) for e in entries if _stem(e) not in taken),
        failures=failures,
        aside=sum(each.folder == f"{name}/{ASIDE}".lstrip("/") for each in look.entries),
    )


def _plan(path: Path, experiment: Experiment | None) -> tuple[Stock, tuple[Broken, ...], str]:
    """The planned debates and every time one broke off; or why they cannot be told."""
    failures: tuple[Broken, ...] = ()
    try:
        failures = Folder(path).broken
        if experiment is not None:
            return stock(Folder(path), Design(experiment, path)), failures, ""
    except UserError as error:
        return Stock((), ()), failures, str(error)
    except (OSError, UnicodeDecodeError) as error:
        return Stock((), ()), failures, f"A file of the experiment cannot be read: {error}."
    return Stock((), ()), failures, ""


def _standing(declared: Sequence[Declaration]) -> str:
    return standing(declared, declared[-1].experiment) if declared else ""


def _terms(experiment: Experiment) -> tuple[Term, ...]:
    """What decides, and what the reader of the numbers has to know."""
    primary = experiment.primary
    listed = (
        Term("Primary metric", (measured(primary),)),
        Term("Smallest difference that would matter", (f"{primary.smallest:g}",)),
        Term("Baseline", (experiment.baseline,)),
        Term("Settings", experiment.every_setting),
        Term("Seeds a scenario", (str(experiment.seeds),)),
        Term("Who has the arm's prompt and model", (experiment.treat,)),
        Term("All arms", (conditions(experiment.common),)),
        Term("Looked at besides", tuple(map(measured, experiment.secondary))),
        Term("Judges", experiment.judges),
        Term("Risk of a false alarm taken", (f"{experiment.alpha:g}",)),
    )
    return tuple(term for term in listed if any(term.said))


def _arms(
    experiment: Experiment, found: Stock, entries: Sequence[Entry], going_on: Mapping[str, bool]
) -> tuple[Arm, ...]:
    by_stem = {_stem(entry): entry for entry in entries}
    groups: dict[str, list[Debate]] = {}
    for debate in found.debates:
        groups.setdefault(debate.group, []).append(debate)
    return tuple(
        _arm(experiment, group, debates, by_stem, going_on) for group, debates in groups.items()
    )


def _arm(
    experiment: Experiment,
    group: str,
    debates: Sequence[Debate],
    entries: Mapping[str, Entry],
    going_on: Mapping[str, bool],
) -> Arm:
    scenarios: dict[str, list[Planned]] = {}
    for each in debates:
        planned = _planned(each, entries.get(each.path.stem), going_on)
        scenarios.setdefault(each.scenario, []).append(planned)
    counts: Counter[State] = Counter(p.state for all_ in scenarios.values() for p in all_)
    return Arm(
        name=group,
        role=_role(experiment, debates[0]),
        stated=_stated(experiment, debates[0]),
        counts={state: counts[state] for state in STATES},
        scenarios=tuple(Scenario(id_, tuple(all_)) for id_, all_ in scenarios.items()),
    )


def _role(experiment: Experiment, debate: Debate) -> str:
    if debate.variation is not None:
        return "circumstance changed"
    if debate.arm == experiment.baseline:
        return "baseline"
    return "yardstick" if debate.arm in experiment.beside else "arm"


def _stated(experiment: Experiment, debate: Debate) -> str:
    varied = [each.what for each in experiment.variations if each.id == debate.variation]
    arms = [conditions(arm) for arm in declared_arms(experiment) if arm.id == debate.arm]
    return "; ".join(said for said in (*varied, *arms) if said)


def _planned(debate: Debate, entry: Entry | None, going_on: Mapping[str, bool]) -> Planned:
    state = _state(debate, entry, going_on)
    address = address_of(entry.name) if entry else ""
    return Planned(debate.seed, state, address, _said(state, debate, entry))


def _state(debate: Debate, entry: Entry | None, going_on: Mapping[str, bool]) -> State:
    if entry is None:
        return "failed" if debate.state == "failed" else "missing"
    if entry.glance is None:
        return "broken"
    if entry.glance.closed:
        return "finished"
    if entry.name in going_on:
        return "under-way"
    return "failed" if debate.state == "failed" else "unfinished"


def _said(state: State, debate: Debate, entry: Entry | None) -> str:
    match state:
        case "finished" if entry and entry.glance and entry.glance.issues:
            return f"{entry.glance.adopted} of {entry.glance.issues} agreed"
        case "under-way":
            return "under way"
        case "failed":
            return f"given up: {debate.why}"
        case "broken":
            return f"broken file: {entry.broken}" if entry else "broken file"
        case "missing":
            return "not held yet"
        case _:
            return state


def _stem(entry: Entry) -> str:
    return entry.name.rpartition("/")[2]
