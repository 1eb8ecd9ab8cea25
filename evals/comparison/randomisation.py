"""The exact test that asks for no distribution: what if every sign had come by lot?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.comparison.distributions import arrays

MOST = 40
"""Up to how many differences signs are flipped exactly: two halves of 2^20 sums."""

TIE = 1e-12
"""Below this a difference is rounding."""


def sign_flip(differences: Sequence[float]) -> float:
    """Share of all 2^n ways to sign the differences whose sum is at least as far from 0.

    Exact and two-sided: Fisher's randomisation test for pairs (The Design of Experiments, 1935,
    section 21). It asks only that each difference is as likely to be so much above 0 as below. The
    sums of two halves are sorted and matched, so 2^n ways take 2^(n/2) steps.

    Raises:
        ValueError: more than `MOST` differences are not 0.
        UserError: numpy, which comes with scipy, is not installed.
    """
    sizes = [abs(d) for d in differences if abs(d) > TIE]
    if len(sizes) > MOST:
        raise ValueError(f"signs are flipped exactly for up to {MOST} differences")
    return min(1.0, 2 * _as_far(sizes, abs(sum(differences)))) if sizes else 1.0


def _as_far(sizes: Sequence[float], seen: float) -> float:
    """Share of the signings with a sum of at least what was seen, ties by rounding included."""
    numpy = arrays()
    left, right = _sums(numpy, sizes[::2]), numpy.sort(_sums(numpy, sizes[1::2]))
    least = seen - TIE * len(sizes) - left
    far = len(left) * len(right) - int(numpy.searchsorted(right, least).sum())
    return float(far / 2 ** len(sizes))


def _sums(numpy: Any, sizes: Sequence[float]) -> Any:
    """The sum under every choice of signs."""
    sums = numpy.zeros(1)
    for size in sizes:
        sums = numpy.concatenate((sums + size, sums - size))
    return sums
