"""Requests and websockets alike: this module is :mod:`quart_core.wrappers.base`."""

import sys

from quart_core.wrappers import base as _implementation
from quart_core.wrappers.base import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
