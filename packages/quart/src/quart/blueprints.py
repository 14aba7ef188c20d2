"""Blueprints: this module is :mod:`quart_core.blueprints`."""

import sys

from quart_core import blueprints as _implementation
from quart_core.blueprints import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
