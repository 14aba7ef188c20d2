"""The bodies a response can have, and how each is sent and closed.

Every body is an asynchronous context manager and iterates asynchronously::

    async with response.response as body:
        async for chunk in body:
            ...

`aclose` releases what a body holds also where it was never entered: a generator that
never started, a file that the caller had opened. It does so once, however often it is
called; leaving the context manager calls it too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import Self, TypeVar

from werkzeug.exceptions import RequestedRangeNotSatisfiable

from ..threads import ThreadedIterator

__all__ = (
    "DataBody",
    "IterableBody",
    "ResponseBody",
    "as_async_iterator",
    "close_iterator",
    "encode_chunk",
    "valid_range",
)


Item = TypeVar("Item")


class ResponseBody(ABC):
    """What a response sends; subclasses also iterate asynchronously over chunks."""

    __slots__ = ()

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Begin sending."""

    @abstractmethod
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """End sending, whole or not."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        raise NotImplementedError(f"{type(self).__name__} must define __aiter__")

    async def aclose(self) -> None:  # noqa: B027 - most bodies hold nothing
        """Release what the body holds, whether it was ever entered or not."""

    def ready_data(self) -> bytes | None:
        """Give the whole content where it is at hand without waiting, else None."""
        return None


class DataBody(ResponseBody):
    """A body that is in memory.

    Args:
        data: The content; `begin` and `end` choose the part of it that is sent.
    """

    __slots__ = ("begin", "data", "end")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.begin = 0
        self.end = len(data)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        return None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _iterate((self.ready_data(),))

    async def make_conditional(self, begin: int, end: int | None) -> int:
        """Send only the bytes from `begin` up to `end`; gives the complete size.

        Raises:
            RequestedRangeNotSatisfiable: There are no such bytes.
        """
        size = len(self.data)
        self.begin, self.end = valid_range(begin, end, size)
        return size

    def ready_data(self) -> bytes:
        """Give the part that is sent."""
        # A slice of everything is the object itself, not a copy.
        return self.data[self.begin : self.end]


class IterableBody(ResponseBody):
    """A body made while it is sent, by an iterable or an asynchronous iterable.

    Synchronous iterables are advanced in a thread, except lists and tuples, which never
    block. The items are passed on as they are, see `encode_chunk`.

    Raises:
        TypeError: The object cannot be iterated over.
    """

    # For subclasses that do not call __init__.
    _closed = False
    _source: object = None

    def __init__(
        self, iterable: AsyncIterable[str | bytes] | Iterable[str | bytes]
    ) -> None:
        self._source = iterable
        self.iter: AsyncIterator[str | bytes] = as_async_iterator(iterable)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self.iter

    async def aclose(self) -> None:
        """Close the iterator, and the object it came from where that is another."""
        if self._closed:
            return
        self._closed = True
        await close_iterator(self.iter, self._source)

    @property
    def sequence(self) -> list[str | bytes] | tuple[str | bytes, ...] | None:
        """The items, where they were given as a list or tuple."""
        return self._source if isinstance(self._source, (list, tuple)) else None


def encode_chunk(chunk: object) -> bytes:
    """Give the bytes of an item that a body produced; text becomes UTF-8.

    Raises:
        TypeError: The item is neither text nor bytes.
    """
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, (bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(
        f"A streamed response must give str or bytes, not {type(chunk).__name__}: "
        f"{str(chunk)[:80]!r}"
    )


def _raise_if_invalid_range(begin: int, end: int, size: int) -> None:
    """Refuse what is no part of `size` bytes; extensions with own bodies call this."""
    if not 0 <= begin < min(end, size):
        raise RequestedRangeNotSatisfiable(size)


def valid_range(begin: int, end: int | None, size: int) -> tuple[int, int]:
    """Give the part of `size` bytes that a body is to send, None meaning the end.

    Raises:
        RequestedRangeNotSatisfiable: There are no such bytes.
    """
    end = size if end is None else min(end, size)
    _raise_if_invalid_range(begin, end, size)
    return begin, end


def as_async_iterator(
    iterable: AsyncIterable[Item] | Iterable[Item],
) -> AsyncIterator[Item]:
    """Iterate asynchronously: over lists and tuples here, over others in threads.

    Raises:
        TypeError: The object cannot be iterated over.
    """
    if isinstance(iterable, AsyncIterable):
        return aiter(iterable)
    if isinstance(iterable, (list, tuple)):
        return _iterate(iterable)
    if isinstance(iterable, Iterable):
        return ThreadedIterator(iterable)
    raise TypeError(
        "A response is made of str, bytes, an iterable or an asynchronous iterable of "
        f"these, not of {type(iterable).__name__}; files are sent by send_file()"
    )


async def _iterate(items: Iterable[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


async def close_iterator(iterator: object, source: object) -> None:
    """Close an iterator, and the object it came from where that is another."""
    try:
        await _aclose_if_possible(iterator)
    finally:
        if source is not iterator:
            await _aclose_if_possible(source)


async def _aclose_if_possible(closable: object) -> None:
    aclose = getattr(closable, "aclose", None)
    if aclose is not None:
        await aclose()
