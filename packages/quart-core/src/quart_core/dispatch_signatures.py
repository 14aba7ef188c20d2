"""Dispatch methods of both generations: without and with a leading context.

Quart 0.22 and Flask 3.1 call ``handle_exception(error)``; Quart 0.23 and Flask 3.2
put the context first. Callers may do either, and so may overriding subclasses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from quart_contexts.ctx import AppContext
from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket

F = TypeVar("F", bound=Callable[..., Any])

# Methods whose first parameter may be the context, in some version or other.
DISPATCH_METHODS = (
    "dispatch_request",
    "dispatch_websocket",
    "do_teardown_appcontext",
    "do_teardown_request",
    "do_teardown_websocket",
    "finalize_request",
    "finalize_websocket",
    "full_dispatch_request",
    "full_dispatch_websocket",
    "handle_background_exception",
    "handle_exception",
    "handle_http_exception",
    "handle_user_exception",
    "handle_websocket_exception",
    "log_exception",
    "make_default_options_response",
    "postprocess_websocket",
    "preprocess_request",
    "preprocess_websocket",
    "process_response",
    "update_template_context",
)

# What the one context parameter of 0.22 is called, by the methods that have it.
_CONTEXT_PARAMETERS = ("request_context", "websocket_context")


def context_may_lead(**aliases: str) -> Callable[[F], F]:
    """Let a method be called with the context as an extra first argument.

    Args:
        **aliases: Other names of parameters, as in Flask: ``e="error"``.
    """

    def decorator(method: F) -> F:
        signature = inspect.signature(method)
        extra = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
            for name in aliases
        ]
        parameters = list(signature.parameters.values())
        if aliases:
            # Given under another name, a parameter is not required any more.
            parameters = [
                parameter.replace(default=None)
                if parameter.name in aliases.values()
                else parameter
                for parameter in parameters
            ]

        def adapt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
            for alias, name in aliases.items():
                if alias in kwargs:
                    kwargs[name] = kwargs.pop(alias)
            kwargs.pop("ctx", None)
            if args and isinstance(args[0], AppContext):
                return args[1:]
            return args

        if inspect.iscoroutinefunction(method):

            @wraps(method)
            async def awaited(self: Any, *args: Any, **kwargs: Any) -> Any:
                try:
                    return await method(self, *adapt(args, kwargs), **kwargs)
                finally:
                    # An exception passing through refers to this frame: were it an
                    # argument, they would keep each other and the context.
                    del args, kwargs

            adapted: Any = awaited
        else:

            @wraps(method)
            def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
                return method(self, *adapt(args, kwargs), **kwargs)

            adapted = plain
        adapted.__signature__ = signature.replace(parameters=parameters + extra)
        return cast("F", adapted)

    return decorator


def _current_context() -> AppContext | None:
    return _cv_request.get(None) or _cv_websocket.get(None) or _cv_app.get(None)


def _insert_context(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method whose first parameter is the context for calls without it."""

    def adapt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        given = [kwargs.pop(name, None) for name in _CONTEXT_PARAMETERS]
        named = next((ctx for ctx in given if ctx is not None), None)
        if args and isinstance(args[0], AppContext):
            return args
        # Called as in 0.22, where the context came last or not at all.
        kept = tuple(arg for arg in args if not isinstance(arg, AppContext))
        last = next((arg for arg in args if isinstance(arg, AppContext)), None)
        ctx = kwargs.pop("ctx", None) or named or last or _current_context()
        return (ctx, *kept)

    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def awaited(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await method(self, *adapt(args, kwargs), **kwargs)

        return awaited

    @wraps(method)
    def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *adapt(args, kwargs), **kwargs)

    return plain


def adapt_overrides(cls: type[Any]) -> None:
    """Wrap the dispatch methods that a subclass wrote with a leading ``ctx``."""
    for name in DISPATCH_METHODS:
        method = cls.__dict__.get(name)
        if not inspect.isfunction(method):
            continue
        names = list(inspect.signature(method).parameters)
        if len(names) > 1 and names[1] == "ctx":
            setattr(cls, name, _insert_context(method))
