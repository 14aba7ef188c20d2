"""Whether a page's Content-Security-Policy lets our script run on it.

CSP level 3: each policy of each header must allow it. The script is external, on the
page's own host, and connects to that host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ("script_attributes",)

_NONCE: Final = "'nonce-"
_NONCE_CHARACTERS: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
)


def script_attributes(policies: Iterable[str]) -> str | None:
    """Return the attributes that our script's tag needs, None if it may not run.

    Args:
        policies: The values of the Content-Security-Policy headers.
    """
    nonces: set[str] = set()
    for header in policies:
        for policy in header.split(","):
            directives = _directives(policy)
            nonce = _allowed(directives)
            if nonce is None:
                return None
            if nonce:
                nonces.add(nonce)
    if len(nonces) > 1:
        return None
    return "".join(f' nonce="{nonce}"' for nonce in nonces)


def _directives(policy: str) -> dict[str, Sequence[str]]:
    directives: dict[str, Sequence[str]] = {}
    for text in policy.split(";"):
        name, *values = text.split() or [""]
        # The first of a name counts, 2.2.1.
        directives.setdefault(name.lower(), values)
    return directives


def _allowed(directives: dict[str, Sequence[str]]) -> str | None:
    """Return the nonce that a policy asks for, "" if none, None if it forbids."""
    if "sandbox" in directives:
        return None
    connect = _sources(directives, "connect-src")
    if connect is not None and not _has_own_host(connect):
        return None
    script = _sources(directives, "script-src-elem", "script-src")
    if script is None:
        return ""
    for source in script:
        nonce = source[len(_NONCE) : -1]
        if source.lower().startswith(_NONCE) and set(nonce) <= _NONCE_CHARACTERS:
            return nonce
    lowered = {source.lower() for source in script}
    return "" if _has_own_host(script) and "'strict-dynamic'" not in lowered else None


def _sources(directives: dict[str, Sequence[str]], *names: str) -> Sequence[str] | None:
    return next(
        (directives[n] for n in (*names, "default-src") if n in directives), None
    )


def _has_own_host(sources: Sequence[str]) -> bool:
    return any(source.lower() in {"'self'", "*"} for source in sources)
