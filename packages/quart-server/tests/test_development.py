import importlib
import ssl
import stat

import pytest
from quart_server.config import Config, ConfigError
from quart_server.development import with_development_certificate
from quart_server.tls import make_ssl_context


def test_the_certificate_serves_this_machine_and_its_binds(tmp_path):
    config = with_development_certificate(
        Config(https=True, bind=["dev.example:1", "0.0.0.0:2", "unix:/x"]), tmp_path
    )
    assert make_ssl_context(config)
    # The private helper is the only decoder in the standard library.
    names = ssl._ssl._test_decode_cert(config.certfile)["subjectAltName"]
    assert {value for _, value in names} == {
        "localhost",
        "127.0.0.1",
        "0:0:0:0:0:0:0:1",
        "dev.example",
    }


def test_the_key_is_private(tmp_path):
    config = with_development_certificate(Config(https=True), tmp_path)
    mode = (tmp_path / "key.pem").stat().st_mode
    assert config.keyfile == str(tmp_path / "key.pem")
    assert stat.S_IMODE(mode) == 0o600


def test_the_authority_can_be_trusted(tmp_path):
    with_development_certificate(Config(https=True), tmp_path)
    assert ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))


def test_without_trustme_the_extra_is_named(tmp_path, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ConfigError, match=r"pip install quart-server\[dev\]"):
        with_development_certificate(Config(https=True), tmp_path)
