"""Reading and replacing the body of a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Literal, overload

from werkzeug.sansio.response import Response as SansIOResponse

from .. import json as quart_json
from .file_body import FileBody, IOBody
from .partial_body import MultipartBody
from .response_body import DataBody, IterableBody, ResponseBody, encode_chunk

__all__ = ("BodyAccess",)


class BodyAccess(SansIOResponse):
    """A response as far as its body is read and replaced.

    Attributes:
        response: The body.
    """

    automatically_set_content_length = True
    """Whether Content-Length follows from a body in memory."""

    implicit_sequence_conversion = True
    """Whether `get_data` may read a streamed body into memory and keep it."""

    data_body_class: type[DataBody] = DataBody

    # Any: whatever has dumps and loads.
    json_module: Any = quart_json

    response: ResponseBody

    _discarded_bodies: tuple[ResponseBody, ...] = ()

    @overload
    async def get_data(self, as_text: Literal[True]) -> str: ...

    @overload
    async def get_data(self, as_text: Literal[False] = False) -> bytes: ...

    @overload
    async def get_data(self, as_text: bool) -> str | bytes: ...

    async def get_data(self, as_text: bool = False) -> str | bytes:
        """Give the whole body, which stays in memory then.

        Args:
            as_text: Decode it as UTF-8.

        Raises:
            RuntimeError: The body is streamed and `implicit_sequence_conversion` off.
        """
        if not isinstance(self.response, DataBody):
            self._refuse_conversion()
            await self.make_sequence()
        data = await self._joined()
        return data.decode() if as_text else data

    def _refuse_conversion(self) -> None:
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "The body is streamed and implicit_sequence_conversion is off: "
                "await response.make_sequence() before its data is read"
            )

    def set_data(self, data: str | bytes) -> None:
        """Replace the body, and Content-Length with it."""
        encoded = encode_chunk(data)
        if not isinstance(self.response, DataBody):
            self._discarded_bodies = (*self._discarded_bodies, self.response)
        self.response = self.data_body_class(encoded)
        if self.automatically_set_content_length:
            self.headers["Content-Length"] = str(len(encoded))

    @property
    async def data(self) -> bytes:
        """The whole body as bytes; to be awaited when read, not when set."""
        return await self.get_data()

    @data.setter
    def data(self, value: str | bytes) -> None:
        self.set_data(value)

    async def make_sequence(self) -> None:
        """Read a streamed body into memory."""
        if isinstance(self.response, DataBody):
            return
        data = await self._joined()
        # Replaced after the reading: a body that fails stays the response's, and is
        # closed with it.
        self.set_data(data)

    async def _joined(self) -> bytes:
        ready = self.response.ready_data()
        if ready is not None:
            return ready
        return b"".join([chunk async for chunk in self.iter_encode()])

    async def iter_encode(self) -> AsyncGenerator[bytes, None]:
        """Send the body to the caller: iterate over its chunks as bytes."""
        async with self.response as body:
            async for chunk in body:
                yield encode_chunk(chunk)

    def iter_encoded(self) -> AsyncGenerator[bytes, None]:
        """Do the same as `iter_encode`; Flask's name, to be iterated asynchronously."""
        return self.iter_encode()

    # Any: JSON may be any value.
    async def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Give the body read as JSON, or None if it is not of a JSON type.

        Args:
            force: Whatever the content type says.
            silent: Give None where reading fails.

        Raises:
            ValueError: The body is no JSON text.
        """
        if not (force or self.is_json):
            return None
        try:
            return self.json_module.loads(await self.get_data())
        except ValueError:
            if silent:
                return None
            raise

    @property
    async def json(self) -> Any:
        """The body read as JSON; to be awaited."""
        return await self.get_json()

    @property
    def is_sequence(self) -> bool:
        """Whether all parts of the body are in memory."""
        body = self.response
        if isinstance(body, IterableBody):
            return body.sequence is not None
        return isinstance(body, DataBody)

    @property
    def is_streamed(self) -> bool:
        """Whether the length of the body is unknown before it is sent."""
        return self.calculate_content_length() is None

    def calculate_content_length(self) -> int | None:
        """Give the length of the body in bytes, or None if it is streamed."""
        body = self.response
        if isinstance(body, (DataBody, FileBody, IOBody)):
            return body.end - body.begin
        if isinstance(body, MultipartBody):
            return body.size
        if isinstance(body, IterableBody) and body.sequence is not None:
            return sum(len(encode_chunk(item)) for item in body.sequence)
        return None
