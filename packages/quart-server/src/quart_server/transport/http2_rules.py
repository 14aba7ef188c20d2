"""What all HTTP/2 connections of one worker share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_server.protocols.http2_limits import HTTP2Limits
from quart_server.protocols.http2_response import FieldRules

if TYPE_CHECKING:
    from quart_server.context import WorkerContext

__all__ = ["HTTP2Rules", "http2_rules"]


class HTTP2Rules:
    """Limits, and what is known about response fields.

    Attributes:
        limits: What clients may send and hold.
        fields: Which response fields are valid, and how they are coded.
    """

    __slots__ = ("fields", "limits")

    def __init__(self, context: WorkerContext) -> None:
        self.limits = HTTP2Limits.from_config(context.config)
        self.fields = FieldRules()
        self.fields.set_default_fields(context.default_fields)


def http2_rules(context: WorkerContext) -> HTTP2Rules:
    """Return the rules of a worker; its first HTTP/2 connection has them made."""
    if context.http2 is None:
        context.http2 = HTTP2Rules(context)
    return context.http2
