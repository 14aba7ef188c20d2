"""What extensions do besides importing: they replace, override and read all this.

Replaced is on the class or on the object, before the application is made, after it, or
after its first request; whatever the time, requests go through the replacement.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
import quart
import quart.json.provider
import quart.sessions
import quart.wrappers.request
from quart import Blueprint, Quart, abort, g, request, session, websocket
from quart.ctx import AppContext, RequestContext, WebsocketContext
from quart.globals import _cv_app, _cv_request, _cv_websocket
from quart.scaffold import Scaffold
from quart.testing import QuartClient
from quart.testing.utils import sentinel
from quart.wrappers import Response, Websocket

HTTP_STEPS = {
    "handle_request": "/",
    "full_dispatch_request": "/",
    "preprocess_request": "/",
    "dispatch_request": "/",
    "ensure_async": "/",
    "sync_to_async": "/sync",
    "finalize_request": "/",
    "make_response": "/",
    "process_response": "/",
    "do_teardown_request": "/",
    "do_teardown_appcontext": "/",
    "request_context": "/",
    "create_url_adapter": "/",
    "handle_user_exception": "/abort",
    "handle_http_exception": "/abort",
    "handle_exception": "/broken",
    "log_exception": "/broken",
    "raise_routing_exception": "/nowhere",
}
WEBSOCKET_STEPS = {
    "handle_websocket": "/ws",
    "full_dispatch_websocket": "/ws",
    "preprocess_websocket": "/ws",
    "dispatch_websocket": "/ws",
    "finalize_websocket": "/ws",
    "postprocess_websocket": "/ws",
    "do_teardown_websocket": "/ws",
    "websocket_context": "/ws",
    "ensure_async": "/ws",
    "handle_websocket_exception": "/ws/broken",
}
TIMES = ["before the app", "after the app", "after the first request"]


def make_app(cls: type[Quart] = Quart) -> Quart:
    app = cls(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.secret_key = "surface"

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/sync")
    def sync() -> str:
        return "sync"

    @app.get("/abort")
    async def aborts() -> str:
        abort(404)

    @app.get("/broken")
    async def broken() -> str:
        raise ValueError("broken")

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send("in")

    @app.websocket("/ws/broken")
    async def broken_ws() -> None:
        raise ValueError("broken")

    return app


async def visit(app: Quart, path: str) -> None:
    client = app.test_client()
    if not path.startswith("/ws"):
        await client.get(path)
        return
    try:
        async with client.websocket(path) as connection:
            await connection.receive()
    except quart.testing.WebsocketResponseError:
        assert path.endswith("broken")


def counting(method: Callable[..., Any], calls: list[str], name: str) -> Any:
    @wraps(method)
    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return method(*args, **kwargs)

    return counted


# Methods


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(
    ("name", "path"), [*HTTP_STEPS.items(), *WEBSOCKET_STEPS.items()]
)
async def test_a_method_replaced_on_the_class_at_any_time_is_called(
    monkeypatch: pytest.MonkeyPatch, name: str, path: str, time: str
) -> None:
    calls: list[str] = []

    def replace() -> None:
        monkeypatch.setattr(Quart, name, counting(getattr(Quart, name), calls, name))

    if time == "before the app":
        replace()
    app = make_app()
    if time == "after the app":
        replace()
    await visit(app, "/")
    await visit(app, path)
    if time == "after the first request":
        replace()
        calls.clear()
        await visit(app, path)
    assert calls


@pytest.mark.parametrize(
    ("name", "path"), [*HTTP_STEPS.items(), *WEBSOCKET_STEPS.items()]
)
async def test_a_method_replaced_on_the_object_is_called(name: str, path: str) -> None:
    app = make_app()
    await visit(app, path)
    calls: list[str] = []
    setattr(app, name, counting(getattr(app, name), calls, name))
    await visit(app, path)
    assert calls


@pytest.mark.parametrize(
    ("name", "path"), [*HTTP_STEPS.items(), *WEBSOCKET_STEPS.items()]
)
async def test_a_method_overridden_in_a_subclass_is_called(
    name: str, path: str
) -> None:
    calls: list[str] = []
    method = counting(getattr(Quart, name), calls, name)
    await visit(make_app(type("Mine", (Quart,), {name: method})), path)
    assert calls


@pytest.mark.parametrize("time", TIMES)
async def test_call_can_be_replaced_on_the_class(
    monkeypatch: pytest.MonkeyPatch, time: str
) -> None:
    """As Sentry does."""
    calls: list[str] = []
    original = Quart.__call__

    async def call(self: Quart, scope: Any, receive: Any, send: Any) -> None:
        calls.append(scope["path"])
        await original(self, scope, receive, send)

    def replace() -> None:
        monkeypatch.setattr(Quart, "__call__", call)

    if time == "before the app":
        replace()
    app = make_app()
    if time == "after the first request":
        await visit(app, "/")
    if time != "before the app":
        replace()
    await visit(app, "/")
    assert calls == ["/"]


def test_route_can_be_replaced_on_scaffold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Sentry does, to wrap sync views."""
    seen: list[str] = []
    original = Scaffold.route

    def route(self: Scaffold, rule: str, **options: Any) -> Any:
        decorate = original(self, rule, **options)

        def decorator(view: Any) -> Any:
            seen.append(f"{type(self).__name__} {rule} {view.__name__}")
            return decorate(view)

        return decorator

    monkeypatch.setattr(Scaffold, "route", route)
    app, blueprint = Quart(__name__), Blueprint("bp", __name__)

    @app.route("/app")
    async def of_app() -> str:
        return ""

    @app.post("/post")
    async def of_post() -> str:
        return ""

    @blueprint.get("/bp")
    def of_blueprint() -> str:
        return ""

    assert seen == [
        "Quart /app of_app",
        "Quart /post of_post",
        "Blueprint /bp of_blueprint",
    ]


# Attributes of the object


async def test_the_json_provider_can_be_replaced() -> None:
    app = make_app()

    @app.get("/json")
    async def json() -> dict[str, int]:
        return {"a": 1}

    @app.post("/json")
    async def read() -> str:
        return repr(await request.get_json())

    class Provider(quart.json.provider.DefaultJSONProvider):
        def dumps(self, object_: Any, **kwargs: Any) -> str:
            return f"dumped {object_}"

        def loads(self, object_: str | bytes, **kwargs: Any) -> Any:
            return "loaded"

    client = app.test_client()
    await client.get("/json")
    app.json = Provider(app)
    assert (
        await (await client.get("/json")).get_data(as_text=True) == "dumped {'a': 1}\n"
    )
    response = await client.post(
        "/json", data="1", headers={"Content-Type": "application/json"}
    )
    assert await response.get_data(as_text=True) == "'loaded'"


async def test_make_response_sees_every_result() -> None:
    """As Quart-Schema replaces it, on the object."""
    app = make_app()
    await visit(app, "/")
    original = app.make_response
    seen: list[Any] = []

    async def make_response(result: Any) -> Any:
        seen.append(result)
        return await original(result)

    app.make_response = make_response  # type: ignore[method-assign]
    for path in ("/", "/sync", "/abort"):
        await visit(app, path)
    assert seen[:2] == ["index", "sync"]
    assert seen[2].code == 404


async def test_the_websocket_class_can_be_replaced_by_a_subclass() -> None:
    app = make_app()
    await visit(app, "/ws")

    class Shouting(app.websocket_class):  # type: ignore[name-defined, misc]
        async def send(self, data: Any) -> None:
            await super().send(data.upper())

    app.websocket_class = Shouting
    async with app.test_client().websocket("/ws") as connection:
        assert await connection.receive() == "IN"


async def test_the_test_client_class_can_be_replaced() -> None:
    app = make_app()
    made: list[tuple[Any, ...]] = []

    class Client(QuartClient):
        async def _make_request(self, *args: Any, **kwargs: Any) -> Any:
            made.append(args)
            return await super()._make_request(*args, **kwargs)

    app.test_client_class = Client
    client = app.test_client()
    assert isinstance(client, Client)
    await client.get("/")
    assert made[0][:2] == ("/", "GET")
    assert any(value is sentinel for value in made[0])


@pytest.mark.parametrize("name", ["request_class", "response_class"])
async def test_request_and_response_class_can_be_replaced(name: str) -> None:
    app = make_app()
    await visit(app, "/")
    base: Any = getattr(app, name)
    made: list[str] = []

    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        made.append(name)
        base.__init__(self, *args, **kwargs)

    setattr(app, name, type("Mine", (base,), {"__init__": construct}))
    await visit(app, "/")
    assert name in made


@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_connection_classes_can_be_replaced(path: str) -> None:
    app = make_app()
    await visit(app, path)
    name = "asgi_http_class" if path == "/" else "asgi_websocket_class"
    base: Any = getattr(app, name)
    served: list[str] = []

    class Connection(base):  # type: ignore[misc]
        async def __call__(self, receive: Any, send: Any) -> None:
            served.append(self.scope["path"])
            await super().__call__(receive, send)

    setattr(app, name, Connection)
    await visit(app, path)
    assert served == [path]


async def test_the_session_interface_can_be_replaced() -> None:
    app = make_app()
    events: list[str] = []

    class Interface(quart.sessions.SessionInterface):
        async def open_session(self, app: Any, request: Any) -> Any:
            events.append("open")
            return quart.sessions.SecureCookieSession({"name": "Ada"})

        async def save_session(self, app: Any, session: Any, response: Any) -> None:
            events.append("save")

    @app.get("/session")
    async def read() -> str:
        return session["name"]

    await visit(app, "/")
    app.session_interface = Interface()
    response = await app.test_client().get("/session")
    assert await response.get_data(as_text=True) == "Ada"
    assert events == ["open", "save"]


# Contexts


@pytest.mark.parametrize(
    ("variable", "cls", "make"),
    [
        (_cv_app, AppContext, lambda app: app.app_context()),
        (_cv_request, RequestContext, lambda app: app.test_request_context("/")),
    ],
)
async def test_contexts_are_copied_and_entered_again(
    variable: Any, cls: type, make: Any
) -> None:
    """As Quart-Flask-Patch does for each call without await."""
    app = make_app()
    async with make(app):
        g.seen = "kept"
        context = variable.get()
        assert isinstance(context, cls)
        copy = context.copy()
    assert variable.get(None) is None
    async with copy:
        assert variable.get() is copy
        assert quart.current_app.name == app.name
        if cls is RequestContext:
            assert request.path == "/"
    assert variable.get(None) is None


async def test_the_context_of_a_websocket_is_copied_and_entered_again() -> None:
    app = make_app()
    seen: list[Any] = []

    @app.websocket("/copy")
    async def copies() -> None:
        context = _cv_websocket.get()
        assert isinstance(context, WebsocketContext)
        async with context.copy():
            seen.append(websocket.path)
        seen.append(websocket.path)
        await websocket.send("done")

    await visit(app, "/copy")
    await visit(app, "/ws")
    async with app.test_client().websocket("/copy") as connection:
        assert await connection.receive() == "done"
    assert seen[-2:] == ["/copy", "/copy"]


async def test_a_preserved_context_is_kept_on_the_application() -> None:
    app = make_app()
    async with app.test_client() as client:
        await client.get("/")
        assert app._preserved_context is not None
        assert request.path == "/"


def test_a_context_is_entered_in_a_loop_of_its_own() -> None:
    """As Quart-Imp does while an application is made."""
    app = make_app()
    names: list[str] = []

    async def enter() -> None:
        async with app.app_context():
            names.append(quart.current_app.name)

    thread = threading.Thread(target=lambda: asyncio.run(enter()))
    thread.start()
    thread.join(timeout=10)
    assert names == [app.name]


# Event loops of other kinds


class Event:
    """An event of another event loop."""

    made: list[Event] = []

    def __init__(self) -> None:
        self._is_set = False
        self.made.append(self)

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    async def wait(self) -> None:
        assert self._is_set, "nothing sets it here"


class Lock:
    """A lock of another event loop."""

    taken = 0

    async def __aenter__(self) -> None:
        type(self).taken += 1

    async def __aexit__(self, *args: object) -> None:
        pass


@pytest.fixture
def without_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody make what belongs to asyncio's loop."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("made for asyncio, where others stand in")

    for name in ("Event", "Lock", "Queue", "Condition", "Semaphore"):
        monkeypatch.setattr(asyncio, name, refuse)


@pytest.mark.usefixtures("without_asyncio")
def test_nothing_of_asyncio_is_made_where_others_stand_in() -> None:
    """A request is driven by hand, so whatever asks for the loop fails."""

    class Body(quart.wrappers.request.Body):
        event_class = Event

    class Request(quart.wrappers.Request):
        body_class = Body
        lock_class = Lock

    class Other(Quart):
        event_class = Event
        lock_class = Lock
        request_class = Request

    app = Other(__name__)
    app.secret_key = "other"

    @app.post("/")
    async def index() -> dict[str, str]:
        session["seen"] = "yes"
        return (await request.form).to_dict()

    async def serve() -> Any:
        await app.startup()
        made = app.request_class(
            "POST",
            "http",
            "/",
            b"",
            quart.wrappers.request.Headers(
                {"Content-Type": "application/x-www-form-urlencoded"}
            ),
            "",
            "1.1",
            {"type": "http", "path": "/", "method": "POST"},
            send_push_promise=None,
        )
        made.body.append(b"a=1")
        made.body.set_complete()
        response = await app.handle_request(made)
        data = await response.get_data(as_text=True)
        await app.shutdown()
        return data

    coroutine = serve()
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    assert caught.value.value == '{"a":"1"}\n'
    assert isinstance(app.shutdown_event, Event)
    assert app.shutdown_event.is_set()


# What is read


def test_rules_tell_of_their_views() -> None:
    app = make_app()
    app.add_url_rule("/films/<int:number>", "film", make_app, methods=["PUT"])
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    assert rules["film"].methods == {"PUT", "OPTIONS"}
    converter = rules["film"]._converters["number"]
    assert type(converter).__mro__[-2].__module__ == "werkzeug.routing.converters"
    assert rules["ws"].websocket
    assert not rules["film"].websocket
    assert set(rules) <= set(app.view_functions)


async def test_views_say_which_methods_they_need() -> None:
    """As Quart-CORS has it for its preflights."""
    app = Quart(__name__)

    async def view() -> str:
        return request.method

    view.required_methods = ["OPTIONS"]  # type: ignore[attr-defined]
    view.provide_automatic_options = False  # type: ignore[attr-defined]
    app.add_url_rule("/", "view", view)

    @app.route("/default", methods=["POST"])
    async def default() -> str:
        return ""

    response = await app.test_client().options("/")
    assert await response.get_data(as_text=True) == "OPTIONS"
    async with app.test_request_context("/default", method="OPTIONS"):
        options = await app.make_default_options_response()
    assert set(options.allow) == {"POST", "OPTIONS"}


async def test_the_shutdown_event_and_background_tasks_are_attributes() -> None:
    """As Quart-Tasks uses them."""
    app = make_app()
    ran = asyncio.Event()

    async def task() -> None:
        await app.shutdown_event.wait()
        ran.set()

    await app.startup()
    app.add_background_task(task)
    assert len(app.background_tasks) == 1
    assert not app.shutdown_event.is_set()
    await app.shutdown()
    assert ran.is_set()
    assert not app.background_tasks


async def test_folders_are_set_later(tmp_path: Any) -> None:
    """As Quart-Imp does."""
    app = Quart(__name__, static_folder=None)
    (tmp_path / "page.html").write_text("{{ name }}!")
    (tmp_path / "a.txt").write_text("a file")
    app.static_folder = tmp_path
    app.template_folder = str(tmp_path)

    @app.get("/")
    async def page() -> str:
        return await quart.render_template("page.html", name="Ada")

    @app.get("/file")
    async def file() -> Any:
        return await app.send_static_file("a.txt")

    client = app.test_client()
    assert await (await client.get("/")).get_data(as_text=True) == "Ada!"
    assert await (await client.get("/file")).get_data(as_text=True) == "a file"


async def test_extensions_find_what_they_put_there() -> None:
    """As Quart-WTF, Quart-Babel and Quart-Uploads do in `init_app`."""
    app = Quart(__name__)
    app.extensions["mine"] = sentinel
    app.jinja_env.globals["shout"] = str.upper
    app.jinja_env.filters["quiet"] = str.lower
    app.context_processor(lambda: {"name": "Ada"})
    blueprint = Blueprint("_mine", __name__, url_prefix="/_mine")

    @blueprint.get("/")
    async def page() -> str:
        return await quart.render_template_string("{{ shout(name) }} {{ name|quiet }}")

    app.register_blueprint(blueprint)
    assert app.blueprints["_mine"] is blueprint
    response = await app.test_client().get("/_mine/")
    assert await response.get_data(as_text=True) == "ADA ada"
    assert app.extensions["mine"] is sentinel


async def test_hooks_of_both_kinds_set_cookies() -> None:
    """As Quart-Auth does after requests and after websockets."""
    app = make_app()
    seen: list[Response | None] = []

    @app.after_request
    async def after(response: Response) -> Response:
        response.set_cookie("seen", "yes", httponly=True, samesite="Lax")
        return response

    @app.after_websocket
    async def after_websocket(response: Response | None) -> Response | None:
        seen.append(response)
        return response

    response = await app.test_client().get("/")
    assert "seen=yes" in response.headers["Set-Cookie"]
    await visit(app, "/ws")
    assert seen == [None]


async def test_the_body_of_a_response_is_set() -> None:
    """As Dash and Strawberry do."""
    response = Response("before")
    response.set_data("after")
    assert await response.get_data(as_text=True) == "after"
    assert response.content_length == 5


async def test_proxies_give_their_objects() -> None:
    """As aiocqhttp does, to keep a websocket beyond its handler."""
    app = make_app()
    kept: list[Any] = []

    @app.websocket("/keep")
    async def keep() -> None:
        kept.append(websocket._get_current_object())  # type: ignore[attr-defined]
        await websocket.send("kept")

    app.got_first = False  # type: ignore[attr-defined]
    async with app.test_client().websocket("/keep") as connection:
        await connection.receive()
    assert isinstance(kept[0], Websocket)


def test_installers_take_it_for_what_extensions_ask_for() -> None:
    """The strictest lower bound met is 0.20; a pre-release would not be chosen."""
    numbers = importlib.metadata.version("quart").split(".")
    assert all(number.isdigit() for number in numbers)
    assert tuple(map(int, numbers)) >= (0, 24)
