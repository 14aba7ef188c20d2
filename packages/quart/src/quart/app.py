"""The application class: this module is :mod:`quart_core.app`."""

import sys

from quart_core import app as _implementation
from quart_core.app import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
