"""Application, request and websocket contexts.

API of ``quart.ctx``: the three classes of Quart 0.22 and the single class of 0.23
at once. One object serves a request: it stands in ``_cv_app`` as the application
context and in ``_cv_request`` as the request context. Whatever a request may not
need (``g``, the session, the URL adapter) is made when it is first read.

A context must be freed as soon as it is popped, so nothing here may be reachable
from the application or from the request object.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextvars import Token
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from werkzeug.exceptions import HTTPException

from .app_globals import _AppCtxGlobals
from .globals import _cv_app, _cv_request, _cv_websocket
from .protocols import ContextApp

__all__ = (
    "AppContext",
    "RequestContext",
    "WebsocketContext",
    "_AppCtxGlobals",
    "after_this_request",
    "after_this_websocket",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
)

P = ParamSpec("P")
T = TypeVar("T")
AfterFunction = TypeVar("AfterFunction", bound=Callable[..., Any])

_sentinel: Any = object()

# The tokens of one push: application, request, websocket. A variable that was left
# alone has None.
_Tokens = tuple[Token[Any] | None, Token[Any] | None, Token[Any] | None]


class AppContext:
    """An application being active, with a request or a websocket if there is one.

    API of ``quart.ctx.AppContext`` (0.22), and of 0.23 where one class serves all.

    Args:
        app: The application.
        request: The HTTP request being handled, if any.
        session: An opened session; opened on first use if not given.
        websocket: The websocket being handled, if any.
    """

    # Defaults on the class, as construction is on the way of every request.
    _request: Any = None
    _websocket: Any = None
    _session: Any = None
    _g: Any = None
    _url_adapter: Any = _sentinel
    _flashes: list[tuple[str, str]] | None = None
    _after_request: list[Callable[..., Any]] | None = None
    _after_websocket: list[Callable[..., Any]] | None = None
    # The tokens of each push.
    _pushed: list[_Tokens] | None = None
    preserved = False

    def __init__(
        self,
        app: ContextApp,
        *,
        request: Any = None,
        session: Any = None,
        websocket: Any = None,
    ) -> None:
        self.app = app
        if request is not None:
            self._request = request
        if websocket is not None:
            self._websocket = websocket
        if session is not None:
            self._session = session

    # What the context gives access to

    @property
    def g(self) -> Any:
        """The namespace of this context, made on first use."""
        if self._g is None:
            self._g = self.app.app_ctx_globals_class()
        return self._g

    @g.setter
    def g(self, value: Any) -> None:
        self._g = value

    @property
    def has_request(self) -> bool:
        """Whether an HTTP request is being handled. API of Quart 0.23."""
        return self._request is not None

    @property
    def has_websocket(self) -> bool:
        """Whether a websocket is being handled. API of Quart 0.23."""
        return self._websocket is not None

    @property
    def request(self) -> Any:
        """The HTTP request.

        Raises:
            RuntimeError: No request is being handled.
        """
        if self._request is None:
            raise RuntimeError("This context has no HTTP request.")
        return self._request

    @property
    def websocket(self) -> Any:
        """The websocket.

        Raises:
            RuntimeError: No websocket is being handled.
        """
        if self._websocket is None:
            raise RuntimeError("This context has no websocket.")
        return self._websocket

    @property
    def request_websocket(self) -> Any:
        """The request or the websocket, whichever there is."""
        return self._websocket if self._request is None else self._request

    @property
    def session(self) -> Any:
        """The session, opened on first use, and from then on counted as accessed.

        None in a context that has neither request nor websocket, and before the
        push where the session interface must be awaited.
        """
        session = self._opened_session()
        if session is not None:
            session.accessed = True
        return session

    @session.setter
    def session(self, value: Any) -> None:
        self._session = value

    @property
    def flashes(self) -> list[tuple[str, str]] | None:
        """Messages already taken out of the session, kept for this request."""
        return self._flashes

    @flashes.setter
    def flashes(self, value: list[tuple[str, str]] | None) -> None:
        self._flashes = value

    @property
    def url_adapter(self) -> Any:
        """The URL adapter, made on first use; None where there can be none."""
        if self._url_adapter is _sentinel:
            self._url_adapter = self.app.create_url_adapter(self.request_websocket)
        return self._url_adapter

    @url_adapter.setter
    def url_adapter(self, value: Any) -> None:
        self._url_adapter = value

    @property
    def _after_request_functions(self) -> list[Callable[..., Any]]:
        if self._after_request is None:
            self._after_request = []
        return self._after_request

    @property
    def _after_websocket_functions(self) -> list[Callable[..., Any]]:
        if self._after_websocket is None:
            self._after_websocket = []
        return self._after_websocket

    # Coming and going

    def match_request(self) -> None:
        """Find the rule for the request; a failure is kept, not raised.

        Sets ``url_rule`` and ``view_args``, or ``routing_exception``, which the
        dispatch raises later, after the functions before the request.
        """
        is_websocket = self._request is None
        subject = self._websocket if is_websocket else self._request
        found = self.app._match_directly(subject, websocket=is_websocket)
        if found is not None:
            subject.url_rule, subject.view_args = found
            return
        try:
            subject.url_rule, subject.view_args = self.url_adapter.match(
                return_rule=True
            )
        except HTTPException as error:
            # Tracebacks would hold this frame, and so the context, in a cycle.
            error.__context__ = None
            subject.routing_exception = error.with_traceback(None)

    async def push(self) -> None:
        """Make this the current context, open the session, match the URL."""
        self._bind()
        subject = self._websocket if self._request is None else self._request
        if subject is not None:
            if self._session is None:
                interface = self.app.session_interface
                if getattr(interface, "opens_lazily", False) is not True:
                    await self._open_session(interface, subject)
            if subject.url_rule is None and subject.routing_exception is None:
                self.match_request()
        announcement = self.app._context_pushed()
        if announcement is not None:
            await announcement

    def _bind(self) -> None:
        """Set the context variables only."""
        app_token: Token[Any] | None = None
        request_token: Token[Any] | None = None
        websocket_token: Token[Any] | None = None
        request, websocket = self._request, self._websocket
        outer = _cv_app.get(None)
        if (
            outer is None
            or outer.app is not self.app
            or (request is None and websocket is None)
        ):
            app_token = _cv_app.set(self)
        elif self._g is None:
            # Inside an application context of the same app, g is shared and the
            # outer context stays the one that is torn down.
            self._g = outer.g
        # The variables are declared for the classes of Quart 0.22, one class is enough.
        if request is not None:
            request_token = _cv_request.set(self)  # type: ignore[arg-type]
        if websocket is not None:
            websocket_token = _cv_websocket.set(self)  # type: ignore[arg-type]
        tokens = (app_token, request_token, websocket_token)
        if self._pushed is None:
            self._pushed = [tokens]
        else:
            self._pushed.append(tokens)

    async def _open_session(self, interface: Any, subject: Any) -> None:
        session = await self.app.ensure_async(interface.open_session)(self.app, subject)
        if session is None:
            session = await self.app.ensure_async(interface.make_null_session)(self.app)
        self._session = session

    def _opened_session(self) -> Any:
        """Return the session, opened if that needs no waiting, else None."""
        if self._session is None:
            subject = self.request_websocket
            interface = self.app.session_interface
            lazily = getattr(interface, "opens_lazily", False) is True
            if subject is not None and lazily:
                self._session = interface._open(self.app, subject)
        return self._session

    async def pop(self, exc: BaseException | None = _sentinel) -> None:
        """Run the teardown functions and restore the context before this one.

        Args:
            exc: What the teardown functions are told; the exception being handled
                if not given.

        Raises:
            RuntimeError: The context was not pushed.
            Exception: The first error of a teardown function, after all have run.
        """
        if not self._pushed:
            raise RuntimeError(
                f"{self!r} is popped more often than it was pushed. "
                "Every pop() needs one push() before it, in the same task."
            )
        if exc is _sentinel:
            exc = sys.exc_info()[1]
        last = len(self._pushed) == 1
        owns_app = self._pushed[-1][0] is not None
        try:
            if last:
                await self._teardown(exc, owns_app=owns_app)
        finally:
            self._unbind()
            if last:
                self._forget()
        if owns_app:
            announcement = self.app._context_popped()
            if announcement is not None:
                await announcement

    async def _teardown(self, exc: BaseException | None, *, owns_app: bool) -> None:
        subject = self.request_websocket
        if subject is not None:
            # Clients that leave now interrupt nothing.
            subject._finalizing = True
        try:
            if self._request is not None:
                await self.app.do_teardown_request(exc, self)
            elif self._websocket is not None:
                await self.app.do_teardown_websocket(exc, self)
        finally:
            try:
                if owns_app:
                    await self.app.do_teardown_appcontext(exc)
            finally:
                if subject is not None:
                    subject._finalizing = False

    def _unbind(self) -> None:
        """Reset the context variables that the last push set."""
        if not self._pushed:
            return
        app_token, request_token, websocket_token = self._pushed.pop()
        if websocket_token is not None:
            _cv_websocket.reset(websocket_token)
        if request_token is not None:
            _cv_request.reset(request_token)
        if app_token is not None:
            _cv_app.reset(app_token)

    def _forget(self) -> None:
        """Break the cycle that an exception kept on the request would close."""
        subject = self._websocket if self._request is None else self._request
        if subject is not None and subject.routing_exception is not None:
            subject.routing_exception.__traceback__ = None
            subject.routing_exception.__context__ = None

    def leave(self) -> None:
        """Restore the context before this one, without any teardown.

        For a caller who knows that no teardown function is registered.
        """
        self._unbind()
        self._forget()

    async def auto_pop(self, exc: BaseException | None) -> None:
        """Pop, unless a test client asked to keep this context."""
        subject = self.request_websocket
        if subject is None or not subject.scope.get("_quart._preserve_context"):
            await self.pop(exc)
            return
        # The variables of this task end with it. Whoever asked binds the context
        # in its own task and pops it there.
        self._unbind()
        self.preserved = True
        self.app._preserved_context = self

    def copy(self) -> Self:
        """Return a context for the same request, session and ``g``, not pushed."""
        new = self.__class__.__new__(self.__class__)
        AppContext.__init__(
            new, self.app, request=self._request, websocket=self._websocket
        )
        new._session = self._opened_session()
        new._g = self.g
        new._url_adapter = self._url_adapter
        new._flashes = self._flashes
        return new

    async def __aenter__(self) -> Self:
        await self.push()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.auto_pop(exc_value)

    def __repr__(self) -> str:
        name = getattr(self.app, "name", "?")
        subject = self.request_websocket
        if subject is None:
            return f"<{type(self).__name__} of {name}>"
        return f"<{type(self).__name__} of {name}: {subject.method} {subject.path!r}>"


class RequestContext(AppContext):
    """The context of an HTTP request. API of ``quart.ctx.RequestContext``."""

    def __init__(
        self, app: ContextApp, request: Any = None, session: Any = None
    ) -> None:
        if request is None:
            raise TypeError("RequestContext() needs the request: pass request=.")
        self.app = app
        self._request = request
        if session is not None:
            self._session = session


class WebsocketContext(AppContext):
    """The context of a websocket. API of ``quart.ctx.WebsocketContext``."""

    def __init__(self, app: ContextApp, request: Any, session: Any = None) -> None:
        AppContext.__init__(self, app, websocket=request, session=session)


def has_app_context() -> bool:
    """Return whether an application is active."""
    return _cv_app.get(None) is not None


def has_request_context() -> bool:
    """Return whether an HTTP request is being handled."""
    return _cv_request.get(None) is not None


def has_websocket_context() -> bool:
    """Return whether a websocket is being handled."""
    return _cv_websocket.get(None) is not None


def after_this_request(
    func: AfterFunction = _sentinel, *, f: AfterFunction = _sentinel
) -> AfterFunction:
    """Register a function that gets the response of this request and returns one.

    Args:
        func: The function, sync or async.
        f: Flask's name for it.

    Raises:
        RuntimeError: No request is being handled.
    """
    ctx = _cv_request.get(None)
    if ctx is None:
        raise RuntimeError(
            "after_this_request() needs an active HTTP request: call it in a view "
            "or in a function that runs before or after the request."
        )
    function = _given(func, f)
    ctx._after_request_functions.append(function)
    return function


def after_this_websocket(func: AfterFunction) -> AfterFunction:
    """Register a function that gets the response of this websocket, usually None.

    Raises:
        RuntimeError: No websocket is being handled.
    """
    ctx = _cv_websocket.get(None)
    if ctx is None:
        raise RuntimeError(
            "after_this_websocket() needs an active websocket: call it in a "
            "websocket handler or in a function that runs before it."
        )
    ctx._after_websocket_functions.append(func)
    return func


def _given(func: AfterFunction, f: AfterFunction) -> AfterFunction:
    """Return the function that was passed under one of the two names."""
    if func is _sentinel:
        func = f
    if func is _sentinel:
        raise TypeError("A function is missing: pass it as the first argument.")
    return func


def _in_copy_of(
    ctx: AppContext | None, name: str, needs: str, func: Callable[..., Any]
) -> Callable[..., Any]:
    if ctx is None:
        raise RuntimeError(f"{name}() needs {needs}: call it where there is one.")
    kept = ctx.copy()

    @wraps(func)
    async def in_context(*args: Any, **kwargs: Any) -> Any:
        async with kept.copy() as copy:
            return await copy.app.ensure_async(func)(*args, **kwargs)

    return in_context


def copy_current_app_context(func: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
    """Return a coroutine function that runs in the current application context.

    Raises:
        RuntimeError: There is no application context.
    """
    ctx = _cv_app.get(None)
    if ctx is not None and ctx.request_websocket is not None:
        # Only the application part: the copy must not tear the request down.
        outer, ctx = ctx, AppContext(ctx.app)
        ctx.g = outer.g
    return _in_copy_of(ctx, "copy_current_app_context", "an application context", func)


def copy_current_request_context(
    func: Callable[P, Any] = _sentinel, *, f: Callable[P, Any] = _sentinel
) -> Callable[P, Awaitable[Any]]:
    """Return a coroutine function that runs in a copy of the request's context.

    For tasks that a view starts and that use ``request`` or ``session``.

    Args:
        func: The function, sync or async.
        f: Flask's name for it.

    Raises:
        RuntimeError: There is no request context.
    """
    return _in_copy_of(
        _cv_request.get(None),
        "copy_current_request_context",
        "an active HTTP request",
        _given(func, f),
    )


def copy_current_websocket_context(
    func: Callable[P, Any],
) -> Callable[P, Awaitable[Any]]:
    """Return a coroutine function that runs in a copy of the websocket's context.

    Raises:
        RuntimeError: There is no websocket context.
    """
    return _in_copy_of(
        _cv_websocket.get(None),
        "copy_current_websocket_context",
        "an active websocket",
        func,
    )
