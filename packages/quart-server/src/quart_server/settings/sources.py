"""Reading settings from files, the environment and objects."""

from __future__ import annotations

import tomllib
import types
from pathlib import Path
from typing import TYPE_CHECKING

from .options import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_environment", "read_object", "read_toml"]

_TABLE = "quart-server"


def read_toml(path: str | Path) -> dict[str, object]:
    """Return the settings in a TOML file.

    They are the file's top level, its table `[quart-server]`, or in a
    `pyproject.toml` the table `[tool.quart-server]`. Dashes in names are underscores.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            "config", f"Cannot read settings from {path}: {error}"
        ) from None
    settings = _table(document, str(path))
    return {key.replace("-", "_"): value for key, value in settings.items()}


def read_environment(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the settings among environment variables, by lower-case name."""
    return {
        name[len(prefix) :].lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def read_object(instance: object) -> dict[str, object]:
    """Return the settings that are attributes of a module, class or instance.

    Names that begin with an underscore, modules, classes and functions are no settings.
    """
    found = {name: getattr(instance, name) for name in dir(instance)}
    return {
        name.lower(): value
        for name, value in found.items()
        if not name.startswith("_")
        and not callable(value)
        and not isinstance(value, types.ModuleType)
    }


def _table(document: dict[str, object], path: str) -> dict[str, object]:
    holder: object = document
    if Path(path).name == "pyproject.toml":
        holder = document.get("tool", {})
        holder = holder.get(_TABLE, {}) if isinstance(holder, dict) else {}
    elif _TABLE in document:
        holder = document[_TABLE]
    if not isinstance(holder, dict):
        raise ConfigError("config", f"{_TABLE} in {path} must be a table of settings")
    return holder
