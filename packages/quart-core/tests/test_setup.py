"""Setup checks: what may be called when, and what may not be registered twice."""

from __future__ import annotations

from typing import Any

import pytest
from core_driver import Driver
from quart_core import Blueprint, Quart


async def view() -> str:
    return ""


async def other() -> str:
    return ""


SETUP_CALLS: dict[str, Any] = {
    "route": lambda scaffold: scaffold.route("/late"),
    "get": lambda scaffold: scaffold.get("/late"),
    "add_url_rule": lambda scaffold: scaffold.add_url_rule("/late", view_func=view),
    "before_request": lambda scaffold: scaffold.before_request(view),
    "after_request": lambda scaffold: scaffold.after_request(view),
    "teardown_request": lambda scaffold: scaffold.teardown_request(view),
    "before_websocket": lambda scaffold: scaffold.before_websocket(view),
    "errorhandler": lambda scaffold: scaffold.errorhandler(404),
    "context_processor": lambda scaffold: scaffold.context_processor(dict),
    "url_defaults": lambda scaffold: scaffold.url_defaults(view),
    "url_value_preprocessor": lambda scaffold: scaffold.url_value_preprocessor(view),
    "register_blueprint": lambda scaffold: scaffold.register_blueprint(
        Blueprint("late", __name__)
    ),
}


@pytest.mark.parametrize("name", SETUP_CALLS)
async def test_an_app_is_not_set_up_after_its_first_request(name: str) -> None:
    app = Quart(__name__)
    await Driver(app).get("/")
    with pytest.raises(AssertionError, match=f"{name!r}.*after its first request"):
        SETUP_CALLS[name](app)


@pytest.mark.parametrize("name", SETUP_CALLS)
def test_a_blueprint_is_not_set_up_after_its_registration(name: str) -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    app.register_blueprint(blueprint)
    with pytest.raises(AssertionError, match=rf"{name}\(\).*after it was registered"):
        SETUP_CALLS[name](blueprint)


def test_an_endpoint_belongs_to_one_function() -> None:
    app = Quart(__name__)
    app.add_url_rule("/a", "name", view)
    app.add_url_rule("/b", "name", view)
    with pytest.raises(AssertionError, match="'name' belongs to"):
        app.add_url_rule("/c", "name", other)


def test_a_blueprint_name_is_taken_once() -> None:
    app = Quart(__name__)
    app.register_blueprint(Blueprint("bp", __name__))
    with pytest.raises(ValueError, match="'bp' is taken"):
        app.register_blueprint(Blueprint("bp", __name__))


async def test_a_blueprint_registers_again_under_another_name() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    blueprint.add_url_rule("/", view_func=view)
    app.register_blueprint(blueprint, url_prefix="/one")
    with pytest.raises(ValueError, match="name="):
        app.register_blueprint(blueprint, url_prefix="/two")
    app.register_blueprint(blueprint, url_prefix="/two", name="again")
    driver = Driver(app)
    assert (await driver.get("/one/")).status == 200
    assert (await driver.get("/two/")).status == 200
    assert set(app.view_functions) == {"static", "bp.view", "again.view"}


@pytest.mark.parametrize("name", ["", "with.dot"])
def test_a_blueprint_name_is_not_empty_and_has_no_dot(name: str) -> None:
    with pytest.raises(ValueError, match=r"name"):
        Blueprint(name, __name__)


def test_an_endpoint_of_a_blueprint_has_no_dot() -> None:
    blueprint = Blueprint("bp", __name__)
    with pytest.raises(ValueError, match="dot"):
        blueprint.add_url_rule("/", "a.b", view)


def test_a_blueprint_is_not_nested_in_itself() -> None:
    blueprint = Blueprint("bp", __name__)
    with pytest.raises(ValueError, match="itself"):
        blueprint.register_blueprint(blueprint)


def test_methods_is_not_a_string() -> None:
    with pytest.raises(TypeError, match="pass a list"):
        Quart(__name__).add_url_rule("/", view_func=view, methods="GET")


def test_a_method_decorator_takes_no_methods() -> None:
    with pytest.raises(TypeError, match=r"get\(\) takes no methods="):
        Quart(__name__).get("/", methods=["POST"])


def test_the_instance_path_is_absolute() -> None:
    with pytest.raises(ValueError, match="must be absolute"):
        Quart(__name__, instance_path="relative")


def test_host_matching_asks_for_the_host_of_static_files() -> None:
    with pytest.raises(AssertionError, match="static_host="):
        Quart(__name__, host_matching=True)
    Quart(__name__, host_matching=True, static_folder=None)
    Quart(__name__, host_matching=True, static_host="static.example")


def test_handlers_are_for_codes_and_exception_classes() -> None:
    app = Quart(__name__)
    with pytest.raises(ValueError, match="status code 299"):
        app.register_error_handler(299, view)
    with pytest.raises(TypeError, match="instance"):
        app.register_error_handler(ValueError(), view)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a subclass of Exception"):
        app.register_error_handler(list, view)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="neither"):
        app.register_error_handler("404", view)  # type: ignore[arg-type]
