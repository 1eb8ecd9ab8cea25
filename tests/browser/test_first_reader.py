"""Somebody who has never seen the project opens one page and finds the four answers.

Each answer is found by words that can be seen, with at most two clicks.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from evals.concessions import ledger
from evals.record import decisions
from harness.transcript import Transcript, read
from harness.viewer.page.page import page
from harness.viewer.reading import reading_of
from tests.browser.conftest import Opens

EXAMPLES = Path(__file__).parents[2] / "transcripts" / "examples"
NAME = "scripted-us-votes-against-its-own-text"


class Reader:
    """Reads what is visible, and counts what they click."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, words: str | re.Pattern[str]) -> None:
        self.clicks += 1
        self.page.get_by_text(words).locator("visible=true").first.click()

    def under(self, heading: str) -> Locator:
        """The part of the page below a heading that can be seen."""
        title = self.page.get_by_role("heading", name=heading)
        expect(title).to_be_visible()
        return title.locator("xpath=..")


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: what lies beside an example must not change what the page says."""
    folder = tmp_path_factory.mktemp("talks")
    return Path(shutil.copy(EXAMPLES / f"{NAME}.jsonl", folder))


@pytest.fixture(scope="module")
def record(talks: Path) -> Transcript:
    return read(talks)


@contextmanager
def reading(opens: Opens, talks: Path, at_most: int) -> Iterator[Reader]:
    reader = Reader(opens(page(reading_of(talks))).page)
    yield reader
    assert reader.clicks <= at_most


def test_what_was_agreed_and_by_whom(opens: Opens, talks: Path, record: Transcript) -> None:
    adopted = [d for d in decisions(record).values() if d.outcome == "adopted"]
    with reading(opens, talks, at_most=1) as reader:
        found = reader.under("What was agreed, and by whom")
        expect(found).to_contain_text(f"{len(adopted)} of {len(record.state.issues)} issues")
        for decision in adopted:
            label = record.setting.option(f"{decision.issue}/{decision.option}").label
            expect(found).to_contain_text(label)
        expect(found).to_contain_text("United States, Russia")
        reader.click("3 not agreed, and who holds what")
        expect(found).to_contain_text(record.setting.issue("whelan-reed").heading)
        expect(found).to_contain_text("Confidential channel, no outcome fixed")


def test_who_gave_most(opens: Opens, talks: Path, record: Transcript) -> None:
    given = {
        party.name.removeprefix("the "): sum(s.size for s in ledger(record) if s.party == party.id)
        for party in record.setting.parties
    }
    most = max(given, key=lambda name: given[name])
    with reading(opens, talks, at_most=1) as reader:
        found = reader.under("Who gave most")
        expect(found).to_contain_text(f"{most}, {given[most]} points")
        reader.click(re.compile("from “Measures stay"))
        turn = reader.page.locator(reader.page.evaluate("location.hash"))
        expect(turn).to_be_in_viewport()
        expect(turn).to_contain_text("Standstill while talks proceed")


def test_which_statement_departs_furthest_and_what_the_source_says(
    opens: Opens, talks: Path, record: Transcript
) -> None:
    source = record.setting.position("us-dc-2").source
    with reading(opens, talks, at_most=1) as reader:
        found = reader.under("Furthest from a documented position")
        expect(found).to_contain_text("T7")
        expect(found).to_contain_text("rejected “Confidential channel, no outcome fixed”")
        expect(found).to_contain_text("We decide on the text before us")
        for part in (source.title, source.publisher, str(source.date)):
            expect(found).to_contain_text(part)
        expect(found).to_contain_text("No judge has read")  # what it stands on is said
        reader.clicks += 1
        found.get_by_role("link", name="us-dc-2").click()
        lead = reader.page.locator(f'a[href="{source.url}"]').locator("visible=true").first
        expect(lead).to_be_in_viewport()


def test_how_it_differs_from_history(opens: Opens, talks: Path) -> None:
    with reading(opens, talks, at_most=1) as reader:
        found = reader.under("How it differs from history")
        expect(reader.page.get_by_text("agreed in part").first).to_be_hidden()  # guess first
        reader.click("Show what history did")
        expect(found).to_contain_text("2 of 3 issues came out as at the summit")
        row = found.get_by_role("row").filter(has_text="Whelan and Reed")
        expect(row).to_be_visible()
        expect(row).to_contain_text("in brackets")
        expect(row).to_contain_text("agreed in part")
        expect(row).to_contain_text("2021-06-16")


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.jsonl")))
def test_the_four_headings_answer_on_every_example(opens: Opens, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copy(EXAMPLES / f"{name}.jsonl", tmp_path))
    reader = Reader(opens(page(reading_of(copy, public=True)), width=360).page)
    for heading in (
        "What was agreed, and by whom",
        "Who gave most",
        "Furthest from a documented position",
        "How it differs from history",
    ):
        assert len(reader.under(heading).inner_text()) > len(heading) + 10
