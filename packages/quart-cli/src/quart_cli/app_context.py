"""Commands that have an application context, and commands that are async."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

import click

from .script_info import ScriptInfo

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ("awaiting", "is_loop_running", "with_appcontext")

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "_quart_cli_awaits"


@overload
def with_appcontext(fn: F) -> F: ...
@overload
def with_appcontext(fn: None = None, f: None = None) -> Callable[[F], F]: ...
@overload
def with_appcontext(fn: None = None, *, f: F) -> F: ...
# Any: a command's callback.
def with_appcontext(
    fn: Callable[..., Any] | None = None, f: Callable[..., Any] | None = None
) -> Any:
    """Run a command's function, async or not, with an application context.

    One that is active already is used. Decorators of click go above it, as with
    Flask, or below it. API of ``quart.cli`` and ``flask.cli``.

    Args:
        fn: The function; a decorator is returned without it.
        f: The same, by Flask's name.
    """
    function = f if fn is None else fn
    if function is None:
        return with_appcontext
    return _wrapped(_call_with_context, function)


def awaiting(function: F) -> F:
    """Run what a command's function returns where that is a coroutine."""
    if getattr(function, _MARK, False):
        return function
    wrapped: F = _wrapped(_call, function)
    return wrapped


def is_loop_running() -> bool:
    """Return whether this thread is inside a running event loop."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def loop_module() -> ModuleType:
    """Return `quart_cli.command_loop`, which a list of commands does not need."""
    return import_module(".command_loop", __package__)


def _wrapped(caller: Callable[..., Any], function: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if is_loop_running():
            return loop_module().in_thread(caller, function, *args, **kwargs)
        return caller(function, *args, **kwargs)

    update_wrapper(wrapper, function)
    setattr(wrapper, _MARK, True)
    return wrapper


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return loop_module().call(function, *args, **kwargs)


def _call_with_context(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if import_module("quart_contexts.ctx").has_app_context():
        return _call(function, *args, **kwargs)
    context = click.get_current_context()
    app = context.ensure_object(ScriptInfo).load_app()
    with loop_module().AppScope(app):
        return _call(function, *args, **kwargs)
