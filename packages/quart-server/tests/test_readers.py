"""One table of request heads, and every reader gives the same verdict on each row."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.limits import HTTP1Limits
from quart_server.protocols.readers import (
    HttptoolsReader,
    ReferenceReader,
    StrictReader,
    make_reader,
)

_spec = importlib.util.spec_from_file_location(
    "quart_server_differential", Path(__file__).with_name("differential.py")
)
differential = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(differential)

LIMITS = HTTP1Limits()
READERS = [ReferenceReader, StrictReader]
if HttptoolsReader is not None:
    READERS.append(HttptoolsReader)


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request):
    return request.param(LIMITS)


def verdict(reader, block: bytes) -> int:
    try:
        reader.read_head(block)
    except ProtocolError as error:
        return error.status
    return 200


def head(*lines: bytes, host: bytes | None = b"a", first=b"GET / HTTP/1.1") -> bytes:
    hosts = [] if host is None else [b"Host: " + host]
    return b"\r\n".join([first, *hosts, *lines]) + b"\r\n\r\n"


# RFC 9112, 3: the request line
REQUEST_LINES = {
    b"GET / HTTP/1.1": 200,
    b"GET / HTTP/1.0": 200,
    b"GET / HTTP/1.2": 200,
    b"GET /a?b=c&d HTTP/1.1": 200,
    b"GET //x HTTP/1.1": 200,
    b"GET /{a|b}^ HTTP/1.1": 200,
    b"get / HTTP/1.1": 200,
    b"MKCOL / HTTP/1.1": 200,
    b"QUERY / HTTP/1.1": 200,
    b"X!#$%&'*+-.^_`|~9 / HTTP/1.1": 200,
    b"OPTIONS * HTTP/1.1": 200,
    b"GET http://a/ HTTP/1.1": 200,
    b"GET HTTPS://a HTTP/1.1": 200,
    b"GET http://a?q HTTP/1.1": 200,
    b"GET / HTTP/2.0": 505,
    b"GET / HTTP/3.0": 505,
    b"GET / HTTP/0.9": 505,
    b"GET / HTTP/11": 400,
    b"GET / HTTP/1.": 400,
    b"GET / HTTP/1.10": 400,
    b"GET / HTTP/1.1 ": 400,
    b"GET / http/1.1": 400,
    b"GET / HTTPS/1.1": 400,
    b"GET /": 400,
    b"GET": 400,
    b"GET  / HTTP/1.1": 400,
    b"GET /  HTTP/1.1": 400,
    b"GET\t/ HTTP/1.1": 400,
    b" GET / HTTP/1.1": 400,
    b"GET / x HTTP/1.1": 400,
    b"G(T / HTTP/1.1": 400,
    b"G\x80T / HTTP/1.1": 400,
    b"GET /\x80 HTTP/1.1": 400,
    b"GET /\x7f HTTP/1.1": 400,
    b"GET /\x00 HTTP/1.1": 400,
    b"GET /\x0b HTTP/1.1": 400,
    b"GET /\r HTTP/1.1": 400,
    b"GET /\n HTTP/1.1": 400,
    b"GET /#fragment HTTP/1.1": 400,
    b"PRI * HTTP/2.0": 505,
}


@pytest.mark.parametrize(("line", "status"), list(REQUEST_LINES.items()))
def test_request_line(reader, line: bytes, status: int) -> None:
    """RFC 9112, 3: the request line."""
    assert verdict(reader, head(first=line)) == status


# H1-16: request-target grammar, one form for each method
TARGETS = {
    (b"GET", b"*"): 400,
    (b"GET", b"a:80"): 400,
    (b"GET", b"@evil"): 400,
    (b"GET", b"x"): 400,
    (b"GET", b"http:x"): 400,
    (b"GET", b"http:///x"): 400,
    (b"GET", b"http://user@a/"): 400,
    (b"GET", b"http://a:port/"): 400,
    (b"GET", b"http://b/"): 400,
    (b"GET", b"ftp://a/"): 400,
    (b"GET", b"file:///etc"): 400,
    (b"GET", b"/\\x"): 200,
    (b"GET", b"\\x"): 400,
    (b"GET", b"?q"): 400,
    (b"OPTIONS", b"*"): 200,
    (b"OPTIONS", b"**"): 400,
    (b"OPTIONS", b"/"): 200,
    (b"CONNECT", b"a:80"): 501,
    (b"CONNECT", b"/"): 501,
}


@pytest.mark.parametrize(("case", "status"), list(TARGETS.items()))
def test_h1_16_target_has_the_form_its_method_allows(reader, case, status) -> None:
    method, target = case
    line = method + b" " + target + b" HTTP/1.1"
    assert verdict(reader, head(first=line)) == status


def test_h1_16_scheme_of_the_target_is_not_believed(reader) -> None:
    found = reader.read_head(head(first=b"GET https://a/p HTTP/1.1"))
    assert (found.path, found.raw_path) == ("/p", b"/p")
    assert not hasattr(found, "scheme")


def test_method_is_upper_case(reader) -> None:
    assert reader.read_head(head(first=b"get / HTTP/1.1")).method == "GET"


def test_path_is_decoded_and_the_raw_path_kept(reader) -> None:
    found = reader.read_head(head(first=b"GET /caf%C3%A9/%2F%zz?a=%20 HTTP/1.1"))
    assert found.path == "/café//%zz"
    assert found.raw_path == b"/caf%C3%A9/%2F%zz"
    assert found.query_string == b"a=%20"


def test_path_that_is_not_utf8_is_still_text(reader) -> None:
    assert reader.read_head(head(first=b"GET /%ff HTTP/1.1")).path == "/\ufffd"


def test_names_are_lower_case_and_values_trimmed(reader) -> None:
    found = reader.read_head(head(b"X-Name: \t value\t ", b"Empty:", b"A:b"))
    assert found.headers == [
        (b"host", b"a"),
        (b"x-name", b"value"),
        (b"empty", b""),
        (b"a", b"b"),
    ]


# H1-04: every spelling but one of Transfer-Encoding is refused
def codings() -> list[bytes]:
    words = [
        b"", b"xchunked", b"chunkedx", b"chunked,", b",chunked", b"chunked, chunked",
        b"chunked,chunked", b"chunked, identity", b"identity, chunked", b"identity",
        b"gzip", b"gzip, chunked", b"chunked, gzip", b"deflate", b"compress",
        b"chunked;q=1", b"chunked; a=b", b'"chunked"', b"'chunked'", b"chunked\x0b",
        b"\x0bchunked", b"chun ked", b"chun\tked", b"chunked\x00", b"chunke", b"hunked",
        b"chunked chunked", b"cow", b"tunked", b"x-chunked", b"chunked\xa0",
        b"\xe2\x80\x8bchunked", b"chunked\x85", b"CHUNKED,", b"Chunked, Identity",
    ]  # fmt: skip
    shapes = [
        b"Transfer-Encoding: %b",
        b"transfer-encoding:%b",
        b"TRANSFER-ENCODING:\t%b",
        b"Transfer-Encoding: %b ",
        b"Transfer-Encoding: %b\t",
        b"Transfer-encoding:   %b",
    ]
    return [shape % word for shape, word in itertools.product(shapes, words)]


@pytest.mark.parametrize("line", codings())
def test_h1_04_coding_other_than_chunked(reader, line: bytes) -> None:
    assert verdict(reader, head(line)) in {400, 501}


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b" Transfer-Encoding: chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer_Encoding\x00: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ],
)
def test_h1_04_disguised_coding(reader, line: bytes) -> None:
    assert verdict(reader, head(line)) in {400, 501}


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED", b" chunked\t"])
def test_h1_04_chunked_is_taken_in_any_case(reader, value: bytes) -> None:
    assert reader.read_head(head(b"Transfer-Encoding:" + value)).body_length == -1


def test_h1_04_coding_in_http_1_0_is_refused(reader) -> None:
    block = head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0")
    assert verdict(reader, block) == 400


# H1-02 and H1-05: Content-Length
@pytest.mark.parametrize(
    "value",
    [
        b"", b"+5", b"-1", b"1_0", b"0x5", b"5 5", b"5,5", b"5, 5", b"5;", b"five",
        b"\xd9\xa5", b"\xb2", b"5\x00", b"5\x0b", b"\x0c5", b"1e3", b"5.0", b'"5"',
        b"5,", b",5", b"5\t5",
    ],
)  # fmt: skip
def test_h1_05_length_that_is_no_number(reader, value: bytes) -> None:
    assert verdict(reader, head(b"Content-Length: " + value)) == 400


@pytest.mark.parametrize("values", [(b"5", b"5"), (b"5", b"6"), (b"0", b"0")])
def test_h1_05_second_length_is_refused_even_if_equal(reader, values) -> None:
    lines = [b"Content-Length: " + value for value in values]
    assert verdict(reader, head(*lines)) == 400
    assert verdict(reader, head(lines[0], b"content-LENGTH:" + values[1])) == 400


@pytest.mark.parametrize("digits", [21, 100, 1000, 5000, 8000, 100_000])
def test_h1_02_length_of_many_digits(reader, digits: int) -> None:
    assert verdict(reader, head(b"Content-Length: " + b"9" * digits)) == 400


def test_h1_02_length_of_20_digits_is_a_number(reader) -> None:
    found = reader.read_head(head(b"Content-Length: " + b"9" * 20))
    assert found.body_length == 10**20 - 1


# H1-06: Content-Length and Transfer-Encoding together
@pytest.mark.parametrize(
    ("length", "coding"),
    list(
        itertools.product(
            [b"Content-Length: 5", b"content-length:0", b"CONTENT-LENGTH: 5"],
            [b"Transfer-Encoding: chunked", b"transfer-encoding:CHUNKED"],
        )
    ),
)
def test_h1_06_length_and_coding_together(reader, length, coding) -> None:
    assert verdict(reader, head(length, coding)) == 400
    assert verdict(reader, head(coding, length)) == 400


# H1-09: Host
@pytest.mark.parametrize(
    "value",
    [
        b"a", b"A.example", b"a:80", b"a:", b"127.0.0.1:1", b"[::1]", b"[::1]:8000",
        b"xn--bcher-kva.example", b"a_b", b"a.", b"%41", b"a!b",
    ],
)  # fmt: skip
def test_h1_09_proper_host(reader, value: bytes) -> None:
    assert verdict(reader, head(host=value)) == 200


@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b"a b", b"a/b", b"a?b", b"a#b", b"user@a", b"a:b", b"a:80:80",
        b"a:-1", b"a:123456", b"[::1", b"::1", b"[::1]x", b"[g]", b"a\\b", b"a%", b"a%4",  # noqa: E501
        b"<a>", b'"a"', b"a,b:80,", b"\xe4", b"a\x80", b"a\tb", b"^",
    ],
)  # fmt: skip
def test_h1_09_improper_host(reader, value: bytes) -> None:
    assert verdict(reader, head(host=value)) == 400


@pytest.mark.parametrize("other", [b"a", b"b", b""])
def test_h1_09_second_host(reader, other: bytes) -> None:
    assert verdict(reader, head(b"Host: " + other)) == 400
    assert verdict(reader, head(b"X: y", b"hOST:" + other)) == 400


def test_h1_09_host_is_required_in_http_1_1_only(reader) -> None:
    assert verdict(reader, head(host=None)) == 400
    assert verdict(reader, head(host=None, first=b"GET / HTTP/1.0")) == 200


def test_h1_09_host_must_be_that_of_an_absolute_target(reader) -> None:
    assert (
        verdict(reader, head(first=b"GET http://A:80/ HTTP/1.1", host=b"a:80")) == 200
    )
    assert verdict(reader, head(first=b"GET http://b/ HTTP/1.1", host=b"a")) == 400
    assert verdict(reader, head(first=b"GET http://a:81/ HTTP/1.1", host=b"a")) == 400


def test_h1_09_absolute_target_gives_the_host_where_there_is_none(reader) -> None:
    found = reader.read_head(head(host=None, first=b"GET http://a/ HTTP/1.0"))
    assert found.headers == [(b"host", b"a")]


# H1-10 and H1-11: bytes in names and values
def test_h1_10_controls_in_values(reader) -> None:
    allowed = {0x09, *range(0x20, 0x7F), *range(0x80, 0x100)}
    for byte, place in itertools.product(range(256), range(3)):
        value = bytearray(b"abc")
        value[place] = byte
        status = verdict(reader, head(b"X-Name: " + bytes(value)))
        assert (status == 200) == (byte in allowed), (byte, place)


def test_h1_10_bytes_in_names(reader) -> None:
    token = set(
        b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    for byte, place in itertools.product(range(256), range(3)):
        name = bytearray(b"abc")
        name[place] = byte
        status = verdict(reader, head(bytes(name) + b": value"))
        # A colon within the name ends it; at its start it leaves none.
        accepted = byte in token or (byte == 0x3A and place > 0)
        assert (status == 200) == accepted, (byte, place)


@pytest.mark.parametrize(
    "line", [b": v", b"a", b"a : v", b"a\t: v", b" a: v", b"\ta: v", b"a: b\r\n c"]
)
def test_h1_10_separators_and_folding(reader, line: bytes) -> None:
    assert verdict(reader, head(line)) == 400
    assert verdict(reader, head(b"X: y", line)) == 400


@pytest.mark.parametrize(
    "char", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85", b"\xc2\x85"]
)
def test_h1_11_line_ends_of_unicode_split_nothing(reader, char: bytes) -> None:
    block = head(b"X-Name: a" + char + b"Evil: b")
    if char[0] < 0x80:
        assert verdict(reader, block) == 400
    else:
        assert reader.read_head(block).headers[1:] == [
            (b"x-name", b"a" + char + b"Evil: b")
        ]


# H1-03: line ends
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n", b"\n\r"])
def test_h1_03_line_end_other_than_crlf(reader, end: bytes) -> None:
    lines = [b"GET / HTTP/1.1", b"Host: a", b"A: b", b"C: d"]
    for place in range(3):
        block = b""
        for number, line in enumerate(lines):
            block += line + (end if number == place else b"\r\n")
        assert verdict(reader, block + b"\r\n") == 400, place


# RFC 9110, 10.1.1
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"Expect: 100-continue", b"Content-Length: 5"], 200),
        ([b"Expect: 100-Continue", b"Content-Length: 5"], 200),
        ([b"Expect: something"], 417),
        ([b"Expect: 100-continue, x"], 417),
    ],
)
def test_expectations(reader, lines, status) -> None:
    """RFC 9110, 10.1.1: expectations."""
    assert verdict(reader, head(*lines)) == status


def test_expectation_counts_with_a_body_only(reader) -> None:
    with_body = head(b"Expect: 100-continue", b"Content-Length: 5")
    assert reader.read_head(with_body).expects_continue
    assert not reader.read_head(head(b"Expect: 100-continue")).expects_continue
    http10 = head(
        b"Expect: 100-continue", b"Content-Length: 5", first=b"POST / HTTP/1.0"
    )
    assert not reader.read_head(http10).expects_continue


# RFC 9112, 9.3
@pytest.mark.parametrize(
    ("version", "lines", "keep_alive"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"Connection: close"], False),
        (b"1.1", [b"Connection: x, CLOSE"], False),
        (b"1.1", [b"Connection: keep-alive", b"Connection: close"], False),
        (b"1.0", [], False),
        (b"1.0", [b"Connection: Keep-Alive"], True),
        (b"1.0", [b"Connection: keep-alive, close"], False),
    ],
)
def test_keep_alive(reader, version, lines, keep_alive) -> None:
    """RFC 9112, 9.3: persistence."""
    block = head(*lines, first=b"GET / HTTP/" + version)
    assert reader.read_head(block).keep_alive is keep_alive


def test_upgrade_counts_when_connection_names_it(reader) -> None:
    """RFC 9110, 7.8: upgrade."""
    both = head(b"Connection: keep-alive, Upgrade", b"Upgrade: WebSocket")
    assert reader.read_head(both).upgrade == b"websocket"
    assert reader.read_head(head(b"Upgrade: websocket")).upgrade == b""
    old = head(b"Connection: upgrade", b"Upgrade: websocket", first=b"GET / HTTP/1.0")
    assert reader.read_head(old).upgrade == b""


def test_trailers_are_taken_by_clients_that_say_so(reader) -> None:
    """RFC 9110, 10.1.4: TE."""
    assert reader.read_head(head(b"TE: deflate, trailers")).accepts_trailers
    assert not reader.read_head(head(b"TE: deflate")).accepts_trailers


# H1-18: no byte anywhere leads to another exception
def test_h1_18_no_byte_escapes_as_another_exception(reader) -> None:
    template = head(b"Sec-WebSocket-Protocol: chat", b"Content-Length: 1", b"Cookie: a")
    for place in range(len(template) - 4):
        for byte in (0x00, 0x0A, 0x0D, 0x20, 0x3A, 0x80, 0x85, 0xC3, 0xFF):
            changed = bytearray(template)
            changed[place] = byte
            block = differential.as_block(bytes(changed))
            assert verdict(reader, block) in {200, 400, 431, 501, 505}


def test_readers_disagree_on_none_of_many_mutated_heads() -> None:
    assert differential.run_heads(8_000, seed=20_240) > 500


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            differential.HEADS + differential.HEAD_PIECES + [b"GET / HTTP/1.1\r\n"]
        )
        | st.binary(max_size=6),
        max_size=8,
    )
)
def test_readers_agree_on_heads_put_together_at_random(pieces) -> None:
    block = differential.as_block(b"GET / HTTP/1.1\r\n" + b"".join(pieces))
    reference = ReferenceReader(LIMITS)
    taken = differential.compare_head(block, differential.fast_readers(), reference)
    assert taken == 0 or verdict(reference, block) == 200


def test_field_memory_is_bounded() -> None:
    reader = StrictReader(LIMITS)
    for number in range(3000):
        reader.read_head(head(b"User-Agent: %d" % number, host=b"h%d" % number))
    assert len(reader._plain) <= 1024
    assert len(reader._hosts) <= 1024


def test_head_memory_is_bounded() -> None:
    reader = StrictReader(LIMITS)
    for number in range(600):
        for _ in range(3):
            reader.read_head(head(first=b"GET /%d HTTP/1.1" % number))
    assert 0 < len(reader._heads) <= 256


@pytest.mark.parametrize("block", [*differential.HEADS, head(b"Accept: */*")])
def test_remembered_heads_read_as_at_the_first_time(block: bytes) -> None:
    reader, reference = StrictReader(LIMITS), ReferenceReader(LIMITS)
    if verdict(reference, block) != 200:
        assert {verdict(reader, block) for _ in range(4)} == {verdict(reference, block)}
        return
    expected = reference.read_head(block)
    for _ in range(4):
        found = reader.read_head(block)
        for name in found.__slots__:
            assert getattr(found, name) == getattr(expected, name)
        found.headers.clear()  # an app's own affair


def test_secrets_are_not_remembered() -> None:
    reader = StrictReader(LIMITS)
    for _ in range(3):
        reader.read_head(head(b"Cookie: session=secret"))
        reader.read_head(head(b"Authorization: Basic secret"))
        reader.read_head(head(first=b"GET /?token=secret HTTP/1.1"))
    for memory in (reader._plain, reader._heads, reader._lines):
        assert not any(b"secret" in line for line in memory)


def test_auto_and_h11_have_h11_for_all_that_is_not_plain() -> None:
    for choice in ("auto", "h11"):
        assert isinstance(make_reader(choice, LIMITS).reference, ReferenceReader)


@pytest.mark.skipif(HttptoolsReader is None, reason="needs quart-server[fast]")
def test_httptools_is_taken_when_asked_for() -> None:
    assert make_reader("httptools", LIMITS).name == "httptools"
