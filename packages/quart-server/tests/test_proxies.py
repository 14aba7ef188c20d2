"""X-Forwarded-* and Forwarded: believed from trusted peers only (F-45)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server import Config
from quart_server.protocols.forwarded import read_address, read_forwarded
from quart_server.proxies import TrustedProxies

HEADERS = [
    (b"host", b"internal"),
    (b"x-forwarded-for", b"203.0.113.7"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"public.example"),
    (b"x-forwarded-prefix", b"/app"),
]


def applied(headers, peer="10.0.0.1", kind="http", **settings) -> dict:
    scope = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": (peer, 1234) if peer else None,
        "headers": list(headers),
        "path": "/x",
        "raw_path": b"/x",
        "root_path": "",
    }
    TrustedProxies(Config(**settings)).apply(scope)
    return scope


def client_of(value: bytes, **settings) -> str:
    return applied([(b"x-forwarded-for", value)], **settings)["client"][0]


def test_trusted_peer_sets_client_scheme_host_and_prefix() -> None:
    scope = applied(HEADERS, trusted_proxies=("10.0.0.0/8",))
    assert scope["client"] == ("203.0.113.7", 0)
    assert scope["scheme"] == "https"
    assert scope["headers"][0] == (b"host", b"public.example")
    assert [name for name, _ in scope["headers"]].count(b"host") == 1
    assert (scope["root_path"], scope["path"]) == ("/app", "/app/x")
    assert scope["raw_path"] == b"/app/x"


@pytest.mark.parametrize("peer", ["192.0.2.1", "::1", None])
def test_f_45_untrusted_peer_changes_nothing(peer) -> None:
    scope = applied(HEADERS, peer=peer, trusted_proxies=("10.0.0.0/8",))
    assert scope["client"] == ((peer, 1234) if peer else None)
    assert (scope["scheme"], scope["root_path"], scope["path"]) == ("http", "", "/x")
    assert scope["headers"] == HEADERS


def test_f_45_the_other_kind_of_header_is_never_believed() -> None:
    scope = applied(HEADERS, trusted_proxies=("10.0.0.1",), proxy_headers="forwarded")
    assert scope["client"] == ("10.0.0.1", 1234)
    scope = applied([(b"forwarded", b"for=1.2.3.4")], trusted_proxies=("10.0.0.1",))
    assert scope["client"] == ("10.0.0.1", 1234)


def test_unix_socket_peers_are_trusted_by_name() -> None:
    assert applied(HEADERS, peer=None, trusted_proxies=("unix",))["scheme"] == "https"


def test_mapped_addresses_match_their_ipv4_networks() -> None:
    scope = applied(HEADERS, peer="::ffff:10.0.0.1", trusted_proxies=("10.0.0.1",))
    assert scope["scheme"] == "https"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"1.1.1.1", "1.1.1.1"),
        (b"6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (b"6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        (b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (b"6.6.6.6, unknown", "10.0.0.1"),
        (b"6.6.6.6, nonsense, 10.0.0.2", "10.0.0.1"),
        (b"1.1.1.1:443", "1.1.1.1"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"", "10.0.0.1"),
    ],
)
def test_f_45_client_is_the_first_untrusted_address_from_the_right(
    value, expected
) -> None:
    assert client_of(value, trusted_proxies=("10.0.0.0/8",)) == expected


@pytest.mark.parametrize(
    ("hops", "expected"),
    [(1, "3.3.3.3"), (2, "2.2.2.2"), (3, "1.1.1.1"), (9, "1.1.1.1")],
)
def test_number_of_hops_counts_from_the_right(hops, expected) -> None:
    value = b"1.1.1.1, 2.2.2.2, 3.3.3.3"
    assert client_of(value, trusted_hops=hops) == expected


def test_several_fields_are_one_list() -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2")]
    scope = applied(headers, trusted_proxies=("10.0.0.0/8",))
    assert scope["client"][0] == "2.2.2.2"


def test_websocket_schemes_stay_those_of_websockets() -> None:
    scope = applied(HEADERS, kind="websocket", trusted_proxies=("10.0.0.1",))
    assert scope["scheme"] == "wss"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"x-forwarded-proto", b"javascript"),
        (b"x-forwarded-proto", b"https://"),
        (b"x-forwarded-host", b"evil/path"),
        (b"x-forwarded-host", b"user@evil"),
        (b"x-forwarded-host", b"a b"),
        (b"x-forwarded-prefix", b"app"),
        (b"x-forwarded-prefix", b"//evil"),
        (b"x-forwarded-prefix", b"/a?b"),
        (b"x-forwarded-prefix", b"/%0d%0a"),
        (b"x-forwarded-prefix", b"/\xff"),
    ],
)
def test_f_44_value_outside_its_grammar_is_ignored(name, value) -> None:
    headers = [(b"host", b"internal"), (name, value)]
    scope = applied(headers, trusted_proxies=("10.0.0.1",))
    assert (scope["scheme"], scope["root_path"], scope["path"]) == ("http", "", "/x")
    assert scope["headers"] == headers


def test_forwarded_is_read_as_the_rfc_has_it() -> None:
    """RFC 7239, 4."""
    value = b'for=192.0.2.43;proto=HTTPS;host="a.example:80", For="[2001:db8::17]:47"'
    [first, second] = read_forwarded([(b"forwarded", value)])
    assert first == (b"192.0.2.43", b"HTTPS", b"a.example:80", b"")
    assert read_address(second.address)[1] == 47
    scope = applied(
        [(b"host", b"b"), (b"forwarded", value)],
        trusted_hops=2,
        proxy_headers="forwarded",
    )
    assert scope["client"] == ("192.0.2.43", 0)
    assert scope["scheme"] == "https"
    assert scope["headers"][0] == (b"host", b"a.example:80")


@pytest.mark.parametrize(
    "value",
    [b'for="1.1.1.1', b"for=1.1.1.1;for=2.2.2.2", b"for", b"for=", b"=x", b"for=a b",
     b"for=1.1.1.1, for=[::1]", b'for="a"b'],
)  # fmt: skip
def test_malformed_forwarded_is_not_believed_at_all(value) -> None:
    assert read_forwarded([(b"forwarded", value)]) == []


@given(st.binary(max_size=60))
def test_any_bytes_of_a_trusted_proxy_leave_a_proper_scope(value) -> None:
    names = [name for name, _ in HEADERS[1:]] + [b"forwarded"]
    for kind in ("x-forwarded", "forwarded"):
        scope = applied(
            [(name, value) for name in names],
            trusted_proxies=("10.0.0.1",),
            proxy_headers=kind,
        )
        assert scope["scheme"] in {"http", "https"}
        assert scope["path"].startswith("/")
        assert scope["root_path"] == "" or scope["root_path"].isprintable()


def test_f_38_long_fields_cost_linear_time() -> None:
    def seconds(size: int) -> float:
        value = b'for="' + b"\\," * size
        begin = time.process_time()
        read_forwarded([(b"forwarded", value)])
        applied([(b"x-forwarded-for", b"1," * size)], trusted_proxies=("10.0.0.1",))
        return time.process_time() - begin

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(80_000) for _ in range(3))
    assert large < 4 * 2.5 * small


async def test_scope_of_a_connection_through_a_proxy(start_worker) -> None:
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    request = (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n"
    )
    worker = await start_worker(app, lifespan="off", trusted_proxies=("127.0.0.1",))
    await worker.talk(request)
    worker = await start_worker(app, lifespan="off")
    await worker.talk(request)
    assert (scopes[0]["client"][0], scopes[0]["scheme"]) == ("203.0.113.7", "https")
    assert (scopes[1]["client"][0], scopes[1]["scheme"]) == ("127.0.0.1", "http")
