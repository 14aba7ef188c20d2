"""Configuration: this module is :mod:`quart_core.config`."""

import sys

from quart_core import config as _implementation
from quart_core.config import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
