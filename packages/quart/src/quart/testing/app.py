"""The application under test: this module is :mod:`quart_testing.app`."""

import sys

from quart_testing import app as _implementation
from quart_testing.app import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
