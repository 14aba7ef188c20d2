"""`run`: a whole server, from settings to exit code."""

from __future__ import annotations

import importlib
import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .binds import bind_all
from .config import Config, ConfigError
from .development import with_development_certificate
from .importer import import_app
from .launch import Setup
from .loggers import set_up_loggers
from .pidfile import pid_file
from .privileges import drop_privileges
from .supervisor import Supervisor
from .tls import make_ssl_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .asgi import ASGIApp
    from .binds import Listener

__all__ = ["run", "run_server"]

_log = logging.getLogger("quart_server.error")


def run(
    app: ASGIApp | str,
    config: Config | None = None,
    *,
    factory: bool = False,
    app_dir: str = ".",
    **settings: object,
) -> None:
    """Serve an app until a signal ends it.

    Args:
        app: The ASGI app, or `module:attribute`, which several workers need.
        config: The settings.
        factory: Whether `module:attribute` makes the app when called.
        app_dir: The folder put first on the import path for it.
        settings: Settings by name, over those of the config.

    Raises:
        ConfigError: A setting is unknown, bad, or does not fit the others.
        BindError: An address cannot be listened on.
        AppImportError: The app is not found.
        SystemExit: The server ended with an exit code other than 0.
    """
    config = (config or Config()).replace(**settings)
    code = run_server(app, config, factory=factory, app_dir=app_dir)
    if code:
        raise SystemExit(code)


def run_server(
    app: ASGIApp | str, config: Config, *, factory: bool = False, app_dir: str = "."
) -> int:
    """Serve an app until a signal ends it; return the exit code.

    Raises: see `run`.
    """
    set_up_loggers(config)
    is_supervised = _is_supervised(config)
    with ExitStack() as stack:
        if config.https:
            folder = stack.enter_context(TemporaryDirectory(prefix="quart-server-"))
            config = with_development_certificate(config, Path(folder))
        # Also checks the files before any worker tries to use them.
        ssl_context = make_ssl_context(config) if config.ssl_enabled else None
        listeners = bind_all(config)
        for listener in listeners:
            stack.callback(listener.remove)
        stack.enter_context(pid_file(config.pid_path))
        on_ready = _announcer(config, listeners)
        if is_supervised:
            target = _require_target(app)
            setup = Setup(target, config, listeners, factory, app_dir)
            return Supervisor(setup, on_ready=on_ready).run()
        drop_privileges(config)
        if isinstance(app, str):
            app = import_app(app, factory=factory, app_dir=app_dir)
        # Not at the top: a supervisor has no event loop and stays small.
        module = importlib.import_module(".single_process", __package__)
        code: int = module.run_single_process(
            app, config, listeners, ssl_context, on_ready
        )
        return code


def _is_supervised(config: Config) -> bool:
    wanted = (
        config.workers > 1
        or config.supervisor == "on"
        or config.limit_max_requests is not None
    )
    if wanted and sys.platform == "win32":
        raise ConfigError(
            "workers",
            "Several workers, supervisor and limit_max_requests need a system that "
            "hands sockets to child processes, which Windows does not: run one server "
            "per port behind a proxy, each with workers = 1",
        )
    return wanted


def _require_target(app: ASGIApp | str) -> str:
    if isinstance(app, str):
        return app
    raise ConfigError(
        "workers",
        "Worker processes import the app by themselves: pass it as 'module:attribute', "
        f"not as {type(app).__name__} (or set workers = 1, without supervisor and "
        "limit_max_requests)",
    )


def _announcer(config: Config, listeners: Sequence[Listener]) -> Callable[[], None]:
    """Return what says where the server listens, once it serves."""

    def announce() -> None:
        urls = ", ".join(listener.url for listener in listeners)
        workers = "1 process" if config.workers == 1 else f"{config.workers} workers"
        protocols = "http/1.1 + h2" if config.http2 else "http/1.1"
        _log.info("Serving on %s (%s, %s)", urls, workers, protocols)

    return announce
