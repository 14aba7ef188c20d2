"""What a developer sees of an exception (API of ``quart.debug``).

The page, plain text or JSON for the client, and text for the terminal. All of it comes
from one description of the exception (`quart_core.debug.frames`), in which secrets are
masked and everything is bounded before it is written in any form.

The modules are imported when the first exception is shown: an application that works
does not load them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..wrappers import Response
    from .development import DEVELOPMENT_EXTENSION, Development
    from .kept import KeptError, keep_error
    from .page import TEMPLATE
    from .responses import error_response
    from .terminal import format_error

__all__ = (
    "DEVELOPMENT_EXTENSION",
    "TEMPLATE",
    "Development",
    "KeptError",
    "error_response",
    "format_error",
    "keep_error",
    "traceback_response",
)

_LAZY = {
    "DEVELOPMENT_EXTENSION": ".development",
    "Development": ".development",
    "KeptError": ".kept",
    "keep_error": ".kept",
    "TEMPLATE": ".page",
    "error_response": ".responses",
    "format_error": ".terminal",
}


async def traceback_response(error: BaseException) -> Response:
    """Return the response that shows an exception to a developer.

    The details are for who may see them by the current request, see
    `quart_core.debug.audience`; without a request, and for everybody else, it is the
    plain page for status 500.

    Args:
        error: The exception.
    """
    response: Response = import_module(".responses", __name__).current_response(error)
    return response


# Any: whatever the name stands for.
def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
