"""Logging: this module is :mod:`quart_core.logging`."""

import sys

from quart_core import logging as _implementation
from quart_core.logging import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
