"""The compiled lookup: what it answers itself, what it leaves to werkzeug."""

import re
import sys
import threading
import uuid

import pytest
from quart_routing import QuartMap, QuartRule
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, IntegerConverter, Map, ValidationError
from werkzeug.routing.matcher import State, StateMachineMatcher


class ListConverter(BaseConverter):
    """Words joined with a plus sign."""

    def to_python(self, value):
        if value.endswith("+"):
            raise ValidationError
        return value.split("+")


def make_map(*rules, **options):
    return QuartMap(
        [
            rule
            if isinstance(rule, QuartRule)
            else QuartRule(rule, endpoint=rule, methods=["GET"])
            for rule in rules
        ],
        **options,
    )


def found(url_map, path, method="GET", *, websocket=False):
    match = url_map.lookup(method, path, websocket=websocket)
    return None if match is None else (match[0].rule, match[1])


@pytest.mark.parametrize(
    ("rule", "path", "values"),
    [
        ("/", "/", {}),
        ("/films", "/films", {}),
        ("/films/", "/films/", {}),
        ("/a/b/c/d", "/a/b/c/d", {}),
        ("/käse", "/käse", {}),
        ("/<name>", "/x", {"name": "x"}),
        ("/films/<name>", "/films/Grüße aus %41", {"name": "Grüße aus %41"}),
        ("/films/<name>", "/films/two\nlines", {"name": "two\nlines"}),
        ("/films/<int:film>", "/films/42", {"film": 42}),
        ("/films/<int:film>", "/films/٤٢", {"film": 42}),
        ("/films/<int:film>/", "/films/42/", {"film": 42}),
        ("/films/<int:film>/cast", "/films/42/cast", {"film": 42}),
        ("/films/<int(signed=True):film>", "/films/-1", {"film": -1}),
        ("/films/<int(min=3, max=5):film>", "/films/4", {"film": 4}),
        ("/films/<int(fixed_digits=3):film>", "/films/007", {"film": 7}),
        ("/films/<float:rating>", "/films/7.5", {"rating": 7.5}),
        ("/files/<path:name>", "/files/a/b.txt", {"name": "a/b.txt"}),
        ("/files/<path:name>", "/files/a//b/", {"name": "a//b/"}),
        ("/files/<path:name>/", "/files/a/b/", {"name": "a/b"}),
        ("/files/<path:name>/edit", "/files/a/b/edit", {"name": "a/b"}),
        ("/<any(de, en):language>/page", "/de/page", {"language": "de"}),
        ("/<string(length=2):language>", "/de", {"language": "de"}),
        ("/<string(minlength=2, maxlength=3):code>", "/abc", {"code": "abc"}),
        ("/<int:year>-<int:month>", "/2025-01", {"year": 2025, "month": 1}),
        ("/<int:number><unit>", "/12cm", {"number": 12, "unit": "cm"}),
        ("/user-<name>/<int:page>", "/user-ann/2", {"name": "ann", "page": 2}),
        ("/tags/<list:tags>", "/tags/a+b", {"tags": ["a", "b"]}),
        (
            "/<uuid:key>",
            "/12345678-1234-1234-1234-123456789abc",
            {"key": uuid.UUID("12345678-1234-1234-1234-123456789abc")},
        ),
    ],
)
def test_common_rules_are_answered_without_werkzeug(rule, path, values):
    url_map = make_map(rule, converters={"list": ListConverter})
    assert found(url_map, path) == (rule, values)
    adapter = url_map.bind("example.test")
    assert url_map.lookup("GET", path) == adapter.match(path, "GET", return_rule=True)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/<int(min=3):x>", "/2"),
        ("/<int(max=3):x>", "/4"),
        ("/<int(fixed_digits=2):x>", "/123"),
        ("/<float(min=3):x>", "/2.5"),
        ("/<float(max=3):x>", "/3.5"),
    ],
)
def test_numbers_out_of_bounds_do_not_match(rule, path):
    url_map = make_map(rule)
    assert url_map.lookup("GET", path) is None
    with pytest.raises(NotFound):
        url_map.bind("h").match(path)


def test_converters_that_derive_from_those_for_numbers_make_their_own_values():
    class Doubled(IntegerConverter):
        def to_python(self, value):
            return super().to_python(value) * 2

    url_map = make_map("/<doubled:x>", converters={"doubled": Doubled})
    assert found(url_map, "/4") == ("/<doubled:x>", {"x": 8})


def test_a_converter_may_set_its_conversion_on_itself():
    class Chosen(BaseConverter):
        def __init__(self, url_map):
            super().__init__(url_map)
            self.to_python = str.upper

    url_map = make_map("/<chosen:x>", converters={"chosen": Chosen})
    assert found(url_map, "/a") == ("/<chosen:x>", {"x": "A"})


def test_the_test_for_digits_accepts_what_the_pattern_accepts():
    digits = re.compile(r"\d")
    every = map(chr, range(sys.maxunicode + 1))
    assert all(c.isdecimal() == bool(digits.match(c)) for c in every)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_rules_of_one_path_are_told_apart_by_method(method):
    url_map = make_map(
        QuartRule("/x", endpoint="read", methods=["GET", "OPTIONS"]),
        QuartRule("/x", endpoint="write", methods=["POST", "DELETE"]),
    )
    expected = "write" if method in {"POST", "DELETE"} else "read"
    assert url_map.lookup(method, "/x")[0].endpoint == expected


def test_a_rule_for_http_and_one_for_websockets_share_a_path():
    url_map = make_map(
        QuartRule("/<int:x>", endpoint="http", methods=["GET"]),
        QuartRule("/<int:x>", endpoint="ws", methods=["GET"], websocket=True),
    )
    assert url_map.lookup("GET", "/1")[0].endpoint == "http"
    assert url_map.lookup("GET", "/1", websocket=True)[0].endpoint == "ws"


def test_a_websocket_rule_is_no_answer_to_http_and_the_reverse():
    url_map = make_map(
        "/page", QuartRule("/live", endpoint="ws", methods=["GET"], websocket=True)
    )
    assert url_map.lookup("GET", "/live") is None
    assert url_map.lookup("GET", "/page", websocket=True) is None


def test_static_segments_go_before_variables_and_numbers_before_text():
    url_map = make_map("/x/<path:rest>", "/x/<name>", "/x/<int:number>", "/x/new")
    assert found(url_map, "/x/new") == ("/x/new", {})
    assert found(url_map, "/x/1") == ("/x/<int:number>", {"number": 1})
    assert found(url_map, "/x/one") == ("/x/<name>", {"name": "one"})
    assert found(url_map, "/x/one/two") == ("/x/<path:rest>", {"rest": "one/two"})


def test_a_dead_end_behind_a_static_segment_is_left_again():
    url_map = make_map("/x/new/edit", "/x/<name>", "/x/<name>/show")
    assert found(url_map, "/x/new") == ("/x/<name>", {"name": "new"})
    assert found(url_map, "/x/new/show") == ("/x/<name>/show", {"name": "new"})


def test_values_of_a_dead_end_are_forgotten():
    url_map = make_map("/<int:a>/<int:b>/end", "/<c>/<d>/<e>")
    assert found(url_map, "/1/2/3") == ("/<c>/<d>/<e>", {"c": "1", "d": "2", "e": "3"})


def test_values_of_a_dead_end_behind_a_static_segment_are_forgotten():
    url_map = make_map("/x/<int:a>/end", "/<b>/<c>/other")
    assert found(url_map, "/x/1/other") == ("/<b>/<c>/other", {"b": "x", "c": "1"})


@pytest.mark.parametrize("path", ["//a", "//1", "///", "//"])
def test_rules_with_two_slashes_in_front_match_nothing(path):
    rules = [QuartRule("//a", endpoint="e"), QuartRule("//<int:x>", endpoint="f")]
    url_map = make_map(*rules, QuartRule("///", endpoint="g"), merge_slashes=False)
    assert url_map.lookup("GET", path) is None
    with pytest.raises(NotFound):
        url_map.bind("h").match(path)


def test_defaults_are_merged_into_a_new_dict_each_time():
    url_map = make_map(
        QuartRule("/all", endpoint="list", defaults={"page": 1}),
        QuartRule("/all/<name>", endpoint="other", defaults={"page": 2}),
    )
    first, second = url_map.lookup("GET", "/all"), url_map.lookup("GET", "/all")
    assert first[1] == {"page": 1}
    first[1]["page"] = 9
    assert second[1] == {"page": 1}
    assert url_map.lookup("GET", "/all")[1] == {"page": 1}
    assert found(url_map, "/all/x") == ("/all/<name>", {"name": "x", "page": 2})


def test_a_rule_that_may_redirect_for_defaults_answers_for_other_values():
    url_map = make_map(
        QuartRule("/all/", endpoint="list", defaults={"page": 1}),
        QuartRule("/all/page/<int:page>", endpoint="list"),
    )
    assert found(url_map, "/all/page/2") == ("/all/page/<int:page>", {"page": 2})
    assert url_map.lookup("GET", "/all/page/1") is None


def test_lenient_rules_match_with_and_without_the_slash():
    url_map = make_map("/leaf", "/branch/", "/<int:x>/", strict_slashes=False)
    assert found(url_map, "/leaf/") == ("/leaf", {})
    assert found(url_map, "/branch") == ("/branch/", {})
    assert found(url_map, "/branch/") == ("/branch/", {})
    assert found(url_map, "/7") == ("/<int:x>/", {"x": 7})
    assert url_map.lookup("GET", "/leaf/x") is None
    assert url_map.lookup("GET", "/leaf//") is None
    assert url_map.lookup("GET", "/leaf//x") is None


def test_a_redirect_to_a_static_branch_goes_before_a_variable():
    url_map = make_map("/x/new/", "/x/<name>")
    assert url_map.lookup("GET", "/x/new") is None
    assert found(url_map, "/x/old") == ("/x/<name>", {"name": "old"})


@pytest.mark.parametrize("rule", ["/x/<name>", "/x/<int(min=1):name>", "/x/<int:name>"])
def test_an_empty_segment_is_no_value(rule):
    assert make_map(rule).lookup("GET", "/x/") is None


@pytest.mark.parametrize(
    "path",
    [
        "/branch",  # a redirect to /branch/
        "/leaf/",  # 404
        "/leaf//",  # 404 after merging
        "//leaf",  # the adapter drops the slash
        "/a//b",  # a redirect to /a/b
        "leaf",  # the adapter adds the slash
        "",
        "/old",  # redirect_to
        "/also",  # an alias
        "/built",  # build_only
        "/missing",
        "/numbers/x",
        "/numbers/" + "9" * 5000,  # more digits than int() takes
        "/tags/a+",  # ValidationError
    ],
)
def test_everything_but_a_plain_match_is_left_to_werkzeug(path):
    url_map = make_map(
        "/branch/",
        "/leaf",
        "/a/b",
        QuartRule("/old", endpoint="old", redirect_to="/leaf"),
        QuartRule("/also", endpoint="/leaf", alias=True),
        QuartRule("/built", endpoint="built", build_only=True),
        "/numbers/<int:x>",
        "/tags/<list:tags>",
        converters={"list": ListConverter},
    )
    assert url_map.lookup("GET", path) is None


def test_a_method_in_lower_case_is_left_to_werkzeug():
    url_map = make_map("/x")
    assert url_map.lookup("get", "/x") is None
    assert url_map.bind("h").match("/x", "get") == ("/x", {})


def test_unknown_methods_leave_nothing_behind():
    url_map = make_map("/x")
    for number in range(100):
        assert url_map.lookup(f"BREW{number}", "/x") is None
    assert set(url_map._lookup.http_tables) <= {"GET", "HEAD"}


def test_a_rule_without_methods_answers_the_common_ones():
    url_map = make_map(QuartRule("/x", endpoint="any"))
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    assert all(url_map.lookup(method, "/x") for method in methods)


def test_an_added_rule_is_found_at_once():
    url_map = make_map("/<name>")
    assert found(url_map, "/new") == ("/<name>", {"name": "new"})
    url_map.add(QuartRule("/new", endpoint="new", methods=["GET"]))
    assert found(url_map, "/new") == ("/new", {})


def test_an_empty_map_answers_nothing():
    assert QuartMap().lookup("GET", "/") is None


@pytest.mark.parametrize(
    ("rules", "options"),
    [
        ([QuartRule("/", endpoint="x", subdomain="api")], {}),
        ([QuartRule("/", endpoint="x", subdomain="<user>")], {}),
        ([QuartRule("/", endpoint="x", host="a.test")], {"host_matching": True}),
        ([], {"host_matching": True}),
    ],
)
def test_hosts_and_subdomains_are_left_to_werkzeug(rules, options):
    url_map = QuartMap(rules, **options)
    assert not url_map.supports_lookup
    assert url_map.lookup("GET", "/") is None


def test_a_default_subdomain_is_no_obstacle():
    url_map = make_map("/x", default_subdomain="www")
    assert url_map.supports_lookup
    assert found(url_map, "/x") == ("/x", {})


def test_a_werkzeug_of_another_build_is_not_looked_into(monkeypatch):
    monkeypatch.setattr("quart_routing.lookup._STATE_FIELDS", {"something", "else"})
    url_map = make_map("/x")
    assert not url_map.supports_lookup
    assert url_map.lookup("GET", "/x") is None


def test_the_installed_werkzeug_has_the_form_the_lookup_knows():
    assert QuartMap().supports_lookup
    assert type(Map()._matcher) is StateMachineMatcher
    assert type(Map()._matcher._root) is State


def test_rules_may_be_added_while_other_threads_look_up():
    url_map = make_map("/first/<int:x>")
    done = threading.Event()
    wrong = []

    def look():
        while not done.is_set():
            if found(url_map, "/first/1") != ("/first/<int:x>", {"x": 1}):
                wrong.append("lookup")

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        url_map.add(QuartRule(f"/r{number}/<int:x>", endpoint="r", methods=["GET"]))
        if found(url_map, f"/r{number}/5") != (f"/r{number}/<int:x>", {"x": 5}):
            wrong.append(number)
    done.set()
    for thread in threads:
        thread.join(timeout=10)
    assert wrong == []
