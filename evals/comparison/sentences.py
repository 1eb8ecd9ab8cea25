"""What an experiment comes to, in sentences for somebody who knows no statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import fmean

from evals.comparison.book import Book
from evals.comparison.inference import LEAST, Difference
from evals.comparison.power import Prospect, Spread, needed, prospect, standard_error
from evals.comparison.rows import WITHHELD
from evals.comparison.shapes import Row
from evals.comparison.shown import chance, numbers
from evals.comparison.verdicts import Word
from harness.experiment.shapes import Metric

WORDS = {
    "concordance/in_line": "votes in line with the mandate",
    "concordance/concordance": "closeness of votes to the mandate",
    "agreement/agreement_rate": "issues agreed",
    "agreement/agreement_rate_weighted": "issues agreed, by weight",
    "satisfaction/satisfaction": "satisfaction",
    "red_lines/crossed_hard": "red lines crossed at the decision",
    "red_lines/crossed_soft": "red lines crossed on the floor",
    "citations/coverage": "core positions cited",
    "consistency/supported": "claims that the mandate supports",
    "consistency/contradicted": "claims that contradict the mandate",
}
"""What metrics are called in a sentence; others go by their names."""


NOTHING_WOULD_DO = "No number of scenarios up to 10,000 would do."

SURELY = 20
"""Standard errors beyond which an effect cannot be missed, nor its power be computed: the
noncentral t distribution has no numbers that small."""


ROUNDING = 1e-9
"""A standard deviation below which nothing varied."""


def called(metric: Metric) -> str:
    """What a metric is called in a sentence."""
    return WORDS.get(metric.metric, metric.metric)


def sentence(book: Book, rows: Sequence[Row]) -> str:
    """The verdicts of all arms on the primary metric: what was found first, then what was not."""
    metric = book.metrics[0]
    arms = [r for r in rows if r.kind == "arm" and r.variation is None and r.metric == metric]
    if not any(row.difference and row.difference.scenarios for row in arms):
        return "Nothing can be said yet: no debate of an arm has a value and its counterpart too."
    said = [*_found(arms, "win", "better"), *_found(arms, "loss", "worse")]
    said += [*_equivalent(arms), *_inconclusive(arms)]
    return f"On {called(metric)}, against {book.baseline}: {'; '.join(said)}."


def _found(arms: Sequence[Row], word: Word, than: str) -> Iterator[str]:
    say = numbers(arms)
    for row in _with(arms, word):
        assert row.difference is not None
        assert row.verdict is not None
        cell = say.effect(row.difference.best)
        qualified = row.verdict.sentence.removeprefix(word).lstrip(",: ")
        yield (
            f"{row.name} is {than}, {' '.join((cell.main, *cell.small))}, p = "
            f"{chance(row.p_adjusted)} adjusted for {counted(len(arms), 'arm')} ({qualified})"
        )


def _equivalent(arms: Sequence[Row]) -> Iterator[str]:
    same = _with(arms, "equivalent")
    if same:
        smallest = same[0].difference.smallest if same[0].difference else None
        yield f"{_names(same)} equivalent, to within the {smallest:g} that would matter"


def _inconclusive(arms: Sequence[Row]) -> Iterator[str]:
    """Those without a finding, by the reason."""
    by_reason: dict[str, list[Row]] = {}
    for row in _with(arms, "inconclusive"):
        assert row.verdict is not None
        reason = _blind(arms) if _is_blind(row) else row.verdict.why
        by_reason.setdefault(reason, []).append(row)
    for reason, held in by_reason.items():
        yield f"{_names(held)} inconclusive: {reason}"


def _is_blind(row: Row) -> bool:
    """Whether the experiment could not have seen what matters."""
    found = row.difference
    if found is None or found.smallest is None or found.best.mde is None:
        return False
    confounded = row.verdict is not None and row.verdict.why.startswith(WITHHELD)
    return found.best.mde > found.smallest and not confounded


def _blind(arms: Sequence[Row]) -> str:
    """One reason for all such arms: how large a difference would have been found."""
    blind = [row.difference for row in _with(arms, "inconclusive") if _is_blind(row)]
    sizes = sorted(found.best.mde or 0.0 for found in blind if found is not None)
    first = next(found for found in blind if found is not None)
    say = numbers(arms)
    low, high = say.plain(sizes[0]), say.plain(sizes[-1])
    between = low if low == high else f"{low} to {high}"
    return (
        f"only a true difference of {between} or more would probably have been found (4 times in "
        f"5), and {first.smallest:g} would matter"
    )


def _with(arms: Sequence[Row], word: Word) -> list[Row]:
    return [row for row in arms if row.verdict is not None and row.verdict.word == word]


def _names(rows: Sequence[Row]) -> str:
    return f"{listed([row.name for row in rows])} {'is' if len(rows) == 1 else 'are'}"


def listed(names: Sequence[str]) -> str:
    """Names as one reads them out."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


def counted(n: int, what: str) -> str:
    """So many of something."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def spend(book: Book, rows: Sequence[Row]) -> str:
    """Where differences come from, and whether more scenarios or more seeds would tell more."""
    found = [r.difference for r in rows if r.metric == book.metrics[0] and r.variation is None
             and r.kind == "arm" and r.difference is not None]  # fmt: skip
    split = [each for each in found if each.components is not None]
    if not split:
        return (
            "No scenario has two seeds in both arms, so what varies from scenario to scenario "
            "cannot be told from what varies from seed to seed."
        )
    spread = pooled(split)
    if not spread.between and not spread.within:
        return "No difference varies, neither from scenario to scenario nor from seed to seed."
    told = (
        f"The difference between arms varies from scenario to scenario with a standard deviation "
        f"of {spread.between:.2g}, debates of one scenario and arm with {spread.within:.2g}"
        f"{spread.source}"
    )
    return f"{told}. {_advice(book, found, spread)}"


def pooled(found: Sequence[Difference]) -> Spread:
    """What varies, over all arms, so that it explains the standard errors that the table has.

    omega² is the mean variance of the scenario differences less what the seeds explain of it. Where
    that is below 0 the seeds even each other out, as they do where seats rotate from seed to seed;
    reckoning with what they vary by would then promise less than the table shows, so sigma is what
    the scenario differences leave room for.
    """
    means = fmean((each.observed.se or 0.0) ** 2 * len(each.scenarios) for each in found)
    within = fmean(each.components.seed for each in found if each.components is not None)
    share = fmean(fmean(1 / s.pairs for s in each.scenarios) for each in found)
    between = means - 2 * within * share
    if between >= -(ROUNDING**2):
        return Spread(_deviation(between), _deviation(within), "")
    evened = _deviation(means / (2 * share))
    return Spread(0.0, evened, " (as far as seeds do not even each other out)")


def _deviation(variance: float) -> float:
    """The standard deviation; 0 where it is rounding."""
    found = sqrt(max(0.0, variance))
    return found if found > ROUNDING else 0.0


def _advice(book: Book, found: Sequence[Difference], spread: Spread) -> str:
    scenarios = max(len(each.scenarios) for each in found)
    seeds = max(each.seeds[1] for each in found)
    if scenarios < LEAST:
        return f"With {counted(scenarios, 'scenario')} no test is made: add scenarios, not seeds."
    effect = book.experiment.primary.smallest
    if effect > SURELY * standard_error(spread.between, spread.within, scenarios, seeds):
        return f"A true difference of {effect:g} would surely be found: enough."
    seen = prospect(
        effect, spread, scenarios=scenarios, seeds=seeds, alpha=book.experiment.alpha,
        arms=len(found),
    )  # fmt: skip
    here = (
        f"With {scenarios} scenarios of {counted(seeds, 'seed')} a true difference of {effect:g} "
        f"in one of {counted(len(found), 'arm')} is found with probability {seen.here.power:.2f}"
    )
    if seen.here.power >= seen.wanted:
        return f"{here}: enough."
    return f"{here}. {_enough(seen, scenarios, seeds, evened=bool(spread.source))}"


def _enough(seen: Prospect, scenarios: int, seeds: int, *, evened: bool) -> str:
    """The cheapest way to enough, and whether more seeds alone are one.

    Where seeds even each other out nothing is known of other numbers of them.
    """
    if evened:
        designs = needed(
            seen.effect, seen.between, seen.within, wanted=seen.wanted, alpha=seen.alpha,
            arms=seen.arms, seeds=(seeds,),
        )  # fmt: skip
        return " ".join(
            f"For .8, {each.scenarios} scenarios as these would do." for each in designs
        )
    if seen.cheapest is None:
        return "No number of scenarios up to 10,000 would do."
    by_seeds = next((each.seeds for each in seen.enough if each.scenarios <= scenarios), None)
    alone = (
        f"{by_seeds} seeds a scenario would do without new scenarios"
        if by_seeds is not None and by_seeds > seeds
        else "more seeds alone would not do"
    )
    return (
        f"For .8, {seen.cheapest.scenarios} scenarios of {counted(seen.cheapest.seeds, 'seed')} "
        f"take the fewest debates ({seen.cheapest.debates:,} in all); {alone}."
    )
