"""URLs of an application: building them, and matching a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BuildError, MapAdapter, RequestRedirect, RoutingException

from .app_state import AppState

if TYPE_CHECKING:
    from .wrappers.base import BaseRequestWebsocket


class RedirectLosesBodyError(AssertionError):
    """A request with a body is redirected in a way that loses it. Debug mode only."""

    # Any: a redirect of werkzeug's.
    def __init__(self, method: str, path: str, redirect: Any) -> None:
        super().__init__(
            f"{method} {path} is redirected to the canonical URL {redirect.new_url!r} "
            f"with status {redirect.code}, and clients may repeat it there without its "
            "body. Send it to that URL, or add this one to the route."
        )


class Urls(AppState):
    """What an application does with URLs. API of ``flask.Flask``."""

    def create_url_adapter(
        self, request: BaseRequestWebsocket | None
    ) -> MapAdapter | None:
        """Return what matches and builds URLs for a request.

        Without a request it builds external URLs, and is None where SERVER_NAME
        is not set.

        Raises:
            werkzeug.exceptions.SecurityError: The host is not in TRUSTED_HOSTS.
        """
        if request is not None:
            return self._request_url_adapter(request)
        server_name = self.config["SERVER_NAME"]
        if server_name is None:
            return None
        scheme = "https" if self.config["PREFER_SECURE_URLS"] else None
        return self.url_map.bind(
            server_name,
            script_name=self.config["APPLICATION_ROOT"],
            url_scheme=scheme or self.config["PREFERRED_URL_SCHEME"],
        )

    def _request_url_adapter(self, request: BaseRequestWebsocket) -> MapAdapter:
        if (trusted := self.config["TRUSTED_HOSTS"]) is not None:
            request.trusted_hosts = trusted
            # Reading the host raises where it is not among them.
            _ = request.host
        if self.url_map.host_matching:
            return self.url_map.bind_to_request(request, None, None)
        if self.subdomain_matching:
            server_name = self.config["SERVER_NAME"]
            return self.url_map.bind_to_request(request, None, server_name)
        # Without subdomain matching SERVER_NAME does not restrict the hosts.
        subdomain = self.url_map.default_subdomain or ""
        adapter = self.url_map.bind_to_request(request, subdomain, None)
        server_name = self.config["SERVER_NAME"]
        if server_name is None or self.url_map.supports_lookup or _finds(adapter):
            return adapter
        # As in Quart, rules with a subdomain match then too, after the others.
        if self.url_map.subdomain_of(request, server_name):
            return self.url_map.bind_to_request(request, None, server_name)
        return adapter

    def _match_directly(
        self, request: BaseRequestWebsocket, *, websocket: bool
    ) -> tuple[Any, dict[str, Any]] | None:
        """Return rule and view arguments from the compiled lookup.

        None where the adapter must decide: no hit, or hosts matter.
        """
        if (
            self.subdomain_matching
            or self.config["TRUSTED_HOSTS"] is not None
            or type(self).create_url_adapter is not Urls.create_url_adapter
            or "create_url_adapter" in self.__dict__
        ):
            return None
        return self.url_map.lookup(request.method, request.path, websocket=websocket)

    def raise_routing_exception(self, request: BaseRequestWebsocket) -> NoReturn:
        """Raise the exception that matching the URL ended with.

        Raises:
            RedirectLosesBodyError: In debug mode, a redirect would lose the body.
        """
        error = request.routing_exception
        if error is None:
            raise RuntimeError("The request has no routing exception to raise.")
        if self.debug and _loses_body(error, request.method):
            raise RedirectLosesBodyError(request.method, request.path, error)
        raise error

    # Building

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _external: bool | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        **values: Any,
    ) -> str:
        """Return the URL of an endpoint.

        Args:
            endpoint: Its name; a leading dot stands for the current blueprint.
            _anchor: Added after ``#``, quoted.
            _external: Whether to give scheme and host; by default only outside a
                request, with ``_scheme``, and for websockets.
            _method: Picks among rules of the same endpoint.
            _scheme: The scheme of an external URL.
            **values: The rule's arguments; others become the query string.

        Raises:
            RuntimeError: No request is active and SERVER_NAME is not set.
            ValueError: ``_scheme`` was given with ``_external=False``.
            werkzeug.routing.BuildError: No rule takes these values.
        """
        adapter, subject = self._url_context()
        if endpoint[:1] == ".":
            endpoint = self._relative_endpoint(endpoint, subject)
        if _scheme is not None and _external is False:
            raise ValueError(
                "A URL with a scheme is external: leave out _scheme= or "
                "_external=False."
            )
        if _external is None:
            _external = _scheme is not None or subject is None
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(
                endpoint,
                values,
                method=_method,
                url_scheme=_scheme,
                force_external=_external,
            )
        except BuildError as error:
            values.update(
                _anchor=_anchor, _external=_external, _method=_method, _scheme=_scheme
            )
            return self.handle_url_build_error(error, endpoint, values)
        if not adapter.server_name and ":///" in url:
            # No host is known (RFC 9112, 3.3); browsers would read a part of the path
            # as one.
            url = "/" + url.partition(":///")[2]
        if _anchor is not None:
            url = f"{url}#{quote(_anchor, safe='%!#$&' + chr(39) + '()*+,/:;=?@')}"
        return url

    def _url_context(self) -> tuple[MapAdapter, BaseRequestWebsocket | None]:
        """Return the adapter to build with, and the request or websocket."""
        ctx = _cv_request.get(None) or _cv_websocket.get(None)
        subject = None if ctx is None else ctx.request_websocket
        if ctx is not None:
            return ctx.url_adapter, subject
        app_ctx = _cv_app.get(None)
        # The context knows its application as a protocol, not as this class.
        current: object = None if app_ctx is None else app_ctx.app
        adapter = (
            app_ctx.url_adapter
            if app_ctx is not None and current is self
            else self.create_url_adapter(None)
        )
        if adapter is None:
            raise RuntimeError(
                "url_for() outside a request needs to know the host: set "
                "SERVER_NAME, and APPLICATION_ROOT and PREFERRED_URL_SCHEME where "
                "they differ from '/' and 'http'."
            )
        return adapter, None

    @staticmethod
    def _relative_endpoint(endpoint: str, subject: BaseRequestWebsocket | None) -> str:
        blueprint = None if subject is None else subject.blueprint
        return endpoint[1:] if blueprint is None else f"{blueprint}{endpoint}"

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Let the url_defaults functions add values, application first."""
        if not self.url_default_functions:
            return
        for name in _scopes_of(endpoint):
            for function in self.url_default_functions.get(name, ()):
                function(endpoint, values)

    def handle_url_build_error(
        self, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Let the handlers in ``url_build_error_handlers`` find a URL.

        Raises:
            werkzeug.routing.BuildError: None of them did.
        """
        for handler in self.url_build_error_handlers:
            try:
                url = handler(error, endpoint, values)
            except BuildError as raised:
                error = raised
            else:
                if url is not None:
                    return url
        raise error


def _finds(adapter: MapAdapter) -> bool:
    try:
        adapter.match()
    except NotFound:
        return False
    except HTTPException:
        pass
    return True


def _loses_body(error: RoutingException | Exception, method: str) -> bool:
    return (
        isinstance(error, RequestRedirect)
        and error.code not in {307, 308}
        and method not in {"GET", "HEAD", "OPTIONS"}
    )


def _scopes_of(endpoint: str) -> list[str | None]:
    """Return None and the endpoint's blueprints, the outermost first."""
    names: list[str | None] = [None]
    parts = endpoint.split(".")[:-1]
    names.extend(".".join(parts[: count + 1]) for count in range(len(parts)))
    return names
