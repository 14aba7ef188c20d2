"""Which event loop runs the server."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .config import Config

__all__ = ["loop_factory"]

_FAST_LOOP = "winloop" if sys.platform == "win32" else "uvloop"


def loop_factory(config: Config) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the loop that the setting `loop` names; None is asyncio's own.

    Raises:
        ModuleNotFoundError: uvloop is wanted and not installed.
    """
    if config.loop == "asyncio":
        return None
    try:
        module = importlib.import_module(_FAST_LOOP)
    except ModuleNotFoundError as error:
        if error.name != _FAST_LOOP:
            raise
        if config.loop == "auto":
            return None
        raise ModuleNotFoundError(
            f"loop = 'uvloop' needs {_FAST_LOOP}, which is not installed: run "
            "'pip install quart-server[fast]', or use loop = 'auto'",
            name=_FAST_LOOP,
        ) from None
    factory: Callable[[], asyncio.AbstractEventLoop] = module.new_event_loop
    return factory
