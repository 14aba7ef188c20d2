"""Logging from the event loop by way of a thread."""

from __future__ import annotations

import logging
from logging.handlers import QueueHandler
from typing import Any

__all__ = ("LocalQueueHandler",)


class LocalQueueHandler(QueueHandler):
    """Hands records to a ``logging.handlers.QueueListener`` of the same process.

    With it, slow handlers run in the listener's thread and never hold up the event
    loop. Records are passed on as they are, with their exceptions and arguments: the
    copying of ``QueueHandler`` serves other processes.
    """

    # Any: the annotation of the standard library, it is a LogRecord.
    def prepare(self, record: logging.LogRecord) -> Any:
        """Give the record as it is."""
        return record
