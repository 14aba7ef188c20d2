"""What is served in place of an application that could not be loaded."""

from __future__ import annotations

from typing import Any

from quart_core.app import Quart
from quart_core.debug import traceback_response

__all__ = ("broken_app",)


def broken_app(error: BaseException) -> Quart:
    """Return an application that answers every request with an exception.

    Its details are for developers only, as on every debug page.

    Args:
        error: The exception.
    """
    app = Quart("quart_cli.broken", static_folder=None)
    app.debug = True

    # Before the routes are looked at, which has none.
    @app.before_request
    # Any: a response of the debug page.
    async def show_error() -> Any:
        return await traceback_response(error)

    return app
