"""Limits and clocks of HTTP connections, and who is believed about clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .options import option

__all__ = ["HTTPSettings", "ProxySettings", "ResponseHeaderSettings"]

_KIB = 1024


@dataclass(frozen=True, kw_only=True)
class HTTPSettings:
    """HTTP/1.1, and what holds for HTTP/2 alike."""

    heading: ClassVar[str] = "HTTP"

    http: Literal["auto", "h11", "httptools"] = option(
        "auto",
        "HTTP/1.1 parser; auto takes the fastest, which is h11 behind our own front.",
    )
    max_connections: int | None = option(
        None,
        "Connections a worker holds; more wait in the backlog.",
        unit="connections",
        minimum=1,
    )
    limit_concurrency: int | None = option(
        None,
        "Requests a worker handles at once; more are answered 503.",
        unit="requests",
        minimum=1,
    )
    max_request_line_size: int = option(
        8 * _KIB,
        "Request line; longer ones are answered 414.",
        unit="bytes",
        minimum=64,
    )
    max_field_size: int = option(
        8 * _KIB,
        "One header field, name and value; longer ones are answered 431.",
        unit="bytes",
        minimum=64,
    )
    max_head_size: int = option(
        32 * _KIB,
        "Request line and all fields; longer heads are answered 431.",
        unit="bytes",
        minimum=128,
    )
    max_header_count: int = option(
        100,
        "Header fields of a request; more are answered 431.",
        unit="fields",
        minimum=1,
    )
    max_chunk_extension_size: int = option(
        1 * _KIB,
        "Chunk extensions of one body altogether; more are answered 400.",
        unit="bytes",
        minimum=0,
    )
    max_body_size: int | None = option(
        None,
        "Request body; larger ones are answered 413. The app may set its own.",
        unit="bytes",
        minimum=0,
    )
    first_byte_timeout: float = option(
        10.0, "Time from connection to the first byte.", unit="seconds", minimum=0.1
    )
    header_timeout: float = option(
        10.0,
        "Time from a request's first byte to the end of its head, or 408.",
        unit="seconds",
        minimum=0.1,
    )
    keep_alive_timeout: float = option(
        5.0,
        "Time an idle connection is kept for a next request.",
        unit="seconds",
        minimum=0,
    )
    keep_alive_max_requests: int | None = option(
        None,
        "Requests on one connection before it is closed.",
        unit="requests",
        minimum=1,
    )
    body_timeout: float = option(
        20.0,
        "Time between two pieces of a request body, or 408.",
        unit="seconds",
        minimum=0.1,
    )
    body_min_rate: int = option(
        240,
        "Bytes per second that a body must arrive with on average, or 408.",
        unit="bytes",
        minimum=0,
    )
    body_grace: float = option(
        10.0, "Time before body_min_rate counts.", unit="seconds", minimum=0
    )
    write_timeout: float = option(
        30.0,
        "Time a client may take nothing of what waits for it.",
        unit="seconds",
        minimum=0.1,
    )
    pipeline_depth: int = option(
        16,
        "Requests read ahead on one connection; then reading pauses.",
        unit="requests",
        minimum=1,
    )
    drain_max_bytes: int = option(
        64 * _KIB,
        "Rest of an unread body that is read to keep the connection.",
        unit="bytes",
        minimum=0,
    )
    drain_timeout: float = option(
        1.0, "Time for reading that rest.", unit="seconds", minimum=0
    )
    body_buffer_size: int = option(
        64 * _KIB,
        "Body bytes held for the app; then reading pauses.",
        unit="bytes",
        minimum=1 * _KIB,
    )
    write_buffer_size: int = option(
        64 * _KIB,
        "Response bytes held for the client; then send() waits.",
        unit="bytes",
        minimum=1 * _KIB,
    )


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """Who is believed about the client's address, scheme and host."""

    heading: ClassVar[str] = "Behind a proxy"

    trusted_proxies: tuple[str, ...] = option(
        (),
        "Addresses or networks of proxies to believe, or unix for those that "
        "connect through a Unix socket.",
    )
    trusted_hops: int = option(
        0,
        "Number of proxies in front, where their addresses are not known.",
        unit="proxies",
        minimum=0,
        maximum=32,
    )
    proxy_headers: Literal["x-forwarded", "forwarded"] = option(
        "x-forwarded",
        "Headers that the trusted proxies set: X-Forwarded-* or "
        "Forwarded; the other kind is never believed.",
    )
    proxy_protocol: bool = option(
        False, "Connections of trusted proxies begin with a PROXY v1 or v2 header."
    )
    root_path: str = option("", "Path prefix the app is mounted at.")


@dataclass(frozen=True, kw_only=True)
class ResponseHeaderSettings:
    """Header fields the server adds."""

    heading: ClassVar[str] = "Response headers"

    date_header: bool = option(True, "Send Date.")
    server_header: bool = option(True, "Send Server: quart-server.")
    headers: tuple[tuple[str, str], ...] = option(
        (), "Fields added to every response that lacks them, as Name: value."
    )
