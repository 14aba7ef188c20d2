"""Helpers for test clients: this module is :mod:`quart_testing.utils`."""

import sys

from quart_testing import utils as _implementation
from quart_testing.utils import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
