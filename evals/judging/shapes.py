"""What judges read and say, as values: units on sheets, claims, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from evals.evaluator import Value
from evals.judging.rubrics import Rubric

ClaimType = Literal["position", "commitment", "fact", "question", "procedural", "courtesy"]
"""What kind of thing a claim is; only the first three can be checked against a record."""

CHECKWORTHY: tuple[ClaimType, ...] = ("position", "commitment", "fact")


class Claim(Value):
    """One thing somebody said, put so that it can be understood alone."""

    kind: Literal["claim"] = "claim"
    id: str
    """`T5.2.1`: turn, sentence, claim."""
    seq: int
    """Number of the statement's event."""
    turn: str
    party: str
    item: str
    start: int
    """Where its sentence begins in the statement."""
    end: int
    """One past its sentence's last character."""
    sentence: str
    """The sentence as it was said."""
    text: str
    """The claim in the judge's words."""
    type: ClaimType

    @property
    def checkworthy(self) -> bool:
        """Whether it can be checked against a record."""
        return self.type in CHECKWORTHY


class Verdict(Value):
    """What one judge said about one unit; where there is no label, `unscored` says why."""

    kind: Literal["verdict"] = "verdict"
    judge: str
    """The judge, as named after `--judge`."""
    rubric: str
    run: int = 0
    """0, or the number of the retest."""
    unit: str
    """Claim id, statement's turn, `T3>T9` for pairs, `issue:ID/PARTY`, `chair:SEQ/PARTY`."""
    party: str | None = None
    """Whose words or stand it is about."""
    item: str | None = None
    seqs: tuple[int, ...] = ()
    """The events that were read."""
    turn: str | None = None
    label: str | None = None
    value: float | None = None
    """The label as a number, where the rubric gives one."""
    unscored: str | None = None
    """Why there is no label."""
    reason: str = ""
    """The judge's reason."""
    quote: str = ""
    """Words from what was read."""
    position: str | None = None
    """The position it rests on."""
    position_quote: str = ""
    """Words from that position."""
    masked: bool = False
    """Whether names were hidden from the judge."""
    question: str = ""
    """Name of the call."""


Record: TypeAlias = Claim | Verdict


@dataclass(frozen=True)
class Unit:
    """One thing to be labelled."""

    id: str
    """As in `Verdict.unit`."""
    text: str
    """What the judge reads; also where a quote has to stand."""
    by: str = ""
    """Who says it, in words."""
    party: str | None = None
    turn: str | None = None
    seqs: tuple[int, ...] = ()
    said_as: str | None = None
    """The words behind the text, shown beside it; where there are any, quotes come from them."""
    source: str | None = None
    """Where quotes come from, if it stands elsewhere on the sheet."""

    @property
    def quotable(self) -> str:
        """Where a quote from the unit has to stand."""
        places = (self.source, self.said_as, self.text)
        return next(place for place in places if place is not None)


@dataclass(frozen=True)
class Sheet:
    """What a judge is handed in one call: context, positions, and the units to label."""

    id: str
    """Readable and unique within the transcript: `consistency/strategic-stability/us/1`."""
    rubric: Rubric
    item: str | None
    heading: str
    """What the talks and the item are, in a few lines."""
    units: tuple[Unit, ...]
    positions: Mapping[str, str] = field(default_factory=dict)
    """Position id -> text, where positions are shown."""
    holder: str = ""
    """Whose positions they mainly are, in words."""
    own: frozenset[str] = frozenset()
    """Those of them that are the speaker's; the others stand there to distract."""
    foreign: str | None = None
    """The label in place of one that rests on a position of somebody else."""
    said: tuple[str, ...] = ()
    """Further statements for context, in order."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The labels with what they mean, where the rubric does not fix them."""

    @property
    def scale(self) -> Mapping[str, str]:
        """The labels a unit may get, with what they mean."""
        return self.labels or self.rubric.scale


@dataclass(frozen=True)
class Judgements:
    """Everything judges said about one transcript."""

    claims: tuple[Claim, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    rubrics: Mapping[str, Rubric] = field(default_factory=dict)
    """The rubrics they were given, by name."""
    answered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Judge -> model ids that answered."""
    claims_sha: str | None = None
    """Fingerprint of how sentences became claims."""
    asked: tuple[str, ...] = ()
    """The judges who were at hand, also those who were shown nothing because there was nothing to
    label: what they would have scored is then unscored, and not missing."""

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges, in the order they were named or first spoke."""
        return tuple(dict.fromkeys((*self.asked, *(v.judge for v in self.verdicts))))

    def of(self, rubric: str, judge: str | None = None, *, run: int = 0) -> Iterator[Verdict]:
        """The verdicts on a dimension, of one judge or all."""
        return (
            v
            for v in self.verdicts
            if v.rubric == rubric and v.run == run and judge in (None, v.judge)
        )

    def claim(self, claim_id: str) -> Claim:
        """The claim of this id; KeyError if there is none."""
        return self._by_id[claim_id]

    @cached_property
    def _by_id(self) -> Mapping[str, Claim]:
        return {claim.id: claim for claim in self.claims}

    def with_records(self, records: Iterable[Record]) -> Judgements:
        """These and further records."""
        added = tuple(records)
        return replace(
            self,
            claims=(*self.claims, *(r for r in added if isinstance(r, Claim))),
            verdicts=(*self.verdicts, *(r for r in added if isinstance(r, Verdict))),
        )
