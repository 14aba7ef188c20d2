"""Finding the application in a module: by its usual names, or as ``--app`` says."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .errors import NoAppException

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("find_app_by_string", "find_best_app")

APP_NAMES: Final = ("app", "application")
FACTORY_NAMES: Final = ("create_app", "make_app")


def find_best_app(module: ModuleType) -> Quart:
    """Return the application of a module. API of ``quart.cli``.

    It is ``app``, ``application``, the only application under any name, or what
    ``create_app()`` or ``make_app()`` returns without arguments.

    Args:
        module: The module.

    Raises:
        NoAppException: There is none, several, or the factory needs arguments.
    """
    app_class = _app_class()
    for name in APP_NAMES:
        app = getattr(module, name, None)
        if isinstance(app, app_class):
            return app
    found = {n: v for n, v in vars(module).items() if isinstance(v, app_class)}
    distinct = {id(app): app for app in found.values()}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    if distinct:
        raise NoAppException(
            f"Module {module.__name__!r} has several Quart applications: "
            f"{', '.join(found)}. Say which it is, such as "
            f"--app {module.__name__}:{next(iter(found))}"
        )
    for name in FACTORY_NAMES:
        factory = getattr(module, name, None)
        if inspect.isroutine(factory):
            return _made_by_default(factory, f"{module.__name__}:{name}")
    raise NoAppException(
        f"Module {module.__name__!r} has no Quart application: none of "
        f"{', '.join((*APP_NAMES, *FACTORY_NAMES))}, and no other name for one. "
        f"Say which it is: --app {module.__name__}:NAME"
    )


def find_app_by_string(module: ModuleType, app_name: str) -> Quart:
    """Return what ``name`` or ``factory('a', n=3)`` stands for. API of ``quart.cli``.

    Args:
        module: Where the name is looked up.
        app_name: A name, or a call of one with literal arguments.

    Raises:
        NoAppException: It is neither, or is not there, or is no application.
    """
    name, args, kwargs = _parse(app_name)
    try:
        value = getattr(module, name)
    except AttributeError:
        close = get_close_matches(name, vars(module), 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise NoAppException(
            f"Module {module.__name__!r} has no {name!r}.{hint}"
        ) from None
    target = f"{getattr(module, '__name__', module)}:{app_name}"
    if args is not None and kwargs is not None:
        return _made(value, args, kwargs, target)
    if inspect.isroutine(value):
        return _made_by_default(value, target)
    return _checked(value, target)


def _app_class() -> type[Quart]:
    # By name: `quart --help` shall not wait for it.
    app_class: type[Quart] = import_module("quart_core.app").Quart
    return app_class


# Any: literals.
def _parse(text: str) -> tuple[str, list[Any] | None, dict[str, Any] | None]:
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise NoAppException(
            f"{text!r} is neither a name nor a call: expected NAME or FACTORY(...)"
        ) from None
    if isinstance(expression, ast.Name):
        return expression.id, None, None
    if not (isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name)):
        raise NoAppException(
            f"{text!r} must be a name, or a call of a name such as create_app('dev')"
        )
    try:
        args = [ast.literal_eval(each) for each in expression.args]
        kwargs = {
            each.arg: ast.literal_eval(each.value)
            for each in expression.keywords
            if each.arg is not None
        }
        if len(kwargs) != len(expression.keywords):
            raise ValueError
    except (ValueError, TypeError):
        raise NoAppException(
            f"The arguments in {text!r} must be literals: texts, numbers, lists"
        ) from None
    return expression.func.id, args, kwargs


# Any: whatever stands in the module.
def _made_by_default(factory: Callable[..., Any], target: str) -> Quart:
    return _made(factory, [], {}, target)


def _made(factory: Any, args: list[Any], kwargs: dict[str, Any], target: str) -> Quart:
    if not callable(factory):
        raise NoAppException(
            f"{target!r} calls a {type(factory).__name__}, which cannot be called"
        )
    # What does not fit is told here, so that a TypeError from within the factory
    # remains the user's own.
    try:
        inspect.signature(factory).bind(*args, **kwargs)
    except TypeError as error:
        raise NoAppException(
            f"The factory in {target!r} does not take these arguments: {error}. "
            f"Give them: --app \"{target.partition('(')[0]}('...')\""
        ) from None
    except ValueError:
        # Something without a signature, which takes what it likes.
        pass
    return _checked(factory(*args, **kwargs), target)


def _checked(value: Any, target: str) -> Quart:
    if isinstance(value, _app_class()):
        return value
    if inspect.iscoroutine(value):
        value.close()
        raise NoAppException(
            f"{target!r} is async; a factory must be a plain def, and may leave what "
            "awaits to a function with @app.before_serving"
        )
    raise NoAppException(f"{target!r} is {_kind(value)}, expected a Quart application")


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
