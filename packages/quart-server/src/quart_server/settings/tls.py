"""TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .options import option

__all__ = ["TLSSettings"]


@dataclass(frozen=True, kw_only=True)
class TLSSettings:
    """Certificates and what is agreed with clients; at least TLS 1.2."""

    heading: ClassVar[str] = "TLS"

    certfile: str | None = option(
        None, "Certificate chain, PEM; its presence makes bind speak TLS."
    )
    keyfile: str | None = option(
        None, "Private key, PEM; by default it is looked for in certfile."
    )
    keyfile_password: str | None = option(None, "Password of the private key.")
    ca_certs: str | None = option(
        None, "Authorities that client certificates are checked against, PEM."
    )
    verify_mode: Literal["none", "optional", "required"] | None = option(
        None, "Client certificates; required where ca_certs is set, else none."
    )
    ciphers: str = option(
        "ECDHE+AESGCM:ECDHE+CHACHA20", "TLS 1.2 ciphers, as OpenSSL lists them."
    )
    alpn_protocols: tuple[str, ...] = option(
        ("h2", "http/1.1"), "Protocols offered, the preferred one first."
    )
    ssl_handshake_timeout: float = option(
        5.0, "Time for the handshake.", unit="seconds", minimum=0.1
    )
    https: bool = option(
        False, "Speak TLS with a certificate made for development (extra dev)."
    )
