"""What operators do to a running server, and what its clients notice of it."""

import asyncio
import os
import signal
import ssl
import sys
import time

import pytest
import trustme

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc, sends POSIX signals"
)


# Stop


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_f_17_sigterm_loses_none_of_8_two_second_requests(start, client, loop):
    server = start("--workers", "2", "--loop", loop)
    clients = [client(server.port) for _ in range(8)]
    asked = [asyncio.create_task(item.get("/sleep/2")) for item in clients]
    # Those were all accepted before the signal when a later one has been answered.
    for _ in range(4):
        await client(server.port).get()
    await asyncio.sleep(0.3)
    server.send(signal.SIGTERM)
    begun = time.monotonic()
    async with asyncio.timeout(10):
        await asyncio.gather(*asked)
        ended = time.monotonic()
        code = await server.ended()
    assert code == 0
    assert ended - begun < 2.5
    # Half a second where nothing else runs; how busy the machine is, is not tested.
    assert time.monotonic() - ended < 5.0
    assert len((server.folder / "shutdowns").read_text().split()) == 2


async def test_f_17_new_connections_are_refused_at_once_while_draining(start, client):
    server = start("--workers", "2")
    slow = client(server.port)
    asked = asyncio.create_task(slow.get("/sleep/1"))
    await client(server.port).get()
    await asyncio.sleep(0.2)
    server.send(signal.SIGTERM)
    await server.said("stopping")
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except ConnectionRefusedError:
                break
            writer.close()
            await asyncio.sleep(0.02)
    assert not asked.done()
    await asked
    assert await server.ended() == 0


async def test_a_single_process_stops_as_well(start, client):
    server = start()
    assert server.workers() == []
    slow = client(server.port)
    asked = asyncio.create_task(slow.get("/sleep/1"))
    await client(server.port).get()
    await asyncio.sleep(0.2)
    server.send(signal.SIGTERM)
    await asked
    assert await server.ended() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
async def test_f_20_a_second_signal_ends_at_once(start, client, workers, number, code):
    server = start("--workers", workers)
    asked = asyncio.create_task(client(server.port).get("/sleep/30"))
    await client(server.port).get()
    await asyncio.sleep(0.2)
    server.send(number)
    await server.said("stopping")
    server.send(number)
    begun = time.monotonic()
    assert await server.ended() == code
    assert time.monotonic() - begun < 1.5
    assert "Traceback" not in server.log
    with pytest.raises((OSError, EOFError)):
        await asked


async def test_f_20_a_blocked_single_process_ends_at_the_second_signal(start, client):
    server = start()
    asked = asyncio.create_task(client(server.port).get("/block/20"))
    await asyncio.sleep(0.5)
    server.send(signal.SIGINT)
    await asyncio.sleep(0.2)
    server.send(signal.SIGINT)
    assert await server.ended(3) == 130
    with pytest.raises((OSError, EOFError)):
        await asked


# Reload


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_f_18_ten_reloads_under_keep_alive_load_lose_nothing(start, load, loop):
    server = start("--workers", "2", "--loop", loop)
    async with load(server.port, clients=8, pause=0.004) as clients:
        for number in range(10):
            server.send(signal.SIGHUP)
            ready = 2 * (number + 2)
            await clients.until(
                lambda ready=ready: server.log.count("is ready") >= ready, "reload"
            )
    assert clients.lost == []
    assert clients.done > 500
    assert len({answer.split()[0] for answer in clients.answers}) >= 10


async def test_f_18_a_reload_under_new_connections_refuses_none(start, client):
    server = start("--workers", "2")
    lost, done = [], 0

    async def ask_anew():
        nonlocal done
        item = client(server.port)
        while server.log.count("is ready") < 6:
            try:
                await item.get()
                done += 1
            except (OSError, EOFError, AssertionError) as error:
                lost.append(repr(error))
            await item.close()

    async with asyncio.timeout(30):
        tasks = [asyncio.create_task(ask_anew()) for _ in range(4)]
        server.send(signal.SIGHUP)
        await server.said("is ready", 4)
        server.send(signal.SIGHUP)
        await asyncio.gather(*tasks)
    assert lost == []
    assert done > 50


async def test_a_reload_brings_new_code(start, client):
    server = start("--workers", "1", "--supervisor", "on")
    assert (await client(server.port).get()).split()[1] == "1"
    (server.folder / "generation").write_text("2")
    server.send(signal.SIGHUP)
    await server.said("is ready", 2)
    assert (await client(server.port).get()).split()[1] == "2"


async def test_a_reload_of_broken_code_keeps_the_old_worker(start, client):
    server = start("--workers", "1", "--supervisor", "on")
    (server.folder / "app_module.py").write_text("import no_such_module_here")
    server.send(signal.SIGHUP)
    await server.said("no_such_module_here")
    await server.said("goes on serving")
    assert (await client(server.port).get()).split()[1] == "1"
    server.send(signal.SIGTERM)
    assert await server.ended() == 0


# Death


async def test_f_21_a_killed_worker_is_replaced_and_the_port_never_refuses(
    start, client, load
):
    server = start("--workers", "2")
    victim, survivor = server.workers()
    async with load(server.port, clients=8) as clients:
        await clients.until(lambda: clients.done > 100, "load")
        server.send(signal.SIGKILL, victim)
        killed = time.monotonic()
        await clients.until(lambda: server.log.count("is ready") == 3, "successor")
        assert time.monotonic() - killed < 4
        seen = clients.done
        await clients.until(lambda: clients.done > seen + 100, "more load")
    # Each client had at most one request in the worker that died; none was refused.
    assert len(clients.lost) <= 8
    assert not any("Refused" in reason for reason in clients.lost)
    assert survivor in server.workers()
    assert victim not in server.workers()


async def test_f_22_workers_outlive_a_killed_supervisor_only_to_drain(start, client):
    server = start("--workers", "2")
    workers = server.workers()
    slow = client(server.port)
    asked = asyncio.create_task(slow.get("/sleep/2"))
    await client(server.port).get()
    await asyncio.sleep(0.3)
    server.send(signal.SIGKILL)
    await server.ended()
    killed = time.monotonic()
    await asked
    assert time.monotonic() - killed < 3
    server.until(lambda: not any(map(is_alive, workers)), "end of the orphans")
    assert time.monotonic() - killed < 4


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_f_23_a_crash_loop_ends_with_code_3_and_the_import_error(start):
    server = start("--workers", "2", app="import no_such_dependency", wait=False)
    assert server.wait(30) == 3
    (last,) = (line for line in server.lines if "giving up" in line)
    assert "after 5 attempts" in last
    assert "No module named 'no_such_dependency'" in last


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("app = 1", "expected an ASGI app"),
        ("x = 1", "app_module has no 'app'"),
        ("raise SystemExit('no settings')", "SystemExit: no settings"),
    ],
)
def test_what_keeps_a_worker_from_starting_is_named(start, app, message):
    server = start("--workers", "2", "--restart-limit", "1", app=app, wait=False)
    assert server.wait(30) == 3
    (line,) = (line for line in server.lines if "giving up after 1 attempt" in line)
    assert message in line


def test_a_single_process_names_what_keeps_it_from_starting(start):
    server = start(app="x = 1", wait=False)
    assert server.wait(30) == 3
    assert server.log == (
        "quart-server: app_module has no 'app', asked for as 'app_module:app'\n"
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_while_the_app_is_imported_ends_the_server(start, workers):
    app = """
import time
open("importing", "w").close()
time.sleep(3)
app = print
"""
    server = start("--workers", workers, "--pid-path", "pid", app=app, wait=False)
    server.until((server.folder / "importing").exists, "import")
    server.send(signal.SIGTERM)
    assert server.wait() == (143 if workers == "1" else 0)
    assert not (server.folder / "pid").exists()
    assert "Traceback" not in server.log


async def test_a_thread_that_never_returns_does_not_hold_up_the_end(start, client):
    app = """
import asyncio, time

async def app(scope, receive, send):
    if scope["type"] == "http":
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-length", b"0")]})
        await send({"type": "http.response.body"})
"""
    for workers in ("1", "2"):
        server = start("--workers", workers, app=app)
        await client(server.port).get()
        server.send(signal.SIGTERM)
        assert await server.ended(6) == 0


def test_f_23_a_failing_start_up_is_named(start):
    app = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""
    server = start("--workers", "2", "--restart-limit", "2", app=app, wait=False)
    assert server.wait(30) == 3
    assert "no database; giving up after 2 attempts" in server.log


async def test_f_24_a_blocked_worker_is_named_and_replaced(start, client):
    server = start("--workers", "2", "--worker-heartbeat-timeout", "3")
    blocked = asyncio.create_task(client(server.port).get("/block/30"))
    await server.said("The event loop has been blocked")
    assert "time.sleep(float(path.removeprefix" in server.log
    await server.said("has blocked its event loop for 3 s")
    await server.said("is ready", 3)
    with pytest.raises((OSError, EOFError)):
        await blocked
    await client(server.port).get()


async def test_a_worker_that_is_told_to_end_directly_is_replaced_without_loss(
    start, load
):
    server = start("--workers", "2")
    async with load(server.port) as clients:
        await clients.until(lambda: clients.done > 50, "load")
        server.send(signal.SIGTERM, server.workers()[0])
        await clients.until(lambda: server.log.count("is ready") == 3, "successor")
    assert clients.lost == []


async def test_workers_are_recycled_after_their_share_without_loss(start, load):
    server = start("--workers", "2", "--limit-max-requests", "200")
    async with load(server.port) as clients:
        await clients.until(lambda: server.log.count("is ready") >= 5, "recycling")
    assert clients.lost == []


# The rest


def test_f_25_as_pid_1_adopted_zombies_are_reaped(start):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0 or os.system(" ".join([*unshare, "true"]) + " 2>/dev/null"):
        pytest.skip("needs a process namespace")
    app = """
import os, subprocess
# A child that leaves a grandchild behind: PID 1 inherits it.
subprocess.run(["sh", "-c", "sleep 0.5 & exit 0"])

async def app(scope, receive, send): ...
"""
    server = start("--workers", "2", app=app, prefix=unshare)
    (inner,) = server.workers()

    def zombies():
        with open(f"/proc/{inner}/task/{inner}/children") as file:
            children = [int(pid) for pid in file.read().split()]
        return [pid for pid in children if not is_alive(pid)]

    def names():
        with open(f"/proc/{inner}/task/{inner}/children") as file:
            return len(file.read().split())

    server.until(lambda: names() == 2 and not zombies(), "reaping")
    server.send(signal.SIGTERM, inner)
    assert server.wait() == 0
    assert server.log.count("is ready") == 2


async def test_f_26_a_replaced_certificate_serves_new_handshakes_and_loses_nothing(
    start, tmp_path, client, load
):
    authority = trustme.CA()

    def issue():
        issued = authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
        issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))

    issue()
    server = start("--workers", "2", "--certfile", "cert.pem", "--keyfile", "key.pem")
    assert server.url.startswith("https://")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def serial():
        item = client(server.port, ssl=trusting)
        await item.get()
        number = item.writer.get_extra_info("peercert")["serialNumber"]
        await item.close()
        return number

    open_connection = client(server.port, ssl=trusting)
    await open_connection.get()
    first = await serial()
    async with load(server.port, ssl=trusting) as clients:
        issue()
        server.send(signal.SIGHUP)
        async with asyncio.timeout(5):
            while await serial() == first:
                await asyncio.sleep(0.05)
        await open_connection.get()
        await server.said("is ready", 4)
    assert clients.lost == []


def test_a_pid_file_and_a_unix_socket_are_removed_in_the_end(start, tmp_path):
    server = start(
        "--workers", "2", "--pid-path", "pid", "--bind", f"unix:{tmp_path}/app.sock"
    )
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"
    assert (tmp_path / "app.sock").exists()
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert not (tmp_path / "pid").exists()
    assert not (tmp_path / "app.sock").exists()


def test_the_supervisor_imports_no_application_code_and_no_event_loop(start):
    server = start("--workers", "2")
    with open(f"/proc/{server.pid}/maps") as file:
        assert "_asyncio" not in file.read()
