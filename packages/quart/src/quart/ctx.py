"""Contexts: this module is :mod:`quart_contexts.ctx`."""

import sys

from quart_contexts import ctx as _implementation
from quart_contexts.ctx import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
