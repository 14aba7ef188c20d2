"""The inventory of everything public under ``quart``.

    python tests/compat/public_api.py          tells what differs from public_api.json
    python tests/compat/public_api.py --write  makes it anew, for the reviewed change

Signatures are kept without annotations, as these are checked by the type checkers and
are written differently by different Python versions.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

INVENTORY = Path(__file__).with_name("public_api.json")

Inventory = dict[str, dict[str, Any]]


def modules() -> list[str]:
    """Return the names of all modules of the facade."""
    package = import_module("quart")
    found = [
        module.name for module in pkgutil.walk_packages(package.__path__, "quart.")
    ]
    public = [name for name in found if "._" not in name]
    return sorted(["quart", *public])


def describe_all() -> Inventory:
    """Return the inventory as it is now."""
    return {name: _module(import_module(name)) for name in modules()}


def _module(module: ModuleType) -> dict[str, Any]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if not name.startswith("_")]
    described = {}
    for name in sorted(names):
        value = getattr(module, name)
        if not inspect.ismodule(value):
            described[name] = describe(value)
    return described


def describe(value: Any) -> Any:
    """Return kind and signature of a name; of a class that of its members too."""
    if inspect.isclass(value):
        return {"kind": "class", "members": _members(value)}
    if inspect.isroutine(value) and callable(value):
        return f"{_kind_of(value)} {_signature(value)}"
    return type(value).__name__


def _kind_of(function: Any) -> str:
    if inspect.iscoroutinefunction(function):
        return "async def"
    return "async generator" if inspect.isasyncgenfunction(function) else "def"


def _members(cls: type) -> dict[str, str]:
    """Return what our own classes define, inherited or not."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not (base.__module__ or "").startswith("quart"):
            continue
        for name, value in vars(base).items():
            if name == "__init__" or not name.startswith("_"):
                found[name] = _member(value)
    return dict(sorted(found.items()))


def _member(value: Any) -> str:
    if isinstance(value, (staticmethod, classmethod)):
        return f"{type(value).__name__} {_signature(value.__func__)}"
    if isinstance(value, property):
        return "property" if value.fset is None else "property with setter"
    if inspect.isroutine(value) and callable(value):
        return f"{_kind_of(value)} {_signature(value)}"
    return "attribute"


def _signature(function: Any) -> str:
    try:
        signature = inspect.signature(function)
    except ValueError:
        return "(?)"
    empty = inspect.Parameter.empty
    parameters = [p.replace(annotation=empty) for p in signature.parameters.values()]
    bare = signature.replace(
        parameters=parameters, return_annotation=inspect.Signature.empty
    )
    return re.sub(r"<[^<>]*(<[^<>]*>)?[^<>]*>", "...", str(bare))


def differences(kept: Inventory, found: Inventory) -> list[str]:
    """Return a line for each module, name or member that differs."""
    return _compare("", kept, found)


def _compare(path: str, kept: Any, found: Any) -> list[str]:
    if not (isinstance(kept, dict) and isinstance(found, dict)):
        return [] if kept == found else [f"{path}: was {kept!r}, is {found!r}"]
    lines = []
    for name in sorted({*kept, *found}):
        inner = f"{path}.{name}" if path else name
        if name not in found:
            lines.append(f"{inner}: is gone")
        elif name not in kept:
            lines.append(f"{inner}: is new")
        else:
            lines += _compare(inner, kept[name], found[name])
    return lines


def main() -> int:
    """Compare, or write, the inventory."""
    found = describe_all()
    if "--write" in sys.argv[1:]:
        INVENTORY.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return 0
    lines = differences(json.loads(INVENTORY.read_text()), found)
    print("\n".join(lines) or "no differences")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
