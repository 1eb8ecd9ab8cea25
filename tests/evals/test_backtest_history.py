"""What history did: the file that ships, the files that do not load, and how outcomes are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.backtest.history import (
    History,
    NotScored,
    Reading,
    Target,
    load_history,
    outcomes_file,
    target,
)
from harness.errors import SettingError, UserError
from harness.loading import load_setting
from harness.setting import Setting

GENEVA = load_setting("geneva-2021")
FILE = outcomes_file("geneva-2021")


@pytest.fixture
def history() -> History:
    return load_history(FILE, GENEVA)


def test_every_outcome_that_ships_is_about_an_issue_and_an_option_of_the_setting(
    history: History,
) -> None:
    assert len(history.outcomes) == 57
    for outcome in history.outcomes:
        issue = GENEVA.issue(outcome.issue)
        assert GENEVA.item_of(issue.id).id == outcome.item
        if outcome.outcome_option != "none":
            assert issue.option(outcome.outcome_option).text


def test_every_outcome_that_ships_has_a_source_with_title_publisher_date_and_address(
    history: History,
) -> None:
    for outcome in history.outcomes:
        source = outcome.source
        assert source.title.strip()
        assert source.publisher.strip()
        assert source.url.startswith("https://") or source.url.startswith("http://")
        assert source.date >= GENEVA.as_of  # what is in the dossier already is no outcome


def test_an_issue_has_one_outcome_at_the_summit_or_none_and_six_have_none(history: History) -> None:
    issues = [issue.id for item in GENEVA.items for issue in item.issues]
    at_summit = [o.issue for o in history.outcomes if o.horizon == "summit"]
    assert len(set(at_summit)) == len(at_summit) == 32
    assert [issue for issue in issues if issue not in at_summit] == [
        "unfriendly-list-and-local-staff",
        "completion-and-waiver",
        "ukraine-transit",
        "cross-border-access",
        "foreign-forces",
        "libya-political-process",
    ]


def test_silence_is_never_coded_as_agreement(history: History) -> None:
    silent = [o for o in history.outcomes if o.evidence == "silence"]
    assert len(silent) == 12
    assert {(o.level, o.horizon) for o in silent} == {("not_agreed", "summit")}


def test_the_return_of_the_ambassadors_is_scored_once(history: History) -> None:
    twice = target(history, "diplomatic-presence", Reading())
    assert isinstance(twice, NotScored)
    assert "ambassadors-return" in twice.why
    assert target(history, "ambassadors-return", Reading()) == Target(("a",), ())
    assert isinstance(target(history, "diplomatic-presence", Reading(repeats=True)), Target)


def test_brackets_of_history_are_of_parties_that_sat_at_the_summit(history: History) -> None:
    held = {o.issue: o.brackets for o in history.outcomes if o.brackets}
    assert set(held) == {
        "navalny", "sanctions-relief", "non-interference", "afghanistan-settlement-and-bases",
    }  # fmt: skip
    assert {h for brackets in held.values() for b in brackets for h in b.holders} == {"us", "ru"}


@pytest.mark.parametrize(
    ("issue", "reading", "right"),
    [
        ("nuclear-war-formula-and-dialogue", Reading(), ("b",)),
        ("donbas-settlement", Reading(), ("b",)),
        ("donbas-settlement", Reading(partial="none"), ("none",)),
        ("donbas-settlement", Reading(partial="out"), None),
        ("arctic-military-dialogue", Reading(), ("none",)),  # in part, but on no text
        ("arctic-military-dialogue", Reading(partial="out"), None),
        ("navalny", Reading(), ("none",)),  # an option prevailed, nothing was agreed
        ("navalny", Reading(silence="out"), ("none",)),
        ("crimea-status", Reading(), ("none",)),
        ("crimea-status", Reading(silence="either"), ("none", "c")),
        ("crimea-status", Reading(silence="out"), None),
        ("space-weapons", Reading(silence="either"), ("none",)),
        ("ukraine-transit", Reading(), None),
    ],
)
def test_an_outcome_is_read_as_the_reading_says(
    history: History, issue: str, reading: Reading, right: tuple[str, ...] | None
) -> None:
    found = target(history, issue, reading)
    assert (found.right if isinstance(found, Target) else None) == right


# Files that do not load.


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "outcomes.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


CRIMEA = "issue: crimea-status\n    outcome_option: c\n    level: not_agreed"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("setting: geneva-2021", "setting: vienna-1961", "'vienna-1961' is not 'geneva-2021'"),
        ("issue: crimea-status", "issue: crimea-statis", "did you mean 'crimea-status'"),
        ("item: ukraine", "item: syria", "donbas-settlement belongs to ukraine"),
        (CRIMEA, CRIMEA.replace("option: c", "option: x"), "'x' is no option of crimea-status"),
        (CRIMEA, CRIMEA.replace("not_agreed", "agreed"), "silence is no agreement"),
        ("level: not_agreed", "level: disagreed", "'disagreed' is not one of agreed, partial"),
        ("evidence: silence", "evidence: hearsay", "is not one of text, account, silence"),
        ("holders: [ru]", "holders: [russia]", "'russia' is no party"),
        ("holders: [ru]", "holders: []", "a bracket needs a holder"),
        ("{option: d,", "{option: z,", "'z' is no option of the issue"),
        ("repeats: ambassadors-return", "repeats: diplomatic-presence", "is not scored by another"),
        ("repeats: ambassadors-return", "repeats: ukraine-transit", "is not scored by another"),
        ("issue: space-weapons", "issue: intermediate-range-missiles", "a second outcome of"),
        ("      url: https://kion546", "      address: https://kion546", ".source: needs a"),
        ("url: https://tass", "url: javascript://tass", "is not a web address"),
    ],
)
def test_a_row_that_does_not_fit_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(SettingError) as error:
        load_history(changed(tmp_path, old, new), GENEVA)
    assert any(said in str(problem) for problem in error.value.problems), str(error.value)
    assert all(problem.line > 0 for problem in error.value.problems)


def test_an_outcome_without_source_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.yaml"
    path.write_text(
        "setting: geneva-2021\noutcomes:\n  - item: ukraine\n    issue: crimea-status\n"
        "    outcome_option: none\n    level: not_agreed\n    horizon: summit\n"
        "    evidence: account\n    what: Somebody said so.\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingError, match="needs a source"):
        load_history(path, GENEVA)


def test_what_was_agreed_has_a_text(tmp_path: Path) -> None:
    old = "issue: ambassadors-return\n    outcome_option: a"
    with pytest.raises(SettingError, match="agreed on none says two things"):
        load_history(changed(tmp_path, old, old.replace("option: a", "option: none")), GENEVA)


def test_a_setting_without_outcomes_and_a_missing_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="only of geneva-2021"):
        outcomes_file("my-talks")
    with pytest.raises(SettingError, match="cannot be read: No such file"):
        load_history(tmp_path / "none.yaml", GENEVA)


def test_a_file_is_checked_against_the_setting_it_is_read_for(tmp_path: Path) -> None:
    other: Setting = GENEVA.model_copy(update={"id": "vienna-1961"})
    with pytest.raises(SettingError, match="'geneva-2021' is not 'vienna-1961'"):
        load_history(FILE, other)
