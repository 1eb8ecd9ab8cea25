"""Labelling by keys in a real browser, up to what it does to a judge, and for everybody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.viewer.app import labelling, shelf
from tests.browser.conftest import Opens
from tests.browser.serving import AppOver
from tests.browser.serving import app_over as app_over
from tests.evals.test_labelling import EXAMPLE
from tests.models.server import ChatServer
from tests.viewer.test_labelling import (
    SECRET,
    Annotator,
    calibrated_anew,
    judged,
    planted,
    rows,
    scored,
    sees,
    sterner,
)

KEYS = {"supported": "1", "partial": "2", "contradicted": "3", "unsupported": "4", "no_claim": "5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "debates").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "debates/talks.jsonl")
    return tmp_path / "debates"


@pytest.fixture
def address(folder: Path, app_over: AppOver) -> str:
    return app_over(folder, rooms=[shelf, labelling])


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer().running() as running:
        running.ordinary = planted
        yield running


def begins(page: Page, who: str, order: str = "random", seed: str = "7") -> None:
    page.get_by_label("Your name").fill(who)
    page.check(f"#order-{order}")
    page.get_by_label("Seed of the lot").fill(seed)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/label/claim**")


def words(page: Page) -> str:
    said = page.locator("#claim .said").text_content()
    assert said is not None
    return said.strip("\u201c\u201d")


def presses(page: Page, key: str) -> None:
    """A key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_one_labels_by_keys_and_one_by_forms_and_the_judge_s_calibration_changes(
    folder: Path,
    address: str,
    opens: Opens,
    server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKTWO_CALIBRATIONS", str(folder.parent / "none"))
    before = scored(folder / "talks.jsonl", server)
    assert before.judge is not None
    assert not before.judge.calibrated
    page = opens(f"{address}/label").page
    begins(page, "Anna")
    for _ in range(50):
        presses(page, KEYS[sees(words(page))])
    assert len(rows(folder, "anna")) == 50
    bo = Annotator(folder, "bo").begins()
    for _ in range(50):
        bo.gives(sterner(bo.words))

    measured = calibrated_anew(folder, server, monkeypatch)
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_text("50 claims have labels of two people or more.")).to_be_visible()
    expect(page.get_by_text("Krippendorff")).to_contain_text("alpha 0.")
    page.get_by_role("button", name="Write the labels on geneva-2021").click()
    expect(page.get_by_text("tracktwo calibrate --judge MODEL --gold")).to_be_visible()
    both = measured("geneva-2021.everybody.csv")
    assert both.score.judge is not None
    assert both.score.judge.calibrated
    assert both.corrected != both.score.value
    assert both.calibration.measures.human_kappa is not None

    # They talk; Anna comes round on some, with the keyboard again.
    page.get_by_role("button", name="on which you and others differ").click()
    for _ in range(3):
        page.goto(f"{address}/label/agreement?who=anna&order=random&seed=7")
        with page.expect_navigation():
            page.get_by_role("link", name="Open it").first.click()
        presses(page, KEYS[sterner(words(page))])
    page.goto(f"{address}/label/agreement?who=anna&order=random&seed=7")
    page.get_by_role("button", name="Write the labels on geneva-2021").click()
    after = measured("geneva-2021.everybody.csv")
    assert after.kappa != both.kappa
    assert after.corrected != both.corrected
    # What they agreed on by talking is no agreement between people.
    assert sum(row.mode == "open" for row in rows(folder, "anna").values()) == 3
    expect(page.get_by_role("heading", name="Labels as they stand")).to_be_visible()


def test_every_key_does_what_it_says(folder: Path, address: str, opens: Opens) -> None:
    judged(folder)
    page = opens(f"{address}/label").page
    begins(page, "anna", order="red_lines")
    expect(page.locator("#claim")).to_be_focused()
    first = words(page)
    page.keyboard.press("a")
    expect(page.locator("[data-key=a]")).to_be_checked()
    page.keyboard.press("n")
    page.keyboard.type("12 sub x?")  # in the note, letters are letters
    expect(page.get_by_label("Note")).to_have_value("12 sub x?")
    page.keyboard.press("Escape")
    expect(page.locator("#claim")).to_be_focused()
    presses(page, "2")
    expect(page.get_by_role("status")).to_contain_text("Partly supported: kept.")
    (row,) = rows(folder, "anna").values()
    assert (row.label, row.note, len(row.positions)) == ("partial", "12 sub x?", 1)
    second = words(page)
    presses(page, "s")
    presses(page, "u")
    assert words(page) == second
    presses(page, "b")
    assert words(page) == first
    expect(page.locator("[data-key=a]")).to_be_checked()
    expect(page.get_by_role("button", name="Partly supported (your label)")).to_be_visible()
    assert SECRET not in page.content()
    presses(page, "v")
    expect(page.get_by_text(SECRET)).to_be_visible()
    presses(page, ">")
    assert words(page) == second
    page.keyboard.press("?")
    expect(page.get_by_text("give a label and go on")).to_be_visible()


def test_single_keys_can_be_turned_off_and_stay_off(
    folder: Path, address: str, opens: Opens
) -> None:
    page = opens(f"{address}/label").page
    begins(page, "anna")
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.reload()
    page.keyboard.press("2")
    page.keyboard.press("a")
    expect(page.locator("[data-key=a]")).not_to_be_checked()
    assert not (folder / "labels").exists()
    page.get_by_role("button", name="Partly supported").press("Enter")
    page.wait_for_url("**gave=**")
    assert len(rows(folder, "anna")) == 1


PRESS = """([keys, repeat]) => { for (const key of keys) document.dispatchEvent(
    new KeyboardEvent("keydown", {key, repeat, bubbles: true})); }"""


def test_of_two_keys_at_once_the_first_counts_and_a_key_held_down_does_nothing(
    folder: Path, address: str, opens: Opens
) -> None:
    page = opens(f"{address}/label").page
    begins(page, "anna")
    page.evaluate(PRESS, [["2"], True])
    with page.expect_navigation():
        page.evaluate(PRESS, [["3", "4"], False])
    (row,) = rows(folder, "anna").values()
    assert row.label == "contradicted"
    expect(page.get_by_role("status")).to_contain_text("Contradicted: kept.")


def test_without_scripts_everything_can_be_done(folder: Path, address: str, opens: Opens) -> None:
    page = opens(f"{address}/label", javascript=False).page
    begins(page, "anna")
    page.locator("[name=positions]").first.check()
    page.get_by_role("button", name="Contradicted").click()
    page.wait_for_url("**gave=**")
    (row,) = rows(folder, "anna").values()
    assert (row.label, len(row.positions)) == ("contradicted", 1)
    expect(page.get_by_label("Single keys do something")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    assert rows(folder, "anna") == {}


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (360, False), (360, True)]
)
def test_everybody_can_read_and_use_it(
    folder: Path, address: str, opens: Opens, width: int, dark: bool
) -> None:
    judged(folder)
    for who in ("bo", "cy"):
        other = Annotator(folder, who).begins()
        for label in ("partial", "supported" if who == "bo" else "no_claim"):
            other.gives(label)
    watched = opens(f"{address}/label", width=width, dark=dark)
    page = watched.page
    watched.accessible()
    begins(page, "anna")
    watched.accessible()
    presses(page, "2")
    presses(page, "b")
    presses(page, "v")
    page.get_by_text("What was said before").or_(page.get_by_text("Keys")).first.click()
    watched.accessible()
    page.goto(f"{address}/label/agreement?who=bo&order=random&seed=7")
    page.get_by_role("button", name="on which you and others differ").click()
    expect(page.get_by_role("table").first).to_be_visible()
    watched.accessible()
    for there in (page.url, f"{address}/label/next?who=anna&order=random&seed=7"):
        page.goto(there)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
