"""What happens to a websocket, from its context to its end.

The functions are the bodies of the application's methods, which core declares.
They call each other as methods, so that a subclass or an extension may replace any of
them. A step that has nothing to do returns at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from quart_contexts.ctx import AppContext, WebsocketContext
from quart_contexts.globals import websocket_ctx
from quart_core.hints import add_hint
from quart_core.parts.websockets import WebsocketMethods
from quart_core.pipeline import RequestPipeline
from quart_core.signals import (
    appcontext_popped,
    appcontext_tearing_down,
    got_websocket_exception,
    send_signal,
    websocket_finished,
    websocket_started,
    websocket_tearing_down,
)
from werkzeug.exceptions import InternalServerError
from werkzeug.sansio.response import Response as SansIOResponse

from .disconnects import without_disconnects
from .origins import check_origin

if TYPE_CHECKING:
    from quart_core.app import Quart

    from .websocket import Websocket

__all__ = (
    "dispatch_websocket",
    "do_teardown_websocket",
    "finalize_websocket",
    "full_dispatch_websocket",
    "handle_websocket",
    "handle_websocket_exception",
    "postprocess_websocket",
    "preprocess_websocket",
)

# Any below: what a handler returns, and responses of ours or of werkzeug.


async def handle_websocket(app: Quart, websocket: Websocket) -> Any:
    """Handle a websocket from its context to its teardown.

    Returns:
        The response that rejects it; None, or one to be ignored, if it was accepted.

    Raises:
        Exception: The handler's, where exceptions propagate.
    """
    ctx = app.websocket_context(websocket)
    error: BaseException | None = None
    try:
        try:
            await ctx.push()
            return await app.full_dispatch_websocket(ctx)
        except Exception as raised:  # noqa: BLE001 - a handler's, or raised
            error = raised
            websocket._failed = True
            return await app.handle_websocket_exception(raised)
    except BaseException as raised:
        error = raised
        raise
    finally:
        # From here on a client that leaves must not interrupt.
        websocket._ended = True
        if error is None and _has_no_teardown(app, ctx):
            ctx.leave()
        else:
            if error is not None and app.should_ignore_error(error):
                error = None
            await ctx.auto_pop(error)
            # The traceback refers to this frame, this frame to the exception.
            error = None


#: As they are where nobody replaced them, on the class, in a subclass or on the object.
_TEARDOWNS: Final[list[Any]] = [
    WebsocketMethods.do_teardown_websocket,
    RequestPipeline.do_teardown_appcontext,
]


def _has_no_teardown(app: Quart, ctx: AppContext) -> bool:
    """Return whether nothing would happen when the context is popped.

    Looked up anew for each websocket: functions, receivers and methods may be added
    and replaced at any time.
    """
    teardowns = app.do_teardown_websocket, app.do_teardown_appcontext
    return not (
        app.teardown_websocket_funcs
        or app.teardown_appcontext_funcs
        or websocket_tearing_down.receivers
        or appcontext_tearing_down.receivers
        or appcontext_popped.receivers
        or ctx.websocket.scope.get("_quart._preserve_context")
        or [getattr(teardown, "__func__", None) for teardown in teardowns] != _TEARDOWNS
        or type(ctx) is not WebsocketContext
    )


async def full_dispatch_websocket(app: Quart, websocket_context: Any = None) -> Any:
    """Run the functions before the websocket, its handler and those after it."""
    ctx = websocket_context or websocket_ctx._get_current_object()
    app._got_first_request = True
    try:
        if websocket_started.receivers:
            await send_signal(websocket_started, app)
        result = await _handler_result(app, ctx)
    except Exception as error:  # noqa: BLE001 - a handler's, or raised
        ctx.websocket._failed = True
        result = await app.handle_user_exception(error)
    return await app.finalize_websocket(result, ctx)


async def _handler_result(app: Quart, ctx: AppContext) -> Any:
    """Return what the functions before the websocket, or else its handler, returned.

    Raises:
        BaseException: Theirs; the end of the websocket is no group of exceptions.
    """
    try:
        result = await app.preprocess_websocket(ctx)
        if result is None:
            result = await app.dispatch_websocket(ctx)
    except BaseExceptionGroup as group:
        error = without_disconnects(group)
        if error is group:
            raise
        raise error from None
    return result


async def preprocess_websocket(app: Quart, websocket_context: Any = None) -> Any:
    """Check the origin and run the functions before the websocket.

    Returns:
        The first result that is not None, which rejects the websocket.

    Raises:
        werkzeug.exceptions.Forbidden: A page of a foreign origin opened it.
    """
    ctx = websocket_context or websocket_ctx._get_current_object()
    websocket = ctx.websocket
    check_origin(app.config, websocket)
    if not app.url_value_preprocessors and not app.before_websocket_funcs:
        return None
    scopes: list[str | None] = [None, *reversed(websocket.blueprints)]
    if app.url_value_preprocessors:
        for scope in scopes:
            for processor in app.url_value_preprocessors.get(scope, ()):
                processor(websocket.endpoint, websocket.view_args)
    if app.before_websocket_funcs:
        for scope in scopes:
            for function in app.before_websocket_funcs.get(scope, ()):
                result = await app.ensure_async(function)()
                if result is not None:
                    return result
    return None


async def dispatch_websocket(app: Quart, websocket_context: Any = None) -> Any:
    """Run the handler of the websocket.

    Raises:
        werkzeug.exceptions.HTTPException: No rule matched.
    """
    ctx = websocket_context or websocket_ctx._get_current_object()
    websocket = ctx.websocket
    if websocket.routing_exception is not None:
        app.raise_routing_exception(websocket)
    return await app._view(websocket.url_rule.endpoint)(**websocket.view_args)


async def finalize_websocket(
    app: Quart,
    result: Any,
    websocket_context: Any = None,
    from_error_handler: bool = False,
) -> Any:
    """Make the response of a rejected websocket, run the functions after it.

    Args:
        app: The application.
        result: What the handler or an error handler returned.
        websocket_context: The context, the current one if not given.
        from_error_handler: Log an exception in here instead of raising it.

    Returns:
        The response, None where nothing was returned.
    """
    response = None if result is None else await app.make_response(result)
    try:
        response = await app.postprocess_websocket(response, websocket_context)
        if websocket_finished.receivers:
            await send_signal(websocket_finished, app, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception(
            "The error is answered, but a function after the websocket failed"
        )
    return response


async def postprocess_websocket(
    app: Quart, response: Any, websocket_context: Any = None
) -> Any:
    """Run the functions after the websocket and save the session.

    Returns:
        The response that the last function returned.
    """
    ctx = websocket_context or websocket_ctx._get_current_object()
    if ctx._after_websocket is not None:
        for function in ctx._after_websocket:
            response = await _run_after(app, function, response)
    if app.after_websocket_funcs:
        for scope in (*ctx.websocket.blueprints, None):
            for function in reversed(app.after_websocket_funcs.get(scope, ())):
                response = await _run_after(app, function, response)
    session = ctx._session
    if session is None and response is not None:
        session = _session_to_refresh(app, ctx)
    if session is not None:
        await app._save_session(session, response)
    return response


async def _run_after(app: Quart, function: Any, response: Any) -> Any:
    """Return what a function after the websocket made of the response.

    Raises:
        TypeError: It lost the response, or returned something else.
    """
    returned = await app.ensure_async(function)(response)
    if isinstance(returned, SansIOResponse) or (returned is None and response is None):
        return returned
    name = getattr(function, "__qualname__", repr(function))
    raise TypeError(
        f"The function after the websocket {name}() was given {response!r} and "
        f"returned {returned!r}; it must return what it was given, or a response."
    )


def _session_to_refresh(app: Quart, ctx: AppContext) -> Any:
    """Return a session nobody read, if it may be permanent and so re-sent."""
    if app.config["SESSION_REFRESH_EACH_REQUEST"] and "Cookie" in ctx.websocket.headers:
        return ctx._opened_session()
    return None


async def do_teardown_websocket(
    app: Quart, exc: BaseException | None, websocket_context: Any = None
) -> None:
    """Run the teardown functions of the websocket: inner blueprint, outer, app.

    All of them run; then the first exception of one is raised.
    """
    ctx = websocket_context or websocket_ctx._get_current_object()
    failure: Exception | None = None
    if app.teardown_websocket_funcs:
        for scope in (*ctx.websocket.blueprints, None):
            functions = app.teardown_websocket_funcs.get(scope, ())
            failure = await app._run_teardown(functions, exc, failure)
    if websocket_tearing_down.receivers:
        await send_signal(websocket_tearing_down, app, exc=exc)
    if failure is not None:
        raise failure


async def handle_websocket_exception(app: Quart, error: Exception) -> Any:
    """Turn an exception that nobody handled into a response.

    Sends ``got_websocket_exception``. Logs the exception and gives an
    InternalServerError with it as ``original_exception`` to the handler for 500, or
    raises it where exceptions propagate. If the websocket was accepted before, it is
    closed with 1011 instead of the response.
    """
    add_hint(error)
    await send_signal(got_websocket_exception, app, exception=error)
    if app._propagates():
        raise error
    app.log_exception(sys.exc_info())
    server_error: Any = InternalServerError(original_exception=error)
    handler = app._find_error_handler(server_error, app._current_blueprints())
    if handler is not None:
        server_error = await app.ensure_async(handler)(server_error)
    return await app.finalize_websocket(server_error, from_error_handler=True)
