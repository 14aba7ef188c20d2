"""Host names as routing sees them: folded, without default ports, checked.

Nothing here trusts the ``Host`` field of a request: it ends up in the redirects and
links that are built for that request.
"""

from __future__ import annotations

import re

from werkzeug.exceptions import BadHost

#: The subdomain given to requests for another domain. No rule without a variable
#: can match it, since ``<`` and ``>`` never stand in a host name.
INVALID_SUBDOMAIN = "<invalid>"

#: Characters of a host and its port, more than RFC 1035 (2.3.4) allows a name.
MAX_HOST_LENGTH = 261

_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}

# RFC 9110, 7.2: uri-host [ ":" port ]. Percent-encoding and sub-delims are left out
# on purpose, no name in the DNS needs them and browsers read some as separators.
_HOST = re.compile(
    r"(?:[a-z0-9._-]*|\[[a-z0-9:.]+\])(?::[0-9]*)?", re.ASCII | re.IGNORECASE
)

# A variable part of a rule, kept as it is while the literals around it are folded.
_VARIABLE = re.compile(r"(<[^>]*>)")


def checked_host(host: str, scheme: str) -> str:
    """Fold the host of a request: lower case, without the scheme's default port.

    Raises:
        BadHost: The text is not a host name (RFC 9112, 3.2 asks for a 400 then).
    """
    if len(host) > MAX_HOST_LENGTH or _HOST.fullmatch(host) is None:
        raise BadHost
    return without_default_port(host.lower(), scheme)


def configured_host(server_name: str, scheme: str) -> str:
    """Fold a host from the configuration, which may use letters beyond ASCII."""
    host = without_default_port(server_name.lower(), scheme)
    if host.isascii():
        return host
    name, separator, port = host.partition(":")
    return f"{name.encode('idna').decode('ascii')}{separator}{port}"


def without_default_port(host: str, scheme: str) -> str:
    """Drop ``:80`` and ``:443`` where the scheme implies them."""
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, ""))


def subdomain_of(host: str, server_name: str) -> str | None:
    """Return what stands before ``server_name`` in ``host``; None for another domain.

    Both are expected to be folded already. A host equal to the server name has the
    empty subdomain.
    """
    if host == server_name:
        return ""
    prefix = host.removesuffix(f".{server_name}")
    return None if prefix == host else prefix


def folded_host_rule(rule: str) -> str:
    """Write the literals of a ``host`` or ``subdomain`` rule in lower case.

    Host names are case-insensitive (RFC 4343), names of variables are not.
    """
    return "".join(
        part if part.startswith("<") else part.lower() for part in _VARIABLE.split(rule)
    )
