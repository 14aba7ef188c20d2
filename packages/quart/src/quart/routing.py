"""URL rules: this module is :mod:`quart_routing.routing`."""

import sys

from quart_routing import routing as _implementation
from quart_routing.routing import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
