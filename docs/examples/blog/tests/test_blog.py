from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from quart.testing import QuartClient
from werkzeug.security import generate_password_hash

PASSWORD = "correct horse"


@pytest.fixture
def fast_hashes(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed slowly on purpose, which is for attackers."""
    fast = partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr("blog.accounts.generate_password_hash", fast)


@pytest.fixture
async def client(app: Quart, tmp_path: Path, fast_hashes: None) -> AsyncIterator[Any]:
    app.config.update(DATABASE=tmp_path / "blog.sqlite", SECRET_KEY="of the tests")
    async with app.test_app() as test_app:
        yield test_app.test_client()


async def page_of(client: QuartClient, path: str, status: int = 200) -> str:
    response = await client.get(path, follow_redirects=True)
    assert response.status_code == status
    return await response.get_data(as_text=True)


async def send(client: QuartClient, path: str, **form: str) -> Any:
    """Fill in the form of a page and send it, as a browser does."""
    page = await page_of(client, path)
    tokens = re.findall('name="csrf_token" value="(.+?)"', page)
    # The last form is that of the page, the first that of the navigation.
    return await client.post(path, form={"csrf_token": tokens[-1], **form})


async def log_in(client: QuartClient, name: str = "Ada") -> None:
    response = await send(client, "/register", name=name, password=PASSWORD)
    assert response.headers["Location"] == "/login"
    response = await send(client, "/login", name=name, password=PASSWORD)
    assert response.headers["Location"] == "/"


async def write(client: QuartClient, title: str, body: str = "text") -> None:
    response = await send(client, "/new", title=title, body=body)
    assert response.status_code == 302


async def delete(client: QuartClient, post_id: int) -> int:
    page = await page_of(client, "/")
    (token, *_) = re.findall('name="csrf_token" value="(.+?)"', page)
    form = {"csrf_token": token}
    return (await client.post(f"/{post_id}/delete", form=form)).status_code


# Accounts


async def test_visitor_registers_logs_in_and_out(client: QuartClient) -> None:
    assert "Log in" in await page_of(client, "/")
    await log_in(client)
    page = await page_of(client, "/")
    assert "<span>Ada</span>" in page
    assert "Log in" not in page
    (token,) = re.findall('name="csrf_token" value="(.+?)"', page)
    await client.post("/logout", form={"csrf_token": token})
    assert "Log in" in await page_of(client, "/")


async def test_new_author_is_welcomed_once(client: QuartClient) -> None:
    await send(client, "/register", name="Ada", password=PASSWORD)
    assert "Welcome!" in await page_of(client, "/login")
    assert "Welcome!" not in await page_of(client, "/login")


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("", PASSWORD, "The name has 1 to 40"),
        ("a" * 41, PASSWORD, "The name has 1 to 40"),
        ("Ada", "short", "at least 8 characters"),
    ],
)
async def test_registering_says_what_is_wrong(
    client: QuartClient, name: str, password: str, message: str
) -> None:
    response = await send(client, "/register", name=name, password=password)
    assert message in await response.get_data(as_text=True)


async def test_name_can_be_taken_once(client: QuartClient) -> None:
    await send(client, "/register", name="Ada", password=PASSWORD)
    response = await send(client, "/register", name="Ada", password=PASSWORD)
    assert "is taken" in await response.get_data(as_text=True)


@pytest.mark.parametrize(("name", "password"), [("Ada", "wrong"), ("Bob", PASSWORD)])
async def test_wrong_name_or_password_does_not_log_in(
    client: QuartClient, name: str, password: str
) -> None:
    await send(client, "/register", name="Ada", password=PASSWORD)
    response = await send(client, "/login", name=name, password=password)
    assert "is wrong" in await response.get_data(as_text=True)


async def test_login_leads_back_but_not_to_other_sites(client: QuartClient) -> None:
    await send(client, "/register", name="Ada", password=PASSWORD)
    response = await client.get("/new")
    assert response.headers["Location"].startswith("/login?next=/new")
    back = await send(client, "/login?next=/new", name="Ada", password=PASSWORD)
    assert back.headers["Location"] == "/new"
    away = "/login?next=https://evil.example/"
    response = await send(client, away, name="Ada", password=PASSWORD)
    assert response.headers["Location"] == "/"


# Posts


async def test_post_is_written_edited_and_deleted(client: QuartClient) -> None:
    await log_in(client)
    await write(client, "First", "of all")
    page = await page_of(client, "/")
    assert "<h2>First</h2>" in page
    assert "by Ada" in page
    page = await page_of(client, "/1/edit")
    assert 'value="First"' in page
    form = re.findall('name="csrf_token" value="(.+?)"', page)
    await client.post(
        "/1/edit", form={"csrf_token": form[-1], "title": "Second", "body": ""}
    )
    page = await page_of(client, "/")
    assert "<h2>Second</h2>" in page
    assert "First" not in page
    assert await delete(client, 1) == 302
    page = await page_of(client, "/")
    assert "The post is deleted." in page
    assert "Second" not in page


async def test_post_without_a_title_is_kept_in_the_form(client: QuartClient) -> None:
    await log_in(client)
    response = await send(client, "/new", title=" ", body="long thoughts")
    page = await response.get_data(as_text=True)
    assert "The title has 1 to 200" in page
    assert "long thoughts</textarea>" in page


async def test_posts_of_others_cannot_be_changed(app: Quart, client: Any) -> None:
    await log_in(client, "Ada")
    await write(client, "Hers")
    other = app.test_client()
    await log_in(other, "Bob")
    assert (await other.get("/1/edit")).status_code == 403
    assert await delete(other, 1) == 403
    assert "Hers" in await page_of(client, "/")


@pytest.mark.parametrize("path", ["/new", "/1/edit"])
async def test_only_authors_write(client: QuartClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 302


async def test_post_that_is_not_there_is_not_found(client: QuartClient) -> None:
    await log_in(client)
    assert (await client.get("/7/edit")).status_code == 404


async def test_markup_is_shown_as_text(client: QuartClient) -> None:
    await log_in(client)
    await write(client, "<script>alert(1)</script>")
    assert "<script>" not in await page_of(client, "/")


async def test_old_posts_are_on_the_next_page(client: QuartClient) -> None:
    await log_in(client)
    for number in range(11):
        await write(client, f"Number {number}")
    first, second = await page_of(client, "/"), await page_of(client, "/?page=2")
    assert (first.count("<h2>"), second.count("<h2>")) == (10, 1)
    assert "Older" in first
    assert "Older" not in second


# Forms


@pytest.mark.parametrize(
    "path", ["/register", "/login", "/logout", "/new", "/1/delete"]
)
@pytest.mark.parametrize("form", [{}, {"csrf_token": ""}, {"csrf_token": "guessed"}])
async def test_forms_of_other_sites_are_refused(
    client: QuartClient, path: str, form: dict[str, str]
) -> None:
    await page_of(client, "/login")
    response = await client.post(path, form={"name": "a", "password": PASSWORD, **form})
    assert response.status_code == 400
