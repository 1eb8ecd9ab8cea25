from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from evals.exporting.visible import public as made_public
from harness.viewer.page.joint import joint
from harness.viewer.page.page import page
from harness.viewer.reading import Reading
from tests.browser.conftest import Opens
from tests.evals.dimensions.said import a_talk, labelled, turns
from tests.evals.room import Room, a_party, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed, two_party_setting
from tests.viewer.handmade import REFERENCE, SCRIPTED, SIX, a_reading, example

HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u202e\u200b]]>"


def leads(found: Page, anchor: str) -> None:
    """The address has come to name the anchor."""
    expect(found).to_have_url(re.compile(f"#{anchor}$"))


def focused(found: Page, name: str | re.Pattern[str]) -> None:
    """What the keyboard is on is called so."""
    expect(found.locator(":focus")).to_have_attribute("aria-label", name)


def slide(found: Page, step: int) -> None:
    found.locator("#joint-step").evaluate(
        "(slider, step) => { slider.value = step; slider.dispatchEvent(new Event('input')); }", step
    )


def shown(paragraph: Locator) -> str:
    """What a reader sees of a paragraph, on one line."""
    return re.sub(r"\s+", " ", paragraph.inner_text())


def test_a_sign_on_the_board_leads_to_its_turn(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    sign = read.locator("#board .board-mark[href='#T7']").first
    sign.scroll_into_view_if_needed()
    read.wait_for_timeout(500)  # what is drawn as it comes into view moves what stands below it
    sign.click()
    leads(read, "T7")
    expect(read.locator("#T7")).to_be_in_viewport()


def test_the_board_is_walked_by_keyboard(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    drawing = read.locator("#board-issue-whelan-reed .board-drawing")
    assert drawing.locator("a[tabindex='0']").count() == 1
    drawing.locator("a").first.focus()
    read.keyboard.press("Home")
    focused(read, "T1, US proposes (a) Both released, nothing in return")
    read.keyboard.press("ArrowRight")
    focused(read, re.compile(r"^T2, RU proposes \(b\)"))
    read.keyboard.press("ArrowLeft")
    focused(read, re.compile("^T1, "))
    read.keyboard.press("Enter")
    leads(read, "T1")


def test_the_board_draws_the_jump_and_says_it(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    jump = read.locator("#board-issue-whelan-reed .board-flip")
    assert jump.count() == 1
    box = jump.bounding_box()
    assert box is not None
    assert box["height"] > 12
    told = read.locator("#board-issue-whelan-reed a[href='#T7']").get_attribute("aria-label")
    assert told is not None
    assert "a flip from +1.00 declared to -1.00" in told


def test_the_board_can_be_read_as_a_table(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED)), javascript=False).page
    table = read.locator("#board table").first
    assert not table.is_visible()
    read.get_by_text("The same as a table").first.click()
    expect(table).to_be_visible()
    expect(table).to_contain_text("votes against (c) Confidential channel, no outcome fixed")


def test_the_names_stay_while_a_long_board_scrolls_sideways(opens: Opens) -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(an_issue("q")),))
    room = Room(setting).opens()
    for turn in range(60):
        room.says(("us", "ru")[turn % 2])
    watched = opens(page(a_reading(room.moves("us", "propose", "q/a").transcript)), width=360)
    scroll = watched.page.locator("#board .board-scroll").first
    scroll.evaluate("(element) => { element.scrollLeft = element.scrollWidth; }")
    name = scroll.locator(".board-row .board-names span").first.bounding_box()
    frame = scroll.bounding_box()
    assert name is not None
    assert frame is not None
    assert abs(name["x"] - frame["x"]) < 2
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_board_too_long_for_paper_is_printed_as_its_table(opens: Opens) -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    for turn in range(50):
        room.says(("us", "ru")[turn % 2])
    read = opens(page(a_reading(room.transcript))).page
    drawn, table = read.locator(".board-drawn"), read.locator(".board-table table")
    assert (drawn.is_visible(), table.is_visible()) == (True, False)
    read.emulate_media(media="print")
    read.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (drawn.is_visible(), table.is_visible()) == (False, True)


def test_the_slider_shows_what_a_hand_count_says(opens: Opens) -> None:
    read = opens(page(a_reading(half_agreed().transcript))).page
    scope, talks = (read.locator(f"#joint-issue-{name}") for name in ("scope", "talks"))
    assert shown(scope).startswith("Scope in brackets: consensus: 1 for, 1 against")
    assert "US holds the bracket, T2" in shown(scope)

    slide(read, 0)
    assert shown(scope) == "Scope no text on the table"
    slide(read, 2)
    assert "RU rejects it, T4" in shown(scope)
    assert "US offers it, T2" in shown(scope)
    assert shown(talks) == "Talks no text on the table"
    slide(read, 5)
    assert "They meet every year." in shown(talks)
    assert "US declared that it accepts, T7" in shown(talks)
    expect(read.locator("#joint-said")).to_have_text("5 of 9. Talks: agreed, (a) talks a")


def test_the_slider_marks_what_came_and_what_went(opens: Opens) -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/c")
    room.moves("us", "withdraw", "scope/c").moves("ru", "propose", "scope/b")
    read = opens(page(a_reading(room.transcript))).page
    scope = read.locator("#joint-issue-scope")
    assert scope.get_by_role("insertion").count() == 0

    read.locator("#joint-back").click()
    gone = scope.get_by_role("deletion").filter(has_text="Later.")
    expect(gone).to_be_visible()
    assert gone.evaluate("(e) => getComputedStyle(e).textDecorationLine") == "line-through"
    read.locator("#joint-on").click()
    new = scope.get_by_role("insertion")
    expect(new.filter(has_text="Only ours are.")).to_be_visible()
    expect(scope.get_by_text("Later.")).to_be_hidden()


def test_arrow_keys_move_the_slider_and_the_text_is_in_view(opens: Opens) -> None:
    watched = opens(page(example(REFERENCE)), height=500)
    read = watched.page
    slider = read.locator("#joint-step")
    slider.focus()
    read.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "0 of 80. Nothing has been said yet."
    for _ in range(3):
        read.keyboard.press("ArrowRight")
    steps = joint(example(REFERENCE)).steps
    expect(read.locator("#joint-said")).to_have_text(f"3 of 80. {steps[2].words}")
    expect(read.locator(f"#joint-{steps[2].at}")).to_be_in_viewport()
    expect(slider).to_be_in_viewport()
    read.locator("#joint-turn").click()
    leads(read, steps[2].to)


def test_every_step_of_the_slider_shows_the_facts_of_that_step(opens: Opens) -> None:
    reading = example(SCRIPTED)
    made = joint(reading)
    read = opens(page(reading)).page
    for step in range(made.last + 1):
        slide(read, step)
        for told in made.paragraphs:
            paragraph = read.locator(f"#joint-{told.to}")
            seen = {
                re.sub(r"\s+", " ", words).removeprefix("+ ").strip()
                for words in paragraph.locator("li").filter(visible=True).all_inner_texts()
                if words
            }
            gone = paragraph.locator("li [role=deletion]").filter(visible=True).count()
            facts = [f for f in told.at(step) if hasattr(f, "how") or hasattr(f, "choice")]
            assert len(seen) - gone == len(facts)


def test_a_party_that_has_moved_on_is_said_to_have_offered_the_text(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    relief = read.locator("#joint-issue-sanctions-relief")
    slide(read, 26)
    assert "US offered it, T10" in shown(relief)
    assert "accepts it" not in shown(relief)
    slide(read, 28)
    assert "RU cannot accept the text" in shown(relief)


def test_a_text_and_a_holder_lead_to_the_turn_that_brought_them(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    paragraph = read.locator("#joint-issue-whelan-reed")
    paragraph.get_by_role("link", name="A confidential channel").click()
    leads(read, "T4")
    paragraph.get_by_role("link", name="RU holds the bracket, T6").click()
    leads(read, "T6")


def test_without_script_the_joint_text_is_the_final_one(opens: Opens) -> None:
    read = opens(page(a_reading(half_agreed().transcript)), javascript=False).page
    assert not read.locator(".joint-slider").is_visible()
    talks = shown(read.locator("#joint-issue-talks"))
    assert "agreed" in talks
    assert "under discussion" not in talks
    assert "RU rejects it" not in shown(read.locator("#joint-issue-scope"))


def test_a_cell_of_the_matrix_leads_to_the_vote(opens: Opens) -> None:
    read = opens(page(example(SCRIPTED))).page
    row = read.locator(".standing-matrix tr", has_text="Whelan and Reed")
    row.get_by_role("link", name="rejects, T7").click()
    leads(read, "T7")
    expect(read.locator("#T7")).to_be_in_viewport()


def test_a_number_leads_to_its_score(opens: Opens) -> None:
    read = opens(page(example(REFERENCE))).page
    row = read.locator(".standing-measures tr", has_text="votes in line")
    row.get_by_role("link").first.click()
    expect(read).to_have_url(re.compile("#score-[0-9]+$"))
    target = read.locator(f"#{read.url.partition('#')[2]}")
    expect(target).to_be_in_viewport()
    expect(target).to_contain_text("10")


def test_history_is_hidden_until_it_is_asked_for(opens: Opens) -> None:
    read = opens(page(example(REFERENCE))).page
    assert not read.locator(".standing-beside").is_visible()
    assert not read.locator(".standing-verdict").is_visible()
    assert "On 6 of 11 issues" not in read.locator("body").inner_text()
    read.get_by_text("Show what happened").click()
    expect(read.locator(".standing-verdict")).to_contain_text("On 6 of 11 issues")
    row = read.locator("#history-issue-scope-of-arms-control")
    expect(row.get_by_role("link").nth(1)).to_have_attribute("href", re.compile("^https://"))
    expect(row).to_contain_text("2021-06-16")


def test_a_guess_is_held_against_history_and_kept_nowhere(opens: Opens) -> None:
    read = opens(page(example(REFERENCE))).page
    read.get_by_text("Guess first").click()
    ask = read.locator("[data-guess='issue-scope-of-arms-control']")
    ask.get_by_label("(b) Integrated dialogue, no fixed list").check()
    other = read.locator("[data-guess='issue-intermediate-range-missiles'] input").first
    other.check()
    assert "right" not in read.locator(".standing-history").inner_text()
    read.get_by_text("Show what happened").click()
    expect(read.locator(".standing-guessed")).to_have_text("You were right on 1 of your 2 guesses.")
    expect(read.locator("#history-issue-scope-of-arms-control")).to_contain_text("right")
    kept = "[localStorage.length, sessionStorage.length, document.cookie, location.hash]"
    assert read.evaluate(kept) == [0, 0, "", ""]


def test_what_links_lead_to_is_on_the_page(opens: Opens) -> None:
    for name in (SCRIPTED, REFERENCE, SIX):
        for public in (False, True):
            whole = example(name)
            shown = replace(whole, transcript=made_public(whole.transcript), public=public)
            read = opens(page(shown if public else whole)).page
            lost = read.evaluate(
                """() => [...document.querySelectorAll(
                    '#board a[href^="#"], #joint a[href^="#"], #standing a[href^="#"]')]
                    .map((link) => link.getAttribute('href').slice(1))
                    .filter((anchor) => !document.getElementById(anchor))"""
            )
            assert lost == []


def judged_talk() -> Reading:
    talk = a_talk("norland", "sudria", "norland").transcript
    return a_reading(talk, labelled(talk, "stance", turns("-3", "1", "2")))


def hostile_talk() -> Reading:
    setting = a_setting(
        a_party("us").model_copy(update={"short": HOSTILE, "name": HOSTILE}),
        a_party("ru"),
        items=(an_item(an_issue("q", HOSTILE, "Plain.").model_copy(update={"title": HOSTILE})),),
    )
    room = Room(setting).opens().moves("us", "propose", "q/a").moves("ru", "reject", "q/a")
    return a_reading(room.votes("q/a", us="accept", ru="reject").closes().transcript)


READINGS: dict[str, Callable[[], Reading]] = {
    "two": lambda: example(SCRIPTED),
    "six": lambda: example(SIX),
    "judged": judged_talk,
    "hostile": hostile_talk,
    "no issue": lambda: a_reading(
        Room(a_setting(a_party("us"), a_party("ru"), items=(an_item(),)))
        .opens()
        .says("us")
        .transcript
    ),
}


SEEN = [
    ("two", 360, True), ("six", 1280, False), ("judged", 1280, True), ("hostile", 360, False),
    ("no issue", 1280, False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "width", "dark"), SEEN)
def test_the_sections_are_accessible(opens: Opens, name: str, width: int, dark: bool) -> None:
    watched = opens(page(READINGS[name]()), width=width, dark=dark)
    for asked in watched.page.locator("#board details, #joint details, #standing details").all():
        asked.evaluate("(element) => { element.open = true; }")
    if name in ("two", "six"):
        slide(watched.page, 9)
    watched.accessible()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_of_a_file_stay_words(opens: Opens) -> None:
    read = opens(page(hostile_talk())).page
    assert read.locator("#board img, #joint img, #standing img").count() == 0
    slide(read, 1)
    said = read.locator("#joint-said").inner_text()
    assert "</script><img src=x onerror=alert(1)>" in said
    assert "\u202e" not in said


def test_sections_begin_anew_when_the_page_has_grown(opens: Opens) -> None:
    room = Room(two_party_setting()).opens().moves("us", "propose", "scope/a")
    before = page(a_reading(room.transcript))
    after = page(a_reading(room.moves("ru", "propose", "scope/c").transcript))
    read = opens(before).page
    slide(read, 0)
    read.evaluate(
        """(html) => {
          const fresh = new DOMParser().parseFromString(html, "text/html");
          for (const name of ["board", "joint", "standing"]) {
            const body = (root) => root.querySelector(`[data-section="${name}"]`);
            body(document).replaceChildren(...body(fresh).childNodes);
          }
          tracktwo.refresh();
        }""",
        after,
    )
    expect(read.locator("#joint-said")).to_have_text("0 of 2. Nothing has been said yet.")
    read.locator("#joint-on").click()
    read.locator("#joint-on").click()
    expect(read.locator("#joint-issue-scope")).to_contain_text("RU offers it, T2")
    assert read.locator("#board-issue-scope a[tabindex='0']").count() == 1
