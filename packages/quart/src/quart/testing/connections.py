"""Test connections: this module is :mod:`quart_testing.connections`."""

import sys

from quart_testing import connections as _implementation
from quart_testing.connections import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
