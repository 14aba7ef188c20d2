"""The code of templates that run as plain code: looking attributes up in line.

Templates mostly read attributes. Jinja calls a function for each, which tries the
attribute, then the item. Here the attribute is tried in the expression itself; only
what is missing, or of a type not seen before, takes the call. That leaves time to
notice what would have to be awaited.

What is put out is escaped without being wrapped as ``Markup`` first: it is joined
with its neighbours at once, and never looked at again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import markupsafe
from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame

from .needs_async import PLAIN_TYPES, is_awaitable, refuse

__all__ = (
    "MISSING",
    "PlainCodeGenerator",
    "escape_output",
    "known_types",
    "look_up",
)

MISSING: Final = object()

# Types whose values need no second look. Bounded, as it keeps the classes alive.
known_types: set[type] = set(PLAIN_TYPES)
MAX_KNOWN_TYPES = 1024


def look_up(environment: Environment, obj: Any, attribute: str, value: Any) -> Any:
    """Return an attribute that was missing, or of a type not seen before.

    Raises:
        NeedsAsync: It is awaitable.
    """
    if value is MISSING:
        value = environment.getattr(obj, attribute)
    if is_awaitable(value):
        # An asynchronous property, such as request.json.
        refuse(value)
    if len(known_types) < MAX_KNOWN_TYPES:
        known_types.add(type(value))
    return value


# Escapes a str into a str. Not part of markupsafe's API, so it may go; then its
# public function does, which wraps the result.
_escape_str: Callable[[str], str] = getattr(
    markupsafe, "_escape_inner", markupsafe.escape
)


def escape_output(value: Any) -> str:
    """Return what a template puts out for a value, escaped for HTML."""
    kind = type(value)
    if kind is str:
        return _escape_str(value)
    if kind is int:
        return str(value)
    return markupsafe.escape(value)


class PlainCodeGenerator(CodeGenerator):
    """Writes attribute lookups in line."""

    def visit_Template(  # noqa: N802 - named after the node
        self, node: nodes.Template, frame: Frame | None = None
    ) -> None:
        """Write the module of a template."""
        self.writeline(
            "from quart_templating.plain_code import "
            "MISSING as quart_missing, known_types as quart_known, "
            "look_up as quart_look_up, escape_output as quart_escape"
        )
        super().visit_Template(node, frame)

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("quart_escape(")
        if finalize.src is not None:
            self.write(finalize.src)

    def visit_Getattr(  # noqa: N802 - named after the node
        self, node: nodes.Getattr, frame: Frame
    ) -> None:
        """Write the lookup of an attribute."""
        obj, value = self.temporary_identifier(), self.temporary_identifier()
        self.write(f"({value} if type({value} := getattr(({obj} := ")
        self.visit(node.node, frame)
        self.write(
            f"), {node.attr!r}, quart_missing)) in quart_known else "
            f"quart_look_up(environment, {obj}, {node.attr!r}, {value}))"
        )
