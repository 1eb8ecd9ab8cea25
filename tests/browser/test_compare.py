"""Comparing debates in a real browser: chosen, switched, read turn by turn, wide and narrow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.serving import AppOver, app_over  # noqa: F401 (a fixture)
from tests.viewer.hostile import hostile

EXAMPLES = Path(__file__).resolve().parents[2] / "transcripts" / "examples"
ONE, OTHER = "reference-eight-of-twelve", "embedded-model-guarded"
THIRD, SIX = "scripted-us-votes-against-its-own-text", "six-parties-on-nord-stream-2"
BOTH = f"/compare?d={ONE}&d={OTHER}"
ALL = f"/compare?d={ONE}&d={OTHER}&d={THIRD}&d={SIX}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    talks = tmp_path / "talks"
    talks.mkdir()
    for name in (ONE, OTHER, THIRD, SIX):
        shutil.copy(EXAMPLES / f"{name}.jsonl", talks)
    return talks


@pytest.fixture
def app(app_over: AppOver, folder: Path) -> str:  # noqa: F811
    return app_over(folder)


def fits(page: Page) -> bool:
    """Nothing of the page is cut off or has to be scrolled to the side."""
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return wide


def issues(page: Page) -> list[str]:
    rows = page.locator("table.issues tbody tr:visible th[scope=row] > bdi")
    return [text.strip() for text in rows.all_inner_texts()]


@pytest.mark.parametrize(
    ("address", "width", "dark"),
    [(BOTH, 1280, False), (BOTH, 360, True), (ALL, 1280, True), (ALL, 360, False)],
)
def test_the_page_can_be_read_by_everybody(
    opens: Opens,
    app: str,
    address: str,
    width: int,
    dark: bool,
) -> None:
    watched = opens(app + address, width=width, dark=dark)
    page = watched.page
    page.get_by_role("button", name="Open all items").click()
    assert page.locator("details.about:not([open])").count() == 0
    watched.accessible()
    assert fits(page)


def test_debates_are_chosen_on_the_shelf_and_compared(opens: Opens, app: str) -> None:
    page = opens(app + "/compare").page
    page.get_by_role("link", name="on the shelf").click()
    page.get_by_label(f"Compare {ONE}").check()
    page.get_by_label(f"Compare {OTHER}").check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparing two debates")


@pytest.mark.parametrize("javascript", [True, False])
def test_debates_are_chosen_from_lists(opens: Opens, app: str, javascript: bool) -> None:
    watched = opens(app + f"/compare?d={ONE}", javascript=javascript)
    page = watched.page
    if javascript:
        watched.accessible()
    expect(page.get_by_label("Debate A")).to_have_value(ONE)
    page.get_by_label("Debate B").select_option(OTHER)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparing two debates")
    assert page.url.endswith(BOTH)


def test_the_switch_acts_at_once_and_stays_in_the_address(opens: Opens, app: str) -> None:
    page = opens(app + BOTH).page
    box = page.get_by_label("Only different outcomes")
    assert len(issues(page)) == 12
    expect(page.locator("#only button")).to_be_hidden()
    page.evaluate("window.same = true")
    box.check()
    assert len(issues(page)) == 7
    assert "Climate cooperation" not in issues(page)
    assert page.evaluate("window.same") is True
    assert page.url.endswith("&show=different")
    page.get_by_role("link", name="Hold the texts against B").click()
    expect(page.get_by_role("link", name="Hold the texts against A")).to_be_visible()
    expect(page.get_by_label("Only different outcomes")).to_be_checked()
    assert len(issues(page)) == 7
    page.get_by_label("Only different outcomes").uncheck()
    assert len(issues(page)) == 12
    assert "show=" not in page.url
    page.get_by_label("Only different outcomes").check()
    page.reload()
    assert len(issues(page)) == 7


def test_without_javascript_the_switch_is_a_form(opens: Opens, app: str) -> None:
    page = opens(app + f"{BOTH}&base=B", javascript=False).page
    page.get_by_label("Only different outcomes").check()
    page.get_by_role("button", name="Show").click()
    assert len(issues(page)) == 7
    assert "base=B" in page.url
    expect(page.get_by_role("link", name="Hold the texts against A")).to_be_visible()


def test_a_turn_leads_to_its_place_in_its_debate(opens: Opens, app: str) -> None:
    page = opens(app + BOTH).page
    page.locator("#turns ~ details").get_by_role("link", name="B T4").first.click()
    expect(page.locator("#T4")).to_be_in_viewport()
    assert page.url.endswith(f"/debates/{OTHER}#T4")


def test_what_is_inserted_and_deleted_is_told_without_colour(opens: Opens, app: str) -> None:
    page = opens(app + BOTH).page
    lines = {
        name: page.locator(f".paragraph {name}").first.evaluate(
            "each => getComputedStyle(each).textDecorationLine"
        )
        for name in ("del", "ins")
    }
    assert lines == {"del": "line-through", "ins": "underline"}


def test_columns_stand_side_by_side_when_wide_and_below_each_other_when_narrow(
    opens: Opens, app: str
) -> None:
    address = app + BOTH
    for width, beside in ((1280, True), (360, False)):
        page = opens(address, width=width).page
        first, second = (page.locator(".debates > li").nth(n).bounding_box() for n in (0, 1))
        assert first is not None
        assert second is not None
        assert (first["y"] == second["y"]) is beside


def test_a_hostile_debate_can_be_compared(
    opens: Opens,
    app: str,
    folder: Path,
) -> None:
    hostile(folder)
    watched = opens(app + f"/compare?d=hostile&d={ONE}", width=360)
    expect(watched.page).to_have_title("Comparing debates · tracktwo")
    assert watched.page.locator("main script, main img").count() == 0
    watched.accessible()
    assert fits(watched.page)
