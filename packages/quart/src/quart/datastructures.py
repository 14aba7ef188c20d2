"""Data structures: this module is :mod:`quart_core.datastructures`."""

import sys

from quart_core import datastructures as _implementation
from quart_core.datastructures import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
