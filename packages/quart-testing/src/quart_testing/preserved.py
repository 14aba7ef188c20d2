"""The context of the last request, kept for a test to look at.

While a client is entered with ``async with``, the application does not tear the
context of a request down but leaves it at ``app._preserved_context``. The test's own
task takes it over, so that ``request``, ``session`` and ``g`` work in the test, and
tears it down before the next request or when the client is left.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any
from weakref import WeakKeyDictionary

from .waits import within

__all__ = ("bind_preserved", "let_go", "pop_preserved", "take_over")

# Tells in which contextvars.Context a context was bound: no other can reset it.
_marker: ContextVar[object] = ContextVar("quart_testing.preserved")
_markers: WeakKeyDictionary[Any, Token[object]] = WeakKeyDictionary()


# Any: an application of whatever class, with contexts of whatever class.
def bind_preserved(app: Any) -> None:
    """Make the kept context current in the task of the test."""
    context = app._preserved_context
    if context is not None and context not in _markers:
        context._bind()
        _markers[context] = _marker.set(context)


async def pop_preserved(app: Any, seconds: float) -> None:
    """Tear the kept context down, if there is one.

    Raises:
        StillWaitingError: It took longer.
    """
    context = getattr(app, "_preserved_context", None)
    if context is None:
        return
    app._preserved_context = None
    token = _markers.pop(context, None)
    if token is None or not _is_of_here(token):
        # Bound in another task, as where a fixture made the client: that one's
        # variables went with it, and this one's are what can be restored.
        context._pushed = []
        context._bind()
    problem = "The context of the last request was not torn down"
    await within(seconds, context.pop(None), problem)


def _is_of_here(token: Token[object]) -> bool:
    try:
        _marker.reset(token)
    except ValueError:
        return False
    return True


def let_go(context: Any) -> None:
    """Unbind a context that `take_over` has bound, without tearing it down."""
    context._unbind()


def take_over(app: Any) -> Any:
    """Make the kept context current here, whatever task had bound it.

    For a caller outside of the event loop, whose tasks have variables of their own.

    Returns:
        The context, None if there is none.
    """
    context = getattr(app, "_preserved_context", None)
    if context is None:
        return None
    _markers.pop(context, None)
    context._pushed = []
    context._bind()
    return context
