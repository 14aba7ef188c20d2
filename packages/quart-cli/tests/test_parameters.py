"""Types of options."""

import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from quart_cli.cli import CertParamType, SeparatedPathType
from quart_cli.server_options import ServerOptions

Write = Callable[[str, str], Path]


def test_a_certificate_is_a_file_adhoc_or_a_context(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("cert.pem", "")
    context = ssl.create_default_context()
    monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
    write("tls.py", "import ssl\ncontext = ssl.create_default_context()\n")
    convert = CertParamType().convert
    assert convert("cert.pem", None, None) == str(path.resolve())
    assert convert("adhoc", None, None) == "adhoc"
    assert convert(context, None, None) is context
    assert isinstance(convert("tls:context", None, None), ssl.SSLContext)
    assert isinstance(convert("tls.context", None, None), ssl.SSLContext)


@pytest.mark.parametrize("value", ["absent.pem", "nowhere.context", "os:sep", "../x"])
def test_anything_else_is_no_certificate(folder: Path, value: str) -> None:
    with pytest.raises(click.BadParameter, match="is no file, not 'adhoc'"):
        CertParamType().convert(value, None, None)


def test_adhoc_without_trustme_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(click.BadParameter, match=r"pip install quart-server\[dev\]"):
        CertParamType().convert("adhoc", None, None)


def test_paths_are_separated_as_the_system_does() -> None:
    value = os.pathsep.join(["a", "b/c"])
    assert SeparatedPathType().convert(value, None, None) == ["a", "b/c"]
    assert SeparatedPathType().convert(["a"], None, None) == ["a"]


@pytest.mark.parametrize(
    ("host", "port", "bind"),
    [
        ("127.0.0.1", 5000, "127.0.0.1:5000"),
        ("::1", 80, "[::1]:80"),
        ("[::1]", 80, "[::1]:80"),
        ("unix:/run/x", 80, "unix:/run/x"),
        ("fd:3", 80, "fd://3"),
        ("fd://3", 80, "fd://3"),
    ],
)
def test_host_and_port_make_an_address(host: str, port: int, bind: str) -> None:
    assert ServerOptions(host, port).bind == bind


def test_certificate_and_key_must_fit() -> None:
    assert ServerOptions.of("h", 1, "adhoc", None).https
    assert ServerOptions.of("h", 1, "c", "k").settings()["keyfile"] == "k"
    for cert, key in (
        ("adhoc", "k"),
        (None, "k"),
        (ssl.create_default_context(), None),
    ):
        with pytest.raises(click.BadParameter):
            ServerOptions.of("h", 1, cert, key)
