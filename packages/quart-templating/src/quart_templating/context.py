"""The names a template sees beside those it is given."""

from __future__ import annotations

from typing import Any

from quart_contexts.globals import _cv_app, _cv_request, session

__all__ = ("update_template_context",)


# The application is one of quart-core, and values are the user's: hence Any.
async def update_template_context(app: Any, context: dict[str, Any]) -> None:
    """Add what the context processors give; names already there win.

    Processors run for the application, then for the blueprints of the request, the
    outermost first; a later one wins over an earlier one.
    """
    given = dict(context)
    ctx = _cv_request.get(None)
    app_ctx = _cv_app.get(None)
    if app_ctx is not None:
        context["g"] = app_ctx.g
    scopes: list[str | None] = [None]
    if ctx is not None:
        context["request"] = ctx.request
        # The proxy: a page that does not use the session must not count as if.
        context["session"] = session
        scopes += reversed(ctx.request.blueprints)
    processors = app.template_context_processors
    if processors:
        for scope in scopes:
            for processor in processors.get(scope, ()):
                context.update(await app.ensure_async(processor)())
    context.update(given)
