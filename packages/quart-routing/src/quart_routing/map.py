"""QuartMap: the rules of an application and what is bound to a request."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any, Protocol
from urllib.parse import quote

from werkzeug.routing import BaseConverter, Map
from werkzeug.routing.rules import RuleFactory

from .adapter import QuartMapAdapter
from .hosts import INVALID_SUBDOMAIN, checked_host, configured_host, subdomain_of
from .lookup import Lookup
from .table import LookupTable, Match

# https://url.spec.whatwg.org/#url-path-segment-string and "%" for what is encoded.
_SAFE_IN_PATH = "!$&'()*+,/:;=@%"
_SAFE_IN_QUERY = "!$&'()*+,/:;=?@%"


class BindableRequest(Protocol):
    """What a map needs to know of a request or a websocket to bind to it."""

    @property
    def host(self) -> str:
        """The host the client asked for, with its port; empty if unknown."""
        ...

    @property
    def method(self) -> str:
        """The HTTP method, ``GET`` for a websocket."""
        ...

    @property
    def path(self) -> str:
        """The decoded path below ``root_path``."""
        ...

    @property
    def query_string(self) -> bytes:
        """The query as it was sent, without the question mark."""
        ...

    @property
    def root_path(self) -> str:
        """The decoded path the application is mounted at, empty at the root."""
        ...

    @property
    def scheme(self) -> str:
        """One of http, https, ws and wss; the last two match websocket rules only."""
        ...


class QuartMap(Map):
    """The URL rules of an application. API of Quart.

    Takes werkzeug's options. Matching and building by an adapter are werkzeug's;
    [lookup][quart_routing.QuartMap.lookup] is a faster way to the same answer for
    ordinary requests. A rule must not be changed once it is added.
    """

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        # Sorts the names and values of a query, which are of any type.
        sort_key: Callable[[Any], Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        # Adding and compiling exclude each other. Reentrant, since the factories that
        # werkzeug calls while adding may add as well.
        self._lookup_lock = RLock()
        self._lookup: Lookup | None = None
        super().__init__(
            rules,
            default_subdomain,
            strict_slashes,
            merge_slashes,
            redirect_defaults,
            converters,
            sort_parameters,
            sort_key,
            host_matching,
        )

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, or all rules of a factory; later lookups see them.

        Raises:
            RuntimeError: The rule belongs to a map already.
            LookupError: The rule names a converter the map does not have.
        """
        with self._lookup_lock:
            try:
                super().add(rulefactory)
            finally:
                self._lookup = None

    @property
    def supports_lookup(self) -> bool:
        """Whether `lookup` can answer: without hosts and subdomains in the rules."""
        return self._compiled().usable

    def lookup(
        self, method: str, path: str, *, websocket: bool = False
    ) -> Match | None:
        """Find the rule for a request, or None to ask an adapter.

        A match is the one ``adapter.match(return_rule=True)`` gives for the map's
        default subdomain: the rule, and a new dict of its variables and defaults.
        None says nothing: the adapter then matches, redirects, or raises the 404, 405
        or 400. The cost does not depend on the number of rules.

        Args:
            method: The HTTP method in upper case.
            path: The decoded path, starting with one slash.
            websocket: Match websocket rules instead of HTTP rules.
        """
        lookup = self._lookup
        if lookup is None:
            lookup = self._compiled()
        tables = lookup.websocket_tables if websocket else lookup.http_tables
        table = tables.get(method)
        if table is None:
            table = self._new_table(lookup, method, websocket)
            if table is None:
                return None
        fixed = table.fixed.get(path)
        if fixed is not None:
            return fixed[0], fixed[1].copy()
        return table.match(path)

    def _compiled(self) -> Lookup:
        if (lookup := self._lookup) is not None:
            return lookup
        with self._lookup_lock:
            if self._lookup is None:
                self.update()
                self._lookup = Lookup(self)
            return self._lookup

    def _new_table(
        self, lookup: Lookup, method: str, websocket: bool
    ) -> LookupTable | None:
        # Clients may send any method: those no rule names take no lock, no memory.
        if method not in lookup.methods:
            return None
        with self._lookup_lock:
            # A rule may have been added since, then there is another lookup.
            return self._compiled().add_table(method, websocket)

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        # Values of a query are whatever the application puts into it.
        query_args: Mapping[str, Any] | str | None = None,
    ) -> QuartMapAdapter:
        """Make an adapter, which matches and builds for one host and path.

        Raises:
            BadHost: The server name is not a host name.
            RuntimeError: A subdomain is given to a map that matches hosts.
        """
        bound = super().bind(
            server_name,
            script_name,
            subdomain,
            url_scheme,
            default_method,
            path_info,
            query_args,
        )
        return QuartMapAdapter(
            self,
            bound.server_name,
            bound.script_name,
            bound.subdomain if bound.subdomain is None else bound.subdomain.lower(),
            bound.url_scheme,
            bound.path_info,
            bound.default_method,
            bound.query_args,
        )

    def bind_to_request(
        self,
        request: BindableRequest,
        subdomain: str | None = None,
        server_name: str | None = None,
    ) -> QuartMapAdapter:
        """Make the adapter of a request or a websocket. API of Quart.

        Hosts compare without regard to case and without the scheme's default port.

        Args:
            request: What to match, and where URLs are built relative to.
            subdomain: The subdomain to match. If None it is what stands in the
                request's host before ``server_name``.
            server_name: The configured host. A request for another domain gets a
                warning and a subdomain that only a variable matches. If None it is
                the host of the request.

        Raises:
            BadHost: The host of the request is not a host name.
            RuntimeError: A subdomain is given to a map that matches hosts.
        """
        host = checked_host(request.host, request.scheme)
        if server_name is None:
            server_name = host
        else:
            server_name = configured_host(server_name, request.scheme)
        # Hosts are ASCII here, so that bind() with its conversion can be left out.
        return QuartMapAdapter(
            self,
            server_name,
            _script_name(request.root_path),
            self._bound_subdomain(subdomain, host, server_name),
            request.scheme,
            request.path,
            request.method,
            quote(request.query_string, safe=_SAFE_IN_QUERY),
        )

    def subdomain_of(self, request: BindableRequest, server_name: str) -> str | None:
        """Return the subdomain that a request asks for; None for another domain.

        Raises:
            BadHost: The host of the request is not a host name.
        """
        host = checked_host(request.host, request.scheme)
        return subdomain_of(host, configured_host(server_name, request.scheme))

    def _bound_subdomain(
        self, subdomain: str | None, host: str, server_name: str
    ) -> str | None:
        if subdomain is None:
            if self.host_matching:
                return None
            return _subdomain_or_invalid(host, server_name)
        if self.host_matching:
            raise RuntimeError(
                f"The subdomain {subdomain!r} was given to a map that matches whole"
                " hosts. Leave it out, or make the map without host_matching."
            )
        return subdomain.lower()


def _subdomain_or_invalid(host: str, server_name: str) -> str:
    subdomain = subdomain_of(host, server_name)
    if subdomain is not None:
        return subdomain
    # The text holds nothing a client chose: Python keeps each text it has warned
    # about, and a client that varies its hosts would fill the memory.
    warnings.warn(
        f"The Host header of a request does not match the server name {server_name!r}"
        " or a subdomain of it. Only rules with a variable subdomain can match. Check"
        " SERVER_NAME and the proxy in front of the application.",
        stacklevel=4,
    )
    return INVALID_SUBDOMAIN


def _script_name(root_path: str) -> str:
    # One slash in front, whatever was configured: "//x/" and "/\\x/" are hosts to a
    # browser, and "x/" would become part of the host in absolute URLs.
    return "/" + quote(root_path.lstrip("/\\"), safe=_SAFE_IN_PATH)
