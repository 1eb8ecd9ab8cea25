"""The judged dimensions that come with the program, and which of them a choice of rubrics feeds."""

from __future__ import annotations

from collections.abc import Sequence

from evals.dimensions.accord import accord
from evals.dimensions.attribution import attribution
from evals.dimensions.consistency import consistency
from evals.dimensions.crossings import crossings
from evals.dimensions.dimension import Dimension
from evals.dimensions.disclosure import disclosure
from evals.dimensions.drift import drift
from evals.dimensions.neutrality import neutrality
from evals.dimensions.preference import preference
from evals.dimensions.pressure import pressure
from evals.dimensions.reversals import reversals
from evals.dimensions.shares import shares
from evals.dimensions.sources import sources
from evals.dimensions.stance import stance
from evals.judging.rubrics import Rubric

DIMENSIONS: tuple[Dimension, ...] = (
    consistency,
    preference,
    drift,
    sources,
    reversals,
    accord,
    stance,
    pressure,
    disclosure,
    crossings,
    neutrality,
    attribution,
)
"""All of them, in the order of their results."""

RUBRICS: tuple[str, ...] = tuple(
    dict.fromkeys(name for dimension in DIMENSIONS for name in dimension.rubrics)
)
"""The rubrics they read: what a judge is asked where nothing is chosen."""


def fed_by(rubrics: Sequence[Rubric]) -> tuple[Dimension, ...]:
    """The dimensions all of whose rubrics were judged; any other rubric makes one of its own."""
    names = {each.name for each in rubrics}
    known = tuple(each for each in DIMENSIONS if names.issuperset(each.rubrics))
    read = {name for each in known for name in each.rubrics}
    return known + tuple(shares(each) for each in rubrics if each.name not in read)
