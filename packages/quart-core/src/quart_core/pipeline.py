"""What happens to a request, from its context to its response.

``handle_request`` calls ``full_dispatch_request``, which calls the other steps as
methods, so a subclass or an extension may replace any of them. A step that has
nothing to do returns at once.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterator
from typing import Any, Final

from quart_contexts.ctx import AppContext, RequestContext
from quart_contexts.globals import request_ctx
from werkzeug.sansio.response import Response as SansIOResponse

from .discarded import close_with, discard
from .dispatch_signatures import context_may_lead
from .sessions import SecureCookieSessionInterface
from .signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
    send_signal,
)
from .view_results import ViewResults
from .wrappers import Request, Response

_MISSING: Any = object()


class RequestPipeline(ViewResults):
    """The way of a request. API of ``quart.Quart`` 0.22, contexts as in 0.23 too.

    Where a method has a ``request_context`` parameter, callers may also put the
    context first, as Quart 0.23 does.
    """

    def request_context(self, request: Request) -> RequestContext:
        """Return a context for the request, to be entered with ``async with``."""
        return RequestContext(self, request)

    def app_context(self) -> AppContext:
        """Return an application context, to be entered with ``async with``."""
        return AppContext(self)

    def _context_pushed(self) -> Awaitable[object] | None:
        """Return the sending of appcontext_pushed, None without receivers."""
        if not appcontext_pushed.receivers:
            return None
        return send_signal(appcontext_pushed, self)

    def _context_popped(self) -> Awaitable[object] | None:
        """Return the sending of appcontext_popped, None without receivers."""
        if not appcontext_popped.receivers:
            return None
        return send_signal(appcontext_popped, self)

    async def handle_request(self, request: Request) -> Response:
        """Handle a request from its context to its teardown.

        Raises:
            Exception: The view's, where exceptions propagate.
        """
        ctx = self.request_context(request)
        error: BaseException | None = None
        response: Any = None
        try:
            try:
                await ctx.push()
                response = await self.full_dispatch_request(ctx)
            except Exception as raised:  # noqa: BLE001 - a handler's, or raised
                error = raised
                response = await self.handle_exception(raised)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if error is None and self._has_no_teardown(ctx):
                ctx.leave()
            else:
                if error is not None and self.should_ignore_error(error):
                    error = None
                try:
                    await ctx.auto_pop(error)
                except BaseException:
                    await discard(response, self.logger)
                    raise
                finally:
                    # The traceback refers to this frame, this frame to the exception.
                    error = None
        result: Response = response
        return result

    def _has_no_teardown(self, ctx: RequestContext) -> bool:
        """Return whether nothing would happen when the context is popped.

        Looked up anew for each request: functions, receivers and methods may be
        added and replaced at any time.
        """
        teardowns = self.do_teardown_request, self.do_teardown_appcontext
        request = ctx._request
        return not (
            self.teardown_request_funcs
            or self.teardown_appcontext_funcs
            or request_tearing_down.receivers
            or appcontext_tearing_down.receivers
            or appcontext_popped.receivers
            or request._files
            or request.scope.get("_quart._preserve_context")
            or [getattr(each, "__func__", None) for each in teardowns] != _TEARDOWNS
            or type(request).close is not Request.close
            or type(ctx) is not RequestContext
        )

    async def full_dispatch_request(
        self, request_context: Any = None, *, ctx: Any = None
    ) -> Response:
        """Run the functions before the request, its view and those after it."""
        ctx = ctx or request_context or request_ctx._get_current_object()
        self._got_first_request = True
        try:
            if request_started.receivers:
                await send_signal(request_started, self)
            result = await self.preprocess_request(ctx)
            if result is None:
                result = await self.dispatch_request(ctx)
        except Exception as error:  # noqa: BLE001 - a handler's, or raised
            result = await self.handle_user_exception(error)
        try:
            response: Response = await self.finalize_request(result, ctx)
        finally:
            # An HTTP exception's traceback refers to this frame: no cycle with it.
            result = None
        return response

    async def preprocess_request(
        self, request_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the functions before the request.

        Returns:
            The first result that is not None, which ends the request.
        """
        if not self.url_value_preprocessors and not self.before_request_funcs:
            return None
        ctx = ctx or request_context or request_ctx._get_current_object()
        request = ctx.request
        scopes: list[str | None] = [None, *reversed(request.blueprints)]
        if self.url_value_preprocessors:
            for scope in scopes:
                for processor in self.url_value_preprocessors.get(scope, ()):
                    processor(request.endpoint, request.view_args)
        if self.before_request_funcs:
            for scope in scopes:
                for function in self.before_request_funcs.get(scope, ()):
                    result = await self.ensure_async(function)()
                    if result is not None:
                        return result
        return None

    async def dispatch_request(
        self, request_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the view of the request, or answer OPTIONS.

        Raises:
            werkzeug.exceptions.HTTPException: No rule matched.
        """
        ctx = ctx or request_context or request_ctx._get_current_object()
        request = ctx.request
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        rule = request.url_rule
        if request.method == "OPTIONS" and rule.provide_automatic_options:
            return await self.make_default_options_response()
        return await self._view(rule.endpoint)(**request.view_args)

    @context_may_lead()
    async def make_default_options_response(self) -> Response:
        """Return the automatic answer to OPTIONS, with the allowed methods."""
        ctx = request_ctx._get_current_object()
        methods = sorted(ctx.url_adapter.allowed_methods())
        response = self.response_class("")
        response.headers["Allow"] = ", ".join(methods)
        return response

    async def finalize_request(
        self,
        result: Any = _MISSING,
        request_context: Any = None,
        from_error_handler: bool = False,
        *,
        rv: Any = _MISSING,
        ctx: Any = None,
    ) -> Any:
        """Make the response and run the functions after the request.

        Args:
            result: What the view or a handler returned.
            request_context: The context, the current one if not given.
            from_error_handler: Log an exception in here instead of raising it.
            rv: Flask's name for ``result``.
            ctx: The context, as Quart 0.23 names it.
        """
        if isinstance(result, AppContext):
            result, request_context = request_context, result
        elif result is _MISSING:
            result = rv
        request_context = ctx or request_context
        response = await self.make_response(result)
        return await self._finish(response, request_context, from_error_handler)

    async def _finish(
        self, made: Any, request_context: Any, from_error_handler: bool = False
    ) -> Any:
        """Run the functions after the request on the response that was made."""
        response = made
        try:
            response = await self.process_response(response, request_context)
            if response is not made:
                await close_with(response, made, self.logger)
            if request_finished.receivers:
                await send_signal(request_finished, self, response=response)
        except BaseException as error:
            if not (from_error_handler and isinstance(error, Exception)):
                await discard(response, self.logger)
                raise
            self.logger.exception(
                "The error page is sent, but a function after the request failed"
            )
        return response

    async def process_response(
        self, response: Any, request_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the functions after the request and save the session.

        Returns:
            The response that the last function returned.
        """
        if isinstance(response, AppContext):
            response, request_context = request_context, response
        ctx = ctx or request_context or request_ctx._get_current_object()
        if ctx._after_request is not None or self.after_request_funcs:
            response = await self._after_request(ctx, response)
        session = ctx._session
        if session is None:
            if not self.config["SESSION_REFRESH_EACH_REQUEST"]:
                return response
            session = self._session_to_refresh(ctx)
            if session is None:
                return response
        await self._save_session(session, response)
        return response

    async def _after_request(self, ctx: Any, given: Any) -> Any:
        """Run the functions after the request; return what the last one returned."""
        response = given
        try:
            for function in self._functions_after(ctx):
                returned = _checked(
                    await self.ensure_async(function)(response), function
                )
                if response is not given and returned is not response:
                    await close_with(returned, response, self.logger)
                response = returned
        except BaseException:
            # The given one is the caller's.
            if response is not given:
                await discard(response, self.logger)
            raise
        return response

    def _functions_after(self, ctx: Any) -> Iterator[Any]:
        yield from ctx._after_request or ()
        if self.after_request_funcs:
            for scope in (*ctx.request.blueprints, None):
                yield from reversed(self.after_request_funcs.get(scope, ()))

    def _session_to_refresh(self, ctx: Any) -> Any:
        """Return a session nobody read, if it may be permanent and so re-sent."""
        if (
            self.config["SECRET_KEY"] is None
            and type(self.session_interface) is SecureCookieSessionInterface
        ):
            return None
        name = self.config["SESSION_COOKIE_NAME"].encode()
        for header, value in ctx.request.scope.get("headers", ()):
            if header == b"cookie" and name in value:
                return ctx._opened_session()
        return None

    async def _save_session(self, session: Any, response: Any) -> None:
        interface = self.session_interface
        function = getattr(interface.save_session, "__func__", None)
        if function is SecureCookieSessionInterface.save_session:
            interface._save(self, session, response)  # type: ignore[attr-defined]
        elif not interface.is_null_session(session):
            await self.ensure_async(interface.save_session)(self, session, response)

    async def do_teardown_request(
        self,
        exc: BaseException | None = _MISSING,
        request_context: Any = None,
        *,
        ctx: Any = None,
    ) -> None:
        """Run the teardown functions of the request and close its files.

        All of them run; then the first exception of one is raised.

        Args:
            exc: What they are told; the exception being handled if not given.
            request_context: The context, the current one if not given.
            ctx: The same, as Quart 0.23 names it.
        """
        if isinstance(exc, AppContext):
            exc, request_context = request_context, exc
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        ctx = ctx or request_context or request_ctx._get_current_object()
        failure: Exception | None = None
        if self.teardown_request_funcs:
            for scope in (*ctx.request.blueprints, None):
                functions = self.teardown_request_funcs.get(scope, ())
                failure = await self._run_teardown(functions, exc, failure)
        if request_tearing_down.receivers:
            await send_signal(request_tearing_down, self, exc=exc)
        await ctx.request.close()
        if failure is not None:
            raise failure

    async def do_teardown_websocket(
        self, exc: BaseException | None, websocket_context: Any = None
    ) -> None:
        """Run the teardown functions of a websocket; quart-ws implements it."""
        raise NotImplementedError

    async def do_teardown_appcontext(
        self,
        exc: BaseException | None = _MISSING,
        _exc: Any = None,
        *,
        ctx: Any = None,  # noqa: ARG002 - as Quart 0.23 calls it
    ) -> None:
        """Run the teardown functions of the application context, the last first.

        All of them run; then the first exception of one is raised.
        """
        if isinstance(exc, AppContext):
            exc = _exc
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        failure: Exception | None = None
        if self.teardown_appcontext_funcs:
            failure = await self._run_teardown(self.teardown_appcontext_funcs, exc)
        if appcontext_tearing_down.receivers:
            await send_signal(appcontext_tearing_down, self, exc=exc)
        if failure is not None:
            raise failure

    async def _run_teardown(
        self,
        functions: Any,
        exc: BaseException | None,
        failure: Exception | None = None,
    ) -> Exception | None:
        """Run functions in reverse; return the first exception, log the others."""
        for function in reversed(functions):
            try:
                await self.ensure_async(function)(exc)
            except Exception as error:
                if failure is None:
                    failure = error
                else:
                    self.logger.exception("Another teardown function failed")
        return failure


def _checked(response: Any, function: Any) -> Any:
    """Return what a function after the request returned, if it is a response."""
    if not isinstance(response, SansIOResponse):
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"The function after the request {name}() returned {response!r}; it must "
            "return the response it was given, or another one."
        )
    return response


# The teardown where nobody replaced it, on the class, in a subclass or on the object.
_TEARDOWNS: Final[list[Any]] = [
    RequestPipeline.do_teardown_request,
    RequestPipeline.do_teardown_appcontext,
]
