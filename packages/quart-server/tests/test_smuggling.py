"""Framing and smuggling end to end: bytes of one request never begin another.

Each case is followed by a request for `/smuggled` in the same bytes. What is refused
ends its connection, so that this request is never seen; what is served is followed by
exactly one of it. Nothing depends on the reader or on how the bytes were cut.
"""

from __future__ import annotations

import asyncio
import socket

import pytest

READERS = ["h11", "httptools", "auto"]
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bool = True) -> bytes:
    fields = (b"Host: a", *lines) if host else lines
    return b"\r\n".join([start, *fields]) + b"\r\n\r\n"


def post(*lines: bytes, body: bytes = b"", start: bytes = b"POST / HTTP/1.1") -> bytes:
    return get(*lines, start=start) + body


def chunked(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"

REFUSED: dict[str, tuple[bytes, int]] = {
    "h1_01_bytes_behind_a_chunk": (chunked(b"3\r\nabcXX" + END), 400),
    "h1_01_one_byte_too_many": (chunked(b"3\r\nabcd\r\n" + END), 400),
    "h1_01_size_with_a_sign": (chunked(b"+3\r\nabc\r\n" + END), 400),
    "h1_01_negative_size": (chunked(b"-3\r\nabc\r\n" + END), 400),
    "h1_01_size_with_0x": (chunked(b"0x3\r\nabc\r\n" + END), 400),
    "h1_01_size_with_underscore": (chunked(b"1_0\r\nabc\r\n" + END), 400),
    "h1_01_size_of_17_digits": (chunked(b"1" + b"0" * 16 + b"\r\nabc"), 400),
    "h1_01_space_before_size": (chunked(b" 3\r\nabc\r\n" + END), 400),
    "h1_01_space_behind_size": (chunked(b"3 \r\nabc\r\n" + END), 400),
    "h1_01_empty_size": (chunked(b"\r\nabc\r\n" + END), 400),
    "h1_02_length_of_many_digits": (post(b"Content-Length: " + b"1" * 5000), 400),
    "h1_03_bare_lf_behind_request_line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "h1_03_bare_lf_behind_field": (b"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", 400),
    "h1_03_bare_lf_at_the_end": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    "h1_03_bare_cr_in_a_field": (get(b"A: b\rC: d"), 400),
    "h1_03_bare_lf_in_chunk_size": (chunked(b"3\nabc\r\n" + END), 400),
    "h1_03_bare_lf_behind_chunk": (chunked(b"3\r\nabc\n" + END), 400),
    "h1_03_bare_lf_behind_last_chunk": (chunked(b"3\r\nabc\r\n0\n\n"), 400),
    "h1_03_bare_cr_behind_size": (chunked(b"3\rabc\r\n" + END), 400),
    "h1_04_unknown_coding": (post(b"Transfer-Encoding: gzip"), 501),
    "h1_04_chunked_twice": (post(CHUNKED, CHUNKED, body=END), 501),
    "h1_04_list": (post(b"Transfer-Encoding: chunked, identity", body=END), 501),
    "h1_04_list_chunked_last": (post(b"Transfer-Encoding: gzip, chunked"), 501),
    "h1_04_xchunked": (post(b"Transfer-Encoding: xchunked", body=END), 501),
    "h1_04_vertical_tab": (post(b"Transfer-Encoding: \x0bchunked", body=END), 400),
    "h1_04_quoted": (post(b'Transfer-Encoding: "chunked"', body=END), 501),
    "h1_04_parameter": (post(b"Transfer-Encoding: chunked;q=1", body=END), 501),
    "h1_04_space_before_colon": (post(b"Transfer-Encoding : chunked", body=END), 400),
    "h1_04_tab_before_colon": (post(b"Transfer-Encoding\t: chunked", body=END), 400),
    "h1_04_folded": (post(b"Transfer-Encoding:\r\n chunked", body=END), 400),
    "h1_04_folded_name": (post(b"A: b\r\n Transfer-Encoding: chunked"), 400),
    "h1_04_empty": (post(b"Transfer-Encoding:", LENGTH, body=b"12345"), 501),
    "h1_04_in_http_1_0": (post(CHUNKED, start=b"POST / HTTP/1.0", body=END), 400),
    "h1_05_two_lengths": (post(LENGTH, b"Content-Length: 6", body=b"12345"), 400),
    "h1_05_two_equal_lengths": (post(LENGTH, LENGTH, body=b"12345"), 400),
    "h1_05_list_of_lengths": (post(b"Content-Length: 5, 5", body=b"12345"), 400),
    "h1_05_plus": (post(b"Content-Length: +5", body=b"12345"), 400),
    "h1_05_minus": (post(b"Content-Length: -5", body=b"12345"), 400),
    "h1_05_underscore": (post(b"Content-Length: 0_5", body=b"12345"), 400),
    "h1_05_hex": (post(b"Content-Length: 0x5", body=b"12345"), 400),
    "h1_05_decimal": (post(b"Content-Length: 5.0", body=b"12345"), 400),
    "h1_05_empty": (post(b"Content-Length:", body=b"12345"), 400),
    "h1_05_arabic_digits": (
        post("Content-Length: \u0665".encode(), body=b"12345"),
        400,
    ),
    "h1_05_latin_superscript": (post(b"Content-Length: \xb2", body=b"12"), 400),
    "h1_05_space_inside": (post(b"Content-Length: 1 5", body=b"12345"), 400),
    "h1_05_space_before_colon": (post(b"Content-Length : 5", body=b"12345"), 400),
    "h1_06_length_then_coding": (post(LENGTH, CHUNKED, body=END), 400),
    "h1_06_coding_then_length": (post(CHUNKED, LENGTH, body=END), 400),
    "h1_06_length_zero": (post(b"Content-Length: 0", CHUNKED, body=END), 400),
    "h1_07_lf_in_extension": (chunked(b"3;a=\nb\r\nabc\r\n" + END), 400),
    "h1_07_cr_in_extension": (chunked(b"3;a=\rb\r\nabc\r\n" + END), 400),
    "h1_07_lf_in_quotes": (chunked(b'3;a="\n"\r\nabc\r\n' + END), 400),
    "h1_07_long_extension": (chunked(b"3;a=%b\r\nabc\r\n" % (b"x" * 2000)), 400),
    "h1_08_length_as_trailer": (chunked(b"0\r\nContent-Length: 5\r\n\r\n"), 400),
    "h1_08_host_as_trailer": (chunked(b"0\r\nHost: b\r\n\r\n"), 400),
    "h1_08_request_as_trailer": (chunked(b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n"), 400),
    "h1_08_bare_lf_in_trailer": (chunked(b"0\r\nA: b\nC: d\r\n\r\n"), 400),
    "h1_08_folded_trailer": (chunked(b"0\r\nA: b\r\n c\r\n\r\n"), 400),
    "h1_08_many_trailers": (chunked(b"0\r\n" + b"A: b\r\n" * 200), 431),
    "h1_09_two_hosts": (get(b"Host: b"), 400),
    "h1_09_no_host": (get(host=False), 400),
    "h1_09_other_host_than_target": (get(start=b"GET http://b/ HTTP/1.1"), 400),
    "h1_09_userinfo_in_host": (get(b"Host: b@c", host=False), 400),
    "h1_09_path_in_host": (get(b"Host: a/b", host=False), 400),
    "h1_09_two_hosts_in_one": (get(b"Host: a, b", host=False), 400),
    "h1_10_nul_in_value": (get(b"A: b\x00c"), 400),
    "h1_10_nul_in_name": (get(b"A\x00: b"), 400),
    "h1_10_del_in_value": (get(b"A: b\x7fc"), 400),
    "h1_10_no_colon": (get(b"AB"), 400),
    "h1_10_empty_name": (get(b": b"), 400),
    "h1_10_space_in_name": (get(b"A B: c"), 400),
    "h1_10_latin_name": (get(b"\xe9: c"), 400),
    "h1_10_first_field_indented": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "h1_11_form_feed": (get(b"A: b\x0cC: d"), 400),
    "h1_11_record_separator": (get(b"A: b\x1eC: d"), 400),
    "h1_16_connect": (get(start=b"CONNECT a:80 HTTP/1.1"), 501),
    "h1_16_asterisk": (get(start=b"GET * HTTP/1.1"), 400),
    "h1_16_fragment": (get(start=b"GET /#a HTTP/1.1"), 400),
    "h1_16_no_slash": (get(start=b"GET a HTTP/1.1"), 400),
    "h1_16_two_spaces": (get(start=b"GET  / HTTP/1.1"), 400),
    "h1_16_space_in_target": (get(start=b"GET /a b HTTP/1.1"), 400),
    "h1_16_tab": (get(start=b"GET\t/\tHTTP/1.1"), 400),
    "h1_16_latin_target": (get(start=b"GET /\xe9 HTTP/1.1"), 400),
    "h1_16_space_behind_version": (get(start=b"GET / HTTP/1.1 "), 400),
    "h1_16_lower_case_http": (get(start=b"GET / http/1.1"), 400),
    "h1_16_http_0_9": (b"GET /\r\n\r\n", 400),
    "h1_16_http_2": (get(start=b"GET / HTTP/2.0"), 505),
    "h1_16_http_1_10": (get(start=b"GET / HTTP/1.10"), 400),
    "h1_16_method_with_colon": (get(start=b"G:T / HTTP/1.1"), 400),
    "tls_to_a_plain_port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
    "f_12_long_line": (get(start=b"GET /%b HTTP/1.1" % (b"x" * 9000)), 414),
    "f_12_long_field": (get(b"A: " + b"x" * 9000), 431),
    "f_12_many_fields": (get(*[b"A: b"] * 120), 431),
    "expect_something": (post(b"Expect: 200-ok", LENGTH, body=b"12345"), 417),
}

SERVED = {
    "length": post(LENGTH, body=b"12345"),
    "length_with_zeros": post(b"Content-Length: 005", body=b"12345"),
    "no_length": post(),
    "length_of_a_get": get(LENGTH) + b"12345",
    "body_like_a_request": post(b"Content-Length: 35", body=SMUGGLED),
    "chunks": chunked(b"3\r\nabc\r\n2\r\nde\r\n" + END),
    "chunk_size_with_zeros": chunked(b"0003\r\nabc\r\n00\r\n\r\n"),
    "chunk_like_a_request": chunked(b"23\r\n%b\r\n" % SMUGGLED + END),
    "chunk_extensions": chunked(b'3;a;b=c;d="\\"\xe9;"\r\nabc\r\n0;x\r\n\r\n'),
    "trailers": chunked(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"),
    "chunked_in_capitals": post(b"Transfer-Encoding: CHUNKED", body=END),
    "head": get(start=b"HEAD / HTTP/1.1"),
    "absolute": get(start=b"GET http://a/?q HTTP/1.1"),
    "asterisk": get(start=b"OPTIONS * HTTP/1.1"),
    "latin_value": get(b"A: \xe9\x80\xff"),
    "empty_line_before": b"\r\n" + get(),
    "expecting": post(b"Expect: 100-continue", b"Content-Length: 5", body=b"12345"),
    "upgrade_to_h2c": get(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
        b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    ),
}  # fmt: skip


class App:
    """Reads the body, or not, and remembers what it was asked for."""

    def __init__(self, *, reads: bool = True) -> None:
        self.reads = reads
        self.seen: list[str] = []
        self.bodies: list[bytes | None] = []

    async def __call__(self, scope, receive, send):
        self.seen.append(scope["path"])
        self.bodies.append(await self.read(receive) if self.reads else None)
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def read(self, receive) -> bytes | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message["body"]
            if not message["more_body"]:
                return body


def statuses(answers: bytes) -> list[int]:
    """Return the final statuses; no body here looks like a status line."""
    lines = [line for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    found = [int(line[9:12]) for line in lines]
    return [status for status in found if status >= 200]


@pytest.fixture(params=READERS)
def http(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("reads", [True, False], ids=["read", "unread"])
async def test_f_39_refused_request_ends_its_connection(
    start_worker, http, reads, caplog
) -> None:
    app = App(reads=reads)
    worker = await start_worker(app, lifespan="off", http=http)
    for name, (data, status) in REFUSED.items():
        app.seen.clear()
        app.bodies.clear()
        answers = await worker.talk(data + SMUGGLED)
        assert "/smuggled" not in app.seen, name
        assert statuses(answers) == [status], name
        # Of a broken body the app has seen no end.
        assert app.bodies in ([], [None]), name
        assert b"smuggled" not in answers, name
    assert not caplog.records


@pytest.mark.parametrize("reads", [True, False], ids=["read", "unread"])
async def test_f_39_served_request_is_followed_by_the_next_one(
    start_worker, http, reads
) -> None:
    app = App(reads=reads)
    worker = await start_worker(app, lifespan="off", http=http)
    for name, data in SERVED.items():
        app.seen.clear()
        last = SMUGGLED.replace(b"Host", b"Connection: close\r\nHost")
        answers = await worker.talk(data + last)
        assert app.seen[1:] == ["/smuggled"], name
        assert statuses(answers) == [200, 200], name


async def trickle(worker, data: bytes, cuts: list[int]) -> bytes:
    """Send bytes in pieces that the server reads one by one."""
    client = await worker.connect()
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        client.writer.write(data[start:stop])
        for _ in range(3):  # to the server, which runs in this loop, and back
            await asyncio.sleep(0)
    try:
        return await client.rest()
    except ConnectionResetError:
        return b"reset"


async def test_h1_12_byte_by_byte_the_verdict_is_the_same(start_worker, http) -> None:
    app = App()
    worker = await start_worker(app, lifespan="off", http=http)
    for name, (data, status) in REFUSED.items():
        if len(data) > 1000:
            continue
        app.seen.clear()
        app.bodies.clear()
        data += SMUGGLED
        answers = await trickle(worker, data, list(range(1, len(data))))
        assert "/smuggled" not in app.seen, name
        assert statuses(answers) == [status], name
        assert app.bodies in ([], [None]), name
    last = SMUGGLED.replace(b"Host", b"Connection: close\r\nHost")
    for name, data in SERVED.items():
        app.seen.clear()
        data += last
        answers = await trickle(worker, data, list(range(1, len(data))))
        assert app.seen[1:] == ["/smuggled"], name
        assert statuses(answers) == [200, 200], name


@pytest.mark.parametrize(
    "case",
    ["h1_01_bytes_behind_a_chunk", "h1_06_coding_then_length", "h1_08_host_as_trailer"],
)
async def test_h1_12_cut_once_at_any_byte_the_verdict_is_the_same(
    start_worker, http, case
) -> None:
    app = App()
    worker = await start_worker(app, lifespan="off", http=http)
    data, status = REFUSED[case]
    data += SMUGGLED
    for cut in range(1, len(data)):
        app.seen.clear()
        answers = await trickle(worker, data, [cut])
        assert "/smuggled" not in app.seen, cut
        assert statuses(answers) == [status], cut


@pytest.mark.parametrize("case", ["length", "chunks", "trailers"])
async def test_h1_17_end_of_input_at_any_byte_is_never_a_whole_body(
    start_worker, http, case
) -> None:
    app = App()
    worker = await start_worker(app, lifespan="off", http=http)
    data = SERVED[case]
    head = data.index(b"\r\n\r\n") + 4
    for stop in range(len(data)):
        app.seen.clear()
        app.bodies.clear()
        client = await worker.connect()
        await client.send(data[:stop])
        client.end()
        answers = await client.rest()
        assert 200 not in statuses(answers), stop
        assert app.seen == ([] if stop < head else ["/"]), stop
        assert app.bodies in ([], [None]), stop
    await worker.settled(lambda: not worker.context.exchanges)
