"""What may stand in a setting's files, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loading.spoiling import Spoilt, check_spoilt, spoilt

SPOILT = [
    spoilt(
        "an unknown kind",
        "upland.yaml",
        "kind: red_line",
        "kind: red-line",
        "32:11: positions[1].kind: 'red-line' is not one of interest, demand, offer, red_line, "
        "principle; did you mean 'red_line'?",
    ),
    spoilt(
        "an unknown key",
        "upland.yaml",
        "firmness: 5",
        "firmnes: 5",
        "28:5: positions[1]: needs firmness",
        "33:5: positions[1]: unknown key 'firmnes'; did you mean 'firmness'?",
    ),
    spoilt(
        "a missing source",
        "lowland.yaml",
        "    source:\n      title: After the March flood\n      publisher: Water office of "
        'Lowland\n      date: "2024-03-28"\n      url: '
        "https://example.org/lowland/after-the-flood\n      tier: primary\n",
        "",
        "39:5: positions[2]: needs a source",
    ),
    spoilt(
        "firmness out of bounds",
        "upland.yaml",
        "firmness: 5",
        "firmness: 7",
        "33:15: positions[1].firmness: must be at most 5, not 7",
    ),
    spoilt(
        "firmness in quotes",
        "upland.yaml",
        "firmness: 5",
        'firmness: "5"',
        "33:15: positions[1].firmness: must be a whole number, not '5'; leave out the quotes",
    ),
    spoilt(
        "firmness with a fraction",
        "upland.yaml",
        "firmness: 5",
        "firmness: 4.0",
        "33:15: positions[1].firmness: must be a whole number, not the number 4.0",
    ),
    spoilt(
        "a weight of nothing",
        "setting.yaml",
        "      - id: flood-warning\n",
        "      - id: flood-warning\n        weight: 0\n",
        "55:17: items[0].issues[1].weight: must be more than 0, not 0",
    ),
    spoilt(
        "a number where text is due",
        "upland.yaml",
        "short: Upland",
        "short: 1984",
        "4:8: short: must be text, not the number 1984; put it in quotes",
    ),
    spoilt(
        "a blank text",
        "upland.yaml",
        "short: Upland",
        'short: " "',
        "4:8: short: is empty; it needs some text",
    ),
    spoilt(
        "a word where true or false is due",
        "upland.yaml",
        "firmness: 5",
        "firmness: 5\n    verify: yes",
        "34:13: positions[1].verify: must be true or false, not 'yes'",
    ),
    spoilt(
        "a date with a month of thirteen",
        "setting.yaml",
        'as_of: "2024-05-01"',
        "as_of: 2024-13-01",
        "13:8: as_of: '2024-13-01' is not a date; write it as YYYY-MM-DD",
    ),
    spoilt(
        "a date in another order",
        "setting.yaml",
        'as_of: "2024-05-01"',
        "as_of: 1/5/2024",
        "13:8: as_of: '1/5/2024' is not a date; write it as YYYY-MM-DD",
    ),
    spoilt(
        "a date with a time",
        "setting.yaml",
        'as_of: "2024-05-01"',
        "as_of: 2024-05-01T10:00:00",
        "13:8: as_of: '2024-05-01T10:00:00' is not a date; write it as YYYY-MM-DD",
    ),
    spoilt(
        "a date as a number",
        "setting.yaml",
        'as_of: "2024-05-01"',
        'as_of: "20240501"',
        "13:8: as_of: '20240501' is not a date; write it as YYYY-MM-DD",
    ),
    spoilt(
        "an address that is none",
        "upland.yaml",
        "https://example.org/courier/no-fixed-amounts",
        "javascript:alert(1)",
        "39:12: positions[1].source.url: 'javascript:alert(1)' is not a web address; write "
        "https://...",
    ),
    spoilt(
        "an id with capitals",
        "setting.yaml",
        "- id: river-talks\n",
        "- id: River Talks\n",
        "19:17: default_agenda: 'river-talks' is no agenda of this setting; did you mean 'River "
        "Talks'?",
        "27:9: agendas[0].id: 'River Talks' is not an id (lower-case letters, digits and single "
        "hyphens); did you mean 'river-talks'?",
    ),
    spoilt(
        "an option that is no option",
        "upland.yaml",
        "[summer-flow/a]",
        "[summer-flow]",
        "34:15: positions[1].opposes[0]: 'summer-flow' is not an option; write it as issue/option",
    ),
    spoilt(
        "an agenda of one",
        "setting.yaml",
        "    parties: [upland, lowland]\n    items",
        "    parties: [upland]\n    items",
        "29:14: agendas[0].parties: needs at least 2, but has 1",
    ),
    spoilt(
        "an issue with one option",
        "setting.yaml",
        "          - id: b\n            label: Shared gauges\n            text: Upland gives "
        "Lowland access to its gauges at all hours.\n          - id: c\n            label: Joint "
        "centre\n            text: The two sides staff a joint flood centre at the dam.\n",
        "",
        "58:11: items[0].issues[1].options: needs at least 2, but has 1",
    ),
    spoilt(
        "a list where a mapping is due",
        "setting.yaml",
        "rules:\n  rounds: 3\n  decision: consensus #",
        "rules:\n  - rounds: 3 #",
        "23:3: rules: must be a mapping, not a list",
    ),
    spoilt(
        "a mapping where a list is due",
        "upland.yaml",
        "[summer-flow/a]",
        "{summer-flow: a}",
        "34:14: positions[1].opposes: must be a list, not a mapping",
    ),
    spoilt(
        "nothing where a mapping is due",
        "setting.yaml",
        "  rounds: 3\n  decision: consensus # or: majority, veto (with vetoes: [party])\n",
        "",
        "24:1: rules: must be a mapping, not nothing",
    ),
]


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.what)
def test_a_value_of_the_wrong_shape_is_told_with_its_place_and_what_was_expected(
    case: Spoilt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_spoilt(tmp_path, case)
