"""The facade: every import path, made of the packages below it."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import quart
import quart_contexts
import quart_core

LEAVES = {
    "app": "quart_core.app",
    "asgi": "quart_core.asgi",
    "blueprints": "quart_core.blueprints",
    "cli": "quart_cli.cli",
    "config": "quart_core.config",
    "ctx": "quart_contexts.ctx",
    "datastructures": "quart_core.datastructures",
    "formparser": "quart_core.formparser",
    "globals": "quart_contexts.globals",
    "helpers": "quart_core.helpers",
    "json.provider": "quart_core.json.provider",
    "json.tag": "quart_core.json.tag",
    "logging": "quart_core.logging",
    "routing": "quart_routing.routing",
    "scaffold": "quart_core.scaffold",
    "sessions": "quart_core.sessions",
    "signals": "quart_core.signals",
    "templating": "quart_templating.templating",
    "testing.app": "quart_testing.app",
    "testing.client": "quart_testing.client",
    "testing.connections": "quart_testing.connections",
    "testing.utils": "quart_testing.utils",
    "typing": "quart_core.typing",
    "utils": "quart_core.utils",
    "views": "quart_core.views",
    "wrappers.base": "quart_core.wrappers.base",
    "wrappers.request": "quart_core.wrappers.request",
    "wrappers.response": "quart_core.wrappers.response",
    "wrappers.websocket": "quart_ws.websocket",
}
PACKAGES = ("debug", "json", "testing", "wrappers")


@pytest.mark.parametrize(("leaf", "implementation"), LEAVES.items())
def test_a_leaf_is_the_implementation_itself(leaf: str, implementation: str) -> None:
    module = importlib.import_module(f"quart.{leaf}")
    assert module is importlib.import_module(implementation)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_its_own_module(name: str) -> None:
    module = importlib.import_module(f"quart.{name}")
    assert module.__name__ == f"quart.{name}"
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_every_public_name_is_there() -> None:
    for name in quart.__all__:
        assert name in dir(quart)
        getattr(quart, name)
    assert list(quart.__all__) == sorted(set(quart.__all__))


def test_names_are_those_of_the_packages() -> None:
    assert quart.Quart is quart_core.Quart
    assert quart.request is quart_contexts.request
    assert quart.current_app is quart_contexts.current_app


def test_import_quart_is_enough_for_every_submodule() -> None:
    package = Path(quart.__file__).parent
    names = {path.stem for path in package.iterdir() if path.suffix in {"", ".py"}}
    public = {name for name in names if not name.startswith(("_", "py."))}
    source = (
        "import quart, sys\n"
        f"for name in {sorted(public)!r}:\n"
        "    assert getattr(quart, name) is sys.modules['quart.' + name], name\n"
        "print(quart.json.dumps({'a': 1}))"
    )
    command = [sys.executable, "-c", source]
    assert subprocess.check_output(command, text=True) == '{"a": 1}\n'


def test_import_quart_is_enough_for_submodules_of_submodules() -> None:
    package = Path(quart.__file__).parent
    names = sorted(
        f"{path.parent.name}.{path.stem}"
        for path in package.glob("*/*.py")
        if not path.stem.startswith("_")
    )
    assert "wrappers.request" in names
    source = (
        "import operator, quart, sys\n"
        f"for name in {names!r}:\n"
        "    module = operator.attrgetter(name)(quart)\n"
        "    assert module is sys.modules['quart.' + name], name\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    for module in (quart.json, quart.testing, quart.wrappers):
        with pytest.raises(AttributeError, match="'nothing'"):
            _ = module.nothing  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = quart.nothing


def test_what_is_lazy_is_what_type_checkers_read() -> None:
    tree = ast.parse(Path(quart.__file__).read_text(encoding="utf-8"))
    guarded = [
        statement
        for node in tree.body
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
    ]
    read = {
        alias.name: statement.module
        for statement in guarded
        for alias in statement.names
    }
    submodules = {name for name, module in read.items() if module is None}
    assert submodules == quart._SUBMODULES
    assert {name: read[name] for name in read if name not in submodules} == quart._LAZY


def test_importing_it_imports_neither_templates_nor_server_nor_commands() -> None:
    program = (
        "import sys, quart\n"
        "heavy = {'jinja2', 'click', 'h11', 'h2', 'wsproto', 'quart_server'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert result.stdout == "[]\n"


def test_patches_of_the_old_path_reach_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    monkeypatch.setattr("quart.helpers.url_for", lambda endpoint: "patched")
    assert quart_core.helpers.url_for("x") == "patched"


def test_the_versions_are_those_of_the_metadata() -> None:
    for name in (
        "quart",
        "quart-cli",
        "quart-contexts",
        "quart-core",
        "quart-routing",
        "quart-server",
        "quart-templating",
        "quart-testing",
        "quart-ws",
    ):
        module = importlib.import_module(name.replace("-", "_"))
        assert module.__version__ == version(name)


def test_the_version_is_one_that_extensions_accept() -> None:
    major, minor, _ = (int(part) for part in version("quart").split("."))
    assert (major, minor) >= (0, 20)
