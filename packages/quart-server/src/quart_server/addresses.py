"""The addresses people write for `bind`, taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from .settings.options import ConfigError

__all__ = ["Address", "DescriptorAddress", "TCPAddress", "UnixAddress", "parse_address"]

_DEFAULT_PORT = 8000
_EXPECTED = "expected host:port, [ipv6]:port, unix:/path or fd://number"


@dataclass(frozen=True, slots=True)
class TCPAddress:
    """A host and a port; the host "" means every interface, port 0 any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A path; one that begins with `@` is a name in Linux's abstract space."""

    path: str


@dataclass(frozen=True, slots=True)
class DescriptorAddress:
    """A listening socket that this process inherited."""

    descriptor: int


Address = TCPAddress | UnixAddress | DescriptorAddress


def parse_address(text: str) -> Address:
    """Return what a `bind` value means.

    Raises:
        ConfigError: It is none of the known forms.
    """
    if text.startswith("unix:"):
        return _parse_unix(text)
    if text.startswith("fd://"):
        number = text.removeprefix("fd://")
        if not (number.isascii() and number.isdigit()):
            raise _error(text, "the descriptor is no number")
        return DescriptorAddress(int(number))
    return _parse_tcp(text)


def _parse_unix(text: str) -> UnixAddress:
    path = text.removeprefix("unix:")
    if not path or path == "@":
        raise _error(text, "the path is missing")
    if path.startswith("//"):  # unix:///run/app.sock, as URLs write it
        path = "/" + path.lstrip("/")
    return UnixAddress(path)


def _parse_tcp(text: str) -> TCPAddress:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _error(text, "the bracket is not closed")
        return TCPAddress(host, _parse_port(rest[1:], text) if rest else _DEFAULT_PORT)
    if "://" in text or "/" in text:
        raise _error(text, "a URL or path is no address")
    if text.count(":") > 1:
        raise _error(text, "an IPv6 address needs brackets")
    host, colon, port = text.partition(":")
    if not text:
        raise _error(text, "it is empty")
    return TCPAddress(host, _parse_port(port, text) if colon else _DEFAULT_PORT)


def _parse_port(port: str, text: str) -> int:
    if not (port.isascii() and port.isdigit()):
        raise _error(text, f"the port {port!r} is no number")
    if len(port) > 5 or int(port) > 65535:
        raise _error(text, f"the port {port} is over 65535")
    return int(port)


def _error(text: str, reason: str) -> ConfigError:
    return ConfigError("bind", f"bind has {text!r}: {reason}; {_EXPECTED}")
