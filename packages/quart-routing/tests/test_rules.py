"""QuartRule: its options and how they are kept."""

import inspect

import pytest
from quart_routing import QuartMap, QuartRule
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import (
    BaseConverter,
    RequestRedirect,
    Rule,
    Subdomain,
    Submount,
)


def test_the_parameters_of_quart_keep_their_places():
    assert list(inspect.signature(QuartRule).parameters)[:10] == [
        "string",
        "defaults",
        "subdomain",
        "methods",
        "endpoint",
        "strict_slashes",
        "merge_slashes",
        "host",
        "websocket",
        "provide_automatic_options",
    ]


def test_a_rule_takes_every_option_of_werkzeugs_rule():
    ours = inspect.signature(QuartRule).parameters
    theirs = inspect.signature(Rule).parameters
    assert set(theirs) <= set(ours)
    assert {name: ours[name].default for name in theirs} == {
        name: theirs[name].default for name in theirs
    }


def test_get_brings_head():
    assert QuartRule("/", methods=["get"]).methods == {"GET", "HEAD"}


def test_a_rule_with_automatic_options_matches_them_without_naming_the_method():
    rule = QuartRule(
        "/<int:a>", endpoint="e", methods=["GET"], provide_automatic_options=True
    )
    assert rule.methods == {"GET", "HEAD"}
    assert rule.provide_automatic_options is True
    adapter = QuartMap([rule, QuartRule("/x", methods=["GET"])]).bind("h")
    assert adapter.match("/1", "OPTIONS", return_rule=True) == (rule, {"a": 1})
    assert adapter.match("/1", "options") == ("e", {"a": 1})
    assert adapter.allowed_methods("/1") == ["GET", "HEAD", "OPTIONS"]
    assert adapter.allowed_methods("/x") == ["GET", "HEAD"]
    with pytest.raises(MethodNotAllowed) as raised:
        adapter.match("/1", "POST")
    assert raised.value.valid_methods == ["GET", "HEAD", "OPTIONS"]
    with pytest.raises(MethodNotAllowed):
        adapter.match("/x", "OPTIONS")


def test_a_rule_that_names_options_comes_before_automatic_ones():
    automatic = QuartRule(
        "/a", endpoint="e", methods=["GET"], provide_automatic_options=True
    )
    named = QuartRule("/<name>", endpoint="n", methods=["OPTIONS"])
    adapter = QuartMap([automatic, named]).bind("h")
    assert adapter.match("/a", "OPTIONS") == ("n", {"name": "a"})


def test_without_automatic_options_the_methods_stay_as_given():
    rule = QuartRule("/", methods=["POST"])
    assert rule.provide_automatic_options is False
    assert rule.methods == {"POST"}


def test_automatic_options_are_not_for_websockets_nor_for_rules_of_all_methods():
    websocket = QuartRule(
        "/", methods=["GET"], websocket=True, provide_automatic_options=True
    )
    assert websocket.methods == {"GET", "HEAD"}
    assert QuartRule("/", provide_automatic_options=True).methods is None


def test_a_websocket_rule_takes_no_post():
    with pytest.raises(ValueError, match="WebSocket"):
        QuartRule("/", methods=["POST"], websocket=True)


def test_a_rule_without_a_first_slash_is_refused():
    with pytest.raises(ValueError, match="must start with a slash"):
        QuartRule("films")


def test_a_copy_keeps_every_option():
    options = {
        "defaults": {"a": 1},
        "subdomain": "s",
        "methods": {"GET", "HEAD"},
        "endpoint": "e",
        "strict_slashes": False,
        "merge_slashes": False,
        "host": "h",
        "websocket": True,
        "provide_automatic_options": True,
        "build_only": True,
        "redirect_to": "/x",
        "alias": True,
    }
    copy = QuartRule("/a", **options).empty()
    assert {name: getattr(copy, name) for name in options} == options


def test_a_factory_keeps_websocket_rules_websocket_rules():
    url_map = QuartMap(
        [Submount("/api", [QuartRule("/live", endpoint="live", websocket=True)])]
    )
    assert url_map.lookup("GET", "/api/live", websocket=True)[0].endpoint == "live"
    assert url_map.lookup("GET", "/api/live") is None


def test_hosts_of_rules_are_case_insensitive_but_their_variables_are_not():
    rule = QuartRule("/", endpoint="e", host="<userName>.Example.TEST")
    url_map = QuartMap([rule], host_matching=True)
    assert rule.host == "<userName>.example.test"
    adapter = url_map.bind("ann.EXAMPLE.test")
    assert adapter.match("/") == ("e", {"userName": "ann"})


def test_subdomains_of_rules_are_case_insensitive():
    url_map = QuartMap([Subdomain("API", [QuartRule("/", endpoint="e")])])
    assert url_map.bind("example.test", subdomain="Api").match("/") == ("e", {})


def test_a_converter_whose_regex_is_no_pattern_is_refused_when_the_rule_is_added():
    class Broken(BaseConverter):
        regex = "("

    url_map = QuartMap([QuartRule("/ok", endpoint="ok")], converters={"bad": Broken})
    with pytest.raises(ValueError, match=r"'/<bad:x>' has a regex that cannot"):
        url_map.add(QuartRule("/<bad:x>", endpoint="bad"))
    assert [rule.endpoint for rule in url_map.iter_rules()] == ["ok"]
    assert url_map.lookup("GET", "/ok") is not None


def test_an_unknown_converter_is_refused_when_the_rule_is_added():
    with pytest.raises(LookupError, match="unheard"):
        QuartMap([QuartRule("/<unheard:x>", endpoint="e")])


def redirect_of(url_map, path):
    with pytest.raises(RequestRedirect) as caught:
        url_map.bind("example.test", script_name="/app").match(path)
    return caught.value.new_url


def test_redirect_to_takes_a_target_in_rule_syntax():
    url_map = QuartMap([QuartRule("/old/<int:x>", endpoint="e", redirect_to="new/<x>")])
    assert redirect_of(url_map, "/old/7") == "http://example.test/app/new/7"


def test_redirect_to_takes_a_function():
    url_map = QuartMap(
        [QuartRule("/<int:x>", endpoint="e", redirect_to=lambda adapter, x: f"/n/{x}")]
    )
    assert redirect_of(url_map, "/7") == "http://example.test/n/7"


def test_redirect_to_may_lead_to_another_site_when_it_says_so():
    url_map = QuartMap(
        [QuartRule("/<x>", endpoint="e", redirect_to="https://other.test//s/<x>")]
    )
    assert redirect_of(url_map, "/7") == "https://other.test//s/7"


@pytest.mark.parametrize(
    ("target", "path", "location"),
    [
        ("<p>", "/https:evil.test", "http://example.test/app/https:evil.test"),
        ("<p>", "/plain", "http://example.test/app/plain"),
        ("go-<p>", "/x:evil.test", "http://example.test/app/go-x:evil.test"),
        ("/<p>", "/https://evil.test", "http://example.test/https://evil.test"),
        ("/<p>", "//evil.test", "http://example.test/evil.test"),
    ],
)
def test_the_variables_of_a_redirect_never_choose_its_host(target, path, location):
    url_map = QuartMap([QuartRule("/<path:p>", endpoint="e", redirect_to=target)])
    assert redirect_of(url_map, path) == location


def test_build_only_rules_build_but_do_not_match():
    url_map = QuartMap([QuartRule("/<x>", endpoint="e", build_only=True)])
    adapter = url_map.bind("example.test")
    assert adapter.build("e", {"x": "a b"}) == "/a%20b"
    with pytest.raises(NotFound):
        adapter.match("/a")


def test_an_alias_redirects_to_the_rule_of_its_endpoint():
    url_map = QuartMap(
        [
            QuartRule("/users/<int:x>", endpoint="user"),
            QuartRule("/people/<int:x>", endpoint="user", alias=True),
        ]
    )
    assert redirect_of(url_map, "/people/3") == "http://example.test/app/users/3"
