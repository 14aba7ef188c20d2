"""Who sees the debug page: this machine, and what DEBUG_HOSTS adds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from quart_core.debug.audience import is_for_developers


def sees(*headers, client=("127.0.0.1", 1), hosts=None, debug=True, testing=False):
    app = SimpleNamespace(debug=debug, testing=testing, config={"DEBUG_HOSTS": hosts})
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return is_for_developers(app, {"client": client, "headers": raw})


@pytest.mark.parametrize(
    "client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "<local>"]
)
def test_clients_on_this_machine_see_it(client):
    assert sees(("Host", "localhost:5000"), client=(client, 1))


@pytest.mark.parametrize(
    "client", ["192.168.0.7", "203.0.113.9", "::ffff:203.0.113.9", "fe80::1", "", "x"]
)
def test_other_clients_do_not(client):
    assert not sees(("Host", "localhost:5000"), client=(client, 1))


def test_a_client_without_an_address_does_not():
    assert not sees(client=None)


def test_nobody_sees_it_outside_debug_and_tests():
    assert not sees(debug=False)
    assert not sees(debug=False, hosts="*")
    assert sees(debug=False, testing=True)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "app.localhost:5000", "127.0.0.1", "[::1]:5000"],
)
def test_names_of_this_machine_are_accepted(host):
    assert sees(("Host", host))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:5000", "localhost.evil.example", "", "[", "a b"],
)
def test_fw_06_dns_rebinding_is_refused(host):
    assert not sees(("Host", host))


def test_fw_06_a_second_forged_host_is_refused():
    assert not sees(("Host", "localhost"), ("Host", "evil.example"))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://203.0.113.9",
        "http://localhost.evil.example",
        "x",
    ],
)
def test_fw_06_a_foreign_origin_is_refused(origin):
    assert not sees(("Host", "localhost:5000"), ("Origin", origin))


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:5000", "http://localhost:3000", "http://127.0.0.1:3000"],
)
def test_an_origin_on_this_machine_is_accepted(origin):
    assert sees(("Host", "localhost:5000"), ("Origin", origin))


def test_an_opaque_origin_must_be_of_the_same_site():
    assert not sees(("Host", "localhost"), ("Origin", "null"))
    assert sees(
        ("Host", "localhost"), ("Origin", "null"), ("Sec-Fetch-Site", "same-origin")
    )


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "203.0.113.9, 127.0.0.1"),
        ("X-Forwarded-For", "unknown"),
        ("X-Forwarded-For", ""),
        ("X-Real-IP", "203.0.113.9"),
        ("CF-Connecting-IP", "203.0.113.9"),
        ("Forwarded", "for=203.0.113.9;proto=https"),
        ("Forwarded", 'for="[2001:db8::1]:4711"'),
        ("Forwarded", "for=127.0.0.1, for=203.0.113.9"),
        ("Forwarded", "proto=https"),
        ("Via", "1.1 proxy"),
    ],
)
def test_a_proxy_on_this_machine_does_not_open_it_to_the_world(header):
    assert not sees(("Host", "127.0.0.1:8000"), header)


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1:4711, ::1"),
        ("Forwarded", 'for="[::1]:4711";host=a, for=127.0.0.1'),
    ],
)
def test_a_proxy_before_a_client_on_this_machine_is_accepted(header):
    assert sees(("Host", "localhost"), header)


def test_listed_addresses_and_networks_see_it():
    assert sees(client=("192.168.0.7", 1), hosts="192.168.0.7")
    assert sees(client=("172.17.0.1", 1), hosts=["172.17.0.0/16"])
    assert sees(client=("fd00::7", 1), hosts=("fd00::/8",))
    assert not sees(client=("172.18.0.1", 1), hosts=["172.17.0.0/16"])
    assert sees(("X-Forwarded-For", "172.17.0.9"), hosts=["172.17.0.0/16"])


def test_listed_names_are_accepted_as_host_and_origin():
    hosts = ["Box.Test"]
    assert sees(("Host", "box.test:5000"), hosts=hosts)
    assert sees(("Host", "box.test."), ("Origin", "https://box.test"), hosts=hosts)
    assert not sees(("Host", "other.test"), hosts=hosts)
    assert not sees(("Host", "box.test"), client=("203.0.113.9", 1), hosts=hosts)


def test_a_star_means_everybody():
    assert sees(("Host", "any.example"), client=("203.0.113.9", 1), hosts="*")
    assert sees(client=None, hosts=["*"])
