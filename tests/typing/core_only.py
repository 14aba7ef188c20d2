"""Type-checked, never run: a service that has quart-core and nothing above it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import assert_type

from quart_core import (
    Blueprint,
    Quart,
    Response,
    abort,
    current_app,
    g,
    jsonify,
    request,
    session,
    url_for,
)
from werkzeug.datastructures import MultiDict

app = Quart(__name__)
blueprint = Blueprint("bp", __name__, url_prefix="/bp")


@app.get("/")
async def index() -> str:
    return url_for("index")


@app.route("/sync", methods=["GET", "POST"])
def sync_view() -> tuple[dict[str, int], int]:
    return {"a": 1}, 201


@blueprint.post("/echo")
async def echo() -> Response:
    body = await request.get_data()
    assert_type(body, bytes)
    form = await request.form
    assert_type(form, MultiDict[str, str])
    async for chunk in request.body:
        assert_type(chunk, bytes)
    if not body:
        abort(400)
    session["seen"] = True
    return jsonify(await request.get_json())


@app.before_request
async def before() -> None:
    g.started = True
    assert_type(current_app.debug, bool)


@app.after_request
async def after(response: Response) -> Response:
    response.headers["X-A"] = "1"
    return response


@app.errorhandler(404)
async def missing(error: Exception) -> tuple[str, int]:
    return str(error), 404


@app.while_serving
async def serving() -> AsyncGenerator[None, None]:
    yield


app.register_blueprint(blueprint)
