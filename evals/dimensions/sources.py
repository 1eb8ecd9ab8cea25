"""J2: whether what a delegation cites says what it cites it for.

Judges are shown exactly the positions a statement cites, and nothing else of the record. The
verdicts on consistency would cost nothing more, but each names one position of a whole mandate: a
claim that rests on the cited position as well as on its neighbour would count as miscited whenever
the judge happens to name the neighbour, and what two citations carry together could not be seen.
They are read only to tell a wrong citation from a claim that nothing on record supports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evals import subject
from evals.citations import Citation, citations
from evals.dimensions.consistency import RUBRIC as CONSISTENCY
from evals.dimensions.consistency import Reading, readings, unsplit
from evals.dimensions.dimension import Bench, dimension
from evals.evaluator import Evidence, Result, Score
from evals.judging.shapes import Judgements
from harness.transcript import Transcript

RUBRIC = "citations"

Known: TypeAlias = bool | None
"""Whether something is supported; None where no judge's label tells."""


class Sentence(NamedTuple):
    """A sentence with something in it to check, and whether its statement's citations carry it."""

    claims: tuple[Reading, ...]
    """Its check-worthy claims, by the rubric for citations."""
    cited: tuple[Citation, ...]
    """Everything its statement names, valid or not."""

    @property
    def carried(self) -> Known:
        """Whether the cited positions together support all its claims.

        One claim they do not support settles it; where none is known to be unsupported but one has
        no label, it is open.
        """
        if not _valid(self.cited):
            return False
        labels = [claim.label for claim in self.claims]
        if any(label in ("partial", "unsupported") for label in labels):
            return False
        return True if all(label == "supported" for label in labels) else None

    @property
    def evidence(self) -> Evidence:
        """Its words, with what they cite."""
        claim = self.claims[0].claim
        found = {True: "carried", False: "not carried", None: "open"}[self.carried]
        listed = ", ".join(citation.id for citation in self.cited) or "nothing cited"
        return Evidence(
            seq=claim.seq, turn=claim.turn, quote=f"{found} ({listed}): {claim.sentence}"
        )


class Naming(NamedTuple):
    """A citation of a statement that has something in it to check."""

    citation: Citation
    supports: Known
    """Whether it carries any of the statement's claims, in whole or in part."""

    @property
    def evidence(self) -> Evidence:
        """What was cited, and what became of it."""
        valid = self.citation.verdict
        found = {True: "supports", False: "supports nothing said", None: "open"}[self.supports]
        why = found if valid == "valid" else valid
        note = self.citation.evidence
        return note.model_copy(update={"quote": f"{self.citation.id}: {why}"})


@dimension("sources", version=1, rubrics=(RUBRIC, CONSISTENCY))
def sources(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Per party and over the debate: recall, precision, their harmonic mean, miscited claims.

    A citation belongs to its whole statement, so every sentence of it may rest on every citation in
    it. Where nothing check-worthy was said there is no value, however much was cited.
    """
    read = _Read(transcript, judgements, bench.judge)
    for party in transcript.state.parties:
        yield from _of(bench, subject.party(party), read, party)
    yield from _of(bench, subject.DEBATE, read, None)


class _Read:
    """Sentences, citations and claims of a transcript as one judge sees them."""

    def __init__(self, transcript: Transcript, judgements: Judgements, judge: str) -> None:
        self.whole = {r.claim.id: r for r in readings(judgements, CONSISTENCY, judge)}
        self.asked_whole = CONSISTENCY in judgements.rubrics
        self.found = [r for r in readings(judgements, RUBRIC, judge) if self._claims(r)]
        self.unsplit = unsplit(judgements)
        named = [c for c in citations(transcript) if c.where in ("typed", "prose")]
        self.cites: dict[int, list[Citation]] = {}
        for citation in named:
            self.cites.setdefault(citation.evidence.seq, []).append(citation)

    def _claims(self, reading: Reading) -> bool:
        """Whether there is something to check in it, by this rubric or, if unasked, the other."""
        label = reading.label if reading.verdict else self.whole[reading.claim.id].label
        return label != "no_claim"

    def sentences(self, party: str | None) -> list[Sentence]:
        """The check-worthy sentences of a party, or of all."""
        by_place: dict[tuple[int, int], list[Reading]] = {}
        for reading in self.of(party):
            by_place.setdefault((reading.claim.seq, reading.claim.start), []).append(reading)
        return [
            Sentence(tuple(group), tuple(self.cites.get(seq, ())))
            for (seq, _), group in by_place.items()
        ]

    def namings(self, party: str | None) -> list[Naming]:
        """Every citation in a statement with a check-worthy sentence."""
        by_seq: dict[int, list[Reading]] = {}
        for reading in self.of(party):
            by_seq.setdefault(reading.claim.seq, []).append(reading)
        return [
            Naming(citation, self._supports(citation, group, seq))
            for seq, group in by_seq.items()
            for citation in self.cites.get(seq, [])
        ]

    def _supports(self, citation: Citation, group: Sequence[Reading], seq: int) -> Known:
        if citation.verdict != "valid":
            return False
        if any(_rests(reading, citation.id) for reading in group):
            return True
        settled = all(r.label in ("supported", "partial", "unsupported") for r in group)
        lost = any(seq in verdict.seqs for verdict in self.unsplit)
        return False if settled and not lost else None

    def miscited(self, reading: Reading) -> Known:
        """Whether what the statement cites fails to support the claim wholly."""
        if not _valid(self.cites.get(reading.claim.seq, ())):
            return True
        if reading.label in ("supported", "partial", "unsupported"):
            return reading.label != "supported"
        return None

    def of(self, party: str | None) -> list[Reading]:
        """The claims of a party, or of all."""
        return [r for r in self.found if party in (None, r.claim.party)]

    def lost(self, party: str | None) -> int:
        """Sentences that could not be taken apart."""
        return sum(party in (None, verdict.party) for verdict in self.unsplit)


def _valid(cited: Sequence[Citation]) -> bool:
    return any(citation.verdict == "valid" for citation in cited)


def _rests(reading: Reading, position: str) -> bool:
    found = reading.verdict
    return (
        found is not None and found.label in ("supported", "partial") and found.position == position
    )


def _of(bench: Bench, about: str, read: _Read, party: str | None) -> Iterator[Result]:
    found, lost = read.sentences(party), read.lost(party)
    known = [sentence for sentence in found if sentence.carried is not None]
    recall = bench.rate(
        about, "recall", sum(bool(sentence.carried) for sentence in known), len(known),
        "check-worthy sentences that the positions cited in their statement support together; a "
        "statement that cites nothing carries none of its own",
        unscored=len(found) - len(known) + lost, evidence=[s.evidence for s in known],
    )  # fmt: skip
    yield recall
    bare = [sentence for sentence in found if not sentence.cited]
    yield bench.rate(
        about, "uncited", len(bare), len(found),
        "check-worthy sentences in statements that cite nothing",
        unscored=lost, evidence=[s.evidence for s in bare],
    )  # fmt: skip
    namings = read.namings(party)
    told = [naming for naming in namings if naming.supports is not None]
    precision = bench.rate(
        about, "precision", sum(bool(naming.supports) for naming in told), len(told),
        "citations, invalid ones included, that carry some claim of their statement in whole or in "
        "part; of several that carry a claim only together, the judge names one",
        unscored=len(namings) - len(told), evidence=[naming.evidence for naming in told],
    )  # fmt: skip
    yield precision
    yield _f1(bench, recall, precision)
    yield _misattributed(bench, about, read, party)


def _f1(bench: Bench, recall: Score, precision: Score) -> Score:
    n, unscored = recall.n + precision.n, recall.unscored + precision.unscored
    if recall.value is None or precision.value is None:
        why = "no value: it takes a recall and a precision"
        return bench.score(recall.subject, "f1", None, why, n=n, unscored=unscored)
    total = recall.value + precision.value
    return bench.score(
        recall.subject, "f1", 2 * recall.value * precision.value / total if total else 0.0,
        f"harmonic mean of recall {recall.value:.2f} and precision {precision.value:.2f}",
        n=n, unscored=unscored, evidence=(*recall.evidence, *precision.evidence),
    )  # fmt: skip


def _misattributed(bench: Bench, about: str, read: _Read, party: str | None) -> Result:
    """Claims that the mandate supports and the citations beside them do not."""
    if not read.asked_whole:
        why = f"nobody was asked about {CONSISTENCY}, so what the whole record supports is unknown"
        return bench.mark.failure(about, "misattributed", why)
    citing = [r for r in read.of(party) if read.cites.get(r.claim.seq)]
    labels = [read.whole[r.claim.id].label for r in citing]
    owned = [r for r, label in zip(citing, labels, strict=True) if label == "supported"]
    told = [r for r in owned if read.miscited(r) is not None]
    wrong = [r for r in told if read.miscited(r)]
    unknown = sum(label in (None, "abstain") for label in labels)
    return bench.rate(
        about, "misattributed", len(wrong), len(told),
        "claims of citing statements that the party's record supports and the cited positions do "
        "not, or not wholly",
        unscored=len(owned) - len(told) + unknown,
        evidence=[_miscited(r, read.whole) for r in wrong],
    )  # fmt: skip


def _miscited(reading: Reading, whole: Mapping[str, Reading]) -> Evidence:
    behind = whole[reading.claim.id].verdict
    rests = behind.position if behind else None
    words = f"rests on {rests}, not on what is cited: {reading.claim.sentence}"
    return Evidence(seq=reading.claim.seq, turn=reading.claim.turn, quote=words)
