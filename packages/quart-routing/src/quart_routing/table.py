"""Tables of the compiled lookup: what is walked for each request.

A table holds the matches of one method, for HTTP requests or for websockets. Walking it
follows the order in which werkzeug tries the states of its matcher:

1. the static transition, then the dynamic ones by weight, and back if they fail;
2. at the end of the path the rules there, then those behind a missing slash;
3. at a last empty segment the rules before it which are not strict about slashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from werkzeug.routing import Rule

#: A rule and the values for its view: variables and defaults, of the application's
#: own types.
Match: TypeAlias = tuple[Rule, dict[str, Any]]

#: Makes the value of a variable from its text.
Conversion: TypeAlias = Callable[[str], Any]

#: The name of a variable and its conversion; None leaves the text as it is.
Variable: TypeAlias = tuple[str, Conversion | None]


class Answer:
    """What a path that ends here means: a rule, and how its values are made."""

    __slots__ = ("defaults", "preferred", "rule", "variables")

    def __init__(
        self, rule: Rule, variables: Sequence[Variable], preferred: Sequence[Rule]
    ) -> None:
        self.rule = rule
        self.variables = variables
        self.defaults = dict(rule.defaults or {})
        #: Rules that redirect from this one when their defaults are the values.
        self.preferred = preferred

    def match(self, values: list[str], method: str) -> Match | None:
        """Convert the values; None if a converter refuses or a redirect is due."""
        view_args: dict[str, Any] = {}
        position = 0
        try:
            for name, convert in self.variables:
                value = values[position]
                view_args[name] = value if convert is None else convert(value)
                position += 1
        except ValueError:
            # A ValidationError, or an error which werkzeug will meet as well.
            return None
        if self.defaults:
            view_args.update(self.defaults)
        for rule in self.preferred:
            if rule.suitable_for(view_args, method):
                return None
        return self.rule, view_args


class Redirection(Answer):
    """A path that leads elsewhere, which is for werkzeug to say."""

    __slots__ = ()

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule, (), ())

    def match(self, values: list[str], method: str) -> Match | None:  # noqa: ARG002
        """Leave it to werkzeug."""
        return None


class Node:
    """A state after some segments of a path, for one method."""

    __slots__ = ("choices", "edges", "end", "lenient", "static")

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.edges: list[Edge] = []
        #: The answer if the path ends here.
        self.end: Answer | None = None
        #: The answer if only a slash follows.
        self.lenient: Answer | None = None
        #: Whether something else may match where the static transition fails.
        self.choices = False

    @property
    def leads_somewhere(self) -> bool:
        """Whether any path that comes here has an answer."""
        return bool(self.end or self.static or self.choices)

    def walk(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Follow the segments from ``index`` on, collecting the values of variables."""
        node = self
        count = len(parts)
        while index < count:
            if node.choices:
                return node.choose(parts, index, values)
            following = node.static.get(parts[index])
            if following is None:
                return None
            node = following
            index += 1
        return node.end

    def choose(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Try every way out of this state, in werkzeug's order."""
        part = parts[index]
        known = len(values)
        following = self.static.get(part)
        if following is not None:
            answer = following.walk(parts, index + 1, values)
            if answer is not None:
                return answer
            del values[known:]
        for edge in self.edges:
            answer = edge.follow(parts, index, values)
            if answer is not None:
                return answer
            del values[known:]
        if not part and index + 1 == len(parts):
            return self.lenient
        return None


class Edge(Protocol):
    """A dynamic transition between two states."""

    def follow(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Test the segments from ``index`` on and walk on from the next state."""
        ...


class SegmentEdge:
    """A segment that is one variable, with a test for all of its text."""

    __slots__ = ("accepts", "node")

    def __init__(self, accepts: Callable[[str], object], node: Node) -> None:
        self.accepts = accepts
        self.node = node

    def follow(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Take the whole segment as the value."""
        part = parts[index]
        if not self.accepts(part):
            return None
        values.append(part)
        index += 1
        if index == len(parts):
            return self.node.end
        return self.node.walk(parts, index, values)


class PatternEdge:
    """A segment that holds literals and variables, tested with its pattern."""

    __slots__ = ("groups", "node", "pattern")

    def __init__(self, pattern: re.Pattern[str], node: Node) -> None:
        self.pattern = pattern
        self.groups = _variable_groups(pattern)
        self.node = node

    def follow(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Take the values out of the segment."""
        found = self.pattern.match(parts[index])
        if found is None:
            return None
        values += [found[group] for group in self.groups]
        return self.node.walk(parts, index + 1, values)


class RestEdge(PatternEdge):
    """The rest of the path, for a variable that may hold slashes."""

    __slots__ = ("suffixed",)

    def __init__(self, pattern: re.Pattern[str], node: Node, suffixed: bool) -> None:
        super().__init__(pattern, node)
        #: Whether the pattern's last group is an optional slash at the end.
        self.suffixed = suffixed

    def follow(self, parts: list[str], index: int, values: list[str]) -> Answer | None:
        """Take the values out of all that is left; a last slash may stay."""
        found = self.pattern.match("/".join(parts[index:]))
        if found is None:
            return None
        values += [found[group] for group in self.groups]
        if self.suffixed and found[self.pattern.groups] == "/":
            return self.node.walk([""], 0, values)
        return self.node.end


#: What decides a last segment that is one variable: the segments that static
#: transitions take, the test, the rule, the variable's name and its conversion.
Tail: TypeAlias = tuple[
    Container[str], Callable[[str], object], Rule, str, Conversion | None
]


class LookupTable:
    """All matches of one method, for HTTP requests or for websockets."""

    __slots__ = ("fixed", "method", "root", "tails")

    def __init__(self, method: str, root: Node) -> None:
        self.method = method
        self.root = root
        #: Paths without variables, with their rule and its defaults.
        self.fixed: dict[str, Match] = {}
        #: Paths after which only the last segment is a variable.
        self.tails: dict[str, Tail] = {}
        # Both hold only what static transitions lead to. Werkzeug tries those first,
        # so that the first answer found in this way is the answer.
        self._add_tail("", root)
        for path, node in _static_paths(root):
            if type(node.end) is Answer and not node.end.preferred:
                self.fixed[path] = (node.end.rule, node.end.defaults)
            # Adapters never match what has two slashes in front.
            if path != "/":
                self._add_tail(path, node)

    def match(self, path: str) -> Match | None:
        """Match a path that is not among the fixed ones."""
        before, slash, last = path.rpartition("/")
        tail = self.tails.get(before)
        if tail is not None and slash:
            static, accepts, rule, name, convert = tail
            if last not in static and accepts(last):
                try:
                    value = last if convert is None else convert(last)
                except ValueError:
                    return None
                return rule, {name: value}
        return self._walk(path)

    def _walk(self, path: str) -> Match | None:
        parts = path.split("/")
        # Adapters add a missing first slash and drop all but one of several.
        if parts[0] or len(parts) < 2 or (not parts[1] and len(parts) > 2):
            return None
        values: list[str] = []
        answer = self.root.walk(parts, 1, values)
        return None if answer is None else answer.match(values, self.method)

    def _add_tail(self, path: str, node: Node) -> None:
        edge = node.edges[0] if len(node.edges) == 1 else None
        if not isinstance(edge, SegmentEdge):
            return
        end = edge.node.end
        if type(end) is not Answer or end.defaults or end.preferred:
            return
        ((name, convert),) = end.variables
        self.tails[path] = (node.static, edge.accepts, end.rule, name, convert)


def _variable_groups(pattern: re.Pattern[str]) -> list[int]:
    # The patterns of converters may have groups of their own, which are not values.
    return sorted(
        number
        for name, number in pattern.groupindex.items()
        if name.startswith("__werkzeug_")
    )


def _static_paths(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield the paths that static transitions lead to, except from a double slash."""
    waiting = [(f"/{segment}", node) for segment, node in root.static.items()]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        if path != "/":
            waiting += [(f"{path}/{name}", to) for name, to in node.static.items()]
