"""Flask-WTF by way of quart-flask-patch."""

from __future__ import annotations

import re

import pytest
from flask_wtf import FlaskForm
from quart import Quart, render_template_string
from wtforms import StringField
from wtforms.validators import DataRequired


class FilmForm(FlaskForm):
    title = StringField(validators=[DataRequired()])


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "flask-wtf"

    @app.route("/", methods=["GET", "POST"])
    async def index() -> str:
        form = FilmForm()
        if form.validate_on_submit():
            return f"added {form.title.data}"
        template = "<form>{{ form.hidden_tag() }}{{ form.errors }}</form>"
        return await render_template_string(template, form=form)

    return app


async def test_a_form_is_validated_and_read(app: Quart) -> None:
    client = app.test_client()
    page = await (await client.get("/")).get_data(as_text=True)
    found = re.search(r'value="([^"]+)"', page)
    assert found, page
    form = {"title": "Alien", "csrf_token": found[1]}
    response = await client.post("/", form=form)
    assert await response.get_data(as_text=True) == "added Alien"


async def test_a_form_without_its_token_is_refused(app: Quart) -> None:
    response = await app.test_client().post("/", form={"title": "Alien"})
    assert "The CSRF token is missing" in await response.get_data(as_text=True)
