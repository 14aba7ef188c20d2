"""Requests: this module is :mod:`quart_core.wrappers.request`."""

import sys

from quart_core.wrappers import request as _implementation
from quart_core.wrappers.request import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
