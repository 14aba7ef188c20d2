import os
import socket
import stat
import subprocess
import sys

import pytest
from quart_server.binds import BindError, Listener, bind_all, inherited_descriptors
from quart_server.config import Config, ConfigError


@pytest.fixture
def bind():
    made = []

    def make(*addresses, environment=None, **settings):
        config = Config(bind=addresses, **settings)
        made.extend(bind_all(config, {} if environment is None else environment))
        return made

    yield make
    for listener in made:
        listener.remove()


def connect(listener):
    with socket.socket(listener.sock.family) as client:
        client.settimeout(5)
        client.connect(listener.sock.getsockname())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")


def test_port_0_is_a_free_port_and_reported(bind):
    (listener,) = bind("127.0.0.1:0")
    port = listener.sock.getsockname()[1]
    assert port > 0
    assert listener.url == f"http://127.0.0.1:{port}"
    connect(listener)


def test_sockets_do_not_block_and_are_not_inherited(bind):
    (listener,) = bind("127.0.0.1:0")
    assert not listener.sock.getblocking()
    assert not listener.sock.get_inheritable()


def test_several_addresses_at_once(bind, tmp_path):
    listeners = bind("127.0.0.1:0", "127.0.0.1:0", f"unix:{tmp_path}/a")
    assert len({listener.url for listener in listeners}) == 3
    for listener in listeners:
        connect(listener)


def test_a_certificate_makes_bind_tls_and_insecure_bind_cleartext(bind):
    first, second = bind("127.0.0.1:0", insecure_bind="127.0.0.1:0", https=True)
    assert first.tls
    assert first.url.startswith("https://")
    assert not second.tls


def test_a_host_name_listens_on_all_its_addresses_with_one_port(bind):
    listeners = bind("localhost:0")
    assert len({listener.sock.getsockname()[1] for listener in listeners}) == 1


@needs_ipv6
def test_an_ipv6_address_is_bound(bind):
    (listener,) = bind("[::1]:0")
    assert listener.sock.family == socket.AF_INET6
    assert listener.url.startswith("http://[::1]:")
    connect(listener)


@needs_ipv6
@pytest.mark.parametrize(("only", "expected"), [(False, 0), (True, 1)])
def test_ipv6_only_decides_about_ipv4_on_the_same_port(bind, only, expected):
    (listener,) = bind("[::]:0", ipv6_only=only)
    option = listener.sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    assert option == expected


def test_a_busy_port_is_named_with_its_owner(bind):
    (listener,) = bind("127.0.0.1:0")
    port = listener.sock.getsockname()[1]
    with pytest.raises(BindError) as caught:
        bind_all(Config(bind=f"127.0.0.1:{port}"), {})
    assert f"Port {port} is in use by " in str(caught.value)
    if sys.platform == "linux":
        assert f"process {os.getpid()} (" in str(caught.value)
    assert "--bind" in str(caught.value)


def test_a_failed_bind_leaves_nothing_open(bind, tmp_path):
    path = tmp_path / "a"
    with pytest.raises(BindError):
        bind_all(Config(bind=[f"unix:{path}", f"unix:{tmp_path}/no/such"]), {})
    assert not path.exists()


def test_an_unknown_host_is_named():
    with pytest.raises(BindError, match=r"no\.such\.invalid"):
        bind_all(Config(bind="no.such.invalid:0"), {})


def test_an_address_of_another_machine_is_named():
    with pytest.raises(BindError, match=r"192\.0\.2\.1"):
        bind_all(Config(bind="192.0.2.1:0"), {})


def test_a_bad_address_is_a_config_error():
    with pytest.raises(ConfigError):
        bind_all(Config(bind="127.0.0.1:http"), {})


# Unix sockets


def test_a_unix_socket_has_the_permissions_asked_for(bind, tmp_path):
    path = tmp_path / "app.sock"
    bind(f"unix:{path}", unix_socket_mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_unix_socket_of_a_dead_server_is_replaced(bind, tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    (listener,) = bind(f"unix:{path}")
    connect(listener)


def test_a_unix_socket_of_a_living_server_is_left_alone(bind, tmp_path):
    path = tmp_path / "app.sock"
    (first,) = bind(f"unix:{path}")
    with pytest.raises(BindError, match="another server answers there"):
        bind_all(Config(bind=f"unix:{path}"), {})
    connect(first)


def test_a_file_in_the_way_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(BindError, match="no socket is there"):
        bind_all(Config(bind=f"unix:{path}"), {})
    assert path.read_text() == "data"


def test_removing_takes_the_file_away_once(tmp_path):
    path = tmp_path / "app.sock"
    (listener,) = bind_all(Config(bind=f"unix:{path}"), {})
    listener.remove()
    assert not path.exists()
    listener.remove()


def test_removing_leaves_the_file_of_a_successor(tmp_path):
    path = tmp_path / "app.sock"
    (old,) = bind_all(Config(bind=f"unix:{path}"), {})
    path.rename(tmp_path / "moved")
    (new,) = bind_all(Config(bind=f"unix:{path}"), {})
    old.remove()
    connect(new)
    new.remove()
    assert not path.exists()


def test_a_missing_folder_and_a_long_path_are_explained(tmp_path):
    with pytest.raises(BindError, match="make its folder first"):
        bind_all(Config(bind=f"unix:{tmp_path}/no/such"), {})
    with pytest.raises(BindError, match="choose another path"):
        bind_all(Config(bind=f"unix:{tmp_path}/{'a' * 200}"), {})


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_has_no_file(bind):
    (listener,) = bind(f"unix:@quart-server-test-{os.getpid()}")
    assert listener.unix_file is None
    assert listener.url.startswith("http+unix:@quart-server-test")
    connect(listener)


# Inherited descriptors


def test_an_inherited_descriptor_is_served(bind):
    with socket.create_server(("127.0.0.1", 0)) as outside:
        number = os.dup(outside.fileno())
        (listener,) = bind(f"fd://{number}")
        assert listener.sock.getsockname() == outside.getsockname()
        connect(listener)


def test_a_descriptor_that_is_no_socket_is_refused(tmp_path):
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(BindError, match=f"fd://{file.fileno()}"),
    ):
        bind_all(Config(bind=f"fd://{file.fileno()}"), {})


def test_a_datagram_socket_is_refused_and_stays_open():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        with pytest.raises(BindError, match="no stream socket"):
            bind_all(Config(bind=f"fd://{outside.fileno()}"), {})
        outside.getsockname()


def test_listen_fds_for_another_process_are_left_alone():
    environment = {"LISTEN_FDS": "2", "LISTEN_PID": "1"}
    assert inherited_descriptors(environment) == []
    assert environment


def test_listen_fds_are_claimed_once():
    environment = {"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid())}
    assert inherited_descriptors(environment) == [3, 4]
    assert environment == {}


_ACTIVATED = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from quart_server.binds import bind_all
from quart_server.config import Config
settings = {"bind": sys.argv[1:]} if sys.argv[1:] else {}
for listener in bind_all(Config(**settings)):
    print(listener.url)
"""


def run_activated(sock, *addresses):
    """Run a process that has the socket at descriptor 3, as systemd does it."""

    def hand_over():
        os.dup2(sock.fileno(), 3, inheritable=True)

    finished = subprocess.run(
        [sys.executable, "-c", _ACTIVATED, *addresses],
        env={**os.environ, "LISTEN_FDS": "1"},
        preexec_fn=hand_over,
        pass_fds=(3,),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return finished.stdout.split()


def test_socket_activation_takes_the_place_of_the_default():
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        assert run_activated(outside) == [f"http://127.0.0.1:{port}"]


def test_socket_activation_comes_beside_explicit_addresses():
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        urls = run_activated(outside, "127.0.0.1:0")
        assert urls[0] == f"http://127.0.0.1:{port}"
        assert len(urls) == 2


def test_a_listener_comes_back_from_its_descriptor(bind):
    (listener,) = bind("127.0.0.1:0")
    again = Listener.from_descriptor(os.dup(listener.sock.fileno()), tls=True)
    assert again.tls
    assert again.sock.getsockname() == listener.sock.getsockname()
    again.close()
    connect(listener)
