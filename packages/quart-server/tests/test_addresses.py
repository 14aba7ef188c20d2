import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.addresses import (
    DescriptorAddress,
    TCPAddress,
    UnixAddress,
    parse_address,
)
from quart_server.config import ConfigError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", TCPAddress("127.0.0.1", 80)),
        ("localhost", TCPAddress("localhost", 8000)),
        (":0", TCPAddress("", 0)),
        ("[::1]:65535", TCPAddress("::1", 65535)),
        ("[::]", TCPAddress("::", 8000)),
        ("unix:/run/app.sock", UnixAddress("/run/app.sock")),
        ("unix:///run/app.sock", UnixAddress("/run/app.sock")),
        ("unix:app.sock", UnixAddress("app.sock")),
        ("unix:@app", UnixAddress("@app")),
        ("fd://3", DescriptorAddress(3)),
    ],
)
def test_addresses_are_understood(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("a:b", "the port 'b' is no number"),
        ("a:", "the port '' is no number"),
        ("a:65536", "over 65535"),
        ("a:99999999999999", "over 65535"),
        ("a:٣", "is no number"),
        ("a:-1", "is no number"),
        ("::1:80", "needs brackets"),
        ("[::1", "the bracket is not closed"),
        ("[::1]80", "the bracket is not closed"),
        ("http://a:80", "a URL or path is no address"),
        ("/run/app.sock", "a URL or path is no address"),
        ("unix:", "the path is missing"),
        ("unix:@", "the path is missing"),
        ("fd://x", "the descriptor is no number"),
        ("fd://-1", "the descriptor is no number"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text, reason):
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert reason in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "expected host:port" in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_config_error(text):
    with contextlib.suppress(ConfigError):
        assert isinstance(
            parse_address(text), TCPAddress | UnixAddress | DescriptorAddress
        )
