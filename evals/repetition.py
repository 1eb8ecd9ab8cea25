"""D12: whether a delegation repeats itself, and whether the delegations come to sound alike.

Composed statements take their wording from the dossier, so they repeat by design: compare only
debates of one kind of speech.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from math import log, sqrt

from evals import subject
from evals.evaluator import Evidence, Marker, Result, evaluator, evidence
from evals.record import statements
from evals.text import runs, words
from harness.events import Statement
from harness.transcript import Transcript

GRAM = 4
"""Length in words of the stretches compared."""


def self_overlap(before: str, now: str) -> float | None:
    """Share, in [0, 1], of the 4-word stretches of a statement that stood in the previous one.

    None where the statement is shorter than that.
    """
    mine = runs(words(now), GRAM)
    return len(mine & runs(words(before), GRAM)) / len(mine) if mine else None


def tf_idf(documents: Sequence[Sequence[str]]) -> tuple[Mapping[str, float], ...]:
    """Term weights of each document: count times ln((1 + N)/(1 + documents with it)) + 1.

    The smoothed inverse document frequency as scikit-learn's TfidfTransformer documents it, so that
    words all documents share still count a little.
    """
    having = Counter(word for document in documents for word in set(document))
    scale = 1 + len(documents)
    return tuple(
        {
            word: count * (log(scale / (1 + having[word])) + 1)
            for word, count in Counter(document).items()
        }
        for document in documents
    )


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """Cosine of two vectors of weights that are not negative, in [0, 1]; None if one is 0."""
    lengths = [sqrt(sum(weight * weight for weight in v.values())) for v in (one, other)]
    if not all(lengths):
        return None
    inner = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    return min(1.0, inner / (lengths[0] * lengths[1]))


@evaluator("repetition", version=1)
def repetition(transcript: Transcript, mark: Marker) -> Iterator[Result]:
    """D12: overlap with one's previous statement, likeness of voices, and whether it grew."""
    said = statements(transcript)
    by_party = {p: [s for s in said if s.party == p] for p in transcript.state.parties}
    pooled: list[float] = []
    unscored = 0
    for party, own in by_party.items():
        overlaps = [self_overlap(a.text, b.text) for a, b in pairwise(own)]
        known = [value for value in overlaps if value is not None]
        pooled += known
        unscored += len(overlaps) - len(known)
        yield mark.mean(
            subject.party(party), "self_overlap", known,
            "4-word stretches that stood in the party's previous statement already",
            unscored=len(overlaps) - len(known), evidence=_notes(own),
        )  # fmt: skip
    yield mark.mean(
        subject.DEBATE, "self_overlap", pooled, "over all parties' statements after their first",
        unscored=unscored, evidence=_notes(said),
    )  # fmt: skip
    yield from _voices(mark, by_party)


def _voices(mark: Marker, by_party: Mapping[str, list[Statement]]) -> Iterator[Result]:
    changes: list[float] = []
    likeness: list[float] = []
    pairs = list(combinations(by_party, 2))
    whole = _likeness(by_party)
    early = _likeness({p: own[: len(own) // 2] for p, own in by_party.items()})
    late = _likeness(
        {p: own[-(len(own) // 2) :] if len(own) > 1 else [] for p, own in by_party.items()}
    )
    for one, other in pairs:
        notes = _notes([*by_party[one], *by_party[other]])
        alike, before, after = whole[one, other], early[one, other], late[one, other]
        yield mark.score(
            subject.pair(one, other),
            "voice_similarity",
            alike,
            "cosine of the tf-idf weights of all the two parties said"
            if alike is not None
            else "no value: one of them said nothing",
            n=len(notes),
            evidence=notes,
        )
        if alike is not None:
            likeness.append(alike)
        if before is not None and after is not None:
            changes.append(after - before)
    notes = _notes([s for own in by_party.values() for s in own])
    yield mark.mean(
        subject.DEBATE, "voice_similarity", likeness, "over pairs of parties",
        unscored=len(pairs) - len(likeness), evidence=notes,
    )  # fmt: skip
    yield mark.mean(
        subject.DEBATE, "voice_convergence", changes,
        "similarity in the second half of each party's statements minus the first, over pairs; "
        "above 0 they came to sound alike",
        unscored=len(pairs) - len(changes), evidence=notes,
    )  # fmt: skip


def _likeness(
    by_party: Mapping[str, Sequence[Statement]],
) -> Mapping[tuple[str, str], float | None]:
    documents = [[w for s in own for w in words(s.text)] for own in by_party.values()]
    weights = dict(zip(by_party, tf_idf(documents), strict=True))
    return {(a, b): cosine(weights[a], weights[b]) for a, b in combinations(by_party, 2)}


def _notes(said: Sequence[Statement]) -> tuple[Evidence, ...]:
    return tuple(evidence(statement) for statement in said)
