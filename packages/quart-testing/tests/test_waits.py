"""Test client: no wait without a bound, and what a wait that is over says."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from quart_core import Quart, request
from quart_core.sessions import SecureCookieSessionInterface
from quart_testing import StillWaitingError, TestWebsocketConnection
from quart_testing.utils import make_test_scope
from quart_testing.waits import DEFAULT_WAIT_SECONDS, Changes, Deadline
from werkzeug.datastructures import Headers

SHORT = 0.05


async def never() -> None:
    await asyncio.Event().wait()  # the line that waits


def _line(text: str) -> str:
    """Return file and line of this module's only line that ends so."""
    with open(__file__) as source:
        (number,) = (n for n, line in enumerate(source, 1) if line.rstrip() == text)
    return f"{__file__}:{number}"


THE_LINE = _line("    await asyncio.Event().wait()  # the line that waits")


def _app() -> Quart:
    app = Quart(__name__)

    @app.route("/never", methods=["GET", "POST"])
    async def silent() -> str:
        await never()
        return ""

    return app


def test_the_default_is_ten_seconds() -> None:
    assert DEFAULT_WAIT_SECONDS == 10
    assert _app().test_client().timeout == 10


async def test_an_application_that_never_answers() -> None:
    with pytest.raises(StillWaitingError) as caught:
        await _app().test_client().get("/never", timeout=SHORT)

    message = str(caught.value)
    assert "did not respond to GET /never within 0.05 seconds" in message
    assert f"{THE_LINE} in never" in message
    assert "await asyncio.Event().wait()  # the line that waits" in message
    assert "in _app.<locals>.silent" in message
    assert "inside Event.wait, locks.py" in message


async def test_an_application_that_never_reads() -> None:
    client = _app().test_client(timeout=SHORT)

    with pytest.raises(StillWaitingError) as caught:
        async with client.request("/never", method="POST", send_window=1) as connection:
            await connection.send(b"read into the buffer of the request")
            for _ in range(100):
                await connection.send(b"x" * 4096)

    message = str(caught.value)
    assert "did not read the body of POST /never, of which" in message
    assert "bytes wait (send_window is 1)" in message
    assert THE_LINE in message


async def test_an_application_that_waits_for_a_body_that_is_not_completed() -> None:
    app = Quart(__name__)

    @app.post("/")
    async def index() -> bytes:
        return await request.get_data()

    with pytest.raises(StillWaitingError) as caught:
        async with app.test_client(timeout=SHORT).request("/", method="POST") as it:
            await it.send(b"half")
            await it.as_response()

    assert "the body was not completed with send_complete()" in str(caught.value)
    assert "return await request.get_data()" in str(caught.value)


async def test_a_response_that_never_goes_on() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> Any:
        async def chunks() -> Any:
            yield b"first"
            await never()

        return chunks()

    client = app.test_client(timeout=SHORT)
    with pytest.raises(StillWaitingError) as caught:
        await client.get("/")

    assert "did not go on with its response to GET /" in str(caught.value)
    assert THE_LINE in str(caught.value)


async def test_a_response_that_never_ends() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> Any:
        async def chunks() -> Any:
            while True:
                yield b"more"
                await asyncio.sleep(0)

        return chunks()

    with pytest.raises(
        StillWaitingError, match=r"did not end, with \d+ bytes read"
    ) as e:
        await app.test_client().get("/", timeout=SHORT)

    assert "client.request()" in str(e.value)


async def test_an_application_that_does_not_end_after_the_client_left() -> None:
    app = Quart(__name__)
    ended = asyncio.Event()

    @app.get("/")
    async def index() -> str:
        while not ended.is_set():
            try:
                await never()
            except asyncio.CancelledError:
                if ended.is_set():
                    raise
        return ""

    client = app.test_client(timeout=SHORT)
    with pytest.raises(StillWaitingError, match="left GET /, and the application did"):
        async with client.request("/") as connection:
            await connection.send_complete()
            await asyncio.sleep(0)
            await connection.disconnect()
            asyncio.get_running_loop().call_later(2 * SHORT, ended.set)


async def test_what_does_not_end_is_noted_where_the_test_fails_itself() -> None:
    app = Quart(__name__)
    ended = asyncio.Event()

    @app.get("/")
    async def index() -> str:
        while not ended.is_set():
            try:
                await never()
            except asyncio.CancelledError:
                if ended.is_set():
                    raise
        return ""

    with pytest.raises(KeyError) as caught:
        async with app.test_client(timeout=SHORT).request("/") as connection:
            await connection.send_complete()
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(2 * SHORT, ended.set)
            raise KeyError

    assert "the application did not end" in caught.value.__notes__[0]


# Websockets


def _websocket(app: Any) -> TestWebsocketConnection:
    scope = make_test_scope(
        "websocket", "/ws", "GET", Headers(), b"", "ws", "", "1.1", None
    )
    connection = TestWebsocketConnection(app, scope)
    connection.wait_seconds = SHORT
    return connection


async def _accept_and_wait(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await never()


async def _wait(scope: Any, receive: Any, send: Any) -> None:
    await never()


async def test_a_websocket_that_is_never_accepted() -> None:
    with pytest.raises(StillWaitingError) as caught:
        async with _websocket(_wait) as connection:
            await connection.receive()

    assert "neither accepted nor rejected the websocket /ws" in str(caught.value)
    assert THE_LINE in str(caught.value)


async def test_a_websocket_that_is_not_accepted_before_it_is_left() -> None:
    with pytest.raises(StillWaitingError, match=r"disconnect\(\) leaves without"):
        async with _websocket(_wait):
            pass


async def test_a_websocket_that_sends_nothing() -> None:
    with pytest.raises(StillWaitingError) as caught:
        async with _websocket(_accept_and_wait) as connection:
            await connection.receive()

    assert "sent nothing on the websocket /ws within 0.05 seconds" in str(caught.value)
    assert THE_LINE in str(caught.value)


async def test_a_websocket_that_never_closes() -> None:
    with pytest.raises(StillWaitingError) as caught:
        async with _websocket(_accept_and_wait):
            pass

    assert "/ws is closed, and its handler did not end" in str(caught.value)
    assert THE_LINE in str(caught.value)


# Lifespan


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_lifespan_that_never_ends(phase: str) -> None:
    app = Quart(__name__)
    getattr(app, "before_serving" if phase == "startup" else "after_serving")(never)
    test_app = app.test_app_class(app, SHORT, SHORT)

    with pytest.raises(StillWaitingError) as caught:
        async with test_app:
            pass

    assert f"The {phase} of the application was not done within" in str(caught.value)
    assert THE_LINE in str(caught.value)


# Contexts and sessions


async def test_a_teardown_of_a_kept_context_that_never_ends() -> None:
    app = Quart(__name__)

    @app.teardown_request
    async def teardown(_error: BaseException | None) -> None:
        await never()

    client = app.test_client(timeout=SHORT)
    await client.__aenter__()
    await client.get("/")
    with pytest.raises(StillWaitingError) as caught:
        await client.get("/")

    message = str(caught.value)
    assert "The context of the last request was not torn down within" in message
    assert THE_LINE in message
    await client.__aexit__(None, None, None)


@pytest.mark.parametrize("step", ["opened", "saved"])
async def test_a_session_interface_that_never_answers(step: str) -> None:
    class Never(SecureCookieSessionInterface):
        # The interface of an extension may be a coroutine.
        async def open_session(self, app: Any, request: Any) -> Any:
            if step == "opened":
                await never()
            return await super().open_session(app, request)

        async def save_session(self, *args: Any) -> None:
            await never()

    app = Quart(__name__)
    app.secret_key = "secret"
    app.session_interface = Never()
    client = app.test_client(timeout=SHORT)
    with pytest.raises(StillWaitingError) as caught:
        async with client.session_transaction() as session:
            session["a"] = 1

    assert f"The session was not {step}" in str(caught.value)
    assert THE_LINE in str(caught.value)


# Where it waits


async def test_a_handler_in_a_thread_is_found() -> None:
    app = Quart(__name__)
    go_on = threading.Event()

    @app.get("/")
    def index() -> str:
        go_on.wait(10)  # the thread that waits
        return ""

    try:
        with pytest.raises(StillWaitingError) as caught:
            await app.test_client().get("/", timeout=SHORT)
    finally:
        go_on.set()

    assert _line("        go_on.wait(10)  # the thread that waits") in str(caught.value)


async def test_a_task_that_is_waited_for_is_followed() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        await asyncio.create_task(never())
        return ""

    @app.get("/gather")
    async def gather() -> str:
        await asyncio.gather(asyncio.sleep(0), never())
        return ""

    for path in ("/", "/gather"):
        with pytest.raises(StillWaitingError) as caught:
            await app.test_client().get(path, timeout=SHORT)
        assert THE_LINE in str(caught.value)


# The tools


async def test_a_process_that_stood_still_gets_its_time_anew() -> None:
    deadline = Deadline(0.01)
    changes = Changes()
    loop = asyncio.get_running_loop()
    # As in a debugger: nothing runs, and much time is gone.
    loop.call_soon(time.sleep, 1.2)
    loop.call_later(0, loop.call_soon, changes.notify)

    assert await changes.wait(deadline) is True


async def test_a_deadline_that_is_over_ends_the_wait() -> None:
    assert await Changes().wait(Deadline(0.01)) is False


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_wait_takes_some_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Deadline(seconds)


async def test_what_happened_at_the_last_moment_counts() -> None:
    changes = Changes()
    asked: list[bool] = []

    def happened() -> bool:
        asked.append(True)
        return len(asked) > 1

    await changes.until(happened, Deadline(0.01), None, lambda: "not reached")

    assert len(asked) > 1
