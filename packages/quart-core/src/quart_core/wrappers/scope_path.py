"""Where a request goes inside the application, by its ASGI scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ("OUTSIDE", "request_path")

#: The path of requests outside of the root path, which no rule can match.
OUTSIDE: Final = "/ "


# Any: scopes hold whatever their server puts there.
def request_path(scope: Mapping[str, Any]) -> str | None:
    """Return the path below the scope's `root_path`, None if it lies outside.

    The root counts on segment borders only: with the root `/app` both `/app` and
    `/app/` are `/`, while `/apple` and `/x/app/` are outside.

    Args:
        scope: An HTTP or websocket scope, whose `path` includes its `root_path`.
    """
    path: str = scope["path"]
    if path[:1] != "/" and "://" in path:
        # The absolute form (RFC 9112, 3.2.2), which most servers have split.
        path = urlsplit(path).path or "/"
    root_path = scope.get("root_path")
    if not root_path:
        return path
    root_path = root_path.rstrip("/")
    if not path.startswith(root_path):
        return None
    rest = path[len(root_path) :]
    if not rest:
        return "/"
    return rest if rest[0] == "/" else None
