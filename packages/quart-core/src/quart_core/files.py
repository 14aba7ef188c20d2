"""Sending files: `send_file` and `send_from_directory` (API of Quart and Flask).

Both go to a thread once: there the file is checked, measured and, if it is small, read.
Larger ones are read while they are sent, or sent by the server itself.
"""

from __future__ import annotations

import mimetypes
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TypeAlias
from zlib import adler32

from quart_contexts.globals import _cv_request, current_app, request
from werkzeug.exceptions import NotFound
from werkzeug.http import http_date, quote_etag

from .content_disposition import content_disposition
from .file_lookup import FoundFile, look_at, look_inside
from .safe_path import is_safe_path, without_detours
from .threads import run_sync
from .wrappers.file_body import READ_SIZE, refuse_text
from .wrappers.response import FileBody, Response
from .wrappers.response_body import ResponseBody

if TYPE_CHECKING:
    from .app import Quart
    from .typing import FilePath

__all__ = ("DEFAULT_MIMETYPE", "send_file", "send_from_directory")

DEFAULT_MIMETYPE: Final = "application/octet-stream"
"""The type of a file whose name tells nothing."""

MAX_SIZE_READ_AT_ONCE: Final = READ_SIZE
"""Files up to this many bytes are read in the same thread step as their size."""

_Headers: TypeAlias = list[tuple[str, str]]
MaxAge: TypeAlias = int | Callable[[str | None], int | None]


class _Options(NamedTuple):
    """What the caller wants, after Quart's and Flask's names were brought together."""

    mimetype: str | None
    as_attachment: bool
    name: str | None
    show_name: bool
    etag: bool | str
    max_age: MaxAge | None
    conditional: bool
    last_modified: datetime | float | None


async def send_file(
    filename_or_io: FilePath | BinaryIO | None = None,
    mimetype: str | None = None,
    as_attachment: bool = False,
    attachment_filename: str | None = None,
    add_etags: bool = True,
    cache_timeout: int | None = None,
    conditional: bool = False,
    last_modified: datetime | float | None = None,
    *,
    path_or_file: FilePath | BinaryIO | None = None,
    download_name: str | None = None,
    etag: bool | str | None = None,
    max_age: MaxAge | None = None,
) -> Response:
    """Answer with the contents of a file.

    Never pass a path that a user gave: that is what `send_from_directory` is for.

    Args:
        filename_or_io: A path, relative to the app's root path, or a binary file
            object. `io.BytesIO` stays open, other file objects are closed when the
            response ends.
        mimetype: The content type, found by the name if None.
        as_attachment: Have browsers save the file instead of showing it.
        attachment_filename: The name to save it under, the file's own if None.
        add_etags: Set an ETag made from the path, its size and its time.
        cache_timeout: Seconds that caches may keep it; what
            `app.get_send_file_max_age` says if None.
        conditional: Respect preconditions and Range of the request.
        last_modified: The time to tell, the file's own if None.
        path_or_file: Flask's name for `filename_or_io`.
        download_name: Flask's name for `attachment_filename`; it is suggested also
            where the file is only shown.
        etag: Flask's name for `add_etags`; text is used as the ETag.
        max_age: Flask's name for `cache_timeout`; a function is called with the path.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: A file object reads text, or both names of an argument are given.
        ValueError: The content type cannot be guessed for want of a name.
        RequestedRangeNotSatisfiable: The request asks for a part that is not there.
    """
    source = _either(
        "filename_or_io", filename_or_io, "path_or_file", path_or_file, required=True
    )
    options = _options(
        mimetype,
        as_attachment,
        attachment_filename,
        add_etags,
        cache_timeout,
        conditional,
        last_modified,
        download_name,
        etag,
        max_age,
    )
    app: Quart = current_app._get_current_object()
    if hasattr(source, "read"):
        return await _send_stream(app, source, options)
    path = os.path.join(app.root_path, os.fsdecode(source))
    found = await app.sync_to_async(look_at)(path, _read_limit(options))
    return await _send_found(app, found, options)


async def send_from_directory(
    directory: FilePath,
    file_name: FilePath | None = None,
    *,
    mimetype: str | None = None,
    as_attachment: bool = False,
    attachment_filename: str | None = None,
    add_etags: bool = True,
    cache_timeout: int | None = None,
    conditional: bool = True,
    last_modified: datetime | float | None = None,
    path: FilePath | None = None,
    download_name: str | None = None,
    etag: bool | str | None = None,
    max_age: MaxAge | None = None,
) -> Response:
    """Answer with a file of a folder; the name may come from a user.

    Names are held to a strict grammar, the same on every system: no ``..``, no
    backslash, colon or control character, no Windows device. Links may not lead out of
    the folder.

    Args:
        directory: The folder, relative to the app's root path; to be trusted.
        file_name: The path inside of it, with ``/`` between its parts.
        mimetype: See `send_file`, as for all others.
        as_attachment: See `send_file`.
        attachment_filename: See `send_file`.
        add_etags: See `send_file`.
        cache_timeout: See `send_file`.
        conditional: See `send_file`; here it is the default.
        last_modified: See `send_file`.
        path: Flask's name for `file_name`.
        download_name: See `send_file`.
        etag: See `send_file`.
        max_age: See `send_file`.

    Raises:
        NotFound: There is no such file inside of the folder.
        RequestedRangeNotSatisfiable: The request asks for a part that is not there.
    """
    given = _either("file_name", file_name, "path", path, required=True)
    name = given.as_posix() if isinstance(given, PurePath) else os.fsdecode(given)
    options = _options(
        mimetype,
        as_attachment,
        attachment_filename,
        add_etags,
        cache_timeout,
        conditional,
        last_modified,
        download_name,
        etag,
        max_age,
    )
    name = without_detours(name)
    if not is_safe_path(name):
        raise NotFound
    limit = _read_limit(options)
    if not current_app:
        # A file that is missing is missed before the application is.
        await run_sync(look_inside)(os.fsdecode(directory), name, limit)
    app: Quart = current_app._get_current_object()
    folder = os.path.join(app.root_path, os.fsdecode(directory))
    found = await app.sync_to_async(look_inside)(folder, name, limit)
    return await _send_found(app, found, options)


# Arguments.


def _options(
    mimetype: str | None,
    as_attachment: bool,
    attachment_filename: str | None,
    add_etags: bool,
    cache_timeout: int | None,
    conditional: bool,
    last_modified: datetime | float | None,
    download_name: str | None,
    etag: bool | str | None,
    max_age: MaxAge | None,
) -> _Options:
    return _Options(
        mimetype=mimetype,
        as_attachment=as_attachment,
        name=_either(
            "attachment_filename", attachment_filename, "download_name", download_name
        ),
        show_name=download_name is not None,
        etag=add_etags if etag is None else etag,
        max_age=_either("cache_timeout", cache_timeout, "max_age", max_age),
        conditional=conditional,
        last_modified=last_modified,
    )


# Any: the two arguments are of the same type, checked where they are declared.
def _either(
    quart_name: str, ours: Any, flask_name: str, theirs: Any, *, required: bool = False
) -> Any:
    if ours is not None and theirs is not None:
        raise TypeError(
            f"{quart_name} and {flask_name} are two names of one argument: give one"
        )
    if required and ours is None and theirs is None:
        raise TypeError(f"The argument {quart_name} is missing")
    return theirs if ours is None else ours


def _read_limit(options: _Options) -> int:
    """Tell up to which size a file is worth reading before the answer is known."""
    context = _cv_request.get(None)
    if context is None:
        return MAX_SIZE_READ_AT_ONCE
    headers = context.request.headers
    may_be_304 = "If-None-Match" in headers or "If-Modified-Since" in headers
    if context.request.method == "HEAD" or (options.conditional and may_be_304):
        return 0
    return MAX_SIZE_READ_AT_ONCE


# Making the response.


async def _send_found(app: Quart, found: FoundFile, options: _Options) -> Response:
    body = app.response_class.file_body_class(found.path)
    if isinstance(body, FileBody):
        body.size = found.size
        body.content = found.content
    response = app.response_class(body, mimetype=_mimetype(options, found.path))
    headers = [("Content-Length", str(found.size))]
    headers += _disposition(options, os.path.basename(found.path))
    if options.last_modified is None:
        modified = _http_date(found.modified_nanoseconds // 10**9)
        headers.append(("Last-Modified", modified))
    if options.etag is True:
        check = adler32(os.fsencode(found.path))
        tag = f"{found.modified_nanoseconds:x}-{found.size:x}-{check:x}"
        headers.append(("ETag", f'"{tag}"'))
    max_age = options.max_age
    if max_age is None:
        max_age = app.get_send_file_max_age(found.path)
    headers += _caching(max_age, found.path)
    return await _finish(response, headers, options, found.size)


async def _send_stream(app: Quart, stream: BinaryIO, options: _Options) -> Response:
    refuse_text(stream)
    mimetype = _mimetype(options, None)
    body, size = await _stream_body(app, stream)
    response = app.response_class(body, mimetype=mimetype)
    headers = [] if size is None else [("Content-Length", str(size))]
    headers += _disposition(options, None)
    headers += _caching(options.max_age, None)
    return await _finish(response, headers, options, size)


async def _stream_body(app: Quart, stream: BinaryIO) -> tuple[ResponseBody, int | None]:
    if isinstance(stream, BytesIO):
        in_memory = app.response_class.io_body_class(stream)
        return in_memory, in_memory.size
    if await app.sync_to_async(_is_seekable)(stream):
        on_disk = await app.sync_to_async(app.response_class.io_body_class)(stream)
        return on_disk, on_disk.size
    return app.response_class.iterable_body_class(_StreamChunks(stream)), None


async def _finish(
    response: Response, headers: _Headers, options: _Options, size: int | None
) -> Response:
    if options.last_modified is not None:
        headers.append(("Last-Modified", http_date(options.last_modified)))
    if isinstance(options.etag, str):
        headers.append(("ETag", quote_etag(options.etag)))
    if len(response.headers) <= 1:
        # Only the content type is there, so nothing has to be looked for.
        response.headers.extend(headers)
    else:
        response.headers.update(headers)
    if not options.conditional:
        return response
    try:
        return await response.make_conditional(
            request._get_current_object(), accept_ranges=True, complete_length=size
        )
    except BaseException:
        # Nobody will send this response, nor close what it holds.
        await response._close_body()
        raise


def _disposition(options: _Options, name: str | None) -> _Headers:
    if not (options.as_attachment or options.show_name):
        return []
    kind = "attachment" if options.as_attachment else "inline"
    suggested = name if options.name is None else options.name
    return [("Content-Disposition", content_disposition(kind, suggested))]


def _caching(max_age: MaxAge | None, path: str | None) -> _Headers:
    seconds = max_age(path) if callable(max_age) else max_age
    if seconds is None:
        return [("Cache-Control", "public")]
    seconds = int(seconds)
    return [
        ("Cache-Control", f"public, max-age={seconds}"),
        ("Expires", _http_date(int(time.time()) + seconds)),
    ]


def _mimetype(options: _Options, path: str | None) -> str:
    if options.mimetype is not None:
        return options.mimetype
    name = options.name or path
    if name is None:
        raise ValueError(
            "The content type of a file object cannot be guessed: give mimetype, or a "
            "name (attachment_filename or download_name)"
        )
    return _guess_type(os.path.basename(name))[0] or DEFAULT_MIMETYPE


_guess_type: Callable[[str], tuple[str | None, str | None]] = getattr(
    # The second takes a file's name for a URL; the first came with Python 3.13.
    mimetypes,
    "guess_file_type",
    mimetypes.guess_type,
)


@lru_cache(maxsize=1024)
def _http_date(timestamp: int) -> str:
    return http_date(timestamp)


# Files that cannot seek.


def _is_seekable(stream: BinaryIO) -> bool:
    seekable = getattr(stream, "seekable", None)
    return bool(seekable()) if seekable is not None else hasattr(stream, "seek")


class _StreamChunks:
    """Iterates over what a file object gives, in large steps, from where it stands."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._stream.read(READ_SIZE)
        if not chunk:
            raise StopIteration
        return chunk

    def close(self) -> None:
        self._stream.close()
