"""What a difference comes to in a word, and why."""

from __future__ import annotations

from typing import Literal, TypeAlias

from evals.comparison.inference import Difference
from evals.evaluator import Value

Word: TypeAlias = Literal["win", "loss", "different", "equivalent", "inconclusive"]
"""win           there is a difference, and it is favourable
loss          there is one, and it is unfavourable
different     there is one, of a metric of which neither way is favourable
equivalent    none was shown, and the true one was shown to be smaller than what matters
inconclusive  neither"""

Size: TypeAlias = Literal["matters", "unsettled", "smaller", "undeclared"]
"""How a difference that was shown stands to the smallest one of interest.

matters     its whole interval is at least as far from 0
unsettled   the interval holds both
smaller     the equivalence test shows it to be smaller
undeclared  no smallest difference of interest was declared
"""


class Verdict(Value):
    """A word, and what has to be said with it."""

    word: Word
    size: Size | None = None
    """For a difference that was shown; being shown and mattering are two findings."""
    why: str
    p: float | None
    """What was held against alpha: p after adjustment."""
    alpha: float
    caution: str = ""
    """What speaks against relying on it."""

    @property
    def sentence(self) -> str:
        """The verdict in a sentence without a full stop."""
        join = {"smaller": ", but ", "unsettled": ", though "}.get(self.size or "", ": ")
        return f"{self.word}{join}{self.why}" + (f"; {self.caution}" if self.caution else "")


def verdict(difference: Difference, p_adjusted: float | None, alpha: float = 0.05) -> Verdict:
    """What a difference comes to once its p is adjusted for the arms beside it.

    A difference is shown if the adjusted p of the t test is at most alpha. A difference that was
    shown keeps its word however small it is, and `size` says whether it matters: calling it
    equivalent would hide that it is there. Equivalence is the TOST's at alpha and is not adjusted
    for other arms: each such verdict errs in at most alpha of the cases.

    Args:
        difference: From `compare`.
        p_adjusted: `difference.p` after `holm` or `benjamini_hochberg`; None where it is None.
        alpha: Level of both tests.

    Raises:
        ValueError: the adjusted p is missing or below the one it was made of.
    """
    if (p_adjusted is None) != (difference.p is None) or (p_adjusted or 0) < (
        (difference.p or 0) - 1e-12
    ):
        raise ValueError(f"p is {difference.p} and cannot be {p_adjusted} after adjustment")
    effect = difference.best
    if p_adjusted is None or effect.value is None:
        why = difference.why or effect.why
        return Verdict(word="inconclusive", why=why, p=p_adjusted, alpha=alpha)
    if p_adjusted <= alpha:
        return _shown(difference, p_adjusted, alpha)
    if effect.p_equivalence is not None and effect.p_equivalence <= alpha:
        why = f"the true difference is smaller than {difference.smallest:.3g}, which would matter"
        return Verdict(word="equivalent", why=why, p=p_adjusted, alpha=alpha)
    return Verdict(word="inconclusive", why=_not_shown(difference), p=p_adjusted, alpha=alpha)


def _shown(difference: Difference, p: float, alpha: float) -> Verdict:
    size = _size(difference, alpha)
    why = {
        "smaller": "smaller than what matters",
        "unsettled": "it may be smaller than what matters",
        "matters": "by as much as matters or more",
        "undeclared": "no smallest difference of interest was declared",
    }[size] + (f" ({difference.smallest:.3g})" if difference.smallest is not None else "")
    return Verdict(
        word=_direction(difference), size=size, why=why, p=p, alpha=alpha,
        caution=_caution(difference, alpha),
    )  # fmt: skip


def _direction(difference: Difference) -> Word:
    if difference.better is None:
        return "different"
    higher = (difference.best.value or 0.0) > 0
    return "win" if higher == (difference.better == "higher") else "loss"


def _size(difference: Difference, alpha: float) -> Size:
    effect, smallest = difference.best, difference.smallest
    if smallest is None:
        return "undeclared"
    if effect.p_equivalence is not None and effect.p_equivalence <= alpha:
        return "smaller"
    if effect.low is None or effect.high is None:
        return "unsettled"
    nearest = max(effect.low, -effect.high)
    return "matters" if nearest >= smallest else "unsettled"


def _caution(difference: Difference, alpha: float) -> str:
    """Where the exact test does not find what the t test found."""
    if difference.p_flip is None or difference.p_flip <= alpha:
        return ""
    return f"the exact sign-flip test does not show it (p = {difference.p_flip:.2f})"


def _not_shown(difference: Difference) -> str:
    effect, smallest = difference.best, difference.smallest
    if smallest is not None and effect.mde is not None and effect.mde > smallest:
        return (
            f"a true difference had to be {effect.mde:.2g} or more to be found with probability "
            f"{difference.power:.2g}, and {smallest:.2g} would matter"
        )
    none_ruled_out = "" if smallest is None else f", and none of {smallest:.2g} is ruled out"
    return f"no difference was shown{none_ruled_out}"
