from __future__ import annotations

from pathlib import Path

import pytest

from evals.importers.deliberation import Game, load, meets
from harness.errors import SettingError

FOLDER = Path(__file__).parents[1] / "fixtures" / "llm-deliberation-base"


@pytest.fixture(scope="module")
def game() -> Game:
    return load(FOLDER)


def test_the_game_is_imported_with_its_issues_players_and_initial_deal(game: Game) -> None:
    assert [len(issue.options) for issue in game.issues] == [3, 3, 4, 4, 5]
    assert game.issues[4].keys == ("e/e1", "e/e2", "e/e3", "e/e4", "e/e5")
    assert game.initial == ("a/a1", "b/b1", "c/c4", "d/d1", "e/e5")
    assert [p.id for p in game.players if p.veto] == ["SportCo", "DoT"]
    thresholds = {player.id: player.threshold for player in game.players}
    assert thresholds == {
        "mayor": 30, "other_cities": 31, "union": 50, "SportCo": 55, "DoT": 65, "enviroment": 55,
    }  # fmt: skip


def test_its_space_of_deals_is_the_published_one(game: Game) -> None:
    deals = list(game.deals())
    assert len(deals) == 720
    assert sum(game.agreed(deal, 5) for deal in deals) == 55
    assert sum(game.agreed(deal, 6) for deal in deals) == 12


def test_a_deal_worth_exactly_the_threshold_is_acceptable() -> None:
    assert meets(55, 55)
    assert not meets(54, 55)


def test_a_strict_threshold_would_lose_a_third_of_the_deals(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that `meets` is the one place: the published evaluator's `>` finds 37 and 6."""
    monkeypatch.setattr("evals.importers.deliberation.meets", lambda points, least: points > least)
    deals = list(game.deals())
    assert sum(game.agreed(deal, 5) for deal in deals) == 37
    assert sum(game.agreed(deal, 6) for deal in deals) == 6


def test_a_deal_without_a_veto_holder_is_none_however_many_accept(game: Game) -> None:
    refused = [d for d in game.deals() if "SportCo" not in game.accepting(d)]
    assert refused
    assert not any(game.agreed(deal, 1) for deal in refused)


def test_worth_is_joined_by_option_and_not_by_position(game: Game) -> None:
    player = next(p for p in game.players if p.id == "SportCo")
    deal = ("a/a1", "b/b1", "c/c4", "d/d1", "e/e5")
    assert player.worth(deal) == player.worth(tuple(reversed(deal))) == 14 + 11 + 17 + 35 + 23


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("scores_files/DoT.txt", "1, x, 3\n5\n", "DoT.txt:1:1: not a row of whole numbers"),
        ("scores_files/DoT.txt", "1, 2\n5\n", "DoT.txt: has other issues or options"),
        ("initial_deal.txt", "A9,B1,C4,D1,E5", "initial_deal.txt:1:1: names other options"),
    ],
)
def test_a_game_that_does_not_fit_together_names_the_file_and_line(
    tmp_path: Path, file: str, text: str, where: str
) -> None:
    for path in FOLDER.rglob("*.txt"):
        copy = tmp_path / path.relative_to(FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / file).write_text(text)
    with pytest.raises(SettingError, match=where):
        load(tmp_path)


def test_a_missing_file_is_an_error_of_the_users(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"config\.txt: cannot be read"):
        load(tmp_path)
