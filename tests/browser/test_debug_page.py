"""The page that a developer sees when a view fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from example_server import ExampleServer
from playwright.sync_api import Page, expect

APP = """
from quart import Quart

app = Quart(__name__)

@app.get("/")
async def index():
    password = "hunter2"
    films = {"one": "<script>document.title = 'changed'</script>"}
    return films["two"]
"""


@pytest.fixture
def server(tmp_path: Path) -> ExampleServer:
    (tmp_path / "app.py").write_text(APP)
    return ExampleServer(str(tmp_path), env={"QUART_DEBUG": "1"})


def test_page_points_at_the_line_that_failed(
    page: Page, server: ExampleServer, take_picture: Callable[[Page, str], None]
) -> None:
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    with server:
        response = page.goto(server.url)
        take_picture(page, "debug-page")
        assert response is not None
        assert response.status == 500
        expect(page.locator("body")).to_contain_text("KeyError")
        expect(page.locator("body")).to_contain_text("app.py")
        expect(page.get_by_text('return films["two"]').first).to_be_visible()
    assert failures == []


def test_page_shows_values_as_text_and_masks_secrets(
    page: Page, server: ExampleServer, take_picture: Callable[[Page, str], None]
) -> None:
    with server:
        page.goto(server.url)
        page.get_by_text("2 local variables").click()
        take_picture(page, "debug-page-open")
        assert page.title() != "changed"
        films = page.get_by_role("row").filter(has_text="films").first
        expect(films).to_contain_text("<script>document.title")
        password = page.get_by_role("row").filter(has_text="password").first
        expect(password).to_be_visible()
        expect(password).not_to_contain_text("hunter2")
