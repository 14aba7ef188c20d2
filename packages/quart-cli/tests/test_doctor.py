"""What the doctor finds."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from quart_cli import doctor
from quart_cli.cli import ScriptInfo, cli
from quart_core import Quart

Write = Callable[[str, str], Path]


def found(app: Quart, subject: str) -> list[tuple[str, str]]:
    info = ScriptInfo(create_app=lambda: app)
    return [(f.level, f.text) for f in doctor.findings(info) if f.subject == subject]


@pytest.fixture
def app() -> Quart:
    return Quart("shop")


def test_a_new_secret_is_printed_alone(folder: Path) -> None:
    first, second = (CliRunner().invoke(cli, ["doctor", "--secret"]) for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{64}\n", first.output)
    assert first.output != second.output


@pytest.mark.parametrize(
    ("key", "level"),
    [
        (None, "note"),
        ("dev", "problem"),
        ("changeme", "problem"),
        (b"short", "problem"),
        ("f" * 64, "ok"),
    ],
)
def test_the_secret_key_is_judged_and_never_printed(
    app: Quart, key: str | None, level: str
) -> None:
    app.secret_key = key
    ((judged, text),) = found(app, "secret")
    assert judged == level
    assert level == "ok" or "quart doctor --secret" in text
    assert not key or str(key) not in text


def test_a_wrong_finding_makes_the_status_1(write: Write) -> None:
    write("app.py", "from quart_core import Quart\napp = Quart('x')\n"
          "app.secret_key = 'dev'\n")  # fmt: skip
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert "WRONG secret" in result.output


def test_a_folder_without_application_is_no_mistake(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 0
    assert "note  app        No Quart application in this folder" in result.output


def test_an_application_that_fails_is_shown(write: Write) -> None:
    write("app.py", "import something_not_there\n")
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert "app.py:1 in <module>" in result.output


def test_missing_extras_have_their_command(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    texts = [text for _, text in found(app, "extra")]
    assert (
        "no uvloop, for a faster event loop: pip install 'quart-server[fast]'" in texts
    )


def test_settings_that_differ_are_named(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config.update(MAX_CONTENT_LENGTH=None, MINE=1)
    monkeypatch.setenv("QUART_DEBUG", "1")
    texts = " ".join(text for _, text in found(app, "settings"))
    assert "changed: MAX_CONTENT_LENGTH, MINE" in texts
    assert "debug mode is on" in texts
    assert "bodies have no limit" in texts


def test_cookies_that_browsers_drop_are_wrong(app: Quart) -> None:
    app.secret_key = "f" * 32
    app.config["SESSION_COOKIE_SAMESITE"] = "None"
    assert [level for level, _ in found(app, "cookies")] == ["problem"]
    app.config["SESSION_COOKIE_SECURE"] = True
    assert found(app, "cookies") == []


def test_the_variables_of_flask_are_pointed_out(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_APP", "x")
    assert ("note", "FLASK_APP has no effect here: use QUART_APP") in found(
        app, "variables"
    )


def test_trusted_proxies_are_named(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(app, "proxy")[0][0] == "note"
    monkeypatch.setenv("QUART_SERVER_TRUSTED_PROXIES", "10.0.0.1")
    assert found(app, "proxy") == [("ok", "headers are believed from 10.0.0.1")]
