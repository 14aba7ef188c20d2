"""Calls of ``url_for`` that no route answers, in Python files and templates."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from quart_core.user_code import display_path, parse_file, printable

from .folders import own_folders

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("Problem", "UrlCheck")

FUNCTION: Final = "url_for"
MAX_TEMPLATE_BYTES: Final = 2_000_000
"""Longer templates are not read."""

_TEMPLATE_SUFFIXES: Final = frozenset(
    {".html", ".htm", ".xhtml", ".xml", ".svg", ".txt", ".j2", ".jinja", ".jinja2"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of ``url_for`` whose endpoint is written in it.

    Attributes:
        file: The file.
        line: The line.
        endpoint: The endpoint.
        values: The names of its keyword arguments.
        is_open: Whether there are ``**`` arguments as well, of which nothing is known.
    """

    file: str
    line: int
    endpoint: str
    values: tuple[str, ...]
    is_open: bool

    @property
    def text(self) -> str:
        """The call, without its values."""
        parts = [repr(self.endpoint), *(f"{name}=..." for name in self.values)]
        if self.is_open:
            parts.append("**...")
        return f"{FUNCTION}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Problem:
    """A call that fails when it is made.

    Attributes:
        place: File and line.
        call: The call.
        reason: Why.
    """

    place: str
    call: str
    reason: str


class UrlCheck:
    """Looks through the files of an application.

    Args:
        app: The application, with all its routes.

    Attributes:
        call_count: How many calls were looked at.
        unread: Templates that could not be parsed, and why.
    """

    def __init__(self, app: Quart) -> None:
        self.app = app
        self.call_count = 0
        self.unread: list[str] = []
        self._arguments: dict[str, list[set[str]]] = {}
        for rule in app.url_map.iter_rules():
            needed = set(rule.arguments) - set(rule.defaults or ())
            self._arguments.setdefault(str(rule.endpoint), []).append(needed)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, by file and line."""
        for call in (*self._python_calls(), *self._template_calls()):
            self.call_count += 1
            reason = self._reason(call)
            if reason is not None:
                place = f"{display_path(call.file)}:{call.line}"
                yield Problem(printable(place), printable(call.text), reason)

    def _reason(self, call: Call) -> str | None:
        """Return why a call fails, None if it does not."""
        found = self._answers(call.endpoint)
        if not found:
            close = get_close_matches(call.endpoint, self._arguments, 1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            return f"no such endpoint{hint}"
        if call.is_open or self.app.url_default_functions:
            return None
        missing = min((needed - {*call.values} for needed in found), key=len)
        if not missing:
            return None
        names = ", ".join(repr(name) for name in sorted(missing))
        return f"{call.endpoint!r} needs {names} as well"

    def _answers(self, endpoint: str) -> list[set[str]]:
        """Return for each rule of an endpoint which values it needs."""
        if not endpoint.startswith("."):
            return self._arguments.get(endpoint, [])
        # Relative to the blueprint of a request that nobody knows here.
        return [
            needed
            for name, each in self._arguments.items()
            if name.endswith(endpoint) or name == endpoint[1:]
            for needed in each
        ]

    # Python

    def _python_calls(self) -> Iterator[Call]:
        for file in _files(self._roots(), frozenset({".py"})):
            parsed = parse_file(file)
            if parsed is None:
                continue
            for node in ast.walk(parsed[0]):
                call = _python_call(file, node)
                if call is not None:
                    yield call

    def _roots(self) -> Iterable[str]:
        roots = [self.app.root_path, *(b.root_path for b in self._blueprints())]
        return _outermost(roots)

    # Any: blueprints, whose class the templates' methods add to.
    def _blueprints(self) -> Iterable[Any]:
        blueprints: Iterable[Any] = self.app.iter_blueprints()
        return blueprints

    # Templates

    def _template_calls(self) -> Iterator[Call]:
        folders = [
            os.path.join(each.root_path, each.template_folder)
            for each in (self.app, *self._blueprints())
            if each.template_folder is not None
        ]
        present = [folder for folder in folders if os.path.isdir(folder)]
        if not present:
            return
        environment: Any = self.app.jinja_env
        for file in _files(_outermost(present), _TEMPLATE_SUFFIXES):
            if os.path.getsize(file) > MAX_TEMPLATE_BYTES:
                continue
            try:
                text = Path(file).read_text("utf-8")
                tree = environment.parse(text, filename=file)
            except Exception as error:  # noqa: BLE001 - told, the others are checked
                self.unread.append(printable(f"{display_path(file)}: {error}"))
                continue
            yield from _template_calls_in(file, tree)


def _python_call(file: str, node: ast.AST) -> Call | None:
    if not (isinstance(node, ast.Call) and node.args):
        return None
    function = node.func
    name = (
        function.attr
        if isinstance(function, ast.Attribute)
        else getattr(function, "id", None)
    )
    first = node.args[0]
    if name != FUNCTION or not isinstance(first, ast.Constant):
        return None
    if not isinstance(first.value, str):
        return None
    names = [keyword.arg for keyword in node.keywords]
    given = tuple(name for name in names if name is not None)
    return Call(file, node.lineno, first.value, given, None in names)


# Any: nodes of Jinja, which is not known here.
def _template_calls_in(file: str, tree: Any) -> Iterator[Call]:
    waiting = [tree]
    for node in waiting:
        waiting.extend(node.iter_child_nodes())
        if type(node).__name__ != "Call":
            continue
        if getattr(node.node, "name", None) != FUNCTION or not node.args:
            continue
        endpoint = getattr(node.args[0], "value", None)
        if isinstance(endpoint, str):
            given = tuple(keyword.key for keyword in node.kwargs)
            is_open = node.dyn_kwargs is not None
            yield Call(file, node.lineno, endpoint, given, is_open)


def _outermost(folders: Iterable[str]) -> list[str]:
    """Return the folders without those that are in another one."""
    kept: list[str] = []
    for folder in sorted({os.path.realpath(each) for each in folders}):
        if not any(f"{folder}{os.sep}".startswith(f"{k}{os.sep}") for k in kept):
            kept.append(folder)
    return kept


def _files(roots: Iterable[str], suffixes: frozenset[str]) -> Iterator[str]:
    for root in roots:
        for folder in own_folders(root):
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if os.path.splitext(name)[1] in suffixes and os.path.isfile(path):
                    yield path
