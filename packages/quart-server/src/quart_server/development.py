"""A certificate for development: https on this machine without any set-up."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .addresses import TCPAddress, parse_address
from .settings.options import ConfigError

if TYPE_CHECKING:
    from .config import Config

__all__ = ["with_development_certificate"]

_ALWAYS = ("localhost", "127.0.0.1", "::1")


def with_development_certificate(config: Config, folder: Path) -> Config:
    """Return the settings with a fresh certificate in place of `https`.

    It is signed by an authority made on the spot, whose certificate is `ca.pem` in
    the folder, for those who want to trust it.

    Args:
        config: Has `https` on.
        folder: Where the files go; private to the user.

    Raises:
        ConfigError: trustme, from the extra `dev`, is not installed.
    """
    trustme = _import_trustme()
    authority = trustme.CA(organization_name="quart-server development")
    certificate = authority.issue_cert(*_names(config))
    certfile, keyfile = folder / "cert.pem", folder / "key.pem"
    keyfile.touch(mode=0o600)
    certificate.private_key_pem.write_to_path(str(keyfile))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(certfile), append=True)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return config.replace(https=False, certfile=str(certfile), keyfile=str(keyfile))


def _import_trustme() -> Any:  # has no type information
    # By name, so that servers without https never load it.
    try:
        return importlib.import_module("trustme")
    except ModuleNotFoundError as error:
        if error.name != "trustme":
            raise
        raise ConfigError(
            "https",
            "https needs trustme, which is not installed: run "
            "'pip install quart-server[dev]', or set certfile",
        ) from None


def _names(config: Config) -> list[str]:
    addresses = map(parse_address, config.bind)
    hosts = [item.host for item in addresses if isinstance(item, TCPAddress)]
    named = [host for host in hosts if host not in {"", "::", "0.0.0.0"}]  # noqa: S104
    return list(dict.fromkeys([*_ALWAYS, *named]))
