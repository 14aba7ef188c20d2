"""The debug page, see :mod:`quart_core.debug`."""

from quart_core.debug import traceback_response

__all__ = ("traceback_response",)
