"""URLs: building them, and which host a rule is for."""

from __future__ import annotations

from typing import Any

import pytest
from core_driver import Driver
from quart_core import Blueprint, Quart, request, url_for
from werkzeug.routing import BaseConverter, BuildError, RequestRedirect


async def view(**kwargs: Any) -> str:
    return ""


def app_with_rules() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.add_url_rule("/", "index", view)
    app.add_url_rule("/item/<int:id>", "item", view)
    app.add_url_rule("/multi", "multi", view, methods=["GET"])
    app.add_url_rule("/multi/post", "multi", view, methods=["POST"])
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")
    blueprint.add_url_rule("/", "index", view)
    app.register_blueprint(blueprint)
    return app


async def build(app: Quart, at: str, endpoint: str, /, **values: Any) -> str:
    """Return the URL that a request at a path builds."""
    built: list[Any] = []

    @app.before_request
    async def before() -> str:
        try:
            built.append(url_for(endpoint, **values))
        except Exception as error:
            built.append(error)
        return ""

    await Driver(app).get(at)
    if isinstance(built[0], Exception):
        raise built[0]
    return str(built[0])


@pytest.mark.parametrize(
    ("endpoint", "values", "url"),
    [
        ("index", {}, "/"),
        ("item", {"id": 3}, "/item/3"),
        ("index", {"q": "a b"}, "/?q=a+b"),
        ("index", {"q": [1, 2]}, "/?q=1&q=2"),
        ("index", {"q": None}, "/"),
        ("index", {"_anchor": "x y"}, "/#x%20y"),
        ("multi", {"_method": "GET"}, "/multi"),
        ("multi", {"_method": "POST"}, "/multi/post"),
        ("index", {"_external": True}, "http://localhost/"),
        ("index", {"_scheme": "https"}, "https://localhost/"),
        ("index", {"_scheme": "https", "_external": True}, "https://localhost/"),
        ("bp.index", {}, "/bp/"),
        (".index", {}, "/"),
    ],
)
async def test_urls_inside_a_request(
    endpoint: str, values: dict[str, Any], url: str
) -> None:
    assert await build(app_with_rules(), "/", endpoint, **values) == url


async def test_a_leading_dot_is_the_current_blueprint() -> None:
    assert await build(app_with_rules(), "/bp/", ".index") == "/bp/"


async def test_a_scheme_without_external_is_an_error() -> None:
    with pytest.raises(ValueError, match="_scheme"):
        await build(app_with_rules(), "/", "index", _scheme="https", _external=False)


async def test_an_unknown_endpoint_is_a_build_error() -> None:
    with pytest.raises(BuildError, match="nowhere"):
        await build(app_with_rules(), "/", "nowhere")


async def test_websocket_urls_are_absolute() -> None:
    app = app_with_rules()
    app.add_url_rule("/ws", "ws", view, websocket=True)
    assert await build(app, "/", "ws") == "ws://localhost/ws"


async def test_outside_a_request_urls_are_external_and_need_a_host() -> None:
    app = app_with_rules()
    async with app.app_context():
        with pytest.raises(RuntimeError, match="SERVER_NAME"):
            url_for("index")
    app.config.update(SERVER_NAME="example.com", APPLICATION_ROOT="/root")
    async with app.app_context():
        assert url_for("index") == "http://example.com/root/"
        assert url_for("index", _external=False) == "/root/"
    app.config["PREFER_SECURE_URLS"] = True
    async with app.app_context():
        assert url_for("index") == "https://example.com/root/"


async def test_build_error_handlers_may_find_a_url() -> None:
    app = app_with_rules()
    seen = []

    def give_up(error: Exception, endpoint: str, values: dict[str, Any]) -> str:
        raise error

    def external(error: Exception, endpoint: str, values: dict[str, Any]) -> str:
        seen.append((endpoint, dict(values)))
        return "/elsewhere"

    app.url_build_error_handlers += [give_up, external]  # type: ignore[list-item]
    assert await build(app, "/", "nowhere", a=1, _anchor="x") == "/elsewhere"
    endpoint, values = seen[0]
    assert endpoint == "nowhere"
    assert (values["a"], values["_anchor"], values["_external"]) == (1, "x", False)


async def test_url_defaults_add_values() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    app.add_url_rule("/<lang>/", "index", view)
    blueprint.add_url_rule("/<lang>/<page>/", "index", view)

    @app.url_defaults
    def language(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", "de")

    @blueprint.url_defaults
    def page(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("page", "first")

    app.register_blueprint(blueprint)
    assert await build(app, "/x/", "bp.index") == "/de/first/"


async def test_url_for_can_be_overridden() -> None:
    class Secure(Quart):
        def url_for(self, endpoint: str, **values: Any) -> str:  # type: ignore[override]
            return "overridden " + super().url_for(endpoint, **values)

    app = Secure(__name__)
    app.add_url_rule("/", "index", view)
    assert await build(app, "/", "index") == "overridden /"


# Matching


async def test_own_converters_are_used() -> None:
    class ListConverter(BaseConverter):
        def to_python(self, value: str) -> list[str]:
            return value.split("+")

        def to_url(self, value: Any) -> str:
            return "+".join(value)

    app = Quart(__name__)
    app.url_map.converters["list"] = ListConverter

    @app.get("/<list:names>")
    async def names(names: list[str]) -> list[str]:
        return [url_for("names", names=names), *names]

    assert (await Driver(app).get("/a+b")).json == ["/a+b", "a", "b"]


async def test_defaults_redirect_to_the_shorter_url() -> None:
    app = Quart(__name__)

    @app.get("/pages/", defaults={"page": 1})
    @app.get("/pages/<int:page>")
    async def pages(page: int) -> str:
        return str(page)

    driver = Driver(app)
    assert (await driver.get("/pages/")).text == "1"
    assert (await driver.get("/pages/2")).text == "2"
    answer = await driver.get("/pages/1")
    assert answer.status == 308
    assert answer.headers["Location"] == "http://localhost/pages/"


async def test_flask_rule_options_work() -> None:
    app = Quart(__name__)
    app.add_url_rule("/new", "new", view)
    app.add_url_rule("/old", "old", redirect_to="/new")
    app.add_url_rule("/alias", "new", view, alias=True)
    app.add_url_rule("/built", "built", build_only=True)
    driver = Driver(app)
    assert (await driver.get("/old")).headers["Location"].endswith("/new")
    assert (await driver.get("/alias")).status == 308
    assert (await driver.get("/built")).status == 404
    assert await build(app_with_rules_and_build_only(), "/", "built") == "/built"


def app_with_rules_and_build_only() -> Quart:
    app = app_with_rules()
    app.add_url_rule("/built", "built", build_only=True)
    return app


async def test_a_websocket_rule_refuses_http() -> None:
    app = Quart(__name__)
    app.add_url_rule("/ws", "ws", view, websocket=True)
    assert (await Driver(app).get("/ws")).status == 400


# Hosts


async def host_answer(app: Quart, host: str, path: str = "/") -> Any:
    return await Driver(app).get(path, headers=[("Host", host)])


async def test_server_name_alone_restricts_no_host() -> None:
    app = app_with_rules()
    app.config["SERVER_NAME"] = "example.com"
    assert (await host_answer(app, "other.org")).status == 200


async def test_subdomains_are_matched_below_server_name() -> None:
    app = Quart(__name__, subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"

    @app.get("/", subdomain="<user>")
    async def profile(user: str) -> str:
        return user

    @app.get("/")
    async def home() -> str:
        return "home"

    assert (await host_answer(app, "ada.example.com")).text == "ada"
    assert (await host_answer(app, "example.com")).text == "home"
    with pytest.warns(UserWarning, match="does not match the server name"):
        assert (await host_answer(app, "other.org")).text == "<invalid>"


async def test_hosts_are_matched_without_case_and_default_port() -> None:
    app = Quart(__name__, host_matching=True, static_folder=None)

    @app.get("/", host="one.example")
    async def one() -> str:
        return "one"

    @app.get("/", host="two.example")
    async def two() -> str:
        return "two"

    assert (await host_answer(app, "ONE.example")).text == "one"
    assert (await host_answer(app, "two.example:80")).text == "two"
    assert (await host_answer(app, "three.example")).status == 404


async def test_trusted_hosts_are_enforced() -> None:
    app = app_with_rules()
    app.config["TRUSTED_HOSTS"] = ["example.com", ".trusted.org"]
    assert (await host_answer(app, "example.com")).status == 200
    assert (await host_answer(app, "deep.trusted.org")).status == 200
    for host in ("evil.com", "example.com.evil.com", "exampleXcom", "trusted.org.evil"):
        assert (await host_answer(app, host)).status == 400


async def test_request_knows_its_rule() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)

    @blueprint.get("/item/<int:id>")
    async def item(id: int) -> dict[str, Any]:
        return {
            "endpoint": request.endpoint,
            "blueprint": request.blueprint,
            "rule": request.url_rule.rule if request.url_rule else None,
            "args": request.view_args,
        }

    app.register_blueprint(blueprint)
    assert (await Driver(app).get("/item/3")).json == {
        "endpoint": "bp.item",
        "blueprint": "bp",
        "rule": "/item/<int:id>",
        "args": {"id": 3},
    }


async def test_rules_of_subdomains_match_without_subdomain_matching() -> None:
    app = Quart(__name__, static_folder=None)
    app.config["SERVER_NAME"] = "example.com:5000"
    seen: list[str] = []

    async def of_subdomain() -> str:
        seen.append(url_for("plain", _external=True))
        return url_for("of_subdomain", _external=True)

    app.add_url_rule("/s", "of_subdomain", of_subdomain, subdomain="api")
    app.add_url_rule("/", "plain", view)
    driver = Driver(app)

    async def status(path: str, host: str) -> int:
        return (await driver("GET", path, headers=[("Host", host)])).status

    assert await status("/s", "api.example.com:5000") == 200
    assert seen == ["http://example.com:5000/"]
    # SERVER_NAME restricts no host, and these rules come before those of subdomains.
    assert await status("/", "api.example.com:5000") == 200
    assert await status("/", "other.org") == 200
    assert await status("/s", "example.com:5000") == 404
    assert await status("/s", "other.org") == 404


async def test_rules_without_a_subdomain_come_first_without_subdomain_matching() -> (
    None
):
    app = Quart(__name__, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"

    async def name(name: str) -> str:
        return name

    app.add_url_rule("/", "plain", name, defaults={"name": "plain"})
    app.add_url_rule("/", "sub", name, subdomain="<name>")
    answer = await Driver(app)("GET", "/", headers=[("Host", "a.example.com")])
    assert answer.text == "plain"


async def test_a_value_of_a_url_may_be_called_self() -> None:
    assert await build(app_with_rules(), "/", "index", self="2") == "/?self=2"


async def test_a_redirect_that_loses_the_body_is_an_error_in_debug_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Quart(__name__, static_folder=None)
    app.add_url_rule("/form/", "form", view, methods=["POST"])
    driver = Driver(app)
    assert (await driver("POST", "/form")).status == 308
    monkeypatch.setattr(RequestRedirect, "code", 301)
    assert (await driver("POST", "/form")).status == 301
    app.debug = True
    with pytest.raises(AssertionError, match="canonical URL 'http://localhost/form/'"):
        await driver("POST", "/form")


async def test_without_a_host_urls_are_paths() -> None:
    app = Quart(__name__)

    @app.get("/a")
    async def a() -> list[str]:
        return [
            url_for("a", _external=True),
            url_for("a", _scheme="https", _anchor="x"),
        ]

    answer = await Driver(app)("GET", "/a", headers=[("Host", "")])
    assert answer.json == ["/a", "/a#x"]
