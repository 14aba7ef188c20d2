"""The application on a real server, on a free port of this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from quart_core.missing import import_part

from .await_chain import describe_loop
from .waits import StillWaitingError

if TYPE_CHECKING:
    from quart_core import Quart

__all__ = ("LiveServer",)

#: Seconds for the application to start, and for it to stop.
DEFAULT_TIMEOUT: Final = 10.0

#: Seconds for a server that is given up to end once it is cancelled.
CANCEL_SECONDS: Final = 1.0


class LiveServer:
    """An application that quart-server serves, in a thread, on ``127.0.0.1``.

    ::

        with LiveServer(app) as server:
            assert httpx.get(f"{server.url}/").status_code == 200

    The functions around serving run. Needs quart-server.

    Args:
        app: The application.
        timeout: Seconds for the start, and for the stop.
        **settings: Settings of quart-server's `Config`, such as ``certfile``.

    Attributes:
        url: Such as ``http://127.0.0.1:40123``, empty before the start.
    """

    # Any: settings have values of many types.
    def __init__(
        self, app: Quart, *, timeout: float = DEFAULT_TIMEOUT, **settings: Any
    ) -> None:
        self.app = app
        self.timeout = timeout
        self.url = ""
        self._settings = {
            "bind": ["127.0.0.1:0"],
            "access_log": False,
            # Requests that do not end are cut off before the stop is given up.
            "graceful_timeout": timeout / 2,
            **settings,
        }
        self._thread: threading.Thread | None = None
        self._answered = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stop: asyncio.Event | None = None

    @property
    def host(self) -> str:
        """The address without the port."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port that the system chose, 0 before the start."""
        return urlsplit(self.url).port or 0

    def start(self) -> None:
        """Serve, and return when connections are accepted.

        Raises:
            MissingPackageError: quart-server is not installed.
            RuntimeError: It serves already.
            StillWaitingError: The application did not start in time.
            Exception: What the start failed with.
        """
        if self._thread is not None:
            raise RuntimeError(f"The server serves already, at {self.url}")
        server = import_part("quart_server.server", "LiveServer", "quart-server")
        config = import_part("quart_server.config", "LiveServer", "quart-server")
        self._answered.clear()
        # A daemon, so that a server that does not stop cannot hold up the end.
        self._thread = threading.Thread(
            target=self._serve_in_thread,
            args=(server.serve, config.Config(**self._settings)),
            name="live server",
            daemon=True,
        )
        self._thread.start()
        if not self._answered.wait(self.timeout):
            raise self._give_up(
                self._thread,
                f"The application did not start within {self.timeout:g} seconds; look "
                "at its functions before serving.",
            )
        if self._error is not None:
            error, self._error = self._error, None
            self._thread = None
            raise error

    def stop(self) -> None:
        """Stop serving, and return when the application has stopped.

        Raises:
            StillWaitingError: It did not stop in time.
            Exception: What the server failed with meanwhile.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join(self.timeout)
        if thread.is_alive():
            raise self._give_up(
                thread,
                f"The server did not stop within {self.timeout:g} seconds; a request "
                "or a function after serving does not end.",
            )
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _give_up(self, thread: threading.Thread, problem: str) -> StillWaitingError:
        """Cancel what the server does, and return the error that says where it was."""
        self._thread = None
        where = ""
        if self._loop is not None and self._task is not None:
            where = describe_loop(self._loop, thread.ident)
            self._loop.call_soon_threadsafe(self._task.cancel)
        thread.join(CANCEL_SECONDS)
        # What it ended with now is but the cancellation.
        self._error = None
        return StillWaitingError(f"{problem} {where}".rstrip())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()

    # Any: quart-server's function and settings, of an optional package.
    def _serve_in_thread(self, serve: Any, config: Any) -> None:
        try:
            asyncio.run(self._serve(serve, config))
        except BaseException as error:  # noqa: BLE001 - raised by start or stop
            self._error = error
        finally:
            self._answered.set()

    async def _serve(self, serve: Any, config: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._stop = asyncio.Event()
        await serve(
            self.app,
            config,
            shutdown_trigger=self._stop.wait,
            ready=self._on_ready,
        )

    def _on_ready(self, listeners: Sequence[Any]) -> None:
        self.url = listeners[0].url
        self._answered.set()
