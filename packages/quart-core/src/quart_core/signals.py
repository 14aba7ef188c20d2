"""Signals: what an application tells whoever listens, on blinker.

Receivers may be plain functions or coroutine functions. Quart sends every signal with
``send_signal``, which costs one attribute read when nobody is connected.

::

    request_started.connect(receiver, app)      # receiver(sender, **keywords)

Connect with ``weak=False``, or keep the receiver alive: blinker holds weak references.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, cast

from blinker import NamedSignal, Namespace, Signal
from quart_contexts.globals import _cv_app

__all__ = [
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
    "send_signal",
    "signals_available",
    "template_rendered",
    "websocket_finished",
    "websocket_received",
    "websocket_sent",
    "websocket_started",
    "websocket_tearing_down",
]

# A receiver is user code with any signature, so its values are Any.
_AsyncReceiver = Callable[..., Coroutine[Any, Any, Any]]
_EnsureAsync = Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]

#: Always true, blinker is a dependency. Kept for code that still asks.
signals_available = True

_signals = Namespace()


def _signal(name: str, doc: str) -> NamedSignal:
    return _signals.signal(name, doc)


# The sender is the app, unless the text says otherwise.
appcontext_pushed = _signal(
    "appcontext-pushed", "An application context was pushed. No keywords."
)
appcontext_popped = _signal(
    "appcontext-popped", "An application context was popped. No keywords."
)
appcontext_tearing_down = _signal(
    "appcontext-tearing-down",
    "After the teardown_appcontext functions. Keyword: exc.",
)
request_started = _signal(
    "request-started", "Before a request is preprocessed. No keywords."
)
request_finished = _signal(
    "request-finished", "After the after_request functions. Keyword: response."
)
request_tearing_down = _signal(
    "request-tearing-down", "After the teardown_request functions. Keyword: exc."
)
got_request_exception = _signal(
    "got-request-exception",
    "A request failed with an unhandled exception. Keyword: exception.",
)
websocket_started = _signal(
    "websocket-started", "Before a websocket is preprocessed. No keywords."
)
websocket_finished = _signal(
    "websocket-finished",
    "After the after_websocket functions. Keyword: response, None if accepted.",
)
websocket_tearing_down = _signal(
    "websocket-tearing-down", "After the teardown_websocket functions. Keyword: exc."
)
got_websocket_exception = _signal(
    "got-websocket-exception",
    "A websocket failed with an unhandled exception. Keyword: exception.",
)
websocket_received = _signal(
    "websocket-received",
    "A websocket message arrived; the sender is the message. No keywords.",
)
websocket_sent = _signal(
    "websocket-sent",
    "A websocket message was sent; the sender is the message. No keywords.",
)
got_background_exception = _signal(
    "got-background-exception", "A background task failed. Keyword: exception."
)
got_serving_exception = _signal(
    "got-serving-exception",
    "A startup or shutdown function failed. Keyword: exception.",
)
before_render_template = _signal(
    "before-render-template",
    "A template is about to be rendered. Keywords: template, context.",
)
template_rendered = _signal(
    "template-rendered", "A template was rendered. Keywords: template, context."
)
message_flashed = _signal(
    "message-flashed", "A message was flashed. Keywords: message, category."
)


async def send_signal(signal: Signal, sender: object, /, **keywords: object) -> None:
    """Send a signal to every receiver, synchronous ones included.

    Synchronous receivers run as the app runs its synchronous functions
    (``app.ensure_async``, a thread by default); where there is no app they are called
    directly. An exception of a receiver goes to the caller.

    Args:
        signal: The signal, one of this module's or any other of blinker.
        sender: What receivers get as their first argument, the real object and not
            a proxy: blinker finds receivers by the sender's identity.
        **keywords: What receivers get as keywords.
    """
    if not signal.receivers:
        return
    ensure_async = _ensure_async_of(sender)
    await signal.send_async(
        sender,
        _sync_wrapper=lambda receiver: _as_coroutine_function(receiver, ensure_async),
        **keywords,
    )


def _ensure_async_of(sender: object) -> _EnsureAsync | None:
    """Find the app's ``ensure_async``: the sender's, else the current app's."""
    ensure_async = getattr(sender, "ensure_async", None)
    if ensure_async is None:
        context = _cv_app.get(None)
        ensure_async = None if context is None else context.app.ensure_async
    return cast("_EnsureAsync | None", ensure_async)


def _as_coroutine_function(
    receiver: Callable[..., Any], ensure_async: _EnsureAsync | None
) -> _AsyncReceiver:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if ensure_async is None:
            result = receiver(*args, **kwargs)
        else:
            result = await ensure_async(receiver)(*args, **kwargs)
        # Objects with an asynchronous __call__ look synchronous to blinker.
        return await result if isawaitable(result) else result

    return call
