"""The debug page: one HTML document that loads nothing.

All text passes through markupsafe; what is joined without escaping is of the type
`Markup`. Style and script are inline, allowed by the nonce of the page's
Content-Security-Policy.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from .development import Development
from .frames import Failure, Frame, Line
from .request_data import Pairs, RequestData

__all__ = ("TEMPLATE", "error_page")

TEMPLATE: Final = Markup("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title}</title>
<style nonce="{nonce}">{style}</style>
</head>
<body>
<main>
{head}
{failures}
{request}
<footer>Shown because the application is in debug mode, to this machine only unless \
DEBUG_HOSTS says otherwise. Python {python}.</footer>
</main>
<script nonce="{nonce}">{script}</script>
</body>
</html>
""")
"""The document around the parts of the page; for ``format``."""

_EMPTY: Final = Markup()
_RELATIONS: Final = {
    "cause": "caused by",
    "context": "raised while this was being handled:",
}


def error_page(
    chain: tuple[Failure, ...],
    request: RequestData | None,
    nonce: str,
    development: Development | None = None,
) -> str:
    """Return the page for a described exception.

    Args:
        chain: The exception and what led to it.
        request: The request that failed.
        nonce: What allows the page's own style and script.
        development: What the server offers, if it is one for development.
    """
    first, *related = chain
    title = f"{first.kind}: {first.message}" if first.message else first.kind
    return TEMPLATE.format(
        title=title[:200],
        nonce=nonce,
        style=_file("page.css"),
        script=_file("page.js"),
        head=_head(first, request),
        failures=_own(first) + _join(_related(each) for each in related),
        request=_EMPTY if request is None else _request(request, development),
        python=".".join(map(str, sys.version_info[:3])),
    )


@cache
def _file(name: str) -> Markup:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of this package


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _head(failure: Failure, request: RequestData | None) -> Markup:
    module, dot, name = failure.kind.rpartition(".")
    frame = failure.own_frames[-1] if failure.own_frames else None
    return Markup(
        '<header class="top">{request}<h1><span class="module">{module}</span>{name}'
        "</h1>{message}{at}</header>{hints}"
    ).format(
        request=_EMPTY
        if request is None
        else Markup('<p class="request">{} {}</p>').format(
            request.method, request.path
        ),
        module=module + dot,
        name=name,
        message=_message(failure),
        at=_EMPTY
        if frame is None
        else Markup(
            '<p class="at">in <code>{}</code> at <code>{}:{}</code></p>'
        ).format(frame.function or "the file", frame.file, frame.line),
        hints=_notes(failure),
    )


def _message(failure: Failure) -> Markup:
    if not failure.message:
        return _EMPTY
    return Markup('<p class="message">{}</p>').format(failure.message)


def _notes(failure: Failure) -> Markup:
    return _join(Markup('<p class="hint">{}</p>').format(n) for n in failure.notes)


def _own(failure: Failure) -> Markup:
    """Return frames and members of the exception the page is about."""
    if not failure.frames and not failure.members:
        return _EMPTY
    return Markup("<h2>Your code, the innermost call first</h2>{}{}").format(
        _frames(failure), _members(failure)
    )


def _related(failure: Failure) -> Markup:
    return Markup(
        '<section class="related"><p class="relation">{}</p>{}</section>'
    ).format(_RELATIONS[failure.relation], _with_title(failure))


def _with_title(failure: Failure) -> Markup:
    return Markup("<h3>{}</h3>{}{}{}{}").format(
        failure.kind,
        _message(failure),
        _notes(failure),
        _frames(failure),
        _members(failure),
    )


def _members(failure: Failure) -> Markup:
    total = len(failure.members) + failure.left_out
    parts = [
        Markup(
            '<section class="member"><p class="relation">{} of {}</p>{}</section>'
        ).format(
            number,
            total,
            _with_title(chain[0]) + _join(_related(each) for each in chain[1:]),
        )
        for number, chain in enumerate(failure.members, 1)
    ]
    if failure.left_out:
        parts.append(Markup('<p class="gap">{} more</p>').format(failure.left_out))
    return _join(parts)


def _frames(failure: Failure) -> Markup:
    if not failure.frames:
        return _EMPTY
    return Markup('<div class="frames">{}</div>').format(_join(_frame_parts(failure)))


def _frame_parts(failure: Failure) -> Iterator[Markup]:
    """Yield the user's frames and folds of the others, the innermost first."""
    own = {id(frame) for frame in failure.own_frames}
    folded: list[Frame] = []
    frames = failure.frames
    for position in range(len(frames) - 1, -1, -1):
        frame = frames[position]
        if id(frame) not in own:
            folded.append(frame)
            continue
        if folded:
            yield _fold(folded)
            folded = []
        yield _frame(frame, _caller(frames[:position]))
        if frame.left_out:
            yield Markup('<p class="gap">{} frames in between</p>').format(
                frame.left_out
            )
    if folded:
        yield _fold(folded)


def _caller(outer: tuple[Frame, ...]) -> Frame | None:
    return next((frame for frame in reversed(outer) if frame.is_own), None)


def _fold(frames: list[Frame]) -> Markup:
    packages = ", ".join(dict.fromkeys(frame.package for frame in frames))
    count = f"{len(frames)} frame{'' if len(frames) == 1 else 's'} in {packages}"
    return Markup(
        '<details class="folded"><summary>{}</summary><ol>{}</ol></details>'
    ).format(
        count,
        _join(
            Markup("<li><code>{}:{}</code> in {}</li>").format(
                frame.path, frame.line, frame.function
            )
            for frame in frames
        ),
    )


def _frame(frame: Frame, caller: Frame | None) -> Markup:
    return Markup(
        '<section class="frame"><p class="where"><b title="{path}">{file}:{line}</b>'
        "{function}{by}</p>{source}{variables}</section>"
    ).format(
        path=frame.path,
        file=frame.file,
        line=frame.line,
        function=Markup(" in {}").format(frame.function) if frame.function else "",
        by=_by(frame, caller),
        source=_source(frame.lines),
        variables=_variables(frame.variables),
    )


def _by(frame: Frame, caller: Frame | None) -> Markup:
    """Return who awaited or called a frame, for the way from the view to the error."""
    if caller is None:
        return _EMPTY
    word = "awaited" if frame.is_coroutine else "called"
    return Markup(' <span class="by">{} by {} ({}:{})</span>').format(
        word, caller.function, caller.file, caller.line
    )


def _source(lines: tuple[Line, ...]) -> Markup:
    if not lines:
        return _EMPTY
    spans = Markup().join(
        Markup("<span{}><i>{}</i>{}</span>").format(
            Markup(' class="failed"') if line.failed else "", line.number, _code(line)
        )
        for line in lines
    )
    return Markup('<pre class="source">{}</pre>').format(spans)


def _code(line: Line) -> Markup:
    if line.mark is None:
        return Markup("{}").format(line.text)
    start, end = line.mark
    return Markup("{}<mark>{}</mark>{}").format(
        line.text[:start], line.text[start:end], line.text[end:]
    )


def _variables(variables: Pairs) -> Markup:
    if not variables:
        return _EMPTY
    return Markup(
        '<details class="locals"><summary>{} local variable{}</summary>{}</details>'
    ).format(len(variables), "" if len(variables) == 1 else "s", _table(variables))


def _table(pairs: Pairs) -> Markup:
    rows = Markup().join(
        Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(name, value)
        for name, value in pairs
    )
    return Markup("<table>{}</table>").format(rows)


def _request(request: RequestData, development: Development | None) -> Markup:
    facts: Pairs = (
        ("Method", request.method),
        ("URL", request.url),
        ("HTTP version", request.http_version),
        ("Client", request.client),
    )
    boxes = [
        _box("Request", facts, is_open=True),
        _box("Query parameters", request.args, is_open=True),
        _box("Headers", request.headers, is_open=False),
        Markup(
            '<section class="box"><p class="title">Repeat it</p><div class="curl">'
            '<button type="button" data-copies="curl" hidden>Copy as curl</button>'
            '<pre id="curl">{}</pre></div>{}</section>'
        ).format(request.curl, _test(development)),
    ]
    return Markup("<h2>Request</h2>") + _join(boxes)


def _test(development: Development | None) -> Markup:
    """Return how to make a test of the request, and where to find the page again."""
    if development is None or not development.test_command:
        return _EMPTY
    return Markup(
        '<div class="curl"><a class="button" href="{path}.py" download>Save as test</a>'
        "<pre>{command}</pre></div>"
        '<p class="kept">This page is kept at <a href="{path}">{path}</a></p>'
    ).format(path=development.error_path, command=development.test_command)


def _box(title: str, pairs: Pairs, *, is_open: bool) -> Markup:
    if not pairs:
        return _EMPTY
    return Markup('<details class="box"{}><summary>{}</summary>{}</details>').format(
        Markup(" open") if is_open else "", title, _table(pairs)
    )
