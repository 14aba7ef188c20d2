import pytest
from quart_server.config import Config, ConfigError


def test_defaults_are_valid_and_documented():
    config = Config()
    assert config.workers == 1
    assert config.bind == ("127.0.0.1:8000",)
    for option in Config.options().values():
        assert option.text
        assert option.group


def test_f_12_sizes_of_a_head_have_the_documented_defaults():
    config = Config()
    assert config.max_request_line_size == 8192
    assert config.max_field_size == 8192
    assert config.max_head_size == 32768
    assert config.max_header_count == 100


def test_f_07_to_f_16_clocks_have_the_documented_defaults():
    config = Config()
    assert (config.first_byte_timeout, config.ssl_handshake_timeout) == (10, 5)
    assert (config.header_timeout, config.keep_alive_timeout) == (10, 5)
    assert (config.body_timeout, config.body_min_rate, config.body_grace) == (
        20,
        240,
        10,
    )
    assert (config.write_timeout, config.graceful_timeout) == (30, 30)


def test_a_config_cannot_be_changed_but_copied():
    config = Config(workers=2)
    with pytest.raises(AttributeError):
        config.workers = 3
    assert config.replace(workers=3).workers == 3
    assert config.workers == 2


def test_a_single_address_stands_for_a_list():
    assert Config(bind="0.0.0.0:80").bind == ("0.0.0.0:80",)
    assert Config(bind=["a:1", "b:2"]).bind == ("a:1", "b:2")


def test_whole_numbers_serve_as_times():
    value = Config(graceful_timeout=3).graceful_timeout
    assert value == 3.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("workers", 0, "workers is 0, expected a whole number (processes) of at least"),
        ("workers", "2", "workers is '2', expected a whole number"),
        ("workers", True, "workers is True, expected a whole number"),
        ("workers", 1.5, "workers is 1.5, expected a whole number"),
        ("http", "h3", "http is 'h3', expected one of 'auto', 'h11', 'httptools'"),
        ("access_log", 1, "access_log is 1, expected true or false"),
        ("graceful_timeout", float("nan"), "graceful_timeout is nan, expected"),
        ("graceful_timeout", -1, "graceful_timeout is -1, expected"),
        ("bind", 8000, "bind is 8000, expected a list of texts"),
        ("bind", (), "bind is empty"),
        ("unix_socket_mode", 0o1777, "at most 777"),
        ("headers", [("X-A",)], "expected a list of (name, value) pairs"),
        ("headers", [("X A", "1")], "no valid header field"),
        ("headers", [("X-A", "1\r\nSet-Cookie: a=b")], "no valid header field"),
        ("keyfile", "key.pem", "keyfile is set without certfile"),
        ("verify_mode", "required", "without ca_certs"),
        ("insecure_bind", "a:1", "insecure_bind is set without certfile"),
        ("alpn_protocols", ["h3"], "alpn_protocols has 'h3'"),
        ("max_field_size", 65536, "more than the whole head"),
        ("trusted_proxies", ["10.0.0.0.0"], "trusted_proxies has '10.0.0.0.0'"),
        ("proxy_protocol", True, "no proxy is trusted"),
        ("root_path", "app", "must begin with '/'"),
    ],
)
def test_a_bad_value_is_refused_by_name(key, value, expected):
    with pytest.raises(ConfigError) as caught:
        Config(**{key: value})
    assert expected in str(caught.value)


def test_passwords_are_not_repeated_in_errors():
    with pytest.raises(ConfigError) as caught:
        Config(keyfile_password=b"hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_development_certificate_excludes_a_real_one():
    with pytest.raises(ConfigError, match="drop one of them"):
        Config(https=True, certfile="cert.pem")


def test_hops_and_addresses_of_proxies_exclude_each_other():
    with pytest.raises(ConfigError, match="choose one"):
        Config(trusted_hops=1, trusted_proxies=["10.0.0.0/8"])


def test_an_unknown_name_is_refused_with_close_ones():
    with pytest.raises(ConfigError, match="did you mean 'graceful_timeout'") as caught:
        Config.from_mapping({"gracefull_timeout": 3})
    assert caught.value.key == "gracefull_timeout"


def test_another_servers_name_is_refused_with_ours():
    with pytest.raises(ConfigError, match="it is called 'keep_alive_timeout' here"):
        Config.from_mapping(timeout_keep_alive=3)


def test_every_renamed_setting_exists():
    from quart_server.config import _RENAMED

    assert set(_RENAMED.values()) <= set(Config.options())
    assert not set(_RENAMED) & set(Config.options())


def test_from_toml_reads_the_top_level(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text(
        'bind = ["127.0.0.1:1", "unix:/run/a"]\nkeep-alive-timeout = 7\n'
        'headers = [["X-A", "1"]]\nunix_socket_mode = 0o600\n'
    )
    config = Config.from_toml(path)
    assert config.bind == ("127.0.0.1:1", "unix:/run/a")
    assert config.keep_alive_timeout == 7.0
    assert config.headers == (("X-A", "1"),)
    assert config.unix_socket_mode == 0o600


def test_from_toml_reads_its_table_in_a_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\n[tool.quart-server]\nworkers = 3\n')
    assert Config.from_toml(path).workers == 3


def test_from_toml_names_the_file_of_a_bad_value(tmp_path):
    path = tmp_path / "server.toml"
    path.write_text("workers = 'many'\n")
    with pytest.raises(ConfigError, match=r"workers is 'many'.*server\.toml"):
        Config.from_toml(path)


@pytest.mark.parametrize("content", [None, "workers = ", "quart-server = 1"])
def test_from_toml_names_a_file_it_cannot_use(tmp_path, content):
    path = tmp_path / "server.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"server\.toml"):
        Config.from_toml(path)


def test_from_env_parses_texts():
    config = Config.from_env(
        environment={
            "QUART_SERVER_BIND": "127.0.0.1:1, [::1]:2",
            "QUART_SERVER_ACCESS_LOG": "off",
            "QUART_SERVER_MAX_HEAD_SIZE": "64 KiB",
            "QUART_SERVER_UNIX_SOCKET_MODE": "600",
            "QUART_SERVER_WEBSOCKET_PING_INTERVAL": "none",
            "QUART_SERVER_HEADERS": "X-A: 1\nX-B: a: b",
            "OTHER": "1",
        }
    )
    assert config.bind == ("127.0.0.1:1", "[::1]:2")
    assert config.access_log is False
    assert config.max_head_size == 65536
    assert config.unix_socket_mode == 0o600
    assert config.websocket_ping_interval is None
    assert config.headers == (("X-A", "1"), ("X-B", "a: b"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WORKERS", "two"),
        ("WORKERS", ""),
        ("ACCESS_LOG", "maybe"),
        ("UNIX_SOCKET_MODE", "8"),
        ("MAX_HEAD_SIZE", "x KiB"),
        ("GRACEFUL_TIMEOUT", "inf"),
        ("HEADERS", "X-A"),
        ("NO_SUCH", "1"),
    ],
)
def test_from_env_refuses_what_does_not_fit(name, text):
    with pytest.raises(ConfigError, match=name.lower()):
        Config.from_env(environment={f"QUART_SERVER_{name}": text})


def test_from_object_reads_attributes():
    class Settings:
        workers = 2
        BACKLOG = 10
        _private = 1

        def method(self):
            """Not a setting."""

    config = Config.from_object(Settings)
    assert (config.workers, config.backlog) == (2, 10)


def test_from_object_takes_an_import_string(tmp_path, monkeypatch):
    (tmp_path / "settings_for_test.py").write_text("import os\nworkers = 4\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert Config.from_object("settings_for_test").workers == 4


def test_replace_refuses_unknown_names():
    with pytest.raises(ConfigError, match="'workers'"):
        Config().replace(worker=2)


def test_to_mapping_holds_only_what_differs_and_comes_back():
    config = Config(workers=2, headers=[("a", "b")])
    assert config.to_mapping() == {"workers": 2, "headers": (("a", "b"),)}
    assert Config.from_mapping(config.to_mapping()) == config


def test_tls_is_on_with_a_certificate():
    assert not Config().ssl_enabled
    assert Config(certfile="cert.pem").ssl_enabled
    assert Config(https=True).ssl_enabled
