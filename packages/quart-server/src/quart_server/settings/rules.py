"""Rules that concern several settings at once, or the inside of one."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from .options import ConfigError

if TYPE_CHECKING:
    from ..config import Config

__all__ = ["check_rules"]

_PROTOCOLS = ("h2", "http/1.1")
# RFC 9110, 5.6.2 and 5.5: a token; visible characters, blanks inside only.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_FIELD_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*)\Z")


def check_rules(config: Config) -> None:
    """Raise where settings contradict each other.

    Raises:
        ConfigError: Naming the setting to change.
    """
    _check_tls(config)
    _check_sizes(config)
    _check_proxies(config)
    _check_headers(config)
    if not config.bind:
        raise ConfigError("bind", "bind is empty, expected at least one address")
    if config.root_path and not config.root_path.startswith("/"):
        raise ConfigError(
            "root_path", f"root_path is {config.root_path!r}, it must begin with '/'"
        )


def _check_tls(config: Config) -> None:
    if config.keyfile and not config.certfile:
        raise ConfigError("certfile", "keyfile is set without certfile, set both")
    if config.https and config.certfile:
        raise ConfigError(
            "https",
            "https makes a development certificate, but certfile is set as "
            "well: drop one of them",
        )
    if config.verify_mode in {"optional", "required"} and not config.ca_certs:
        raise ConfigError(
            "ca_certs",
            f"verify_mode is {config.verify_mode!r} without ca_certs, set "
            "the authorities to check client certificates against",
        )
    if config.insecure_bind and not config.ssl_enabled:
        raise ConfigError(
            "insecure_bind",
            "insecure_bind is set without certfile, use bind: all "
            "addresses speak cleartext then",
        )
    for protocol in config.alpn_protocols:
        if protocol not in _PROTOCOLS:
            raise ConfigError(
                "alpn_protocols",
                f"alpn_protocols has {protocol!r}, expected some of "
                + ", ".join(map(repr, _PROTOCOLS)),
            )


def _check_sizes(config: Config) -> None:
    for name in ("max_field_size", "max_request_line_size"):
        if getattr(config, name) > config.max_head_size:
            raise ConfigError(
                name,
                f"{name} is {getattr(config, name)}, more than the whole head "
                f"may have (max_head_size {config.max_head_size})",
            )


def _check_proxies(config: Config) -> None:
    if config.trusted_hops and config.trusted_proxies:
        raise ConfigError(
            "trusted_hops",
            "trusted_hops and trusted_proxies are both set, choose "
            "one: a number of proxies or their addresses",
        )
    if config.proxy_protocol and not (config.trusted_hops or config.trusted_proxies):
        raise ConfigError(
            "proxy_protocol",
            "proxy_protocol is on but no proxy is trusted, set "
            "trusted_proxies to the addresses that send the PROXY header",
        )
    for network in config.trusted_proxies:
        _check_network(network)


def _check_network(network: str) -> None:
    if network == "unix":
        return
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        raise ConfigError(
            "trusted_proxies",
            f"trusted_proxies has {network!r}: {error}; expected an "
            "address, a network such as 10.0.0.0/8, or unix",
        ) from None


def _check_headers(config: Config) -> None:
    for name, value in config.headers:
        if not _FIELD_NAME.match(name) or (value and not _FIELD_VALUE.match(value)):
            raise ConfigError(
                "headers",
                f"headers has {name!r}: {value!r}, which is no valid header "
                "field (RFC 9110, 5.1 and 5.5)",
            )
