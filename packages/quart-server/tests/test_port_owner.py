import os
import socket
import sys

import pytest
from quart_server.port_owner import describe_owner


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_owner_of_a_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        owner = describe_owner(server.getsockname()[1])
    assert owner.startswith(f"process {os.getpid()} (")


def test_without_proc_it_is_another_process(tmp_path):
    assert describe_owner(80, tmp_path) == "another process"


def test_processes_of_other_users_are_passed_over(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
        "   uid  timeout inode\n"
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
        "     0        0 4711 1\n"
    )
    (tmp_path / "12").mkdir()
    assert describe_owner(8000, tmp_path) == "another process"
    (tmp_path / "13" / "fd").mkdir(parents=True)
    (tmp_path / "13" / "fd" / "5").symlink_to("socket:[4711]")
    (tmp_path / "13" / "cmdline").write_text("nginx\0-g\0")
    assert describe_owner(8000, tmp_path) == "process 13 (nginx -g)"
