"""JSON providers: this module is :mod:`quart_core.json.provider`."""

import sys

from quart_core.json import provider as _implementation
from quart_core.json.provider import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
