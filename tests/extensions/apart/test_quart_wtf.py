"""quart-wtf: forms and their protection from forged requests."""

from __future__ import annotations

import re

import pytest
from quart import Quart, render_template_string
from quart_wtf import CSRFProtect, QuartForm
from wtforms import StringField
from wtforms.validators import DataRequired


class FilmForm(QuartForm):
    title = StringField(validators=[DataRequired()])


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "quart-wtf"
    # It reads them without setting its defaults.
    app.config.update(
        WTF_CSRF_ENABLED=True,
        WTF_CSRF_CHECK_DEFAULT=True,
        WTF_CSRF_METHODS={"POST"},
        WTF_CSRF_FIELD_NAME="csrf_token",
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        WTF_CSRF_TIME_LIMIT=3600,
        WTF_CSRF_SSL_STRICT=True,
    )

    @app.route("/", methods=["GET", "POST"])
    async def index() -> str:
        form = await FilmForm.create_form()
        if await form.validate_on_submit():
            return f"added {form.title.data}"
        template = "<form>{{ form.hidden_tag() }}{{ form.errors }}</form>"
        return await render_template_string(template, form=form)

    @app.post("/plain")
    async def plain() -> str:
        return "done"

    return app


async def token_of(client) -> str:
    page = await (await client.get("/")).get_data(as_text=True)
    found = re.search(r'value="([^"]+)"', page)
    assert found, page
    return found[1]


async def test_a_form_is_validated_and_read(app: Quart) -> None:
    client = app.test_client()
    form = {"title": "Alien", "csrf_token": await token_of(client)}
    response = await client.post("/", form=form)
    assert await response.get_data(as_text=True) == "added Alien"


async def test_a_form_without_its_token_is_refused(app: Quart) -> None:
    response = await app.test_client().post("/", form={"title": "Alien"})
    assert "The CSRF token is missing" in await response.get_data(as_text=True)


async def test_all_views_can_be_protected(app: Quart) -> None:
    CSRFProtect(app)
    client = app.test_client()
    assert (await client.post("/plain")).status_code == 400
    headers = {"X-CSRFToken": await token_of(client)}
    assert (await client.post("/plain", headers=headers)).status_code == 200
