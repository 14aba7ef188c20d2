"""What is shown of a request: masked, bounded, and a curl command to repeat it."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st
from quart_core.debug.masking import Masker
from quart_core.debug.request_data import request_data


def data_of(*headers, masker=None, **scope):
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return request_data({"headers": raw, **scope}, masker or Masker())


def test_a_request_is_shown_with_its_url():
    data = data_of(
        ("host", "localhost:5000"),
        method="GET",
        scheme="https",
        path="/a b/ü",
        query_string=b"x=1&y=%3Cb%3E",
        http_version="2",
        client=("127.0.0.1", 50000),
    )
    assert data.url == "https://localhost:5000/a%20b/%C3%BC?x=1&y=%3Cb%3E"
    assert data.path == "/a b/ü"
    assert data.args == (("x", "1"), ("y", "<b>"))
    assert (data.method, data.http_version, data.client) == ("GET", "2", "127.0.0.1")


def test_keys_that_a_scope_may_leave_out_are_not_needed():
    data = data_of()
    assert data.url == "http://localhost/"
    assert data_of(server=("::1", 80)).url == "http://::1:80/"
    assert data_of(server=("/run/app.sock", None)).client == ""


def test_secrets_are_masked_in_headers_and_query():
    data = data_of(
        ("host", "localhost"),
        ("authorization", "Bearer abc"),
        ("Cookie", "session=abc"),
        ("referer", "http://localhost/?code=known-secret"),
        path="/known-secret",
        query_string=b"token=abc&q=known-secret&n=1",
        masker=Masker({"known-secret"}),
    )
    assert dict(data.headers) == {
        "host": "localhost",
        "authorization": "***",
        "Cookie": "***",
        "referer": "http://localhost/?code=***",
    }
    assert data.url == "http://localhost/***?token=***&q=***&n=1"
    assert dict(data.args) == {"token": "***", "q": "***", "n": "1"}
    assert data.path == "/***"


def test_the_curl_command_repeats_the_request():
    data = data_of(
        ("host", "localhost"),
        ("connection", "close"),
        ("content-length", "3"),
        ("accept-encoding", "gzip"),
        ("x-a", "it's"),
        ("x-empty", ""),
        method="PUT",
        path="/x",
    )
    assert shlex.split(data.curl.replace("\\\n", "")) == [
        "curl",
        "-X",
        "PUT",
        "http://localhost/x",
        "--compressed",
        "-H",
        "x-a: it's",
        "-H",
        "x-empty;",
        "--data-binary",
        "@body",
    ]
    assert data_of(method="HEAD").curl == "curl --head http://localhost/"
    assert data_of(method="GET").curl == "curl http://localhost/"
    assert data_of(method="POST").curl == "curl -X POST http://localhost/"
    no_body = data_of(("content-length", "0"), method="GET")
    assert no_body.curl == "curl http://localhost/"


def test_long_and_many_values_are_bounded():
    many = [(f"x-{n}", "a" * 10_000) for n in range(1_000)]
    data = data_of(*many, path="/" + "a" * 100_000, query_string=b"a=1&" * 10_000)
    assert len(data.headers) == 100
    assert max(len(value) for _, value in data.headers) < 2_100
    assert len(data.path) < 2_100
    assert len(data.args) == 100


printable_bytes = st.binary(max_size=50)


@given(
    name=printable_bytes,
    value=printable_bytes,
    path=st.text(max_size=50),
    query=printable_bytes,
    method=st.text(max_size=10),
)
def test_any_request_gives_one_safe_curl_command(name, value, path, query, method):
    scope = {
        "headers": [(name, value)],
        "path": path,
        "query_string": query,
        "method": method,
    }
    data = request_data(scope, Masker())
    assert data.curl.replace("\n", "").replace("\t", "").isprintable()
    words = shlex.split(data.curl.replace("\\\n", ""))
    assert words.pop(0) == "curl"
    while words:
        word = words.pop(0)
        if word == "-X":
            assert words.pop(0) == data.method
        elif word == "-H":
            assert not words.pop(0).startswith("@")
        elif word == "--data-binary":
            assert words.pop(0) == "@body"
        else:
            assert word in {"--head", "--compressed", data.url}


def test_a_header_that_curl_would_read_from_a_file_is_left_out():
    assert data_of(("@/etc/passwd", "x")).curl == "curl http://localhost/"
