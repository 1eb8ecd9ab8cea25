"""`tracktwo prompt`: what the user reads, and what a program gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness.cli.prompt import app
from harness.errors import UserError
from tests.rooms import PROMPTS

HOSTED = ("--model", "openai:any")
SANCTIONS = ("--item", "sanctions", *HOSTED)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def read(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result.stdout


def data(*arguments: str) -> Any:
    return json.loads(read(*arguments, "--json"))


def failed(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, UserError)
    assert result.stdout == ""
    return str(result.exception)


def headings(text: str) -> list[str]:
    return [line[3:].partition(":")[0] for line in text.splitlines() if line.startswith("== ")]


def test_what_is_sent_is_shown_part_by_part_with_who_when_and_how_many_tokens() -> None:
    text = read("show", "hawkish", *SANCTIONS)
    head = text.splitlines()
    assert head[0] == "us on sanctions, opening statement, prompt hawkish"
    assert head[1] == "model openai:any; speech free; no guard; memory of the debate"
    assert head[2].startswith("about 1,")
    assert "an estimate of 4 characters a token" in head[2]
    assert "no state's" in head[3]
    assert headings(text) == [
        "system, procedure", "system, identity", "user, item and mandate", "user, this turn",
        "answer",
    ]  # fmt: skip
    assert "\nYour manner is firm." in text
    assert "\n- us-sa-3 (red_line, 5): Blinken said" in text
    assert "One JSON object with note, citations, moves, statement." in text


def test_party_item_agenda_speech_and_phase_decide_what_is_shown() -> None:
    text = read(
        "show", "dossier", "--party", "de", "--agenda", "six-party", "--item", "nord-stream-2",
        "--speech", "composed", "--phase", "round", *HOSTED,
    )  # fmt: skip
    assert text.startswith("de on nord-stream-2, first round, prompt dossier\n")
    assert "speech composed" in text
    assert "You are the delegation of Germany." in text
    assert "At the table: us (the United States), ru (Russia), de (Germany)" in text
    assert "user, record" in headings(text)
    assert "Now: round 1 of " in text


def test_without_an_item_the_first_of_the_default_agenda_is_shown() -> None:
    assert data("show", "terse", *HOSTED)["item"] == "strategic-stability"
    assert data("show", "terse", "--agenda", "regional", *HOSTED)["item"] != "strategic-stability"


def test_auto_says_which_model_it_means_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKTWO_MODEL", "openai:ours")
    text = read("show", "name-only")
    assert "model openai:ours (TRACKTWO_MODEL names it); speech free" in text
    assert "an estimate" in text


def test_a_program_gets_every_character_that_is_sent_with_counts_and_schema() -> None:
    shown = data("show", "second-language", "--party", "ru", *SANCTIONS)
    assert (shown["prompt"], shown["party"], shown["phase"]) == ("second-language", "ru", "opening")
    assert shown["tokens"]["exact"] is False
    assert shown["tokens"]["total"] > 900
    roles = [section["role"] for section in shown["sections"]]
    assert roles == ["system", "system", "user", "user"]
    assert shown["sections"][1]["text"].startswith("Vous êtes la délégation")
    assert shown["sections"][2]["text"].endswith("\n<record>\n")
    assert sum(section["tokens"] for section in shown["sections"]) >= shown["tokens"]["total"]
    assert "statement" in shown["schema"]["properties"]
    assert "no state's" in shown["notice"]


@pytest.mark.local_model
def test_for_the_embedded_model_tokens_are_counted_by_its_own_tokenizer() -> None:
    text = read("show", "terse", "--item", "syria", "--model", "local")
    assert "tokens, by the model's own tokenizer" in text
    assert "about" not in text.splitlines()[2]
    assert "speech composed; guarded by its mandate; memory of the item" in text
    assert "a grammar holds the model to it, which reads none of it" in text
    assert data("show", "terse", "--item", "syria", "--model", "local")["tokens"]["exact"] is True


def test_two_prompts_are_compared_section_by_section() -> None:
    text = read("diff", "hawkish", "dovish", *SANCTIONS)
    lines = text.splitlines()
    assert lines[2:4] == ["--- hawkish", "+++ dovish"]
    marked = [line[:17] for line in lines if line[:2] in ("- ", "+ ")]
    assert marked == ["- Your manner is ", "+ Your manner is "]
    for section in ("system, procedure", "user, item and mandate", "user, this turn"):
        assert f"== {section}: alike, about " in text
    assert "== answer: alike" in text


def test_the_difference_in_tokens_is_told_in_all_and_by_section() -> None:
    compared = data("diff", "dossier", "terse", *SANCTIONS)
    shown = [data("show", name, *SANCTIONS) for name in ("dossier", "terse")]
    totals = [each["tokens"]["total"] for each in shown]
    assert [compared[side]["tokens"]["total"] for side in ("before", "after")] == totals
    assert totals[1] < totals[0]
    text = read("diff", "dossier", "terse", *SANCTIONS)
    words = f"{totals[0]:,} to about {totals[1]:,} tokens ({totals[1] - totals[0]:+,}), an estimate"
    assert words in text
    by_section = {each["name"]: each["tokens"] for each in compared["sections"]}
    identity = [each["sections"][1]["tokens"] for each in shown]
    assert by_section["identity"] == identity
    assert f"== system, identity: {identity[0]} to about {identity[1]} tokens" in text
    assert " lines alike" in text


def test_a_prompt_that_hides_the_positions_also_changes_what_may_be_answered() -> None:
    text = read("diff", "dossier", "name-only", *SANCTIONS)
    assert "== answer: its JSON Schema differs" in text
    assert '-     "citations": {' in text
    compared = data("diff", "dossier", "name-only", *SANCTIONS)
    assert compared["alike"] is False
    assert ["-", '    "citations": {'] in compared["schema"]


def test_in_later_turns_the_record_is_compared_too() -> None:
    """A delegation that is shown no positions has cited none."""
    compared = data("diff", "dossier", "name-only", "--phase", "round", *SANCTIONS)
    record = compared["sections"][3]["diff"]
    assert any(mark == "-" and "[cites us-sa-3" in line for mark, line in record)
    assert not any(mark == "+" and "[cites us-" in line for mark, line in record)
    assert [each["name"] for each in compared["sections"]] == [
        "procedure", "identity", "item and mandate", "record", "this turn",
    ]  # fmt: skip


def test_files_are_compared_like_names_and_alike_is_said_plainly(tmp_path: Path) -> None:
    copy = tmp_path / "copy.md.j2"
    source = (PROMPTS / "dossier.md.j2").read_text(encoding="utf-8")
    copy.write_text(source.replace("The default.", "A copy."), encoding="utf-8")
    other = tmp_path / "other.md.j2"
    other.write_text(source.replace("You speak", "You act"), encoding="utf-8")
    text = read("diff", str(PROMPTS / "dossier.md.j2"), str(copy), *SANCTIONS)
    assert "Both tell this delegation the same, word for word: about 1," in text
    assert headings(text) == []
    assert data("diff", "dossier", str(copy), *SANCTIONS)["alike"] is True
    assert "+ You are the delegation of the United States. You act and decide" in read(
        "diff", str(copy), str(other), *SANCTIONS
    )


def test_nothing_in_a_prompt_steers_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "ours.md.j2"
    source = (PROMPTS / "dossier.md.j2").read_text(encoding="utf-8")
    path.write_text(source.replace("You speak", "\x1b[2J\u202eYou speak"), encoding="utf-8")
    for arguments in (("show", str(path)), ("diff", "dossier", str(path))):
        text = read(*arguments, *SANCTIONS)
        assert "[2JYou speak" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "dosier", *HOSTED), "There is no persona prompt 'dosier'. Known: "),
        (("diff", "dossier", "ours.md.j2", *HOSTED), "There is no file ours.md.j2"),
        (("show", "dossier", "--party", "ua", *HOSTED), "No seat named 'ua' at this table"),
        (("show", "dossier", "--item", "sanction", *HOSTED), "sanction"),
        (("show", "dossier", "--agenda", "x", *HOSTED), "geneva-2021 has no agenda 'x'"),
        (("show", "dossier", "--setting", "x", *HOSTED), "There is no setting 'x'"),
        (("show", "dossier", "--model", "reference"), "reference reads no prompts"),
        (("show", "dossier", "--model", "opnai:x"), "Did you mean openai?"),
        (("show", "dossier", "--model", "local:x.gguf"), "There is no model file x.gguf"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = failed(*arguments)
    assert words in said
    assert "\n" not in said


def test_a_misspelt_variable_is_said_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "ours.md.j2"
    source = (PROMPTS / "dossier.md.j2").read_text(encoding="utf-8")
    path.write_text(source.replace("p.statement", "p.statment"), encoding="utf-8")
    line = next(n for n, text in enumerate(path.read_text().split("\n"), 1) if "statment" in text)
    for arguments in (("show", str(path)), ("diff", "dossier", str(path))):
        assert f"ours.md.j2:{line}: " in failed(*arguments, *SANCTIONS)
        assert "statment" in failed(*arguments, *SANCTIONS)
