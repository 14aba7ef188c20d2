"""quart-babel: translations, dates and numbers of the language a request asks for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from quart import Quart, render_template_string, request
from quart_babel import Babel, format_datetime, format_number, gettext, lazy_gettext

LAZY = lazy_gettext("Hello")


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    catalog = Catalog(locale="de")
    catalog.add("Hello", "Hallo")
    catalog.add(("%(num)s film", "%(num)s films"), ("%(num)s Film", "%(num)s Filme"))
    folder = tmp_path / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalog)
    app = Quart(__name__, root_path=tmp_path)

    def locale() -> str | None:
        return request.accept_languages.best_match(["en", "de"])

    Babel(app, locale_selector=locale)

    @app.get("/hello")
    async def hello() -> str:
        return gettext("Hello")

    @app.get("/lazy")
    async def lazy() -> str:
        return str(LAZY)

    @app.get("/page/<int:num>")
    async def page(num: int) -> str:
        return await render_template_string(
            "{% trans num=num %}{{ num }} film{% pluralize %}{{ num }} films"
            "{% endtrans %}",
            num=num,
        )

    @app.get("/formats")
    async def formats() -> list[str]:
        when = datetime(2026, 11, 21, 12, 30)
        return [format_number(1234567), format_datetime(when, "d MMMM y")]

    return app


@pytest.mark.parametrize(("language", "hello"), [("de", "Hallo"), ("en", "Hello")])
async def test_texts_are_in_the_language_of_the_client(
    app: Quart, language: str, hello: str
) -> None:
    client = app.test_client()
    headers = {"Accept-Language": language}
    for path in ("/hello", "/lazy"):
        response = await client.get(path, headers=headers)
        assert await response.get_data(as_text=True) == hello


async def test_templates_are_translated(app: Quart) -> None:
    client = app.test_client()
    headers = {"Accept-Language": "de"}
    one = await client.get("/page/1", headers=headers)
    two = await client.get("/page/2", headers=headers)
    assert await one.get_data(as_text=True) == "1 Film"
    assert await two.get_data(as_text=True) == "2 Filme"


async def test_numbers_and_dates_have_its_format(app: Quart) -> None:
    response = await app.test_client().get(
        "/formats", headers={"Accept-Language": "de"}
    )
    assert await response.get_json() == ["1.234.567", "21 November 2026"]
