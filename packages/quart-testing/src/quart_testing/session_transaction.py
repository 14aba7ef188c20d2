"""The session of a client's cookies, opened and saved without a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .utils import request_of

if TYPE_CHECKING:
    from quart_contexts.ctx import RequestContext
    from quart_core import Quart, Response
    from quart_core.sessions import SessionMixin

__all__ = ("open_session", "save_session")


# Any: an ASGI scope.
async def open_session(
    app: Quart, scope: Any, body: bytes
) -> tuple[RequestContext, SessionMixin]:
    """Return the session, and the context to save it in.

    The context is current only while the interface works. Nothing is torn down with
    it: there was no request.

    Raises:
        RuntimeError: No session could be opened.
    """
    context = app.request_context(request_of(app, scope, body))
    interface = app.session_interface
    context._bind()
    try:
        opened = await app.ensure_async(interface.open_session)(app, context.request)
    finally:
        context.leave()
    if opened is None or interface.is_null_session(opened):
        raise RuntimeError(
            "Session backend did not open a session. Check the secret key: without "
            "one, as in app.secret_key = 'something secret', there are no sessions"
        )
    session: SessionMixin = opened
    context.session = session
    return context, session


async def save_session(
    app: Quart, context: RequestContext, session: SessionMixin
) -> Response:
    """Save the session; return the response whose cookies say so."""
    response: Response = app.response_class(b"")
    context._bind()
    try:
        save = app.ensure_async(app.session_interface.save_session)
        await save(app, session, response)
    finally:
        context.leave()
    return response
