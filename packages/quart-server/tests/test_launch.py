import os
import signal
import subprocess
import sys

import pytest
from quart_server.binds import bind_all
from quart_server.config import Config
from quart_server.launch import Setup, describe_exit, launch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")


def test_a_setup_survives_the_line():
    config = Config(workers=2, bind="127.0.0.1:0", headers=[("a", "b")])
    (listener,) = bind_all(config, {})
    setup = Setup("module:app", config, [listener], factory=True, app_dir="x")
    message = setup.to_message()
    message["listeners"] = [
        [os.dup(number), tls] for number, tls in message["listeners"]
    ]
    again = Setup.from_message(message)
    assert (again.target, again.factory, again.app_dir) == ("module:app", True, "x")
    assert again.config == config
    assert again.listeners[0].url == listener.url
    again.listeners[0].close()
    listener.close()


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        ("raise SystemExit(4)", "exited with 4"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("import os; os.kill(os.getpid(), 35)", "was killed by signal 35"),
    ],
)
def test_the_end_of_a_process_is_described(code, phrase):
    process = subprocess.Popen([sys.executable, "-c", code])
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    assert describe_exit(status) == phrase


def test_a_worker_that_cannot_start_says_why(tmp_path):
    config = Config(bind="127.0.0.1:0")
    (listener,) = bind_all(config, {})
    worker = launch(Setup("no_such:app", config, [listener], app_dir=str(tmp_path)))
    messages = []
    while not worker.channel.is_closed:
        messages += worker.channel.receive(20)
    _, status = os.waitpid(worker.pid, 0)
    worker.forget(status)
    listener.close()
    assert describe_exit(status) == "exited with 3"
    (message,) = messages
    assert message["kind"] == "failed"
    assert "no module 'no_such'" in message["reason"]


def test_signals_are_let_in_again_after_a_start(tmp_path):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    config = Config(bind="127.0.0.1:0")
    worker = launch(Setup("no_such:app", config, [], app_dir=str(tmp_path)))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    worker.kill()
    _, status = os.waitpid(worker.pid, 0)
    worker.forget(status)
    assert describe_exit(status) == "was killed by SIGKILL"


def test_an_order_right_behind_the_setup_is_obeyed(tmp_path):
    (tmp_path / "slow_module.py").write_text(
        "import time\ntime.sleep(0.5)\nasync def app(*_): raise ValueError"
    )
    config = Config(bind="127.0.0.1:0")
    (listener,) = bind_all(config, {})
    setup = Setup("slow_module:app", config, [listener], app_dir=str(tmp_path))
    worker = launch(setup)
    worker.channel.send("drain", idle_seconds=0)
    messages = []
    while not worker.channel.is_closed:
        messages += worker.channel.receive(20)
    _, status = os.waitpid(worker.pid, 0)
    worker.forget(status)
    listener.close()
    assert describe_exit(status) == "exited with 0"
    assert {"kind": "ready"} in messages
