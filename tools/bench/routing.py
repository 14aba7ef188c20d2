"""Time the compiled lookup beside werkzeug's adapter, on 300 rules of each form.

    python tools/bench/routing.py

Prints microseconds, the best of many short runs. For reading only: what must hold is
held by the tests of quart-routing, which count the work instead.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from quart_routing import QuartMap, QuartRule

RULES = 300
FORMS = [
    ("/static{}/page", "/static{}/page"),
    ("/number{}/<int:x>", "/number{}/42"),
    ("/text{}/<x>", "/text{}/ann"),
    ("/inner{}/<x>/edit", "/inner{}/ann/edit"),
    ("/two{}/<int:x>/<y>", "/two{}/42/ann"),
    ("/path{}/<path:x>", "/path{}/a/b/c.txt"),
    ("/uuid{}/<uuid:x>", "/uuid{}/12345678-1234-1234-1234-123456789abc"),
]


def microseconds(call: Callable[[], object], number: int) -> float:
    return min(timeit.repeat(call, number=number, repeat=40)) / number * 1e6


def main() -> None:
    rules = [
        QuartRule(rule.format(n), endpoint=rule.format(n), methods=["GET"])
        for n in range(RULES)
        for rule, _ in FORMS
    ]
    url_map = QuartMap(rules)
    adapter = url_map.bind("example.test")
    empty = microseconds(lambda: None, 5000)
    print(f"{'rule':24}{'first':>8}{'last':>8}{'werkzeug':>10}   microseconds")
    for rule, path in FORMS:
        first, last = path.format(0), path.format(RULES - 1)
        assert url_map.lookup("GET", last) == adapter.match(last, "GET", True)
        times = [
            microseconds(lambda p=p: url_map.lookup("GET", p), 1000) - empty
            for p in (first, last)
        ]
        theirs = microseconds(lambda p=last: adapter.match(p, "GET", True), 100)
        print(f"{rule:24}{times[0]:8.2f}{times[1]:8.2f}{theirs:10.2f}")


if __name__ == "__main__":
    main()
