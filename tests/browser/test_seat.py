"""Taking a seat in a real browser: by keyboard, on a phone, against a clock, two at one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from harness import events as e
from harness.setting import Rules
from harness.transcript import Transcript, read
from harness.viewer.app import seat, shelf
from tests.browser.conftest import Opens, Watched
from tests.browser.serving import AppOver
from tests.browser.serving import app_over as app_over
from tests.rooms import two_sides
from tests.viewer.test_seat import Table, by, secretive, sits

TALKS = two_sides(Rules(rounds=1))


@pytest.fixture
def begun(app_over: AppOver, tmp_path: Path, opens: Opens) -> Callable[..., str]:
    """Begin the debate `talks` with these in its seats; what comes back is the app's address."""

    def begin(**seats: str) -> str:
        chair = seats.pop("chair", "reference")
        setting = secretive() if seats.pop("secretive", "") else TALKS
        talks = sits(
            setting, chair=chair, us=seats.get("us", "reference"), ru=seats.get("ru", "reference")
        )
        table = Table({"talks": talks})
        address = app_over(tmp_path, rooms=[shelf, seat, table])
        opens(f"{address}/begin/talks", checked=False).page.close()
        return address

    return begin


def takes(opens: Opens, address: str, party: str = "us", **how: object) -> Watched:
    watched = opens(f"{address}/seat/talks/{party}", **how)
    watched.page.get_by_role("button", name="Take the seat").click()
    return watched


def my_turn(page: Page, moment: str = "") -> None:
    expect(page.get_by_role("heading", name="Your turn")).to_be_visible()
    if moment:
        expect(page.locator(".status")).to_contain_text(moment)


def speaks(page: Page, words: str = "We are here.") -> None:
    page.get_by_label("What you say aloud").fill(words)
    page.get_by_role("button", name="Take the floor").click()


def record(folder: Path) -> Transcript:
    return read(folder / "talks.jsonl")


def test_a_debate_is_played_to_its_end(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    watched = takes(opens, begun(us="human"))
    page = watched.page
    my_turn(page, "Opening statements")
    expect(page.get_by_text("The record holds us-limits-0-1.").last).to_be_visible()
    watched.accessible()
    page.get_by_label("Your offer").select_option("propose limits-0/a")
    page.get_by_label("behind this offer").select_option("us-limits-0-1")
    page.get_by_role("checkbox", name="us-limits-0-1").check()
    page.get_by_label("A note to your own").fill("They will come to us.")
    speaks(page, "We open.")
    my_turn(page, "Round 1 of 1")
    expect(page).to_have_title(re.compile("^● Your turn: Item arms"))
    expect(page.get_by_text("We open.")).to_be_visible()
    expect(page.get_by_text("They will come to us.")).to_be_visible()
    page.get_by_label("What you say aloud").fill("We go on.")
    page.get_by_role("button", name="Take the floor").dblclick()
    my_turn(page, "Decide on the tabled texts")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("radio", name="accept with a reservation").check()
    page.get_by_role("button", name="Cast your votes").click()
    expect(page.get_by_role("heading", name="The talks are closed")).to_be_visible()
    expect(page).not_to_have_title(re.compile("Your turn"))
    watched.accessible()
    held = record(tmp_path)
    assert by(held) == ["human"] * 3
    (vote,) = [v for v in held.events if isinstance(v, e.VoteCast) and v.party == "us"]
    assert vote.vote == "reserve"
    (offer,) = [m for m in held.events if isinstance(m, e.MoveMade) and m.party == "us"]
    assert (offer.move.key, offer.move.because) == ("limits-0/a", "us-limits-0-1")
    opening = next(s for s in held.events if isinstance(s, e.Statement) and s.party == "us")
    assert (opening.text, opening.citations) == ("We open.", ("us-limits-0-1",))


def test_a_turn_and_a_vote_by_keyboard_on_a_phone(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    watched = takes(opens, begun(us="human"), width=360, height=740)
    page = watched.page
    my_turn(page)
    expect(page.locator("#turn")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    watched.accessible()

    def to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == name:
                return
        pytest.fail(f"the keyboard does not reach {name}")

    for words in ("Typed in the opening.", "Typed in the round."):
        to("statement")
        page.keyboard.type(words)
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type") == "submit":
                break
        before = page.locator("#seat").get_attribute("data-call")
        page.keyboard.press("Enter")
        expect(page.locator("#seat")).not_to_have_attribute("data-call", str(before))
        my_turn(page)
        expect(page.locator("#turn")).to_be_focused()
    to("vote:limits-0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.locator("#composer").get_by_role("button", name="Cast your votes").focus()
    watched.accessible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The talks are closed")).to_be_visible()
    held = record(tmp_path)
    assert [v.vote for v in held.events if isinstance(v, e.VoteCast) and v.party == "us"] == [
        "reject"
    ]


def test_what_is_refused_is_said_beside_the_field_and_nothing_typed_is_lost(
    begun: Callable[..., str], opens: Opens
) -> None:
    page = takes(opens, begun(us="human"), checked=False).page  # a refusal is a 422 on the console
    my_turn(page)
    page.get_by_label("Your offer").select_option("propose limits-0/a")
    page.get_by_label("A note to your own").fill("Kept.")
    page.get_by_role("button", name="Take the floor").click()
    field = page.get_by_label("What you say aloud")
    expect(page.get_by_role("alert")).to_contain_text("Say something")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-describedby", "wrong")
    expect(page.get_by_label("Your offer")).to_have_value("propose limits-0/a")
    field.fill("Half a sent")
    page.goto(page.url)  # typed afresh, not sent again
    expect(page.get_by_label("What you say aloud")).to_have_value("Half a sent")
    expect(page.get_by_label("A note to your own")).to_have_value("Kept.")
    expect(page.get_by_label("Your offer")).to_have_value("propose limits-0/a")
    speaks(page, "A whole sentence.")
    my_turn(page, "Round 1")
    expect(page.get_by_label("What you say aloud")).to_have_value("")
    expect(page.get_by_role("button", name="Put back")).to_have_count(0)  # it was sent


def test_what_is_typed_before_the_page_has_all_arrived_is_kept(
    begun: Callable[..., str], opens: Opens
) -> None:
    watched = opens(f"{begun(us='human')}/seat/talks/us")
    page = watched.page
    page.get_by_role("button", name="Take the seat").click()
    my_turn(page, "Opening statements")
    late: list[Route] = []
    page.route("**/static/seat.js", lambda route: late.append(route))
    with page.expect_request("**/static/seat.js"):
        page.goto(page.url, wait_until="commit")
    page.get_by_label("What you say aloud").fill("Early words.")
    late[0].continue_()
    page.wait_for_load_state("load")
    page.unroute("**/static/seat.js")
    page.goto(page.url)
    expect(page.get_by_label("What you say aloud")).to_have_value("Early words.")


@pytest.mark.parametrize(("chosen", "then"), [
    ("nobody answers", None), ("answers this turn", "human"), ("takes the seat", "reference"),
])  # fmt: skip
def test_the_clock_runs_out_as_it_was_chosen(
    begun: Callable[..., str], opens: Opens, tmp_path: Path, chosen: str, then: str | None
) -> None:
    watched = opens(f"{begun(us='human+reference')}/seat/talks/us")
    page = watched.page
    page.evaluate("document.querySelector('#limit option').value = '8'")  # none is that short
    page.get_by_role("group", name="When its time is up").get_by_label(chosen).check()
    page.get_by_role("button", name="Take the seat").click()
    my_turn(page, "Opening statements")
    expect(page.get_by_role("timer")).to_contain_text(re.compile("[1-8] seconds"))
    page.get_by_label("What you say aloud").fill("Too late for this.")
    if then == "reference":
        expect(page.get_by_role("heading", name="The talks are closed")).to_be_visible()
    else:
        my_turn(page, "Round 1")
        page.get_by_role("button", name="Put back what you had not sent").click()
        expect(page.get_by_label("What you say aloud")).to_have_value("Too late for this.")
        speaks(page, "In time.")
        expect(page.locator("#seat")).not_to_have_attribute("data-call", re.compile("round1"))
    held = record(tmp_path)
    ours = [None if call.failure else call.model for call in held.calls if call.seat == "us"]
    assert ours[:2] == {None: [None, "human"], "human": ["reference", "human"],
                        "reference": ["reference", "reference"]}[then]  # fmt: skip
    assert "Too late" not in "".join(s.text for s in held.events if isinstance(s, e.Statement))


def test_the_clock_stays_in_view_on_a_phone(begun: Callable[..., str], opens: Opens) -> None:
    watched = opens(f"{begun(us='human')}/seat/talks/us", width=360, height=640)
    page = watched.page
    page.get_by_label("A turn may take").select_option("600")
    page.get_by_role("button", name="Take the seat").click()
    my_turn(page)
    for place in ("0", "document.body.scrollHeight"):
        page.evaluate(f"window.scrollTo(0, {place})")
        expect(page.get_by_role("timer")).to_be_in_viewport()
        expect(page.get_by_role("timer")).to_contain_text(re.compile("9 min [0-9]+ s"))
    watched.accessible()


def test_the_seat_is_handed_over_and_taken_back(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    address = begun(us="human+reference", ru="human")
    us = takes(opens, address).page
    ru = takes(opens, address, "ru").page
    my_turn(us)
    us.get_by_role("button", name="Hand the seat to reference").click()
    expect(us.get_by_role("heading", name="reference sits here for you")).to_be_visible()
    my_turn(ru)
    us.get_by_role("button", name="Take the seat back").click()
    expect(us.get_by_role("heading", name="Others have the floor")).to_be_visible()
    speaks(ru)
    my_turn(ru, "Round 1")
    speaks(ru)
    my_turn(us, "Round 1")
    expect(us.locator("#told")).to_contain_text("Your turn")
    assert by(record(tmp_path)) == ["reference"]


def test_who_closes_the_page_is_stood_in_for_and_finds_the_seat_again(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    address = begun(us="human+reference", ru="human")
    page = opens(f"{address}/seat/talks/us").page
    page.evaluate("document.querySelector('#away option').value = '6'")
    page.select_option("#away", "6")
    leaving = page.get_by_role("group", name="When I leave")
    leaving.get_by_label("takes the seat until I take it back").check()
    page.get_by_role("button", name="Take the seat").click()
    my_turn(page)
    page.wait_for_timeout(7_000)
    my_turn(page)  # they are there, if silent
    context = page.context
    page.close()
    ru = takes(opens, address, "ru").page
    my_turn(ru)
    for _ in range(200):
        if by(record(tmp_path)) == ["reference"]:
            break
        ru.wait_for_timeout(100)
    back = context.new_page()
    back.goto(f"{address}/seat/talks/us")
    back.get_by_role("button", name="Take the seat back").click()
    expect(back.get_by_role("heading", name="Others have the floor")).to_be_visible()
    assert by(record(tmp_path)) == ["reference"]


def test_two_people_see_only_their_own_and_a_third_is_kept_out(
    begun: Callable[..., str], opens: Opens
) -> None:
    address = begun(us="human", ru="human", secretive="yes")
    us = takes(opens, address).page
    ru = takes(opens, address, "ru").page
    expect(us.get_by_text("CANARY-us")).to_be_visible()
    expect(us.get_by_text("confidential: yours alone")).to_be_visible()
    expect(ru.get_by_text("CANARY-ru")).to_be_visible()
    my_turn(us)
    us.get_by_label("A note to your own").fill("NOTE-us")
    speaks(us, "<img src=x onerror=\"document.title='owned'\"> We open.")
    expect(us.get_by_text("NOTE-us")).to_be_visible()
    my_turn(ru)
    assert "We open." not in ru.content()  # opening statements are sealed
    speaks(ru, "So do we.")
    expect(ru.get_by_text("We open.")).to_be_visible()
    for page, secrets in ((us, ("CANARY-ru", "ru wants it")), (ru, ("CANARY-us", "NOTE-us"))):
        for secret in secrets:
            assert secret not in page.content()
        assert "owned" not in page.title()
    third = opens(f"{address}/seat/talks/us", checked=False)
    expect(third.page.get_by_role("alert")).to_contain_text("This seat is taken")
    assert "CANARY" not in third.page.content()
    third.accessible()


def test_the_chairs_voice_is_worded_in_the_browser(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    watched = takes(opens, begun(chair="human"), "chair", dark=True)
    page = watched.page
    my_turn(page, "Word what the chair has done")
    expect(page.locator(".facts")).to_contain_text("We take up: Item arms.")
    watched.accessible()
    page.get_by_label("Empty lets the fixed phrase stand").fill("Welcome to you all.")
    page.get_by_role("button", name="Let the chair say it").click()
    expect(page.get_by_text("Welcome to you all.")).to_be_visible()
    assert [s.text for s in record(tmp_path).events if isinstance(s, e.ChairSpoke)] == [
        "Welcome to you all."
    ]


def test_without_scripts_a_seat_is_played_all_the_same(
    begun: Callable[..., str], opens: Opens, tmp_path: Path
) -> None:
    watched = takes(opens, begun(us="human"), javascript=False)
    page = watched.page
    my_turn(page)
    page.get_by_label("Your offer").select_option("propose limits-0/a")
    speaks(page, "Said without a script.")
    page.get_by_role("link", name="look again").click()
    my_turn(page, "Round 1")
    (first,) = [
        s for s in record(tmp_path).events if isinstance(s, e.Statement) and s.party == "us"
    ]
    assert first.text == "Said without a script."
