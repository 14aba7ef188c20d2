"""What the supervisor hands to a child: descriptors, and what it shall do."""

from __future__ import annotations

import json
import os
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from typing import Self

from .variable import CHILD_VARIABLE

__all__ = ("Handover",)


@dataclass(frozen=True, slots=True)
class Handover:
    """What a child is given.

    Attributes:
        parent: The process id of the supervisor.
        channel: Descriptor of the socket to the supervisor.
        listeners: Descriptors of the listening sockets.
        url: Where they listen.
        certfile: File of the certificate.
        keyfile: File of its private key.
        is_standby: Whether to wait for ``go`` before importing the application.
        failure: Why the child before this one ended; then that is shown instead of
            the application.
    """

    parent: int
    channel: int
    listeners: tuple[int, ...]
    url: str
    certfile: str | None = None
    keyfile: str | None = None
    is_standby: bool = False
    failure: str = ""

    def to_text(self) -> str:
        """Return the value of the environment variable."""
        return json.dumps(asdict(self))

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ) -> Self | None:
        """Return what this process was handed, None if it is no child.

        The variable is removed, so that processes of the application do not take
        themselves for a child.
        """
        text = environment.pop(CHILD_VARIABLE, "")
        if not text:
            return None
        values = json.loads(text)
        values["listeners"] = tuple(values["listeners"])
        return cls(**values)
