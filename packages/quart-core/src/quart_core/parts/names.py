"""The import names of Quart's own packages, to tell its frames from the user's."""

from __future__ import annotations

from typing import Final

OWN_PACKAGES: Final = frozenset(
    {
        "quart",
        "quart_cli",
        "quart_contexts",
        "quart_core",
        "quart_routing",
        "quart_server",
        "quart_templating",
        "quart_testing",
        "quart_ws",
    }
)
