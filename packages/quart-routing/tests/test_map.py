"""QuartMap: binding to requests, subdomains and hosts."""

import inspect
import warnings
from dataclasses import dataclass, replace

import pytest
from quart_routing import BindableRequest, QuartMap, QuartMapAdapter, QuartRule
from werkzeug.exceptions import BadHost, NotFound
from werkzeug.routing import BuildError, Map, RequestRedirect
from werkzeug.sansio.request import Request as SansIORequest


@dataclass(frozen=True)
class Request:
    """The least a map can be bound to."""

    host: str = "example.test"
    method: str = "GET"
    path: str = "/"
    query_string: bytes = b""
    root_path: str = ""
    scheme: str = "http"


REQUEST = Request()


def make_map(**options):
    return QuartMap(
        [
            QuartRule("/", endpoint="index", methods=["GET"]),
            QuartRule("/films/<int:film>", endpoint="film", methods=["GET"]),
            QuartRule("/live", endpoint="live", methods=["GET"], websocket=True),
            QuartRule("/branch/", endpoint="branch", methods=["GET"]),
        ],
        **options,
    )


def test_a_map_takes_what_werkzeugs_map_takes():
    def options(kind):
        parameters = inspect.signature(kind).parameters.values()
        return [(parameter.name, parameter.default) for parameter in parameters]

    assert options(QuartMap) == options(Map)
    assert options(QuartMap.bind) == options(Map.bind)


def test_an_adapter_knows_the_request():
    adapter = make_map().bind_to_request(
        replace(REQUEST, path="/films/3", query_string=b"a=1&b=%20", root_path="/app"),
        None,
        None,
    )
    assert isinstance(adapter, QuartMapAdapter)
    assert adapter.match() == ("film", {"film": 3})
    assert adapter.server_name == "example.test"
    assert adapter.script_name == "/app/"
    assert adapter.query_args == "a=1&b=%20"


def test_a_request_of_werkzeug_can_be_bound():
    from werkzeug.datastructures import Headers

    request: BindableRequest = SansIORequest(
        "GET",
        "https",
        ("127.0.0.1", 443),
        "/app",
        "/films/3",
        b"q",
        Headers({"Host": "Example.test:443"}),
        None,
    )
    adapter = make_map().bind_to_request(request)
    assert adapter.match() == ("film", {"film": 3})
    assert adapter.build("film", {"film": 4}, force_external=True) == (
        "https://example.test/app/films/4"
    )


def test_a_websocket_scheme_matches_websocket_rules():
    adapter = make_map().bind_to_request(replace(REQUEST, scheme="ws", path="/live"))
    assert adapter.match() == ("live", {})


# URLs: building


def test_urls_are_built_below_the_root_path():
    adapter = make_map().bind_to_request(replace(REQUEST, root_path="/app"))
    assert adapter.build("film", {"film": 1}) == "/app/films/1"
    assert adapter.build("film", {"film": 1}, force_external=True) == (
        "http://example.test/app/films/1"
    )


def test_unknown_values_become_the_query_lists_repeat_and_none_is_left_out():
    adapter = make_map().bind_to_request(REQUEST)
    values = {"q": "a b", "tag": ["x", "y"], "none": None}
    assert adapter.build("index", values) == "/?q=a+b&tag=x&tag=y"


@pytest.mark.parametrize(
    ("scheme", "asked", "url"),
    [
        ("http", None, "ws://example.test/live"),
        ("https", None, "wss://example.test/live"),
        ("http", "https", "wss://example.test/live"),
        ("https", "ws", "ws://example.test/live"),
        ("wss", None, "wss://example.test/live"),
    ],
)
def test_urls_of_websockets_are_always_absolute(scheme, asked, url):
    adapter = make_map().bind_to_request(replace(REQUEST, scheme=scheme))
    assert adapter.build("live", url_scheme=asked) == url


def test_from_a_websocket_urls_of_pages_have_a_scheme_for_pages():
    adapter = make_map().bind_to_request(replace(REQUEST, scheme="wss"))
    assert adapter.build("index", force_external=True) == "https://example.test/"


def test_an_unbuildable_url_is_an_error_that_names_what_is_missing():
    adapter = make_map().bind_to_request(REQUEST)
    with pytest.raises(
        BuildError, match=r"Did you forget to specify values \['film'\]"
    ):
        adapter.build("film")


@pytest.mark.parametrize(
    ("root_path", "built"),
    [
        ("", "/films/1"),
        ("/", "/films/1"),
        ("app", "/app/films/1"),
        ("/app/", "/app/films/1"),
        ("//evil.test", "/evil.test/films/1"),
        ("/\\evil.test", "/evil.test/films/1"),
        ("/käse", "/k%C3%A4se/films/1"),
    ],
)
def test_a_root_path_never_becomes_a_host(root_path, built):
    adapter = make_map().bind_to_request(replace(REQUEST, root_path=root_path))
    assert adapter.build("film", {"film": 1}) == built
    assert adapter.build("film", {"film": 1}, force_external=True) == (
        f"http://example.test{built}"
    )


# URLs: hosts


def subdomain_map():
    return QuartMap(
        [
            QuartRule("/", endpoint="index"),
            QuartRule("/", endpoint="api", subdomain="api"),
            QuartRule("/user", endpoint="user", subdomain="<user>"),
        ]
    )


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("example.test", "index"),
        ("EXAMPLE.test:80", "index"),
        ("api.example.test", "api"),
        ("Api.Example.Test", "api"),
    ],
)
def test_the_subdomain_comes_from_the_host(host, endpoint):
    adapter = subdomain_map().bind_to_request(
        replace(REQUEST, host=host), None, "Example.test:80"
    )
    assert adapter.match() == (endpoint, {})


def test_a_server_name_with_a_port_is_matched_with_its_port():
    adapter = subdomain_map().bind_to_request(
        replace(REQUEST, host="api.example.test:5000"), None, "example.test:5000"
    )
    assert adapter.match() == ("api", {})
    assert adapter.build("index") == "http://example.test:5000/"


def test_another_host_warns_and_matches_the_invalid_subdomain_only():
    request = replace(REQUEST, host="other.test", path="/user")
    with pytest.warns(UserWarning, match="'example.test'") as caught:
        adapter = subdomain_map().bind_to_request(request, None, "example.test")
    assert caught[0].filename == __file__
    assert adapter.subdomain == "<invalid>"
    assert adapter.match() == ("user", {"user": "<invalid>"})
    with pytest.raises(NotFound):
        adapter.match("/")


def test_the_warning_for_another_host_does_not_grow_with_the_hosts():
    url_map = subdomain_map()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(3):
            request = replace(REQUEST, host=f"h{number}.other.test")
            url_map.bind_to_request(request, None, "example.test")
    assert len(caught) == 3
    assert len({str(warning.message) for warning in caught}) == 1


def test_a_given_subdomain_is_taken_as_it_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapter = subdomain_map().bind_to_request(
            replace(REQUEST, host="other.test"), "API", "example.test"
        )
    assert adapter.match() == ("api", {})


def test_without_a_server_name_the_host_of_the_request_counts():
    adapter = subdomain_map().bind_to_request(replace(REQUEST, host="a.b.c:8080"))
    assert adapter.match() == ("index", {})
    assert adapter.build("api") == "http://api.a.b.c:8080/"


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("a.test", "http"),
        ("A.TEST", "http"),
        ("a.test:80", "http"),
        ("a.test:443", "https"),
    ],
)
def test_host_matching_ignores_case_and_default_ports(host, scheme):
    url_map = QuartMap(
        [
            QuartRule("/", endpoint="a", host="A.test"),
            QuartRule("/", endpoint="b", host="b.test"),
        ],
        host_matching=True,
    )
    request = replace(REQUEST, host=host, scheme=scheme)
    adapter = url_map.bind_to_request(request, None, "ignored.test")
    assert adapter.server_name == "ignored.test"
    adapter = url_map.bind_to_request(request)
    assert adapter.match() == ("a", {})
    with pytest.raises(NotFound):
        url_map.bind_to_request(replace(request, host="c.test")).match()


def test_hosts_with_variables_give_them_to_the_view():
    url_map = QuartMap(
        [QuartRule("/<page>", endpoint="e", host="<name>.test")], host_matching=True
    )
    adapter = url_map.bind_to_request(replace(REQUEST, host="ann.test", path="/p"))
    assert adapter.match() == ("e", {"name": "ann", "page": "p"})


def test_a_map_that_matches_hosts_takes_no_subdomain():
    url_map = QuartMap(host_matching=True)
    with pytest.raises(RuntimeError, match="'api' was given to a map that matches"):
        url_map.bind_to_request(REQUEST, "api", None)


def test_a_server_name_beyond_ascii_is_bound_in_its_ascii_form():
    request = replace(REQUEST, host="api.xn--bcher-kva.test")
    adapter = subdomain_map().bind_to_request(request, None, "Bücher.test")
    assert adapter.match() == ("api", {})
    assert adapter.build("index") == "http://xn--bcher-kva.test/"


def test_what_is_not_a_host_is_refused():
    with pytest.raises(BadHost):
        make_map().bind_to_request(replace(REQUEST, host="good.test@evil.test"))


# Errors: missing trailing slash


def test_a_missing_slash_redirects_to_the_full_url_with_the_query():
    adapter = make_map().bind_to_request(
        replace(REQUEST, path="/branch", query_string=b"a=1&b=\xff#\r\nx")
    )
    with pytest.raises(RequestRedirect) as caught:
        adapter.match()
    assert caught.value.code == 308
    assert caught.value.new_url == ("http://example.test/branch/?a=1&b=%FF%23%0D%0Ax")
