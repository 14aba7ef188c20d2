"""Templates: rendering, context, filters, loading, streaming, fragments.

The rows of the table "Templates".
"""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateNotFound, TemplatesNotFound, UndefinedError
from markupsafe import Markup
from quart_core import Blueprint, Quart, g, session
from quart_core.helpers import flash, get_template_attribute
from quart_core.signals import before_render_template, template_rendered
from quart_templating import (
    Environment,
    render_fragment,
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)

# Rendering


async def test_a_template_is_rendered_by_name(make_app: Any) -> None:
    app = make_app(page_html="Hello, {{ name }}!")
    async with app.app_context():
        assert await render_template("page.html", name="<Ada>") == "Hello, &lt;Ada&gt;!"


async def test_the_first_of_several_names_that_exists_is_taken(make_app: Any) -> None:
    app = make_app(second_html="second", third_html="third")
    async with app.app_context():
        text = await render_template(["first.html", "second.html", "third.html"])
        assert text == "second"


async def test_a_string_is_rendered_and_escaped(make_app: Any) -> None:
    async with make_app().app_context():
        assert await render_template_string("{{ x }}", x="<") == "&lt;"


@pytest.mark.parametrize(
    ("name", "escapes"),
    [
        ("a.html", True),
        ("a.htm", True),
        ("a.xml", True),
        ("a.xhtml", True),
        ("a.svg", True),
        ("a.HTML", True),
        ("a.txt", False),
        ("a.js", False),
    ],
)
async def test_the_name_decides_about_escaping(
    tmp_path: Path, make_app: Any, name: str, escapes: bool
) -> None:
    app = make_app()
    (tmp_path / "templates" / name).write_text("{{ x }}")
    async with app.app_context():
        expected = "&lt;" if escapes else "<"
        assert await render_template(name, x="<") == expected


async def test_plain_code_puts_out_what_jinja_does(make_app: Any) -> None:
    class Html:
        def __html__(self) -> str:
            return "<b>"

        def __str__(self) -> str:
            return "<i>"

    class Text(str):
        """A str of its own class."""

    source = (
        "{{ v }}|{{ v|safe }}|{{ [v, v]|join('<') }}|{% set x %}{{ v }}{% endset %}"
        "{{ x }}|{% macro m(y) %}<{{ y }}>{{ caller() }}{% endmacro %}"
        "{% call m(v) %}{{ v }}{% endcall %}|{{ v ~ '<' }}|{{ o.v }}|{{ o['v'] }}"
        "|{{ o.missing }}|{% autoescape false %}{{ v }}{% endautoescape %}"
    )
    app = make_app(page_html=source)
    environment = app.jinja_env
    for value in (
        "<&\"'>",
        1,
        1.5,
        None,
        True,
        Html(),
        Text("<"),
        ["<"],
        b"<",
        Markup("<"),
    ):
        context = {"v": value, "o": {"v": value}}
        async with app.app_context():
            plain = await render_template("page.html", **context)
            template = environment.get_template("page.html")
            assert plain == await template.render_async(context)


# What is awaited

AWAITING = {
    "call": "{{ function() }}",
    "attribute": "{{ thing.prop }}",
    "item": "{{ thing.items_['key']() }}",
    "method": "{{ thing.method() }}",
    "filter": "{{ 1 | slow }}",
    "test": "{{ 1 is odd_one }}",
    "loop over a call": "{% for x in many() %}{{ x }}{% endfor %}",
    "loop over a value": "{% for x in iterable %}{{ x }}{% endfor %}",
    "loop over an attribute": "{% for x in thing.iterable %}{{ x }}{% endfor %}",
    "loop in a macro": "{% macro m() %}{{ function() }}{% endmacro %}{{ m() }}",
    "condition": "{% if function() == 'awaited' %}yes{% endif %}",
}
EXPECTED = {"test": "True", "condition": "yes"} | dict.fromkeys(
    ["loop over a call", "loop over a value", "loop over an attribute"], "012"
)


class Thing:
    """Has something to await in every form."""

    @property
    async def prop(self) -> str:
        return "awaited"

    async def method(self) -> str:
        return "awaited"

    @property
    def items_(self) -> dict[str, Any]:
        return {"key": self.method}

    @property
    def iterable(self) -> AsyncIterator[int]:
        return numbers()


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(0)
        yield number


async def function() -> str:
    await asyncio.sleep(0)
    return "awaited"


@pytest.mark.parametrize("form", AWAITING)
async def test_whatever_is_awaitable_is_awaited(make_app: Any, form: str) -> None:
    app = make_app(page_html=AWAITING[form])

    @app.template_filter
    async def slow(value: int) -> str:
        return await function()

    @app.template_test
    async def odd_one(value: int) -> bool:
        await function()
        return value % 2 == 1

    async with app.app_context():
        for _ in range(3):
            text = await render_template(
                "page.html",
                function=function,
                thing=Thing(),
                many=numbers,
                iterable=numbers(),
            )
            assert text == EXPECTED.get(form, "awaited")


async def test_plain_templates_never_meet_the_event_loop(make_app: Any) -> None:
    app = make_app(
        base_html="<{% block body %}{% endblock %}>",
        page_html=(
            "{% extends 'base.html' %}{% import 'macros.html' as macros %}"
            "{% block body %}{% for x in xs %}{{ macros.show(x) }}{% endfor %}"
            "{% include 'part.html' %}{% endblock %}"
        ),
        macros_html="{% macro show(x) %}[{{ x | upper }}]{% endmacro %}",
        part_html="{{ name }}",
    )
    async with app.app_context():
        coroutine = render_template("page.html", xs=["a", "b"], name="n")
        with pytest.raises(StopIteration) as ended:
            coroutine.send(None)
        assert ended.value.value == "<[A][B]n>"


async def test_a_template_that_awaits_is_tried_as_plain_code_once(
    make_app: Any,
) -> None:
    app = make_app(page_html="{{ count() }}{{ function() }}")
    calls = []

    def count() -> str:
        calls.append(1)
        return "c"

    async with app.app_context():
        for _ in range(3):
            text = await render_template("page.html", count=count, function=function)
            assert text == "cawaited"
    # Once more than it was rendered: the attempt.
    assert len(calls) == 4


async def test_an_iterator_is_whole_in_a_template_that_awaits(make_app: Any) -> None:
    app = make_app(
        page_html="{% for n in numbers %}{{ n }}{% endfor %}{{ function() }}"
    )
    async with app.app_context():
        for _ in range(2):
            text = await render_template(
                "page.html", numbers=(n for n in range(3)), function=function
            )
            assert text == "012awaited"


async def test_an_error_in_a_plain_template_is_the_users(make_app: Any) -> None:
    app = make_app(page_html="{{ fail() }}", other_html="{{ missing.attribute }}")

    def fail() -> None:
        raise TypeError("the user's own")

    async with app.app_context():
        with pytest.raises(TypeError, match="the user's own"):
            await render_template("page.html", fail=fail)
        with pytest.raises(UndefinedError, match="missing"):
            await render_template("other.html")


# Context


async def test_processors_add_values_and_given_ones_win(
    make_app: Any, in_request: Any
) -> None:
    app = make_app(page_html="{{ a }}{{ b }}{{ c }}{{ d }}")
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @app.context_processor
    def of_the_app() -> dict[str, str]:
        return {"a": "app", "b": "app", "c": "app", "d": "app"}

    @outer.context_processor
    async def of_outer() -> dict[str, str]:
        return {"b": "outer", "c": "outer", "d": "outer"}

    @inner.context_processor
    async def of_inner() -> dict[str, str]:
        return {"c": "inner", "d": "inner"}

    @inner.get("/inner")
    async def view() -> str:
        return await render_template("page.html", d="given")

    outer.register_blueprint(inner)
    app.register_blueprint(outer)

    async def unused() -> str:
        return ""

    assert await in_request(app, unused, "/inner") == "appouterinnergiven"


async def test_the_context_of_a_request_is_there(
    make_app: Any, in_request: Any
) -> None:
    app = make_app(
        page_html="{{ request.path }} {{ g.x }} {{ session['y'] }} {{ config.Z }}"
        " {{ url_for('the_view') }} {{ get_flashed_messages() }}"
    )
    app.config["Z"] = "z"

    async def view() -> str:
        g.x = "x"
        session["y"] = "y"
        await flash("message")
        return await render_template("page.html")

    assert await in_request(app, view) == "/ x y z / [&#39;message&#39;]"


async def test_imported_templates_see_the_globals(
    make_app: Any, in_request: Any
) -> None:
    app = make_app(
        page_html="{% import 'macros.html' as m %}{{ m.path() }}",
        macros_html="{% macro path() %}{{ request.path }}{% endmacro %}",
    )

    async def view() -> str:
        return await render_template("page.html")

    assert await in_request(app, view) == "/"


async def test_a_page_that_leaves_the_session_alone_does_not_vary_by_it(
    make_app: Any, in_request: Any
) -> None:
    app = make_app(page_html="nothing of it")
    varies = []

    @app.after_request
    async def after(response: Any) -> Any:
        varies.append("Cookie" in response.vary)
        return response

    async def view() -> str:
        return await render_template("page.html")

    await in_request(app, view)
    assert varies == [False]


async def test_the_context_can_be_updated_by_hand(make_app: Any) -> None:
    app = make_app()
    app.context_processor(lambda: {"a": 1, "b": 1})
    context = {"b": 2}
    async with app.app_context():
        await app.update_template_context(context)
    assert context["a"] == 1
    assert context["b"] == 2


# Filters, tests, globals


async def test_filters_tests_and_globals_are_registered(make_app: Any) -> None:
    app = make_app()
    blueprint = Blueprint("bp", __name__)

    @app.template_filter
    def bare(value: str) -> str:
        return f"({value})"

    @app.template_filter("named")
    def other(value: str) -> str:
        return f"[{value}]"

    app.add_template_test(lambda value: value > 1, "big")

    @app.template_global()
    def answer() -> int:
        return 42

    @blueprint.app_template_filter
    def theirs(value: str) -> str:
        return f"-{value}-"

    app.register_blueprint(blueprint)
    async with app.app_context():
        text = await render_template_string(
            "{{ 'x'|bare }}{{ 'x'|named }}{{ 2 is big }}{{ answer() }}{{ 'x'|theirs }}"
        )
        assert text == "(x)[x]True42-x-"

    @app.template_filter
    def late(value: str) -> str:
        return "late"

    async with app.app_context():
        assert await render_template_string("{{ 1|late }}") == "late"


# Loading


async def test_the_app_wins_over_its_blueprints(tmp_path: Path, make_app: Any) -> None:
    app = make_app(page_html="app")
    for name in ("one", "two"):
        folder = tmp_path / name / "templates"
        folder.mkdir(parents=True)
        (folder / "page.html").write_text(name)
        (folder / "only.html").write_text(name)
        app.register_blueprint(
            Blueprint(
                name, __name__, template_folder="templates", root_path=tmp_path / name
            )
        )
    async with app.app_context():
        assert await render_template("page.html") == "app"
        assert await render_template("only.html") == "one"
        assert app.jinja_env.loader.list_templates() == ["only.html", "page.html"]


async def test_a_missing_template_names_folders_and_close_names(
    tmp_path: Path, make_app: Any
) -> None:
    app = make_app(index_html="", admin__users_html="")
    async with app.app_context():
        with pytest.raises(TemplateNotFound) as caught:
            await render_template("indx.html")
        message = str(caught.value)
        assert "No template 'indx.html'" in message
        assert str(tmp_path / "templates") in message
        assert "Did you mean 'index.html'?" in message
        with pytest.raises(TemplateNotFound, match=r"'admin/users\.html'"):
            await render_template("users.html")
        with pytest.raises(TemplatesNotFound, match=r"'a\.html' or 'b\.html'"):
            await render_template(["a.html", "b.html"])


async def test_a_missing_include_is_explained_too(make_app: Any) -> None:
    app = make_app(page_html="{% include 'prat.html' %}", part_html="")
    async with app.app_context():
        with pytest.raises(TemplateNotFound, match=r"prat\.html"):
            await render_template("page.html")


async def test_loading_is_explained_in_the_log(
    make_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(page_html="x")
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    app.logger.propagate = True
    with caplog.at_level(logging.INFO):
        async with app.app_context():
            await render_template("page.html")
            with pytest.raises(TemplateNotFound):
                await render_template("none.html")
    assert "Locating template 'page.html'" in caplog.text
    assert "found (" in caplog.text
    assert "could not be found" in caplog.text


async def test_auto_reload_follows_config_and_debug(
    tmp_path: Path, make_app: Any
) -> None:
    app = make_app(page_html="old")
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    path = tmp_path / "templates" / "page.html"
    async with app.app_context():
        assert await render_template("page.html") == "old"
        path.write_text("new")
        import os

        os.utime(path, (1, 1))
        assert await render_template("page.html") == "new"
    app = make_app()
    assert not app.jinja_env.auto_reload
    app.debug = True
    assert app.jinja_env.auto_reload


async def test_the_environment_can_be_made_otherwise(make_app: Any) -> None:
    class OwnEnvironment(Environment):
        """An environment of the user's."""

    class OwnApp(Quart):
        jinja_environment = OwnEnvironment
        jinja_options = {"trim_blocks": True, "variable_start_string": "[["}

        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return False

    app = OwnApp("own", static_folder=None)
    app.jinja_options = {**app.jinja_options, "variable_end_string": "]]"}
    async with app.app_context():
        assert isinstance(app.jinja_env, OwnEnvironment)
        assert app.jinja_env.app is app
        text = await render_template_string("{% if 1 %}\n[[ x ]]{% endif %}", x="<")
        assert text == "<"


# Signals


async def test_signals_come_around_the_rendering_once(make_app: Any) -> None:
    app = make_app(page_html="{{ f() }}")
    got: list[Any] = []

    async def before(sender: Any, template: Any, context: Any) -> None:
        got.append(("before", template.name, context["x"]))

    def after(sender: Any, template: Any, context: Any) -> None:
        got.append(("after", template.name, context["x"]))

    with (
        before_render_template.connected_to(before, app),
        template_rendered.connected_to(after, app),
    ):
        async with app.app_context():
            await render_template("page.html", x=1, f=lambda: "plain")
            await render_template("page.html", x=2, f=function)
    assert got == [
        ("before", "page.html", 1),
        ("after", "page.html", 1),
        ("before", "page.html", 2),
        ("after", "page.html", 2),
    ]


# Streaming


async def test_a_streamed_template_keeps_its_request(
    make_app: Any, in_request: Any
) -> None:
    app = make_app(page_html="{% for x in xs() %}{{ x }}{{ request.path }}{% endfor %}")
    ended = []

    def after(sender: Any, **kwargs: Any) -> None:
        ended.append(True)

    async def view() -> Any:
        return await stream_template("page.html", xs=numbers)

    with template_rendered.connected_to(after, app):
        assert await in_request(app, view) == "0/1/2/"
    assert ended == [True]


async def test_a_streamed_string_comes_in_pieces(make_app: Any) -> None:
    async with make_app().app_context():
        stream = await stream_template_string("a{{ x }}b{{ y }}", x=1, y=2)
        pieces = [piece async for piece in stream]
    assert "".join(pieces) == "a1b2"
    assert len(pieces) > 1


async def test_a_missing_template_is_told_before_the_stream(make_app: Any) -> None:
    async with make_app().app_context():
        with pytest.raises(TemplateNotFound):
            await stream_template("none.html")


# Parts of templates


async def test_one_block_of_a_page_is_rendered(make_app: Any) -> None:
    app = make_app(
        base_html="<html>{% block rows %}{% endblock %}</html>",
        page_html=(
            "{% extends 'base.html' %}{% block rows %}"
            "{% for x in xs %}<tr>{{ x }}</tr>{% endfor %}{% endblock %}"
        ),
    )
    async with app.app_context():
        text = await render_fragment("page.html", "rows", xs=["<", "b"])
        assert text == "<tr>&lt;</tr><tr>b</tr>"


async def test_one_macro_is_rendered_with_its_arguments(make_app: Any) -> None:
    app = make_app(page_html="{% macro row(x) %}<tr>{{ x }}</tr>{% endmacro %}")
    async with app.app_context():
        assert await render_fragment("page.html", "row", x="<") == "<tr>&lt;</tr>"


async def test_a_missing_fragment_names_the_blocks(make_app: Any) -> None:
    app = make_app(page_html="{% block rows %}{% endblock %}")
    async with app.app_context():
        with pytest.raises(LookupError, match=r"no block or macro 'row'.*rows"):
            await render_fragment("page.html", "row")


async def test_a_macro_is_called_from_python(make_app: Any) -> None:
    app = make_app(
        page_html="{% macro hello(x) %}Hello, {{ x }}!{% endmacro %}{% set y = 3 %}"
    )
    async with app.app_context():
        assert get_template_attribute("page.html", "hello")("Ada") == "Hello, Ada!"
        assert get_template_attribute("page.html", "y") == 3
        with pytest.raises(AttributeError):
            get_template_attribute("page.html", "nothing")


# Nothing is left


def test_an_app_with_templates_is_freed_without_the_collector(make_app: Any) -> None:
    gc.collect()
    gc.disable()
    try:
        app = make_app(page_html="{{ x }}")

        async def use(app: Quart) -> None:
            async with app.app_context():
                assert await render_template("page.html", x=1) == "1"

        asyncio.run(use(app))
        gone = weakref.ref(app)
        del app
        assert gone() is None
    finally:
        gc.enable()
