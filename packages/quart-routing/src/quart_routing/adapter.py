"""QuartMapAdapter: matching and building for one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, overload
from urllib.parse import urlsplit, urlunsplit

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import MapAdapter, RequestRedirect, Rule, WebsocketMismatch

# In this module Any stands for values of variables and for endpoints, which are of the
# application's own types.


def _is_automatic(rule: Rule) -> bool:
    return bool(getattr(rule, "provide_automatic_options", False))


# The method of no request, see werkzeug's ``allowed_methods``.
_NO_METHOD = "--"


def sorted_methods(methods: Iterable[str]) -> list[str]:
    """Order methods for an ``Allow`` field (RFC 9110, 10.2.1): the same every time."""
    return sorted(set(methods))


class QuartMapAdapter(MapAdapter):
    """Werkzeug's adapter with a stable ``Allow`` and redirects that stay inside.

    Made by ``QuartMap.bind`` and ``QuartMap.bind_to_request``.
    """

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[False] = False,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, Mapping[str, Any]]: ...

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[True] = True,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> tuple[Rule, Mapping[str, Any]]: ...

    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, Mapping[str, Any]]:
        """Find the rule, or its endpoint, and the variables of a path.

        What is not given is taken from the request the adapter is bound to.

        Raises:
            NotFound: No rule has this path.
            MethodNotAllowed: Rules have this path, but not for this method. The methods
                they have are sorted.
            WebsocketMismatch: Only websocket rules have this path and this is not a
                websocket, or the reverse (a 400).
            RequestRedirect: The path leads elsewhere: a slash more or less, defaults,
                an alias, ``redirect_to``.
        """
        try:
            return self._match(path_info, method, return_rule, query_args, websocket)
        except MethodNotAllowed as error:
            methods = self._reachable(error.valid_methods, path_info, websocket)
            if not methods:
                raise WebsocketMismatch from None
            if (found := self._automatic(methods, path_info, websocket)) is not None:
                if (method or self.default_method).upper() == "OPTIONS":
                    rule, values = found
                    return (rule if return_rule else rule.endpoint), values
                methods = sorted_methods((*methods, "OPTIONS"))
            raise MethodNotAllowed(valid_methods=methods) from None
        except RequestRedirect as redirect:
            raise RequestRedirect(self._inside(redirect.new_url)) from None

    def allowed_methods(self, path_info: str | None = None) -> list[str]:
        """Return the methods that match a path, sorted; empty if there are none."""
        try:
            self.match(path_info, method=_NO_METHOD)
        except MethodNotAllowed as error:
            return list(error.valid_methods or ())
        except HTTPException:
            pass
        return []

    def _match(
        self,
        path_info: str | None,
        method: str | None,
        return_rule: bool,
        query_args: Mapping[str, Any] | str | None,
        websocket: bool | None,
    ) -> tuple[Any, Mapping[str, Any]]:
        if return_rule:
            return super().match(path_info, method, True, query_args, websocket)
        return super().match(path_info, method, False, query_args, websocket)

    def _reachable(
        self,
        methods: Iterable[str] | None,
        path_info: str | None,
        websocket: bool | None,
    ) -> list[str]:
        """Leave out methods that only rules of the other kind have.

        Werkzeug counts those too when it lists the methods of a path. A client that
        followed such an ``Allow`` would meet a 400.
        """
        candidates = sorted_methods(methods or ())
        wanted = self.websocket if websocket is None else websocket
        if all(rule.websocket == wanted for rule in self.map.iter_rules()):
            return candidates
        return [
            method for method in candidates if self._answers(method, path_info, wanted)
        ]

    def _automatic(
        self, methods: list[str], path_info: str | None, websocket: bool | None
    ) -> tuple[Any, Mapping[str, Any]] | None:
        """Return the match for OPTIONS of a rule that does not name the method.

        Those are the rules whose OPTIONS the application was told to answer.
        """
        if "OPTIONS" in methods or not any(map(_is_automatic, self.map.iter_rules())):
            return None
        for method in methods:
            try:
                found = super().match(path_info, method, True, None, websocket)
            except HTTPException:
                continue
            if _is_automatic(found[0]):
                return found
        return None

    def _answers(self, method: str, path_info: str | None, websocket: bool) -> bool:
        try:
            super().match(path_info, method, websocket=websocket)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def _inside(self, url: str) -> str:
        """Write a redirect so that no reader takes its path for a host.

        A path of this host begins with one slash, also for those that later shorten
        the URL to its path. Where the host of the request is not known there is only
        the path: ``http:///x`` has no host by RFC 3986, but for a browser it is ``x``.
        """
        scheme, host, path, query, fragment = urlsplit(url)
        if host not in {"", self.get_host(None)}:
            return url
        path = "/" + path.lstrip("/\\")
        return urlunsplit((scheme if host else "", host, path, query, fragment))
