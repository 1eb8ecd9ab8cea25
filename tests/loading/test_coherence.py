"""Whether a setting's files fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loading.spoiling import Spoilt, check_spoilt, spoilt

SPOILT = [
    spoilt(
        "an unresolved option",
        "upland.yaml",
        "[summer-flow/a]",
        "[summer-flow/d]",
        "34:15: positions[1].opposes[0]: 'summer-flow/d' is no option: issue 'summer-flow' has "
        "none called 'd'; there is a, b, c",
    ),
    spoilt(
        "an unresolved issue",
        "upland.yaml",
        "[summer-flow/a]",
        "[summer-flows/a]",
        "34:15: positions[1].opposes[0]: 'summer-flows/a' is no option of item 'river'; did you "
        "mean 'summer-flow/a'?",
    ),
    spoilt(
        "an option twice",
        "upland.yaml",
        "[summer-flow/a]",
        "[summer-flow/a, summer-flow/a]",
        "34:30: positions[1].opposes[1]: 'summer-flow/a' repeats the option at "
        "talks/upland.yaml:34:15",
    ),
    spoilt(
        "an option supported and opposed",
        "upland.yaml",
        "    opposes: [summer-flow/a]",
        "    supports: [summer-flow/a]\n    opposes: [summer-flow/a]",
        "35:15: positions[1].opposes[0]: 'summer-flow/a' is also supported, at "
        "talks/upland.yaml:34:16",
    ),
    spoilt(
        "an unresolved item of a position",
        "upland.yaml",
        "  - id: upland-1\n    item: river",
        "  - id: upland-1\n    item: rivers",
        "15:11: positions[0].item: 'rivers' is no item of this setting; did you mean 'river'?",
    ),
    spoilt(
        "an unresolved item of an agenda",
        "setting.yaml",
        "items: [river]",
        "items: [rivr]",
        "30:13: agendas[0].items[0]: 'rivr' is no item of this setting; did you mean 'river'?",
    ),
    spoilt(
        "an unresolved party of an agenda",
        "setting.yaml",
        "    parties: [upland, lowland]\n    items",
        "    parties: [upland, lowlands]\n    items",
        "29:23: agendas[0].parties[1]: 'lowlands' is no party of this setting; did you mean "
        "'lowland'?",
    ),
    spoilt(
        "a party twice at the table",
        "setting.yaml",
        "    parties: [upland, lowland]\n    items",
        "    parties: [upland, upland]\n    items",
        "29:23: agendas[0].parties[1]: 'upland' repeats the party at talks/setting.yaml:29:15",
    ),
    spoilt(
        "an unresolved default agenda",
        "setting.yaml",
        "default_agenda: river-talks",
        "default_agenda: river-talk",
        "19:17: default_agenda: 'river-talk' is no agenda of this setting; did you mean "
        "'river-talks'?",
    ),
    spoilt(
        "two issues of one id",
        "setting.yaml",
        "- id: flood-warning",
        "- id: summer-flow",
        "54:13: items[0].issues[1].id: 'summer-flow' repeats the issue id at "
        "talks/setting.yaml:39:13",
    ),
    spoilt(
        "two options of one id",
        "setting.yaml",
        "          - id: b\n            label: Share of",
        "          - id: a\n            label: Share of",
        "46:17: items[0].issues[0].options[1].id: 'a' repeats the option id of this issue at "
        "talks/setting.yaml:43:17",
    ),
    spoilt(
        "two options of one label",
        "setting.yaml",
        "label: As Upland decides",
        "label: fixed  minimum",
        "52:20: items[0].issues[0].options[2].label: 'fixed  minimum' repeats the label of this "
        "issue at talks/setting.yaml:44:20",
    ),
    spoilt(
        "two options of one text",
        "setting.yaml",
        "text: Upland decides on the flow and tells Lowland of its decision.",
        "text: upland lets through 40 cubic metres a second from June to September in every year.",
        "53:19: items[0].issues[0].options[2].text: 'upland lets through 40 cubic metres a second "
        "from June to...' repeats the text of this issue at talks/setting.yaml:45:19",
    ),
    spoilt(
        "a position id of another party",
        "lowland.yaml",
        "id: lowland-3",
        "id: upland-3",
        "39:9: positions[2].id: 'upland-3' repeats the position id at talks/upland.yaml:43:9",
    ),
    spoilt(
        "a position after as_of",
        "upland.yaml",
        '"2024-04-18"',
        '"2024-05-02"',
        "53:13: positions[2].source.date: '2024-05-02' is after the setting's as_of, 2024-05-01: "
        "no hindsight",
    ),
    spoilt(
        "an unquoted position after as_of",
        "upland.yaml",
        '"2024-04-18"',
        "2024-06-01",
        "53:13: positions[2].source.date: '2024-06-01' is after the setting's as_of, 2024-05-01: "
        "no hindsight",
    ),
    spoilt(
        "a canary in a public position",
        "upland.yaml",
        "    visibility: confidential\n",
        "",
        "68:13: positions[3].canary: only a confidential position may carry a canary",
    ),
    spoilt(
        "a short canary",
        "upland.yaml",
        "canary: Quillfeather",
        "canary: Quill",
        "69:13: positions[3].canary: 'Quill' is shorter than 8 characters",
    ),
    spoilt(
        "a canary that is not in the statement",
        "upland.yaml",
        "canary: Quillfeather",
        "canary: Quillfeathers",
        "69:13: positions[3].canary: 'Quillfeathers' is not in the position's statement, so it "
        "could never leak",
    ),
    spoilt(
        "a canary in public",
        "lowland.yaml",
        "calls a telephone line too little.",
        "calls Quillfeather too little.",
        "41:16: positions[2].statement: 'Quillfeather', the canary at talks/upland.yaml:69:13, is "
        "public",
    ),
    spoilt(
        "an option nobody could adopt",
        "upland.yaml",
        "opposes: [summer-flow/a]",
        "opposes: [summer-flow/a, summer-flow/c]",
        "setting.yaml:51:13: items[0].issues[0].options[2]: 'summer-flow/c' crosses a red line of "
        "every party on record on its issue (upland-2, lowland-2), so nobody could adopt it",
    ),
    spoilt(
        "a party file of another id",
        "upland.yaml",
        "id: upland #",
        "id: uplands #",
        "2:5: id: 'uplands' is not the name of its file; it should be 'upland'",
    ),
    spoilt(
        "a folder of another id",
        "setting.yaml",
        "id: talks #",
        "id: talk #",
        "11:5: id: 'talk' is not the name of its folder, 'talks'",
    ),
    spoilt(
        "a party without a file",
        "setting.yaml",
        "parties: [upland, lowland] #",
        "parties: [upland, lowland, midland] #",
        "18:28: parties[2]: 'midland' has no file midland.yaml",
    ),
    spoilt(
        "a file without a party",
        "setting.yaml",
        "parties: [upland, lowland] #",
        "parties: [upland, upland] #",
        "18:19: parties[1]: 'upland' repeats the party at talks/setting.yaml:18:11",
        "29:23: agendas[0].parties[1]: 'lowland' is no party of this setting; did you mean "
        "'upland'?",
        "lowland.yaml: belongs to no party in talks/setting.yaml; list it in parties or move it "
        "away",
    ),
    spoilt(
        "a party called chair",
        "setting.yaml",
        "parties: [upland, lowland] #",
        "parties: [upland, lowland, chair] #",
        "18:28: parties[2]: 'chair' cannot be a party: it is the moderator's seat",
    ),
    spoilt(
        "a party that climbs out of the folder",
        "setting.yaml",
        "parties: [upland, lowland] #",
        "parties: [upland, lowland, ../../etc/passwd] #",
        "18:28: parties[2]: '../../etc/passwd' is not an id (lower-case letters, digits and single "
        "hyphens); did you mean 'etc-passwd'?",
    ),
]


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.what)
def test_what_does_not_fit_together_is_told_with_its_place(
    case: Spoilt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_spoilt(tmp_path, case)
