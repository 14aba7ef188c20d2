"""Serving an application in this process, for development."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click
from quart_core.loop_watch import LoopWatch
from quart_core.parts.serving import server_part

from .failures import explain_busy_port
from .server_options import ServerOptions

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = (
    "Ended",
    "bind_or_exit",
    "explained",
    "log_to_terminal",
    "serve_forever",
    "server_config",
)

DRAIN_SECONDS: Final = 2.0
"""How long requests in flight may go on when serving for development ends."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How serving ended.

    Attributes:
        status: The exit status.
        cut: Requests that did not end in time, None if it never began.
    """

    status: int
    cut: int | None


class StartError(click.ClickException):
    """The application does not start."""

    exit_code = 3


# Any: the server's Config, which is named by quart_core.parts only.
def server_config(options: ServerOptions, **settings: Any) -> Any:
    """Return the server's configuration for the options of a command.

    Raises:
        click.UsageError: The server refuses them.
    """
    with explained(options):
        config = server_part("config", "quart run").Config.from_env()
        return config.replace(
            **{"graceful_timeout": DRAIN_SECONDS, **options.settings(), **settings}
        )


# Any: the server's Config and Listener.
def bind_or_exit(config: Any, options: ServerOptions) -> list[Any]:
    """Return listening sockets, or end with a text that says why there are none.

    Raises:
        click.ClickException: The address cannot be listened on.
    """
    with explained(options):
        listeners: list[Any] = server_part("binds", "quart run").bind_all(config)
        return listeners


@contextmanager
def explained(options: ServerOptions) -> Iterator[None]:
    """Turn the server's errors into texts that end the command.

    Raises:
        click.ClickException: An address cannot be listened on, or a setting is bad,
            or the application does not start.
    """
    bind_error = server_part("binds", "quart run").BindError
    config_error = server_part("config", "quart run").ConfigError
    lifespan_error = server_part("lifespan", "quart run").LifespanError
    try:
        yield
    except bind_error as error:
        raise click.ClickException(_explain(error, options)) from None
    except config_error as error:
        raise click.UsageError(str(error)) from None
    except lifespan_error as error:
        raise StartError(str(error)) from None


def serve_forever(
    app: Callable[..., Any],
    config: Any,
    *,
    ready: Callable[[list[Any]], None],
    watched: Quart | None = None,
    stopped: Callable[[], Awaitable[object]] | None = None,
) -> Ended:
    """Serve an ASGI app until a signal ends it.

    Args:
        app: The ASGI app.
        config: The server's configuration.
        ready: Called with the listeners once connections are accepted.
        watched: The application whose log tells what blocks the event loop.
        stopped: Serving ends when what it returns has been awaited; without it
            signals end it.
    """
    server = server_part("server", "quart run")

    async def main() -> int:
        watch = None if watched is None else LoopWatch(watched)
        if watch is not None:
            watch.start()
        try:
            cut: int = await server.serve(
                app, config, ready=ready, shutdown_trigger=stopped
            )
        finally:
            if watch is not None:
                watch.stop()
        return cut

    factory = server_part("loops", "quart run").loop_factory(config)
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return Ended(0, runner.run(main()))
    except KeyboardInterrupt:
        # Interrupted before the server was listening for it.
        return Ended(130, None)


def log_to_terminal(*, access: bool = True) -> None:
    """Write the server's warnings to standard error, a line per request to output.

    Args:
        access: Whether the server writes that line for every request, or only for
            those that it refuses itself.
    """
    error = logging.getLogger("quart_server.error")
    requests = logging.getLogger("quart_server.access")
    if not access:
        requests.addFilter(_is_refused)
    _set_up(error, sys.stderr, logging.WARNING, "%(levelname)s %(message)s")
    _set_up(requests, sys.stdout, logging.INFO, "%(asctime)s %(message)s")


def _set_up(logger: logging.Logger, stream: Any, level: int, layout: str) -> None:
    if logger.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(layout, "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def _is_refused(record: logging.LogRecord) -> bool:
    """Return whether a line is of a request that the application has not seen."""
    return any(outcome in record.getMessage() for outcome in (" refused", " timeout"))


def _explain(error: Exception, options: ServerOptions) -> str:
    if str(error).startswith(f"Port {options.port} is in use by "):
        return explain_busy_port(options)
    return str(error)
