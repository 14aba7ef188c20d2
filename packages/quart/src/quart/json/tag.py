"""The tagged JSON serializer: this module is :mod:`quart_core.json.tag`."""

import sys

from quart_core.json import tag as _implementation
from quart_core.json.tag import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
