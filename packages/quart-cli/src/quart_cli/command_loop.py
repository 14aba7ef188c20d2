"""An event loop and an application context for commands, which are not in a loop.

Click calls commands one after the other without a loop. So one loop is kept for the
invocation of a command: coroutines run in it, and so do the parts of pushing and
popping the context that await. Between them no loop runs, and a command that is not
async may run one of its own (``asyncio.run``).
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("AppScope", "CommandLoop", "call", "in_thread")

T = TypeVar("T")

_current: contextvars.ContextVar[CommandLoop | None] = contextvars.ContextVar(
    "quart_cli_loop", default=None
)


class CommandLoop:
    """The event loop of a command; one inside another is the same loop."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._outer: CommandLoop | None = None

    def __enter__(self) -> Self:
        self._outer = _current.get()
        if self._outer is None:
            self._runner = asyncio.Runner()
            _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            _current.set(None)
            self._runner.close()

    def run(
        self,
        coroutine: Coroutine[Any, Any, T],
        context: contextvars.Context | None = None,
    ) -> T:
        """Run a coroutine to its end, in a copy of the current context if none."""
        if self._runner is None:
            if self._outer is None:
                raise RuntimeError("The command's event loop is used outside of with.")
            return self._outer.run(coroutine, context)
        return self._runner.run(
            coroutine, context=context or contextvars.copy_context()
        )


class AppScope:
    """Makes an application current for a command. A plain context manager.

    The context is pushed and popped in the loop, in contextvars of its own, since it
    has to be popped in those that it was pushed in; the variables that it sets are
    set outside too.

    Args:
        app: The application.
    """

    def __init__(self, app: Quart) -> None:
        self._loop = CommandLoop()
        self._context = app.app_context()
        self._variables = contextvars.copy_context()
        self._tokens: list[contextvars.Token[Any]] = []

    def __enter__(self) -> Self:
        self._loop.__enter__()
        self._variables = contextvars.copy_context()
        try:
            self._loop.run(self._context.push(), self._variables)
        except BaseException:
            self._loop.__exit__()
            raise
        self._tokens = _take_over(self._variables)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        while self._tokens:
            token = self._tokens.pop()
            token.var.reset(token)
        try:
            self._loop.run(self._context.pop(exc_value), self._variables)
        finally:
            self._loop.__exit__()


# Any: a command's callback takes and returns what it likes.
def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a command's function, and run what it returns if that is a coroutine."""
    result = function(*args, **kwargs)
    if not inspect.iscoroutine(result):
        return result
    with CommandLoop() as loop:
        return loop.run(result)


def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function in a thread where no event loop runs, and wait for it.

    For a command that is invoked inside a running loop, as in an async test. That
    loop stands still meanwhile.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()
    click_context = click.get_current_context(silent=True)

    def work() -> None:
        # Nothing of the loop outside must be taken for one of this thread.
        _current.set(None)
        try:
            if click_context is None:
                results.append(function(*args, **kwargs))
                return
            with click_context.scope(cleanup=False):
                results.append(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            errors.append(error)

    thread = threading.Thread(
        target=context.run, args=(work,), name="quart-command", daemon=True
    )
    thread.start()
    thread.join()
    if errors:
        # A cycle of the error and this frame would keep both.
        raise errors.pop()
    return results[0]


# Any: whatever the variables hold.
def _take_over(variables: contextvars.Context) -> list[contextvars.Token[Any]]:
    """Set the variables here as they are there; return what undoes it."""
    unset = object()
    return [
        variable.set(value)
        for variable, value in variables.items()
        if variable.get(unset) is not value
    ]
