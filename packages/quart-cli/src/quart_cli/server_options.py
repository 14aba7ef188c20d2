"""Where and how a command serves: its options as settings of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    import ssl

__all__ = ("DEFAULT_HOST", "DEFAULT_PORT", "ServerOptions")

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 5000


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """An address and the files of its certificate.

    Attributes:
        host: Host name, address, ``unix:PATH`` or ``fd:NUMBER``.
        port: Port, for a host or an address.
        certfile: File of the certificate.
        keyfile: File of its private key.
        https: Make a certificate on the spot.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    certfile: str | None = None
    keyfile: str | None = None
    https: bool = False

    @classmethod
    def of(
        cls, host: str, port: int, cert: str | ssl.SSLContext | None, key: str | None
    ) -> ServerOptions:
        """Return the settings that options stand for.

        Raises:
            click.BadParameter: They do not fit together.
        """
        if cert is not None and not isinstance(cert, str):
            raise click.BadParameter(
                "an SSLContext cannot be given to the server, which reads certificates "
                "anew when they are renewed: give files with --cert and --key",
                param_hint="--cert",
            )
        if cert == "adhoc":
            if key is not None:
                raise click.BadParameter(
                    "--cert adhoc makes its own key, leave --key out",
                    param_hint="--key",
                )
            return cls(host, port, https=True)
        if key is not None and cert is None:
            raise click.BadParameter(
                "--key needs the certificate it belongs to, in --cert",
                param_hint="--key",
            )
        return cls(host, port, cert, key)

    @property
    def bind(self) -> str:
        """The address in the server's notation."""
        if self.host.startswith("unix:"):
            return self.host
        if self.host.startswith("fd:"):
            return f"fd://{self.host[3:].lstrip('/')}"
        host = self.host
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{host}:{self.port}"

    # Any: the values of the server's settings.
    def settings(self) -> dict[str, Any]:
        """Return the settings for the server's ``Config``."""
        return {
            "bind": (self.bind,),
            "certfile": self.certfile,
            "keyfile": self.keyfile,
            "https": self.https,
        }
