"""Class-based views: this module is :mod:`quart_core.views`."""

import sys

from quart_core import views as _implementation
from quart_core.views import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
