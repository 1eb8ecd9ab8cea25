"""From an experiment's folder to what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from evals.comparison.book import Book, gather
from evals.comparison.card import card
from evals.comparison.cautions import cautions
from evals.comparison.debates import stock
from evals.comparison.facts import together
from evals.comparison.history import declared, standing, stands
from evals.comparison.observations import Scoring, by_code
from evals.comparison.rows import rows
from evals.comparison.sentences import sentence, spend
from evals.comparison.shapes import Observation, Results, TalkPremium, Use
from evals.comparison.yardsticks import premiums
from harness.errors import UserError
from harness.experiment.design import Design
from harness.experiment.folder import Folder
from harness.experiment.reading import Read


def results_of(
    folder: Path, experiment: Read | None = None, *, scoring: Scoring = by_code
) -> Results:
    """What the debates in a folder come to.

    Scores that are missing beside a transcript, or stale, are made and written there.

    Args:
        folder: Where the debates of the experiment lie.
        experiment: The experiment file; the folder's last declaration where left out.
        scoring: What gives the results for a transcript; by default code alone, and what judges
            have said already.

    Raises:
        UserError: the folder says of no experiment, a setting cannot be found, a file cannot be
            read, a metric does not exist, or scipy is not installed.
    """
    declarations = Folder(folder).declared
    book = read_book(folder, experiment, scoring=scoring)
    made, use, said = rows(book), _use(book), declared(declarations)
    return Results(
        experiment=book.experiment,
        sha=declarations[-1].sha if stands(declarations, book.experiment) else book.experiment.sha,
        folder=str(folder),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        declared=said,
        standing=standing(declarations, book.experiment),
        rows=made,
        premium=tuple(_premium(book)),
        card=card(book, made),
        use=use,
        broken=Folder(folder).broken,
        observations=tuple(_observations(book)),
        versions=_versions(book),
        agreement=_agreement(book),
        sentence=sentence(book, made),
        spend=spend(book, made),
        cautions=cautions(book, made, use, said),
    )


def read_book(folder: Path, experiment: Read | None = None, *, scoring: Scoring = by_code) -> Book:
    """Everything that rows and words are made of; see `results_of`."""
    design = _design(folder, experiment)
    return gather(design, stock(Folder(folder), design), scoring)


def _design(folder: Path, experiment: Read | None) -> Design:
    if experiment is not None:
        return experiment.design
    declarations = Folder(folder).declared
    if not declarations:
        raise UserError(
            f"{folder} has no declared.jsonl, so nothing says which experiment its debates belong "
            f"to: name the file, `tracktwo results FILE --out {folder}`."
        )
    return Design(declarations[-1].experiment, folder)


def _premium(book: Book) -> Iterator[TalkPremium]:
    """Every arm less no-talk, less one model playing all sides, less a random deal."""
    for metric in book.metrics:
        arms = {arm: book.scored(arm, metric).values for arm in book.arms}
        beside = {
            name: book.scored(name, metric).values
            for name in book.yardsticks
            if name in ("no-talk", "solo")
        }
        beside |= book.computed(metric)
        smallest = book.experiment.primary.smallest if metric == book.metrics[0] else None
        yield from premiums(metric, arms, beside, smallest)


def _use(book: Book) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for group in dict.fromkeys(each.group for each in book.stock.debates):
        mine = [each for each in book.stock.debates if each.group == group]
        took = together(book.entries[d.path.stem].use for d in mine if d.state == "finished")
        counts = Counter(each.state for each in mine)
        found[group] = took.model_copy(
            update={
                "planned": len(mine),
                "finished": counts["finished"],
                "failed": counts["failed"],
            }
        )
    return found


def _observations(book: Book) -> Iterator[Observation]:
    """Every observation of a debate that was begun; those never begun are counted by `use`."""
    begun = {each.path.stem for each in book.stock.debates if each.state != "missing"}
    for (_, metric, _), seen in book.seen.items():
        if any(metric == each.metric for each in book.metrics):
            yield from (s.observation for s in seen if s.observation.debate in begun)


def _versions(book: Book) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for entry in book.entries.values():
        for name, version in entry.facts.versions.items():
            found.setdefault(name, set()).add(version)
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


def _agreement(book: Book) -> dict[str, dict[str, dict[str, float]]]:
    """Arm -> issue -> outcome -> share of its finished debates on it."""
    return {
        arm: _shares(entry.facts.outcomes for entry in book.held(arm))
        for arm in (*book.arms, *book.yardsticks)
    }


def _shares(outcomes: Iterable[Mapping[str, str]]) -> dict[str, dict[str, float]]:
    counts: dict[str, Counter[str]] = {}
    for each in outcomes:
        for issue, outcome in each.items():
            counts.setdefault(issue, Counter())[outcome] += 1
    return {
        issue: {outcome: n / found.total() for outcome, n in found.most_common()}
        for issue, found in counts.items()
    }
