"""The PROXY protocol, versions 1 and 2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server import ConfigError
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.proxy_protocol import read_proxy_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n"
V2 = (
    SIGNATURE + b"\x21\x11\x00\x0c" + bytes([203, 0, 113, 7, 10, 0, 0, 1])
    + (56324).to_bytes(2, "big") + (443).to_bytes(2, "big")
)  # fmt: skip
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("header", [V1, V2])
def test_addresses_are_read_once_the_header_is_complete(header) -> None:
    for place in range(len(header)):
        assert read_proxy_header(header[:place]) is None
    found = read_proxy_header(header + GET)
    assert found.size == len(header)
    assert found.source == ("203.0.113.7", 56324)
    assert found.destination == ("10.0.0.1", 443)


def test_ipv6_in_both_versions() -> None:
    found = read_proxy_header(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n")
    assert (found.source, found.destination) == (("2001:db8::1", 1), ("::1", 65535))
    address = bytes.fromhex("20010db8000000000000000000000001")
    payload = address + address + b"\x00\x01\x00\x02" + b"TLV"
    found = read_proxy_header(
        SIGNATURE + b"\x21\x21" + len(payload).to_bytes(2, "big") + payload
    )
    assert (found.source, found.size) == (("2001:db8::1", 1), 16 + len(payload))


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff:f::f ffff::f 65535 65535\r\n",
        SIGNATURE + b"\x20\x00\x00\x00",
        SIGNATURE + b"\x21\x00\x00\x00",
        SIGNATURE + b"\x21\x31\x00\x01x",
    ],
)
def test_header_without_addresses(header) -> None:
    assert read_proxy_header(header + GET) == (len(header), None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
        b"PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
        b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 \xb9.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 " + b"1" * 200,
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + b"\x21\x11\xff\xff",
        b"\r\n\r\nGET",
    ],
)
def test_malformed_header(data) -> None:
    with pytest.raises(ProtocolError):
        read_proxy_header(data)


@given(st.sampled_from([b"", V1[:6], V1[:11], SIGNATURE, V2[:14]]), st.binary())
def test_any_bytes_are_a_header_incomplete_or_refused(start, rest) -> None:
    try:
        found = read_proxy_header(start + rest)
    except ProtocolError:
        return
    assert found is None or found.size <= len(start + rest)


def recording(scopes):
    async def app(scope, receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    return app


@pytest.mark.parametrize("header", [V1, V2])
async def test_trusted_proxy_says_who_connected(start_worker, header) -> None:
    scopes = []
    worker = await start_worker(
        recording(scopes),
        lifespan="off",
        proxy_protocol=True,
        trusted_proxies=("127.0.0.1",),
    )
    for cut in (5, len(header), len(header) + 5):
        client = await worker.connect()
        await client.send((header + GET)[:cut])
        await client.send((header + GET)[cut:])
        assert (await client.rest()).startswith(b"HTTP/1.1 200 ")
        assert scopes[-1]["client"] == ("203.0.113.7", 56324)
        assert scopes[-1]["server"] == ("10.0.0.1", 443)


async def test_trusted_proxy_without_header_is_cut(start_worker) -> None:
    worker = await start_worker(
        recording([]),
        lifespan="off",
        proxy_protocol=True,
        trusted_proxies=("127.0.0.1",),
    )
    try:
        data = await worker.talk(GET)
    except ConnectionError:
        data = b""
    assert data == b""


async def test_f_45_header_of_others_is_not_believed(start_worker) -> None:
    scopes = []
    worker = await start_worker(
        recording(scopes),
        lifespan="off",
        proxy_protocol=True,
        trusted_proxies=("192.0.2.1",),
    )
    assert (await worker.talk(V1 + GET)).startswith(b"HTTP/1.1 400 ")
    assert (await worker.talk(GET)).startswith(b"HTTP/1.1 200 ")
    assert scopes[0]["client"][0] == "127.0.0.1"


async def test_header_on_tls_addresses_is_refused_at_start(
    start_worker, tmp_path
) -> None:
    trustme = pytest.importorskip("trustme")
    pem = str(tmp_path / "server.pem")
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(pem)
    with pytest.raises(ConfigError, match="cleartext"):
        await start_worker(
            recording([]),
            lifespan="off",
            proxy_protocol=True,
            trusted_hops=1,
            certfile=pem,
            keyfile=pem,
        )
