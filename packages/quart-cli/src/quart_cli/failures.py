"""Texts for what goes wrong before the application serves."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Final

from quart_core.debug import format_error
from quart_core.parts.serving import server_part
from quart_core.user_code import is_user_frame, printable

from .server_options import ServerOptions

__all__ = ("explain_busy_port", "explain_load_error", "without_own_frames")

_OWNER: Final = re.compile(r"process (\d+) \((.*)\)", re.DOTALL)
_INTERPRETER: Final = re.compile(r"python(w|\d[\d.]*)?(\.exe)?")
_PORTS_TRIED: Final = 20
_PROGRAM_NAMES: Final = {"quart_cli": "quart"}


def without_own_frames(error: BaseException) -> BaseException:
    """Take the frames before the user's first one off an exception's traceback.

    They are those of the command line, and of the import machinery.
    """
    tb = error.__traceback__
    while tb is not None and not is_user_frame(tb.tb_frame):
        tb = tb.tb_next
    # Without any frame of the user all are kept: it is no error of the user's then.
    return error if tb is None else error.with_traceback(tb)


def explain_load_error(error: BaseException) -> str:
    """Return the text for an exception that importing the application raised."""
    return format_error(without_own_frames(error))


def explain_busy_port(options: ServerOptions) -> str:
    """Return the text for a port that another process listens on.

    Args:
        options: What was to be served on.
    """
    owner = server_part("port_owner", "quart run").describe_owner(options.port)
    found = _OWNER.fullmatch(owner)
    by = owner if found is None else f"pid {found[1]} ({_short_command(found[2])})"
    return printable(
        f"Port {options.port} is used by {by}. "
        f"Stop it or use -p {_free_port(options.host, options.port)}."
    )


def _short_command(command: str) -> str:
    """Return a command as it was typed: ``quart run``, not the interpreter's path."""
    words = command.split()
    if len(words) > 1 and _INTERPRETER.fullmatch(os.path.basename(words[0])):
        words = words[1:]
        if words[0] == "-m" and len(words) > 1:
            words = words[1:]
    if not words:
        return command
    return " ".join([_PROGRAM_NAMES.get(name := Path(words[0]).name, name), *words[1:]])


def _free_port(host: str, port: int) -> int:
    """Return the next port that nobody listens on, as far as can be told now."""
    for candidate in range(port + 1, min(port + _PORTS_TRIED, 65_536)):
        with socket.socket() as probe:
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return candidate
    return port + 1 if port < 65_535 else port - 1
