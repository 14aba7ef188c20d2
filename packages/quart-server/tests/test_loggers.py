import logging

import pytest
from quart_server.config import Config
from quart_server.loggers import set_up_loggers

NAMES = ("quart_server.error", "quart_server.access")


@pytest.fixture
def loggers():
    """The server's loggers without handlers, as they were afterwards."""
    found = [logging.getLogger(name) for name in NAMES]
    before = [(item.handlers[:], item.level, item.propagate) for item in found]
    for item in found:
        item.handlers.clear()
    yield found
    for item, (handlers, level, propagate) in zip(found, before, strict=True):
        item.handlers[:] = handlers
        item.setLevel(level)
        item.propagate = propagate


def test_messages_go_to_stderr_and_access_lines_to_stdout(loggers, capsys):
    set_up_loggers(Config(log_level="warning"))
    error, access = loggers
    error.info("not shown")
    error.warning("careful")
    access.info("GET /")
    captured = capsys.readouterr()
    assert captured.err.endswith("WARNING careful\n")
    assert "not shown" not in captured.err
    assert captured.out == "GET /\n"


def test_loggers_with_handlers_are_left_alone(loggers):
    own = logging.NullHandler()
    loggers[0].addHandler(own)
    set_up_loggers(Config())
    assert loggers[0].handlers == [own]
    assert loggers[0].propagate
