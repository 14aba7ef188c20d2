"""Context variables and proxies: this module is :mod:`quart_contexts.globals`."""

import sys

from quart_contexts import globals as _implementation
from quart_core.globals import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
