"""Observations and rows as flat files, for notebooks and spreadsheets.

Two files, because they are two things: FILE has a line for each observation, FILE.rows a line for
each row of the tables. Both name the experiment, so that several can be put one below the other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from evals.comparison.inference import Difference, Effect
from evals.comparison.shapes import Observation, Results, Row, Use
from evals.warehouse.asking import Answer
from evals.warehouse.export import draft_of, write_parquet, write_text
from evals.warehouse.export import to_csv as csv_of
from evals.warehouse.opening import connection, text

Plain: TypeAlias = str | int | float | bool | None

_TYPES: Mapping[type, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


class Flat(NamedTuple):
    """A flat table."""

    columns: tuple[tuple[str, type], ...]
    lines: tuple[tuple[Plain, ...], ...]


def observations(results: Results) -> Flat:
    """One line for each observation."""
    return _flat(_OBSERVATION, [{**_head(results), **_seen(each)} for each in results.observations])


def rows(results: Results) -> Flat:
    """One line for each row of the tables, with what its arm's debates took."""
    return _flat(_ROW, [{**_head(results), **_rowed(row, results.use)} for row in results.rows])


def to_csv(results: Results, path: Path) -> tuple[Path, Path]:
    """Write both files as CSV; the last column of each says that the words are simulated."""
    return _written(results, path, ".csv", _write_csv)


def to_parquet(results: Results, path: Path) -> tuple[Path, Path]:
    """Write both files as Parquet, columns typed; the metadata says that the words are simulated.

    Raises:
        UserError: duckdb is not installed.
    """
    return _written(results, path, ".parquet", _write_parquet)


def _written(
    results: Results, path: Path, ending: str, write: Callable[[Flat, Path], None]
) -> tuple[Path, Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name.removesuffix(ending)}.rows{ending}")
    write(observations(results), path)
    write(rows(results), beside)
    return path, beside


def _write_csv(flat: Flat, path: Path) -> None:
    kinds = tuple((name, _TYPES[kind]) for name, kind in flat.columns)
    write_text(path, csv_of(Answer(kinds, iter(flat.lines))))


def _write_parquet(flat: Flat, path: Path) -> None:
    """Through lines of JSON, which tell no value from an empty text."""
    names = [name for name, _ in flat.columns]
    kinds = ", ".join(f"{text(name)}: {text(_TYPES[kind])}" for name, kind in flat.columns)
    draft = draft_of(path)
    with tempfile.TemporaryDirectory() as folder, connection() as con:
        lines = Path(folder) / "lines.jsonl"
        objects = (json.dumps(dict(zip(names, line, strict=True))) for line in flat.lines)
        lines.write_text("".join(f"{each}\n" for each in objects), encoding="utf-8")
        source = f"read_json({text(str(lines))}, format='newline_delimited', columns={{{kinds}}})"
        write_parquet(con, f"select * from {source}", draft)
    draft.replace(path)


def _flat(columns: Sequence[tuple[str, type]], lines: Sequence[Mapping[str, Plain]]) -> Flat:
    names = [name for name, _ in columns]
    return Flat(tuple(columns), tuple(tuple(line[name] for name in names) for line in lines))


def _head(results: Results) -> dict[str, Plain]:
    return {"experiment": results.experiment.id, "sha": results.sha}


def _seen(each: Observation) -> dict[str, Plain]:
    return {name: getattr(each, name) for name in Observation.model_fields}


def _rowed(row: Row, use: Mapping[str, Use]) -> dict[str, Plain]:
    group = f"{row.name}.{row.variation}" if row.variation else row.name
    return {
        "name": row.name,
        "kind": row.kind,
        "variation": row.variation,
        "metric": row.metric.metric,
        "of": row.metric.of,
        "better": row.metric.better,
        **_mean(row),
        **_difference(row.difference),
        **_found(row),
        **_took(use.get(group)),
    }


def _mean(row: Row) -> dict[str, Plain]:
    found = row.estimate
    return {
        "mean": found.value,
        "mean_low": found.low,
        "mean_high": found.high,
        "mean_se": found.se,
        "scenarios": found.scenarios,
        "fewest_seeds": found.seeds[0],
        "most_seeds": found.seeds[1],
        "debates": found.n,
        "cases": row.cases,
        "unscored": row.unscored,
        "empty": row.empty,
        "bound_low": row.bounds.low if row.bounds else None,
        "bound_high": row.bounds.high if row.bounds else None,
    }


def _difference(found: Difference | None) -> dict[str, Plain]:
    best = found.best if found is not None else Effect(value=None)
    seen = found.observed if found is not None else Effect(value=None)
    return {
        "difference": best.value,
        "difference_low": best.low,
        "difference_high": best.high,
        "difference_se": best.se,
        "difference_as_judged": seen.value,
        "p": found.p if found else None,
        "p_sign_flip": found.p_flip if found else None,
        "p_equivalence": best.p_equivalence,
        "would_be_found": best.mde,
        "smallest": found.smallest if found else None,
        "pairs": found.n if found else 0,
    }


def _found(row: Row) -> dict[str, Plain]:
    judge = row.judge
    return {
        "p_adjusted": row.p_adjusted,
        "adjusted_by": row.adjusted_by,
        "verdict": row.verdict.word if row.verdict else None,
        "why": row.verdict.sentence if row.verdict else row.estimate.why,
        "judge": judge.judge if judge else None,
        "calibrated_on": judge.gold if judge else None,
        "kappa": judge.kappa if judge else None,
        "greyed": row.greyed,
    }


def _took(use: Use | None) -> dict[str, Plain]:
    """What the arm's debates took; nothing for a yardstick that takes none."""
    use = use or Use(planned=0, finished=0, failed=0)
    return {name: getattr(use, name) for name in Use.model_fields}


_HEAD = (("experiment", str), ("sha", str))

_OBSERVATION = (
    *_HEAD,
    ("arm", str), ("variation", str), ("scenario", str), ("seed", int), ("metric", str),
    ("of", str), ("value", float), ("n", int), ("unscored", int), ("why", str), ("debate", str),
)  # fmt: skip

_ROW = (
    *_HEAD,
    ("name", str), ("kind", str), ("variation", str), ("metric", str), ("of", str),
    ("better", str), ("mean", float), ("mean_low", float), ("mean_high", float),
    ("mean_se", float), ("scenarios", int), ("fewest_seeds", int), ("most_seeds", int),
    ("debates", int), ("cases", int), ("unscored", float), ("empty", int), ("bound_low", float),
    ("bound_high", float), ("difference", float), ("difference_low", float),
    ("difference_high", float), ("difference_se", float), ("difference_as_judged", float),
    ("p", float), ("p_sign_flip", float), ("p_equivalence", float), ("would_be_found", float),
    ("smallest", float), ("pairs", int), ("p_adjusted", float), ("adjusted_by", str),
    ("verdict", str), ("why", str), ("judge", str), ("calibrated_on", str), ("kappa", float),
    ("greyed", str), ("planned", int), ("finished", int), ("failed", int), ("calls", int),
    ("input", int), ("cached", int), ("output", int), ("cost", float), ("unpriced", int),
    ("seconds", float), ("turns", int), ("failed_turns", int),
)  # fmt: skip
