"""Forms: urlencoded and multipart, parsed while they arrive (`quart.formparser`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeAlias

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import default_stream_factory
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Event, Field, File

from .datastructures import FileStorage, close_file
from .multipart import MAX_BOUNDARY_LENGTH, LimitedDecoder
from .threads import run_sync
from .uploads import Upload
from .urlencoded import parse_urlencoded

if TYPE_CHECKING:
    from .wrappers.body import Body

__all__ = ("FormDataParser", "MultiPartParser", "ParserFunc", "StreamFactory")

#: Makes the stream of a file. Called with the length of the body, the content type,
#: the filename and the declared length of the file, each of which may be None.
StreamFactory: TypeAlias = Callable[
    [int | None, str | None, str | None, int | None], IO[bytes]
]

Form: TypeAlias = tuple[MultiDict[str, str], MultiDict[str, FileStorage]]

#: Parses a form, given the parser, the body, the type, the length and its options.
ParserFunc: TypeAlias = Callable[
    ["FormDataParser", "Body", str, int | None, Mapping[str, str]], Awaitable[Form]
]

#: What the default factory keeps in memory of each file.
SPOOL_BYTES: Final = 512_000

_CHARSETS: Final = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})


class FormDataParser:
    """Parses the body of a request as the form that its content type says it is.

    Args:
        stream_factory: Makes the stream of each file. Called in a thread unless it is
            the default one.
        max_form_memory_size: Bytes allowed in all fields that are no files.
        max_content_length: Bytes allowed in the body.
        max_form_parts: Fields and files allowed.
        cls: The class of what is returned.
        silent: Return empty forms for what cannot be parsed, instead of raising.
    """

    #: The class of uploaded files.
    file_storage_class: type[FileStorage] = FileStorage

    #: What parses each content type, set below the class.
    parse_functions: ClassVar[dict[str, ParserFunc]]

    # Any, here and below: what a MultiDict holds is up to its user.
    def __init__(
        self,
        stream_factory: StreamFactory = default_stream_factory,
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        cls: type[MultiDict[str, Any]] | None = MultiDict,
        silent: bool = True,
        *,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_content_length = max_content_length
        self.max_form_parts = max_form_parts
        self.cls: type[MultiDict[str, Any]] = MultiDict if cls is None else cls
        self.silent = silent

    def get_parse_func(
        self,
        mimetype: str,
        options: Mapping[str, str],  # noqa: ARG002 - for those who override this
    ) -> ParserFunc | None:
        """Return what parses a content type, None if it is not one of forms.

        Args:
            mimetype: The content type without parameters, in lower case.
            options: Its parameters.
        """
        return self.parse_functions.get(mimetype)

    async def parse(
        self,
        body: Body,
        mimetype: str,
        content_length: int | None,
        options: Mapping[str, str] | None = None,
    ) -> Form:
        """Return the fields and the files of the form.

        Both are empty if the body is no form, or, unless not `silent`, if it cannot be
        parsed.

        Args:
            body: The body of the request.
            mimetype: The content type without parameters, in lower case.
            content_length: The declared length, None if unknown.
            options: The parameters of the content type.

        Raises:
            RequestEntityTooLarge: A limit is exceeded.
            ValueError: It cannot be parsed and the parser is not silent.
        """
        options = {} if options is None else options
        parse_func = self.get_parse_func(mimetype, options)
        if parse_func is None:
            return self.cls(), self.cls()
        if _exceeds(content_length, self.max_content_length):
            raise RequestEntityTooLarge
        try:
            return await parse_func(self, body, mimetype, content_length, options)
        except ValueError:
            if not self.silent:
                raise
        return self.cls(), self.cls()

    async def _parse_multipart(
        self,
        body: Body,
        mimetype: str,  # noqa: ARG002
        content_length: int | None,
        options: Mapping[str, str],
    ) -> Form:
        boundary = options.get("boundary", "").encode("ascii")
        if not 1 <= len(boundary) <= MAX_BOUNDARY_LENGTH:
            raise ValueError(
                f"The boundary of a multipart form has 1 to {MAX_BOUNDARY_LENGTH} "
                f"characters, not {len(boundary)}"
            )
        parser = MultiPartParser(
            self.stream_factory,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            file_storage_cls=self.file_storage_class,
            cls=self.cls,
        )
        return await parser.parse(body, boundary, content_length)

    async def _parse_urlencoded(
        self,
        body: Body,
        mimetype: str,  # noqa: ARG002
        content_length: int | None,
        options: Mapping[str, str],  # noqa: ARG002
    ) -> Form:
        limit = _lower(self.max_form_memory_size, self.max_content_length)
        if _exceeds(content_length, limit):
            raise RequestEntityTooLarge
        data = await body.read(limit)
        if data and _exceeds(data.count(b"&") + 1, self.max_form_parts):
            raise RequestEntityTooLarge
        return parse_urlencoded(data, self.cls), self.cls()


FormDataParser.parse_functions = {
    "multipart/form-data": FormDataParser._parse_multipart,
    "application/x-www-form-urlencoded": FormDataParser._parse_urlencoded,
    "application/x-url-encoded": FormDataParser._parse_urlencoded,
}


class MultiPartParser:
    """Parses a multipart form (RFC 7578).

    Args:
        stream_factory: Makes the stream of each file. Called in a thread unless it is
            the default one.
        max_form_memory_size: Bytes allowed in all fields that are no files.
        cls: The class of what is returned.
        buffer_size: Bytes that are decoded in one step.
        file_storage_cls: The class of uploaded files.
        max_content_length: Bytes allowed in the body.
        max_form_parts: Fields and files allowed.
    """

    def __init__(
        self,
        stream_factory: StreamFactory = default_stream_factory,
        max_form_memory_size: int | None = None,
        cls: type[MultiDict[str, Any]] = MultiDict,
        buffer_size: int = 65_536,
        file_storage_cls: type[FileStorage] = FileStorage,
        *,
        max_content_length: int | None = None,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_content_length = max_content_length
        self.max_form_parts = max_form_parts
        self.cls = cls
        self.buffer_size = buffer_size
        self.file_storage_cls = file_storage_cls

    def fail(self, message: str) -> NoReturn:
        """Refuse the form.

        Raises:
            ValueError: Always.
        """
        raise ValueError(message)

    def get_part_charset(self, headers: Headers) -> str:
        """Return the charset of a field's text, UTF-8 unless it names another."""
        _, options = parse_options_header(headers.get("content-type"))
        charset = options.get("charset", "").lower()
        return charset if charset in _CHARSETS else "utf-8"

    def start_file_streaming(
        self, event: File, total_content_length: int | None
    ) -> IO[bytes]:
        """Return the stream that a file is written to.

        Args:
            event: The head of the file.
            total_content_length: The declared length of the body, None if unknown.
        """
        return self.stream_factory(
            total_content_length,
            event.headers.get("content-type"),
            event.filename,
            _declared_length(event.headers),
        )

    async def parse(
        self, body: Body, boundary: bytes, content_length: int | None
    ) -> Form:
        """Return the fields and the files of the form.

        Args:
            body: The body, iterated over.
            boundary: What separates the parts.
            content_length: The declared length of the body, None if unknown.

        Raises:
            RequestEntityTooLarge: A limit is exceeded.
            ValueError: This is no multipart form.
        """
        decoder = LimitedDecoder(boundary, self.max_form_parts)
        parts = _Parts(self, content_length)
        received = 0
        try:
            async for chunk in body:
                received += len(chunk)
                if _exceeds(received, self.max_content_length):
                    raise RequestEntityTooLarge
                for start in range(0, len(chunk), self.buffer_size):
                    step = chunk[start : start + self.buffer_size]
                    for event in decoder.feed(step):
                        await parts.add(event)
            for event in decoder.feed(None):
                await parts.add(event)
        except BaseException:
            await parts.abandon()
            raise
        return self.cls(parts.fields), self.cls(parts.files)


class _Parts:
    """The parts of one form, filled by the events of the decoder."""

    def __init__(self, parser: MultiPartParser, content_length: int | None) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self._parser = parser
        self._content_length = content_length
        self._field_bytes = 0
        self._head: Field | File | None = None
        self._text = bytearray()
        self._upload: Upload | None = None

    async def add(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Data):
            if self._upload is not None:
                await self._add_to_file(self._upload, event)
            else:
                self._add_to_field(event)
        elif isinstance(event, File):
            self._head = event
            self._upload = await self._start_upload(event)
        elif isinstance(event, Field):
            self._head = event

    async def abandon(self) -> None:
        """Close the files."""
        if self._upload is not None:
            await self._upload.abandon()
        for _, file in self.files:
            await close_file(file)

    def _add_to_field(self, event: Data) -> None:
        self._field_bytes += len(event.data)
        if _exceeds(self._field_bytes, self._parser.max_form_memory_size):
            raise RequestEntityTooLarge
        self._text += event.data
        if event.more_data or self._head is None:
            return
        charset = self._parser.get_part_charset(self._head.headers)
        self.fields.append((self._head.name, self._text.decode(charset, "replace")))
        self._text.clear()

    async def _add_to_file(self, upload: Upload, event: Data) -> None:
        await upload.write(event.data)
        if event.more_data or not isinstance(self._head, File):
            return
        stream = await upload.finish()
        head = self._head
        file = self._parser.file_storage_cls(
            stream, head.filename, head.name, headers=head.headers
        )
        self.files.append((head.name, file))
        self._upload = None

    async def _start_upload(self, event: File) -> Upload:
        parser = self._parser
        start = parser.start_file_streaming
        if parser.stream_factory is default_stream_factory:
            return Upload(start(event, self._content_length), SPOOL_BYTES)
        stream = await run_sync(start)(event, self._content_length)
        in_memory = isinstance(stream, BytesIO)
        return Upload(stream, None if in_memory else 0)


def _exceeds(value: int | None, limit: int | None) -> bool:
    return value is not None and limit is not None and value > limit


def _lower(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _declared_length(headers: Headers) -> int | None:
    """Return the length that a part declares, if it does so in plain digits."""
    value = headers.get("content-length", "")
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        return None
    return int(value)
