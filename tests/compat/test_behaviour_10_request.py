"""Request: body, forms, JSON, limits, attributes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from quart import Blueprint, Quart, request
from quart.datastructures import FileStorage
from quart.wrappers import Request
from quart.wrappers.request import Body
from werkzeug.datastructures import ImmutableMultiDict

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def _app(view: Any) -> Quart:
    app = Quart("requests")
    app.logger.setLevel(logging.CRITICAL)
    app.testing = True
    app.add_url_rule("/", "view", view, methods=["GET", "POST"])
    return app


async def _post(view: Any, data: str | bytes = b"", kind: str = "a/b") -> Any:
    client = _app(view).test_client()
    response = await client.post("/", data=data, headers={"Content-Type": kind})
    return await response.get_json() if response.is_json else response.status_code


async def _seen(view: Any, **options: Any) -> Any:
    response = await _app(view).test_client().get(options.pop("path", "/"), **options)
    return await response.get_json()


def _multipart(*parts: tuple[str, str, str]) -> str:
    text = ""
    for name, content, filename in parts:
        of_file = f'; filename="{filename}"' if filename else ""
        text += f'--b\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'
        text += f"{content}\r\n"
    return text + "--b--\r\n"


async def test_data_may_be_read_again() -> None:
    async def view() -> list[str]:
        return [
            await request.get_data(as_text=True),
            (await request.data).decode(),
            (await request.body).decode(),
        ]

    assert await _post(view, "body") == ["body"] * 3


async def test_data_that_is_not_cached_is_gone() -> None:
    async def view() -> list[str]:
        return [
            await request.get_data(cache=False, as_text=True),
            await request.get_data(as_text=True),
        ]

    assert await _post(view, "body") == ["body", ""]


async def test_invalid_utf_8_as_text_fails() -> None:
    async def view() -> str:
        return await request.get_data(as_text=True)

    with pytest.raises(UnicodeDecodeError):
        await _post(view, b"\xff")


async def test_stream_is_not_there() -> None:
    async def view() -> str:
        await request.stream
        return ""

    with pytest.raises(NotImplementedError, match="no stream"):
        await _post(view)


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json"])
async def test_json_types_are_read(kind: str) -> None:
    async def view() -> list[Any]:
        return [await request.json, await request.get_json(), request.is_json]

    assert await _post(view, '{"a": 1}', kind) == [{"a": 1}, {"a": 1}, True]


async def test_other_types_are_none_unless_forced() -> None:
    async def view() -> list[Any]:
        return [await request.get_json(), await request.get_json(force=True)]

    assert await _post(view, '{"a": 1}', "text/plain") == [None, {"a": 1}]


async def test_silent_json_is_none_and_cached_apart() -> None:
    async def view() -> list[Any]:
        results = [await request.get_json(silent=True)]
        try:
            await request.get_json()
        except Exception as error:
            results.append(type(error).__name__)
        return results

    assert await _post(view, "{", "application/json") == [None, "BadRequest"]


async def test_cached_json_is_the_same_object() -> None:
    async def view() -> list[bool]:
        first = await request.get_json()
        other = await request.get_json(cache=False)
        return [first is await request.get_json(), other is first]

    assert await _post(view, "[1]", "application/json") == [True, False]


async def test_empty_json_body_is_a_400() -> None:
    async def view() -> Any:
        return await request.get_json()

    assert await _post(view, "", "application/json") == 400


async def test_urlencoded_form_and_its_data() -> None:
    async def view() -> list[Any]:
        form = await request.form
        return [form.getlist("a"), form["b"], (await request.get_data()).decode()]

    assert await _post(view, "a=1&a=2&b=%C3%BC", URLENCODED) == [
        ["1", "2"],
        "ü",
        "a=1&a=2&b=%C3%BC",
    ]


async def test_multipart_form_consumes_the_data() -> None:
    async def view() -> list[Any]:
        form, files = await request.form, await request.files
        return [form["a"], files["f"].filename, len(await request.data)]

    body = _multipart(("a", "1", ""), ("f", "content", "x.txt"))
    assert await _post(view, body, MULTIPART) == ["1", "x.txt", 0]


@pytest.mark.parametrize(
    ("data", "kind"),
    [("rubbish", MULTIPART), ("--b\r\n", MULTIPART), ("x", "multipart/form-data")],
)
async def test_unparsable_multipart_is_an_empty_form(data: str, kind: str) -> None:
    async def view() -> list[int]:
        return [len(await request.form), len(await request.files)]

    assert await _post(view, data, kind) == [0, 0]


async def test_values_are_args_and_form_unless_get() -> None:
    async def view() -> Any:
        values = await request.values
        return [values.getlist("a"), values.get("b")]

    client = _app(view).test_client()
    headers = {"Content-Type": URLENCODED}
    posted = await client.post("/?a=1", data="a=2&b=3", headers=headers)
    assert await posted.get_json() == [["1", "2"], "3"]
    got = await client.get("/?a=1", data="a=2&b=3", headers=headers)
    assert await got.get_json() == [["1"], None]


async def test_iterating_consumes_the_body() -> None:
    async def view() -> list[Any]:
        chunks = b"".join([chunk async for chunk in request.body])
        return [chunks.decode(), (await request.body).decode()]

    assert await _post(view, "body") == ["body", ""]


async def test_body_methods() -> None:
    body = Body(None, None)
    body.append(b"a")
    await body.put(b"b")
    body.set_result(b"c")
    assert await body == b"abc"
    body.clear()
    assert await body == b""
    body = Body(None, 3)
    body.append(b"four")
    body.set_complete()
    with pytest.raises(Exception, match="413"):
        await body
    body = Body(None, None)
    body.append(b"a")
    body.disconnect()
    assert await body.get() == b"a"
    with pytest.raises(asyncio.CancelledError):
        await body.get()


async def test_announced_length_over_the_limit_counts_only_when_used() -> None:
    app = _app(lambda: "not read")
    app.config["MAX_CONTENT_LENGTH"] = 1
    response = await app.test_client().post("/", data="more than one")
    assert response.status_code == 200


@pytest.mark.parametrize("way", ["iterate", "await", "data", "json", "form"])
async def test_limit_holds_for_chunks_too(way: str) -> None:
    async def view() -> str:
        if way == "iterate":
            async for _ in request.body:
                pass
        elif way == "await":
            await request.body
        else:
            await getattr(request, way)
        return "read"

    app = _app(view)
    app.config["MAX_CONTENT_LENGTH"] = 10
    kind = {"json": "application/json", "form": URLENCODED}.get(way, "a/b")
    async with app.test_client().request(
        "/", method="POST", headers={"Content-Type": kind}
    ) as connection:
        for _ in range(4):
            await connection.send(b"12345")
        await connection.send_complete()
    assert (await connection.as_response()).status_code == 413


async def test_body_timeout_is_a_408_and_not_for_iteration() -> None:
    async def view() -> str:
        request.body_timeout = 0.02
        if request.args:
            return "".join([chunk.decode() async for chunk in request.body])
        await request.get_data()
        return "read"

    app = _app(view)
    async with app.test_client().request("/", method="POST") as connection:
        await connection.send(b"a")
        await asyncio.sleep(0.05)
        await connection.send_complete()
    assert (await connection.as_response()).status_code == 408
    async with app.test_client().request("/?a=1", method="POST") as connection:
        await connection.send(b"a")
        await asyncio.sleep(0.05)
        await connection.send_complete()
    assert (await connection.as_response()).status_code == 200


async def test_limits_are_settable_for_each_request() -> None:
    async def view() -> list[Any]:
        before = [
            request.max_content_length,
            request.max_form_memory_size,
            request.max_form_parts,
        ]
        request.max_content_length = None
        request.max_form_memory_size = 3
        request.max_form_parts = 1
        return [before, len(await request.form)]

    assert await _post(view, _multipart(("a", "abc", "")), MULTIPART) == [
        [16_777_216, 500_000, 1000],
        1,
    ]
    assert await _post(view, _multipart(("a", "abcd", "")), MULTIPART) == 413
    two = _multipart(("a", "a", ""), ("b", "b", ""))
    assert await _post(view, two, MULTIPART) == 413


async def test_client_that_leaves_cancels_the_handler() -> None:
    seen: list[str] = []

    async def view() -> str:
        try:
            await request.get_data()
        except asyncio.CancelledError as error:
            seen.append(type(error).__name__)
            raise
        return ""

    app = _app(view)
    async with app.test_client().request("/", method="POST") as connection:
        await connection.send(b"a")
        await connection.disconnect()
    assert seen == ["ClientDisconnectedError"]


async def test_attributes() -> None:
    async def view(n: int) -> dict[str, Any]:
        return {
            "method": request.method,
            "path": request.path,
            "full_path": request.full_path,
            "url": request.url,
            "base_url": request.base_url,
            "root_url": request.root_url,
            "url_root": request.url_root,
            "root_path": request.root_path,
            "script_root": request.script_root,
            "host": request.host,
            "host_url": request.host_url,
            "scheme": request.scheme,
            "is_secure": request.is_secure,
            "query_string": request.query_string.decode(),
            "args": request.args.to_dict(),
            "cookies": dict(request.cookies),
            "remote_addr": request.remote_addr,
            "access_route": list(request.access_route),
            "endpoint": request.endpoint,
            "blueprint": request.blueprint,
            "blueprints": request.blueprints,
            "view_args": request.view_args,
            "rule": str(request.url_rule),
            "exception": request.routing_exception,
            "http_version": request.http_version,
            "user_agent": request.user_agent.string,
            "mimetype": request.mimetype,
            "accept": request.accept_mimetypes.best,
            "etags": list(request.if_none_match),
            "range": str(request.range),
            "auth": request.authorization.username,
            "scope": request.scope["type"],
        }

    app = Quart("requests")
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.add_url_rule("/p/<int:n>", "view", view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    response = await app.test_client().get(
        "/mount/p/5?a=1",
        scheme="https",
        root_path="/mount",
        headers={
            "Host": "example.com:444",
            "Cookie": "c=1",
            "Accept": "text/plain",
            "If-None-Match": '"tag"',
            "Range": "bytes=0-1",
        },
        auth=("user", "secret"),
    )
    assert await response.get_json() == {
        "method": "GET",
        "path": "/p/5",
        "full_path": "/p/5?a=1",
        "url": "https://example.com:444/mount/p/5?a=1",
        "base_url": "https://example.com:444/mount/p/5",
        "root_url": "https://example.com:444/mount/",
        "url_root": "https://example.com:444/mount/",
        "root_path": "/mount",
        "script_root": "/mount",
        "host": "example.com:444",
        "host_url": "https://example.com:444/",
        "scheme": "https",
        "is_secure": True,
        "query_string": "a=1",
        "args": {"a": "1"},
        "cookies": {"c": "1"},
        "remote_addr": "<local>",
        "access_route": ["<local>"],
        "endpoint": "outer.inner.view",
        "blueprint": "outer.inner",
        "blueprints": ["outer.inner", "outer"],
        "view_args": {"n": 5},
        "rule": "/p/<int:n>",
        "exception": None,
        "http_version": "1.1",
        "user_agent": "Quart",
        "mimetype": "",
        "accept": "text/plain",
        "etags": ["tag"],
        "range": "bytes=0-1",
        "auth": "user",
        "scope": "http",
    }


async def _ask(app: Any, **scope: Any) -> tuple[int, bytes]:
    """Call the application with the least that a scope may have."""
    sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": "/", **scope}, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_http_1_0_without_host_has_the_server_name() -> None:
    app = _app(lambda: f"{request.host}|{request.headers.get('Host')}")
    assert await _ask(app, http_version="1.0", headers=[]) == (200, b"|")
    app.config["SERVER_NAME"] = "example.com"
    assert await _ask(app, http_version="1.0", headers=[]) == (
        200,
        b"example.com|example.com",
    )


async def test_headers_are_title_cased_latin_1_with_the_address_first() -> None:
    def view() -> str:
        headers = request.headers
        return f"{next(iter(headers))} {headers['X-LOWER']} {'X-Lower' in str(headers)}"

    status, body = await _ask(
        _app(view), headers=[(b"x-lower", b"\xfc")], client=("1.2.3.4", 5)
    )
    assert (status, body.decode()) == (200, "('Remote-Addr', '1.2.3.4') ü True")


async def test_scopes_with_optional_keys_left_out_work() -> None:
    app = _app(lambda: f"{request.url} {request.remote_addr} {request.is_secure}")
    status, body = await _ask(app, headers=[(b"host", b"localhost")])
    assert (status, body) == (200, b"http://localhost/ <local> False")


@pytest.mark.parametrize(
    ("path", "status", "seen"),
    [
        ("/root/", 200, b"/"),
        ("/root", 200, b"/"),
        ("/rootx/", 404, None),
        ("/rootx", 404, None),
        ("/", 404, None),
        ("/other/root/", 404, None),
    ],
)
async def test_root_path_counts_on_borders_of_segments(
    path: str, status: int, seen: bytes | None
) -> None:
    app = _app(lambda: request.path)
    found, body = await _ask(app, path=path, root_path="/root", headers=[])
    assert found == status
    assert seen is None or body == seen


async def test_file_storage_saves_and_loads(tmp_path: Path) -> None:
    async def view() -> list[Any]:
        file = (await request.files)["f"]
        await file.save(tmp_path / "saved", buffer_size=3)
        return [type(file).__name__, file.filename, file.content_type]

    body = _multipart(("f", "content", "x.txt"))
    assert await _post(view, body, MULTIPART) == ["FileStorage", "x.txt", None]
    assert (tmp_path / "saved").read_text() == "content"
    storage = FileStorage()
    await storage.load(tmp_path / "saved")
    storage.seek(0)
    assert storage.read() == b"content"


async def test_uploads_are_closed_after_the_request() -> None:
    kept: list[FileStorage] = []

    async def view() -> str:
        kept.append((await request.files)["f"])
        return ""

    await _post(view, _multipart(("f", "x" * 600_000, "x.txt")), MULTIPART)
    assert kept[0].stream.closed


async def test_overridable_parts() -> None:
    class OwnBody(Body):
        pass

    class OwnRequest(Request):
        body_class = OwnBody
        parameter_storage_class = ImmutableMultiDict

        def on_json_loading_failed(self, error: Exception | None = None) -> Any:
            return {"failed": True}

    async def view() -> list[Any]:
        return [
            type(request.body).__name__,
            type(await request.form).__name__,
            type(request.args).__name__,
            await request.get_json(force=True),
        ]

    app = _app(view)
    app.request_class = OwnRequest
    response = await app.test_client().post("/?a=1", data="{")
    assert await response.get_json() == [
        "OwnBody",
        "ImmutableMultiDict",
        "ImmutableMultiDict",
        {"failed": True},
    ]
