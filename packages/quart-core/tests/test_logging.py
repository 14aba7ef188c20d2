"""Logging table: the app's logger."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from io import StringIO
from logging.handlers import QueueListener
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from quart_core.logging import (
    LocalQueueHandler,
    create_logger,
    default_handler,
    has_level_handler,
)

# Below a logger without a parent, as the root has handlers of the test runner.
TOP = "the_tested_apps"
NAME = f"{TOP}.app"


@pytest.fixture(autouse=True)
def fresh_loggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cut the loggers off the root, and take away what a test sets on them."""
    top = logging.getLogger(TOP)
    monkeypatch.setattr(top, "parent", None)
    top.setLevel(logging.WARNING)
    yield
    for name in (TOP, NAME, f"{NAME}.inner"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


def make_logger(*, debug: bool = False) -> logging.Logger:
    app: Any = SimpleNamespace(name=NAME, debug=debug)
    return create_logger(app)


def test_the_logger_is_named_as_the_app() -> None:
    assert make_logger() is logging.getLogger(NAME)


def test_in_debug_mode_its_level_is_debug() -> None:
    assert make_logger(debug=False).level == logging.NOTSET
    assert make_logger(debug=True).level == logging.DEBUG


def test_a_level_that_was_set_stays_in_debug_mode() -> None:
    logging.getLogger(NAME).setLevel(logging.WARNING)
    assert make_logger(debug=True).level == logging.WARNING


def test_it_gets_the_default_handler_once() -> None:
    make_logger()
    assert make_logger().handlers == [default_handler]


@pytest.mark.parametrize("place", [TOP, NAME])
def test_it_gets_no_handler_where_its_messages_are_handled(place: str) -> None:
    handler = logging.NullHandler()
    logging.getLogger(place).addHandler(handler)
    assert default_handler not in make_logger().handlers


def test_it_gets_a_handler_where_others_take_only_higher_levels() -> None:
    handler = logging.NullHandler(logging.CRITICAL)
    logging.getLogger(TOP).addHandler(handler)
    assert make_logger(debug=True).handlers == [default_handler]


def test_the_default_handler_writes_to_standard_error_of_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = make_logger()
    for _ in range(2):
        stream = StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        logger.error("it %s", "failed")
        line = stream.getvalue()
        assert line.endswith("] ERROR in test_logging: it failed\n")
        assert line.startswith("[")


# has_level_handler


def test_a_handler_of_a_logger_above_counts_while_messages_propagate() -> None:
    inner = logging.getLogger(f"{NAME}.inner")
    assert has_level_handler(inner) is False
    logging.getLogger(NAME).addHandler(logging.NullHandler())
    assert has_level_handler(inner) is True
    inner.propagate = False
    assert has_level_handler(inner) is False


def test_a_handler_counts_for_its_level_and_higher_ones() -> None:
    logger = logging.getLogger(NAME)
    logger.addHandler(logging.NullHandler(logging.ERROR))
    logger.setLevel(logging.WARNING)
    assert has_level_handler(logger) is False
    logger.setLevel(logging.ERROR)
    assert has_level_handler(logger) is True


# LocalQueueHandler


def test_a_local_queue_handler_passes_records_on_as_they_are() -> None:
    queue: Queue[logging.LogRecord] = Queue()
    logger = logging.getLogger(NAME)
    logger.addHandler(LocalQueueHandler(queue))
    argument = object()
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logger.exception("failed with %r", argument)
    record = queue.get_nowait()
    assert record.args == (argument,)
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_queue_listener_handles_the_records_in_its_thread() -> None:
    queue: Queue[logging.LogRecord] = Queue()
    stream = StringIO()
    listener = QueueListener(queue, logging.StreamHandler(stream))
    logging.getLogger(NAME).addHandler(LocalQueueHandler(queue))
    listener.start()
    logging.getLogger(NAME).error("handled")
    listener.stop()
    assert stream.getvalue() == "handled\n"


def test_st_01_what_a_terminal_acts_on_is_escaped() -> None:
    record = logging.LogRecord(
        "app", logging.ERROR, "app.py", 1, "path %s", ("\x1b[31m\u202e\r",), None
    )
    assert default_handler.formatter is not None
    text = default_handler.formatter.format(record)
    assert text.endswith("path \\x1b[31m\\u202e\\r")
