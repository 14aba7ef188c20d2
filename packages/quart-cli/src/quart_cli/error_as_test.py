"""A stored exception as a test that makes its request again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ("pytest_file_name", "pytest_source")

_MASK: Final = "***"
_HELPERS: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options"}
)
_MAX_NAME: Final = 60
_WIDTH: Final = 88

# What belongs to the connection or the browser, and decides nothing in most views.
_LEFT_OUT: Final = re.compile(
    r"(?i)accept-(encoding|language)|cache-control|connection|content-length|dnt|host"
    r"|keep-alive|origin|pragma|priority|referer|sec-.*|te|transfer-encoding"
    r"|upgrade-insecure-requests|user-agent"
)


# Any: JSON.
def pytest_file_name(entry: Mapping[str, Any]) -> str:
    """Return the name of the file for a test: ``test_error_get_boom.py``.

    Args:
        entry: What the store has.
    """
    return f"test_error_{_name(entry)}.py"


# Any: JSON.
def pytest_source(entry: Mapping[str, Any]) -> str:
    """Return the source of the test.

    Args:
        entry: What the store has.
    """
    setup, app = _application(str(entry["app"]))
    call = _call(entry)
    summary = _one_line(
        f"{entry['method']} {entry['target']} raised {entry['summary']}"
    )
    place = _one_line(str(entry["place"]))
    return "\n".join(
        [
            f'"""{_quoted(summary)}',
            *(["", f"{_quoted(place)}"] if place else []),
            '"""',
            "",
            *setup,
            "",
            "",
            f"async def test_{_name(entry)}():",
            *_notes(entry),
            f"    response = await {app}.test_client().{call}",
            "    assert response.status_code < 500",
            "",
        ]
    )


def _name(entry: Mapping[str, Any]) -> str:
    path = str(entry["target"]).partition("?")[0]
    words = re.findall(r"[A-Za-z0-9]+", f"{entry['method']} {path}")
    return "_".join(words).lower()[:_MAX_NAME] or "request"


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < _WIDTH - 4 else text[: _WIDTH - 8] + "..."


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', r"\"\"\"").removesuffix('"')


def _application(target: str) -> tuple[list[str], str]:
    """Return what imports the application, and the expression for it."""
    path, _, name = target.partition(":")
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    if name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        return [f"from {module} import {name}"], name
    return [
        "from quart.cli import ScriptInfo",
        "",
        f"app = ScriptInfo({target!r}).load_app()",
    ], "app"


def _notes(entry: Mapping[str, Any]) -> list[str]:
    notes = [
        f"    # {name} was not kept, as it is secret."
        for name, value in entry["headers"]
        if value == _MASK and not _LEFT_OUT.fullmatch(name)
    ]
    if entry["has_body"] and entry["body"] is None:
        notes.append("    # The body was not kept: it is long, or of an unusual kind.")
    return notes


def _call(entry: Mapping[str, Any]) -> str:
    method = str(entry["method"])
    arguments = [_literal(entry["target"])]
    name = method.lower() if method.lower() in _HELPERS else "open"
    if name == "open":
        arguments.append(f"method={_literal(method)}")
    headers = {
        name: value
        for name, value in entry["headers"]
        if value != _MASK
        and not _LEFT_OUT.fullmatch(name)
        and not (name.lower() == "accept" and ("text/html" in value or value == "*/*"))
    }
    if headers:
        pairs = (f"{_literal(n)}: {_literal(v)}" for n, v in headers.items())
        arguments.append(f"headers={{{', '.join(pairs)}}}")
    if entry["body"]:
        arguments.append(f"data={_literal(entry['body'])}")
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= _WIDTH - 40:
        return line
    inner = "".join(f"        {argument},\n" for argument in arguments)
    return f"{name}(\n{inner}    )"


def _literal(text: str) -> str:
    """Return a text as formatters write it: in double quotes where that is easy."""
    literal = repr(text)
    return literal if '"' in literal or "\\" in literal else f'"{literal[1:-1]}"'
