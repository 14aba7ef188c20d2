"""The least that contexts need of an application and of a request."""

from __future__ import annotations

from typing import Any

from quart_contexts.app_globals import _AppCtxGlobals
from quart_contexts.ctx import AppContext, RequestContext, WebsocketContext
from werkzeug.exceptions import NotFound


class FakeSession(dict[str, Any]):
    accessed = False


class LazyInterface:
    """Opens without waiting, like the cookie interface."""

    opens_lazily = True

    def __init__(self) -> None:
        self.opened = 0

    def _open(self, app: FakeApp, subject: Any) -> FakeSession:
        self.opened += 1
        return FakeSession()


class AwaitedInterface:
    """Must be awaited, like an interface that asks a database."""

    def __init__(self, session: FakeSession | None = None) -> None:
        self.session = session

    async def open_session(self, app: FakeApp, subject: Any) -> FakeSession | None:
        return self.session

    async def make_null_session(self, app: FakeApp) -> FakeSession:
        return FakeSession(null=True)


class FakeAdapter:
    def match(self, *, return_rule: bool) -> tuple[str, dict[str, Any]]:
        raise NotFound


class FakeRequest:
    method = "GET"

    def __init__(self, path: str = "/", **scope: Any) -> None:
        self.path = path
        self.scope = scope
        self.url_rule: Any = None
        self.view_args: Any = None
        self.routing_exception: Any = None


class FakeApp:
    """Records what the contexts ask it to do."""

    app_ctx_globals_class = _AppCtxGlobals
    name = "fake"

    def __init__(self) -> None:
        self.session_interface: Any = LazyInterface()
        self.calls: list[tuple[str, Any]] = []
        self.adapters = 0
        self.fails_in: set[str] = set()
        self._preserved_context: Any = None

    def create_url_adapter(self, request: Any) -> Any:
        self.adapters += 1
        return FakeAdapter()

    def _match_directly(self, request: Any, *, websocket: bool) -> Any:
        if request.path == "/known":
            return "known rule", {"id": 1}
        return None

    def ensure_async(self, func: Any) -> Any:
        return func

    def _context_pushed(self) -> Any:
        return self._note("pushed")

    def _context_popped(self) -> Any:
        return self._note("popped")

    async def _note(self, what: str, value: Any = None) -> None:
        self.calls.append((what, value))
        if what in self.fails_in:
            raise ValueError(what)

    async def do_teardown_appcontext(self, exc: BaseException | None) -> None:
        await self._note("teardown app", exc)

    async def do_teardown_request(self, exc: Any, request_context: Any = None) -> None:
        await self._note("teardown request", exc)

    async def do_teardown_websocket(
        self, exc: Any, websocket_context: Any = None
    ) -> None:
        await self._note("teardown websocket", exc)

    def app_context(self) -> AppContext:
        return AppContext(self)

    def request_context(self, path: str = "/", **scope: Any) -> RequestContext:
        return RequestContext(self, FakeRequest(path, **scope))

    def websocket_context(self, path: str = "/", **scope: Any) -> WebsocketContext:
        return WebsocketContext(self, FakeRequest(path, **scope))
