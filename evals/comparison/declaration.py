"""What was declared before the debates, and what was held of it, as the page words it."""

from __future__ import annotations

from evals.comparison.shapes import Declared, Results, Use
from evals.comparison.shown import measured
from harness.experiment.design import declared_arms
from harness.experiment.shapes import Conditions

SHA = 16
"""Letters of a fingerprint that are shown."""


def held(use: dict[str, Use]) -> str:
    """How many debates there are."""
    planned, finished, failed = (
        sum(getattr(each, name) for each in use.values())
        for name in ("planned", "finished", "failed")
    )
    said = f"{finished:,} of {planned:,} debates held, {failed:,} given up after breaking off"
    open_ = planned - finished - failed
    return f"{said}, {open_:,} not held yet" if open_ > 0 else said


def fingerprint(sha: str) -> str:
    """As much of it as tells two apart."""
    return sha[:SHA]


def changed(index: int, declared: Declared) -> str:
    """What a declaration changed."""
    return "; ".join(declared.changes) or ("first declaration" if not index else "nothing in words")


def undeclared(results: Results) -> str:
    """Said where what was read is not what was declared last."""
    if not results.declared:
        return "No declaration is on file."
    if results.declared[-1].sha != results.sha:
        return f"The file read for this page was never declared: {fingerprint(results.sha)}."
    return ""


def terms(results: Results) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was declared, term by term."""
    experiment = results.experiment
    primary = experiment.primary
    listed: list[tuple[str, tuple[str, ...]]] = [
        ("Primary metric", (measured(primary),)),
        ("Smallest difference that would matter", (f"{primary.smallest:g}",)),
        ("Baseline", (experiment.baseline,)),
        ("Arms", tuple(_arm(arm.id, arm) for arm in declared_arms(experiment))),
        ("All arms", (conditions(experiment.common),)),
        ("Settings", experiment.every_setting),
        ("Scenario", (_unit(results),)),
        ("Seeds a scenario", (str(experiment.seeds),)),
        ("Who has the arm's prompt and model", (experiment.treat,)),
        ("Circumstances varied", tuple(f"{v.id}: {v.what}" for v in experiment.variations)),
        ("Yardsticks", experiment.beside),
        ("Looked at besides", tuple(measured(metric) for metric in experiment.secondary)),
        ("Judges", experiment.judges),
        ("Risk of a false alarm taken", (f"{experiment.alpha:g}",)),
    ]
    kept = ((term, tuple(said for said in says if said)) for term, says in listed)
    return tuple((term, says) for term, says in kept if says)


def _arm(name: str, stated: Conditions) -> str:
    said = conditions(stated)
    return f"{name}: {said}" if said else name


def _unit(results: Results) -> str:
    experiment = results.experiment
    if experiment.scenario_unit == "setting":
        return "a setting's agenda, debated as a whole"
    items = f": {', '.join(experiment.items)}" if experiment.items else ""
    return f"an agenda item, debated by itself{items}"


def conditions(stated: Conditions) -> str:
    """What a file states about how debates are held, key by key."""
    given = stated.model_dump(mode="json", exclude_unset=True, exclude={"id", "what"})
    return "; ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in given.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
