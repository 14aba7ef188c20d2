"""Folders of an app: static files, resources, the instance folder, names."""

from __future__ import annotations

import sys
import types
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Blueprint, Quart


def app_in(folder: Path, **options: Any) -> Quart:
    """Return an app whose root path is the folder, with a static file."""
    static = folder / options.get("static_folder", "static")
    static.mkdir(exist_ok=True)
    (static / "a.txt").write_text("content")
    return Quart(__name__, root_path=folder, **options)


async def test_static_files_are_below_the_folders_name(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    answer = await Driver(app).get("/static/a.txt")
    assert answer.text == "content"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "max-age=43200" in answer.headers["Cache-Control"]


async def test_the_view_of_static_files_is_the_method_that_a_class_overrides(
    tmp_path: Path,
) -> None:
    """Extensions mark ``app.send_static_file.__func__``, and read it off the view."""

    class Files(Quart):
        async def send_static_file(self, filename: str) -> Any:
            return await super().send_static_file(f"{filename}.txt")

    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("content")
    app = Files(__name__, root_path=tmp_path)
    app.send_static_file.__func__._marked = True  # type: ignore[attr-defined]
    assert app.view_functions["static"]._marked
    assert (await Driver(app).get("/static/a")).text == "content"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_static_files_answer_three_methods(tmp_path: Path, method: str) -> None:
    answer = await Driver(app_in(tmp_path))(method, "/static/a.txt")
    assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/static/none.txt", "/static/", "/static/../a.txt", "/static/%2e%2e/a"]
)
async def test_what_is_not_in_the_folder_is_not_found(
    tmp_path: Path, path: str
) -> None:
    assert (await Driver(app_in(tmp_path)).get(path)).status == 404


async def test_folder_and_url_can_be_chosen(tmp_path: Path) -> None:
    app = app_in(tmp_path, static_folder="files")
    assert (await Driver(app).get("/files/a.txt")).status == 200
    app = app_in(tmp_path, static_folder="files", static_url_path="/assets/")
    assert (await Driver(app).get("/assets/a.txt")).status == 200
    app = app_in(tmp_path, static_url_path="")
    assert (await Driver(app).get("/a.txt")).status == 200


async def test_without_a_static_folder_there_is_no_rule() -> None:
    app = Quart(__name__, static_folder=None)
    assert not app.has_static_folder
    assert app.static_folder is None
    assert app.static_url_path is None
    assert list(app.url_map.iter_rules()) == []
    async with app.app_context():
        with pytest.raises(RuntimeError, match="no static folder"):
            await app.send_static_file("a.txt")


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), (60, 60), (timedelta(hours=1), 3600)]
)
async def test_the_age_of_sent_files_is_configured(value: Any, seconds: Any) -> None:
    app = Quart(__name__)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = value
    async with app.app_context():
        assert app.get_send_file_max_age("a.txt") == seconds


# open_resource and open_instance_resource


async def test_a_resource_is_read_as_bytes_or_text(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("zwölf\nlines", encoding="utf-8")
    app = Quart(__name__, root_path=tmp_path)
    async with await app.open_resource("data.txt") as file:
        assert await file.read() == "zwölf\nlines".encode()
    async with await app.open_resource("data.txt", "r") as file:
        assert [line async for line in file] == ["zwölf\n", "lines"]
    async with await app.open_resource(resource="data.txt", mode="rt") as file:
        assert await file.readlines() == ["zwölf\n", "lines"]
    file = await (await app.open_resource("data.txt"))
    assert await file.read(3) == b"zw\xc3"
    await file.close()
    assert file.closed


async def test_a_resource_is_not_written(tmp_path: Path) -> None:
    app = Quart(__name__, root_path=tmp_path)
    for mode in ("w", "a", "rb+", "x"):
        with pytest.raises(ValueError, match="only read"):
            await app.open_resource("data.txt", mode)
    blueprint = Blueprint("bp", __name__, root_path=tmp_path)
    with pytest.raises(ValueError, match="only read"):
        await blueprint.open_resource("data.txt", "w")


async def test_an_instance_resource_may_be_written(tmp_path: Path) -> None:
    app = Quart(__name__, instance_path=str(tmp_path))
    async with await app.open_instance_resource("state.txt", "w") as file:
        await file.write("zwölf")
    assert (tmp_path / "state.txt").read_text(encoding="utf-8") == "zwölf"
    async with await app.open_instance_resource("state.txt") as file:
        assert await file.read() == "zwölf".encode()


# Names and paths


def test_the_name_of_a_program_is_that_of_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    main = types.ModuleType("__main__")
    main.__file__ = "/somewhere/program.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    app = Quart("__main__", root_path="/somewhere")
    assert app.name == "program"
    assert Quart("some.module", root_path="/somewhere").name == "some.module"


def test_configuration_may_be_relative_to_the_instance(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("COLOUR = 'red'")
    app = Quart(__name__, instance_path=str(tmp_path), instance_relative_config=True)
    app.config.from_pyfile("settings.py")
    assert app.config["COLOUR"] == "red"


def test_debug_starts_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in (("1", True), ("0", False), ("no", False), ("", False)):
        monkeypatch.setenv("QUART_DEBUG", value)
        assert Quart(__name__).debug is expected


def test_the_default_configuration() -> None:
    config = Quart(__name__).config
    assert config["APPLICATION_ROOT"] == "/"
    assert config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] == 5
    assert config["BODY_TIMEOUT"] == 60
    assert config["MAX_CONTENT_LENGTH"] == 16 * 1024 * 1024
    assert config["MAX_COOKIE_SIZE"] == 4093
    assert config["MAX_FORM_MEMORY_SIZE"] == 500_000
    assert config["MAX_FORM_PARTS"] == 1000
    assert config["PERMANENT_SESSION_LIFETIME"] == timedelta(days=31)
    assert config["PROVIDE_AUTOMATIC_OPTIONS"] is True
    assert config["RESPONSE_TIMEOUT"] == 60
    assert config["SEND_FILE_MAX_AGE_DEFAULT"] == timedelta(hours=12)
    assert config["SESSION_COOKIE_NAME"] == "session"
    assert config["SESSION_COOKIE_HTTPONLY"] is True
    assert config["SESSION_REFRESH_EACH_REQUEST"] is True
    nones = {
        "PRESERVE_CONTEXT_ON_EXCEPTION",
        "PROPAGATE_EXCEPTIONS",
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "SERVER_NAME",
        "SESSION_COOKIE_DOMAIN",
        "SESSION_COOKIE_PATH",
        "SESSION_COOKIE_SAMESITE",
        "TEMPLATES_AUTO_RELOAD",
        "TRAP_BAD_REQUEST_ERRORS",
        "TRUSTED_HOSTS",
    }
    assert {key for key in nones if config[key] is not None} == set()


async def test_automatic_options_can_be_switched_off() -> None:
    app = Quart(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    @app.get("/off")
    async def off() -> str:
        return ""

    async def on() -> str:
        return ""

    app.add_url_rule("/on", view_func=on, provide_automatic_options=True)
    driver = Driver(app)
    assert (await driver("OPTIONS", "/off")).status == 405
    answer = await driver("OPTIONS", "/on")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_attributes_of_a_view_add_methods() -> None:
    app = Quart(__name__)

    async def view() -> str:
        return ""

    view.methods = ["PUT"]  # type: ignore[attr-defined]
    view.required_methods = ["PATCH"]  # type: ignore[attr-defined]
    view.provide_automatic_options = False  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view)
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "view")
    assert rule.methods == {"PATCH", "PUT"}


async def test_an_endpoint_may_get_its_view_later() -> None:
    app = Quart(__name__)
    app.add_url_rule("/", "later")

    @app.endpoint("later")
    async def view() -> str:
        return "there now"

    assert (await Driver(app).get("/")).text == "there now"


def test_filters_tests_and_globals_wait_for_the_environment() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)

    @app.template_filter
    def bare(value: str) -> str:
        return value

    @app.template_filter()
    def called(value: str) -> str:
        return value

    @app.template_filter("other")
    def renamed(value: str) -> str:
        return value

    @app.template_test
    def even(value: int) -> bool:
        return value % 2 == 0

    @app.template_global("now")
    def clock() -> int:
        return 0

    @blueprint.app_template_filter("from_blueprint")
    def theirs(value: str) -> str:
        return value

    @blueprint.app_template_test
    def their_test(value: str) -> bool:
        return True

    @blueprint.app_template_global()
    def their_global() -> int:
        return 0

    app.register_blueprint(blueprint)
    assert app._template_filters == {
        "bare": bare,
        "called": called,
        "other": renamed,
        "from_blueprint": theirs,
    }
    assert app._template_tests == {"even": even, "their_test": their_test}
    assert app._template_globals == {"now": clock, "their_global": their_global}


async def test_shell_context_processors_add_names() -> None:
    app = Quart(__name__)

    @app.shell_context_processor
    def names() -> dict[str, Any]:
        return {"answer": 42}

    async with app.app_context():
        context = app.make_shell_context()
    assert context["answer"] == 42
    assert context["app"] is app
    assert "g" in context
