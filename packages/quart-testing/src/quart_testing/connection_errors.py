"""What a test's end of a connection raises.

::

    Exception
    +-- HTTPDisconnectError        nothing more comes of a response
    +-- WebsocketDisconnectError   the application closed the websocket, `.code`
    +-- WebsocketResponseError     it was answered as a request, `.response`
    TimeoutError
    +-- StillWaitingError          see `quart_testing.waits`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_core import Response

__all__ = ("HTTPDisconnectError", "WebsocketDisconnectError", "WebsocketResponseError")


class HTTPDisconnectError(Exception):
    """The connection is gone: the test left it, or the application ended early."""


class WebsocketDisconnectError(Exception):
    """The application closed the websocket.

    Attributes:
        code: The code of the close frame (RFC 6455, 7.4).
        reason: Its reason, usually empty.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(*((code, reason) if reason else (code,)))
        self.code = code
        self.reason = reason


class WebsocketResponseError(Exception):
    """The application rejected the websocket with an HTTP response.

    Attributes:
        response: That response.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response
