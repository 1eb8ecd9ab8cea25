"""What the numbers of a result mean, a sentence or two each, for readers without statistics."""

from __future__ import annotations

from evals.comparison.inference import LEAST
from evals.comparison.missing import MOST_UNSCORED
from evals.comparison.shapes import Results


def legend(results: Results) -> tuple[tuple[str, str], ...]:
    """Term by term, what is shown and what it does not say."""
    return (*_estimates(results), *_tests(results), *_verdicts(results), *_rest())


def _estimates(results: Results) -> tuple[tuple[str, str], ...]:
    unit = results.experiment.scenario_unit
    scenario = "one agenda item, debated by itself" if unit == "item" else "one setting's agenda"
    return (
        (
            "Scenario and seed",
            f"A scenario is {scenario}; its debates are averaged first and scenarios weigh alike. "
            "More seeds repeat a scenario; only more scenarios tell of other ones.",
        ),
        (
            "Mean [95 %]",
            "The average over scenarios. Intervals made in this way hold the value over all "
            "scenarios of this kind 19 times in 20.",
        ),
        (
            "Difference",
            "The arm less the baseline, over the debates both held on the same scenario and seed. "
            "An interval that holds 0 does not say that there is no difference.",
        ),
        (
            "The drawing",
            "A diamond at the difference, a line along its interval, a solid line at 0; between "
            "the dashed lines lie differences too small to matter. An arrow says that the interval "
            "goes on.",
        ),
    )


def _tests(results: Results) -> tuple[tuple[str, str], ...]:
    alpha = results.experiment.alpha
    return (
        (
            "p",
            "How often chance alone would show a difference this large between arms that do not "
            f"differ; at most {alpha:g} counts as shown. It is not the chance that there is none. "
            f"No test is made with fewer than {LEAST} scenarios.",
        ),
        (
            "Holm",
            "With several arms some p is small by luck, so each is raised until the risk of even "
            f"one false alarm among them stays at {alpha:g}.",
        ),
        (
            "Benjamini-Hochberg",
            "The same for the other metrics, where a false alarm costs less: of what counts as "
            f"shown there, a share of {alpha:g} may be false. What is not adjusted is exploratory.",
        ),
        (
            "Sign flip",
            "A second test that asks nothing of how values are distributed: how often differences "
            "of these sizes with signs drawn at random come out this far from 0.",
        ),
        (
            "MDE",
            "The minimum detectable effect: how large a true difference had to be for an "
            "experiment like this to show it four times in five, for one arm by itself. Where it "
            "is above what would matter, the experiment was too small.",
        ),
    )


def _verdicts(results: Results) -> tuple[tuple[str, str], ...]:
    smallest = results.experiment.primary.smallest
    return (
        (
            "Win, loss",
            "A difference was shown, to the good or to the bad; its size is another matter.",
        ),
        (
            "Equivalent",
            "None was shown, and the true one was shown to be smaller than what would matter "
            f"({smallest:g} on the primary metric).",
        ),
        (
            "Inconclusive",
            "Neither was shown. It is not a tie: the experiment cannot say.",
        ),
    )


def _rest() -> tuple[tuple[str, str], ...]:
    return (
        (
            "Cases, none, unscored",
            "Votes, claims and the like behind a mean. None: a debate had nothing to count. "
            "Unscored: there was something and it could not be scored; it counts as nothing, not "
            f"as 0. Above {MOST_UNSCORED:.0%} the best and the worst case are shown.",
        ),
        (
            "Judge",
            "The language model that read the prose. Uncalibrated: nobody measured how it errs. "
            "Failed V4: it failed that check. A calibrated judge's errors are taken out of the "
            "difference, on the assumption that it errs alike in both arms.",
        ),
        (
            "Yardsticks",
            "Luck, an agreeable fool, a perfect planner, a rational negotiator: they say whether a "
            "mean is high or low at all.",
        ),
        (
            "Talk premium",
            "An arm less what comes out without a word being heard: what talking brought.",
        ),
    )
