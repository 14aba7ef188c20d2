"""Requests and responses (API of ``quart.wrappers``)."""

from __future__ import annotations

from .base import BaseRequestWebsocket, ClientDisconnectedError
from .request import Body, Request
from .response import Response

__all__ = (
    "BaseRequestWebsocket",
    "Body",
    "ClientDisconnectedError",
    "Request",
    "Response",
)
