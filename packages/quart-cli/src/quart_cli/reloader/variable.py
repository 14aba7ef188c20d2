"""How a process knows that it is a child of the reloader."""

from typing import Final

__all__ = ("CHILD_VARIABLE",)

CHILD_VARIABLE: Final = "QUART_RELOAD_CHILD"
"""The environment variable with the child's handover."""
