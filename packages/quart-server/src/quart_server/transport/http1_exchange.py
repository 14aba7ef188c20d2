"""One HTTP/1 request being answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart_server.protocols.http1_response import (
    BodyLengthError,
    ResponseBody,
    encode_early_hints,
    has_no_body,
)

from .exchange import BODY, Exchange
from .files import open_slice, send_slice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quart_server.asgi import Message, Scope
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead

    from .http1 import HTTP1Transport

__all__ = ["CONTINUE", "HTTP1Exchange"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HTTP1Exchange(Exchange):
    """Writes the response as HTTP/1 and tells the connection when it is done."""

    __slots__ = ("_framing", "_sends_trailers")

    connection: HTTP1Transport

    def __init__(
        self,
        context: WorkerContext,
        connection: HTTP1Transport,
        head: RequestHead,
        scope: Scope,
    ) -> None:
        super().__init__(context, connection, head, scope)
        self._framing: ResponseBody | None = None
        self._sends_trailers = False

    # Any: headers are whatever iterable of pairs the app sent; the encoder checks it.

    def _write_start(
        self, status: int, headers: Any, body: bytes, *, more: bool, trailers: bool
    ) -> None:
        connection, head = self.connection, self.head
        if more or trailers:
            # RFC 9110, 6.5.1: trailers only for clients that said they take them.
            self._sends_trailers = trailers and head.accepts_trailers
            data, framing = self._encode_head(status, headers, None)
            data += framing.encode(body, more=more, trailers=self._sends_trailers)
            if not more:
                _check_complete(framing)
            self._framing = framing
            connection.must_close = framing.must_close
        else:
            data, connection.must_close = self.context.encoder.encode_response(
                status,
                headers,
                body,
                is_head=head.method == "HEAD",
                is_http10=head.http_version == "1.0",
                keep_alive=connection.may_keep_alive(head),
            )
        connection.write(data)

    def _write_body(self, body: bytes, *, more: bool) -> None:
        framing = self._framing
        if framing is None:
            return
        data = framing.encode(body, more=more, trailers=self._sends_trailers)
        if more:
            self.connection.write_soon(data)
            return
        _check_complete(framing)
        self.connection.write(data)

    def _write_trailers(self, headers: Any, *, more: bool) -> None:
        framing = self._framing
        if framing is None or not self._sends_trailers:
            return
        # Trailers may come in several messages; the first one writes the last chunk.
        data = framing.encode_trailers(headers, more=more)
        self.connection.write(data)

    def _write_early_hints(self, links: Iterable[bytes]) -> None:
        # RFC 9110, 15.2: no 1xx to HTTP/1.0.
        if self.head.http_version != "1.0":
            self.connection.write(encode_early_hints(links))

    async def _write_file(
        self, start: Message, path: str, offset: int, count: int | None
    ) -> None:
        loop = self.context.loop
        part = await open_slice(loop, path, offset, count)
        try:
            headers = start.get("headers", ())
            self.connection.check_open()
            data, framing = self._encode_head(self.status, headers, part.count)
            if not framing.fits(part.count):
                raise BodyLengthError(
                    f"{path} gives {part.count} bytes, the app's Content-Length says "
                    f"{framing.remaining}"
                )
            self.stage = BODY
            self._framing = framing
            self.connection.must_close = framing.must_close
            self.connection.write(data)
            if not has_no_body(self.status, is_head=self.head.method == "HEAD"):
                self.bytes_sent = part.count
                await send_slice(self.connection, part)
        finally:
            part.close()

    def _encode_head(
        self, status: int, headers: Any, body_size: int | None
    ) -> tuple[bytes, ResponseBody]:
        head = self.head
        return self.context.encoder.encode_head(
            status,
            headers,
            is_head=head.method == "HEAD",
            is_http10=head.http_version == "1.0",
            keep_alive=self.connection.may_keep_alive(head),
            body_size=body_size,
            trailers=self._sends_trailers,
        )

    def _want_body(self) -> None:
        head = self.head
        expected = head.expects_continue
        if expected:
            head.expects_continue = False
            if self.stage == 0:
                self.connection.write(CONTINUE)
        self.connection.resume_body(after_pause=expected)

    def _body_taken(self) -> None:
        self.connection.resume_body()

    def _response_done(self) -> None:
        self.connection.on_response_done()

    def _reset(self) -> None:
        self.connection.reset(needs_reset=self.ends_with_connection)

    @property
    def ends_with_connection(self) -> bool:
        """Whether an orderly end now would make a part look like the whole."""
        return self._framing is not None and self._framing.ends_with_connection


def _check_complete(framing: ResponseBody) -> None:
    if framing.is_short:
        raise BodyLengthError("The app sent less body than its Content-Length says")
