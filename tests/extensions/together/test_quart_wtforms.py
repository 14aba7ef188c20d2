"""quart-wtforms: forms, uploads in forms, protection from forged requests."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from quart import Quart, render_template_string
from quart.datastructures import FileStorage
from quart_wtf import CSRFProtect, QuartForm
from quart_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import StringField
from wtforms.validators import DataRequired, ValidationError


class FilmForm(QuartForm):
    title = StringField(validators=[DataRequired()])

    async def async_validators_title(self, field: StringField) -> None:
        if field.data == "taken":
            raise ValidationError("There is such a film.")


class PhotoForm(QuartForm):
    photo = FileField(validators=[FileRequired(), FileAllowed(["png"])])


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "quart-wtforms"

    @app.route("/", methods=["GET", "POST"])
    async def index() -> str:
        form = await FilmForm.create_form()
        if await form.validate_on_submit():
            return f"added {form.title.data}"
        template = "<form>{{ form.hidden_tag() }}{{ form.errors }}</form>"
        return await render_template_string(template, form=form)

    @app.post("/photo")
    async def photo() -> dict:
        form = await PhotoForm.create_form(meta={"csrf": False})
        if await form.validate_on_submit():
            return {"name": form.photo.data.filename}
        return form.errors

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


async def test_validators_may_await(app: Quart) -> None:
    client = app.test_client()
    form = {"title": "taken", "csrf_token": await token_of(client)}
    response = await client.post("/", form=form)
    assert "There is such a film." in await response.get_data(as_text=True)


async def test_forms_take_uploads(app: Quart) -> None:
    client = app.test_client()
    good = {"photo": FileStorage(BytesIO(b"pixels"), filename="a.png")}
    bad = {"photo": FileStorage(BytesIO(b"pixels"), filename="a.exe")}
    assert await (await client.post("/photo", files=good)).get_json() == {
        "name": "a.png"
    }
    assert "photo" in await (await client.post("/photo", files=bad)).get_json()


async def test_all_views_can_be_protected(app: Quart) -> None:
    CSRFProtect(app)
    client = app.test_client()
    assert (await client.post("/plain")).status_code == 400
    headers = {"X-CSRFToken": await token_of(client)}
    assert (await client.post("/plain", headers=headers)).status_code == 200
