"""Explains the mistakes everybody makes: a forgotten ``await``, a missing return.

Everything here runs only when something went wrong already, so nothing is prepared
or cached. No frame is kept.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from .missing_await import explain_returned, explain_surplus_await, explain_use
from .names_in_scope import names_of_frame, names_of_function
from .user_code import display_path, is_user_frame, place_of, printable, unwrap_view

__all__ = (
    "VIEW_CODE",
    "add_hint",
    "explain_coroutine_result",
    "explain_none_result",
    "of_view",
)

MAX_EXPLAINED_EXCEPTIONS: Final = 20
"""Exceptions of a chain or a group that are looked at."""

VIEW_CODE: Final = "_quart_view_code"
"""An exception's attribute: the code of the view that it is about."""

_logger = logging.getLogger("quart.hints")

# What the interpreter and the standard library say about a coroutine as a value.
_USED_UNAWAITED: Final = re.compile(
    r"'(coroutine|async_generator)'"
    r"|\bnon-iterable (coroutine|async_generator)\b"
    r"|\(not \"(coroutine|async_generator)\"\)"
    r"|\b(?:not|got|to|type) (coroutine|async_generator)\b"
    r"|\b(coroutine|async_generator) found\b"
)
_AWAITED_VALUE: Final = re.compile(
    r"object (\S+) can't be used in 'await' expression"
    r"|'(\S+)' object can't be awaited"
)


# Any: a view is whatever can be called, and returns whatever it likes.
def explain_none_result(view: Any, result: Any) -> str:
    """Return the text for a view that returned None, alone or in a tuple.

    Args:
        view: The view, None if it is not known.
        result: What it returned.
    """
    what = "None"
    if isinstance(result, tuple):
        what = "a tuple that begins with None"
    return (
        f"{_subject(view)} returned {what}, which is no response. Add a return: "
        'return "text", a dict, a template; return "", 204 for an empty page.'
    )


def explain_coroutine_result(value: Any, view: Any) -> str | None:
    """Return the text for a view that returned something to be awaited.

    A coroutine that never started is closed, so that no second message says that it
    was never awaited.

    Args:
        value: What the view returned.
        view: The view, None if it is not known.

    Returns:
        The text, None if ``value`` is not awaitable.
    """
    if not inspect.isawaitable(value):
        return None
    try:
        return _explain_awaitable(value, view)
    finally:
        if (
            inspect.iscoroutine(value)
            and inspect.getcoroutinestate(value) == inspect.CORO_CREATED
        ):
            value.close()


# Any: a view is whatever can be called.
def of_view(error: TypeError, view: Any) -> TypeError:
    """Note on an exception which view it is about, as no frame of that is left.

    Args:
        error: The exception.
        view: The view, None if it is not known.
    """
    function = unwrap_view(view)
    if function is not None:
        setattr(error, VIEW_CODE, function.__code__)
    return error


def _explain_awaitable(value: Any, view: Any) -> str:
    function = unwrap_view(view)
    if function is not None:
        names = names_of_function(function)
        found = explain_returned(value, function.__code__, names)
        if found:
            return printable(found)
    name = getattr(value, "__name__", None)
    made = f"{name}(...)" if isinstance(name, str) else f"a {type(value).__name__}"
    return printable(
        f"{_subject(view)} returned {made} without await. Write: return await {made}"
        if name
        else f"{_subject(view)} returned {made}, which must be awaited first. "
        "Write: return await ..."
    )


def _subject(view: Any) -> str:
    function = unwrap_view(view)
    if function is None:
        return "A view or an error handler"
    name = function.__qualname__.rpartition("<locals>.")[2]
    return printable(f"{place_of(function.__code__)} {name}()")


def add_hint(error: BaseException) -> None:
    """Add a note to an exception that comes from a forgotten or a surplus await.

    The exceptions it was raised from and those of a group are looked at too. Never
    raises, and adds the same note once.
    """
    for each in _related(error):
        try:
            _add_hint(each)
        except Exception:
            # The user's exception matters; one about explaining it would replace it.
            _logger.debug("No hint could be made for an exception", exc_info=True)


def _related(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < MAX_EXPLAINED_EXCEPTIONS:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        waiting.extend(x for x in (each.__cause__, each.__context__) if x is not None)


def _add_hint(error: BaseException) -> None:
    if not isinstance(error, (TypeError, AttributeError)) or not error.args:
        return
    message = error.args[0]
    if not isinstance(message, str) or len(message) > 1_000:
        return
    awaited = _AWAITED_VALUE.search(message)
    if awaited is None and _USED_UNAWAITED.search(message) is None:
        return
    position = _innermost_user_position(error.__traceback__)
    if position is None:
        return
    given = None if awaited is None else awaited[1] or awaited[2]
    hint = printable(_hint(position, given))
    if hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


def _innermost_user_position(tb: TracebackType | None) -> TracebackType | None:
    found = None
    while tb is not None:
        if is_user_frame(tb.tb_frame):
            found = tb
        tb = tb.tb_next
    return found


def _hint(position: TracebackType, given: str | None) -> str:
    frame = position.tb_frame
    at = frame.f_code, position.tb_lasti, position.tb_lineno
    if given is not None:
        found = explain_surplus_await(*at, given)
    else:
        found = explain_use(*at, names_of_frame(frame))
    if found:
        return found
    place = f"{display_path(frame.f_code.co_filename)}:{position.tb_lineno}"
    if given is not None:
        return f"{place} awaited something that gave {given}. Write it without await."
    return f"{place} used a coroutine as a value. Write await before the call."
