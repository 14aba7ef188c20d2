"""Where the server listens, and the processes that serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .options import option

__all__ = ["BindSettings", "ProcessSettings"]


@dataclass(frozen=True, kw_only=True)
class BindSettings:
    """Where the server listens."""

    heading: ClassVar[str] = "Binds"

    bind: tuple[str, ...] = option(
        ("127.0.0.1:8000",),
        "Addresses to listen on: host:port, [::1]:port, unix:/path, fd://N; sockets "
        "that systemd hands over (LISTEN_FDS) take the place of the default.",
    )
    insecure_bind: tuple[str, ...] = option(
        (), "Addresses that speak cleartext while those of bind speak TLS."
    )
    ipv6_only: bool = option(
        False, "Keep an [::] address from taking IPv4 connections as well."
    )
    backlog: int = option(
        2048,
        "Connections the kernel holds until a worker accepts them.",
        unit="connections",
        minimum=1,
    )
    unix_socket_mode: int = option(
        0o660,
        "Permissions of Unix sockets.",
        unit="octal",
        minimum=0,
        maximum=0o777,
    )


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """The supervisor and its workers."""

    heading: ClassVar[str] = "Processes"

    workers: int = option(
        1,
        "Worker processes; 1 without supervisor is a single process.",
        unit="processes",
        minimum=1,
    )
    supervisor: Literal["auto", "on"] = option(
        "auto",
        "A parent process that starts, watches and replaces workers; auto has one for "
        "several workers or with limit_max_requests.",
    )
    loop: Literal["auto", "asyncio", "uvloop"] = option(
        "auto", "Event loop; auto takes uvloop (winloop on Windows) where installed."
    )
    lifespan: Literal["auto", "on", "off"] = option(
        "auto", "ASGI lifespan; auto serves apps that do not support it, too."
    )
    startup_timeout: float = option(
        60.0,
        "Time for importing the app and its lifespan startup.",
        unit="seconds",
        minimum=0.1,
    )
    shutdown_timeout: float = option(
        10.0, "Time for the app's lifespan shutdown.", unit="seconds", minimum=0
    )
    graceful_timeout: float = option(
        30.0,
        "Time for requests in flight to end once the server is told to stop.",
        unit="seconds",
        minimum=0,
    )
    event_stream_timeout: float = option(
        1.0,
        "Time an event stream (text/event-stream) has then to end by itself, before "
        "the server ends it; its client connects anew.",
        unit="seconds",
        minimum=0,
    )
    worker_heartbeat_timeout: float = option(
        30.0,
        "A worker whose event loop is blocked this long is replaced.",
        unit="seconds",
        minimum=0.5,
    )
    loop_lag_warning: float = option(
        0.1,
        "The line that blocks the event loop this long is logged; 0 is never.",
        unit="seconds",
        minimum=0,
    )
    restart_limit: int = option(
        5,
        "Workers that may fail within restart_window before the server gives up "
        "with exit code 3.",
        unit="restarts",
        minimum=1,
    )
    restart_window: float = option(
        30.0,
        "The time over which failed workers are counted.",
        unit="seconds",
        minimum=1,
    )
    limit_max_requests: int | None = option(
        None,
        "A worker is replaced after this many requests.",
        unit="requests",
        minimum=1,
    )
    limit_max_requests_jitter: int = option(
        0,
        "Up to this many more, at random, so that workers do not end together.",
        unit="requests",
        minimum=0,
    )
    pid_path: str | None = option(None, "File that holds the server's process id.")
    user: str | None = option(
        None, "User to run as, name or id, after the binds are made."
    )
    group: str | None = option(
        None, "Group to run as, name or id, after the binds are made."
    )
    umask: int | None = option(
        None, "The process's file mode mask.", unit="octal", minimum=0, maximum=0o777
    )
