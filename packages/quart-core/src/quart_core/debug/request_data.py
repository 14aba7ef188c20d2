"""What is shown of the request that failed, with its secrets masked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from ..user_code import printable
from .masking import MASK, Masker

__all__ = ("RequestData", "request_data")

MAX_PAIRS: Final = 100
"""Headers or parameters shown."""
MAX_VALUE_CHARACTERS: Final = 2_000
"""Characters shown of one of them, and of the path."""

Pairs = tuple[tuple[str, str], ...]

# curl sets these itself, or they belong to the connection.
_NOT_FOR_CURL: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
)


# RFC 9110, 5.6.2; curl would read the headers of a file for a name that begins with @.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class RequestData:
    """A request, ready to be shown.

    Attributes:
        method: Its method.
        url: The whole URL, percent-encoded.
        path: The path as the application sees it.
        http_version: Such as ``1.1``.
        client: The address it came from.
        headers: Names and values.
        args: Names and values of the query.
        has_body: Whether it announced a body.
    """

    method: str
    url: str
    path: str
    http_version: str
    client: str
    headers: Pairs
    args: Pairs
    has_body: bool

    @property
    def curl(self) -> str:
        """The command that makes the request again; masked values to be filled in."""
        words = ["curl"]
        if self.method == "HEAD":
            words.append("--head")
        elif self.method != ("POST" if self.has_body else "GET"):
            words += "-X", shlex.quote(self.method)
        words.append(shlex.quote(self.url))
        lines = [" ".join(words)]
        for name, value in self.headers:
            if name.lower() == "accept-encoding":
                lines.append("--compressed")
            elif name.lower() not in _NOT_FOR_CURL and _TOKEN.fullmatch(name):
                # An empty value would take the header away.
                header = f"{name}: {value}" if value else f"{name};"
                lines.append(f"-H {shlex.quote(header)}")
        if self.has_body:
            lines.append("--data-binary @body")
        return " \\\n  ".join(lines)


# Any: scopes hold whatever their server puts there.
def request_data(scope: Mapping[str, Any], masker: Masker) -> RequestData:
    """Return what is shown of a request.

    Args:
        scope: Its ASGI scope.
        masker: Knows the secrets.
    """
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope.get("headers", ())[:MAX_PAIRS]
    ]
    lowered = {name.lower() for name, _ in headers}
    client = scope.get("client")
    return RequestData(
        method=printable(str(scope.get("method", "GET")))[:MAX_VALUE_CHARACTERS],
        url=_url(scope, dict(reversed(headers)), masker),
        path=_shown(str(scope.get("path", "/")), masker),
        http_version=printable(str(scope.get("http_version", ""))),
        client=printable(str(client[0])) if client else "",
        headers=tuple(_pair(name, value, masker) for name, value in headers),
        args=tuple(_pair(name, value, masker) for name, value in _query(scope)),
        has_body=bool(lowered & {"content-length", "transfer-encoding"})
        and ("content-length", "0") not in headers,
    )


def _pair(name: str, value: str, masker: Masker) -> tuple[str, str]:
    if masker.is_secret(name, value):
        value = MASK
    return printable(name)[:MAX_VALUE_CHARACTERS], _shown(value, masker)


def _shown(text: str, masker: Masker) -> str:
    text = printable(masker.values(text))
    if len(text) <= MAX_VALUE_CHARACTERS:
        return text
    return text[:MAX_VALUE_CHARACTERS] + "..."


def _query(scope: Mapping[str, Any]) -> list[tuple[str, str]]:
    query: str = scope.get("query_string", b"").decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return pairs[:MAX_PAIRS]


def _url(scope: Mapping[str, Any], headers: dict[str, str], masker: Masker) -> str:
    host = headers.get("host")
    if host is None:
        server = scope.get("server") or ("localhost", None)
        host = str(server[0]) if server[1] is None else f"{server[0]}:{server[1]}"
    path = str(scope.get("path", "/"))[:MAX_VALUE_CHARACTERS]
    url = f"{scope.get('scheme', 'http')}://{quote(host, safe='[]:')}"
    url += quote(masker.values(path), safe="/:@!$&'()*+,;=~", errors="replace")
    pairs = [
        (name, MASK if masker.is_secret(name, value) else masker.values(value))
        for name, value in _query(scope)
    ]
    if pairs:
        url += "?" + urlencode(pairs, safe="*", errors="replace")
    return url
