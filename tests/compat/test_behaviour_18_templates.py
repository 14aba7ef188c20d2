"""Templates: the rows of what rendering, environment and lookup do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, TemplateNotFound, TemplatesNotFound
from quart import (
    Blueprint,
    Quart,
    g,
    get_template_attribute,
    render_template,
    render_template_string,
    request,
    session,
    stream_template,
    stream_template_string,
)


def make_app(**files: str) -> Quart:
    app = Quart("templates")
    app.secret_key = "key"
    loader = DictLoader({name.replace("_", "."): text for name, text in files.items()})
    app.jinja_loader = loader
    return app


async def test_rendering_by_name_list_and_string() -> None:
    app = make_app(a_html="a{{ x }}")
    async with app.app_context():
        assert await render_template("a.html", x=1) == "a1"
        assert await render_template(["none.html", "a.html"], x=2) == "a2"
        assert await render_template_string("s{{ x }}", x=3) == "s3"
        with pytest.raises(TemplateNotFound):
            await render_template("none.html")
        with pytest.raises(TemplatesNotFound):
            await render_template(["none.html", "nothing.html"])


async def test_streaming_keeps_the_request() -> None:
    app = make_app(a_html="{% for n in range(2) %}{{ request.path }}{% endfor %}")

    @app.get("/name")
    async def by_name() -> Any:
        return await stream_template("a.html")

    @app.get("/string")
    async def by_string() -> Any:
        return await stream_template_string("{{ request.path }}")

    client = app.test_client()
    assert (await client.get("/name")).text == "/name/name"
    assert (await client.get("/string")).text == "/string"


async def test_awaitables_and_async_iterables() -> None:
    async def value() -> str:
        await asyncio.sleep(0)
        return "v"

    async def values() -> AsyncIterator[str]:
        yield "w"

    app = make_app()
    assert app.jinja_env.is_async
    source = "{{ value() }}{% for x in values() %}{{ x }}{% endfor %}"
    async with app.app_context():
        text = await render_template_string(source, value=value, values=values)
    assert text == "vw"


async def test_context_processors_in_order_and_given_values_win() -> None:
    app = make_app()
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @app.context_processor
    def of_app() -> dict[str, str]:
        return {"a": "app", "b": "app", "c": "app", "d": "app"}

    @outer.context_processor
    async def of_outer() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"b": "outer", "c": "outer", "d": "outer"}

    @inner.context_processor
    def of_inner() -> dict[str, str]:
        return {"c": "inner", "d": "inner"}

    @inner.get("/")
    async def index() -> str:
        return await render_template_string("{{ a }} {{ b }} {{ c }} {{ d }}", d="own")

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (await app.test_client().get("/")).text == "app outer inner own"


async def test_the_default_processor_gives_g_request_and_session() -> None:
    app = make_app()
    async with app.test_request_context("/here"):
        g.x, session["y"] = 1, 2
        source = "{{ g.x }}{{ request.path }}{{ session.y }}"
        assert await render_template_string(source) == f"1{request.path}2"


async def test_globals() -> None:
    app = make_app()
    assert {"config", "g", "get_flashed_messages", "request", "session", "url_for"} <= (
        app.jinja_env.globals.keys()
    )


async def test_filters_tests_and_globals_also_async() -> None:
    app = make_app()

    @app.template_filter("twice")
    async def double(value: str) -> str:
        await asyncio.sleep(0)
        return value * 2

    @app.template_test()
    def odd_one(value: int) -> bool:
        return value % 2 == 1

    @app.template_global
    async def now() -> str:
        return "now"

    app.add_template_filter(str.upper, "loud")
    app.add_template_test(str.isdigit, "digits")
    app.add_template_global(lambda: "g", "given")
    source = (
        "{{ 'a'|twice }}{{ 'b'|loud }}{{ now() }}{{ given() }}"
        "{{ 1 is odd_one }}{{ '1' is digits }}"
    )
    async with app.app_context():
        assert await render_template_string(source) == "aaBnowgTrueTrue"


@pytest.mark.parametrize(
    ("name", "escapes"),
    [
        ("a.html", True), ("a.HTM", True), ("a.xml", True), ("a.xhtml", True),
        ("a.svg", True), (None, True), ("a.txt", False), ("a.js", False),
    ],
)  # fmt: skip
async def test_autoescape(name: str | None, escapes: bool) -> None:
    app = make_app()
    assert app.select_jinja_autoescape(name) is escapes


async def test_lookup_prefers_the_app(tmp_path: Path) -> None:
    for owner in ("app", "blueprint"):
        (tmp_path / owner).mkdir()
        (tmp_path / owner / "both.html").write_text(owner)
    (tmp_path / "blueprint" / "own.html").write_text("own")
    app = Quart("lookup", root_path=str(tmp_path), template_folder="app")
    app.register_blueprint(
        Blueprint("b", __name__, root_path=str(tmp_path), template_folder="blueprint")
    )
    async with app.app_context():
        assert await render_template("both.html") == "app"
        assert await render_template("own.html") == "own"


async def test_the_loader_of_an_app_or_blueprint_can_be_replaced(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.html").write_text("from the folder")
    app = Quart("loaders", root_path=str(tmp_path), template_folder=".")
    given: Any = app.jinja_loader
    app.jinja_loader = ChoiceLoader([given, DictLoader({"b.html": "from the app"})])
    blueprint = Blueprint("blueprint", __name__)
    blueprint.jinja_loader = DictLoader({"c.html": "from the blueprint"})
    app.register_blueprint(blueprint)
    async with app.app_context():
        for name, text in (("a", "folder"), ("b", "app"), ("c", "blueprint")):
            assert await render_template(f"{name}.html") == f"from the {text}"


def test_what_can_be_overridden() -> None:
    class Own(Quart):
        jinja_options = {"trim_blocks": True}

        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return False

        def create_global_jinja_loader(self) -> Any:
            return DictLoader({"own": "x"})

        def create_jinja_environment(self) -> Any:
            environment = super().create_jinja_environment()
            environment.globals["made"] = True
            return environment

    app = Own("own")
    environment: Any = app.jinja_env
    assert environment.trim_blocks
    assert environment.autoescape("a.html") is False
    assert environment.list_templates() == ["own"]
    assert environment.globals["made"] is True


@pytest.mark.parametrize(
    ("setting", "debug", "reloads"),
    [(None, False, False), (None, True, True), (True, False, True)],
)
def test_auto_reload(setting: bool | None, debug: bool, reloads: bool) -> None:
    app = make_app()
    app.config["TEMPLATES_AUTO_RELOAD"] = setting
    app.debug = debug
    assert app.jinja_env.auto_reload is reloads


async def test_get_template_attribute_works() -> None:
    app = make_app(macros_html="{% macro hello(name) %}hello {{ name }}{% endmacro %}")
    async with app.app_context():
        hello = get_template_attribute("macros.html", "hello")
        assert hello("Ann") == "hello Ann"
