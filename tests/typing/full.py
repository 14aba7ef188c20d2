"""Type-checked, never run: an application that uses everything."""

from __future__ import annotations

from typing import assert_type

from quart import (
    Blueprint,
    Quart,
    Response,
    Websocket,
    render_template,
    render_template_string,
    request,
    stream_with_context,
    websocket,
)
from quart.typing import ResponseReturnValue
from quart.views import MethodView

app = Quart(__name__)
blueprint = Blueprint("bp", __name__)


@app.get("/")
async def index() -> ResponseReturnValue:
    assert_type(await render_template("index.html", name="x"), str)
    return await render_template_string("{{ name }}", name="x")


@app.websocket("/ws")
async def chat() -> None:
    while True:
        message = await websocket.receive()
        await websocket.send(message)


class Films(MethodView):
    async def get(self, film_id: int) -> dict[str, int]:
        return {"id": film_id}


app.add_url_rule("/films/<int:film_id>", view_func=Films.as_view("films"))


@app.get("/stream")
async def stream() -> Response:
    @stream_with_context
    async def lines():  # type: ignore[no-untyped-def]
        yield request.path

    return Response(lines())


class OwnWebsocket(Websocket):
    """A websocket class of the application's own."""


app.websocket_class = OwnWebsocket


async def use_client() -> None:
    client = app.test_client()
    response = await client.get("/")
    assert response.status_code == 200


if __name__ == "__main__":
    app.run()
