"""Responses: this module is :mod:`quart_core.wrappers.response`."""

import sys

from quart_core.wrappers import response as _implementation
from quart_core.wrappers.response import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
