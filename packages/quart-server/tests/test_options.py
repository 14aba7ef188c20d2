import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.config import Config
from quart_server.settings.options import ConfigError

OPTIONS = Config.options()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_default_passes_its_own_check(name):
    option = OPTIONS[name]
    assert option.check(option.default) == option.default
    assert option.default_text or option.default == ""


@given(name=st.sampled_from(sorted(OPTIONS)), text=st.text(max_size=30))
def test_no_text_does_more_than_be_refused(name, text):
    with contextlib.suppress(ConfigError):
        value = OPTIONS[name].parse(text)
        assert OPTIONS[name].check(value) == value


@given(size=st.integers(1024, 2**40))
def test_sizes_survive_being_written(size):
    option = OPTIONS["body_buffer_size"]
    assert option.parse(str(size)) == size
    assert option.parse(f"{size} KiB") == size * 1024


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("max_head_size", "32 KiB"),
        ("h2_connection_memory", "1 MiB"),
        ("h2_initial_window_size", "65535"),
        ("graceful_timeout", "30 s"),
        ("loop_lag_warning", "0.1 s"),
        ("access_log", "on"),
        ("https", "off"),
        ("unix_socket_mode", "660"),
        ("certfile", "none"),
        ("alpn_protocols", "h2, http/1.1"),
        ("max_header_count", "100"),
    ],
)
def test_defaults_are_shown_with_their_unit(name, shown):
    assert OPTIONS[name].default_text == shown
