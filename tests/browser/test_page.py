"""A debate's page as a reader uses it: keys, find, filters, cards, panel, private layer, print."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.events import NOTICE
from harness.transcript import dump
from harness.viewer.page.page import page
from harness.viewer.reading import reading_of
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item
from tests.viewer.hostile import EXAMPLES, REFERENCE, hostile, judged

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Watched

    Opens = Callable[..., Watched]

TOP = "document.getElementById({!r}).getBoundingClientRect().top"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages made once: of the reference debate, one judges read, one that attacks, and others."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "reference": REFERENCE,
        "judged": judged(folder),
        "hostile": hostile(folder),
        "embedded": EXAMPLES / "embedded-model-guarded.jsonl",
        "six": EXAMPLES / "six-parties-on-nord-stream-2.jsonl",
        "scripted": EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl",
        "tied": tied(folder),
    }
    found: dict[str, Path] = {}
    for name, path in made.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(page(reading_of(path)), encoding="utf-8")
    return found


def tied(folder: Path) -> Path:
    """A debate of one turn that cites, moves and crosses a red line of its own."""
    own = (
        *(a_position(f"us-{number}", supports=("q/a",)) for number in (1, 2)),
        a_red_line("us-3", "q/a"), a_position("us-4", supports=("q/b",)),
    )  # fmt: skip
    setting = a_setting(a_party("us", *own), a_party("ru"), items=(an_item(an_issue("q")),))
    room = Room(setting).opens()
    place = room.of("us")
    room.says("us", "We are ready to talk.", "us-1", "us-2", of=place)
    room.move("us", "propose", "q/a", because="us-1", of=place)
    path = folder / "tied.jsonl"
    lines = [dump(event) for event in room.transcript.events]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def at_top(page: Page, anchor: str) -> bool:
    """Whether it comes to stand at the top; on a busy machine that takes some frames."""
    for _ in range(30):
        page.wait_for_timeout(100)
        if 0 <= float(page.evaluate(TOP.format(anchor))) < 250:
            return True
    return False


def until(page: Page, expression: str) -> None:
    """Wait until it holds; the page's policy lets Playwright's own waiting evaluate nothing."""
    for _ in range(60):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def address(page: Page) -> str:
    return page.url.partition("#")[2]


@pytest.mark.parametrize("name", ["reference", "judged", "hostile", "six"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(
    opens: Opens, pages: dict[str, Path], name: str, dark: bool
) -> None:
    watched = opens(pages[name], dark=dark)
    watched.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    watched.accessible()


def test_axe_finds_nothing_serious_on_a_narrow_page_with_everything_open(
    opens: Opens, pages: dict[str, Path]
) -> None:
    watched = opens(pages["hostile"], width=360, height=740)
    watched.page.evaluate("tracktwo.showPrivate(true)")
    watched.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    watched.accessible()


@pytest.mark.parametrize("name", ["reference", "judged", "hostile", "embedded", "six"])
def test_a_narrow_page_does_not_scroll_sideways(
    opens: Opens, pages: dict[str, Path], name: str
) -> None:
    shown = opens(pages[name], width=360, height=740).page
    shown.evaluate("tracktwo.showPrivate(true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    shown.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360


def test_nothing_in_a_transcript_runs(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["hostile"]).page
    assert "owned" not in shown.title()
    assert shown.locator("img").count() == 0
    assert shown.locator("#T1 .said").inner_text().startswith("<script>document.title = 'owned'")
    assert shown.locator("h1").count() == 1


def test_keys_go_from_turn_to_turn_and_issue_to_issue(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["reference"]).page
    shown.keyboard.press("j")
    assert focused(shown) == "T1"
    for _ in range(3):
        shown.keyboard.press("j")
    assert focused(shown) == "T4"
    assert at_top(shown, "T4")
    shown.keyboard.press("k")
    assert focused(shown) == "T3"
    assert address(shown) == "T3"
    shown.keyboard.press("n")
    assert focused(shown) == "issue-arctic-military-dialogue"
    assert shown.locator("#issue-arctic-military-dialogue").get_attribute("open") is not None
    shown.keyboard.press("p")
    assert focused(shown) == "issue-nuclear-war-formula-and-dialogue"
    shown.keyboard.press("j")
    assert focused(shown) == "T1"


def test_keys_are_off_while_typing_and_where_they_are_switched_off(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["reference"]).page
    shown.keyboard.press("/")
    assert focused(shown) == "find"
    shown.keyboard.type("jknp?")
    assert shown.locator("#find").input_value() == "jknp?"
    shown.keyboard.press("Escape")
    assert shown.locator("#find").input_value() == ""
    shown.keyboard.press("?")
    assert shown.locator("#help").is_visible()
    shown.locator("#keys-on").uncheck()
    shown.keyboard.press("Escape")
    assert not shown.locator("#help").is_visible()
    shown.keyboard.press("j")
    assert focused(shown) != "T1"
    shown.locator("#open-help").click()
    shown.locator("#keys-on").check()
    shown.keyboard.press("Escape")
    shown.keyboard.press("j")
    assert focused(shown) == "T1"


def test_find_marks_and_steps_and_leaves_the_words_alone(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["judged"]).page
    before = shown.locator("#T2").text_content()
    shown.locator("#find").fill("MISSILE")
    marked = shown.evaluate("[...CSS.highlights.get('found')].map(String)")
    assert len(marked) > 5
    assert {each.lower() for each in marked} == {"missile"}
    assert f"{len(marked)} found" in shown.locator("#filter-said").inner_text()
    shown.keyboard.press("Enter")
    assert shown.locator("#filter-said").inner_text().startswith(f"1 of {len(marked)}, ")
    shown.keyboard.press("Shift+Enter")
    assert shown.locator("#filter-said").inner_text().startswith(f"{len(marked)} of {len(marked)}")
    assert shown.locator("#T2").text_content() == before
    shown.locator("#find").fill("no such words anywhere")
    shown.keyboard.press("Enter")
    assert shown.locator("#told").inner_text() == "Not found."


def visible(page: Page) -> list[str]:
    return list(
        page.evaluate(
            "[...document.querySelectorAll('.turn')]"
            ".filter((t) => t.getClientRects().length).map((t) => t.id)"
        )
    )


def test_filters_show_what_they_say_and_can_be_linked(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["judged"]).page
    everything = visible(shown)
    shown.locator("#filter-party").select_option("us")
    shown.locator("#filter-move").select_option("vote")
    found = visible(shown)
    assert 0 < len(found) < len(everything)
    for turn in found:
        assert shown.locator(f"#{turn} .is-vote").count() > 0
        assert shown.locator(f"#{turn} .badge").first.text_content() == "US"
    assert f"{len(found)} of {len(everything)} turns" in shown.locator("#filter-said").inner_text()
    again = opens(pages["judged"]).page
    again.goto(shown.url)
    assert "party=us" in shown.url
    assert visible(again) == found
    shown.locator("#filter-clear").click()
    shown.locator("#filter-label").select_option("contradicted")
    labelled = visible(shown)
    assert labelled
    assert all(shown.locator(f"#{turn} .is-contradicted").count() for turn in labelled)
    shown.locator("#filter-clear").click()
    shown.locator("#filter-item").select_option("diplomatic-relations")
    assert set(visible(shown)) < set(everything)
    assert shown.locator("#T1").is_hidden()


def test_a_link_to_a_turn_that_is_filtered_away_shows_it(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["reference"]).page
    shown.locator("#filter-party").select_option("us")
    assert shown.locator("#T2").is_hidden()
    shown.evaluate("location.hash = '#T2'")
    until(shown, "document.getElementById('T2').getClientRects().length")
    assert at_top(shown, "T2")


def test_permalinks_open_turn_issue_score_and_position(
    opens: Opens, pages: dict[str, Path]
) -> None:
    for anchor in ("T20", "issue-arctic-military-dialogue", "score-7", "pos-us-ss-4"):
        shown = opens(pages["reference"]).page
        shown.goto(f"{pages['reference'].as_uri()}#{anchor}")
        shown.wait_for_timeout(200)
        assert shown.locator(f"#{anchor}").is_visible(), anchor
        assert at_top(shown, anchor), anchor


def test_a_number_leads_to_its_score_and_from_there_to_the_events(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["reference"]).page
    shown.locator("#summary").get_by_role("link", name="35 points").click()
    score = address(shown)
    assert score.startswith("score-")
    row = shown.locator(f"#{score}")
    assert "given" in row.inner_text()
    row.get_by_role("link", name=re.compile("^T[0-9]+$")).first.click()
    turn = address(shown)
    assert re.fullmatch("T[0-9]+", turn)
    assert at_top(shown, turn)


def test_a_citation_shows_its_source_to_pointer_and_keyboard(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["judged"]).page
    cite = shown.locator("#T1 .cites .cite").first
    cite.hover()
    card = shown.locator("#card")
    card.wait_for(state="visible")
    name = cite.inner_text()
    assert name in card.inner_text()
    source = card.locator(".source a").first
    assert (source.get_attribute("href") or "").startswith("https://")
    assert source.get_attribute("rel") == "noopener noreferrer"
    assert card.locator("time").inner_text()
    card.hover()
    shown.wait_for_timeout(500)
    assert card.is_visible()
    shown.keyboard.press("Escape")
    assert card.is_hidden()
    shown.mouse.move(5, 5)
    shown.locator("#T2").focus()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Tab")
    card.wait_for(state="visible")
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.getElementById('card').contains(document.activeElement)")
    shown.keyboard.press("Escape")
    assert card.is_hidden()
    assert shown.evaluate("document.activeElement.matches('#T2 a')")


def test_a_judged_sentence_shows_what_each_judge_said(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["judged"]).page
    shown.locator("#T1 a.judged").nth(2).hover()
    card = shown.locator("#card")
    card.wait_for(state="visible")
    told = card.inner_text()
    assert "openai:one" in told
    assert "openai:two" in told
    assert "contradicts the record" in told
    assert "Reason 2 of openai:one." in told
    styles = shown.evaluate(
        "['supported', 'partial', 'contradicted', 'unsupported'].map((label) => getComputedStyle("
        "document.querySelector(`.said a.judged.is-${label}`)).textDecorationStyle)"
    )
    assert styles == ["solid", "dashed", "wavy", "double"]


def test_a_citation_shows_the_verdicts_that_rest_on_it(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["judged"]).page
    rests = shown.locator("#T1 .verdicts [data-pos]").first.get_attribute("data-pos")
    shown.evaluate("document.querySelector('#T1 .verdicts').open = true")
    shown.locator(f"#T1 .verdicts a.cite[href='#{rests}']").first.hover()
    shown.locator("#card .card-verdicts").wait_for(state="visible")
    assert "openai:one, consistency:" in shown.locator("#card .card-verdicts").inner_text()


def test_the_mandate_panel_follows_the_speaker(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["reference"]).page
    shown.evaluate("tracktwo.go('T1')")
    about = shown.locator("#mandate-about")
    until(shown, "document.getElementById('mandate-about').textContent.includes('at T1,')")
    assert about.inner_text().startswith("United States, at T1, on Meaning of strategic stability")
    lit = shown.locator("#mandate .lit")
    assert set(lit.locator(".handle").all_inner_texts()) >= {"us-ss-2", "us-ss-4"}
    shown.evaluate("tracktwo.go('T2')")
    until(
        shown, "document.getElementById('mandate-about').textContent.startsWith('Russia, at T2,')"
    )
    assert all(
        name.startswith("ru-") for name in shown.locator("#mandate .handle").all_inner_texts()
    )
    shown.locator("#mandate-party").select_option("us")
    until(
        shown,
        "document.getElementById('mandate-about').textContent.startsWith('United States, at T2,')",
    )
    shown.mouse.move(500, 500)
    for _ in range(40):
        if "at T5" in about.inner_text():
            break
        shown.mouse.wheel(0, 250)
        shown.wait_for_timeout(60)
    assert "at T5" in about.inner_text()


def ties(page: Page, position: str) -> str:
    """What the panel says of a position after its facts; empty where it is not lit."""
    found = page.locator(f"#mandate .position:has(.handle:text-is('{position}'))")
    assert found.count() == 1
    return " ".join(found.locator(".lit-word").all_inner_texts()).strip()


def at_turn(page: Page, turn: str) -> None:
    page.evaluate("(turn) => tracktwo.go(turn)", turn)
    until(page, f"document.getElementById('mandate-about').textContent.includes('at {turn},')")


def test_the_panel_tells_a_citation_from_what_stands_behind_a_vote(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["scripted"]).page
    at_turn(shown, "T7")
    assert shown.locator("#T7 .cites, #T7 .said a.cite").count() == 0
    assert ties(shown, "us-dc-1") == "behind a move in this turn"
    assert shown.locator("#mandate .lit-word:text('cited')").count() == 0


def test_the_panel_says_both_where_a_position_is_cited_and_stands_behind_a_move(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["tied"]).page
    at_turn(shown, "T1")
    assert ties(shown, "us-1") == "cited, behind a move in this turn"
    assert ties(shown, "us-2") == "cited in this turn"
    assert ties(shown, "us-3") == "crossed in this turn"
    assert ties(shown, "us-4") == ""
    assert shown.locator("#mandate .lit").count() == 3


POINTS_TO = "(links) => links.map((each) => each.getAttribute('href').slice(1))"


def test_what_a_judge_cites_is_not_said_to_be_cited_in_the_turn(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["judged"]).page
    held_against = 0
    for turn in shown.locator(".turn:has(.verdicts a.cite)").all()[:4]:
        at_turn(shown, str(turn.get_attribute("id")))
        own = set(turn.locator(".said a.cite, .cites a.cite").evaluate_all(POINTS_TO))
        judges = set(turn.locator(".verdicts a.cite").evaluate_all(POINTS_TO))
        told = shown.locator("#mandate .position:has(.lit-word:text('cited')) .handle")
        assert set(told.evaluate_all(POINTS_TO)) <= own
        held_against += len(judges - own)
    assert held_against > 0


TOO_NARROW = """
() => {
  const word = document.createRange();
  const split = (text, cell) => [...text.data.matchAll(/[\\p{L}\\p{N}]+/gu)].filter((each) => {
    word.setStart(text, each.index);
    word.setEnd(text, each.index + each[0].length);
    const lines = [...word.getClientRects()].filter((line) => line.width);
    return lines.length > 1 || lines.some((line) => line.width > cell.clientWidth + 1);
  });
  return [...document.querySelectorAll("th, td")].filter((cell) => cell.checkVisibility())
    .flatMap((cell) => {
      const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      const found = [];
      while (texts.nextNode()) found.push(...split(texts.currentNode, cell));
      return found.map((each) => each[0]);
    });
}
"""
"""The words that stand on several lines or do not fit into their cell."""


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", ["scripted", "six"])
def test_no_table_breaks_a_word_or_widens_the_page(
    opens: Opens, pages: dict[str, Path], name: str, width: int
) -> None:
    shown = opens(pages[name], width=width).page
    shown.evaluate("tracktwo.showPrivate(true)")
    shown.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert shown.locator("table").filter(visible=True).count() >= 7
    assert shown.locator(".past").count() == (name != "six")  # six: nothing to compare with
    assert shown.evaluate(TOO_NARROW) == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_no_cell_of_the_history_table_is_narrower_than_its_longest_word(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["scripted"]).page
    shown.get_by_text("Show what history did").click()
    assert shown.evaluate(TOO_NARROW) == []
    issue, here, past, alike = (
        shown.locator(".past tr")
        .first.locator("th")
        .evaluate_all("(cells) => cells.map((each) => each.offsetWidth)")
    )
    assert min(issue, here) > 150
    assert past > issue
    assert alike > 60


def test_red_lines_stand_first_in_the_panel(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["hostile"]).page
    shown.evaluate("tracktwo.showPrivate(true)")
    shown.evaluate("tracktwo.go('T1')")
    until(shown, "document.getElementById('mandate-about').textContent.includes('at T1,')")
    first = shown.locator("#mandate-list h4").first
    assert first.inner_text() == "Red lines"
    assert "us-hidden-1" in shown.locator("#mandate-list ul").first.inner_text()


def test_the_panel_is_a_sheet_at_the_bottom_of_a_narrow_page(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["reference"], width=360, height=740).page
    shown.evaluate("tracktwo.go('T3')")
    assert shown.locator("#mandate-list").is_hidden()
    shown.locator("#mandate summary").click()
    assert shown.locator("#mandate-list .position").first.is_visible()
    box = shown.locator("#mandate").bounding_box()
    assert box is not None
    assert box["y"] > 200
    assert box["y"] + box["height"] <= 741


def test_the_private_layer_is_off_until_it_is_switched_on(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["hostile"]).page
    body = shown.locator("body")
    assert shown.locator("#T901").is_hidden()
    assert "PRIVATE-NOTE" not in body.inner_text()
    assert "CAUCUS-WORDS" not in body.inner_text()
    shown.locator("#show-private").check()
    assert shown.locator("#T901").is_visible()
    assert "PRIVATE-NOTE" in shown.locator("#T1").inner_text()
    assert "private=on" in shown.url
    shown.locator("#show-private").uncheck()
    assert "PRIVATE-NOTE" not in body.inner_text()


def test_the_prompt_of_a_turn_is_put_together_as_it_was_sent(
    opens: Opens, pages: dict[str, Path]
) -> None:
    from harness.transcript import read

    transcript = read(EXAMPLES / "embedded-model-guarded.jsonl")
    call = transcript.calls[3]
    shown = opens(pages["embedded"]).page
    shown.locator("#show-private").check()
    asked = shown.locator("details.asked").nth(3)
    assert asked.get_attribute("data-calls") == call.call
    asked.locator("summary").click()
    asked.locator("pre").first.wait_for()
    sent = asked.locator("pre").evaluate_all("(all) => all.map((each) => each.textContent)")
    prompt = ["".join(transcript.texts[sha] for sha in message.parts) for message in call.sent]
    assert sent[: len(prompt)] == prompt
    assert sent[len(prompt)] == call.reply
    assert f"{call.usage.input} tokens read" in asked.inner_text()


def test_a_hostile_prompt_is_text(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["hostile"]).page
    shown.locator("#show-private").check()
    asked = shown.locator("#T1 details.asked")
    asked.locator("summary").click()
    assert asked.locator("pre").first.inner_text().startswith("</script><script>alert(1)</script>")


def test_without_script_everything_public_can_be_read(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["judged"], javascript=False).page
    assert shown.locator("#T24 .said").is_visible()
    assert shown.locator("#find").is_hidden()
    shown.locator("#dossier summary").first.click()
    assert shown.locator("#pos-us-ss-4").is_visible()
    assert shown.locator("#summary").get_by_text("8 of 12 issues").is_visible()


def test_print_opens_everything_and_drops_the_controls(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["reference"]).page
    shown.emulate_media(media="print")
    assert shown.locator(".filters").is_hidden()
    assert shown.locator("#mandate").is_hidden()
    assert shown.locator("#pos-us-ss-4").is_visible()
    assert shown.locator("#score-0").is_visible()
    assert shown.locator("#T24 .handle").first.is_visible()
    link = shown.locator("#pos-us-ss-4 .source a").first
    after = link.evaluate("(a) => getComputedStyle(a, '::after').content")
    assert (link.get_attribute("href") or "?") in after
    assert shown.get_by_text(NOTICE).first.is_visible()
    assert shown.locator("#summary .kept table").is_hidden()


def answer(page: Page, *clicks: str) -> str:
    """What can be read on the page after clicking on these words, at most two."""
    assert len(clicks) <= 2
    for words in clicks:
        page.get_by_text(words, exact=False).first.click()
    return page.locator("body").inner_text()


def test_a_newcomer_finds_each_answer_by_visible_text_in_two_clicks(
    opens: Opens, pages: dict[str, Path]
) -> None:
    shown = opens(pages["judged"]).page
    told = answer(shown)
    assert "8 of 12 issues agreed." in told
    assert "“Integrated dialogue, no fixed list”, agreed (United States, Russia)" in told
    assert "Russia, 35 points." in told
    furthest = shown.locator(".departures li").first
    assert furthest.locator("blockquote").is_visible()
    assert "On record:" in furthest.inner_text()
    assert re.search(r"\d{4}-\d\d-\d\d", furthest.inner_text())
    assert "came out as at the summit" not in told
    told = answer(shown, "Show what history did")
    assert re.search(r"\d+ of \d+ issues came out as at the summit", told)


def test_scrolling_a_hundred_turns_keeps_place(opens: Opens, pages: dict[str, Path]) -> None:
    shown = opens(pages["six"]).page
    for anchor in ("T24", "T1", "T12"):
        shown.evaluate(f"tracktwo.go({anchor!r})")
        shown.wait_for_timeout(250)
        assert at_top(shown, anchor), anchor
