"""QuartRule: one URL pattern, for HTTP requests or for websockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.routing import Rule

from .hosts import folded_host_rule

# A redirect target whose first path segment holds a variable: "<p>", "a-<p>", "/<p>".
_OPEN_TARGET = re.compile(r"(?P<slash>/?)(?=[^/?#:<]*<)(?P<rest>.*)", re.DOTALL)


class QuartRule(Rule):
    """A URL rule that matches either HTTP requests or websockets, never both.

    Two rules, one of each kind, may share a path. API of Quart, with the options of
    Flask's rules: ``build_only``, ``redirect_to`` and ``alias``.

    Args:
        string: The pattern, as ``/films/<int:film_id>``; must start with a slash.
        defaults: Values for variables the pattern does not name. A rule of the same
            endpoint that names them redirects here when the values are equal.
        subdomain: The pattern of the subdomain, where the map matches subdomains.
        methods: The HTTP methods that match, None for all. ``GET`` adds ``HEAD``.
        endpoint: What the rule leads to, by convention the name of a view function.
        strict_slashes: Whether ``/x`` redirects to a rule ``/x/``; the map's setting
            if None.
        merge_slashes: Whether ``//`` in a path is treated as ``/``, with a redirect;
            the map's setting if None.
        host: The pattern of the host, where the map matches hosts.
        websocket: Match websockets instead of HTTP requests.
        provide_automatic_options: The application answers ``OPTIONS`` for this rule.
            Adds that method to ``methods``, so that the rule matches it.
        build_only: Build URLs but never match.
        redirect_to: Redirect requests to this target: a string in rule syntax, or a
            function of the adapter and the variables. The variables of a string never
            change the host of the redirect unless they stand in its host.
        alias: Another way to write the other rule of this endpoint, redirects there.

    Raises:
        ValueError: The pattern does not start with a slash, or a websocket rule names
            methods other than GET, HEAD and OPTIONS.
        TypeError: ``methods`` is a string.
    """

    provide_automatic_options: bool

    def __init__(
        self,
        string: str,
        # Values of variables and endpoints are of the application's own types.
        defaults: Mapping[str, Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        endpoint: Any | None = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        host: str | None = None,
        websocket: bool = False,
        provide_automatic_options: bool = False,
        *,
        build_only: bool = False,
        redirect_to: str | Callable[..., str] | None = None,
        alias: bool = False,
    ) -> None:
        super().__init__(
            string,
            defaults=defaults,
            subdomain=subdomain,
            methods=methods,
            build_only=build_only,
            endpoint=endpoint,
            strict_slashes=strict_slashes,
            merge_slashes=merge_slashes,
            redirect_to=_kept_inside(redirect_to),
            alias=alias,
            host=host,
            websocket=websocket,
        )
        self.provide_automatic_options = provide_automatic_options

    def compile(self) -> None:
        """Prepare the rule for its map, with host and subdomain in lower case.

        Raises:
            ValueError: A converter has a ``regex`` that is not a pattern.
        """
        if self.host:
            self.host = folded_host_rule(self.host)
        if self.subdomain:
            self.subdomain = folded_host_rule(self.subdomain)
        super().compile()
        for part in self._parts:
            if not part.static:
                self._check_pattern(part.content)

    def _check_pattern(self, content: str) -> None:
        # Werkzeug compiles patterns when a request comes to them, which is late.
        try:
            re.compile(content)
        except re.error as error:
            raise ValueError(
                f"A converter of the rule {self.rule!r} has a regex that cannot stand"
                f" in a pattern: {error}. Check the regex; flags have to"
                " be written as a group, for example (?i:a|b)."
            ) from error

    def get_empty_kwargs(self) -> dict[str, Any]:
        """Return what ``empty()`` needs to copy this rule, all of its options."""
        return {
            **super().get_empty_kwargs(),
            "merge_slashes": self.merge_slashes,
            "websocket": self.websocket,
            "provide_automatic_options": self.provide_automatic_options,
        }


def _kept_inside(
    redirect_to: str | Callable[..., str] | None,
) -> str | Callable[..., str] | None:
    """Keep the variables of a redirect target from being read as scheme or host.

    With the target ``<page>`` a visit to ``/old/https:evil.example`` would leave the
    site. A dot-segment before a first segment with unknown content is what RFC 3986,
    4.2 asks for; it goes away when the target is joined to the base URL.
    """
    if not isinstance(redirect_to, str):
        return redirect_to
    found = _OPEN_TARGET.fullmatch(redirect_to)
    return redirect_to if found is None else f"{found['slash']}./{found['rest']}"
