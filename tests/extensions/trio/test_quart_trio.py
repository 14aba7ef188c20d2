"""quart-trio: applications on trio's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import trio
from quart import (
    Quart,
    ResponseReturnValue,
    abort,
    g,
    render_template_string,
    request,
    send_file,
    session,
    websocket,
)
from quart.datastructures import FileStorage
from quart.testing import WebsocketResponseError
from quart_trio import QuartTrio

pytestmark = pytest.mark.trio
SECONDS = 20


@pytest.fixture
def app(tmp_path: Path) -> Quart:  # noqa: C901
    app = QuartTrio(__name__, root_path=tmp_path)
    app.secret_key = "quart-trio"
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("a file")

    @app.before_request
    async def before() -> None:
        await trio.sleep(0)
        g.before = True

    @app.post("/echo")
    async def echo() -> ResponseReturnValue:
        form, files = await request.form, await request.files
        return {
            "form": form.to_dict(),
            "files": {name: file.read().decode() for name, file in files.items()},
            "before": g.before,
        }

    @app.get("/sync")
    def sync() -> str:
        return f"{session.get('name')} {request.path}"

    @app.get("/session/<name>")
    async def remember(name: str) -> str:
        session["name"] = name
        return await render_template_string("{{ name }}", name=name)

    @app.get("/stream")
    async def stream() -> ResponseReturnValue:
        async def parts() -> AsyncIterator[str]:
            for number in range(3):
                await trio.sleep(0)
                yield str(number)

        return parts()

    @app.get("/file")
    async def file() -> Any:
        return await send_file(tmp_path / "static" / "a.txt")

    @app.get("/broken")
    async def broken() -> str:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
        return "never"

    async def fail() -> None:
        raise ValueError("broken")

    @app.errorhandler(ValueError)
    async def handled(error: ValueError) -> ResponseReturnValue:
        return str(error), 418

    @app.websocket("/ws")
    async def ws() -> None:
        while True:
            await websocket.send(await websocket.receive())

    @app.websocket("/many")
    async def many() -> None:
        for number in range(9):
            await websocket.send(str(number))

    @app.websocket("/refused")
    async def refused() -> None:
        abort(401)

    return app


async def test_forms_files_and_hooks(app: Quart) -> None:
    response = await app.test_client().post(
        "/echo",
        form={"title": "Alien"},
        files={"photo": FileStorage(BytesIO(b"pixels"), filename="a.png")},
    )
    assert await response.get_json() == {
        "form": {"title": "Alien"},
        "files": {"photo": "pixels"},
        "before": True,
    }


async def test_sync_views_templates_and_sessions(app: Quart) -> None:
    client = app.test_client()
    response = await client.get("/session/Ada")
    assert await response.get_data(as_text=True) == "Ada"
    response = await client.get("/sync")
    assert await response.get_data(as_text=True) == "Ada /sync"


@pytest.mark.parametrize(
    ("path", "text"),
    [("/stream", "012"), ("/file", "a file"), ("/static/a.txt", "a file")],
)
async def test_streams_and_files(app: Quart, path: str, text: str) -> None:
    response = await app.test_client().get(path)
    assert response.status_code == 200
    assert await response.get_data(as_text=True) == text


async def test_failures_of_nurseries_are_handled(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/broken")).status_code == 418
    assert (await client.get("/nowhere")).status_code == 404


async def test_a_websocket_talks_and_its_client_leaves(app: Quart) -> None:
    with trio.fail_after(SECONDS):
        async with app.test_client().websocket("/ws") as connection:
            for number in range(20):
                await connection.send(f"hello {number}")
                assert await connection.receive() == f"hello {number}"


async def test_a_websocket_that_only_sends(app: Quart) -> None:
    with trio.fail_after(SECONDS):
        async with app.test_client().websocket("/many") as connection:
            received = [await connection.receive() for _ in range(9)]
    assert received == [str(number) for number in range(9)]


async def test_a_websocket_is_rejected(app: Quart) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        async with app.test_client().websocket("/refused") as connection:
            await connection.receive()
    (error,) = caught.value.exceptions
    assert isinstance(error, WebsocketResponseError)
    assert error.response.status_code == 401


async def test_serving_functions_and_background_tasks() -> None:
    app = QuartTrio(__name__)
    events = []
    done = trio.Event()

    @app.before_serving
    async def start() -> None:
        events.append("start")

    @app.after_serving
    async def stop() -> None:
        events.append("stop")

    @app.get("/")
    async def index() -> str:
        app.add_background_task(later)
        return "soon"

    async def later() -> None:
        await trio.sleep(0)
        events.append("task")
        done.set()

    with trio.fail_after(SECONDS):
        async with app.test_app() as running:
            await running.test_client().get("/")
            await done.wait()
    assert events == ["start", "task", "stop"]


async def test_it_serves_on_a_socket(app: Quart) -> None:
    """With Hypercorn's trio worker, as `app.run()` does."""
    stop = trio.Event()
    with trio.fail_after(SECONDS):
        async with trio.open_nursery() as nursery:

            async def serve(task_status=trio.TASK_STATUS_IGNORED) -> None:
                await app.run_task(
                    port=0, shutdown_trigger=stop.wait, task_status=task_status
                )

            (url, *_) = await nursery.start(serve)
            stream = await trio.open_tcp_stream(
                "127.0.0.1", int(url.rpartition(":")[2])
            )
            await stream.send_all(
                b"GET /static/a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            answer = b""
            # Hypercorn leaves it to the client to close.
            while not answer.endswith(b"a file"):
                answer += await stream.receive_some()
            await stream.aclose()
            stop.set()
    assert answer.startswith(b"HTTP/1.1 200")
