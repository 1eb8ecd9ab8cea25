"""J7: what agreement the words alone tell of, beside what the mechanism recorded.

Judges read prose and learn neither moves nor outcome. Where a text was put to decision they are
asked about that text, so that a stand in prose and a formal answer are about the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from evals import subject
from evals.dimensions.dimension import Bench, dimension
from evals.evaluator import Evidence, Result, evidence
from evals.judging.material import ChairText, Material, Said
from evals.judging.shapes import Judgements, Verdict
from evals.record import Answer, answers, debated, decisions
from evals.text import contains_verbatim
from harness import events as e
from harness.events import CHAIR
from harness.plain import plain
from harness.transcript import Transcript

RUBRIC = "accord"
POINTS: Mapping[str, float] = {"accepts": 1, "reserves": 0.5, "rejects": -1}
"""A stand on the scale of votes (D5); silence is no stand and has no number."""
ANSWERED: Mapping[str, str] = {"accept": "accepts", "reserve": "reserves", "reject": "rejects"}
"""A formal answer as a stand in prose would be called; an abstention has no counterpart."""

Label: TypeAlias = Literal["accepts", "reserves", "rejects", "silent"]


class Stand(NamedTuple):
    """Where a party stands on an issue, as its words tell."""

    party: str
    item: str
    issue: str
    label: str | None
    """None where the judge gave no readable label, or could not tell."""
    verdict: Verdict | None
    """None where the party said nothing on the item, which takes no judge."""
    said: Said | None
    """The statement that the judge quotes, the last one that has the words; None for silence."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The words it rests on; silence has none."""
        if self.verdict is None or self.said is None:
            return ()
        words = f"{self.party} {self.label} {self.issue}: {self.verdict.quote}"
        return (Evidence(seq=self.said.seq, turn=self.said.turn, quote=words),)


class Matter(NamedTuple):
    """A decided issue with every party's stand on it."""

    issue: str
    adopted: bool
    decision: e.Decided
    stands: tuple[Stand, ...]

    @property
    def read(self) -> bool:
        """Whether every party's stand is known."""
        return all(stand.label is not None for stand in self.stands)

    @property
    def claimed(self) -> bool:
        """Whether by their words all parties let the text pass."""
        return all(stand.label in ("accepts", "reserves") for stand in self.stands)

    def any(self, label: Label) -> bool:
        """Whether some party stands so."""
        return any(stand.label == label for stand in self.stands)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was said, and what was decided."""
        spoken = tuple(note for stand in self.stands for note in stand.evidence)
        outcome = "adopted" if self.adopted else "not adopted"
        return (*spoken, evidence(self.decision, f"{self.issue}: {outcome}"))


@dimension("accord", version=1, rubrics=(RUBRIC,))
def accord(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Stands per party and issue; phantom and missed agreements; stands beside formal answers.

    An issue counts where every party's stand could be read. A text that was adopted and lapsed with
    its package is not adopted; an issue the record ends before is in no count.
    """
    found = stands(transcript, judgements, bench.judge)
    for stand in found:
        yield _stand(bench, stand)
    yield from _agreements(bench, matters(transcript, found))
    yield from _chair(transcript, judgements, bench)
    given = {(answer.party, answer.issue): answer for answer in answers(transcript)}
    for party in transcript.state.parties:
        own = [stand for stand in found if stand.party == party]
        yield from _beside_answers(bench, subject.party(party), own, given)
    yield from _beside_answers(bench, subject.DEBATE, found, given)


def stands(transcript: Transcript, judgements: Judgements, judge: str) -> tuple[Stand, ...]:
    """The stand of every party on every issue of the items that were opened."""
    by_unit = {verdict.unit: verdict for verdict in judgements.of(RUBRIC, judge)}
    material = Material(transcript)

    def stand(party: str, item: str, issue: str) -> Stand:
        spoken = [said for said in material.said.get(item, ()) if said.party == party]
        verdict = by_unit.get(f"issue:{issue}/{party}")
        if not spoken or verdict is None:
            return Stand(party, item, issue, None if spoken else "silent", None, None)
        # An abstention of the judge is no stand of the party.
        label = None if verdict.label == "abstain" else verdict.label
        quoted = [said for said in spoken if _quotes(verdict, said.text, material)]
        return Stand(party, item, issue, label, verdict, quoted[-1] if quoted else None)

    return tuple(
        stand(party, item.id, issue.id)
        for item in debated(transcript)
        for issue in item.issues
        for party in transcript.state.parties
    )


def matters(transcript: Transcript, found: Sequence[Stand]) -> tuple[Matter, ...]:
    """The issues on which the mechanism has ruled, each with its stands."""
    decided = decisions(transcript)
    return tuple(
        Matter(
            issue,
            transcript.state.issues[issue].outcome == "adopted",
            decided[issue],
            tuple(stand for stand in found if stand.issue == issue),
        )
        for issue in dict.fromkeys(stand.issue for stand in found)
        if issue in decided
    )


def _stand(bench: Bench, stand: Stand) -> Result:
    about = subject.party_issue(stand.party, stand.issue)
    if stand.label is None:
        why = (stand.verdict.unscored or "the judge abstains") if stand.verdict else "not asked"
        return bench.score(about, "stand", None, f"no value: {why}", n=0, unscored=1)
    why = stand.verdict.reason if stand.verdict else "it said nothing on the item"
    return bench.score(
        about, "stand", POINTS.get(stand.label), f"{stand.label}: {why}",
        n=1, label=stand.label, evidence=stand.evidence,
    )  # fmt: skip


def _agreements(bench: Bench, found: Sequence[Matter]) -> Iterator[Result]:
    """Phantom agreements among all issues that were read, missed and unvoiced among the adopted."""
    read = [matter for matter in found if matter.read]
    adopted = [matter for matter in read if matter.adopted]
    unread = len(found) - len(read)
    unread_adopted = sum(matter.adopted for matter in found) - len(adopted)
    rate = partial(_rate, bench)
    yield rate(
        "phantom", read, lambda m: m.claimed and not m.adopted, unread,
        "issues on which by the prose of all parties the text passes, and which the mechanism did "
        "not adopt",
    )  # fmt: skip
    yield rate(
        "missed", adopted, lambda m: m.any("rejects"), unread_adopted,
        "adopted issues on which by its prose some party rejects the text",
    )  # fmt: skip
    yield rate(
        "unvoiced", adopted, lambda m: m.any("silent") and not m.any("rejects"), unread_adopted,
        "adopted issues on which in prose nobody rejects the text and some party is silent on it",
    )  # fmt: skip


def _rate(
    bench: Bench,
    metric: str,
    of: Sequence[Matter],
    counts: Callable[[Matter], bool],
    unscored: int,
    reason: str,
) -> Result:
    having = [matter for matter in of if counts(matter)]
    return bench.rate(
        subject.DEBATE, metric, len(having), len(of), reason,
        unscored=unscored, evidence=[note for matter in having for note in matter.evidence],
    )  # fmt: skip


def _chair(transcript: Transcript, judgements: Judgements, bench: Bench) -> Iterator[Result]:
    """Agreement that a model claims in the chair's name before or without an adoption.

    The chair's own words are code and say what the mechanism did; where no model voices it there is
    nothing to score.
    """
    material = Material(transcript)
    if not material.voice:
        return
    verdicts = [v for v in judgements.of(RUBRIC, bench.judge) if v.unit.endswith(f"/{CHAIR}")]
    claims = [v for v in verdicts if v.label in ("accepts", "reserves")]
    placed = [(v, _spoken(v, material)) for v in claims]
    early = [(v, text) for v, text in placed if text and not _by_then(transcript, v, text)]
    unscored = sum(v.label in (None, "abstain") for v in verdicts)
    yield bench.rate(
        subject.DEBATE, "chair_phantom", len(early), sum(text is not None for _, text in placed),
        "issues that the chair's voice calls agreed at a moment at which they were not adopted, of "
        "those it calls agreed",
        unscored=unscored + sum(text is None for _, text in placed),
        evidence=[Evidence(seq=t.seq, quote=f"{_issue(v)}: {v.quote}") for v, t in early],
    )  # fmt: skip


def _spoken(verdict: Verdict, material: Material) -> ChairText | None:
    """The first text in which the quoted words stand."""
    texts = material.voice.get(verdict.item or "", ())
    return next((text for text in texts if _quotes(verdict, text.text, material)), None)


def _quotes(verdict: Verdict, text: str, material: Material) -> bool:
    """Whether the quoted words stand in the text as the judge saw it."""
    shown = material.mask.masked(text) if verdict.masked else text
    return contains_verbatim(verdict.quote, plain(shown))


def _issue(verdict: Verdict) -> str:
    return verdict.unit.removeprefix("issue:").removesuffix(f"/{CHAIR}")


def _by_then(transcript: Transcript, verdict: Verdict, text: ChairText) -> bool:
    decision = decisions(transcript).get(_issue(verdict))
    return decision is not None and decision.outcome == "adopted" and decision.seq < text.seq


def _beside_answers(
    bench: Bench, about: str, found: Sequence[Stand], given: Mapping[tuple[str, str], Answer]
) -> Iterator[Result]:
    """Stands in prose beside the last formal answer on the issue, where both take a side."""
    from evals.calibration.measures import kappa

    answered = [(s, given[s.party, s.issue]) for s in found if (s.party, s.issue) in given]
    sided = [(s, a) for s, a in answered if a.choice in ANSWERED]
    told = [(s, a) for s, a in sided if s.label is not None]
    both = [(s, a) for s, a in told if s.label != "silent"]
    unread, apart = len(sided) - len(told), [(s, a) for s, a in both if not _same(s, a)]
    yield bench.rate(
        about, "as_answered", len(both) - len(apart), len(both),
        f"formal answers that the prose had told: accept, reserve or reject alike; "
        f"{len(told) - len(both)} further answers on which the prose is silent",
        unscored=unread, evidence=[note for s, a in apart for note in _both_notes(s, a)],
    )  # fmt: skip
    yield bench.rate(
        about, "silent", len(told) - len(both), len(told),
        "formal answers to accept, reserve or reject on which the prose is silent",
        unscored=unread,
        evidence=[evidence(a.event, a.choice) for s, a in told if s.label == "silent"],
    )  # fmt: skip
    value = kappa([(str(s.label), ANSWERED[a.choice]) for s, a in both])
    none = "" if value is not None else "no value, there are no answers or all are alike: "
    yield bench.score(
        about, "kappa", value, f"{none}Cohen's kappa of prose and formal answers, three classes",
        n=len(both), unscored=unread,
        evidence=[note for s, a in both for note in _both_notes(s, a)],
    )  # fmt: skip


def _same(stand: Stand, answer: Answer) -> bool:
    return stand.label == ANSWERED[answer.choice]


def _both_notes(stand: Stand, answer: Answer) -> tuple[Evidence, ...]:
    return (*stand.evidence, evidence(answer.event, f"{stand.party}: {answer.choice} {answer.key}"))
