"""What a client gives back: the application's response, and how it was come by."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from quart_core.headers import decode_headers
from quart_core.wrappers import Response
from quart_core.wrappers.response_body import DataBody
from werkzeug.datastructures import Headers

from .utils import request_of

if TYPE_CHECKING:
    from quart_core import Request

__all__ = ("ClientResponse", "make_response")


class ClientResponse(Response):
    """A response as a test client received it, of the application's response class.

    Attributes:
        history: The responses that redirected here, the first one first.
        is_complete: Whether the whole body arrived. False where the client left
            before, and where the application ended early, as by RESPONSE_TIMEOUT.
    """

    history: tuple[ClientResponse, ...] = ()
    is_complete = True

    # Any: a Quart application, or any other one without a request class.
    _app: Any = None
    _scope: Any = None
    _request_body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text; it is all there, so nothing is awaited."""
        data = self.response.data if isinstance(self.response, DataBody) else b""
        return data.decode()

    @cached_property
    def request(self) -> Request:
        """The request that was answered, the last one where redirects were followed."""
        return request_of(self._app, self._scope, self._request_body)


# Any: response classes of whatever kind, each with the one made of it.
_client_classes: dict[type[Any], type[Any]] = {Response: ClientResponse}


def _client_class(base: type[Any]) -> type[Any]:
    """Return a response class as one of a client's."""
    if not issubclass(base, Response) or issubclass(base, ClientResponse):
        return base
    made = _client_classes.get(base)
    if made is None:
        bases = (ClientResponse, base)
        made = type(base.__name__, bases, {"__module__": base.__module__})
        _client_classes[base] = made
    return made


# Any: whatever takes a body, a status and headers.
def make_response(
    cls: type[Any], status: int, headers: Headers, body: bytes, *, is_complete: bool
) -> Any:
    """Return a response of a class, or of one made of that and `ClientResponse`."""
    response = _client_class(cls)(body, status, Headers(headers))
    # Exactly what was sent: the class sets a Content-Length of its own.
    response.headers = headers
    if isinstance(response, ClientResponse):
        response.is_complete = is_complete
    return response


def received_headers(message: Any) -> Headers:
    """Return the headers of an ASGI message.

    Raises:
        TypeError: A name or a value is not bytes.
    """
    pairs: list[tuple[Any, Any]] = list(message.get("headers") or ())
    for pair in pairs:
        name, value = pair
        if not (isinstance(name, bytes) and isinstance(value, bytes)):
            raise TypeError(
                f"The header {name!r}: {value!r} of {message['type']!r} must be a pair "
                "of bytes (ASGI specification, HTTP)"
            )
    return decode_headers(pairs)
