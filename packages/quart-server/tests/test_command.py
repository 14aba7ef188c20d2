import re
import signal

import pytest
from quart_server import __version__, command
from quart_server.binds import BindError
from quart_server.command import main
from quart_server.config import Config, ConfigError
from quart_server.importer import AppImportError


@pytest.fixture(autouse=True)
def signals_of_the_test_run():
    """Give the test run its handlers back."""
    numbers = [signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def served(monkeypatch):
    """Collect what would be served."""
    calls = []

    def run_server(app, config, **arguments):
        calls.append((app, config, arguments))
        return 0

    monkeypatch.setattr(command, "run_server", run_server)
    return calls


def refuse(capsys, *arguments):
    """Run a command that ends with a usage error; return its one line."""
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_app_and_its_settings_are_served(served):
    arguments = ["-b", "127.0.0.1:1", "--bind", "[::1]:2", "-w", "3", "site:app"]
    assert main([*arguments, "--factory", "--app-dir", "src"]) == 0
    ((app, config, others),) = served
    assert app == "site:app"
    assert config == Config(bind=["127.0.0.1:1", "[::1]:2"], workers=3)
    assert others == {"factory": True, "app_dir": "src"}


def test_every_setting_is_an_option(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in Config.options():
        assert f"--{name.replace('_', '-')}" in text
    assert max(map(len, text.splitlines())) <= 88


def test_settings_of_every_kind_are_read(served):
    main(
        [
            "site:app",
            "--no-access-log",
            "--http2",
            "--http=h11",
            "--graceful-timeout=2.5",
            "--max-head-size=64KiB",
            "--unix-socket-mode=600",
            "--limit-max-requests=none",
            "--headers=X-A: 1",
            "--headers",
            "X-B: 2",
        ]
    )
    config = served[0][1]
    assert config == Config(
        access_log=False,
        http="h11",
        graceful_timeout=2.5,
        max_head_size=65536,
        unix_socket_mode=0o600,
        headers=[("X-A", "1"), ("X-B", "2")],
    )


def test_options_win_over_variables_and_those_over_the_file(
    served, tmp_path, monkeypatch
):
    file = tmp_path / "server.toml"
    file.write_text("workers = 2\nbacklog = 2\nlog_level = 'debug'\n")
    monkeypatch.setenv("QUART_SERVER_WORKERS", "3")
    monkeypatch.setenv("QUART_SERVER_BACKLOG", "3")
    main(["--config", str(file), "--workers", "4", "site:app"])
    config = served[0][1]
    assert (config.workers, config.backlog, config.log_level) == (4, 3, "debug")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: module:app"),
        (["a:b", "--workers", "0"], "workers is 0, expected a whole number"),
        (["a:b", "--workers", "two"], "workers is 'two', expected a whole number"),
        (["a:b", "--http", "h3"], "http is 'h3', expected one of 'auto', 'h11'"),
        (["a:b", "--worker", "2"], "no option --worker, did you mean --workers"),
        (["a:b", "--nonsense-xyz"], "there is no option --nonsense-xyz (--help"),
        (["a:b", "c:d"], "there is one app to serve, what is 'c:d'?"),
        (["a:b", "--keyfile", "k"], "keyfile is set without certfile"),
        (["a:b", "-c", "/no/such.toml"], "Cannot read settings from /no/such.toml"),
    ],
)
def test_each_mistake_is_one_clear_line(capsys, served, arguments, message):
    line = refuse(capsys, *arguments)
    assert line.startswith("quart-server: ")
    assert message in line
    assert served == []


def test_a_bad_variable_is_one_clear_line(capsys, monkeypatch, served):
    monkeypatch.setenv("QUART_SERVER_WORKRES", "2")
    assert "did you mean 'workers'" in refuse(capsys, "a:b")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("workers", "bad"), 2),
        (BindError("Port 80 is in use"), 1),
        (AppImportError("no such module"), 3),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(monkeypatch, capsys, error, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(command, "run_server", fail)
    assert main(["a:b"]) == code
    assert capsys.readouterr().err == f"quart-server: {error}\n"


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert re.match(rf"quart-server {re.escape(__version__)} ", capsys.readouterr().out)
