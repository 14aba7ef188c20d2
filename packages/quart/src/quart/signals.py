"""Signals: this module is :mod:`quart_core.signals`."""

import sys

from quart_core import signals as _implementation
from quart_core.signals import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
