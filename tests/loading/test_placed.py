"""YAML 1.2 with places: what is no YAML, or more than a setting needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.loading.placed import read_document, shown
from tests.loading.spoiling import Spoilt, check_spoilt, spoilt

SPOILT = [
    spoilt(
        "firmness that is no number",
        "upland.yaml",
        "firmness: 5",
        "firmness: .nan",
        "33:15: positions[1].firmness: '.nan' is not a finite number",
    ),
    spoilt(
        "an infinite weight",
        "setting.yaml",
        "      - id: flood-warning\n",
        "      - id: flood-warning\n        weight: .inf\n",
        "55:17: items[0].issues[1].weight: '.inf' is not a finite number",
    ),
    spoilt(
        "a key twice",
        "upland.yaml",
        "    kind: red_line\n",
        "    kind: red_line\n    kind: demand\n",
        "33:5: positions[1]: 'kind' stands here a second time, first at 32:5; keep one",
    ),
    spoilt(
        "an unclosed quote",
        "upland.yaml",
        "short: Upland",
        'short: "Upland',
        "24:14: is not YAML: expected <block end>, but found '<scalar>', while parsing a block "
        "mapping that starts at 2:1; check the indentation, and that every quote is closed",
    ),
    spoilt(
        "a colon in plain text",
        "upland.yaml",
        "adjective: Uplander",
        "adjective: Uplander: of Upland",
        "5:20: is not YAML: mapping values are not allowed here; put text that holds ': ' in "
        "quotes",
    ),
    spoilt(
        "a tab",
        "upland.yaml",
        "    firmness: 5",
        "\tfirmness: 5",
        "33:1: is not YAML: found character '\\t' that cannot start any token, while scanning for "
        "the next token; indent with spaces, never with tabs",
    ),
    spoilt(
        "an unknown alias",
        "upland.yaml",
        "[summer-flow/a]",
        "*red",
        "34:14: positions[1].opposes: alias *red: there is no &red above",
    ),
    spoilt(
        "an alias inside what it names",
        "upland.yaml",
        "[summer-flow/a]",
        "&red [summer-flow/a, *red]",
        "34:35: positions[1].opposes[1]: alias *red stands inside what it names",
    ),
    spoilt(
        "a merge key",
        "upland.yaml",
        "    firmness: 5\n",
        "    firmness: 5\n    <<: {verify: true}\n",
        "34:5: positions[1]: unknown key '<<'; YAML 1.2 has no merge keys, so write the keys out",
    ),
    spoilt(
        "a foreign tag",
        "upland.yaml",
        "firmness: 5",
        "firmness: !!python/name:os.system 5",
        "33:15: positions[1].firmness: tag '!!python/name:os.system' is not understood here; leave "
        "it out",
    ),
    spoilt(
        "a control character",
        "upland.yaml",
        "short: Upland",
        'short: "Up\\eland"',
        "4:8: short: holds the character U+001B, which text may not",
    ),
    spoilt(
        "half a surrogate",
        "upland.yaml",
        "short: Upland",
        'short: "Up\\ud83dland"',
        "4:8: short: holds the character U+D83D, which text may not",
    ),
    spoilt(
        "a key that is a list",
        "upland.yaml",
        "short: Upland",
        "[short]: Upland\nshort: Upland",
        "4:1: a key must be text, not a list",
    ),
    spoilt(
        "a second document",
        "lowland.yaml",
        "positions:\n",
        "---\npositions:\n",
        "10:1: a second document starts here; one file holds one",
    ),
]


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.what)
def test_what_is_not_plain_yaml_is_told_with_its_place(
    case: Spoilt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_spoilt(tmp_path, case)


def test_a_file_that_is_not_utf8_is_told_with_the_place_of_the_byte() -> None:
    document = read_document("id: us\nname: Côte d'Ivoire\n".encode("latin-1"), "us.yaml")
    assert [str(problem) for problem in document.problems] == [
        "us.yaml:2:8: is not UTF-8: byte 0xf4; save the file as UTF-8"
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "\ufeff"])
def test_an_empty_file_is_told_as_such(text: str) -> None:
    document = read_document(text.encode(), "us.yaml")
    assert [str(problem) for problem in document.problems] == [
        "us.yaml: is empty; it should hold a mapping"
    ]


def test_aliases_that_stand_for_too_much_are_refused_without_being_built() -> None:
    lines = ["l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for level in range(1, 12):
        held = ", ".join([f"*l{level - 1}"] * 10)
        lines.append(f"l{level}: &l{level} [{held}]")
    document = read_document("\n".join(lines).encode(), "us.yaml")
    assert [str(problem) for problem in document.problems] == [
        "us.yaml:5:55: the file stands for more than 100000 values; use fewer aliases"
    ]


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000 + "a"])
def test_what_stands_too_deep_is_refused_whatever_it_is_made_of(text: str) -> None:
    document = read_document(text.encode(), "us.yaml")
    assert [problem.message for problem in document.problems] == ["stands more than 40 levels deep"]


def test_a_control_character_in_a_file_is_told_with_its_place() -> None:
    document = read_document(b"id: us\nname: \x07\n", "us.yaml")
    assert [str(problem) for problem in document.problems] == [
        "us.yaml:2:7: character U+0007 cannot stand in YAML"
    ]


def test_plain_words_are_read_by_yaml_1_2_and_dates_stay_as_written() -> None:
    text = "%YAML 1.1\n---\n{a: no, b: 2021-06-16, c: 010, d: 0x10, e: .5, f: ~, g: !!str 7}\n"
    root = read_document(text.encode(), "x.yaml").root
    assert root is not None
    assert root.plain() == {
        "a": "no",
        "b": "2021-06-16",
        "c": 10,
        "d": 16,
        "e": 0.5,
        "f": None,
        "g": "7",
    }


def test_an_alias_stands_for_the_value_it_names() -> None:
    root = read_document(b"a: &x {b: [1]}\nc: *x\n", "x.yaml").root
    assert root is not None
    assert root.plain() == {"a": {"b": [1]}, "c": {"b": [1]}}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a" * 80, repr("a" * 57 + "...")),
        ("\x1b[31mred", "'\\x1b[31mred'"),
        ("\u202ereversed", "'\\u202ereversed'"),
        ("Москва", "'Москва'"),
        (None, "nothing"),
        (True, "true"),
        (3, "the number 3"),
        ([1], "a list"),
        ({}, "a mapping"),
    ],
)
def test_a_value_is_quoted_on_one_line_without_steering_the_terminal(
    value: object, words: str
) -> None:
    assert shown(value) == words


@given(st.binary(max_size=200) | st.text("-:[]{}&*!|>'\"%@`#,? \n\tab1.~<", max_size=60))
def test_whatever_a_file_holds_it_is_read_or_its_problems_are_told(data: bytes | str) -> None:
    document = read_document(data if isinstance(data, bytes) else data.encode(), "x.yaml")
    assert document.root is not None or document.problems
    assert all("\n" not in str(problem) for problem in document.problems)
