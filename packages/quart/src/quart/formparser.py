"""Form parsing: this module is :mod:`quart_core.formparser`."""

import sys

from quart_core import formparser as _implementation
from quart_core.formparser import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
