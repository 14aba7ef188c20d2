"""Signals: names, senders, synchronous and asynchronous receivers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from blinker import Signal
from quart_contexts.globals import _cv_app
from quart_core import signals
from quart_core.signals import send_signal
from quart_core.threads import is_coroutine_callable, run_sync

# Signals table: the names
APP_SIGNALS = [
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_background_exception",
    "got_request_exception",
    "got_serving_exception",
    "got_websocket_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
    "websocket_finished",
    "websocket_started",
    "websocket_tearing_down",
]
MESSAGE_SIGNALS = ["websocket_received", "websocket_sent"]


class App:
    """What the sending needs of an application."""

    def __init__(self) -> None:
        self.ensured: list[Any] = []

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Any]:
        self.ensured.append(func)
        return func if is_coroutine_callable(func) else run_sync(func)


@pytest.fixture
def signal() -> Signal:
    return Signal()


@pytest.fixture
def current_app() -> Iterator[App]:
    app = App()
    token = _cv_app.set(SimpleNamespace(app=app))  # type: ignore[arg-type]
    yield app
    _cv_app.reset(token)


@pytest.mark.parametrize("name", APP_SIGNALS + MESSAGE_SIGNALS)
def test_every_signal_is_named_with_hyphens(name: str) -> None:
    assert getattr(signals, name).name == name.replace("_", "-")
    assert name in signals.__all__


def test_signals_are_available() -> None:
    assert signals.signals_available is True


async def test_sending_without_receivers_does_nothing(signal: Signal) -> None:
    await send_signal(signal, object())
    assert not signal.receivers


async def test_a_coroutine_function_receives_sender_and_keywords(
    signal: Signal,
) -> None:
    received = []

    async def receiver(sender: Any, **keywords: Any) -> None:
        received.append((sender, keywords))

    signal.connect(receiver)
    await send_signal(signal, "sender", exc=None)
    assert received == [("sender", {"exc": None})]


async def test_a_sync_receiver_runs_through_ensure_async_of_the_sending_app(
    signal: Signal,
) -> None:
    threads = []

    def receiver(sender: Any) -> None:
        threads.append(threading.current_thread())

    app = App()
    signal.connect(receiver)
    await send_signal(signal, app)
    assert app.ensured == [receiver]
    assert threads != [threading.current_thread()]


@pytest.mark.parametrize("message", ["text", b"bytes", ""])
async def test_a_sync_receiver_gets_messages_through_the_current_app(
    signal: Signal, current_app: App, message: str | bytes
) -> None:
    received = []

    def receiver(sender: Any) -> None:
        received.append(sender)

    signal.connect(receiver)
    await send_signal(signal, message)
    assert received == [message]
    assert current_app.ensured == [receiver]


async def test_a_sync_receiver_without_an_app_is_called_directly(
    signal: Signal,
) -> None:
    threads = []

    def receiver(sender: Any) -> None:
        threads.append(threading.current_thread())

    signal.connect(receiver)
    await send_signal(signal, "message")
    assert threads == [threading.current_thread()]


async def test_only_receivers_of_the_sender_are_called(signal: Signal) -> None:
    received = []
    first, second = App(), App()

    async def receiver(sender: Any) -> None:
        received.append(sender)

    signal.connect(receiver, first)
    await send_signal(signal, second)
    await send_signal(signal, first)
    assert received == [first]


async def test_the_error_of_a_receiver_reaches_the_sender(signal: Signal) -> None:
    async def receiver(sender: Any) -> None:
        raise ZeroDivisionError

    signal.connect(receiver)
    with pytest.raises(ZeroDivisionError):
        await send_signal(signal, None)


async def test_a_muted_signal_reaches_nobody(signal: Signal) -> None:
    received = []

    async def receiver(sender: Any) -> None:
        received.append(sender)

    signal.connect(receiver)
    with signal.muted():
        await send_signal(signal, None)
    assert received == []


class Receiver:
    def __init__(self) -> None:
        self.received: list[Any] = []

    async def __call__(self, sender: Any) -> None:
        self.received.append(sender)


async def test_an_object_with_an_async_call_is_awaited(signal: Signal) -> None:
    receiver = Receiver()
    signal.connect(receiver)
    await send_signal(signal, "sender")
    await send_signal(signal, App())
    assert len(receiver.received) == 2


async def test_a_partial_of_a_coroutine_function_is_awaited(signal: Signal) -> None:
    received = []

    async def receiver(first: int, sender: Any) -> None:
        received.append((first, sender))

    connected = partial(receiver, 1)
    signal.connect(connected)
    await send_signal(signal, "sender")
    assert received == [(1, "sender")]


async def test_blinkers_own_sending_works_for_coroutine_functions(
    signal: Signal,
) -> None:
    async def receiver(sender: Any) -> str:
        return "result"

    signal.connect(receiver)
    assert await signal.send_async("sender") == [(receiver, "result")]
