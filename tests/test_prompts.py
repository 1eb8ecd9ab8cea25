"""The persona prompts we ship, and the preview of what they tell a delegation."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from harness import events as e
from harness.agendas import agenda_by_hand
from harness.briefing import PersonaPrompt, persona_prompt
from harness.errors import ModelUnavailable, UserError
from harness.loading import load_setting
from harness.models.embedded import LocalSeat
from harness.models.reference import Reference
from harness.models.registry import parse
from harness.models.tokens import Estimate, Tokenizer, counter_for
from harness.models.weights import find_weights
from harness.preview import Moment, Told, differences, told
from harness.prompt import Message, Prompt, Reply
from harness.seating import Wishes
from harness.setting import Agenda, Kind, Rules, Setting
from harness.turn import Request
from tests.rooms import (
    PROMPTS,
    Improviser,
    Live,
    Speech,
    a_party,
    a_position,
    a_setting,
    a_sitting,
    an_issue,
    an_item,
    sat,
)

REAL = load_setting("geneva-2021")
SHIPPED = sorted(path.name.removesuffix(".md.j2") for path in PROMPTS.glob("*.md.j2"))
NEW = ("hawkish", "dovish", "second-language", "terse")
SEATS = [(party.id, item.id) for party, item in product(REAL.parties, REAL.items)]


@cache
def shipped(name: str) -> PersonaPrompt:
    return persona_prompt(name, PROMPTS)


def mandate(name: str, party: str, item: str, setting: Setting = REAL) -> str:
    mandate = setting.mandate(party, item)
    return shipped(name).block(
        "mandate",
        party=setting.party(party),
        item=mandate.item,
        positions=mandate.positions,
    )


def identity(name: str, party: str) -> str:
    return shipped(name).block("identity", party=REAL.party(party))


def one_item(item: str = "sanctions") -> tuple[Setting, Agenda]:
    agenda = agenda_by_hand(REAL, items=[item])
    return REAL.only(agenda), agenda


def is_told(
    name: str,
    moment: Moment = "opening",
    *,
    party: str = "us",
    model: str = "openai:nobody",
    speech: Speech | None = None,
    scene: tuple[Setting, Agenda] | None = None,
) -> Told:
    setting, agenda = scene or one_item()
    wishes = Wishes(model=model, prompts={party: name}, speech=speech)
    return asyncio.run(told(setting, agenda, party, wishes, moment=moment, env={}))


# --- The prompts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hawkish", "dovish"])
def test_hawk_and_dove_differ_from_the_dossier_in_their_manner_alone(name: str) -> None:
    """Otherwise a difference in what comes out could be a difference in what was known."""
    dossier, other = (shipped(n).source.splitlines() for n in ("dossier", name))
    added = [line for line in other if line not in dossier]
    assert [line for line in dossier if line not in other] == [dossier[1]]
    assert [line.partition(" ")[0] for line in added] == ["summary:", "Your"]
    assert added[1].startswith("Your manner is ")
    assert [line for line in other if line not in added] == dossier[:1] + dossier[2:]
    for party, item in SEATS:
        assert mandate(name, party, item) == mandate("dossier", party, item)
        assert identity(name, party) == f"{identity('dossier', party)}{added[1]}\n"


def test_neither_hawk_nor_dove_is_told_much_more_than_the_other() -> None:
    words = [len(identity(name, "us").split()) for name in ("hawkish", "dovish")]
    assert abs(words[0] - words[1]) <= 0.1 * min(words)


@pytest.mark.parametrize("name", ["terse", "second-language"])
def test_the_other_wordings_leave_out_no_position_and_nothing_about_one(name: str) -> None:
    for party, item in SEATS:
        lines = mandate(name, party, item).splitlines()
        for position in REAL.mandate(party, item).positions:
            (line,) = (line for line in lines if f"{position.id} " in line)
            assert position.statement in line
            about = line.replace(position.statement, "").replace(position.id, "")
            assert re.findall(r"\b[1-5]\b", about) == [str(position.firmness)]
            named = re.findall(r"[\w-]+/[a-z]\b", about)
            assert named == [*position.supports, *position.opposes]


@pytest.mark.parametrize(
    ("name", "pro", "con", "secret"),
    [
        ("terse", "for", "against", "confidential"),
        ("second-language", "Pour", "Contre", "confidentiel"),
    ],
)
def test_the_other_wordings_say_for_against_and_what_is_confidential(
    name: str, pro: str, con: str, secret: str
) -> None:
    open_, hidden = (
        a_position(f"us-{n}", supports=["limits/a"], opposes=["limits/b"], confidential=bool(n))
        for n in (0, 1)
    )
    setting = a_setting(a_party("us", open_, hidden), a_party("ru"), items=(an_item(an_issue()),))
    first, second = (
        line for line in mandate(name, "us", "arms", setting).splitlines() if "limits/" in line
    )
    for line in (first, second):
        assert re.search(rf"{pro}\b.*limits/a.*{con}\b.*limits/b", line)
    assert secret not in first
    assert secret in second


def test_terse_says_the_same_in_fewer_characters_whoever_sits_there() -> None:
    for party, item in SEATS:
        assert len(mandate("terse", party, item)) < len(mandate("dossier", party, item))
        assert len(identity("terse", party)) < len(identity("dossier", party)) / 2


def test_in_the_second_language_only_the_dossiers_words_are_english() -> None:
    english = re.compile(r"\b(you|your|the|is|are|and|of|firmness|never|demand|offer)\b", re.I)
    for party, item in SEATS:
        text = identity("second-language", party) + mandate("second-language", party, item)
        for position in REAL.mandate(party, item).positions:
            text = text.replace(position.statement, "").replace(position.id, "")
        text = re.sub(r"[\w-]+/[a-z]\b", "", text).replace(REAL.party(party).name, "")
        assert english.findall(text) == []
        assert "Vous êtes la délégation" in text


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_second_language_has_a_word_for_every_kind_of_position(kind: Kind) -> None:
    position = a_position("us-1", supports=["limits/a"]).model_copy(update={"kind": kind})
    setting = a_setting(a_party("us", position), a_party("ru"), items=(an_item(an_issue()),))
    line = mandate("second-language", "us", "arms", setting).splitlines()[2]
    words = re.findall(r"\(([^,]+), 3\)", line)
    assert len(words) == 1
    assert words[0] != kind
    legend = mandate("second-language", "us", "arms", setting).splitlines()[1].lower()
    assert (words[0] in legend) is (kind == "red_line")


def test_the_language_to_be_spoken_stays_with_the_rules() -> None:
    setting, agenda = one_item()
    russian = agenda.model_copy(update={"rules": Rules(language="Russian")})
    for name in NEW:
        sections = is_told(name, speech="free", scene=(setting, russian)).sections
        assert "- Speak Russian," in sections[0].text
        assert "English" not in "".join(section.text for section in sections)


@pytest.mark.parametrize("name", NEW)
def test_a_delegation_without_positions_is_told_so(name: str) -> None:
    said = {"terse": "None.", "second-language": "Votre gouvernement n'a pas de position"}
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue()),))
    text = mandate(name, "us", "arms", setting)
    assert said.get(name, "Your government has no position on record") in text


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("speech", ["free", "composed"])
def test_a_debate_is_held_with_each_new_prompt_in_every_seat(
    name: str, speech: Speech, tmp_path: Path
) -> None:
    setting, _ = one_item()
    live = Live({"us": Improviser(1), "ru": Improviser(2)})
    path = tmp_path / "debate.jsonl"
    record = sat(a_sitting(path, setting, live, chair="reference", prompt=name, speech=speech))
    statements = [event for event in record.events if isinstance(event, e.Statement)]
    assert record.finished
    assert {event.party for event in statements} == {"us", "ru"}
    assert not [event for event in record.events if isinstance(event, e.TurnFailed)]


# --- What a delegation is told -------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("speech", ["free", "composed"])
def test_the_preview_is_what_a_debate_sends_first(
    name: str, speech: Speech, tmp_path: Path
) -> None:
    setting, agenda = one_item()
    seats = {"us": Improviser(1), "ru": Improviser(2)}
    path = tmp_path / "debate.jsonl"
    sat(a_sitting(path, setting, Live(seats), chair="reference", prompt=name, speech=speech))
    for party, seat in seats.items():
        request = is_told(name, party=party, speech=speech, scene=(REAL, agenda)).request
        assert request.messages == seat.asked[0].messages
        assert request.schema == seat.asked[0].schema
        assert request.call == seat.asked[0].call


class Reader:
    """The reference negotiator, made to be written to like a language model."""

    metered = True
    reads_prompts = True

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        return replace(await Reference().answer(request), model="reader")


@pytest.mark.parametrize("moment", get_args(Moment))
@pytest.mark.parametrize("name", ["hawkish", "interests"])
def test_later_turns_are_those_of_a_debate_against_the_reference_negotiator(
    moment: Moment, name: str, tmp_path: Path
) -> None:
    setting, _ = one_item()
    reader = Reader()
    live = Live({"us": reader, "ru": Reference()})
    path = tmp_path / "debate.jsonl"
    others = {"ru": "reference"}
    sat(a_sitting(path, setting, live, chair="reference", models=others, prompts={"us": name}))
    sent = next(request for request in reader.asked if request.phase == moment)
    request = is_told(name, moment).request
    assert request.messages == sent.messages
    assert request.schema == sent.schema
    assert request.call == sent.call


def test_the_sections_are_the_whole_of_what_is_sent_in_its_order() -> None:
    for moment, name in product(get_args(Moment), ("dossier", "masked")):
        found = is_told(name, moment)
        for message in found.request.messages:
            texts = [each.text for each in found.sections if each.role == message.role]
            assert "".join(texts) == message.text
        names = [section.name for section in found.sections]
        assert ("record" in names) is (moment != "opening")


def test_behind_a_masked_prompt_the_preview_is_masked_too() -> None:
    text = "".join(section.text for section in is_told("masked", "decision").sections)
    assert "Party A" in text
    assert not re.search(r"United States|Russia|us-sa-1", text)


def test_nothing_that_only_others_may_know_is_shown() -> None:
    secret = a_position("ru-1", supports=["limits/b"], confidential=True, statement="Up to b.")
    parties = (a_party("us", a_position("us-1", supports=["limits/a"])), a_party("ru", secret))
    setting = a_setting(*parties, items=(an_item(an_issue()),))
    for moment in get_args(Moment):
        mine, theirs = (
            is_told("dossier", moment, party=party, scene=(setting, setting.agendas[0]))
            for party in ("us", "ru")
        )
        assert "Up to b." not in str(mine.request.messages)
        assert "Up to b." in str(theirs.request.messages)


@pytest.mark.parametrize(
    ("moment", "rules"), [("opening", {"opening_statements": False}), ("decision", {"rounds": 3})]
)
def test_a_moment_that_does_not_come_is_no_empty_page(
    moment: Moment, rules: dict[str, bool | int]
) -> None:
    wanted = a_position("us-1", supports=["limits/a"]), a_position("ru-1", supports=["limits/a"])
    parties = (a_party("us", wanted[0]), a_party("ru", wanted[1]))
    rules_ = Rules.model_validate(rules)
    setting = a_setting(*parties, items=(an_item(an_issue()),), rules=rules_)
    with pytest.raises(UserError, match=f"On arms there is no {moment} turn to show"):
        is_told("dossier", moment, scene=(setting, setting.agendas[0]))


def test_what_reads_no_prompts_and_who_has_no_seat_is_said() -> None:
    with pytest.raises(UserError, match="reference reads no prompts: name a language model"):
        is_told("dossier", model="reference")
    with pytest.raises(UserError, match="No seat named 'ua' at this table; the seats are us, ru"):
        is_told("dossier", party="ua")


BLOCKS = "{{% block identity %}}{}{{% endblock %}}\n{{% block mandate %}}\n{}{{% endblock %}}\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (BLOCKS.format("", "{{ party.nme }}"), ":3: .*no attribute 'nme'"),
        ("---\nsummary: x\n---\n" + BLOCKS.format("\n{{ prty }}", ""), ":5: 'prty' is undefined"),
        ("---\nsummary: x\n---\n" + BLOCKS.format("{{ 1 / 0 }}", ""), ":4: division by zero"),
        ("---\nsummary: x\n---\n" + BLOCKS.format("{{ 1 | shout }}", ""), ":4: No filter named"),
        ("---\nsummary: x\n---\n" + BLOCKS.format("{% if %}", ""), ":4: Expected an expression"),
        ("---\nsummary: [x\n---\n" + BLOCKS.format("", ""), ":2: front matter: "),
        ("---\ncolour: blue\n---\n" + BLOCKS.format("", ""), ": unknown front matter colour"),
        ("{% block identity %}{% endblock %}", " has no block 'mandate'"),
        (BLOCKS.format("caf\udce9", ""), ": byte 24 is not UTF-8"),
        (None, "There is no file .*ours.md.j2"),
    ],
)
def test_a_mistake_in_a_prompt_is_said_with_file_and_line(
    source: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "ours.md.j2"
    if source is not None:
        path.write_bytes(source.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=words) as caught:
        is_told(str(path))
    assert "ours.md.j2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_defect_of_ours_is_not_blamed_on_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise TypeError("ours")

    monkeypatch.setattr("harness.preview.run_card", breaks)
    with pytest.raises(TypeError, match="ours"):
        is_told("dossier")


# --- Two of them compared ------------------------------------------------------------------------


def shown(before: str, after: str) -> list[str]:
    return [f"{line.mark} {line.text}" for line in differences(before, after)]


def test_equal_lines_around_a_change_are_folded_and_counted() -> None:
    lines = [f"line {n}\n" for n in range(12)]
    changed = [*lines[:6], "another\n", *lines[7:]]
    assert shown("".join(lines), "".join(changed)) == [
        "… 5 lines alike", "  line 5", "- line 6", "+ another", "  line 7", "… 4 lines alike",
    ]  # fmt: skip


def test_a_single_equal_line_is_shown_rather_than_counted() -> None:
    assert shown("a\nb\nc\n", "a\nx\nc\n") == ["  a", "- b", "+ x", "  c"]


def test_equal_texts_have_no_differences_and_a_line_end_is_one() -> None:
    assert shown("a\nb\n", "a\nb\n") == []
    assert shown("a\n", "a") != []


# --- Tokens --------------------------------------------------------------------------------------


def test_an_estimate_is_never_called_exact() -> None:
    counter = counter_for(parse("openai:any"))
    assert isinstance(counter, Estimate)
    assert not counter.exact
    assert "estimate" in counter.how
    assert counter.text("") == 0
    assert counter.text("four") == 1
    assert counter.text("fours") == 2
    messages = (Message("system", ("ab", "c")), Message("user", ("d",)))
    assert counter.messages(messages) == 1  # not a token for each part


@pytest.mark.local_model
def test_the_tokens_counted_are_those_that_the_embedded_model_reads() -> None:
    """What is counted without the model is what the model says after a real call."""
    counter = counter_for(parse("local"))
    assert counter.exact
    for name in ("terse", "second-language"):
        parts = (identity(name, "ru"), mandate(name, "ru", "syria"))
        messages = (Message("system", parts[:1]), Message("user", parts[1:]))
        reply = asyncio.run(LocalSeat(max_tokens=1).ask(Prompt(messages, {"enum": ["a"]}, seed=1)))
        assert reply.usage.input == counter.messages(messages)
        assert counter.messages(messages) > sum(map(counter.text, parts))


def table() -> dict[str, int]:
    """Prompt -> tokens, as the README of the prompts has them."""
    text = (PROMPTS / "README.md").read_text(encoding="utf-8")
    return {name: int(n) for name, n in re.findall(r"^\| `([\w-]+)` \|.*\| (\d+) \|$", text, re.M)}


def test_the_readme_has_a_row_for_every_prompt() -> None:
    assert sorted(table()) == SHIPPED


@pytest.mark.local_model
@pytest.mark.parametrize("name", ["dovish", "terse"])
def test_the_tokens_in_the_readme_are_those_of_the_prompt(name: str) -> None:
    counter = Tokenizer(find_weights())
    items = [item.id for item in REAL.items]
    scenes = [(REAL, agenda_by_hand(REAL, items=[i], parties=["us", "ru"])) for i in items]
    counts = [
        counter.messages(is_told(name, party=party, model="local", scene=scene).request.messages)
        for scene in scenes
        for party in ("us", "ru")
    ]
    assert table()[name] == round(sum(counts) / len(counts))


@pytest.mark.local_model
def test_terse_costs_the_embedded_model_fewer_tokens_than_the_dossier() -> None:
    counter = Tokenizer(find_weights())
    for speech in ("free", "composed"):
        terse, dossier = (
            counter.messages(is_told(name, model="local", speech=speech).request.messages)
            for name in ("terse", "dossier")
        )
        assert terse < dossier


@pytest.mark.local_model
def test_a_file_that_holds_no_model_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ModelUnavailable, match=r"cannot load .*broken\.gguf"):
        counter_for(parse(f"local:{broken}"))
    with pytest.raises(ModelUnavailable, match=r"no model file .*none\.gguf"):
        counter_for(parse(f"local:{tmp_path / 'none.gguf'}"))
