"""Bodies that send parts of another body: one slice, or several as one multipart.

The answer to a Range request (RFC 9110, 15.3.7) for bodies that are not in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Generic, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from .response_body import ResponseBody, encode_chunk

__all__ = ("MultipartBody", "Part", "RangeableBody", "SlicedBody")


@runtime_checkable
class RangeableBody(Protocol):
    """A body that can send any part of itself, again and again."""

    async def __aenter__(self) -> Self:
        """Begin sending."""
        ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """End sending."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over the chosen part."""
        ...

    async def make_conditional(self, begin: int, end: int | None) -> int:
        """Choose a part."""
        ...

    async def aclose(self) -> None:
        """Release what the body holds."""


class Part(NamedTuple):
    """A part of a multipart body: its delimiter and headers, and where it lies."""

    head: bytes
    begin: int
    end: int


Source = TypeVar("Source", bound=ResponseBody | RangeableBody)


class WrappingBody(ResponseBody, Generic[Source]):
    """A body around another one, which it enters, leaves and closes."""

    __slots__ = ("_source",)

    def __init__(self, source: Source) -> None:
        self._source = source

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._source.__aexit__(exc_type, exc_value, tb)

    async def aclose(self) -> None:
        """Close the body inside."""
        await self._source.aclose()


class SlicedBody(WrappingBody[ResponseBody]):
    """The bytes from `begin` up to `end` of a body that can only be sent in order.

    What lies before is made and thrown away, what lies behind is never made.
    """

    __slots__ = ("_begin", "_end")

    def __init__(self, source: ResponseBody, begin: int, end: int) -> None:
        super().__init__(source)
        self._begin = begin
        self._end = end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        position = 0
        async for chunk in self._source:
            data = encode_chunk(chunk)
            wanted = data[max(self._begin - position, 0) : self._end - position]
            position += len(data)
            if wanted:
                yield wanted
            if position >= self._end:
                break


class MultipartBody(WrappingBody[RangeableBody]):
    """Several parts of a body, each with its head, and a closing delimiter."""

    __slots__ = ("_closing", "_parts")

    def __init__(
        self, source: RangeableBody, parts: Iterable[Part], closing: bytes
    ) -> None:
        super().__init__(source)
        self._parts = tuple(parts)
        self._closing = closing

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part.head
            await self._source.make_conditional(part.begin, part.end)
            async for chunk in self._source:
                yield encode_chunk(chunk)
        yield self._closing

    @property
    def size(self) -> int:
        """The length of the whole multipart in bytes."""
        parts = sum(len(part.head) + part.end - part.begin for part in self._parts)
        return parts + len(self._closing)
