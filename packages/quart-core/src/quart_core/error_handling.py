"""Exceptions of a request: which handler gets them, and what happens without one."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from quart_contexts.globals import _cv_request, _cv_websocket
from werkzeug.exceptions import (
    BadRequest,
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
)
from werkzeug.routing import RoutingException

from .dispatch_signatures import context_may_lead
from .hints import add_hint
from .signals import got_request_exception, send_signal
from .urls import Urls

if TYPE_CHECKING:
    from .typing import ErrorHandlerCallable

ExceptionInfo = (
    tuple[type, BaseException, TracebackType | None] | tuple[None, None, None]
)


class ErrorHandling(Urls):
    """What an application does with exceptions. API of ``flask.Flask``.

    Results are what a view may return, so ``Any`` stands for them.
    """

    def _find_error_handler(
        self, error: Exception, blueprints: list[str]
    ) -> ErrorHandlerCallable | None:
        """Return the handler for an exception.

        For its status code first, then for no code, in each case from the
        innermost blueprint to the application; in one table by the class order of
        the exception.

        Args:
            error: The exception.
            blueprints: Names of the blueprints, the innermost first.
        """
        if not self.error_handler_spec:
            return None
        code = error.code if isinstance(error, HTTPException) else None
        codes = (code, None) if code is not None else (None,)
        for looked_up in codes:
            for scope in (*blueprints, None):
                by_code = self.error_handler_spec.get(scope)
                handlers = None if by_code is None else by_code.get(looked_up)
                if not handlers:
                    continue
                for cls in type(error).__mro__:
                    handler = handlers.get(cls)
                    if handler is not None:
                        return handler
        return None

    def _current_blueprints(self) -> list[str]:
        ctx = _cv_request.get(None) or _cv_websocket.get(None)
        return [] if ctx is None else ctx.request_websocket.blueprints

    def trap_http_exception(self, e: Exception) -> bool:
        """Return whether an HTTP exception is treated as unhandled.

        All are with TRAP_HTTP_EXCEPTIONS, bad requests with TRAP_BAD_REQUEST_ERRORS;
        where that is None, missing keys of forms and queries are in debug mode.
        """
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if trap is None:
            return self.debug and isinstance(e, BadRequestKeyError)
        return bool(trap) and isinstance(e, BadRequest)

    def should_ignore_error(
        self,
        error: BaseException | None,  # noqa: ARG002 - for those who override
    ) -> bool:
        """Return whether teardown functions are not told of an exception."""
        return False

    @context_may_lead(e="error")
    async def handle_http_exception(self, error: HTTPException) -> Any:
        """Return the result of the handler for an HTTP exception, or itself."""
        if error.code is None or isinstance(error, RoutingException):
            return error
        handler = self._find_error_handler(error, self._current_blueprints())
        if handler is None:
            return error
        return await self.ensure_async(handler)(error)

    @context_may_lead(e="error")
    async def handle_user_exception(self, error: Exception) -> Any:
        """Return the result of the handler for an exception from a view.

        Raises:
            Exception: The exception itself where there is no handler.
        """
        if isinstance(error, BadRequestKeyError) and (
            self.debug or self.config["TRAP_BAD_REQUEST_ERRORS"]
        ):
            error.show_exception = True
        if isinstance(error, HTTPException) and not self.trap_http_exception(error):
            return await self.handle_http_exception(error)
        handler = self._find_error_handler(error, self._current_blueprints())
        try:
            if handler is None:
                raise error
            return await self.ensure_async(handler)(error)
        finally:
            # Raised, it refers to this frame: no cycle with it.
            del error

    def _propagates(self) -> bool:
        """Return whether unhandled exceptions leave the application."""
        propagate = self.config["PROPAGATE_EXCEPTIONS"]
        if propagate is None:
            return self.testing or self.debug
        return bool(propagate)

    @context_may_lead(e="error")
    async def handle_exception(self, error: Exception) -> Any:
        """Turn an exception that nobody handled into a response.

        Sends ``got_request_exception``. Logs the exception and gives an
        InternalServerError with it as ``original_exception`` to the handler for
        500, or raises it where exceptions propagate.
        """
        add_hint(error)
        await send_signal(got_request_exception, self, exception=error)
        if self._propagates():
            raise error
        self.log_exception(sys.exc_info())
        server_error: Any = InternalServerError(original_exception=error)
        handler = self._find_error_handler(server_error, self._current_blueprints())
        if handler is not None:
            server_error = await self.ensure_async(handler)(server_error)
        return await self.finalize_request(server_error, from_error_handler=True)

    async def finalize_request(
        self, result: Any, request_context: Any = None, from_error_handler: bool = False
    ) -> Any:
        """Make the response; see the pipeline."""
        raise NotImplementedError

    @context_may_lead(exc_info="exception_info")
    def log_exception(self, exception_info: ExceptionInfo) -> None:
        """Log an exception of the current request or websocket.

        Args:
            exception_info: What ``sys.exc_info()`` gives.
        """
        ctx = _cv_request.get(None) or _cv_websocket.get(None)
        if ctx is None:
            self.logger.error("Exception outside a request", exc_info=exception_info)
            return
        subject = ctx.request_websocket
        self.logger.error(
            "Exception on %s %s %r",
            "request" if ctx.has_request else "websocket",
            subject.method,
            subject.path,
            exc_info=exception_info,
        )
