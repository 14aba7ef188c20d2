"""Where a thread is right now, and what to write instead of what blocks there."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

from .parts.names import OWN_PACKAGES
from .syntax import SourceTree, position_of, shortened
from .user_code import display_path, is_user_frame, printable

__all__ = ("Standing", "standing_in", "subject_in")

MAX_SUBJECT_CHARACTERS: Final = 200
"""Characters shown of a request's method and path."""

_LOOP_FILES: Final = frozenset({"base_events.py", "events.py", "runners.py"})
_SUBJECTS: Final = frozenset({"request", "websocket"})
_DEBUGGERS: Final = frozenset({"bdb", "pdb", "pydevd", "debugpy", "_pydevd_bundle"})

# By the dotted name of what is called, or by the beginning of it.
_INSTEAD: Final = {
    "time.sleep": "await asyncio.sleep",
    "sleep": "await asyncio.sleep",
    "requests": "await an async client, such as httpx.AsyncClient",
    "urllib.request": "await an async client, such as httpx.AsyncClient",
    "urlopen": "await an async client, such as httpx.AsyncClient",
    "httpx": "await httpx.AsyncClient",
    "subprocess": "await asyncio.create_subprocess_exec",
    "os.system": "await asyncio.create_subprocess_shell",
    "socket": "await asyncio.open_connection",
    "open": "await run_sync(...) for the reading",
    "sqlite3": "an async driver",
    "psycopg2": "an async driver",
    "pymysql": "an async driver",
    "input": "await run_sync(input)",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of the user that a thread is at.

    Attributes:
        place: ``file:line``.
        code: The function it is in.
        instruction: Where in it, in bytes.
    """

    place: str
    code: CodeType
    instruction: int

    def described(self) -> tuple[str, str]:
        """Return what blocks with its place, and what to use instead of it.

        Reads the source, so this is for what is reported, not for each look.
        """
        call = _call_at(self.code, self.instruction)
        what = call or f"in {self.code.co_qualname}"
        return printable(f"{self.place} {what}"), printable(
            _instead_of(call or self.code.co_name)
        )


def standing_in(frame: FrameType | None) -> Standing | None:
    """Return where the user's code stands in a stack, given its innermost frame.

    Only what the event loop runs counts. None if that is no code of the user, or if a
    debugger has stopped it.
    """
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in _DEBUGGERS or _is_loop(frame.f_code.co_filename):
            return None
        if is_user_frame(frame):
            place = f"{display_path(frame.f_code.co_filename)}:{frame.f_lineno}"
            return Standing(place, frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return None


def subject_in(frame: FrameType | None) -> str:
    """Return the request or websocket that a stack serves: ``GET /path``."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in OWN_PACKAGES:
            for name in _SUBJECTS & set(frame.f_code.co_varnames):
                scope = getattr(frame.f_locals.get(name), "scope", None)
                if isinstance(scope, dict):
                    return _subject(scope)
        frame = frame.f_back
    return ""


# Any: scopes hold whatever their server puts there.
def _subject(scope: dict[str, Any]) -> str:
    method = scope.get("method", "WEBSOCKET")
    return printable(f"{method} {scope.get('path', '')}"[:MAX_SUBJECT_CHARACTERS])


def _is_loop(filename: str) -> bool:
    folder, name = os.path.split(filename)
    return name in _LOOP_FILES and os.path.basename(folder) == "asyncio"


def _call_at(code: CodeType, instruction: int) -> str:
    """Return the name of what an instruction calls; empty if it calls nothing."""
    position = position_of(code, instruction)
    source = SourceTree.load(code.co_filename)
    if position is None or source is None:
        return ""
    node = source.node_at(position)
    if isinstance(node, ast.Await):
        node = node.value
    return shortened(source.text(node.func)) if isinstance(node, ast.Call) else ""


def _instead_of(call: str) -> str:
    for name, advice in _INSTEAD.items():
        if call == name or call.startswith(f"{name}."):
            return advice
    name = call if call.isidentifier() else "..."
    return f"await run_sync({name})"
