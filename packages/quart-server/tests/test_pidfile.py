import os

import pytest
from quart_server.config import ConfigError
from quart_server.pidfile import pid_file


def test_the_file_lives_as_long_as_the_server(tmp_path):
    path = tmp_path / "pid"
    with pid_file(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"
    assert not path.exists()


def test_the_file_of_a_successor_stays(tmp_path):
    path = tmp_path / "pid"
    with pid_file(str(path)):
        path.write_text("4711\n")
    assert path.read_text() == "4711\n"


def test_a_file_that_is_gone_already_is_no_error(tmp_path):
    path = tmp_path / "pid"
    with pid_file(str(path)):
        path.unlink()
    assert not path.exists()


def test_no_path_is_no_file(tmp_path):
    with pid_file(None):
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with (
        pytest.raises(ConfigError, match=r"pid_path is .*/no/such/pid"),
        pid_file(f"{tmp_path}/no/such/pid"),
    ):
        pass
