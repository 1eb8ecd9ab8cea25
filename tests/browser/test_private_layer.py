"""The private layer in a real browser: nothing of it is seen, found or counted while it is off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.viewer.page.page import page
from harness.viewer.reading import reading_of
from tests.browser.conftest import PATIENCE, Opens
from tests.browser.serving import AppOver, app_over  # noqa: F401 (a fixture)
from tests.viewer.planted import LINE, PARAPHRASE, PRIVATE, PROMPT, RAW, found, written

ASKED_FOR = (PROMPT, RAW)
"""What the script puts on the page when somebody asks for it."""

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPEN = """
document.querySelectorAll("details").forEach((each) => { each.open = true; });
document.querySelectorAll("*").forEach((each) => { each.style.contentVisibility = "visible"; });
"""
"""Everything unfolded, and drawn however far below it stands."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("debates") / "debate.jsonl")


@pytest.fixture(scope="module")
def file(path: Path) -> Path:
    made = path.with_suffix(".html")
    made.write_text(page(reading_of(path)), encoding="utf-8")
    return made


def until(shown: Page, expression: str) -> None:
    """Wait until it holds; the page's policy lets Playwright's own waiting evaluate nothing."""
    for _ in range(PATIENCE // 50):
        if shown.evaluate(expression):
            return
        shown.wait_for_timeout(50)
    raise AssertionError(expression)


def seen(shown: Page) -> list[str]:
    """What of all that is private can be read on the page."""
    shown.evaluate(OPEN)
    # What seats were sent is put together only now.
    until(shown, "!!document.querySelector('.asked pre')")
    return found(shown.evaluate("document.body.innerText"))


def switch(shown: Page) -> None:
    shown.locator("#show-private").click()


def test_nothing_private_is_seen_until_the_layer_is_on(opens: Opens, file: Path) -> None:
    shown = opens(file).page
    assert seen(shown) == []
    assert "Taken from the debate one.jsonl" in shown.locator("#head").inner_text()

    switch(shown)
    assert seen(shown) == list(PRIVATE)

    switch(shown)
    assert seen(shown) == []


def test_nothing_private_is_printed_or_seen_without_a_script(opens: Opens, file: Path) -> None:
    shown = opens(file, javascript=False).page
    shown.emulate_media(media="print")
    assert found(shown.locator("body").inner_text()) == []

    shown.emulate_media(media="screen")
    switch(shown)
    shown.emulate_media(media="print")
    printed = [each for each in PRIVATE if each not in ASKED_FOR]
    assert found(shown.locator("body").inner_text()) == printed


@pytest.mark.parametrize("words", ["southern depot", "corridor for the pipeline", LINE])
def test_nothing_private_is_found_until_the_layer_is_on(
    opens: Opens, file: Path, words: str
) -> None:
    shown = opens(file).page
    counted = shown.locator("#filter-said")
    shown.locator("#find").fill(words)
    assert counted.inner_text() == "8 turns; 0 found"

    switch(shown)
    assert re.search(r"^9 turns; [1-9]\d* found", counted.inner_text())
    switch(shown)
    assert counted.inner_text() == "8 turns; 0 found"


def test_a_card_tells_what_the_page_tells(opens: Opens, file: Path) -> None:
    shown = opens(file).page
    card = shown.locator("#card")
    shown.locator("#T1 a.judged").first.hover()
    card.get_by_text("It is on record.").wait_for()
    assert found(card.inner_text()) == []

    shown.keyboard.press("Escape")
    switch(shown)
    shown.locator("#T1 a.judged").first.hover()
    card.get_by_text(PARAPHRASE).wait_for()


def test_a_card_of_a_private_position_comes_only_with_the_layer(opens: Opens, file: Path) -> None:
    shown = opens(file).page
    link = "document.querySelector('#T1 .cites a.cite')"
    shown.evaluate(f"{link}.setAttribute('href', '#pos-{LINE}')")
    shown.locator("#T1 .cites a.cite").hover()
    shown.wait_for_timeout(500)
    assert not shown.locator("#card").is_visible()

    switch(shown)
    shown.locator("#T1 .cites a.cite").hover()
    shown.locator("#card").get_by_text("seventy launchers").wait_for()


def test_the_app_shows_no_more_than_the_file(
    opens: Opens,
    app_over: AppOver,  # noqa: F811
    path: Path,
) -> None:
    address = app_over(path.parent)
    shown = opens(f"{address}/debates/debate").page
    assert seen(shown) == []
    switch(shown)
    assert seen(shown) == list(PRIVATE)

    shown.goto(address)
    shown.get_by_role("link", name="debate", exact=True).wait_for()
    assert found(shown.locator("html").inner_text()) == []
