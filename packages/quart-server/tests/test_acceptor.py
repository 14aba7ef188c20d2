"""Connections over the limit wait in the backlog (F-04)."""

from __future__ import annotations

import asyncio
import errno
import logging

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def test_f_04_clients_over_the_limit_wait_their_turn(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off", max_connections=2)
    clients = [await worker.connect() for _ in range(4)]
    for client in clients:
        await client.send(GET)
    for client in clients[:2]:
        assert (await client.response())[0] == 200
    assert len(worker.context.connections) == 2
    late = asyncio.ensure_future(clients[2].response())
    done, _ = await asyncio.wait({late}, timeout=0.1)
    assert not done
    await clients[0].close()
    assert (await late)[0] == 200
    await clients[1].close()
    assert (await clients[3].response())[0] == 200


def fail_first_accept(monkeypatch, error: OSError) -> list[int]:
    """Let listening sockets fail once; return a list that grows with each call."""
    calls: list[int] = []

    class Failing:
        def __init__(self, sock):
            self.sock = sock

        def __getattr__(self, name):
            return getattr(self.sock, name)

        def accept(self):
            calls.append(1)
            if len(calls) == 1:
                raise error
            return self.sock.accept()

    from quart_server.transport import acceptor

    original = acceptor.Acceptor.__init__

    def patched(self, context, sock, *args, **settings):
        original(self, context, Failing(sock), *args, **settings)

    monkeypatch.setattr(acceptor.Acceptor, "__init__", patched)
    return calls


async def test_f_04_exhausted_system_is_left_alone_for_a_while(
    start_worker, caplog, monkeypatch
) -> None:
    monkeypatch.setattr("quart_server.transport.acceptor._EXHAUSTED_SECONDS", 0.05)
    error = OSError(errno.EMFILE, "Too many open files")
    calls = fail_first_accept(monkeypatch, error)
    worker = await start_worker(answer, lifespan="off", max_connections=2)
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 200
    errors = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert len(calls) <= 3


async def test_h1_19_connection_that_failed_in_the_backlog_is_passed_over(
    start_worker, caplog, monkeypatch
) -> None:
    # Linux reports what happened to the connection by accept(), see accept(2).
    error = OSError(errno.EPROTO, "Protocol error")
    calls = fail_first_accept(monkeypatch, error)
    worker = await start_worker(answer, lifespan="off", max_connections=2)
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 200
    assert len(calls) > 1
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
