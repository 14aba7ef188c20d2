"""The test client: this module is :mod:`quart_testing.client`."""

import sys

from quart_testing import client as _implementation
from quart_testing.client import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
