"""A parsed file of the user: which piece of source an instruction came from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from types import CodeType
from typing import Final, TypeAlias, cast

from .user_code import display_path, parse_file

__all__ = ("FunctionNode", "Position", "SourceTree", "position_of")

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Position: TypeAlias = tuple[int, int, int, int]
"""First and last line (from 1), first and last column (UTF-8 bytes, from 0)."""

MAX_SHOWN_CHARACTERS: Final = 72

_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def position_of(code: CodeType, instruction: int) -> Position | None:
    """Return where an instruction's source is, if the code was compiled to know.

    Args:
        code: The code.
        instruction: The index of the instruction, in bytes, as in ``tb_lasti``.
    """
    if instruction < 0:
        return None
    found = next(islice(code.co_positions(), instruction // 2, None), None)
    if found is None or None in found:
        return None
    return cast("Position", found)


class SourceTree:
    """The syntax tree of a file with its text.

    Args:
        filename: The file.
        tree: Its tree.
        text: Its text.
    """

    def __init__(self, filename: str, tree: ast.Module, text: str) -> None:
        self.filename = filename
        self.tree = tree
        self._lines = text.encode("utf-8", "surrogatepass").splitlines(keepends=True)
        self._parents: dict[ast.AST, ast.AST] = {}
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                self._parents[child] = parent

    @classmethod
    def load(cls, filename: str) -> SourceTree | None:
        """Read and parse a file; None if it is not there or does not parse."""
        parsed = parse_file(filename)
        return None if parsed is None else cls(filename, *parsed)

    def place(self, node: ast.expr | ast.stmt) -> str:
        """Return ``file:line`` of a node."""
        return f"{display_path(self.filename)}:{node.lineno}"

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around a node."""
        return self._parents.get(node)

    def function_of(self, code: CodeType) -> FunctionNode | None:
        """Return the function that a code object was compiled from."""
        for node in ast.walk(self.tree):
            if not isinstance(node, FunctionNode):
                continue
            name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
            if name == code.co_name and _first_line(node) == code.co_firstlineno:
                return node
        return None

    def function_around(self, node: ast.AST) -> FunctionNode | None:
        """Return the function that a node is in."""
        around = self.parent(node)
        while around is not None and not isinstance(around, FunctionNode):
            around = self.parent(around)
        return around

    def node_at(self, position: Position) -> ast.expr | ast.stmt | None:
        """Return the node at a position, or the smallest one that covers it."""
        first, last, start, end = position
        found: ast.expr | ast.stmt | None = None
        # ast.walk goes outside in, so a later match is a smaller one.
        for node in ast.walk(self.tree):
            if not isinstance(node, (ast.expr, ast.stmt)):
                continue
            if (node.lineno, node.col_offset) <= (first, start) and _end(node) >= (
                last,
                end,
            ):
                found = node
        return found

    def statement_on(self, line: int) -> ast.stmt | None:
        """Return the innermost statement that covers a line."""
        found: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt) and node.lineno <= line <= _end(node)[0]:
                found = node
        return found

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's source."""
        return self._between((node.lineno, node.col_offset), _end(node))

    def text_with(
        self, node: ast.expr | ast.stmt, part: ast.expr, replacement: str
    ) -> str:
        """Return a node's source with one part of it replaced."""
        before = self._between(
            (node.lineno, node.col_offset), (part.lineno, part.col_offset)
        )
        return before + replacement + self._between(_end(part), _end(node))

    def is_in_brackets(self, node: ast.expr) -> bool:
        """Return whether round brackets stand directly around a node."""
        end_line, end_column = _end(node)
        before = self._lines[node.lineno - 1][: node.col_offset]
        after = self._lines[end_line - 1][end_column:]
        parent = self.parent(node)
        if isinstance(parent, ast.Call) and node is not parent.func:
            # Those are the brackets of the call.
            return False
        return before.rstrip().endswith(b"(") and after.lstrip().startswith(b")")

    def short(self, node: ast.expr) -> str:
        """Return an expression for a message: the arguments of a call left out."""
        if isinstance(node, ast.Call):
            arguments = "(...)" if node.args or node.keywords else "()"
            return shortened(self.text(node.func)) + arguments
        return shortened(self.text(node))

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        lines = self._lines[start[0] - 1 : end[0]]
        if not lines:
            return ""
        # The end first: it may be on the same line.
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][start[1] :]
        return b"".join(lines).decode("utf-8", "replace")


def shortened(text: str) -> str:
    """Return source on one line, cut where it is long."""
    text = " ".join(text.split())
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    return text[: MAX_SHOWN_CHARACTERS - 3] + "..."


def nodes_in(function: FunctionNode) -> Iterator[ast.AST]:
    """Yield the nodes of a function, those of functions inside it left out."""
    body = function.body if isinstance(function.body, list) else [function.body]
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    # What the parser made has an end; the attributes are optional for others.
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _first_line(node: FunctionNode) -> int:
    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return node.lineno
    return node.decorator_list[0].lineno
