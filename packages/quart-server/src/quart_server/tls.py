"""TLS contexts: made from settings, renewed while connections are open.

TLS 1.2 with forward secrecy and authenticated encryption, or TLS 1.3 (RFC 9325).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from .settings.options import ConfigError

if TYPE_CHECKING:
    from .config import Config

__all__ = ["make_ssl_context", "renew_certificate"]

_VERIFY_MODES = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def make_ssl_context(config: Config) -> ssl.SSLContext:
    """Return the context for the addresses of `bind`.

    Raises:
        ConfigError: A file is missing, no PEM, locked or does not fit the others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9325, 3.3 and 3.5; also RFC 9113, 9.2.1.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    _set_ciphers(context, config.ciphers)
    context.set_alpn_protocols(_offered(config))
    _load_certificate(context, config)
    _load_authorities(context, config)
    return context


def renew_certificate(context: ssl.SSLContext, config: Config) -> None:
    """Read certificate and key again; new handshakes use them, open ones go on.

    Raises:
        ConfigError: The files cannot be used; the context keeps what it had.
    """
    # A pair that does not fit would spoil the context half-way: try it elsewhere.
    _load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), config)
    _load_certificate(context, config)


def _offered(config: Config) -> list[str]:
    return [name for name in config.alpn_protocols if config.http2 or name != "h2"]


def _set_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise ConfigError(
            "ciphers", f"ciphers is {ciphers!r}, OpenSSL knows no cipher by that"
        ) from None


def _load_certificate(context: ssl.SSLContext, config: Config) -> None:
    if config.certfile is None:
        raise ConfigError("certfile", "TLS needs a certificate, set certfile")
    _check_readable("certfile", config.certfile)
    if config.keyfile is not None:
        _check_readable("keyfile", config.keyfile)
    try:
        # A function, because with None OpenSSL would ask on the terminal.
        context.load_cert_chain(
            config.certfile, config.keyfile, lambda: config.keyfile_password or ""
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _explain(config, error) from None


def _explain(config: Config, error: Exception) -> ConfigError:
    key = config.keyfile or config.certfile
    reason = getattr(error, "reason", None) or str(error)
    if reason == "KEY_VALUES_MISMATCH":
        return ConfigError(
            "keyfile", f"The key in {key} does not belong to {config.certfile}"
        )
    if _is_encrypted(key):
        hint = "is wrong" if config.keyfile_password else "is missing"
        return ConfigError(
            "keyfile_password",
            f"The key in {key} is encrypted and keyfile_password {hint}",
        )
    return ConfigError(
        "certfile",
        f"Cannot use the certificate {config.certfile} with the key in {key}, "
        f"expected PEM: {reason}",
    )


def _is_encrypted(path: str | None) -> bool:
    text = Path(path or "").read_bytes()
    return b"ENCRYPTED" in text


def _load_authorities(context: ssl.SSLContext, config: Config) -> None:
    default = "required" if config.ca_certs else "none"
    context.verify_mode = _VERIFY_MODES[config.verify_mode or default]
    if config.ca_certs is None:
        return
    _check_readable("ca_certs", config.ca_certs)
    try:
        context.load_verify_locations(config.ca_certs)
    except ssl.SSLError as error:
        raise ConfigError(
            "ca_certs",
            f"Cannot use the authorities in {config.ca_certs}, expected PEM: "
            f"{error.reason or error}",
        ) from None


def _check_readable(key: str, path: str) -> None:
    try:
        with Path(path).open("rb"):
            return
    except OSError as error:
        raise ConfigError(
            key, f"{key} is {path!r}, which cannot be read: {error.strerror}"
        ) from None
