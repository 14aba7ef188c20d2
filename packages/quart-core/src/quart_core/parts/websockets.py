"""Websocket methods; quart-ws implements them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from quart_contexts.ctx import AppContext

from ..dispatch_signatures import context_may_lead
from ..missing import import_part
from ..setup import F, setupmethod
from .lazy import LazyClass

if TYPE_CHECKING:
    from ..blueprints import BlueprintSetupState
    from ..wrappers.base import BaseRequestWebsocket

__all__ = ("BlueprintWebsocketMethods", "WebsocketMethods")

PACKAGE = "quart-ws"


def _dispatch(feature: str) -> Any:
    """Return the module that handles websockets."""
    return import_part("quart_ws.dispatch", feature, PACKAGE)


def websocket_connection_class() -> Any:
    """Return the ASGI connection class of websockets."""
    return import_part(
        "quart_ws.asgi", "quart.asgi.ASGIWebsocketConnection", PACKAGE
    ).ASGIWebsocketConnection


class WebsocketMethods:
    """The websocket methods of the application.

    Contexts, websockets and results are those of quart-ws or the user, hence Any.
    Where a method has a ``websocket_context`` parameter, callers may also put the
    context first, as Quart 0.23 does.
    """

    if TYPE_CHECKING:

        def _check_setup_finished(self, f_name: str) -> None: ...

        add_url_rule: Callable[..., None]

        #: What serves a websocket, see ``quart.typing.ASGIWebsocketProtocol``.
        asgi_websocket_class: Any

        #: What handlers get; replace it with a subclass of ``Websocket``.
        websocket_class: type[BaseRequestWebsocket]
    else:
        asgi_websocket_class = LazyClass(
            "quart_ws.asgi", "ASGIWebsocketConnection", PACKAGE
        )
        websocket_class = LazyClass("quart_ws.websocket", "Websocket", PACKAGE)

    #: Where quart-ws keeps what the websockets of one event loop share.
    _websocket_rounds: Any = None

    @cached_property
    def _open_websockets(self) -> set[Any]:
        """The connections of the open websockets, to be ended at the shutdown."""
        return set()

    def _signal_shutdown(self) -> None:
        super()._signal_shutdown()  # type: ignore[misc]
        for connection in tuple(self._open_websockets):
            connection.shut_down()

    def _require_websockets(self, feature: str) -> None:
        import_part("quart_ws.dispatch", feature, PACKAGE)

    @setupmethod
    def websocket(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register the decorated function as the handler of a websocket.

        Raises:
            MissingPackageError: quart-ws is not installed.
        """
        self._require_websockets("app.websocket()")

        def decorator(func: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_websocket(rule, endpoint, func, **options)
            return func

        return decorator

    @setupmethod
    def add_websocket(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        """Connect a URL rule with a websocket handler; options as for a route.

        Raises:
            MissingPackageError: quart-ws is not installed.
        """
        self._require_websockets("app.add_websocket()")
        self.add_url_rule(
            rule, endpoint, view_func, methods={"GET"}, websocket=True, **options
        )

    def websocket_context(self, websocket: Any) -> Any:
        """Return a context for the websocket, to be entered with ``async with``."""
        part = import_part(
            "quart_contexts.ctx", "app.websocket_context()", "quart-contexts"
        )
        return part.WebsocketContext(self, websocket)

    async def handle_websocket(self, websocket: Any) -> Any:
        """Handle a websocket from its context to its teardown."""
        return await _dispatch("app.handle_websocket()").handle_websocket(
            self, websocket
        )

    async def full_dispatch_websocket(
        self, websocket_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the functions before the websocket, its handler and those after it."""
        return await _dispatch("app.full_dispatch_websocket()").full_dispatch_websocket(
            self, ctx or websocket_context
        )

    async def preprocess_websocket(
        self, websocket_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the functions before the websocket; a result rejects it."""
        return await _dispatch("app.preprocess_websocket()").preprocess_websocket(
            self, ctx or websocket_context
        )

    async def dispatch_websocket(
        self, websocket_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the handler of the websocket."""
        return await _dispatch("app.dispatch_websocket()").dispatch_websocket(
            self, ctx or websocket_context
        )

    async def finalize_websocket(
        self,
        result: Any,
        websocket_context: Any = None,
        from_error_handler: bool = False,
        *,
        ctx: Any = None,
    ) -> Any:
        """Make the response of a rejected websocket, run the functions after it."""
        if isinstance(result, AppContext):
            result, websocket_context = websocket_context, result
        return await _dispatch("app.finalize_websocket()").finalize_websocket(
            self, result, ctx or websocket_context, from_error_handler
        )

    async def postprocess_websocket(
        self, response: Any, websocket_context: Any = None, *, ctx: Any = None
    ) -> Any:
        """Run the functions after the websocket and save the session."""
        if isinstance(response, AppContext):
            response, websocket_context = websocket_context, response
        return await _dispatch("app.postprocess_websocket()").postprocess_websocket(
            self, response, ctx or websocket_context
        )

    async def do_teardown_websocket(
        self, exc: Any = None, websocket_context: Any = None, *, ctx: Any = None
    ) -> None:
        """Run the teardown functions of the websocket."""
        if isinstance(exc, AppContext):
            exc, websocket_context = websocket_context, exc
        await _dispatch("app.do_teardown_websocket()").do_teardown_websocket(
            self, exc, ctx or websocket_context
        )

    @context_may_lead()
    async def handle_websocket_exception(self, error: Any) -> Any:
        """Turn an exception nobody handled into a response, or log it."""
        return await _dispatch(
            "app.handle_websocket_exception()"
        ).handle_websocket_exception(self, error)


class BlueprintWebsocketMethods:
    """Websocket routes below the blueprint's prefix."""

    if TYPE_CHECKING:

        def _check_setup_finished(self, f_name: str) -> None: ...

        record: Callable[[Callable[[BlueprintSetupState], None]], None]

    @setupmethod
    def websocket(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register the decorated function as the handler of a websocket.

        Raises:
            MissingPackageError: quart-ws is not installed.
        """
        import_part("quart_ws.dispatch", "blueprint.websocket()", PACKAGE)

        def decorator(func: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_websocket(rule, endpoint, func, **options)
            return func

        return decorator

    @setupmethod
    def add_websocket(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        """Connect a URL rule with a websocket handler.

        Raises:
            ValueError: The endpoint has a dot.
            MissingPackageError: quart-ws is not installed.
        """
        import_part("quart_ws.dispatch", "blueprint.add_websocket()", PACKAGE)
        if endpoint and "." in endpoint:
            raise ValueError(f"The endpoint {endpoint!r} may not have a dot.")
        self.record(
            lambda state: state.add_url_rule(
                rule,
                endpoint,
                view_func,
                methods={"GET"},
                websocket=True,
                **options,
            )
        )
