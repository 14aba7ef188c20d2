"""The debug page, see :mod:`quart_core.debug`."""

from quart_core.debug import TEMPLATE, traceback_response

__all__ = ("TEMPLATE", "traceback_response")
