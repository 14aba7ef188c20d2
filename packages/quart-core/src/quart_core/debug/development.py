"""What a development server adds to the debug page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ("DEVELOPMENT_EXTENSION", "Development", "development_of")

DEVELOPMENT_EXTENSION: Final = "quart.development"
"""The scope extension in which a development server puts a `Development`."""


@dataclass(slots=True)
class Development:
    """What a development server offers for a request whose exception is shown.

    Attributes:
        connects: Whether its script on the page connects to the server.
        error_path: Where the exception can be seen later, "" if it is not kept.
        test_command: The command that writes a test of the request.
    """

    connects: bool = False
    error_path: str = ""
    test_command: str = ""


# Any: scopes hold whatever their server puts there.
def development_of(scope: Mapping[str, Any]) -> Development | None:
    """Return what the server of a request offers, None if it is not for development."""
    found = (scope.get("extensions") or {}).get(DEVELOPMENT_EXTENSION)
    return found if isinstance(found, Development) else None
