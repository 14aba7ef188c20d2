"""A worker process: ``python -m quart_server.worker_process DESCRIPTOR``.

Started by the supervisor only; the descriptor is its end of the control line.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

from .config import ConfigError
from .control import Channel
from .ending import exit_after
from .importer import AppImportError, import_app
from .launch import HELD_SIGNALS, Setup
from .lifespan import LifespanError
from .loggers import set_up_loggers
from .loops import loop_factory
from .privileges import drop_privileges
from .single_process import SECONDS_FOR_THREADS, renewer
from .tether import Tether
from .tls import make_ssl_context
from .worker import serve_listeners

if TYPE_CHECKING:
    import ssl
    from types import FrameType

    from .asgi import ASGIApp
    from .control import ControlMessage

__all__ = ["main"]

_log = logging.getLogger("quart_server.error")

_EXIT_FAILED = 3
_SETUP_SECONDS = 30.0
_LONGEST_REASON = 2000
# Their message says it all; a traceback would only hide it.
_EXPLAINED = (AppImportError, ConfigError, LifespanError)


class Worker:
    """One worker's serving, between its supervisor and its event loop."""

    def __init__(self, setup: Setup, tether: Tether) -> None:
        self._setup = setup
        self._tether = tether
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Told to end directly, this one worker is replaced: as in a reload.
        self._idle_seconds = setup.config.keep_alive_timeout

    def run(self) -> None:
        """Load the app and serve it until told to stop."""
        config = self._setup.config
        # The key may be root's: read it before the privileges go.
        ssl_context = make_ssl_context(config) if config.ssl_enabled else None
        drop_privileges(config)
        app = import_app(
            self._setup.target,
            factory=self._setup.factory,
            app_dir=self._setup.app_dir,
        )
        with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
            runner.run(self._serve(app, ssl_context))
            exit_after(SECONDS_FOR_THREADS, 0)

    def on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        """Drain on a SIGTERM that did not come from the supervisor."""
        if self._loop is None or self._stop is None:
            raise SystemExit(128 + signal.SIGTERM)
        self._tether.report("draining")
        self._loop.call_soon_threadsafe(self._stop.set)

    def _drain(self, message: ControlMessage) -> None:
        self._idle_seconds = message["idle_seconds"]
        if self._stop is not None:
            self._stop.set()

    async def _serve(self, app: ASGIApp, ssl_context: ssl.SSLContext | None) -> None:
        config = self._setup.config
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._tether.attach(
            self._loop,
            drain=self._drain,
            renew=lambda _message: renewer(ssl_context, config)(),
        )
        await serve_listeners(
            app,
            config,
            self._setup.listeners,
            shutdown_event=self._stop,
            ssl_context=ssl_context,
            ready=lambda _context: self._tether.report("ready"),
            # The supervisor has a successor ready before it drains this worker.
            on_request_limit=lambda: self._tether.report("outdated"),
            idle_seconds=lambda: self._idle_seconds,
        )


def main() -> int:
    """Serve as a worker; return the exit code."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    first, *orders = _receive_setup(channel)
    # Like a child of multiprocessing, a worker finds what its parent would find.
    sys.path.extend(path for path in first["import_path"] if path not in sys.path)
    setup = Setup.from_message(first)
    set_up_loggers(setup.config)
    tether = Tether(channel, setup.config)
    for order in orders:
        tether.obey(order)
    worker = Worker(setup, tether)
    _accept_signals(worker)
    tether.start()
    try:
        worker.run()
    # The app's code may raise anything, also to end the process.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told and logged
        tether.report("failed", reason=_describe(error))
        if not isinstance(error, _EXPLAINED):
            _log.exception("The app failed")
        return _EXIT_FAILED
    return 0


def _receive_setup(channel: Channel) -> list[ControlMessage]:
    """Return the setup, and orders that came right behind it.

    Raises:
        SystemExit: The supervisor is gone already, or did not send it.
    """
    deadline = time.monotonic() + _SETUP_SECONDS
    while not channel.is_closed:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        messages = channel.receive(left)
        if messages:
            return messages
    raise SystemExit(_EXIT_FAILED)


def _accept_signals(worker: Worker) -> None:
    """Let in what the supervisor held back; Ctrl+C and hang-ups are its business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, worker.on_terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)


def _describe(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}".replace("\n", " | ")
    return text[:_LONGEST_REASON]


if __name__ == "__main__":
    sys.exit(main())
