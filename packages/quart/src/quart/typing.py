"""Types: this module is :mod:`quart_core.typing`."""

import sys

from quart_core import typing as _implementation
from quart_core.typing import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
