"""What a careful reader has to know before relying on a result, the gravest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from evals.comparison.book import Book
from evals.comparison.confounds import axes, undeclared
from evals.comparison.inference import LEAST
from evals.comparison.missing import MOST_UNSCORED
from evals.comparison.sentences import called, counted, listed
from evals.comparison.shapes import Declared, Row, Use

MOST_FAILED_TURNS = 0.02
"""The share of turns without an answer up to which an arm goes without a flag."""

NAMED = 5
"""Debates that are named where many are meant."""


def cautions(
    book: Book, rows: Sequence[Row], use: dict[str, Use], declared: Sequence[Declared]
) -> tuple[str, ...]:
    """Everything that speaks against taking the tables as they stand."""
    return tuple(
        said
        for part in (
            _interim(book),
            _failed(book),
            _few(rows),
            _confounded(book),
            _versions(book),
            _redeclared(declared),
            _unscored(rows),
            _judges(book, rows),
            _failed_turns(use),
            _alike(book),
            _dropped(book, rows),
            _several_axes(book),
            book.stock.notes,
        )
        for said in part
    )


def _interim(book: Book) -> Iterator[str]:
    counts = Counter(each.state for each in book.stock.debates)
    left = counts["missing"] + counts["unfinished"]
    if left:
        yield (
            f"an interim reading: {counts['finished']:,} of {len(book.stock.debates):,} planned "
            f"debates are finished, {counts['unfinished']:,} begun, {counts['missing']:,} not "
            "begun; who stops at a reading they like finds differences that are not there"
        )


def _failed(book: Book) -> Iterator[str]:
    failed = [each.path.stem for each in book.stock.debates if each.state == "failed"]
    if failed:
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        yield (
            f"{counted(len(failed), 'debate')} broke off twice and counted as unscored: "
            f"{', '.join(failed[:NAMED])}{more}"
        )


def _few(rows: Sequence[Row]) -> Iterator[str]:
    """Too few scenarios for a test, on some metrics or all."""
    shared: dict[str, int] = {}
    for row in rows:
        if row.kind == "arm" and row.variation is None and row.difference is not None:
            name = called(row.metric)
            shared[name] = max(len(row.difference.scenarios), shared.get(name, 0))
    few = {name: count for name, count in shared.items() if count < LEAST}
    if few:
        names = ", ".join(f"{name} ({count})" for name, count in few.items())
        if len(few) == len(shared) and len(set(few.values())) == 1:
            names = f"all metrics ({min(few.values())})"
        yield (
            f"no test is made with fewer than {LEAST} scenarios on which both arms have a value, "
            f"whatever the number of seeds: {names}"
        )


def _confounded(book: Book) -> Iterator[str]:
    for arm in book.arms[1:]:
        for each in undeclared(book, arm):
            yield (
                f"{arm} and {book.baseline} differ in what nobody declared: {each.what}, in "
                f"{each.share:.0%} of the pairs of debates"
            )


def _versions(book: Book) -> Iterator[str]:
    found: dict[str, set[str]] = {}
    for entry in book.entries.values():
        for name, version in entry.facts.versions.items():
            found.setdefault(name, set()).add(version)
    for name, versions in found.items():
        if len(versions) > 1:
            yield f"held with several versions of {name}: {', '.join(sorted(versions))}"
    for group, count in _wordings(book).items():
        yield f"{group} was held with {count} wordings of one party's prompt"


def _wordings(book: Book) -> dict[str, int]:
    """Arms of which a party's prompt, where it is treated or not, was not always the same."""
    found: dict[tuple[str, str, bool], set[str]] = {}
    for entry in book.entries.values():
        for party, sha in entry.facts.prompts.items():
            key = entry.debate.group, party, party in entry.debate.treated
            found.setdefault(key, set()).add(sha)
    return {key[0]: len(shas) for key, shas in found.items() if len(shas) > 1}


def _redeclared(declared: Sequence[Declared]) -> Iterator[str]:
    for each in declared[1:]:
        if each.finished:
            what = "; ".join(each.changes) or "nothing that has a name here"
            yield f"changed after {each.finished:,} debates had been finished: {what}"


def _unscored(rows: Sequence[Row]) -> Iterator[str]:
    """Where more is missing than may be, metrics of one arm together."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.variation is None and row.unscored > MOST_UNSCORED:
            bounded = (
                "best and worst case stand beside the mean"
                if row.bounds
                else "how far off it may be is not known"
            )
            found.setdefault((row.name, bounded), []).append(
                f"{called(row.metric)} ({row.unscored:.0%})"
            )
    for (name, bounded), shares in found.items():
        yield f"{name}, unscored: {', '.join(shares)}; {bounded}"


def _judges(book: Book, rows: Sequence[Row]) -> Iterator[str]:
    judged = [row for row in rows if row.judge is not None]
    for name in dict.fromkeys(r.judge.judge for r in judged if r.judge and not r.judge.calibrated):
        yield (
            f"{name} is uncalibrated: how it errs was never measured, so its shares may be far off "
            "and no difference can be corrected"
        )
    for row in {(r.judge.judge, r.metric.metric): r for r in judged if r.judge}.values():
        if row.greyed and row.judge:
            yield f"{row.judge.judge} failed {row.greyed} of the battery: {called(row.metric)}"
    if len(book.experiment.judges) > 1 and judged:
        yield f"of several judges only the first declared speaks here: {book.experiment.judges[0]}"


def _failed_turns(use: dict[str, Use]) -> Iterator[str]:
    for group, took in use.items():
        if took.turns and took.failed_turns / took.turns > MOST_FAILED_TURNS:
            yield f"{group}: {took.failed_turns / took.turns:.0%} of the turns have no answer"


def _alike(book: Book) -> Iterator[str]:
    """Arms whose seeds repeat each other, and arms that repeat the baseline."""
    groups = [*book.arms, *book.yardsticks]
    idle = [arm for arm in groups if _idle(book, arm)]
    if idle:
        yield (
            f"{listed(idle)}: on every metric all seeds of a scenario came out the same, so seeds "
            "after the first tell nothing; scenarios are all that counts"
        )
    same = [arm for arm in groups[1:] if _same(book, arm)]
    if same:
        yield (
            f"{listed(same)}: every debate came out as that of {book.baseline} did, on every "
            "metric, so there is nothing to tell apart"
        )


def _idle(book: Book, arm: str) -> bool:
    rows = [
        list(seeds.values())
        for metric in book.metrics
        for seeds in book.scored(arm, metric).values.values()
        if len(seeds) > 1
    ]
    return bool(rows) and all(len(set(values)) == 1 for values in rows)


def _same(book: Book, arm: str) -> bool:
    held = [book.scored(arm, metric).values for metric in book.metrics]
    base = [book.scored(book.baseline, metric).values for metric in book.metrics]
    return any(held) and held == base


def _dropped(book: Book, rows: Sequence[Row]) -> Iterator[str]:
    """Debates without a counterpart, where that is not because the counterpart is still to come."""
    waiting = {d.arm for d in book.stock.debates if d.state in ("missing", "unfinished")}
    for row in rows:
        found = row.difference
        if found is None or found.smallest is None or row.variation is not None:
            continue
        if found.dropped.words and not {row.name, book.baseline} & waiting:
            yield f"{row.name}, {found.dropped.words}"


def _several_axes(book: Book) -> Iterator[str]:
    for arm in book.design.arms[1:]:
        differs = axes(book.design, arm)
        if not differs:
            yield (
                f"{arm.id} is held exactly as {book.baseline} is: any difference is a false alarm"
            )
        elif len(differs) > 1:
            yield (
                f"{arm.id} differs from {book.baseline} in {listed(differs)}: a difference belongs "
                "to all of that together"
            )
