"""The answers the server gives by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.protocols.http1_response import ResponseEncoder

__all__ = ["refusal_bytes"]


def refusal_bytes(
    encoder: ResponseEncoder,
    status: int,
    *,
    is_head: bool,
    fields: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """Return a short response that ends the connection; it quotes nothing received."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *fields]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    body = HTTPStatus(status).phrase.encode("ascii")
    data, _ = encoder.encode_response(
        status, headers, body, is_head=is_head, is_http10=False, keep_alive=False
    )
    return data
