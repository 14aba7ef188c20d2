"""Checks the installation and the application, and says what to do."""

from __future__ import annotations

import os
import platform
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal

import click
from quart_core.config import Config
from quart_core.parts.names import OWN_PACKAGES
from quart_core.user_code import printable

from .errors import NoAppException
from .failures import explain_load_error
from .script_info import ScriptInfo
from .version import distribution_version

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("Finding", "examine", "findings", "new_secret")

SECRET_BYTES: Final = 32
"""Of the secret keys that are made."""

MIN_SECRET_CHARACTERS: Final = 16
"""Shorter keys can be guessed."""

_EXTRAS: Final = (
    ("uvloop", "a faster event loop", "quart-server[fast]"),
    ("httptools", "a faster HTTP parser", "quart-server[fast]"),
    ("watchfiles", "reloads without polling", "quart-cli[dev]"),
    ("dotenv", ".env files", "quart-cli[dev]"),
    ("trustme", "https for development", "quart-server[dev]"),
)
_WEAK_SECRETS: Final = frozenset(
    {"dev", "secret", "changeme", "change me", "secret key", "secret_key", "test"}
)
_MARKS: Final = {
    "ok": ("ok   ", "green"),
    "note": ("note ", "cyan"),
    "problem": ("WRONG", "red"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at.

    Attributes:
        level: ``ok``, ``note`` for what may be meant so, or ``problem``.
        subject: What it is about.
        text: What was found, and what to do.
    """

    level: Literal["ok", "note", "problem"]
    subject: str
    text: str


def new_secret() -> str:
    """Return a new random secret key."""
    return secrets.token_hex(SECRET_BYTES)


def examine(info: ScriptInfo) -> bool:
    """Print what is found; return whether nothing is wrong.

    Args:
        info: Finds the application.
    """
    is_well = True
    for finding in findings(info):
        mark, colour = _MARKS[finding.level]
        line = f"{click.style(mark, fg=colour)} {finding.subject:<10} "
        click.echo(line + printable(finding.text))
        is_well = is_well and finding.level != "problem"
    return is_well


def findings(info: ScriptInfo) -> Iterator[Finding]:
    """Yield what is found, from the installation to the application.

    Args:
        info: Finds the application.
    """
    yield from _versions()
    yield from _extras()
    yield from _variables()
    try:
        app = info.load_app()
    except NoAppException as error:
        yield Finding("note", "app", error.format_message())
        return
    except Exception as error:  # noqa: BLE001 - it is what is wrong
        yield Finding("problem", "app", f"it fails:\n{explain_load_error(error)}")
        return
    yield Finding("ok", "app", f"{app.import_name}, {_rules(app)}")
    yield from _settings(app)
    yield _secret(app)
    yield from _cookies(app)
    yield _proxy()


def _versions() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()} in {sys.prefix}")
    names = sorted(name.replace("_", "-") for name in OWN_PACKAGES)
    versions = {name: distribution_version(name) for name in names}
    present = [f"{name} {version}" for name, version in versions.items() if version]
    yield Finding("ok", "packages", ", ".join(present))
    majors = {version.partition(".")[0] for version in versions.values() if version}
    if len(majors) > 1:
        yield Finding(
            "problem",
            "packages",
            "their major versions differ: run 'pip install -U quart'",
        )
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        yield Finding(
            "note",
            "packages",
            f"without {', '.join(missing)}: 'pip install quart' for everything",
        )


def _extras() -> Iterator[Finding]:
    for module, purpose, extra in _EXTRAS:
        if find_spec(module) is not None:
            yield Finding("ok", "extra", f"{module}: {purpose}")
        else:
            text = f"no {module}, for {purpose}: pip install '{extra}'"
            yield Finding("note", "extra", text)


def _variables() -> Iterator[Finding]:
    names = sorted(name for name in os.environ if name.startswith("QUART_"))
    if names:
        yield Finding("ok", "variables", ", ".join(names))
    for name in ("FLASK_APP", "FLASK_DEBUG", "FLASK_ENV"):
        if name in os.environ:
            text = f"{name} has no effect here: use {name.replace('FLASK', 'QUART')}"
            yield Finding("note", "variables", text)


def _rules(app: Quart) -> str:
    count = sum(1 for _ in app.url_map.iter_rules())
    return "1 route" if count == 1 else f"{count} routes"


def _settings(app: Quart) -> Iterator[Finding]:
    defaults: Any = app.default_config
    config: Config = app.config
    changed = sorted(
        key
        for key, value in config.items()
        if key not in defaults or (value != defaults[key] and key != "DEBUG")
    )
    if changed:
        yield Finding("ok", "settings", f"changed: {', '.join(changed)}")
    if app.debug:
        yield Finding(
            "note", "settings", "debug mode is on: never for others than yourself"
        )
    if config["MAX_CONTENT_LENGTH"] is None:
        yield Finding(
            "note", "settings", "MAX_CONTENT_LENGTH is None: bodies have no limit"
        )


def _secret(app: Quart) -> Finding:
    key = app.secret_key
    new = "make one with: quart doctor --secret"
    if not key:
        return Finding(
            "note", "secret", f"no SECRET_KEY, so sessions do not work; {new}"
        )
    text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    if text.lower() in _WEAK_SECRETS or len(text) < MIN_SECRET_CHARACTERS:
        return Finding(
            "problem",
            "secret",
            f"SECRET_KEY can be guessed, and with it all sessions forged; {new}",
        )
    return Finding("ok", "secret", f"SECRET_KEY has {len(text)} characters")


def _cookies(app: Quart) -> Iterator[Finding]:
    config = app.config
    if not app.secret_key:
        return
    if (
        config["SESSION_COOKIE_SAMESITE"] == "None"
        and not (config["SESSION_COOKIE_SECURE"])
    ):
        yield Finding(
            "problem",
            "cookies",
            "SESSION_COOKIE_SAMESITE='None' needs SESSION_COOKIE_SECURE=True, "
            "or browsers drop the session",
        )
    elif not config["SESSION_COOKIE_SECURE"]:
        yield Finding("note", "cookies", "behind https set SESSION_COOKIE_SECURE=True")


def _proxy() -> Finding:
    trusted = os.environ.get("QUART_SERVER_TRUSTED_PROXIES")
    if trusted:
        return Finding("ok", "proxy", f"headers are believed from {trusted}")
    return Finding(
        "note",
        "proxy",
        "proxy headers are ignored: behind a proxy name its address in "
        "QUART_SERVER_TRUSTED_PROXIES",
    )
