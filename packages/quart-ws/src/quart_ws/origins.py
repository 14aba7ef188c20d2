"""Whose pages may open a websocket: browsers send cookies along from any of them.

Two settings, both off by default, as a server may check as well:

* `WEBSOCKET_SAME_ORIGIN`: pages of the host that the websocket is opened on.
* `WEBSOCKET_ALLOWED_ORIGINS`: a list of origins such as `https://example.com` or
  `https://example.com:8443`, each taken literally: no pattern, no part of a name.
  `"*"` allows all.

With both, either is enough. A client that sends no `Origin` is no browser and always
allowed; more than one `Origin`, and `null` unless it is listed, never are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import Forbidden

if TYPE_CHECKING:
    from quart_core.wrappers.base import BaseRequestWebsocket

__all__ = ("check_origin", "is_allowed")

# RFC 6454, 6.2; the host as RFC 3986 has it, without userinfo.
_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([^/?#@:\[\]\s]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
)
_HOST: Final = re.compile(r"([^/?#@:\[\]\s]+|\[[0-9a-f:.]+\])(?::([0-9]{0,5}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_SECURE: Final = frozenset({"wss", "https"})


# Any: the values of a configuration.
def check_origin(config: Mapping[str, Any], websocket: BaseRequestWebsocket) -> None:
    """Refuse a websocket that a foreign page opened, where the settings say so.

    Args:
        config: The application's configuration.
        websocket: The websocket, before it is accepted.

    Raises:
        werkzeug.exceptions.Forbidden: Its origin is not allowed.
        TypeError: `WEBSOCKET_ALLOWED_ORIGINS` is a text, no list of texts.
    """
    allowed = config.get("WEBSOCKET_ALLOWED_ORIGINS")
    same = bool(config.get("WEBSOCKET_SAME_ORIGIN"))
    if allowed is None and not same:
        return
    if isinstance(allowed, str):
        raise TypeError(
            f"WEBSOCKET_ALLOWED_ORIGINS is the text {allowed!r}, expected a list: "
            f"[{allowed!r}]"
        )
    origins = websocket.headers.getlist("Origin")
    if not origins:
        return
    host = websocket.headers.get("Host", "")
    secure = websocket.scheme in _SECURE
    if len(origins) > 1 or not is_allowed(
        origins[0], allowed or (), host if same else None, secure=secure
    ):
        raise Forbidden(f"Pages of {', '.join(origins)} may not open this websocket.")


def is_allowed(
    origin: str, allowed: Iterable[str], host: str | None, *, secure: bool
) -> bool:
    """Return whether pages of an origin may open a websocket.

    Args:
        origin: The value of `Origin`.
        allowed: The origins listed.
        host: The value of `Host` where pages of the same origin are allowed.
        secure: Whether the websocket came over TLS, as far as this server knows.
    """
    normal = _normal(origin)
    for listed in allowed:
        if listed == "*" or _normal(listed) == normal:
            return True
    return host is not None and _is_same(normal, host.lower(), secure=secure)


def _normal(origin: str) -> str:
    """Return an origin in lower case, without the port that its scheme implies."""
    origin = origin.strip().lower()
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return origin
    scheme, host, port = match.groups()
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port}"


def _is_same(origin: str, host: str, *, secure: bool) -> bool:
    """Return whether an origin is that of the host.

    A page that came over TLS is taken for a websocket that seems to come without, as
    a proxy may end TLS in front of this server; the reverse is not.
    """
    one, other = _ORIGIN.fullmatch(origin), _HOST.fullmatch(host)
    if one is None or other is None or one[2] != other[1]:
        return False
    if one[1] not in _DEFAULT_PORTS or (secure and one[1] != "https"):
        return False
    default = _DEFAULT_PORTS[one[1]]
    return (one[3] or default) == (other[2] or default)
