"""Whose pages may open a WebSocket: browsers send cookies along from any of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OriginPolicy"]

_SAME_ORIGIN: Final = "same-origin"
_ANY: Final = "*"

# RFC 6454, 6.2; the host as RFC 3986 has it, without userinfo.
_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([^/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
)
_HOST: Final = re.compile(r"([^/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{0,5}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class OriginPolicy:
    """The origins that `websocket_allowed_origins` names.

    A client that sends no Origin is no browser and always allowed.
    """

    __slots__ = ("_allows_any", "_allows_same", "_origins")

    def __init__(self, allowed: Iterable[str]) -> None:
        names = {name.strip().lower() for name in allowed}
        self._allows_any = _ANY in names
        self._allows_same = _SAME_ORIGIN in names
        self._origins = {_normal(name) for name in names - {_ANY, _SAME_ORIGIN}}

    def allows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Return whether a handshake with these fields may go on (WS-06)."""
        if self._allows_any:
            return True
        host = ""
        origins: list[str] = []
        for name, value in headers:
            if name == b"origin":
                origins.append(value.decode("latin-1").lower())
            elif name == b"host":
                host = value.decode("latin-1").lower()
        if not origins:
            return True
        return len(origins) == 1 and self._allows(origins[0], host)

    def _allows(self, origin: str, host: str) -> bool:
        if _normal(origin) in self._origins:
            return True
        return self._allows_same and _is_same(origin, host)


def _normal(origin: str) -> str:
    """Return an origin without the port that its scheme implies."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return origin
    scheme, host, port = match.groups()
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port}"


def _is_same(origin: str, host: str) -> bool:
    """Return whether an origin is that of the request, whatever the scheme.

    A proxy may end TLS in front of us, so that the scheme here proves nothing.
    """
    one, other = _ORIGIN.fullmatch(origin), _HOST.fullmatch(host)
    if one is None or other is None or one[2] != other[1]:
        return False
    default = _DEFAULT_PORTS.get(one[1], "")
    return (one[3] or default) == (other[2] or default)
