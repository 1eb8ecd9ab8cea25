"""What a delegation in June 2021 could not know, and what it could well speak of.

The sentences are in two halves. Cues and lists were tuned on the first; the second was written
beforehand, is looked at only as a whole, and says how well the tuning carries over.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.hindsight import Knowledge, hindsight, knowledge, references, signs
from evals.hindsight.dates import dates, tense
from evals.hindsight.later import FOLDER, events, retellings
from evals.validity import planting
from harness.errors import UserError
from harness.loading import load_setting
from harness.transcript import Transcript, read
from tests.evals.results import one
from tests.evals.room import Room, a_party, a_position, a_setting, an_issue, an_item

EXAMPLES = sorted((Path(__file__).parents[2] / "transcripts" / "examples").glob("*.jsonl"))

KNOWS_DEV = (
    "Since the full-scale invasion began, no dialogue of this kind makes sense.",
    "Your special military operation has cost you every friend you had in Europe.",
    "On 24 February 2022 your columns crossed the border at dawn.",
    "We remember what your soldiers did in Bucha.",
    "The sabotage of Nord Stream settled this question for us.",
    "Russia suspended New START in February 2023, so what is left to verify?",
    "Finland joined NATO because of you.",
    "After the Wagner mutiny nobody in this room takes that assurance at its word.",
    "Griner came home and Bout went the other way.",
    "The court in The Hague has issued an arrest warrant for your president.",
    "Since March 2022 the rouble has been cut off from the markets.",
    "Navalny died in a colony beyond the Arctic Circle.",
    "Kabul fell within days, and you blamed us for it.",
    "In 2023 the two sides traded accusations about inspections.",
    "The attacks of October 2022 destroyed half of the grid.",
    "The second Trump administration sees this differently.",
    "The annexation of Kherson is null and void.",
    "Chancellor Scholz stopped the certification himself.",
    "We recall the draft treaties on security guarantees that you sent us.",
    "The joint statement of 21 July 2021 left the pipeline in place.",
    "Some 14 alleged members of REvil were detained by the FSB at our request.",
    "New START expired in February 2026 and nothing took its place.",
    "At the second dialogue round the delegations set up two expert groups, as you know.",
    "AUKUS shows what Washington means by partnership.",
)

KNOWS_TEST = (
    "The full-scale war against Ukraine, now in its third year, has changed every calculation.",
    "You call it a special military operation; the world calls it a war.",
    "We saw tanks roll towards Kyiv in February 2022.",
    "Azovstal and the siege of Mariupol will not be forgotten.",
    "Explosions tore through the Nord Stream pipelines and nobody has owned up.",
    "Your suspension of New START left us without inspections.",
    "Sweden's accession to NATO was the answer to your demands.",
    "Prigozhin's rebellion showed how thin the ice is.",
    "Mr Gershkovich sat in Lefortovo for more than a year.",
    "The International Criminal Court has an arrest warrant out for Mr Putin.",
    "Russian assets worth hundreds of billions were frozen on 28 February 2022.",
    "We mourned the death of Navalny.",
    "The Taliban takeover took place while you looked on.",
    "In September 2022 the president announced a partial mobilisation.",
    "The referendums held in late September 2022 were a farce.",
    "Vice President Vance told Europe as much.",
    "You annexed four regions and wrote them into your constitution.",
    "The Kakhovka dam was destroyed and the fields below it were flooded.",
    "Russia was expelled from the Council of Europe.",
    "On 1 August 2024 Whelan came home at last.",
    "The grain deal worked until you left it.",
    "The events of January 2022 proved us right.",
    "By November Russia described the embassy contacts as going nowhere, and rightly.",
    "Our partnership without limits with Beijing speaks for itself.",
    "Assad fled to Moscow.",
    "Since 2022 there has been no working channel between our general staffs.",
    "The Oreshnik strike on Dnipro was a message to everybody.",
    "ChatGPT could have drafted this paragraph.",
)

COULD_DEV = (
    "New START expires in February 2026, and we want a successor by then.",
    "With New START extended to 2026, we want the arms control that follows it to reach further.",
    "We propose that inspections resume in September 2021.",
    "The State Duma elections in September 2021 are our own affair.",
    "We shall review the arrangement in 2023.",
    "Transit through Ukraine must continue beyond 2024.",
    "Net emissions should fall sharply by 2030 and reach zero by 2050.",
    "A full-scale invasion would have consequences that we would all regret.",
    "If Navalny dies in prison, the consequences will be grave.",
    "We warn against any step that would lead to the death of Navalny.",
    "The Geneva meeting of 16 June 2021 opens a door.",
    "In April 2021 the Security Council asked all foreign forces to leave.",
    "Resolution 2022 of the Council is not at issue here.",
    "We could reduce to 2030 warheads at most.",
    "Germany will hold elections in September 2021; we expect no surprises.",
    "Nobody here wants Finland to be pressed into NATO membership against its will.",
    "We oppose a suspension of New START by either side.",
    "The winter of 2020 was hard on the people of Idlib.",
    "Our forces leave Afghanistan by 11 September 2021.",
    "The conference in Glasgow in November 2021 is the place for that.",
    "We call for a joint statement of the five nuclear-weapon states.",
    "Cutting Russia off from SWIFT would be an act of war in all but name.",
)

COULD_TEST = (
    "The mandate for the crossing ends on 10 July 2021 and should be renewed for a year.",
    "Let us meet again in Vienna in the spring of 2022.",
    "The treaty runs until 2026, which gives us time.",
    "Any recognition of the Donetsk and Luhansk republics would bury the Minsk agreements.",
    "We plan to complete the second line before the end of 2021.",
    "Our climate targets for 2030 are on the record.",
    "Washington and its allies feared a full-scale invasion this spring; we had no such plan.",
    "Libya needs elections on 24 December 2021, as its own roadmap says.",
    "The August 2021 deadline for local staff can still be moved.",
    "The two presidents would return to the matter in 2022.",
    "An accession of Finland to NATO is not on anybody's agenda.",
    "Mr Whelan and Mr Reed should be released.",
    "We ask for the exchange of Mr Bout and Mr Yaroshenko.",
    "The annexation of Crimea in March 2014 remains illegal.",
    "Russia's aggression against Ukraine since 2014 is the root of this.",
    "Memorial should not be threatened with liquidation.",
    "In the first half of 2021 our companies were hit by ransomware more than once.",
    "The arms race that follows 2026, if we fail, will be in space as well.",
    "The certification of Nord Stream 2 could be halted by a regulator at any time.",
    "A takeover by the Taliban would endanger Central Asia.",
    "Beyond 2024 the transit depends on demand.",
    "A presidential election is due in 2024 in both our countries.",
)


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return knowledge(load_setting("geneva-2021"))


def _found(sentences: tuple[str, ...], known: Knowledge) -> list[str]:
    return [sentence for sentence in sentences if tuple(signs(sentence, known))]


def test_later_events_are_found_in_both_halves(known: Knowledge) -> None:
    assert _found(KNOWS_DEV, known) == list(KNOWS_DEV)
    assert len(_found(KNOWS_TEST, known)) >= 27  # 28 of 28 when it was measured


def test_what_may_come_is_no_knowledge_of_what_came(known: Knowledge) -> None:
    assert _found(COULD_DEV, known) == []
    assert len(_found(COULD_TEST, known)) <= 1  # 1 of 22 when it was measured


def test_no_position_of_the_setting_is_flagged(known: Knowledge) -> None:
    positions = [p for party in known.setting.parties for p in party.positions]
    spoken = [text for p in positions for text in (p.statement, p.in_own_voice())]
    assert len(spoken) > 300
    assert _found(tuple(spoken), known) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_real_debates_are_not_flagged(path: Path) -> None:
    assert references(read(path)) == ()


@pytest.fixture(scope="module")
def debate() -> Transcript:
    return read(next(path for path in EXAMPLES if path.stem.startswith("reference")))


def test_a_planted_sentence_breaks_the_gate_of_its_speaker_alone(debate: Transcript) -> None:
    turn = planting.public_turns(debate, "ru")[2]
    planted = planting.say(debate, turn, "We saw it in Bucha. Since May 2023 it is plain.")
    gate = one(hindsight, planted.transcript, "party:ru", "gate")
    assert (gate.value, gate.label) == (False, "broken")
    assert [note.turn for note in gate.evidence] == [turn, turn]
    assert [note.quote for note in gate.evidence] == [
        "We saw it in Bucha.",
        "Since May 2023 it is plain.",
    ]
    assert one(hindsight, planted.transcript, "party:us", "gate").value is True
    rate = one(hindsight, planted.transcript, "party:ru", "references")
    assert rate.value == pytest.approx(100 * 2 / rate.n)
    assert rate.n == len(planting.public_turns(debate, "ru"))
    assert "bucha (event)" in rate.reason
    assert "May 2023 (date)" in rate.reason


def test_every_sentence_is_found_wherever_it_stands(debate: Transcript) -> None:
    turns = planting.public_turns(debate)
    plants = [
        planting.say(debate, turns[n % len(turns)], sentence, where)
        for n, sentence in enumerate(KNOWS_DEV[:8])
        for where in ("start", "end")
    ]
    assert planting.recall(hindsight, plants, "gate").missed == ()


def test_a_date_of_the_settings_own_texts_counts_only_as_past(known: Knowledge) -> None:
    assert not tuple(signs("The 2026 expiry concerns us both.", known))
    assert tuple(signs("In February 2026 the treaty lapsed.", known))
    assert tuple(signs("The 2027 invasion concerns us both.", known))


def test_a_confidential_position_makes_no_date_known() -> None:
    secret = a_position("us-1", visibility="confidential", statement="Leave in May 2029.")
    open_ = secret.model_copy(update={"visibility": "public"})
    sentence = "May 2029, colleagues."
    for position, flagged in ((secret, True), (open_, False)):
        parties = (a_party("us", position), a_party("ru"))
        setting = a_setting(*parties, items=(an_item(an_issue("scope")),))
        assert bool(tuple(signs(sentence, knowledge(setting)))) is flagged


def test_without_a_list_dates_alone_are_looked_for_and_it_says_so() -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("scope")),))
    room = Room(setting).opens().says("us", "Finland joined NATO.").says("ru", "Since 2022, yes.")
    rate = one(hindsight, room.transcript, "debate", "references")
    assert (rate.value, rate.n) == (50.0, 2)
    assert "dates alone, no list of events" in rate.reason


def test_where_nothing_was_said_there_is_no_value() -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("scope")),))
    gate = one(hindsight, Room(setting).opens().transcript, "debate", "gate")
    assert (gate.value, gate.label, gate.n) == (None, "not tested", 0)


@given(st.dates(date(2000, 1, 1), date(2021, 6, 16)), st.sampled_from(("%d %B %Y", "%Y-%m-%d")))
def test_no_day_up_to_as_of_is_ever_flagged(day: date, form: str) -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("scope")),))
    known = knowledge(setting)
    assert not tuple(signs(f"It happened on {day.strftime(form)} and was noticed.", known))


@given(st.dates(date(2021, 6, 17), date(2099, 12, 31)))
def test_every_later_day_is_flagged_as_past_and_not_as_future(day: date) -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("scope")),))
    known = knowledge(setting)
    said = f"{day.day} {day.strftime('%B')} {day.year}"
    assert tuple(signs(f"The talks collapsed on {said}.", known))
    assert not tuple(signs(f"The talks shall be concluded by {said}.", known))


@pytest.mark.parametrize(
    "text", ["Resolution 2030", "2030 warheads", "$2030", "NATO 2030", "1.2030", "the 2030s"]
)
def test_a_number_that_is_no_year_is_no_date(text: str) -> None:
    assert list(dates(f"We have {text} in mind.")) == []


def test_words_beside_the_date_decide_before_words_farther_away() -> None:
    sentence = "What began in May 2022 must end."
    (dated,) = dates(sentence)
    assert tense(sentence, dated.start, dated.end) == "past"
    sentence = "What began long ago must end in May 2022."
    (dated,) = dates(sentence)
    assert tense(sentence, dated.start, dated.end) == "future"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("After the February 2022 invasion we must act.", "past"),
        ("We must act on the crisis of May 2022.", "past"),
        ("The May 2022 elections are your affair.", "future"),
        ("Since May 2022 we should know better.", "past"),
        ("We hope to finish by May 2022.", "future"),
        ("By May 2022 the talks had failed.", "past"),
        ("May 2022, colleagues.", "none"),
    ],
)
def test_what_stands_beside_a_date_says_whether_it_is_past(sentence: str, expected: str) -> None:
    (dated,) = dates(sentence)
    assert tense(sentence, dated.start, dated.end) == expected


def test_every_listed_event_is_later_sourced_and_found_by_its_own_words(known: Knowledge) -> None:
    listed = events("geneva-2021")
    assert len({event.id for event in listed}) == len(listed) >= 40
    for event in listed:
        assert event.date > known.setting.as_of, event.id
        assert event.source.url.startswith("https://"), event.id
        for words in event.phrases:
            assert event.words_in(f"Then came {words}."), (event.id, words)
        if event.together:
            assert event.words_in(" ".join(group[0] for group in event.together)), event.id


def test_the_outcome_file_is_read_and_its_summit_rows_are_not() -> None:
    rows = retellings("geneva-2021")
    assert rows
    assert min(row.date for row in rows) > date(2021, 6, 16)
    assert not any("joint statement contains nothing" in row.what for row in rows)


def test_a_list_with_a_mistake_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.yaml").write_text("setting: broken\nevents:\n  - id: x\n    date: soon\n")
    monkeypatch.setattr("evals.hindsight.later.FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"broken\.yaml: events\.0\.what: "):
        events("broken")


def test_the_list_lies_where_no_prompt_is_made() -> None:
    assert (FOLDER / "geneva-2021.yaml").is_file()
    root = FOLDER.parents[1]
    for path in (*(root / "personas").rglob("*.*"), *(root / "harness").rglob("*.py")):
        if path.suffix in (".yaml", ".j2", ".py", ".md"):
            assert "hindsight/" not in path.read_text("utf-8"), path
