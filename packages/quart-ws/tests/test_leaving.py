"""The client leaves: what handlers see, when they are cancelled, what is left."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from quart_core import Quart, g, websocket
from quart_ws import Closure, WebsocketDisconnectedError
from quart_ws.asgi import ASGIWebsocketConnection
from ws_driver import Client, rounds, talk, turns

LIMIT = 5.0


def make_app(handler: Any, **config: Any) -> Quart:
    app = Quart(__name__)
    app.config.update(config)
    app.add_websocket("/", "handler", handler)
    return app


async def forever() -> None:
    await asyncio.Event().wait()


# A handler that reads


async def test_a_reader_gets_all_messages_then_the_documented_exception() -> None:
    got: list[Any] = []

    async def handler() -> None:
        try:
            while True:
                got.append(await websocket.receive())
        except WebsocketDisconnectedError as error:
            got.append((error.code, error.reason, error.closed_by))
            raise

    client = Client(make_app(handler))
    client.text("a", "b")
    client.leave(4000, "bye")
    await client.end()
    assert got == ["a", "b", (4000, "bye", "client")]
    assert client.types == ["accept"]


async def test_iterating_gives_all_messages_then_the_documented_exception() -> None:
    got: list[Any] = []

    async def handler() -> None:
        try:
            async for message in websocket:
                got.append(message)  # noqa: PERF401 - what came before the end
        except WebsocketDisconnectedError as error:
            got.append(error.code)

    client = await talk(make_app(handler), "/", "a", b"b", "c")
    assert got == ["a", b"b", "c", 1000]
    assert client.types == ["accept"]


async def test_receiving_again_tells_again() -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        for _ in range(3):
            try:
                await websocket.receive()
            except WebsocketDisconnectedError as error:
                told.append(error.code)

    await talk(make_app(handler))
    assert told == [1000, 1000, 1000]


async def test_a_client_that_leaves_at_once_starts_no_handler() -> None:
    ran = []

    async def handler() -> None:
        ran.append("ran")

    client = Client(make_app(handler))
    client.waiting.clear()
    client.leave(1006)
    await client.end()
    assert ran == []
    assert client.messages == []


async def test_error_handlers_and_after_functions_are_not_told() -> None:
    told = []

    async def handler() -> None:
        while True:
            await websocket.receive()

    app = make_app(handler)

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        told.append("error handler")
        return ""

    @app.after_websocket
    async def after(response: Any) -> Any:
        told.append("after")
        return response

    @app.teardown_websocket
    async def teardown(exc: BaseException | None) -> None:
        told.append(type(exc).__name__)

    await talk(app)
    assert told == ["WebsocketDisconnectedError"]


# A handler that waits elsewhere


async def test_a_handler_that_waits_elsewhere_is_cancelled() -> None:
    ended = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await forever()
        except asyncio.CancelledError:
            ended.append(websocket.closure)
            raise

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.leave(1001, "away")
    await client.end()
    assert ended == [Closure(1001, "away", "client")]
    assert client.types == ["accept"]


async def test_a_handler_that_swallows_the_cancellation_ends_as_it_likes() -> None:
    ended = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.leave()
    await client.end()
    assert ended == ["cleaned up"]
    assert client.types == ["accept"]
    assert client.task.cancelling() == 0


async def test_a_handler_that_waits_before_accepting_is_cancelled_too() -> None:
    ended = []

    async def handler() -> None:
        try:
            await forever()
        finally:
            ended.append("ended")

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.leave(1006)
    await client.end()
    assert ended == ["ended"]
    assert client.messages == []


async def test_messages_are_given_out_before_the_handler_is_cancelled() -> None:
    got: list[Any] = []
    proceed = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        await proceed.wait()
        try:
            async for message in websocket:
                got.append(message)
                await asyncio.sleep(0)
        except WebsocketDisconnectedError as error:
            got.append(error.code)

    client = Client(make_app(handler))
    client.text("a", "b", "c")
    client.leave()
    _ = client.task
    await rounds()
    assert not client.task.done()
    proceed.set()
    await client.end()
    assert got == ["a", "b", "c", 1000]


async def test_a_handler_that_leaves_messages_waiting_is_cancelled_in_time() -> None:
    ended = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await forever()
        finally:
            ended.append(websocket.closure)

    client = Client(make_app(handler, WEBSOCKET_DRAIN_TIMEOUT=0.02))
    client.text("unread")
    client.leave()
    await client.end()
    assert ended == [Closure(1000, "", "client")]


async def test_each_message_read_gives_the_handler_more_time() -> None:
    got = []

    async def handler() -> None:
        await websocket.accept()
        await asyncio.sleep(0.12)
        async for message in websocket:
            got.append(message)
            await asyncio.sleep(0.12)

    client = Client(make_app(handler, WEBSOCKET_DRAIN_TIMEOUT=0.5))
    client.text("a", "b", "c", "d", "e")
    client.leave()
    await client.end()
    assert got == ["a", "b", "c", "d", "e"]


async def test_teardown_is_not_interrupted_by_a_client_that_leaves() -> None:
    torn_down = []
    leave = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        await asyncio.sleep(0.02)

    app = make_app(handler)

    @app.teardown_websocket
    async def teardown(exc: BaseException | None) -> None:
        leave.set()
        await rounds()
        torn_down.append(exc)

    client = Client(app)
    _ = client.task
    await leave.wait()
    client.leave()
    await client.end()
    assert torn_down == [None]


# A handler of several tasks


async def test_a_task_group_ends_when_the_client_leaves() -> None:
    ended = []

    async def read() -> None:
        try:
            while True:
                await websocket.receive()
        except asyncio.CancelledError as error:
            ended.append(type(error).__name__)
            raise

    async def write() -> None:
        try:
            await forever()
        finally:
            ended.append("writer")

    async def handler() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            group.create_task(write())

    await talk(make_app(handler), "/", "one")
    assert ended == ["WebsocketDisconnectedError", "writer"]


async def test_a_task_group_around_the_reading_ends_when_the_client_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Before Python 3.12 the group wraps what is not exactly a CancelledError.
    got: list[Any] = []
    app: Quart

    async def write() -> None:
        try:
            await forever()
        finally:
            got.append("writer")

    async def handler() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            async for message in websocket:
                got.append(message)  # noqa: PERF401 - what came before the end

    app = make_app(handler)

    @app.teardown_websocket
    async def teardown(error: BaseException | None) -> None:
        got.append(type(error).__name__)

    client = Client(app)
    client.text("one")
    _ = client.task
    await turns()
    client.leave()
    await client.end()
    assert got == ["one", "writer", "WebsocketDisconnectedError"]
    assert client.types == ["accept"]
    assert caplog.records == []


async def test_groups_within_groups_end_when_the_client_leaves() -> None:
    async def handler() -> None:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(forever())
            async with asyncio.TaskGroup() as inner:
                inner.create_task(forever())
                await websocket.receive()

    client = await talk(make_app(handler))
    assert client.types == ["accept"]


async def test_a_failure_while_the_client_leaves_is_not_hidden_by_its_leaving() -> None:
    seen = []

    async def write() -> None:
        try:
            await forever()
        finally:
            raise ValueError("of the writer")

    async def handler() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            async for _ in websocket:
                pass

    app = make_app(handler)

    @app.errorhandler(ExceptionGroup)
    async def handle(error: ExceptionGroup[Any]) -> str:
        seen.append([repr(each) for each in error.exceptions])
        return ""

    client = Client(app)
    _ = client.task
    await turns()
    client.leave()
    await client.end()
    assert seen == [["ValueError('of the writer')"]]


async def test_other_groups_pass_as_they_are() -> None:
    class Stop(BaseException):
        pass

    group = BaseExceptionGroup("of the handler", [Stop(), ValueError()])

    async def handler() -> None:
        raise group

    with pytest.raises(BaseExceptionGroup) as caught:
        await talk(make_app(handler))
    assert caught.value is group


async def test_gathered_tasks_end_when_the_client_leaves() -> None:
    ended = []

    async def read() -> None:
        while True:
            await websocket.receive()

    async def write() -> None:
        try:
            await forever()
        finally:
            ended.append("writer")

    async def handler() -> None:
        await asyncio.gather(read(), write())

    client = Client(make_app(handler))
    _ = client.task
    await turns()
    client.leave()
    await client.end()
    await turns()
    assert ended == ["writer"]


async def test_reading_with_a_timeout_tells_code_and_reason() -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await asyncio.wait_for(websocket.receive(), LIMIT)
        except WebsocketDisconnectedError as error:
            told.append(error.code)
            await asyncio.sleep(0)
            told.append("still running")

    await talk(make_app(handler))
    assert told == [1000, "still running"]


async def test_a_timeout_while_the_client_says_nothing_is_a_timeout() -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        for wait in (
            lambda: asyncio.wait_for(websocket.receive(), 0.01),
            read_within,
        ):
            try:
                await wait()
            except TimeoutError:
                told.append("timeout")
        told.append(await websocket.receive())

    async def read_within() -> None:
        async with asyncio.timeout(0.01):
            await websocket.receive()

    client = Client(make_app(handler))
    _ = client.task
    while len(told) < 2:
        await asyncio.sleep(0.005)
    client.text("late")
    await client.end()
    assert told == ["timeout", "timeout", "late"]
    assert client.close_code == 1000


async def test_a_task_that_outlives_its_handler_is_told_when_it_reads() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def read() -> None:
        await websocket.receive()

    async def handler() -> None:
        await websocket.accept()
        tasks.append(asyncio.create_task(read()))

    client = Client(make_app(handler))
    await client.end()
    done, _ = await asyncio.wait(tasks, timeout=LIMIT)
    assert done
    assert tasks[0].cancelled()


# Sending


async def test_sending_to_a_client_that_left_raises_the_documented_exception() -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        except WebsocketDisconnectedError:
            try:
                await websocket.send("late")
            except WebsocketDisconnectedError as error:
                told.append((error.code, error.closed_by))

    client = await talk(make_app(handler))
    assert told == [(1000, "client")]
    assert client.data == []


async def test_a_server_that_refuses_to_send_has_lost_its_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        client.refuses = True
        try:
            await websocket.send("late")
        except WebsocketDisconnectedError as error:
            told.append((error.code, error.closed_by))
            raise

    client = Client(make_app(handler))
    await client.end()
    assert told == [(1006, "client")]
    assert client.types == ["accept"]
    assert caplog.records == []


async def test_accepting_a_client_that_left_raises_the_documented_exception() -> None:
    told = []

    async def handler() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            try:
                await websocket.accept()
            except WebsocketDisconnectedError as error:
                told.append(error.code)

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.leave(1006)
    await client.end()
    assert told == [1006]
    assert client.messages == []


async def test_closing_after_the_client_left_is_fine_once() -> None:
    async def handler() -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        finally:
            await websocket.close(1000)
            with pytest.raises(RuntimeError):
                await websocket.close(1000)

    client = await talk(make_app(handler))
    assert client.types == ["accept"]


async def test_a_handler_waiting_for_a_slow_client_is_told_when_it_leaves() -> None:
    told = []

    async def handler() -> None:
        await websocket.accept()
        client.open.clear()
        try:
            await websocket.send("stuck")
        except WebsocketDisconnectedError as error:
            told.append(error.code)
            raise

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.leave(1006)
    await client.end()
    assert told == [1006]


async def test_what_others_send_to_a_client_that_left_is_lost() -> None:
    sockets: list[Any] = []
    log = []
    cleaned_up = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        sockets.append(websocket._get_current_object())
        try:
            async for message in websocket:
                for socket in sockets:
                    await socket.send(message)
                log.append(message)
        finally:
            # A handler that is slow to clean up leaves itself among the others.
            await cleaned_up.wait()
            log.append("gone")

    app = make_app(handler)
    leaving, staying = Client(app), Client(app)
    _ = leaving.task, staying.task
    await turns()
    leaving.leave()
    await turns()
    staying.text("to all")
    await staying.take(1)
    assert log == ["to all"]
    cleaned_up.set()
    await leaving.end()
    staying.leave()
    await staying.end()
    assert leaving.data == []
    assert staying.data == ["to all"]


async def test_a_socket_closed_by_another_task_ends_its_handler() -> None:
    sockets: list[Any] = []
    told = []

    async def handler() -> None:
        await websocket.accept()
        sockets.append(websocket._get_current_object())
        try:
            await websocket.receive()
        except WebsocketDisconnectedError as error:
            told.append((error.code, error.closed_by))

    for closes in (True, False):
        client = Client(make_app(handler), closes=closes)
        _ = client.task
        await turns()
        await sockets.pop().close(4002, "kicked")
        await client.end()
        assert client.messages[-1]["code"] == 4002
    assert told == [(4002, "application"), (4002, "application")]


# Floods


async def test_f_36_a_sleeping_handler_pauses_a_client_that_floods() -> None:
    proceed = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        await proceed.wait()

    client = Client(make_app(handler))
    client.text(*map(str, range(1000)))
    _ = client.task
    await rounds()
    await turns(500)
    # The connect message and 16 more.
    assert client.received == 17
    proceed.set()
    await client.end()


async def test_f_36_large_messages_pause_the_client_sooner() -> None:
    proceed = asyncio.Event()
    size = 64 * 1024

    async def handler() -> None:
        await websocket.accept()
        await proceed.wait()

    client = Client(make_app(handler))
    for _ in range(64):
        client.binary(bytes(size))
    _ = client.task
    await rounds()
    await turns(200)
    assert (client.received - 1) * size <= 256 * 1024 + size
    proceed.set()
    await client.end()


async def test_limits_are_configurable() -> None:
    proceed = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        await proceed.wait()

    for config in ({"WEBSOCKET_QUEUE_MESSAGES": 2}, {"WEBSOCKET_QUEUE_BYTES": 70}):
        proceed.clear()
        client = Client(make_app(handler, **config))
        client.text("a", "b", "c", "d", "e")
        _ = client.task
        await rounds()
        assert client.received == 3
        proceed.set()
        await client.end()


async def test_f_36_a_flooded_websocket_holds_less_than_two_mebibytes() -> None:
    proceed = asyncio.Event()

    async def handler() -> None:
        await websocket.accept()
        await proceed.wait()

    class Flood(Client):
        async def _receive(self) -> dict[str, Any]:
            if self.received == 0:
                return await super()._receive()
            await asyncio.sleep(0)
            return {"type": "websocket.receive", "bytes": bytes(64 * 1024)}

    client = Flood(make_app(handler))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        _ = client.task
        await rounds()
        await turns(2000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 512 * 1024
    proceed.set()
    await client.end()


@pytest.mark.parametrize("asleep", [0.0, 0.05])
async def test_a_hundred_messages_are_there_after_the_client_left(
    asleep: float,
) -> None:
    got: list[Any] = []

    async def handler() -> None:
        await websocket.accept()
        await asyncio.sleep(asleep)
        try:
            async for message in websocket:
                await asyncio.sleep(0)
                got.append(message)
        except WebsocketDisconnectedError as error:
            got.append(error.code)

    client = Client(make_app(handler))
    client.text(*map(str, range(100)))
    client.leave(1006)
    await client.end()
    assert got == [*map(str, range(100)), 1006]


# Shutdown


async def test_shutdown_closes_with_1012_and_tells_a_reader() -> None:
    told: list[Any] = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        except WebsocketDisconnectedError as error:
            told.append((error.code, error.closed_by))
            await websocket.send("goodbye")
            raise

    app = make_app(handler)
    await app.startup()
    client = Client(app)
    _ = client.task
    await turns()
    await app.shutdown()
    await client.end()
    assert told == [(1012, "server")]
    assert client.types == ["accept", "send", "close"]
    assert client.close_code == 1012


async def test_shutdown_ends_a_handler_that_waits_elsewhere() -> None:
    ended: list[Any] = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await forever()
        finally:
            ended.append(websocket.closure)

    app = make_app(handler)
    await app.startup()
    client = Client(app)
    _ = client.task
    await rounds()
    await app.shutdown()
    await client.end()
    assert ended == [Closure(1012, "", "server")]
    assert client.close_code == 1012


async def test_shutdown_ends_a_handler_that_does_not_read_what_waits() -> None:
    ended: list[Any] = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await forever()
        finally:
            ended.append(websocket.closure)

    app = make_app(handler, WEBSOCKET_DRAIN_TIMEOUT=0.01)
    await app.startup()
    client = Client(app)
    client.text(*map(str, range(100)))
    _ = client.task
    await rounds()
    await app.shutdown()
    await client.end()
    assert ended == [Closure(1012, "", "server")]
    assert client.close_code == 1012


class Stopping:
    """The event that a server offers."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    @property
    def extensions(self) -> dict[str, Any]:
        return {"quart.shutdown": {"event": self.event}}


async def test_a_handler_that_ends_while_the_server_stops_closes_with_1012() -> None:
    stopping = Stopping()

    async def handler() -> None:
        await websocket.accept()
        await websocket.scope["extensions"]["quart.shutdown"]["event"].wait()

    client = Client(make_app(handler), extensions=stopping.extensions)
    _ = client.task
    await rounds()
    assert not client.task.done()
    stopping.event.set()
    await client.end()
    assert client.close_code == 1012


async def test_a_handler_cancelled_by_a_stopping_server_closes_with_1012() -> None:
    stopping = Stopping()

    async def handler() -> None:
        await websocket.accept()
        await forever()

    client = Client(make_app(handler), extensions=stopping.extensions)
    _ = client.task
    await rounds()
    stopping.event.set()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.end()
    assert client.close_code == 1012


async def test_a_disconnect_while_the_server_stops_is_the_servers() -> None:
    stopping = Stopping()
    told = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        except WebsocketDisconnectedError as error:
            told.append((error.code, error.closed_by))

    client = Client(make_app(handler), extensions=stopping.extensions)
    _ = client.task
    await turns()
    stopping.event.set()
    client.leave(1012)
    await client.end()
    assert told == [(1012, "server")]


async def test_a_client_that_takes_nothing_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quart_ws.asgi.GOODBYE_SECONDS", 0.01)
    stopping = Stopping()

    async def handler() -> None:
        await websocket.accept()
        client.open.clear()
        await forever()

    client = Client(make_app(handler), extensions=stopping.extensions)
    _ = client.task
    await rounds()
    stopping.event.set()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.end()
    assert client.types == ["accept"]


async def test_the_server_cancelling_the_handler_is_passed_on() -> None:
    async def handler() -> None:
        await websocket.accept()
        await forever()

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.end()
    assert client.types == ["accept"]


# Tasks


async def test_a_handler_that_reads_has_no_task_but_the_servers() -> None:
    async def handler() -> None:
        async for message in websocket:
            await websocket.send(message)

    client = Client(make_app(handler))
    before = asyncio.all_tasks()
    _ = client.task
    for number in range(5):
        client.text(str(number))
        await client.take(number + 1)
        await rounds()
        assert asyncio.all_tasks() - before == {client.task}
    client.leave()
    await client.end()


async def test_no_call_of_receive_is_pending_when_the_close_is_sent() -> None:
    # Some servers send nothing as long as the application awaits a message.
    pending = []
    wake = asyncio.Event()

    class Server(Client):
        async def _send(self, message: dict[str, Any]) -> None:
            if message["type"] == "websocket.close":
                pending.append(self.pending)
            await super()._send(message)

    async def handler() -> None:
        await websocket.accept()
        await wake.wait()
        await websocket.close(4001)

    client = Server(make_app(handler))
    _ = client.task
    await rounds()
    assert client.pending == 1
    wake.set()
    await client.end()
    assert pending == [0]
    assert client.close_code == 4001


async def test_two_calls_of_receive_are_never_pending() -> None:
    async def handler() -> None:
        # Waits elsewhere and reads in turns, in two tasks.
        async def read() -> None:
            for _ in range(20):
                message = await websocket.receive()
                await asyncio.sleep(random_.choice([0, 0.001, 0.012]))
                await websocket.send(message)

        await asyncio.gather(read(), read())

    random_ = random.Random(3)
    client = Client(make_app(handler))
    _ = client.task
    for number in range(40):
        await asyncio.sleep(random_.choice([0, 0, 0.002, 0.012]))
        client.text(str(number))
    await client.take(40)
    await client.end()
    assert sorted(map(int, client.data)) == list(range(40))
    assert client.close_code == 1000


# Nothing is left


def make_leak_app(finalized: list[str]) -> Quart:
    app = Quart(__name__)
    app.config["WEBSOCKET_DRAIN_TIMEOUT"] = 0.01

    @app.teardown_websocket
    async def teardown(exc: Any) -> None:
        finalized.append("teardown")

    @app.websocket("/echo")
    async def echo() -> None:
        async for message in websocket:
            await websocket.send(message)

    @app.websocket("/group")
    async def group() -> None:
        async def read() -> None:
            async for _ in websocket:
                pass

        async def write() -> None:
            while True:
                await websocket.send("tick")
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            tasks.create_task(write())

    @app.websocket("/sleep")
    async def sleep() -> None:
        await websocket.accept()
        await forever()

    @app.websocket("/refuse")
    async def refuse() -> Any:
        await asyncio.sleep(0)
        return "no", 403

    @app.websocket("/close")
    async def close() -> None:
        await websocket.receive()
        await websocket.close(1000)

    return app


async def leave_at_random(app: Any, path: str, random_: random.Random) -> None:
    client = Client(app, path, closes=random_.random() < 0.8)
    _ = client.task
    for _ in range(random_.randrange(20)):
        if random_.random() < 0.5:
            client.text("message")
        await turns(random_.randrange(3))
    if random_.random() < 0.05:
        await rounds()
    if random_.random() < 0.5:
        client.cut()
    else:
        client.leave()
    await client.end()


async def test_clients_leaving_at_any_moment_leave_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    finalized: list[str] = []
    app = make_leak_app(finalized)
    random_ = random.Random(7)
    tasks_before = asyncio.all_tasks()
    paths = ["/echo", "/group", "/sleep", "/refuse", "/close"]
    count = 1_000
    with caplog.at_level(logging.WARNING):
        for _ in range(count // 50):
            await asyncio.gather(
                *(
                    leave_at_random(app, random_.choice(paths), random_)
                    for _ in range(50)
                )
            )
    assert finalized.count("teardown") == count
    assert asyncio.all_tasks() == tasks_before
    assert app._open_websockets == set()
    assert app._websocket_rounds._noted == set()
    assert caplog.records == []


def remember(app: Quart) -> list[Any]:
    """Return a list that gets weak references to what a websocket is made of."""
    gone: list[Any] = []

    @app.before_websocket
    async def note() -> None:
        from quart_core import websocket_ctx

        g.value = object()
        gone.append(weakref.ref(websocket._get_current_object()))
        gone.append(weakref.ref(websocket_ctx._get_current_object()))  # type: ignore[attr-defined]
        (connection,) = app._open_websockets
        gone.append(weakref.ref(connection))

    return gone


@pytest.mark.parametrize("path", ["/", "/waits", "/late", "/fails", "/no", "/nowhere"])
async def test_everything_is_freed_without_the_collector(path: str) -> None:
    app = Quart(__name__)
    gone = remember(app)

    @app.websocket("/")
    async def echo() -> None:
        async for message in websocket:
            await websocket.send(message)

    @app.websocket("/waits")
    async def waits() -> None:
        await websocket.receive()
        await forever()

    @app.websocket("/late")
    async def late() -> None:
        await websocket.accept()
        await asyncio.sleep(0.05)
        async for _ in websocket:
            await asyncio.sleep(0)

    @app.websocket("/fails")
    async def fails() -> None:
        await websocket.accept()
        raise ValueError

    @app.websocket("/no")
    async def no() -> str:
        return "no"

    @app.errorhandler(ValueError)
    async def handle(error: ValueError) -> str:
        return "handled"

    async def use() -> None:
        client = Client(app, path)
        client.text("one")
        _ = client.task
        if path == "/waits":
            await rounds()
        client.leave()
        await client.end()

    await use()
    gone.clear()
    gc.collect()
    gc.disable()
    try:
        await use()
        await turns(3)
        assert [ref() for ref in gone] == [None, None, None]
    finally:
        gc.enable()


def test_an_app_is_freed_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        app = Quart(__name__)

        @app.websocket("/")
        async def echo() -> None:
            async for message in websocket:
                await websocket.send(message)

        assert asyncio.run(talk(app, "/", "one")).data == ["one"]
        gone = weakref.ref(app)
        del app, echo
        assert gone() is None
    finally:
        gc.enable()


async def test_an_idle_websocket_is_small() -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.receive()

    app = make_app(handler)
    await talk(app)
    clients = [Client(app) for _ in range(100)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tasks = [client.task for client in clients]
        await rounds()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(tasks) < 12 * 1024
    for client in clients:
        client.leave()
        await client.end()


# Overriding


async def test_a_subclass_may_handle_messages_in_its_own_way() -> None:
    class Connection(ASGIWebsocketConnection):
        async def handle_messages(self, receive: Callable[[], Any]) -> None:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self.queue.put(message["text"].upper())

    got = []

    async def handler() -> None:
        async for message in websocket:
            got.append(message)  # noqa: PERF401 - what came before the end

    app = make_app(handler)
    app.asgi_websocket_class = Connection
    client = await talk(app, "/", "a", "b")
    assert got == ["A", "B"]
    assert client.types == ["accept"]


async def test_a_receive_that_fails_while_nobody_reads_is_logged_and_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        await websocket.accept()
        await forever()

    client = Client(make_app(handler))
    _ = client.task
    await rounds()
    client._put({"type": "http.request"})
    await client.end()
    (record,) = caplog.records
    assert "Receiving from websocket '/' failed" in record.getMessage()
    assert sys.exc_info() == (None, None, None)
