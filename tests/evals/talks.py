"""A small hand-made debate that the tests share: two parties, two issues, known answers."""

from __future__ import annotations

from harness.events import VoteChoice
from harness.setting import Rules, Setting
from tests.evals.room import (
    Room,
    a_party,
    a_position,
    a_red_line,
    a_setting,
    an_issue,
    an_item,
)


def two_party_setting(rules: Rules | None = None, us: str = "us", ru: str = "ru") -> Setting:
    """Points. us: scope/a +4, scope/b -2, scope/c 0; talks/a +1, talks/b -5 (red line).

    ru: scope/a -5 (red line), scope/b +5, scope/c +1; talks/a +2, talks/b +3.
    """
    return a_setting(
        a_party(
            us,
            a_position(f"{us}-1", 4, supports=("scope/a",)),
            a_position(f"{us}-2", 2, opposes=("scope/b",)),
            a_position(f"{us}-3", 1, supports=("talks/a",)),
            a_red_line(f"{us}-4", "talks/b"),
        ),
        a_party(
            ru,
            a_red_line(f"{ru}-1", "scope/a"),
            a_position(f"{ru}-2", 5, supports=("scope/b",)),
            a_position(f"{ru}-3", 1, supports=("scope/c",)),
            a_position(f"{ru}-4", 2, supports=("talks/a",)),
            a_position(f"{ru}-5", 3, supports=("talks/b",)),
        ),
        items=(
            an_item(
                an_issue("scope", "All weapons are in.", "Only ours are.", "Later.", weight=3),
                an_issue("talks", "They meet every year.", "They meet never again at all."),
            ),
        ),
        rules=rules,
    )


def half_agreed(us: str = "us", ru: str = "ru", rules: Rules | None = None) -> Room:
    """scope is bracketed by vote; talks/a is adopted by declaration after three turns."""
    room = Room(two_party_setting(rules, us, ru)).opens()
    room.says(us, f"We want all weapons in [{us}-1].", f"{us}-1")
    room.moves(us, "propose", "scope/a", because=f"{us}-1")
    room.says(ru, "We cannot have that.", f"{ru}-1")
    room.moves(ru, "reject", "scope/a").moves(ru, "propose", "talks/a")
    room.says(us, "We can meet.")
    room.moves(us, "accept", "talks/a").adopts_declared()
    choices: dict[str, VoteChoice | None] = {us: "accept", ru: "reject"}
    return room.votes("scope/a", **choices).closes()
