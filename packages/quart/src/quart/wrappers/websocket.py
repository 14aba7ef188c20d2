"""Websockets: this module is :mod:`quart_ws.websocket`."""

import sys

from quart_ws import websocket as _implementation
from quart_ws.websocket import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
