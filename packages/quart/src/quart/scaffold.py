"""What applications and blueprints share: this module is :mod:`quart_core.scaffold`."""

import sys

from quart_core import scaffold as _implementation
from quart_core.scaffold import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
