"""The table of an application's routes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from quart_core.user_code import (
    display_path,
    is_user_code,
    place_of,
    printable,
    unwrap_view,
)

if TYPE_CHECKING:
    from quart_core.app import Quart
    from werkzeug.routing import Rule

__all__ = ("SORTS", "routes_table")

SORTS: Final = ("endpoint", "methods", "domain", "rule", "match")
"""What the table can be sorted by; ``match`` is the order of matching."""

NO_ROUTES: Final = "No routes were registered."

_AUTOMATIC_METHODS: Final = frozenset({"HEAD", "OPTIONS"})


def routes_table(app: Quart, *, sort: str, all_methods: bool) -> str:
    """Return the routes of an application as lines of text.

    Args:
        app: The application.
        sort: One of `SORTS`.
        all_methods: Show HEAD and OPTIONS as well.
    """
    rules: list[Rule] = list(app.url_map.iter_rules())
    if not rules:
        return NO_ROUTES
    columns: list[tuple[str, Callable[[Rule], str]]] = [
        ("Endpoint", lambda rule: str(rule.endpoint)),
        ("Methods", lambda rule: _methods(rule, all_methods=all_methods)),
        ("Rule", lambda rule: rule.rule),
        ("Source", lambda rule: _source(app, rule)),
    ]
    has_domain = app.url_map.host_matching or any(r.host or r.subdomain for r in rules)
    if has_domain:
        title = "Host" if app.url_map.host_matching else "Subdomain"
        columns.insert(2, (title, _domain))
    if sort != "match":
        by = 2 if sort == "domain" else [c.lower() for c, _ in columns].index(sort)
        key = columns[by][1] if sort != "domain" or has_domain else columns[0][1]
        rules.sort(key=lambda rule: (key(rule), str(rule.endpoint)))
    titles = [title for title, _ in columns]
    rows = [[value(rule) for _, value in columns] for rule in rules]
    return "\n".join(_lines(titles, rows))


def _methods(rule: Rule, *, all_methods: bool) -> str:
    if rule.websocket:
        return "WS"
    methods = set(rule.methods or ())
    if not all_methods:
        methods -= _AUTOMATIC_METHODS
    return ", ".join(sorted(methods))


def _source(app: Quart, rule: Rule) -> str:
    """Return where the view is defined, "" if that is not the user's code."""
    view = app.view_functions.get(rule.endpoint)
    view_class = getattr(view, "view_class", None)
    if isinstance(view_class, type):
        return _source_of_class(view_class)
    function = unwrap_view(view)
    code = getattr(function, "__code__", None)
    if code is None or not is_user_code(code.co_filename, function.__module__):
        return ""
    return printable(place_of(code))


def _source_of_class(view_class: type) -> str:
    try:
        file = inspect.getsourcefile(view_class) or ""
        _, line = inspect.getsourcelines(view_class)
    except (OSError, TypeError):
        # It was made without a source file.
        return ""
    if not is_user_code(file, view_class.__module__):
        return ""
    return printable(f"{display_path(file)}:{line}")


def _domain(rule: Rule) -> str:
    return rule.host or rule.subdomain or ""


def _lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for cells in (titles, ["-" * width for width in widths], *rows):
        padded = (f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()
