"""An exception as text: the user's frames with source, the others as a number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from quart_contexts.globals import _cv_app

from .frames import Failure, Frame, Line, describe
from .masking import Masker, secrets_of

__all__ = ("failure_text", "format_error")

CONTEXT_LINES: Final = 2
"""Lines of source before the one that failed."""

_NOTE_COLUMN: Final = 35
_RELATIONS: Final = {
    "cause": "which was the cause of:",
    "context": "and while that was handled:",
}


def format_error(error: BaseException) -> str:
    """Return an exception as the terminal shows it, without an end of line.

    Frames that are not the user's are counted, unless the environment variable
    QUART_TRACE is ``full``. Control and invisible characters are escaped.
    """
    ctx = _cv_app.get(None)
    app = None if ctx is None else ctx.app
    return failure_text(describe(error, Masker(secrets_of(app, None))))


def failure_text(chain: tuple[Failure, ...]) -> str:
    """Return a described exception as text, what happened first at the top."""
    is_full = os.environ.get("QUART_TRACE") == "full"
    return "\n".join(f"    {line}".rstrip() for line in _chain(chain, is_full=is_full))


def _chain(chain: tuple[Failure, ...], *, is_full: bool) -> Iterator[str]:
    for failure in reversed(chain):
        yield from _failure(failure, is_full=is_full)
        if failure.relation:
            yield ""
            yield _RELATIONS[failure.relation]
            yield ""


def _failure(failure: Failure, *, is_full: bool) -> Iterator[str]:
    shown = failure.frames if is_full else failure.own_frames
    for frame in shown:
        if frame.left_out:
            yield f"... {frame.left_out} frames in between"
        yield from _frame(frame)
    head, *rest = _head(failure).split("\n")
    hidden = len(failure.frames) - len(shown)
    for note in failure.notes:
        rest += note.split("\n")
    if hidden:
        frames = "1 framework frame" if hidden == 1 else f"{hidden} framework frames"
        hint = f"{frames} hidden, QUART_TRACE=full shows them"
        if rest or len(head) > _NOTE_COLUMN:
            rest.append(hint)
        else:
            head = f"{head:<{_NOTE_COLUMN}} {hint}"
    yield head
    yield from rest
    yield from _members(failure, is_full=is_full)


def _head(failure: Failure) -> str:
    return f"{failure.kind}: {failure.message}" if failure.message else failure.kind


def _frame(frame: Frame) -> Iterator[str]:
    where = f"{frame.file}:{frame.line}"
    yield f"{where} in {frame.function}" if frame.function else where
    lines = list(_context(frame))
    width = max((len(str(line.number)) for line in lines), default=0)
    for line in lines:
        marker = ">" if line.failed else " "
        yield f"{marker} {line.number:>{width}}  {line.text}"


def _context(frame: Frame) -> Iterator[Line]:
    """Yield the lines of a function up to the one that failed."""
    for line in frame.lines:
        if line.failed or (
            frame.line - CONTEXT_LINES <= line.number < frame.line
            and line.number > frame.first_line
        ):
            yield line


def _members(failure: Failure, *, is_full: bool) -> Iterator[str]:
    total = len(failure.members) + failure.left_out
    for number, member in enumerate(failure.members, 1):
        yield f"-- {number} of {total}"
        for line in _chain(member, is_full=is_full):
            yield f"   {line}"
    if failure.members and failure.left_out:
        yield f"-- {failure.left_out} more"
