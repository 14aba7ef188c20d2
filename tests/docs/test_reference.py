"""The reference says what is there: settings, keys, commands, names."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
import tables
from pages import ROOT, name_of, pages
from quart import Quart
from quart_ws.buffer import QUEUE_BYTES, QUEUE_MESSAGES
from quart_ws.handler_watch import DRAIN_TIMEOUT

# Read with these defaults where the application's configuration lacks them.
WEBSOCKET_DEFAULTS = {
    "WEBSOCKET_ALLOWED_ORIGINS": None,
    "WEBSOCKET_DRAIN_TIMEOUT": DRAIN_TIMEOUT,
    "WEBSOCKET_QUEUE_BYTES": QUEUE_BYTES,
    "WEBSOCKET_QUEUE_MESSAGES": QUEUE_MESSAGES,
    "WEBSOCKET_SAME_ORIGIN": False,
}
PACKAGES = [
    "quart_contexts",
    "quart_core",
    "quart_routing",
    "quart_server",
    "quart_templating",
    "quart_testing",
    "quart_ws",
]


def documented_keys() -> dict[str, str]:
    """Return the keys of the configuration table, with their defaults as written."""
    text = (ROOT / "docs/reference/configuration.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", text, flags=re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a key is listed twice"
    return dict(rows)


def as_written(key: str, value: object) -> str:
    """Return a default as the table writes it."""
    if isinstance(value, timedelta):
        hours = value.total_seconds() / 3600
        return f"{hours / 24:g} days" if hours > 24 else f"{hours:g} hours"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if key.endswith("_TIMEOUT"):
            return f"{value:g} s"
        for unit, size in (("MiB", 1024**2), ("KiB", 1024)):
            if value and value % size == 0:
                return f"{value / size:g} {unit}"
        return f"{value:g}" if value < 10**5 else str(value)
    return f"`{value}`"


def test_the_configuration_table_has_every_key_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("QUART_DEBUG", raising=False)
    real = {**Quart("app", root_path=".").config, **WEBSOCKET_DEFAULTS}
    expected = {key: as_written(key, value) for key, value in real.items()}
    assert documented_keys() == expected


def test_the_configuration_table_has_every_key_that_the_code_reads() -> None:
    read = set()
    for file in ROOT.glob("packages/*/src/**/*.py"):
        text = file.read_text()
        read |= set(re.findall(r"config(?:\.get\(|\[)\"([A-Z_]+)\"", text))
    assert read <= set(documented_keys())


@pytest.mark.parametrize("name", tables.PARTS)
def test_generated_parts_are_up_to_date(name: str) -> None:
    text, expected = tables.with_part(name)
    assert text == expected, "run 'uv run python tests/docs/tables.py'"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_of_a_package_is_documented(package: str) -> None:
    documented: set[str] = set()
    for module in re.findall(
        r"automodule:: (\S+)",
        "".join(page.read_text() for page in tables.REFERENCE.glob("*.md")),
    ):
        names = getattr(import_module(module), "__all__", None)
        assert names is not None, f"{module} has no __all__"
        documented |= set(names)
    # Any package may document what another one has.
    assert set(import_module(package).__all__) <= documented


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_documented_modules_exist(page: Path) -> None:
    for module in re.findall(r"automodule:: (\S+)", page.read_text()):
        assert import_module(module).__doc__, f"{module} has no docstring"
