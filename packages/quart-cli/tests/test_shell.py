"""Command line: the shell."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from quart_cli.cli import QuartGroup
from quart_core import Quart

Write = Callable[[str, str], Path]


@pytest.fixture
def app() -> Quart:
    app = Quart("shop")

    @app.get("/")
    async def index() -> str:
        return "page"

    return app


def type_in(app: Quart, *lines: str) -> str:
    group = QuartGroup(create_app=lambda: app)
    result = CliRunner().invoke(group, ["shell"], input="\n".join([*lines, ""]))
    assert result.exit_code == 0, result.exception
    output: str = result.output
    return output


def test_await_works_at_the_top(app: Quart) -> None:
    output = type_in(
        app,
        "response = await client.get('/')",
        "response.status_code, await response.get_data(as_text=True)",
    )
    assert "(200, 'page')" in output


def test_statements_that_await_share_a_loop(app: Quart) -> None:
    output = type_in(
        app,
        "loop = asyncio.get_running_loop() if await asyncio.sleep(0, True) else None",
        "async def same(): return asyncio.get_running_loop() is loop",
        "",
        "await same()",
    )
    assert "True" in output


def test_the_application_is_current(app: Quart) -> None:
    output = type_in(
        app,
        "from quart_core import current_app",
        "current_app.name, app.name, g.get('x')",
        "g.x = 3",
        "await asyncio.sleep(0, g.x)",
    )
    assert "('shop', 'shop', None)" in output
    assert ">>> 3\n" in output


def test_names_of_the_application_are_added_and_win(app: Quart) -> None:
    app.shell_context_processor(lambda: {"answer": 42, "client": "mine"})
    assert "(42, 'mine')" in type_in(app, "answer, client")


def test_an_exception_is_shown_and_the_shell_goes_on(app: Quart) -> None:
    output = type_in(app, "await asyncio.sleep(0, 1 / 0)", "1 +", "'still ' + 'here'")
    assert "ZeroDivisionError" in output
    assert "SyntaxError" in output
    assert "'still here'" in output


def test_the_startup_file_runs_first(
    app: Quart, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("startup.py", "answer = app.name * 2\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(path))
    assert "'shopshop'" in type_in(app, "answer")


def test_the_banner_names_the_application(app: Quart) -> None:
    output = type_in(app)
    assert "App: shop\n" in output
    assert "Instance: " in output
    assert 'await works, also: await client.get("/")' in output
