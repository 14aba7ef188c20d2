"""Serving the application; quart-server implements it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from ..missing import import_part
from ..utils import MustReloadError, observe_changes, run_reloader

__all__ = ("ServerMethods",)

PACKAGE = "quart-server"
RELOAD_STATUS = 3


class ServerMethods:
    """Running the application on its own server. API of ``quart.Quart``."""


    name: str
    config: Any
    debug: bool

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        use_reloader: bool = True,
        loop: Any = None,
        ca_certs: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        **kwargs: Any,
    ) -> None:
        raise NotImplementedError

    def run_task(self, host: str = "127.0.0.1") -> Any:
        raise NotImplementedError
