"""The application: everything a request, a server or an extension talks to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from .asgi import ASGIHTTPConnection, ASGILifespan
from .async_files import AsyncFileContext
from .dispatch_signatures import adapt_overrides
from .lifecycle import Lifecycle
from .parts.server import ServerMethods
from .parts.testing import TestingMethods
from .parts.websockets import WebsocketMethods

if TYPE_CHECKING:
    from .typing import ASGIReceiveCallable, ASGISendCallable, Scope

__all__ = ("AppOrBlueprintKey", "Quart")

# The keys of the tables of functions: None for the application, else a blueprint.
AppOrBlueprintKey = str | None


class Quart(WebsocketMethods, TestingMethods, ServerMethods, Lifecycle):
    """An ASGI application. API of ``quart.Quart``, and so of ``flask.Flask``.

    The bases are the ways to look at it: what the optional packages add, how it
    starts and stops (:class:`Lifecycle`), what happens to a request
    (``RequestPipeline``), what it is (``AppState``).

    Args:
        import_name: Name of the module it is defined in, usually ``__name__``.
        static_url_path: URL prefix of static files, the folder's name if not given.
        static_folder: Folder of static files, relative to the root path.
        static_host: Host of the static files, needed with ``host_matching``.
        host_matching: Whether rules have a host of their own.
        subdomain_matching: Whether rules match subdomains of SERVER_NAME.
        template_folder: Folder of templates, relative to the root path.
        instance_path: Absolute path of the folder for what is not in the code.
        instance_relative_config: Whether configuration files are relative to it.
        root_path: Where relative folders start, found by the import name if not
            given.

    Raises:
        ValueError: The instance path is not absolute.
    """

    asgi_http_class: Any = ASGIHTTPConnection
    asgi_lifespan_class: Any = ASGILifespan

    _closed_a_websocket: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        adapt_overrides(cls)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve a connection; middleware wraps ``asgi_app``, not this."""
        await self.asgi_app(scope, receive, send)

    async def asgi_app(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve a connection, without what wraps the application.

        Raises:
            RuntimeError: The scope's type is not known.
        """
        kind = scope["type"]
        connection_class: Callable[..., Any]
        if kind == "http":
            connection_class = self.asgi_http_class
        elif kind == "websocket":
            try:
                connection_class = self.asgi_websocket_class
            except AttributeError as missing:
                await self._refuse_websocket(missing, receive, send)
                return
        elif kind == "lifespan":
            connection_class = self.asgi_lifespan_class
        else:
            raise RuntimeError(
                f"The server asked for a connection of type {kind!r}; known are "
                "'http', 'websocket' and 'lifespan'."
            )
        await connection_class(self, scope)(receive, send)

    async def _refuse_websocket(
        self, missing: AttributeError, receive: Any, send: Any
    ) -> None:
        """Close a websocket that no installed package can serve."""
        if not self._closed_a_websocket:
            # Once is enough: browsers reconnect.
            type(self)._closed_a_websocket = True
            self.logger.warning("A websocket was refused: %s", missing)
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": ""})

    async def open_instance_resource(
        self,
        path: Any = None,
        mode: str = "rb",
        encoding: str | None = "utf-8",
        *,
        resource: Any = None,
    ) -> AsyncFileContext:
        """Open a file of the instance folder; in any mode, unlike a resource.

        Args:
            path: Path relative to the instance path.
            mode: As for ``open``.
            encoding: Encoding in text mode.
            resource: Flask's name for ``path``.
        """
        name = path if resource is None else resource
        full_path = os.path.join(self.instance_path, os.fspath(name))
        return AsyncFileContext(full_path, mode, None if "b" in mode else encoding)
