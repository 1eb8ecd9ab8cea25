"""The shelf and an experiment's page in a real browser, used as a reader would."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from harness.sweep.running import run_experiment
from tests.browser.conftest import Opens
from tests.browser.serving import AppOver, app_over  # noqa: F401 (a fixture)
from tests.viewer.hostile import hostile
from tests.viewer.shelved import ALL_AGREED, LITTLE_AGREED, SIX, SOME_AGREED, aged, put, score

MANY = 130
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
EXPERIMENT = """
id: small
question: Do more rounds bring more agreement?
setting: geneva-2021
agenda: summit
items: [libya, syria]
seeds: 2
common: {model: reference}
arms: [{id: usual}, {id: one, rules: {rounds: 1}}, {id: five, rules: {rounds: 5}}, {id: same}]
baseline: usual
primary: {metric: agreement/agreement_rate, of: debate, smallest: 0.1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many debates, an experiment, and what goes wrong."""
    base = tmp_path_factory.mktemp("shelf")
    folder = base / "debates"
    score(put(folder, "mixed", SOME_AGREED, models={"us": "openai:large"}, prompts={"us": "hawk"}))
    score(put(folder, "harmony", ALL_AGREED))
    put(folder, "october/six", SIX)
    put(folder, "open", cut=60)
    aged(hostile(folder))
    put(folder, HOSTILE.replace("/", ""), LITTLE_AGREED)
    (folder / "wrong.jsonl").write_text("{oops\n")
    first = put(folder, "copies/000", LITTLE_AGREED, created="2020-01-01T00:00:00+00:00")
    for number in range(1, MANY):
        shutil.copy2(first, folder / "copies" / f"{number:03}.jsonl")
    (base / "small.yaml").write_text(EXPERIMENT)
    run_experiment(base / "small.yaml", out=folder / "rounds")
    return folder


@pytest.fixture
def address(
    folder: Path,
    app_over: AppOver,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    monkeypatch.setenv("TRACKTWO_CACHE", str(tmp_path / "cache"))
    return app_over(folder)


def asked(page: Page) -> list[tuple[str, str]]:
    """What the address asks for."""
    return parse_qsl(urlsplit(page.url).query)


def found(page: Page) -> list[str]:
    """The debates in the table."""
    return page.locator("table.shelf tbody th a").all_inner_texts()


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return bool(wide)


def test_a_reader_searches_filters_and_sets_two_beside_each_other(
    address: str, opens: Opens
) -> None:
    watched = opens(address, checked=False)  # the page they are set beside on is another's
    page = watched.page
    total = MANY + 7 + 16
    expect(page.locator(".count")).to_have_text(f"{total} of {total} debates, page 1 of 2")
    page.keyboard.press("/")
    page.keyboard.type("geneva october")
    page.keyboard.press("Enter")
    expect(page.locator(".count")).to_have_text(f"1 of {total} debates")
    assert asked(page) == [("q", "geneva october")]
    assert found(page) == ["six"]

    page.get_by_role("link", name="Everything again").first.click()
    page.get_by_text("Filter and sort").click()
    page.get_by_role("combobox", name="Party").select_option(label=f"US ({total - 1})")
    page.get_by_role("combobox", name="Sort by").select_option("agreed")
    page.get_by_role("group", name="Votes in line").get_by_label("from").fill("1")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".count")).to_contain_text("that would fit otherwise have no such score")
    assert asked(page) == [("party", "us"), ("sort", "agreed"), ("in_line_from", "1")]
    assert found(page) == ["harmony", "mixed"]
    expect(page.locator("details.filters summary")).to_have_text(
        "Filter and sort: party us; votes in line from 1 %; sorted by outcome, "
        "largest or latest first"
    )
    expect(page.locator("select[name=party]")).to_have_value("us")

    compare = page.get_by_role("button", name="Compare the chosen")
    expect(compare).to_be_disabled()
    for name in ("mixed", "harmony"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    expect(page.locator("#chosen")).to_have_text("2 are chosen.")
    watched.check()
    compare.click()
    page.wait_for_url("**/compare?**")
    assert urlsplit(page.url).path == "/compare"
    assert asked(page) == [("d", "harmony"), ("d", "mixed")]


def test_what_is_chosen_goes_along_from_page_to_page_and_when_sorted(
    address: str, opens: Opens
) -> None:
    watched = opens(f"{address}/?sort=name", checked=False)
    page = watched.page
    page.get_by_role("checkbox", name="Compare 007").check()
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".count")).to_contain_text("page 2 of 2")
    assert dict(asked(page)) == {"sort": "name", "page": "2", "d": "copies/007"}
    expect(page.locator("#chosen")).to_have_text("One is chosen: choose 2 to 4 debates.")
    page.get_by_role("checkbox", name="Compare mixed").check()
    page.locator("#q").fill("nothing is called so")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_have_text("2 are chosen.")
    page.get_by_role("link", name="Everything again").click()
    page.get_by_role("link", name="Turns").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Turns ↓")
    expect(page.locator("#chosen")).to_have_text("2 are chosen.")
    watched.check()
    page.get_by_role("button", name="Compare the chosen").click()
    page.wait_for_url("**/compare?**")
    assert sorted(asked(page)) == [("d", "copies/007"), ("d", "mixed")]


def test_no_more_than_four_are_set_beside_each_other(address: str, opens: Opens) -> None:
    page = opens(f"{address}/?q=copies&sort=name").page
    compare = page.get_by_role("button", name="Compare the chosen")
    for number in range(5):
        page.get_by_role("checkbox", name=f"Compare {number:03}").check()
        expect(compare).to_be_enabled(enabled=1 <= number <= 3)
    expect(page.locator("#chosen")).to_have_text("5 are chosen: choose at most 4.")
    page.get_by_role("checkbox", name="Compare 003").uncheck()
    expect(compare).to_be_enabled()


def test_a_page_gone_back_to_knows_what_was_chosen(address: str, opens: Opens) -> None:
    page = opens(f"{address}/?q=rounds&sort=name").page
    boxes = page.locator("table.shelf input[name=d]")
    for number in range(2):
        boxes.nth(number).check()
    page.locator("table.shelf tbody th a").first.click()
    page.wait_for_url("**/debates/**")
    page.go_back()
    page.wait_for_url("**/?q=rounds**")
    checked = page.locator("table.shelf input[name=d]:checked").count()
    compare = page.get_by_role("button", name="Compare the chosen")
    expect(compare).to_be_enabled(enabled=checked == 2)


def test_without_javascript_it_is_all_there(address: str, opens: Opens) -> None:
    page = opens(address, javascript=False, checked=False).page
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Search names").fill("copies")
    page.get_by_role("combobox", name="Outcome").select_option("some")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/?q=copies**")
    assert asked(page) == [("q", "copies"), ("outcome", "some")]
    expect(page.locator(".count")).to_have_text(f"{MANY} of {MANY + 23} debates, page 1 of 2")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Next page").click()
    page.wait_for_url("**page=2**")
    page.locator("table.shelf").get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Compare the chosen").click()
    page.wait_for_url("**/compare?**")
    assert len([value for name, value in asked(page) if name == "d"]) == 2


def test_names_out_of_files_are_words_and_nothing_more(address: str, opens: Opens) -> None:
    page = opens(f"{address}/?sort=name").page
    name = HOSTILE.replace("/", "")
    row = page.locator("tr", has=page.get_by_role("link", name=name, exact=True))
    expect(row).to_be_visible()
    page.goto(f"{address}/?q=hostile")
    assert found(page) == ["hostile"]
    assert page.title() == "Debates · tracktwo"
    assert page.locator("main img, main script").count() == 0
    page.goto(f"{address}/?outcome=broken")
    expect(page.locator("td.wrong")).to_have_text(
        "Broken: wrong.jsonl:1: not a transcript: its first line is no JSON. "
        "Name a file that `tracktwo run` wrote."
    )


def test_from_the_shelf_to_an_experiment_its_results_and_a_debate(
    address: str, opens: Opens
) -> None:
    page = opens(address).page
    page.get_by_role("link", name="rounds", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Do more rounds bring more agreement?"
    )
    expect(page.locator("table.arms")).to_contain_text("usual baseline")
    five = page.locator("details", has=page.get_by_role("heading", name="five", exact=True))
    debate = five.get_by_role("link", name="five, libya, seed 2")
    expect(debate).to_be_hidden()
    page.locator("table.arms").get_by_role("link", name="five").click()
    expect(debate).to_be_visible()

    page.get_by_role("link", name="What the 16 finished debates came to").click()
    expect(page.get_by_role("heading", name="Declared and found")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.kicker')).marginTop") == "0px"
    page.locator("ul.seeds a").first.click()
    page.wait_for_url("**/debates/rounds/**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Experiment small").click()
    page.get_by_role("link", name="Search, sort and compare them").click()
    expect(page.locator(".count")).to_contain_text("16 of")


PAGES = (
    "/",
    "/?sort=in-line&party=us&d=mixed",
    "/experiments/rounds",
    "/experiments/rounds/results",
)


@pytest.mark.parametrize("where", PAGES)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_it_can_be_read_by_everybody_on_anything(
    address: str, opens: Opens, where: str, width: int, dark: bool
) -> None:
    watched = opens(f"{address}{where}", width=width, dark=dark)
    folded = watched.page.locator("details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    watched.accessible()
    assert fits(watched.page)
