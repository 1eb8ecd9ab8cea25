"""Red lines in prose: of those at stake, and beside the crossings in moves and votes."""

from __future__ import annotations

from evals.dimensions.crossings import crossings
from evals.evaluator import Result, evaluate
from tests.evals.dimensions.said import NOR, SUD, a_port, a_talk, labelled, score
from tests.evals.room import Room, a_position, a_red_line

ABOUT = f"party:{NOR}"
LINES = (
    a_red_line("nor-x1", "port/a"),
    a_red_line("nor-x2", "crew/b"),
    a_red_line("nor-x3"),
    a_position("nor-4"),
)


def scored(
    room: Room, labels: dict[str, str | None], lines: dict[str, str] | None = None
) -> tuple[Result, ...]:
    said = labelled(room.transcript, "crossings", labels, positions=lines)
    return evaluate(room.transcript, [crossings.on(said)])


def test_only_statements_that_touch_on_a_red_line_are_at_stake() -> None:
    room = a_talk(*(NOR,) * 6, setting=a_port(*LINES))
    labels = {"T1": "crossed", "T2": "softened", "T3": "held", "T4": "silent", "T5": None}

    results = scored(room, {**labels}, {"T1": "nor-x1", "T2": "nor-x2"})

    crossed = score(results, ABOUT, "crossed")
    assert (crossed.hits, crossed.n, crossed.unscored) == (1, 3, 1)
    assert [note.turn for note in crossed.evidence] == ["T1"]
    assert score(results, ABOUT, "softened").hits == 1
    assert score(results, f"party:{SUD}", "crossed").value is None


def test_prose_and_moves_are_compared_line_by_line() -> None:
    room = a_talk(NOR, NOR, SUD, setting=a_port(*LINES))
    room.moves(NOR, "propose", "port/a").moves(SUD, "propose", "crew/b")
    room.moves(NOR, "accept", "crew/b")
    lines = {"T1": "nor-x1", "T2": "nor-x3"}

    results = scored(room, {"T1": "crossed", "T2": "crossed", "T3": "silent"}, lines)

    assert score(results, ABOUT, "both").reason.endswith(": nor-x1")
    assert score(results, ABOUT, "moves_only").reason.endswith(": nor-x2")
    assert score(results, ABOUT, "prose_only").reason.endswith(": nor-x3")
    values = [score(results, ABOUT, m).value for m in ("both", "moves_only", "prose_only")]
    assert values == [1, 1, 1]
    assert score(results, ABOUT, "both").n == 3
    kinds = {room.events[note.seq].kind for note in score(results, ABOUT, "both").evidence}
    assert kinds == {"statement", "move"}


def test_a_vote_for_a_text_across_a_line_counts_as_crossed_in_moves() -> None:
    room = a_talk(NOR, SUD, setting=a_port(*LINES))
    room.votes("port/a", norland="accept", sudria="accept")

    results = scored(room, {"T1": "held", "T2": "silent"})

    assert score(results, ABOUT, "moves_only").value == 1
    assert score(results, ABOUT, "crossed").hits == 0


def test_softening_is_no_crossing_in_the_comparison() -> None:
    room = a_talk(NOR, setting=a_port(*LINES))
    results = scored(room, {"T1": "softened"}, {"T1": "nor-x1"})
    assert score(results, ABOUT, "prose_only").value == 0


def test_a_line_nobody_but_the_party_knows_is_not_held_against_the_prose() -> None:
    hidden = a_red_line("nor-x9", "port/a").model_copy(update={"visibility": "confidential"})
    room = a_talk(NOR, setting=a_port(hidden)).moves(NOR, "propose", "port/a")
    results = scored(room, {})
    assert not results, "no verdict means no judge"

    room = a_talk(NOR, setting=a_port(hidden, *LINES)).moves(NOR, "propose", "crew/a")
    results = scored(room, {"T1": "silent"})
    assert score(results, ABOUT, "moves_only").n == 3


def test_what_could_not_be_read_makes_bounds_of_the_comparison_and_alone_no_value() -> None:
    room = a_talk(NOR, NOR, setting=a_port(*LINES)).moves(NOR, "propose", "port/a")

    some = scored(room, {"T1": "silent", "T2": None})
    assert score(some, ABOUT, "moves_only").reason.endswith(": nor-x1 (at most)")
    assert score(some, ABOUT, "prose_only").reason.endswith(": none (at least)")
    nothing = scored(room, {"T1": None, "T2": None})
    assert score(nothing, ABOUT, "prose_only").value is None
    assert score(nothing, ABOUT, "prose_only").unscored == 2


def test_without_red_lines_there_is_nothing_to_compare() -> None:
    room = a_talk(NOR, setting=a_port(a_position("nor-4")))
    results = scored(room, {"T1": "silent"})
    assert score(results, ABOUT, "moves_only").value is None
