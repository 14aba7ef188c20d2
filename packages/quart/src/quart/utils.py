"""Utilities: this module is :mod:`quart_core.utils`."""

import sys

from quart_core import utils as _implementation
from quart_core.utils import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
