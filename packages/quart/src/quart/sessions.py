"""Sessions: this module is :mod:`quart_core.sessions`."""

import sys

from quart_core import sessions as _implementation
from quart_core.sessions import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
