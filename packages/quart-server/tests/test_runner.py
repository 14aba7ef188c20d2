import sys

import pytest
from quart_server import runner
from quart_server.config import Config, ConfigError
from quart_server.runner import run


@pytest.fixture(autouse=True)
def without_handlers(monkeypatch):
    """Leave the test run's loggers as they are."""
    monkeypatch.setattr(runner, "set_up_loggers", lambda _: None)


async def app(scope, receive, send):
    """Never called."""


@pytest.mark.parametrize(
    "settings",
    [{"workers": 2}, {"supervisor": "on"}, {"limit_max_requests": 10}],
)
def test_worker_processes_need_the_app_by_name(settings):
    with pytest.raises(ConfigError, match="pass it as 'module:attribute'"):
        run(app, bind="127.0.0.1:0", **settings)


def test_on_windows_several_workers_are_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ConfigError, match="one server per port"):
        run("module:app", workers=2, bind="127.0.0.1:0")


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'workers'"):
        run(app, worker=2)


def test_settings_win_over_the_config_and_bad_files_are_found_first(tmp_path):
    config = Config(bind="127.0.0.1:0")
    with pytest.raises(ConfigError, match=r"cert\.pem"):
        run("module:app", config, certfile=str(tmp_path / "cert.pem"))


def test_an_exit_code_ends_the_program(monkeypatch):
    monkeypatch.setattr(runner, "run_server", lambda *_, **__: 3)
    with pytest.raises(SystemExit) as caught:
        run("module:app")
    assert caught.value.code == 3
    monkeypatch.setattr(runner, "run_server", lambda *_, **__: 0)
    assert run("module:app") is None
