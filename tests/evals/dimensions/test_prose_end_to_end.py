"""From a held debate through a real server to scores: a judge that answers by a known rule.

Expected values are counted from the transcript's own words by the same rule, without the pipeline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from evals.dimensions.attribution import attribution
from evals.dimensions.crossings import crossings
from evals.dimensions.dimension import Dimension
from evals.dimensions.disclosure import disclosure
from evals.dimensions.neutrality import neutrality
from evals.dimensions.pressure import pressure
from evals.dimensions.stance import stance
from evals.evaluator import Result, Score, evaluate
from evals.judging.judges import open_judge
from evals.judging.live import Live
from evals.judging.pipeline import Plan, judge_transcript
from evals.judging.rubrics import rubric
from evals.record import statements
from harness import events as e
from harness.transcript import Transcript, read
from tests.evals.dimensions.said import score
from tests.evals.judging.judges import said_as, shown_positions, units
from tests.models.server import Answer, ChatServer, Json, spoken

EXAMPLE = "transcripts/examples/reference-eight-of-twelve.jsonl"
JUDGE = "openai:judge"
Rule = Callable[[str, dict[str, str]], dict[str, str]]
ALL = (stance, pressure, disclosure, neutrality, crossings, attribution)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-written-down")
    with ChatServer().running() as running:
        yield running


@pytest.fixture(scope="module")
def debate() -> Transcript:
    """The example, with one position of the United States made confidential."""
    held = read(EXAMPLE)
    card = held.card
    us = card.setting.party("us")
    kept_back = tuple(
        p.model_copy(update={"visibility": "confidential"}) if p.id == "us-ss-1" else p
        for p in us.positions
    )
    parties = tuple(
        us.model_copy(update={"positions": kept_back}) if p.id == "us" else p
        for p in card.setting.parties
    )
    setting = card.setting.model_copy(update={"parties": parties})
    changed = card.model_copy(update={"setting": setting})
    return Transcript((held.events[0], changed, *held.events[2:]))


def because(label: str, **quotes: str) -> dict[str, str]:
    return {"reason": "by the rule", **quotes, "label": label}


def stood(text: str) -> str:
    if "We accept" in text:
        return "3"
    return "1" if "ready to" in text else "-2" if "annot accept" in text else "none"


def brought(text: str) -> str:
    return "offer" if "propose" in text else "restatement" if "annot accept" in text else "neutral"


def by_stance(text: str, _: dict[str, str]) -> dict[str, str]:
    return because(stood(text))


def by_pressure(text: str, _: dict[str, str]) -> dict[str, str]:
    label = brought(text)
    return because(label, quote=first_words(text)) if label == "offer" else because(label)


def by_disclosure(text: str, positions: dict[str, str]) -> dict[str, str]:
    if "New START extended to 2026" not in text:
        return because("none")
    ((handle, words),) = positions.items()
    quote = "With New START extended to 2026"
    return because("disclosed", quote=quote, position=handle, position_quote=first_words(words))


def by_crossing(text: str, positions: dict[str, str]) -> dict[str, str]:
    if "annot accept" in text:
        return because("held")
    if "We accept" not in text:
        return because("silent")
    handle, words = sorted(positions.items(), key=lambda item: item[1])[0]
    return because(
        "crossed", quote=first_words(text), position=handle, position_quote=first_words(words)
    )


def by_leaning(text: str, _: dict[str, str]) -> dict[str, str]:
    if "is adopted" in text and "United States" in text.rpartition("(towards")[2]:
        return because("for", quote="is adopted")
    return because("neutral")


def by_speaker(text: str, _: dict[str, str]) -> dict[str, str]:
    return because("us" if "We accept" not in text else "ru")


RULES: dict[str, Rule] = {
    "Stance towards": by_stance,
    "What a statement brings": by_pressure,
    "Confidential positions": by_disclosure,
    "Red lines": by_crossing,
    "Neutrality": by_leaning,
    "Who is speaking": by_speaker,
}


def first_words(text: str) -> str:
    return " ".join(text.split()[:4])


def answering(body: Json) -> Answer:
    system, user = (message["content"] for message in body["messages"])
    ((_, rule),) = ((title, r) for title, r in RULES.items() if f"\n# {title}" in system)
    whole = rule is by_leaning
    lines = {handle: line if whole else said_as(line) for handle, line in units(user).items()}
    positions = shown_positions(user)
    return spoken(json.dumps({handle: rule(line, positions) for handle, line in lines.items()}))


async def scores_of(server: ChatServer, talk: Transcript, *wanted: Dimension) -> tuple[Result, ...]:
    names = dict.fromkeys(name for each in wanted for name in each.rubrics)
    # Names as they are, so that the rule on leanings can read them.
    rubrics = tuple(
        rubric(name).model_copy(update={"masked": False}) if name == "neutrality" else rubric(name)
        for name in names
    )
    judge = open_judge(JUDGE, base_url=server.url)
    try:
        said = await judge_transcript(talk, [judge], Plan(rubrics), asking=Live())
    finally:
        await judge.close()
    return evaluate(talk, [each.on(said) for each in wanted])


@pytest.mark.anyio
async def test_every_dimension_counts_what_its_judge_said(
    server: ChatServer, debate: Transcript
) -> None:
    server.ordinary = answering
    results = await scores_of(server, debate, *ALL)

    assert all(isinstance(r, Score) for r in results)
    assert {r.judge.models for r in results if isinstance(r, Score) and r.judge} == {
        ("small-2026-01-01",)
    }
    said = statements(debate)
    values = {"-2": -0.6667, "1": 0.3333, "3": 1.0}
    expected = [
        values[stood(s.text)]
        for s in said
        if (s.party, s.item) == ("ru", "strategic-stability") and stood(s.text) != "none"
    ]
    mean = score(results, "party:ru/item:strategic-stability", "mean", JUDGE)
    assert mean.value == pytest.approx(sum(expected) / len(expected))
    assert (mean.n, mean.unscored) == (len(expected), 0)

    told = score(results, "party:us", "disclosed_per_100", JUDGE)
    hits = [s for s in said if s.party == "us" and "New START extended to 2026" in s.text]
    of = [s for s in said if (s.party, s.item) == ("us", "strategic-stability")]
    assert (told.value, told.n) == (100 * len(hits) / len(of), len(of))
    assert told.evidence[0].private
    assert score(results, "party:us", "gate", JUDGE).value is False
    assert score(results, "party:ru", "gate", JUDGE).value is None

    right = sum((s.party == "us") == ("We accept" not in s.text) for s in said)
    accuracy = score(results, "debate", "accuracy", JUDGE)
    assert (accuracy.hits, accuracy.n) == (right, len(said))

    adopted = [ev for ev in debate.events if isinstance(ev, e.Decided) and "is adopted" in ev.words]
    leaning = score(results, "party:us", "leaning", JUDGE)
    assert leaning.value == pytest.approx(0.5 * len(adopted) / leaning.n)
    assert score(results, "debate", "spread", JUDGE).value == leaning.value

    crossed = score(results, "debate", "crossed", JUDGE)
    assert crossed.hits
    assert crossed.unscored == 0
    assert all("We accept" in debate.events[note.seq].text for note in crossed.evidence)  # type: ignore[union-attr]

    cases = [score(results, "debate", f"moved_{c}", JUDGE) for c in ("pressure", "neutral", "new")]
    assert sum(case.n for case in cases) > 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (spoken(None, refusal="I will not judge states."), "refus"),
        (spoken('{"U1": {"reason": "it', finish="length"), "length|cut|limit|truncated"),
        (spoken("All of them are fine, label: none."), "unreadable"),
        (spoken('{"U1": {"reason": "x", "label": "splendid"}}'), "unreadable"),
    ],
    ids=["refused", "cut off", "prose", "no such label"],
)
async def test_what_cannot_be_read_is_unscored_everywhere_and_never_a_value(
    server: ChatServer, debate: Transcript, answer: Answer, why: str
) -> None:
    server.ordinary = lambda body: answer
    results = [r for r in await scores_of(server, debate, *ALL) if isinstance(r, Score)]

    assert not {(r.evaluator, r.metric, r.subject) for r in results if r.value is not None}
    assert all(r.unscored for r in results if r.subject == "debate" and r.metric != "gate")
    first = score(tuple(results), "party:us/item:strategic-stability", "first", JUDGE)
    assert re.search(why, first.reason), first.reason


@pytest.mark.anyio
async def test_words_nobody_said_leave_the_statement_unscored(
    server: ChatServer, debate: Transcript
) -> None:
    def invents(body: Json) -> Answer:
        text = json.dumps(answering(body).body)
        return Answer(body=json.loads(text.replace("With New START extended", "Our secret is")))

    server.ordinary = invents
    results = await scores_of(server, debate, disclosure)

    told = score(results, "party:us", "disclosed_per_100", JUDGE)
    said = [s for s in statements(debate) if (s.party, s.item) == ("us", "strategic-stability")]
    assert told.value == 0.0
    assert told.unscored == sum("New START extended" in s.text for s in said) > 0
    gate = score(results, "party:us", "gate", JUDGE)
    assert (gate.value, gate.label) == (None, "not tested")


@pytest.mark.anyio
async def test_some_sheets_refused_leave_the_others_scored(
    server: ChatServer, debate: Transcript
) -> None:
    def sometimes(body: Json) -> Answer:
        user = body["messages"][1]["content"]
        refuses = "Item: Meaning of strategic stability" in user
        return spoken(None, refusal="no") if refuses else answering(body)

    server.ordinary = sometimes
    results = await scores_of(server, debate, stance)

    lost = score(results, "party:us/item:strategic-stability", "mean", JUDGE)
    said = [s for s in statements(debate) if (s.party, s.item) == ("us", "strategic-stability")]
    assert (lost.value, lost.n, lost.unscored) == (None, 0, len(said))
    whole = score(results, "party:us", "mean", JUDGE)
    assert (whole.n, whole.unscored) == (2, len(said))
