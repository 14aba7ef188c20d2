"""From what a view returns to a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, NoReturn

from quart_contexts.globals import _cv_request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as SansIOResponse

from .discarded import discard
from .error_handling import ErrorHandling
from .hints import explain_coroutine_result, explain_none_result, of_view
from .wrappers import Response

_MISSING: Any = object()

_FORMS = (
    "a string, bytes, a dict, a list, a generator, an async generator, a Response, "
    "or a tuple of one of these with a status, headers or both"
)


class ViewResults(ErrorHandling):
    """Turns the results of views and handlers into responses."""

    async def make_response(
        self, result: Any = _MISSING, *, rv: Any = _MISSING
    ) -> Response:
        """Return the response for what a view returned.

        Args:
            result: str, bytes, dict, list, generator, async generator, Response,
                HTTP exception, or one of these in a tuple with a status, with
                headers, or with both in this order.
            rv: Flask's name for ``result``.

        Raises:
            TypeError: It is none of these; the message says what the view did.
        """
        value = result if result is not _MISSING else rv
        # The two cases most views are, before anything is looked at.
        kind = type(value)
        if kind is str or kind is bytes:
            return self.response_class(value)
        if isinstance(value, Response):
            return value
        status = headers = None
        if isinstance(value, tuple):
            value, status, headers = self._unpack(value)
        if value is None or value is _MISSING:
            view = _current_view(self)
            raise of_view(TypeError(explain_none_result(view, result)), view)
        response: Response = self._response_of(value)
        if status is None and not headers:
            return response
        try:
            if status is not None:
                # An int, an HTTPStatus or digits; HTTP/2 sends no reason anyway.
                response.status_code = int(status)
            if headers:
                response.headers.update(headers)
        except Exception:
            await discard(response, self.logger)
            raise
        return response

    @staticmethod
    def _unpack(value: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """Return result, status and headers of a tuple."""
        if len(value) == 3:
            return value
        if len(value) == 2:
            if value[1] is None or not isinstance(
                value[1], (Headers, dict, tuple, list)
            ):
                return value[0], value[1], None
            return value[0], None, value[1]
        raise TypeError(
            f"The view returned a tuple of {len(value)} items. The tuple must have the "
            "form (result, status), (result, headers) or (result, status, headers)."
        )

    def _response_of(self, value: Any) -> Any:
        """Return the response for a single value, without status and headers."""
        if isinstance(value, SansIOResponse):
            return value
        if isinstance(value, (str, bytes, bytearray)):
            return self.response_class(value)
        if isinstance(value, (dict, list)):
            return self.json.response(value)
        if isinstance(value, (Generator, AsyncGenerator)):
            return self.response_class(value)
        if isinstance(value, HTTPException):
            return self._http_exception_response(value)
        return self._unusable(value)

    def _http_exception_response(self, error: HTTPException) -> Any:
        """Return the page of an HTTP exception as one of our responses.

        Functions after the request may then await its data like any other's.
        """
        if error.response is not None:
            return error.response
        ctx = _cv_request.get(None)
        scope: Any = None if ctx is None else ctx.request.scope
        if type(error).get_response is HTTPException.get_response:
            return self.response_class(
                error.get_body(None, scope),
                status=error.code,
                headers=error.get_headers(None, scope),
            )
        page: Any = error.get_response(None, scope)
        if isinstance(page, Response):
            return page
        return self.response_class(
            page.get_data(), status=page.status, headers=page.headers
        )

    def _unusable(self, value: Any) -> NoReturn:
        view = _current_view(self)
        text = explain_coroutine_result(value, view) or (
            f"The view returned {value!r}, which is no response: it was a "
            f"{type(value).__name__}. It must return {_FORMS}."
        )
        raise of_view(TypeError(text), view)


def _current_view(app: Any) -> Any:
    """Return the view of the current request, if there is one."""
    ctx = _cv_request.get(None)
    if ctx is None or ctx.request.url_rule is None:
        return None
    return app.view_functions.get(ctx.request.url_rule.endpoint)
