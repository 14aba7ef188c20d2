"""What a developer sees of an exception (API of ``quart.debug``)."""

from __future__ import annotations

from werkzeug.exceptions import InternalServerError

from ..wrappers import Response

__all__ = ("traceback_response",)


async def traceback_response(error: BaseException) -> Response:  # noqa: ARG001
    """Return the response for an exception that nobody handled."""
    plain = InternalServerError()
    return Response(plain.get_body(), plain.code, mimetype="text/html")
