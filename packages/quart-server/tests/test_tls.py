import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from quart_server.config import Config, ConfigError
from quart_server.tls import make_ssl_context, renew_certificate


class Files:
    """An authority, and what it issued, on disk."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)

    def issue(self, name, *hosts):
        issued = self.authority.issue_cert(*(hosts or ("localhost",)))
        cert, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        issued.private_key_pem.write_to_path(str(key))
        issued.cert_chain_pems[0].write_to_path(str(cert))
        return str(cert), str(key)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def config_for(files, name="server", **settings):
    cert, key = files.issue(name)
    return Config(certfile=cert, keyfile=key, **settings)


def handshake(server, client):
    """Shake hands in memory; return what the client agreed on and saw."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    unfinished = [ours, theirs]
    for _ in range(10):
        for side in tuple(unfinished):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            unfinished.remove(side)
    assert not unfinished
    certificate = ours.getpeercert()
    return ours.selected_alpn_protocol(), ours.version(), certificate["serialNumber"]


def client_for(files, *alpn):
    client = ssl.create_default_context(cafile=files.ca)
    if alpn:
        client.set_alpn_protocols(alpn)
    return client


def test_http2_is_preferred_by_alpn(files):
    context = make_ssl_context(config_for(files))
    assert handshake(context, client_for(files, "http/1.1", "h2"))[0] == "h2"
    assert handshake(context, client_for(files, "http/1.1"))[0] == "http/1.1"
    assert handshake(context, client_for(files))[0] is None


def test_without_http2_alpn_offers_http_1_1_alone(files):
    context = make_ssl_context(config_for(files, http2=False))
    assert handshake(context, client_for(files, "h2", "http/1.1"))[0] == "http/1.1"


def test_tls_1_1_is_refused(files):
    context = make_ssl_context(config_for(files))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_all_ciphers_have_forward_secrecy_and_authentication(files):
    context = make_ssl_context(config_for(files))
    for cipher in context.get_ciphers():
        assert cipher["aead"]
        assert cipher["protocol"] == "TLSv1.3" or "ECDHE" in cipher["name"]


def test_tls_1_2_clients_are_served(files):
    client = client_for(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    context = make_ssl_context(config_for(files))
    assert handshake(context, client)[1] == "TLSv1.2"


def test_client_certificates_are_required_with_authorities(files):
    context = make_ssl_context(config_for(files, ca_certs=files.ca))
    assert context.verify_mode == ssl.CERT_REQUIRED
    client = client_for(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # fails in the handshake itself
    with pytest.raises(ssl.SSLError):
        handshake(context, client)
    client.load_cert_chain(*files.issue("client"))
    assert handshake(context, client)


def test_client_certificates_can_be_optional(files):
    config = config_for(files, ca_certs=files.ca, verify_mode="optional")
    assert handshake(make_ssl_context(config), client_for(files))


def test_f_26_a_renewed_certificate_serves_new_handshakes(files):
    config = config_for(files)
    context = make_ssl_context(config)
    first = handshake(context, client_for(files))[2]
    files.issue("server")
    renew_certificate(context, config)
    assert handshake(context, client_for(files))[2] != first


def test_a_bad_renewal_keeps_the_old_certificate(files, tmp_path):
    config = config_for(files)
    context = make_ssl_context(config)
    first = handshake(context, client_for(files))[2]
    files.issue("other")
    (tmp_path / "other.key").replace(tmp_path / "server.key")
    with pytest.raises(ConfigError, match="does not belong"):
        renew_certificate(context, config)
    assert handshake(context, client_for(files))[2] == first


def refuse(**settings):
    with pytest.raises(ConfigError) as caught:
        make_ssl_context(Config(**settings))
    return str(caught.value)


def test_missing_files_are_named(files, tmp_path):
    cert, _ = files.issue("server")
    missing = str(tmp_path / "missing.pem")
    assert "certfile is" in refuse(certfile=missing)
    assert missing in refuse(certfile=cert, keyfile=missing)
    assert "ca_certs is" in refuse(**vars_of(files), ca_certs=missing)


def vars_of(files):
    cert, key = files.issue("server")
    return {"certfile": cert, "keyfile": key}


def test_files_that_are_no_pem_are_named(files, tmp_path):
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("hello")
    assert "expected PEM" in refuse(certfile=str(garbage))
    assert "expected PEM" in refuse(**vars_of(files), ca_certs=str(garbage))


def test_a_key_of_another_certificate_is_refused(files):
    cert, _ = files.issue("server")
    _, key = files.issue("other")
    assert "does not belong to" in refuse(certfile=cert, keyfile=key)


def test_an_encrypted_key_needs_its_password(files, tmp_path):
    cert, key = files.issue("server")
    encrypt(key)
    assert "keyfile_password is missing" in refuse(certfile=cert, keyfile=key)
    wrong = refuse(certfile=cert, keyfile=key, keyfile_password="wrong")
    assert "keyfile_password is wrong" in wrong
    assert make_ssl_context(
        Config(certfile=cert, keyfile=key, keyfile_password="right")
    )


def encrypt(path):
    key = serialization.load_pem_private_key(Path(path).read_bytes(), None)
    Path(path).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"right"),
        )
    )


def test_unknown_ciphers_are_named(files):
    assert "ciphers is 'NOPE'" in refuse(**vars_of(files), ciphers="NOPE")
