"""Serving for development: in this process, or in one that is replaced on changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from quart_core.app import Quart
from quart_core.helpers import get_debug_flag
from quart_core.parts.serving import server_part
from quart_core.signals import got_serving_exception
from quart_core.user_code import display_path

from .broken import broken_app
from .errors import NoAppException
from .failures import explain_load_error, without_own_frames
from .groups import set_debug_variable
from .reloader.child import Child, begin
from .reloader.handover import Handover
from .reloader.supervisor import Supervisor
from .reloader.tether import GRACE_SECONDS
from .reloader.watched import Watched
from .reloader.watchers import watcher_name
from .script_info import ScriptInfo
from .server_options import ServerOptions
from .serving import (
    bind_or_exit,
    explained,
    log_to_terminal,
    serve_forever,
    server_config,
)
from .styles import DevStyle, RunStyle, Style

__all__ = ("dev", "run")

RELOAD_DRAIN_SECONDS: Final = 1.0
"""How long requests in flight may go on when the application is reloaded.

On a machine that is busy with other things, up to four times as long: a short request
is not cut because it waits for the processor.
"""


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched beside the application.

    Attributes:
        extra_files: Files and folders.
        exclude_patterns: Patterns of paths that do not count.
    """

    extra_files: Sequence[str] = ()
    exclude_patterns: Sequence[str] = ()


def run(
    info: ScriptInfo,
    options: ServerOptions,
    *,
    reload: bool | None,
    debugger: bool | None,
    extra_files: Sequence[str],
    exclude_patterns: Sequence[str],
) -> None:
    """Do what ``quart run`` does.

    Args:
        info: Finds the application.
        options: Where to serve.
        reload: Start anew on changes; if None, in debug mode.
        debugger: Show errors in the browser; if None, in debug mode.
        extra_files: Files and folders that are watched too.
        exclude_patterns: Patterns of files whose changes do not count.
    """
    if debugger and not get_debug_flag():
        click.echo("--debugger has an effect in debug mode only: add --debug", err=True)
    log_to_terminal()
    style = RunStyle(debugger)
    watching = Watching(extra_files, exclude_patterns)
    is_reloading = get_debug_flag() if reload is None else reload
    sys.exit(_serve(info, options, style, watching if is_reloading else None))


def dev(
    info: ScriptInfo,
    options: ServerOptions,
    *,
    reload: bool,
    browser_reload: bool,
    extra_files: Sequence[str],
    exclude_patterns: Sequence[str],
) -> None:
    """Do what ``quart dev`` does.

    Args:
        info: Finds the application.
        options: Where to serve.
        reload: Start anew on changes.
        browser_reload: Load the pages in browsers anew afterwards.
        extra_files: Files and folders that are watched too.
        exclude_patterns: Patterns of files whose changes do not count.
    """
    if "QUART_DEBUG" not in os.environ:
        set_debug_variable(True)
    log_to_terminal(access=False)
    style = DevStyle(
        watcher_name() if reload else None, reloads_browser=reload and browser_reload
    )
    watching = Watching(extra_files, exclude_patterns)
    sys.exit(_serve(info, options, style, watching if reload else None))


def _serve(
    info: ScriptInfo,
    options: ServerOptions,
    style: Style,
    watching: Watching | None,
) -> int:
    child = begin()
    if child is not None:
        return _serve_as_child(child, info, options, style)
    if watching is not None:
        return _supervise(info, options, style, watching)
    return _serve_alone(info, options, style)


def _serve_alone(info: ScriptInfo, options: ServerOptions, style: Style) -> int:
    try:
        app = info.load_app()
    except NoAppException:
        raise
    except Exception as error:  # noqa: BLE001 - the user's, shown and at an end
        raise click.ClickException(f"\n{explain_load_error(error)}") from None

    if isinstance(style, RunStyle) and not options.https and _has_own_run(app):
        app.run(
            debug=app.debug,
            host=options.host,
            port=options.port,
            certfile=options.certfile,
            keyfile=options.keyfile,
            use_reloader=False,
        )
        return 0

    def ready(listeners: list[Any]) -> None:
        style.url = listeners[0].url
        style.served(_target(app, info))

    style.begin()
    watched = app if app.debug else None
    served = style.wrapped(app, _target(app, info))
    config = server_config(options)
    with explained(options):
        ended = serve_forever(served, config, ready=ready, watched=watched)
    style.stopped(ended.cut)
    return ended.status


def _has_own_run(app: Quart) -> bool:
    """Return whether the application is served its own way, as on another loop."""
    return getattr(app.run, "__func__", None) is not Quart.run


def _supervise(
    info: ScriptInfo,
    options: ServerOptions,
    style: Style,
    watching: Watching,
) -> int:
    info.check()
    style.begin()
    config = server_config(options)
    with TemporaryDirectory(prefix="quart-dev-") as folder:
        if config.https:
            development = server_part("development", "quart dev --https")
            config = development.with_development_certificate(config, Path(folder))
        listeners = bind_or_exit(config, options)
        style.url = listeners[0].url
        handover = Handover(
            parent=os.getpid(),
            channel=-1,
            listeners=tuple(each.sock.fileno() for each in listeners),
            url=style.url,
            certfile=config.certfile,
            keyfile=config.keyfile,
        )
        watched = Watched(
            [os.getcwd()], watching.extra_files, watching.exclude_patterns
        )
        watched.add(files=_variable_files())
        try:
            return Supervisor(
                handover, watched, style, has_standby=_starts_with_us()
            ).run()
        finally:
            for listener in listeners:
                listener.remove()


def _serve_as_child(
    child: Child, info: ScriptInfo, options: ServerOptions, style: Style
) -> int:
    style.url = child.handover.url
    with child.pace.measured():
        app, error = _load(child, info)
    child.tell_watched(app, error)
    if app is not None:
        failure = _Failure(app)
        try:
            served = style.wrapped(app, _target(app, info))
            return _serve_inherited(child, options, served, app, info)
        except server_part("lifespan", "quart run").LifespanError as lifespan_error:
            error = failure.error or lifespan_error
            _print_failure(error)
            child.tell_watched(None, error)
    if error is None:
        raise RuntimeError("There is neither an application nor an exception.")
    broken = style.wrapped_broken(broken_app(error))
    return _serve_inherited(child, options, broken, None, info)


class _Failure:
    """Keeps the exception that an application raised when it was started."""

    def __init__(self, app: Quart) -> None:
        self.error: BaseException | None = None
        got_serving_exception.connect(self._keep, app)

    async def _keep(self, _app: Quart, exception: BaseException) -> None:
        self.error = exception


def _load(
    child: Child, info: ScriptInfo
) -> tuple[Quart, None] | tuple[None, BaseException]:
    """Return the application, or what kept it from loading, which is printed."""
    if child.handover.failure:
        return None, RuntimeError(child.handover.failure)
    try:
        return info.load_app(), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - shown until it is mended
        _print_failure(error)
        return None, without_own_frames(error)


def _print_failure(error: BaseException) -> None:
    if isinstance(error, NoAppException):
        click.secho(f"Error: {error.format_message()}", fg="red", err=True)
    else:
        click.secho(explain_load_error(error), fg="red", err=True)


def _serve_inherited(
    child: Child,
    options: ServerOptions,
    served: Callable[..., Any],
    app: Quart | None,
    info: ScriptInfo,
) -> int:
    drain = RELOAD_DRAIN_SECONDS * child.pace.factor()
    child.tether.grace_seconds = drain + GRACE_SECONDS
    config = server_config(
        options,
        bind=child.bind(),
        https=False,
        certfile=child.handover.certfile,
        keyfile=child.handover.keyfile,
        graceful_timeout=drain,
    )
    target = info.describe() or "app" if app is None else _target(app, info)
    ended = serve_forever(
        served,
        config,
        ready=lambda _: child.tell_ready(target, failed=app is None),
        watched=app if app is not None and app.debug else None,
        stopped=child.tether.stopped,
    )
    child.tether.tell("ended", cut=ended.cut)
    return ended.status


def _target(app: Quart, info: ScriptInfo) -> str:
    """Return the application as ``file.py:name``."""
    module = sys.modules.get(app.import_name)
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return info.describe() or app.import_name
    names = [name for name, value in vars(module).items() if value is app]
    path = display_path(os.path.abspath(file))
    return f"{path}:{names[0]}" if names else path


def _variable_files() -> list[str]:
    named = os.environ.get("QUART_ENV_FILE")
    files = [".env", ".quartenv", *([named] if named else ())]
    return [file for file in files if not os.path.isdir(file)]


def _starts_with_us() -> bool:
    """Return whether the program is the ``quart`` command, not the user's own."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return spec.name in {"quart.__main__", "quart_cli.__main__"}
    return Path(sys.argv[0]).stem == "quart"
