"""The compiled lookup gives werkzeug's answer or none, for any rules and paths."""

import itertools
import re
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st
from quart_routing import QuartMap, QuartRule
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.routing.exceptions import RoutingException


class EvenConverter(BaseConverter):
    """Two digits; refuses odd numbers only after the pattern has matched."""

    regex = r"(\d)(\d)"
    weight = 60

    def to_python(self, value):
        if int(value) % 2:
            raise ValidationError
        return int(value)


class SlashedConverter(BaseConverter):
    """Two segments in one variable."""

    regex = r"[ab]+/[ab]+"


class AnythingConverter(BaseConverter):
    """Also nothing, and also a leading slash."""

    regex = ".*"
    part_isolating = False
    weight = 300


class MaybeConverter(BaseConverter):
    """A segment that may be empty."""

    regex = "[ab]*"


class BrokenConverter(BaseConverter):
    """Fails with an error that does not mean 'no match'."""

    regex = "boom"

    def to_python(self, value):
        raise ValueError(value)


CONVERTERS = {
    "even": EvenConverter,
    "slashed": SlashedConverter,
    "anything": AnythingConverter,
    "maybe": MaybeConverter,
    "broken": BrokenConverter,
}

VARIABLES = [
    "<{}>",
    "<int:{}>",
    "<int(signed=True):{}>",
    "<int(fixed_digits=2):{}>",
    "<int(min=3, max=20):{}>",
    "<float:{}>",
    "<path:{}>",
    "<uuid:{}>",
    "<any(a, b):{}>",
    "<string(length=2):{}>",
    "<string(minlength=2, maxlength=3):{}>",
    "<even:{}>",
    "<slashed:{}>",
    "<anything:{}>",
    "<maybe:{}>",
    "<broken:{}>",
]
LITERALS = ["a", "b", "12", "ä", "a.b", "boom", ""]
UUID = "12345678-1234-1234-1234-123456789abc"
SEGMENTS = [*LITERALS, "3", "07", "-3", "1.5", "ab", "aab", "a-12", "x\ny", UUID, "١٢"]
REQUESTS = [
    ("GET", False),
    ("POST", False),
    ("GET", True),
    ("HEAD", False),
    ("OPTIONS", False),
    ("get", False),
    ("POST", True),
]


SEGMENT_RULES = [
    *LITERALS,
    *VARIABLES,
    *(f"a-{variable}" for variable in VARIABLES),
    *(f"{variable}.<{{}}>" for variable in VARIABLES),
]


def named(segments):
    """Join segments to a rule, naming the variables in order."""
    names = iter("uvwxyzklmn")
    string = "/" + "/".join(segments)
    return re.sub(r"\{\}", lambda _: next(names), string)


patterns = st.builds(
    str.__add__,
    st.lists(st.sampled_from(SEGMENT_RULES), max_size=4).map(named),
    st.sampled_from(["", "", "/"]),
)

rule_options = st.fixed_dictionaries(
    {
        "methods": st.sampled_from([None, {"GET"}, {"POST"}, {"GET", "POST"}]),
        "endpoint": st.sampled_from("ef"),
    },
    optional={
        "strict_slashes": st.booleans(),
        "merge_slashes": st.booleans(),
        "websocket": st.just(True),
        "build_only": st.just(True),
        "alias": st.just(True),
        "redirect_to": st.just("/elsewhere"),
        "defaults": st.sampled_from([{"u": 12}, {"k": 1}, {"u": "a"}]),
        "provide_automatic_options": st.just(True),
    },
).map(
    lambda options: (
        {**options, "methods": {"GET"}} if "websocket" in options else options
    )
)

map_options = st.fixed_dictionaries(
    {},
    optional={
        "strict_slashes": st.just(False),
        "merge_slashes": st.just(False),
        "redirect_defaults": st.just(False),
        "default_subdomain": st.just("www"),
    },
)


def add_rules(url_map, rules):
    for string, options in rules:
        # A default that its converter refuses makes a rule impossible.
        with suppress(ValueError):
            url_map.add(QuartRule(string, **options))
    return url_map


rules = st.lists(st.tuples(patterns, rule_options), min_size=1, max_size=7)
maps = st.builds(
    add_rules,
    st.builds(lambda options: QuartMap(converters=CONVERTERS, **options), map_options),
    rules,
)


segments = st.lists(st.sampled_from(SEGMENTS), max_size=5)
paths = segments.map(lambda parts: "/" + "/".join(parts))


VARIABLE = re.compile(r"<(?:(?P<converter>\w+)[^>]*:)?\w+>")
LIKELY = {
    "int": ["12", "3", "07", "-3", "١٢"],
    "float": ["1.5", "x"],
    "path": ["a", "a/b", "ab/a-12/", "a//b"],
    "anything": ["", "a/", "/b", "12"],
    "slashed": ["a/b", "ab/b"],
    "even": ["12", "13"],
    "uuid": [UUID],
    "broken": ["boom"],
}


def likely_paths(url_map, seed):
    """Paths that the rules were made for, with a value for every variable."""
    numbers = itertools.count(seed, 7)

    def value(variable):
        texts = LIKELY.get(variable["converter"], SEGMENTS)
        return texts[next(numbers) % len(texts)]

    for rule in url_map.iter_rules():
        for ending in ("", "", "", "/", "/a"):
            yield re.sub(VARIABLE, value, rule.rule) + ending


def werkzeugs_answer(url_map, method, path, websocket):
    """The rule and the values, or None for every other outcome."""
    adapter = url_map.bind("example.test", path_info="/")
    try:
        return adapter.match(path, method, return_rule=True, websocket=websocket)
    except (HTTPException, RoutingException, ValueError):
        return None
    except (AssertionError, TypeError):
        # Werkzeug fails on aliases and defaults that no URL can be built for.
        return None


def same(found, expected):
    """The same rule object; equal values of the same types."""
    return found[0] is expected[0] and list(map(repr, found[1].items())) == list(
        map(repr, expected[1].items())
    )


@settings(max_examples=250, deadline=None)
@given(maps, st.lists(paths, max_size=4), st.integers(0, 1000))
def test_a_match_of_the_lookup_is_werkzeugs_match(url_map, tried_paths, seed):
    for path, (method, websocket) in itertools.product(
        [*tried_paths, *likely_paths(url_map, seed)], REQUESTS
    ):
        found = url_map.lookup(method, path, websocket=websocket)
        expected = werkzeugs_answer(url_map, method, path, websocket)
        assert found is None or (expected is not None and same(found, expected))


@settings(max_examples=250, deadline=None)
@given(maps, st.lists(paths, max_size=4), st.integers(0, 1000))
def test_a_match_of_werkzeug_is_a_match_of_the_lookup(url_map, tried_paths, seed):
    # With these two the lookup is only more careful: it answers None for rules that
    # would redirect if the map still redirected from defaults and aliases.
    url_map.redirect_defaults = True
    for path, (method, websocket) in itertools.product(
        [*tried_paths, *likely_paths(url_map, seed)], REQUESTS[:3]
    ):
        if path.startswith("//"):
            continue
        expected = werkzeugs_answer(url_map, method, path, websocket)
        if expected is not None:
            found = url_map.lookup(method, path, websocket=websocket)
            assert found is not None
            assert same(found, expected)


@settings(max_examples=150, deadline=None)
@given(maps, st.text(alphabet="/ab.-12\\@:%?ä\n", max_size=12))
@example(QuartMap([QuartRule("/", endpoint="e")]), "")
@example(QuartMap([QuartRule("/<x>", endpoint="e")]), "a")
@example(QuartMap([QuartRule("/", endpoint="e")]), "//")
@example(
    QuartMap([QuartRule("//<x>", endpoint="e"), QuartRule("/<y>", endpoint="f")]), "//a"
)
@example(
    QuartMap(
        [QuartRule("//<int:x>", endpoint="e"), QuartRule("//a", endpoint="f")],
        merge_slashes=False,
    ),
    "//1",
)
def test_any_text_as_a_path_gets_werkzeugs_match_or_none(url_map, path):
    found = url_map.lookup("GET", path)
    expected = werkzeugs_answer(url_map, "GET", path, False)
    assert found is None or (expected is not None and same(found, expected))


@settings(max_examples=100, deadline=None)
@given(maps, rules, paths)
def test_rules_added_after_a_lookup_are_found(url_map, later, path):
    url_map.lookup("GET", path)
    for rule in later:
        add_rules(url_map, [rule])
        found = url_map.lookup("GET", path)
        expected = werkzeugs_answer(url_map, "GET", path, False)
        assert found is None or (expected is not None and same(found, expected))
