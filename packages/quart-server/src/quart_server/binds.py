"""Listening sockets: made from addresses, inherited, given to workers, taken down.

A socket that takes connections is made here and only here, before any worker exists,
so that the port never refuses while workers come and go.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from .addresses import Address, DescriptorAddress, UnixAddress, parse_address
from .tcp_sockets import BindError, listen_tcp
from .unix_sockets import UnixFile, listen_unix, remove_file

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from .config import Config

__all__ = ["BindError", "Listener", "bind_all", "inherited_descriptors"]

_FIRST_INHERITED = 3  # sd_listen_fds(3): SD_LISTEN_FDS_START


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and what is spoken on it.

    Attributes:
        sock: The socket, listening, not blocking, not inheritable.
        tls: Whether connections begin with a TLS handshake.
        unix_file: The file to remove in the end.
    """

    sock: socket.socket
    tls: bool = False
    unix_file: UnixFile | None = None

    @classmethod
    def from_descriptor(cls, descriptor: int, *, tls: bool) -> Self:
        """Return the listener that a parent process handed down as a descriptor."""
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)
        sock.set_inheritable(False)
        return cls(sock, tls)

    @property
    def url(self) -> str:
        """The address in the form of a URL, with the port the system chose."""
        scheme = "https" if self.tls else "http"
        name = self.sock.getsockname()
        if self.sock.family == getattr(socket, "AF_UNIX", None):
            path = name.decode() if isinstance(name, bytes) else name
            return f"{scheme}+unix:{path.replace(chr(0), '@')}"
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"{scheme}://{host}:{name[1]}"

    def close(self) -> None:
        """Close this process's hold on the socket; other processes keep theirs."""
        self.sock.close()

    def remove(self) -> None:
        """Close the socket and remove its file, unless another server made it anew."""
        self.close()
        if self.unix_file is not None:
            remove_file(self.unix_file)


def bind_all(
    config: Config, environment: MutableMapping[str, str] | None = None
) -> list[Listener]:
    """Return listeners for all of the config's addresses.

    Sockets that systemd hands over stand in for `bind` where that is the default and
    come in addition where it is not.

    Args:
        config: Names the addresses.
        environment: Where LISTEN_FDS is looked for; it is removed from there.

    Raises:
        BindError: An address is taken, not ours or not permitted. Nothing stays open.
        ConfigError: An address cannot be understood.
    """
    wanted = _wanted(config, os.environ if environment is None else environment)
    listeners: list[Listener] = []
    with ExitStack() as on_error:
        for address, tls in wanted:
            for listener in _listen(address, tls, config):
                on_error.callback(listener.remove)
                listeners.append(listener)
        on_error.pop_all()
    return listeners


def inherited_descriptors(environment: MutableMapping[str, str]) -> list[int]:
    """Return the descriptors of systemd's socket activation and forget them.

    The variables are taken away, so that child processes do not claim the sockets.
    """
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return []
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        environment.pop(name, None)
    return list(range(_FIRST_INHERITED, _FIRST_INHERITED + int(count)))


def _wanted(
    config: Config, environment: MutableMapping[str, str]
) -> list[tuple[Address, bool]]:
    """Return all addresses, each with whether it speaks TLS."""
    handed_down = inherited_descriptors(environment)
    is_default = config.bind == type(config).options()["bind"].default
    addresses: list[Address] = [DescriptorAddress(number) for number in handed_down]
    if not (handed_down and is_default):
        addresses += map(parse_address, config.bind)
    cleartext = map(parse_address, config.insecure_bind)
    return [
        *((address, config.ssl_enabled) for address in addresses),
        *((address, False) for address in cleartext),
    ]


def _listen(address: Address, tls: bool, config: Config) -> list[Listener]:
    if isinstance(address, DescriptorAddress):
        return [_adopt(address.descriptor, tls, config)]
    if isinstance(address, UnixAddress):
        sock, unix_file = listen_unix(
            address.path, config.unix_socket_mode, config.backlog
        )
        return [Listener(sock, tls, unix_file)]
    sockets = listen_tcp(address, config.backlog, ipv6_only=config.ipv6_only)
    return [Listener(sock, tls) for sock in sockets]


def _adopt(descriptor: int, tls: bool, config: Config) -> Listener:
    try:
        listener = Listener.from_descriptor(descriptor, tls=tls)
    except OSError as error:
        raise BindError(
            f"Cannot listen on fd://{descriptor}: {error.strerror}; start the server "
            "with a listening socket at that descriptor"
        ) from None
    if listener.sock.type != socket.SOCK_STREAM:
        listener.sock.detach()
        raise BindError(f"fd://{descriptor} is no stream socket, expected TCP or Unix")
    try:
        listener.sock.listen(config.backlog)
    except OSError as error:
        listener.sock.detach()
        raise BindError(
            f"Cannot listen on fd://{descriptor}: {error.strerror}"
        ) from None
    return listener
