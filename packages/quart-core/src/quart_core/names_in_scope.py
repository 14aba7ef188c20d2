"""What an expression of the user's code refers to, found without running any of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from enum import IntEnum
from functools import partial
from types import FrameType, ModuleType
from typing import Any, Final

from werkzeug.local import LocalProxy

__all__ = ("Verdict", "names_of_frame", "names_of_function", "resolve", "verdict")

UNKNOWN: Final = object()


class Verdict(IntEnum):
    """How sure it is that an expression gives something that was not awaited."""

    NO = 0
    MAYBE = 1
    YES = 2


# Any: values of whatever names the user has.
def names_of_frame(frame: FrameType) -> dict[str, Any]:
    """Return what the names mean where a frame stands."""
    return {**frame.f_builtins, **frame.f_globals, **frame.f_locals}


def names_of_function(function: Any) -> dict[str, Any]:
    """Return what the names mean inside a function, apart from its own variables."""
    names = {**function.__builtins__, **function.__globals__}
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            # Nothing was assigned yet.
            continue
    return names


def resolve(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return what a name or a dotted name refers to, or `UNKNOWN`.

    Attributes are looked up statically, so a property comes back as the property.
    """
    if isinstance(expression, ast.Name):
        return _behind_proxy(names.get(expression.id, UNKNOWN))
    if not isinstance(expression, ast.Attribute):
        return UNKNOWN
    base = resolve(expression.value, names)
    if base is UNKNOWN:
        return UNKNOWN
    if isinstance(base, ModuleType):
        return _behind_proxy(vars(base).get(expression.attr, UNKNOWN))
    found = inspect.getattr_static(base, expression.attr, UNKNOWN)
    if isinstance(found, (staticmethod, classmethod)):
        return found.__func__
    return found


def _behind_proxy(value: Any) -> Any:
    if type(value) is not LocalProxy:
        return value
    try:
        return value._get_current_object()
    except RuntimeError:
        # No request any more.
        return UNKNOWN


def verdict(expression: ast.expr, names: Mapping[str, Any]) -> Verdict:
    """Return whether an expression gives a coroutine or an async generator."""
    if isinstance(expression, ast.Call):
        return _verdict_of_call(resolve(expression.func, names))
    if isinstance(expression, ast.Attribute):
        return _verdict_of_attribute(resolve(expression, names))
    if isinstance(expression, ast.Name):
        return _verdict_of_value(names.get(expression.id, UNKNOWN))
    return Verdict.NO


def _verdict_of_call(function: Any) -> Verdict:
    if function is UNKNOWN:
        return Verdict.MAYBE
    if _is_async_function(function):
        return Verdict.YES
    if inspect.isbuiltin(function) or isinstance(function, type):
        return Verdict.NO
    # A plain function may return what a coroutine function returned to it.
    return Verdict.MAYBE


def _is_async_function(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    if not inspect.isroutine(function):
        function = getattr(type(function), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _verdict_of_attribute(found: Any) -> Verdict:
    if found is UNKNOWN:
        return Verdict.MAYBE
    if isinstance(found, property):
        return Verdict.YES if _is_async_function(found.fget) else Verdict.MAYBE
    return _verdict_of_value(found)


def _verdict_of_value(value: Any) -> Verdict:
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        return Verdict.YES
    return Verdict.MAYBE if value is UNKNOWN else Verdict.NO
