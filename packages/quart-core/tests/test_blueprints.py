"""Blueprints: names, prefixes, nesting, static files, functions for the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Blueprint, Quart, abort, request, url_for
from quart_core.blueprints import BlueprintSetupState


async def view(**values: Any) -> dict[str, Any]:
    return {
        "endpoint": request.endpoint,
        "blueprint": request.blueprint,
        "blueprints": request.blueprints,
        "values": values,
    }


@pytest.mark.parametrize(
    ("prefix", "rule", "path"),
    [
        (None, "/x", "/x"),
        ("/p", "/x", "/p/x"),
        ("/p/", "/x", "/p/x"),
        ("/p", "x", "/p/x"),
        ("/p/", "x", "/p/x"),
        ("/p", "/", "/p/"),
        ("/p", "", "/p"),
        ("/p/", "", "/p/"),
    ],
)
async def test_prefix_and_rule_are_joined_by_one_slash(
    prefix: str | None, rule: str, path: str
) -> None:
    app = Quart(__name__, static_folder=None)
    blueprint = Blueprint("bp", __name__, url_prefix=prefix)
    blueprint.add_url_rule(rule, view_func=view)
    app.register_blueprint(blueprint)
    assert [str(rule) for rule in app.url_map.iter_rules()] == [path]
    assert (await Driver(app).get(path)).json["endpoint"] == "bp.view"


async def test_registration_options_win_over_the_blueprint() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__, url_prefix="/own", url_defaults={"a": 1})
    blueprint.add_url_rule("/x", view_func=view, defaults={"c": 3})
    app.register_blueprint(blueprint, url_prefix="/given", url_defaults={"b": 2})
    answer = await Driver(app).get("/given/x")
    assert answer.json["values"] == {"a": 1, "b": 2, "c": 3}


async def test_nested_blueprints_join_names_and_prefixes() -> None:
    app = Quart(__name__)
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    middle = Blueprint("middle", __name__)
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    inner.add_url_rule("/x", view_func=view)
    middle.register_blueprint(inner, url_prefix="/renamed")
    outer.register_blueprint(middle)
    app.register_blueprint(outer)
    answer = await Driver(app).get("/outer/renamed/x")
    assert answer.json == {
        "endpoint": "outer.middle.inner.view",
        "blueprint": "outer.middle.inner",
        "blueprints": ["outer.middle.inner", "outer.middle", "outer"],
        "values": {},
    }
    assert list(app.blueprints) == ["outer", "outer.middle", "outer.middle.inner"]
    assert list(app.iter_blueprints()) == [outer, middle, inner]


async def test_subdomains_of_nested_blueprints_are_joined() -> None:
    app = Quart(__name__, subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"
    outer = Blueprint("outer", __name__, subdomain="api")
    inner = Blueprint("inner", __name__, subdomain="v1")
    inner.add_url_rule("/x", view_func=view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    headers = [("Host", "v1.api.example.com")]
    assert (await Driver(app).get("/x", headers=headers)).status == 200


async def test_error_handlers_of_a_blueprint_are_for_its_views_only() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)

    @blueprint.errorhandler(403)
    async def handle(error: Exception) -> tuple[str, int]:
        return "blueprint", 403

    @blueprint.app_errorhandler(404)
    async def handle_app(error: Exception) -> tuple[str, int]:
        return "for the app", 404

    @blueprint.get("/inside")
    async def inside() -> str:
        abort(403)

    @app.get("/outside")
    async def outside() -> str:
        abort(403)

    app.register_blueprint(blueprint)
    driver = Driver(app)
    assert (await driver.get("/inside")).text == "blueprint"
    assert (await driver.get("/outside")).text != "blueprint"
    assert (await driver.get("/nowhere")).text == "for the app"


async def test_app_functions_of_a_blueprint_run_for_every_request() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    ran = []

    @blueprint.before_app_request
    async def before() -> None:
        ran.append("before")

    @blueprint.after_app_request
    async def after(response: Any) -> Any:
        ran.append("after")
        return response

    @blueprint.teardown_app_request
    async def teardown(exc: Any) -> None:
        ran.append("teardown")

    @blueprint.app_url_value_preprocessor
    def preprocess(endpoint: Any, values: Any) -> None:
        ran.append("preprocess")

    app.register_blueprint(blueprint)
    await Driver(app).get("/nowhere")
    assert ran == ["preprocess", "before", "after", "teardown"]


async def test_app_functions_are_registered_once_for_two_registrations() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    ran = []

    @blueprint.before_app_request
    async def before() -> None:
        ran.append("before")

    app.register_blueprint(blueprint, url_prefix="/a")
    app.register_blueprint(blueprint, url_prefix="/b", name="again")
    await Driver(app).get("/nowhere")
    assert ran == ["before"]


def test_recorded_functions_get_the_setup_state() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__, url_prefix="/p")
    states: list[BlueprintSetupState] = []
    firsts: list[BlueprintSetupState] = []
    blueprint.record(states.append)
    blueprint.record_once(firsts.append)
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again", url_prefix="/q")
    assert [state.url_prefix for state in states] == ["/p", "/q"]
    assert [state.first_registration for state in states] == [True, False]
    assert states[0].app is app
    assert states[0].blueprint is blueprint
    assert len(firsts) == 1


def test_registering_can_be_overridden() -> None:
    class Own(Blueprint):
        def register(self, app: Any, options: dict[str, Any]) -> None:
            app.extensions["registered"] = options["url_prefix"]
            super().register(app, options)

    app = Quart(__name__)
    app.register_blueprint(Own("own", __name__), url_prefix="/p")
    assert app.extensions == {"registered": "/p"}


async def test_static_files_of_a_blueprint(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("content")
    app = Quart(__name__)
    blueprint = Blueprint(
        "bp",
        __name__,
        url_prefix="/bp",
        static_folder="files",
        static_url_path="/assets",
        root_path=tmp_path,
    )
    app.register_blueprint(blueprint)
    answer = await Driver(app).get("/bp/assets/a.txt")
    assert answer.text == "content"
    async with app.app_context():
        app.config["SERVER_NAME"] = "localhost"
        url = app.url_for("bp.static", filename="a.txt", _external=False)
    assert url == "/bp/assets/a.txt"


async def test_a_blueprint_decides_how_long_its_files_are_cached(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_text("content")

    class Short(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int:
            return 7

    app = Quart(__name__)
    app.register_blueprint(Short("bp", __name__, "x", "/s", root_path=tmp_path.parent))
    blueprint = app.blueprints["bp"]
    blueprint.static_folder = str(tmp_path)
    answer = await Driver(app).get("/s/a.txt")
    assert "max-age=7" in answer.headers["Cache-Control"]


async def test_a_relative_endpoint_is_the_blueprints_own() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @blueprint.get("/")
    async def index() -> str:
        return url_for(".index")

    app.register_blueprint(blueprint)
    assert (await Driver(app).get("/bp/")).text == "/bp/"


async def test_one_blueprint_serves_two_apps() -> None:
    blueprint = Blueprint("bp", __name__)
    blueprint.add_url_rule("/x", view_func=view)
    for _ in range(2):
        app = Quart(__name__)
        app.register_blueprint(blueprint)
        assert (await Driver(app).get("/x")).status == 200
