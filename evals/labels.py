"""The five labels a proposition can get against a party's record, for people and for judges."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Label = Literal["supported", "partial", "contradicted", "unsupported", "no_claim"]
"""What the record of the party that speaks says of a proposition.

supported     the record says it, in whatever words: a position on record entails it
partial       part of it is on record and part is not (it goes further, adds a condition or a
              figure, drops an essential condition), and nothing on record speaks against it
contradicted  it cannot stand beside a position on record
unsupported   a position, a commitment or a fact on which the party's record is silent
no_claim      nothing to check: courtesy, procedure, a question, the agenda restated
"""

LABELS: tuple[Label, ...] = get_args(Label)
"""All labels, in the order in which tables show them."""

MEANING: Mapping[Label, str] = MappingProxyType(
    {
        "supported": "the record of the party says it, in whatever words",
        "partial": "part of it is on record, part is not, and nothing on record speaks against it",
        "contradicted": "it cannot stand beside a position of the party on record",
        "unsupported": "it claims or promises something on which the party's record is silent",
        "no_claim": "nothing to check: courtesy, procedure, a question, the agenda restated",
    }
)
"""Each label in one line, for prompts, pages and error messages."""

WITH_POSITIONS: frozenset[Label] = frozenset(("supported", "partial", "contradicted"))
"""The labels that rest on positions of the party; the other two rest on there being none."""
