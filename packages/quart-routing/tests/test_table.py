"""Tables: the work for one request, counted."""

import pytest
from quart_routing import QuartMap, QuartRule


class CountingDict(dict):
    """Counts how often something is looked up in it."""

    def __init__(self, content, count):
        super().__init__(content)
        self.count = count

    def get(self, key, default=None):
        self.count.append(key)
        return super().get(key, default)

    def __contains__(self, key):
        self.count.append(key)
        return super().__contains__(key)


class CountingEdge:
    """Counts how often an edge is tried."""

    def __init__(self, edge, count):
        self.edge = edge
        self.count = count

    def follow(self, parts, index, values):
        self.count.append(parts[index])
        return self.edge.follow(parts, index, values)


def count_work(table):
    """Make a table note every transition and every test of a segment."""
    count = []
    waiting = [table.root]
    while waiting:
        node = waiting.pop()
        waiting += node.static.values()
        waiting += [edge.node for edge in node.edges]
        node.static = CountingDict(node.static, count)
        node.edges = [CountingEdge(edge, count) for edge in node.edges]
    table.tails = {
        path: (CountingDict(static, count), *rest)
        for path, (static, *rest) in table.tails.items()
    }
    return count


def work_for(paths, rules):
    url_map = QuartMap(
        [QuartRule(rule, endpoint=rule, methods=["GET"]) for rule in rules]
    )
    assert url_map.lookup("GET", paths[0]) is not None
    count = count_work(url_map._lookup.http_tables["GET"])
    spent = []
    for path in paths:
        count.clear()
        match = url_map.lookup("GET", path)
        assert match == url_map.bind("h").match(path, "GET", return_rule=True)
        spent.append(len(count))
    return spent


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/r{}", "/r{}"),
        ("/r{}/<int:x>", "/r{}/1"),
        ("/r{}/<name>/edit", "/r{}/ann/edit"),
        ("/<int:x>/r{}", "/1/r{}"),
        ("/<name>/r{}/<int:x>/<float:y>", "/ann/r{}/1/2.5"),
        ("/r{}/<path:rest>", "/r{}/a/b/c"),
        ("/api/v1/r{}/<uuid:x>", "/api/v1/r{}/12345678-1234-1234-1234-123456789abc"),
    ],
)
def test_the_last_of_300_rules_costs_what_the_first_costs(rule, path):
    rules = [rule.format(number) for number in range(300)]
    first, middle, last = work_for(
        [path.format(number) for number in (0, 150, 299)], rules
    )
    alone = work_for([path.format(0)], rules[:1])[0]
    assert first == middle == last == alone
    assert last <= 10


def test_a_path_without_variables_is_one_step():
    assert work_for(["/a/b/c/d/e"], ["/a/b/c/d/e", "/a/<x>", "/<path:y>"]) == [0]


@pytest.mark.parametrize(
    ("rule", "path"), [("/a/b/c/<int:x>", "/a/b/c/1"), ("/<name>", "/ann")]
)
def test_one_variable_at_the_end_is_one_step(rule, path):
    assert work_for([path], [rule, "/other"]) == [1]


def test_long_paths_that_match_nothing_are_given_up_early():
    url_map = QuartMap([QuartRule("/a/<int:x>", endpoint="e"), QuartRule("/<n>/b")])
    url_map.lookup("GET", "/")
    count = count_work(url_map._lookup.http_tables["GET"])
    assert url_map.lookup("GET", "/a" * 100_000) is None
    assert len(count) < 20
