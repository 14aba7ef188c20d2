"""All settings of the server: every bind, limit, timeout and feature, with its default.

Sizes are bytes, times are seconds. `Config` is immutable; `replace()` makes a changed
copy. Where Hypercorn and Uvicorn agree on a name it is that name.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from .importer import import_object
from .settings.http import HTTPSettings, ProxySettings, ResponseHeaderSettings
from .settings.http2 import HTTP2Settings
from .settings.logs import LogSettings
from .settings.options import ConfigError, Option, options_of, unknown_key
from .settings.processes import BindSettings, ProcessSettings
from .settings.rules import check_rules
from .settings.sources import read_environment, read_object, read_toml
from .settings.tls import TLSSettings
from .settings.websocket import WebsocketSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Config", "ConfigError"]

# What other servers call a setting, for the error that refuses their name.
_RENAMED = {
    "access_log_json": "access_log_format",
    "accesslog": "access_log",
    "alpn": "alpn_protocols",
    "fd": "bind",
    "forwarded_allow_ips": "trusted_proxies",
    "h2_max_concurrent_requests": "h2_max_concurrent_streams",
    "host": "bind",
    "include_date_header": "date_header",
    "include_server_header": "server_header",
    "loglevel": "log_level",
    "max_requests": "limit_max_requests",
    "max_requests_jitter": "limit_max_requests_jitter",
    "port": "bind",
    "ssl_ca_certs": "ca_certs",
    "ssl_cert_reqs": "verify_mode",
    "ssl_certfile": "certfile",
    "ssl_ciphers": "ciphers",
    "ssl_keyfile": "keyfile",
    "ssl_keyfile_password": "keyfile_password",
    "timeout_graceful_shutdown": "graceful_timeout",
    "timeout_keep_alive": "keep_alive_timeout",
    "timeout_worker_healthcheck": "worker_heartbeat_timeout",
    "uds": "bind",
    "worker_class": "loop",
    "ws_max_queue": "websocket_queue_messages",
    "ws_max_size": "websocket_max_message_size",
    "ws_per_message_deflate": "websocket_compression",
    "ws_ping_interval": "websocket_ping_interval",
    "ws_ping_timeout": "websocket_ping_timeout",
}


@dataclass(frozen=True, kw_only=True)
class Config(
    LogSettings,
    ResponseHeaderSettings,
    ProxySettings,
    TLSSettings,
    WebsocketSettings,
    HTTP2Settings,
    HTTPSettings,
    ProcessSettings,
    BindSettings,
):
    """The server's settings.

    Raises:
        ConfigError: A value has the wrong type, is out of bounds, or contradicts
            another one. The `from_` constructors also raise it for unknown names.
    """

    def __post_init__(self) -> None:
        for name, setting in options_of(type(self)).items():
            # Frozen for users; here values take the field's own type (1 -> 1.0).
            object.__setattr__(self, name, setting.check(getattr(self, name)))
        check_rules(self)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the description of every setting, in the order of the reference."""
        return options_of(cls)

    @property
    def ssl_enabled(self) -> bool:
        """Whether the addresses of `bind` speak TLS."""
        return self.certfile is not None or self.https

    def replace(self, **changes: Any) -> Self:  # any setting's value
        """Return a copy with some settings changed.

        Raises:
            ConfigError: A name is unknown or a value is bad.
        """
        _refuse_unknown(changes, type(self), "")
        return dataclasses.replace(self, **changes)

    def to_mapping(self) -> dict[str, object]:
        """Return the settings that differ from their defaults, for `from_mapping`."""
        values = {name: getattr(self, name) for name in options_of(type(self))}
        defaults = options_of(type(self))
        return {
            name: value
            for name, value in values.items()
            if value != defaults[name].default
        }

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, object] | None = None, /, **settings: object
    ) -> Self:
        """Return a config from a mapping, from keyword arguments or both.

        Raises:
            ConfigError: A name is unknown or a value is bad.
        """
        return cls._from({**(mapping or {}), **settings}, "")

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """Return a config from a TOML file's top level or its table `quart-server`.

        Raises:
            ConfigError: The file is unreadable, a name is unknown or a value is bad.
        """
        return cls._from(read_toml(path), f" (in {path})")

    @classmethod
    def from_env(
        cls,
        prefix: str = "QUART_SERVER_",
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a config from environment variables such as `QUART_SERVER_WORKERS`.

        Lists are separated by commas, `headers` by lines; sizes may end in KiB or MiB.

        Raises:
            ConfigError: A name with the prefix is unknown or a value is bad.
        """
        source = os.environ if environment is None else environment
        return cls._from(cls.parse_texts(read_environment(source, prefix), prefix), "")

    @classmethod
    def from_object(cls, instance: object | str) -> Self:
        """Return a config from an object's attributes, or those of `"module:name"`.

        Raises:
            ConfigError: An attribute is no setting or has a bad value.
        """
        if isinstance(instance, str):
            instance = import_object(instance)
        return cls._from(read_object(instance), "")

    @classmethod
    def parse_texts(
        cls, texts: Mapping[str, str], prefix: str = ""
    ) -> dict[str, object]:
        """Return the values that texts stand for, by setting.

        Raises:
            ConfigError: A name is unknown or a text does not fit its setting.
        """
        where = f" (from the variable {prefix}...)" if prefix else ""
        _refuse_unknown(texts, cls, where)
        settings = options_of(cls)
        return {name: settings[name].parse(text) for name, text in texts.items()}

    @classmethod
    def _from(cls, values: Mapping[str, object], where: str) -> Self:
        _refuse_unknown(values, cls, where)
        try:
            # Any: the names are checked above, the values by __post_init__.
            return cls(**dict[str, Any](values))
        except ConfigError as error:
            raise ConfigError(error.key, f"{error}{where}") from None


def _refuse_unknown(values: Mapping[str, object], cls: type, where: str) -> None:
    settings = options_of(cls)
    for key in values:
        if key not in settings:
            message = unknown_key(key, settings, _RENAMED)
            raise ConfigError(key, f"{message}{where}")
