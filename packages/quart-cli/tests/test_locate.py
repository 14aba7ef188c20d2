"""Command line: forms of --app, and an application that nobody named."""

import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from quart_cli import cli as cli_module
from quart_cli.cli import NoAppException, ScriptInfo, locate_app, prepare_import
from quart_cli.locate import candidates, import_app, split_target
from quart_core import Quart

Write = Callable[[str, str], Path]
APP = "from quart_core import Quart\n{} = Quart('{}')\n"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("app", ("app", None)),
        ("app:shop", ("app", "shop")),
        ("app.py:make('a:b')", ("app.py", "make('a:b')")),
        (r"C:\code\app.py", (r"C:\code\app.py", None)),
        (r"C:\code\app.py:shop", (r"C:\code\app.py", "shop")),
        ("app:", ("app", None)),
    ],
)
def test_a_target_is_a_path_and_a_name(
    target: str, expected: tuple[str, str | None]
) -> None:
    assert split_target(target) == expected


@pytest.mark.parametrize(
    ("path", "name", "root"),
    [
        ("app.py", "app", "."),
        ("app", "app", "."),
        ("package/sub/deep.py", "package.sub.deep", "."),
        ("package/sub/__init__.py", "package.sub", "."),
        ("package", "package", "."),
        ("plain/deep.py", "deep", "plain"),
        ("package.sub", "package.sub", "."),
    ],
)
def test_preparing_an_import_finds_the_root_of_packages(
    folder: Path, write: Write, path: str, name: str, root: str
) -> None:
    write("package/__init__.py", "")
    write("package/sub/__init__.py", "")
    write("plain/deep.py", "")
    assert prepare_import(path) == name
    assert sys.path[0] == str((folder / root).resolve())


@pytest.mark.parametrize(
    "target",
    ["shop", "shop:site", "shop.py", "shop.py:site", "shop:make", "shop:make('shop')"],
)
def test_every_form_of_a_target_loads_the_application(
    write: Write, target: str
) -> None:
    write(
        "shop.py",
        APP.format("site", "shop") + "def make(name='shop'): return Quart(name)\n",
    )
    assert ScriptInfo(target).load_app().name == "shop"


@pytest.mark.parametrize("name", ["app.py", "wsgi.py", "asgi.py", "main.py"])
def test_usual_files_are_found_without_being_named(write: Write, name: str) -> None:
    write(name, APP.format("app", "found"))
    assert ScriptInfo().load_app().name == "found"


def test_a_package_below_src_is_found(write: Write) -> None:
    write("src/shop/__init__.py", APP.format("app", "packaged"))
    assert ScriptInfo().load_app().name == "packaged"


def test_app_py_comes_first(folder: Path, write: Write) -> None:
    for name in ("main.py", "asgi.py", "wsgi.py", "app.py"):
        write(name, APP.format("app", name))
    assert [path.name for path in candidates()] == [
        "app.py",
        "wsgi.py",
        "asgi.py",
        "main.py",
    ]
    assert ScriptInfo().load_app().name == "app.py"


def test_a_main_program_without_quart_is_not_imported(write: Write) -> None:
    write("main.py", "raise SystemExit('ran')\n")
    with pytest.raises(NoAppException, match="No Quart application in this folder"):
        ScriptInfo().load_app()


def test_a_usual_file_without_an_application_gives_way_to_the_next(
    write: Write,
) -> None:
    write("app.py", "number = 3\n")
    write("wsgi.py", APP.format("application", "second"))
    assert ScriptInfo().load_app().name == "second"


@pytest.mark.parametrize("target", ["site", "site/", "site:shop", "./site"])
def test_a_folder_is_enough_of_a_name(write: Write, target: str) -> None:
    write("site/app.py", APP.format("shop", "in the folder"))
    info = ScriptInfo(target)
    info.check()
    assert info.load_app().import_name == "in the folder"


def test_a_module_is_meant_rather_than_the_folder_of_its_name(write: Write) -> None:
    write("shop/app.py", APP.format("app", "in the folder"))
    write("shop.py", APP.format("app", "module"))
    assert ScriptInfo("shop").load_app().import_name == "module"


def test_a_named_folder_without_an_application_says_so(write: Write) -> None:
    write("empty/other.py", "")
    for act in (ScriptInfo("empty").check, ScriptInfo("empty").load_app):
        with pytest.raises(NoAppException, match="in the folder empty: looked for"):
            act()


def test_a_folder_without_an_application_says_what_was_looked_for(
    folder: Path,
) -> None:
    with pytest.raises(NoAppException) as caught:
        ScriptInfo().load_app()
    assert caught.value.format_message() == (
        "No Quart application in this folder: looked for app.py, wsgi.py, asgi.py, "
        "main.py, src/*/__init__.py. Name it with --app or the environment variable "
        "QUART_APP, or start one with: quart new"
    )


def test_a_module_that_is_not_there_gives_none_where_that_is_wanted(
    folder: Path,
) -> None:
    assert locate_app("nowhere_at_all", None, raise_if_not_found=False) is None
    with pytest.raises(NoAppException):
        locate_app("nowhere_at_all", None)
    with pytest.raises(NoAppException):
        locate_app("nowhere_at_all.deep", None)


def test_an_import_that_fails_within_the_module_remains_itself(write: Write) -> None:
    write("shop.py", "import something_not_there\n")
    sys.path.insert(0, ".")
    with pytest.raises(ModuleNotFoundError, match="something_not_there"):
        import_app("shop", None, raise_if_not_found=False)


def test_the_application_is_loaded_once(write: Write) -> None:
    write("app.py", "from quart_core import Quart\ndef create_app(): return Quart('x')")
    info = ScriptInfo("app")
    assert info.load_app() is info.load_app()


@pytest.mark.parametrize(("value", "debug"), [("1", True), ("no", False), ("", False)])
def test_loading_sets_debug_from_the_variable(
    write: Write, monkeypatch: pytest.MonkeyPatch, value: str, debug: bool
) -> None:
    write("app.py", APP.format("app", "a") + f"app.debug = {not debug}\n")
    monkeypatch.setenv("QUART_DEBUG", value)
    assert ScriptInfo("app").load_app().debug is debug


def test_loading_leaves_debug_alone_where_that_is_wanted(write: Write) -> None:
    write("app.py", APP.format("app", "a") + "app.debug = True\n")
    assert ScriptInfo("app", set_debug_flag=False).load_app().debug is True


def test_checking_finds_out_without_importing(write: Write) -> None:
    write("app.py", "raise RuntimeError('imported')\n")
    ScriptInfo().check()
    ScriptInfo("app").check()
    with pytest.raises(NoAppException):
        ScriptInfo("nope").check()


def test_the_import_can_be_replaced_where_tests_of_applications_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = Mock()
    module.app = Quart("mocked")
    monkeypatch.setattr(cli_module, "import_module", lambda _: module)
    assert ScriptInfo("module:app").load_app() is module.app


def test_an_import_that_fails_inside_the_module_is_no_application(
    folder: Path, write: Write
) -> None:
    write("broken.py", "import no_such_module_at_all")
    with pytest.raises(NoAppException, match="While importing 'broken'") as raised:
        locate_app(prepare_import("broken"), None)
    assert "no_such_module_at_all" in str(raised.value)
    assert isinstance(raised.value.__cause__, ImportError)
