"""Responses that were made and are not sent: all that they hold is released.

A function after the request may put another response in the place of one that has an
open file, or fail; the client may leave meanwhile. Whoever drops a response says so
here, as nothing else would ever close it.
"""

from __future__ import annotations

import logging
from typing import Any

from .wrappers import Response

__all__ = ("close_with", "discard")


# Any: ours, werkzeug's, or none yet.
async def discard(response: Any, logger: logging.Logger) -> None:
    """Close a response that is not sent, None included.

    What fails is logged, as whoever calls this has an exception of its own to raise.
    """
    if response is None:
        return
    try:
        if not isinstance(response, Response):
            response.close()
        elif response._must_close:
            await response._close_body()
    except Exception:
        logger.exception("A response that is not sent could not be closed")


async def close_with(response: Any, replaced: Any, logger: logging.Logger) -> None:
    """Close a replaced response when the one in its place is closed.

    Not before: its body may be what the other one sends.
    """
    if isinstance(replaced, Response) and not replaced._must_close:
        return
    if isinstance(response, Response) and isinstance(replaced, Response):
        response.call_on_close(replaced._close_body)
    else:
        await discard(replaced, logger)
