"""The compiled lookup: werkzeug's state machine, flattened for ordinary requests.

Werkzeug's matcher decides what matches. This module reads its states once and turns
them into one table per method and kind of connection, so that a lookup neither tests
methods nor sorts groups nor compiles patterns. A table only knows matches: whatever
else may come of a path (a redirect, 404, 405, 400) it leaves to werkzeug by answering
None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import takewhile

from werkzeug.routing import (
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    Map,
    Rule,
)
from werkzeug.routing.matcher import State
from werkzeug.routing.rules import RulePart

from .table import (
    Answer,
    Conversion,
    Edge,
    LookupTable,
    Node,
    PatternEdge,
    Redirection,
    RestEdge,
    SegmentEdge,
)

# What this module knows of werkzeug's inside. If a release changes it, lookups stand
# aside until this module has learned the new form.
_STATE_FIELDS = {"dynamic", "rules", "static"}
_PART_FIELDS = {"content", "final", "static", "suffixed", "weight"}

# Looked up although no rule names them: rules without methods match every method.
_COMMON_METHODS = frozenset(
    {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
)

# The patterns of converters without options, and a test that accepts the same text.
# In a str pattern \d is the Unicode category Nd, which is what isdecimal() asks for.
_SEGMENT_TESTS: dict[str, Callable[[str], object]] = {
    r"(?P<__werkzeug_0>[^/]{1,})\Z": len,
    r"(?P<__werkzeug_0>\d+)\Z": str.isdecimal,
}

_NOWHERE = State()


class Lookup:
    """The tables for the rules a map had when it was made."""

    __slots__ = ("_start", "http_tables", "methods", "usable", "websocket_tables")

    def __init__(self, url_map: Map) -> None:
        self._start = _start_state(url_map)
        #: Whether the rules are of the kind that tables can hold.
        self.usable = self._start is not None
        #: The methods a table can be asked for.
        self.methods = _methods(url_map.iter_rules()) if self.usable else frozenset()
        self.http_tables: dict[str, LookupTable] = {}
        self.websocket_tables: dict[str, LookupTable] = {}

    def add_table(self, method: str, websocket: bool) -> LookupTable | None:
        """Make a table; None if there can be none. Not safe for several threads."""
        if self._start is None or method not in self.methods:
            return None
        builder = _TableBuilder(method, websocket)
        table = LookupTable(method, builder.node(self._start))
        tables = self.websocket_tables if websocket else self.http_tables
        tables[method] = table
        return table


class _TableBuilder:
    """Turns states into nodes, keeping what one method and kind of connection needs."""

    def __init__(self, method: str, websocket: bool) -> None:
        self.method = method
        self.websocket = websocket

    def node(self, state: State) -> Node:
        node = Node()
        node.end = self._end(state)
        node.lenient = next(
            (_answer(r) for r in self._rules(state) if not r.strict_slashes), None
        )
        for content, following in state.static.items():
            child = self.node(following)
            if child.leads_somewhere:
                node.static[content] = child
        for part, following in state.dynamic:
            child = self.node(following)
            if child.leads_somewhere:
                node.edges.append(_edge(part, child))
        node.choices = bool(node.edges) or node.lenient is not None
        return node

    def _end(self, state: State) -> Answer | None:
        for rule in self._rules(state):
            return _answer(rule)
        for rule in self._rules(state.static.get("", _NOWHERE)):
            return Redirection(rule) if rule.strict_slashes else _answer(rule)
        return None

    def _rules(self, state: State) -> Iterator[Rule]:
        for rule in state.rules:
            known = rule.methods is None or self.method in rule.methods
            if known and rule.websocket == self.websocket:
                yield rule


def _start_state(url_map: Map) -> State | None:
    """Return the state behind the first slash; None if hosts or subdomains count."""
    known_form = {field.name for field in fields(State)} == _STATE_FIELDS and {
        field.name for field in fields(RulePart)
    } == _PART_FIELDS
    if not known_form or url_map.host_matching:
        return None
    root = url_map._matcher._root
    domain = url_map.default_subdomain.lower()
    if root.dynamic or set(root.static) - {domain}:
        return None
    return root.static.get(domain, _NOWHERE).static.get("", _NOWHERE)


def _methods(rules: Iterable[Rule]) -> frozenset[str]:
    methods: set[str] = set()
    for rule in rules:
        methods |= _COMMON_METHODS if rule.methods is None else rule.methods
    return frozenset(methods)


def _answer(rule: Rule) -> Answer:
    if rule.alias or rule.redirect_to is not None:
        return Redirection(rule)
    variables = [
        (name, _conversion(converter)) for name, converter in rule._converters.items()
    ]
    return Answer(rule, variables, _preferred_rules(rule))


def _preferred_rules(rule: Rule) -> list[Rule]:
    """Return the rules whose defaults make werkzeug redirect from this rule."""
    before = takewhile(
        lambda other: other is not rule, rule.map.iter_rules(rule.endpoint)
    )
    return [other for other in before if other.provides_defaults_for(rule)]


def _edge(part: RulePart, node: Node) -> Edge:
    accepts = _SEGMENT_TESTS.get(part.content)
    if accepts is not None:
        return SegmentEdge(accepts, node)
    pattern = re.compile(part.content)
    if part.final:
        return RestEdge(pattern, node, part.suffixed)
    if (
        part.weight.number_static_weights == 0
        and len(part.weight.argument_weights) == 1
    ):
        return SegmentEdge(pattern.match, node)
    return PatternEdge(pattern, node)


def _conversion(converter: BaseConverter) -> Conversion | None:
    """Return what makes the value of a variable; None if the text is the value."""
    kind = type(converter)
    if kind.to_python is BaseConverter.to_python and "to_python" not in vars(converter):
        return None
    if isinstance(converter, IntegerConverter | FloatConverter) and _is_plain(
        converter
    ):
        return converter.num_convert
    return converter.to_python


def _is_plain(converter: IntegerConverter | FloatConverter) -> bool:
    """Whether a number needs no check after its conversion."""
    unlimited = (
        not converter.fixed_digits and converter.min is None and converter.max is None
    )
    return unlimited and type(converter) in {IntegerConverter, FloatConverter}
