"""Serving for production: what ``quart serve`` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final

import click
from quart_core.parts.serving import server_part

from .app_context import is_loop_running
from .errors import NoAppException
from .failures import explain_load_error
from .script_info import ScriptInfo
from .server_options import ServerOptions
from .serving import explained

__all__ = ("fast_hint", "make_app", "serve", "summary")

APP_VARIABLE: Final = "QUART_SERVE_APP"
"""Tells worker processes which application they serve."""

_FAST: Final = ("httptools", "winloop" if sys.platform == "win32" else "uvloop")


def serve(
    info: ScriptInfo,
    options: ServerOptions,
    *,
    bind: Sequence[str],
    workers: int | None,
    drain: float | None,
    settings: Sequence[str],
) -> None:
    """Serve until a signal ends it.

    Args:
        info: Finds the application.
        options: Where to serve, and the certificate.
        bind: Addresses, instead of that of the options.
        workers: Worker processes.
        drain: Seconds for requests in flight.
        settings: ``name=value`` for other settings of the server.

    Raises:
        click.ClickException: The application or the address is not to be had.
        SystemExit: With the server's status.
    """
    info.check()
    if is_loop_running():
        raise click.UsageError("quart serve runs an event loop of its own")
    feature = "quart serve"
    with explained(options):
        config = _config(options, bind, workers, drain, settings)
        app = _target(info, config)
        listening = config.bind
        click.echo(summary(config))
        for address in listening:
            scheme = "https" if config.ssl_enabled else "http"
            name = address if "://" in address else f"{scheme}://{address}"
            click.echo(f"  {name}")
        hint = fast_hint()
        if hint:
            click.echo(hint, err=True)
        if _is_supervised(config) and hasattr(os, "getppid"):
            click.echo(f"reload without dropping requests: kill -HUP {os.getpid()}")
        run_server = server_part("runner", feature).run_server
        sys.exit(run_server(app, config, factory=isinstance(app, str)))


# Any: the server's Config.
def summary(config: Any) -> str:
    """Return the line that says what is served: processes, protocols, limits."""
    workers = "1 process" if config.workers == 1 else f"{config.workers} workers"
    protocols = "h2 + http/1.1" if config.http2 else "http/1.1"
    proxies = "on" if config.trusted_proxies else "off"
    return (
        f"{workers}, {protocols}, proxy headers {proxies}, "
        f"drain {config.graceful_timeout:g} s"
    )


def fast_hint() -> str:
    """Return what to install for more speed, "" if it is there."""
    missing = [name for name in _FAST if find_spec(name) is None]
    if not missing:
        return ""
    return f"faster with {' and '.join(missing)}: pip install 'quart-server[fast]'"


def make_app() -> Any:
    """Load the application in a worker process; the server's factory.

    Raises:
        SystemExit: It cannot be loaded; the reason is printed.
    """
    info = ScriptInfo(os.environ.get(APP_VARIABLE) or None)
    return _load(info)


# Any: an application.
def _load(info: ScriptInfo) -> Any:
    try:
        return info.load_app()
    except NoAppException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
    except Exception as error:  # noqa: BLE001 - the user's, shown and at an end
        click.echo(explain_load_error(error), err=True)
    raise SystemExit(3)


# Any: the server's Config.
def _config(
    options: ServerOptions,
    bind: Sequence[str],
    workers: int | None,
    drain: float | None,
    settings: Sequence[str],
) -> Any:
    config = server_part("config", "quart serve").Config
    # What nobody gave is left to the variables.
    given = {
        name: value
        for name, value in options.settings().items()
        if value and name != "bind"
    }
    if bind:
        given["bind"] = tuple(bind)
    if workers is not None:
        given["workers"] = workers
    if drain is not None:
        given["graceful_timeout"] = drain
    return config.from_env().replace(
        **{**given, **config.parse_texts(_pairs(settings))}
    )


def _pairs(settings: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in settings:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.BadParameter(
                f"{text!r} has no '=': write NAME=VALUE", param_hint="--set"
            )
        pairs[name.strip().replace("-", "_")] = value
    return pairs


# Any: an application, or the import string of what makes it.
def _target(info: ScriptInfo, config: Any) -> Any:
    if not _is_supervised(config):
        return _load(info)
    os.environ[APP_VARIABLE] = (
        info.describe() or ""
        if info.create_app is None
        else _importable(info.create_app)
    )
    return f"{__name__}:make_app"


def _importable(create_app: Callable[..., Any]) -> str:
    """Return how a worker process, which imports for itself, finds a factory.

    Raises:
        click.UsageError: It does not.
    """
    module = sys.modules.get(create_app.__module__)
    name = getattr(create_app, "__qualname__", "")
    file = getattr(module, "__file__", None)
    if file and module is not sys.modules["__main__"] and hasattr(module, name):
        return f"{file}:{name}"
    raise click.UsageError(
        f"worker processes cannot import {name or create_app!r}, which makes the "
        "application: define it at the top of a module of its own, not in the program "
        "that is run, or serve with one worker"
    )


def _is_supervised(config: Any) -> bool:
    return bool(
        config.workers > 1
        or config.supervisor == "on"
        or config.limit_max_requests is not None
    )
