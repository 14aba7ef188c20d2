"""Flask's names and keywords, called for real as code written for Flask does."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import flask_names
import pytest
import quart
from quart import Blueprint, Quart, Response, g, request
from quart.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import BadRequest, InternalServerError, NotFound


def _app() -> Quart:
    app = Quart("flask_names")
    app.secret_key = "k"
    app.logger.disabled = True
    return app


@pytest.mark.parametrize(("owner", "name"), flask_names.NAMES)
def test_name_is_there(owner: str, name: str) -> None:
    assert hasattr(flask_names.find(owner), name)


async def test_make_response_rv() -> None:
    app = _app()
    async with app.test_request_context("/"):
        response = await app.make_response(rv=("x", 201))
        assert response.status_code == 201
        assert (await app.finalize_request(rv="x")).status_code == 200


async def test_handlers_take_e() -> None:
    app = _app()
    app.register_error_handler(404, lambda e: ("handled", 404))
    async with app.test_request_context("/"):
        assert await app.handle_http_exception(e=NotFound()) == ("handled", 404)
        assert await app.handle_user_exception(e=NotFound()) == ("handled", 404)
        response = await app.handle_exception(e=ValueError())
        assert response.status_code == 500
        assert app.trap_http_exception(e=BadRequest()) is False
        app.log_exception(exc_info=(None, None, None))


async def test_exc_is_optional_for_teardown() -> None:
    app, seen = _app(), []
    app.teardown_request(lambda exc: seen.append(exc))
    app.teardown_appcontext(lambda exc: seen.append(exc))
    async with app.test_request_context("/"):
        await app.do_teardown_request()
        await app.do_teardown_appcontext(exc=None)
        assert seen == [None, None]
        try:
            raise ValueError("being handled")
        except ValueError:
            await app.do_teardown_request()
        assert str(seen[-1]) == "being handled"


async def test_resources_take_resource_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ü", encoding="latin-1")
    app = Quart("flask_names", root_path=str(tmp_path), instance_path=str(tmp_path))
    blueprint = Blueprint("bp", "flask_names", root_path=str(tmp_path))
    for owner in (app, blueprint):
        opened = await owner.open_resource(
            resource="a.txt", mode="rt", encoding="latin-1"
        )
        async with opened as file:
            assert await file.read() == "ü"
    opened = await app.open_instance_resource(
        resource="a.txt", mode="rt", encoding="latin-1"
    )
    async with opened as file:
        assert await file.read() == "ü"


async def test_sync_and_async() -> None:
    app = _app()

    async def asynchronous(value: int) -> int:
        return value + 1

    def plain(value: int) -> int:
        return value + 1

    assert app.ensure_sync(func=plain) is plain
    results = []
    thread = threading.Thread(
        target=lambda: results.extend(
            [
                app.ensure_sync(asynchronous)(1),
                app.async_to_sync(func=asynchronous)(2),
            ]
        )
    )
    thread.start()
    thread.join(10)
    assert results == [2, 3]


async def test_on_json_loading_failed_takes_e() -> None:
    app = _app()
    async with app.test_request_context("/"):
        with pytest.raises(BadRequest):
            request.on_json_loading_failed(e=ValueError("bad"))
        with pytest.raises(Exception, match="415"):
            request.on_json_loading_failed(e=None)


async def test_response_methods() -> None:
    calls = []
    response = Response("abc", direct_passthrough=True)
    assert response.calculate_content_length() == 3
    assert response.call_on_close(func=lambda: calls.append("closed"))
    assert (response.is_sequence, response.is_streamed) == (True, False)
    assert response.direct_passthrough is True
    assert [chunk async for chunk in response.iter_encoded()] == [b"abc"]
    response.stream.write(b"d")
    assert await response.get_data() == b"abcd"
    await response.close()
    assert calls == ["closed"]
    assert Response.autocorrect_location_header is False
    assert Response(c for c in "ab").is_streamed is True
    assert Response(["a", "b"]).is_sequence is True


async def test_location_is_corrected_where_asked_for() -> None:
    class Correcting(Response):
        autocorrect_location_header = True

    app = _app()
    app.response_class = Correcting
    app.add_url_rule("/a/b", "view", lambda: ("", 302, {"Location": "c?d=1"}))
    response = await app.test_client().get("/a/b")
    assert response.headers["Location"] == "http://localhost/a/c?d=1"


async def test_functions_of_the_top_level() -> None:
    app = _app()

    @app.get("/")
    async def view() -> Any:
        quart.after_this_request(f=lambda response: response)
        copied = quart.copy_current_request_context(f=lambda: request.path)
        assert await copied() == "/"
        return await quart.make_response(
            quart.stream_with_context(generator_or_function=iter(["a", "b"]))
        )

    response = await app.test_client().get("/")
    assert await response.get_data() == b"ab"
    assert quart.redirect("/a", code=303, Response=Response).status_code == 303
    for module in (quart.helpers, quart):
        for name in (
            "send_file",
            "send_from_directory",
            "stream_with_context",
            "abort",
        ):
            assert callable(getattr(module, name))
    for name in ("after_this_request", "copy_current_request_context"):
        assert callable(getattr(quart.ctx, name))


def test_json_functions() -> None:
    file = io.StringIO()
    quart.json.dump(obj={"a": 1}, fp=file)
    assert file.getvalue() == quart.json.dumps(obj={"a": 1}) == '{"a": 1}'
    assert quart.json.loads(s="1") == 1


async def test_sessions_take_obj() -> None:
    interface = SecureCookieSessionInterface()
    null = await interface.make_null_session(_app())
    assert interface.is_null_session(obj=null) is True
    assert interface.is_null_session(obj={}) is False


async def test_request_context_takes_a_request() -> None:
    app = _app()
    async with app.test_request_context("/p") as context:
        made = quart.ctx.RequestContext(app, request=context.request)
        async with made:
            assert request.path == "/p"
    with pytest.raises(TypeError, match="request"):
        quart.ctx.RequestContext(app)


def test_callables_of_typing() -> None:
    assert quart.typing.BeforeFirstRequestCallable is not None


async def test_context_first_or_last_or_left_out() -> None:
    app = _app()
    app.add_url_rule("/", "view", lambda: "seen")
    async with app.test_request_context("/") as ctx:
        for args in ((), (ctx,)):
            assert await app.dispatch_request(*args) == "seen"
            assert await app.preprocess_request(*args) is None
            assert (await app.full_dispatch_request(*args)).status_code == 200
            assert (await app.make_default_options_response(*args)).status_code == 200
        response = Response("x")
        assert await app.process_response(response) is response
        assert await app.process_response(response, ctx) is response
        assert await app.process_response(ctx, response) is response
        assert (await app.finalize_request(ctx, "x")).status_code == 200
        assert (await app.finalize_request("x", ctx)).status_code == 200
        assert (await app.handle_exception(ctx, ValueError())).status_code == 500
        error = InternalServerError()
        assert await app.handle_http_exception(ctx, error) is error
        await app.do_teardown_request(ctx, None)
        await app.do_teardown_request(None, ctx)
        await app.do_teardown_appcontext(ctx, None)


async def test_templating_environment_has_app() -> None:
    app = _app()
    assert app.jinja_env.app is app


async def test_ensure_async_and_views_of_flask() -> None:
    app = _app()

    @app.route(rule="/", methods=["GET"], endpoint="e", strict_slashes=False)
    def view() -> str:
        g.value = "v"
        return g.value

    response = await app.test_client().get("/")
    assert await response.get_data() == b"v"
    assert await app.ensure_async(func=lambda: 1)() == 1
