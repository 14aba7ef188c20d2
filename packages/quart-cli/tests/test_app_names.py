"""Command line: app lookup in a module."""

from types import ModuleType
from typing import Any

import pytest
from quart_cli.cli import NoAppException, find_app_by_string, find_best_app
from quart_core import Quart


def module_with(**names: Any) -> ModuleType:
    module = ModuleType("shop")
    vars(module).update(names)
    return module


def test_app_comes_before_application_and_any_other_name() -> None:
    app, application, other = Quart("a"), Quart("b"), Quart("c")
    assert (
        find_best_app(module_with(other=other, application=application, app=app)) is app
    )
    assert find_best_app(module_with(o=other, application=application)) is application


def test_the_only_application_is_taken_under_any_name() -> None:
    site = Quart("site")
    assert find_best_app(module_with(site=site, same=site, number=3)) is site


def test_an_app_that_is_no_application_is_passed_over() -> None:
    site = Quart("site")
    assert find_best_app(module_with(app=3, site=site)) is site


@pytest.mark.parametrize("name", ["create_app", "make_app"])
def test_a_factory_without_arguments_is_called(name: str) -> None:
    app = Quart("made")
    assert find_best_app(module_with(**{name: lambda: app})) is app


def test_a_factory_whose_arguments_have_defaults_is_called() -> None:
    assert find_best_app(module_with(create_app=lambda n="x": Quart(n))).name == "x"


def test_several_applications_are_named_in_the_error() -> None:
    with pytest.raises(NoAppException, match="several Quart applications: one, two"):
        find_best_app(module_with(one=Quart("one"), two=Quart("two")))


def test_a_module_without_an_application_says_what_was_looked_for() -> None:
    with pytest.raises(NoAppException) as caught:
        find_best_app(module_with())
    assert caught.value.format_message() == (
        "Module 'shop' has no Quart application: none of app, application, create_app, "
        "make_app, and no other name for one. Say which it is: --app shop:NAME"
    )


def test_a_factory_with_arguments_says_how_to_give_them() -> None:
    def create_app(name: str) -> Quart:
        return Quart(name)

    with pytest.raises(NoAppException) as caught:
        find_best_app(module_with(create_app=create_app))
    assert caught.value.format_message() == (
        "The factory in 'shop:create_app' does not take these arguments: missing a "
        "required argument: 'name'. Give them: --app \"shop:create_app('...')\""
    )


def test_a_type_error_within_a_factory_remains_itself() -> None:
    def create_app() -> Quart:
        return Quart(len(3))  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="len"):
        find_best_app(module_with(create_app=create_app))


def create(name: str = "plain", *, count: int = 0) -> Quart:
    app = Quart(name)
    app.config["COUNT"] = count
    return app


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("create", "plain", 0),
        ("create()", "plain", 0),
        ("create('x')", "x", 0),
        (" create('x', count=3) ", "x", 3),
        ("create(name='y', count=-1)", "y", -1),
    ],
)
def test_a_string_names_an_application_or_calls_a_factory(
    text: str, name: str, count: int
) -> None:
    app = find_app_by_string(module_with(create=create), text)
    assert (app.name, app.config["COUNT"]) == (name, count)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("create(", "is neither a name nor a call"),
        ("a.b", "must be a name, or a call of a name"),
        ("x.create()", "must be a name, or a call of a name"),
        ("create(name)", "must be literals"),
        ("create(**{'a': 1})", "must be literals"),
        ("creat", "has no 'creat'. Did you mean 'create'?"),
        ("number", "'shop:number' is a int, expected a Quart application"),
        ("number()", "calls a int, which cannot be called"),
        ("nothing()", "is None, expected a Quart application"),
        ("create(1, 2)", "does not take these arguments"),
        ("later", "is async; a factory must be a plain def"),
    ],
)
def test_a_bad_string_says_what_is_wrong(text: str, message: str) -> None:
    async def later() -> Quart:
        return Quart("later")

    module = module_with(create=create, number=3, nothing=lambda: None, later=later)
    with pytest.raises(NoAppException) as caught:
        find_app_by_string(module, text)
    assert message in caught.value.format_message()
