"""What a newcomer sees in a browser: pages that load themselves anew, error pages."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import quote

import pytest
from newcomer_command import Running, quart

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 30.0
MILLISECONDS = SECONDS * 1000

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(sys.platform == "win32", reason="uses signals"),
    pytest.mark.timeout(240),
]

APP = """
    from quart import Quart, request
    app = Quart(__name__)
    @app.get("/")
    async def index():
        return "<!doctype html><title>x</title><h1>first</h1>"
    @app.get("/strict")
    async def strict():
        policy = "default-src 'none'; script-src 'nonce-abc'; connect-src 'self'"
        return "<!doctype html><h1>first</h1>", {"Content-Security-Policy": policy}
    @app.get("/forbidden")
    async def forbidden():
        policy = "default-src 'none'"
        return "<!doctype html><h1>first</h1>", {"Content-Security-Policy": policy}
    @app.get("/hostile")
    async def hostile():
        text = request.args["text"]
        local = {text: text}
        class Hostile(Exception):
            def __repr__(self):
                return text
        error = Hostile(text)
        raise ExceptionGroup(text, [error, LookupError(error)])
"""
ATTACKS = (
    "<script>window.attacked = 1</script>",
    "</script><script>window.attacked = 1</script>",
    "</style></pre></title><img src=x onerror='window.attacked = 1'>",
    "\"><svg onload='window.attacked = 1'>",
)


@pytest.fixture
async def page() -> AsyncIterator[Any]:
    """A page of a browser without a window, which notes errors and requests."""
    api = pytest.importorskip("playwright.async_api")
    # The browser's own choice of a proxy does not concern a server on this machine.
    names = {"http_proxy", "https_proxy", "all_proxy"}
    environment = {k: v for k, v in os.environ.items() if k.lower() not in names}
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], env=environment
        )
        page = await browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        yield page
        await browser.close()


def write(folder: Path, text: str = APP) -> None:
    (folder / "app.py").write_text(dedent(text))


async def heading(page: Any, text: str) -> None:
    """Wait until a page has a heading; the page's policy allows no script for that."""
    await page.locator("h1", has_text=text).wait_for(timeout=MILLISECONDS)


async def test_pages_load_anew_after_each_save(page: Any, tmp_path: Path) -> None:
    write(tmp_path)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    with Running(tmp_path, quart("dev", "-p", "0")) as server:
        url = server.url()
        for path in ("/", "/strict"):
            await page.goto(url + path)
            assert await page.inner_text("h1") == "first"
            write(tmp_path, APP.replace("first", "second"))
            await heading(page, "second")
            # An error is shown, and the next save mends the page by itself.
            write(tmp_path, APP.replace("first", "second") + "    broken(\n")
            await heading(page, "SyntaxError")
            write(tmp_path)
            await heading(page, "first")
        await page.goto(f"{url}/forbidden")
        assert await page.locator("script").count() == 0
        server.line_with(
            "The browser does not reload by itself: the page's Content-Sec"
        )
        refusals = [text for text in refused if "Content Security Policy" in text]
        assert refusals == []


async def test_an_error_of_a_view_is_left_by_the_next_save(
    page: Any, tmp_path: Path
) -> None:
    write(tmp_path, APP.replace("return", "raise LookupError('gone') #", 1))
    with Running(tmp_path, quart("dev", "-p", "0")) as server:
        url = server.url()
        await page.goto(url)
        assert await page.title() == "LookupError: gone"
        assert "app.py:6" in await page.inner_text(".frame .where")
        async with page.expect_download() as download:
            await page.click("text=Save as test")
        assert (await download.value).suggested_filename == "test_error_get.py"
        await page.click(".kept a")
        assert page.url == f"{url}/_quart/error/1"
        assert await page.title() == "LookupError: gone"
        await page.goto(url)
        write(tmp_path)
        await heading(page, "first")


async def test_nothing_that_is_shown_of_an_error_is_executed(
    page: Any, tmp_path: Path
) -> None:
    write(tmp_path)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with Running(tmp_path, quart("dev", "-p", "0")) as server:
        url = server.url()
        await page.set_extra_http_headers({"X-Hostile": ATTACKS[0]})
        for number, attack in enumerate(ATTACKS, 1):
            for place in (f"/hostile?text={quote(attack)}", f"/_quart/error/{number}"):
                await page.goto(url + place)
                assert "ExceptionGroup" in await page.title()
                assert attack in await page.inner_text("header .message")
                for summary in await page.locator("summary").all():
                    await summary.click()
                assert await page.evaluate("window.attacked") is None
                assert await page.locator("img, svg, iframe, object").count() == 0
    own = (f"{url}/hostile", f"{url}/_quart/")
    assert [each for each in requests if not each.startswith(own)] == []
