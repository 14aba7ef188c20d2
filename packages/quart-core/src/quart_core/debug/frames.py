"""An exception as data: what failed, where in the user's code, and why before that."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from ..hints import VIEW_CODE
from ..syntax import position_of
from ..user_code import (
    def_line,
    display_path,
    is_user_code,
    is_user_frame,
    printable,
    source_lines,
)
from .masking import Masker
from .representation import Representation, text_of

__all__ = ("Failure", "Frame", "Line", "describe")

MAX_CHAIN: Final = 10
"""Exceptions shown of a chain of causes."""
MAX_MEMBERS: Final = 10
"""Exceptions shown of a group."""
MAX_GROUP_DEPTH: Final = 3
"""Groups in groups whose members are shown."""
MAX_OUTER_FRAMES: Final = 10
"""Frames shown from the beginning of a long traceback, such as of a recursion."""
MAX_INNER_FRAMES: Final = 20
"""Frames shown from its end."""
MAX_LOCALS: Final = 40
"""Variables shown of a frame."""
MAX_LINE_CHARACTERS: Final = 300
"""Characters shown of a line of source."""
MAX_MESSAGE_CHARACTERS: Final = 5_000
"""Characters shown of a message or a note."""
MAX_NOTES: Final = 20
"""Notes shown of an exception."""
CONTEXT_LINES: Final = 5
"""Lines of source kept before and after the one that failed."""

# What every template has, and nobody looks for.
_TEMPLATE_NAMES: Final = frozenset(
    {
        *("config", "cycler", "dict", "g", "get_flashed_messages", "joiner", "lipsum"),
        *("namespace", "range", "request", "session", "url_for"),
    }
)
_TEMPLATE_CODE: Final = "top-level template code"
_COROUTINE_FLAGS: Final = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source.

    Attributes:
        number: In its file, from 1.
        text: Its source, with the indentation of the first lines taken off.
        failed: Whether the frame stands on it.
        mark: First and last character of what failed in it, if known.
    """

    number: int
    text: str
    failed: bool = False
    mark: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A call that was under way.

    Attributes:
        file: As messages show it.
        path: The whole path.
        line: The line it stood on.
        function: The qualified name.
        package: The top-level name of its module.
        is_own: Whether the code is the user's.
        is_coroutine: Whether it was awaited, or iterated asynchronously.
        first_line: The line of its function's ``def``; 0 if it is not the user's.
        left_out: Frames of a long traceback that are left out before this one.
        lines: Source around the line; of frames that are not the user's, that line.
        variables: Names and texts of the values, only of the user's frames.
    """

    file: str
    path: str
    line: int
    function: str
    package: str
    is_own: bool
    is_coroutine: bool = False
    first_line: int = 0
    left_out: int = 0
    lines: tuple[Line, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of a chain.

    Attributes:
        kind: The name of its class, with the module unless it is a builtin.
        message: Its text.
        notes: Its notes, hints among them.
        frames: From the outermost to the one that raised.
        relation: How it led to the exception before it in the chain: ``cause`` where
            it was named with ``from``, ``context`` where it was being handled; empty
            for the first.
        members: For a group the chains of its members.
        left_out: Members that are not shown.
    """

    kind: str
    message: str
    notes: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    relation: str = ""
    members: tuple[tuple[Failure, ...], ...] = ()
    left_out: int = 0

    @property
    def own_frames(self) -> tuple[Frame, ...]:
        """The user's frames; if there are none the one that raised.

        The first after frames that were left out is among them, as it tells so.
        """
        own = tuple(frame for frame in self.frames if frame.is_own or frame.left_out)
        return own or self.frames[-1:]


def describe(
    error: BaseException, masker: Masker | None = None, *, variables: bool = False
) -> tuple[Failure, ...]:
    """Describe an exception and what led to it, the exception itself first.

    Args:
        error: The exception.
        masker: Knows the secrets.
        variables: Whether the values of variables are wanted.
    """
    describer = _Describer(masker or Masker(), variables=variables)
    return tuple(describer.chain(error, MAX_GROUP_DEPTH))


class _Describer:
    def __init__(self, masker: Masker, *, variables: bool) -> None:
        self._masker = masker
        self._represent = Representation(masker) if variables else None

    def chain(self, error: BaseException, depth: int) -> Iterator[Failure]:
        seen: set[int] = set()
        relation = ""
        following: BaseException | None = error
        while following is not None and id(following) not in seen:
            seen.add(id(following))
            yield self._failure(following, relation, depth)
            if len(seen) == MAX_CHAIN:
                return
            if following.__cause__ is not None:
                relation, following = "cause", following.__cause__
            elif following.__suppress_context__:
                return
            else:
                relation, following = "context", following.__context__

    def _failure(self, error: BaseException, relation: str, depth: int) -> Failure:
        frames = self._frames(error.__traceback__)
        if isinstance(error, SyntaxError):
            frames = (*frames, *self._syntax_frame(error))
        else:
            frames = (*frames, *self._view_frame(error))
        members: tuple[tuple[Failure, ...], ...] = ()
        left_out = 0
        if isinstance(error, BaseExceptionGroup):
            shown = error.exceptions[:MAX_MEMBERS] if depth else ()
            left_out = len(error.exceptions) - len(shown)
            members = tuple(tuple(self.chain(each, depth - 1)) for each in shown)
        return Failure(
            kind=printable(_kind(error)),
            message=self._message(_message(error)),
            notes=tuple(self._notes(error)),
            frames=frames,
            relation=relation,
            members=members,
            left_out=left_out,
        )

    def _message(self, text: str) -> str:
        text = printable(self._masker.message(text))
        if len(text) <= MAX_MESSAGE_CHARACTERS:
            return text
        return text[:MAX_MESSAGE_CHARACTERS] + "..."

    def _notes(self, error: BaseException) -> Iterator[str]:
        notes = getattr(error, "__notes__", None)
        if not isinstance(notes, list):
            return
        for note in notes[:MAX_NOTES]:
            if isinstance(note, str):
                yield self._message(note)

    def _frames(self, tb: TracebackType | None) -> tuple[Frame, ...]:
        tracebacks: list[TracebackType] = []
        while tb is not None:
            # A comprehension on the same line says nothing that its function does not.
            if not (tracebacks and _is_comprehension(tb, tracebacks[-1])):
                tracebacks.append(tb)
            tb = tb.tb_next
        left_out = len(tracebacks) - MAX_OUTER_FRAMES - MAX_INNER_FRAMES
        if left_out <= 0:
            return tuple(self._frame(each) for each in tracebacks)
        inner = tracebacks[-MAX_INNER_FRAMES:]
        return (
            *(self._frame(each) for each in tracebacks[:MAX_OUTER_FRAMES]),
            replace(self._frame(inner[0]), left_out=left_out),
            *(self._frame(each) for each in inner[1:]),
        )

    def _frame(self, tb: TracebackType) -> Frame:
        frame, code = tb.tb_frame, tb.tb_frame.f_code
        is_own = is_user_frame(frame)
        module = frame.f_globals.get("__name__")
        context = CONTEXT_LINES if is_own else 0
        return Frame(
            file=printable(display_path(code.co_filename)),
            path=printable(code.co_filename),
            line=tb.tb_lineno,
            function=printable(_function_name(frame)),
            package=printable(str(module).partition(".")[0]),
            is_own=is_own,
            is_coroutine=bool(code.co_flags & _COROUTINE_FLAGS),
            first_line=def_line(code) if is_own else 0,
            lines=tuple(self._lines(frame, tb, context)),
            variables=tuple(self._variables(frame)) if is_own else (),
        )

    def _lines(
        self, frame: FrameType, tb: TracebackType, context: int
    ) -> Iterator[Line]:
        code = frame.f_code
        source = source_lines(code.co_filename, frame.f_globals)
        number = tb.tb_lineno
        # A function's lines alone, with its decorators; a comprehension is a piece.
        is_in_function = not code.co_name.startswith("<")
        if not 0 < number <= len(source):
            return
        first = max(number - context, 1)
        if is_in_function:
            first = max(first, min(code.co_firstlineno, number))
        shown = [line.rstrip() for line in source[first - 1 : number + context]]
        if is_in_function:
            _cut_after_function(shown, number - first, source[code.co_firstlineno - 1])
        indent = _common_indent(shown)
        mark = None if _is_template(frame) else _mark(frame, tb, source[number - 1])
        for at, text in enumerate(shown, first):
            yield self._line(at, text[indent:], number, indent, mark)

    def _line(
        self,
        at: int,
        text: str,
        failed: int,
        indent: int,
        mark: tuple[int, int] | None,
    ) -> Line:
        shown = printable(self._masker.values(text.expandtabs(4)))
        if at != failed:
            return Line(at, shown[:MAX_LINE_CHARACTERS])
        if mark is not None and shown == text and len(text) <= MAX_LINE_CHARACTERS:
            mark = mark[0] - indent, mark[1] - indent
        else:
            # Something was replaced before or in the marked part.
            mark = None
        return Line(at, shown[:MAX_LINE_CHARACTERS], failed=True, mark=mark)

    # Any: values of whatever the user's variables hold.
    def _variables(self, frame: FrameType) -> Iterator[tuple[str, str]]:
        if self._represent is None:
            return
        values: dict[str, Any] = dict(frame.f_locals)
        names = [name for name in values if not name.startswith("__")]
        if _is_template(frame):
            names = [name for name in names if name not in _TEMPLATE_NAMES]
        for name in names[:MAX_LOCALS]:
            yield printable(name), self._represent(name, values[name])
        if len(names) > MAX_LOCALS:
            yield "...", f"{len(names) - MAX_LOCALS} more"

    def _syntax_frame(self, error: SyntaxError) -> Iterator[Frame]:
        """Yield the place that a syntax error is in, which has no frame."""
        if not isinstance(error.filename, str) or not isinstance(error.lineno, int):
            return
        yield self._place(error.filename, error.lineno)

    def _view_frame(self, error: BaseException) -> Iterator[Frame]:
        """Yield the view that an exception is about, which has returned."""
        code = getattr(error, VIEW_CODE, None)
        if not isinstance(code, CodeType) or not is_user_code(code.co_filename):
            return
        # The message names the line where it knows a better one than the first.
        place = re.escape(f"{display_path(code.co_filename)}:")
        found = re.match(rf"{place}(\d{{1,9}}) ", text_of(error))
        frame = self._place(
            code.co_filename, int(found[1]) if found else def_line(code)
        )
        yield replace(
            frame, function=printable(code.co_qualname), first_line=def_line(code)
        )

    def _place(self, filename: str, number: int) -> Frame:
        """Return a place in a file of the user that no frame stands on."""
        source = [line.rstrip() for line in source_lines(filename)]
        first = max(number - CONTEXT_LINES, 1)
        shown = source[first - 1 : number + CONTEXT_LINES]
        indent = _common_indent(shown) if any(shown) else 0
        return Frame(
            file=printable(display_path(filename)),
            path=printable(filename),
            line=number,
            function="",
            package="",
            is_own=True,
            lines=tuple(
                self._line(at, text[indent:], number, 0, None)
                for at, text in enumerate(shown, first)
            ),
        )


def _is_template(frame: FrameType) -> bool:
    """Return whether a frame is one that Jinja has made for a line of a template."""
    return frame.f_globals.get("__name__") == frame.f_code.co_filename


def _function_name(frame: FrameType) -> str:
    if not _is_template(frame):
        return frame.f_code.co_qualname
    name = frame.f_code.co_name
    return "the template" if name in {"<module>", _TEMPLATE_CODE} else name


def _is_comprehension(tb: TracebackType, outer: TracebackType) -> bool:
    """Return whether a frame is one that a comprehension has before Python 3.12."""
    code = tb.tb_frame.f_code
    return (
        code.co_name in {"<listcomp>", "<setcomp>", "<dictcomp>"}
        and code.co_filename == outer.tb_frame.f_code.co_filename
        and tb.tb_lineno == outer.tb_lineno
    )


def _kind(error: BaseException) -> str:
    cls = type(error)
    if cls.__module__ in {"builtins", "__main__"}:
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and isinstance(error.msg, str):
        # Its place is shown as a frame.
        return error.msg
    return text_of(error)


def _cut_after_function(shown: list[str], failed: int, head: str) -> None:
    """Take off the lines that no longer belong to a function.

    Args:
        shown: The lines.
        failed: The index of the one that failed.
        head: The first line of the function.
    """
    indent = len(head) - len(head.lstrip())
    for index in range(failed + 1, len(shown)):
        text = shown[index]
        if text and len(text) - len(text.lstrip()) <= indent and text.strip() != ")":
            del shown[index:]
            break
    while len(shown) > failed + 1 and not shown[-1]:
        shown.pop()


def _common_indent(lines: list[str]) -> int:
    """Return the characters of white space that all lines begin with."""
    text = "\n".join(lines)
    before = next((line for line in lines if line.strip()), "")
    after = next((x for x in textwrap.dedent(text).split("\n") if x.strip()), "")
    return len(before) - len(after)


def _mark(frame: FrameType, tb: TracebackType, source: str) -> tuple[int, int] | None:
    """Return the characters of the line that the failing instruction came from."""
    position = position_of(frame.f_code, tb.tb_lasti)
    if position is None or position[0] != tb.tb_lineno:
        return None
    first, last, start, end = position
    code = source.rstrip()
    encoded = code.encode("utf-8", "surrogatepass")
    marked = encoded[start : end if last == first else None].decode("utf-8", "replace")
    if marked == code.strip():
        return None
    begin = len(encoded[:start].decode("utf-8", "replace"))
    return begin, begin + len(marked)
