"""What the contexts need of an application, without knowing its class."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class ContextApp(Protocol):
    """The part of an application that contexts call.

    The values are those of packages above this one, hence the ``Any``.
    """

    app_ctx_globals_class: Any
    session_interface: Any
    _preserved_context: Any

    def create_url_adapter(self, request: Any) -> Any:
        """Return a URL adapter for the request, or for no request at all."""

    def _match_directly(self, request: Any, *, websocket: bool) -> Any:
        """Return (rule, view arguments) from the compiled lookup, or None."""

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as a coroutine function."""
        ...

    def _context_pushed(self) -> Awaitable[object] | None:
        """Return the sending of appcontext_pushed, None without receivers."""

    def _context_popped(self) -> Awaitable[object] | None:
        """Return the sending of appcontext_popped, None without receivers."""

    async def do_teardown_appcontext(self, exc: BaseException | None) -> None:
        """Run the teardown functions of the application context."""

    async def do_teardown_request(
        self, exc: BaseException | None, request_context: Any = None
    ) -> None:
        """Run the teardown functions of the request."""

    async def do_teardown_websocket(
        self, exc: BaseException | None, websocket_context: Any = None
    ) -> None:
        """Run the teardown functions of the websocket."""
