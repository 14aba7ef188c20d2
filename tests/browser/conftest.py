"""Headless Chromium, driven by Playwright.

Set QUART_SCREENSHOTS to a folder to have pictures of the pages.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

# The tests' own modules, and example_server, which the examples' own tests use.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))

HOW = "Chromium is not installed: apt-get install chromium"
WAIT_MILLISECONDS = 20_000


def _find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    if os.environ.get("QUART_PEERS") == "required":
        pytest.fail(HOW)
    pytest.skip(HOW)


# Ends with the module: until then its event loop is in the way of others.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = _find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            # Root may not use the sandbox; containers have little shared memory.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here, and that trusts any certificate."""
    context = browser.new_context(
        ignore_https_errors=True, viewport={"width": 1000, "height": 700}
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def take_picture() -> Callable[[Page, str], None]:
    """Take a picture of a page, if anybody wants one."""

    def take(page: Page, name: str) -> None:
        folder = os.environ.get("QUART_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png")

    return take
