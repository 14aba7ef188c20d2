"""Configuration: a dictionary with ways to fill it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Generic, Protocol, TypeVar, cast, overload

from werkzeug.utils import import_string

__all__ = ["Config", "ConfigAttribute"]

ValueT = TypeVar("ValueT")

# Opening these is "no such file" for ``silent``: absent, a folder, below a file.
_NOT_A_FILE = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR})


class _HasConfig(Protocol):
    config: Config


class ConfigAttribute(Generic[ValueT]):
    """An attribute of the app that is stored in its ``config``.

    Args:
        name: The key in ``config``.
        get_converter: Applied to the stored value on every read.
    """

    def __init__(
        self, name: str, get_converter: Callable[[Any], ValueT] | None = None
    ) -> None:
        self.name = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: None = None) -> ConfigAttribute[ValueT]: ...

    @overload
    def __get__(self, obj: _HasConfig, owner: type | None = None) -> ValueT: ...

    def __get__(
        self, obj: _HasConfig | None, owner: type | None = None
    ) -> ValueT | ConfigAttribute[ValueT]:
        if obj is None:
            return self
        value = obj.config[self.name]
        if self.get_converter is not None:
            return self.get_converter(value)
        return cast("ValueT", value)

    # Converted attributes take what the converter takes, so the value is Any.
    def __set__(self, obj: _HasConfig, value: Any) -> None:
        obj.config[self.name] = value


# Values are whatever the application stores, hence Any throughout.
class Config(dict[str, Any]):
    """The configuration of an app: a ``dict`` that can be filled from many places.

    Only names in capitals are taken from files, objects and mappings.

    Args:
        root_path: The folder that relative file names start from.
        defaults: The first values.
    """

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file that an environment variable names.

        Args:
            variable_name: The variable.
            silent: Return ``False`` where the variable or the file does not exist.

        Returns:
            Whether a file was loaded.

        Raises:
            RuntimeError: The variable is not set, or is empty.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"The environment variable {variable_name!r} is not set, expected the path"
            f" of a configuration file. Set it, or pass silent=True."
        )

    def from_prefixed_env(
        self, prefix: str = "QUART", *, loads: Callable[[str], Any] = json.loads
    ) -> bool:
        """Load the environment variables that begin with a prefix and ``_``.

        ``QUART_SIZE=3`` gives ``SIZE`` 3, and ``QUART_DATABASE__PORT=5432`` gives
        ``{"DATABASE": {"PORT": 5432}}``. A dictionary that is already there is added
        to. Variables are loaded in sorted order. A value that ``loads`` cannot parse
        stays a string, so a number that is to stay text (a secret key of digits) is
        written in quotes: ``QUART_SECRET_KEY='"1234"'``.

        Args:
            prefix: The variables' beginning, without the underscore.
            loads: Parses the values.

        Returns:
            Always ``True``.

        Raises:
            TypeError: A variable is below a key whose value is not a dictionary.
        """
        prefix = f"{prefix}_"
        for variable in sorted(os.environ):
            if variable.startswith(prefix):
                value = _parsed(os.environ[variable], loads)
                self._set_nested(variable.removeprefix(prefix), value, variable)
        return True

    def _set_nested(self, path: str, value: object, variable: str) -> None:
        *parents, key = path.split("__")
        target: dict[str, Any] = self
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise TypeError(
                    f"The environment variable {variable!r} sets a value below"
                    f" {parent!r}, which is {target!r} and not a dictionary. Remove one"
                    f" of the two settings."
                )
        target[key] = value

    def from_pyfile(
        self, filename: str | os.PathLike[str], silent: bool = False
    ) -> bool:
        """Run a Python file and take its names in capitals.

        Args:
            filename: Absolute, or relative to ``root_path``.
            silent: Return ``False`` where there is no such file.

        Returns:
            Whether the file was loaded.

        Raises:
            OSError: The file cannot be read.
        """
        path = self._path(filename)
        file = _open(path, "rb", silent=silent)
        if file is None:
            return False
        with file:
            source = file.read()
        module = ModuleType("config")
        module.__file__ = str(path)
        # The configuration file is the application's own code, as any import is.
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102
        self.from_object(module)
        return True

    def from_object(self, obj: object) -> None:
        """Take the attributes in capitals of an object, a class or a module.

        Args:
            obj: The object, or its import path: ``"settings.Production"``.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for key in dir(obj):
            if key.isupper():
                self[key] = getattr(obj, key)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Load a file with a reader such as ``json.load`` or ``tomllib.load``.

        Args:
            filename: Absolute, or relative to ``root_path``.
            load: Takes the open file and gives a mapping.
            silent: Return ``False`` where there is no such file.
            text: Open as UTF-8 text; ``tomllib.load`` wants ``False``.

        Returns:
            Whether the file was loaded.

        Raises:
            OSError: The file cannot be read.
        """
        file = _open(self._path(filename), "r" if text else "rb", silent=silent)
        if file is None:
            return False
        with file:
            return self.from_mapping(load(file))

    def from_mapping(
        self,
        mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Take the items in capitals of a mapping and of keywords.

        Returns:
            Always ``True``.
        """
        values = dict(mapping or {}, **kwargs)
        self.update((key, value) for key, value in values.items() if key.isupper())
        return True

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """Give the options whose names begin with ``namespace``, as keywords.

        Args:
            namespace: The beginning, with its underscore: ``"IMAGE_STORE_"``.
            lowercase: Give the names in lower case.
            trim_namespace: Give the names without the beginning.
        """
        options = {}
        for key, value in self.items():
            if key.startswith(namespace):
                name = key.removeprefix(namespace) if trim_namespace else key
                options[name.lower() if lowercase else name] = value
        return options

    def _path(self, filename: str | os.PathLike[str]) -> Path:
        return Path(self.root_path, filename)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"


def _parsed(text: str, loads: Callable[[str], Any]) -> Any:
    try:
        return loads(text)
    except Exception:  # noqa: BLE001 - ``loads`` is any parser, with errors of its own
        return text


def _open(path: Path, mode: str, *, silent: bool) -> IO[Any] | None:
    """Open a file; give None where there is none and that is to be silent."""
    try:
        return path.open(mode, encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        if silent and error.errno in _NOT_A_FILE:
            return None
        error.strerror = f"Unable to load configuration file ({error.strerror})"
        raise
