"""What the package offers, and what it says where a part is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import quart_testing


def test_every_name_is_there() -> None:
    for name in quart_testing._HOMES:
        if name != "QuartCliRunner":
            assert getattr(quart_testing, name) is not None
    assert set(quart_testing.__all__) == set(quart_testing._HOMES) - {"QuartCliRunner"}
    assert set(quart_testing._HOMES) <= set(dir(quart_testing))


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(quart_testing.__file__).read_text())
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {
        alias.asname or alias.name
        for node in ast.walk(checked)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert names == set(quart_testing._HOMES)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        quart_testing.nothing  # noqa: B018


HIDE = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
"""


def _run(source: str, hide: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", HIDE.format(name=hide) + source],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout + done.stderr


def test_without_click_the_runner_says_what_to_install() -> None:
    output = _run(
        "from quart_core import Quart\n"
        "app = Quart('app')\n"
        "app.test_client()\n"
        "app.test_cli_runner()\n",
        hide="click",
    )

    assert "needs quart-cli, which is not installed: run 'pip install" in output


def test_without_the_server_the_live_server_says_what_to_install() -> None:
    output = _run(
        "from quart_core import Quart\n"
        "from quart_testing import LiveServer\n"
        "LiveServer(Quart('app')).start()\n",
        hide="quart_server",
    )

    assert "LiveServer needs quart-server, which is not installed" in output


def test_the_client_imports_no_optional_package() -> None:
    output = _run(
        "import sys\n"
        "from quart_core import Quart\n"
        "Quart('app').test_client()\n"
        "parts = ('click', 'jinja2', 'quart_ws', 'quart_server', 'pytest')\n"
        "print([name for name in parts if name in sys.modules])\n"
    )

    assert output == "[]\n"
