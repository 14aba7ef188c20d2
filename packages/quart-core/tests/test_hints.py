"""Explanations of a forgotten await, an await too many and a missing return."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import sys
import textwrap
import weakref
from functools import partial, wraps
from pathlib import Path

import pytest
from quart_core.hints import add_hint, explain_coroutine_result, explain_none_result

PRELUDE = """\
class Request:
    @property
    async def json(self): return {}
    @property
    async def form(self): return {}
    @property
    async def files(self): return {}
    async def get_json(self, force=False): return {}
async def render_template(name, **context): return ""
async def make_response(*args): return ""
async def rows(): yield 1
def redirect(location): return location
request = Request()
"""
FIRST = PRELUDE.count("\n") + 1


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Make a module app.py, in the current directory, whose text is given."""
    monkeypatch.chdir(tmp_path)

    def load_module(source):
        path = tmp_path / "app.py"
        path.write_text(PRELUDE + textwrap.dedent(source), encoding="utf-8")
        spec = importlib.util.spec_from_file_location("app", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load_module
    # The coroutines are given up here, where their warning is ignored.
    gc.collect()


def failure_of(view):
    """Return the exception that a view raises, with its hint."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        result = view()
        if asyncio.iscoroutine(result):
            asyncio.run(result)
    error = caught.value
    add_hint(error)
    return error


def hint_of(view):
    (note,) = failure_of(view).__notes__
    return note


pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


# A view that returned None


def test_a_view_that_returned_none_is_named_with_file_and_line(load):
    app = load(
        """\
        async def index():
            pass
        """
    )
    assert explain_none_result(app.index, None) == (
        f"app.py:{FIRST} index() returned None, which is no response. Add a return: "
        'return "text", a dict, a template; return "", 204 for an empty page.'
    )


def test_the_line_is_that_of_the_def_below_decorators(load):
    app = load(
        """\
        def same(f):
            return f

        @same
        @same
        async def index():
            pass
        """
    )
    assert explain_none_result(app.index, None).startswith(f"app.py:{FIRST + 5} index")


def test_decorators_partials_and_methods_are_seen_through(load):
    app = load(
        """\
        async def index(n=1):
            pass

        class Views:
            async def page(self):
                pass

            async def __call__(self):
                pass
        """
    )

    @wraps(app.index)
    async def wrapped():
        await app.index()

    place = f"app.py:{FIRST} index()"
    assert explain_none_result(wrapped, None).startswith(place)
    assert explain_none_result(partial(partial(wrapped), n=2), None).startswith(place)
    page = explain_none_result(app.Views().page, None)
    assert page.startswith(f"app.py:{FIRST + 4} Views.page()")
    call = explain_none_result(app.Views(), None)
    assert call.startswith(f"app.py:{FIRST + 7} Views.__call__()")


def test_a_class_based_view_is_named_by_its_method(load):
    app = load(
        """\
        class Page:
            async def dispatch_request(self):
                pass
        """
    )

    async def view():
        pass

    view.view_class = app.Page
    assert explain_none_result(view, None).startswith(
        f"app.py:{FIRST + 1} Page.dispatch_request()"
    )


def test_a_tuple_that_begins_with_none_is_named(load):
    text = explain_none_result(None, (None, 204))
    assert text.startswith(
        "A view or an error handler returned a tuple that begins with None,"
    )


def test_a_path_outside_the_current_directory_stays_absolute(load, monkeypatch):
    app = load("async def index(): pass\n")
    monkeypatch.chdir("/")
    monkeypatch.setattr("os.getcwd", lambda: "/nowhere")
    file = app.__file__
    assert explain_none_result(app.index, None).startswith(f"{file}:{FIRST} ")


# A view that returned a coroutine


def test_a_returned_coroutine_is_explained_with_its_line(load):
    app = load(
        """\
        async def index():
            return render_template("index.html", n=1)
        """
    )
    text = explain_coroutine_result(asyncio.run(app.index()), app.index)
    assert text == (
        f"app.py:{FIRST + 1} returned render_template(...) without await. "
        'Write: return await render_template("index.html", n=1)'
    )


def test_long_arguments_are_left_out_of_what_to_write(load):
    app = load(
        """\
        async def index():
            return render_template("index.html", title="A long title",
                                   rows=list(range(9)), more="some more text")
        """
    )
    text = explain_coroutine_result(asyncio.run(app.index()), app.index)
    assert text == (
        f"app.py:{FIRST + 1} returned render_template(...) without await. "
        "Write: return await render_template(...)"
    )


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("return make_response()", "return await make_response()"),
        ("return make_response(), 201", "return await make_response(), 201"),
        (
            "return make_response() if 1 else redirect('/')",
            "return await make_response() if 1 else redirect('/')",
        ),
        ("return request.json", "return await request.json"),
        ("return request.get_json()", "return await request.get_json()"),
    ],
)
def test_the_returned_expression_is_found(load, statement, written):
    app = load(f"async def index():\n    {statement}\n")
    result = asyncio.run(app.index())
    value = result[0] if isinstance(result, tuple) else result
    text = explain_coroutine_result(value, app.index)
    assert text.startswith(f"app.py:{FIRST + 1} returned ")
    assert text.endswith(f"Write: {written}")


def test_of_several_returns_the_one_that_made_the_coroutine_is_named(load):
    app = load(
        """\
        other = render_template

        async def index(n=0):
            if n:
                return make_response()

            def inner():
                return render_template("inner.html")

            if not n:
                return other("a.html")
            return redirect("/")
        """
    )
    text = explain_coroutine_result(asyncio.run(app.index()), app.index)
    assert text.startswith(f"app.py:{FIRST + 10} returned other(...) without await.")


def test_a_variable_is_followed_to_what_was_assigned(load):
    app = load(
        """\
        async def index():
            page = render_template("a.html")
            return page
        """
    )
    text = explain_coroutine_result(asyncio.run(app.index()), app.index)
    assert text == (
        f"app.py:{FIRST + 2} returned page, which is render_template(...) without "
        f'await (line {FIRST + 1}). Write: page = await render_template("a.html")'
    )


def test_a_plain_view_is_told_to_become_async(load):
    app = load(
        """\
        def index():
            return make_response()
        """
    )
    assert explain_coroutine_result(app.index(), app.index) == (
        f"app.py:{FIRST + 1} returned make_response() without await. "
        "Write: return await make_response(), and make it 'async def index'"
    )


def test_without_source_the_function_and_the_coroutine_are_named():
    names = {}
    source = "async def page(): pass\nasync def index(): return page()\n"
    exec(compile(source, "/gone/app.py", "exec"), names)
    value = asyncio.run(names["index"]())
    assert explain_coroutine_result(value, names["index"]) == (
        "/gone/app.py:2 index() returned page(...) without await. "
        "Write: return await page(...)"
    )
    value = names["page"]()
    assert explain_coroutine_result(value, None) == (
        "A view or an error handler returned page(...) without await. "
        "Write: return await page(...)"
    )


async def test_a_returned_task_is_explained_and_left_alone(load):
    app = load(
        """\
        import asyncio
        async def index():
            return asyncio.create_task(make_response())
        """
    )
    task = await app.index()
    text = explain_coroutine_result(task, app.index)
    assert text.startswith(f"app.py:{FIRST + 2} returned asyncio.create_task(...) with")
    assert await task == ""
    assert "returned a Task, which must be" in explain_coroutine_result(task, None)


@pytest.mark.filterwarnings("error")
def test_a_coroutine_that_never_started_is_closed(load):
    async def page():
        return ""

    value = page()
    explain_coroutine_result(value, None)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        value.send(None)


@pytest.mark.parametrize("value", [1, "text", None, object(), [], iter([])])
def test_what_is_no_awaitable_has_no_explanation(value):
    assert explain_coroutine_result(value, None) is None


# A coroutine used as a value


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ('request.get_json()["x"]', '(await request.get_json())["x"]'),
        ('request.get_json()["x"]["y"]', '(await request.get_json())["x"]'),
        (
            "request.get_json(force=True).get('x')",
            "(await request.get_json(force=True)).get('x')",
        ),
        ('request.json["x"]', '(await request.json)["x"]'),
        ('request.form["x"]', '(await request.form)["x"]'),
        ('request.form.get("x", 1)', '(await request.form).get("x", 1)'),
        ('request.files["x"]', '(await request.files)["x"]'),
        ("len(request.form)", "len(await request.form)"),
        ("'x' in request.form", "'x' in await request.form"),
        ("[x for x in request.form]", "await request.form"),
        ("list(request.form)", "list(await request.form)"),
        ("dict(**request.form)", "dict(**await request.form)"),
        ('"<b>" + render_template("a")', '"<b>" + await render_template("a")'),
        ('render_template("a") + "<b>"', 'await render_template("a") + "<b>"'),
        ("''.join([render_template('a')])", "[await render_template('a')]"),
        ("make_response('a').headers", "(await make_response('a')).headers"),
        ("request.json > 5", "await request.json > 5"),
        ("5 < request.json", "5 < await request.json"),
        ("int(request.json)", "int(await request.json)"),
        ("json.dumps(request.json)", "json.dumps(await request.json)"),
        ("json.dumps({'a': request.json})", "{'a': await request.json}"),
        ("json.loads(request.json)", "json.loads(await request.json)"),
        ("request.json()", "(await request.json)()"),
        ("[*request.form]", "*await request.form"),
        ("-request.json", "-await request.json"),
        ("[1][request.json]", "[1][await request.json]"),
        ("(request.json)['a']", "(await request.json)['a']"),
        ("str(f'{request.json[0]}')", "(await request.json)[0]"),
    ],
)
def test_an_expression_gets_the_line_and_what_to_write(load, expression, written):
    app = load(f"import json\nasync def index():\n    return {expression}\n")
    hint = hint_of(app.index)
    assert hint.startswith(f"app.py:{FIRST + 2} used ")
    assert hint.endswith(f" without await. Write: {written}")


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("for x in request.form: pass", "for x in await request.form:"),
        ("a, b = request.get_json()", "a, b = await request.get_json()"),
        ("make_response().status_code = 1", "(await make_response()).status_code"),
        ("request.json['a'] = 1", "(await request.json)['a']"),
        ("n = 1; n += request.json", "await request.json"),
        ("with make_response(): pass", "await make_response()"),
        ("async for x in make_response(): pass", "for x in await make_response():"),
    ],
)
def test_a_statement_gets_the_line_and_what_to_write(load, statement, written):
    app = load(f"async def index():\n    {statement}\n")
    hint = hint_of(app.index)
    assert hint.startswith(f"app.py:{FIRST + 1} used ")
    assert written in hint.partition(" Write: ")[2]


def test_a_format_that_a_coroutine_has_not_is_explained(load):
    app = load("async def index():\n    return f'{render_template(\"a\"):>10}'\n")
    hint = hint_of(app.index)
    assert hint.startswith(f"app.py:{FIRST + 1} used render_template(...) without")
    assert 'await render_template("a")' in hint


def test_the_whole_text_of_a_hint(load):
    app = load('async def index():\n    return request.get_json()["x"]\n')
    assert hint_of(app.index) == (
        f"app.py:{FIRST + 1} used request.get_json() without await. "
        'Write: (await request.get_json())["x"]'
    )


def test_a_variable_names_the_line_that_created_the_coroutine(load):
    app = load(
        """\
        async def index():
            data = request.get_json()
            # Something else.
            return data["x"]
        """
    )
    assert hint_of(app.index) == (
        f"app.py:{FIRST + 3} used data, which is request.get_json() without await "
        f"(line {FIRST + 1}). Write: data = await request.get_json()"
    )


def test_a_response_in_a_variable_is_explained_at_its_attribute(load):
    app = load(
        """\
        async def index():
            response = make_response("a")
            response.headers["X-A"] = "b"
            return response
        """
    )
    assert hint_of(app.index).endswith('Write: response = await make_response("a")')


def test_a_plain_function_is_told_to_become_async(load):
    app = load(
        """\
        def helper():
            return request.json["x"]

        async def index():
            return helper()
        """
    )
    assert hint_of(app.index).endswith(
        "Write: (await request.json)[\"x\"], and make it 'async def helper'"
    )


def test_an_expression_over_several_lines_names_its_own_line(load):
    app = load(
        """\
        async def index():
            return dict(
                a=1,
                b=request.get_json()[
                    "x"
                ],
            )
        """
    )
    hint = hint_of(app.index)
    assert hint.startswith(f"app.py:{FIRST + 3} used request.get_json() without await.")
    assert hint.endswith("await request.get_json()")


def test_names_outside_ascii_before_the_expression_do_not_shift_it(load):
    app = load('async def index():\n    return "größe", request.json["ü"]\n')
    assert hint_of(app.index).endswith('Write: (await request.json)["ü"]')


def test_an_unknown_call_is_found_when_it_is_the_only_candidate(load):
    app = load(
        """\
        def hidden():
            return make_response()

        async def index():
            return hidden().status
        """
    )
    assert hint_of(app.index).endswith("Write: (await hidden()).status")


def test_an_async_generator_is_to_be_iterated_with_async_for(load):
    app = load(
        """\
        async def loop():
            for row in rows():
                pass

        async def as_list():
            return list(rows())

        async def by_name():
            found = rows()
            return found[0]
        """
    )
    assert hint_of(app.loop) == (
        f"app.py:{FIRST + 1} used rows() as if it were a list. "
        "Write: async for row in rows():"
    )
    assert hint_of(app.as_list).endswith("Write: [item async for item in rows()]")
    assert hint_of(app.by_name).endswith("Write: [item async for item in rows()]")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the text is another one")
def test_an_await_too_many_is_explained(load):
    app = load(
        """\
        async def index():
            return await redirect("/")

        async def listing():
            return await rows()
        """
    )
    assert hint_of(app.index) == (
        f"app.py:{FIRST + 1} awaited redirect(...), which gave str, nothing to await. "
        'Write: redirect("/")'
    )
    assert hint_of(app.listing).endswith("Write: [item async for item in rows()]")


def test_code_without_source_gets_the_line():
    names = {}
    source = "async def page(): pass\nasync def index():\n    return page()[0]\n"
    exec(compile(source, "/gone/app.py", "exec"), names)
    assert hint_of(names["index"]) == (
        "/gone/app.py:3 used a coroutine as a value. Write await before the call."
    )


# What add_hint leaves alone


def test_other_exceptions_get_no_note():
    for error in (
        TypeError(),
        TypeError("'int' object is not subscriptable"),
        TypeError(3),
        AttributeError("'str' object has no attribute 'coroutine'"),
        ValueError("'coroutine' object is not subscriptable"),
        TypeError("'coroutine' object is not subscriptable"),
    ):
        add_hint(error)
        assert not hasattr(error, "__notes__")


def test_the_same_note_is_added_once(load):
    app = load("async def index():\n    return request.json['a']\n")
    error = failure_of(app.index)
    add_hint(error)
    assert len(error.__notes__) == 1


def test_causes_and_groups_are_looked_at(load):
    app = load("async def index():\n    return request.json['a']\n")
    error = failure_of(app.index)
    del error.__notes__
    outer = RuntimeError("wrapped")
    outer.__cause__ = ExceptionGroup("several", [ValueError(), error])
    add_hint(outer)
    assert "await request.json" in error.__notes__[0]


def test_a_cycle_of_causes_ends():
    first, second = ValueError(), ValueError()
    first.__cause__, second.__context__ = second, first
    add_hint(first)
    assert not hasattr(first, "__notes__")


def test_an_exception_that_takes_no_note_raises_nothing(load):
    app = load("async def index():\n    return request.json['a']\n")

    class Stubborn(TypeError):
        def add_note(self, note):
            raise RuntimeError("no notes")

    try:
        asyncio.run(app.index())
    except TypeError as error:
        stubborn = Stubborn(*error.args).with_traceback(error.__traceback__)
    add_hint(stubborn)
    assert not hasattr(stubborn, "__notes__")


def test_no_frame_is_kept(load):
    app = load("async def index(thing):\n    return request.json['a']\n")

    class Thing:
        pass

    hints = []

    def run():
        thing = Thing()
        try:
            app.index(thing).send(None)
        except TypeError as error:
            add_hint(error)
            hints.extend(error.__notes__)
        return weakref.ref(thing)

    gc.disable()
    try:
        assert run()() is None
    finally:
        gc.enable()
    assert len(hints) == 1


def test_control_characters_of_the_source_are_escaped(load):
    app = load('async def index():\n    return request.json["\u202e\u200b"]\n')
    assert '["\\u202e\\u200b"]' in hint_of(app.index)


def test_a_file_that_changed_since_raises_nothing(load):
    app = load("async def index():\n    return request.json['a']\n")
    Path(app.__file__).write_text("def (:\n", encoding="utf-8")
    assert hint_of(app.index).endswith("Write await before the call.")
