"""Where the server's log lines go when the program has not decided that itself."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from .config import Config

__all__ = ["set_up_loggers"]

_ERROR_FORMAT = "%(asctime)s [%(process)d] %(levelname)s %(message)s"


def set_up_loggers(config: Config) -> None:
    """Write messages to stderr and access lines to stdout.

    A logger that has handlers of its own is left as it is.
    """
    level = config.log_level.upper()
    error = logging.getLogger("quart_server.error")
    _set_up(error, sys.stderr, logging.Formatter(_ERROR_FORMAT), level)
    access = logging.getLogger("quart_server.access")
    _set_up(access, sys.stdout, logging.Formatter("%(message)s"), "INFO")


def _set_up(
    logger: logging.Logger, stream: TextIO, formatter: logging.Formatter, level: str
) -> None:
    if logger.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
