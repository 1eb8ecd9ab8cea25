"""A real browser: the system's Chromium, headless, with everything that goes wrong written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 20_000
"""Milliseconds; a machine that does other work besides is slow to show what it will show."""

expect.set_options(timeout=PATIENCE)

HERE = ("file", "data", "blob", "about")


@dataclass
class Watched:
    """A page of the browser, and what should not have happened on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    """Errors and warnings on the console, uncaught exceptions, refusals by the page's policy."""
    left: list[str] = field(default_factory=list)
    """Addresses outside this machine that were asked for."""

    def check(self) -> None:
        """Nothing went wrong and nothing left the page."""
        assert self.errors == []
        assert self.left == []

    def accessible(self, *ignored: str) -> None:
        """No serious or critical finding of axe."""
        found = Axe().run(self.page).response["violations"]
        serious = [
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']][:4]}"
            for each in found
            if each["impact"] in ("serious", "critical") and each["id"] not in ignored
        ]
        assert serious == []


Opens = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Per module: as long as it runs, its event loop keeps other tests from running theirs."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium: .ci/run installs it")
        pytest.skip("no Chromium here: install your system's package `chromium`")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture
def opens(browser: Browser, tmp_path: Path) -> Iterator[Opens]:
    """Open an address, a file or a page's HTML; at the test's end all pages are checked."""
    contexts: list[BrowserContext] = []
    opened: list[Watched] = []

    def open_(
        what: str | Path,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        checked: bool = True,
        javascript: bool = True,
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watched = Watched(context.new_page())
        _watch(watched)
        if checked:
            opened.append(watched)
        watched.page.goto(_address(what, tmp_path))
        return watched

    yield open_
    for watched in opened:
        watched.check()
    for context in contexts:
        context.close()


def _address(what: str | Path, folder: Path) -> str:
    if isinstance(what, Path):
        return what.resolve().as_uri()
    if what.startswith(("http://", "https://", "file://")):
        return what
    file = folder / f"page-{len(list(folder.glob('page-*.html')))}.html"
    file.write_text(what, encoding="utf-8")
    return file.resolve().as_uri()


def _watch(watched: Watched) -> None:
    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in HERE and address.hostname not in ("127.0.0.1", "localhost"):
            watched.left.append(request.url)

    watched.page.on("request", asked)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    watched.page.on(
        "console",
        lambda said: (
            watched.errors.append(f"{said.type}: {said.text}")
            if said.type in ("error", "warning")
            else None
        ),
    )
