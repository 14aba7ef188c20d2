"""QuartMapAdapter: Allow, the kinds of connection, redirects that stay inside."""

import itertools
from urllib.parse import urlsplit

import pytest
from quart_routing import QuartMap, QuartRule, sorted_methods
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, RequestRedirect, WebsocketMismatch

# Errors: wrong method


def film_map():
    return QuartMap(
        [
            QuartRule("/x", endpoint="read", methods=["GET", "OPTIONS"]),
            QuartRule("/x", endpoint="write", methods=["PUT", "POST"]),
            QuartRule("/x", endpoint="remove", methods=["DELETE"]),
            QuartRule("/x", endpoint="live", methods=["GET"], websocket=True),
            QuartRule("/posts", endpoint="posts", methods=["POST"]),
            QuartRule("/posts", endpoint="feed", methods=["GET"], websocket=True),
            QuartRule("/only", endpoint="only", methods=["GET"], websocket=True),
        ]
    )


def test_the_methods_of_a_405_are_sorted():
    with pytest.raises(MethodNotAllowed) as caught:
        film_map().bind("h").match("/x", "PATCH")
    methods = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]
    assert caught.value.valid_methods == methods
    assert caught.value.get_response().headers["Allow"] == ", ".join(methods)


def test_allowed_methods_are_sorted_and_empty_for_unknown_paths():
    adapter = film_map().bind("h", path_info="/x")
    methods = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]
    assert adapter.allowed_methods() == methods
    assert adapter.allowed_methods("/posts") == ["POST"]
    assert adapter.allowed_methods("/missing") == []


def test_methods_are_sorted_once_each():
    assert sorted_methods(["PUT", "GET", "PUT"]) == ["GET", "PUT"]


# Websockets: no such route, only an HTTP route, plain HTTP on a websocket route


def test_a_path_may_have_an_http_and_a_websocket_rule():
    url_map = film_map()
    assert url_map.bind("h").match("/x", "GET") == ("read", {})
    assert url_map.bind("h", url_scheme="ws").match("/x") == ("live", {})
    assert url_map.bind("h").match("/x", "GET", websocket=True) == ("live", {})


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH"])
def test_http_on_a_websocket_route_is_a_400_whatever_the_method(method):
    with pytest.raises(WebsocketMismatch) as caught:
        film_map().bind("h").match("/only", method)
    assert caught.value.code == 400


@pytest.mark.parametrize("path", ["/page", "/form"])
def test_a_websocket_on_an_http_route_is_a_400(path):
    url_map = QuartMap(
        [
            QuartRule("/page", endpoint="page", methods=["GET"]),
            QuartRule("/form", endpoint="form", methods=["POST"]),
        ]
    )
    with pytest.raises(WebsocketMismatch):
        url_map.bind("h", url_scheme="wss").match(path)


def test_a_websocket_without_a_route_is_a_404():
    with pytest.raises(NotFound):
        film_map().bind("h", url_scheme="ws").match("/missing")


def test_methods_that_only_websockets_have_are_not_allowed_to_http():
    with pytest.raises(MethodNotAllowed) as caught:
        film_map().bind("h").match("/posts", "PUT")
    assert caught.value.valid_methods == ["POST"]


# Redirects stay inside


class Anything(BaseConverter):
    """The most dangerous converter one can write: takes all, quotes nothing."""

    regex = ".*?"
    part_isolating = False

    def to_url(self, value):
        return value


HEADS = [
    "",
    "/",
    "//",
    "///",
    "\\",
    "/\\",
    "\\/",
    "/%5c",
    "@",
    "/@",
    "/.",
    "/..",
    "http:",
]
HOSTS = ["evil.test", "/evil.test", "\\evil.test", "//evil.test", "user@evil.test", ""]
TAILS = ["", "/", "//", "/..", "/%2e%2e", "//a//b", "\t", "?x", "#x", "/x:y@z"]
VECTORS = [
    head + host + tail for head, host, tail in itertools.product(HEADS, HOSTS, TAILS)
]


def redirecting_map():
    return QuartMap(
        [
            QuartRule("/<x>/", endpoint="branch"),
            QuartRule("/<x>/<y>/", endpoint="twigs"),
            QuartRule("/a/<path:x>/", endpoint="path"),
            QuartRule("/merge/<x>/<y>", endpoint="merge"),
            QuartRule("/d/<path:x>", defaults={"page": 1}, endpoint="default"),
            QuartRule("/d/<path:x>/p/<int:page>", endpoint="default"),
            QuartRule("/real/<anything:x>", endpoint="alias"),
            QuartRule("/alias/<anything:x>", endpoint="alias", alias=True),
            QuartRule("/to/<anything:x>", endpoint="to", redirect_to="<x>"),
            QuartRule("/root/<anything:x>", endpoint="root", redirect_to="/<x>"),
            QuartRule("/quoted/<path:x>", endpoint="quoted", redirect_to="/<x>"),
            QuartRule("/sub/<anything:x>", endpoint="sub", redirect_to="sub/<x>"),
        ],
        converters={"anything": Anything},
    )


def redirect_of(adapter, path):
    try:
        adapter.match(path)
    except RequestRedirect as redirect:
        return redirect.new_url
    except NotFound:
        return None
    return None


def test_fw_08_automatic_redirects_never_leave_the_origin():
    url_map = redirecting_map()
    prefixes = ["", "/a/", "/merge/", "/d/", "/alias/", "/to/", "/root/", "/sub/"]
    endings = ["", "//x", "/p/1"]
    redirects = 0
    for script_name in ("/", "/app"):
        adapter = url_map.bind("good.test", script_name, query_args="q=1")
        for prefix, vector, ending in itertools.product(prefixes, VECTORS, endings):
            location = redirect_of(adapter, prefix + vector + ending)
            if location is None:
                continue
            redirects += 1
            parts = urlsplit(location)
            assert (parts.scheme, parts.netloc) == ("http", "good.test"), location
            assert parts.path.startswith("/"), location
            assert not parts.path.startswith(("//", "/\\")), location
    assert len(VECTORS) >= 500
    assert redirects > 5000


def test_fw_08_without_a_host_redirects_are_paths():
    url_map = redirecting_map()
    adapter = url_map.bind("", query_args="q=1")
    for prefix, vector in itertools.product(
        ["", "/a/", "/alias/", "/quoted/"], VECTORS
    ):
        location = redirect_of(adapter, prefix + vector)
        if location is not None:
            assert location.startswith("/"), location
            assert not location.startswith(("//", "/\\")), location
    assert redirect_of(adapter, "/evil.test") == "/evil.test/?q=1"


@pytest.mark.parametrize(
    "target", ["@evil.test", "//evil.test", "/\\evil.test", "http:x"]
)
def test_st_07_a_target_never_moves_the_authority(target):
    adapter = redirecting_map().bind("good.test")
    location = redirect_of(adapter, target)
    assert location is not None
    assert location.startswith("http://good.test/")
    assert urlsplit(location).netloc == "good.test"


def test_merged_slashes_redirect_with_the_query():
    adapter = redirecting_map().bind("good.test", query_args="a=1")
    assert redirect_of(adapter, "/merge//x//y") == "http://good.test/merge/x/y?a=1"


def test_defaults_redirect_to_the_shorter_url():
    adapter = redirecting_map().bind("good.test")
    assert redirect_of(adapter, "/d/x/p/1") == "http://good.test/d/x"
    assert adapter.match("/d/x/p/2") == ("default", {"x": "x", "page": 2})
