"""Finds the expression that lacks an ``await``, and words what to write instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any, Final

from .names_in_scope import Verdict, resolve, verdict
from .syntax import (
    MAX_SHOWN_CHARACTERS,
    SourceTree,
    nodes_in,
    position_of,
    shortened,
)

__all__ = ("explain_returned", "explain_surplus_await", "explain_use")

_MISSING: Final = "without await"


# Any: a coroutine of any kind, and names with values of any kind.
def explain_returned(value: Any, code: CodeType, names: Mapping[str, Any]) -> str:
    """Say which ``return`` gave an awaitable, and what to write.

    Args:
        value: What was returned.
        code: The code of the function that returned it.
        names: What the names mean in that function.

    Returns:
        The explanation; empty where the source does not tell.
    """
    source = SourceTree.load(code.co_filename)
    function = None if source is None else source.function_of(code)
    if source is None or function is None or isinstance(function, ast.Lambda):
        return ""
    returns = [node for node in nodes_in(function) if isinstance(node, ast.Return)]
    best: tuple[int, ast.Return, ast.expr] | None = None
    for statement in returns:
        for result in _results(statement.value):
            made = _origin(function, result, statement.lineno) or result
            score = _likeness(made, value, names)
            if score > (0 if best is None else best[0]):
                best = score, statement, result
    if best is None:
        return ""
    return _returned_text(source, best[1], best[2])


def _returned_text(source: SourceTree, statement: ast.Return, result: ast.expr) -> str:
    function = source.function_around(statement)
    made = _origin(function, result, statement.lineno)
    if made is None:
        write = _with_await(source, statement, result)
        text = f"{source.place(statement)} returned {source.short(result)} {_MISSING}."
    else:
        assignment = source.parent(made)
        text = (
            f"{source.place(statement)} returned {source.short(result)}, which is "
            f"{source.short(made)} {_MISSING} (line {made.lineno})."
        )
        write = _with_await(source, assignment, made)
    return f"{text} Write: {write}{_in_async_function(function)}"


def _results(value: ast.expr | None) -> Iterator[ast.expr]:
    """Yield what may be the body in what a view returns."""
    if isinstance(value, ast.Tuple) and value.elts:
        yield from _results(value.elts[0])
    elif isinstance(value, ast.IfExp):
        yield from _results(value.body)
        yield from _results(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _results(part)
    elif isinstance(value, ast.NamedExpr):
        yield from _results(value.value)
    elif isinstance(value, (ast.Call, ast.Attribute, ast.Name, ast.Subscript)):
        yield value


def _likeness(made: ast.expr, value: Any, names: Mapping[str, Any]) -> int:
    """Return how likely an expression made a coroutine; 0 for not at all."""
    code = getattr(value, "cr_code", None)
    function = made.func if isinstance(made, ast.Call) else made
    found = resolve(function, names)
    found = getattr(found, "fget", found)
    if code is not None and getattr(found, "__code__", None) is code:
        return 4
    last = getattr(function, "attr", None) or getattr(function, "id", None)
    if last is not None and last == getattr(value, "__name__", None):
        return 3
    if isinstance(made, ast.Name):
        return 0
    return int(verdict(made, names))


# How a value is used


def explain_use(
    code: CodeType, instruction: int, line: int, names: Mapping[str, Any]
) -> str:
    """Say which expression of a failing line lacks ``await``, and what to write.

    Args:
        code: The code of the user's function.
        instruction: The index of the failing instruction, in bytes.
        line: Its line.
        names: What the names mean there.

    Returns:
        The explanation; empty where the source does not tell.
    """
    source = SourceTree.load(code.co_filename)
    if source is None:
        return ""
    node = _failing_node(source, code, instruction, line)
    if node is None:
        return ""
    suspect = _suspect_in(source, node, names)
    return "" if suspect is None else _use_text(source, suspect, line, names)


def _failing_node(
    source: SourceTree, code: CodeType, instruction: int, line: int
) -> ast.expr | ast.stmt | None:
    """Return the operation of an instruction, or its statement."""
    position = position_of(code, instruction)
    if position is None:
        return source.statement_on(line)
    node = source.node_at(position)
    # Before 3.12 the parts of an f-string all have the position of the whole.
    while isinstance(node, (ast.JoinedStr, ast.FormattedValue, ast.Constant)):
        around = source.parent(node)
        if not isinstance(around, (ast.JoinedStr, ast.FormattedValue)):
            break
        node = around
    return node


def _suspect_in(
    source: SourceTree, node: ast.AST, names: Mapping[str, Any]
) -> ast.expr | None:
    """Return the likeliest coroutine among what an operation worked on."""
    nearby = list(_unawaited(source, _operands(source, node)))
    deeper = _unawaited(source, _values_in(node))
    for wanted, parts in (
        (Verdict.YES, nearby),
        (Verdict.YES, deeper),
        (Verdict.MAYBE, nearby),
    ):
        for part in parts:
            if verdict(part, names) is wanted:
                return part
    return None


def _unawaited(source: SourceTree, parts: Iterator[ast.expr]) -> Iterator[ast.expr]:
    return (x for x in parts if not isinstance(source.parent(x), ast.Await))


def _values_in(node: ast.AST) -> Iterator[ast.expr]:
    for part in ast.walk(node):
        if isinstance(part, (ast.Call, ast.Attribute, ast.Name)):
            yield part


def _operands(source: SourceTree, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what the operation at a node works on, the likeliest first."""
    match node:
        case ast.Subscript():
            yield node.value
            yield node.slice
        case ast.Attribute() | ast.FormattedValue() | ast.Starred():
            yield node.value
        case ast.Call():
            if isinstance(node.func, ast.Attribute):
                yield node.func.value
            yield from node.args
            yield from (keyword.value for keyword in node.keywords)
            yield node.func
        case ast.BinOp():
            yield node.left
            yield node.right
        case ast.AugAssign():
            yield node.value
            yield node.target
        case ast.Compare():
            yield node.left
            yield from node.comparators
        case ast.UnaryOp():
            yield node.operand
    yield from _around(source, node)


def _around(source: SourceTree, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is used by the statement or the expression around a node.

    The instruction of a loop, a ``with`` or an unpacking has the position of the
    value alone, or of the names that it is unpacked to.
    """
    match node:
        case ast.For() | ast.AsyncFor():
            yield node.iter
        case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Expr():
            if node.value is not None:
                yield node.value
        case ast.Tuple() | ast.List():
            parent = source.parent(node)
            if isinstance(parent, (ast.Assign, ast.For, ast.AsyncFor)):
                yield from _around(source, parent)
        case ast.Call() | ast.Attribute() | ast.Name():
            yield node


def _use_text(
    source: SourceTree, culprit: ast.expr, line: int, names: Mapping[str, Any]
) -> str:
    function = source.function_around(culprit)
    made = _origin(function, culprit, line)
    where = source.place(culprit)
    if made is None:
        user = _user_of(source, culprit)
        text = f"{where} used {source.short(culprit)} {_MISSING}."
        made = culprit
    else:
        user = source.parent(made)
        text = (
            f"{where} used {source.short(culprit)}, which is {source.short(made)} "
            f"{_MISSING} (line {made.lineno})."
        )
    if _is_async_generator(made, culprit, names):
        return text.replace(_MISSING, "as if it were a list") + _iterate(source, made)
    write = _with_await(source, user, made)
    return f"{text} Write: {write}{_in_async_function(function)}"


def _is_async_generator(
    made: ast.expr, culprit: ast.expr, names: Mapping[str, Any]
) -> bool:
    if isinstance(culprit, ast.Name) and culprit is not made:
        return hasattr(names.get(culprit.id), "ag_code")
    if not isinstance(made, ast.Call):
        return False
    code = getattr(resolve(made.func, names), "__code__", None)
    return code is not None and bool(code.co_flags & 0x0200)  # CO_ASYNC_GENERATOR


def _iterate(source: SourceTree, made: ast.expr) -> str:
    loop = source.parent(made)
    if isinstance(loop, ast.For):
        name, items = source.text(loop.target), source.short(made)
        return f" Write: async for {name} in {items}:"
    return f" Write: [item async for item in {source.short(made)}]"


def _origin(function: ast.AST | None, used: ast.expr, line: int) -> ast.expr | None:
    """Return what the last assignment before a line gave to a variable."""
    if function is None or not isinstance(used, ast.Name):
        return None
    found: ast.expr | None = None
    for node in ast.walk(function):
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if used.id not in names or node.lineno > line or node.value is None:
            continue
        if found is None or node.lineno >= found.lineno:
            found = node.value
    return None if isinstance(found, ast.Await) else found


def _user_of(source: SourceTree, culprit: ast.expr) -> ast.AST | None:
    """Return what to show around a culprit: as much as makes the fix clear."""
    parent = source.parent(culprit)
    if isinstance(parent, ast.keyword):
        parent = source.parent(parent)
    if isinstance(parent, ast.Attribute):
        # A method is shown with its call.
        call = source.parent(parent)
        if isinstance(call, ast.Call) and call.func is parent:
            return call
    return parent


def _with_await(source: SourceTree, user: ast.AST | None, culprit: ast.expr) -> str:
    """Return the source of ``user`` with ``await`` before the culprit in it."""
    for awaited in (source.text(culprit), source.short(culprit)):
        text = _around_await(source, user, culprit, f"await {awaited}")
        if len(text) <= MAX_SHOWN_CHARACTERS and "\n" not in text:
            return text
    return f"await {source.short(culprit)}"


def _around_await(
    source: SourceTree, user: ast.AST | None, culprit: ast.expr, awaited: str
) -> str:
    if isinstance(user, (ast.For, ast.AsyncFor)):
        return f"for {source.text(user.target)} in {awaited}:"
    if not isinstance(user, (ast.expr, ast.Assign, ast.AnnAssign, ast.Return)):
        return awaited
    if isinstance(user, (ast.JoinedStr, ast.FormattedValue)):
        return f"{{{awaited}}}"
    if _needs_brackets(source, culprit):
        awaited = f"({awaited})"
    return source.text_with(user, culprit, awaited)


def _needs_brackets(source: SourceTree, culprit: ast.expr) -> bool:
    """Return whether ``await x`` needs brackets: before ``.y``, ``[y]`` and ``(y)``."""
    if source.is_in_brackets(culprit):
        return False
    parent = source.parent(culprit)
    if isinstance(parent, (ast.Attribute, ast.Subscript)):
        return parent.value is culprit
    return isinstance(parent, ast.Call) and parent.func is culprit


def _in_async_function(function: ast.AST | None) -> str:
    if isinstance(function, ast.FunctionDef):
        return f", and make it 'async def {function.name}'"
    return ""


# An await too many


def explain_surplus_await(
    code: CodeType, instruction: int, line: int, given: str
) -> str:
    """Say which ``await`` is before something that needs none.

    Args:
        code: The code of the user's function.
        instruction: The index of the failing instruction, in bytes.
        line: Its line.
        given: The name of the type that was awaited.
    """
    source = SourceTree.load(code.co_filename)
    if source is None:
        return ""
    node = _failing_node(source, code, instruction, line)
    if isinstance(node, ast.expr) and not isinstance(node, ast.Await):
        node = source.parent(node)  # type: ignore[assignment]
    if not isinstance(node, ast.Await):
        return ""
    value = node.value
    what = f"{source.place(node)} awaited {source.short(value)}, which gave"
    if given == "async_generator":
        return f"{what} an async generator.{_iterate(source, value)}"
    write = shortened(source.text(value))
    return f"{what} {given}, nothing to await. Write: {write}"
