"""Helpers for views: this module is :mod:`quart_core.helpers`."""

import sys

from quart_core import helpers as _implementation
from quart_core.helpers import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
