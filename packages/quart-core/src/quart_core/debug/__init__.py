"""What a developer sees of an exception (API of ``quart.debug``).

The page, plain text or JSON for the client, and text for the terminal. All of it comes
from one description of the exception (`quart_core.debug.frames`), in which secrets are
masked and everything is bounded before it is written in any form.
"""

from __future__ import annotations

from .page import TEMPLATE
from .responses import error_response, traceback_response
from .terminal import format_error

__all__ = ("TEMPLATE", "error_response", "format_error", "traceback_response")
