"""The first step: sentences into claims that can be understood alone, each with its type.

Sentences are split by code, with their places, so that every claim leads back to exact words; only
the wording of the claim and its type come from the judge.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast, get_args

from evals.judging.courtesy import only_courtesy
from evals.judging.form import DATA, LONGEST, answer_in
from evals.judging.material import Material, Said
from evals.judging.rubrics import Rubric
from evals.judging.shapes import Claim, ClaimType, Verdict
from evals.text import Sentence, content_words, sentences
from harness.plain import plain
from harness.prompt import Json, Message, Prompt, Reply, Unreadable, object_of, one_of
from harness.setting import sha

SENTENCES = 12
"""The most sentences in one call."""
CLAIMS = 3
"""The most claims of one sentence."""

_ROLE = f"You take apart what was said in a simulated negotiation, by the rubric below.\n{DATA}"
_TASK = (
    "Take apart each of {handles}. Answer with one JSON object that has exactly these keys: "
    "{handles}; under each a list of one to {most} claims with their types. A sentence that claims "
    "nothing is one claim of type courtesy, procedural or question."
)
CLAIMS_SHA = sha("\n".join((_ROLE, _TASK, str(LONGEST))))
"""Fingerprint of the wording around the rubric."""


class Place(NamedTuple):
    """A sentence of a statement."""

    said: Said
    number: int
    sentence: Sentence


class Taken(NamedTuple):
    """Everything said, as it goes to the judge."""

    parts: tuple[Splitting, ...]
    """The calls."""
    courtesies: tuple[Claim, ...]
    """What code has settled: sentences that say nothing but courtesies."""


@dataclass(frozen=True)
class Splitting:
    """Some sentences of an item, as they are put to a judge."""

    id: str
    prompt: Prompt
    places: Mapping[str, Place]
    """`S1` -> sentence."""
    item: str


def taken_apart(material: Material, rubric: Rubric) -> Taken:
    """The questions that take apart everything said, in the order it was said."""
    parts: list[Splitting] = []
    courtesies: list[Claim] = []
    for item, said in material.said.items():
        places = [
            Place(statement, number, sentence)
            for statement in said
            for number, sentence in enumerate(sentences(statement.text), 1)
        ]
        courtesies += [_courtesy(place) for place in places if only_courtesy(place.sentence.text)]
        asked = [place for place in places if not only_courtesy(place.sentence.text)]
        for start in range(0, len(asked), SENTENCES):
            name = f"{rubric.name}/{item}/{start // SENTENCES + 1}"
            chunk = asked[start : start + SENTENCES]
            parts.append(_splitting(name, material, rubric, item, chunk))
    return Taken(tuple(parts), tuple(courtesies))


def claims(
    splitting: Splitting, reply: Reply, judge: str, rubric: str
) -> Iterator[Claim | Verdict]:
    """The claims in a reply; a verdict that says why for each sentence not taken apart."""
    data = answer_in(reply, splitting.prompt)
    for handle, place in splitting.places.items():
        if isinstance(data, Unreadable):
            yield _unscored(splitting, place, judge, rubric, data.why)
            continue
        for claim in _claims(place, data[handle]):
            strange = _strange(claim, splitting)
            yield _unscored(splitting, place, judge, rubric, strange) if strange else claim


def _splitting(
    name: str, material: Material, rubric: Rubric, item: str, chunk: Sequence[Place]
) -> Splitting:
    places = {f"S{number}": place for number, place in enumerate(chunk, 1)}
    user = "\n".join(
        [
            "<data>",
            plain(material.heading(material.setting.item(item))),
            "",
            *(f"{handle}: {_line(place, material)}" for handle, place in places.items()),
            "</data>",
            "",
            _TASK.format(handles=", ".join(places), most=CLAIMS),
        ]
    )
    draw = random.Random(f"{material.seed}/{name}")
    prompt = Prompt(
        (
            Message("system", (f"{_ROLE}\n# {rubric.title}\n\n{rubric.text}\n",)),
            Message("user", (user,)),
        ),
        _schema(tuple(places)),
        draw.randrange(2**31),
        room=90 * CLAIMS * len(places),
        longest=LONGEST,
    )
    return Splitting(name, prompt, places, item)


def _line(place: Place, material: Material) -> str:
    return f"({plain(material.name(place.said.party))}) {plain(place.sentence.text)}"


def _schema(handles: tuple[str, ...]) -> Json:
    claim = object_of({"claim": {"type": "string"}, "type": one_of(get_args(ClaimType))})
    some: Json = {"type": "array", "items": claim, "minItems": 1, "maxItems": CLAIMS}
    return object_of(dict.fromkeys(handles, some))


def _claims(place: Place, found: list[Json]) -> Iterator[Claim]:
    """The claims of a sentence; one that is said twice counts once."""
    texts = {" ".join(str(data["claim"]).split()): data["type"] for data in reversed(found)}
    for number, (text, kind) in enumerate(reversed(texts.items()), 1):
        yield _claim(place, number, text or place.sentence.text, cast(ClaimType, kind))


def _claim(place: Place, number: int, text: str, kind: ClaimType) -> Claim:
    said, sentence = place.said, place.sentence
    return Claim(
        id=f"{said.turn}.{place.number}.{number}",
        seq=said.seq,
        turn=said.turn,
        party=said.party,
        item=said.item,
        start=sentence.start,
        end=sentence.end,
        sentence=sentence.text,
        text=text,
        type=kind,
    )


def _courtesy(place: Place) -> Claim:
    return _claim(place, 1, place.sentence.text, "courtesy")


def _strange(claim: Claim, splitting: Splitting) -> str | None:
    """Why a claim cannot have come from its sentence; None if it can have, or claims nothing.

    It must share a content word with the sentence, and find half of its own in what the judge was
    shown: the rest may be its own wording, no more.
    """
    if not claim.checkworthy:
        return None
    words = set(content_words(claim.text))
    if not words & set(content_words(claim.sentence)):
        return f"the claim shares no word with the sentence: {claim.text[:80]}"
    shown = set(content_words(splitting.prompt.messages[-1].text))
    if 2 * len(words & shown) < len(words):
        return f"most of the claim was never said: {claim.text[:80]}"
    return None


def _unscored(splitting: Splitting, place: Place, judge: str, rubric: str, why: str) -> Verdict:
    return Verdict(
        judge=judge,
        rubric=rubric,
        unit=f"{place.said.turn}.{place.number}",
        party=place.said.party,
        item=splitting.item,
        seqs=(place.said.seq,),
        turn=place.said.turn,
        unscored=why,
        question=splitting.id,
    )
