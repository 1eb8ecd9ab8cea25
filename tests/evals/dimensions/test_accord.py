"""J7: agreement as prose tells it, beside what the mechanism recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from evals.dimensions.accord import RUBRIC, accord
from evals.judging.material import Material
from evals.judging.shapes import Judgements, Unit, Verdict
from evals.record import debated, decisions
from harness import events as e
from harness.setting import Rules
from harness.transcript import Transcript
from tests.evals.dimensions.judgements import (
    ONE,
    TWO,
    Json,
    answering,
    example,
    judged,
    judgements,
    one,
    said_in,
    scores,
)
from tests.evals.room import Room
from tests.evals.talks import half_agreed, two_party_setting
from tests.models.server import Answer, ChatServer, spoken


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        yield running


Labels = Mapping[tuple[str, str], str | None]
"""(issue, party) -> label."""


def read(transcript: Transcript, labels: Labels, judge: str = ONE) -> Judgements:
    """Verdicts that quote the first words the party said on the item."""
    material = Material(transcript)
    verdicts = []
    for (issue, party), label in labels.items():
        said = [s for s in material.said["arms"] if s.party == party]
        verdicts.append(
            Verdict(
                judge=judge, rubric=RUBRIC, unit=f"issue:{issue}/{party}", party=party, item="arms",
                seqs=tuple(s.seq for s in said), label=label,
                unscored=None if label else "refused: no", quote=said[0].text, reason="it says so",
            )
        )  # fmt: skip
    return judgements((), verdicts, RUBRIC)


def stands(scope_us: str | None, scope_ru: str | None, talks_us: str | None,
           talks_ru: str | None) -> Labels:  # fmt: skip
    return {
        ("scope", "us"): scope_us, ("scope", "ru"): scope_ru,
        ("talks", "us"): talks_us, ("talks", "ru"): talks_ru,
    }  # fmt: skip


def half(labels: Labels) -> tuple[Transcript, Judgements]:
    """scope is not adopted (us accepts, ru rejects), talks is (both accept)."""
    transcript = half_agreed().transcript
    return transcript, read(transcript, labels)


def test_an_agreement_in_everybodys_prose_that_was_not_adopted_is_a_phantom() -> None:
    results = scores(accord, *half(stands("accepts", "reserves", "accepts", "accepts")))
    phantom = one(results, "debate", "phantom")
    assert (phantom.hits, phantom.n, phantom.unscored) == (1, 2, 0)
    quotes = [note.quote for note in phantom.evidence]
    assert quotes[0].startswith("us accepts scope: We want all weapons in")
    assert quotes[1] == "ru reserves scope: We cannot have that."
    assert quotes[2] == "scope: not adopted"
    assert one(results, "debate", "missed").value == 0.0


@pytest.mark.parametrize("last", ["rejects", "silent"])
def test_one_party_that_does_not_say_yes_makes_no_phantom(last: str) -> None:
    results = scores(accord, *half(stands("accepts", last, "accepts", "accepts")))
    assert one(results, "debate", "phantom").value == 0.0


def test_an_adopted_text_that_prose_rejects_is_missed_and_silence_is_apart() -> None:
    results = scores(accord, *half(stands("accepts", "rejects", "rejects", "silent")))
    missed, unvoiced = (one(results, "debate", m) for m in ("missed", "unvoiced"))
    assert (missed.hits, missed.n) == (1, 1)
    assert (unvoiced.hits, unvoiced.n) == (0, 1)
    results = scores(accord, *half(stands("accepts", "rejects", "accepts", "silent")))
    assert one(results, "debate", "missed").hits == 0
    assert one(results, "debate", "unvoiced").hits == 1


@pytest.mark.parametrize("label", [None, "abstain"])
def test_an_issue_with_a_stand_that_could_not_be_read_is_unscored(label: str | None) -> None:
    results = scores(accord, *half(stands("accepts", label, "accepts", label)))
    for metric, unscored in (("phantom", 2), ("missed", 1), ("unvoiced", 1)):
        score = one(results, "debate", metric)
        assert (score.value, score.n, score.unscored) == (None, 0, unscored), metric
    stand = one(results, "party:ru/issue:scope", "stand")
    assert (stand.value, stand.label, stand.n, stand.unscored) == (None, None, 0, 1)
    beside = one(results, "party:ru", "as_answered")
    assert (beside.value, beside.unscored) == (None, 2)


def test_a_stand_is_on_the_scale_of_votes_and_silence_has_no_number() -> None:
    results = scores(accord, *half(stands("accepts", "rejects", "reserves", "silent")))
    about = ("party:us/issue:scope", "party:ru/issue:scope", "party:us/issue:talks")
    assert [one(results, s, "stand").value for s in about] == [1, -1, 0.5]
    silent = one(results, "party:ru/issue:talks", "stand")
    assert (silent.value, silent.label, silent.n, silent.unscored) == (None, "silent", 1, 0)


def test_stands_are_held_against_the_last_formal_answers() -> None:
    # Answers: scope us accept, ru reject; talks both accept.
    results = scores(accord, *half(stands("accepts", "accepts", "accepts", "silent")))
    share = one(results, "debate", "as_answered")
    assert (share.hits, share.n) == (2, 3)
    assert "1 further answers on which the prose is silent" in share.reason
    assert [note.quote for note in share.evidence] == [
        "ru accepts scope: We cannot have that.", "ru: reject scope/a",
    ]  # fmt: skip
    silent = one(results, "debate", "silent")
    assert (silent.hits, silent.n) == (1, 4)
    results = scores(accord, *half(stands("accepts", "rejects", "accepts", "rejects")))
    # Prose a r a r, answers a r a a: p_o 3/4, p_e (2*3 + 2*1)/16 = 1/2.
    assert one(results, "debate", "kappa").value == pytest.approx(0.5)
    assert one(results, "party:us", "kappa").value is None


def test_a_text_that_lapsed_with_its_package_was_not_adopted() -> None:
    transcript = half_agreed(rules=Rules(package="item")).transcript
    assert transcript.state.issues["talks"].lapsed
    found = read(transcript, stands("accepts", "rejects", "accepts", "accepts"))
    results = scores(accord, transcript, found)
    assert one(results, "debate", "phantom").hits == 1
    assert one(results, "debate", "missed").n == 0


def test_an_abstention_is_no_answer_to_compare_with() -> None:
    room = Room(two_party_setting()).opens().says("us", "Yes to it.").says("ru", "No to it.")
    transcript = room.votes("scope/a", us="accept", ru="abstain").closes().transcript
    found = read(transcript, {("scope", "us"): "accepts", ("scope", "ru"): "rejects"})
    results = scores(accord, transcript, found)
    assert one(results, "debate", "as_answered").n == 1


def test_who_never_spoke_on_the_item_is_silent_without_any_judge() -> None:
    room = Room(two_party_setting()).opens().says("us", "Yes to it.")
    transcript = room.votes("scope/a", us="accept", ru="accept").closes().transcript
    found = read(transcript, {("scope", "us"): "accepts"})
    results = scores(accord, transcript, found)
    assert one(results, "party:ru/issue:scope", "stand").label == "silent"
    assert one(results, "debate", "unvoiced").hits == 1


def test_an_issue_the_record_ends_before_is_in_no_count() -> None:
    room = Room(two_party_setting()).opens().says("us", "Yes to it.").says("ru", "Yes indeed.")
    found = read(room.transcript, stands("accepts", "accepts", "accepts", "accepts"))
    phantom = one(scores(accord, room.transcript, found), "debate", "phantom")
    assert (phantom.value, phantom.n) == (None, 0)


def test_who_said_nothing_cannot_be_quoted_from_the_question() -> None:
    assert Unit("issue:scope/us", "Where does it stand on the scope?", source="").quotable == ""


def test_evidence_is_the_last_statement_with_the_words() -> None:
    room = Room(two_party_setting()).opens().says("us", "We can take it.").says("ru", "No, no.")
    room.says("us", "As said: We can take it.").says("us", "Thank you.")
    found = read(room.transcript, {("scope", "us"): "accepts", ("scope", "ru"): "rejects"})
    (note,) = one(scores(accord, room.transcript, found), "party:us/issue:scope", "stand").evidence
    assert (note.turn, note.quote) == ("T3", "us accepts scope: We can take it.")


def test_no_judge_no_scores_and_two_judges_two_sets() -> None:
    transcript = half_agreed().transcript
    assert scores(accord, transcript, judgements((), (), RUBRIC)) == []
    ours = read(transcript, stands("accepts", "accepts", "accepts", "accepts"))
    other = read(transcript, stands("accepts", "rejects", "accepts", "accepts"), TWO)
    results = scores(accord, transcript, ours.with_records(other.verdicts))
    assert one(results, "debate", "phantom", ONE).hits == 1
    assert one(results, "debate", "phantom", TWO).hits == 0


def voiced() -> Transcript:
    """The chair's voice calls both issues agreed, talks after its adoption, scope without one."""
    room = half_agreed()
    events = list(room.events)
    decided = max(n for n, ev in enumerate(events) if isinstance(ev, e.Decided))
    for words in ("There is agreement on the scope.", "The talks are agreed as well."):
        events.insert(decided + 1, e.ChairSpoke(item="arms", text=words, call="c"))
    events.insert(5, e.ChairSpoke(item="arms", text="We all agree on the talks by now.", call="c"))
    return Transcript(tuple(ev.model_copy(update={"seq": n}) for n, ev in enumerate(events)))


def chairs(**quotes: str) -> list[Verdict]:
    return [
        Verdict(
            judge=ONE, rubric=RUBRIC, unit=f"issue:{issue}/chair", item="arms", label="accepts",
            quote=quote,
        )
        for issue, quote in quotes.items()
    ]  # fmt: skip


def test_the_chairs_voice_may_claim_what_was_not_adopted_or_not_yet() -> None:
    transcript = voiced()
    for talks, hits in (("The talks are agreed as well.", 1), ("We all agree on the talks", 2)):
        said = chairs(scope="There is agreement on the scope.", talks=talks)
        found = judgements((), said, RUBRIC)
        score = one(scores(accord, transcript, found), "debate", "chair_phantom")
        assert (score.hits, score.n, score.unscored) == (hits, 2, 0)
        assert "scope: There is agreement" in score.evidence[0].quote


@pytest.mark.anyio
async def test_the_chairs_voice_is_read_on_a_sheet_of_its_own(server: ChatServer) -> None:
    def rule(line: str, positions: Mapping[str, str]) -> Json:
        if "by the chair" in line and "scope" in line:
            return {"reason": "so", "quote": "There is agreement", "label": "accepts"}
        return {"reason": "nothing", "label": "silent"}

    answering(server, rule)
    found = await judged(voiced(), server, RUBRIC)
    score = one(scores(accord, voiced(), found), "debate", "chair_phantom")
    assert (score.hits, score.n) == (1, 1)
    prompts = [body["messages"][-1]["content"] for body in server.bodies]
    for prompt in prompts:
        assert ("by the chair" in prompt) == ("There is agreement on the scope" in prompt)


@pytest.mark.anyio
async def test_a_reference_debate_is_read_over_http_without_moves_or_outcomes(
    server: ChatServer,
) -> None:
    transcript = example("reference-eight-of-twelve")

    def rule(line: str, positions: Mapping[str, str]) -> Json:
        return {"reason": "it is polite", "label": "silent"}

    answering(server, rule)
    found = await judged(transcript, server, RUBRIC)
    issues = [issue for item in debated(transcript) for issue in item.issues]
    assert len(list(found.of(RUBRIC, ONE))) == 2 * len(issues)
    for body in server.bodies:
        text = json.dumps(body["messages"])
        for decision in decisions(transcript).values():
            assert decision.why not in text
            assert (decision.words or "?") not in text
    results = scores(accord, transcript, found)
    unvoiced = one(results, "debate", "unvoiced")
    adopted = sum(d.outcome == "adopted" for d in decisions(transcript).values())
    assert (unvoiced.hits, unvoiced.n) == (adopted, adopted)
    assert one(results, "debate", "phantom").value == 0.0


@pytest.mark.anyio
async def test_everybody_agrees_in_prose_and_the_phantoms_are_what_was_not_adopted(
    server: ChatServer,
) -> None:
    transcript = example("reference-eight-of-twelve")

    def ordinary(body: Json) -> Answer:
        """Accepts, in the first words of the first statement of the party asked about."""
        schema = body["response_format"]["json_schema"]["schema"]["properties"]
        user = body["messages"][-1]["content"]
        said = dict[str, str]()
        for line in user.partition("To be labelled")[0].splitlines():
            if line.startswith("- T"):
                who, _, words = line.partition(", ")[2].partition(": ")
                said.setdefault(who, " ".join(words.split()[:6]))
        units = [x for x in user.partition("To be labelled:")[2].splitlines() if x[:1] == "U"]
        answers = {}
        for line in units:
            handle, _, rest = line.partition(": ")
            who = rest.removeprefix("Where ").partition(" stands ")[0]
            answers[handle] = {"reason": "it does", "quote": said[who], "label": "accepts"}
        assert set(answers) == set(schema)
        return spoken(json.dumps(answers))

    server.ordinary = ordinary
    results = scores(accord, transcript, await judged(transcript, server, RUBRIC))
    decided = decisions(transcript)
    phantom = one(results, "debate", "phantom")
    assert (phantom.hits, phantom.n, phantom.unscored) == (4, len(decided), 0)
    assert one(results, "debate", "missed").hits == 0
    stand = one(results, "party:us/issue:scope-of-arms-control", "stand")
    (note,) = stand.evidence
    assert stand.label == "accepts"
    assert note.turn
    words = note.quote.partition(": ")[2]
    assert "Party" in words or said_in(transcript, note, words)


@pytest.mark.anyio
@pytest.mark.parametrize("quote", ["We accept the text.", "put to decision on the matter"])
async def test_a_stand_in_words_the_party_never_said_is_unscored(
    server: ChatServer, quote: str
) -> None:
    """Also where the words stand in the question itself."""
    transcript = example("scripted-us-votes-against-its-own-text")
    answering(server, lambda line, positions: {"reason": "x", "quote": quote, "label": "accepts"})
    found = await judged(transcript, server, RUBRIC)
    results = scores(accord, transcript, found)
    phantom = one(results, "debate", "phantom")
    assert (phantom.value, phantom.n) == (None, 0)
    assert phantom.unscored > 0


@pytest.mark.anyio
async def test_refusals_and_cut_off_replies_are_unscored(server: ChatServer) -> None:
    transcript = example("scripted-us-votes-against-its-own-text")
    for answer in (spoken(None, refusal="No."), spoken('{"U1": {"re', finish="length")):
        server.answers = [answer] * 20
        results = scores(accord, transcript, await judged(transcript, server, RUBRIC))
        for metric in ("phantom", "missed", "unvoiced", "as_answered", "kappa"):
            score = one(results, "debate", metric)
            assert score.value is None, metric
        assert one(results, "debate", "phantom").unscored == len(decisions(transcript))
