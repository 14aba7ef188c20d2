"""The ASGI connections: this module is :mod:`quart_core.asgi`."""

import sys

from quart_core import asgi as _implementation
from quart_core.asgi import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
