"""URLs: building them, rules, converters, hosts."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Blueprint, Quart, request, url_for
from werkzeug.routing import BaseConverter, BuildError


def _app(**options: Any) -> Quart:
    app = Quart("urls", **options)

    @app.get("/a/<name>")
    async def a(name: str) -> str:
        return name

    @app.get("/plain")
    async def plain() -> str:
        return ""

    app.add_url_rule("/get", "both", plain, methods=["GET"])
    app.add_url_rule("/post", "both", plain, methods=["POST"])
    app.add_url_rule("/ws", "ws", websocket=True)
    return app


@pytest.mark.parametrize(
    ("endpoint", "values", "expected"),
    [
        ("a", {"name": "ü /"}, "/a/%C3%BC%20/"),
        ("plain", {"b": 2, "a": 1}, {"/plain?a=1&b=2", "/plain?b=2&a=1"}),
        ("plain", {"x": [1, 2]}, "/plain?x=1&x=2"),
        ("plain", {"x": None}, "/plain"),
        ("plain", {"_anchor": "ü x"}, "/plain#%C3%BC%20x"),
        ("both", {"_method": "POST"}, "/post"),
        ("both", {"_method": "GET"}, "/get"),
        ("plain", {"_external": True}, "http://localhost/plain"),
        ("plain", {"_scheme": "https"}, "https://localhost/plain"),
        ("plain", {"_scheme": "https", "_external": True}, "https://localhost/plain"),
        ("ws", {}, "ws://localhost/ws"),
    ],
)
async def test_url_in_a_request(endpoint: str, values: Any, expected: Any) -> None:
    async with _app().test_request_context("/"):
        url = url_for(endpoint, **values)
    assert url in expected if isinstance(expected, set) else url == expected


async def test_scheme_without_external_is_a_value_error() -> None:
    async with _app().test_request_context("/"):
        with pytest.raises(ValueError, match="_scheme"):
            url_for("plain", _scheme="https", _external=False)


async def test_outside_of_requests_urls_are_external() -> None:
    app = _app()
    async with app.app_context():
        with pytest.raises(RuntimeError, match="SERVER_NAME"):
            url_for("plain")
    app.config["SERVER_NAME"] = "example.com"
    async with app.app_context():
        assert url_for("plain") == "http://example.com/plain"
        assert url_for("plain", _external=False) == "/plain"


async def test_leading_dot_stands_for_the_blueprint() -> None:
    app, outer, inner = Quart("urls"), Blueprint("o", "urls"), Blueprint("i", "urls")

    @inner.get("/inner")
    async def view() -> list[str]:
        return [url_for(".view"), url_for("o.top"), url_for("o.i.view")]

    outer.add_url_rule("/top", "top", lambda: [url_for(".top"), url_for(".i.view")])
    outer.register_blueprint(inner)
    app.register_blueprint(outer, url_prefix="/o")
    client = app.test_client()
    got = await (await client.get("/o/inner")).get_json()
    assert got == ["/o/inner", "/o/top", "/o/inner"]
    assert await (await client.get("/o/top")).get_json() == ["/o/top", "/o/inner"]


async def test_unbuildable_urls_go_to_the_handlers() -> None:
    app = _app()
    app.url_build_error_handlers.append(
        lambda error, endpoint, values: f"/made/{endpoint}" if "x" in values else None
    )
    async with app.test_request_context("/"):
        assert url_for("none", x=1) == "/made/none"
        with pytest.raises(BuildError):
            url_for("a")


async def test_url_defaults_and_value_preprocessors() -> None:
    app = Quart("urls")
    seen = []

    @app.url_defaults
    def defaults(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", "en")

    @app.url_value_preprocessor
    def pull(endpoint: str | None, values: dict[str, Any] | None) -> None:
        seen.append((endpoint, (values or {}).pop("lang", None)))

    @app.get("/<lang>/page")
    async def page() -> str:
        return url_for("page")

    response = await app.test_client().get("/de/page")
    assert await response.get_data(as_text=True) == "/en/page"
    assert seen == [("page", "de")]


async def test_url_for_of_the_app_is_overridable() -> None:
    class App(Quart):
        def url_for(self, endpoint: str, **values: Any) -> str:
            return f"own {endpoint}"

    async with App("urls").app_context():
        assert url_for("x") == "own x"


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("/<string:v>", "/x", "x"),
        ("/<string(length=2):v>", "/x", None),
        ("/<int:v>", "/5", 5),
        ("/<int:v>", "/-5", None),
        ("/<int(signed=True):v>", "/-5", -5),
        ("/<float:v>", "/1.5", 1.5),
        ("/<path:v>", "/a/b", "a/b"),
        (
            "/<uuid:v>",
            "/00000000-0000-0000-0000-000000000005",
            "00000000-0000-0000-0000-000000000005",
        ),
        ("/<any(a,b):v>", "/b", "b"),
        ("/<any(a,b):v>", "/c", None),
        ("/<list:v>", "/a+b", ["a", "b"]),
    ],
)
async def test_converters(rule: str, path: str, value: Any) -> None:
    class ListConverter(BaseConverter):
        def to_python(self, value: str) -> list[str]:
            return value.split("+")

    app = Quart("urls")
    app.url_map.converters["list"] = ListConverter
    app.add_url_rule(rule, "v", lambda v: {"v": v})
    response = await app.test_client().get(path)
    assert response.status_code == (404 if value is None else 200)
    if value is not None:
        assert (await response.get_json())["v"] == value


async def test_rule_options() -> None:
    app = Quart("urls")
    app.add_url_rule(
        "/page/", "page", lambda number: str(number), defaults={"number": 1}
    )
    app.add_url_rule("/page/<int:number>", "page")
    app.add_url_rule("/loose/", "loose", lambda: "loose", strict_slashes=False)
    app.add_url_rule("/old", "old", redirect_to="/page/")
    app.add_url_rule("/alias", "page", alias=True, defaults={"number": 1})
    app.add_url_rule("/build", "build", build_only=True)
    app.add_url_rule("/merge/x", "merge", lambda: "m", merge_slashes=True)
    client = app.test_client()

    async def location(path: str) -> tuple[int, str | None]:
        response = await client.get(path)
        return response.status_code, response.headers.get("Location")

    assert await location("/page/1") == (308, "http://localhost/page/")
    assert await location("/loose") == (200, None)
    assert await location("/old") == (308, "http://localhost/page/")
    assert await location("/alias") == (308, "http://localhost/page/")
    assert await location("/build") == (404, None)
    assert await location("/merge//x") == (308, "http://localhost/merge/x")
    async with app.test_request_context("/"):
        assert url_for("build") == "/build"
        assert url_for("page", number=1) == "/page/"


# Hosts


async def _text(app: Quart, host: str, path: str = "/") -> str:
    response = await app.test_client().get(path, headers={"Host": host})
    text = await response.get_data(as_text=True)
    return text if response.status_code == 200 else str(response.status_code)


async def test_subdomain_matching() -> None:
    app = Quart("urls", subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com:5000"
    app.add_url_rule("/", "top", lambda: "top")
    app.add_url_rule("/", "sub", lambda u: f"sub {u}", subdomain="<u>")
    app.add_url_rule("/", "api", lambda: "api", subdomain="api")
    blueprint = Blueprint("bp", "urls", subdomain="bp")
    blueprint.add_url_rule("/x", "x", lambda: url_for(".x", _external=True))
    app.register_blueprint(blueprint)
    assert await _text(app, "example.com:5000") == "top"
    assert await _text(app, "api.example.com:5000") == "api"
    assert await _text(app, "Ada.example.com:5000") == "sub ada"
    assert await _text(app, "bp.example.com:5000", "/x") == (
        "http://bp.example.com:5000/x"
    )


async def test_other_hosts_match_the_invalid_subdomain_with_a_warning() -> None:
    app = Quart("urls", subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "top", lambda: "top")
    with pytest.warns(UserWarning, match="server name"):
        assert await _text(app, "other.org") == "404"


async def test_server_name_does_not_restrict_hosts_as_in_flask() -> None:
    app = Quart("urls")
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "top", lambda: request.host)
    assert await _text(app, "other.org") == "other.org"


async def test_host_matching() -> None:
    app = Quart("urls", host_matching=True, static_folder=None)
    app.add_url_rule("/", "one", lambda: "one", host="one.com")
    app.add_url_rule("/", "any", lambda h: f"any {h}", host="<h>.net")
    assert await _text(app, "one.com") == "one"
    assert await _text(app, "ONE.com:80") == "one"
    assert await _text(app, "x.net") == "any x"
    assert await _text(app, "two.com") == "404"


def test_static_host_is_required_with_host_matching() -> None:
    with pytest.raises(AssertionError, match="static_host"):
        Quart("urls", host_matching=True, static_folder="static")
    Quart("urls", host_matching=True, static_host="static.com")
