"""The logger of an app.

``app.logger`` is an ordinary logger, named as the app. It gets a handler that writes to
standard error only where nothing handles its messages already, so logging that is set
up before its first use is left alone.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

from .user_code import printable

if TYPE_CHECKING:
    from .app import Quart
    from .queue_handler import LocalQueueHandler

__all__ = [
    "LocalQueueHandler",
    "create_logger",
    "default_handler",
    "has_level_handler",
]


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment, which tests redirect."""

    def __init__(self) -> None:
        # Not StreamHandler's: it would set the stream.
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _PrintableFormatter(logging.Formatter):
    """Escapes what a terminal acts on: messages may quote what a client sent."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


#: Added to an app's logger where nothing else handles its messages.
default_handler: logging.Handler = _StandardErrorHandler()
default_handler.setFormatter(
    _PrintableFormatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
)


def has_level_handler(logger: logging.Logger) -> bool:
    """Say whether a handler takes messages of the logger's level.

    Its own or, as far as they propagate, one of the loggers above it.
    """
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: Quart) -> logging.Logger:
    """Get the app's logger and set it up where the application has not.

    In debug mode a logger without a level gets ``DEBUG``.
    """
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger


# Any: whatever the name stands for.
def __getattr__(name: str) -> Any:
    # Its base class brings pickling and sockets with it.
    if name != "LocalQueueHandler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module("quart_core.queue_handler"), name)
    return value
