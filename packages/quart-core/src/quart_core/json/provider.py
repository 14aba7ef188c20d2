"""How an app writes and reads JSON, and how to replace that.

API of ``flask.json.provider``. An app's provider is ``app.json``. Output is byte for
byte what Flask's provider writes.
"""

from __future__ import annotations

import dataclasses
import json
import weakref
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from json.decoder import JSONDecoder
from json.encoder import JSONEncoder, encode_basestring, encode_basestring_ascii
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast
from uuid import UUID

from werkzeug.http import http_date

if TYPE_CHECKING:
    from ..app import Quart
    from ..wrappers.response import Response

__all__ = ["DefaultJSONProvider", "JSONProvider"]


# JSON holds values of any type, and keyword arguments are those of the library that a
# provider uses: Any throughout.
class JSONProvider:
    """The JSON functions of an app. Subclass it to use another library.

    A subclass defines ``dumps`` and ``loads``; then:

    ::

        class App(Quart):
            json_provider_class = MyProvider

    Args:
        app: The app it belongs to, kept as a weak reference.
    """

    def __init__(self, app: Quart) -> None:
        self._app = cast("Quart", weakref.proxy(app))

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write a value as JSON text."""
        raise NotImplementedError(f"{type(self).__name__} must define dumps(obj).")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write a value as JSON text to a file."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read a value from JSON text.

        Raises:
            ValueError: The text is not JSON.
        """
        raise NotImplementedError(f"{type(self).__name__} must define loads(s).")

    def load(self, fp: IO[str] | IO[bytes], **kwargs: Any) -> Any:
        """Read a value from a file of JSON text.

        Raises:
            ValueError: The text is not JSON.
        """
        return self.loads(fp.read(), **kwargs)

    def loads_strict(self, s: str | bytes) -> Any:
        """Read JSON that came from outside, such as a request's body.

        What ``loads`` does, with every refusal a ``ValueError``: nesting deeper than
        the interpreter's recursion limit too.

        Raises:
            ValueError: The text is not JSON.
        """
        try:
            return self.loads(s)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Make a response of one value, of several as a list, of keywords as a dict.

        Raises:
            TypeError: Positional and keyword arguments were given together.
        """
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(obj), mimetype="application/json")

    def _prepare_response_obj(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if args and kwargs:
            raise TypeError(
                "app.json.response() takes either args or kwargs, not both: pass one "
                "dictionary with all of it."
            )
        if len(args) == 1:
            return args[0]
        # One value alone is itself; none at all is null.
        return args or kwargs or None


#: The separators of text without spaces.
_COMPACT = (",", ":")

_TOO_DEEP = "The JSON text is nested too deeply."


def _default(o: Any) -> Any:
    """Turn what JSON lacks into what it has."""
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, (Decimal, UUID)):
        return str(o)
    if dataclasses.is_dataclass(o) and not isinstance(o, type):
        return dataclasses.asdict(o)
    html = getattr(o, "__html__", None)
    if html is not None:
        return str(html())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


def _refuse_constant(name: str) -> NoReturn:
    # RFC 8259, 6: numbers that are no sequence of digits are not permitted.
    raise ValueError(f"{name} is not JSON.")


_strict_decoder = JSONDecoder(parse_constant=_refuse_constant)

# The C encoder of the standard library, None on interpreters without one.
_c_make_encoder: Callable[..., Callable[[Any, int], tuple[str, ...]]] | None
_c_make_encoder = getattr(json.encoder, "c_make_encoder", None)

# What an encoder depends on: default, ensure_ascii, sort_keys, indent, separators.
_Settings = tuple[
    Callable[[Any], Any] | None, bool, bool, int | str | None, tuple[str, str] | None
]
_Encode = Callable[[Any], str]

# A provider has two or three sets of settings in its life: plain, compact, indented.
_ENCODERS_KEPT = 8


def _make_encode(settings: _Settings) -> _Encode:
    """Prepare what ``json.dumps`` makes anew in every call."""
    default, ensure_ascii, sort_keys, indent, separators = settings
    encoder = JSONEncoder(
        default=default,
        ensure_ascii=ensure_ascii,
        sort_keys=sort_keys,
        indent=indent,
        separators=separators,
    )
    if _c_make_encoder is None or indent is not None:
        return encoder.encode
    write = _c_make_encoder(
        None,  # no markers: they cannot be shared between calls
        encoder.default,
        encode_basestring_ascii if ensure_ascii else encode_basestring,
        None,
        encoder.key_separator,
        encoder.item_separator,
        sort_keys,
        encoder.skipkeys,
        encoder.allow_nan,
    )

    def encode(obj: Any) -> str:
        try:
            return "".join(write(obj, 0))
        except RecursionError:
            # With its markers the encoder tells a circle from mere depth.
            return encoder.encode(obj)

    return encode


class DefaultJSONProvider(JSONProvider):
    """JSON by the standard library.

    Beyond what JSON knows it writes ``datetime.date`` and ``datetime.datetime`` as HTTP
    dates, ``decimal.Decimal`` and ``uuid.UUID`` as strings, dataclasses as objects, and
    anything with an ``__html__`` method as the string that gives.
    """

    #: Called with a value that JSON lacks, gives one that it has.
    default: Callable[[Any], Any] = staticmethod(_default)

    #: Write everything beyond ASCII as escapes.
    ensure_ascii: bool = True

    #: Sort the keys of objects; keys of different types then raise ``TypeError``.
    sort_keys: bool = True

    #: Write responses without spaces. ``None``: unless the app is in debug mode, where
    #: they are indented.
    compact: bool | None = None

    #: The content type of responses.
    mimetype: str = "application/json"

    _encoders: tuple[tuple[_Settings, _Encode], ...] = ()

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write a value as JSON text.

        Args:
            obj: The value.
            **kwargs: Passed on to ``json.dumps``; they win over the attributes.

        Raises:
            TypeError: A value cannot be written as JSON.
            ValueError: A value contains itself.
        """
        indent = kwargs.pop("indent", None)
        separators = kwargs.pop("separators", None)
        if not kwargs:
            return self._encode(indent, separators)(obj)
        kwargs.setdefault("default", self.default)
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        return json.dumps(obj, indent=indent, separators=separators, **kwargs)

    def _encode(
        self, indent: int | str | None, separators: tuple[str, str] | None
    ) -> _Encode:
        """Find or prepare the encoder for the settings of this moment."""
        if separators is not None and type(separators) is not tuple:
            item, key = separators  # a list will do, but must not change later
            separators = (item, key)
        settings = (self.default, self.ensure_ascii, self.sort_keys, indent, separators)
        for known, encode in self._encoders:
            if known == settings:
                return encode
        encode = _make_encode(settings)
        # One assignment, so that threads see the old tuple or the new one.
        self._encoders = ((settings, encode), *self._encoders[: _ENCODERS_KEPT - 1])
        return encode

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read a value from JSON text; of a key that occurs twice the last one.

        Args:
            s: The text, bytes as UTF-8, UTF-16 or UTF-32.
            **kwargs: Passed on to ``json.loads``.

        Raises:
            ValueError: The text is not JSON, or a number has more digits than
                ``sys.get_int_max_str_digits()``.
            RecursionError: It is nested too deeply.
        """
        return json.loads(s, **kwargs)

    def loads_strict(self, s: str | bytes) -> Any:
        """Read JSON that came from outside, such as a request's body.

        What ``loads`` does, but ``NaN`` and ``Infinity`` (RFC 8259, 6), bytes that are
        no well-formed Unicode, and nesting too deep to read are refused. A subclass
        with a ``loads`` of its own is asked for that.

        Raises:
            ValueError: The text is not JSON.
        """
        if type(self).loads is not DefaultJSONProvider.loads:
            return super().loads_strict(s)
        if not isinstance(s, str):
            s = s.decode(json.detect_encoding(s))
        try:
            return _strict_decoder.decode(s)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Make a response of one value, of several as a list, of keywords as a dict.

        The text ends with a line break. See ``compact`` and ``mimetype``.

        Raises:
            TypeError: Positional and keyword arguments were given together, or a
                value cannot be written as JSON.
        """
        if len(args) == 1 and not kwargs:
            obj = args[0]
        else:
            obj = self._prepare_response_obj(args, kwargs)
        app, compact = self._app, self.compact
        if compact is None:
            compact = not app.debug
        if not compact:
            text = self.dumps(obj, indent=2)
        elif type(self).dumps is DefaultJSONProvider.dumps:
            text = self._encode(None, _COMPACT)(obj)
        else:
            text = self.dumps(obj, separators=_COMPACT)
        return app.response_class(f"{text}\n", mimetype=self.mimetype)
