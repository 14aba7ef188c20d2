"""Hosts: folding, default ports and the grammar."""

import pytest
from quart_routing.hosts import (
    checked_host,
    configured_host,
    folded_host_rule,
    subdomain_of,
)
from werkzeug.exceptions import BadHost


@pytest.mark.parametrize(
    ("host", "scheme", "folded"),
    [
        ("Example.TEST", "http", "example.test"),
        ("example.test:80", "http", "example.test"),
        ("example.test:80", "ws", "example.test"),
        ("example.test:80", "https", "example.test:80"),
        ("example.test:443", "https", "example.test"),
        ("example.test:443", "wss", "example.test"),
        ("example.test:443", "http", "example.test:443"),
        ("example.test:8080", "http", "example.test:8080"),
        ("[::1]:8000", "http", "[::1]:8000"),
        ("[::1]:80", "http", "[::1]"),
        ("my_service", "http", "my_service"),
        ("", "http", ""),
    ],
)
def test_hosts_are_folded_and_lose_the_default_port(host, scheme, folded):
    assert checked_host(host, scheme) == folded


@pytest.mark.parametrize(
    "host",
    [
        "good.test@evil.test",
        "evil.test/x",
        "evil.test?",
        "evil.test#",
        "evil.test\\x",
        "evil test",
        "evil.test\n",
        "evil.test:80:80",
        "evil.test:x",
        "[::1",
        "evil.ca\u2100.test",
        "\uff45vil.test",
        "<invalid>",
        "a%2fb",
        "a" * 262,
    ],
)
def test_what_is_not_a_host_is_a_bad_request(host):
    with pytest.raises(BadHost):
        checked_host(host, "http")


def test_configured_hosts_may_use_letters_beyond_ascii():
    assert configured_host("Bücher.Test:8000", "http") == "xn--bcher-kva.test:8000"
    assert configured_host("Example.Test:80", "http") == "example.test"


@pytest.mark.parametrize(
    ("host", "subdomain"),
    [
        ("example.test", ""),
        ("api.example.test", "api"),
        ("a.b.example.test", "a.b"),
        ("badexample.test", None),
        ("example.test.evil", None),
        ("", None),
    ],
)
def test_the_subdomain_is_what_stands_before_the_server_name(host, subdomain):
    assert subdomain_of(host, "example.test") == subdomain


def test_only_the_literals_of_a_host_rule_are_folded():
    assert folded_host_rule("<any(A, B):userName>.API.Test") == (
        "<any(A, B):userName>.api.test"
    )
