"""Whether the rules of procedure can be carried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.new import write_setting
from harness.loading import examine
from tests.loading.spoiling import Spoilt, check_spoilt, spoilt

SPOILT = [
    spoilt(
        "news after the last round",
        "setting.yaml",
        "  rounds: 3\n",
        "  rounds: 3\n  injects: [{item: river, round: 4, text: It rains.}]\n",
        "24:34: rules.injects[0].round: round 4 never comes: agenda 'river-talks' ends with "
        "round 3",
    ),
    spoilt(
        "news on an unknown item",
        "setting.yaml",
        "  rounds: 3\n",
        "  rounds: 3\n  injects: [{item: lake, round: 1, text: It rains.}]\n",
        "24:20: rules.injects[0].item: 'lake' is no item of this setting; there is river",
    ),
    spoilt(
        "news an agenda is too short for",
        "setting.yaml",
        "  rounds: 3\n",
        "  rounds: 2\n  injects: [{item: river, round: 3, text: It rains.}]\n",
        "24:34: rules.injects[0].round: round 3 never comes: agenda 'river-talks' ends with "
        "round 2",
    ),
    spoilt(
        "a private meeting after the last round",
        "setting.yaml",
        "  rounds: 3\n",
        "  rounds: 3\n  caucuses: [{item: river, after_round: 4, parties: [upland, lowland]}]\n",
        "24:41: rules.caucuses[0].after_round: round 4 never comes: agenda 'river-talks' ends with "
        "round 3",
    ),
    spoilt(
        "a private meeting of strangers",
        "setting.yaml",
        "  rounds: 3\n",
        "  rounds: 3\n  caucuses: [{item: river, after_round: 0, parties: [upland, midland]}]\n",
        "24:62: rules.caucuses[0].parties[1]: 'midland' is no party of this setting; did you mean "
        "'upland'?",
    ),
    spoilt(
        "a veto nobody has",
        "setting.yaml",
        "decision: consensus",
        "decision: veto",
        "24:13: rules.decision: agenda 'river-talks' decides by veto, but none of its parties is "
        "in vetoes",
    ),
    spoilt(
        "a veto of a stranger",
        "setting.yaml",
        "decision: consensus #",
        "decision: veto\n  vetoes: [lowlnd] #",
        "24:13: rules.decision: agenda 'river-talks' decides by veto, but none of its parties is "
        "in vetoes",
        "25:12: rules.vetoes[0]: 'lowlnd' is no party of this setting; did you mean 'lowland'?",
    ),
]


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.what)
def test_rules_that_cannot_be_carried_out_are_told_with_their_place(
    case: Spoilt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_spoilt(tmp_path, case)


NEWS = "{item: river, round: 3, text: It rains.}"
MEETING = "{item: river, after_round: 0, parties: [upland, lowland]}"
SECOND_AGENDA = """
  - id: short-talks
    title: Short talks
    parties: [upland, midland]
    items: [river]
    rules: %s

items:
"""
MIDLAND = """
id: midland
name: Midland
short: Midland
adjective: Midlander
summary: It lies between the two.
positions: []
"""


def three_parties(folder: Path, own_rules: str, base_rules: str) -> list[str]:
    """Problems of a setting whose second agenda seats Upland and Midland under its own rules."""
    talks = write_setting("talks", folder)
    (talks / "midland.yaml").write_text(MIDLAND, encoding="utf-8")
    path = talks / "setting.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("parties: [upland, lowland] #", "parties: [upland, lowland, midland] #")
    text = text.replace("  rounds: 3\n", f"  rounds: 3\n  {base_rules}\n")
    text = text.replace("\nitems:\n", SECOND_AGENDA % own_rules)
    path.write_text(text, encoding="utf-8")
    return [problem.message for problem in examine(talks).problems]


@pytest.mark.parametrize(
    ("own", "base", "problems"),
    [
        ("{rounds: 3}", f"injects: [{NEWS}]", []),
        (
            "{rounds: 2}",
            f"injects: [{NEWS}]",
            ["rules.injects[0].round: round 3 never comes: agenda 'short-talks' ends with round 2"],
        ),
        ("{rounds: 2, injects: []}", f"injects: [{NEWS}]", []),
        (
            "{}",
            f"caucuses: [{MEETING}]",
            ["rules.caucuses[0].parties[1]: 'lowland' has no seat in agenda 'short-talks'"],
        ),
        ("{caucuses: []}", f"caucuses: [{MEETING}]", []),
        (
            "{decision: veto}",
            "vetoes: [lowland]",
            [
                "agendas[1].rules.decision: agenda 'short-talks' decides by veto, but none of its "
                "parties is in vetoes"
            ],
        ),
        ("{decision: veto, vetoes: [midland]}", "vetoes: [lowland]", []),
    ],
)
def test_an_agenda_has_the_rules_of_the_setting_with_its_own_changes(
    own: str, base: str, problems: list[str], tmp_path: Path
) -> None:
    assert three_parties(tmp_path, own, base) == problems
