"""Listening TCP sockets."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .port_owner import describe_owner

if TYPE_CHECKING:
    from .addresses import TCPAddress

__all__ = ["BindError", "listen_tcp"]

# What bind() takes: host and port, for IPv6 also flow and scope.
_Name = tuple[str | int, ...]
# A host name may stand for addresses of a family that this machine does not have.
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class BindError(Exception):
    """An address cannot be listened on; the message says why and what to do."""


def listen_tcp(
    address: TCPAddress, backlog: int, *, ipv6_only: bool = False
) -> list[socket.socket]:
    """Return a listening socket for each address of the host.

    Port 0 becomes one free port, the same for all of them.

    Raises:
        BindError: The port is taken or not permitted, or the host is not here.
    """
    port = address.port
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    with ExitStack() as on_error:
        for family, name in _resolve(address):
            try:
                sock = _listen(family, (name[0], port, *name[2:]), backlog, ipv6_only)
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise _explain(str(name[0]), port, error) from None
                absent = error
                continue
            on_error.callback(sock.close)
            sockets.append(sock)
            port = sock.getsockname()[1]
        on_error.pop_all()
    if not sockets and absent is not None:
        raise _explain(address.host, port, absent)
    return sockets


def _resolve(address: TCPAddress) -> list[tuple[socket.AddressFamily, _Name]]:
    if not address.host:
        return [_every_interface(address.port)]
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise BindError(
            f"Cannot listen on {address.host}:{address.port}: the host is unknown "
            f"({error})"
        ) from None
    names = [(family, _narrow(name)) for family, _, _, _, name in found]
    return list(dict.fromkeys(names))


def _narrow(name: tuple[object, ...]) -> _Name:
    """Return the parts of an address as the types they have."""
    return str(name[0]), *(part for part in name[1:] if isinstance(part, int))


def _every_interface(port: int) -> tuple[socket.AddressFamily, _Name]:
    if socket.has_dualstack_ipv6():
        return socket.AF_INET6, ("::", port, 0, 0)
    return socket.AF_INET, ("0.0.0.0", port)  # noqa: S104 - an empty host asks for it


def _listen(
    family: socket.AddressFamily,
    name: _Name,
    backlog: int,
    ipv6_only: bool,
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR lets another process take the port away.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            only = ipv6_only or name[0] != "::"
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only))
        sock.bind(name)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _explain(host: str, port: int, error: OSError) -> BindError:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return BindError(
            f"Port {port} is in use by {describe_owner(port)}: stop it, or choose "
            f"another address than {where} with --bind"
        )
    if error.errno == errno.EACCES:
        return BindError(
            f"Port {port} is not permitted for this user: choose one from 1024 up, or "
            "grant CAP_NET_BIND_SERVICE"
        )
    return BindError(f"Cannot listen on {where}: {error.strerror or error}")
