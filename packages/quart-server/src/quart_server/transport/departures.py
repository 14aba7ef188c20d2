"""Whether an app failed for no other reason than that its client is gone."""

from __future__ import annotations

from typing import Final

from .connection import ClientDisconnectedError

__all__ = ["is_departure"]

# Links of one chain of exceptions that are looked at.
_MAX_LINKS: Final = 20


def is_departure(error: BaseException) -> bool:
    """Return whether an exception is, or was made of, "the client is gone".

    Frameworks turn the OSError of `send()` into exceptions of their own, and task
    groups wrap it. A group must hold nothing else.
    """
    link: BaseException | None = error
    for _ in range(_MAX_LINKS):
        if link is None:
            return False
        if isinstance(link, ClientDisconnectedError):
            return True
        if isinstance(link, BaseExceptionGroup):
            return all(is_departure(inner) for inner in link.exceptions)
        link = link.__cause__ or (
            None if link.__suppress_context__ else link.__context__
        )
    return False
