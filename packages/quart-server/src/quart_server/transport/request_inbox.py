"""The body of a request on its way to the app, and the news that its client is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from quart_server.asgi import Message
    from quart_server.context import WorkerContext

__all__ = ["BODY", "DONE", "START", "TRAILERS", "RequestInbox"]

# How far a response is; plain numbers, compared several times for each request.
START: Final = 0
BODY: Final = 1
TRAILERS: Final = 2
DONE: Final = 3


class RequestInbox:
    """What a client has sent and its app has not taken.

    Attributes:
        context: What all connections of the worker share.
        stage: How far the response is.
        buffered: Bytes of body held for the app.
        disconnected: Whether the client is gone.
    """

    __slots__ = (
        "_body_done",
        "_body_told",
        "_chunks",
        "_waiters",
        "buffered",
        "context",
        "disconnected",
        "stage",
    )

    def __init__(self, context: WorkerContext, *, has_body: bool) -> None:
        self.context = context
        self.stage = START
        self.buffered = 0
        self.disconnected = False
        self._chunks: list[bytes] | None = None
        self._body_done = not has_body
        self._body_told = False
        self._waiters: list[asyncio.Future[None]] | None = None

    # The app's side

    async def receive(self) -> Message:
        """Return the next part of the body, then wait for the client to leave."""
        if not self._body_told:
            if not self._chunks and not self._body_done and not self.disconnected:
                self._want_body()
                await self._wait()
            if self._chunks or self._body_done:
                return self._next_part()
        while not self.disconnected and self.stage != DONE:
            await self._wait()
        return {"type": "http.disconnect"}

    def take_whole_body(self) -> bytes | None:
        """Return the body if all of it has arrived and none was taken, else None.

        It is what one message through `receive` comes to, for an app that knows this
        server: it finds it on the object that its `receive` is bound to.
        """
        if self._body_told or not self._body_done or self.disconnected:
            return None
        if self.buffered > self.context.config.body_buffer_size:
            return None
        body: bytes = self._next_part()["body"]
        return body

    # The connection's side

    def feed(self, data: bytes) -> None:
        """Hold a piece of the request body for the app."""
        if self._chunks is None:
            self._chunks = [data]
        else:
            self._chunks.append(data)
        self.buffered += len(data)
        if self._waiters is not None:
            self._wake()

    def finish_body(self) -> None:
        """The request body is complete."""
        self._body_done = True
        if self._waiters is not None:
            self._wake()

    @property
    def is_waiting_for_body(self) -> bool:
        """Whether the app waits for bytes that the client has not sent."""
        return self._waiters is not None and not self._body_done

    # For subclasses

    def _want_body(self) -> None:
        """The app wants more body than there is: resume reading, send 100."""
        raise NotImplementedError

    def _body_taken(self) -> None:
        """The app took all that was held."""
        raise NotImplementedError

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # Private

    def _next_part(self) -> Message:
        chunks = self._chunks
        if not chunks:
            self._body_told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        limit = self.context.config.body_buffer_size
        if len(body) > limit:
            # The app's own limit is overrun by no more than this.
            chunks.append(body[limit:])
            body = body[:limit]
            self.buffered -= limit
            return {"type": "http.request", "body": body, "more_body": True}
        self.buffered = 0
        more = not self._body_done
        self._body_told = not more
        if more:
            self._body_taken()
        return {"type": "http.request", "body": body, "more_body": more}

    async def _wait(self) -> None:
        """Wait until something happened; several tasks may wait at once."""
        waiter = self.context.loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        await waiter
